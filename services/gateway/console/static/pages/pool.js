// The resource pool: an owner's beds, operating rooms, expert slots, tests, ambulances and crews by day or week, as of when
// and by whom; one unit; one hold.
import { Badge, Empty, Facts, html, Icon, Load, Section, Table, useData } from '../ui.js';
import { enumWord, t, words } from '../i18n.js';
import { all, get } from '../api.js';
import { clock, localInput, shortId, span, today, when, whenFull } from '../format.js';
import { hasRole, me } from '../session.js';
import { go, page } from '../pages.js';
import { caseLink } from '../cases.js';
import { Doing, useRowCalls } from '../doing.js';
import { offered } from '../case/calls.js';
import { closureText, kinds, windowsText } from '../case/calls/pool.js';
import { Grid, purposeWord } from '../pool/grid.js';

words({
  'pool.title': ['资源池', 'Resource pool'], 'pool.kinds': ['资源类型', 'Kinds'], 'pool.calendar': ['{kind} · {from} 至 {to}', '{kind} · {from} to {to}'], 'pool.week': ['七天', 'Seven days'], 'pool.day': ['一天', 'One day'], 'pool.span': ['显示范围', 'Shown'], 'pool.earlier': ['往前', 'Earlier'], 'pool.later': ['往后', 'Later'], 'pool.now': ['今天', 'Today'], 'pool.date': ['首日', 'From'],
  'pool.none': ['没有此类资源。', 'No unit of this kind.'], 'pool.counts': ['{from} 起的接收余量', 'What is free from {from} on'], 'pool.units': ['资源数', 'Units'], 'pool.freeAll': ['全时段空闲', 'Free all the time'], 'pool.taken': ['有预约', 'Taken at some time'], 'pool.not': ['不可用', 'Not to be had'], 'pool.ownLeft': ['本院自用尚可', 'Own use may still take'], 'pool.countedAt': ['统计于', 'Counted'], 'pool.oldest': ['最早申报', 'Oldest report'],
  'pool.whose': ['查看机构', 'Whose pool'], 'pool.show': ['查看', 'Show'], 'pool.ask': ['请选择要查看的机构。', 'Choose whose pool to see.'], 'pool.do': ['可进行的操作', 'What you can do'], 'pool.readonly': ['您可查看，不可修改。', 'Yours to see, not to change.'],
  'pool.borrowed': ['借入：{who}', 'Borrowed from {who}'], 'pool.quotas': ['预留号源', 'Reserve quotas'], 'pool.period': ['时段', 'Period'], 'pool.reserved': ['预留', 'Reserved'], 'pool.bound': ['转诊已用 / 上限', 'Referred, of most'], 'pool.peak': ['自用峰值', 'Own use at most'], 'pool.actions': ['操作', 'Actions'], 'pool.release': ['提前释放', 'Released before'], 'pool.kept': ['不释放', 'never'], 'pool.unbounded': ['不限', 'no bound'],
  'pool.loans': ['借调', 'Loans'], 'pool.between': ['出借 → 借入', 'From → to'], 'pool.owed': ['应计时长', 'Owed'], 'pool.balance': ['借调往来', 'Who owes whom'], 'pool.other': ['对方机构', 'The other'], 'pool.lentOut': ['借出', 'Lent'], 'pool.lentIn': ['借入', 'Borrowed'], 'pool.due': ['对方应还', 'Owed to us'],
  'loan.LOAN_STATUS_OFFERED': ['待接受', 'Offered'], 'loan.LOAN_STATUS_LENT': ['已借出', 'Lent'], 'loan.LOAN_STATUS_ENDED': ['已结束', 'Ended'],
  'unit.title': ['资源', 'Unit'], 'unit.kind': ['类型', 'Kind'], 'unit.owner': ['所属机构', 'Owner'], 'unit.state': ['状态', 'State'], 'unit.in': ['在用', 'In service'], 'unit.reported': ['申报', 'Reported'], 'unit.windows': ['开放时段（工作日 / 其他日）', 'Hours, working days / others'], 'unit.always': ['全天开放', 'Always'], 'unit.restFor': ['间隔', 'Rest'], 'unit.longestFor': ['单次最长', 'Longest'], 'unit.exceptions': ['例外时段', 'Exceptions'],
  'unit.bookings': ['预占与预约', 'Holds and bookings'], 'unit.for': ['用途', 'For'], 'unit.when': ['时间', 'Time'], 'unit.hold': ['预占号', 'Hold'], 'unit.notbooked': ['没有预约。', 'Nothing is booked.'], 'unit.next': ['接下来七天', 'The next seven days'],
  'hold.title': ['预占', 'Hold'], 'hold.for': ['机构', 'Institution'], 'hold.expires': ['到期', 'Expires'], 'hold.units': ['所占资源', 'What it takes'], 'hold.transfer': ['属于转运任务，随其变动', 'Part of a transfer, and follows it'], 'hold.overrides': ['改派记录', 'Overrides'], 'hold.over': ['{time} 由 {org} {who} 改派：{why}', 'Overridden {time} by {org} {who}: {why}'], 'hold.none': ['当前没有您可进行的操作。', 'There is nothing for you to do.'],
  'holdStatus.HOLD_STATUS_HELD': ['预占中', 'Held'], 'holdStatus.HOLD_STATUS_CONFIRMED': ['已确认', 'Confirmed'], 'holdStatus.HOLD_STATUS_RELEASED': ['已释放', 'Released'], 'holdStatus.HOLD_STATUS_EXPIRED': ['已过期', 'Expired'],
});

