package referral

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

var (
	referrer = access.Caller{Subject: "li", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator}}
	stranger = access.Caller{Subject: "xu", Organisation: "H-NC-01", Roles: []access.Role{access.Coordinator}}
	centerA  = access.Caller{Subject: "wu", Organisation: "C-SH-01", Roles: []access.Role{access.Center}}
	centerB  = access.Caller{Subject: "he", Organisation: "C-NJ-01", Roles: []access.Role{access.Center}}
	desk     = access.Caller{Subject: "ops", Organisation: "OPS", Roles: []access.Role{access.Operations}}
	agency   = access.Caller{Subject: "yb", Organisation: "A-340000", Province: "340000", Roles: []access.Role{access.Agency}}
	expert   = access.Caller{Subject: "zhou", Organisation: "C-BJ-01", Roles: []access.Role{access.Center}}
	actors   = []access.Caller{referrer, stranger, centerA, centerB, desk, agency, expert, theLine}
	noon     = time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)
)

// ways is the machine written down a second time, by hand, from the case's page: where each move may lead from each
// state. The test below holds the table to it.
var ways = map[State]map[Move][]State{
	Draft:           {Submit: {Submitted}},
	Submitted:       {Receive: {Screening}},
	Returned:        {Submit: {Submitted}, Lapse: {Closed}},
	Screening:       {Consult: {Consultation}, ScreenPass: {Screening}, ScreenReturn: {Returned}, ScreenNotIndicated: {Closed}, MatchRanked: {Matched}, MatchEmpty: {Exhausted}, MatchRefused: {Screening}},
	Consultation:    {Opine: {Consultation}, ConcludeIndicated: {Screening}, ConcludeNot: {Closed}, ConcludeTooEarly: {Closed}},
	Exhausted:       {Assign: {Matched}, Consult: {Consultation}, ScreenPass: {Screening}, ScreenReturn: {Returned}, ScreenNotIndicated: {Closed}, Choose: {Matched}, HoldReleased: {Exhausted}},
	Matched:         {PatientDecline: {Exhausted}, HoldReleased: {Matched}, TransferAborted: {Matched}, Choose: {Matched}, Assign: {Matched}, OfferCreated: {Offered}, OfferAccepted: {Accepted}, OfferDeclined: {Matched, Exhausted}, OfferExpired: {Matched, Exhausted}, OfferWithdrawn: {Matched, Exhausted}, OfferRefused: {Matched, Exhausted}, AbandonAsking: {Matched}},
	Offered:         {OfferCreated: {Offered}, OfferReminded: {Offered}, OfferAccepted: {Accepted}, OfferDeclined: {Offered, Matched, Exhausted}, OfferExpired: {Offered, Matched, Exhausted}, OfferWithdrawn: {Offered, Matched, Exhausted}, OfferRefused: {Offered, Matched, Exhausted}},
	Accepted:        {Book: {Booked, TransferPlanned}, HoldExpired: {Matched}, HoldReleased: {Matched}, TransferPlan: {Accepted}, TransferDeparted: {InTransit}, TransferArrived: {Arrived}, TransferAborted: {Accepted}},
	Booked:          {Reschedule: {Booked}, NoShow: {Matched}, HoldReleased: {Matched}, TransferPlan: {TransferPlanned}, TransferDeparted: {InTransit}, TransferArrived: {Arrived}},
	TransferPlanned: {Reschedule: {Booked}, NoShow: {Matched}, HoldReleased: {TransferPlanned}, TransferPlan: {TransferPlanned}, TransferDeparted: {InTransit}, TransferArrived: {Arrived}, TransferAborted: {Booked}},
	InTransit:       {Book: {InTransit}, HoldExpired: {InTransit}, HoldReleased: {InTransit}, TransferArrived: {Arrived}, TransferAborted: {Booked, Accepted}},
	Arrived:         {Book: {Arrived}, HoldExpired: {Arrived}, HoldReleased: {Arrived}, FindSuitable: {Listed}, FindUnsuitable: {Exhausted}},
	Evaluating:      {Discharge: {Rehabilitation}, Book: {Evaluating}, HoldExpired: {Evaluating}, HoldReleased: {Evaluating}, FindSuitable: {Listed}, FindUnsuitable: {Exhausted}},
	Listed:          {SuspendListing: {Suspended}, Delist: {Exhausted}, AbortSurgery: {Listed}, HoldReleased: {Listed}, FindSuitable: {Listed}, FindUnsuitable: {Exhausted}, Operate: {Operated}},
	Suspended:       {Delist: {Exhausted}, HoldReleased: {Suspended}, FindSuitable: {Listed}, FindUnsuitable: {Exhausted}},
	Operated:        {AbortSurgery: {Evaluating}, HoldReleased: {Operated}, Discharge: {Rehabilitation}},
	Rehabilitation:  {Complicate: {Evaluating}, HoldReleased: {Rehabilitation}, BackRefer: {BackReferred}},
	BackReferred:    {DeclineBack: {Rehabilitation}, HoldReleased: {BackReferred}, BackRefer: {BackReferred}, AcceptBack: {FollowUp}},
	FollowUp:        {Visit: {FollowUp}, Readmit: {Evaluating}, HoldReleased: {FollowUp}, CloseCompleted: {Closed}},
	Closed: {HoldReleased: {Closed}, CorrectDeath: {
		Draft, Screening, Returned, Consultation, Matched, Arrived, Evaluating, Listed, Suspended, Operated, Rehabilitation, BackReferred, FollowUp, Exhausted,
	}},
}

