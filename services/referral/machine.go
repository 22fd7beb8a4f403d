package referral

import (
	"slices"
	"time"
)

// Move is what may happen to a case: a call, a peer's event, or a job's result.
type Move string

// The moves.
const (
	Submit             Move = "SUBMIT"
	Receive            Move = "RECEIVE"
	ScreenPass         Move = "SCREEN_PASS"
	ScreenReturn       Move = "SCREEN_RETURN"
	ScreenNotIndicated Move = "SCREEN_NOT_INDICATED"
	Lapse              Move = "LAPSE"
	MatchRanked        Move = "MATCH_RANKED"
	MatchEmpty         Move = "MATCH_EMPTY"
	MatchRefused       Move = "MATCH_REFUSED"
	Choose             Move = "CHOOSE"
	Assign             Move = "ASSIGN"
	OfferCreated       Move = "OFFER_CREATED"
	OfferReminded      Move = "OFFER_REMINDED"
	OfferAccepted      Move = "OFFER_ACCEPTED"
	OfferDeclined      Move = "OFFER_DECLINED"
	OfferExpired       Move = "OFFER_EXPIRED"
	OfferWithdrawn     Move = "OFFER_WITHDRAWN"
	OfferRefused       Move = "OFFER_REFUSED"
	AbandonAsking      Move = "ASKING_ABANDONED"
	Book               Move = "BOOK"
	HoldExpired        Move = "HOLD_EXPIRED"
	HoldReleased       Move = "HOLD_RELEASED"
	TransferPlan       Move = "TRANSFER_PLANNED"
	TransferDeparted   Move = "TRANSFER_DEPARTED"
	TransferArrived    Move = "TRANSFER_ARRIVED"
	TransferAborted    Move = "TRANSFER_ABORTED"
	FindSuitable       Move = "FIND_SUITABLE"
	FindUnsuitable     Move = "FIND_UNSUITABLE"
	Operate            Move = "OPERATE"
	Discharge          Move = "DISCHARGE"
	BackRefer          Move = "BACK_REFER"
	AcceptBack         Move = "ACCEPT_BACK"
	ClaimOpened        Move = "CLAIM_OPENED"
	ClaimDischarged    Move = "CLAIM_DISCHARGED"
	ClaimSettled       Move = "CLAIM_SETTLED"
	ClaimReversed      Move = "CLAIM_REVERSED"
	ClaimManual        Move = "CLAIM_MANUAL"
	ClaimUnanswered    Move = "CLAIM_UNANSWERED"
	ClaimReopened      Move = "CLAIM_REOPENED"
	ClaimCancelled     Move = "CLAIM_CANCELLED"
	ClaimAccepted      Move = "CLAIM_MANUAL_ACCEPTED"
	Consult            Move = "CONSULT"
	Opine              Move = "OPINE"
	ConcludeIndicated  Move = "CONCLUDE_INDICATED"
	ConcludeNot        Move = "CONCLUDE_NOT_INDICATED"
	ConcludeTooEarly   Move = "CONCLUDE_TOO_EARLY"
	NoShow             Move = "NO_SHOW"
	SuspendListing     Move = "SUSPEND_LISTING"
	Delist             Move = "DELIST"
	AbortSurgery       Move = "SURGERY_ABORTED"
	Complicate         Move = "COMPLICATION"
	DeclineBack        Move = "LOCAL_DECLINED"
	Visit              Move = "VISIT"
	Readmit            Move = "READMIT"
	PatientDecline     Move = "PATIENT_DECLINED"
	Reschedule         Move = "RESCHEDULE"
	ConditionFulfilled Move = "CONDITION_FULFILLED"
	ConditionLapsed    Move = "CONDITION_LAPSED"
	Supersede          Move = "SUPERSEDE"
	CloseDied          Move = "CLOSE_DIED"
	CorrectDeath       Move = "CORRECT_DEATH"
	CheckExpert        Move = "CHECK_EXPERT"
	Prescribe          Move = "PRESCRIBE"
	CloseCompleted     Move = "CLOSE_COMPLETED"
	Close              Move = "CLOSE"
	StopClock          Move = "STOP_CLOCK"
	RestartClock       Move = "RESTART_CLOCK"
)

