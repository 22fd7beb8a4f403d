// Clearing between provinces, a month at a time: what was settled and who owes whom, the tables, what differs, the money, what
// is disputed, and the national net.
import { Badge, Deadline, Facts, html, Icon, Load, Problem, Section, Table, useData, useState } from '../ui.js';
import { enumWord, t, words } from '../i18n.js';
import { all, download, get } from '../api.js';
import { fen, shortId, today, whenFull, yuan } from '../format.js';
import { hasRole } from '../session.js';
import { go, page } from '../pages.js';
import { Doing, useRowCalls } from '../doing.js';
import { offered } from '../case/calls.js';
import { national } from '../case/calls/clearing.js';
import { count, Mark, money, name, percentOf } from '../clearing/parts.js';
import { provinceOf, Whose } from '../province.js';

words({
  'clearing.title': ['省际清算', 'Clearing'], 'clearing.parts': ['栏目', 'Parts'], 'clearing.month': ['月度', 'The month'], 'clearing.differences': ['差异与对账', 'Differences'], 'clearing.money': ['预付与划拨', 'Money'], 'clearing.disputes': ['争议', 'Disputes'], 'clearing.net': ['全国轧差', 'National net'], 'clearing.earlier': ['上月', 'Month before'], 'clearing.later': ['下月', 'Next month'], 'clearing.of': ['{month} 月', '{month}'], 'clearing.which': ['月份', 'Month'],
  'clearing.window': ['本月结算窗口', 'The month’s window'], 'clearing.declared': ['已关账申报', 'Closed and declared'], 'clearing.open': ['尚未申报', 'Not declared'], 'clearing.items': ['笔数', 'Items'], 'clearing.clears': ['应由参保地承担', 'Owed by insured provinces'], 'clearing.ends': ['月末', 'Ends'], 'clearing.declareBy': ['申报截止', 'Declare by'], 'clearing.nationalBy': ['全国汇总', 'National tables by'], 'clearing.last': ['窗口终止', 'Window over'],
  'clearing.given': ['本省申报的清算表', 'Tables declared by us'], 'clearing.got': ['申报给本省的清算表', 'Tables declared to us'], 'clearing.notables': ['没有清算表。', 'No tables.'], 'clearing.other': ['对方省份', 'Other province'], 'clearing.total': ['金额', 'Amount'], 'clearing.state': ['状态', 'State'], 'clearing.when': ['时间', 'Time'], 'clearing.do': ['操作', 'Actions'], 'clearing.late': ['逾期申报', 'late'],
  'clearing.statement': ['清算对账单', 'Statement'], 'clearing.side': ['本省身份', 'Our side'], 'clearing.before': ['期初', 'Brought forward'], 'clearing.window.sum': ['本月', 'This month'], 'clearing.taken': ['已清算', 'Cleared'], 'clearing.after': ['期末', 'Carried forward'], 'clearing.ledger': ['账簿余额', 'Ledger balance'], 'clearing.differs': ['与账簿不符', 'differs from the ledger'], 'clearing.made': ['编制于 {time}', 'Made {time}'], 'clearing.netted': ['本月净额', 'Net position'], 'clearing.csv': ['下载 CSV', 'Download CSV'], 'clearing.html': ['下载可打印页', 'Download a page to print'], 'clearing.nolines': ['本月没有往来。', 'Nothing between provinces this month.'],
  'clearing.books': ['账簿校验', 'The books'], 'clearing.verify': ['校验{side}账簿', 'Verify the book as {side}'], 'clearing.whole': ['{n} 条记录完整无误，校验至账簿末端', '{n} entries are as they were written, to the end of the book'], 'clearing.damaged': ['第 {n} 条：{what}', 'Entry {n}: {what}'], 'clearing.verifying': ['正在校验…', 'Verifying…'],
  'clearing.tasks': ['差异任务', 'Tasks'], 'clearing.notasks': ['没有差异。', 'Nothing differs.'], 'clearing.what': ['差异', 'What differs'], 'clearing.here': ['本省', 'Here'], 'clearing.there': ['对方', 'There'], 'clearing.day': ['业务日', 'Business day'], 'clearing.settlement': ['结算号', 'Settlement'], 'clearing.became': ['处理结果', 'What became of it'], 'clearing.reversal': ['冲正', 'reversal'],
  'clearing.compared': ['{day} 与{other}：本省 {n} 笔 {here}，对方 {m} 笔 {there}，差异 {d} 笔', '{day} with {other}: here {n}, {here}; there {m}, {there}; {d} differ'], 'clearing.can': ['可进行的操作', 'What you can do'],
  'clearing.prepayments': ['预付金', 'Prepayments'], 'clearing.proposed': ['应付', 'Proposed'], 'clearing.paid': ['已付', 'Paid'], 'clearing.used': ['已用', 'Used'], 'clearing.part': ['使用率', 'Used of paid'], 'clearing.topUp': ['需增拨', 'Top-up'], 'clearing.level': ['预警', 'Warning'], 'clearing.noprepay': ['没有就医地。', 'No treatment province.'],
  'clearing.remittances': ['财政划拨', 'Remittances'], 'clearing.noremit': ['没有划拨。', 'No remittance.'], 'clearing.between': ['付款 → 收款', 'From → to'], 'clearing.due': ['期限', 'Due'], 'clearing.reference': ['流水号', 'Reference'],
  'clearing.nodispute': ['本月没有争议。', 'Nothing is disputed this month.'], 'clearing.reason': ['理由', 'Reasons'], 'clearing.held': ['争议金额', 'Held back'],
  'clearing.positions': ['各省净额（合计为零）', 'Positions, which sum to zero'], 'clearing.lines': ['明细', 'Lines'], 'clearing.province': ['省份', 'Province'], 'clearing.receives': ['应收', 'receives'], 'clearing.pays': ['应付', 'pays'], 'clearing.notnetted': ['本月尚未轧差。最近轧差：{month}', 'The month was not netted. Netted last: {month}'], 'clearing.never': ['无', 'none'], 'clearing.computed': ['{time} 由 {who} 轧差', 'Netted {time} by {who}'], 'clearing.cleared': ['清算', 'Cleared'], 'clearing.shared': ['协议分担', 'Shared'], 'clearing.waived': ['免付', 'Waived'], 'clearing.tables': ['全国清算表', 'Tables at the center'], 'clearing.agreements': ['风险共担协议', 'Agreements'], 'clearing.noagree': ['没有协议。', 'No agreement.'], 'clearing.pair': ['就医地 → 参保地', 'Treatment → insured'], 'clearing.span': ['月份', 'Months'], 'clearing.paper': ['文号', 'Paper'],
});