const dayMs = 86400000;
const midnight = (day) => Date.parse(day + 'T00:00:00+08:00');
const dayOf = (ms) => localInput(ms).slice(0, 10);
const iso = (ms) => new Date(ms).toISOString();
const short = (ms) => when(iso(ms)).replace(/[, ]*\d\d:\d\d$/, '');
const minutes = (n) => (Number(n) ? span(Number(n) * 60000) : '0');

// columns of seven days, or of eight parts of one.
function columnsFrom(from, week) {
  const step = week ? dayMs : dayMs / 8;
  return Array.from({ length: week ? 7 : 8 }, (_, i) => ({ from: from + i * step, to: from + (i + 1) * step }))
    .map((c) => ({ ...c, title: week ? short(c.from) : `${clock(iso(c.from))}–${c.to % dayMs === (from % dayMs) ? '24:00' : clock(iso(c.to))}` }));
}

const address = (p) => '/pool?' + new URLSearchParams(Object.entries(p).filter(([, v]) => v));

function Whose({ asked, set }) {
  const centers = useData(() => all('/v1/centers', 'centers'), [], () => false);
  return html`<form class="find" onSubmit=${(e) => { e.preventDefault(); set(new FormData(e.target).get('organisation').trim().toUpperCase()); }}>
    <label for="whose">${t('pool.whose')}</label>
    <div class="row"><input id="whose" name="organisation" required maxlength="32" list="organisations" autocomplete="off" value=${asked} placeholder="C-SH-01" /><button>${t('pool.show')}</button></div>
    <datalist id="organisations">${(centers.data || []).map((c) => html`<option value=${c.centerId}>${c.nameZh}</option>`)}</datalist></form>`;
}

function Steps({ p, week, from }) {
  const first = midnight(today());
  const to = (ms) => '#' + address({ ...p, day: ms <= first ? '' : dayOf(ms) });
  const by = week ? 7 * dayMs : dayMs;
  const tab = (value, word) => html`<li><a href=${'#' + address({ ...p, span: value })} aria-current=${(p.span || '') === value ? 'page' : undefined}>${t(word)}</a></li>`;
  return html`<div class="row steps"><nav class="tabs" aria-label=${t('pool.span')}><ul>${tab('', 'pool.week')}${tab('day', 'pool.day')}</ul></nav>
    ${from > first && html`<a class="button" href=${to(Math.max(first, from - by))}>${t('pool.earlier')}</a><a class="button" href=${to(first)}>${t('pool.now')}</a>`}
    <a class="button" href=${to(from + by)}>${t('pool.later')}</a>
    <label class="date">${t('pool.date')} <input type="date" min=${today()} value=${dayOf(from)} onChange=${(e) => e.target.value && go(address({ ...p, day: e.target.value <= today() ? '' : e.target.value }))} /></label></div>`;
}

function Counts({ c, from, reload }) {
  return html`<${Section} title=${t('pool.counts', { from: whenFull(iso(from)) })} actions=${html`<button type="button" class="plain" onClick=${reload}>${t('form.reload')}</button>`}>
    <${Facts} list=${[[t('pool.units'), String(c.units || 0)], [t('pool.freeAll'), html`<b>${c.free || 0}</b>`], [t('pool.taken'), String(c.taken || 0)], [t('pool.not'), String(c.notToBeHad || 0)],
      [t('pool.ownLeft'), c.ownUseLeft === -1 ? '' : String(c.ownUseLeft || 0)], [t('pool.countedAt'), whenFull(c.asOf)],
      [t('pool.oldest'), c.oldestReportTime ? html`${whenFull(c.oldestReportTime)} <code>${c.oldestReportBy}</code>` : t('pool.never')]]} /><//>`;
}

