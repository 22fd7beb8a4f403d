package cli

import "google.golang.org/protobuf/reflect/protoreflect"

// verbs say in both languages what a command does; one that is not here is told by its RPC's name.
var verbs = map[string][2]string{
	"CreateReferral": {"建立病例（草稿）", "open a case, as a draft"}, "CreateTransfer": {"预订转运", "book a move, by an option of its plan"}, "submit": {"提交受理", "hand it to the desk"}, "screen": {"记录审核决定", "record the desk's decision"},
	"choose": {"记录患者选择的中心", "record the patient's choice of centers"}, "book": {"预约入院", "book the admission"}, "reschedule": {"改约入院", "book the admission for another time"},
	"correct-death": {"更正误登的死亡", "take back a death recorded by mistake"},
	"evaluate":      {"记录评估结论", "record the evaluation"}, "record-surgery": {"记录手术", "record the surgery"}, "discharge": {"记录出院", "record the discharge"},
	"back-refer": {"下转当地医院", "refer back to the local hospital"}, "accept-back": {"接收下转", "take the patient back"}, "close": {"结案", "close it"},
	"suspend-clock": {"暂停或恢复时钟", "stop the clock, or let it run"}, "consult": {"发起会诊", "ask a panel"}, "opine": {"记录专家意见", "record your opinion"},
	"conclude": {"会诊结论", "conclude the consultation"}, "record-course": {"记录病程变化", "record a turn of the course"},
	"record-follow-up": {"记录随访", "record a visit"}, "readmit": {"再次入院", "bring the patient back to the center"},
	"check-expert": {"记录执业备案核验", "record that an expert's registration was checked"}, "prescribe": {"记录处方", "record a prescription"},
	"link-prescription": {"关联处方与费用单", "tie a prescription to its claim"}, "add-number": {"关联本机构编号", "tie your own number to it"},
	"accept": {"接收邀约并预留床位与手术室", "accept: bed and operating room are held"}, "decline": {"谢绝邀约", "decline, with a code"},
	"fulfil-condition": {"记录接收条件已满足", "record that a condition is met"},
	"merge":            {"并入同一人的另一档案；另一份的死亡登记会使其在办病例结案", "keep another record of the same person under this one; a death recorded of one ends the other's cases"},
	"unmerge":          {"撤销合并；病例恢复，已释放的床位不恢复", "separate merged records; the cases go on, beds given back are not"},
	"check-fitness":    {"出发前复核转运条件", "check the fitness before leaving"}, "depart": {"登记出发", "record the departure"},
	"hand-over": {"登记到达并由接收方签署交接", "record the arrival and sign for the receiving side"}, "sign-hand-over": {"由转出方签署交接", "sign the hand-over for the sending side"},
	"abort": {"中止转运", "end the move"}, "record-leg": {"登记行程段进度", "record a leg's progress"}, "report-leg-trouble": {"报告行程段晚点或取消", "report a leg late or lost"},
	"report-position": {"报告患者位置", "report where the patient is"}, "arrive-at-door": {"登记已到院门口", "record that the patient is at the door"},
	"refuse-at-door": {"到院拒收", "refuse at the door"}, "divert": {"登记途中转往其他医院", "record that the patient is taken elsewhere"}, "replan": {"重新规划余下行程", "plan the rest anew"},
}

// hints say what a flag is for where its name does not.
var hints = map[protoreflect.Name][2]string{
	"merged_id":   {"并入的档案", "the record to keep under it"},
	"merged_etag": {"您看到的该档案版本；默认取当前版本", "the version you saw of it; default: the present one"},
	"carries_death_of": {
		"仅一份档案登记了死亡时，写明该档案编号：另一档案的在办病例将结案并释放床位", "where a death is recorded of exactly one of the two, that record: the other's live cases are closed and their beds given back",
	},
	"merge_id": {"见 huhang patient merges", "see huhang patient merges"},
}