const shift = (month, by) => { const [y, m] = month.split('-').map(Number); const n = y * 12 + m - 1 + by; return `${Math.floor(n / 12)}-${String((n % 12) + 1).padStart(2, '0')}`; };
const parts = [['', 'clearing.month'], ['/differences', 'clearing.differences'], ['/money', 'clearing.money'], ['/disputes', 'clearing.disputes'], ['/net', 'clearing.net']];


const common = ['/disputes', '/net']; // kept by the national center for all provinces

// Frame is what all parts share: whose books, which month, which part.
const frame = (part, Body) => function Frame({ params }) {
  const province = provinceOf(params);
  const now = today().slice(0, 7);
  const month = /^\d{4}-(0[1-9]|1[0-2])$/.test(params.month || '') ? params.month : now;
  const to = (path, next) => `/clearing${path}?` + new URLSearchParams({ month, ...(hasRole('operations') && province && { province }), ...next });
  return html`<div class="title"><h1>${t('clearing.title')}${province && html` <span class="quiet">${name(province)}</span>`}</h1>
      <div class="row"><a class="button" href=${'#' + to(part, { month: shift(month, -1) })}>${t('clearing.earlier')}</a><b>${month}</b>${month < now && html`<a class="button" href=${'#' + to(part, { month: shift(month, 1) })}>${t('clearing.later')}</a>`}</div></div>
    ${!common.includes(part) && html`<${Whose} province=${province} set=${(code) => go(to(part, { province: code }))} />`}
    <nav class="tabs" aria-label=${t('clearing.parts')}><ul>${parts.map(([path, word]) => html`<li><a href=${'#' + to(path)} aria-current=${path === part ? 'page' : undefined}>${t(word)}</a></li>`)}</ul></nav>
    ${(province || common.includes(part)) && html`<${Body} key=${province + month} province=${province} month=${month} />`}`;
};

