// A call that a case can offer is data: the record it is about, its verb, and its fields. From this follow its form, its
// request, and what the contract's test compares with the protos. The line checks everything; what is said here only spares
// a round trip.
//
// call(name of the RPC, {
//   of, verb      the record whose address and version the call carries, and what is appended to it; to: an address instead
//   fields        fields as forms.js has them, with words in place of texts, and:
//                   group, values  options: words of the group, values or a function of the page's data
//                   value          what stands there at first, or a function of the page's data
//                   when, required, narrow  of the form's values and the page's data
//                   local          the field steers the form and is not sent
//   fixed         values that the page knows, by name
//   beside        {label, roles, when}: the case's own table does not list this call; it belongs to one of its records
//   offer         {at, label, roles, when}: a page other than the case's offers it, beside a record of the kind at
//   shape         what is sent, of the body made from the fields
//   view          a form that draws itself
// })
import { enumWord, has, language, t, words } from '../i18n.js';
import { post, put as replace } from '../api.js';
import { at, clean, put } from '../forms.js';
import { fromInput } from '../format.js';
import { hasRole, me } from '../session.js';

words({
  'f.comment': ['说明', 'Comment'], 'f.nothing': ['确认后立即生效。', 'Takes effect at once.'], 'f.why': ['原因', 'Reason'],
});

const calls = new Map();

export const call = (name, spec) => calls.set(name, { name, fields: [], ...spec });
export const specOf = (name) => calls.get(name);

export const own = (organisation) => Boolean(organisation) && organisation === me()?.organisation;
export const offerOf = (d) => {
  const open = d.offers.filter((o) => o.status === 'OFFER_STATUS_OPEN');
  return open.find((o) => own(o.centerId)) || open[0];
};
export const acceptedOf = (d) => d.offers.find((o) => o.offerId === d.case.offerId);

const records = {
  referral: (d) => ['/v1/referrals/' + d.case.referralId, d.case.etag],
  offer: (d) => ['/v1/offers/' + offerOf(d)?.offerId, offerOf(d)?.etag],
  accepted: (d) => ['/v1/offers/' + d.case.offerId, acceptedOf(d)?.etag],
  transfer: (d) => ['/v1/transfers/' + (d.transfer?.transferId || d.case.transferId), d.transfer?.etag],
  claim: (d) => ['/v1/claims/' + d.case.claimId, d.claim?.etag],
  filing: (d) => ['/v1/filings/' + d.case.filingId, d.filing?.etag],
  patient: (d) => ['/v1/patients/' + d.case.patientId, d.patient?.etag],
  result: (d) => [`/v1/patients/${d.case.patientId}/results/${d.result.resultId}`],
};

// record adds a kind of record with its address and version; sample has its ids as the protos write them.
const samples = {};
export function record(name, address, sample) {
  records[name] = address;
  Object.assign(samples, sample);
}

// A comment, and a choice of words of a group.
export const comment = (required, more) => ({ name: 'comment', label: 'f.comment', type: 'textarea', wide: true, maxLength: 1000, required, ...more });
export const choice = (name, label, group, values, more) => ({ name, label, group, values, type: 'select', required: true, ...more });
export const prefixed = (prefix, names) => names.map((n) => prefix + n);

const asControl = { lines: 'textarea', codes: 'text', numbers: 'text', yuan: 'number', percent: 'number', windows: 'text', seen: 'select' };
const split = (text) => String(text).split(/[,，;；、\s]+/).filter(Boolean);
const asSent = {
  datetime: fromInput,
  lines: (text) => text.split('\n').map((l) => l.trim()).filter(Boolean),
  codes: split,
  numbers: (text) => split(text).map((n) => (Number.isNaN(Number(n)) ? n : Number(n))),
  yuan: (amount) => ({ fen: String(Math.round(amount * 100)) }),
  percent: (part) => Math.round(part * 100),
  windows: (text) => split(text).map(window),
  seen: Number,
};
// A part of a day such as 08:00-12:30, in minutes; what is none is sent as it is and refused at its field.
function window(text) {
  const found = /^(\d{1,2}):(\d{2})[-–—~至](\d{1,2}):(\d{2})$/.exec(text);
  return found ? { fromMinute: found[1] * 60 + Number(found[2]), toMinute: found[3] * 60 + Number(found[4]) } : { fromMinute: text };
}

