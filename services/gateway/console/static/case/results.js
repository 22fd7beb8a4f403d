// Results of examinations with where they come from, and their mutual recognition 互认: what is recognised is not repeated.
import { Badge, html, Icon, Load, Section, Table, useData, useState } from '../ui.js';
import { enumWord, language, pick, t, words } from '../i18n.js';
import { get } from '../api.js';
import { today, when, yuan } from '../format.js';
import { Form } from '../forms.js';
import { hasRole, me } from '../session.js';
import { call, choice, comment, drawn, own, prefixed, sendCall, specOf } from './calls.js';

words({
  'res.title': ['检查检验结果与互认', 'Results and their recognition'], 'res.none': ['还没有结果。', 'No results yet.'], 'res.item': ['项目', 'Item'], 'res.value': ['结果', 'Result'], 'res.from': ['检查机构与日期', 'Performed'], 'res.valid': ['互认有效期', 'May be recognised'], 'res.expired': ['已过有效期', 'no longer'], 'res.until': ['至 {day}', 'until {day}'],
  'res.judged': ['互认情况', 'Judged'], 'res.judge': ['判定', 'Judge'], 'res.add': ['登记结果', 'Record a result'], 'res.saved': ['节省 {sum}', 'saved {sum}'], 'res.performedBy': ['检查机构（默认本机构）', 'Performed by (yours unless another)'], 'res.performedOn': ['检查日期', 'Day of the examination'],
  'res.method': ['方法', 'Method'], 'res.number': ['数值', 'Number'], 'res.unit': ['单位', 'Unit'], 'res.text': ['所见', 'What was found'], 'res.mark': ['互认标识', 'Mark'], 'res.decision': ['判定', 'Decision'], 'res.reason': ['需重复检查的原因', 'Why it is repeated'],
  'mark.RECOGNITION_MARK_CITY': ['全市互认', 'City'], 'mark.RECOGNITION_MARK_PROVINCE': ['全省互认', 'Province'], 'mark.RECOGNITION_MARK_REGION': ['区域互认', 'Region'], 'mark.RECOGNITION_MARK_NATIONAL': ['全国互认 HR', 'National, HR'],
  'judge.DECISION_RECOGNISED': ['互认，不再重复', 'Recognised: not repeated'], 'judge.DECISION_REPEAT_NEEDED': ['需重复检查', 'To be repeated'],
});

let known = null; // the catalogue is read once a session
const catalogue = () => (known ||= get('/v1/resultItems').catch((err) => { known = null; throw err; }));

// An item is a number with a unit of its own, or a text: what does not fit it is not asked.
const unitsOf = (v, d) => d.items.find((i) => i.code === v.itemCode)?.units;
const counted = (v, d) => unitsOf(v, d)?.length > 0;
call('RecordResult', {
  of: 'patient', verb: '/results', etag: false,
  fields: [
    { name: 'itemCode', label: 'res.item', type: 'select', required: true, wide: true, values: (d) => d.items.map((i) => ({ value: i.code, label: pick(i, 'name') })) },
    { name: 'performedOn', label: 'res.performedOn', type: 'date', required: true, value: () => today() },
    { name: 'performedBy', label: 'res.performedBy', maxLength: 32, hint: () => me()?.organisation },
    { name: 'value', label: 'res.number', type: 'number', required: true, when: counted },
    { name: 'unit', label: 'res.unit', type: 'select', required: true, when: counted, narrow: unitsOf, values: (d) => [...new Set(d.items.flatMap((i) => i.units))] },
    { name: 'text', label: 'res.text', type: 'textarea', required: true, wide: true, maxLength: 2000, when: (v, d) => unitsOf(v, d)?.length === 0 },
    { name: 'method', label: 'res.method', maxLength: 64 },
    choice('mark', 'res.mark', 'mark', prefixed('RECOGNITION_MARK_', ['CITY', 'PROVINCE', 'REGION', 'NATIONAL']), { required: false }),
  ],
});
const repeated = (v) => v.decision === 'DECISION_REPEAT_NEEDED';
call('JudgeResult', {
  of: 'result', verb: ':judge', etag: false,
  fields: [
    choice('decision', 'res.decision', 'judge', prefixed('DECISION_', ['RECOGNISED', 'REPEAT_NEEDED']), { type: 'radios', wide: true }),
    { name: 'reason', label: 'res.reason', type: 'select', required: true, wide: true, when: repeated, values: (d) => d.reasons.map((r) => ({ value: r.code, label: r[language] })) },
    comment((v, d) => repeated(v) && d.reasons.find((r) => r.code === v.reason)?.commentRequired, { maxLength: 500 }),
  ],
});

