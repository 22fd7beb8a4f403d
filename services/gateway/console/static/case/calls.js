// The form of each call that a case can offer. The line checks everything; what is said here only spares a round trip.
import { enumWord, t, words } from '../i18n.js';
import { get, post, put } from '../api.js';
import { clean, options } from '../forms.js';
import { fromInput, localInput, today } from '../format.js';
import { fitness, fitnessFields, clinicalFields, clinicalOf } from '../clinical.js';
import { me } from '../session.js';
import { Choose } from './choose.js';
import { Plan } from './plan.js';

words({
  'f.comment': ['说明', 'Comment'], 'f.decision': ['决定', 'Decision'], 'decision.PASS': ['通过，进入匹配', 'Pass: rank the centers'], 'decision.RETURN': ['退回补充资料', 'Return for information'], 'decision.NOT_INDICATED': ['无移植指征', 'Not indicated'],
  'f.admission': ['计划入院时间', 'Planned admission'], 'f.conditions': ['接收条件（每行一条，可不填）', 'Conditions, one a line, if any'], 'f.decline': ['不接收原因', 'Reason'],
  'f.suitable': ['评估结论', 'Evaluation'], 'f.suitable.yes': ['适合移植，予以登记', 'Suitable: list the patient'], 'f.suitable.no': ['不适合移植', 'Unsuitable'],
  'f.surgeryTime': ['手术时间', 'Time of the surgery'], 'f.source': ['依据（二选一）', 'Reference (one of the two)'], 'f.cotrs': ['COTRS 分配编号', 'COTRS allocation reference'], 'f.ethics': ['伦理审查批准号', 'Ethics approval number'],
  'f.procedure': ['手术编码 ICD-9-CM-3', 'Procedure, ICD-9-CM-3'], 'f.plan': ['康复计划文书号', 'Number of the rehabilitation plan'], 'f.local': ['当地医院（默认转出医院）', 'Local hospital (the referrer unless another)'],
  'f.visit': ['随访次序', 'Visit'], 'f.visitTime': ['随访时间', 'When it took place'], 'f.outcome': ['随访结果', 'Outcome'], 'outcome.STABLE': ['稳定', 'Stable'], 'outcome.ADJUSTED': ['已调整治疗', 'Treatment adjusted'],
  'outcome.REJECTION': ['排异', 'Rejection'], 'outcome.INFECTION': ['感染', 'Infection'], 'outcome.OTHER': ['其他', 'Other'],
  'f.why': ['原因', 'Reason'], 'f.suspend.help': ['例如：等待患者决定', 'Such as: waiting for the patient'], 'f.resume': ['恢复计时', 'Let the clock run again'],
  'f.step': ['病程变化', 'Turn'], 'step.COURSE_STEP_NO_SHOW': ['患者未到', 'The patient did not come'], 'step.COURSE_STEP_SUSPEND_LISTING': ['暂停登记', 'Suspend the listing'], 'step.COURSE_STEP_DELIST': ['撤出登记', 'End the listing'],
  'step.COURSE_STEP_SURGERY_ABORTED': ['手术取消', 'Surgery called off'], 'step.COURSE_STEP_COMPLICATION': ['并发症', 'Complication'], 'step.COURSE_STEP_LOCAL_DECLINED': ['当地医院无法接回', 'The local hospital declines'],
  'f.unfit': ['不适合转运：中止并释放预占', 'Unfit: end the move, free what was held'], 'f.abort': ['中止原因', 'Why'], 'abort.UNFIT': ['不适合转运', 'Unfit'], 'abort.CANCELLED': ['取消', 'Cancelled'], 'abort.NO_SHOW': ['患者未到', 'No show'], 'abort.REFUSED_AT_DOOR': ['到院拒收', 'Refused at the door'],
  'f.items': ['交接清单（九项均须完成）', 'Checklist, all nine'], 'f.signSender': ['转出方签名（工号）', 'Signed for the sender (staff number)'], 'f.signReceiver': ['接收方签名（工号）', 'Signed for the receiver (staff number)'],
  'item.IDENTITY': ['双方核对身份', 'Identity checked by both'], 'item.CONSENT': ['知情同意书', 'Consent'], 'item.SUMMARY': ['病情摘要', 'Summary'], 'item.RESULTS': ['检验影像及互认标识', 'Results with recognition marks'], 'item.ABO_TWICE': ['血型两次核对', 'ABO checked twice'],
  'item.DRUGS': ['管路、用药及末次剂量', 'Lines, drugs, last dose'], 'item.INFECTION': ['感染防护', 'Infection precautions'], 'item.VITALS': ['出发与到达生命体征', 'Vitals at both ends'], 'item.BELONGINGS': ['物品与联系人', 'Belongings, contacts'],
  'f.discharged': ['出院日期', 'Day of discharge'], 'f.admitted': ['入院日期', 'Day of admission'], 'f.kind': ['会诊方式', 'Kind'], 'kind.CONSULTATION_KIND_MDT': ['多学科会诊', 'MDT'], 'kind.CONSULTATION_KIND_REMOTE': ['远程会诊', 'Remote'], 'kind.CONSULTATION_KIND_SECOND_OPINION': ['第二意见', 'Second opinion'],
  'f.agenda': ['会诊议题', 'What the panel is asked'], 'f.panel': ['专家（每行：机构 工号 学科）', 'Panel, one a line: organisation, staff number, discipline'], 'f.opinion': ['意见', 'Opinion'],
  'opinion.OPINION_INDICATED': ['有指征', 'Indicated'], 'opinion.OPINION_NOT_INDICATED': ['无指征', 'Not indicated'], 'opinion.OPINION_TOO_EARLY': ['时机过早', 'Too early'], 'opinion.OPINION_ABSTAINED': ['弃权', 'No opinion'],
  'f.site': ['执业地点', 'Site'], 'f.drugs': ['药品编码（逗号分隔）', 'Drug codes, comma-separated'], 'f.days': ['天数', 'Days'], 'f.nothing': ['确认后立即生效。', 'Takes effect at once.'],
  'f.conditions.help': ['须在入院前满足', 'Due before the admission'],
});

