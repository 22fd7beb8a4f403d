// What is asked of the case itself.
import { t, words } from '../../i18n.js';
import { get, put } from '../../api.js';
import { localInput } from '../../format.js';
import { clinicalFields, clinicalOf } from '../../clinical.js';
import { hasRole, me } from '../../session.js';
import { call, choice, comment, own, prefixed } from '../calls.js';
import { Choose } from '../choose.js';

words({
  'f.decision': ['决定', 'Decision'], 'decision.SCREENING_DECISION_PASS': ['通过，进入匹配', 'Pass: rank the centers'], 'decision.SCREENING_DECISION_RETURN': ['退回补充资料', 'Return for information'], 'decision.SCREENING_DECISION_NOT_INDICATED': ['无移植指征', 'Not indicated'],
  'f.suitable': ['评估结论', 'Evaluation'], 'f.suitable.yes': ['适合移植，予以登记', 'Suitable: list the patient'], 'f.suitable.no': ['不适合移植', 'Unsuitable'],
  'f.surgeryTime': ['手术时间', 'Time of the surgery'], 'f.source': ['依据（二选一）', 'Reference (one of the two)'], 'source.cotrs': ['COTRS 分配编号', 'COTRS allocation reference'], 'source.ethics': ['伦理审查批准号', 'Ethics approval number'],
  'f.procedure': ['手术编码 ICD-9-CM-3', 'Procedure, ICD-9-CM-3'], 'f.plan': ['康复计划文书号', 'Number of the rehabilitation plan'], 'f.local': ['当地医院（默认转出医院）', 'Local hospital (the referrer unless another)'],
  'f.newAdmission': ['新的入院时间', 'New time of admission'], 'f.suspend.help': ['例如：等待患者决定', 'Such as: waiting for the patient'],
  'f.step': ['病程变化', 'Turn'], 'step.COURSE_STEP_NO_SHOW': ['患者未到', 'The patient did not come'], 'step.COURSE_STEP_SUSPEND_LISTING': ['暂停登记', 'Suspend the listing'], 'step.COURSE_STEP_DELIST': ['撤出登记', 'End the listing'],
  'step.COURSE_STEP_SURGERY_ABORTED': ['手术取消', 'Surgery called off'], 'step.COURSE_STEP_COMPLICATION': ['并发症', 'Complication'], 'step.COURSE_STEP_LOCAL_DECLINED': ['当地医院无法接回', 'The local hospital declines'], 'step.COURSE_STEP_PATIENT_DECLINED': ['患者不接受所列中心', 'The patient takes none of the centers'],
  'f.lives': ['如何确认患者健在', 'How it is known that the patient lives'],
  'f.number': ['本机构编号（住院号、病案号）', 'Number at your institution'], 'f.number.help': ['请勿填写身份证号', 'Never an identity number'], 'b.number': ['登记本机构编号', 'Add your institution’s number'],
});

