// Planning the move: the ways there are, the ones that are refused, and the booking of one of them.
import { Badge, html, Icon, Load, Problem, useData, useState } from '../ui.js';
import { enumWord, language, pick, t, words } from '../i18n.js';
import { get, newKey, post } from '../api.js';
import { clock, fromInput, localInput, seconds, span, when, yuan, cities } from '../format.js';
import { Form } from '../forms.js';
import { fitness, fitnessFields } from '../clinical.js';

words({
  'plan.origin': ['出发城市', 'City of departure'], 'plan.destination': ['返回城市', 'City to return to'], 'plan.take': ['改走此行程', 'Take this way'], 'plan.after': ['最早出发时间', 'Not before'], 'plan.find': ['查询行程', 'Find ways'], 'plan.options': ['可选行程', 'Ways'], 'plan.none': ['没有可行的行程。', 'There is no way.'],
  'plan.refused': ['不可用的方式及原因', 'Refused, and why'], 'plan.faster': ['更快但不允许', 'Faster, and not allowed'], 'plan.book': ['预订此行程', 'Book this way'], 'plan.changes': ['换乘 {n} 次', '{n} changes'], 'plan.legs': ['各段', 'Legs'],
  'mode.MODE_TRANSFER': ['院内/站内', 'Inside'], 'mode.MODE_TAXI': ['汽车', 'Car'], 'mode.MODE_RAIL': ['高铁', 'Rail'], 'mode.MODE_FLIGHT': ['航班', 'Flight'], 'mode.MODE_ROAD_AMBULANCE': ['救护车', 'Road ambulance'], 'mode.MODE_AIR_AMBULANCE': ['航空救援', 'Air ambulance'],
  'escort.ESCORT_NONE': ['无需护送', 'No escort'], 'escort.ESCORT_FAMILY': ['家属陪同', 'Family'], 'escort.ESCORT_NURSE': ['护士护送', 'Nurse'], 'escort.ESCORT_DOCTOR': ['医护护送', 'Doctor and nurse'], 'escort.ESCORT_ICU': ['重症团队护送', 'ICU team'],
});

export function Legs({ itinerary }) {
  return html`<ol class="legs">${(itinerary?.legs || []).map((l) => html`<li><span class="leg-time">${clock(l.departTime)}–${clock(l.arriveTime)}</span>
    <b>${enumWord('mode', l.mode)} ${l.serviceNumber}</b> ${l.fromName} → ${l.toName} <span class="quiet">${Math.round(l.kilometres)} km</span></li>`)}</ol>`;
}

export const Way = ({ of }) => html`<b>${when(of.departTime)} → ${when(of.arriveTime)}</b> · ${span(seconds(of.doorToDoor) * 1000)} · ${t('plan.changes', { n: of.changes })} · ${yuan(of.cost)} · <${Badge}>${enumWord('escort', of.escort)}<//>`;

const fit = (v) => Object.fromEntries(fitness.filter((f) => v[f]).map((f) => [f, true]));

// Ways are itineraries to choose from, each with a button that books it once.
function Ways({ options, none, book, label }) {
  const [busy, setBusy] = useState('');
  const [error, setError] = useState(null);
  const [keys] = useState({});
  const choose = async (way) => {
    if (busy) return;
    setBusy(way.optionKey);
    setError(null);
    keys[way.optionKey] ||= newKey();
    try {
      await book(way.optionKey, keys[way.optionKey]);
    } catch (err) {
      setError(err);
    } finally {
      setBusy('');
    }
  };
  return html`${error && html`<${Problem} error=${error} />`}<h3>${t('plan.options')}</h3>
    ${options.length === 0 && html`<p>${none || t('plan.none')}</p>`}
    <ul class="ways">${options.map((o) => html`<li key=${o.optionKey}><p><${Way} of=${o} /></p><p class="quiet small">${pick(o, 'allowedBecause')}</p>
      <details><summary>${t('plan.legs')} (${o.legs.length})</summary><${Legs} itinerary=${o} /></details>
      <button type="button" class="primary" disabled=${Boolean(busy)} onClick=${() => choose(o)}>${label}</button></li>`)}</ul>`;
}

// Journey plans a move between two places and books it: to the center, or back from it.
function Journey({ data, done, reload, cancel, path, ends }) {
  const [plan, setPlan] = useState(null);
  const c = data.case;
  const names = cities().map((x) => ({ value: x.code, label: language === 'zh' ? x.zh : x.en }));
  const book = async (optionKey, requestId) => {
    await post(path, { requestId, referralId: c.referralId, patientId: c.patientId, fromOrganisation: ends.from, toOrganisation: ends.to, ...plan.asked, optionKey });
    done();
  };
  return html`<${Form} submit=${t('plan.find')} what=${t('plan.find')} onCancel=${cancel} reload=${reload} onDone=${setPlan} fields=${[
      ends.leaves ? { name: 'city', label: t('plan.destination'), type: 'select', required: true, value: data.patient?.residenceCity, options: names, path: 'destination_city' }
        : { name: 'city', label: t('plan.origin'), type: 'select', required: true, value: data.patient?.residenceCity, options: names, path: 'origin_city' },
      { name: 'after', label: t('plan.after'), type: 'datetime', required: true, value: localInput(Date.now() + 3600000), path: 'not_before' },
      { heading: t('cl.travel') }, ...fitnessFields(''),
    ]} send=${async (v) => {
      const [originCity, destinationCity] = ends.leaves ? [c.centerCity, v.city] : [v.city, c.centerCity];
      const asked = { originCity, destinationCity, notBefore: fromInput(v.after), fitness: fit(v) };
      return { asked, ...(await post('/v1/transfers:plan', asked)) };
    }} />
    ${plan && html`<${Ways} options=${plan.options} book=${book} label=${t('plan.book')} />
      ${plan.refused?.length > 0 && html`<h3>${t('plan.refused')}</h3><ul class="bullets">${plan.refused.map((r) => html`<li>${enumWord('mode', r.mode)}: ${pick(r, 'because')}</li>`)}</ul>`}
      ${plan.fasterRefused?.itinerary && html`<h3>${t('plan.faster')}</h3><p><${Way} of=${plan.fasterRefused.itinerary} /></p><ul class="bullets">${(language === 'zh' ? plan.fasterRefused.againstZh : plan.fasterRefused.againstEn).map((a) => html`<li><${Icon} name="alert" /> ${a}</li>`)}</ul>`}`}`;
}

export const Plan = (props) => html`<${Journey} ...${props} path="/v1/transfers" ends=${{ from: props.data.case.referringOrganisation, to: props.data.case.centerId }} />`;
export const Back = (props) => html`<${Journey} ...${props} path="/v1/transfers:back" ends=${{ from: props.data.case.centerId, to: props.data.case.localHospital || props.data.case.referringOrganisation, leaves: true }} />`;

// Onward plans the rest of a move anew from where the patient is.
export function Onward({ data, done, cancel }) {
  const path = '/v1/transfers/' + data.transfer.transferId;
  const found = useData(() => get(path + '/onward'), [data.transfer?.etag]);
  return html`<${Load} ...${found}>${(ways) => html`<${Ways} options=${ways.options || []} none=${pick(ways, 'noneBecause')} label=${t('plan.take')}
      book=${async (optionKey, requestId) => { await post(path + ':replan', { requestId, etag: data.transfer?.etag, optionKey }); done(); }} />
    <p><button type="button" onClick=${cancel}>${t('form.cancel')}</button></p>`}<//>`;
}