const hour = 3600000;
const calls = {};

// call adds the form of one; a call with a view draws itself.
export const call = (name, spec) => { calls[name] = spec; };
export const specOf = (name) => calls[name];

const on = (verb) => (d, values, requestId) => post(`/v1/referrals/${d.case.referralId}:${verb}`, clean({ ...values, requestId, etag: d.case.etag }));
const comment = (required, more) => ({ name: 'comment', label: t('f.comment'), type: 'textarea', wide: true, maxLength: 1000, required, ...more });
const confirm = { fields: () => [], intro: () => t('f.nothing') };
const lines = (text) => (text || '').split('\n').map((l) => l.trim()).filter(Boolean);

call('SubmitReferral', { ...confirm, send: on('submit') });
call('BookAdmission', { ...confirm, send: on('book') });
call('AcceptBackReferral', { ...confirm, send: on('acceptBack') });
call('ScreenReferral', {
  fields: () => [
    { name: 'decision', label: t('f.decision'), type: 'radios', required: true, wide: true, options: ['PASS', 'RETURN', 'NOT_INDICATED'].map((v) => ({ value: 'SCREENING_DECISION_' + v, label: t('decision.' + v) })) },
    comment(false, { when: (v) => v.decision }),
  ],
  send: on('screen'),
});
call('RecordClinical', {
  fields: (d) => clinicalFields(d.case.organ),
  send: async (d, v, requestId) => {
    const path = `/v1/patients/${d.case.patientId}/clinical/${d.case.organ}`;
    // The record is replaced as a whole: what the form does not show is kept as it was.
    const now = await get(path).catch((err) => (err.status === 404 ? {} : Promise.reject(err)));
    return put(path, { requestId, etag: now.record?.etag || '', clinical: { ...now.record?.clinical, ...clinicalOf(v, d.case.organ) } });
  },
});
call('ChooseCenters', { view: Choose });

