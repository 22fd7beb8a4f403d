// The directory of centers: each program with its licence, who it takes, its places and what it is measured by; who changed what.
import { Badge, Facts, html, Load, Section, Table, useData } from '../ui.js';
import { enumWord, pick, t, words } from '../i18n.js';
import { all, get } from '../api.js';
import { placeName, today, when, whenFull } from '../format.js';
import { hasRole, me } from '../session.js';
import { page } from '../pages.js';
import { Doing, useRowCalls } from '../doing.js';
import { offered } from '../case/calls.js';
import { organs, promiseText } from '../case/calls/directory.js';

words({
  'dir.title': ['移植中心', 'Centers'], 'dir.list': ['移植中心名录（{n} 家）', 'Directory of centers ({n})'], 'dir.line': ['航线', 'Line'], 'dir.organ': ['器官', 'Organ'], 'dir.all': ['全部', 'All'], 'dir.center': ['中心', 'Center'], 'dir.city': ['城市', 'City'], 'dir.programs': ['移植项目', 'Programs'], 'dir.direct': ['跨省直接结算', 'Direct settlement'], 'dir.yes': ['可用', 'Yes'], 'dir.no': ['不可用', 'No'],
  'dir.places': ['名额', 'Places'], 'dir.none': ['没有符合条件的中心。', 'No center fits.'], 'dir.open': ['接受转诊', 'Open'], 'dir.shut': ['暂不接受', 'Closed'], 'dir.licence': ['资质有效期', 'Licence'], 'dir.valid': ['有效', 'Valid'], 'dir.ends': ['90 天内到期', 'Ends within 90 days'], 'dir.over': ['已到期', 'Expired'], 'dir.notyet': ['尚未生效', 'Not yet valid'], 'dir.suspended': ['已暂停', 'Suspended'], 'dir.revoked': ['已撤销', 'Revoked'],
  'dir.takes': ['收治', 'Takes'], 'dir.adults': ['成人', 'adults'], 'dir.children': ['儿童', 'children'], 'dir.age': ['{from}–{to} 岁', 'ages {from}–{to}'], 'dir.bmi': ['BMI ≤ {n}', 'BMI ≤ {n}'], 'dir.callIn': ['{n} 分钟内到达', 'within {n} min'], 'dir.measured': ['分级 · 例数 · 等待', 'Tier · volume · wait'], 'dir.tier': ['{n} 级', 'tier {n}'], 'dir.volume': ['{n} 例', '{n} a year'], 'dir.days': ['{n} 天', '{n} days'], 'dir.small': ['例数少', 'small volume'], 'dir.unknown': ['未知', 'unknown'],
  'dir.asof': ['{time} {who} 申报', '{time}, {who}'], 'dir.stale': ['已陈旧', 'stale'], 'dir.never': ['从未申报', 'never declared'], 'dir.do': ['操作', 'Actions'], 'dir.promises': ['预留承诺', 'What it promises'], 'dir.reserved': ['每期预留', 'Reserved in a period'], 'dir.nopromise': ['没有预留承诺。', 'Nothing is promised.'], 'dir.promise': ['承诺', 'Promise'],
  'dir.changes': ['变更记录', 'Who changed what'], 'dir.when': ['时间', 'When'], 'dir.who': ['操作人', 'Who'], 'dir.what': ['内容', 'What'], 'dir.fields': ['变化', 'What is different'], 'dir.nochange': ['没有变更。', 'Nothing was changed.'], 'dir.about': ['概况', 'About'], 'dir.can': ['可进行的操作', 'What you can do'],
  'change.SEED': ['初始录入', 'There from the start'], 'change.IMPORT': ['批量导入', 'Imported'], 'change.DECLARE_CAPACITY': ['申报名额', 'Places declared'], 'change.SET_LICENCE': ['登记资质', 'Licence recorded'], 'change.UPDATE_PROGRAM': ['修改项目', 'Program changed'], 'change.SET_RESERVE_QUOTAS': ['修改预留', 'Promises changed'],
});

const soonMs = 90 * 86400000;

// Standing is a licence's standing today, in words.
function Standing({ of: l }) {
  if (!l?.validTo) return html`<${Badge} tone="bad" icon="alert">${t('dir.unknown')}<//>`;
  const now = today();
  const [tone, icon, word] = l.revoked ? ['bad', 'cross', 'dir.revoked'] : l.suspended ? ['bad', 'pause', 'dir.suspended'] : l.validTo < now ? ['bad', 'alert', 'dir.over'] : l.validFrom > now ? ['warn', 'clock', 'dir.notyet']
    : Date.parse(l.validTo) - Date.parse(now) < soonMs ? ['warn', 'clock', 'dir.ends'] : ['good', 'done', 'dir.valid'];
  return html`<${Badge} tone=${tone} icon=${icon}>${t(word)}<//>`;
}
const good = (l) => l && !l.revoked && !l.suspended && l.validTo >= today() && l.validFrom <= today();