const share = (q) => (q.reservedShareBp ? `${q.reservedShareBp / 100} %` : '');
function Quotas({ list, kind, reload }) {
  const row = useRowCalls('quota', reload);
  const rows = list.filter((q) => q.kind === kind);
  return html`<${Section} title=${t('pool.quotas')}><${Table} caption=${t('pool.quotas')} rows=${rows} rowKey=${(q) => q.quotaId} columns=${[
      { title: t('pool.period'), cell: (q) => `${q.fromDay} – ${q.toDay}` }, { title: t('pool.reserved'), number: true, cell: (q) => [q.reservedNow || 0, share(q) && `(${share(q)})`].join(' ') },
      { title: t('pool.bound'), number: true, cell: (q) => `${q.referred || 0} / ${q.mostReferred || t('pool.unbounded')}` }, { title: t('pool.peak'), number: true, cell: (q) => String(q.ownUsePeak || 0) }, { title: t('pool.release'), number: true, cell: (q) => (q.releaseMinutes > 0 ? minutes(q.releaseMinutes) : t('pool.kept')) },
      { title: t('pool.actions'), cell: (q) => row.buttons({ quota: q }, q.fromDay) },
    ]} />${row.form}<//>`;
}

const loanTones = { LOAN_STATUS_OFFERED: ['warn', 'clock'], LOAN_STATUS_LENT: ['info', 'out'], LOAN_STATUS_ENDED: ['plain', 'done'] };
function Loans({ list, balances, reload }) {
  const row = useRowCalls('loan', reload);
  return html`<${Section} title=${t('pool.loans')}><${Table} caption=${t('pool.loans')} rows=${list} rowKey=${(l) => l.loanId} columns=${[
      { title: t('pool.unit'), cell: (l) => html`${enumWord('unit', l.kind)} <a href=${'#/units/' + l.resourceId}><code>${shortId(l.resourceId)}</code></a>` }, { title: t('pool.between'), cell: (l) => html`<code>${l.lender} → ${l.borrower}</code>` },
      { title: t('pool.period'), cell: (l) => `${when(l.startTime)} – ${when(l.endTime)}` }, { title: t('unit.state'), cell: (l) => html`<${Badge} tone=${loanTones[l.status]?.[0]} icon=${loanTones[l.status]?.[1]}>${enumWord('loan', l.status)}<//>` },
      { title: t('pool.owed'), number: true, cell: (l) => minutes(l.owedMinutes) }, { title: t('pool.actions'), cell: (l) => row.buttons({ loan: l }, shortId(l.loanId)) },
    ]} />${row.form}
    ${balances.length > 0 && html`<h3>${t('pool.balance')}</h3><${Table} caption=${t('pool.balance')} rows=${balances} rowKey=${(b) => b.other + b.kind} columns=${[
      { title: t('pool.other'), cell: (b) => html`<code>${b.other}</code>` }, { title: t('unit.kind'), cell: (b) => enumWord('unit', b.kind) }, { title: t('pool.lentOut'), number: true, cell: (b) => minutes(b.lentMinutes) },
      { title: t('pool.lentIn'), number: true, cell: (b) => minutes(b.borrowedMinutes) }, { title: t('pool.due'), number: true, cell: (b) => (Number(b.owedToUsMinutes) < 0 ? '−' : '') + minutes(Math.abs(b.owedToUsMinutes || 0)) },
    ]} />`}<//>`;
}

async function read(organisation, kind, from, to) {
  const ask = { startTime: iso(from), endTime: iso(to) };
  const mayQuota = hasRole('center', 'operations');
  const [units, counts, loans, balance, quotas] = await Promise.all([
    all('/v1/resources', 'resources', { organisation, kind, ...ask }), get('/v1/capacity', { organisation, kind, startTime: iso(Math.max(from, Date.now())), endTime: ask.endTime }),
    all('/v1/loans', 'loans'), get('/v1/loans:balance', { organisation }), mayQuota ? all('/v1/quotas', 'quotas', { organisation }) : [],
  ]);
  const concerning = loans.filter((l) => l.lender === organisation || l.borrower === organisation);
  const borrowed = concerning.filter((l) => l.borrower === organisation && l.kind === kind && l.status === 'LOAN_STATUS_LENT' && new Date(l.endTime) > Date.now());
  const lent = await Promise.all([...new Set(borrowed.map((l) => l.resourceId))].map((id) => get('/v1/resources/' + id, ask)));
  return { units: units.sort((a, b) => a.label.localeCompare(b.label, 'zh-CN', { numeric: true })), borrowed: lent.map((l) => l.resource), counts, loans: concerning, balances: balance.balances || [], quotas, organisation, kind };
}

