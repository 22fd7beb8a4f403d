package fault

// Reason is the machine-readable cause (原因): the value of the proto enum huhang.fault.v1.Reason without its prefix.
type Reason string

// The reasons. Each is explained at its enum value; the four whose name is a Code's carry the prefix Reason.
const (
	ReasonInternal              Reason = "INTERNAL"
	FieldInvalid                Reason = "FIELD_INVALID"
	BodyMalformed               Reason = "BODY_MALFORMED"
	BodyTooLarge                Reason = "BODY_TOO_LARGE"
	CodeUnknown                 Reason = "CODE_UNKNOWN"
	ReasonNotFound              Reason = "NOT_FOUND"
	IdentityMissing             Reason = "IDENTITY_MISSING"
	RightMissing                Reason = "RIGHT_MISSING"
	StaleVersion                Reason = "STALE_VERSION"
	RequestIDReused             Reason = "REQUEST_ID_REUSED"
	WrongState                  Reason = "WRONG_STATE"
	InvalidPageToken            Reason = "INVALID_PAGE_TOKEN"
	ReasonDeadlineExceeded      Reason = "DEADLINE_EXCEEDED"
	ReasonCanceled              Reason = "CANCELED"
	PeerUnavailable             Reason = "PEER_UNAVAILABLE"
	RateLimited                 Reason = "RATE_LIMITED"
	AmountOverflow              Reason = "AMOUNT_OVERFLOW"
	IdentityNumberInvalid       Reason = "IDENTITY_NUMBER_INVALID"
	PatientDuplicate            Reason = "PATIENT_DUPLICATE"
	ConsentMissing              Reason = "CONSENT_MISSING"
	DatumMissing                Reason = "DATUM_MISSING"
	LiveCaseExists              Reason = "LIVE_CASE_EXISTS"
	NotLicensed                 Reason = "NOT_LICENSED"
	OfferExpired                Reason = "OFFER_EXPIRED"
	OfferDecided                Reason = "OFFER_DECIDED"
	NotRanked                   Reason = "NOT_RANKED"
	CommentRequired             Reason = "COMMENT_REQUIRED"
	AllocationReferenceRequired Reason = "ALLOCATION_REFERENCE_REQUIRED"
	DeathRecorded               Reason = "DEATH_RECORDED"
	DeathUnconfirmed            Reason = "DEATH_UNCONFIRMED"
	ResourceTaken               Reason = "RESOURCE_TAKEN"
	HoldExpired                 Reason = "HOLD_EXPIRED"
	NoItinerary                 Reason = "NO_ITINERARY"
	UnfitToTravel               Reason = "UNFIT_TO_TRAVEL"
	ChecklistIncomplete         Reason = "CHECKLIST_INCOMPLETE"
	TimeInvalid                 Reason = "TIME_INVALID"
	TimetableInvalid            Reason = "TIMETABLE_INVALID"
	NoPolicy                    Reason = "NO_POLICY"
	NoDirectSettlement          Reason = "NO_DIRECT_SETTLEMENT"
	NotEntitled                 Reason = "NOT_ENTITLED"
	AlreadySettled              Reason = "ALREADY_SETTLED"
	ProvinceNotServed           Reason = "PROVINCE_NOT_SERVED"
	PolicyInvalid               Reason = "POLICY_INVALID"
	RefundInvalid               Reason = "REFUND_INVALID"
	MessageIDReused             Reason = "MESSAGE_ID_REUSED"
	QuotaReserved               Reason = "QUOTA_RESERVED"
	QuotaUsed                   Reason = "QUOTA_USED"
	ExpertNotRegistered         Reason = "EXPERT_NOT_REGISTERED"
	FeedInvalid                 Reason = "FEED_INVALID"
	OrganFee                    Reason = "ORGAN_FEE"
	VersionExists               Reason = "VERSION_EXISTS"
	LicenceRevoked              Reason = "LICENCE_REVOKED"
	ClaimManual                 Reason = "CLAIM_MANUAL"
	ClaimUnderWay               Reason = "CLAIM_UNDER_WAY"
	ValueImplausible            Reason = "VALUE_IMPLAUSIBLE"
	MergeRefused                Reason = "MERGE_REFUSED"
	ResultExpired               Reason = "RESULT_EXPIRED"
	DocumentRefused             Reason = "DOCUMENT_REFUSED"
	DocumentQuarantined         Reason = "DOCUMENT_QUARANTINED"
	DocumentLimit               Reason = "DOCUMENT_LIMIT"
	ProposalStale               Reason = "PROPOSAL_STALE"
	DeadlinePassed              Reason = "DEADLINE_PASSED"
	TotalsDiffer                Reason = "TOTALS_DIFFER"
	WindowOpen                  Reason = "WINDOW_OPEN"
	AgreementOverlap            Reason = "AGREEMENT_OVERLAP"
	SupervisionHeld             Reason = "SUPERVISION_HELD"
	SupervisionConfirmed        Reason = "SUPERVISION_CONFIRMED"
	HashKeyMissing              Reason = "HASH_KEY_MISSING"
	EndpointRefused             Reason = "ENDPOINT_REFUSED"
	WebhookLimit                Reason = "WEBHOOK_LIMIT"
	WebhooksOff                 Reason = "WEBHOOKS_OFF"
)

