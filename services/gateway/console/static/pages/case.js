// One case: where it stands, what can be done now, and everything that hangs on it.
import { Badge, Deadline, Facts, html, Icon, Load, Urgency, useData } from '../ui.js';
import { enumWord, t, words } from '../i18n.js';
import { all, get, optional } from '../api.js';
import { fen, placeName, shortId, when, whenFull, yuan } from '../format.js';
import { hasRole } from '../session.js';
import { page } from '../pages.js';
import { State } from '../cases.js';
import { Actions } from '../case/actions.js';
import { Timeline } from '../case/timeline.js';
import { Matches } from '../case/choose.js';
import { Journey } from '../case/map.js';
import { Bill, readBill } from '../case/bill.js';
import { Clinical, Consultations, FollowUps, Offers, Transfer } from '../case/panels.js';
import { Results } from '../case/results.js';
import { Documents } from '../case/documents.js';
import { Told } from '../case/told.js';

words({
  'case.title': ['病例', 'Case'], 'case.patient': ['患者', 'Patient'], 'case.born': ['出生', 'Born'], 'case.home': ['居住地', 'Home'], 'case.insured': ['参保地', 'Insured in'], 'case.local': ['下转医院', 'Local hospital'], 'case.admission': ['计划入院', 'Admission'],
  'case.surgery': ['手术', 'Surgery'], 'case.filing': ['异地备案', 'Filing'], 'case.filed': ['已自动备案', 'Filed by itself'], 'case.selfpay': ['患者自付', 'The patient paid'], 'case.closed': ['结案原因', 'Closed because'], 'case.deathOn': ['死亡登记于', 'The death is recorded on'], 'case.trace': ['全程追踪', 'Trace of the case'], 'case.parts': ['本页内容', 'On this page'],
  'case.way': ['病程', 'Course'], 'way.1': ['登记审核', 'Review'], 'way.2': ['匹配邀约', 'Match'], 'way.3': ['预约', 'Booking'], 'way.4': ['转运', 'Transfer'], 'way.5': ['评估登记', 'Evaluation'], 'way.6': ['手术', 'Surgery'], 'way.7': ['康复下转', 'Recovery'], 'way.8': ['随访', 'Follow-up'],
  'way.done': ['已完成', 'done'], 'way.now': ['当前', 'now'], 'way.ahead': ['未到', 'ahead'], 'case.cases': ['工作清单', 'Worklists'], 'case.gone': ['此病例不再对您的机构开放。', 'This case is no longer open to your organisation.'], 'case.attention': ['系统步骤 {step} 自 {time} 起多次未成功（{reason}），请处理。', 'The step {step} has failed repeatedly since {time} ({reason}) and waits for a person.'],
});

async function read(id) {
  const { referral: c } = await get('/v1/referrals/' + id);
  const has = (value, promise) => (value ? optional(promise()) : undefined);
  const late = ['STATE_SURGERY', 'STATE_REHABILITATION', 'STATE_BACK_REFERRED', 'STATE_FOLLOW_UP', 'STATE_CLOSED'].includes(c.state);
  const [timeline, patient, run, offers, there, thereLive, bill, followUps, consultations, documents, clinical, filing, moves] = await Promise.all([
    all(`/v1/referrals/${id}/timeline`, 'entries'), optional(get('/v1/patients/' + c.patientId)), has(c.matchRunId && hasRole('coordinator', 'operations'), () => get('/v1/match-runs/' + c.matchRunId)),
    has(c.matchRunId, () => get('/v1/offers', { referralId: id, pageSize: 200 })), has(c.transferId, () => get('/v1/transfers/' + c.transferId)), has(c.transferId, () => get(`/v1/transfers/${c.transferId}/live`)),
    c.claimId ? readBill(c.claimId) : {}, has(late, () => get(`/v1/referrals/${id}/followUps`)), optional(get(`/v1/referrals/${id}/consultations`)),
    optional(get(`/v1/patients/${c.patientId}/documents`)), optional(get(`/v1/patients/${c.patientId}/clinical/${c.organ}`)),
    has(c.filingId && hasRole('coordinator'), () => get('/v1/filings/' + c.filingId)), has(late && hasRole('coordinator', 'center', 'operations'), () => get('/v1/transfers', { referralId: id, pageSize: 200 })),
  ]);
  // After the stay the move that counts is the way back.
  const back = moves?.transfers?.findLast((m) => m.back && m.status !== 'TRANSFER_STATUS_ABORTED');
  const [transfer, live] = back ? [back, await optional(get(`/v1/transfers/${back.transferId}/live`))] : [there?.transfer, thereLive];
  const joined = patient?.patient?.mergedIds?.length && hasRole('coordinator', 'operations') ? await optional(get(`/v1/patients/${c.patientId}/merges`)) : undefined;
  return {
    merges: joined?.merges?.filter((m) => !m.unmergeTime) || [],
    case: c, timeline, patient: patient?.patient, run: run?.matchRun, offers: offers?.offers || [], transfer, live, ...bill,
    followUps, consultations: consultations?.consultations, documents: documents?.documents, clinical: clinical?.record, filing: filing?.filing,
  };
}

