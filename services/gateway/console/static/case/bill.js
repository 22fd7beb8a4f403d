// The bill of each stay, and one of them as a picture: who pays what of the total, with the same as a table, and how it came to be.
import { Badge, Empty, html, Icon, Load, Section, Table, useData, useState } from '../ui.js';
import { enumWord, has, pick, t, words } from '../i18n.js';
import { get, optional, post } from '../api.js';
import { fen, percent, placeName, shortId, today, when, yuan } from '../format.js';
import { Form } from '../forms.js';
import { hasRole, me } from '../session.js';

words({
  'bill.title': ['费用与结算（一单制）', 'The bill'], 'bill.total': ['总费用', 'Total'], 'bill.self': ['患者现金自付', 'The patient pays in cash'], 'bill.status': ['费用单', 'Claim'], 'bill.lines': ['费用明细 {n} 条', '{n} fee lines'],
  'bill.payer': ['支付方', 'Payer'], 'bill.amount': ['金额', 'Amount'], 'bill.share': ['占比', 'Share'], 'bill.how': ['计算过程', 'How it was computed'], 'bill.none': ['尚未结算。', 'Not settled yet.'],
  'bill.picture': ['各支付方占比：{text}', 'Shares by payer: {text}'], 'bill.between': ['就医地 {treat}，参保地 {insured}；政策版本 {policy}', 'Treated in {treat}, insured in {insured}; policy {policy}'], 'bill.reversed': ['已冲正', 'Reversed'],
  'bill.draft': ['预结算（未生效）', 'Pre-settlement, not in force'], 'bill.quote': ['预结算', 'Pre-settle'], 'bill.add': ['上传费用明细', 'Add fee lines'], 'bill.add.lines': ['明细（每行：编码, 名称, 单价元, 数量）', 'Lines: code, name, unit price in yuan, quantity'], 'bill.add.day': ['发生日期', 'Day'],
  'bill.add.go': ['上传明细', 'Add them'], 'bill.add.bad': ['第 {n} 行无法识别，应为：编码, 名称, 单价, 数量', 'Line {n} cannot be read; it should be: code, name, price, quantity'], 'bill.settled': ['结算于 {time}', 'Settled {time}'], 'bill.rule': ['规则', 'Rule'], 'bill.from': ['输入', 'In'], 'bill.to': ['结果', 'Out'],
  'payer.PAYER_BASIC': ['基本医保统筹基金', 'Basic fund'], 'payer.PAYER_SECOND_LAYER': ['大病保险', 'Second layer'], 'payer.PAYER_CIVIL_SERVANT': ['公务员补助', 'Civil servants'], 'payer.PAYER_ASSISTANCE': ['医疗救助', 'Assistance'],
  'payer.PAYER_COMMERCIAL': ['商业保险', 'Commercial'], 'payer.PAYER_PERSONAL_ACCOUNT': ['个人账户', 'Personal account'], 'payer.PAYER_CASH': ['个人现金', 'The patient, cash'], 'payer.PAYER_CHARITY': ['慈善', 'Charity'], 'payer.PAYER_GRANT': ['企业或政府补助', 'Grant'],
  'claim.CLAIM_STATUS_OPEN': ['在院', 'Open'], 'claim.CLAIM_STATUS_DISCHARGED': ['已出院结转', 'Complete'], 'claim.CLAIM_STATUS_SETTLING': ['结算中', 'Settling'], 'claim.CLAIM_STATUS_SETTLED': ['已结算', 'Settled'], 'claim.CLAIM_STATUS_REVERSING': ['冲正中', 'Reversing'],
  'bill.stays': ['每次住院的费用', 'The bill of each stay'], 'bill.stay': ['住院', 'Stay'], 'bill.center': ['中心', 'Center'], 'bill.since': ['更新', 'Since'], 'bill.paid': ['患者自付', 'The patient paid'], 'bill.sum': ['患者自付合计', 'The patient paid in all'],
  'bill.show': ['查看', 'Show'], 'bill.undone': ['曾冲正', 'was reversed'], 'bill.untold': ['未告知', 'not told'], 'bill.taken': ['参保地经办机构 {who} 已于 {time} 受理手工报销：{total}', '{who} took it as a manual claim on {time}: {total}'],
  'stage.OPENED': ['在院', 'Open'], 'stage.DISCHARGED': ['已出院结转', 'Complete'], 'stage.SETTLED': ['已结算', 'Settled'], 'stage.REVERSED': ['已冲正', 'Reversed'], 'stage.MANUAL': ['转手工报销', 'Manual claim'],
  'stage.MANUAL_ACCEPTED': ['手工报销已受理', 'Manual claim, accepted'], 'stage.UNANSWERED': ['参保地超时未答复', 'Waits for the insured province'], 'stage.REOPENED': ['出院办理已撤销', 'Discharge taken back'],
  'claim.CLAIM_STATUS_MANUAL': ['转手工报销', 'Manual claim'], 'claim.CLAIM_STATUS_CANCELLED': ['已取消', 'Cancelled'],
});

