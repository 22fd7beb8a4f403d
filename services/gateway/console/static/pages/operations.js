// For operations: every case past its deadline or taken by nobody, and how much waits on each list.
import { Badge, html, Icon, Load, Section, Table, useData } from '../ui.js';
import { t, words } from '../i18n.js';
import { get } from '../api.js';
import { page } from '../pages.js';
import { Cases } from '../cases.js';

words({
  'ops.title': ['超时与异常', 'Late cases'], 'ops.overdue': ['已超时', 'Past their deadline'], 'ops.exhausted': ['无中心接收', 'Taken by nobody'], 'ops.arrivals': ['到达未确认', 'Arrivals not confirmed'], 'ops.bills': ['结算异常', 'Settlements failing'], 'ops.steps': ['系统步骤受阻', 'Steps of the line that failed'],
  'ops.counts': ['各清单数量', 'What waits'], 'ops.list': ['清单', 'List'], 'ops.count': ['数量', 'Cases'], 'ops.late': ['其中超时', 'Overdue'], 'ops.fine': ['目前没有。', 'None now.'],
});

const lists = [['OVERDUE', 'ops.overdue'], ['EXHAUSTED', 'ops.exhausted'], ['ARRIVALS_NOT_CONFIRMED', 'ops.arrivals'], ['SETTLEMENTS_FAILING', 'ops.bills'], ['NEEDS_ATTENTION', 'ops.steps']];

function Late() {
  const found = useData(async () => {
    const [counts, ...late] = await Promise.all([get('/v1/worklists'), ...lists.map(([k]) => get('/v1/worklists/WORKLIST_KIND_' + k, { pageSize: 200 }))]);
    return { counts: counts.counts || [], late: late.map((l) => l.referrals || []) };
  }, []);
  return html`<div class="title"><h1>${t('ops.title')}</h1></div><${Load} ...${found}>${(d) => html`
    ${lists.map(([, word], i) => html`<${Section} title=${html`${t(word)} <${Badge} tone=${d.late[i].length ? 'bad' : 'good'} icon=${d.late[i].length ? 'alert' : 'done'}>${d.late[i].length}<//>`}><${Cases} caption=${t(word)} list=${d.late[i]} empty=${t('ops.fine')} /><//>`)}
    <${Section} title=${t('ops.counts')}><${Table} caption=${t('ops.counts')} rowKey=${(c) => c.kind} rows=${d.counts} columns=${[
      { title: t('ops.list'), cell: (c) => html`<a href=${'#/lists/' + c.kind.replace('WORKLIST_KIND_', '')}>${t('list.' + c.kind.replace('WORKLIST_KIND_', ''))}</a>` },
      { title: t('ops.count'), number: true, cell: (c) => c.count + (c.more ? '+' : '') }, { title: t('ops.late'), number: true, cell: (c) => (c.overdue ? html`<${Badge} tone="bad" icon="alert">${c.overdue}<//>` : html`<${Icon} name="done" /> 0`) },
    ]} /><//>`}<//>`;
}

page({ path: '/late', title: 'ops.title', nav: 'ops.title', roles: ['operations'], order: 30, view: Late });