call('SubmitReferral', { of: 'referral', verb: ':submit' });
call('BookAdmission', { of: 'referral', verb: ':book' });
call('AcceptBackReferral', { of: 'referral', verb: ':acceptBack' });
call('ChooseCenters', { view: Choose, path: '/v1/referrals/{referral_id}:choose' });
call('ScreenReferral', {
  of: 'referral', verb: ':screen',
  fields: [
    choice('decision', 'f.decision', 'decision', prefixed('SCREENING_DECISION_', ['PASS', 'RETURN', 'NOT_INDICATED']), { type: 'radios', wide: true }),
    comment((v) => v.decision !== 'SCREENING_DECISION_PASS', { when: (v) => v.decision }),
  ],
});
call('RecordClinical', {
  path: '/v1/patients/{patient_id}/clinical/{clinical.organ}', put: true,
  draw: (d) => clinicalFields(d.case.organ),
  send: async (d, v, requestId) => {
    const path = `/v1/patients/${d.case.patientId}/clinical/${d.case.organ}`;
    // The record is replaced as a whole: what the form does not show is kept as it was.
    const now = await get(path).catch((err) => (err.status === 404 ? {} : Promise.reject(err)));
    return put(path, { requestId, etag: now.record?.etag || '', clinical: { ...now.record?.clinical, ...clinicalOf(v, d.case.organ) } });
  },
});
call('RescheduleAdmission', {
  of: 'referral', verb: ':reschedule',
  fields: [{ name: 'admissionTime', label: 'f.newAdmission', type: 'datetime', required: true, value: (d) => localInput(new Date(d.case.admissionTime || Date.now()).getTime() + 24 * 3600000) }, comment(true)],
});
call('RecordEvaluation', {
  of: 'referral', verb: ':evaluate',
  fields: [
    { name: 'suitable', label: 'f.suitable', type: 'radios', required: true, wide: true, values: () => [{ value: true, label: t('f.suitable.yes') }, { value: false, label: t('f.suitable.no') }] },
    comment((v) => v.suitable === false),
  ],
});
call('RecordSurgery', {
  of: 'referral', verb: ':recordSurgery',
  fields: [
    { name: 'surgeryTime', label: 'f.surgeryTime', type: 'datetime', required: true, value: () => localInput(Date.now() - 60000) },
    { name: 'procedureCode', label: 'f.procedure', required: true, hint: '50.5900', maxLength: 9 },
    choice('source', 'f.source', 'source', ['cotrs', 'ethics'], { type: 'radios', wide: true, local: true }),
    { name: 'cotrsReference', label: 'source.cotrs', maxLength: 40, when: (v) => v.source === 'cotrs', required: true },
    { name: 'ethicsApproval', label: 'source.ethics', maxLength: 40, when: (v) => v.source === 'ethics', required: true },
  ],
});
call('RecordDischarge', { of: 'referral', verb: ':discharge', fields: [{ name: 'rehabilitationPlan', label: 'f.plan', required: true, maxLength: 64 }] });
call('BackRefer', { of: 'referral', verb: ':backRefer', fields: [{ name: 'localHospital', label: 'f.local', maxLength: 32, hint: 'H-HF-01' }] });
call('Readmit', { of: 'referral', verb: ':readmit', danger: true, fields: [comment(true)] });

// Which turns a state allows; the line has the last word.
const steps = {
  STATE_MATCHED: ['PATIENT_DECLINED'], STATE_LISTED: ['SUSPEND_LISTING', 'DELIST', 'SURGERY_ABORTED'], STATE_SUSPENDED: ['DELIST'], STATE_SURGERY: ['SURGERY_ABORTED'],
  STATE_REHABILITATION: ['COMPLICATION'], STATE_BACK_REFERRED: ['LOCAL_DECLINED'],
};
const stepsOf = (d) => prefixed('COURSE_STEP_', steps[d.case.state] || ['NO_SHOW']);
call('RecordCourse', {
  of: 'referral', verb: ':recordCourse', danger: true,
  fields: [choice('step', 'f.step', 'step', stepsOf, { type: 'radios', wide: true, value: (d) => (stepsOf(d).length === 1 ? stepsOf(d)[0] : undefined) }), comment(true)],
});
call('SuspendClock', {
  of: 'referral', verb: ':suspendClock',
  fields: [{ name: 'reason', label: 'f.why', help: 'f.suspend.help', required: true, wide: true, maxLength: 200, only: (d) => !d.case.clockSuspended }],
});
const reasons = ['DIED', 'WITHDRAWN', 'LOST', 'ADMITTED_ELSEWHERE', 'DUPLICATE', 'ERROR'];
call('CloseReferral', {
  of: 'referral', verb: ':close', danger: true,
  fields: [
    choice('reason', 'f.why', 'close', (d) => prefixed('CLOSE_REASON_', [...(d.case.state === 'STATE_FOLLOW_UP' ? ['COMPLETED'] : []), ...reasons, ...(hasRole('operations') ? ['NOT_INDICATED', 'TOO_EARLY'] : [])])),
    comment(false),
  ],
});
call('CorrectDeath', { of: 'referral', verb: ':correctDeath', danger: true, fields: [comment(true)] });
call('CorrectDeath', { of: 'referral', verb: ':correctDeath', danger: true, fields: [comment(true, { label: 'f.lives' })] });
call('AddCaseNumber', {
  of: 'referral', verb: ':addNumber', fields: [{ name: 'number', label: 'f.number', help: 'f.number.help', required: true, maxLength: 40 }],
  beside: { label: 'b.number', roles: ['coordinator', 'center', 'operations'], when: (d) => d.case.state !== 'STATE_CLOSED' },
});

