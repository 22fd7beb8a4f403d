package referral

import (
	"slices"
	"strings"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/money"
)

// Entry is one thing that happened (时间线). It is never changed.
type Entry struct {
	Sequence                  int64
	Occurred, Recorded        time.Time
	Kind                      string
	State                     State
	Organisation, Subject     string
	Reason, TraceID, RecordID string
	Zh, En                    string
	// What figures go by besides: the center it is about and its city, the code the peer gave where Reason says something
	// else, planned or real times of a move, and the bill. Suspended says that the case's clock stands after it.
	Center, City, Cause string    `json:",omitempty"`
	Depart, Arrive      time.Time `json:",omitzero"`
	Bill                *Bill     `json:",omitempty"`
	Suspended           bool      `json:",omitempty"`
	// Concern is for whoever is told.
	Concern Concern
	scope   []string
}

// Bill is what a settled claim came to.
type Bill struct {
	Total, SelfPay money.Fen
	Shares         []BillShare `json:",omitempty"`
}

// BillShare is what one payer pays of it.
type BillShare struct {
	Payer  string
	Amount money.Fen
}

// Scope are the organisations that find the entry on their feed.
func (e Entry) Scope() []string { return e.scope }

// Event is an entry on the feed (事件流).
type Event struct {
	Position   int64
	ReferralID string
	Entry      Entry
}

// Act is one attempt to move a case: who, when, about what.
type Act struct {
	By    access.Caller
	Trace string
	// At is now; Occurred is when it happened, zero for now.
	At, Occurred time.Time
	// Center and Record are what an event is about.
	Center, Record string
	// Ends is a deadline set by somebody else: an offer's.
	Ends   time.Time
	Reason string
	// Number is that of a follow-up visit.
	Number int
	// What the entry keeps for the figures.
	City, Cause    string
	Depart, Arrive time.Time
	Bill           *Bill
	// Told is an organisation without a part in the case that is told of this entry alone.
	Told string
	// Kind replaces the row's kind of entry; Note is added to its text.
	Kind, Note string
	// Organisation and Subject replace those of By: a service tells what somebody did elsewhere.
	Organisation, Subject string
}

type words struct{ zh, en string }

