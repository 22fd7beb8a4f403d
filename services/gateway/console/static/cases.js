// How a case looks wherever cases are listed.
import { Badge, Deadline, html, Table, Urgency } from './ui.js';
import { enumWord, pick, t } from './i18n.js';
import { shortId, when } from './format.js';
import './words.js';

const tones = {
  STATE_CLOSED: ['plain', 'done'], STATE_EXHAUSTED: ['bad', 'alert'], STATE_RETURNED_FOR_INFORMATION: ['warn', 'note'], STATE_IN_TRANSIT: ['info', 'road'],
  STATE_TRANSFER_PLANNED: ['info', 'road'], STATE_ACCEPTED: ['good', 'done'], STATE_BOOKED: ['good', 'bed'], STATE_ARRIVED: ['good', 'bed'], STATE_SURGERY: ['good', 'heart'],
  STATE_REHABILITATION: ['good', 'heart'], STATE_FOLLOW_UP: ['good', 'heart'], STATE_SUSPENDED: ['warn', 'pause'], STATE_OFFERED: ['info', 'clock'], STATE_CONSULTATION: ['info', 'people'],
};

export const State = ({ of }) => html`<${Badge} tone=${tones[of]?.[0] || 'info'} icon=${tones[of]?.[1] || 'dot'}>${enumWord('state', of)}<//>`;

export const caseLink = (id) => html`<a href=${'#/cases/' + id}><code title=${id}>${shortId(id)}</code></a>`;

// nextStep is the action that the clock waits for, or else the first that presses.
export function nextStep(c) {
  const actions = c.availableActions || [];
  return actions.find((a) => a.deadline) || actions.find((a) => !['CloseReferral', 'SuspendClock'].includes(a.action));
}

export function Cases({ caption, list, empty }) {
  return html`<${Table} caption=${caption} rows=${list} rowKey=${(c) => c.referralId} empty=${empty} columns=${[
    { title: t('case.case'), cell: (c) => caseLink(c.referralId) },
    { title: t('case.organ'), cell: (c) => enumWord('organ', c.organ) },
    { title: t('case.urgency'), cell: (c) => html`<${Urgency} of=${c.urgency} />` },
    { title: t('case.state'), cell: (c) => html`<${State} of=${c.state} />` },
    { title: t('case.clock'), cell: (c) => html`<${Deadline} of=${c.deadline} suspended=${c.clockSuspended} />` },
    { title: t('case.next'), cell: (c) => pick(nextStep(c), 'label') || html`<span class="quiet">—</span>` },
    { title: t('case.referrer'), cell: (c) => html`<code>${c.referringOrganisation}</code>` },
    { title: t('case.updated'), cell: (c) => html`<span class="quiet">${when(c.updateTime)}</span>` },
  ]} />`;
}
