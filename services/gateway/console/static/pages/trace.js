// The trace of a case: every span over its days, services and provinces in one picture, and each trace opened on demand.
import { Badge, Empty, Facts, html, Icon, Load, Section, Table, useData, useEffect, useMemo, useRef, useState } from '../ui.js';
import { language, t, words } from '../i18n.js';
import { get } from '../api.js';
import { placeName, span as spanText, whenFull } from '../format.js';
import { page } from '../pages.js';

words({
  'trace.title': ['全程追踪', 'Trace of the case'], 'trace.case': ['病例', 'Case'], 'trace.picture': ['全程图', 'The whole course'], 'trace.alt': ['{spans} 个调用片段，{traces} 条调用链，{days}；失败 {failed} 个。下方逐条列出。', '{spans} spans in {traces} traces over {days}; {failed} failed. Each trace is listed below.'],
  'trace.spans': ['调用片段', 'Spans'], 'trace.traces': ['调用链', 'Traces'], 'trace.failed': ['失败', 'Failed'], 'trace.slowest': ['最慢的五个', 'The five slowest'], 'trace.service': ['服务', 'Service'], 'trace.province': ['省份', 'Province'], 'trace.name': ['名称', 'Name'], 'trace.start': ['开始', 'Began'], 'trace.took': ['用时', 'Took'], 'trace.when': ['先后', 'When'], 'trace.own': ['自身用时', 'Own time'],
  'trace.kind': ['种类', 'Kind'], 'trace.job': ['任务', 'Job'], 'trace.attempt': ['第 {n} 次', 'attempt {n}'], 'trace.slow': ['慢 {n}', 'slow {n}'], 'trace.entries': ['时间线第 {n} 条', 'timeline entry {n}'], 'trace.truncated': ['追踪存储中的数据超出可显示的范围。', 'The trace store holds more than can be shown.'],
  'trace.as': ['显示方式', 'Shown as'], 'trace.as.traces': ['按调用链', 'Traces'], 'trace.as.table': ['表格', 'Table of all spans'], 'trace.only': ['只看', 'Only'], 'trace.only.all': ['全部', 'All'], 'trace.only.failed': ['有失败的', 'With failures'], 'trace.only.slow': ['有最慢的', 'With the slowest'], 'trace.only.jobs': ['有任务的', 'With jobs'],
  'trace.more': ['再显示 {n} 个', 'Show {n} more'], 'trace.zoom': ['缩放', 'Zoom'], 'trace.zoom.fit': ['适应宽度', 'Fit'], 'trace.unknown': ['未知', 'none'], 'trace.scroll': ['全程图，可左右滚动', 'The whole course, scrolls sideways'], 'trace.gaps': ['空闲时间已压缩；标出一小时以上的间隔。', 'Idle time is pressed together; pauses of an hour and more are named.'],
});

const msOf = (duration) => Number(String(duration || '0s').replace('s', '')) * 1000;
const startOf = (stamp) => new Date(stamp).getTime();
const locale = () => (language === 'zh' ? 'zh-CN' : 'en-GB');
const digits = (v, most) => new Intl.NumberFormat(locale(), { maximumFractionDigits: most }).format(v);
export const short = (ms) => (ms < 1 ? digits(ms * 1000, 0) + ' µs' : ms < 1000 ? digits(ms, 1) + ' ms' : ms < 60000 ? digits(ms / 1000, 2) + ' s' : spanText(ms));

// every span of the case, page by page; the first page has the traces.
async function readAll(id) {
  const first = await get(`/v1/referrals/${id}/trace`, { pageSize: 2000 });
  const spans = [...(first.spans || [])];
  let token = first.nextPageToken;
  while (token && spans.length < 20000) {
    const more = await get(`/v1/referrals/${id}/trace`, { pageSize: 2000, pageToken: token });
    spans.push(...(more.spans || []));
    token = more.nextPageToken;
  }
  const of = new Map();
  for (const s of spans) {
    s.from = startOf(s.startTime);
    s.ms = msOf(s.duration);
    s.own = msOf(s.selfTime);
    if (!of.has(s.traceId)) of.set(s.traceId, []);
    of.get(s.traceId).push(s);
  }
  const traces = (first.traces || []).map((x) => {
    const own = of.get(x.traceId) || [];
    return { ...x, from: startOf(x.startTime), ms: msOf(x.duration), list: own, slow: own.some((s) => s.slowRank), jobs: own.some((s) => s.jobAttempt), failures: x.failed || 0 };
  });
  return { ...first, spans, list: traces };
}

