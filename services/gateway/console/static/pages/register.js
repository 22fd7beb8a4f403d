// Registering a patient with the clinical data that a center decides by, and opening the case.
import { html, Load, Section, useData, useState } from '../ui.js';
import { enumWord, language, t, words } from '../i18n.js';
import { all, post, put } from '../api.js';
import { cities, placeName, today } from '../format.js';
import { clean, Form, options } from '../forms.js';
import { go, page } from '../pages.js';
import { clinicalFields, clinicalOf, datumName } from '../clinical.js';

words({
  'reg.nav': ['登记患者', 'Register'], 'reg.title': ['登记患者并发起转诊', 'Register a patient and open a case'], 'reg.step': ['第 {n} 步，共 3 步', 'Step {n} of 3'],
  'reg.patient': ['患者', 'Patient'], 'reg.clinical': ['临床资料', 'Clinical data'], 'reg.case': ['转诊', 'Case'],
  'reg.name': ['姓名', 'Name'], 'reg.id': ['身份证号', 'Identity number'], 'reg.phone': ['手机', 'Mobile phone'], 'reg.city': ['居住地', 'City of residence'],
  'reg.insurance': ['参保信息', 'Insurance'], 'reg.pool': ['统筹区（参保城市）', 'Pooling area (insured city)'], 'reg.scheme': ['险种', 'Scheme'],
  'scheme.SCHEME_EMPLOYEE': ['职工医保', 'Employees'], 'scheme.SCHEME_RESIDENT': ['城乡居民医保', 'Residents'], 'reg.retired': ['退休', 'Retired'], 'reg.civil': ['公务员补助', 'Civil servant’s supplement'],
  'reg.groups': ['救助身份', 'Assistance identities'], 'group.ASSISTANCE_GROUP_DESTITUTE': ['特困', 'Destitute'], 'group.ASSISTANCE_GROUP_SUBSISTENCE': ['低保', 'Minimum living allowance'],
  'group.ASSISTANCE_GROUP_MARGINAL': ['低保边缘', 'Just above the allowance'], 'group.ASSISTANCE_GROUP_ILLNESS_POVERTY': ['因病致贫', 'Impoverished by illness'],
  'reg.consents': ['知情同意（逐项征得）', 'Consents, each asked for separately'], 'purpose.PURPOSE_REFERRAL': ['转诊：向受邀中心提供临床资料', 'Referral: clinical data to the centers asked'],
  'purpose.PURPOSE_TRANSFER': ['转运：提供护送所需信息', 'Transfer: what escort and carriers need'], 'purpose.PURPOSE_SETTLEMENT': ['结算：提供两地医保所需信息', 'Settlement: what the two agencies need'], 'purpose.PURPOSE_FOLLOW_UP': ['术后随访', 'Follow-up after surgery'],
  'reg.guardian': ['监护人（未满 18 岁必填）', 'Guardian (required under 18)'], 'reg.guardian.name': ['监护人姓名', 'Guardian’s name'], 'reg.guardian.phone': ['监护人手机', 'Guardian’s phone'], 'reg.guardian.relation': ['与患者关系', 'Relation'],
  'reg.minor': ['患者未满 18 岁', 'The patient is under 18'], 'reg.known': ['该患者已登记，已转到现有档案。', 'This patient is already registered; the existing record is used.'],
  'reg.go': ['登记患者', 'Register the patient'], 'reg.clinical.go': ['保存临床资料', 'Save the clinical data'], 'reg.case.go': ['建立病例', 'Open the case'],
  'reg.preferred': ['意向移植中心', 'Preferred centers'], 'reg.refused': ['不考虑的移植中心', 'Refused centers'], 'reg.city.help': ['输入城市名后选择', 'Type a name and choose'],
  'reg.scores': ['计算所得评分（仅供参考）', 'Scores, for information only'], 'reg.missing': ['尚缺资料', 'Still missing'], 'reg.done': ['已登记', 'Registered'],
});

const cityField = (name, label) => ({
  name, label, type: 'select', required: true,
  options: cities().map((c) => ({ value: c.code, label: language === 'zh' ? c.zh : c.en + ' ' + c.zh })),
});

const patientFields = () => [
  { name: 'name', label: t('reg.name'), required: true, maxLength: 64 },
  { name: 'identityNumber', label: t('reg.id'), required: true, maxLength: 18 },
  { name: 'phone', label: t('reg.phone'), required: true, inputMode: 'tel', maxLength: 11 },
  cityField('residenceCity', t('reg.city')),
  { heading: t('reg.insurance') },
  { ...cityField('coverage.poolingArea', t('reg.pool')), paths: ['coverage.pooling_area', 'coverage.province'] },
  { name: 'coverage.scheme', label: t('reg.scheme'), type: 'select', required: true, options: options(['SCHEME_EMPLOYEE', 'SCHEME_RESIDENT'], (v) => enumWord('scheme', v)) },
  { name: 'coverage.retired', label: t('reg.retired'), type: 'check', when: (v) => v.coverage?.scheme === 'SCHEME_EMPLOYEE' },
  { name: 'coverage.civilServant', label: t('reg.civil'), type: 'check', when: (v) => v.coverage?.scheme === 'SCHEME_EMPLOYEE' },
  {
    name: 'coverage.assistanceGroups', label: t('reg.groups'), type: 'checks', wide: true,
    options: options(['DESTITUTE', 'SUBSISTENCE', 'MARGINAL', 'ILLNESS_POVERTY'].map((g) => 'ASSISTANCE_GROUP_' + g), (v) => enumWord('group', v)),
  },
  {
    name: 'consents', label: t('reg.consents'), type: 'checks', wide: true,
    options: options(['REFERRAL', 'TRANSFER', 'SETTLEMENT', 'FOLLOW_UP'].map((p) => 'PURPOSE_' + p), (v) => enumWord('purpose', v)),
  },
  { name: 'minor', label: t('reg.minor'), type: 'check' },
  { name: 'guardian.name', label: t('reg.guardian.name'), when: (v) => v.minor, maxLength: 64 },
  { name: 'guardian.phone', label: t('reg.guardian.phone'), when: (v) => v.minor, maxLength: 11 },
  { name: 'guardian.relation', label: t('reg.guardian.relation'), when: (v) => v.minor, maxLength: 32 },
];

