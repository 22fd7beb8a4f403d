// Words in both languages. Each module brings its own with words(); t() picks the reader's.
const dictionary = new Map();
const listeners = new Set();
const kept = 'huhang.language';

export let language = localStorage.getItem(kept) || (navigator.language.startsWith('zh') ? 'zh' : 'en');

// words adds { key: ['中文', 'English'] }.
export function words(entries) {
  for (const [key, pair] of Object.entries(entries)) dictionary.set(key, pair);
}

// t is the text of a key, with {name} replaced from values; a key without words shows itself.
export function t(key, values = {}) {
  const pair = dictionary.get(key);
  const text = pair ? pair[language === 'zh' ? 0 : 1] : key;
  return text.replace(/\{(\w+)\}/g, (_, name) => (values[name] === undefined ? '' : String(values[name])));
}

export const has = (key) => dictionary.has(key);

// enumWord is the word of an enum's value such as STATE_DRAFT under its group; one without words is shown as it is.
export function enumWord(group, value) {
  if (!value) return '';
  const key = group + '.' + value;
  return dictionary.has(key) ? t(key) : String(value).replace(/^[A-Z_]*?_(?=[A-Z0-9]+$)/, '');
}

// pick is the field of an API record that ends in Zh or En.
export const pick = (record, field) => (record ? record[field + (language === 'zh' ? 'Zh' : 'En')] || record[field + 'Zh'] || record[field + 'En'] || '' : '');

// said is a Remark of the API in the reader's language.
export const said = (remark) => (remark ? remark[language] || remark.zh || remark.en || '' : '');

export function setLanguage(next) {
  language = next;
  localStorage.setItem(kept, next);
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
  for (const told of listeners) told();
}

export function onLanguage(told) {
  listeners.add(told);
  return () => listeners.delete(told);
}