// allowed adds what holds in many states.
func allowed(from State, m Move, to State) bool {
	switch m {
	case ClaimOpened:
		return to == from && from != Arrived || from == Arrived && to == Evaluating
	case ClaimDischarged, ClaimSettled, ClaimReversed, ClaimManual, ClaimUnanswered, ClaimReopened, ClaimAccepted:
		return to == from
	case ClaimCancelled:
		return to == from || from == Evaluating && to == Arrived
	case Close, CloseDied:
		return from != Closed && to == Closed
	case Supersede:
		// Who is on the way to a center or with one stays that center's.
		return to == Closed && !slices.Contains([]State{InTransit, Arrived, Evaluating, Listed, Suspended, Operated, Rehabilitation, Closed}, from)
	case ConditionFulfilled, ConditionLapsed:
		return to == from && slices.Contains([]State{Accepted, Booked, TransferPlanned, InTransit, Arrived, Evaluating}, from)
	case Prescribe:
		return to == from && slices.Contains([]State{Operated, Rehabilitation, BackReferred, FollowUp}, from)
	case CheckExpert:
		return to == from && from != Closed
	case StopClock, RestartClock:
		return to == from && from != Draft && from != Offered && from != Closed
	}
	return slices.Contains(ways[from][m], to)
}

var whose = map[Move]Party{
	Submit: TheReferrer, ScreenPass: TheDesk, ScreenReturn: TheDesk, ScreenNotIndicated: TheDesk, Choose: TheReferrer, Book: TheCenter,
	FindSuitable: TheCenter, FindUnsuitable: TheCenter, Operate: TheCenter, Discharge: TheCenter, BackRefer: TheCenter,
	Consult: TheDesk, Opine: ThePanel, ConcludeIndicated: TheDesk, ConcludeNot: TheDesk, ConcludeTooEarly: TheDesk,
	PatientDecline: TheReferrer, Reschedule: TheCenter, NoShow: TheCenter, SuspendListing: TheCenter, Delist: TheCenter, AbortSurgery: TheCenter, Complicate: TheCenter, DeclineBack: TheLocalHospital,
	Visit: TheLocalHospital | TheCenter, Readmit: TheLocalHospital | TheCenter, Prescribe: TheLocalHospital | TheCenter,
	CheckExpert:  TheLocalHospital | TheCenter | TheDesk,
	CorrectDeath: TheDesk | TheLine, AcceptBack: TheLocalHospital, CloseCompleted: TheReferrer | TheDesk, Close: TheReferrer | TheDesk,
	StopClock: TheReferrer | TheCenter | TheDesk, RestartClock: TheReferrer | TheCenter | TheDesk,
}

// chain is the case that runs well; random walks begin somewhere along it.
var chain = []Move{
	Submit, Receive, ScreenPass, MatchRanked, Choose, OfferCreated, OfferAccepted, Book, TransferPlan, TransferDeparted,
	TransferArrived, ClaimOpened, FindSuitable, Operate, Discharge, BackRefer, AcceptBack,
}

func everyMove() []Move {
	var moves []Move
	for _, row := range Table {
		for _, m := range row.Do {
			if !slices.Contains(moves, m) {
				moves = append(moves, m)
			}
		}
	}
	return moves
}

