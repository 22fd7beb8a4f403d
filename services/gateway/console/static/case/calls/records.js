// What is asked of a case's records: the offer, the move, the claim, the filing and the patient's consents.
import { language, t, words } from '../../i18n.js';
import { get, post } from '../../api.js';
import { cities, localInput, shortId, today, when } from '../../format.js';
import { fitness } from '../../clinical.js';
import { hasRole } from '../../session.js';
import { acceptedOf, call, choice, comment, own, prefixed } from '../calls.js';
import { Back, Onward, Plan } from '../plan.js';

const hour = 3600000;

// The offer 邀约.
words({
  'f.admission': ['计划入院时间', 'Planned admission'], 'f.conditions': ['接收条件（每行一条，可不填）', 'Conditions, one a line, if any'], 'f.conditions.help': ['须在入院前满足', 'Due before the admission'],
  'f.decline': ['不接收原因', 'Reason'], 'f.decline.help': ['“存在禁忌”与“其他”须说明', 'Needed for a contraindication and for other'], 'f.condition': ['接收条件', 'Condition'],
});
export const declineCodes = ['NOT_LICENSED', 'AGE', 'BMI', 'HCC_BEYOND_CRITERIA', 'CONTRAINDICATION', 'ACTIVE_INFECTION', 'ABO_INCOMPATIBLE_NOT_OFFERED', 'SENSITISED', 'RETRANSPLANT', 'NO_BED', 'NO_OPERATING_ROOM', 'NO_EXPERT', 'QUOTA_USED', 'INFORMATION_MISSING', 'WRONG_PRIORITY', 'TOO_EARLY', 'UNFIT_TO_TRAVEL', 'NO_DIRECT_SETTLEMENT', 'OTHER'];
call('AcceptOffer', {
  of: 'offer', verb: ':accept',
  fields: [
    { name: 'admissionTime', label: 'f.admission', type: 'datetime', required: true, value: () => localInput(Date.now() + 12 * hour) },
    { name: 'conditions', label: 'f.conditions', help: 'f.conditions.help', type: 'lines', wide: true },
  ],
});
call('DeclineOffer', {
  of: 'offer', verb: ':decline', danger: true,
  fields: [choice('code', 'f.decline', 'decline', declineCodes), comment((v) => ['OTHER', 'CONTRAINDICATION'].includes(v.code), { help: 'f.decline.help' })],
});
call('FulfilCondition', {
  of: 'accepted', verb: ':fulfilCondition',
  fields: [{ name: 'number', label: 'f.condition', type: 'seen', required: true, wide: true, values: (d) => (acceptedOf(d)?.acceptanceConditions || []).filter((c) => c.status !== 'FULFILLED').map((c) => ({ value: c.number, label: `${c.number}. ${c.text} · ${when(c.dueTime)}` })) }],
});