type advice struct{ en, zh string }

// whatToDo tells the reader of a refusal the next step. Every reason has one; a test holds the table to the enum.
var whatToDo = map[Reason]advice{
	ReasonInternal:              {"Try again with the same request_id; if it stays, give operations the trace id.", "请用相同的 request_id 重试；若仍失败，请把追踪号告知运营人员。"},
	FieldInvalid:                {"Correct the named fields and send the request again.", "请更正所列字段后重新提交。"},
	BodyMalformed:               {"Send well-formed JSON or protobuf with known fields only.", "请提交格式正确且只含已知字段的 JSON 或 protobuf。"},
	BodyTooLarge:                {"Send less at once, or split it into several requests.", "请减少单次内容，或分多次提交。"},
	CodeUnknown:                 {"Use a code of the published code list.", "请使用已公布代码表中的代码。"},
	ReasonNotFound:              {"Check the number; if it is right, ask the organisation the record belongs to.", "请核对编号；若编号无误，请联系记录所属机构。"},
	IdentityMissing:             {"Sign in, or present your organisation's certificate.", "请先登录，或出示机构证书。"},
	RightMissing:                {"Ask somebody who holds this right, or ask operations for it.", "请由有权限的人员操作，或向运营人员申请权限。"},
	StaleVersion:                {"Read the record again, decide again, and send the new etag.", "请重新读取记录、重新决定，并提交新的 etag。"},
	RequestIDReused:             {"Use a new request_id for a new request; repeat the old one unchanged.", "新请求请用新的 request_id；重试请保持内容不变。"},
	WrongState:                  {"Read the record again: its present state says which steps are open.", "请重新读取记录，按其当前状态选择可行步骤。"},
	InvalidPageToken:            {"List again from the first page, with the same filter for every page.", "请从第一页重新查询，翻页时保持筛选条件不变。"},
	ReasonDeadlineExceeded:      {"Try again with the same request_id; the first try may have taken effect and is not done twice.", "请用相同的 request_id 重试；即使首次已生效也不会重复执行。"},
	ReasonCanceled:              {"Try again with the same request_id if the answer is still wanted.", "如仍需要结果，请用相同的 request_id 重试。"},
	PeerUnavailable:             {"Try again shortly with the same request_id.", "请稍后用相同的 request_id 重试。"},
	RateLimited:                 {"Wait for the seconds named in retry_after_seconds.", "请按 retry_after_seconds 所示秒数等待后重试。"},
	AmountOverflow:              {"Check the amounts: one of them is far outside what a treatment costs.", "请核对金额：其中有金额远超治疗费用范围。"},
	IdentityNumberInvalid:       {"Compare the number with the identity document and enter it again.", "请对照证件核对并重新输入证件号码。"},
	PatientDuplicate:            {"Use the existing record; if you cannot see it, ask operations.", "请使用已有患者档案；若无法查看，请联系运营人员。"},
	ConsentMissing:              {"Obtain the named consent from the patient and record it first.", "请先取得患者的相应知情同意并登记。"},
	DatumMissing:                {"Supply the named datum, then try again.", "请补充所缺数据后重试。"},
	LiveCaseExists:              {"Go on with the live case, or close it first.", "请继续办理现有病例，或先将其结案。"},
	NotLicensed:                 {"Choose a center whose program is licensed and open on that day.", "请选择当日具备资质且开放的移植中心。"},
	OfferExpired:                {"Ask the case's coordinator for a new offer.", "请联系病例协调员重新发出邀约。"},
	OfferDecided:                {"Read the offer: the decision stands.", "请查看该邀约：已作出的决定有效。"},
	NotRanked:                   {"Choose a program ranked in the match run, or run the matching again.", "请选择匹配结果中的项目，或重新匹配。"},
	CommentRequired:             {"Add a comment that explains the choice.", "请补充说明。"},
	AllocationReferenceRequired: {"Give exactly one: the COTRS allocation reference or the ethics approval.", "请只提供一项：COTRS 分配编号或伦理审批编号。"},
	DeathRecorded:               {"If the patient lives, have operations correct the death on its case (CorrectDeath), or separate records that were merged by mistake; then open the case.", "如患者在世，请由运营台在相应病例更正误登记的死亡，或撤销误合并的档案，再建立病例。"},
	DeathUnconfirmed:            {"Make sure that both records are one person's; if they are, send carries_death_of with the id of the record whose death is recorded.", "请先确认两份档案确属同一人；确认无误后，在 carries_death_of 中填写已登记死亡的档案编号再提交。"},
	ResourceTaken:               {"Choose another time or another resource.", "请选择其他时间或其他资源。"},
	HoldExpired:                 {"Reserve again, then confirm in time.", "请重新预约并及时确认。"},
	NoItinerary:                 {"Allow another mode, an escort or a wider time, or ask for a medical transfer.", "请放宽交通方式、陪护或时间，或申请医疗转运。"},
	UnfitToTravel:               {"Choose a mode the patient is fit for, or have the fitness assessed again.", "请选择患者适宜的交通方式，或重新评估。"},
	ChecklistIncomplete:         {"Complete the named items, then sign the hand-over.", "请补齐所列项目后再签署交接。"},
	TimeInvalid:                 {"Give a time in the future and an end after the beginning.", "请填写将来的时间，且结束晚于开始。"},
	TimetableInvalid:            {"Correct the named rows of the feed and upload it again; huhang import-timetable shows all of them.", "请更正所列行后重新上传；huhang import-timetable 可列出全部错误。"},
	NoPolicy:                    {"Ask the insured province's agency, or file for a day on which a policy is in force.", "请咨询参保地经办机构，或选择有政策生效的日期。"},
	NoDirectSettlement:          {"Settle with a manual claim at the insured place.", "请回参保地手工报销。"},
	NotEntitled:                 {"Check the coverage with the insured province's agency.", "请向参保地经办机构核实参保状态。"},
	AlreadySettled:              {"Read the settlement; correct it by a reversal, not by a second one.", "请查看已有结算；如需更正，请先冲正。"},
	ProvinceNotServed:           {"Send the call to the instance that serves the province.", "请向负责该省的服务实例发送请求。"},
	PolicyInvalid:               {"Correct the document at the named line and import it again.", "请在所示行更正文件后重新导入。"},
	RefundInvalid:               {"Refund a line of this claim, and no more than was charged.", "请只退本费用单的明细，且不超过原收费。"},
	QuotaReserved:               {"Choose another time, or have the center change its quota.", "请选择其他时间，或由中心调整预留。"},
	QuotaUsed:                   {"Choose another period or another center.", "请选择其他时段或其他中心。"},
	FeedInvalid:                 {"Correct the named entity of the feed and import it again.", "请更正所示的数据项后重新导入。"},
	ProposalStale:               {"Make a new proposal and confirm that one.", "请重新生成建议后再确认。"},
	MessageIDReused:             {"Use a new message id for a new message.", "新消息请使用新的消息编号。"},
	OrganFee:                    {"Take the line off the bill: no organ is charged for (Order 767, Art 32).", "请将该项移出账单：不得收取器官费用（条例第三十二条）。"},
	VersionExists:               {"Give the new version another name.", "请为新版本另行命名。"},
	LicenceRevoked:              {"Record the new licence with its own first day.", "请按新资质的起始日登记。"},
	ClaimManual:                 {"Follow the manual claim at the insured province's agency.", "请向参保地经办机构跟进手工报销。"},
	ClaimUnderWay:               {"Wait for the outcome; the claim says when the insured province is asked next.", "请等待结果；费用单注明下次查询时间。"},
	ValueImplausible:            {"Check the value and its unit against the report.", "请对照检验报告核对数值与单位。"},
	MergeRefused:                {"Read both records; close or finish what is named, then try again.", "请查看两份档案，处理所列事项后再试。"},
	ResultExpired:               {"Record REPEAT_NEEDED with the reason EXPIRED, or ask for a newer result.", "请登记为需复查（原因 EXPIRED），或索取较新的结果。"},
	DocumentRefused:             {"Check the file; send it again with the type and checksum it has.", "请检查文件，并按其真实类型和校验值重新上传。"},
	ExpertNotRegistered:         {"Have somebody else look up the registration and record it with CheckExpert, then prescribe.", "请由他人核验执业备案并登记（CheckExpert）后再开方。"},
	DocumentQuarantined:         {"Wait for the scan; what was found infected is never given out.", "请等待扫描完成；检出病毒的文件不予提供。"},
	DocumentLimit:               {"Withdraw a document that is no longer needed, then upload again.", "请先撤销不再需要的文件，再上传。"},
	DeadlinePassed:              {"Ask the national clearing center, which may still act.", "请联系国家清算中心处理。"},
	TotalsDiffer:                {"Compare the days that differ, clear up the tasks, or open a dispute; then confirm again.", "请核对差异日期并处理任务，或提出争议后再确认。"},
	WindowOpen:                  {"Wait for what the answer names, or do it first.", "请等待或先完成所示事项。"},
	AgreementOverlap:            {"Let the new agreement begin after the present one ends.", "新协议须在现有协议结束后开始。"},
	SupervisionHeld:             {"Ask the agency of the province named to look at the finding; the settlement goes on once it is released.", "请联系所示省份经办机构核查；解除后结算自动继续。"},
	SupervisionConfirmed:        {"Follow the claim at the agency; it is not settled directly.", "请向经办机构跟进；该费用单不再直接结算。"},
	HashKeyMissing:              {"Leave the number out, or ask the operator to configure supervision_key.", "请勿填写该号码，或请运维配置 supervision_key。"},
	EndpointRefused:             {"Give an https address that a public name leads to, without credentials or fragment.", "请填写公网可解析的 https 地址，不含账号与片段。"},
	WebhookLimit:                {"Delete an endpoint that is no longer needed; ask operations about a message that never gets through.", "请先删除不再需要的端点；始终无法送达的消息请联系运营人员。"},
	WebhooksOff:                 {"Follow the events over gRPC, or ask the operator to configure the referral service's keys.", "请改用 gRPC 事件流，或请运维为转诊服务配置密钥。"},
}

// WhatToDo returns the next step for whoever got this reason; an unknown reason is treated as internal.
func (r Reason) WhatToDo() (en, zh string) {
	a, ok := whatToDo[r]
	if !ok {
		a = whatToDo[ReasonInternal]
	}
	return a.en, a.zh
}

// Reasons returns every reason, in no order.
func Reasons() []Reason {
	all := make([]Reason, 0, len(whatToDo))
	for r := range whatToDo {
		all = append(all, r)
	}
	return all
}
