package fhir

// standing is how a state of the case is told in FHIR: the task's status, BSeR's business status, and the request's status.
type standing struct{ task, business, request string }

var business = map[string]string{
	"2.0": "Service Request Created", "3.0": "Service Request Accepted", "4.0": "Service Request Declined",
	"5.1.1": "Service Request Event Scheduled", "5.1.2": "Scheduled Service Request Event Unattended",
	"5.1.4": "Service Request Event Completed", "6.0": "Service Request Fulfillment Cancelled", "7.0": "Service Request Fulfillment Completed",
}

var standings = map[string]standing{
	"DRAFT":                    {"draft", "", "draft"},
	"SUBMITTED":                {"requested", "2.0", "active"},
	"SCREENING":                {"received", "2.0", "active"},
	"RETURNED_FOR_INFORMATION": {"on-hold", "2.0", "on-hold"},
	"CONSULTATION":             {"received", "2.0", "active"},
	"MATCHED":                  {"received", "2.0", "active"},
	"OFFERED":                  {"requested", "2.0", "active"},
	"ACCEPTED":                 {"accepted", "3.0", "active"},
	"BOOKED":                   {"ready", "5.1.1", "active"},
	"TRANSFER_PLANNED":         {"ready", "5.1.1", "active"},
	"IN_TRANSIT":               {"in-progress", "5.1.1", "active"},
	"ARRIVED":                  {"in-progress", "5.1.4", "active"},
	"EVALUATING":               {"in-progress", "5.1.4", "active"},
	"LISTED":                   {"in-progress", "5.1.4", "active"},
	"SUSPENDED":                {"on-hold", "5.1.4", "on-hold"},
	"SURGERY":                  {"in-progress", "5.1.4", "active"},
	"REHABILITATION":           {"in-progress", "5.1.4", "active"},
	"BACK_REFERRED":            {"in-progress", "5.1.4", "active"},
	"FOLLOW_UP":                {"in-progress", "5.1.4", "active"},
	"EXHAUSTED":                {"rejected", "4.0", "active"},
}

// endings are the same of a closed case, by why it was closed.
var endings = map[string]standing{
	"COMPLETED":     {"completed", "7.0", "completed"},
	"DIED":          {"cancelled", "6.0", "revoked"},
	"WITHDRAWN":     {"cancelled", "6.0", "revoked"},
	"LOST":          {"failed", "5.1.2", "revoked"},
	"DUPLICATE":     {"cancelled", "6.0", "revoked"},
	"ERROR":         {"entered-in-error", "", "entered-in-error"},
	"NOT_INDICATED": {"rejected", "4.0", "revoked"},
	"LAPSED":        {"cancelled", "6.0", "revoked"},
	"TOO_EARLY":     {"rejected", "4.0", "revoked"},

	"ADMITTED_ELSEWHERE": {"cancelled", "6.0", "revoked"},
	"SUPERSEDED":         {"cancelled", "6.0", "revoked"},
}

// TaskStatus is how a state is told; false for one that this table does not know.
func TaskStatus(state, closeReason string) (status string, known bool) {
	s, known := standingOf(state, closeReason)
	return s.task, known
}

func standingOf(state, closeReason string) (standing, bool) {
	if state == "CLOSED" {
		s, known := endings[closeReason]
		return s, known
	}
	s, known := standings[state]
	return s, known
}
