// The timeline: what happened, when it happened and when it was recorded, and who did it.
import { Badge, Empty, html, Icon, Section, useEffect } from '../ui.js';
import { has, pick, t, words } from '../i18n.js';
import { when, whenFull } from '../format.js';
import { hasRole } from '../session.js';

words({
  'line.title': ['时间线', 'Timeline'], 'line.late': ['补录：发生于 {time}', 'Recorded late: happened {time}'], 'line.by': ['{who}', 'by {who}'], 'line.system': ['系统', 'the line'], 'line.trace': ['追踪', 'Trace'], 'line.trace.of': ['第 {n} 条的追踪', 'Trace of entry {n}'],
});

const lateAfter = 10 * 60000;
const icons = [[/CLOSED|DECLINED|EXPIRED|REFUSED|ABORTED|FAILED|OVERDUE|UNSUITABLE/, 'alert'], [/ACCEPTED|BOOKED|PASSED|SETTLED|SUITABLE/, 'done'], [/TRANSFER/, 'road'], [/OFFER|CENTER/, 'people'], [/SURGERY|DISCHARGED|FOLLOW/, 'heart'], [/CLOCK|REMIND/, 'clock'], [/CLAIM|FILED/, 'note']];
const iconOf = (kind) => icons.find(([pattern]) => pattern.test(kind))?.[1] || 'dot';

// A reason is a code of one of several lists.
const lists = ['decline.', 'close.CLOSE_REASON_', 'kind.CONSULTATION_KIND_', 'opinion.OPINION_', 'outcome.', 'abort.', 'refusal.REFUSAL_CODE_'];
function reason(code) {
  const list = lists.find((l) => has(l + code));
  return list ? t(list + code) : html`<code>${code}</code>`;
}

export function Timeline({ entries, id }) {
  const shown = [...entries].reverse();
  // Who comes from a trace comes to its entry.
  const asked = new URLSearchParams(location.hash.split('?')[1] || '').get('entry');
  useEffect(() => { if (asked) document.getElementById('entry-' + asked)?.scrollIntoView({ block: 'center' }); }, [asked]);
  return html`<${Section} title=${t('line.title')} id="timeline">
    ${!shown.length && html`<${Empty} />`}
    <ol class="timeline" reversed>${shown.map((e) => {
      const late = new Date(e.recordTime) - new Date(e.occurTime) > lateAfter;
      const who = [e.actorOrganisation, e.actorSubject].filter(Boolean).join(' ') || t('line.system');
      return html`<li key=${e.sequence} id=${'entry-' + e.sequence} aria-current=${String(e.sequence) === asked ? 'true' : undefined}>
        <span class="mark" aria-hidden="true"><${Icon} name=${iconOf(e.kind)} /></span>
        <div><p class="what">${pick(e, 'text')}</p>
          <p class="quiet small"><time datetime=${e.recordTime} title=${whenFull(e.recordTime)}>${when(e.recordTime)}</time> · ${t('line.by', { who })}
            ${e.reasonCode && html` · ${reason(e.reasonCode)}`}
            ${hasRole('operations') && e.traceId && html` · <a href=${`#/cases/${id}/trace?trace=${e.traceId}`} aria-label=${t('line.trace.of', { n: e.sequence })}>${t('line.trace')}</a>`}</p>
          ${late && html`<${Badge} tone="warn" icon="clock">${t('line.late', { time: whenFull(e.occurTime) })}<//>`}
        </div></li>`;
    })}</ol><//>`;
}