const colours = { PAYER_BASIC: 'p1', PAYER_SECOND_LAYER: 'p2', PAYER_CIVIL_SERVANT: 'p3', PAYER_ASSISTANCE: 'p4', PAYER_COMMERCIAL: 'p5', PAYER_CHARITY: 'p5', PAYER_GRANT: 'p3', PAYER_PERSONAL_ACCOUNT: 'p6', PAYER_CASH: 'p7' };

// Split draws shares of a total: a bar whose parts are told apart by order and label as well, and a table.
export function Split({ split }) {
  const total = fen(split.total);
  const shares = (split.shares || []).filter((s) => fen(s.amount) > 0);
  const gap = 3;
  let x = 0;
  const parts = shares.map((s) => {
    const w = (1000 * fen(s.amount)) / (total || 1);
    const part = { s, x, w };
    x += w;
    return part;
  });
  const said = shares.map((s) => `${enumWord('payer', s.payer)} ${percent(fen(s.amount), total)}`).join(', ');
  return html`<figure class="bill"><svg viewBox="0 0 1000 70" preserveAspectRatio="none" role="img" aria-label=${t('bill.picture', { text: said })}>
      ${parts.map((p, i) => html`<rect x=${p.x + (i ? gap / 2 : 0)} y="0" width=${Math.max(p.w - gap, 1)} height="70" class=${colours[p.s.payer] || 'p6'} />`)}</svg></figure>
    <${Table} narrow caption=${t('bill.title')} rowKey=${(s) => s.payer} rows=${shares} columns=${[
      { title: t('bill.payer'), cell: (s) => html`<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" rx="2" class=${colours[s.payer] || 'p6'} /></svg> ${enumWord('payer', s.payer)}` },
      { title: t('bill.amount'), number: true, cell: (s) => yuan(s.amount) },
      { title: t('bill.share'), number: true, cell: (s) => percent(fen(s.amount), total) },
    ]} />
    <p class="total"><span>${t('bill.total')}</span> <b>${yuan(split.total)}</b></p>
    ${split.steps?.length > 0 && html`<details><summary>${t('bill.how')} (${split.steps.length})</summary><${Table} caption=${t('bill.how')} rowKey=${(s) => s.rule + s.becauseEn} rows=${split.steps} columns=${[
      { title: t('bill.rule'), cell: (s) => html`${pick(s, 'because')} <code class="small quiet">${s.rule}</code>` },
      { title: t('bill.from'), number: true, cell: (s) => yuan(s.input) }, { title: t('bill.to'), number: true, cell: (s) => yuan(s.result) },
    ]} /></details>`}`;
}

// feeLines reads what a center pastes from its own system.
export function feeLines(text, day, first) {
  return text.split('\n').map((l) => l.trim()).filter(Boolean).map((l, i) => {
    const [itemCode, itemName, price, quantity] = l.split(/[,，\t]/).map((x) => x.trim());
    const unit = Math.round(Number(price) * 100);
    const milli = Math.round(Number(quantity) * 1000);
    if (!itemCode || !itemName || !Number.isFinite(unit) || !Number.isFinite(milli)) throw Object.assign(new Error(), { violations: [{ field: 'lines', zh: t('bill.add.bad', { n: i + 1 }), en: t('bill.add.bad', { n: i + 1 }) }], reason: 'FIELD_INVALID' });
    return { lineNumber: first + i, itemCode, itemName, serviceDate: day, price: { fen: String(unit) }, quantityMilli: String(milli), amount: { fen: String(Math.floor((unit * milli) / 1000)) } };
  });
}

// readBill reads a claim and, once it is settled, its statement; what the caller may not see is left out.
export async function readBill(claimId) {
  const claim = (await optional(get('/v1/claims/' + claimId)))?.claim;
  const settled = claim?.settlementId && claim.status !== 'CLAIM_STATUS_SETTLING' ? await optional(get(`/v1/claims/${claimId}/statement`)) : undefined;
  return { claim, statement: settled?.statement };
}

const tones = { SETTLED: ['good', 'done'], MANUAL_ACCEPTED: ['good', 'done'], OPENED: ['info', 'clock'], DISCHARGED: ['info', 'clock'] };

function Stage({ of }) {
  const [tone, icon] = tones[of.stage] || ['warn', 'alert'];
  const known = has('stage.' + of.stage);
  return html`<${Badge} tone=${tone} icon=${icon}>${known ? t('stage.' + of.stage) : of.stage}<//>${of.undone && of.stage !== 'REVERSED' && html` <span class="small">${t('bill.undone')}</span>`}`;
}

const stayOf = (b) => (b.admissionDate ? `${b.admissionDate} – ${b.dischargeDate}` : t('bill.untold'));

