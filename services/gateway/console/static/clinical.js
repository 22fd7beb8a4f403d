// The clinical data of a referral, as far as ranking and scores need them; the rest is sent by hospitals' own systems.
import { has, t, words } from './i18n.js';
import { clean } from './forms.js';

words({
  'cl.diagnosis': ['诊断（ICD-10 医保版）', 'Diagnosis (ICD-10)'], 'cl.blood': ['ABO 血型', 'ABO group'], 'cl.rh': ['Rh 阳性', 'Rh positive'], 'cl.height': ['身高 cm', 'Height, cm'], 'cl.weight': ['体重 kg', 'Weight, kg'],
  'cl.abo': ['接受 ABO 不相容', 'Accepts ABO-incompatible'], 'cl.living': ['拟走亲属活体途径', 'Living-donor route'], 'cl.previous': ['既往移植次数', 'Previous transplants'],
  'cl.infections': ['感染', 'Infections'], 'cl.active': ['活动性感染', 'Active infection'], 'cl.hbv': ['乙肝表面抗原阳性', 'HBV surface antigen'], 'cl.hcv': ['丙肝 RNA 阳性', 'HCV RNA'], 'cl.hiv': ['HIV 阳性', 'HIV positive'],
  'cl.labs': ['化验', 'Laboratory'], 'cl.date': ['采血日期', 'Day of the test'], 'cl.creatinine': ['肌酐 µmol/L', 'Creatinine, µmol/L'], 'cl.bilirubin': ['总胆红素 µmol/L', 'Bilirubin, µmol/L'], 'cl.albumin': ['白蛋白 g/L', 'Albumin, g/L'],
  'cl.inr': ['INR', 'INR'], 'cl.sodium': ['血钠 mmol/L', 'Sodium, mmol/L'], 'cl.afp': ['甲胎蛋白 ng/mL', 'AFP, ng/mL'], 'cl.dialysis': ['近一周透析 ≥ 2 次', 'Dialysis at least twice in the past week'],
  'cl.liver': ['肝', 'Liver'], 'cl.hcc': ['肝细胞癌', 'Hepatocellular carcinoma'], 'cl.nodules': ['结节直径 cm', 'Nodules, cm'], 'cl.nodules.help': ['以逗号分隔，如 3.4, 2.1', 'Comma-separated, such as 3.4, 2.1'],
  'cl.vascular': ['大血管侵犯', 'Gross vascular invasion'], 'cl.spread': ['肝外转移', 'Extrahepatic spread'], 'cl.grade': ['组织学分级', 'Histological grade'], 'cl.ascites': ['腹水', 'Ascites'], 'cl.enceph': ['肝性脑病', 'Encephalopathy'],
  'cl.none': ['无', 'None'], 'cl.slight': ['少量', 'Slight'], 'cl.moderate': ['中量及以上', 'Moderate or more'], 'cl.g12': ['1–2 级', 'Grade 1–2'], 'cl.g34': ['3–4 级', 'Grade 3–4'], 'cl.acute': ['急性肝衰竭', 'Acute liver failure'],
  'cl.kidney': ['肾', 'Kidney'], 'cl.egfr': ['eGFR', 'eGFR'], 'cl.dialysisStart': ['透析开始日期', 'First day of dialysis'], 'cl.heart': ['心', 'Heart'], 'cl.nyha': ['NYHA 分级', 'NYHA class'], 'cl.lvef': ['LVEF %', 'LVEF, %'], 'cl.ino': ['正性肌力药', 'On inotropes'],
  'cl.lung': ['肺', 'Lung'], 'cl.fvc': ['FVC 占预计值 %', 'FVC, % of predicted'], 'cl.oxygen': ['静息吸氧 L/min', 'Oxygen at rest, L/min'], 'cl.walk': ['六分钟步行 m', 'Six-minute walk, m'],
  'cl.travel': ['转运条件', 'Fitness for the way'], 'fit.oxygen': ['需吸氧', 'Needs oxygen'], 'fit.infusion': ['输液泵', 'Infusion pumps'], 'fit.ventilated': ['机械通气', 'Ventilated'], 'fit.ecmo': ['ECMO', 'ECMO'], 'fit.vasoactive': ['血管活性药', 'Vasoactive drugs'],
  'fit.stretcher': ['需担架', 'Stretcher'], 'fit.reducedConsciousness': ['意识下降', 'Reduced consciousness'],
});