const hour = 3600000;
const busyWidth = (ms) => Math.min(160, 4 + 12 * Math.log2(1 + ms / 4));
const idleWidth = (ms) => (ms < 1000 ? 2 : ms < 60000 ? 5 : ms < hour ? 9 : ms < 24 * hour ? 20 : 30);

// scale maps time to the picture: what was busy keeps its proportions within itself, idle time is pressed together.
export function scale(spans) {
  const sorted = spans.map((s) => [s.from, s.from + s.ms]).sort((a, b) => a[0] - b[0]);
  const busy = [];
  for (const [from, to] of sorted) {
    const last = busy[busy.length - 1];
    if (last && from <= last.to + 50) last.to = Math.max(last.to, to);
    else busy.push({ from, to });
  }
  let x = 4;
  const gaps = [];
  busy.forEach((b, i) => {
    if (i) {
      const idle = b.from - busy[i - 1].to;
      const w = idleWidth(idle);
      if (idle >= hour) gaps.push({ x: x + w / 2, ms: idle });
      x += w;
    }
    b.x = x;
    b.w = busyWidth(b.to - b.from);
    x += b.w;
  });
  const at = (time) => {
    let lo = 0;
    let hi = busy.length - 1;
    while (lo < hi) { const mid = (lo + hi + 1) >> 1; if (busy[mid].from <= time) lo = mid; else hi = mid - 1; }
    const b = busy[lo];
    return b ? b.x + b.w * Math.min(1, Math.max(0, (time - b.from) / Math.max(b.to - b.from, 0.001))) : 0;
  };
  return { width: x + 4, at, gaps };
}

const laneOf = (s) => s.service + (s.province ? ' ' + s.province : '');

function Picture({ d, onPick }) {
  const [zoom, setZoom] = useState('1');
  const layout = useMemo(() => {
    const lanes = [...new Set(d.spans.map(laneOf))].sort();
    return { lanes, ...scale(d.spans) };
  }, [d]);
  if (!d.spans.length) return html`<${Empty} />`;
  const { lanes, width, at, gaps } = layout;
  const high = 26;
  const top = 18;
  const height = top + lanes.length * high + 6;
  const factor = zoom === 'fit' ? Math.min(1, 1000 / width) : Number(zoom);
  const w = width * factor;
  const days = spanText(Math.max(...d.spans.map((s) => s.from + s.ms)) - Math.min(...d.spans.map((s) => s.from)));
  const choose = (e) => { const id = e.target.getAttribute('data-trace'); if (id) onPick(id); };
  return html`<div class="row" role="group" aria-label=${t('trace.zoom')}>${[['fit', t('trace.zoom.fit')], ['1', '1×'], ['4', '4×']].map(([z, word]) => html`<button type="button" key=${z} aria-pressed=${zoom === z ? 'true' : 'false'} onClick=${() => setZoom(z)}>${word}</button>`)}<span class="quiet small">${t('trace.gaps')}</span></div>
    <div class="course-picture"><ol class="lanes">${lanes.map((l) => { const [service, province] = l.split(' '); return html`<li key=${l}>${service}${province ? html` <span class="quiet">${placeName(province)}</span>` : ''}</li>`; })}</ol>
    <div class="course-scroll" tabindex="0" role="region" aria-label=${t('trace.scroll')}>
      <svg role="img" aria-label=${t('trace.alt', { spans: d.spans.length, traces: d.list.length, days, failed: d.failedSpans || 0 })} width=${w} height=${height} onClick=${choose}>
        ${lanes.map((l, i) => html`<line key=${l} class="lane" x1="0" x2=${w} y1=${top + i * high + high} y2=${top + i * high + high} />`)}
        ${gaps.map((g, i) => html`<g key=${i}><line class="gap" x1=${g.x * factor} x2=${g.x * factor} y1=${top} y2=${height} />${(i === 0 || (g.x - gaps[i - 1].x) * factor > 44) && html`<text class="gap-text" x=${g.x * factor} y="12" text-anchor="middle">${spanText(g.ms).split(' ').slice(0, 2).join(' ')}</text>`}</g>`)}
        ${d.spans.map((s) => {
          const x = at(s.from) * factor;
          const y = top + lanes.indexOf(laneOf(s)) * high;
          const width_ = Math.max(1.5, at(s.from + s.ms) * factor - x);
          return html`<rect key=${s.traceId + s.spanId} data-trace=${s.traceId} x=${x} y=${y + 5} width=${width_} height=${high - 9} class=${s.failed ? 'span failed' : s.slowRank ? 'span slow' : s.jobAttempt ? 'span job' : 'span'} />`;
        })}
        ${d.spans.filter((s) => s.slowRank || s.failed).slice(0, 400).map((s) => html`<text key=${'m' + s.traceId + s.spanId} data-trace=${s.traceId} class=${s.failed ? 'mark failed' : 'mark slow'} x=${at(s.from) * factor} y=${top + lanes.indexOf(laneOf(s)) * high + 6}>${s.failed ? '✕' : s.slowRank}</text>`)}
      </svg></div></div>
    <p class="legend small"><span><svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" class="span" /></svg> ${t('trace.spans')}</span><span><svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" class="span job" /></svg> ${t('trace.job')}</span><span><svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" class="span slow" /></svg> ${t('trace.slowest')}</span><span><svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" class="span failed" /></svg> ${t('trace.failed')}</span></p>`;
}

