// The further parts of a case: its move, offers, consultations, follow-up and documents.
import { Badge, Facts, html, Icon, Section, Table, useEffect, useState } from '../ui.js';
import { enumWord, has, language, pick, t, words } from '../i18n.js';
import { picture } from '../api.js';
import { placeName, shortId, when, whenFull } from '../format.js';
import { at } from '../forms.js';
import { clinicalFields } from '../clinical.js';
import { Record } from '../pages/register.js';
import { Legs, Way } from './plan.js';

words({
  'clinical.title': ['临床资料', 'Clinical data'], 'clinical.version': ['第 {n} 版', 'Version {n}'],
  'move.title': ['转运', 'Transfer'], 'move.status': ['状态', 'Status'], 'move.expected': ['预计到达', 'Expected'], 'move.checked': ['最近一次条件复核', 'Fitness checked'], 'move.left': ['实际出发', 'Departed'], 'move.arrived': ['实际到达', 'Arrived'], 'move.sender': ['转出方签字', 'Signed, sending side'], 'move.receiver': ['接收方签字', 'Signed, receiving side'], 'move.attested': ['接收方代填', 'by the word of the receiving side'], 'move.awaited': ['待签字', 'awaited'], 'move.diverted': ['途中改送', 'Taken elsewhere'], 'move.bed': ['改送医院床位', 'Bed there'],
  'divertedBed.BOOKED': ['已预订，24 小时', 'booked for 24 hours'], 'divertedBed.NONE_FREE': ['无空床，仅已告知', 'none free: told only'], 'divertedBed.QUOTA_USED': ['转诊额度已满，仅已告知', 'its quota is used: told only'], 'divertedBed.NOT_IN_POOL': ['该院床位不在资源池，仅已告知', 'it keeps none in the pool: told only'], 'move.picture': ['转运时间带：各段如下表', 'The legs by time; the list below says the same'],
  'transfer.TRANSFER_STATUS_PLANNED': ['已计划', 'Planned'], 'transfer.TRANSFER_STATUS_READY': ['可出发', 'Ready'], 'transfer.TRANSFER_STATUS_IN_TRANSIT': ['途中', 'In transit'], 'transfer.TRANSFER_STATUS_ARRIVED': ['已到达', 'Arrived'], 'transfer.TRANSFER_STATUS_ABORTED': ['已中止', 'Aborted'],
  'offers.title': ['邀约', 'Offers'], 'offers.center': ['中心', 'Center'], 'offers.status': ['答复', 'Answer'], 'offers.expire': ['截止或答复', 'Due, or answered'], 'offers.comment': ['说明', 'Comment'],
  'offer.OFFER_STATUS_OPEN': ['待答复', 'Open'], 'offer.OFFER_STATUS_ACCEPTING': ['接收处理中', 'Being accepted'], 'offer.OFFER_STATUS_ACCEPTED': ['已接收', 'Accepted'], 'offer.OFFER_STATUS_DECLINED': ['未接收', 'Declined'], 'offer.OFFER_STATUS_EXPIRED': ['已过期', 'Expired'], 'offer.OFFER_STATUS_WITHDRAWN': ['已撤回', 'Withdrawn'],
  'decline.NOT_LICENSED': ['无相应资质', 'Not licensed'], 'decline.AGE': ['年龄', 'Age'], 'decline.BMI': ['体质指数', 'BMI'], 'decline.HCC_BEYOND_CRITERIA': ['肝癌超出标准', 'HCC beyond criteria'], 'decline.CONTRAINDICATION': ['存在禁忌', 'Contraindication'], 'decline.ACTIVE_INFECTION': ['活动性感染', 'Active infection'],
  'decline.ABO_INCOMPATIBLE_NOT_OFFERED': ['不开展血型不相容', 'ABO-incompatible not offered'], 'decline.SENSITISED': ['致敏', 'Sensitised'], 'decline.RETRANSPLANT': ['再次移植', 'Re-transplant'], 'decline.NO_BED': ['无床位', 'No bed'], 'decline.NO_OPERATING_ROOM': ['无手术间', 'No operating room'], 'decline.NO_EXPERT': ['无专家', 'No expert'],
  'decline.QUOTA_USED': ['预留额度用完', 'Quota used'], 'decline.INFORMATION_MISSING': ['资料不全', 'Information missing'], 'decline.WRONG_PRIORITY': ['紧急程度不符', 'Wrong priority'], 'decline.TOO_EARLY': ['时机过早', 'Too early'], 'decline.UNFIT_TO_TRAVEL': ['不适合转运', 'Unfit to travel'], 'decline.NO_DIRECT_SETTLEMENT': ['无法直接结算', 'No direct settlement'], 'decline.OTHER': ['其他（请说明）', 'Other (say which)'],
  'condition.DUE': ['待满足', 'due'], 'condition.FULFILLED': ['已满足', 'fulfilled'], 'condition.LAPSED': ['已逾期', 'lapsed'],
  'visit.BLOOD_COUNT': ['血常规', 'Blood count'], 'visit.CMV': ['巨细胞病毒', 'CMV'], 'visit.BK': ['BK 病毒', 'BK virus'], 'visit.DRUG_TROUGH': ['血药谷浓度', 'Drug trough level'], 'visit.GLUCOSE_LIPIDS': ['血糖血脂', 'Glucose and lipids'], 'visit.ORGAN_FUNCTION': ['器官功能', 'Organ function'], 'visit.SPECIFIC_ANTIBODY': ['特异性抗体', 'Specific antibody'],
  'rx.title': ['处方', 'Prescriptions'], 'rx.drugs': ['药品', 'Drugs'], 'rx.days': ['{n} 天', '{n} days'], 'rx.by': ['开具', 'By'], 'rx.claim': ['费用单', 'Claim'], 'rx.unlinked': ['未关联', 'not tied yet'], 'consult.panel': ['专家 {n} 名', '{n} experts'],
  'consult.title': ['会诊', 'Consultations'], 'consult.open': ['进行中', 'Open'], 'consult.opinions': ['{n} / {all} 份意见', '{n} of {all} opinions'],
  'follow.title': ['随访', 'Follow-up'], 'follow.visit': ['次序', 'Visit'], 'follow.due': ['应随访日', 'Due'], 'follow.done': ['完成', 'Done'], 'follow.items': ['项目', 'Items'], 'follow.open': ['待随访', 'Open'], 'follow.overdue': ['已逾期', 'Overdue'], 'follow.all': ['全部 {n} 次随访', 'All {n} visits'],
});