// The move 转运.
words({
  'f.unfit': ['不适合转运：中止并释放预占', 'Unfit: end the move, free what was held'], 'f.abort': ['中止原因', 'Why'], 'abort.UNFIT': ['不适合转运', 'Unfit'], 'abort.CANCELLED': ['取消', 'Cancelled'], 'abort.NO_SHOW': ['患者未到', 'No show'], 'abort.REFUSED_AT_DOOR': ['到院拒收', 'Refused at the door'],
  'f.items': ['交接清单（九项均须完成）', 'Checklist, all nine'], 'f.signSender': ['代填转出方签名（工号）', 'Sign for the sender (staff number)'], 'f.signSender.help': ['仅当转出方无人可签时填写；留空则等待转出方签字', 'Only where nobody there can sign; empty, it waits for their signature'], 'b.sign': ['签署交接（转出方）', 'Sign the hand-over for the sending side'],
  'item.HAND_OVER_ITEM_IDENTITY': ['双方核对身份', 'Identity checked by both'], 'item.HAND_OVER_ITEM_CONSENT': ['知情同意书', 'Consent'], 'item.HAND_OVER_ITEM_SUMMARY': ['病情摘要', 'Summary'], 'item.HAND_OVER_ITEM_RESULTS': ['检验影像及互认标识', 'Results with recognition marks'], 'item.HAND_OVER_ITEM_ABO_TWICE': ['血型两次核对', 'ABO checked twice'],
  'item.HAND_OVER_ITEM_DRUGS': ['管路、用药及末次剂量', 'Lines, drugs, last dose'], 'item.HAND_OVER_ITEM_INFECTION': ['感染防护', 'Infection precautions'], 'item.HAND_OVER_ITEM_VITALS': ['出发与到达生命体征', 'Vitals at both ends'], 'item.HAND_OVER_ITEM_BELONGINGS': ['物品与联系人', 'Belongings, contacts'],
  'f.leg': ['行程段', 'Leg'], 'f.legStep': ['发生了什么', 'What happened'], 'leg.LEG_STEP_DEPARTED': ['已出发', 'Departed'], 'leg.LEG_STEP_ARRIVED': ['已到达', 'Arrived'], 'f.legTime': ['发生时间', 'When'], 'f.legTime.help': ['不填即为现在', 'Now, unless given'], 'b.leg': ['登记行程段进度', 'Record a leg’s progress'],
  'f.lost': ['该段已取消或赶不上', 'It will not go, or not be reached'], 'f.late': ['晚点分钟数', 'Minutes late'], 'b.trouble': ['报告行程段晚点或取消', 'Report a leg late or lost'], 'b.door': ['登记已到院门口', 'Record that the patient is at the door'],
  'f.refusal': ['拒收原因', 'Why'], 'refusal.REFUSAL_CODE_NO_BED': ['无床位', 'No bed'], 'refusal.REFUSAL_CODE_IDENTITY': ['身份不符', 'Identity'], 'refusal.REFUSAL_CODE_CONDITION': ['病情', 'Condition'], 'refusal.REFUSAL_CODE_INFECTION': ['感染', 'Infection'],
  'refusal.REFUSAL_CODE_PAPERS': ['资料不全', 'Papers'], 'refusal.REFUSAL_CODE_OTHER': ['其他', 'Other'], 'b.refuse': ['到院拒收并说明', 'Refuse at the door'], 'b.replan': ['重新规划余下行程', 'Plan the rest of the way anew'], 'b.back': ['安排返回当地的转运', 'Plan the way back'],
  'b.check': ['复核返程条件', 'Check the fitness for the way back'], 'b.depart': ['登记返程出发', 'Record the departure home'], 'b.end': ['取消返程转运', 'End the way back'], 'b.home': ['登记返程到达并交接', 'Record the return and hand-over'],
  'f.toHospital': ['接收医院代码（在线内时填写）', 'Hospital, if it is on the line'], 'f.toCity': ['所在城市', 'Its city'], 'f.nobody': ['勿写患者姓名等身份信息', 'Nothing that identifies the patient'],
});
const told = comment(true, { maxLength: 200, help: 'f.nobody' });
const fit = fitness.map((f) => ({ name: 'fitness.' + f, label: 'fit.' + f, type: 'check' }));
const items = prefixed('HAND_OVER_ITEM_', ['IDENTITY', 'CONSENT', 'SUMMARY', 'RESULTS', 'ABO_TWICE', 'DRUGS', 'INFECTION', 'VITALS', 'BELONGINGS']);
const is = (d, ...statuses) => statuses.includes(d.transfer?.status?.replace('TRANSFER_STATUS_', ''));
// homeward is the way back, seen from the end that has the step.
const homeward = (d, end, ...statuses) => Boolean(d.transfer?.back) && is(d, ...statuses) && own(d.transfer[end]);
const rider = (d) => hasRole('operations') || own(d.transfer?.fromOrganisation) || own(d.transfer?.toOrganisation);
const leg = {
  name: 'leg', label: 'f.leg', type: 'seen', required: true, wide: true, value: (d) => d.live?.currentLeg ?? 0,
  values: (d) => (d.transfer?.itinerary?.legs || []).map((l, i) => ({ value: i, label: `${i + 1}. ${t('mode.' + l.mode)} ${l.serviceNumber} ${l.fromName} → ${l.toName}` })),
};
call('CreateTransfer', { view: Plan, path: '/v1/transfers' });
call('CreateBackTransfer', {
  view: Back, path: '/v1/transfers:back',
  beside: { label: 'b.back', roles: ['center', 'operations'], when: (d) => ['STATE_REHABILITATION', 'STATE_BACK_REFERRED'].includes(d.case.state) && (hasRole('operations') || own(d.case.centerId)) },
});
call('CheckFitness', {
  of: 'transfer', verb: ':checkFitness', fixedNames: ['fitness'], fixed: () => ({ fitness: {} }), // no need at all is known too
  fields: [...fit, { name: 'unfit', label: 'f.unfit', type: 'check', wide: true }],
  beside: { label: 'b.check', roles: ['center'], when: (d) => homeward(d, 'fromOrganisation', 'PLANNED', 'READY') },
});
call('Depart', { of: 'transfer', verb: ':depart', beside: { label: 'b.depart', roles: ['center'], when: (d) => homeward(d, 'fromOrganisation', 'READY') } });
call('AbortTransfer', {
  of: 'transfer', verb: ':abort', danger: true, fields: [choice('code', 'f.abort', 'abort', ['UNFIT', 'CANCELLED', 'NO_SHOW', 'REFUSED_AT_DOOR'])],
  beside: { label: 'b.end', roles: ['center'], when: (d) => homeward(d, 'fromOrganisation', 'PLANNED', 'READY') },
});
call('DivertTransfer', {
  of: 'transfer', verb: ':divert', danger: true,
  fields: [
    { name: 'city', label: 'f.toCity', type: 'select', required: true, values: () => cities().map((c) => ({ value: c.code, label: language === 'zh' ? c.zh : c.en })) },
    { name: 'toOrganisation', label: 'f.toHospital', maxLength: 32 }, told,
  ],
});
// Each side signs as whoever is signed in; signed is what a hand-over that waits has of it.
const signed = (d) => d.transfer?.handOverWaiting || {};
call('SignHandOver', {
  of: 'transfer', verb: ':signHandOver',
  beside: {
    label: 'b.sign', roles: ['coordinator', 'center'],
    when: (d) => is(d, 'IN_TRANSIT') && own(d.transfer.fromOrganisation) && hasRole(d.transfer.back ? 'center' : 'coordinator') && !signed(d).signedBySender,
  },
});
call('HandOver', {
  of: 'transfer', verb: ':handOver', fixedNames: ['handOver'], fixed: () => ({ handOver: {} }), // nothing ticked is refused by item
  fields: [
    { name: 'handOver.items', label: 'f.items', type: 'checks', wide: true, group: 'item', values: items, only: (d) => !signed(d).signedByReceiver },
    { name: 'handOver.signedBySender', label: 'f.signSender', help: 'f.signSender.help', maxLength: 64, only: (d) => !signed(d).signedBySender },
  ],
  beside: { label: 'b.home', roles: ['coordinator'], when: (d) => homeward(d, 'toOrganisation', 'IN_TRANSIT') },
});
call('RecordLeg', {
  of: 'transfer', verb: ':recordLeg',
  fields: [leg, choice('step', 'f.legStep', 'leg', prefixed('LEG_STEP_', ['DEPARTED', 'ARRIVED'])), { name: 'time', label: 'f.legTime', help: 'f.legTime.help', type: 'datetime' }],
  beside: { label: 'b.leg', roles: ['coordinator', 'center', 'operations'], when: (d) => is(d, 'IN_TRANSIT') && rider(d) },
});
call('ReportLegTrouble', {
  of: 'transfer', verb: ':reportLegTrouble',
  fields: [leg, { name: 'lost', label: 'f.lost', type: 'check', wide: true }, { name: 'lateMinutes', label: 'f.late', type: 'number', required: true, when: (v) => !v.lost }],
  beside: { label: 'b.trouble', roles: ['coordinator', 'center', 'operations'], when: (d) => is(d, 'PLANNED', 'READY', 'IN_TRANSIT') && rider(d) },
});
call('ReplanTransfer', {
  view: Onward, path: '/v1/transfers/{transfer_id}:replan',
  beside: { label: 'b.replan', roles: ['coordinator', 'operations'], when: (d) => is(d, 'PLANNED', 'READY', 'IN_TRANSIT') && rider(d) },
});
call('ArriveAtDoor', { of: 'transfer', verb: ':arriveAtDoor', beside: { label: 'b.door', roles: ['coordinator', 'center'], when: (d) => is(d, 'IN_TRANSIT') && !d.live?.doorTime && rider(d) } });
call('RefuseAtDoor', {
  of: 'transfer', verb: ':refuseAtDoor', danger: true,
  fields: [choice('code', 'f.refusal', 'refusal', prefixed('REFUSAL_CODE_', ['NO_BED', 'IDENTITY', 'CONDITION', 'INFECTION', 'PAPERS', 'OTHER'])), told],
  beside: { label: 'b.refuse', roles: ['center'], when: (d) => is(d, 'IN_TRANSIT') && own(d.transfer.toOrganisation) },
});