export const fitness = ['oxygen', 'infusion', 'ventilated', 'ecmo', 'vasoactive', 'stretcher', 'reducedConsciousness'];
export const fitnessFields = (prefix) => fitness.map((f) => ({ name: prefix + f, label: t('fit.' + f), type: 'check' }));

const number = (name, label, more) => ({ name, label, type: 'number', path: path(name), ...more });
const tristate = (name, label) => ({ name, label, type: 'tristate', path: path(name) });
const path = (name) => 'clinical.' + name.replace(/[A-Z]/g, (c) => '_' + c.toLowerCase());

const byOrgan = {
  ORGAN_LIVER: () => [
    { heading: t('cl.liver') }, tristate('liver.hcc', t('cl.hcc')),
    { name: 'liver.nodules', label: t('cl.nodules'), help: t('cl.nodules.help'), when: (v) => v.liver?.hcc, path: 'clinical.liver.hcc_nodules_cm' },
    ...[['vascularInvasion', 'cl.vascular'], ['extrahepaticSpread', 'cl.spread']].map(([k, w]) => ({ ...tristate('liver.' + k, t(w)), when: (v) => v.liver?.hcc })),
    { name: 'liver.histologicalGrade', label: t('cl.grade'), type: 'select', options: [1, 2, 3, 4].map((g) => ({ value: g, label: 'I II III IV'.split(' ')[g - 1] })), when: (v) => v.liver?.hcc },
    { name: 'liver.ascites', label: t('cl.ascites'), type: 'select', options: [1, 2, 3].map((v) => ({ value: v, label: t(['cl.none', 'cl.slight', 'cl.moderate'][v - 1]) })) },
    { name: 'liver.encephalopathy', label: t('cl.enceph'), type: 'select', options: [1, 2, 3].map((v) => ({ value: v, label: t(['cl.none', 'cl.g12', 'cl.g34'][v - 1]) })) },
    { name: 'liver.acuteFailure', label: t('cl.acute'), type: 'check' },
  ],
  ORGAN_KIDNEY: () => [{ heading: t('cl.kidney') }, number('kidney.egfr', t('cl.egfr')), { name: 'kidney.dialysisStart', label: t('cl.dialysisStart'), type: 'date', path: 'clinical.kidney.dialysis_start' }],
  ORGAN_HEART: () => [
    { heading: t('cl.heart') }, { name: 'heart.nyha', label: t('cl.nyha'), type: 'select', options: ['I', 'II', 'III', 'IV'].map((n) => ({ value: 'NYHA_CLASS_' + n, label: n })) },
    number('heart.lvefPercent', t('cl.lvef')), tristate('heart.inotropes', t('cl.ino')),
  ],
  ORGAN_LUNG: () => [{ heading: t('cl.lung') }, number('lung.fvcPercent', t('cl.fvc')), number('lung.oxygenRestLMin', t('cl.oxygen')), number('lung.sixMinuteWalkM', t('cl.walk'))],
};

export const clinicalFields = (organ) => [
  { name: 'diagnosisCode', label: t('cl.diagnosis'), hint: 'K74.600', maxLength: 12, path: 'clinical.diagnosis_code' },
  { name: 'bloodGroup', label: t('cl.blood'), type: 'select', options: ['O', 'A', 'B', 'AB'].map((b) => ({ value: 'BLOOD_GROUP_' + b, label: b })), path: 'clinical.blood_group' },
  tristate('rhPositive', t('cl.rh')), number('heightCm', t('cl.height')), number('weightKg', t('cl.weight')),
  number('previousTransplants', t('cl.previous')),
  { name: 'acceptsAboIncompatible', label: t('cl.abo'), type: 'check' }, { name: 'livingDonorRoute', label: t('cl.living'), type: 'check' },
  { heading: t('cl.infections') }, tristate('activeInfection', t('cl.active')), tristate('hbvPositive', t('cl.hbv')), tristate('hcvPositive', t('cl.hcv')), tristate('hivPositive', t('cl.hiv')),
  { heading: t('cl.labs') }, { name: 'labs.testDate', label: t('cl.date'), type: 'date', path: 'clinical.labs.test_date' },
  number('labs.creatinineUmolL', t('cl.creatinine')), number('labs.bilirubinUmolL', t('cl.bilirubin')), number('labs.albuminGL', t('cl.albumin')),
  number('labs.inr', t('cl.inr')), number('labs.sodiumMmolL', t('cl.sodium')), number('labs.afpNgMl', t('cl.afp')), { name: 'labs.dialysis', label: t('cl.dialysis'), type: 'check' },
  ...(byOrgan[organ]?.() || []),
  { heading: t('cl.travel') }, ...fitnessFields('fitness.'),
];