// Stays are all bills of the case; one of them is shown below.
function Stays({ of, shown, show }) {
  return html`<h3>${t('bill.stays')}</h3><${Table} caption=${t('bill.stays')} rowKey=${(b) => b.claimId} rows=${of.bills} columns=${[
    { title: t('bill.stay'), cell: (b) => html`${stayOf(b)} <code class="small quiet" title=${b.claimId}>${shortId(b.claimId)}</code>` }, { title: t('bill.center'), cell: (b) => b.centerId || '—' },
    { title: t('bill.status'), cell: (b) => html`<${Stage} of=${b} />` }, { title: t('bill.since'), cell: (b) => when(b.stageTime) },
    { title: t('bill.total'), number: true, cell: (b) => (b.total ? yuan(b.total) : '—') }, { title: t('bill.paid'), number: true, cell: (b) => (b.selfPay ? yuan(b.selfPay) : '—') },
    { title: t('bill.show'), cell: (b) => html`<button type="button" aria-pressed=${b.claimId === shown} aria-label=${t('bill.show') + ' ' + stayOf(b) + ' ' + shortId(b.claimId)} onClick=${() => show(b.claimId)}>${t('bill.show')}</button>` },
  ]} />
    <p class="total"><span>${t('bill.sum')}</span> <b>${of.selfPay ? yuan(of.selfPay) : '—'}</b></p>`;
}

export function Bill({ data, reload }) {
  const [open, setOpen] = useState('');
  const { case: c, claim } = data;
  const bills = c.bills || [];
  if (!c.claimId) return null;
  const shown = bills.some((b) => b.claimId === open) ? open : c.claimId;
  return html`<${Section} title=${t('bill.title')} id="bill" actions=${bills.length < 2 && claim && html`<${Badge} tone=${claim.status === 'CLAIM_STATUS_SETTLED' ? 'good' : 'info'} icon=${claim.status === 'CLAIM_STATUS_SETTLED' ? 'done' : 'clock'}>${enumWord('claim', claim.status)}<//>`}>
    ${bills.length > 1 && html`<${Stays} of=${c} shown=${shown} show=${setOpen} />`}
    ${shown === c.claimId ? html`<${One} key=${shown} bill=${data} reload=${reload} />` : html`<${Other} key=${shown} id=${shown} referralId=${c.referralId} />`}<//>`;
}

// Other is a bill beside the one that comes with the case.
function Other({ id, referralId }) {
  const found = useData(() => readBill(id), [id], (e) => e.referralId === referralId);
  return html`<${Load} ...${found}>${(bill) => html`<${One} bill=${bill} reload=${found.reload} />`}<//>`;
}

function One({ bill, reload }) {
  const [adding, setAdding] = useState(false);
  const [quote, setQuote] = useState(null);
  const { claim, statement } = bill;
  const mine = hasRole('center') && claim?.centerId === me().organisation && claim.status === 'CLAIM_STATUS_OPEN';
  const taken = claim?.manualAcceptance;
  return html`
    ${claim && html`<p class="quiet small">${claim.admissionDate} – ${claim.dischargeDate} · ${t('bill.between', { treat: placeName(claim.province), insured: placeName(claim.insuredProvince), policy: statement?.split?.policyVersion || '—' })} · ${t('bill.lines', { n: claim.lineCount })} · ${t('bill.total')} ${yuan(claim.total)}</p>`}
    ${taken && html`<p class="notice good"><${Icon} name="done" /> ${t('bill.taken', { who: taken.organisation, time: when(taken.acceptTime), total: yuan(taken.total) })}</p>`}
    ${statement ? html`${statement.reversed && html`<p class="notice warn"><${Icon} name="alert" /> ${t('bill.reversed')}</p>`}<${Split} split=${statement.split} /><p class="quiet small">${t('bill.settled', { time: when(statement.settleTime) })}</p>`
      : quote ? html`<h3>${t('bill.draft')}</h3><${Split} split=${quote} />` : html`<${Empty} text=${t('bill.none')} />`}
    ${mine && html`<p class="row"><button type="button" aria-expanded=${adding} onClick=${() => setAdding(!adding)}><${Icon} name="plus" /> ${t('bill.add')}</button>
      ${claim.lineCount > 0 && html`<button type="button" onClick=${async () => setQuote((await post(`/v1/claims/${claim.claimId}:preSettle`, {})).split)}>${t('bill.quote')}</button>`}</p>`}
    ${mine && adding && html`<${Form} submit=${t('bill.add.go')} what=${t('bill.add.go')} fields=${[
      { name: 'day', label: t('bill.add.day'), type: 'date', required: true, value: today(), path: 'service_date' },
      { name: 'lines', label: t('bill.add.lines'), type: 'textarea', rows: 8, required: true, wide: true, hint: 'S-BED, 普通病床日费, 160, 18' },
    ]} onDone=${() => { setAdding(false); setQuote(null); reload(); }} onCancel=${() => setAdding(false)}
      send=${(v, requestId) => post(`/v1/claims/${claim.claimId}/lines`, { requestId, lines: feeLines(v.lines, v.day, claim.lineCount + 1) })} />`}`;
}