function Pool({ params }) {
  const organisation = params.org || (hasRole('operations') ? '' : me().organisation);
  const kind = kinds.includes('RESOURCE_KIND_' + params.kind) ? 'RESOURCE_KIND_' + params.kind : hasRole('coordinator') ? 'RESOURCE_KIND_AMBULANCE' : 'RESOURCE_KIND_BED';
  const week = params.span !== 'day';
  const from = midnight(/^\d{4}-\d\d-\d\d$/.test(params.day || '') && params.day > today() ? params.day : today());
  const to = from + (week ? 7 : 1) * dayMs;
  const p = { org: params.org, kind: params.kind, span: params.span, day: params.day };
  const found = useData(() => (organisation ? read(organisation, kind, from, to) : null), [organisation, kind, from, week]);
  const title = t('pool.calendar', { kind: enumWord('unit', kind), from: short(from), to: short(to - dayMs) });
  const doing = organisation ? offered('pool', { organisation, kind }) : [];
  return html`<div class="title"><h1>${t('pool.title')}${organisation && html` <code class="quiet">${organisation}</code>`}</h1></div>
    ${hasRole('operations') && html`<${Whose} asked=${organisation} set=${(org) => go(address({ ...p, org }))} />`}
    <nav class="tabs" aria-label=${t('pool.kinds')}><ul>${kinds.map((k) => html`<li><a href=${'#' + address({ ...p, kind: k.replace('RESOURCE_KIND_', '') })} aria-current=${k === kind ? 'page' : undefined}>${enumWord('unit', k)}</a></li>`)}</ul></nav>
    ${!organisation ? html`<${Empty} text=${t('pool.ask')} />` : html`<${Load} ...${found}>${(d) => d && html`
      <${Counts} c=${d.counts} from=${Math.max(from, Date.now())} reload=${found.reload} />
      <${Section} title=${title}><${Steps} p=${p} week=${week} from=${from} />
        ${d.units.length + d.borrowed.length === 0 ? html`<${Empty} text=${t('pool.none')} />`
          : html`<${Grid} caption=${title} units=${[...d.units, ...d.borrowed.map((u) => ({ ...u, label: u.label + ' · ' + t('pool.borrowed', { who: u.organisation }) }))]} loans=${d.loans.filter((l) => l.borrower !== organisation)} columns=${columnsFrom(from, week)} />`}<//>
      ${doing.length > 0 && html`<${Doing} title=${t('pool.do')} first=${doing} data=${d} reload=${found.reload} />`}
      ${hasRole('center', 'operations') && html`<${Quotas} list=${d.quotas} kind=${kind} reload=${found.reload} />`}
      <${Loans} list=${d.loans} balances=${d.balances} reload=${found.reload} />`}<//>`}`;
}

const Overrides = ({ list }) => html`<ul class="bullets">${list.map((o) => html`<li>${t('hold.over', { time: whenFull(o.time), org: o.byOrganisation, who: o.bySubject, why: o.reason })}</li>`)}</ul>`;

const bookings = (withUnit) => [
  ...(withUnit ? [{ title: t('pool.unit'), cell: (r) => html`${enumWord('unit', r.kind)} <a href=${'#/units/' + r.resourceId}><code>${shortId(r.resourceId)}</code></a>` }, { title: t('unit.owner'), cell: (r) => html`<code>${r.organisation}</code>` }] : []),
  { title: t('unit.when'), cell: (r) => `${whenFull(r.startTime)} – ${whenFull(r.endTime)}` }, { title: t('unit.for'), cell: (r) => purposeWord(r.purpose) },
  { title: t('unit.state'), cell: (r) => html`<${Badge} tone=${r.confirmed ? 'good' : 'warn'} icon=${r.confirmed ? 'bed' : 'clock'}>${r.confirmed ? t('pool.confirmed') : t('pool.held', { time: when(r.expireTime) })}<//>${r.overrides?.length > 0 && html`<${Overrides} list=${r.overrides} />`}` },
];

