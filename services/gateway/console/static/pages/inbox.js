// The inbox of the caller's facility: what it was told, the newest first. Who opens a notice has opened it for all of the facility.
import { Badge, Deadline, Empty, html, Icon, Load, Section, useData, useEffect, useState } from '../ui.js';
import { enumWord, pick, t, words } from '../i18n.js';
import { get } from '../api.js';
import { when, whenFull } from '../format.js';
import { go, page } from '../pages.js';
import { caseLink } from '../cases.js';
import { opened, useUnread } from '../inbox.js';

words({
  'inbox.title': ['通知', 'Notifications'], 'inbox.unread': ['未读', 'Unread'], 'inbox.all': ['全部', 'All'], 'inbox.which': ['显示', 'Show'], 'inbox.none': ['没有未读通知。', 'Nothing unread.'], 'inbox.empty': ['还没有通知。', 'No notifications yet.'],
  'inbox.open': ['打开病例', 'Open the case'], 'inbox.mark': ['标为已读', 'Mark as read'], 'inbox.markall': ['全部标为已读（{n}）', 'Mark these {n} as read'], 'inbox.opened': ['{who} 于 {time} 打开', 'Opened {time} by {who}'], 'inbox.openedAt': ['{time} 打开', 'Opened {time}'], 'inbox.asked': ['需要处理', 'To do'], 'inbox.by': ['截止', 'Due'],
  'inbox.shared': ['通知发给整个机构，任何一人打开即记为已读。', 'Your whole facility is told: whoever opens a notice has opened it for all.'], 'inbox.of': ['病例', 'Case'],
  'notice.NOTIFICATION_URGENCY_INFO': ['知悉', 'For information'], 'notice.NOTIFICATION_URGENCY_ACTION': ['待办', 'To do'], 'notice.NOTIFICATION_URGENCY_ALARM': ['警示', 'Alarm'],
});

const tones = { NOTIFICATION_URGENCY_INFO: ['plain', 'note'], NOTIFICATION_URGENCY_ACTION: ['info', 'clock'], NOTIFICATION_URGENCY_ALARM: ['bad', 'alert'] };
export const Kind = ({ of }) => html`<${Badge} tone=${tones[of]?.[0]} icon=${tones[of]?.[1]}>${enumWord('notice', of)}<//>`;

const atOnce = 100;

function Notice({ n, mark }) {
  const look = () => {
    if (!n.openTime) mark([n.notificationId]);
    go('/cases/' + n.referralId);
  };
  return html`<li class=${n.openTime ? 'notice-row' : 'notice-row unread'}>
    <div><p class="what"><${Kind} of=${n.urgency} /> <strong>${pick(n, 'title')}</strong>${!n.openTime && html` <span class="unseen">${t('inbox.unread')}</span>`}</p>
      <p class="quiet small">${t('inbox.of')} ${caseLink(n.referralId)} · <time datetime=${n.eventTime}>${whenFull(n.eventTime)}</time> · <code>${n.actorOrganisation}</code>
        ${n.openTime && html` · ${n.openedBy ? t('inbox.opened', { who: n.openedBy, time: when(n.openTime) }) : t('inbox.openedAt', { time: when(n.openTime) })}`}</p>
      ${n.dueTime && !n.openTime && html`<p class="small">${t('inbox.by')} <${Deadline} of=${n.dueTime} /></p>`}</div>
    <div class="row"><button type="button" onClick=${look}>${t('inbox.open')}<span class="unseen"> ${pick(n, 'title')}</span></button>
      ${!n.openTime && html`<button type="button" class="plain" onClick=${() => mark([n.notificationId])}>${t('inbox.mark')}<span class="unseen"> ${pick(n, 'title')}</span></button>`}</div>
  </li>`;
}

function Inbox({ params }) {
  const everything = params.show === 'all';
  const unread = useUnread();
  const [size, setSize] = useState(50);
  const [error, setError] = useState(null);
  const found = useData(() => get('/v1/notifications', { unreadOnly: !everything, pageSize: size }), [everything, size], () => false);
  // The bell counts after the notice is there; the list follows the bell.
  useEffect(() => { found.reload(); }, [unread]);
  const mark = async (ids) => {
    setError(null);
    try {
      await opened(ids);
      found.reload();
    } catch (err) {
      setError(err);
    }
  };
  const tab = (all, word) => html`<li><a href=${all ? '#/inbox?show=all' : '#/inbox'} aria-current=${all === everything ? 'page' : undefined}>${t(word)}</a></li>`;
  return html`<div class="title"><h1>${t('inbox.title')}</h1><nav class="tabs" aria-label=${t('inbox.which')}><ul>${tab(false, 'inbox.unread')}${tab(true, 'inbox.all')}</ul></nav></div>
    <${Section} title=${t(everything ? 'inbox.all' : 'inbox.unread')}><p class="quiet small">${t('inbox.shared')}</p>
      ${error && html`<p class="bad" role="alert"><${Icon} name="alert" /> ${error.text}</p>`}
      <${Load} ...${found}>${({ notifications: list = [], nextPageToken }) => {
        const fresh = list.filter((n) => !n.openTime).slice(0, atOnce).map((n) => n.notificationId);
        return html`${fresh.length > 1 && html`<p><button type="button" onClick=${() => mark(fresh)}>${t('inbox.markall', { n: fresh.length })}</button></p>`}
          ${list.length === 0 && html`<${Empty} text=${t(everything ? 'inbox.empty' : 'inbox.none')} />`}
          <ul class="inbox">${list.map((n) => html`<${Notice} key=${n.notificationId} n=${n} mark=${mark} />`)}</ul>
          ${nextPageToken && size < 200 && html`<p><button type="button" onClick=${() => setSize(200)}>${t('ui.more')}</button></p>`}`;
      }}<//><//>`;
}

page({ path: '/inbox', title: 'inbox.title', roles: ['coordinator', 'center', 'operations'], view: Inbox });