const at = (d) => d.offers.find((o) => o.status === 'OFFER_STATUS_OPEN' && o.centerId === me().organisation) || d.offers.find((o) => o.status === 'OFFER_STATUS_OPEN');
export const declineCodes = ['NOT_LICENSED', 'AGE', 'BMI', 'HCC_BEYOND_CRITERIA', 'CONTRAINDICATION', 'ACTIVE_INFECTION', 'ABO_INCOMPATIBLE_NOT_OFFERED', 'SENSITISED', 'RETRANSPLANT', 'NO_BED', 'NO_OPERATING_ROOM', 'NO_EXPERT', 'QUOTA_USED', 'INFORMATION_MISSING', 'WRONG_PRIORITY', 'TOO_EARLY', 'UNFIT_TO_TRAVEL', 'NO_DIRECT_SETTLEMENT', 'OTHER'];
call('AcceptOffer', {
  fields: () => [
    { name: 'admission', label: t('f.admission'), type: 'datetime', required: true, value: localInput(Date.now() + 12 * hour), path: 'admission_time' },
    { name: 'conditions', label: t('f.conditions'), help: t('f.conditions.help'), type: 'textarea', wide: true, maxLength: 2000 },
  ],
  send: (d, v, requestId) => post(`/v1/offers/${at(d)?.offerId}:accept`, clean({ requestId, etag: at(d)?.etag, admissionTime: fromInput(v.admission), conditions: lines(v.conditions) })),
});
call('DeclineOffer', {
  danger: true,
  fields: () => [{ name: 'code', label: t('f.decline'), type: 'select', required: true, options: declineCodes.map((c) => ({ value: c, label: enumWord('decline', c) })) }, comment(false)],
  send: (d, v, requestId) => post(`/v1/offers/${at(d)?.offerId}:decline`, clean({ ...v, requestId, etag: at(d)?.etag })),
});

// The move.
const move = (d, verb, body) => post(`/v1/transfers/${d.case.transferId}:${verb}`, { ...body, etag: d.transfer?.etag });
call('CreateTransfer', { view: Plan });
call('CheckFitness', {
  fields: () => [...fitnessFields(''), { name: 'unfit', label: t('f.unfit'), type: 'check', wide: true }],
  send: (d, v, requestId) => move(d, 'checkFitness', { requestId, unfit: v.unfit, fitness: Object.fromEntries(fitness.filter((f) => v[f]).map((f) => [f, true])) }),
});
call('Depart', { ...confirm, send: (d, v, requestId) => move(d, 'depart', { requestId }) });
call('AbortTransfer', {
  danger: true, fields: () => [{ name: 'code', label: t('f.abort'), type: 'select', required: true, options: options(['UNFIT', 'CANCELLED', 'NO_SHOW', 'REFUSED_AT_DOOR'], (v) => t('abort.' + v)) }],
  send: (d, v, requestId) => move(d, 'abort', { ...v, requestId }),
});
const items = ['IDENTITY', 'CONSENT', 'SUMMARY', 'RESULTS', 'ABO_TWICE', 'DRUGS', 'INFECTION', 'VITALS', 'BELONGINGS'];
call('HandOver', {
  fields: () => [
    { name: 'items', label: t('f.items'), type: 'checks', wide: true, path: 'hand_over.items', options: items.map((i) => ({ value: 'HAND_OVER_ITEM_' + i, label: t('item.' + i) })) },
    { name: 'signedBySender', label: t('f.signSender'), required: true, maxLength: 64, path: 'hand_over.signed_by_sender' },
    { name: 'signedByReceiver', label: t('f.signReceiver'), required: true, maxLength: 64, value: me().subject, path: 'hand_over.signed_by_receiver' },
  ],
  send: (d, v, requestId) => move(d, 'handOver', { requestId, handOver: { ...v, signTime: new Date().toISOString() } }),
});