func TestTableIsWellFormed(t *testing.T) {
	for i, row := range Table {
		if len(row.From) == 0 || row.By == 0 {
			t.Errorf("row %d has no state or nobody", i)
		}
		if len(row.Do) == 0 && row.Call == "" || row.Call != "" && (row.Zh == "" || row.En == "") {
			t.Errorf("row %d: a call needs words, a row a move or a call", i)
		}
		if row.Keep && row.Limit != nil || row.To == "" && len(row.Do) > 0 && !row.Keep {
			t.Errorf("row %d: a row that stays keeps the clock, and no other has both", i)
		}
		for _, m := range row.Do {
			kind := row.Kind
			if kind == "" {
				kind = string(m)
			}
			if _, ok := kinds[kind]; !ok {
				t.Errorf("row %d: kind %s has no text", i, kind)
			}
			for _, from := range row.From {
				to := row.To
				if to == "" {
					to = from
				}
				if !allowed(from, m, to) {
					t.Errorf("row %d: %s leads from %s to %s", i, m, from, to)
				}
				if want := whose[m]; want != 0 && row.By != want || want == 0 && row.By != TheLine {
					t.Errorf("row %d: %s is done by %b", i, m, row.By)
				}
			}
		}
	}
	for from, moves := range ways {
		for m, tos := range moves {
			for _, to := range tos {
				if !slices.ContainsFunc(Table, func(row Row) bool {
					return slices.Contains(row.From, from) && slices.Contains(row.Do, m) && (row.To == to || row.To == "" && from == to)
				}) {
					t.Errorf("the table has no way from %s by %s to %s", from, m, to)
				}
			}
		}
	}
}

