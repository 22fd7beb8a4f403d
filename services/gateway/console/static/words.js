// Words of the field that several pages use.
import { words } from './i18n.js';

words({
  'state.STATE_DRAFT': ['草稿', 'Draft'], 'state.STATE_SUBMITTED': ['已提交', 'Submitted'], 'state.STATE_SCREENING': ['审核中', 'Screening'],
  'state.STATE_RETURNED_FOR_INFORMATION': ['退回补充资料', 'Returned for information'], 'state.STATE_CONSULTATION': ['会诊中', 'Consultation'],
  'state.STATE_MATCHED': ['已匹配，待选择', 'Matched, to choose'], 'state.STATE_OFFERED': ['已邀约，待答复', 'Offered'], 'state.STATE_ACCEPTED': ['已接收，待预约', 'Accepted'],
  'state.STATE_BOOKED': ['已预约', 'Booked'], 'state.STATE_TRANSFER_PLANNED': ['已安排转运', 'Transfer planned'], 'state.STATE_IN_TRANSIT': ['转运途中', 'In transit'],
  'state.STATE_ARRIVED': ['已到达', 'Arrived'], 'state.STATE_EVALUATING': ['评估中', 'Evaluating'], 'state.STATE_LISTED': ['已登记等待', 'Listed'],
  'state.STATE_SUSPENDED': ['登记暂停', 'Listing suspended'], 'state.STATE_SURGERY': ['已手术', 'Operated'], 'state.STATE_REHABILITATION': ['康复中', 'Rehabilitation'],
  'state.STATE_BACK_REFERRED': ['下转待接', 'Referred back'], 'state.STATE_FOLLOW_UP': ['随访中', 'Follow-up'], 'state.STATE_EXHAUSTED': ['无中心接收', 'Nobody took it'],
  'state.STATE_CLOSED': ['已结案', 'Closed'],
  'close.CLOSE_REASON_COMPLETED': ['完成', 'Completed'], 'close.CLOSE_REASON_DIED': ['患者死亡', 'The patient died'], 'close.CLOSE_REASON_WITHDRAWN': ['撤回', 'Withdrawn'],
  'close.CLOSE_REASON_LOST': ['失访', 'Lost from view'], 'close.CLOSE_REASON_DUPLICATE': ['重复', 'Duplicate'], 'close.CLOSE_REASON_ERROR': ['录入错误', 'Entered in error'],
  'close.CLOSE_REASON_NOT_INDICATED': ['无移植指征', 'Not indicated'], 'close.CLOSE_REASON_LAPSED': ['资料未补，自动结案', 'Lapsed'], 'close.CLOSE_REASON_TOO_EARLY': ['时机过早', 'Too early'], 'close.CLOSE_REASON_ADMITTED_ELSEWHERE': ['已在他处收治', 'Admitted elsewhere'], 'close.CLOSE_REASON_SUPERSEDED': ['由另一病例取代', 'Superseded by another case'],
  'case.case': ['病例', 'Case'], 'case.organ': ['器官', 'Organ'], 'case.urgency': ['紧急程度', 'Urgency'], 'case.state': ['状态', 'State'], 'case.clock': ['时限', 'Deadline'],
  'case.next': ['下一步', 'Next'], 'case.referrer': ['转出机构', 'Referring'], 'case.center': ['移植中心', 'Center'], 'case.updated': ['更新', 'Updated'],
  'list.FOR_REVIEW': ['待审核', 'For review'], 'list.RETURNED': ['退回补充', 'Returned'], 'list.AWAITING_CHOICE': ['待患者选择', 'Awaiting choice'],
  'list.OFFERS_TO_ANSWER': ['邀约待答复', 'Offers to answer'], 'list.AWAITING_BOOKING': ['待预约', 'Awaiting booking'], 'list.AWAITING_TRANSFER': ['待转运', 'Awaiting transfer'],
  'list.TRANSFERS': ['今日转运', 'Transfers'], 'list.LISTED': ['登记待复核', 'Listings to reconfirm'], 'list.BACK_REFERRALS': ['下转待接', 'Back-referrals'],
  'list.EXHAUSTED': ['无中心接收', 'Nobody took it'], 'list.OVERDUE': ['已超时', 'Overdue'], 'list.AWAITING_CONSULTATION': ['待会诊', 'Awaiting consultation'],
  'list.EXPIRING_HOLDS': ['预占将到期', 'Expiring holds'], 'list.ARRIVALS_NOT_CONFIRMED': ['到达未确认', 'Arrivals not confirmed'],
  'list.FOLLOW_UPS_OVERDUE': ['随访逾期', 'Follow-ups overdue'], 'list.SETTLEMENTS_FAILING': ['结算异常', 'Settlements failing'], 'list.NEEDS_ATTENTION': ['步骤受阻待处理', 'Steps that failed'],
});
