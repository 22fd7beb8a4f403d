// The journey drawn from the places' own coordinates: no tiles, nothing from elsewhere. A list below says the same.
import { html, Section } from '../ui.js';
import { language, t, words } from '../i18n.js';
import { placeOf } from '../format.js';

words({
  'map.title': ['行程图', 'Map of the journey'], 'map.said': ['从{from}到{to}，直线约 {km} 公里。', 'From {from} to {to}, {km} km as the crow flies.'], 'map.home': ['居住地', 'Home'], 'map.center': ['移植中心', 'Center'],
  'map.planned': ['计划', 'planned'], 'map.moving': ['途中', 'on the way'], 'map.there': ['已到达', 'arrived'],
});

const rad = (d) => (d * Math.PI) / 180;
export function km(a, b) {
  const h = Math.sin(rad(b.lat - a.lat) / 2) ** 2 + Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(rad(b.lon - a.lon) / 2) ** 2;
  return Math.round(2 * 6371 * Math.asin(Math.sqrt(h)));
}

const width = 640;
const height = 300;
const edge = 64;

// project fits the points into the picture, north up, one scale for both axes at their middle latitude.
export function project(points) {
  const lat = (Math.max(...points.map((p) => p.lat)) + Math.min(...points.map((p) => p.lat))) / 2;
  const flat = points.map((p) => ({ x: p.lon * Math.cos(rad(lat)), y: -p.lat }));
  const [x0, x1, y0, y1] = [Math.min(...flat.map((p) => p.x)), Math.max(...flat.map((p) => p.x)), Math.min(...flat.map((p) => p.y)), Math.max(...flat.map((p) => p.y))];
  const scale = Math.min((width - 2 * edge) / Math.max(x1 - x0, 0.05), (height - 2 * edge) / Math.max(y1 - y0, 0.05));
  return (p) => ({ x: width / 2 + (p.lon * Math.cos(rad(lat)) - (x0 + x1) / 2) * scale, y: height / 2 + (-p.lat - (y0 + y1) / 2) * scale });
}

export function Journey({ data }) {
  const from = placeOf(data.patient?.residenceCity);
  const to = placeOf(data.case.centerCity);
  if (!from || !to) return null;
  const legs = (data.transfer?.itinerary?.legs || []).filter((l) => l.fromPoint && l.toPoint);
  const stops = legs.length ? [legs[0].fromPoint, ...legs.map((l) => l.toPoint)].map((p) => ({ lat: p.latitude, lon: p.longitude })) : [from, to];
  const names = legs.length ? [legs[0].fromName, ...legs.map((l) => l.toName)] : [from[language], to[language]];
  const at = project([...stops, from, to]);
  const drawn = stops.map(at);
  const now = data.live?.position && data.case.state === 'STATE_IN_TRANSIT' ? at({ lat: data.live.position.latitude, lon: data.live.position.longitude }) : null;
  const status = { TRANSFER_STATUS_IN_TRANSIT: 'map.moving', TRANSFER_STATUS_ARRIVED: 'map.there' }[data.transfer?.status] || 'map.planned';
  const said = t('map.said', { from: from[language], to: to[language], km: km(from, to) });
  // A name is written where there is room: the first, the last, and of the others those far enough from the one before.
  let last = null;
  const shown = drawn.map((p, i) => {
    const end = i === 0 || i === drawn.length - 1;
    const room = !last || Math.hypot(p.x - last.x, p.y - last.y) > 90;
    const tail = drawn[drawn.length - 1];
    const free = end || (room && Math.hypot(p.x - tail.x, p.y - tail.y) > 90);
    if (free) last = p;
    return free;
  });
  return html`<${Section} title=${t('map.title')} id="map">
    <figure class="map"><svg viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${said}>
      <path class="grid" d=${[...Array(9).keys()].map((i) => `M${i * 80} 0V${height}`).join('') + [...Array(5).keys()].map((i) => `M0 ${i * 75}H${width}`).join('')} />
      <path class=${'way ' + status.slice(4)} d=${drawn.map((p, i) => `${i ? 'L' : 'M'}${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join('')} />
      ${drawn.map((p, i) => html`<g class=${i === 0 ? 'home' : i === drawn.length - 1 ? 'center' : 'stop'}><circle cx=${p.x} cy=${p.y} r=${i === 0 || i === drawn.length - 1 ? 7 : 4} />
        ${shown[i] && html`<text x=${p.x} y=${p.y + (i === drawn.length - 1 ? -14 : 22)} text-anchor="middle">${names[i]}</text>`}</g>`)}
      ${now && html`<circle class="now" cx=${now.x} cy=${now.y} r="9" />`}
      <path class="north" d="M618 26l7 18-7-5-7 5z" /><text class="north-n" x="618" y="20" text-anchor="middle">N</text>
    </svg><figcaption>${said} ${data.transfer ? t(status) : ''}</figcaption></figure><//>`;
}
