// What the caller's facility was told: how many notices nobody opened yet, for the bell, and the opening of them.
import { announce, html, Icon, useEffect, useState } from './ui.js';
import { t, words } from './i18n.js';
import { get, newKey, post } from './api.js';
import { hasRole, me, onSession } from './session.js';
import { onEvent } from './live.js';
import { addCorner } from './corner.js';

words({
  'bell.title': ['通知，', 'Notifications,'], 'bell.unread': ['条未读', 'unread'], 'bell.none': ['通知，没有未读', 'Notifications, none unread'], 'bell.came': ['有新通知，共 {n} 条未读', 'A new notification, {n} unread'],
});

// A notice is put into the inbox a moment after the feed told of its event, and some come by the clock alone.
const afterEvent = [400, 1500, 4000];
const byTheClock = 60000;
const most = 1000; // the line counts no further

let unread = 0;
const told = new Set();
let timers = [];

function set(next) {
  if (next === unread) return;
  if (next > unread) announce(t('bell.came', { n: next }));
  unread = next;
  for (const tell of told) tell();
}

export const count = () => (unread >= most ? most + '+' : unread);
export function onInbox(tell) {
  told.add(tell);
  return () => told.delete(tell);
}

async function look() {
  if (!me() || !hasRole('coordinator', 'center', 'operations')) return;
  try {
    set((await get('/v1/notifications', { unreadOnly: true, pageSize: 1 })).unreadCount || 0);
  } catch {
    // The bell keeps what it had: the page itself tells what does not answer.
  }
}

function soon() {
  timers.forEach(clearTimeout);
  timers = afterEvent.map((ms) => setTimeout(look, ms));
}

// opened records that somebody of the facility opened notices.
export async function opened(ids) {
  const answer = await post('/v1/notifications:open', { requestId: newKey(), notificationIds: ids });
  set(answer.unreadCount || 0);
  return answer.notifications;
}

onEvent(soon);
onSession(() => { unread = 0; soon(); });
setInterval(look, byTheClock);
soon();

// useUnread draws again when the number changes.
export function useUnread() {
  const [, again] = useState(0);
  useEffect(() => onInbox(() => again((n) => n + 1)), []);
  return unread;
}

function Bell() {
  const n = useUnread();
  if (!hasRole('coordinator', 'center', 'operations')) return null;
  const here = location.hash.startsWith('#/inbox') ? 'page' : undefined;
  return html`<a class="bell" href="#/inbox" aria-current=${here}><${Icon} name="bell" />
    ${n ? html`<span class="unseen">${t('bell.title')} </span><b class="number-mark">${count()}</b><span class="unseen"> ${t('bell.unread')}</span>` : html`<span class="unseen">${t('bell.none')}</span>`}</a>`;
}

addCorner(Bell);
