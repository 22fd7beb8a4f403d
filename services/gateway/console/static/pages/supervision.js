// Supervision of settlements: what the rules found, one finding with the numbers it goes by, and the agency's decision.
import { Badge, Deadline, Facts, html, Load, Section, Table, useData } from '../ui.js';
import { enumWord, has, t, words } from '../i18n.js';
import { all, get } from '../api.js';
import { placeName, when, whenFull, yuan } from '../format.js';
import { go, page } from '../pages.js';
import { Doing } from '../doing.js';
import { offered } from '../case/calls.js';
import '../case/calls/supervision.js';
import { provinceOf, Whose } from '../province.js';

words({
  'sup.title': ['基金监管', 'Supervision'], 'sup.list': ['疑点（{n}）', 'Findings ({n})'], 'sup.show': ['显示', 'Show'], 'sup.all': ['全部', 'All'], 'sup.holding': ['仅暂缓结算的', 'Holding a settlement'], 'sup.none': ['没有疑点。', 'Nothing was found.'], 'sup.rule': ['规则', 'Rule'], 'sup.found': ['发现', 'Found'], 'sup.side': ['本省身份', 'Our part'], 'sup.about': ['决定机构所在省', 'Decided in'], 'sup.state': ['状态', 'State'], 'sup.due': ['期限', 'Due'], 'sup.holds': ['结算等待此决定', 'A settlement waits for it'], 'sup.notdue': ['无期限', 'none'],
  'sup.one': ['疑点', 'Finding'], 'sup.version': ['规则版本', 'Rules'], 'sup.claim': ['费用单', 'Claim'], 'sup.related': ['相关费用单', 'Related claim'], 'sup.period': ['期间', 'Period'], 'sup.numbers': ['依据的数字', 'The numbers it goes by'], 'sup.what': ['项目', 'What'], 'sup.number': ['数值', 'Number'], 'sup.decided': ['{time} 由 {who} 决定', 'Decided {time} by {who}'], 'sup.do': ['决定', 'Decide'], 'sup.notyours': ['由 {who} 经办机构决定。', 'For the agency of {who} to decide.'], 'sup.over': ['已有决定。', 'It is decided.'],
  'sup.rules': ['现行规则', 'Rules in force'], 'sup.inforce': ['版本 {version}，自 {from} 起', 'Version {version}, from {from}'], 'sup.illustrative': ['示例规则，非正式依据', 'Illustrative, no official source'], 'sup.does': ['结算前发现时', 'Found before settlement'], 'sup.hold': ['暂缓结算', 'Holds it'], 'sup.flag': ['仅提示', 'Flags it'],
  'supRule.SUPERVISION_RULE_SPLIT_ADMISSION': ['分解住院', 'Split admission'], 'supRule.SUPERVISION_RULE_OVERLAPPING_STAYS': ['重叠住院', 'Overlapping stays'], 'supRule.SUPERVISION_RULE_HANGING_BED': ['挂床住院', 'Days without any item'], 'supRule.SUPERVISION_RULE_DRUG_PURCHASES': ['超频次购药', 'Drugs bought too often'], 'supRule.SUPERVISION_RULE_DRUG_QUANTITY': ['超量购药', 'More of a drug than its guideline'], 'supRule.SUPERVISION_RULE_COST_OUTLIER': ['费用异常', 'Cost far from the mean'],
  'supRule.SUPERVISION_RULE_SHARED_PHONE': ['多人共用电话', 'One telephone for many'], 'supRule.SUPERVISION_RULE_DUPLICATE_PAYMENT': ['重复报销', 'Paid twice'], 'supRule.SUPERVISION_RULE_IDENTITY_MISMATCH': ['冒名就医', 'Another’s card'], 'supRule.SUPERVISION_RULE_REGIONAL_ALARM': ['地区费用增长警示', 'A province’s cost grows too fast'], 'supRule.SUPERVISION_RULE_POVERTY_WARNING': ['因病致贫预警', 'May be made poor by illness'],
  'supState.SUPERVISION_STATE_OPEN': ['待决定', 'To decide'], 'supState.SUPERVISION_STATE_CONFIRMED': ['成立', 'Confirmed'], 'supState.SUPERVISION_STATE_DISMISSED': ['不成立', 'Dismissed'], 'supSide.SUPERVISION_SIDE_INSURED': ['参保地', 'Insures'], 'supSide.SUPERVISION_SIDE_TREATMENT': ['就医地', 'Treats'],
  'ev.burden_fen': ['个人全年负担', 'Own payments of the year'], 'ev.income_fen': ['上年人均可支配收入', 'Last year’s disposable income'], 'ev.burden_percent': ['负担占收入', 'Burden of income'], 'ev.total_fen': ['总费用', 'Total'], 'ev.mean_fen': ['同组均值', 'Mean of its group'], 'ev.deviation_fen': ['标准差', 'Deviation'], 'ev.sigma_hundredths': ['偏离标准差倍数', 'Deviations away'],
  'ev.days_between': ['间隔', 'Between the stays'], 'ev.limit_days': ['限值', 'Limit'], 'ev.overlap_days': ['重叠', 'Overlap'], 'ev.days_without_items': ['连续无费用', 'Running without items'], 'ev.days_of_stay': ['住院', 'Stay'], 'ev.purchases': ['购药次数', 'Purchases'], 'ev.allowed': ['允许', 'Allowed'], 'ev.percent_of_guideline': ['占指导用量', 'Of the guideline'], 'ev.quantity_milli': ['数量', 'Quantity'], 'ev.guideline_milli': ['指导用量', 'Guideline'], 'ev.insured_with_phone': ['同号参保人数', 'Insured with the number'],
  'ev.payments': ['支付次数', 'Payments'], 'ev.channels': ['渠道数', 'Channels'], 'ev.numbers_compared': ['比对号码', 'Numbers compared'], 'ev.numbers_different': ['不一致', 'Different'], 'ev.cost_growth_bp': ['费用增长', 'Growth of cost'], 'ev.income_growth_bp': ['收入增长', 'Growth of income'], 'ev.points_allowed': ['允许超出（百分点）', 'Points allowed'], 'ev.stays': ['住院例数', 'Stays'], 'unit.days': ['{n} 天', '{n} days'],
});

