// What is asked of clearing between provinces: windows, tables, tasks, prepayments, remittances, disputes, nets and agreements.
import { language, words } from '../../i18n.js';
import { provinces, today } from '../../format.js';
import { hasRole, me } from '../../session.js';
import { call, choice, prefixed, record } from '../calls.js';

words({
  'c.settlement': ['结算号', 'Settlement'], 'c.amount': ['金额（元）', 'Amount, yuan'], 'c.why': ['理由（勿写患者信息）', 'Why; nothing of a patient'], 'c.outcome': ['处理结果', 'What became of it'], 'c.topUp': ['紧急增拨', 'An emergency top-up'], 'c.reference': ['银行流水号', 'The bank’s reference'], 'c.answer': ['答复', 'Answer'],
  'c.upheld': ['争议成立：参保地不付此款', 'Upheld: the insured province need not pay it'], 'c.decision': ['裁定理由', 'The reasons'], 'c.treatment': ['就医地', 'Treatment province'], 'c.insured': ['参保地', 'Insured province'], 'c.share': ['就医地分担比例（%）', 'Treatment province’s part, %'], 'c.from': ['首月', 'First month'], 'c.to': ['末月（不填即不定期）', 'Last month; none: open'], 'c.title': ['协议文号', 'The paper signed'],
  'c.side': ['本省身份', 'Our side'], 'c.other': ['对方省份', 'The other province'], 'c.day': ['业务日', 'Business day'], 'c.items': ['总额一致也逐笔核对', 'Compare items even where totals agree'],
  'side.BOOK_SIDE_INSURED': ['参保地', 'Insured'], 'side.BOOK_SIDE_TREATMENT': ['就医地', 'Treatment'],
  'b.declare': ['关账并申报本月', 'Close the month and declare it'], 'b.confirmTable': ['确认', 'Confirm'], 'b.dispute': ['提出争议', 'Dispute an amount'], 'b.resolve': ['处理', 'Resolve'], 'b.prepay': ['登记预付', 'Record a payment'], 'b.pay': ['登记拨出', 'Record as sent'], 'b.receive': ['登记到账', 'Record as arrived'], 'b.net': ['轧差', 'Net the month'],
  'b.agree': ['登记分担协议', 'Record an agreement'], 'b.answer': ['答复', 'Answer'], 'b.decide': ['裁定', 'Decide'], 'b.withdraw': ['撤回争议', 'Withdraw it'], 'b.reconcile': ['与一省对账', 'Compare a day with a province'],
});

export const national = '100000';
const ours = (province) => me()?.province === province;
const province = (name, label, more) => ({ name, label, type: 'select', required: true, values: () => provinces().map((p) => ({ value: p.code, label: language === 'zh' ? p.zh : p.en })), ...more });
const text = (name, label, maxLength, more) => ({ name, label, required: true, maxLength, wide: maxLength > 100, type: maxLength > 200 ? 'textarea' : undefined, ...more });
const reference = text('reference', 'c.reference', 100);

const p = '{province}';
record('books', (d) => ['/v1/clearing/' + d.province], { province: p });
record('national', (d) => ['/v1/clearing/' + d.national], { national: p });
record('window', (d) => [`/v1/clearing/${d.province}/windows/${d.window.month}`, d.window.etag], { window: { month: '{month}' } });
record('table', (d) => [`/v1/clearing/${d.province}/tables/${d.table.month}/${d.table.treatmentProvince}`, d.table.etag], { table: { month: '{month}', treatmentProvince: '{treatment_province}' } });
record('task', (d) => [`/v1/clearing/${d.province}/tasks/${d.task.taskId}`, d.task.etag], { task: { taskId: '{task_id}' } });
record('prepayment', (d) => [`/v1/clearing/${d.province}/prepayments/${d.prepayment.treatmentProvince}`], { prepayment: { treatmentProvince: '{treatment_province}' } });
record('remittance', (d) => [`/v1/clearing/${d.province}/remittances/${d.remittance.remittanceId}`, d.remittance.etag], { remittance: { remittanceId: '{remittance_id}' } });
record('dispute', (d) => [`/v1/clearing/${d.national}/disputes/${d.dispute.disputeId}`, d.dispute.etag], { dispute: { disputeId: '{dispute_id}' } });
record('net', (d) => [`/v1/clearing/${d.national}/nets/${d.net.month}`, d.net.etag], { net: { month: '{month}' } });