// kinds are the kinds of entries and what they say.
var kinds = map[string]words{
	"CREATED":                {"病例已建立", "Case opened"},
	"SUBMITTED":              {"已提交", "Submitted"},
	"SCREENING":              {"运营台开始审核", "At the line's desk"},
	"SCREENING_PASSED":       {"审核通过，开始匹配", "Passed by the desk; centers are being ranked"},
	"RETURNED":               {"退回补充资料", "Returned for information"},
	"CONSULTATION_OPENED":    {"已发起专家会诊", "A panel of experts is asked"},
	"OPINION_RECORDED":       {"专家已填写会诊意见", "An expert recorded an opinion"},
	"CONSULTATION_INDICATED": {"会诊结论：适合移植，开始匹配", "The panel holds the transplant indicated; centers are being ranked"},
	"NO_SHOW":                {"患者未到，床位与手术间将释放，请重新选择", "The patient did not come; bed and operating room are freed, the patient chooses anew"},
	"LISTING_SUSPENDED":      {"登记已暂停", "The listing is suspended"},
	"DELISTED":               {"已撤出登记，由运营处理", "The listing ended; operations decide"},
	"SURGERY_ABORTED":        {"手术取消，登记保留", "The surgery was called off; the listing stays"},
	"COMPLICATION":           {"出现并发症，重新评估", "A complication; evaluated again"},
	"LOCAL_DECLINED":         {"当地医院无法接回", "The local hospital cannot take the patient back"},
	"FOLLOWED_UP":            {"已随访", "Followed up"},
	"READMITTED":             {"再次收治", "Readmitted"},
	"EXPERT_CHECKED":         {"已核验专家执业备案", "An expert's registration was checked"},
	"PRESCRIBED":             {"已开具抗排异处方", "Anti-rejection drugs were prescribed"},
	"PRESCRIPTION_LINKED":    {"处方已关联结算", "A prescription was tied to its claim"},
	"NUMBER_ADDED":           {"已登记院内编号", "Another institution's number was added"},
	"MATCHED":                {"匹配完成，请患者选择移植中心", "Centers are ranked; the patient chooses"},
	"MATCH_EMPTY":            {"没有可接收的移植中心，由运营处理", "No center can take the case; operations decide"},
	"MATCH_REFUSED":          {"匹配未能进行，退回运营台", "Ranking was not possible; back at the desk"},
	"CENTERS_CHOSEN":         {"患者已选择移植中心", "The patient chose the centers to ask"},
	"CENTER_ASSIGNED":        {"运营确认统筹建议，正向移植中心发出邀约", "Operations confirmed a proposal; its center is being asked"},
	"OFFER_CREATED":          {"已向移植中心发出邀约", "Offered to a center"},
	"OFFER_REMINDED":         {"已提醒移植中心答复", "The center was reminded"},
	"OFFER_ACCEPTED":         {"移植中心已接收，床位与手术间已预占", "Accepted; bed and operating room are held"},
	"OFFER_DECLINED":         {"移植中心未接收", "The center declined"},
	"OFFER_EXPIRED":          {"移植中心未按时答复", "The center did not answer in time"},
	"OFFER_WITHDRAWN":        {"邀约已撤回", "The offer was withdrawn"},
	"OFFER_REFUSED":          {"无法向该中心发出邀约", "The center could not be asked"},
	"ASKING_ABANDONED":       {"多次未能发出邀约，请重新选择", "The centers could not be asked; choose again"},
	"EXHAUSTED":              {"没有其他已选中心，由运营处理", "No chosen center is left; operations decide"},
	"FILED":                  {"异地就医备案已自动办理（免申即享）", "Filed at the insured province by itself"},
	"FILING_WAITING":         {"备案等待患者的结算知情同意", "The filing waits for the patient's consent to settlement"},
	"FILING_REFUSED":         {"参保地未能受理自动备案", "The insured province refused the filing"},
	"BOOKED":                 {"入院已预约", "Admission booked"},
	"HOLD_EXPIRED":           {"预占已过期，床位与手术间已释放", "The hold expired; bed and operating room are free again"},
	"HOLD_OVERRIDDEN":        {"某机构本院自用的资源已改派给本病例", "An institution's own use gave way to this case"},
	"HOLD_RELEASED":          {"床位与手术间已释放", "Bed and operating room were released"},
	"TRANSFER_PLANNED":       {"转运已安排", "The move is planned"},
	"TRANSFER_DEPARTED":      {"患者已出发", "The patient has left"},
	"TRANSFER_ARRIVED":       {"患者已到达并完成交接", "The patient has arrived and was handed over"},
	"TRANSFER_ABORTED":       {"转运已中止", "The move was ended before arrival"},
	"TRANSFER_DELAYED":       {"转运预计到达时间有变", "The move is expected at another time"},
	"TRANSFER_REPLANNED":     {"转运行程已重新安排", "The rest of the move was planned again"},
	"TRANSFER_ATTENTION":     {"转运需人工处理", "The move waits for a person"},
	"TRANSFER_AT_DOOR":       {"患者已到院，等待交接", "The patient is at the door and waits for the hand-over"},
	"TRANSFER_SIGNED":        {"一方已签署交接，等待另一方签字", "One side has signed the hand-over; the other's signature is awaited"},
	"BACK_TRANSFER_PLANNED":  {"返回当地的转运已安排", "The way back is planned"},
	"BACK_TRANSFER_DEPARTED": {"患者已启程返回当地", "The patient is on the way back"},
	"BACK_TRANSFER_ARRIVED":  {"患者已回到当地医院并完成交接", "The patient is back and was handed over"},
	"BACK_TRANSFER_ABORTED":  {"返回当地的转运已中止", "The way back was ended before arrival"},
	"EVALUATED_SUITABLE":     {"评估适合移植，已列入", "Found suitable and listed"},
	"EVALUATED_UNSUITABLE":   {"评估不适合，由运营安排第二意见", "Found unsuitable; operations arrange a second opinion"},
	"SURGERY":                {"手术已完成", "Operated"},
	"DISCHARGED":             {"已出院，进入康复", "Discharged into rehabilitation"},
	"BACK_REFERRED":          {"请当地医院接回", "The local hospital is asked to take the patient back"},
	"BACK_ACCEPTED":          {"当地医院已接回，开始随访", "The local hospital took the patient back; follow-up begins"},
	"CLAIM_OPENED":           {"费用单已建立", "A claim was opened"},
	"CLAIM_DISCHARGED":       {"费用单已出院结转", "The claim is complete"},
	"CLAIM_SETTLED":          {"已跨省直接结算", "Settled across provinces"},
	"CLAIM_REVERSED":         {"结算已冲正", "The settlement was reversed"},
	"CLAIM_MANUAL":           {"无法直接结算，转手工报销", "Direct settlement is not possible; a manual claim remains"},
	"CLAIM_MANUAL_ACCEPTED":  {"参保地经办机构已受理手工报销", "The insured province's agency took the bill as a manual claim"},
	"CLAIM_UNANSWERED":       {"参保地超过规定时间未答复，系统继续询问", "The insured province has not answered within the declared time; it is asked again"},
	"CLAIM_REOPENED":         {"出院办理已撤销，费用单重新打开，需重新办理出院和结算", "The discharge was taken back: the bill is open again, to be completed and settled anew"},
	"CLAIM_CANCELLED":        {"入院登记已撤销，该费用单作废", "The admission registration was taken back: this bill is void"},
	"DEATH_CORRECTED":        {"死亡登记有误，病例恢复办理", "The death was recorded by mistake; the case goes on"},
	"OFFER_TO_REPEAT":        {"结案时邀约已撤回：请重新邀约移植中心", "Closing withdrew the offer: ask a center again"},
	"PLACE_TO_REPEAT":        {"结案时接收、床位与手术间已释放：请重新邀约并预约入院；原接收中心", "Closing gave back the acceptance, the bed and the operating room: ask the center again and book anew; it was"},
	"MOVE_TO_REPEAT":         {"结案时接收、床位、手术间与转运均已撤销：请立即确认患者所在，重新邀约、预约入院并安排转运；原接收中心", "Closing gave back the acceptance, the bed, the operating room and the move: find out at once where the patient is, ask the center again, book and plan the move anew; it was"},
	"RECORDS_MERGED":         {"患者档案已与另一份合并", "The patient's record was merged with another"},
	"RECORDS_SEPARATED":      {"患者档案的合并已撤销", "A merge of the patient's record was undone"},
	"CLOCK_SUSPENDED":        {"计时已暂停", "The clock was stopped"},
	"CLOCK_RESUMED":          {"计时已恢复", "The clock runs again"},
	"REMINDER":               {"时限已过半", "Half of the time has passed"},
	"PATIENT_DECLINED":       {"患者不接受所列移植中心，由运营处理", "The patient takes none of the ranked centers; operations decide"},
	"RESCHEDULED":            {"入院已改约", "The admission was booked for another day"},
	"CONDITION_FULFILLED":    {"一项接收条件已满足", "A condition of the acceptance is fulfilled"},
	"CONDITION_LAPSED":       {"一项接收条件逾期未满足", "A condition of the acceptance was not fulfilled in time"},
	"DIVERTED":               {"患者途中转往其他医院，请决定后续", "The patient was taken to another hospital on the way; decide how to go on"},
	"ABORTED_UNFIT":          {"患者不宜转运，转运已中止", "The patient is not fit to travel; the move was ended"},
	"SURGERY_BROKEN_OFF":     {"手术中止，重新评估", "The surgery was broken off; evaluated again"},
	"FACTS_CHANGED":          {"排序之后更改了所用资料，排序仍保留当时的输入", "Data that the ranking used were changed after it; the ranking keeps its input"},
	"OVERDUE":                {"已超过时限", "The deadline has passed"},
	"CLOSED":                 {"病例已结案", "Case closed"},
	"ATTENDED":               {"该步骤已完成，不再需要人工处理", "The step is done; it needs nobody any more"},
	"NEEDS_ATTENTION":        {"系统步骤多次未成功，请运营处理", "A step of the line failed repeatedly; operations please look"},
}

