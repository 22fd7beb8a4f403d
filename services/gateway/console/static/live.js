// The feed of the caller's cases: one stream for the whole page, resumed from its cursor, with growing pauses in between.
import { me, onSession, signOut } from './session.js';

const firstPause = 500;
const lastPause = 15000;
const longHidden = 60000;
const events = new Set();
const states = new Set();

let state = 'off'; // off, connecting, live, broken
let stop = null;
let hurry = () => {}; // ends the pause before the next try
let attempt = null; // the connection there is

export const connection = () => state;

export function onConnection(told) {
  states.add(told);
  return () => states.delete(told);
}

// onEvent is told of every event; null: something may have been missed, read again.
export function onEvent(told) {
  events.add(told);
  return () => events.delete(told);
}

function become(next) {
  if (state === next) return;
  state = next;
  for (const told of states) told(next);
}

const tell = (event) => { for (const told of [...events]) told(event); };

async function follow(signal) {
  let cursor = '';
  let pause = firstPause;
  while (!signal.aborted) {
    if (state !== 'broken') become('connecting');
    attempt = new AbortController();
    try {
      const from = cursor ? '?cursor=' + encodeURIComponent(cursor) : '?fromNow=true';
      const answer = await fetch('/v1/events:follow' + from, { headers: { Authorization: 'Bearer ' + me().token }, cache: 'no-store', credentials: 'omit', signal: AbortSignal.any([signal, attempt.signal]) });
      if (answer.status === 401) { signOut(); return; }
      if (answer.status === 400) cursor = '';
      if (answer.ok) {
        become('live');
        tell(null);
        pause = firstPause;
        for await (const line of lines(answer.body)) {
          const event = JSON.parse(line).result?.event;
          if (!event) break; // the stream's own error: begin again where it ended
          cursor = event.cursor;
          tell(event);
        }
      }
    } catch {
      // No answer, or cut off: begin again below.
    }
    if (signal.aborted) return;
    become('broken');
    await new Promise((done) => {
      hurry = done;
      setTimeout(done, pause * (0.75 + Math.random() / 2));
    });
    pause = Math.min(pause * 2, lastPause);
  }
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split('\n');
      rest = parts.pop();
      for (const part of parts) if (part.trim()) yield part;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function start() {
  stop?.abort();
  stop = null;
  become('off');
  const session = me();
  if (!session || !session.roles.some((r) => ['coordinator', 'center', 'operations'].includes(r))) return;
  stop = new AbortController();
  follow(stop.signal);
}

// reconnect tries at once: somebody asked, the network is back, or the machine slept, whose connection may be dead without
// having ended.
export function reconnect() {
  attempt?.abort();
  hurry();
}
let hidden = 0;
addEventListener('online', reconnect);
document.addEventListener('visibilitychange', () => {
  if (document.hidden) hidden = Date.now();
  else if (state === 'broken' || Date.now() - hidden > longHidden) reconnect();
});

onSession(start);
export const startLive = start;