// The bill 费用 and what it is settled by.
words({
  'f.admitted': ['入院日期', 'Day of admission'], 'f.discharged': ['出院日期', 'Day of discharge'], 'f.recall': ['明细序号（逗号分隔；不填为全部）', 'Line numbers, comma-separated; none: every line'], 'b.recall': ['撤回费用明细', 'Take fee lines back'],
  'b.undischarge': ['撤销出院结转', 'Take the discharge back'], 'b.unadmit': ['撤销费用单（无明细时）', 'Cancel the claim, once no line stands'], 'b.again': ['立即向参保地查询结果', 'Ask the insured province again now'],
  'b.manual': ['转手工报销', 'Fall to a manual claim'], 'b.direct': ['恢复直接结算', 'Return to direct settlement'], 'b.reverse': ['冲正结算', 'Reverse the settlement'],
  'f.diagnosis': ['出院诊断 ICD-10', 'Diagnosis, ICD-10'], 'f.planned': ['计划内的后续治疗', 'A planned follow-up'], 'f.identity': ['身份证号（仅用于核对，不保存原文）', 'Identity number, compared and not kept'], 'b.stay': ['补充住院信息（监管核查用）', 'Record facts of the stay for supervision'],
  'f.expected': ['预计总费用（元，可不填）', 'Expected total in yuan, if known'], 'b.preauthorise': ['申请费用预授权', 'Ask for a preauthorisation'],
  'f.filing': ['备案类型', 'Type of filing'], 'filing.FILING_TYPE_REFERRAL': ['转诊', 'Referral'], 'filing.FILING_TYPE_LONG_TERM': ['长期异地', 'Long term'], 'filing.FILING_TYPE_EMERGENCY': ['急诊', 'Emergency'], 'filing.FILING_TYPE_OTHER': ['其他', 'Other'],
  'b.file': ['办理异地就医备案', 'File at the insured province'], 'b.unfile': ['取消异地就医备案', 'Cancel the filing'],
});
const claim = (d, ...statuses) => statuses.includes(d.claim?.status?.replace('CLAIM_STATUS_', ''));
const mine = (d) => own(d.claim?.centerId);
const insured = (d) => ({ province: d.patient?.coverage?.province, patientId: d.case.patientId, referralId: d.case.referralId, treatmentCity: d.case.centerCity });
call('OpenClaim', {
  to: '/v1/claims', fields: [{ name: 'admissionDate', label: 'f.admitted', type: 'date', required: true, value: () => today() }],
  fixedNames: ['referralId', 'patientId', 'centerId', 'province', 'treatmentCity', 'insuredProvince', 'organ'],
  fixed: (d) => ({
    referralId: d.case.referralId, patientId: d.case.patientId, centerId: d.case.centerId, province: d.case.centerCity?.slice(0, 2) + '0000', treatmentCity: d.case.centerCity,
    insuredProvince: d.patient?.coverage?.province, organ: d.case.organ,
  }),
});
call('DischargeClaim', { of: 'claim', verb: ':discharge', fields: [{ name: 'dischargeDate', label: 'f.discharged', type: 'date', required: true, value: () => today() }] });
call('SettleClaim', { of: 'claim', verb: ':settle' });
call('RecallFeeLines', {
  of: 'claim', verb: '/lines:recall', danger: true, fields: [{ name: 'lineNumbers', label: 'f.recall', type: 'numbers', wide: true }],
  beside: { label: 'b.recall', roles: ['center'], when: (d) => mine(d) && claim(d, 'OPEN') && d.claim.lineCount > 0 },
});
call('RecordStayFacts', {
  of: 'claim', verb: '/stay-facts', put: true,
  fields: [{ name: 'diagnosisCode', label: 'f.diagnosis', maxLength: 10, hint: 'K74.600' }, { name: 'identityNumber', label: 'f.identity', maxLength: 18 }, { name: 'plannedFollowUp', label: 'f.planned', type: 'check' }],
  beside: { label: 'b.stay', roles: ['center'], when: (d) => mine(d) && claim(d, 'OPEN', 'DISCHARGED') },
});
call('CancelDischarge', { of: 'claim', verb: ':cancelDischarge', danger: true, beside: { label: 'b.undischarge', roles: ['center'], when: (d) => mine(d) && claim(d, 'DISCHARGED') } });
call('CancelAdmission', { of: 'claim', verb: ':cancelAdmission', danger: true, beside: { label: 'b.unadmit', roles: ['center'], when: (d) => mine(d) && claim(d, 'OPEN') && !d.claim.lineCount } });
call('AskAgain', { of: 'claim', verb: ':askAgain', etag: false, beside: { label: 'b.again', roles: ['center', 'operations'], when: (d) => claim(d, 'SETTLING', 'REVERSING') && (mine(d) || hasRole('operations')) } });
call('FallToManual', { of: 'claim', verb: ':manual', danger: true, beside: { label: 'b.manual', roles: ['center'], when: (d) => mine(d) && claim(d, 'DISCHARGED', 'SETTLING') } });
call('ResumeDirect', { of: 'claim', verb: ':resumeDirect', beside: { label: 'b.direct', roles: ['center'], when: (d) => mine(d) && claim(d, 'MANUAL') && !d.claim.manualAcceptance } });
call('ReverseSettlement', {
  of: 'claim', verb: ':reverse', danger: true, fields: [{ name: 'reason', label: 'f.why', required: true, maxLength: 200, wide: true }],
  beside: { label: 'b.reverse', roles: ['center'], when: (d) => mine(d) && claim(d, 'SETTLED') },
});
call('CreatePreauthorisation', {
  to: '/v1/preauthorisations', fixedNames: ['province', 'patientId', 'referralId', 'treatmentCity', 'organ'], fixed: (d) => ({ ...insured(d), organ: d.case.organ }),
  fields: [{ name: 'admissionDate', label: 'f.admitted', type: 'date', required: true, value: (d) => (d.case.admissionTime ? localInput(new Date(d.case.admissionTime).getTime()).slice(0, 10) : today()) }, { name: 'expectedTotal', label: 'f.expected', type: 'yuan' }],
  beside: { label: 'b.preauthorise', roles: ['coordinator', 'center'], when: (d) => d.case.centerCity && !d.case.claimId && (own(d.case.referringOrganisation) || own(d.case.centerId)) && ['STATE_ACCEPTED', 'STATE_BOOKED', 'STATE_TRANSFER_PLANNED'].includes(d.case.state) },
});
call('CreateFiling', {
  to: '/v1/filings', fixedNames: ['province', 'patientId', 'referralId', 'treatmentCity'], fixed: insured,
  fields: [choice('type', 'f.filing', 'filing', prefixed('FILING_TYPE_', ['REFERRAL', 'LONG_TERM', 'EMERGENCY', 'OTHER']), { value: 'FILING_TYPE_REFERRAL' })],
  beside: { label: 'b.file', roles: ['coordinator'], when: (d) => d.case.centerCity && !d.case.filingId && own(d.case.referringOrganisation) && d.case.state !== 'STATE_CLOSED' },
});
call('CancelFiling', {
  of: 'filing', verb: ':cancel', danger: true,
  beside: { label: 'b.unfile', roles: ['coordinator'], when: (d) => d.filing?.status === 'FILING_STATUS_ACTIVE' && own(d.case.referringOrganisation) && !d.case.claimId },
});

