// The reader of /openapi.json: every operation, its fields, and a form to send it. All text is set as text, never as HTML.
'use strict';

const $ = (id) => document.getElementById(id);
let spec;
let token = '';
let current;
let follow;

function el(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes || {})) {
    if (k === 'on') for (const [event, f] of Object.entries(v)) e.addEventListener(event, f);
    else if (v === true) e.setAttribute(k, '');
    else if (v !== false && v !== undefined) e.setAttribute(k, v);
  }
  e.append(...children.filter((c) => c !== undefined && c !== ''));
  return e;
}

const resolve = (schema) => (schema && schema.$ref ? spec.definitions[schema.$ref.replace('#/definitions/', '')] : schema) || {};
const nameOf = (schema) => (schema && schema.$ref ? schema.$ref.replace(/^#\/definitions\/(huhang\.)?/, '') : '');

function typeOf(schema) {
  if (!schema) return '';
  if (schema.$ref) {
    const found = resolve(schema);
    return found.enum ? 'one of ' + found.enum.join(', ') : nameOf(schema);
  }
  if (schema.type === 'array') return 'list of ' + typeOf(schema.items);
  if (schema.enum) return 'one of ' + schema.enum.join(', ');
  return [schema.type, schema.format].filter(Boolean).join(' ');
}

// example is a body to start from: each field with an empty value of its type.
function example(schema, depth) {
  const s = resolve(schema);
  if (s.enum) return s.default || s.enum[0];
  if (s.type === 'array') return depth < 4 && resolve(s.items).properties ? [example(s.items, depth + 1)] : [];
  if (s.properties && depth < 4) {
    const out = {};
    for (const [k, v] of Object.entries(s.properties)) out[k] = k === 'requestId' ? crypto.randomUUID() : example(v, depth + 1);
    return out;
  }
  if (s.type === 'integer' || s.type === 'number') return 0;
  if (s.type === 'boolean') return false;
  if (s.format === 'int64') return '0';
  return s.type === 'string' ? '' : {};
}

function operations() {
  const all = [];
  for (const [path, verbs] of Object.entries(spec.paths)) {
    for (const [verb, op] of Object.entries(verbs)) all.push({ path, verb: verb.toUpperCase(), op, id: op.operationId });
  }
  return all;
}

function list() {
  const wanted = $('filter').value.trim().toLowerCase();
  const groups = new Map();
  for (const o of operations()) {
    const text = [o.path, o.verb, o.id, o.op.summary, o.op.description].join(' ').toLowerCase();
    if (wanted && !text.includes(wanted)) continue;
    const tag = (o.op.tags || ['API'])[0];
    if (!groups.has(tag)) groups.set(tag, []);
    groups.get(tag).push(o);
  }
  const out = [];
  for (const [tag, ops] of groups) {
    out.push(el('h2', {}, tag));
    for (const o of ops) {
      out.push(el('a', { href: '#' + o.id, title: o.op.summary || '', 'aria-current': current === o.id ? 'page' : undefined },
        el('span', { class: 'verb' }, o.verb), el('span', {}, o.path)));
    }
  }
  $('list').replaceChildren(...(out.length ? out : [el('p', { class: 'quiet' }, 'Nothing matches. 无匹配。')]));
}

function fields(schema, title, seen) {
  const s = resolve(schema);
  if (!s.properties) return '';
  const rows = [];
  const nested = [];
  for (const [k, v] of Object.entries(s.properties)) {
    const described = [v.title, v.description, v.$ref ? resolve(v).title : ''].filter(Boolean).join('\n');
    rows.push(el('tr', {}, el('td', {}, el('code', {}, k)), el('td', {}, typeOf(v)), el('td', { class: 'described' }, described)));
    const inner = v.$ref ? v : v.items && v.items.$ref ? v.items : undefined;
    if (inner && resolve(inner).properties && !seen.has(inner.$ref)) {
      seen.add(inner.$ref);
      nested.push(fields(inner, nameOf(inner), seen));
    }
  }
  return el('details', { class: 'card', open: title === 'Body' }, el('summary', {}, title), el('table', {}, ...rows), ...nested);
}

function show() {
  if (follow) follow.abort();
  current = decodeURIComponent(location.hash.slice(1));
  const o = operations().find((x) => x.id === current);
  list();
  if (!o) return;
  const parameters = o.op.parameters || [];
  const bodyParameter = parameters.find((p) => p.in === 'body');
  const form = el('form', { class: 'card' });
  for (const p of parameters.filter((x) => x.in !== 'body')) {
    form.append(el('label', {}, p.name + (p.required ? ' *' : '') + ' ', el('span', { class: 'quiet' }, typeOf(p)),
      el('input', { name: p.name, 'data-in': p.in, required: p.required || false, autocomplete: 'off' }),
      el('span', { class: 'quiet described' }, p.description || '')));
  }
  if (bodyParameter) {
    form.append(el('label', {}, 'Body', el('textarea', { name: ' body', spellcheck: 'false' },
      JSON.stringify(example(bodyParameter.schema, 0), null, 2))));
  }
  const button = el('button', {}, 'Send 发送');
  const result = el('section', { 'aria-live': 'polite' });
  form.append(button);
  form.addEventListener('submit', (event) => { event.preventDefault(); send(o, form, button, result); });
  const answer = o.op.responses && o.op.responses['200'] && o.op.responses['200'].schema;
  $('operation').replaceChildren(
    el('p', { class: 'path' }, o.verb + ' ' + o.path),
    el('p', { class: 'described' }, [o.op.summary, o.op.description].filter(Boolean).join('\n')),
    form, result,
    bodyParameter ? fields(bodyParameter.schema, 'Body', new Set()) : '',
    answer ? fields(answer, 'Answer', new Set()) : '');
}

async function send(o, form, button, result) {
  let path = o.path;
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll('input[data-in]')) {
    if (input.dataset.in === 'path') path = path.replace('{' + input.name + '}', encodeURIComponent(input.value));
    else if (input.value !== '') query.append(input.name, input.value);
  }
  const headers = {};
  if (token) headers.Authorization = 'Bearer ' + token;
  const options = { method: o.verb, headers };
  const text = form.querySelector('textarea');
  if (text) {
    headers['Content-Type'] = 'application/json';
    options.body = text.value;
  }
  if (follow) follow.abort();
  follow = new AbortController();
  options.signal = follow.signal;
  button.disabled = true;
  const status = el('p', {}, 'Waiting … 等待中');
  const shown = el('pre', {});
  result.replaceChildren(status, shown);
  try {
    const answer = await fetch(path + (query.size ? '?' + query : ''), options);
    status.className = answer.ok ? 'good' : 'bad';
    status.textContent = 'HTTP ' + answer.status + ' · trace ' + (answer.headers.get('X-Trace-Id') || '-');
    if ((answer.headers.get('Content-Type') || '').includes('ndjson')) await stream(answer, shown, button);
    else shown.textContent = pretty(await answer.text());
  } catch (err) {
    if (err.name !== 'AbortError') {
      status.className = 'bad';
      status.textContent = 'No answer 无响应: ' + err.message;
    }
  } finally {
    button.disabled = false;
  }
}

// stream shows the lines of an answer that stays open, the newest ones only.
async function stream(answer, shown, button) {
  button.disabled = false;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    kept = (kept + value).slice(-100000);
    shown.textContent = kept;
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function signedIn(text, given) {
  token = given;
  $('who').textContent = text;
  $('signin').open = false;
  $('signin-error').textContent = '';
}

async function devSignIn(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  const body = new URLSearchParams({
    subject: form.get('subject'), organisation: form.get('organisation'), province: form.get('province'),
    roles: form.getAll('roles').join(' '),
  });
  try {
    const answer = await fetch('/dev/issuer/token', { method: 'POST', body });
    const given = await answer.json();
    if (!answer.ok) throw new Error(given.message);
    signedIn(body.get('subject') + ' · ' + body.get('organisation') + ' · ' + body.get('roles'), given.access_token);
  } catch (err) {
    $('signin-error').textContent = err.message;
  }
}

async function start() {
  const dev = document.body.dataset.devIssuer === 'true';
  $('dev').hidden = !dev;
  $('signin').open = true;
  $('dev').addEventListener('submit', devSignIn);
  $('paste').addEventListener('submit', (event) => {
    event.preventDefault();
    const given = new FormData(event.target).get('token').trim();
    if (given) signedIn('Token in use 使用令牌中', given);
    event.target.reset();
  });
  $('filter').addEventListener('input', list);
  window.addEventListener('hashchange', show);
  try {
    spec = await (await fetch('/openapi.json')).json();
  } catch (err) {
    $('operation').replaceChildren(el('p', { class: 'bad' }, 'The document did not load 文档未能加载: ' + err.message));
    return;
  }
  show();
}

start();
