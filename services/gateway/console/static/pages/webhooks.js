// A facility's webhooks: where its systems are told, what was delivered and what failed. A secret is shown once.
import { Badge, Facts, html, Icon, Load, Section, Table, useData, useEffect, useState } from '../ui.js';
import { enumWord, t, words } from '../i18n.js';
import { all, get } from '../api.js';
import { shortId, whenFull } from '../format.js';
import { hasRole } from '../session.js';
import { go, page } from '../pages.js';
import { caseLink } from '../cases.js';
import { Doing } from '../doing.js';
import { offered } from '../case/calls.js';
import '../case/calls/webhooks.js';

words({
  'hooks.title': ['系统对接', 'Webhooks'], 'hooks.list': ['接收端点', 'Endpoints'], 'hooks.none': ['还没有接收端点。', 'No endpoint yet.'], 'hooks.url': ['地址', 'Address'], 'hooks.status': ['状态', 'Status'], 'hooks.whose': ['机构', 'Facility'], 'hooks.waiting': ['待发', 'Waiting'], 'hooks.dead': ['死信', 'Dead'], 'hooks.failures': ['连续失败', 'Failures in a row'], 'hooks.do': ['可进行的操作', 'What you can do'], 'hooks.readonly': ['您可查看，不可修改。', 'Yours to see, not to change.'],
  'hooks.secret': ['密钥只显示这一次，请立即保存到接收系统：', 'The secret is shown this once. Keep it in the receiving system now:'], 'hooks.endpoint': ['端点', 'Endpoint'], 'hooks.since': ['自 {time}', 'since {time}'], 'hooks.about': ['用途', 'What it is for'], 'hooks.types': ['事件类型', 'Types'], 'hooks.everything': ['全部', 'All'], 'hooks.made': ['建立', 'Made'], 'hooks.next': ['下次发送不早于', 'Not sent to before'], 'hooks.old': ['旧密钥有效至', 'The old secret signs until'],
  'hooks.deliveries': ['投递记录', 'Deliveries'], 'hooks.show': ['显示', 'Show'], 'hooks.all': ['全部', 'All'], 'hooks.nodelivery': ['没有投递。', 'Nothing was delivered.'], 'hooks.event': ['事件', 'Event'], 'hooks.case': ['病例', 'Case'], 'hooks.attempts': ['尝试次数', 'Attempts'], 'hooks.last': ['最近结果', 'Last outcome'], 'hooks.time': ['时间', 'Time'], 'hooks.due': ['下次', 'Next'],
  'hooks.message': ['消息', 'Message'], 'hooks.tries': ['各次尝试', 'Every attempt'], 'hooks.number': ['序号', 'No.'], 'hooks.took': ['用时（毫秒）', 'Took, ms'], 'hooks.http': ['HTTP 状态', 'HTTP status'], 'hooks.trace': ['追踪号', 'Trace'], 'hooks.body': ['消息内容', 'Body'], 'hooks.replays': ['重发次数', 'Replays'], 'hooks.queued': ['入列', 'Queued'], 'hooks.notry': ['尚未发送。', 'Not sent yet.'],
  'why.PAUSED': ['本机构暂停', 'paused by its owner'], 'why.FAILING': ['连续失败过久', 'failed for too long'], 'why.GONE': ['接收方答复 410', 'answered 410'],
  'delivery.WEBHOOK_DELIVERY_STATUS_PENDING': ['待发送', 'Pending'], 'delivery.WEBHOOK_DELIVERY_STATUS_DELIVERED': ['已送达', 'Delivered'], 'delivery.WEBHOOK_DELIVERY_STATUS_DEAD': ['死信', 'Dead'],
  'tried.WEBHOOK_OUTCOME_DELIVERED': ['送达', 'Delivered'], 'tried.WEBHOOK_OUTCOME_REFUSED': ['被拒绝', 'Refused'], 'tried.WEBHOOK_OUTCOME_REDIRECTED': ['要求转向（不跟随）', 'Redirected, not followed'], 'tried.WEBHOOK_OUTCOME_GONE': ['已不存在（410）', 'Gone, 410'], 'tried.WEBHOOK_OUTCOME_TIMEOUT': ['超时未答', 'No answer in time'], 'tried.WEBHOOK_OUTCOME_UNREACHABLE': ['连接不上', 'No connection'], 'tried.WEBHOOK_OUTCOME_FORBIDDEN_ADDRESS': ['地址不允许', 'Address not sent to'], 'tried.WEBHOOK_OUTCOME_CERTIFICATE': ['证书无效', 'The certificate does not hold'],
});

