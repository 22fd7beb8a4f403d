// What is asked of the directory: a center's programs, their licences and places, and what the center promises.
import { enumWord, t, words } from '../../i18n.js';
import { hasRole, me } from '../../session.js';
import { call, choice, own, prefixed, record } from '../calls.js';

words({
  'd.open': ['接受转诊', 'Open for referrals'], 'd.adults': ['收治成人', 'Takes adults'], 'd.children': ['收治儿童', 'Takes children'], 'd.minAge': ['最小年龄', 'Youngest age'], 'd.maxAge': ['最大年龄', 'Oldest age'], 'd.maxBmi': ['体重指数上限（kg/m²）', 'Highest BMI, kg/m²'],
  'd.retransplant': ['接受再次移植', 'Previous transplant accepted'], 'd.abo': ['开展 ABO 不相容移植', 'Across ABO groups'], 'd.living': ['开展活体移植', 'Living donors'], 'd.hiv': ['接受 HIV 阳性', 'HIV positive accepted'], 'd.hcc': ['肝癌标准', 'HCC criteria'], 'd.callIn': ['召回须到达时限（分钟，0 不限）', 'Must arrive within, minutes; 0 no window'],
  'd.criteria': ['收治标准', 'Who it takes'], 'd.infections': ['感染政策（不选即未说明）', 'Policy by infection; none chosen is not stated'], 'd.measured': ['评价数据（由运营维护）', 'What it is measured by; operations keep this'], 'd.tier': ['一年生存率分级（1 最好，0 未知）', 'One-year survival tier, 1 best; 0 unknown'], 'd.volume': ['上年移植例数', 'Transplants last year'], 'd.wait': ['等待中位数（天，0 未知）', 'Median wait in days; 0 unknown'],
  'd.from': ['首日', 'First day'], 'd.to': ['末日', 'Last day'], 'd.suspended': ['暂停资质', 'Suspended now'], 'd.revoked': ['撤销资质（不可恢复）', 'Revoked for good'], 'd.places': ['转诊可用名额', 'Free places for referred patients'], 'd.keep': ['保留（取消勾选即删除）', 'Kept; untick one to end it'], 'd.add': ['增加一项', 'Add one'],
  'd.what': ['资源', 'Of what'], 'd.organ': ['器官（不选即全部）', 'Organ; none: all'], 'd.period': ['按', 'Each'], 'd.units': ['每期总数', 'Units in a period'], 'd.share': ['预留比例（%）', 'Share promised, %'],
  'b.program': ['修改收治标准', 'Change the program'], 'b.licence': ['登记资质', 'Record its licence'], 'b.places': ['申报名额', 'Declare its places'], 'b.promises': ['修改预留承诺', 'Change the promises'],
  'promise.QUOTA_RESOURCE_EXPERT_SLOT': ['专家号', 'Expert appointments'], 'promise.QUOTA_RESOURCE_BED': ['床位', 'Bed admissions'], 'promise.QUOTA_RESOURCE_TEST': ['预约检查', 'Booked tests'], 'promise.QUOTA_RESOURCE_OPERATING_ROOM': ['手术间', 'Operating room days'],
  'each.QUOTA_PERIOD_DAY': ['每日', 'Day'], 'each.QUOTA_PERIOD_WEEK': ['每周', 'Week'], 'each.QUOTA_PERIOD_MONTH': ['每月', 'Month'],
  'infection.INFECTION_HBV': ['乙肝', 'Hepatitis B'], 'infection.INFECTION_HCV': ['丙肝', 'Hepatitis C'], 'infection.INFECTION_HIV': ['HIV', 'HIV'], 'infection.INFECTION_ACTIVE': ['活动性感染', 'Active infection'], 'infection.INFECTION_TB': ['结核', 'Tuberculosis'], 'infection.INFECTION_CMV': ['巨细胞病毒', 'CMV'], 'infection.INFECTION_EBV': ['EB 病毒', 'EBV'], 'infection.INFECTION_SYPHILIS': ['梅毒', 'Syphilis'],
  'policy.INFECTION_POLICY_ACCEPTS': ['接受', 'Accepted'], 'policy.INFECTION_POLICY_NEEDS_TREATMENT': ['治疗后接受', 'Once treated'], 'policy.INFECTION_POLICY_EXCLUDES': ['不接受', 'Excluded'],
});

export const infections = prefixed('INFECTION_', ['ACTIVE', 'HBV', 'HCV', 'HIV', 'TB', 'CMV', 'EBV', 'SYPHILIS']);
const policies = prefixed('INFECTION_POLICY_', ['ACCEPTS', 'NEEDS_TREATMENT', 'EXCLUDES']);
export const organs = prefixed('ORGAN_', ['KIDNEY', 'LIVER', 'HEART', 'LUNG', 'PANCREAS', 'SMALL_BOWEL']);
record('center', (d) => ['/v1/centers/' + d.center.centerId, d.center.etag], { center: { centerId: '{center_id}', reserveQuotas: [] }, program: {} });

const keeps = (d) => hasRole('operations') || own(d.center.centerId);
const operations = () => Boolean(me()?.roles.includes('operations'));
const part = (name) => (d) => name.split('.').reduce((v, k) => v?.[k], d.program);
const of = (name, label, type, more) => ({ name: 'program.' + name, label, type, value: part(name), ...more });
const tick = (name, label) => of(name, label, 'check', { value: (d) => part(name)(d) || undefined });

