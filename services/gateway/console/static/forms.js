// Forms are data: fields, where to send, and what to do with the answer. What is refused is shown at its field.
import { announce, html, Icon, useEffect, useId, useRef, useState } from './ui.js';
import { language, t, words } from './i18n.js';
import { newKey } from './api.js';

words({
  'form.send': ['提交', 'Submit'], 'form.sending': ['正在提交…', 'Sending…'], 'form.required': ['必填', 'required'], 'form.choose': ['请选择', 'Choose'],
  'form.wrong': ['有 {n} 处需要更正：', '{n} to correct:'], 'form.stale': ['此记录在您打开后已被更新。内容已重新读取，请核对后再次提交。', 'The record changed since you opened it. It was read again: check it, then submit once more.'],
  'form.empty': ['请填写此项', 'Fill in this field'], 'form.done': ['已完成：{what}', 'Done: {what}'], 'form.reload': ['重新读取', 'Reload'], 'form.cancel': ['取消', 'Cancel'],
  'form.other': ['其他', 'Other'], 'form.yes': ['是', 'Yes'], 'form.no': ['否', 'No'], 'form.unknown': ['未知', 'Not known'],
});

const snake = (name) => name.replace(/[A-Z]/g, (c) => '_' + c.toLowerCase());

// at reads a value such as "labs.inr" of nested values, put writes it.
export const at = (values, name) => name.split('.').reduce((v, k) => (v === undefined || v === null ? undefined : v[k]), values);
export function put(values, name, value) {
  const [head, ...rest] = name.split('.');
  return { ...values, [head]: rest.length ? put(values[head] || {}, rest.join('.'), value) : value };
}

// clean drops what was left empty, so that "not known" is not sent as a value.
export function clean(value) {
  if (Array.isArray(value)) return value.map(clean).filter((v) => v !== undefined);
  if (value && typeof value === 'object') {
    const out = {};
    for (const [k, v] of Object.entries(value)) {
      const c = clean(v);
      if (c !== undefined) out[k] = c;
    }
    return Object.keys(out).length ? out : undefined;
  }
  return value === '' || value === null ? undefined : value;
}

// needs tells whether a field must be filled in, which may depend on the others.
const needs = (f, values) => (typeof f.required === 'function' ? f.required(values) : f.required);

// A file is told from another by what the browser knows of it without reading.
const told = (_, v) => (v instanceof File ? [v.size, v.type, v.lastModified, v.name] : v);

function initial(fields, given) {
  let values = { ...given };
  for (const f of fields) if (f.value !== undefined && at(values, f.name) === undefined) values = put(values, f.name, f.value);
  return values;
}

// Form sends body(values) once for each content: a double click, or another try of the same, has the same key.
// fields: {name, label, type, required, options, help, hint, when, path, maxLength, wide, heading}; required may be a function of
// the values, and narrow one that tells which of the options fit them.
export function Form({ fields, submit, send, onDone, onCancel, reload, given, intro, tone = 'primary', what }) {
  const [values, setValues] = useState(() => initial(fields, given));
  const [refused, setRefused] = useState(null);
  const [busy, setBusy] = useState(false);
  const form = useRef(null);
  const key = useRef({ text: '', id: '' });
  const id = useId('form');
  const shown = fields.filter((f) => !f.when || f.when(values));

  const wrong = new Map();
  const rest = [];
  for (const v of refused?.violations || []) {
    const f = shown.find((x) => x.name && (x.paths || [x.path || snake(x.name)]).some((p) => v.field === p || v.field.startsWith(p + '.') || v.field.startsWith(p + '[')));
    if (f && !wrong.has(f.name)) wrong.set(f.name, v[language]);
    else if (!f) rest.push(v);
  }

  useEffect(() => {
    if (refused) form.current?.querySelector('[aria-invalid=true], .notice')?.focus();
  }, [refused]);

  const sending = useRef(false);
  const go = async (e) => {
    e.preventDefault();
    if (sending.current) return;
    const missing = shown.filter((f) => needs(f, values) && f.name && (at(values, f.name) === undefined || at(values, f.name) === '' || at(values, f.name)?.length === 0));
    if (missing.length) {
      setRefused({ local: true, violations: missing.map((f) => ({ field: (f.paths || [f.path || snake(f.name)])[0], zh: t('form.empty'), en: t('form.empty') })) });
      return;
    }
    sending.current = true;
    setBusy(true);
    setRefused(null);
    try {
      const text = JSON.stringify(values, told);
      if (key.current.text !== text) key.current = { text, id: newKey() };
      const answer = await send(values, key.current.id);
      announce(t('form.done', { what: what || '' }));
      onDone?.(answer);
    } catch (err) {
      setRefused(err);
      // The next try is about what is read now: it is another request.
      if (err.reason === 'STALE_VERSION') { key.current = { text: '', id: '' }; reload?.(); }
    } finally {
      sending.current = false;
      setBusy(false);
    }
  };

  const whole = refused && !refused.local && (rest.length > 0 || wrong.size === 0);
  return html`<form class="form" ref=${form} onSubmit=${go} noValidate aria-busy=${busy}>
    ${intro && html`<p class="quiet">${intro}</p>`}
    ${wrong.size > 0 && html`<div class="notice bad" role="alert"><p><${Icon} name="alert" /> <strong>${t('form.wrong', { n: wrong.size })}</strong></p>
      <ul class="bullets">${shown.filter((f) => wrong.has(f.name)).map((f) => html`<li><a href=${'#' + id + f.name} onClick=${(e) => { e.preventDefault(); document.getElementById(id + f.name)?.focus(); }}>${f.label}</a>: ${wrong.get(f.name)}</li>`)}</ul></div>`}
    ${whole && html`<div class="notice bad" role="alert" tabindex="-1"><p><${Icon} name="alert" /> <strong>${refused.text || String(refused.message)}</strong></p>
      ${rest.map((v) => html`<p><code>${v.field}</code> ${v[language]}</p>`)}
      ${refused.reason === 'STALE_VERSION' ? html`<p>${t('form.stale')}</p>` : refused.whatToDo && html`<p>${refused.whatToDo}</p>`}
      <p class="quiet small">${refused.reason} ${refused.trace}</p>
      ${refused.reason === 'STALE_VERSION' && reload && html`<button type="button" onClick=${reload}>${t('form.reload')}</button>`}</div>`}
    <div class="fields">${shown.map((f) => f.heading ? html`<h3 class="wide">${f.heading}</h3>`
      : html`<${Field} key=${f.name} f=${f.narrow ? { ...f, options: f.options.filter((o) => (f.narrow(values) || []).includes(o.value)) } : f} needed=${needs(f, values)} id=${id + f.name} value=${at(values, f.name)} problem=${wrong.get(f.name)} set=${(v) => setValues((old) => put(old, f.name, typeof v === 'function' ? v(at(old, f.name)) : v))} />`)}</div>
    <div class="row buttons"><button class=${tone} disabled=${busy}>${busy ? t('form.sending') : submit || t('form.send')}</button>
      ${onCancel && html`<button type="button" onClick=${onCancel}>${t('form.cancel')}</button>`}</div>
  </form>`;
}