// The patient's consents 知情同意; without them nobody is told anything.
words({
  'f.purpose': ['同意用途', 'Purpose'], 'f.signed': ['已上传的签字同意书', 'Signed form, uploaded before'], 'b.consent': ['补充知情同意', 'Record a consent'], 'b.unconsent': ['撤回知情同意', 'Withdraw a consent'],
});
const purposes = prefixed('PURPOSE_', ['REFERRAL', 'TRANSFER', 'SETTLEMENT', 'FOLLOW_UP']);
const given = (d) => (d.patient?.consents || []).filter((c) => !c.withdrawTime).map((c) => c.purpose);
const registrar = (d) => own(d.patient?.registeredBy);
const forms = (d) => (d.documents || []).filter((x) => x.kind === 'DOCUMENT_KIND_CONSENT' && x.status === 'DOCUMENT_STATUS_CLEAN');
call('GiveConsent', {
  of: 'patient', verb: '/consents',
  fields: [
    choice('purpose', 'f.purpose', 'purpose', (d) => purposes.filter((p) => !given(d).includes(p)), { value: (d) => (given(d).includes('PURPOSE_SETTLEMENT') ? undefined : 'PURPOSE_SETTLEMENT') }),
    { name: 'documentId', label: 'f.signed', type: 'select', only: (d) => forms(d).length > 0, values: (d) => forms(d).map((x) => ({ value: x.documentId, label: shortId(x.documentId) + ' · ' + when(x.uploadTime) })) },
  ],
  beside: { label: 'b.consent', roles: ['coordinator'], when: (d) => registrar(d) && given(d).length < purposes.length },
});
call('WithdrawConsent', {
  of: 'patient', verb: '/consents:withdraw', danger: true, fields: [choice('purpose', 'f.purpose', 'purpose', given)],
  beside: { label: 'b.unconsent', roles: ['coordinator'], when: (d) => registrar(d) && given(d).length > 0 },
});