const lookAgain = 2000; // while a message waits for its attempt
const tones = {
  WEBHOOK_STATUS_ACTIVE: ['good', 'live'], WEBHOOK_STATUS_PAUSED: ['warn', 'pause'], WEBHOOK_STATUS_DISABLED: ['bad', 'alert'],
  WEBHOOK_DELIVERY_STATUS_PENDING: ['warn', 'clock'], WEBHOOK_DELIVERY_STATUS_DELIVERED: ['good', 'done'], WEBHOOK_DELIVERY_STATUS_DEAD: ['bad', 'cross'],
};
const Mark = ({ group, of }) => html`<${Badge} tone=${tones[of]?.[0]} icon=${tones[of]?.[1]}>${enumWord(group, of)}<//>`;
const outcome = (o) => (o && o !== 'WEBHOOK_OUTCOME_UNSPECIFIED' ? enumWord('tried', o) : '–');
const number = (title, cell) => ({ title, number: true, cell: (x) => String(cell(x) || 0) });

// Secret stands only in the page's memory, until the page is left.
const Secret = ({ secret }) => secret && html`<div class="notice warn" role="status"><p><${Icon} name="alert" /> <strong>${t('hooks.secret')}</strong></p><p><code>${secret}</code></p></div>`;

function Webhooks() {
  const found = useData(() => all('/v1/webhook-endpoints', 'endpoints'), [], () => false);
  const [secret, setSecret] = useState('');
  const doing = offered('webhooks', {});
  return html`<div class="title"><h1>${t('hooks.title')}</h1></div><${Secret} secret=${secret} /><${Load} ...${found}>${(list) => html`
    <${Section} title=${t('hooks.list')}><${Table} caption=${t('hooks.list')} rows=${list} rowKey=${(e) => e.endpointId} empty=${t('hooks.none')} columns=${[
      { title: t('hooks.url'), cell: (e) => html`<a href=${'#/webhooks/' + e.endpointId}><code>${e.url}</code></a> <span class="quiet small">${e.description}</span>` }, ...(hasRole('operations') ? [{ title: t('hooks.whose'), cell: (e) => html`<code>${e.organisation}</code>` }] : []),
      { title: t('hooks.status'), cell: (e) => html`<${Mark} group="hook" of=${e.status} /> <span class="quiet small">${e.statusReason && enumWord('why', e.statusReason)}</span>` }, number(t('hooks.waiting'), (e) => e.waiting), number(t('hooks.dead'), (e) => e.dead), number(t('hooks.failures'), (e) => e.failures),
    ]} /><//>
    ${doing.length > 0 && html`<${Doing} title=${t('hooks.do')} first=${doing} data=${{}} reload=${found.reload} onAnswer=${(_, answer) => setSecret(answer.secret)} />`}`}<//>`;
}

// useFollowed reads again while a message waits, and stops when none does.
function useFollowed(found, waits) {
  useEffect(() => {
    const timer = waits ? setTimeout(found.reload, lookAgain) : 0;
    return () => clearTimeout(timer);
  }, [found.data, found.error]);
}

const statuses = ['', 'PENDING', 'DELIVERED', 'DEAD'];

