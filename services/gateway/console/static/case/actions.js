// What the caller can do now: the API says which calls, each has its form here.
import { Deadline, Empty, html, Icon, Section, useEffect, useId, useRef, useState } from '../ui.js';
import { pick, t, words } from '../i18n.js';
import { Form } from '../forms.js';
import { specOf } from './calls.js';

words({
  'act.title': ['下一步操作', 'What you can do now'], 'act.none': ['目前无需您操作。', 'Nothing waits for you now.'], 'act.more': ['其他操作', 'Other actions'],
  'act.unknown': ['此操作请通过接口文档页完成。', 'Send this one from the API page.'], 'act.busy': ['系统正在处理，页面会自动更新。', 'The line is at work; the page follows by itself.'],
});

// rare actions stand below the others: they end or stop something.
const rare = new Set(['CloseReferral', 'SuspendClock', 'AbortTransfer', 'RecordCourse', 'Readmit', 'RecordPrescription']);

export function Actions({ data, reload }) {
  const [open, setOpen] = useState('');
  const actions = data.case.availableActions || [];
  const first = actions.filter((a) => !rare.has(a.action));
  const others = actions.filter((a) => rare.has(a.action));
  const keyOf = (a) => a.action + a.labelEn;
  useEffect(() => { if (open && !actions.some((a) => keyOf(a) === open)) setOpen(''); }, [data]);
  const list = (some) => html`<ul class="actions">${some.map((a) => html`<${Action} key=${keyOf(a)} action=${a} data=${data} open=${open === keyOf(a)}
    toggle=${() => setOpen(open === keyOf(a) ? '' : keyOf(a))} done=${() => { setOpen(''); reload(); }} reload=${reload} />`)}</ul>`;
  return html`<${Section} title=${t('act.title')} id="actions">
    ${first.length ? list(first) : html`<${Empty} text=${t('act.none')} />`}
    ${others.length > 0 && html`<details class="others"><summary>${t('act.more')} (${others.length})</summary>${list(others)}</details>`}
  <//>`;
}

function Action({ action, data, open, toggle, done, reload }) {
  const spec = specOf(action.action);
  const panel = useId('action');
  const body = useRef(null);
  useEffect(() => { if (open) body.current?.querySelector('input, select, textarea, button')?.focus(); }, [open]);
  return html`<li class=${open ? 'open' : ''}>
    <button type="button" class="action" aria-expanded=${open} aria-controls=${panel} onClick=${toggle}>
      <${Icon} name=${open ? 'cross' : 'out'} /> <span>${pick(action, 'label')}</span></button>
    ${action.deadline && html`<${Deadline} of=${action.deadline} />`}
    <div id=${panel} hidden=${!open} ref=${body}>${open && (spec
      ? spec.view ? html`<${spec.view} data=${data} action=${action} done=${done} reload=${reload} cancel=${toggle} />`
        : html`<${Form} fields=${spec.fields(data, action)} intro=${spec.intro?.(data)} submit=${spec.submit?.() || pick(action, 'label')} tone=${spec.danger ? 'danger' : 'primary'} what=${pick(action, 'label')}
            send=${(values, key) => spec.send(data, values, key, action)} onDone=${done} onCancel=${toggle} reload=${reload} />`
      : html`<p class="notice"><code>${action.action}</code> — <a href="/docs">${t('act.unknown')}</a></p>`)}</div>
  </li>`;
}
