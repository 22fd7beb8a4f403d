// A list of what can be done with a record: each call opens its form where it stands.
import { Deadline, Empty, html, Icon, Section, useEffect, useId, useRef, useState } from './ui.js';
import { pick, t, words } from './i18n.js';
import { Form } from './forms.js';
import { drawn, offered, sendCall, specOf } from './case/calls.js';

words({
  'act.none': ['目前无需您操作。', 'Nothing waits for you now.'], 'act.more': ['其他操作', 'Other actions'], 'act.done': ['已完成：{what}', 'Done: {what}'],
  'act.unknown': ['此操作请通过接口文档页完成。', 'Send this one from the API page.'],
});

// Doing shows first and, folded, the others; onAnswer is told what the line answered.
export function Doing({ title, id, first, others = [], data, reload, onAnswer, empty }) {
  const [open, setOpen] = useState('');
  const [told, setTold] = useState('');
  const part = useRef(null);
  const keyOf = (a) => a.action + (a.labelEn || '');
  useEffect(() => { if (open && ![...first, ...others].some((a) => keyOf(a) === open)) setOpen(''); }, [data]);
  // A form that is done is gone: who works by keyboard goes on where the next action is.
  const done = (a, answer) => {
    setOpen('');
    setTold(t('act.done', { what: nameOf(a) }));
    onAnswer?.(a.action, answer);
    reload();
    part.current?.focus({ preventScroll: true });
  };
  const list = (some) => html`<ul class="actions">${some.map((a) => html`<${Action} key=${keyOf(a)} action=${a} data=${data} open=${open === keyOf(a)}
    toggle=${() => { setOpen(open === keyOf(a) ? '' : keyOf(a)); setTold(''); }} done=${(answer) => done(a, answer)} reload=${reload} />`)}</ul>`;
  return html`<${Section} title=${title} id=${id}>
    <div ref=${part} tabindex="-1" class="actions-part">
      ${told && html`<p class="notice good"><${Icon} name="done" /> ${told}</p>`}
      ${first.length ? list(first) : html`<${Empty} text=${empty || t('act.none')} />`}
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

// RowCall reads its row when it is drawn, after the table: a version that is no longer current is then the one just read.
const RowCall = ({ row, ...call }) => html`<${Call} data=${row()} ...${call} />`;

// useRowCalls are the calls on the rows of a table: buttons in a row, and below the table the form of the one that is open.
export function useRowCalls(kind, reload) {
  const [open, setOpen] = useState(null);
  const [told, setTold] = useState('');
  const from = useRef(null);
  const body = useRef(null);
  const rows = useRef({});
  const key = (a, named) => a.action + ' ' + named;
  useEffect(() => { if (open) body.current?.querySelector('form input, form select, form textarea, form button')?.focus(); }, [open?.key]);
  const close = () => { setOpen(null); from.current?.focus(); };
  const buttons = (d, named) => html`<span class="row">${offered(kind, d).map((a) => { rows.current[key(a, named)] = d; return html`<button type="button" key=${a.action} aria-expanded=${open?.key === key(a, named)} aria-label=${a.label + ' ' + named}
    onClick=${(e) => { from.current = e.currentTarget; setTold(''); setOpen(open?.key === key(a, named) ? null : { key: key(a, named), a, named }); }}>${a.label}</button>`; })}</span>`;
  const done = () => { setTold(t('act.done', { what: open.a.label + ' ' + open.named })); setOpen(null); reload(); body.current?.focus({ preventScroll: true }); };
  const form = html`<div ref=${body} tabindex="-1" class="actions-part" onKeyDown=${(e) => { if (e.key === 'Escape' && open) { e.stopPropagation(); close(); } }}>
    ${told && html`<p class="notice good" role="status"><${Icon} name="done" /> ${told}</p>`}
    ${open && html`<section class="row-call" aria-label=${open.a.label}><h3>${open.a.label} <span class="quiet">${open.named}</span></h3>
      <${RowCall} key=${open.key} row=${() => rows.current[open.key]} spec=${specOf(open.a.action)} name=${open.a.label} action=${open.a} done=${done} reload=${reload} cancel=${close} /></section>`}</div>`;
  return { buttons, form };
}
