// What is asked of the resource pool: its units, holds, loans and quotas.
import { t, words } from '../../i18n.js';
import { localInput, shortId, today, when } from '../../format.js';
import { me } from '../../session.js';
import { call, choice, own, prefixed, record } from '../calls.js';

words({
  'unit.RESOURCE_KIND_BED': ['床位', 'Bed'], 'unit.RESOURCE_KIND_OPERATING_ROOM': ['手术室', 'Operating room'], 'unit.RESOURCE_KIND_EXPERT_SLOT': ['专家号源', 'Expert slot'],
  'unit.RESOURCE_KIND_TEST_SLOT': ['检查号源', 'Test slot'], 'unit.RESOURCE_KIND_AMBULANCE': ['救护车', 'Ambulance'], 'unit.RESOURCE_KIND_CREW': ['护送组', 'Escort crew'],
  'p.kind': ['资源类型', 'Kind'], 'p.label': ['名称或编号', 'Label'], 'p.label.help': ['如床号，勿写患者信息', 'Such as a bed number; nothing of a patient'], 'p.from': ['开始', 'Start'], 'p.to': ['结束', 'End'], 'p.expire': ['预占到期', 'Held until'],
  'p.case': ['病例号', 'Case'], 'p.reason': ['原因（勿写患者信息）', 'Why; nothing of a patient'], 'p.out': ['停用：暂不提供（已有预约保留）', 'Out of service; what is booked stays'], 'p.borrower': ['借给机构（代码）', 'To whom, by code'],
  'p.working': ['工作日时段', 'On working days'], 'p.off': ['非工作日时段', 'On other days'], 'p.windows.help': ['如 08:00-12:00, 13:00-17:30；两项均不填即全天', 'Such as 08:00-12:00, 13:00-17:30; none in both: always'], 'p.rest': ['两次之间至少间隔（分钟）', 'Rest between two, minutes'], 'p.longest': ['单次最长（分钟，0 不限）', 'Longest, minutes; 0 no limit'],
  'p.keep': ['已有的例外时段（取消勾选即删除）', 'Exceptions there are; untick one to end it'], 'p.exception': ['增加一个例外时段', 'Add an exception'], 'p.closeFrom': ['停用开始', 'Closed from'], 'p.closeTo': ['停用结束', 'Closed until'], 'p.closeWhy': ['停用原因', 'Why closed'],
  'p.which': ['改哪一项', 'Which of them'], 'p.fromDay': ['首日', 'First day'], 'p.toDay': ['末日（含）', 'Last day, included'], 'p.reserved': ['预留数量（与比例二选一）', 'Units reserved; this or the share'], 'p.share': ['预留比例（%）', 'Share reserved, %'], 'p.release': ['未用部分提前释放（分钟，不填不释放）', 'Free for own use before, minutes; none: never'], 'p.most': ['转诊预约上限（不填不限）', 'Most referred, if bounded'],
  'b.addUnit': ['增加资源', 'Add a unit'], 'b.calendar': ['修改排班日历', 'Change its calendar'], 'b.report': ['申报现状、停用或恢复', 'Report it, in or out of service'], 'b.ownUse': ['登记本院自用', 'Book own use'], 'b.hold': ['为病例预占', 'Hold for a case'], 'b.override': ['改派：占用他人已订时段', 'Override: take it from another booking'],
  'b.lend': ['借出', 'Lend it'], 'b.confirmHold': ['确认预占', 'Confirm the hold'], 'b.releaseHold': ['释放', 'Release it'], 'b.moveHold': ['改时间', 'Move it'], 'b.acceptLoan': ['接受借调', 'Take the loan'], 'b.endLoan': ['结束借调', 'End the loan'], 'b.quota': ['设定预留号源', 'Reserve a quota'], 'b.unquota': ['撤销预留', 'Withdraw the quota'],
});

const hour = 3600000;
export const kinds = prefixed('RESOURCE_KIND_', ['BED', 'OPERATING_ROOM', 'EXPERT_SLOT', 'TEST_SLOT', 'AMBULANCE', 'CREW']);
const keepers = ['center', 'coordinator'];

record('unit', (d) => ['/v1/resources/' + d.unit.resourceId, d.unit.etag], { unit: { resourceId: '{resource_id}' } });
record('hold', (d) => ['/v1/holds/' + d.hold.holdId, d.hold.etag], { hold: { holdId: '{hold_id}', reservations: [] } });
record('loan', (d) => ['/v1/loans/' + d.loan.loanId, d.loan.etag], { loan: { loanId: '{loan_id}' } });
record('quota', (d) => ['/v1/quotas/' + d.quota.quotaId, d.quota.etag], { quota: { quotaId: '{quota_id}' } });