function shown(field, clinical) {
  const value = field.name === 'liver.nodules' ? clinical.liver?.hccNodulesCm?.join(', ') : at(clinical, field.name);
  if (value === undefined || value === null || value === '' || value === 0 || (value === false && field.type !== 'tristate')) return '';
  if (typeof value === 'boolean') return t(value ? 'form.yes' : 'form.no');
  if (field.options) return field.options.find((o) => o.value === value)?.label || '';
  return String(value);
}

// Clinical is what a center decides by, as far as the caller may see it.
export function Clinical({ record, organ }) {
  if (!record?.clinical) return null;
  return html`<${Section} title=${t('clinical.title')} id="clinical" actions=${html`<span class="quiet small">${t('clinical.version', { n: record.version })}</span>`}>
    <${Facts} list=${clinicalFields(organ).filter((f) => f.name).map((f) => [f.label, shown(f, record.clinical)])} />
    <${Record} record=${record} /><//>`;
}

function Strip({ id, etag }) {
  const [src, setSrc] = useState('');
  useEffect(() => {
    let url = '';
    let gone = false;
    picture(`/v1/transfers/${id}/picture`, { language: 'PICTURE_LANGUAGE_' + language.toUpperCase(), style: 'PICTURE_STYLE_STRIP' }).then((u) => {
      url = u;
      if (gone) URL.revokeObjectURL(u);
      else setSrc(u);
    }, () => {}); // the list of legs says the same
    return () => { gone = true; if (url) URL.revokeObjectURL(url); };
  }, [id, etag, language]);
  return src && html`<img class="strip" src=${src} alt=${t('move.picture')} />`;
}

// signatures are those of a hand-over, done or waiting for one side.
function signatures(transfer) {
  const h = transfer.handOver || transfer.handOverWaiting;
  const by = (who, time) => (who ? `${who} · ${whenFull(time)}` : t('move.awaited'));
  return h ? [[t('move.sender'), by(h.signedBySender, h.senderSignTime) + (h.senderAttested ? `（${t('move.attested')}）` : '')], [t('move.receiver'), by(h.signedByReceiver, h.signTime)]] : [];
}

export function Transfer({ data }) {
  const { transfer, live } = data;
  if (!transfer) return null;
  return html`<${Section} title=${t('move.title')} id="transfer" actions=${html`<${Badge} tone=${transfer.status === 'TRANSFER_STATUS_ARRIVED' ? 'good' : transfer.status === 'TRANSFER_STATUS_ABORTED' ? 'bad' : 'info'} icon="road">${enumWord('transfer', transfer.status)}<//>`}>
    ${live?.attention?.code && html`<p class="notice bad"><${Icon} name="alert" /> ${pick(live.attention, 'detail')}</p>`}
    <p><${Way} of=${transfer.itinerary} /></p>
    <${Strip} id=${transfer.transferId} etag=${transfer.etag} />
    <${Legs} itinerary=${transfer.itinerary} />
    <${Facts} list=${[[t('move.checked'), whenFull(transfer.fitnessTime)], [t('move.left'), whenFull(transfer.departedTime)], [t('move.expected'), transfer.arrivedTime ? '' : whenFull(live?.expectedArriveTime)], [t('move.arrived'), whenFull(transfer.arrivedTime)], ...signatures(transfer),
      ...(transfer.abortCode === 'DIVERTED' ? [[t('move.diverted'), `${transfer.divertedTo || ''} ${placeName(transfer.divertedToCity)}`.trim()], [t('move.bed'), transfer.divertedBed && enumWord('divertedBed', transfer.divertedBed)]] : [])]} /><//>`;
}

