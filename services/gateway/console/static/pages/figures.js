// The figures of the line: time in each state, offers, moves, bills and results recognised, as pictures and as tables.
import { Badge, Empty, html, Icon, Load, Section, Table, useData, useId, useState } from '../ui.js';
import { enumWord, has, language, t, words } from '../i18n.js';
import { get, send } from '../api.js';
import { fen, placeName, span, today, whenFull, yuan } from '../format.js';
import { hasRole } from '../session.js';
import { page } from '../pages.js';

words({
  'figures.title': ['运行统计', 'Figures'], 'figures.from': ['起始月份', 'From month'], 'figures.to': ['截止月份', 'To month'], 'figures.by': ['分组', 'Told apart by'], 'figures.line': ['航线', 'Line'], 'figures.organ': ['器官', 'Organ'], 'figures.center': ['中心', 'Center'],
  'figures.all': ['全部', 'All'], 'figures.by.none': ['合计', 'Nothing'], 'figures.by.LINE': ['航线', 'Line'], 'figures.by.PROVINCES': ['参保地与就医地', 'Provinces'], 'figures.by.CENTER': ['中心', 'Center'], 'figures.by.MONTH': ['月份', 'Month'],
  'figures.line.jjj': ['京津冀', 'Beijing-Tianjin-Hebei'], 'figures.line.csj': ['长三角', 'Yangtze River Delta'], 'figures.line.zsj': ['珠三角', 'Pearl River Delta'], 'figures.line.cross': ['跨线', 'Across lines'], 'figures.line.': ['尚无中心接收', 'No center yet'],
  'figures.cases': ['病例', 'Cases'], 'figures.states': ['各状态用时', 'Time in each state'], 'figures.offers': ['邀约', 'Offers'], 'figures.transfers': ['转运', 'Moves'], 'figures.bills': ['费用', 'Bills'], 'figures.recognitions': ['检查检验互认', 'Results recognised'],
  'figures.of': ['对象', 'Of'], 'figures.outcome': ['结果', 'Outcome'], 'figures.reason': ['原因', 'Reason'], 'figures.count': ['数量', 'Count'], 'figures.open': ['在此状态', 'Now in it'], 'figures.overdue': ['超时', 'Overdue'], 'figures.median': ['中位数', 'Median'], 'figures.p90': ['90 分位', '9 of 10 within'], 'figures.mean': ['平均', 'Mean'], 'figures.suspended': ['计时暂停合计', 'Clock suspended'],
  'figures.total': ['总费用', 'Total'], 'figures.selfpay': ['自付比例', 'Self-pay'], 'figures.selfpay.median': ['自付比例中位数', 'Self-pay, median'], 'figures.recognised': ['互认', 'Recognised'], 'figures.repeated': ['复查', 'Repeated'], 'figures.avoided': ['节约费用', 'Saved'], 'figures.late': ['晚点', 'Late by'],
  'figures.csv': ['下载 CSV', 'Download CSV'], 'figures.csv.of': ['下载 CSV：{what}', 'Download CSV: {what}'], 'figures.read': ['读取于 {time}；航线划分版本 {version}', 'Read {time}; lines of version {version}'], 'figures.behind': ['尚有 {n} 个事件未计入', '{n} events are not counted yet'],
  'figures.withheld': ['不足 {n} 例，不显示', 'fewer than {n} cases, not shown'], 'figures.missing': ['互认数据暂不可用，或与所选条件不符。', 'Results recognised cannot be told now, or not by this filter.'], 'figures.small': ['少于 {n} 例的统计仅供运营查看。', 'Figures of fewer than {n} cases are for operations alone.'], 'figures.chart': ['图：{what}。数值见下表。', 'Chart: {what}. The table below has the values.'],
  'outcome.OPENED': ['新开', 'Opened'], 'outcome.ACCEPTED': ['接收', 'Accepted'], 'outcome.DECLINED': ['不接收', 'Declined'], 'outcome.EXPIRED': ['超时失效', 'Expired'], 'outcome.WITHDRAWN': ['撤回', 'Withdrawn'], 'outcome.REFUSED': ['无法发出', 'Could not be made'], 'outcome.OPEN': ['进行中', 'Going on'],
  'outcome.IN_TIME': ['准点', 'In time'], 'outcome.LATE': ['晚点', 'Late'], 'outcome.UNPLANNED': ['无计划时间', 'No planned time'], 'outcome.ABORTED': ['中止', 'Ended early'],
  'payer.basic': ['基本医保统筹', 'Basic insurance'], 'payer.second_layer': ['大病保险', 'Second layer'], 'payer.civil_servant': ['公务员补助', 'Civil servants'], 'payer.assistance': ['医疗救助', 'Assistance'], 'payer.commercial': ['商业保险', 'Commercial'], 'payer.charity': ['慈善', 'Charity'], 'payer.grant': ['企业、政府补助', 'Grants'], 'payer.personal_account': ['个人账户', 'Personal account'], 'payer.cash': ['个人现金', 'The patient'],
});

