// What the caller can do now with a case: the API says which calls of the case, their records say which besides.
import { html } from '../ui.js';
import { t, words } from '../i18n.js';
import { Doing } from '../doing.js';
import { besides } from './calls.js';
import './calls/referral.js';
import './calls/records.js';

words({ 'act.title': ['下一步操作', 'What you can do now'] });

// rare actions stand below the others: they end or stop something.
const rare = new Set(['CloseReferral', 'SuspendClock', 'AbortTransfer', 'DivertTransfer', 'RecordCourse', 'Readmit', 'RecordPrescription', 'RescheduleAdmission', 'CorrectDeath']);

export function Actions({ data, reload }) {
  const actions = data.case.availableActions || [];
  return html`<${Doing} title=${t('act.title')} id="actions" data=${data} reload=${reload} first=${actions.filter((a) => !rare.has(a.action))}
    others=${[...actions.filter((a) => rare.has(a.action)), ...besides(data)]} />`;
}