function Tables({ title, rows, other, d, reload }) {
  const row = useRowCalls('table', reload);
  return html`<${Section} title=${title}><${Table} caption=${title} rows=${rows} rowKey=${(x) => x.treatmentProvince + x.insuredProvince} empty=${t('clearing.notables')} columns=${[
      { title: t('clearing.other'), cell: (x) => name(x[other]) }, { title: t('clearing.state'), cell: (x) => html`<${Mark} group="table" of=${x.status} /> ${x.late && html`<${Badge} tone="warn" icon="clock">${t('clearing.late')}<//>`}` },
      { title: t('clearing.when'), cell: (x) => whenFull(x.confirmTime || x.declareTime) }, count(t('clearing.items'), (x) => x.total?.items), money(t('clearing.total'), (x) => x.total?.clears),
      ...(d ? [{ title: t('clearing.do'), cell: (x) => row.buttons({ ...d, table: x, national }, name(x[other])) }] : []),
    ]} />${row.form}<//>`;
}

// Books follows a book's hash chain to its end, as many calls as that takes.
function Books({ province }) {
  const [found, setFound] = useState({});
  const verify = async (side) => {
    const set = (outcome) => setFound((was) => ({ ...was, [side]: outcome }));
    set({ running: true });
    try {
      let from = {};
      for (;;) {
        const answer = await get(`/v1/clearing/${province}/ledger:verify`, { side, ...from });
        if (answer.complete || (answer.damage && answer.damage !== 'LEDGER_DAMAGE_UNSPECIFIED')) { set(answer); return; }
        from = { 'from.sequence': answer.verified.sequence, 'from.hash': answer.verified.hash };
      }
    } catch (error) {
      set({ error });
    }
  };
  return html`<${Section} title=${t('clearing.books')}>${['BOOK_SIDE_TREATMENT', 'BOOK_SIDE_INSURED'].map((side) => {
    const f = found[side];
    const word = enumWord('side', side);
    const damaged = f?.damage && f.damage !== 'LEDGER_DAMAGE_UNSPECIFIED';
    return html`<div class="row book"><button type="button" disabled=${f?.running} onClick=${() => verify(side)}>${t('clearing.verify', { side: word })}</button>
      <span role="status">${f?.running ? t('clearing.verifying') : f?.complete && !damaged ? html`<${Badge} tone="good" icon="done">${t('clearing.whole', { n: f.head?.sequence || 0 })}<//>` : damaged ? html`<${Badge} tone="bad" icon="alert">${t('clearing.damaged', { n: f.damagedSequence, what: enumWord('damage', f.damage) })}<//>` : ''}</span></div>
      ${f?.error && html`<${Problem} error=${f.error} />`}`;
  })}<//>`;
}

