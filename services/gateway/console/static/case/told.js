// Who was told about a case, and who has opened it: the proof for whoever asks later.
import { Badge, html, Section, Table, useData, useEffect } from '../ui.js';
import { pick, t, words } from '../i18n.js';
import { get } from '../api.js';
import { when } from '../format.js';
import { onInbox } from '../inbox.js';
import { Kind } from '../pages/inbox.js';

words({
  'told.title': ['通知与打开情况', 'Who was told, and who opened it'], 'told.what': ['内容', 'What'], 'told.sent': ['送达', 'Told'], 'told.open': ['打开', 'Opened'], 'told.not': ['未打开', 'Not opened'], 'told.kind': ['类别', 'Kind'],
  'told.sum': ['已打开 {n} / {all}', '{n} of {all} opened'], 'told.systems': ['发往其系统：{ok} 条已送达，{wait} 条待送，{dead} 条未能送达', 'To its systems: {ok} delivered, {wait} waiting, {dead} given up'], 'told.more': ['更早的通知未列出。', 'Older ones are not listed.'], 'told.DESK': ['专线运营', 'The line’s desk'],
});

const name = (organisation) => (organisation === 'DESK' ? t('told.DESK') : organisation);

function Facility({ of }) {
  const list = of.notifications || [];
  const sent = of.deliveries || [];
  const count = (status) => sent.filter((x) => x.status === 'WEBHOOK_DELIVERY_STATUS_' + status).length;
  const open = list.filter((n) => n.openTime).length;
  return html`<details><summary><b>${name(of.organisation)}</b> <${Badge} tone=${open === list.length ? 'good' : 'warn'} icon=${open === list.length ? 'done' : 'clock'}>${t('told.sum', { n: open, all: list.length })}<//></summary>
    <${Table} caption=${t('told.title') + ': ' + name(of.organisation)} rowKey=${(n) => n.notificationId} rows=${[...list].reverse()} columns=${[
      { title: t('told.what'), cell: (n) => pick(n, 'title') }, { title: t('told.kind'), cell: (n) => html`<${Kind} of=${n.urgency} />` }, { title: t('told.sent'), cell: (n) => when(n.createTime) },
      { title: t('told.open'), cell: (n) => (n.openTime ? html`${when(n.openTime)} <span class="quiet">${n.openedBy}</span>` : html`<${Badge} tone="warn" icon="clock">${t('told.not')}<//>`) },
    ]} />
    ${sent.length > 0 && html`<p class="quiet small">${t('told.systems', { ok: count('DELIVERED'), wait: count('PENDING'), dead: count('DEAD') })}</p>`}</details>`;
}

export function Told({ id }) {
  const found = useData(() => get(`/v1/referrals/${id}/notifications`), [id], () => false);
  useEffect(() => onInbox(found.reload), [id]);
  const facilities = found.data?.facilities?.filter((f) => f.notifications?.length || f.deliveries?.length) || [];
  if (!facilities.length) return null;
  return html`<${Section} title=${t('told.title')} id="told">${facilities.map((f) => html`<${Facility} key=${f.organisation} of=${f} />`)}
    ${found.data.truncated && html`<p class="quiet small">${t('told.more')}</p>`}<//>`;
}