const stages = [
  ['STATE_DRAFT', 'STATE_SUBMITTED', 'STATE_SCREENING', 'STATE_RETURNED_FOR_INFORMATION', 'STATE_CONSULTATION'], ['STATE_MATCHED', 'STATE_OFFERED', 'STATE_EXHAUSTED'], ['STATE_ACCEPTED', 'STATE_BOOKED'],
  ['STATE_TRANSFER_PLANNED', 'STATE_IN_TRANSIT'], ['STATE_ARRIVED', 'STATE_EVALUATING', 'STATE_LISTED', 'STATE_SUSPENDED'], ['STATE_SURGERY'], ['STATE_REHABILITATION', 'STATE_BACK_REFERRED'], ['STATE_FOLLOW_UP'],
];

function Course({ c, timeline }) {
  const index = (state) => stages.findIndex((s) => s.includes(state));
  const now = c.state === 'STATE_CLOSED' ? Math.max(...timeline.map((e) => index(e.state)), 0) + (c.closeReason === 'CLOSE_REASON_COMPLETED' ? 1 : 0) : index(c.state);
  return html`<ol class="course" aria-label=${t('case.way')}>${stages.map((_, i) => {
    const at = i < now ? 'done' : i === now ? 'now' : 'ahead';
    return html`<li class=${at} aria-current=${at === 'now' ? 'step' : undefined}><span class="ball" aria-hidden="true">${at === 'done' ? html`<${Icon} name="done" />` : i + 1}</span><span>${t('way.' + (i + 1))}<span class="unseen"> ${t('way.' + at)}</span></span></li>`;
  })}</ol>`;
}

function Head({ data }) {
  const { case: c, patient } = data;
  return html`<header class="case-head">
    <nav class="crumb" aria-label=${t('case.cases')}><a href="#/">${t('case.cases')}</a> › <code>${c.referralId}</code></nav>
    <div class="case-line"><h1>${enumWord('organ', c.organ)} · ${patient?.name || t('case.title')}</h1>
      <${State} of=${c.state} /><${Urgency} of=${c.urgency} /><${Deadline} of=${c.state === 'STATE_CLOSED' ? '' : c.deadline} suspended=${c.clockSuspended} />
      ${hasRole('operations') && html`<a class="button" href=${`#/cases/${c.referralId}/trace`}>${t('case.trace')}</a>`}</div>
    <${Course} c=${c} timeline=${data.timeline} />
    ${c.attention?.map((a) => html`<p class="notice bad" key=${a.step + a.recordId}><${Icon} name="alert" /> ${t('case.attention', { step: a.step, reason: a.reasonCode, time: whenFull(a.sinceTime) })}</p>`)}
    <${Facts} list=${[
      [t('case.patient'), patient && html`${patient.name} <code>${patient.identityNumberMasked}</code>`], [t('case.born'), patient?.birthDate], [t('case.home'), placeName(patient?.residenceCity)], [t('case.insured'), placeName(patient?.coverage?.poolingArea)],
      [t('case.referrer'), c.referringOrganisation], [t('case.center'), c.centerId && `${c.centerId} ${placeName(c.centerCity)}`], [t('case.admission'), whenFull(c.admissionTime)], [t('case.local'), c.localHospital],
      [t('case.filing'), c.filingId && html`<${Badge} tone="good" icon="done">${t('case.filed')}<//>`], [t('case.surgery'), c.surgery && html`${when(c.surgery.surgeryTime)} <code>${c.surgery.procedureCode}</code>`],
      [t('case.selfpay'), c.selfPay && fen(c.selfPay) > 0 && html`<b>${yuan(c.selfPay)}</b>`], [t('case.closed'), c.closeReason !== 'CLOSE_REASON_UNSPECIFIED' && enumWord('close', c.closeReason)],
      [t('case.deathOn'), c.deathReferralId && html`<a href=${'#/cases/' + c.deathReferralId}>${shortId(c.deathReferralId)}</a>`],
    ]} /></header>`;
}

function Case({ params }) {
  const found = useData(() => read(params.id), [params.id], (e) => e.referralId === params.id);
  // Who declined sees the case no more: nothing went wrong, and nothing of it stays on the page.
  if (found.data && found.error?.status === 404) {
    return html`<h1>${t('case.title')}</h1><p class="notice" role="status"><${Icon} name="note" /> ${t('case.gone')}</p><p><a href="#/">${t('case.cases')}</a></p>`;
  }
  return html`<${Load} ...${found}>${(data) => html`<${Head} data=${data} />
    <div class="case">
      <div class="case-main">
        <${Actions} data=${data} reload=${found.reload} />
        <${Clinical} record=${data.clinical} organ=${data.case.organ} />
        <${Bill} data=${data} reload=${found.reload} />
        <${Transfer} data=${data} />
        <${Journey} data=${data} />
        <${Offers} offers=${data.offers} />
        ${data.run && html`<${Matches} run=${data.run} />`}
        <${FollowUps} of=${data.followUps} />
        <${Consultations} list=${data.consultations} />
        <${Results} data=${data} />
        <${Documents} patientId=${data.case.patientId} list=${data.documents} reload=${found.reload} />
        <${Told} id=${params.id} />
      </div>
      <div class="case-side"><${Timeline} entries=${data.timeline} id=${params.id} /></div>
    </div>`}<//>`;
}

page({ path: '/cases/:id', title: 'case.title', roles: ['coordinator', 'center', 'operations'], view: Case });