function Month({ province, month }) {
  const found = useData(async () => {
    const [{ window }, { statement }] = await Promise.all([get(`/v1/clearing/${province}/windows/${month}`), get(`/v1/clearing/${province}/statements/${month}`)]);
    return { province, month, window, statement };
  }, [province, month], () => false);
  const [failed, setFailed] = useState(null);
  const file = (format) => download(`/v1/clearing/${province}/statements/${month}/file?format=STATEMENT_FORMAT_${format}&language=${document.documentElement.lang.startsWith('zh') ? 'zh' : 'en'}`).then(() => setFailed(null), setFailed);
  return html`<${Load} ...${found}>${(d) => {
    const { window: w, statement: s } = d;
    const doing = offered('window', d);
    return html`<${Section} title=${t('clearing.window')}><${Facts} list=${[[t('clearing.state'), w.declared ? html`<${Badge} tone="good" icon="done">${t('clearing.declared')}<//>` : html`<${Badge} tone="warn" icon="clock">${t('clearing.open')}<//>`], [t('clearing.items'), String(w.total?.items || 0)], [t('clearing.clears'), html`<b>${yuan(w.total?.clears)}</b>`],
        [t('clearing.ends'), whenFull(w.dates?.endTime)], [t('clearing.declareBy'), whenFull(w.dates?.declareBy)], [t('clearing.nationalBy'), whenFull(w.dates?.nationalBy)], [t('clearing.last'), whenFull(w.dates?.lastTime)]]} /><//>
      <${Doing} title=${t('clearing.can')} first=${doing} data=${d} reload=${found.reload} />
      <${Section} title=${t('clearing.statement')} actions=${html`<span class="row"><button type="button" onClick=${() => file('CSV')}>${t('clearing.csv')}</button><button type="button" onClick=${() => file('HTML')}>${t('clearing.html')}</button></span>`}>
        ${failed && html`<${Problem} error=${failed} />`}
        <${Facts} list=${[[t('clearing.netted'), s.computeTime && html`<b>${yuan(s.net)}</b>`]]} />
        <${Table} caption=${t('clearing.statement')} rows=${s.lines || []} rowKey=${(l) => l.side + l.counterparty} empty=${t('clearing.nolines')} columns=${[
          { title: t('clearing.other'), cell: (l) => html`<b>${name(l.counterparty)}</b>` }, { title: t('clearing.side'), cell: (l) => enumWord('side', l.side) }, money(t('clearing.before'), (l) => l.before), count(t('clearing.items'), (l) => l.window?.items), money(t('clearing.window.sum'), (l) => l.window?.clears),
          money(t('clearing.taken'), (l) => l.taken), money(t('clearing.after'), (l) => l.after), { title: t('clearing.ledger'), number: true, cell: (l) => html`${yuan(l.ledger)} ${fen(l.after) + fen(l.later) !== fen(l.ledger) && html`<${Badge} tone="bad" icon="alert">${t('clearing.differs')}<//>`}` },
        ]} /><p class="quiet small">${t('clearing.made', { time: whenFull(s.time) })}</p><//>
      <${Tables} title=${t('clearing.got')} rows=${w.got || []} other="treatmentProvince" d=${d} reload=${found.reload} />
      <${Tables} title=${t('clearing.given')} rows=${w.given || []} other="insuredProvince" reload=${found.reload} />
      <${Books} province=${province} />`;
  }}<//>`;
}

function Differences({ province }) {
  const found = useData(() => all(`/v1/clearing/${province}/tasks`, 'tasks').then((tasks) => ({ province, tasks })), [province], () => false);
  const row = useRowCalls('task', found.reload);
  const [compared, setCompared] = useState(null);
  const told = compared && t('clearing.compared', { day: compared.day, other: name(compared.counterparty), n: compared.here?.items || 0, here: yuan(compared.here?.clears), m: compared.there?.items || 0, there: yuan(compared.there?.clears), d: compared.differences || 0 });
  return html`<${Load} ...${found}>${(d) => {
    const doing = offered('books', d);
    return html`<${Section} title=${t('clearing.tasks')}><${Table} caption=${t('clearing.tasks')} rows=${d.tasks} rowKey=${(x) => x.taskId} empty=${t('clearing.notasks')} columns=${[
        { title: t('clearing.what'), cell: (x) => html`<b>${enumWord('difference', x.kind)}</b> ${x.reversal && t('clearing.reversal')} ${x.kind === 'DIFFERENCE_KIND_PREPAYMENT' && html`<${Mark} group="level" of=${x.level} />`}` }, { title: t('clearing.other'), cell: (x) => name(x.counterparty) }, { title: t('clearing.day'), cell: (x) => x.day },
        { title: t('clearing.settlement'), cell: (x) => x.settlementId && html`<code title=${x.settlementId}>${shortId(x.settlementId)}</code>` }, money(t('clearing.here'), (x) => x.here), money(t('clearing.there'), (x) => x.there),
        { title: t('clearing.state'), cell: (x) => html`<${Mark} group="task" of=${x.status} /> <span class="small">${x.resolution}</span>` }, { title: t('clearing.do'), cell: (x) => row.buttons({ ...d, task: x }, shortId(x.settlementId || x.taskId)) },
      ]} />${row.form}<//>
      ${told && html`<p class=${'notice ' + (compared.differences ? 'warn' : 'good')} role="status"><${Icon} name=${compared.differences ? 'alert' : 'done'} /> ${told}</p>`}
      ${doing.length > 0 && html`<${Doing} title=${t('clearing.can')} first=${doing} data=${d} reload=${found.reload} onAnswer=${(_, answer) => setCompared(answer.reconciliation)} />`}`;
  }}<//>`;
}

function Money({ province, month }) {
  const found = useData(async () => {
    const [{ statement }, remittances] = await Promise.all([get(`/v1/clearing/${province}/statements/${month}`), all(`/v1/clearing/${province}/remittances`, 'remittances')]);
    const treating = (statement.lines || []).filter((l) => l.side === 'BOOK_SIDE_INSURED').map((l) => l.counterparty);
    const prepayments = await Promise.all(treating.map((code) => get(`/v1/clearing/${province}/prepayments/${code}`).then((a) => a.prepayment)));
    return { province, prepayments, remittances };
  }, [province, month], () => false);
  const prepay = useRowCalls('prepayment', found.reload);
  const remit = useRowCalls('remittance', found.reload);
  return html`<${Load} ...${found}>${(d) => html`<${Section} title=${t('clearing.prepayments')}><${Table} caption=${t('clearing.prepayments')} rows=${d.prepayments} rowKey=${(x) => x.treatmentProvince} empty=${t('clearing.noprepay')} columns=${[
      { title: t('clearing.other'), cell: (x) => html`<b>${name(x.treatmentProvince)}</b> ${x.year}` }, { title: t('clearing.level'), cell: (x) => html`<${Mark} group="level" of=${x.level} />` }, money(t('clearing.proposed'), (x) => x.proposed), money(t('clearing.paid'), (x) => x.paid), money(t('clearing.used'), (x) => x.used),
      { title: t('clearing.part'), number: true, cell: (x) => (fen(x.paid) ? percentOf(x.usedBasisPoints) : '–') }, money(t('clearing.topUp'), (x) => x.topUp), { title: t('clearing.do'), cell: (x) => prepay.buttons({ ...d, prepayment: x }, name(x.treatmentProvince)) },
    ]} />${prepay.form}<//>
    <${Section} title=${t('clearing.remittances')}><${Table} caption=${t('clearing.remittances')} rows=${d.remittances} rowKey=${(x) => x.remittanceId} empty=${t('clearing.noremit')} columns=${[
      { title: t('clearing.which'), cell: (x) => x.month }, { title: t('clearing.between'), cell: (x) => `${name(x.payer)} → ${name(x.payee)}` }, money(t('clearing.total'), (x) => x.amount), { title: t('clearing.state'), cell: (x) => html`<${Mark} group="remit" of=${x.status} />` },
      { title: t('clearing.due'), cell: (x) => (x.status === 'REMITTANCE_STATUS_DUE' ? html`<${Deadline} of=${x.dueBy} />` : whenFull(x.receiveTime || x.sendTime)) }, { title: t('clearing.reference'), cell: (x) => html`<code>${x.reference}</code>` }, { title: t('clearing.do'), cell: (x) => remit.buttons({ ...d, remittance: x }, shortId(x.remittanceId)) },
    ]} />${remit.form}<//>`}<//>`;
}

function Disputes({ month }) {
  const found = useData(() => all(`/v1/clearing/${national}/disputes`, 'disputes', { month }), [month], () => false);
  const row = useRowCalls('dispute', found.reload);
  return html`<${Load} ...${found}>${(list) => html`<${Section} title=${t('clearing.disputes')}><${Table} caption=${t('clearing.disputes')} rows=${list} rowKey=${(x) => x.disputeId} empty=${t('clearing.nodispute')} columns=${[
      { title: t('clearing.pair'), cell: (x) => `${name(x.treatmentProvince)} → ${name(x.insuredProvince)}` }, { title: t('clearing.settlement'), cell: (x) => html`<code title=${x.settlementId}>${shortId(x.settlementId)}</code>` }, money(t('clearing.held'), (x) => x.amount), { title: t('clearing.state'), cell: (x) => html`<${Mark} group="dispute" of=${x.status} />` },
      { title: t('clearing.reason'), cell: (x) => html`<ul class="bullets small">${[x.reason, x.answer, x.decision].filter(Boolean).map((text) => html`<li>${text}</li>`)}</ul>` }, { title: t('clearing.due'), cell: (x) => (x.decideTime ? whenFull(x.decideTime) : html`<${Deadline} of=${x.status === 'DISPUTE_STATUS_OPENED' ? x.answerBy : x.decideBy} />`) },
      { title: t('clearing.do'), cell: (x) => row.buttons({ national, dispute: x }, shortId(x.disputeId)) },
    ]} />${row.form}<//>`}<//>`;
}

function Net({ month }) {
  const at = '/v1/clearing/' + national;
  const found = useData(async () => {
    const [answer, tables, agreements] = await Promise.all([get(`${at}/nets/${month}`), all(`${at}/national-tables/${month}`, 'tables'), all(`${at}/agreements`, 'agreements')]);
    return { ...answer, national, net: { month, ...answer.net, etag: answer.etag }, tables, agreements };
  }, [month], () => false);
  return html`<${Load} ...${found}>${(d) => {
    const { net } = d;
    const doing = offered('net', d);
    return html`<${Section} title=${t('clearing.positions')}>${net.computeTime ? html`<p class="quiet">${t('clearing.computed', { time: whenFull(net.computeTime), who: net.computedBy })}</p>` : html`<p>${t('clearing.notnetted', { month: d.lastMonth || t('clearing.never') })}</p>`}
        ${net.computeTime && html`<${Table} caption=${t('clearing.positions')} narrow rows=${net.positions || []} rowKey=${(x) => x.province} columns=${[{ title: t('clearing.province'), cell: (x) => html`${name(x.province)} <span class="quiet">${fen(x.amount) < 0 ? t('clearing.pays') : fen(x.amount) > 0 ? t('clearing.receives') : ''}</span>` }, money(t('clearing.total'), (x) => x.amount)]} />
        <h3>${t('clearing.lines')}</h3><${Table} caption=${t('clearing.lines')} rows=${net.lines || []} rowKey=${(x) => [x.treatmentProvince, x.insuredProvince, x.month, x.disputeId].join()} columns=${[{ title: t('clearing.pair'), cell: (x) => `${name(x.treatmentProvince)} → ${name(x.insuredProvince)}` }, { title: t('clearing.which'), cell: (x) => x.month }, money(t('clearing.cleared'), (x) => x.cleared), money(t('clearing.shared'), (x) => x.shared), money(t('clearing.waived'), (x) => x.waived)]} />`}<//>
      ${hasRole('operations') && html`<${Doing} title=${t('clearing.can')} first=${doing} data=${d} reload=${found.reload} />`}
      <${Section} title=${t('clearing.tables')}><${Table} caption=${t('clearing.tables')} rows=${d.tables} rowKey=${(x) => x.treatmentProvince + x.insuredProvince} empty=${t('clearing.notables')} columns=${[
        { title: t('clearing.pair'), cell: (x) => `${name(x.treatmentProvince)} → ${name(x.insuredProvince)}` }, { title: t('clearing.state'), cell: (x) => html`<${Mark} group="table" of=${x.status} />` }, { title: t('clearing.when'), cell: (x) => whenFull(x.confirmTime || x.declareTime) }, count(t('clearing.items'), (x) => x.total?.items), money(t('clearing.total'), (x) => x.total?.clears)]} /><//>
      <${Section} title=${t('clearing.agreements')}><${Table} caption=${t('clearing.agreements')} rows=${d.agreements} rowKey=${(x) => x.agreementId} empty=${t('clearing.noagree')} columns=${[
        { title: t('clearing.pair'), cell: (x) => `${name(x.treatmentProvince)} → ${name(x.insuredProvince)}` }, { title: t('c.share'), number: true, cell: (x) => percentOf(x.shareBasisPoints) }, { title: t('clearing.span'), cell: (x) => `${x.fromMonth} – ${x.toMonth || '…'}` }, { title: t('clearing.paper'), cell: (x) => x.title }]} /><//>`;
  }}<//>`;
}

const roles = ['agency', 'operations'];
page({ path: '/clearing', title: 'clearing.title', nav: 'clearing.title', roles, order: 70, view: frame('', Month) });
page({ path: '/clearing/differences', title: 'clearing.differences', roles, view: frame('/differences', Differences) });
page({ path: '/clearing/money', title: 'clearing.money', roles, view: frame('/money', Money) });
page({ path: '/clearing/disputes', title: 'clearing.disputes', roles, view: frame('/disputes', Disputes) });
page({ path: '/clearing/net', title: 'clearing.net', roles, view: frame('/net', Net) });