// drawn are the fields as a form draws them, in the reader's language.
export function drawn(spec, d, action) {
  const given = (v) => (typeof v === 'function' ? v(d, action) : v);
  const bound = (f) => (typeof f === 'function' ? (values) => f(values, d) : f);
  return spec.fields.filter((f) => !f.only || f.only(d)).map((f) => (f.heading ? { heading: t(f.heading) } : {
    ...f, type: asControl[f.type] || f.type, label: t(f.label), help: f.help && t(f.help), hint: given(f.hint), value: given(f.value), when: bound(f.when), required: bound(f.required), narrow: bound(f.narrow),
    options: given(f.values)?.map((v) => (typeof v === 'object' ? v : { value: v, label: f.group ? enumWord(f.group, v) : String(v) })),
  }));
}

// request is where a call goes and what it carries: only what the reader saw is sent.
export function request(spec, d, values, requestId) {
  const [path, etag] = spec.of ? records[spec.of](d) : [spec.to];
  let body = {};
  for (const f of spec.fields) {
    const value = f.name && at(values, f.name);
    if (value === undefined || value === '' || f.local || (f.when && !f.when(values, d))) continue;
    body = put(body, f.name, f.body ? f.body(value) : asSent[f.type] ? asSent[f.type](value) : value);
  }
  body = { ...clean(body), requestId, ...(spec.of && spec.etag !== false ? { etag } : {}) };
  for (const [name, value] of Object.entries(spec.fixed?.(d, values) || {})) if (at(body, name) === undefined) body = put(body, name, value);
  return { path: path + (spec.verb || ''), body };
}

export function sendCall(spec, d, values, requestId) {
  if (spec.send) return spec.send(d, values, requestId);
  const { path, body } = request(spec, d, values, requestId);
  return (spec.put ? replace : post)(path, spec.shape ? spec.shape(body, d, values) : body);
}

// besides are the calls on the case's records that the caller's role has, and that the record's state is for. The line decides.
export const besides = (d) => [...calls.values()]
  .filter((s) => s.beside && hasRole(...s.beside.roles) && s.beside.when(d) && !(d.case.availableActions || []).some((a) => a.action === s.name))
  .map((s) => ({ action: s.name, label: t(s.beside.label), beside: true }));

// offered are the calls that a page offers beside a record, to the caller's role and by the record's state.
export const offered = (kind, d) => [...calls.values()]
  .filter((s) => s.offer?.at === kind && hasRole(...s.offer.roles) && (!s.offer.when || s.offer.when(d)))
  .map((s) => ({ action: s.name, label: t(s.offer.label) }));

// catalogue is every call as the test of the contract reads it; ids stand as the protos write them.
export function catalogue() {
  const d = {
    case: { referralId: '{referral_id}', offerId: '{offer_id}', transferId: '{transfer_id}', claimId: '{claim_id}', filingId: '{filing_id}', patientId: '{patient_id}' },
    offers: [{ status: 'OFFER_STATUS_OPEN', offerId: '{offer_id}' }], result: { resultId: '{result_id}' }, ...samples,
  };
  return [...calls.values()].map((s) => ({
    rpc: s.name, verb: s.put ? 'PUT' : 'POST', view: Boolean(s.view), roles: (s.beside || s.offer)?.roles || [], path: s.view || s.send ? s.path : request(s, d, {}, '').path,
    etag: Boolean(s.of) && s.etag !== false, sends: [...s.fields.filter((f) => f.name && !f.local).map((f) => f.name), ...(s.fixedNames || [])],
    fields: s.fields.filter((f) => f.name && !f.local).map((f) => ({ name: f.name, chosen: Boolean(f.values), maxLength: f.maxLength || 0, values: Array.isArray(f.values) ? f.values.filter((v) => typeof v === 'string') : [] })),
    wordless: [(s.beside || s.offer)?.label, ...s.fields.flatMap((f) => [f.label, f.heading, f.help, ...(f.group && Array.isArray(f.values) ? f.values.map((v) => f.group + '.' + v) : [])])].filter((k) => k && !has(k)),
    language,
  }));
}