function register(values, requestId) {
  const { minor, guardian, ...rest } = values;
  const coverage = { ...rest.coverage, province: (rest.coverage?.poolingArea || '').slice(0, 2) + '0000' };
  return post('/v1/patients', clean({ ...rest, coverage, requestId, guardian: minor ? guardian : undefined }));
}

const organs = ['KIDNEY', 'LIVER', 'HEART', 'LUNG', 'PANCREAS', 'SMALL_BOWEL'].map((o) => 'ORGAN_' + o);
const urgencies = ['ROUTINE', 'URGENT', 'EMERGENCY'].map((u) => 'URGENCY_' + u);

const asHeader = (n, title) => html`<span class="quiet">${t('reg.step', { n })}</span> ${title}`;

// Record shows what came of recording clinical data: scores, and what is still missing.
export function Record({ record }) {
  if (!record) return null;
  return html`
    ${record.scores?.length > 0 && html`<h3>${t('reg.scores')}</h3><ul class="chips">${record.scores.map((s) => html`<li><b>${s.name}</b> ${Math.round(s.value * 10) / 10} ${s.grade} <span class="quiet small">${s.testDate}</span></li>`)}</ul>`}
    ${record.missing?.length > 0 && html`<h3>${t('reg.missing')}</h3><ul class="bullets">${record.missing.map((m) => html`<li><b>${datumName(m.path, record.clinical?.organ)}</b> <span class="quiet">${language === 'zh' ? m.blocksZh : m.blocksEn}</span></li>`)}</ul>`}`;
}

function Register() {
  const [patient, setPatient] = useState(null);
  const [organ, setOrgan] = useState('ORGAN_LIVER');
  const [record, setRecord] = useState(null);
  const centers = useData(() => all('/v1/centers', 'centers'), []);
  const offering = (list) => list.filter((c) => c.programs?.some((p) => p.organ === organ)).map((c) => ({ value: c.centerId, label: `${c.centerId} ${language === 'zh' ? c.nameZh : c.nameEn}` }));
  return html`<div class="title"><h1>${t('reg.title')}</h1></div>
    <${Section} title=${asHeader(1, t('reg.patient'))}>
      ${patient ? html`<p class="notice good">${t('reg.done')}: <code>${patient.patientId}</code> ${patient.name} ${patient.identityNumberMasked} · ${placeName(patient.residenceCity)}</p>`
        : html`<${Form} fields=${patientFields()} submit=${t('reg.go')} what=${t('reg.go')}
          send=${register} onDone=${(a) => setPatient(a.patient)} />`}
    <//>
    ${patient && html`<${Section} title=${asHeader(2, t('reg.clinical'))}>
      ${record ? html`<p class="notice good">${t('reg.done')}: ${enumWord('organ', organ)}</p><${Record} record=${record} />`
        : html`<div class="fields"><div class="field"><label for="organ">${t('case.organ')}</label><select id="organ" value=${organ} onChange=${(e) => setOrgan(e.target.value)}>
            ${organs.map((o) => html`<option value=${o} selected=${o === organ}>${enumWord('organ', o)}</option>`)}</select></div></div>
          <${Form} key=${organ} fields=${clinicalFields(organ)} submit=${t('reg.clinical.go')} what=${t('reg.clinical.go')} given=${{ labs: { testDate: today() } }}
            send=${(v, requestId) => put(`/v1/patients/${patient.patientId}/clinical/${organ}`, { requestId, clinical: clinicalOf(v, organ) })}
            onDone=${(a) => setRecord(a.record)} />`}
    <//>`}
    ${record && html`<${Section} title=${asHeader(3, t('reg.case'))}>
      <${Load} ...${centers}>${(list) => html`<${Form} submit=${t('reg.case.go')} what=${t('reg.case.go')} fields=${[
        { name: 'urgency', label: t('case.urgency'), type: 'radios', required: true, wide: true, options: options(urgencies, (v) => enumWord('urgency', v)) },
        { name: 'preferredCenters', label: t('reg.preferred'), type: 'checks', wide: true, options: offering(list) },
        { name: 'refusedCenters', label: t('reg.refused'), type: 'checks', wide: true, options: offering(list) },
      ]} send=${(v, requestId) => post('/v1/referrals', clean({ ...v, requestId, patientId: patient.patientId, organ }))}
        onDone=${(a) => go('/cases/' + a.referral.referralId)} />`}<//>
    <//>`}`;
}

page({ path: '/register', title: 'reg.title', nav: 'reg.nav', roles: ['coordinator'], order: 20, view: Register });