function Unit({ params }) {
  const from = midnight(today());
  const found = useData(async () => {
    const [{ resource: unit }, loans] = await Promise.all([get('/v1/resources/' + params.id, { startTime: iso(from), endTime: iso(from + 7 * dayMs) }), all('/v1/loans', 'loans')]);
    return { unit, loans: loans.filter((l) => l.resourceId === unit.resourceId) };
  }, [params.id, from]);
  return html`<p class="crumb"><a href="#/pool">${t('pool.title')}</a></p><${Load} ...${found}>${(d) => {
    const { unit } = d;
    const c = unit.calendar || {};
    const hours = (list) => windowsText(list) || '–';
    return html`<div class="title"><h1>${enumWord('unit', unit.kind)} ${unit.label}</h1></div>
      <${Section} title=${t('unit.title')}><${Facts} list=${[[t('unit.owner'), html`<code>${unit.organisation}</code>`], [t('unit.state'), unit.outOfService ? html`<${Badge} tone="bad" icon="cross">${t('pool.out')}<//>` : html`<${Badge} tone="good" icon="done">${t('unit.in')}<//>`],
        [t('unit.reported'), unit.reportedTime ? html`${whenFull(unit.reportedTime)} <code>${unit.reportedBy}</code>` : t('pool.never')], [t('unit.windows'), c.workingDays || c.daysOff ? `${hours(c.workingDays)} / ${hours(c.daysOff)}` : t('unit.always')],
        [t('unit.restFor'), c.restMinutes > 0 && minutes(c.restMinutes)], [t('unit.longestFor'), c.longestMinutes > 0 && minutes(c.longestMinutes)]]} />
        ${c.closures?.length > 0 && html`<h3>${t('unit.exceptions')}</h3><ul class="bullets">${c.closures.map((x) => html`<li>${closureText(x)}</li>`)}</ul>`}<//>
      <${Section} title=${t('unit.next')}><${Grid} caption=${t('unit.next')} units=${[unit]} loans=${d.loans} columns=${columnsFrom(from, true)} /><//>
      <${Section} title=${t('unit.bookings')}><${Table} caption=${t('unit.bookings')} rows=${unit.reservations || []} rowKey=${(r) => r.holdId + r.startTime} empty=${t('unit.notbooked')}
        columns=${[...bookings(false), { title: t('unit.hold'), cell: (r) => html`<a href=${'#/holds/' + r.holdId}><code>${shortId(r.holdId)}</code></a>` }]} /><//>
      <${Doing} title=${t('pool.do')} first=${offered('unit', d)} data=${d} reload=${found.reload} empty=${t('pool.readonly')} />`;
  }}<//>`;
}

const holdTones = { HOLD_STATUS_HELD: ['warn', 'clock'], HOLD_STATUS_CONFIRMED: ['good', 'bed'], HOLD_STATUS_RELEASED: ['plain', 'cross'], HOLD_STATUS_EXPIRED: ['bad', 'alert'] };
function Hold({ params }) {
  const found = useData(() => get('/v1/holds/' + params.id), [params.id]);
  return html`<p class="crumb"><a href="#/pool">${t('pool.title')}</a></p><div class="title"><h1>${t('hold.title')} <code>${shortId(params.id)}</code></h1></div><${Load} ...${found}>${(d) => {
    const { hold } = d;
    return html`<${Section} title=${t('hold.title')}><${Facts} list=${[[t('unit.state'), html`<${Badge} tone=${holdTones[hold.status]?.[0]} icon=${holdTones[hold.status]?.[1]}>${enumWord('holdStatus', hold.status)}<//>`],
        [t('unit.for'), purposeWord(hold.purpose)], [t('hold.for'), html`<code>${hold.organisation}</code>`], [t('case.case'), hold.referralId && caseLink(hold.referralId)], [t('hold.expires'), hold.status === 'HOLD_STATUS_HELD' && whenFull(hold.expireTime)]]} />
        ${hold.transferId && html`<p class="notice"><${Icon} name="road" /> ${t('hold.transfer')}</p>`}<//>
      <${Section} title=${t('hold.units')}><${Table} caption=${t('hold.units')} rows=${hold.reservations || []} rowKey=${(r) => r.resourceId + r.startTime} columns=${bookings(true)} /><//>
      <${Doing} title=${t('pool.do')} first=${offered('hold', d)} data=${d} reload=${found.reload} empty=${t('hold.none')} />`;
  }}<//>`;
}

const roles = ['coordinator', 'center', 'operations'];
page({ path: '/pool', title: 'pool.title', nav: 'pool.title', roles, order: 35, view: Pool });
page({ path: '/units/:id', title: 'unit.title', roles, view: Unit });
page({ path: '/holds/:id', title: 'hold.title', roles, view: Hold });