const n = (value) => Number(value || 0);
const number = (value) => new Intl.NumberFormat(language === 'zh' ? 'zh-CN' : 'en-GB').format(n(value));
const took = (seconds) => (seconds === undefined ? '–' : span(n(seconds) * 1000));
const points = (bp) => new Intl.NumberFormat(language === 'zh' ? 'zh-CN' : 'en-GB', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(n(bp) / 10000);
const outcome = (name) => (has('outcome.' + name) ? t('outcome.' + name) : has('close.CLOSE_REASON_' + name) ? t('close.CLOSE_REASON_' + name) : name);

// of says what a row is of, in the order it was asked for.
function of(key = {}, by) {
  const parts = [];
  if (by.includes('MONTH') && key.month) parts.push(key.month);
  if (by.includes('LINE')) parts.push(t('figures.line.' + (key.line || '')));
  if (by.includes('PROVINCES')) parts.push(`${placeName(key.insuredProvince) || '–'} → ${placeName(key.treatmentProvince) || '–'}`);
  if (by.includes('CENTER')) parts.push(key.centerId || '–');
  return parts.join(' · ') || t('figures.all');
}

const tones = ['1', '2', '3', '4', '5', '6', '7'];

// Bars draws rows of {label, parts: [value...], text}; the longest fills the width. The same stands in the table below, so
// that the picture is one picture to a screen reader.
function Bars({ rows, what, legend }) {
  if (!rows.length) return null;
  const most = Math.max(...rows.map((r) => r.parts.reduce((a, b) => a + b, 0)), 1);
  const step = 26;
  return html`<figure class="chart" tabindex="0" aria-label=${what}><svg role="img" aria-label=${t('figures.chart', { what })} viewBox=${`0 0 720 ${rows.length * step + 4}`} preserveAspectRatio="xMinYMin meet">
    ${rows.map((r, i) => {
      let x = 210;
      return html`<g key=${r.key}><text x="200" y=${i * step + 17} text-anchor="end">${r.label.length > 26 ? r.label.slice(0, 25) + '…' : r.label}</text>
        ${r.parts.map((v, j) => { const w = (v / most) * 390; const at = x; x += w; return v > 0 && html`<rect x=${at} y=${i * step + 4} width=${Math.max(w, 1)} height=${step - 8} class=${'tone-' + tones[(r.tone ?? j) % tones.length]} />`; })}
        <text x=${x + 6} y=${i * step + 17}>${r.text}</text></g>`;
    })}</svg>
    ${legend && html`<figcaption class="legend">${legend.map((word, j) => html`<span key=${word}><svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" class=${'tone-' + tones[j % tones.length]} /></svg> ${word}</span>`)}</figcaption>`}
  </figure>`;
}

async function download(section, filter) {
  const q = new URLSearchParams(filter);
  const months = Object.fromEntries(filter);
  q.set('section', 'FIGURE_SECTION_' + section);
  const blob = await (await send('GET', '/v1/figures/file?' + q, undefined, { headers: { Accept: '*/*' } })).blob();
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `huhang-${section.toLowerCase()}-${months['filter.fromMonth']}-${months['filter.toMonth']}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function Part({ word, section, filter, rows, chart, columns, rowKey }) {
  const [failed, setFailed] = useState('');
  const button = html`<button type="button" aria-label=${t('figures.csv.of', { what: t(word) })} onClick=${() => download(section, filter).then(() => setFailed(''), (err) => setFailed(err.text || err.message))}>${t('figures.csv')}</button>`;
  return html`<${Section} title=${t(word)} actions=${button}>
    ${failed && html`<p class="bad" role="alert">${failed}</p>`}
    ${rows.length ? html`${chart}<${Table} caption=${t(word)} rowKey=${rowKey} rows=${rows} columns=${columns} />` : html`<${Empty} />`}<//>`;
}

const spread = (field) => [
  { title: t('figures.median'), number: true, cell: (r) => took(r[field]?.median) }, { title: t('figures.p90'), number: true, cell: (r) => took(r[field]?.p90) },
  { title: t('figures.mean'), number: true, cell: (r) => took(r[field]?.mean) },
];

function Sections({ d, by, filter }) {
  const keyed = { title: t('figures.of'), cell: (r) => of(r.key, by) };
  const small = (cell) => (r) => (r.withheld ? html`<span class="quiet">${t('figures.withheld', { n: d.smallestCell })}</span>` : cell(r));
  const id = (r) => JSON.stringify([r.key, r.state, r.outcome, r.reason]);
  const label = (r, word) => (by.length ? of(r.key, by) + ' · ' : '') + word;
  const counted = { title: t('figures.count'), number: true, cell: small((r) => number(r.count)) };
  const told = (list) => (list || []).filter((r) => !r.withheld);
  const payers = [...new Set(told(d.bills).flatMap((b) => (b.payers || []).map((p) => p.payer)))];
  return html`
    <${Part} word="figures.cases" section="CASES" filter=${filter} rows=${d.cases || []} rowKey=${id}
      chart=${html`<${Bars} what=${t('figures.cases')} rows=${told(d.cases).map((r) => ({ key: id(r), label: label(r, outcome(r.outcome)), parts: [n(r.count)], text: number(r.count), tone: r.outcome === 'OPENED' ? 0 : 2 }))} />`}
      columns=${[keyed, { title: t('figures.outcome'), cell: (r) => outcome(r.outcome) }, counted, ...spread('durationSeconds')]} />
    <${Part} word="figures.states" section="STATES" filter=${filter} rows=${d.states || []} rowKey=${id}
      chart=${html`<${Bars} what=${t('figures.states')} legend=${[t('figures.median'), t('figures.p90')]} rows=${told(d.states).filter((r) => r.runningSeconds).map((r) => ({
        key: id(r), label: label(r, enumWord('state', 'STATE_' + r.state)), parts: [n(r.runningSeconds.median), n(r.runningSeconds.p90) - n(r.runningSeconds.median)], text: took(r.runningSeconds.median),
      }))} />`}
      columns=${[keyed, { title: t('case.state'), cell: (r) => enumWord('state', 'STATE_' + r.state) }, counted, { title: t('figures.open'), number: true, cell: (r) => number(r.open) },
        { title: t('figures.overdue'), number: true, cell: (r) => (n(r.overdue) ? html`<${Badge} tone="bad" icon="alert">${number(r.overdue)}<//>` : 0) }, ...spread('runningSeconds'),
        { title: t('figures.suspended'), number: true, cell: (r) => took(r.suspendedSeconds) }]} />
    <${Part} word="figures.offers" section="OFFERS" filter=${filter} rows=${d.offers || []} rowKey=${id}
      chart=${html`<${Bars} what=${t('figures.offers')} rows=${told(d.offers).map((r) => ({ key: id(r), label: label(r, outcome(r.outcome) + (r.reason ? ' · ' + (has('decline.' + r.reason) ? t('decline.' + r.reason) : r.reason) : '')), parts: [n(r.count)], text: number(r.count), tone: ['ACCEPTED', 'DECLINED', 'OPEN', 'EXPIRED', 'WITHDRAWN', 'REFUSED'].indexOf(r.outcome) }))} />`}
      columns=${[keyed, { title: t('figures.outcome'), cell: (r) => outcome(r.outcome) }, { title: t('figures.reason'), cell: (r) => (r.reason ? (has('decline.' + r.reason) ? t('decline.' + r.reason) : html`<code>${r.reason}</code>`) : '–') }, counted, ...spread('answerSeconds')]} />
    <${Part} word="figures.transfers" section="TRANSFERS" filter=${filter} rows=${d.transfers || []} rowKey=${id}
      chart=${html`<${Bars} what=${t('figures.transfers')} rows=${told(d.transfers).map((r) => ({ key: id(r), label: label(r, outcome(r.outcome)), parts: [n(r.count)], text: number(r.count), tone: r.outcome === 'LATE' ? 6 : 0 }))} />`}
      columns=${[keyed, { title: t('figures.outcome'), cell: (r) => outcome(r.outcome) }, { title: t('figures.reason'), cell: (r) => r.reason || '–' }, counted,
        { title: `${t('figures.late')} (${t('figures.median')})`, number: true, cell: (r) => took(r.delaySeconds?.median) }, { title: `${t('figures.late')} (${t('figures.p90')})`, number: true, cell: (r) => took(r.delaySeconds?.p90) }]} />
    <${Part} word="figures.bills" section="BILLS" filter=${filter} rows=${d.bills || []} rowKey=${id}
      chart=${html`<${Bars} what=${t('figures.bills')} legend=${payers.map((p) => (has('payer.' + p) ? t('payer.' + p) : p))} rows=${told(d.bills).map((b) => ({ key: id(b), label: of(b.key, by), parts: payers.map((p) => fen((b.payers || []).find((x) => x.payer === p)?.amount)), text: yuan(b.total) }))} />`}
      columns=${[keyed, counted, { title: t('figures.total'), number: true, cell: (b) => (b.withheld ? '–' : yuan(b.total)) }, ...payers.map((p) => ({ title: has('payer.' + p) ? t('payer.' + p) : p, number: true, cell: (b) => { const paid = (b.payers || []).find((x) => x.payer === p); return paid ? `${yuan(paid.amount)} (${points(paid.shareBp)})` : '–'; } })),
        { title: t('figures.selfpay'), number: true, cell: (b) => (b.withheld ? '–' : points(b.selfPayBp)) }, { title: t('figures.selfpay.median'), number: true, cell: (b) => (b.withheld ? '–' : points(b.selfPaySpreadBp?.median)) }]} />
    ${(d.missing || []).includes('RECOGNITIONS') ? html`<${Section} title=${t('figures.recognitions')}><p class="notice"><${Icon} name="alert" /> ${t('figures.missing')}</p><//>` : html`
    <${Part} word="figures.recognitions" section="RECOGNITIONS" filter=${filter} rows=${d.recognitions || []} rowKey=${id}
      chart=${html`<${Bars} what=${t('figures.recognitions')} rows=${(d.recognitions || []).map((r) => ({ key: id(r), label: of(r.key, by), parts: [fen(r.avoided)], text: yuan(r.avoided) }))} />`}
      columns=${[keyed, { title: t('figures.recognised'), number: true, cell: (r) => number(r.recognised) }, { title: t('figures.repeated'), number: true, cell: (r) => number(r.repeatedCount) }, { title: t('figures.avoided'), number: true, cell: (r) => yuan(r.avoided) }]} />`}`;
}

const year = (now) => { const [y, m] = now.split('-').map(Number); return m === 12 ? `${y}-01` : `${y - 1}-${String(m + 1).padStart(2, '0')}`; };

function Choice({ label, value, onChange, options }) {
  const id = useId('choice');
  return html`<div class="field"><label for=${id}>${label}</label><select id=${id} value=${value} onChange=${(e) => onChange(e.target.value)}>${options.map(([v, word]) => html`<option key=${v} value=${v} selected=${v === value}>${word}</option>`)}</select></div>`;
}

function Month({ label, value, onChange }) {
  const id = useId('month');
  return html`<div class="field"><label for=${id}>${label}</label><input id=${id} type="text" inputmode="numeric" pattern="[0-9]{4}-(0[1-9]|1[0-2])" placeholder="2026-11" value=${value} onChange=${(e) => e.target.checkValidity() && onChange(e.target.value)} /></div>`;
}

function Figures() {
  const now = today().slice(0, 7);
  const [ask, setAsk] = useState({ from: year(now), to: now, by: '', line: '', organ: '' });
  const set = (field) => (value) => setAsk((a) => ({ ...a, [field]: value }));
  const by = ask.by ? ask.by.split('+') : [];
  const filter = Object.entries({ 'filter.fromMonth': ask.from, 'filter.toMonth': ask.to, 'filter.line': ask.line, 'filter.organ': ask.organ }).filter(([, v]) => v);
  for (const group of by) filter.push(['filter.groupBy', 'FIGURE_GROUP_' + group]);
  const found = useData(() => get('/v1/figures?' + new URLSearchParams(filter)), [JSON.stringify(ask)], () => false);
  const groups = ['', 'LINE', 'PROVINCES', 'CENTER', 'MONTH', 'MONTH+LINE', 'MONTH+CENTER'];
  return html`<div class="title"><h1>${t('figures.title')}</h1></div>
    <form class="panel figures-ask" aria-label=${t('figures.title')} onSubmit=${(e) => e.preventDefault()}><div class="fields">
      <${Month} label=${t('figures.from')} value=${ask.from} onChange=${set('from')} /><${Month} label=${t('figures.to')} value=${ask.to} onChange=${set('to')} />
      <${Choice} label=${t('figures.by')} value=${ask.by} onChange=${set('by')} options=${groups.map((g) => [g, g ? g.split('+').map((x) => t('figures.by.' + x)).join(' + ') : t('figures.by.none')])} />
      <${Choice} label=${t('figures.line')} value=${ask.line} onChange=${set('line')} options=${['', 'jjj', 'csj', 'zsj', 'cross'].map((l) => [l, l ? t('figures.line.' + l) : t('figures.all')])} />
      <${Choice} label=${t('figures.organ')} value=${ask.organ} onChange=${set('organ')} options=${['', 'KIDNEY', 'LIVER', 'HEART', 'LUNG', 'PANCREAS', 'SMALL_BOWEL'].map((o) => [o && 'ORGAN_' + o, o ? enumWord('organ', 'ORGAN_' + o) : t('figures.all')])} />
    </div></form>
    <${Load} ...${found}>${(d) => html`<p class="quiet small" role="status">${t('figures.read', { time: whenFull(d.readTime), version: d.linesVersion })}${n(d.behind) ? ' · ' + t('figures.behind', { n: d.behind }) : ''}${d.smallestCell && !hasRole('operations') ? ' · ' + t('figures.small', { n: d.smallestCell }) : ''}</p>
      <${Sections} d=${d} by=${by} filter=${filter} />`}<//>`;
}

page({ path: '/figures', title: 'figures.title', nav: 'figures.title', roles: [], order: 60, view: Figures });