const mine = (d) => own(d.unit.organisation);
const soon = () => localInput(Math.ceil(Date.now() / hour) * hour);
const later = (hours) => () => localInput(Math.ceil(Date.now() / hour) * hour + hours * hour);
const time = (name, label, value, more) => ({ name, label, type: 'datetime', required: true, value, ...more });
const needTimes = [time('needs.startTime', 'p.from', soon, { path: 'needs[0].start_time' }), time('needs.endTime', 'p.to', later(24), { path: 'needs[0].end_time' })];
const listed = (body) => ({ ...body, needs: [body.needs] });
const reason = (more) => ({ name: 'reason', label: 'p.reason', required: true, maxLength: 200, wide: true, ...more });
const caseId = { name: 'referralId', label: 'p.case', required: true, maxLength: 30 };
const kind = (name, more) => choice(name, 'p.kind', 'unit', kinds, { value: (d) => d.kind, ...more });

call('AddResource', {
  to: '/v1/resources', fields: [kind('kind'), { name: 'label', label: 'p.label', help: 'p.label.help', required: true, maxLength: 64 }],
  offer: { at: 'pool', label: 'b.addUnit', roles: keepers, when: (d) => own(d.organisation) },
});
call('BookOwnUse', {
  to: '/v1/holds:own', fields: [kind('needs.kind', { path: 'needs[0].kind' }), ...needTimes, reason()], shape: listed,
  fixedNames: ['needs.organisation'], fixed: () => ({ 'needs.organisation': me()?.organisation }),
  offer: { at: 'pool', label: 'b.ownUse', roles: keepers, when: (d) => own(d.organisation) },
});
call('HoldResources', {
  to: '/v1/holds', fields: [caseId, kind('needs.kind', { path: 'needs[0].kind' }), ...needTimes, time('expireTime', 'p.expire', later(24))], shape: listed,
  fixedNames: ['organisation', 'needs.organisation'], fixed: () => ({ organisation: me()?.organisation, 'needs.organisation': me()?.organisation }),
  offer: { at: 'pool', label: 'b.hold', roles: ['center'], when: (d) => own(d.organisation) },
});
call('SetQuota', {
  to: '/v1/quotas',
  fields: [
    kind('kind'), { name: 'fromDay', label: 'p.fromDay', type: 'date', required: true, value: () => today() }, { name: 'toDay', label: 'p.toDay', type: 'date', required: true },
    { name: 'reservedUnits', label: 'p.reserved', type: 'number', required: (v) => !v.reservedShareBp }, { name: 'reservedShareBp', label: 'p.share', type: 'percent', required: (v) => !v.reservedUnits },
    { name: 'mostReferred', label: 'p.most', type: 'number' }, { name: 'releaseMinutes', label: 'p.release', type: 'number' },
  ],
  offer: { at: 'pool', label: 'b.quota', roles: ['center'], when: (d) => own(d.organisation) },
});
call('WithdrawQuota', { of: 'quota', verb: ':withdraw', danger: true, offer: { at: 'quota', label: 'b.unquota', roles: ['center'], when: (d) => own(d.quota.organisation) } });

