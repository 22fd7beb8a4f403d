// What is asked of a facility's webhooks: its endpoints and the messages to them.
import { words } from '../../i18n.js';
import { localInput } from '../../format.js';
import { call, choice, own, prefixed, record } from '../calls.js';

words({
  'w.url': ['接收地址（https）', 'Address, https'], 'w.types': ['事件类型（每行一个，不填即全部）', 'Types, one a line; none: all'], 'w.types.help': ['如 cn.huhang.referral.offer.created.v1', 'Such as cn.huhang.referral.offer.created.v1'], 'w.about': ['用途', 'What it is for'], 'w.status': ['状态', 'Status'], 'w.skip': ['跳过积压，从现在起', 'Leave the backlog out: go on from now'],
  'w.overlap': ['旧密钥继续有效（小时，0 即刻失效）', 'The old secret signs as well for, hours; 0: ends at once'], 'w.since': ['重发此后的死信', 'Dead messages since'],
  'b.hook': ['增加接收端点', 'Add an endpoint'], 'b.hookChange': ['修改、暂停或恢复', 'Change, pause or resume'], 'b.hookRotate': ['更换密钥', 'Rotate the secret'], 'b.hookDelete': ['删除端点', 'Delete the endpoint'], 'b.hookTest': ['发送测试事件', 'Send a test event'], 'b.hookReplay': ['重发死信', 'Send dead messages again'], 'b.replay': ['重新发送', 'Send it again'],
  'hook.WEBHOOK_STATUS_ACTIVE': ['发送中', 'Active'], 'hook.WEBHOOK_STATUS_PAUSED': ['已暂停', 'Paused'], 'hook.WEBHOOK_STATUS_DISABLED': ['已停用', 'Disabled'],
});

const facilities = ['coordinator', 'center'];
const all = [...facilities, 'operations'];
record('endpoint', (d) => ['/v1/webhook-endpoints/' + d.endpoint.endpointId, d.endpoint.etag], { endpoint: { endpointId: '{endpoint_id}' } });
record('delivery', (d) => ['/v1/webhook-deliveries/' + d.delivery.deliveryId], { delivery: { deliveryId: '{delivery_id}' } });

const mine = (d) => own(d.endpoint.organisation);
const of = (name, label, more) => ({ name, label, value: (d) => d.endpoint?.[name], ...more });
const url = of('url', 'w.url', { required: true, maxLength: 500, wide: true });
const types = of('eventTypes', 'w.types', { type: 'lines', help: 'w.types.help', wide: true, value: (d) => (d.endpoint?.eventTypes || []).join('\n') });
const about = of('description', 'w.about', { maxLength: 200, wide: true });
const day = 86400000;

call('CreateWebhookEndpoint', { to: '/v1/webhook-endpoints', fields: [url, types, about], offer: { at: 'webhooks', label: 'b.hook', roles: facilities } });
call('UpdateWebhookEndpoint', {
  of: 'endpoint', put: true,
  fields: [
    url, types, about, choice('status', 'w.status', 'hook', prefixed('WEBHOOK_STATUS_', ['ACTIVE', 'PAUSED']), { value: (d) => (d.endpoint?.status === 'WEBHOOK_STATUS_PAUSED' ? 'WEBHOOK_STATUS_PAUSED' : 'WEBHOOK_STATUS_ACTIVE') }),
    { name: 'skipBacklog', label: 'w.skip', type: 'check', when: (v) => v.status === 'WEBHOOK_STATUS_ACTIVE' },
  ],
  offer: { at: 'endpoint', label: 'b.hookChange', roles: facilities, when: mine },
});
call('SendTestEvent', { of: 'endpoint', verb: ':test', etag: false, offer: { at: 'endpoint', label: 'b.hookTest', roles: facilities, when: (d) => mine(d) && d.endpoint.status === 'WEBHOOK_STATUS_ACTIVE' } });
call('ReplayDeadDeliveries', {
  of: 'endpoint', verb: ':replayDead', etag: false, fields: [{ name: 'since', label: 'w.since', type: 'datetime', required: true, value: () => localInput(Date.now() - 7 * day) }],
  offer: { at: 'endpoint', label: 'b.hookReplay', roles: all, when: (d) => d.endpoint.dead > 0 },
});
call('RotateWebhookSecret', { of: 'endpoint', verb: ':rotateSecret', fields: [{ name: 'overlapHours', label: 'w.overlap', type: 'number', value: 24 }], offer: { at: 'endpoint', label: 'b.hookRotate', roles: facilities, when: mine } });
call('DeleteWebhookEndpoint', { of: 'endpoint', verb: ':delete', danger: true, offer: { at: 'endpoint', label: 'b.hookDelete', roles: facilities, when: mine } });
call('ReplayWebhookDelivery', { of: 'delivery', verb: ':replay', etag: false, offer: { at: 'delivery', label: 'b.replay', roles: all, when: (d) => d.delivery.status !== 'WEBHOOK_DELIVERY_STATUS_PENDING' } });