// A month is declared once it is over, by its own agency or by operations.
call('DeclareClearingWindow', {
  of: 'window', verb: ':declare', danger: true,
  offer: { at: 'window', label: 'b.declare', roles: ['agency', 'operations'], when: (d) => !d.window.declared && new Date(d.window.dates.endTime) < Date.now() && (ours(d.province) || hasRole('operations')) },
});
const got = (d) => d.table.status === 'CLEARING_TABLE_STATUS_DECLARED' && ours(d.table.insuredProvince);
call('ConfirmClearingTable', { of: 'table', verb: ':confirm', offer: { at: 'table', label: 'b.confirmTable', roles: ['agency'], when: got } });
call('OpenDispute', {
  of: 'national', verb: '/disputes', etag: false, fields: [text('settlementId', 'c.settlement', 64), { name: 'amount', label: 'c.amount', type: 'yuan', required: true }, text('reason', 'c.why', 1000)],
  fixedNames: ['month', 'treatmentProvince'], fixed: (d) => ({ month: d.table.month, treatmentProvince: d.table.treatmentProvince }), offer: { at: 'table', label: 'b.dispute', roles: ['agency'], when: got },
});
call('ReconcileDay', {
  of: 'books', verb: '/reconciliations', etag: false,
  fields: [choice('side', 'c.side', 'side', prefixed('BOOK_SIDE_', ['TREATMENT', 'INSURED'])), province('counterparty', 'c.other'), { name: 'day', label: 'c.day', type: 'date', required: true, value: () => today(Date.now() - 86400000) }, { name: 'items', label: 'c.items', type: 'check', wide: true }],
  offer: { at: 'books', label: 'b.reconcile', roles: ['agency'], when: (d) => ours(d.province) },
});
call('ResolveClearingTask', { of: 'task', verb: ':resolve', fields: [text('resolution', 'c.outcome', 500)], offer: { at: 'task', label: 'b.resolve', roles: ['agency'], when: (d) => d.task.status === 'CLEARING_TASK_STATUS_OPEN' && ours(d.task.province) } });
call('PayPrepayment', {
  of: 'prepayment', verb: ':pay', etag: false, fields: [{ name: 'amount', label: 'c.amount', type: 'yuan', required: true }, reference, { name: 'topUp', label: 'c.topUp', type: 'check' }],
  offer: { at: 'prepayment', label: 'b.prepay', roles: ['agency'], when: (d) => ours(d.province) },
});
call('PayRemittance', { of: 'remittance', verb: ':pay', fields: [reference], offer: { at: 'remittance', label: 'b.pay', roles: ['agency'], when: (d) => d.remittance.status === 'REMITTANCE_STATUS_DUE' && ours(d.remittance.payer) } });
call('ReceiveRemittance', { of: 'remittance', verb: ':receive', offer: { at: 'remittance', label: 'b.receive', roles: ['agency'], when: (d) => d.remittance.status === 'REMITTANCE_STATUS_SENT' && ours(d.remittance.payee) } });

const undecided = (d) => ['DISPUTE_STATUS_OPENED', 'DISPUTE_STATUS_ANSWERED'].includes(d.dispute.status);
call('AnswerDispute', { of: 'dispute', verb: ':answer', fields: [text('answer', 'c.answer', 1000)], offer: { at: 'dispute', label: 'b.answer', roles: ['agency'], when: (d) => d.dispute.status === 'DISPUTE_STATUS_OPENED' && ours(d.dispute.treatmentProvince) } });
call('DecideDispute', {
  of: 'dispute', verb: ':decide', danger: true, fields: [{ name: 'upheld', label: 'c.upheld', type: 'check', wide: true }, text('decision', 'c.decision', 1000)],
  offer: { at: 'dispute', label: 'b.decide', roles: ['operations'], when: (d) => undecided(d) && (d.dispute.status === 'DISPUTE_STATUS_ANSWERED' || new Date(d.dispute.answerBy) < Date.now()) },
});
call('WithdrawDispute', { of: 'dispute', verb: ':withdraw', offer: { at: 'dispute', label: 'b.withdraw', roles: ['agency'], when: (d) => undecided(d) && ours(d.dispute.insuredProvince) } });
call('ComputeNet', { of: 'net', verb: ':compute', danger: true, offer: { at: 'net', label: 'b.net', roles: ['operations'], when: (d) => !d.net.computeTime } });
call('PutAgreement', {
  of: 'national', verb: '/agreements', etag: false,
  fields: [province('treatmentProvince', 'c.treatment'), province('insuredProvince', 'c.insured'), { name: 'shareBasisPoints', label: 'c.share', type: 'percent', required: true },
    { name: 'fromMonth', label: 'c.from', required: true, hint: '2026-11' }, { name: 'toMonth', label: 'c.to', hint: '2027-10' }, text('title', 'c.title', 200)],
  offer: { at: 'net', label: 'b.agree', roles: ['operations'] },
});