// Row is one line of the table: in any of From, Do by any of By, if When holds, leads To and starts Limit.
type Row struct {
	From []State
	// Do is empty for a call of another service: it is offered as an action, and its effect comes as an event.
	Do   []Move
	By   Party
	When Guard
	// To is the state after it; empty: the same.
	To State
	// Limit is the clock that then runs; nil stops it, unless Keep leaves the clock as it is.
	Limit Limit
	Keep  bool
	// Kind is the timeline's; empty: the move's own name.
	Kind string
	// Call is the RPC by which a caller makes the move; empty for events and jobs.
	Call string
	// Answers says that the state's clock waits for this call; Due is the call's own deadline, where it has another.
	Answers bool
	Due     func(*Referral) time.Time
	// Zh and En tell a caller what to do.
	Zh, En string
}

func on(states ...State) []State { return states }
func do(moves ...Move) []Move    { return moves }

var (
	everywhere = States
	live       = States[:len(States)-1]
	atCenter   = on(Arrived, Evaluating, Listed, Suspended)
	withCenter = on(Arrived, Evaluating, Listed, Suspended, Operated, Rehabilitation)
	clocked    = on(Screening, Returned, Consultation, Matched, Accepted, Booked, Arrived, Evaluating, Listed, Suspended, BackReferred, FollowUp)
	treated    = on(Operated, Rehabilitation, BackReferred, FollowUp)
	awaited    = on(Accepted, Booked, TransferPlanned, InTransit, Arrived, Evaluating)
	// elsewhere are the states in which the patient is neither on the way to a center nor with one.
	elsewhere = on(Draft, Submitted, Screening, Returned, Consultation, Matched, Offered, Accepted, Booked, TransferPlanned, BackReferred, FollowUp, Exhausted)
	offerOver = do(OfferDeclined, OfferExpired, OfferWithdrawn, OfferRefused)
	// onlyTold is what becomes of a move on its way, and of the way back; and that an own use gave way to the case.
	onlyTold = do("TRANSFER_DELAYED", "TRANSFER_REPLANNED", "TRANSFER_ATTENTION", "TRANSFER_AT_DOOR", "TRANSFER_SIGNED",
		"BACK_TRANSFER_PLANNED", "BACK_TRANSFER_DEPARTED", "BACK_TRANSFER_ARRIVED", "BACK_TRANSFER_ABORTED", "HOLD_OVERRIDDEN")
	claimChanged = do(ClaimDischarged, ClaimSettled, ClaimReversed, ClaimManual, ClaimUnanswered, ClaimReopened, ClaimCancelled, ClaimAccepted)
	notArrived   = on(Draft, Submitted, Screening, Returned, Consultation, Matched, Offered, Accepted, Booked, TransferPlanned,
		InTransit, Evaluating, Listed, Suspended, Operated, Rehabilitation, BackReferred, FollowUp, Exhausted, Closed)
)