function Endpoint({ params }) {
  const show = statuses.includes(params.show) ? params.show : '';
  const found = useData(async () => {
    const [{ endpoint }, list] = await Promise.all([get('/v1/webhook-endpoints/' + params.id), get('/v1/webhook-deliveries', { endpointId: params.id, status: show && 'WEBHOOK_DELIVERY_STATUS_' + show, pageSize: 100 })]);
    return { endpoint, deliveries: list.deliveries || [] };
  }, [params.id, show], () => false);
  const [secret, setSecret] = useState('');
  useFollowed(found, found.data?.deliveries.some((d) => d.status === 'WEBHOOK_DELIVERY_STATUS_PENDING'));
  const answered = (action, answer) => {
    if (action === 'DeleteWebhookEndpoint') go('/webhooks');
    else if (answer.secret) setSecret(answer.secret);
  };
  return html`<p class="crumb"><a href="#/webhooks">${t('hooks.title')}</a></p><div class="title"><h1>${t('hooks.endpoint')} <code>${shortId(params.id)}</code></h1></div><${Secret} secret=${secret} /><${Load} ...${found}>${(d) => {
    const { endpoint: e } = d;
    return html`<${Section} title=${t('hooks.endpoint')}><${Facts} list=${[[t('hooks.url'), html`<code>${e.url}</code>`], [t('hooks.whose'), html`<code>${e.organisation}</code>`], [t('hooks.status'), html`<${Mark} group="hook" of=${e.status} /> <span class="quiet small">${e.statusReason && enumWord('why', e.statusReason)} ${t('hooks.since', { time: whenFull(e.statusTime) })}</span>`], [t('hooks.about'), e.description],
        [t('hooks.types'), e.eventTypes?.length ? html`<code>${e.eventTypes.join(' ')}</code>` : t('hooks.everything')], [t('hooks.waiting'), String(e.waiting || 0)], [t('hooks.dead'), String(e.dead || 0)], [t('hooks.failures'), String(e.failures || 0)], [t('hooks.next'), e.notBefore && whenFull(e.notBefore)], [t('hooks.old'), e.oldSecretUntil && whenFull(e.oldSecretUntil)],
        [t('hooks.made'), html`${whenFull(e.createTime)} <code>${e.createdBy}</code>`]]} /><//>
      <${Section} title=${t('hooks.deliveries')} actions=${html`<button type="button" class="plain" onClick=${found.reload}>${t('form.reload')}</button>`}>
        <nav class="tabs" aria-label=${t('hooks.show')}><ul>${statuses.map((s) => html`<li><a href=${`#/webhooks/${params.id}` + (s && '?show=' + s)} aria-current=${s === show ? 'page' : undefined}>${s ? enumWord('delivery', 'WEBHOOK_DELIVERY_STATUS_' + s) : t('hooks.all')}</a></li>`)}</ul></nav>
        <${Table} caption=${t('hooks.deliveries')} rows=${d.deliveries} rowKey=${(m) => m.deliveryId} empty=${t('hooks.nodelivery')} columns=${[
          { title: t('hooks.event'), cell: (m) => html`<a href=${'#/deliveries/' + m.deliveryId}><code>${m.eventType}</code></a>` }, { title: t('hooks.status'), cell: (m) => html`<${Mark} group="delivery" of=${m.status} />` }, { title: t('hooks.case'), cell: (m) => (m.referralId ? caseLink(m.referralId) : '–') },
          number(t('hooks.attempts'), (m) => m.attempts), { title: t('hooks.last'), cell: (m) => html`${outcome(m.lastOutcome)} ${m.lastHttpStatus > 0 && html`<code>${m.lastHttpStatus}</code>`}` }, { title: t('hooks.time'), cell: (m) => whenFull(m.lastSendTime || m.createTime) }, { title: t('hooks.due'), cell: (m) => whenFull(m.nextSendTime) || '–' },
        ]} /><//>
      <${Doing} title=${t('hooks.do')} first=${offered('endpoint', d)} data=${d} reload=${found.reload} onAnswer=${answered} empty=${t('hooks.readonly')} />`;
  }}<//>`;
}

function Delivery({ params }) {
  const found = useData(() => get('/v1/webhook-deliveries/' + params.id), [params.id], () => false);
  useFollowed(found, found.data?.delivery.status === 'WEBHOOK_DELIVERY_STATUS_PENDING');
  return html`<${Load} ...${found}>${(d) => {
    const { delivery: m } = d;
    return html`<p class="crumb"><a href=${'#/webhooks/' + m.endpointId}>${t('hooks.endpoint')} <code>${shortId(m.endpointId)}</code></a></p><div class="title"><h1>${t('hooks.message')} <code>${shortId(m.deliveryId)}</code></h1><${Mark} group="delivery" of=${m.status} /></div>
      <${Section} title=${t('hooks.message')}><${Facts} list=${[[t('hooks.event'), html`<code>${m.eventType}</code>`], [t('hooks.case'), m.referralId && caseLink(m.referralId)], [t('hooks.queued'), whenFull(m.createTime)], [t('hooks.attempts'), String(m.attempts || 0)], [t('hooks.replays'), String(m.replays || 0)], [t('hooks.due'), whenFull(m.nextSendTime)]]} /><//>
      <${Section} title=${t('hooks.tries')}><${Table} caption=${t('hooks.tries')} rows=${d.attempts || []} rowKey=${(a) => a.number} empty=${t('hooks.notry')} columns=${[
        number(t('hooks.number'), (a) => a.number), { title: t('hooks.time'), cell: (a) => whenFull(a.sendTime) }, { title: t('hooks.last'), cell: (a) => outcome(a.outcome) }, number(t('hooks.http'), (a) => a.httpStatus || '–'), number(t('hooks.took'), (a) => a.durationMillis), { title: t('hooks.trace'), cell: (a) => html`<code>${a.traceId}</code>` },
      ]} /><//>
      <${Section} title=${t('hooks.body')}><p><code>${d.body}</code></p><//>
      <${Doing} title=${t('hooks.do')} first=${offered('delivery', d)} data=${d} reload=${found.reload} empty=${t('hooks.readonly')} />`;
  }}<//>`;
}

const roles = ['coordinator', 'center', 'operations'];
page({ path: '/webhooks', title: 'hooks.title', nav: 'hooks.title', roles, order: 80, view: Webhooks });
page({ path: '/webhooks/:id', title: 'hooks.endpoint', roles, view: Endpoint });
page({ path: '/deliveries/:id', title: 'hooks.message', roles, view: Delivery });
