// What the caller can do now: the API says which calls of the case, their records say which besides; each has its form here.
import { Deadline, Empty, html, Icon, Section, useEffect, useId, useRef, useState } from '../ui.js';
import { pick, t, words } from '../i18n.js';
import { Form } from '../forms.js';
import { besides, drawn, sendCall, specOf } from './calls.js';
import './calls/referral.js';
import './calls/records.js';

words({
  'act.title': ['下一步操作', 'What you can do now'], 'act.none': ['目前无需您操作。', 'Nothing waits for you now.'], 'act.more': ['其他操作', 'Other actions'], 'act.done': ['已完成：{what}', 'Done: {what}'],
  'act.unknown': ['此操作请通过接口文档页完成。', 'Send this one from the API page.'],
});

// rare actions stand below the others: they end or stop something.
const rare = new Set(['CloseReferral', 'SuspendClock', 'AbortTransfer', 'DivertTransfer', 'RecordCourse', 'Readmit', 'RecordPrescription', 'RescheduleAdmission', 'CorrectDeath']);

export function Actions({ data, reload }) {
  const [open, setOpen] = useState('');
  const [told, setTold] = useState('');
  const part = useRef(null);
  const actions = data.case.availableActions || [];
  const first = actions.filter((a) => !rare.has(a.action));
  const others = [...actions.filter((a) => rare.has(a.action)), ...besides(data)];
  const keyOf = (a) => a.action + (a.labelEn || '');
  useEffect(() => { if (open && ![...first, ...others].some((a) => keyOf(a) === open)) setOpen(''); }, [data]);
  // A form that is done is gone: who works by keyboard goes on where the next action is.
  const done = (a) => {
    setOpen('');
    setTold(t('act.done', { what: nameOf(a) }));
    reload();
    part.current?.focus({ preventScroll: true });
  };
  const list = (some) => html`<ul class="actions">${some.map((a) => html`<${Action} key=${keyOf(a)} action=${a} data=${data} open=${open === keyOf(a)}
    toggle=${() => { setOpen(open === keyOf(a) ? '' : keyOf(a)); setTold(''); }} done=${() => done(a)} reload=${reload} />`)}</ul>`;
  return html`<${Section} title=${t('act.title')} id="actions">
    <div ref=${part} tabindex="-1" class="actions-part">
      ${told && html`<p class="notice good"><${Icon} name="done" /> ${told}</p>`}
      ${first.length ? list(first) : html`<${Empty} text=${t('act.none')} />`}
      ${others.length > 0 && html`<details class="others"><summary>${t('act.more')} (${others.length})</summary>${list(others)}</details>`}
    </div><//>`;
}

const nameOf = (a) => a.label || pick(a, 'label');

function Action({ action, data, open, toggle, done, reload }) {
  const spec = specOf(action.action);
  const panel = useId('action');
  const body = useRef(null);
  const button = useRef(null);
  useEffect(() => { if (open) body.current?.querySelector('input, select, textarea, button')?.focus(); }, [open]);
  const close = () => { toggle(); button.current?.focus(); };
  const escape = (e) => { if (e.key === 'Escape' && open) { e.stopPropagation(); close(); } };
  const name = nameOf(action);
  return html`<li class=${open ? 'open' : ''} onKeyDown=${escape}>
    <button type="button" class="action" ref=${button} aria-expanded=${open} aria-controls=${panel} onClick=${toggle}>
      <${Icon} name=${open ? 'cross' : 'out'} /> <span>${name}</span></button>
    ${action.deadline && html`<${Deadline} of=${action.deadline} />`}
    <div id=${panel} hidden=${!open} ref=${body}>${open && (spec ? html`<${Call} spec=${spec} name=${name} data=${data} action=${action} done=${done} reload=${reload} cancel=${close} />`
      : html`<p class="notice"><code>${action.action}</code> — <a href="/docs">${t('act.unknown')}</a></p>`)}</div>
  </li>`;
}

// Call is the form of one call, or the view that draws it.
function Call({ spec, name, data, action, done, reload, cancel }) {
  if (spec.view) return html`<${spec.view} data=${data} action=${action} done=${done} reload=${reload} cancel=${cancel} />`;
  const fields = spec.draw ? spec.draw(data) : drawn(spec, data, action);
  return html`<${Form} fields=${fields} intro=${fields.length ? '' : t('f.nothing')} submit=${name} tone=${spec.danger ? 'danger' : 'primary'} what=${name}
    send=${(values, key) => sendCall(spec, data, values, key)} onDone=${done} onCancel=${cancel} reload=${reload} />`;
}