// Table is the state machine of a case. Of the rows that fit, the first whose guard holds counts.
var Table = slices.Concat([]Row{
	// The referrer and the desk.
	{
		From: on(Draft, Returned), Do: do(Submit), By: TheReferrer, To: Submitted, Kind: "SUBMITTED",
		Call: "SubmitReferral", Answers: true, Zh: "提交转诊", En: "Submit the case",
	},
	{From: on(Draft, Returned), By: TheReferrer, Call: "RecordClinical", Zh: "补充临床资料", En: "Complete the clinical data"},
	{From: on(Submitted), Do: do(Receive), By: TheLine, To: Screening, Limit: screening, Kind: "SCREENING"},
	{
		From: on(Screening), Do: do(ScreenPass), By: TheDesk, When: undecided, To: Screening, Kind: "SCREENING_PASSED",
		Call: "ScreenReferral", Answers: true, Zh: "审核并作出决定", En: "Screen and decide",
	},
	{From: on(Screening), Do: do(ScreenReturn), By: TheDesk, When: undecided, To: Returned, Limit: after(7 * day), Kind: "RETURNED"},
	{From: on(Screening), Do: do(ScreenNotIndicated), By: TheDesk, When: undecided, To: Closed, Kind: "CLOSED"},
	{
		From: on(Exhausted), Do: do(ScreenPass), By: TheDesk, To: Screening, Kind: "SCREENING_PASSED",
		Call: "ScreenReferral", Zh: "决定下一步：重新匹配、退回或结案", En: "Decide: rank again, return or close",
	},
	{From: on(Exhausted), Do: do(ScreenReturn), By: TheDesk, To: Returned, Limit: after(7 * day), Kind: "RETURNED"},
	{From: on(Exhausted), Do: do(ScreenNotIndicated), By: TheDesk, To: Closed, Kind: "CLOSED"},
	{From: on(Returned), Do: do(Lapse), By: TheLine, To: Closed, Kind: "CLOSED"},

	// A panel of experts 会诊, before the ranking or, as a second opinion, when nobody takes the case.
	{
		From: on(Screening), Do: do(Consult), By: TheDesk, When: undecided, To: Consultation, Limit: consulting, Kind: "CONSULTATION_OPENED",
		Call: "OpenConsultation", Zh: "发起专家会诊", En: "Ask a panel of experts",
	},
	{
		From: on(Exhausted), Do: do(Consult), By: TheDesk, To: Consultation, Limit: consulting, Kind: "CONSULTATION_OPENED",
		Call: "OpenConsultation", Zh: "发起第二意见会诊", En: "Ask for a second opinion",
	},
	{
		From: on(Consultation), Do: do(Opine), By: ThePanel, Keep: true, Kind: "OPINION_RECORDED",
		Call: "RecordOpinion", Answers: true, Zh: "填写会诊意见", En: "Record your opinion",
	},
	{
		From: on(Consultation), Do: do(ConcludeIndicated), By: TheDesk, To: Screening, Kind: "CONSULTATION_INDICATED",
		Call: "ConcludeConsultation", Answers: true, Zh: "汇总意见并作出会诊结论", En: "Conclude the consultation",
	},
	{From: on(Consultation), Do: do(ConcludeNot), By: TheDesk, To: Closed, Kind: "CLOSED"},
	{From: on(Consultation), Do: do(ConcludeTooEarly), By: TheDesk, To: Closed, Kind: "CLOSED"},

	// Ranking, the patient's choice, and asking the centers.
	{From: on(Screening), Do: do(MatchRanked), By: TheLine, When: matching, To: Matched, Limit: after(48 * time.Hour), Kind: "MATCHED"},
	{From: on(Screening), Do: do(MatchEmpty), By: TheLine, When: matching, To: Exhausted},
	{From: on(Screening), Do: do(MatchRefused), By: TheLine, When: matching, To: Screening, Limit: screening},
	{
		From: on(Matched), By: TheReferrer, When: toRepeat, Call: "ChooseCenters", Answers: true,
		Zh: "死亡登记已更正：请确认患者所在，重新邀约原接收中心或改选", En: "The death was corrected: find out where the patient is, and ask the center again or another",
	},
	{
		From: on(Matched), Do: do(Choose), By: TheReferrer, When: nobodyAsked, To: Matched, Kind: "CENTERS_CHOSEN",
		Call: "ChooseCenters", Answers: true, Zh: "由患者选择移植中心", En: "Let the patient choose the centers to ask",
	},
	{
		From: on(Exhausted), Do: do(Choose), By: TheReferrer, When: ranked, To: Matched, Kind: "CENTERS_CHOSEN",
		Call: "ChooseCenters", Zh: "改选其他移植中心", En: "Choose other ranked centers",
	},
	{
		From: on(Matched), Do: do(PatientDecline), By: TheReferrer, When: nobodyAsked, To: Exhausted, Kind: "PATIENT_DECLINED",
		Call: "RecordCourse", Zh: "登记患者不接受所列中心", En: "Record that the patient takes none of the centers",
	},
	{From: on(Matched), Do: do(Assign), By: TheLine, When: nobodyAsked, To: Matched, Kind: "CENTER_ASSIGNED"},
	{From: on(Exhausted), Do: do(Assign), By: TheLine, When: ranked, To: Matched, Kind: "CENTER_ASSIGNED"},
	{From: on(Matched, Offered), Do: do(OfferCreated), By: TheLine, When: asksThisCenter, To: Offered, Limit: given},
	{From: on(Offered), Do: do(OfferReminded), By: TheLine, When: thisOffer, Keep: true},
	{From: on(Matched, Offered), Do: do(OfferAccepted), By: TheLine, When: asksThisCenter, To: Accepted, Limit: after(3 * day)},
	{From: on(Offered), Do: offerOver, By: TheLine, When: asksOthersToo, Keep: true},
	{From: on(Matched, Offered), Do: offerOver, By: TheLine, When: asksThisCenterThenAnother, To: Matched},
	{From: on(Matched, Offered), Do: offerOver, By: TheLine, When: asksThisCenter, To: Exhausted},
	{From: on(Matched), Do: do(AbandonAsking), By: TheLine, When: asksThisCenter, To: Matched, Limit: after(48 * time.Hour)},
	{From: on(Offered), By: TheAskedCenter, Call: "AcceptOffer", Answers: true, Zh: "接收患者", En: "Accept the patient"},
	{From: on(Offered), By: TheAskedCenter, Call: "DeclineOffer", Answers: true, Zh: "不接收并说明原因", En: "Decline with a reason"},

	// What an acceptance still waits for 接收条件.
	{From: awaited, Do: do(ConditionFulfilled, ConditionLapsed), By: TheLine, When: thisOffer, Keep: true},
	{
		From: awaited, By: TheReferrer, When: conditionsOpen, Call: "RecordClinical", Due: conditionsDue,
		Zh: "补齐接收条件所需资料", En: "Complete what the acceptance is conditional on",
	},
	{
		From: awaited, By: TheCenter, When: conditionsOpen, Call: "FulfilCondition", Due: conditionsDue,
		Zh: "确认接收条件已满足", En: "Confirm that a condition is fulfilled",
	},

	// Booking 预约.
	{
		From: on(Accepted), Do: do(Book), By: TheCenter, When: noTransfer, To: Booked, Limit: admission, Kind: "BOOKED",
		Call: "BookAdmission", Answers: true, Zh: "确认入院预约", En: "Confirm the admission",
	},
	{
		From: on(Accepted), Do: do(Book), By: TheCenter, To: TransferPlanned, Kind: "BOOKED",
		Call: "BookAdmission", Answers: true, Zh: "确认入院预约", En: "Confirm the admission",
	},
	{
		From: on(InTransit, Arrived, Evaluating), Do: do(Book), By: TheCenter, When: notBooked, Keep: true, Kind: "BOOKED",
		Call: "BookAdmission", Zh: "补办入院预约", En: "Confirm the admission belatedly",
	},
	{
		From: on(Booked, TransferPlanned), Do: do(Reschedule), By: TheCenter, When: held, To: Booked, Limit: given, Kind: "RESCHEDULED",
		Call: "RescheduleAdmission", Zh: "改约入院时间", En: "Book another day for the admission",
	},
	{
		From: on(Booked, TransferPlanned), Do: do(NoShow), By: TheCenter, To: Matched, Limit: after(48 * time.Hour), Kind: "NO_SHOW",
		Call: "RecordCourse", Zh: "登记患者未到", En: "Record that the patient did not come",
	},
	{From: on(Accepted), Do: do(HoldExpired, HoldReleased), By: TheLine, When: ourHold, To: Matched, Limit: after(48 * time.Hour)},
	{From: on(Booked), Do: do(HoldReleased), By: TheLine, When: ourHold, To: Matched, Limit: after(48 * time.Hour)},
	{From: on(InTransit, Arrived, Evaluating), Do: do(HoldExpired), By: TheLine, When: ourHoldUnbooked, Keep: true},
	{
		From: on(Matched, TransferPlanned, InTransit, Arrived, Evaluating, Listed, Suspended, Operated, Rehabilitation, BackReferred, FollowUp, Exhausted, Closed),
		Do:   do(HoldReleased), By: TheLine, When: ourHold, Keep: true,
	},

	// The move 转诊. What comes out of order still leads where the patient is.
	{From: on(Booked), By: TheReferrer | TheDesk, Call: "CreateTransfer", Zh: "安排转运", En: "Plan the move"},
	{From: on(Booked, TransferPlanned), Do: do(TransferPlan), By: TheLine, When: goingOn, To: TransferPlanned, Limit: departure},
	{From: on(Accepted), Do: do(TransferPlan), By: TheLine, When: goingOn, Keep: true},
	{From: on(TransferPlanned), By: TheReferrer, Call: "CheckFitness", Zh: "出发前 24 小时内复核转运条件", En: "Check the fitness within 24 hours before leaving"},
	{From: on(TransferPlanned), By: TheReferrer, Call: "Depart", Zh: "登记出发", En: "Record the departure"},
	{From: on(TransferPlanned, InTransit), By: TheReferrer | TheDesk, Call: "AbortTransfer", Zh: "中止转运", En: "End the move"},
	{From: on(InTransit), By: TheReferrer | TheDesk, Call: "DivertTransfer", Zh: "登记途中转往其他医院", En: "Record that the patient is taken elsewhere on the way"},
	{From: on(InTransit), By: TheCenter, Call: "HandOver", Zh: "登记到达并交接", En: "Record arrival and hand-over"},
	{From: on(Accepted, Booked, TransferPlanned), Do: do(TransferDeparted), By: TheLine, When: goingOn, To: InTransit, Limit: arrival},
	{From: on(Accepted, Booked, TransferPlanned, InTransit), Do: do(TransferArrived), By: TheLine, To: Arrived, Limit: after(30 * day)},
	{From: on(InTransit), Do: do(TransferAborted), By: TheLine, When: divertedBooked, To: Booked, Limit: after(day), Kind: "DIVERTED"},
	{From: on(InTransit), Do: do(TransferAborted), By: TheLine, When: diverted, To: Accepted, Limit: after(day), Kind: "DIVERTED"},
	{From: on(TransferPlanned, InTransit), Do: do(TransferAborted), By: TheLine, When: unfitBooked, To: Booked, Limit: admission, Kind: "ABORTED_UNFIT"},
	{From: on(TransferPlanned, InTransit), Do: do(TransferAborted), By: TheLine, When: thisTransferBooked, To: Booked, Limit: admission},
	{From: on(InTransit), Do: do(TransferAborted), By: TheLine, When: thisTransfer, To: Accepted, Limit: after(3 * day)},
	{From: on(Matched, Accepted), Do: do(TransferAborted), By: TheLine, When: thisTransfer, Keep: true},

	// Evaluation, listing, surgery 手术, rehabilitation 康复.
	{
		From: on(Arrived, Evaluating), Do: do(FindSuitable), By: TheCenter, To: Listed, Limit: after(30 * day), Kind: "EVALUATED_SUITABLE",
		Call: "RecordEvaluation", Answers: true, Zh: "记录评估结论", En: "Record the evaluation",
	},
	{
		From: on(Listed, Suspended), Do: do(FindSuitable), By: TheCenter, To: Listed, Limit: after(30 * day), Kind: "EVALUATED_SUITABLE",
		Call: "RecordEvaluation", Answers: true, Zh: "每 30 天复核登记", En: "Reconfirm the listing",
	},
	{From: atCenter, Do: do(FindUnsuitable), By: TheCenter, To: Exhausted, Kind: "EVALUATED_UNSUITABLE"},
	{
		From: on(Listed), Do: do(SuspendListing), By: TheCenter, To: Suspended, Limit: after(30 * day), Kind: "LISTING_SUSPENDED",
		Call: "RecordCourse", Zh: "暂停、撤出登记或登记手术取消", En: "Suspend or end the listing, or call the surgery off",
	},
	{
		From: on(Suspended), Do: do(Delist), By: TheCenter, To: Exhausted, Kind: "DELISTED",
		Call: "RecordCourse", Zh: "撤出登记", En: "End the listing",
	},
	{From: on(Listed), Do: do(Delist), By: TheCenter, To: Exhausted, Kind: "DELISTED"},
	{From: on(Listed), Do: do(AbortSurgery), By: TheCenter, Keep: true},
	{
		From: on(Operated), Do: do(AbortSurgery), By: TheCenter, To: Evaluating, Limit: after(30 * day), Kind: "SURGERY_BROKEN_OFF",
		Call: "RecordCourse", Zh: "登记手术中止，重新评估", En: "Record that the surgery was broken off",
	},
	{
		From: on(Listed), Do: do(Operate), By: TheCenter, To: Operated, Kind: "SURGERY",
		Call: "RecordSurgery", Zh: "记录手术", En: "Record the surgery",
	},
	{
		From: on(Operated), Do: do(Discharge), By: TheCenter, To: Rehabilitation, Kind: "DISCHARGED",
		Call: "RecordDischarge", Zh: "记录出院与康复计划", En: "Record the discharge with the rehabilitation plan",
	},
	{
		From: on(Evaluating), Do: do(Discharge), By: TheCenter, When: operated, To: Rehabilitation, Kind: "DISCHARGED",
		Call: "RecordDischarge", Zh: "记录出院与康复计划", En: "Record the discharge with the rehabilitation plan",
	},
	{
		From: on(Rehabilitation), Do: do(Complicate), By: TheCenter, To: Evaluating, Limit: after(30 * day), Kind: "COMPLICATION",
		Call: "RecordCourse", Zh: "出现并发症，重新评估", En: "Evaluate again because of a complication",
	},
	{
		From: on(Rehabilitation), Do: do(BackRefer), By: TheCenter, To: BackReferred, Limit: after(48 * time.Hour), Kind: "BACK_REFERRED",
		Call: "BackRefer", Zh: "下转当地医院", En: "Refer back to the local hospital",
	},
	{
		From: on(BackReferred), Do: do(BackRefer), By: TheCenter, To: BackReferred, Limit: after(48 * time.Hour), Kind: "BACK_REFERRED",
		Call: "BackRefer", Zh: "改请其他当地医院", En: "Ask another local hospital",
	},
	{
		From: on(BackReferred), Do: do(AcceptBack), By: TheLocalHospital, To: FollowUp, Limit: nextVisit, Kind: "BACK_ACCEPTED",
		Call: "AcceptBackReferral", Answers: true, Zh: "接回患者", En: "Take the patient back",
	},
	{
		From: on(BackReferred), Do: do(DeclineBack), By: TheLocalHospital, To: Rehabilitation, Kind: "LOCAL_DECLINED",
		Call: "RecordCourse", Answers: true, Zh: "无法接回并说明原因", En: "Decline to take the patient back",
	},

	// Follow-up 随访: one clock for the next visit.
	{
		From: on(FollowUp), Do: do(Visit), By: TheLocalHospital | TheCenter, When: visitOpen, To: FollowUp, Limit: nextVisit, Kind: "FOLLOWED_UP",
		Call: "RecordFollowUp", Answers: true, Zh: "登记随访", En: "Record the follow-up visit",
	},
	{
		From: on(FollowUp), Do: do(Readmit), By: TheLocalHospital | TheCenter, To: Evaluating, Limit: after(30 * day), Kind: "READMITTED",
		Call: "Readmit", Zh: "再次收治", En: "Readmit the patient",
	},
	{
		From: treated, Do: do(Prescribe), By: TheLocalHospital | TheCenter, Keep: true, Kind: "PRESCRIBED",
		Call: "RecordPrescription", Zh: "开具抗排异处方", En: "Prescribe",
	},
	{From: live, Do: do(CheckExpert), By: TheLocalHospital | TheCenter | TheDesk, Keep: true, Kind: "EXPERT_CHECKED"},

	// The bill runs beside the chain, and on after its end.
	{From: on(Arrived, Evaluating, Listed, Suspended, Operated), By: TheCenter, When: billFinal, Call: "OpenClaim", Zh: "建立费用单", En: "Open the claim"},
	{From: on(Rehabilitation, BackReferred, FollowUp, Closed), By: TheCenter, When: billMissing, Call: "OpenClaim", Zh: "补建费用单", En: "Open the claim belatedly"},
	{From: on(Rehabilitation, BackReferred, FollowUp, Closed), By: TheCenter, When: claimOpen, Call: "DischargeClaim", Zh: "费用单出院结转", En: "Complete the claim"},
	{From: everywhere, By: TheCenter, When: claimComplete, Call: "SettleClaim", Zh: "跨省直接结算", En: "Settle across provinces"},
	{From: on(Arrived), Do: do(ClaimOpened), By: TheLine, To: Evaluating, Keep: true},
	{From: notArrived, Do: do(ClaimOpened), By: TheLine, Keep: true},
	{From: on(Evaluating), Do: do(ClaimCancelled), By: TheLine, When: onlyAdmission, To: Arrived, Keep: true},
	{From: everywhere, Do: claimChanged, By: TheLine, Keep: true},
	{From: live, By: TheReferrer, When: filingWaits, Call: "GiveConsent", Zh: "取得结算知情同意", En: "Obtain the consent to settlement"},

	// The clock, and the end.
	{
		From: clocked, Do: do(StopClock), By: TheReferrer | TheCenter | TheDesk, When: clockRuns, Keep: true, Kind: "CLOCK_SUSPENDED",
		Call: "SuspendClock", Zh: "暂停计时并说明原因", En: "Stop the clock with a reason",
	},
	{
		From: clocked, Do: do(RestartClock), By: TheReferrer | TheCenter | TheDesk, When: clockStands, Keep: true, Kind: "CLOCK_RESUMED",
		Call: "SuspendClock", Zh: "恢复计时", En: "Let the clock run again",
	},
	{
		From: on(FollowUp), Do: do(CloseCompleted), By: TheReferrer | TheDesk, When: billFinal, To: Closed, Kind: "CLOSED",
		Call: "CloseReferral", Zh: "完成并结案", En: "Close as completed",
	},
	{From: elsewhere, Do: do(Supersede), By: TheLine, To: Closed, Kind: "CLOSED"},
	{From: live, Do: do(CloseDied), By: TheLine, To: Closed, Kind: "CLOSED"},
	{
		From: live, Do: do(Close), By: TheReferrer | TheDesk, To: Closed, Kind: "CLOSED",
		Call: "CloseReferral", Zh: "结案并说明原因", En: "Close with a reason",
	},
}, alive)
