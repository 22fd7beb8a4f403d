// The patient's documents: what they are, whether they were found clean, taking one in, giving one out, withdrawing one.
import { Badge, html, Icon, Problem, Section, Table, useEffect, useState } from '../ui.js';
import { enumWord, t, words } from '../i18n.js';
import { download, get, post, upload } from '../api.js';
import { shortId, whenFull } from '../format.js';
import { Form } from '../forms.js';
import { hasRole } from '../session.js';
import { choice, drawn, own, prefixed } from './calls.js';

words({
  'docs.title': ['文档', 'Documents'], 'docs.kind': ['类型', 'Kind'], 'docs.status': ['状态', 'Status'], 'docs.size': ['大小', 'Size'], 'docs.time': ['上传', 'Uploaded'], 'docs.get': ['下载', 'Download'], 'docs.do': ['操作', 'Actions'], 'docs.none': ['还没有文档。', 'No documents yet.'],
  'docs.add': ['上传文档', 'Upload a document'], 'docs.file': ['文件（PDF、JPEG、PNG、DICOM，至多 20 MiB）', 'File: PDF, JPEG, PNG or DICOM, at most 20 MiB'], 'docs.file.help': ['文件名不会被保存或传送', 'The name of the file is neither kept nor sent'], 'docs.large': ['文件超过 20 MiB。', 'The file is larger than 20 MiB.'],
  'docs.withdraw': ['撤回', 'Withdraw'], 'docs.reason': ['撤回原因（勿写姓名、号码、诊断）', 'Why; no name, number or diagnosis'], 'docs.got': ['已下载 {name}', 'Downloaded {name}'], 'docs.scan': ['检查于 {time}', 'Scanned {time}'], 'docs.waiting': ['通过检查后才可下载', 'Given out once it is found clean'],
  'document.DOCUMENT_KIND_REPORT': ['检验检查报告', 'Report'], 'document.DOCUMENT_KIND_IMAGE': ['影像', 'Image'], 'document.DOCUMENT_KIND_SUMMARY': ['病历摘要或信函', 'Summary or letter'], 'document.DOCUMENT_KIND_CONSENT': ['知情同意书', 'Signed consent'],
  'document.DOCUMENT_KIND_IDENTITY': ['身份或医保证件', 'Identity or insurance'], 'document.DOCUMENT_KIND_OTHER': ['其他', 'Other'],
  'scan.DOCUMENT_STATUS_QUARANTINED': ['等待病毒检查', 'Waiting for the scan'], 'scan.DOCUMENT_STATUS_CLEAN': ['检查通过', 'Found clean'], 'scan.DOCUMENT_STATUS_INFECTED': ['发现恶意内容，已删除', 'Infected, deleted'], 'scan.DOCUMENT_STATUS_WITHDRAWN': ['已撤回', 'Withdrawn'],
});

const largest = 20 * 1024 * 1024;
const tones = { DOCUMENT_STATUS_QUARANTINED: ['warn', 'clock'], DOCUMENT_STATUS_CLEAN: ['good', 'done'], DOCUMENT_STATUS_INFECTED: ['bad', 'alert'], DOCUMENT_STATUS_WITHDRAWN: ['plain', 'cross'] };
const lookAgain = 2000; // while a document waits for its scan

const size = (bytes) => (bytes >= 1048576 ? (bytes / 1048576).toFixed(1) + ' MiB' : Math.max(1, Math.round(bytes / 1024)) + ' KiB');

// The two calls are no JSON of a case: a file is a request's body.
const taking = {
  fields: [
    choice('kind', 'docs.kind', 'document', prefixed('DOCUMENT_KIND_', ['REPORT', 'IMAGE', 'SUMMARY', 'CONSENT', 'IDENTITY', 'OTHER'])),
    { name: 'file', label: 'docs.file', help: 'docs.file.help', type: 'file', required: true, wide: true, accept: '.pdf,.jpg,.jpeg,.png,.dcm,application/pdf,image/jpeg,image/png,application/dicom', paths: ['content_type', 'chunk', 'sha256', 'file'] },
  ],
};
const withdrawing = { fields: [{ name: 'reason', label: 'docs.reason', required: true, maxLength: 200, wide: true }] };

const typed = (file) => (/\.dcm$/i.test(file.name) && !file.type ? new Blob([file], { type: 'application/dicom' }) : file);

async function take(base, { file, kind }, requestId) {
  const wrong = t('docs.large');
  if (file.size > largest) throw Object.assign(new Error(wrong), { violations: [{ field: 'file', zh: wrong, en: wrong }], reason: 'BODY_TOO_LARGE' });
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
  return upload(base, { requestId, kind, sha256: [...sum].map((b) => b.toString(16).padStart(2, '0')).join('') }, typed(file));
}