// At the center.
call('RecordEvaluation', {
  fields: () => [
    { name: 'verdict', label: t('f.suitable'), type: 'radios', required: true, wide: true, path: 'suitable', options: [{ value: 'yes', label: t('f.suitable.yes') }, { value: 'no', label: t('f.suitable.no') }] },
    comment(false),
  ],
  send: (d, v, requestId) => on('evaluate')(d, { suitable: v.verdict === 'yes', comment: v.comment }, requestId),
});
call('RecordSurgery', {
  fields: () => [
    { name: 'time', label: t('f.surgeryTime'), type: 'datetime', required: true, value: localInput(Date.now() - 60000), path: 'surgery_time' },
    { name: 'procedureCode', label: t('f.procedure'), required: true, hint: '50.5900', maxLength: 10 },
    { name: 'source', label: t('f.source'), type: 'radios', required: true, wide: true, options: [{ value: 'cotrs', label: t('f.cotrs') }, { value: 'ethics', label: t('f.ethics') }] },
    { name: 'cotrsReference', label: t('f.cotrs'), maxLength: 40, when: (v) => v.source === 'cotrs', required: true },
    { name: 'ethicsApproval', label: t('f.ethics'), maxLength: 40, when: (v) => v.source === 'ethics', required: true },
  ],
  send: (d, v, requestId) => on('recordSurgery')(d, {
    surgeryTime: fromInput(v.time), procedureCode: v.procedureCode, cotrsReference: v.source === 'cotrs' ? v.cotrsReference : '', ethicsApproval: v.source === 'ethics' ? v.ethicsApproval : '',
  }, requestId),
});
call('RecordDischarge', { fields: () => [{ name: 'rehabilitationPlan', label: t('f.plan'), required: true, maxLength: 64 }], send: on('discharge') });
call('BackRefer', { fields: () => [{ name: 'localHospital', label: t('f.local'), maxLength: 32, hint: 'H-HF-01' }], send: on('backRefer') });
call('RecordFollowUp', {
  fields: (d) => {
    const open = (d.followUps?.visits || []).filter((v) => !v.visitTime);
    return [
      { name: 'number', label: t('f.visit'), type: 'select', required: true, value: open[0]?.number, options: open.map((v) => ({ value: v.number, label: `${v.number} · ${v.dueDate}` })) },
      { name: 'time', label: t('f.visitTime'), type: 'datetime', required: true, value: localInput(Date.now() - 60000), path: 'visit_time' },
      { name: 'outcome', label: t('f.outcome'), type: 'select', required: true, options: options(['STABLE', 'ADJUSTED', 'REJECTION', 'INFECTION', 'OTHER'], (v) => t('outcome.' + v)) },
    ];
  },
  send: (d, v, requestId) => on('recordFollowUp')(d, { number: Number(v.number), visitTime: fromInput(v.time), outcome: v.outcome }, requestId),
});
call('Readmit', { fields: () => [comment(true)], send: on('readmit') });
call('RecordPrescription', {
  fields: () => [
    { name: 'site', label: t('f.site'), required: true, value: me().organisation, maxLength: 31 }, { name: 'drugs', label: t('f.drugs'), required: true, path: 'drug_codes' },
    { name: 'days', label: t('f.days'), type: 'number', required: true },
  ],
  send: (d, v, requestId) => on('prescribe')(d, { site: v.site, drugCodes: v.drugs.split(/[,，\s]+/).filter(Boolean), days: v.days }, requestId),
});
const steps = { STATE_LISTED: ['SUSPEND_LISTING', 'DELIST', 'SURGERY_ABORTED'], STATE_SUSPENDED: ['DELIST'], STATE_REHABILITATION: ['COMPLICATION'], STATE_BACK_REFERRED: ['LOCAL_DECLINED'] };
call('RecordCourse', {
  danger: true,
  fields: (d) => {
    const some = steps[d.case.state] || ['NO_SHOW'];
    return [{ name: 'step', label: t('f.step'), type: 'radios', required: true, wide: true, value: some.length === 1 ? 'COURSE_STEP_' + some[0] : undefined, options: some.map((s) => ({ value: 'COURSE_STEP_' + s, label: t('step.COURSE_STEP_' + s) })) }, comment(true)];
  },
  send: on('recordCourse'),
});

