// Choosing the centers to ask, with the ranking explained: every term of every score, and why the others are left out.
import { Badge, Empty, html, Icon, Load, Section, useData, useState } from '../ui.js';
import { has, language, said, t, words } from '../i18n.js';
import { get, post } from '../api.js';
import { span, whenFull, yuan } from '../format.js';
import { Form } from '../forms.js';

words({
  'rank.show': ['列入 {n} 家，未列入 {out} 家：查看得分与原因', '{n} ranked, {out} left out: scores and reasons'], 'rank.title': ['移植中心匹配', 'Centers, ranked'], 'rank.run': ['匹配于 {time}，权重版本 {weights}', 'Run {time}, weights {weights}'], 'rank.score': ['得分', 'Score'], 'rank.door': ['门到门', 'Door to door'], 'rank.selfpay': ['预计自付', 'Estimated self-pay'],
  'rank.terms': ['各项得分', 'Every term'], 'rank.term': ['项目', 'Term'], 'rank.points': ['得分 / 权重', 'Points / weight'], 'rank.because': ['依据', 'Because'], 'rank.excluded': ['未列入的中心（{n}）及原因', 'Centers left out ({n}), and why'],
  'rank.change': ['若要列入：', 'It would fall away if: '], 'rank.missing': ['缺失资料及影响', 'Missing data, and what it would change'], 'rank.unknown': ['未知', 'unknown'], 'rank.none': ['没有可列入的中心。', 'No center is ranked.'],
  'rank.behind': ['为何不是第一', 'Why not the first'], 'rank.outdated': ['匹配后资料有变更', 'Inputs changed since this run'], 'rank.choose': ['请按询问顺序选择', 'Choose, in the order to ask'], 'rank.place': ['第 {n} 位', 'asked {n}.'], 'rank.ask': ['询问', 'Ask'],
  'rank.send': ['按此顺序询问', 'Ask them in this order'], 'rank.pick': ['请至少选择一家中心。', 'Choose at least one center.'], 'rank.info': ['此排序是患者到移植中心的转诊建议，与器官分配无关。', 'This ranks centers for a referral; it has nothing to do with organ allocation.'],
  'term.capacity': ['可用名额', 'Free capacity'], 'term.wait': ['等待时间', 'Median wait'], 'term.survival': ['生存率分级', 'Survival tier'], 'term.door_to_door': ['门到门时间', 'Door to door'], 'term.direct_settlement': ['直接结算', 'Direct settlement'], 'term.self_pay': ['预计自付', 'Self-pay'], 'term.preference': ['患者意愿', 'Preference'],
});

const nameOf = (c) => (language === 'zh' ? c.nameZh : c.nameEn);
const termName = (key) => (has('term.' + key) ? t('term.' + key) : key);
const minutes = (m) => (m === undefined || m === null ? t('rank.unknown') : span(m * 60000));

function Terms({ center, run }) {
  const [why, setWhy] = useState(null);
  const explain = async () => setWhy(await get(`/v1/match-runs/${run.matchRunId}/centers/${center.centerId}`).catch(() => ({})));
  return html`<details class="terms" onToggle=${(e) => e.target.open && center.rank > 1 && !why && explain()}><summary>${t('rank.terms')}</summary>
    <table role="table" class="cards"><caption class="unseen">${t('rank.terms')}: ${nameOf(center)}</caption>
      <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">${t('rank.term')}</th><th role="columnheader" scope="col">${t('rank.points')}</th><th role="columnheader" scope="col">${t('rank.because')}</th></tr></thead>
      <tbody role="rowgroup">${center.terms.map((x) => html`<tr role="row"><td role="cell" data-label=${t('rank.term')}>${termName(x.key)}</td>
        <td role="cell" data-label=${t('rank.points')}><svg class="meter" viewBox="0 0 100 8" aria-hidden="true" preserveAspectRatio="none"><rect width="100" height="8" class="track" /><rect width=${x.weight ? (100 * x.points) / x.weight : 0} height="8" class="fill" /></svg> ${x.points / 100} / ${x.weight / 100}</td>
        <td role="cell" data-label=${t('rank.because')}>${said(x.because)}</td></tr>`)}</tbody></table>
    ${why?.behind?.length > 0 && html`<h3>${t('rank.behind')}</h3><p>${said(why.summary)}</p><ul class="bullets">${why.behind.map((b) => html`<li>${termName(b.term)}: ${b.points / 100} ${'<'} ${b.firstPoints / 100}</li>`)}</ul>`}
  </details>`;
}