export function Documents({ patientId, list, reload }) {
  const base = `/v1/patients/${patientId}/documents`;
  const [open, setOpen] = useState('');
  const [got, setGot] = useState('');
  const [error, setError] = useState(null);
  const [seen, setSeen] = useState(null); // later than what the case was read with
  useEffect(() => setSeen(null), [list]);
  const documents = seen || list || [];
  const waiting = documents.some((d) => d.status === 'DOCUMENT_STATUS_QUARANTINED');
  useEffect(() => {
    // A scan is no event of the case. What does not answer now is asked again.
    const look = () => get(base).then((answer) => setSeen(answer.documents), () => {});
    const timer = waiting ? setInterval(look, lookAgain) : 0;
    return () => clearInterval(timer);
  }, [waiting]);
  const mayAdd = hasRole('coordinator', 'center');
  if (list === undefined || (!documents.length && !mayAdd)) return null;
  const fetchOne = async (d) => {
    setError(null);
    setGot('');
    try {
      setGot(await download(`${base}/${d.documentId}/content`));
    } catch (err) {
      setError(err);
    }
  };
  const done = () => { setOpen(''); reload(); };
  const named = (d) => enumWord('document', d.kind) + ' ' + shortId(d.documentId);
  return html`<${Section} title=${t('docs.title')} id="documents">
    ${got && html`<p class="notice good" role="status"><${Icon} name="done" /> ${t('docs.got', { name: got })}</p>`}
    ${error && html`<${Problem} error=${error} />`}
    <${Table} caption=${t('docs.title')} rowKey=${(d) => d.documentId} rows=${documents} empty=${t('docs.none')} columns=${[
      { title: t('docs.kind'), cell: (d) => html`${enumWord('document', d.kind)} <code class="quiet small">${shortId(d.documentId)}</code>` },
      {
        title: t('docs.status'), cell: (d) => html`<${Badge} tone=${tones[d.status]?.[0]} icon=${tones[d.status]?.[1]}>${enumWord('scan', d.status)}<//>
          <span class="quiet small">${d.status === 'DOCUMENT_STATUS_QUARANTINED' ? t('docs.waiting') : [d.withdrawReason, d.finding && d.finding + ' (' + d.scanner + ')', d.scanTime && t('docs.scan', { time: whenFull(d.scanTime) })].filter(Boolean).join(' · ')}</span>`,
      },
      { title: t('docs.size'), number: true, cell: (d) => size(Number(d.size)) }, { title: t('docs.time'), cell: (d) => html`${whenFull(d.uploadTime)}<br /><code class="quiet small">${d.uploadedBy}</code>` },
      {
        title: t('docs.do'), cell: (d) => html`<span class="row">${d.status === 'DOCUMENT_STATUS_CLEAN' && html`<button type="button" aria-label=${t('docs.get') + ' ' + named(d)} onClick=${() => fetchOne(d)}>${t('docs.get')}</button>`}
          ${mayAdd && own(d.uploadedBy) && ['DOCUMENT_STATUS_CLEAN', 'DOCUMENT_STATUS_QUARANTINED'].includes(d.status) && html`<button type="button" class="plain" aria-expanded=${open === d.documentId} aria-label=${t('docs.withdraw') + ' ' + named(d)} onClick=${() => setOpen(open === d.documentId ? '' : d.documentId)}>${t('docs.withdraw')}</button>`}</span>`,
      },
    ]} />
    ${open && open !== 'add' && html`<h3>${t('docs.withdraw')} <code>${shortId(open)}</code></h3><${Form} key=${open} fields=${drawn(withdrawing)} submit=${t('docs.withdraw')} what=${t('docs.withdraw')} tone="danger" onDone=${done} onCancel=${() => setOpen('')}
      send=${(v, requestId) => post(`${base}/${open}:withdraw`, { ...v, requestId })} />`}
    ${mayAdd && html`<p class="row"><button type="button" aria-expanded=${open === 'add'} onClick=${() => setOpen(open === 'add' ? '' : 'add')}><${Icon} name="plus" /> ${t('docs.add')}</button></p>`}
    ${open === 'add' && html`<${Form} fields=${drawn(taking)} submit=${t('docs.add')} what=${t('docs.add')} onDone=${done} onCancel=${() => setOpen('')} send=${(v, requestId) => take(base, v, requestId)} />`}<//>`;
}
