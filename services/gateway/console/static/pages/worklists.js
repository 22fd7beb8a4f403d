// The first page: what waits for the caller's organisation, first to expire first.
import { Badge, html, Icon, Load, Section, useData, useState } from '../ui.js';
import { t, words } from '../i18n.js';
import { get, post } from '../api.js';
import { hasRole } from '../session.js';
import { page } from '../pages.js';
import { Cases } from '../cases.js';

words({
  'lists.title': ['工作清单', 'Worklists'], 'lists.empty': ['此清单目前为空。', 'This list is empty now.'], 'lists.all': ['全部病例', 'All cases'],
  'lists.overdue': ['{n} 件超时', '{n} overdue'], 'lists.kinds': ['清单', 'Lists'], 'lists.more': ['多于 {n} 件', 'more than {n}'],
  'lists.new': ['登记患者并发起转诊', 'Register a patient'], 'lists.find': ['查找病例', 'Find a case'],
  'lists.find.help': ['病例号、本院或他院编号', 'Case number, yours or another hospital’s'], 'lists.find.go': ['查找', 'Find'], 'lists.found': ['查找结果', 'What was found'],
  'lists.notfound': ['没有找到，或您无权查看。', 'Nothing found that is open to you.'], 'lists.agency': ['病例由医院、移植中心与运营处理。经办机构的工作在此：', 'Cases are for hospitals, centers and operations. An agency works here:'],
});

const word = (kind) => t('list.' + kind.replace('WORKLIST_KIND_', ''));

function Kinds({ counts, chosen }) {
  return html`<nav class="kinds" aria-label=${t('lists.kinds')}><ul>
    <li><a href="#/" aria-current=${chosen ? undefined : 'page'}><span>${t('lists.all')}</span></a></li>
    ${counts.map((c) => html`<li key=${c.kind}><a href=${'#/lists/' + c.kind.replace('WORKLIST_KIND_', '')} class=${c.count ? '' : 'idle'} aria-current=${chosen === c.kind ? 'page' : undefined}>
      <span>${word(c.kind)}</span>
      <span class="counts">${c.overdue > 0 && html`<${Badge} tone="bad" icon="alert">${t('lists.overdue', { n: c.overdue })}<//>`}
      <b>${c.count}${c.more ? '+' : ''}</b></span></a></li>`)}
  </ul></nav>`;
}

function Find() {
  const [found, setFound] = useState(null);
  const [error, setError] = useState(null);
  const find = async (e) => {
    e.preventDefault();
    setError(null);
    try {
      setFound((await post('/v1/referrals:search', { query: new FormData(e.target).get('query').trim() })).referrals || []);
    } catch (err) {
      setError(err);
    }
  };
  return html`<form class="find" role="search" onSubmit=${find}>
      <label for="find">${t('lists.find')}</label>
      <div class="row"><input id="find" name="query" type="search" required minlength="3" maxlength="64" autocomplete="off" placeholder=${t('lists.find.help')} /><button>${t('lists.find.go')}</button></div>
      ${error && html`<p class="bad" role="alert"><${Icon} name="alert" /> ${error.text}</p>`}
    </form>
    ${found && html`<${Section} title=${t('lists.found')}><${Cases} caption=${t('lists.found')} list=${found} empty=${t('lists.notfound')} /><//>`}`;
}

function Worklists({ params }) {
  const kind = params.kind ? 'WORKLIST_KIND_' + params.kind : '';
  const counts = useData(() => get('/v1/worklists'), []);
  const list = useData(() => (kind ? get('/v1/worklists/' + kind, { pageSize: 200 }) : get('/v1/referrals', { pageSize: 200 })), [kind]);
  const title = kind ? word(kind) : t('lists.all');
  return html`<div class="title"><h1>${t('lists.title')}</h1>
      ${hasRole('coordinator') && html`<a class="button primary" href="#/register"><${Icon} name="plus" /> ${t('lists.new')}</a>`}</div>
    <${Find} />
    <div class="split">
      <${Load} ...${counts}>${(c) => html`<${Kinds} counts=${c.counts || []} chosen=${kind} />`}<//>
      <${Section} title=${title}><${Load} ...${list}>${(l) => html`<${Cases} caption=${title} list=${l.referrals || []} empty=${t('lists.empty')} />`}<//><//>
    </div>`;
}

const roles = ['coordinator', 'center', 'operations'];
page({ path: '/', title: 'lists.title', nav: 'lists.title', roles, order: 10, view: Worklists });
page({ path: '/lists/:kind', title: 'lists.title', roles, view: Worklists });
page({ path: '/', title: 'lists.title', roles: ['agency'], view: () => html`<h1>${t('lists.title')}</h1><p>${t('lists.agency')}</p><p class="row"><a class="button primary" href="#/supervision">${t('sup.title')}</a><a class="button primary" href="#/clearing">${t('clearing.title')}</a></p>` });
