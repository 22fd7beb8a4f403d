// How things are written for people. A day or a time is China's, wherever the reader sits.
import { language, t, words } from './i18n.js';

words({
  'time.left': ['剩余 {span}', '{span} left'], 'time.late': ['超时 {span}', '{span} late'],
  'span.d': ['{n} 天', '{n} d'], 'span.h': ['{n} 小时', '{n} h'], 'span.m': ['{n} 分钟', '{n} min'], 'span.now': ['不到 1 分钟', 'under 1 min'],
  'place.unknown': ['未知', 'unknown'],
});

const zone = 'Asia/Shanghai';
const locale = () => (language === 'zh' ? 'zh-CN' : 'en-GB');

export function when(stamp) {
  if (!stamp) return '';
  return new Intl.DateTimeFormat(locale(), { timeZone: zone, month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hour12: false }).format(new Date(stamp));
}

export function whenFull(stamp) {
  if (!stamp) return '';
  return new Intl.DateTimeFormat(locale(), { timeZone: zone, dateStyle: 'medium', timeStyle: 'short', hour12: false }).format(new Date(stamp));
}

export const clock = (stamp) => (stamp ? new Intl.DateTimeFormat(locale(), { timeZone: zone, hour: '2-digit', minute: '2-digit', hour12: false }).format(new Date(stamp)) : '');

// today is the day in China, YYYY-MM-DD.
export const today = (now = Date.now()) => new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(now));

// localInput is a moment as an <input type=datetime-local> holds it, in China's time; fromInput reads it back.
export const localInput = (ms) => new Date(ms + 8 * 3600000).toISOString().slice(0, 16);
export const fromInput = (text) => (text ? new Date(text + ':00+08:00').toISOString() : undefined);

export function span(ms) {
  const minutes = Math.floor(Math.abs(ms) / 60000);
  if (minutes < 1) return t('span.now');
  const [d, h, m] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  const parts = d ? [t('span.d', { n: d }), h ? t('span.h', { n: h }) : ''] : [h ? t('span.h', { n: h }) : '', m ? t('span.m', { n: m }) : ''];
  return parts.filter(Boolean).join(' ');
}

// seconds of a protobuf duration such as "5400s".
export const seconds = (duration) => Number(String(duration || '0').replace('s', ''));

export const remaining = (stamp, now = Date.now()) => new Date(stamp).getTime() - now;

export const left = (ms) => t(ms < 0 ? 'time.late' : 'time.left', { span: span(ms) });

export const fen = (money) => Number(money?.fen || 0);

export const yuan = (amount) => new Intl.NumberFormat(locale(), { style: 'currency', currency: 'CNY', currencyDisplay: 'narrowSymbol' }).format((typeof amount === 'number' ? amount : fen(amount)) / 100);

export const percent = (part, whole) => new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: 1 }).format(whole ? part / whole : 0);

let places = {};
export async function loadPlaces() { places = await (await fetch('/console/places.json')).json(); }
export const placeOf = (code) => places[code];
export const placeName = (code) => (places[code] ? places[code][language] : code || '');
export const cities = () => Object.entries(places).filter(([, p]) => p.lat).map(([code, p]) => ({ code, ...p }));

// shortId is the end of an id, enough to tell two apart on one page.
export const shortId = (id) => (id ? id.slice(0, 4) + '…' + id.slice(-6) : '');

// provinces are those of the directory of places, by code.
export const provinces = () => Object.entries(places).filter(([code, p]) => !p.lat && code.endsWith('0000')).map(([code, p]) => ({ code, ...p }));
