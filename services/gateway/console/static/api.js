// The public REST API, as everybody else calls it.
import { language } from './i18n.js';
import { me, signOut } from './session.js';

const patience = 30000;
const tries = 3;

// Refusal is an answer other than 200, in the API's own words.
export class Refusal extends Error {
  constructor(status, body, trace) {
    super((body && body.message) || 'HTTP ' + status);
    this.status = status;
    this.trace = trace || '';
    this.violations = [];
    this.reason = '';
    this.texts = {};
    this.todo = {};
    for (const d of (body && body.details) || []) {
      const type = d['@type'] || '';
      if (type.endsWith('ErrorInfo')) {
        this.reason = d.reason;
        this.todo = { en: d.metadata?.what_to_do || '', zh: d.metadata?.what_to_do_zh || '' };
        this.currentEtag = d.metadata?.current_etag;
      } else if (type.endsWith('LocalizedMessage')) {
        this.texts[d.locale === 'en' ? 'en' : 'zh'] = d.message;
      } else if (type.endsWith('BadRequest')) {
        this.violations = (d.fieldViolations || []).map((v) => ({ field: v.field, en: v.description, zh: v.localizedMessage?.message || v.description }));
      }
    }
  }

  get text() { return this.texts[language] || this.message; }
  get whatToDo() { return this.todo[language] || ''; }
}

const none = { zh: '连接不到服务，请稍后再试。', en: 'The line does not answer. Try again in a moment.' };

function unreachable(err) {
  const r = new Refusal(0, { message: none.en });
  r.reason = 'UNREACHABLE';
  r.texts = none;
  r.cause = err;
  return r;
}

export async function send(method, path, body, options = {}) {
  const session = me();
  const headers = { Accept: 'application/json', ...options.headers };
  if (session) headers.Authorization = 'Bearer ' + session.token;
  let text;
  if (body instanceof Blob) {
    headers['Content-Type'] = body.type || 'application/octet-stream';
    text = body;
  } else if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    text = JSON.stringify(body);
  }
  for (let attempt = 1; ; attempt++) {
    let answer;
    try {
      const limit = AbortSignal.timeout(options.patience || patience);
      answer = await fetch(path, {
        method, headers, body: text, cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer',
        signal: options.signal ? AbortSignal.any([options.signal, limit]) : limit,
      });
    } catch (err) {
      if (options.signal?.aborted) throw err;
      // What was sent has its request id: sent again it happens once.
      if (attempt < tries) { await pause(attempt * 400); continue; }
      throw unreachable(err);
    }
    if (answer.ok) return answer;
    if (answer.status === 401 && session) signOut();
    if ([429, 502, 503, 504].includes(answer.status) && attempt < tries) {
      await pause(Math.min(5, Number(answer.headers.get('Retry-After')) || attempt) * 1000);
      continue;
    }
    throw new Refusal(answer.status, await answer.json().catch(() => null), answer.headers.get('X-Trace-Id'));
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const query = (values) => {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(values || {})) if (v !== undefined && v !== '') q.set(k, v);
  return q.size ? '?' + q : '';
};

export const get = async (path, values, options) => (await send('GET', path + query(values), undefined, options)).json();
export const post = async (path, body, options) => (await send('POST', path, body, options)).json();
export const put = async (path, body, options) => (await send('PUT', path, body, options)).json();

// A file takes as long as a slow line needs for the largest.
const files = { patience: 10 * 60000 };

// upload sends a file as it is; what is said of it stands in the query, never its name.
export const upload = async (path, values, file) => (await send('POST', path + query(values), file, files)).json();

// download asks for a file and hands it to the browser to keep, under the name the line gives it.
export async function download(path) {
  const answer = await send('GET', path, undefined, { ...files, headers: { Accept: '*/*' } });
  const name = /filename="([^"]+)"/.exec(answer.headers.get('Content-Disposition') || '')?.[1] || 'huhang';
  const blob = await answer.blob();
  const length = answer.headers.get('Content-Encoding') ? null : answer.headers.get('Content-Length');
  if (length && Number(length) !== blob.size) throw unreachable(new Error('cut off'));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  return name;
}

// picture is an answer that is an image, as an address for <img>; whoever asked revokes it.
export const picture = async (path, values) => URL.createObjectURL(await (await send('GET', path + query(values), undefined, { headers: { Accept: '*/*' } })).blob());

// every page of a list, up to a bound.
export async function all(path, field, values = {}, most = 1000) {
  const out = [];
  let pageToken = '';
  do {
    const page = await get(path, { pageSize: 200, ...values, pageToken });
    out.push(...(page[field] || []));
    pageToken = page.nextPageToken;
  } while (pageToken && out.length < most);
  return out;
}

// What a caller may not see is left out of a page, and nothing else is.
export const optional = (promise) => promise.catch((err) => ([403, 404].includes(err.status) || err.reason === 'FAILED_PRECONDITION' ? undefined : Promise.reject(err)));

// newKey is an idempotency key.
export const newKey = () => crypto.randomUUID();