// The criteria are replaced as a whole; a center's form has no word on what it is measured by.
call('UpdateProgram', {
  of: 'center', verb: ':updateProgram',
  fields: [
    tick('open', 'd.open'), tick('adults', 'd.adults'), tick('children', 'd.children'), { heading: 'd.criteria' },
    of('criteria.minAge', 'd.minAge', 'number'), of('criteria.maxAge', 'd.maxAge', 'number'), of('criteria.maxBmi', 'd.maxBmi', 'number'), of('criteria.callInMinutes', 'd.callIn', 'number'),
    of('criteria.hccSet', 'd.hcc', 'select', { values: ['MILAN', 'UCSF', 'HANGZHOU', 'FUDAN'], only: (d) => d.program.organ === 'ORGAN_LIVER' }),
    tick('criteria.retransplant', 'd.retransplant'), tick('criteria.aboIncompatible', 'd.abo'), tick('criteria.livingDonor', 'd.living'), tick('criteria.hiv', 'd.hiv'), { heading: 'd.infections' },
    ...infections.map((i) => ({ name: 'policy.' + i, label: 'infection.' + i, type: 'select', local: true, group: 'policy', values: policies, value: (d) => (d.program.criteria?.infections || []).find((x) => x.infection === i)?.policy })),
    { heading: 'd.measured', only: operations },
    of('survivalTier', 'd.tier', 'number', { only: operations }), of('volume', 'd.volume', 'number', { only: operations }), of('medianWaitDays', 'd.wait', 'number', { only: operations }),
  ],
  fixedNames: ['program.organ', 'program.criteria.infections', 'updateMask'], fixed: (d) => ({ 'program.organ': d.program.organ }),
  shape: (body, d, v) => {
    const stated = infections.filter((i) => v.policy?.[i]).map((i) => ({ infection: i, policy: v.policy[i] }));
    return { ...body, program: { ...body.program, criteria: { ...body.program.criteria, infections: stated } }, updateMask: ['open', 'adults', 'children', 'criteria', ...(operations() ? ['survivalTier', 'volume', 'medianWaitDays'] : [])].join() };
  },
  offer: { at: 'program', label: 'b.program', roles: ['center', 'operations'], when: keeps },
});
call('DeclareCapacity', {
  of: 'center', verb: ':declareCapacity', fields: [{ name: 'freePlaces', label: 'd.places', type: 'number', required: true, value: (d) => d.program.capacity?.freePlaces }],
  fixedNames: ['organ'], fixed: (d) => ({ organ: d.program.organ }), offer: { at: 'program', label: 'b.places', roles: ['center', 'operations'], when: keeps },
});
call('SetLicence', {
  of: 'center', verb: ':setLicence',
  fields: [
    { name: 'licence.validFrom', label: 'd.from', type: 'date', required: true, value: part('licence.validFrom') }, { name: 'licence.validTo', label: 'd.to', type: 'date', required: true, value: part('licence.validTo') },
    { name: 'licence.suspended', label: 'd.suspended', type: 'check', value: (d) => part('licence.suspended')(d) || undefined }, { name: 'licence.revoked', label: 'd.revoked', type: 'check', value: (d) => part('licence.revoked')(d) || undefined },
  ],
  fixedNames: ['organ'], fixed: (d) => ({ organ: d.program.organ }), offer: { at: 'program', label: 'b.licence', roles: ['operations'] },
});

// The promises are replaced as a list: those that stay ticked, and the new one.
const added = (name, label, type, more) => ({ name: 'quotas.' + name, label, type, path: 'quotas', ...more });
const whole = (v) => Boolean(v.quotas && Object.values(v.quotas).some((x) => x !== undefined && x !== ''));
export const promiseText = (q) => `${enumWord('promise', q.resource)} ${organs.includes(q.organ) ? enumWord('organ', q.organ) + ' ' : ''}${q.units} / ${enumWord('each', q.period)} · ${q.share / 100} % · ${q.validFrom} – ${q.validTo}`;
const promises = (d) => d.center.reserveQuotas || [];
call('SetReserveQuotas', {
  of: 'center', verb: ':setReserveQuotas',
  fields: [
    { name: 'kept', label: 'd.keep', type: 'checks', wide: true, local: true, only: (d) => promises(d).length > 0, values: (d) => promises(d).map((q, i) => ({ value: i, label: promiseText(q) })), value: (d) => promises(d).map((q, i) => i) },
    { heading: 'd.add' },
    choice('quotas.resource', 'd.what', 'promise', prefixed('QUOTA_RESOURCE_', ['EXPERT_SLOT', 'BED', 'TEST', 'OPERATING_ROOM']), { required: whole, path: 'quotas' }), choice('quotas.organ', 'd.organ', 'organ', organs, { required: false }),
    choice('quotas.period', 'd.period', 'each', prefixed('QUOTA_PERIOD_', ['DAY', 'WEEK', 'MONTH']), { required: whole }), added('units', 'd.units', 'number', { required: whole }), added('share', 'd.share', 'percent', { required: whole }),
    added('validFrom', 'd.from', 'date', { required: whole }), added('validTo', 'd.to', 'date', { required: whole }),
  ],
  shape: (body, d, v) => ({ ...body, quotas: [...promises(d).filter((_, i) => (v.kept || []).includes(i)).map(({ reserved, ...q }) => q), ...(body.quotas ? [body.quotas] : [])] }),
  offer: { at: 'center', label: 'b.promises', roles: ['center', 'operations'], when: keeps },
});
