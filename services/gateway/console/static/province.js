// Whose books a page shows: an agency's own province; operations choose one.
import { html, useId } from './ui.js';
import { language, t, words } from './i18n.js';
import { provinces } from './format.js';
import { hasRole, me } from './session.js';

words({ 'province.which': ['省份', 'Province'], 'province.choose': ['请选择省份', 'Choose a province'] });

export const provinceOf = (params) => (hasRole('operations') ? (/^[1-9]\d0000$/.test(params.province || '') ? params.province : '') : me().province);

export function Whose({ province, set }) {
  const id = useId('province');
  if (!hasRole('operations')) return null;
  return html`<div class="find"><label for=${id}>${t('province.which')}</label><select id=${id} value=${province} onChange=${(e) => e.target.value && set(e.target.value)}>
    <option value="">${t('province.choose')}</option>${provinces().map((p) => html`<option key=${p.code} value=${p.code} selected=${p.code === province}>${p[language]}</option>`)}</select></div>`;
}