function Judgements({ of, reasons }) {
  return html`${of.filter((j) => !j.replaced).map((j) => html`<p key=${j.organisation}><${Badge} tone=${j.decision === 'DECISION_RECOGNISED' ? 'good' : 'warn'} icon=${j.decision === 'DECISION_RECOGNISED' ? 'done' : 'alert'}>${enumWord('judge', j.decision)}<//>
    <code>${j.organisation}</code> <span class="quiet small">${[when(j.judgeTime), Number(j.avoidedFen) > 0 && t('res.saved', { sum: yuan(Number(j.avoidedFen)) }), reasons.find((r) => r.code === j.reason)?.[language], j.comment].filter(Boolean).join(' · ')}</span></p>`)}`;
}

// One is the form of a call on a result, or on the patient for a new one.
function One({ name, label, data, done, cancel }) {
  const spec = specOf(name);
  return html`<${Form} fields=${drawn(spec, data)} submit=${label} what=${label} send=${(v, key) => sendCall(spec, data, v, key)} onDone=${done} onCancel=${cancel} />`;
}

export function Results({ data }) {
  const [open, setOpen] = useState('');
  const id = data.case.patientId;
  const found = useData(async () => {
    const [list, { items, reasons }] = await Promise.all([get(`/v1/patients/${id}/results`, { pageSize: 200 }), catalogue()]);
    return { results: list.results || [], items: items || [], reasons: reasons || [] };
  }, [id], (e) => e.referralId === data.case.referralId);
  // Whoever may not see the results has no such part.
  if ([403, 404].includes(found.error?.status)) return null;
  const may = hasRole('coordinator', 'center');
  const close = () => setOpen('');
  const done = () => { close(); found.reload(); };
  return html`<${Section} title=${t('res.title')} id="results"><${Load} ...${found}>${({ results, items, reasons }) => {
    const nameOf = (r) => pick(items.find((i) => i.code === r.itemCode), 'name') || r.itemCode;
    const judged = results.find((r) => r.resultId === open);
    return html`<${Table} caption=${t('res.title')} rowKey=${(r) => r.resultId} rows=${results} empty=${t('res.none')} columns=${[
        { title: t('res.item'), cell: (r) => html`${nameOf(r)} <span class="quiet small">${r.method}</span>` },
        { title: t('res.value'), cell: (r) => (r.unit ? html`<b>${r.value}</b> ${r.unit}` : r.text) },
        { title: t('res.from'), cell: (r) => html`<code>${r.performedBy}</code> ${r.performedOn}` },
        { title: t('res.valid'), cell: (r) => html`${r.mark !== 'RECOGNITION_MARK_UNSPECIFIED' && enumWord('mark', r.mark)} ${r.expired ? html`<${Badge} tone="warn" icon="clock">${t('res.expired')}<//>` : html`<span class="quiet small">${t('res.until', { day: r.validUntil })}</span>`}` },
        {
          title: t('res.judged'), cell: (r) => html`<${Judgements} of=${r.judgements || []} reasons=${reasons} />
            ${may && !own(r.performedBy) && html`<button type="button" aria-expanded=${open === r.resultId} aria-label=${t('res.judge') + ' ' + nameOf(r)} onClick=${() => setOpen(open === r.resultId ? '' : r.resultId)}>${t('res.judge')}</button>`}`,
        },
      ]} />
      ${judged && html`<h3>${t('res.judge')}: ${nameOf(judged)}</h3><${One} key=${open} name="JudgeResult" label=${t('res.judge')} data=${{ ...data, result: judged, reasons }} done=${done} cancel=${close} />`}
      ${may && html`<p class="row"><button type="button" aria-expanded=${open === 'add'} onClick=${() => setOpen(open === 'add' ? '' : 'add')}><${Icon} name="plus" /> ${t('res.add')}</button></p>`}
      ${open === 'add' && html`<${One} name="RecordResult" label=${t('res.add')} data=${{ ...data, items }} done=${done} cancel=${close} />`}`;
  }}<//><//>`;
}