// Consultation.
call('OpenConsultation', {
  fields: () => [
    { name: 'kind', label: t('f.kind'), type: 'select', required: true, options: options(['MDT', 'REMOTE', 'SECOND_OPINION'].map((k) => 'CONSULTATION_KIND_' + k), (v) => t('kind.' + v)) },
    { name: 'agenda', label: t('f.agenda'), type: 'textarea', required: true, wide: true, maxLength: 1000 },
    { name: 'panel', label: t('f.panel'), type: 'textarea', required: true, wide: true, hint: 'C-SH-01 expert-1 hepatology' },
  ],
  send: (d, v, requestId) => on('consult')(d, {
    kind: v.kind, agenda: v.agenda,
    panel: lines(v.panel).map((l) => { const [organisation, subject, ...rest] = l.split(/[\s,，]+/); return { organisation, subject, discipline: rest.join(' ') }; }),
  }, requestId),
});
const opinions = (names) => ({ type: 'radios', required: true, wide: true, options: names.map((o) => ({ value: 'OPINION_' + o, label: t('opinion.OPINION_' + o) })) });
call('RecordOpinion', { fields: () => [{ name: 'opinion', label: t('f.opinion'), ...opinions(['INDICATED', 'NOT_INDICATED', 'TOO_EARLY', 'ABSTAINED']) }, comment(false)], send: on('opine') });
call('ConcludeConsultation', { fields: () => [{ name: 'conclusion', label: t('f.opinion'), ...opinions(['INDICATED', 'NOT_INDICATED', 'TOO_EARLY']) }, comment(false)], send: on('conclude') });

// The bill, the consent to it, the clock and the end.
call('OpenClaim', {
  fields: () => [{ name: 'admissionDate', label: t('f.admitted'), type: 'date', required: true, value: today() }],
  send: (d, v, requestId) => post('/v1/claims', {
    requestId, referralId: d.case.referralId, patientId: d.case.patientId, centerId: d.case.centerId, province: d.case.centerCity.slice(0, 2) + '0000', treatmentCity: d.case.centerCity,
    insuredProvince: d.patient?.coverage?.province, organ: d.case.organ, admissionDate: v.admissionDate,
  }),
});
call('DischargeClaim', {
  fields: () => [{ name: 'dischargeDate', label: t('f.discharged'), type: 'date', required: true, value: today() }],
  send: (d, v, requestId) => post(`/v1/claims/${d.case.claimId}:discharge`, { ...v, requestId, etag: d.claim?.etag }),
});
call('SettleClaim', { ...confirm, send: (d, v, requestId) => post(`/v1/claims/${d.case.claimId}:settle`, { requestId, etag: d.claim?.etag }) });
call('GiveConsent', { ...confirm, send: (d, v, requestId) => post(`/v1/patients/${d.case.patientId}/consents`, { requestId, etag: d.patient?.etag, purpose: 'PURPOSE_SETTLEMENT' }) });
call('SuspendClock', {
  fields: (d) => (d.case.clockSuspended ? [] : [{ name: 'reason', label: t('f.why'), help: t('f.suspend.help'), required: true, wide: true, maxLength: 200 }]),
  send: on('suspendClock'),
});
const reasons = ['DIED', 'WITHDRAWN', 'LOST', 'DUPLICATE', 'ERROR'];
call('CloseReferral', {
  danger: true,
  fields: (d, action) => [
    { name: 'reason', label: t('f.why'), type: 'select', required: true, options: options((/complet/i.test(action.labelEn) ? ['COMPLETED'] : reasons).map((r) => 'CLOSE_REASON_' + r), (v) => enumWord('close', v)), value: /complet/i.test(action.labelEn) ? 'CLOSE_REASON_COMPLETED' : undefined },
    comment(false),
  ],
  send: on('close'),
});