// clinical turns what a form holds into the API's record; malformed numbers go as they are, so that the API says so.
export function clinicalOf(values, organ) {
  const { liver, ...rest } = values;
  const out = { ...rest, organ };
  if (liver && organ === 'ORGAN_LIVER') {
    const { nodules, ...l } = liver;
    for (const k of ['histologicalGrade', 'ascites', 'encephalopathy']) if (l[k]) l[k] = Number(l[k]);
    out.liver = { ...l, hccNodulesCm: l.hcc && nodules ? nodules.split(/[,，、\s]+/).filter(Boolean).map((n) => (Number.isNaN(Number(n)) ? n : Number(n))) : undefined };
  }
  // No need at all for the way is known too: it stays when what is empty is dropped.
  return { ...clean(out), fitness: rest.fitness || {} };
}

// What the form does not ask for, by the API's own paths: hospitals' systems send it.
words({
  'datum.serology.tuberculosis_active': ['活动性结核', 'Active tuberculosis'], 'datum.serology.cmv_dna': ['巨细胞病毒 DNA', 'CMV DNA'], 'datum.serology.ebv_dna': ['EB 病毒 DNA', 'EBV DNA'], 'datum.serology.syphilis': ['梅毒', 'Syphilis'],
  'datum.malignancies': ['肿瘤病史', 'Malignancies'], 'datum.cardiac_workup.lvef_percent': ['术前左室射血分数', 'LVEF before the surgery'], 'datum.social.carer_available': ['照护人', 'Somebody to care'], 'datum.fitness': ['转运条件', 'Fitness for the way'],
  'datum.child.height_z': ['身高体重 Z 值', 'Height and weight, z'], 'datum.child.vaccines_complete': ['疫苗接种', 'Vaccines'], 'datum.child.guardian_consents': ['监护人同意', 'Guardian’s consent'], 'datum.liver.portal_vein_thrombosis': ['门静脉血栓', 'Portal vein thrombosis'],
  'datum.kidney.modality': ['透析方式', 'Dialysis modality'], 'datum.kidney.diabetes': ['糖尿病', 'Diabetes'], 'datum.kidney.access': ['透析通路', 'Dialysis access'], 'datum.cpra_percent': ['群体反应性抗体 cPRA', 'cPRA'], 'datum.immunology.hla': ['HLA 分型', 'HLA type'],
  'datum.immunology.dsa_detected': ['特异性抗体', 'Specific antibody'], 'datum.heart.ecmo': ['ECMO', 'ECMO'], 'datum.heart.iabp': ['主动脉球囊反搏', 'IABP'], 'datum.heart.pvr': ['肺血管阻力', 'Pulmonary vascular resistance'], 'datum.heart.tpg_mmhg': ['跨肺压差', 'Transpulmonary gradient'],
  'datum.heart.peak_vo2_ml_kg_min': ['峰值摄氧量', 'Peak VO2'], 'datum.lung.group': ['疾病分组', 'Disease group'], 'datum.lung.pa_systolic_mmhg': ['肺动脉收缩压', 'PA systolic'], 'datum.lung.pco2': ['二氧化碳分压', 'pCO2'], 'datum.lung.ecmo': ['ECMO', 'ECMO'], 'datum.lung.ventilated': ['机械通气', 'Ventilated'],
});

// datumName is the word for a datum by its path, such as "labs.inr".
export function datumName(datum, organ) {
  if (has('datum.' + datum)) return t('datum.' + datum);
  return clinicalFields(organ).find((f) => f.name && (f.path || path(f.name)).startsWith('clinical.' + datum))?.label || datum;
}