// Remark writes an entry that moves nothing.
func (r *Referral) Remark(kind string, a Act) { r.note(kind, a) }

// note appends an entry. seen are the organisations that could see the case before the change.
func (r *Referral) note(kind string, a Act, seen ...string) {
	text, known := kinds[kind]
	if !known {
		panic("referral: kind " + kind + " has no text")
	}
	e := Entry{
		Occurred: a.Occurred, Kind: kind, State: r.State, Organisation: a.Organisation, Subject: a.Subject,
		Reason: a.Reason, TraceID: a.Trace, RecordID: a.Record, Zh: text.zh, En: text.en,
		Center: a.Center, City: a.City, Cause: a.Cause, Depart: a.Depart, Arrive: a.Arrive, Bill: a.Bill,
		Suspended: r.ClockSuspended != "",
	}
	if e.Occurred.IsZero() || e.Occurred.After(a.At) {
		e.Occurred = a.At
	}
	if e.Organisation == "" {
		e.Organisation = a.By.Organisation
	}
	if e.Organisation == "" {
		e.Organisation = a.By.Service
	}
	if e.Subject == "" {
		e.Subject = a.By.Subject
	}
	if a.Center != "" {
		e.Zh, e.En = e.Zh+" "+a.Center, e.En+" "+a.Center
	}
	if note := strings.TrimSpace(a.Note); note != "" {
		e.Zh, e.En = e.Zh+"："+note, e.En+": "+note
	}
	e.Concern = r.concern(a)
	e.scope = r.Parties()
	if a.Told != "" {
		seen = append(slices.Clone(seen), a.Told)
	}
	for _, organisation := range seen {
		if !contains(e.scope, organisation) {
			e.scope = append(e.scope, organisation)
		}
	}
	r.entries = append(r.entries, e)
}
