// The calendar of units: for each a bar of its time and the same in words.
import { html, Icon } from '../ui.js';
import { has, t, words } from '../i18n.js';
import { clock, when } from '../format.js';

words({
  'pool.free': ['空闲', 'Free'], 'pool.held': ['预占至 {time}', 'Held until {time}'], 'pool.confirmed': ['已确认', 'Confirmed'], 'pool.lent': ['借给 {who}', 'Lent to {who}'], 'pool.offeredLoan': ['拟借给 {who}', 'Offered to {who}'], 'pool.out': ['停用', 'Out of service'],
  'pool.outside': ['非开放时间', 'Outside its hours'], 'pool.closed': ['关闭：{why}', 'Closed: {why}'], 'pool.past': ['已过', 'Past'], 'pool.allday': ['全天', 'All day'], 'pool.unit': ['资源', 'Unit'], 'pool.asof': ['{time} 由 {who} 申报', 'Reported {time} by {who}'], 'pool.never': ['从未申报', 'Never reported'],
  'purpose.HOLD_PURPOSE_REFERRAL': ['转诊', 'Referral'], 'purpose.HOLD_PURPOSE_TRANSFER': ['转运', 'Transfer'], 'purpose.HOLD_PURPOSE_OWN': ['本院自用', 'Own use'], 'purpose.HOLD_PURPOSE_RETURN': ['返程', 'Way home'],
});

export const purposeWord = (p) => (has('purpose.' + p) ? t('purpose.' + p) : '');
const at = (stamp) => new Date(stamp).getTime();

// marks are what a unit's time is taken by, what weighs most first.
function marks(unit, loans, now) {
  const list = (unit.reservations || []).map((r) => ({
    from: at(r.startTime), to: at(r.endTime), tone: r.confirmed ? 'confirmed' : 'held', hold: r.holdId,
    word: [purposeWord(r.purpose), r.confirmed ? t('pool.confirmed') : t('pool.held', { time: when(r.expireTime) })].filter(Boolean).join(' · '),
  }));
  for (const l of loans) {
    if (l.resourceId === unit.resourceId && l.status !== 'LOAN_STATUS_ENDED') list.push({ from: at(l.startTime), to: at(l.endTime), tone: 'lent', word: t(l.status === 'LOAN_STATUS_LENT' ? 'pool.lent' : 'pool.offeredLoan', { who: l.borrower }) });
  }
  if (unit.outOfService) list.push({ from: now, to: Infinity, tone: 'out', word: t('pool.out') });
  for (const c of unit.closed || []) list.push({ from: at(c.startTime), to: at(c.endTime), tone: 'closed', word: c.reason ? t('pool.closed', { why: c.reason }) : t('pool.outside') });
  list.unshift({ from: 0, to: now, tone: 'past', word: t('pool.past') });
  return list;
}

// pieces cut [from, to) where what it is taken by changes.
export function pieces(unit, loans, from, to, now = Date.now()) {
  const list = marks(unit, loans, now).filter((m) => m.from < to && m.to > from);
  const cuts = [...new Set([from, to, ...list.flatMap((m) => [m.from, m.to])])].filter((c) => c >= from && c <= to).sort((a, b) => a - b);
  const out = [];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const mark = list.find((m) => m.from <= cuts[i] && m.to >= cuts[i + 1]) || { tone: 'free', word: t('pool.free') };
    const last = out[out.length - 1];
    if (last && last.tone === mark.tone && last.word === mark.word && last.hold === mark.hold) last.to = cuts[i + 1];
    else out.push({ from: cuts[i], to: cuts[i + 1], tone: mark.tone, word: mark.word, hold: mark.hold });
  }
  return out;
}

const icons = { free: 'done', held: 'clock', confirmed: 'bed', lent: 'out', out: 'cross', closed: 'pause', past: 'dot' };
const until = (ms, to) => (ms === to ? '24:00' : clock(ms)); // a day ends at 24:00

// Cell is one column of one unit.
function Cell({ list, from, to }) {
  const told = list.filter((p) => p.tone !== 'past' || list.length === 1);
  return html`<svg class="hours" viewBox=${`0 0 ${(to - from) / 60000} 10`} preserveAspectRatio="none" aria-hidden="true">
      ${list.map((p) => html`<rect key=${p.from} x=${(p.from - from) / 60000} width=${(p.to - p.from) / 60000} height="10" class=${'u-' + p.tone} />`)}</svg>
    <ul class="pieces">${told.map((p) => html`<li key=${p.from} class=${'is-' + p.tone}><${Icon} name=${icons[p.tone]} /> <span>${told.length > 1 && html`<b>${clock(p.from)}–${until(p.to, to)}</b> `}${p.hold ? html`<a href=${'#/holds/' + p.hold}>${p.word}</a>` : p.word}</span></li>`)}</ul>`;
}

// Grid is a row a unit and a column a part of time; on a phone a card a unit.
export function Grid({ caption, units, loans, columns }) {
  const now = Date.now();
  return html`<table role="table" class="cards pool-grid"><caption class="unseen">${caption}</caption>
    <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">${t('pool.unit')}</th>${columns.map((c) => html`<th role="columnheader" scope="col">${c.title}</th>`)}</tr></thead>
    <tbody role="rowgroup">${units.map((u) => html`<tr role="row" key=${u.resourceId}>
      <td role="cell" data-label=${t('pool.unit')}><div><a href=${'#/units/' + u.resourceId}><b>${u.label}</b></a>
        <span class="quiet small">${u.reportedTime ? t('pool.asof', { time: when(u.reportedTime), who: u.reportedBy }) : t('pool.never')}</span></div></td>
      ${columns.map((c) => html`<td role="cell" data-label=${c.title}><div><${Cell} list=${pieces(u, loans, c.from, c.to, now)} from=${c.from} to=${c.to} /></div></td>`)}</tr>`)}</tbody></table>`;
}
