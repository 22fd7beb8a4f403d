// What pages are made of.
import { html, render, useEffect, useMemo, useRef, useState } from './vendor/preact-htm.js';
import { enumWord, language, t, words } from './i18n.js';
import { left, remaining, whenFull } from './format.js';
import { onEvent } from './live.js';

export { html, render, useEffect, useMemo, useRef, useState };

words({
  'ui.loading': ['正在读取…', 'Loading…'], 'ui.again': ['重试', 'Try again'], 'ui.trace': ['追踪号 {id}', 'trace {id}'],
  'ui.none': ['暂无内容', 'Nothing here'], 'ui.more': ['显示更多', 'Show more'], 'ui.suspended': ['计时已暂停：{why}', 'Clock stopped: {why}'], 'ui.noclock': ['无时限', 'no deadline'],
  'urgency.URGENCY_ROUTINE': ['常规', 'Routine'], 'urgency.URGENCY_URGENT': ['紧急', 'Urgent'], 'urgency.URGENCY_EMERGENCY': ['急救', 'Emergency'],
  'organ.ORGAN_KIDNEY': ['肾', 'Kidney'], 'organ.ORGAN_LIVER': ['肝', 'Liver'], 'organ.ORGAN_HEART': ['心', 'Heart'], 'organ.ORGAN_LUNG': ['肺', 'Lung'],
  'organ.ORGAN_PANCREAS': ['胰', 'Pancreas'], 'organ.ORGAN_SMALL_BOWEL': ['小肠', 'Small bowel'],
});

let ids = 0;
export const useId = (name) => useMemo(() => name + '-' + ++ids, []);

// useNow is the time, again every so often.
export function useNow(every = 30000) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, []);
  return now;
}

const quiet = 200;

// useData reads, and reads again when an event concerns it (by default: any). What it had stays meanwhile, and an answer
// that was overtaken by a later read is dropped.
export function useData(read, deps, concerns = () => true) {
  const [state, setState] = useState({ data: undefined, error: null, loading: true });
  const turn = useRef(0);
  const timer = useRef(0);
  const latest = useRef(null);
  latest.current = { read, concerns };
  const load = async (keep) => {
    const mine = ++turn.current;
    setState((s) => ({ data: keep ? s.data : undefined, error: keep ? s.error : null, loading: true }));
    try {
      const data = await latest.current.read();
      if (mine === turn.current) setState({ data, error: null, loading: false });
    } catch (error) {
      if (mine === turn.current) setState((s) => ({ data: s.data, error, loading: false }));
    }
  };
  useEffect(() => {
    load(false);
    return () => { turn.current++; };
  }, deps);
  useEffect(() => {
    const off = onEvent((event) => {
      if (event && !latest.current.concerns(event)) return;
      clearTimeout(timer.current);
      timer.current = setTimeout(() => load(true), quiet);
    });
    return () => { off(); clearTimeout(timer.current); };
  }, []);
  return { ...state, reload: () => load(true) };
}

// Load shows what is being read: the data as children draw it, or why there is none.
export function Load({ data, error, reload, children }) {
  const draw = Array.isArray(children) ? children[0] : children;
  return html`
    ${error && html`<${Problem} error=${error} again=${reload} />`}
    ${data === undefined && !error && html`<p class="quiet" role="status">${t('ui.loading')}</p>`}
    ${data !== undefined && draw(data)}`;
}

// Problem says what was refused and what can be done.
export function Problem({ error, again }) {
  return html`<div class="notice bad" role="alert">
    <p><${Icon} name="alert" /> <strong>${error.text || error.message}</strong></p>
    ${error.whatToDo && html`<p>${error.whatToDo}</p>`}
    <p class="quiet small">${error.reason}${error.trace ? ' · ' + t('ui.trace', { id: error.trace }) : ''}</p>
    ${again && html`<button type="button" onClick=${again}>${t('ui.again')}</button>`}
  </div>`;
}

export function Section({ title, id, actions, children, className = '' }) {
  const heading = useId('h');
  return html`<section class=${'panel ' + className} id=${id} aria-labelledby=${heading}>
    <header class="panel-head"><h2 id=${heading}>${title}</h2>${actions}</header>
    ${children}
  </section>`;
}

export const Empty = ({ text }) => html`<p class="empty quiet">${text || t('ui.none')}</p>`;