// Two records of one person 档案合并. What a merge does that carries a death is said before and after it is sent.
words({
  'b.merge': ['合并同一患者的另一档案', 'Merge another record of this patient'], 'b.unmerge': ['撤销档案合并', 'Undo a merge of records'], 'f.merged': ['并入的档案编号', 'The record to keep under this one'], 'f.merge': ['合并记录', 'Merge'],
  'f.merge.why': ['原因（勿写患者信息）', 'Why; nothing of a patient'], 'f.death': ['已登记死亡的档案编号（仅一份登记死亡时填写）', 'The record whose death is recorded, where that is so of one of the two'],
  'f.death.help': ['填写即确认两份档案确属同一已故患者：另一档案的在办病例将结案，其邀约、床位和转运随之释放；撤销合并只恢复病例，不恢复床位。', 'Written here, it says that both are the dead person’s: the other record’s live cases are closed, their offers, beds and moves given back. Undoing the merge gives back the cases, not the beds.'],
});
const mergeRights = { roles: ['coordinator', 'operations'] };
const joins = (d) => d.patient && (registrar(d) || hasRole('operations'));
// The other record's version is read once for each content of the form, so that another try of the same is the same request.
const versions = new Map();
call('MergePatients', {
  of: 'patient', verb: ':merge', path: '/v1/patients/{patient_id}:merge', danger: true, fixedNames: ['mergedEtag'],
  fields: [
    { name: 'mergedId', label: 'f.merged', required: true, wide: true, hint: 'pat_…' }, { name: 'reason', label: 'f.merge.why', required: true, maxLength: 200, wide: true },
    { name: 'carriesDeathOf', label: 'f.death', help: 'f.death.help', wide: true, hint: 'pat_…' },
  ],
  send: async (d, v, requestId) => {
    if (!versions.has(requestId)) versions.set(requestId, (await get('/v1/patients/' + encodeURIComponent(v.mergedId))).patient.etag);
    return post(`/v1/patients/${d.case.patientId}:merge`, { ...v, requestId, etag: d.patient.etag, mergedEtag: versions.get(requestId) });
  },
  beside: { ...mergeRights, label: 'b.merge', when: joins },
});
call('UnmergePatients', {
  of: 'patient', verb: ':unmerge', etag: false, danger: true,
  fields: [
    { name: 'mergeId', label: 'f.merge', type: 'select', required: true, wide: true, values: (d) => d.merges.map((m) => ({ value: m.mergeId, label: `${shortId(m.mergedId)} · ${when(m.mergeTime)}` })) },
    { name: 'reason', label: 'f.merge.why', required: true, maxLength: 200, wide: true },
  ],
  beside: { ...mergeRights, label: 'b.unmerge', when: (d) => joins(d) && d.merges?.length > 0 },
});