// Consultation 会诊.
words({
  'f.kind': ['会诊方式', 'Kind'], 'kind.CONSULTATION_KIND_MDT': ['多学科会诊', 'MDT'], 'kind.CONSULTATION_KIND_REMOTE': ['远程会诊', 'Remote'], 'kind.CONSULTATION_KIND_SECOND_OPINION': ['第二意见', 'Second opinion'],
  'f.agenda': ['会诊议题', 'What the panel is asked'], 'f.panel': ['专家（每行：机构 工号 学科）', 'Panel, one a line: organisation, staff number, discipline'], 'f.papers': ['提供给专家的文档', 'Documents shown to the panel'],
  'f.opinion': ['意见', 'Opinion'], 'f.conclusion': ['会诊结论', 'Conclusion'], 'f.opinion.help': ['除“有指征”外须说明理由', 'Say why, unless it is indicated'],
  'opinion.OPINION_INDICATED': ['有指征', 'Indicated'], 'opinion.OPINION_NOT_INDICATED': ['无指征', 'Not indicated'], 'opinion.OPINION_TOO_EARLY': ['时机过早', 'Too early'], 'opinion.OPINION_ABSTAINED': ['弃权', 'No opinion'],
});
const expert = (line) => {
  const [organisation, subject, ...rest] = line.trim().split(/[\s,，]+/);
  return { organisation, subject, discipline: rest.join(' ') };
};
call('OpenConsultation', {
  of: 'referral', verb: ':consult',
  fields: [
    choice('kind', 'f.kind', 'kind', prefixed('CONSULTATION_KIND_', ['MDT', 'REMOTE', 'SECOND_OPINION'])),
    { name: 'agenda', label: 'f.agenda', type: 'textarea', required: true, wide: true, maxLength: 1000 },
    { name: 'panel', label: 'f.panel', type: 'textarea', required: true, wide: true, hint: 'C-SH-02 center-sh-8 hepatology', body: (text) => text.split('\n').filter((l) => l.trim()).map(expert) },
    {
      name: 'documentIds', label: 'f.papers', type: 'checks', wide: true, only: (d) => d.documents?.some((x) => x.status === 'DOCUMENT_STATUS_CLEAN'),
      values: (d) => (d.documents || []).filter((x) => x.status === 'DOCUMENT_STATUS_CLEAN').map((x) => ({ value: x.documentId, label: t('document.' + x.kind) + ' ' + x.uploadTime.slice(0, 10) })),
    },
  ],
});
const opinion = (name, label, names) => choice(name, label, 'opinion', prefixed('OPINION_', names), { type: 'radios', wide: true });
const why = (name) => comment((v) => v[name] !== 'OPINION_INDICATED', { help: 'f.opinion.help', maxLength: 2000 });
call('RecordOpinion', { of: 'referral', verb: ':opine', fields: [opinion('opinion', 'f.opinion', ['INDICATED', 'NOT_INDICATED', 'TOO_EARLY', 'ABSTAINED']), why('opinion')] });
call('ConcludeConsultation', { of: 'referral', verb: ':conclude', fields: [opinion('conclusion', 'f.conclusion', ['INDICATED', 'NOT_INDICATED', 'TOO_EARLY']), why('conclusion')] });