// Ranking shows a match run; with onPick its centers can be chosen in order.
export function Ranking({ run, picked, onPick }) {
  return html`<p class="quiet small">${t('rank.run', { time: whenFull(run.runTime), weights: run.weightsVersion })} · ${t('rank.info')}</p>
    ${run.ranked.length === 0 && html`<${Empty} text=${t('rank.none')} />`}
    <ol class="ranked">${run.ranked.map((c) => {
      const place = picked ? picked.indexOf(c.centerId) + 1 : 0;
      return html`<li key=${c.centerId} class=${place ? 'picked' : ''}>
        <div class="rank-head">
          <span class="rank-no" aria-hidden="true">${c.rank}</span>
          <div class="rank-name"><b>${nameOf(c)}</b> <code>${c.centerId}</code>
            ${c.warnings?.map((w) => html`<${Badge} tone="warn" icon="alert">${said(w)}<//> `)}</div>
          <dl class="rank-facts"><div><dt>${t('rank.score')}</dt><dd>${(c.score / 100).toFixed(1)}</dd></div>
            <div><dt>${t('rank.door')}</dt><dd>${minutes(c.doorToDoorMinutes)}</dd></div>
            <div><dt>${t('rank.selfpay')}</dt><dd>${c.estimatedSelfPay ? yuan(c.estimatedSelfPay) : t('rank.unknown')}</dd></div></dl>
          ${onPick && html`<button type="button" aria-pressed=${place > 0} aria-label=${(place ? t('rank.place', { n: place }) : t('rank.ask')) + ' ' + nameOf(c)} onClick=${() => onPick(c.centerId)}>${place ? html`<${Icon} name="done" /> ${t('rank.place', { n: place })}` : t('rank.ask')}</button>`}
        </div>
        <${Terms} center=${c} run=${run} />
      </li>`;
    })}</ol>
    ${run.missing?.length > 0 && html`<h3>${t('rank.missing')}</h3><ul class="bullets">${run.missing.map((m) => html`<li>${said(m)}</li>`)}</ul>`}
    ${run.hints?.length > 0 && html`<ul class="bullets">${run.hints.map((m) => html`<li>${said(m)}</li>`)}</ul>`}
    ${run.excluded?.length > 0 && html`<details><summary>${t('rank.excluded', { n: run.excluded.length })}</summary>
      <ul class="excluded">${run.excluded.map((c) => html`<li key=${c.centerId}><b>${nameOf(c)}</b> <code>${c.centerId}</code>
        <ul class="bullets">${c.reasons.map((r) => html`<li><code class="small">${r.code}</code> ${said(r.because)}${r.change && said(r.change) ? html`<br /><span class="quiet">${t('rank.change')}${said(r.change)}</span>` : ''}</li>`)}</ul></li>`)}</ul></details>`}`;
}

// Choose is the form of the patient's choice.
export function Choose({ data, done, reload, cancel }) {
  const [picked, setPicked] = useState([]);
  const run = data.run;
  if (!run) return html`<p class="quiet">${t('ui.loading')}</p>`;
  const pick = (id) => setPicked(picked.includes(id) ? picked.filter((p) => p !== id) : [...picked, id]);
  return html`<h3>${t('rank.choose')}</h3><${Ranking} run=${run} picked=${picked} onPick=${pick} />
    ${picked.length === 0 ? html`<p class="quiet">${t('rank.pick')}</p>`
      : html`<${Form} key=${picked.join()} fields=${[]} submit=${t('rank.send')} what=${t('rank.send')} onDone=${done} onCancel=${cancel} reload=${reload}
          send=${(v, requestId) => post(`/v1/referrals/${data.case.referralId}:choose`, { requestId, etag: data.case.etag, centerIds: picked })} />`}`;
}

// Matches is the panel of the ranking, and whether its inputs still hold.
export function Matches({ run }) {
  const check = useData(() => get(`/v1/match-runs/${run.matchRunId}:check`), [run.matchRunId]);
  return html`<${Section} title=${t('rank.title')} id="ranking">
    ${check.data?.standing === 'MATCH_RUN_STANDING_OUTDATED' && html`<div class="notice warn"><p><${Icon} name="alert" /> <strong>${t('rank.outdated')}</strong></p>
      <ul class="bullets">${check.data.changes.map((c) => html`<li>${said(c.because)}</li>`)}</ul></div>`}
    <details><summary>${t('rank.show', { n: run.ranked.length, out: run.excluded.length })}</summary><${Ranking} run=${run} /></details><//>`;
}
