// For a center: the offers to answer, first to expire first, and how many places it has.
import { Badge, Deadline, html, Load, Section, Table, Urgency, useData, useState } from '../ui.js';
import { enumWord, language, t, words } from '../i18n.js';
import { all, get, post } from '../api.js';
import { when, whenFull } from '../format.js';
import { me } from '../session.js';
import { page } from '../pages.js';
import { caseLink } from '../cases.js';
import { Form } from '../forms.js';
import { OfferStatus } from '../case/panels.js';

words({
  'center.offers': ['邀约', 'Offers'], 'center.open': ['待答复（按截止时间）', 'To answer, first to expire first'], 'center.answered': ['已答复', 'Answered'], 'center.answer': ['查看并答复', 'See and answer'], 'center.none': ['没有待答复的邀约。', 'No offer waits.'],
  'center.capacity': ['接收能力', 'Capacity'], 'center.places': ['转诊可用名额', 'Free places for referred patients'], 'center.asof': ['截至', 'As of'], 'center.stale': ['已陈旧', 'stale'], 'center.by': ['申报', 'Declared by'], 'center.declare': ['申报名额', 'Declare'],
  'center.program': ['项目', 'Program'], 'center.licence': ['资质有效期', 'Licence'], 'center.notyet': ['从未申报', 'never declared'], 'center.which': ['申报项目', 'Program'], 'center.saved': ['最近更新 {time}', 'updated {time}'], 'center.from': ['转出机构', 'From'],
});

function Offers() {
  const offers = useData(() => all('/v1/offers', 'offers'), []);
  return html`<div class="title"><h1>${t('center.offers')}</h1></div><${Load} ...${offers}>${(list) => {
    const open = list.filter((o) => ['OFFER_STATUS_OPEN', 'OFFER_STATUS_ACCEPTING'].includes(o.status)).sort((a, b) => a.expireTime.localeCompare(b.expireTime));
    const rest = list.filter((o) => !open.includes(o)).sort((a, b) => (b.decideTime || '').localeCompare(a.decideTime || ''));
    const columns = [
      { title: t('case.case'), cell: (o) => caseLink(o.referralId) }, { title: t('case.organ'), cell: (o) => enumWord('organ', o.organ) }, { title: t('case.urgency'), cell: (o) => html`<${Urgency} of=${o.urgency} />` },
      { title: t('center.from'), cell: (o) => html`<code>${o.referringOrganisation}</code>` },
    ];
    return html`<${Section} title=${t('center.open')}><${Table} caption=${t('center.open')} rows=${open} rowKey=${(o) => o.offerId} empty=${t('center.none')} columns=${[
        ...columns, { title: t('case.clock'), cell: (o) => html`<${Deadline} of=${o.expireTime} />` },
        { title: t('case.next'), cell: (o) => html`<a class="button primary" href=${'#/cases/' + o.referralId}>${t('center.answer')}</a>` },
      ]} /><//>
      <${Section} title=${t('center.answered')}><${Table} caption=${t('center.answered')} rows=${rest} rowKey=${(o) => o.offerId} columns=${[
        ...columns, { title: t('case.state'), cell: (o) => html`<${OfferStatus} of=${o.status} /> <span class="quiet small">${when(o.decideTime)}</span>` },
      ]} /><//>`;
  }}<//>`;
}

function Capacity() {
  const id = me().organisation;
  const found = useData(() => get('/v1/centers/' + id), [id], () => false);
  const [saved, setSaved] = useState('');
  return html`<div class="title"><h1>${t('center.capacity')}</h1></div><${Load} ...${found}>${({ center }) => html`
    <${Section} title=${(language === 'zh' ? center.nameZh : center.nameEn) + ' ' + center.centerId}>
      <${Table} caption=${t('center.capacity')} rows=${center.programs} rowKey=${(p) => p.organ} columns=${[
        { title: t('center.program'), cell: (p) => enumWord('organ', p.organ) }, { title: t('center.places'), number: true, cell: (p) => html`<b>${p.capacity?.freePlaces ?? '—'}</b>` },
        { title: t('center.asof'), cell: (p) => (p.capacity?.asOf ? html`${whenFull(p.capacity.asOf)} ${p.capacity.stale && html`<${Badge} tone="warn" icon="clock">${t('center.stale')}<//>`}` : html`<${Badge} tone="warn" icon="alert">${t('center.notyet')}<//>`) },
        { title: t('center.by'), cell: (p) => html`<code>${p.capacity?.declaredBy}</code>` }, { title: t('center.licence'), cell: (p) => `${p.licence?.validFrom} – ${p.licence?.validTo}` },
      ]} /><//>
    <${Section} title=${t('center.declare')}>${saved && html`<p class="notice good">${t('center.saved', { time: saved })}</p>`}
      <${Form} key=${saved} submit=${t('center.declare')} what=${t('center.declare')} reload=${found.reload} fields=${[
        { name: 'organ', label: t('center.which'), type: 'select', required: true, options: center.programs.map((p) => ({ value: p.organ, label: enumWord('organ', p.organ) })) },
        { name: 'freePlaces', label: t('center.places'), type: 'number', required: true },
      ]} send=${(v, requestId) => post(`/v1/centers/${id}:declareCapacity`, { ...v, requestId, etag: center.etag })}
        onDone=${() => { setSaved(whenFull(new Date().toISOString())); found.reload(); }} /><//>`}<//>`;
}

page({ path: '/offers', title: 'center.offers', nav: 'center.offers', roles: ['center'], order: 20, view: Offers });
page({ path: '/capacity', title: 'center.capacity', nav: 'center.capacity', roles: ['center'], order: 30, view: Capacity });