// Follow-up 随访, and what is prescribed.
words({
  'f.visit': ['随访次序', 'Visit'], 'f.visitTime': ['随访时间', 'When it took place'], 'f.outcome': ['随访结果', 'Outcome'], 'outcome.STABLE': ['稳定', 'Stable'], 'outcome.ADJUSTED': ['已调整治疗', 'Treatment adjusted'],
  'outcome.REJECTION': ['排异', 'Rejection'], 'outcome.INFECTION': ['感染', 'Infection'], 'outcome.OTHER': ['其他', 'Other'],
  'f.site': ['执业地点', 'Site'], 'f.drugs': ['药品编码（逗号分隔）', 'Drug codes, comma-separated'], 'f.days': ['天数', 'Days'],
  'f.expert': ['专家工号', 'Expert’s staff number'], 'f.registration': ['执业备案号', 'Number of the registration'], 'f.until': ['备案有效期至', 'In force until'], 'b.expert': ['核验专家执业备案', 'Check an expert’s registration'],
  'f.prescription': ['处方', 'Prescription'], 'f.claim': ['费用单号', 'Claim'], 'b.link': ['将处方关联到费用单', 'Tie a prescription to a claim'],
});
call('RecordFollowUp', {
  of: 'referral', verb: ':recordFollowUp',
  fields: [
    {
      name: 'number', label: 'f.visit', type: 'seen', required: true, value: (d) => d.followUps?.visits?.find((v) => !v.visitTime)?.number,
      values: (d) => (d.followUps?.visits || []).filter((v) => !v.visitTime).map((v) => ({ value: v.number, label: `${v.number} · ${v.dueDate}` })),
    },
    { name: 'visitTime', label: 'f.visitTime', type: 'datetime', required: true, value: () => localInput(Date.now() - 60000) },
    choice('outcome', 'f.outcome', 'outcome', ['STABLE', 'ADJUSTED', 'REJECTION', 'INFECTION', 'OTHER']),
  ],
});
// An expert works at a hospital or a center; the desk is none.
const site = (d) => (hasRole('operations') ? d.case.centerId : me().organisation);
call('RecordPrescription', {
  of: 'referral', verb: ':prescribe',
  fields: [
    { name: 'site', label: 'f.site', required: true, value: site, maxLength: 31 }, { name: 'drugCodes', label: 'f.drugs', type: 'codes', required: true },
    { name: 'days', label: 'f.days', type: 'number', required: true },
  ],
});
call('CheckExpert', {
  of: 'referral', verb: ':checkExpert',
  fields: [
    { name: 'subject', label: 'f.expert', required: true, maxLength: 64 }, { name: 'site', label: 'f.site', required: true, value: site, maxLength: 31 },
    { name: 'registrationNumber', label: 'f.registration', required: true, maxLength: 40 }, { name: 'validUntil', label: 'f.until', type: 'date', required: true },
  ],
  beside: {
    label: 'b.expert', roles: ['operations', 'center', 'coordinator'],
    when: (d) => d.case.state !== 'STATE_CLOSED' && (hasRole('operations') || own(d.case.centerId) || own(d.case.localHospital)),
  },
});
const loose = (d) => (d.followUps?.prescriptions || []).filter((p) => !p.claimId);
call('LinkPrescription', {
  of: 'referral', verb: ':linkPrescription',
  fields: [
    { name: 'number', label: 'f.prescription', type: 'seen', required: true, value: (d) => loose(d)[0]?.number, values: (d) => loose(d).map((p) => ({ value: p.number, label: `${p.number} · ${p.drugCodes.join(', ')}` })) },
    { name: 'claimId', label: 'f.claim', required: true, value: (d) => d.case.claimId, maxLength: 37, wide: true },
  ],
  beside: { label: 'b.link', roles: ['center', 'coordinator'], when: (d) => loose(d).length > 0 },
});