// Table is a table on a wide screen and a list of cards on a narrow one. The roles are spelled out: a table that is not
// displayed as one loses its own. A narrow one fits a phone as it is.
export function Table({ caption, columns, rows, rowKey, empty, narrow }) {
  if (!rows.length) return html`<${Empty} text=${empty} />`;
  return html`<table role="table" class=${narrow ? 'narrow' : 'cards'}>
    <caption class="unseen">${caption}</caption>
    <thead role="rowgroup"><tr role="row">${columns.map((c) => html`<th role="columnheader" scope="col" class=${c.number ? 'number' : ''}>${c.title}</th>`)}</tr></thead>
    <tbody role="rowgroup">${rows.map((row) => html`<tr role="row" key=${rowKey(row)}>
      ${columns.map((c) => html`<td role="cell" class=${c.number ? 'number' : ''} data-label=${c.title}><div>${c.cell(row)}</div></td>`)}
    </tr>`)}</tbody>
  </table>`;
}

const icons = {
  alert: 'M12 3 2 20h20L12 3zm0 6v5m0 3v.5', clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 4v5l3 2', done: 'M4 12l5 5L20 6', pause: 'M8 5v14M16 5v14',
  dot: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z', cross: 'M6 6l12 12M18 6 6 18', live: 'M4 12h4l2-6 4 12 2-6h4', plus: 'M12 5v14M5 12h14',
  bed: 'M3 18v-9m0 5h18v4m0-4c0-3-2-5-5-5h-5v5', road: 'M7 20 10 4m7 16L14 4M12 6v2m0 3v2m0 3v2', people: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zm-6 8c0-4 3-5 6-5s6 1 6 5m2-8a3 3 0 0 0 0-6m6 14c0-3-1-5-4-5',
  note: 'M6 3h9l4 4v14H6zM9 12h7M9 16h7', heart: 'M12 20S4 15 4 9a4 4 0 0 1 8-1 4 4 0 0 1 8 1c0 6-8 11-8 11z', out: 'M14 4h6v16h-6M4 12h11m-4-4 4 4-4 4', list: 'M5 6h14M5 12h14M5 18h9', bell: 'M6 17v-6a6 6 0 0 1 12 0v6l2 2H4zm4 2a2 2 0 0 0 4 0',
};

// Icon is a picture beside a word, never instead of one.
export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${icons[name] || icons.dot} /></svg>`;

export const Badge = ({ tone = 'plain', icon, children }) => html`<span class=${'badge ' + tone}>${icon && html`<${Icon} name=${icon} />`}${children}</span>`;

const urgencies = { URGENCY_EMERGENCY: ['bad', 'alert'], URGENCY_URGENT: ['warn', 'clock'], URGENCY_ROUTINE: ['plain', ''] };
export const Urgency = ({ of }) => html`<${Badge} tone=${urgencies[of]?.[0]} icon=${urgencies[of]?.[1]}>${enumWord('urgency', of)}<//>`;

const hour = 3600000;

// Deadline is the time left of a clock: what presses is marked by icon, words and colour.
export function Deadline({ of, suspended }) {
  const now = useNow();
  if (suspended) return html`<${Badge} tone="warn" icon="pause">${t('ui.suspended', { why: suspended })}<//>`;
  if (!of) return html`<span class="quiet">${t('ui.noclock')}</span>`;
  const ms = remaining(of, now);
  const tone = ms < 0 ? 'bad' : ms < 4 * hour ? 'warn' : 'plain';
  return html`<span class="deadline"><${Badge} tone=${tone} icon=${ms < 0 ? 'alert' : 'clock'}>${left(ms)}<//> <time datetime=${of} class="quiet small">${whenFull(of)}</time></span>`;
}

// announce reads a sentence to whoever does not see the page change.
export function announce(text) {
  const at = document.getElementById('announcer');
  if (at) at.textContent = at.textContent === text ? text + ' ' : text;
}

export const Facts = ({ list }) => html`<dl class="facts">${list.filter((f) => f && f[1] !== undefined && f[1] !== '' && f[1] !== null && f[1] !== false)
  .map(([k, v]) => html`<div><dt>${k}</dt><dd>${v}</dd></div>`)}</dl>`;

export const lang = () => language;