const Open = ({ p }) => (p.open ? html`<${Badge} tone="good" icon="done">${t('dir.open')}<//>` : html`<${Badge} tone="warn" icon="pause">${t('dir.shut')}<//>`);
const lines = ['', 'jjj', 'csj', 'zsj'];

function Directory({ params }) {
  const organ = organs.includes('ORGAN_' + params.organ) ? 'ORGAN_' + params.organ : '';
  const line = lines.includes(params.line) ? params.line : '';
  const found = useData(() => all('/v1/centers', 'centers', { line, organ }), [line, organ], () => false);
  const to = (next) => '#/directory' + (Object.values(next).some(Boolean) ? '?' + new URLSearchParams(Object.entries(next).filter(([, v]) => v)) : '');
  const tab = (key, value, chosen, word) => html`<li><a href=${to({ line, organ: organ.replace('ORGAN_', ''), [key]: value })} aria-current=${value === chosen ? 'page' : undefined}>${word}</a></li>`;
  return html`<div class="title"><h1>${t('dir.title')}</h1></div>
    <nav class="tabs" aria-label=${t('dir.line')}><ul>${lines.map((l) => tab('line', l, line, l ? t('figures.line.' + l) : t('dir.all')))}</ul></nav>
    <nav class="tabs" aria-label=${t('dir.organ')}><ul>${['', ...organs].map((o) => tab('organ', o.replace('ORGAN_', ''), organ.replace('ORGAN_', ''), o ? enumWord('organ', o) : t('dir.all')))}</ul></nav>
    <${Load} ...${found}>${(list) => html`<${Section} title=${t('dir.list', { n: list.length })}><${Table} caption=${t('dir.title')} rows=${list} rowKey=${(c) => c.centerId} empty=${t('dir.none')} columns=${[
      { title: t('dir.center'), cell: (c) => html`<a href=${'#/centers/' + c.centerId}><b>${pick(c, 'name')}</b></a> <code class="small">${c.centerId}</code>` }, { title: t('dir.city'), cell: (c) => placeName(c.city) },
      { title: t('dir.programs'), cell: (c) => html`<ul class="chips">${c.programs.filter((p) => !organ || p.organ === organ).map((p) => html`<li>${enumWord('organ', p.organ)} ${good(p.licence) ? html`<${Open} p=${p} />` : html`<${Standing} of=${p.licence} />`}</li>`)}</ul>` },
      { title: t('dir.places'), number: true, cell: (c) => String(c.programs.filter((p) => !organ || p.organ === organ).reduce((n, p) => n + (p.capacity?.freePlaces || 0), 0)) },
      { title: t('dir.direct'), cell: (c) => html`<${Badge} tone=${c.directSettlement ? 'good' : 'warn'} icon=${c.directSettlement ? 'done' : 'cross'}>${t(c.directSettlement ? 'dir.yes' : 'dir.no')}<//>` },
    ]} /><//>`}<//>`;
}

const yes = (list) => list.filter(Boolean).join(' · ');
function Takes({ p }) {
  const c = p.criteria || {};
  return html`<p>${yes([p.adults && t('dir.adults'), p.children && t('dir.children'), (c.minAge !== undefined || c.maxAge !== undefined) && t('dir.age', { from: c.minAge ?? 0, to: c.maxAge ?? '…' }), c.maxBmi && t('dir.bmi', { n: c.maxBmi }), c.callInMinutes > 0 && t('dir.callIn', { n: c.callInMinutes })])}</p>
    <p class="quiet small">${yes([c.hccSet && t('d.hcc') + ' ' + c.hccSet, c.retransplant && t('d.retransplant'), c.aboIncompatible && t('d.abo'), c.livingDonor && t('d.living'), ...(c.infections || []).map((i) => enumWord('infection', i.infection) + ' ' + enumWord('policy', i.policy))])}</p>`;
}