const tones = { SUPERVISION_STATE_OPEN: ['warn', 'clock'], SUPERVISION_STATE_CONFIRMED: ['bad', 'alert'], SUPERVISION_STATE_DISMISSED: ['good', 'done'] };
const State = ({ of }) => html`<${Badge} tone=${tones[of]?.[0]} icon=${tones[of]?.[1]}>${enumWord('supState', of)}<//>`;
const rule = (r) => enumWord('supRule', r);

// value writes a number with the unit that its name ends in.
function value({ name, value: n }) {
  const number = Number(n || 0);
  if (name.endsWith('_fen')) return yuan(number);
  if (name.endsWith('_bp')) return number / 100 + ' %';
  if (name.endsWith('_percent') || name.startsWith('percent_')) return number + ' %';
  if (name.endsWith('_milli')) return String(number / 1000);
  if (name.endsWith('_hundredths')) return String(number / 100);
  if (/days/.test(name)) return t('unit.days', { n: number });
  return String(number);
}

const shown = ['OPEN', 'CONFIRMED', 'DISMISSED', 'all', 'holding'];

function Supervision({ params }) {
  const province = provinceOf(params);
  const show = shown.includes(params.show) ? params.show : 'OPEN';
  const filter = show === 'holding' ? { holding: true, state: 'SUPERVISION_STATE_OPEN' } : show === 'all' ? {} : { state: 'SUPERVISION_STATE_' + show };
  const found = useData(async () => {
    if (!province) return null;
    const [hits, rules] = await Promise.all([all('/v1/supervision/hits', 'hits', { province, ...filter }), get('/v1/supervision/rules', { province })]);
    return { hits, rules };
  }, [province, show], () => false);
  const to = (next) => '/supervision?' + new URLSearchParams({ ...(params.province && { province: params.province }), show, ...next });
  const named = { all: 'sup.all', holding: 'sup.holding' };
  return html`<div class="title"><h1>${t('sup.title')}${province && html` <span class="quiet">${placeName(province)}</span>`}</h1></div>
    <${Whose} province=${province} set=${(code) => go(to({ province: code }))} />
    <nav class="tabs" aria-label=${t('sup.show')}><ul>${shown.map((s) => html`<li><a href=${'#' + to({ show: s })} aria-current=${s === show ? 'page' : undefined}>${t(named[s] || 'supState.SUPERVISION_STATE_' + s)}</a></li>`)}</ul></nav>
    ${province && html`<${Load} ...${found}>${(d) => d && html`<${Section} title=${t('sup.list', { n: d.hits.length })}><${Table} caption=${t('sup.title')} rows=${d.hits} rowKey=${(h) => h.hitId} empty=${t('sup.none')} columns=${[
        { title: t('sup.rule'), cell: (h) => html`<a href=${'#/supervision/' + h.hitId}><b>${rule(h.rule)}</b></a> ${h.holds && h.state === 'SUPERVISION_STATE_OPEN' && html`<${Badge} tone="bad" icon="pause">${t('sup.holds')}<//>`}` }, { title: t('sup.state'), cell: (h) => html`<${State} of=${h.state} />` },
        { title: t('sup.due'), cell: (h) => (h.dueTime && h.state === 'SUPERVISION_STATE_OPEN' ? html`<${Deadline} of=${h.dueTime} />` : html`<span class="quiet">${h.dueTime ? when(h.dueTime) : t('sup.notdue')}</span>`) },
        { title: t('sup.side'), cell: (h) => enumWord('supSide', h.side) }, { title: t('sup.period'), cell: (h) => h.period }, { title: t('sup.found'), cell: (h) => whenFull(h.createTime) },
      ]} /><//>
      <${Section} title=${t('sup.rules')}><p>${t('sup.inforce', { version: d.rules.version, from: d.rules.validFrom })} ${d.rules.standing === 'illustrative' && html`<${Badge} tone="warn" icon="note">${t('sup.illustrative')}<//>`}</p>
        <${Table} caption=${t('sup.rules')} narrow rows=${d.rules.rules || []} rowKey=${(r) => r.rule} columns=${[{ title: t('sup.rule'), cell: (r) => rule(r.rule) }, { title: t('sup.does'), cell: (r) => t(r.holds ? 'sup.hold' : 'sup.flag') }]} /><//>`}<//>`}`;
}

function Hit({ params }) {
  const found = useData(() => get('/v1/supervision/hits/' + params.id), [params.id], () => false);
  return html`<p class="crumb"><a href="#/supervision">${t('sup.title')}</a></p><${Load} ...${found}>${(d) => {
    const { hit } = d;
    const doing = offered('hit', d);
    const open = hit.state === 'SUPERVISION_STATE_OPEN';
    return html`<div class="title"><h1>${rule(hit.rule)}</h1><${State} of=${hit.state} /></div>
      <${Section} title=${t('sup.one')}><${Facts} list=${[[t('sup.side'), enumWord('supSide', hit.side)], [t('sup.about'), placeName(hit.province)], [t('sup.period'), hit.period], [t('sup.found'), whenFull(hit.createTime)], [t('sup.version'), html`<code>${hit.rulesVersion}</code>`],
          [t('sup.claim'), hit.claimId && html`<code>${hit.claimId}</code>`], [t('sup.related'), hit.relatedClaimId && html`<code>${hit.relatedClaimId}</code>`], [t('sup.due'), open && hit.dueTime && html`<${Deadline} of=${hit.dueTime} />`]]} />
        ${hit.holds && open && html`<p class="notice warn">${t('sup.holds')}</p>`}
        ${!open && html`<p class="notice">${t('sup.decided', { time: whenFull(hit.decideTime), who: hit.decidedBy })}: ${hit.comment}</p>`}<//>
      <${Section} title=${t('sup.numbers')}><${Table} caption=${t('sup.numbers')} narrow rows=${hit.evidence || []} rowKey=${(e) => e.name} columns=${[
        { title: t('sup.what'), cell: (e) => (has('ev.' + e.name) ? t('ev.' + e.name) : html`<code>${e.name}</code>`) }, { title: t('sup.number'), number: true, cell: value }]} /><//>
      <${Doing} title=${t('sup.do')} first=${doing} data=${d} reload=${found.reload} empty=${open ? t('sup.notyours', { who: placeName(hit.province) }) : t('sup.over')} />`;
  }}<//>`;
}

const roles = ['agency', 'operations'];
page({ path: '/supervision', title: 'sup.title', nav: 'sup.title', roles, order: 72, view: Supervision });
page({ path: '/supervision/:id', title: 'sup.one', roles, view: Hit });