func snapshot(t interface{ Fatal(...any) }, r *Referral) string {
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func fresh() *Referral {
	return &Referral{ID: "ref_1", PatientID: "pat_1", Referrer: "H-HF-01", Urgency: "URGENT", State: Draft, InsuredProvince: "340000"}
}

// Random actors try random moves: what the table does not hold changes nothing and says in which state the case is; what
// it holds leads where the page says, writes the timeline and sets the clock.
func TestMachineAgainstTheTable(t *testing.T) {
	moves := everyMove()
	reached := map[State]bool{}
	rapid.Check(t, func(t *rapid.T) {
		r := fresh()
		at := noon
		for _, m := range chain[:rapid.IntRange(0, len(chain)).Draw(t, "begun")] {
			at = at.Add(time.Minute)
			step(t, r, m, whoCan(r, m), at)
			reached[r.State] = true
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			at = at.Add(time.Minute)
			by := rapid.SampledFrom(actors).Draw(t, "actor")
			m := rapid.SampledFrom(moves).Draw(t, "move")
			// Half of the time something that is possible, so that the chain is walked to its end.
			if rapid.Bool().Draw(t, "likely") {
				if likely := possible(r, moves); len(likely) > 0 {
					m = rapid.SampledFrom(likely).Draw(t, "possible")
					by = whoCan(r, m)
				}
			}
			step(t, r, m, by, at)
			reached[r.State] = true
		}
	})
	// Which states chance comes to is luck; every single move off the chain is tried besides.
	for begun := range len(chain) + 1 {
		for _, m := range moves {
			r := fresh()
			for i, m := range chain[:begun] {
				step(t, r, m, whoCan(r, m), noon.Add(time.Duration(i)*time.Minute))
			}
			step(t, r, m, whoCan(r, m), noon.Add(time.Hour))
			reached[r.State] = true
		}
	}
	for _, s := range []State{Consultation, Suspended, FollowUp, Matched, Offered, Accepted, Booked, Arrived, Listed, Exhausted, Closed} {
		if !reached[s] {
			t.Errorf("the test never came to %s", s)
		}
	}
}

// event is what a peer would say of the case as it is.
func event(r *Referral, m Move, by access.Caller, at time.Time) Act {
	a := Act{By: by, At: at, Center: r.Asking, Record: r.OfferID, Ends: at.Add(24 * time.Hour)}
	if len(r.Beside) > 0 && m != OfferCreated && at.Minute()%2 == 0 {
		a.Center, a.Record = r.Beside[0].Center, r.Beside[0].OfferID
	}
	if m == TransferAborted {
		a.Reason = []string{"", "UNFIT", "DIVERTED"}[at.Minute()%3]
	}
	switch m {
	case OfferCreated:
		if r.OfferID == "" {
			a.Record = "off_" + at.Format("150405")
		}
	case Visit:
		if v := r.openVisit(); v != nil {
			a.Number = v.Number
		}
	case HoldExpired, HoldReleased:
		a.Center, a.Record = "", r.HoldID
	case TransferPlan, TransferDeparted, TransferArrived, TransferAborted:
		a.Center, a.Record = "", r.TransferID
		if a.Record == "" && m != TransferAborted {
			a.Record = "trf_" + at.Format("150405")
		}
	}
	return a
}

func possible(r *Referral, moves []Move) []Move {
	var found []Move
	for _, m := range moves {
		if m == Close || m == CloseDied || m == Supersede || m == CloseCompleted || m == ScreenNotIndicated || m == Lapse || m == ConcludeNot || m == ConcludeTooEarly {
			continue
		}
		if whoCan(r, m).Known() {
			found = append(found, m)
		}
	}
	return found
}

func whoCan(r *Referral, m Move) access.Caller {
	for _, by := range actors {
		if _, err := r.pick(m, event(r, m, by, noon)); err == nil {
			return by
		}
	}
	return access.Caller{}
}

func step(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, r *Referral, m Move, by access.Caller, at time.Time,
) {
	a := event(r, m, by, at)
	before, from := snapshot(t, r), r.State
	r.Settle()
	changed := false
	err := r.apply(m, a, func() { changed = true; effect(r, m, a) })
	if err != nil {
		if changed || snapshot(t, r) != before || len(r.entries)+len(r.jobs) > 0 {
			t.Fatalf("%s by %s in %s was refused and changed something", m, by.Organisation, from)
		}
		f, _ := fault.As(err)
		if f.Reason == fault.RightMissing && partOf(r, by)&(whose[m]|partLine(m)) == 0 {
			return
		}
		if f.Reason != fault.WrongState || f.Meta["state"] != string(from) {
			t.Fatalf("%s in %s: %v", m, from, err)
		}
		return
	}
	if !allowed(from, m, r.State) {
		t.Fatalf("%s led from %s to %s", m, from, r.State)
	}
	if partOf(r, by) == 0 && by.Organisation != centerA.Organisation && by.Organisation != centerB.Organisation {
		t.Fatalf("%s moved the case by %s", by.Organisation, m)
	}
	if len(r.entries) != 1 || r.entries[0].State != r.State || r.entries[0].Zh == "" {
		t.Fatalf("%s wrote %+v", m, r.entries)
	}
	if r.State == Closed && !r.Deadline.IsZero() {
		t.Fatal("a closed case has a deadline")
	}
	if !r.Deadline.IsZero() && r.ClockSuspended != "" {
		t.Fatal("the clock runs and stands")
	}
	for _, action := range r.Actions(by) {
		if action.Zh == "" || action.En == "" {
			t.Fatalf("%s has no words", action.Call)
		}
	}
}

func partLine(m Move) Party {
	if whose[m] == 0 {
		return TheLine
	}
	return 0
}

// effect does what the use cases do, as far as the table's guards look at it.
func effect(r *Referral, m Move, a Act) {
	switch m {
	case ScreenPass, ConcludeIndicated:
		r.startRanking()
		r.jobs = nil
	case Consult:
		r.Consultations = append(r.Consultations, ConsultationRecord{Number: len(r.Consultations) + 1, Panel: []Expert{{Organisation: expert.Organisation, Subject: expert.Subject}}})
	case Operate:
		r.Surgery = &Surgery{Time: a.At}
	case NoShow, Delist, DeclineBack, AbortSurgery:
		r.turn(m)
	case AcceptBack:
		r.schedule(followUps, a.At)
	case Visit:
		r.Visits[a.Number-1].Time = a.At
	case MatchRanked, MatchEmpty:
		r.Matching, r.MatchRunID = false, "mat_1"
	case MatchRefused:
		r.Matching = false
	case Reschedule:
		r.Admission = a.Ends
		r.TransferID = ""
	case PatientDecline:
		r.stopAsking()
	case Choose, Assign:
		r.stopAsking()
		r.Chosen, r.Asking = []string{"C-SH-01", "C-NJ-01"}, "C-SH-01"
	case AbandonAsking:
		r.stopAsking()
	case ConditionFulfilled, ConditionLapsed, OfferRefused, OfferDeclined, OfferExpired, OfferWithdrawn, OfferCreated, HoldExpired, HoldReleased,
		TransferPlan, TransferDeparted, TransferArrived, TransferAborted, ClaimOpened, ClaimDischarged, ClaimSettled, ClaimReversed, ClaimManual, ClaimUnanswered,
		ClaimReopened, ClaimCancelled:
		r.take(Happening{Move: m, Record: a.Record, Center: a.Center, AtOnce: 2})
	case OfferAccepted:
		r.take(Happening{Move: m, Record: a.Record, Center: a.Center, City: "310100", Hold: "hld_1"})
	case Book:
		r.HoldConfirmed = true
	case BackRefer:
		r.LocalHospital = r.Referrer
	case FindUnsuitable:
		r.stopAsking()
		r.CenterID = ""
	case StopClock:
		r.Left, r.ClockSuspended, r.Deadline = r.Deadline.Sub(a.At), "waiting", time.Time{}
	case RestartClock:
		r.Deadline, r.ClockSuspended, r.Left = a.At.Add(r.Left), "", 0
	case Close, CloseDied:
		r.end(Died, a.At)
	case Supersede, CloseCompleted, Lapse, ScreenNotIndicated, ConcludeNot, ConcludeTooEarly:
		r.end(Lost, a.At)
	case CorrectDeath:
		r.forgetDeath()
	}
}