const Marks = ({ s }) => html`${s.failed && html` <${Badge} tone="bad" icon="alert">${s.failure || t('trace.failed')}<//>`}${s.slowRank > 0 && html` <${Badge} tone="warn" icon="clock">${t('trace.slow', { n: s.slowRank })}<//>`}${s.jobAttempt > 0 && html` <${Badge}>${t('trace.job')} · ${t('trace.attempt', { n: s.jobAttempt })}<//>`}`;

const rowsAtOnce = 150;

// Waterfall is one trace, from its root down: the time axis is its own.
function Waterfall({ trace }) {
  const [shown, setShown] = useState(rowsAtOnce);
  const { at, width } = useMemo(() => scale(trace.list), [trace]);
  const left = trace.list.length - shown;
  return html`<${Table} caption=${trace.name} rowKey=${(s) => s.spanId} rows=${trace.list.slice(0, shown)} columns=${[
    { title: t('trace.name'), cell: (s) => html`<span class=${'depth depth-' + Math.min(s.depth || 0, 10)}><strong>${s.service}</strong>${s.province ? html` <span class="quiet">${placeName(s.province)}</span>` : ''} <span class="span-name">${s.name}</span><${Marks} s=${s} /></span>` },
    { title: t('trace.when'), cell: (s) => html`<svg class="bar" viewBox=${`0 0 ${width} 14`} preserveAspectRatio="none" aria-hidden="true"><rect x=${at(s.from)} y="2" width=${Math.max(width / 200, at(s.from + s.ms) - at(s.from))} height="10" class=${s.failed ? 'span failed' : s.slowRank ? 'span slow' : s.jobAttempt ? 'span job' : 'span'} /></svg>` },
    { title: t('trace.took'), number: true, cell: (s) => short(s.ms) }, { title: t('trace.own'), number: true, cell: (s) => short(s.own) },
  ]} />${left > 0 && html`<button type="button" onClick=${() => setShown(shown + rowsAtOnce)}>${t('trace.more', { n: Math.min(left, rowsAtOnce) })}</button>`}`;
}

