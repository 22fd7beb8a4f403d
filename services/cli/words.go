package cli

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// labels are the words for codes of the contract; a code that is not here is shown as it is.
var labels = map[string][2]string{
	"STATE_DRAFT": {"草稿", "draft"}, "STATE_SUBMITTED": {"已提交", "submitted"}, "STATE_SCREENING": {"受理审核", "at the desk"},
	"STATE_RETURNED_FOR_INFORMATION": {"退回补充", "returned"}, "STATE_CONSULTATION": {"会诊", "consultation"}, "STATE_MATCHED": {"待选中心", "to choose"},
	"STATE_OFFERED": {"征询中心", "offered"}, "STATE_ACCEPTED": {"中心接收", "accepted"}, "STATE_BOOKED": {"已预约", "booked"},
	"STATE_TRANSFER_PLANNED": {"转运已排", "move planned"}, "STATE_IN_TRANSIT": {"转运途中", "on the way"}, "STATE_ARRIVED": {"已到达", "arrived"},
	"STATE_EVALUATING": {"评估", "evaluating"}, "STATE_LISTED": {"已登记等待", "listed"}, "STATE_SUSPENDED": {"暂停等待", "suspended"},
	"STATE_SURGERY": {"手术", "surgery"}, "STATE_REHABILITATION": {"康复", "rehabilitation"}, "STATE_BACK_REFERRED": {"下转", "back-referred"},
	"STATE_FOLLOW_UP": {"随访", "follow-up"}, "STATE_EXHAUSTED": {"无中心接收", "exhausted"}, "STATE_CLOSED": {"已结案", "closed"},

	"ORGAN_KIDNEY": {"肾", "kidney"}, "ORGAN_LIVER": {"肝", "liver"}, "ORGAN_HEART": {"心", "heart"}, "ORGAN_LUNG": {"肺", "lung"},
	"ORGAN_PANCREAS": {"胰", "pancreas"}, "ORGAN_SMALL_BOWEL": {"小肠", "small bowel"},
	"URGENCY_ROUTINE": {"常规", "routine"}, "URGENCY_URGENT": {"紧急", "urgent"}, "URGENCY_EMERGENCY": {"危急", "emergency"},

	"OFFER_STATUS_OPEN": {"待答复", "open"}, "OFFER_STATUS_ACCEPTED": {"已接收", "accepted"}, "OFFER_STATUS_DECLINED": {"已谢绝", "declined"},
	"OFFER_STATUS_EXPIRED": {"已过期", "expired"}, "OFFER_STATUS_WITHDRAWN": {"已撤回", "withdrawn"},

	"TRANSFER_STATUS_PLANNED": {"已计划", "planned"}, "TRANSFER_STATUS_READY": {"可出发", "ready"}, "TRANSFER_STATUS_IN_TRANSIT": {"途中", "on the way"},
	"TRANSFER_STATUS_ARRIVED": {"已到达", "arrived"}, "TRANSFER_STATUS_ABORTED": {"已中止", "ended before arrival"},

	"WORKLIST_KIND_FOR_REVIEW": {"待审核", "for review"}, "WORKLIST_KIND_RETURNED": {"退回补充", "returned for information"},
	"WORKLIST_KIND_AWAITING_CONSULTATION": {"待会诊", "awaiting consultation"}, "WORKLIST_KIND_AWAITING_CHOICE": {"待患者选择", "awaiting choice"},
	"WORKLIST_KIND_OFFERS_TO_ANSWER": {"待答复邀约", "offers to answer"}, "WORKLIST_KIND_EXPIRING_HOLDS": {"即将到期的预留", "expiring holds"},
	"WORKLIST_KIND_AWAITING_BOOKING": {"待预约", "awaiting booking"}, "WORKLIST_KIND_AWAITING_TRANSFER": {"待转运", "awaiting transfer"},
	"WORKLIST_KIND_TRANSFERS": {"今日转运", "transfers today"}, "WORKLIST_KIND_ARRIVALS_NOT_CONFIRMED": {"未确认到达", "arrivals not confirmed"},
	"WORKLIST_KIND_LISTED": {"待确认登记", "listings to reconfirm"}, "WORKLIST_KIND_BACK_REFERRALS": {"待接收下转", "back-referrals to accept"},
	"WORKLIST_KIND_FOLLOW_UPS_OVERDUE": {"随访超期", "follow-ups overdue"}, "WORKLIST_KIND_SETTLEMENTS_FAILING": {"结算异常", "settlements failing"},
	"WORKLIST_KIND_EXHAUSTED": {"无中心接收", "exhausted"}, "WORKLIST_KIND_OVERDUE": {"已超时", "overdue"},
}

type enum interface {
	Descriptor() protoreflect.EnumDescriptor
	Number() protoreflect.EnumNumber
}

// label is the word for a code.
func (a *app) label(e enum) string {
	value := e.Descriptor().Values().ByNumber(e.Number())
	if value == nil {
		return "?"
	}
	if words, known := labels[string(value.Name())]; known {
		return a.say(words[0], words[1])
	}
	return short(value)
}

// short is a code without its enum's prefix, as people type it: "FOR_REVIEW".
func short(value protoreflect.EnumValueDescriptor) string {
	return strings.TrimPrefix(string(value.Name()), prefix(value.Parent().(protoreflect.EnumDescriptor)))
}

func prefix(e protoreflect.EnumDescriptor) string {
	return strings.TrimSuffix(string(e.Values().Get(0).Name()), "UNSPECIFIED")
}

// codes lists what people may type for an enum.
func codes(e protoreflect.EnumDescriptor) []string {
	var list []string
	for i := range e.Values().Len() {
		if v := e.Values().Get(i); v.Number() != 0 {
			list = append(list, short(v))
		}
	}
	return list
}

// numberOf reads a code as people type it: with or without the prefix, in any case, with hyphens or underscores.
func numberOf(e protoreflect.EnumDescriptor, typed string) (protoreflect.EnumNumber, bool) {
	name := strings.ToUpper(strings.ReplaceAll(typed, "-", "_"))
	for _, full := range []string{prefix(e) + name, name} {
		if v := e.Values().ByName(protoreflect.Name(full)); v != nil && v.Number() != 0 {
			return v.Number(), true
		}
	}
	return 0, false
}