function Programs({ center, reload }) {
  const row = useRowCalls('program', reload);
  const mine = hasRole('operations') || (hasRole('center') && me().organisation === center.centerId);
  return html`<${Section} title=${t('dir.programs')}><${Table} caption=${t('dir.programs')} rows=${center.programs} rowKey=${(p) => p.organ} columns=${[
      { title: t('dir.organ'), cell: (p) => html`<b>${enumWord('organ', p.organ)}</b> <${Open} p=${p} />` },
      { title: t('dir.licence'), cell: (p) => html`<${Standing} of=${p.licence} /> <div class="small nowrap">${p.licence?.validFrom} – ${p.licence?.validTo}</div>` },
      { title: t('dir.takes'), cell: (p) => html`<${Takes} p=${p} />` },
      { title: t('dir.measured'), cell: (p) => html`${yes([p.survivalTier ? t('dir.tier', { n: p.survivalTier }) : t('dir.unknown'), t('dir.volume', { n: p.volume || 0 }), p.medianWaitDays ? t('dir.days', { n: p.medianWaitDays }) : t('dir.unknown')])} ${p.smallVolume && html`<${Badge} tone="warn" icon="alert">${t('dir.small')}<//>`}` },
      { title: t('dir.places'), number: true, cell: (p) => html`<b>${p.capacity?.asOf ? p.capacity.freePlaces || 0 : '—'}</b><br /><span class="quiet small">${p.capacity?.asOf ? t('dir.asof', { time: when(p.capacity.asOf), who: p.capacity.declaredBy }) : t('dir.never')} ${p.capacity?.stale ? t('dir.stale') : ''}</span>` },
      ...(mine ? [{ title: t('dir.do'), cell: (p) => row.buttons({ center, program: p }, enumWord('organ', p.organ)) }] : []),
    ]} />${row.form}<//>`;
}

const Changed = ({ of: f }) => html`<li>${f.organ && f.organ !== 'ORGAN_UNSPECIFIED' ? enumWord('organ', f.organ) + ' ' : ''}<code>${f.column}</code>: <code>${f.before || '–'}</code> → <code>${f.after || '–'}</code></li>`;

function Center({ params }) {
  const found = useData(async () => {
    const { center } = await get('/v1/centers/' + params.id);
    const mine = hasRole('operations') || (hasRole('center') && me().organisation === center.centerId);
    return { center, changes: mine ? (await get(`/v1/centers/${center.centerId}/changes`, { pageSize: 50 })).changes || [] : undefined };
  }, [params.id], () => false);
  return html`<p class="crumb"><a href="#/directory">${t('dir.title')}</a></p><${Load} ...${found}>${(d) => {
    const { center } = d;
    const doing = offered('center', d);
    return html`<div class="title"><h1>${pick(center, 'name')} <code class="quiet">${center.centerId}</code></h1></div>
      <${Section} title=${t('dir.about')}><${Facts} list=${[[t('dir.city'), placeName(center.city)], [t('dir.line'), t('figures.line.' + center.line)], [t('dir.direct'), t(center.directSettlement ? 'dir.yes' : 'dir.no')]]} /><//>
      <${Programs} center=${center} reload=${found.reload} />
      <${Section} title=${t('dir.promises')}><${Table} caption=${t('dir.promises')} rows=${center.reserveQuotas || []} rowKey=${promiseText} empty=${t('dir.nopromise')} columns=${[
        { title: t('dir.promise'), cell: promiseText }, { title: t('dir.reserved'), number: true, cell: (q) => html`<b>${q.reserved || 0}</b>` }]} /><//>
      ${doing.length > 0 && html`<${Doing} title=${t('dir.can')} first=${doing} data=${d} reload=${found.reload} />`}
      ${d.changes && html`<${Section} title=${t('dir.changes')}><${Table} caption=${t('dir.changes')} rows=${d.changes} rowKey=${(c) => c.etag} empty=${t('dir.nochange')} columns=${[
        { title: t('dir.when'), cell: (c) => whenFull(c.changeTime) }, { title: t('dir.who'), cell: (c) => html`<code>${c.organisation} ${c.subject}</code>` }, { title: t('dir.what'), cell: (c) => enumWord('change', c.action) },
        { title: t('dir.fields'), cell: (c) => ((c.fields || []).length > 12 ? html`<details><summary>${c.fields.length}</summary><ul class="small">${c.fields.map((f) => html`<${Changed} of=${f} />`)}</ul></details>` : html`<ul class="small">${(c.fields || []).map((f) => html`<${Changed} of=${f} />`)}</ul>`) },
      ]} /><//>`}`;
  }}<//>`;
}

const roles = ['coordinator', 'center', 'operations', 'agency'];
page({ path: '/directory', title: 'dir.title', nav: 'dir.title', roles, order: 45, view: Directory });
page({ path: '/centers/:id', title: 'dir.title', roles, view: Center });