const offerTone = { OFFER_STATUS_OPEN: ['info', 'clock'], OFFER_STATUS_ACCEPTED: ['good', 'done'], OFFER_STATUS_DECLINED: ['bad', 'cross'], OFFER_STATUS_EXPIRED: ['warn', 'clock'] };
export const OfferStatus = ({ of }) => html`<${Badge} tone=${offerTone[of]?.[0]} icon=${offerTone[of]?.[1]}>${enumWord('offer', of)}<//>`;

export function Offers({ offers }) {
  if (!offers.length) return null;
  return html`<${Section} title=${t('offers.title')} id="offers"><${Table} caption=${t('offers.title')} rowKey=${(o) => o.offerId} rows=${offers} columns=${[
    { title: t('offers.center'), cell: (o) => html`<code>${o.centerId}</code>` },
    { title: t('offers.status'), cell: (o) => html`<${OfferStatus} of=${o.status} /> ${o.declineCode && (has('decline.' + o.declineCode) ? t('decline.' + o.declineCode) : o.declineCode)}` },
    { title: t('offers.expire'), cell: (o) => when(o.decideTime || o.expireTime) },
    { title: t('offers.comment'), cell: (o) => html`${o.comment}${o.acceptanceConditions?.length > 0 && html`<ul class="bullets">${o.acceptanceConditions.map((c) => html`<li>${c.text} <span class="quiet">${enumWord('condition', c.status)} ${when(c.dueTime)}</span></li>`)}</ul>`}` },
  ]} /><//>`;
}

export function Consultations({ list }) {
  if (!list?.length) return null;
  return html`<${Section} title=${t('consult.title')} id="consultations">${list.map((c) => html`<article key=${c.number}>
    <h3>${c.number}. ${enumWord('kind', c.kind)} — ${enumWord('opinion', c.conclusion === 'OPINION_UNSPECIFIED' ? '' : c.conclusion) || t('consult.open')}</h3>
    <p>${c.agenda}</p><p class="quiet small">${when(c.openTime)} · ${t('consult.opinions', { n: c.opinions.length, all: c.panel.length })}</p>
    <details><summary>${t('consult.panel', { n: c.panel.length })}</summary><ul class="bullets">${panelOf(c)}</ul></details>
    <ul class="bullets">${c.opinions.map((o) => html`<li><code>${o.organisation} ${o.subject}</code> ${enumWord('opinion', o.opinion)} ${o.comment}</li>`)}</ul>
    ${c.conclusionComment && html`<p>${c.conclusionComment}</p>`}</article>`)}<//>`;
}

const panelOf = (c) => c.panel.map((e) => html`<li key=${e.organisation + e.subject}><code>${e.organisation} ${e.subject}</code> <span class="quiet">${e.discipline}</span></li>`);

function Prescriptions({ list }) {
  if (!list?.length) return null;
  return html`<h3>${t('rx.title')}</h3><${Table} caption=${t('rx.title')} rowKey=${(p) => p.number} rows=${list} columns=${[
    { title: t('follow.visit'), cell: (p) => p.number }, { title: t('rx.drugs'), cell: (p) => html`<code>${p.drugCodes.join(', ')}</code> ${t('rx.days', { n: p.days })}` },
    { title: t('rx.by'), cell: (p) => html`<code>${p.prescriber}</code> ${p.site} <span class="quiet small">${p.registrationNumber}</span>` }, { title: t('follow.done'), cell: (p) => when(p.recordTime) },
    { title: t('rx.claim'), cell: (p) => (p.claimId ? html`<code title=${p.claimId}>${shortId(p.claimId)}</code>` : html`<${Badge} tone="warn" icon="clock">${t('rx.unlinked')}<//>`) },
  ]} />`;
}

export function FollowUps({ of }) {
  if (!of?.visits?.length) return of?.prescriptions?.length ? html`<${Section} title=${t('rx.title')} id="followups"><${Prescriptions} list=${of.prescriptions} /><//>` : null;
  const open = of.visits.findIndex((v) => !v.visitTime);
  const near = of.visits.slice(Math.max(0, open - 2), Math.max(0, open) + 3);
  const table = (rows) => html`<${Table} caption=${t('follow.title')} rowKey=${(v) => v.number} rows=${rows} columns=${[
    { title: t('follow.visit'), cell: (v) => v.number }, { title: t('follow.due'), cell: (v) => v.dueDate },
    { title: t('follow.done'), cell: (v) => (v.visitTime ? html`<${Badge} tone="good" icon="done">${when(v.visitTime)} ${t('outcome.' + v.outcome)}<//>` : new Date(v.overdueTime) < Date.now() ? html`<${Badge} tone="bad" icon="alert">${t('follow.overdue')}<//>` : t('follow.open')) },
    { title: t('follow.items'), cell: (v) => html`<span class="small">${v.items.map((i) => enumWord('visit', i)).join(language === 'zh' ? '、' : ', ')}</span>` },
  ]} />`;
  return html`<${Section} title=${t('follow.title')} id="followups">${table(near)}
    ${of.visits.length > near.length && html`<details><summary>${t('follow.all', { n: of.visits.length })}</summary>${table(of.visits)}</details>`}
    <${Prescriptions} list=${of.prescriptions} /><//>`;
}