function Trace({ trace, id, open, onToggle }) {
  const at = useRef(null);
  useEffect(() => { if (open === 'asked') at.current?.scrollIntoView({ block: 'start' }); }, [open]);
  return html`<li><details ref=${at} id=${'trace-' + trace.traceId} open=${Boolean(open)} onToggle=${(e) => onToggle(e.target.open)}>
    <summary><span class="row"><time class="quiet small" datetime=${trace.startTime}>${whenFull(trace.startTime)}</time><strong>${trace.name}</strong><span class="quiet">${trace.service}</span>
      <span class="quiet small">${short(trace.ms)} · ${t('trace.spans')} ${trace.list.length}</span>
      ${trace.failures > 0 && html`<${Badge} tone="bad" icon="alert">${t('trace.failed')} ${trace.failures}<//>`}${trace.slow && html`<${Badge} tone="warn" icon="clock">${t('trace.slowest')}<//>`}${trace.jobs && html`<${Badge}>${t('trace.job')}<//>`}</span></summary>
    ${open && html`<p class="row small">${(trace.timelineSequences || []).map((n) => html`<a key=${n} href=${`#/cases/${id}?entry=${n}`}>${t('trace.entries', { n })}</a>`)}<code>${trace.traceId}</code></p><${Waterfall} trace=${trace} />`}
  </details></li>`;
}

function Spans({ d }) {
  const [shown, setShown] = useState(200);
  const left = d.spans.length - shown;
  return html`<${Table} caption=${t('trace.spans')} rowKey=${(s) => s.traceId + s.spanId} rows=${d.spans.slice(0, shown)} columns=${[
    { title: t('trace.start'), cell: (s) => whenFull(s.startTime) }, { title: t('trace.service'), cell: (s) => s.service }, { title: t('trace.province'), cell: (s) => placeName(s.province) || '–' },
    { title: t('trace.name'), cell: (s) => html`<span class="span-name">${s.name}</span><${Marks} s=${s} />` }, { title: t('trace.kind'), cell: (s) => s.kind }, { title: t('trace.took'), number: true, cell: (s) => short(s.ms) }, { title: t('trace.own'), number: true, cell: (s) => short(s.own) },
  ]} />${left > 0 && html`<button type="button" onClick=${() => setShown(shown + 500)}>${t('trace.more', { n: Math.min(left, 500) })}</button>`}`;
}

function Choose({ label, value, onChange, options }) {
  return html`<div class="row" role="group" aria-label=${label}><span class="quiet">${label}</span>${options.map(([v, word]) => html`<button type="button" key=${v} aria-pressed=${v === value ? 'true' : 'false'} onClick=${() => onChange(v)}>${word}</button>`)}</div>`;
}

const tracesAtOnce = 100;

function Shown({ d, id, asked }) {
  const [as, setAs] = useState('traces');
  const [only, setOnly] = useState('all');
  const [open, setOpen] = useState(() => new Map(asked ? [[asked, 'asked']] : []));
  const [shown, setShown] = useState(tracesAtOnce);
  const toggle = (traceId, on) => setOpen((o) => { if (Boolean(o.get(traceId)) === Boolean(on)) return o; const next = new Map(o); if (on) next.set(traceId, on); else next.delete(traceId); return next; });
  const fits = { all: () => true, failed: (x) => x.failures > 0, slow: (x) => x.slow, jobs: (x) => x.jobs };
  const list = d.list.filter(fits[only]);
  const upTo = Math.max(shown, 1 + list.findIndex((x) => open.get(x.traceId) === 'asked'));
  const slowest = d.spans.filter((s) => s.slowRank).sort((a, b) => a.slowRank - b.slowRank);
  const pick = (traceId) => { setAs('traces'); setOnly('all'); toggle(traceId, 'asked'); };
  return html`
    ${d.truncated && html`<p class="notice bad" role="alert"><${Icon} name="alert" /> ${t('trace.truncated')}</p>`}
    <${Section} title=${t('trace.picture')}><${Facts} list=${[[t('trace.spans'), d.spans.length], [t('trace.traces'), d.list.length], [t('trace.failed'), d.failedSpans || 0]]} /><${Picture} d=${d} onPick=${pick} /><//>
    ${slowest.length > 0 && html`<${Section} title=${t('trace.slowest')}><${Table} caption=${t('trace.slowest')} narrow rowKey=${(s) => s.spanId} rows=${slowest} columns=${[
      { title: t('trace.name'), cell: (s) => html`<button type="button" class="link" onClick=${() => pick(s.traceId)}>${s.service} ${s.name}</button><${Marks} s=${s} />` }, { title: t('trace.own'), number: true, cell: (s) => short(s.own) },
    ]} /><//>`}
    <${Section} title=${t('trace.traces')}><${Choose} label=${t('trace.as')} value=${as} onChange=${setAs} options=${[['traces', t('trace.as.traces')], ['table', t('trace.as.table')]]} />
      ${as === 'table' ? html`<${Spans} d=${d} />` : html`<${Choose} label=${t('trace.only')} value=${only} onChange=${setOnly} options=${['all', 'failed', 'slow', 'jobs'].map((o) => [o, t('trace.only.' + o)])} />
      ${!list.length && html`<${Empty} />`}<ol class="traces">${list.slice(0, upTo).map((x) => html`<${Trace} key=${x.traceId} trace=${x} id=${id} open=${open.get(x.traceId)} onToggle=${(on) => toggle(x.traceId, on && (open.get(x.traceId) || 'open'))} />`)}</ol>
      ${list.length > upTo && html`<button type="button" onClick=${() => setShown(upTo + tracesAtOnce)}>${t('trace.more', { n: Math.min(tracesAtOnce, list.length - upTo) })}</button>`}`}
    <//>`;
}

function View({ params }) {
  const found = useData(() => readAll(params.id), [params.id], () => false);
  return html`<nav class="crumb" aria-label=${t('trace.case')}><a href=${'#/cases/' + params.id}>${t('trace.case')} <code>${params.id}</code></a></nav>
    <div class="title"><h1>${t('trace.title')}</h1></div>
    <${Load} ...${found}>${(d) => html`<${Shown} d=${d} id=${params.id} asked=${params.trace} />`}<//>`;
}

page({ path: '/cases/:id/trace', title: 'trace.title', roles: ['operations'], order: 61, view: View });