function Field({ f, needed, id, value, set, problem }) {
  const said = [f.help && id + '-help', problem && id + '-problem'].filter(Boolean).join(' ') || undefined;
  const shared = { id, name: f.name, 'aria-describedby': said, 'aria-invalid': problem ? 'true' : undefined, 'aria-required': needed ? 'true' : undefined };
  const label = html`${f.label}${needed && html` <span class="quiet small">${t('form.required')}</span>`}`;
  const notes = html`${f.help && html`<p class="quiet small" id=${id + '-help'}>${f.help}</p>`}${problem && html`<p class="bad small" id=${id + '-problem'}><${Icon} name="alert" /> ${problem}</p>`}`;
  if (f.type === 'check') {
    return html`<div class=${'field check' + (f.wide ? ' wide' : '')}><label for=${id}><input type="checkbox" ...${shared} checked=${Boolean(value)} onChange=${(e) => set(e.target.checked || undefined)} /> <span>${label}</span></label>${notes}</div>`;
  }
  if (f.type === 'checks' || f.type === 'radios') {
    const many = f.type === 'checks';
    const has = (v) => (many ? (value || []).includes(v) : value === v);
    // Of what is ticked by then, not of what was drawn: two ticks may come before the page is drawn again.
    const change = (v, on) => set(many ? (was) => f.options.map((o) => o.value).filter((o) => (o === v ? on : (was || []).includes(o))) : v);
    return html`<fieldset class=${'field' + (f.wide ? ' wide' : '')} aria-describedby=${said} id=${id} tabindex="-1">
      <legend>${label}</legend>
      <div class="options">${f.options.map((o) => html`<label key=${o.value}><input type=${many ? 'checkbox' : 'radio'} name=${id} checked=${has(o.value)} onChange=${(e) => change(o.value, e.target.checked)} /> <span>${o.label}</span></label>`)}</div>${notes}</fieldset>`;
  }
  let control;
  if (f.type === 'textarea') {
    control = html`<textarea ...${shared} rows=${f.rows || 3} maxlength=${f.maxLength} value=${value || ''} placeholder=${f.hint} onInput=${(e) => set(e.target.value)} />`;
  } else if (f.type === 'select') {
    control = html`<select ...${shared} value=${value ?? ''} onChange=${(e) => set(e.target.value)}>
      <option value="">${t('form.choose')}</option>${f.options.map((o) => html`<option value=${o.value} selected=${String(value) === String(o.value)}>${o.label}</option>`)}</select>`;
  } else if (f.type === 'file') {
    control = html`<input ...${shared} type="file" accept=${f.accept} onChange=${(e) => set(e.target.files[0])} />`;
  } else if (f.type === 'tristate') {
    control = html`<select ...${shared} value=${value === undefined ? '' : String(value)} onChange=${(e) => set(e.target.value === '' ? undefined : e.target.value === 'true')}>
      <option value="">${t('form.unknown')}</option><option value="true" selected=${value === true}>${t('form.yes')}</option><option value="false" selected=${value === false}>${t('form.no')}</option></select>`;
  } else {
    const numeric = f.type === 'number';
    control = html`<input ...${shared} type=${{ datetime: 'datetime-local', date: 'date' }[f.type] || 'text'} inputmode=${f.inputMode || (numeric ? 'decimal' : undefined)} autocomplete=${f.autocomplete || 'off'}
      maxlength=${f.maxLength} value=${value ?? ''} placeholder=${f.hint} list=${f.list} spellcheck="false"
      onInput=${(e) => set(numeric ? (e.target.value.trim() === '' ? undefined : Number.isNaN(Number(e.target.value)) ? e.target.value : Number(e.target.value)) : e.target.value)} />`;
  }
  return html`<div class=${'field' + (f.wide ? ' wide' : '')}><label for=${id}>${label}</label>${control}${notes}</div>`;
}

// options of an enum: those of its words under a group.
export const options = (values, label) => values.map((value) => ({ value, label: label(value) }));