// The calendar is replaced as a whole: what is not touched is sent as it was.
const clockOf = (m) => `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`;
export const windowsText = (list) => (list || []).map((w) => `${clockOf(w.fromMinute || 0)}-${clockOf(w.toMinute)}`).join(', ');
const closures = (d) => d.unit.calendar?.closures || [];
export const closureText = (c) => `${when(c.startTime)} – ${when(c.endTime)} · ${c.reason || t('pool.outside')}`;
call('SetResourceCalendar', {
  of: 'unit', verb: ':setCalendar',
  fields: [
    { name: 'calendar.workingDays', label: 'p.working', help: 'p.windows.help', type: 'windows', value: (d) => windowsText(d.unit.calendar?.workingDays) },
    { name: 'calendar.daysOff', label: 'p.off', type: 'windows', value: (d) => windowsText(d.unit.calendar?.daysOff) },
    { name: 'calendar.restMinutes', label: 'p.rest', type: 'number', value: (d) => d.unit.calendar?.restMinutes }, { name: 'calendar.longestMinutes', label: 'p.longest', type: 'number', value: (d) => d.unit.calendar?.longestMinutes },
    { name: 'kept', label: 'p.keep', type: 'checks', wide: true, local: true, only: (d) => closures(d).length > 0, values: (d) => closures(d).map((c, i) => ({ value: i, label: closureText(c) })), value: (d) => closures(d).map((c, i) => i) },
    { heading: 'p.exception' },
    time('added.startTime', 'p.closeFrom', undefined, { local: true, required: (v) => Boolean(v.added?.endTime || v.added?.reason), path: 'calendar.closures' }),
    time('added.endTime', 'p.closeTo', undefined, { local: true, required: (v) => Boolean(v.added?.startTime) }),
    { name: 'added.reason', label: 'p.closeWhy', maxLength: 100, local: true, required: (v) => Boolean(v.added?.startTime) },
  ],
  fixedNames: ['calendar.closures'],
  shape: (body, d, v) => {
    const kept = closures(d).filter((_, i) => (v.kept || []).includes(i));
    const instant = (text) => new Date(text + ':00+08:00').toISOString();
    const added = v.added?.startTime ? [{ startTime: instant(v.added.startTime), endTime: instant(v.added.endTime), reason: v.added.reason }] : [];
    return { ...body, calendar: { ...body.calendar, closures: [...kept, ...added] } };
  },
  offer: { at: 'unit', label: 'b.calendar', roles: keepers, when: mine },
});
call('ReportResource', {
  of: 'unit', verb: ':report', fields: [{ name: 'outOfService', label: 'p.out', type: 'check', wide: true, value: (d) => d.unit.outOfService || undefined }],
  offer: { at: 'unit', label: 'b.report', roles: keepers, when: mine },
});
call('LendUnit', {
  to: '/v1/loans', fields: [{ name: 'borrower', label: 'p.borrower', required: true, maxLength: 32, hint: 'C-SH-02' }, time('startTime', 'p.from', soon), time('endTime', 'p.to', later(24))],
  fixedNames: ['resourceId'], fixed: (d) => ({ resourceId: d.unit?.resourceId }), offer: { at: 'unit', label: 'b.lend', roles: keepers, when: mine },
});
call('OverrideUnits', {
  to: '/v1/holds:override', danger: true, fields: [caseId, ...needTimes, time('expireTime', 'p.expire', later(24)), reason()], shape: listed,
  fixedNames: ['needs.resourceId'], fixed: (d) => ({ 'needs.resourceId': d.unit?.resourceId }),
  offer: { at: 'unit', label: 'b.override', roles: ['center', 'operations'], when: (d) => d.unit.reservations?.length > 0 && (mine(d) || me()?.roles.includes('operations')) },
});

const live = (d) => ['HOLD_STATUS_HELD', 'HOLD_STATUS_CONFIRMED'].includes(d.hold.status);
const stands = (d) => live(d) && own(d.hold.organisation) && !d.hold.transferId;
call('ConfirmHold', { of: 'hold', verb: ':confirm', etag: false, offer: { at: 'hold', label: 'b.confirmHold', roles: ['center'], when: (d) => d.hold.status === 'HOLD_STATUS_HELD' && own(d.hold.organisation) } });
call('MoveHold', {
  of: 'hold', verb: ':move',
  fields: [
    { name: 'which', label: 'p.which', type: 'select', local: true, required: true, wide: true, value: 0, values: (d) => d.hold.reservations.map((r, i) => ({ value: i, label: `${t('unit.' + r.kind)} ${shortId(r.resourceId)} · ${when(r.startTime)} – ${when(r.endTime)}` })) },
    ...needTimes,
  ],
  fixedNames: ['needs.organisation', 'needs.kind'],
  // All of its reservations are sent; one of them has other times.
  shape: (body, d, v) => ({ ...body, needs: d.hold.reservations.map((r, i) => ({ organisation: r.organisation, kind: r.kind, startTime: r.startTime, endTime: r.endTime, ...(i === Number(v.which) ? body.needs : {}) })) }),
  offer: { at: 'hold', label: 'b.moveHold', roles: ['center'], when: stands },
});
call('ReleaseHold', { of: 'hold', verb: ':release', etag: false, danger: true, fields: [reason()], offer: { at: 'hold', label: 'b.releaseHold', roles: keepers, when: stands } });

call('AcceptLoan', { of: 'loan', verb: ':accept', offer: { at: 'loan', label: 'b.acceptLoan', roles: keepers, when: (d) => d.loan.status === 'LOAN_STATUS_OFFERED' && own(d.loan.borrower) } });
call('EndLoan', {
  of: 'loan', verb: ':end', danger: true,
  offer: { at: 'loan', label: 'b.endLoan', roles: keepers, when: (d) => (d.loan.status === 'LOAN_STATUS_OFFERED' && (own(d.loan.lender) || own(d.loan.borrower))) || (d.loan.status === 'LOAN_STATUS_LENT' && own(d.loan.borrower) && new Date(d.loan.endTime) > Date.now()) },
});
