// How clearing's records look, wherever they are listed.
import { Badge, html } from '../ui.js';
import { enumWord, t, words } from '../i18n.js';
import { fen, placeName, yuan } from '../format.js';

words({
  'table.CLEARING_TABLE_STATUS_DECLARED': ['已申报', 'Declared'], 'table.CLEARING_TABLE_STATUS_CONFIRMED': ['已确认', 'Confirmed'], 'table.CLEARING_TABLE_STATUS_NETTED': ['已轧差', 'Netted'],
  'task.CLEARING_TASK_STATUS_OPEN': ['待处理', 'To be done'], 'task.CLEARING_TASK_STATUS_RESOLVED': ['已处理', 'Done'],
  'difference.DIFFERENCE_KIND_ONLY_HERE': ['对方没有', 'The other does not have it'], 'difference.DIFFERENCE_KIND_ONLY_THERE': ['仅对方有', 'Only the other has it'], 'difference.DIFFERENCE_KIND_AMOUNT': ['金额不符', 'The amounts differ'], 'difference.DIFFERENCE_KIND_WINDOW': ['月份不符', 'In another month there'], 'difference.DIFFERENCE_KIND_PREPAYMENT': ['预付金将用尽', 'A prepayment is nearly used up'],
  'level.PREPAYMENT_LEVEL_NONE': ['未预付', 'Nothing paid ahead'], 'level.PREPAYMENT_LEVEL_GREEN': ['正常', 'No warning'], 'level.PREPAYMENT_LEVEL_YELLOW': ['黄色预警', 'Yellow warning'], 'level.PREPAYMENT_LEVEL_RED': ['红色预警', 'Red warning'],
  'remit.REMITTANCE_STATUS_DUE': ['待划拨', 'To be made'], 'remit.REMITTANCE_STATUS_SENT': ['已拨出', 'Sent'], 'remit.REMITTANCE_STATUS_RECEIVED': ['已到账', 'Arrived'],
  'dispute.DISPUTE_STATUS_OPENED': ['待答复', 'Opened'], 'dispute.DISPUTE_STATUS_ANSWERED': ['已答复，待裁定', 'Answered'], 'dispute.DISPUTE_STATUS_UPHELD': ['成立', 'Upheld'], 'dispute.DISPUTE_STATUS_REJECTED': ['不成立', 'Rejected'], 'dispute.DISPUTE_STATUS_WITHDRAWN': ['已撤回', 'Withdrawn'],
  'damage.LEDGER_DAMAGE_REMOVED': ['有记录或位置缺失', 'An entry or its place is gone'], 'damage.LEDGER_DAMAGE_ALTERED': ['有记录被改动或移位', 'An entry is not what it was'], 'damage.LEDGER_DAMAGE_CUT': ['账簿被截短', 'The book ends before its head'], 'damage.LEDGER_DAMAGE_UNCHAINED': ['链外插入了记录', 'An entry was put in beside the chain'], 'damage.LEDGER_DAMAGE_BALANCES': ['检查点与分录之和不符', 'A checkpoint is not the sum of its postings'],
});

const tones = {
  CLEARING_TABLE_STATUS_DECLARED: ['warn', 'clock'], CLEARING_TABLE_STATUS_CONFIRMED: ['good', 'done'], CLEARING_TABLE_STATUS_NETTED: ['plain', 'done'], CLEARING_TASK_STATUS_OPEN: ['warn', 'clock'], CLEARING_TASK_STATUS_RESOLVED: ['good', 'done'],
  PREPAYMENT_LEVEL_NONE: ['plain', 'dot'], PREPAYMENT_LEVEL_GREEN: ['good', 'done'], PREPAYMENT_LEVEL_YELLOW: ['warn', 'alert'], PREPAYMENT_LEVEL_RED: ['bad', 'alert'], REMITTANCE_STATUS_DUE: ['warn', 'clock'], REMITTANCE_STATUS_SENT: ['info', 'out'], REMITTANCE_STATUS_RECEIVED: ['good', 'done'],
  DISPUTE_STATUS_OPENED: ['warn', 'clock'], DISPUTE_STATUS_ANSWERED: ['info', 'note'], DISPUTE_STATUS_UPHELD: ['good', 'done'], DISPUTE_STATUS_REJECTED: ['plain', 'cross'], DISPUTE_STATUS_WITHDRAWN: ['plain', 'cross'],
};

// Mark is a state in colour, icon and word.
export const Mark = ({ group, of }) => html`<${Badge} tone=${tones[of]?.[0]} icon=${tones[of]?.[1]}>${enumWord(group, of)}<//>`;

// A province's name as it is spoken; its code stands beside where it is needed.
export const name = (code) => placeName(code);

export const money = (title, cell) => ({ title, number: true, cell: (row) => { const m = cell(row); return m === undefined ? '–' : html`<span class=${fen(m) < 0 ? 'bad' : ''}>${yuan(m)}</span>`; } });
export const count = (title, cell) => ({ title, number: true, cell: (row) => String(cell(row) || 0) });

export const percentOf = (points) => t('clearing.percent', { n: (Number(points || 0) / 100).toFixed(2) });
words({ 'clearing.percent': ['{n}%', '{n} %'] });
