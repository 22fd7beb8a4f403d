package notify

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/referral"
)

// Desk is the inbox of the line's desk, which operations share.
const Desk = "DESK"

// Notice is one thing a facility was told (通知).
type Notice struct {
	ID, Organisation, ReferralID string
	Position                     int64
	Code, TableVersion, Urgency  string
	Zh, En, Action               string
	Due                          time.Time
	Sequence                     int64
	Actor, RecordID, TraceID     string
	Event, Created, Opened       time.Time
	OpenedBy                     string
	// After is when it is told, if the clock that then ran still does; zero: at once.
	After time.Time
}

// BoxOf is the inbox a caller reads.
func BoxOf(who access.Caller) string {
	if who.Has(access.Operations) {
		return Desk
	}
	return who.Organisation
}

//go:embed notices.json
var noticesJSON []byte

// Row is a line of the table of notices: of an event of these kinds, tell these parts this.
type Row struct {
	Code  string   `json:"code"`
	Kinds []string `json:"kinds"`
	// States, when there are any, narrow it to cases that then stand so.
	States []string `json:"states"`
	Tell   []string `json:"tell"`
	// Own says that who did it is told as well.
	Own bool `json:"own"`
	// Half says that it is told when half of the time is over that the event gave, and only if the case still waits then.
	Half    bool   `json:"half"`
	Urgency string `json:"urgency"`
	// Action is the call that is asked for.
	Action string `json:"action"`
	Zh     string `json:"zh"`
	En     string `json:"en"`
}

// Table says which facilities are told what of which event (通知目录).
type Table struct {
	Version string `json:"version"`
	Notices []Row  `json:"notices"`
}

// DefaultTable is the one that comes with the line.
func DefaultTable() Table {
	t, err := ParseTable(noticesJSON)
	if err != nil {
		panic(err) // embedded and tested
	}
	return t
}

var (
	parts     = []string{referral.PartReferrer, referral.PartAsked, referral.PartCenter, referral.PartLocalHospital, referral.PartPanel, referral.PartTold, Desk}
	urgencies = []string{"INFO", "ACTION", "ALARM"}
)

// ParseTable reads a table and checks it.
func ParseTable(text []byte) (Table, error) {
	var t Table
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return Table{}, fmt.Errorf("notices: %w", err)
	}
	if t.Version == "" || len(t.Notices) == 0 || len(t.Notices) > 500 {
		return Table{}, errors.New("notices: a version and 1 to 500 rows are required")
	}
	for i, row := range t.Notices {
		known := func(list []string, s string) bool { return slices.Contains(list, s) }
		bad := !code.MatchString(row.Code) || len(row.Kinds) == 0 || len(row.Tell) == 0 || !known(urgencies, row.Urgency) || row.Zh == "" || row.En == ""
		for _, part := range row.Tell {
			bad = bad || !known(parts, part)
		}
		for _, state := range row.States {
			bad = bad || !slices.Contains(referral.States, referral.State(state))
		}
		if bad {
			return Table{}, fmt.Errorf("notices: row %d (%s) is incomplete or names what there is not", i+1, row.Code)
		}
	}
	return t, nil
}

// Of says what is told of an event, and to whom: each facility the first row that fits it, in the order of the table.
func (t Table) Of(e referral.Event) []Notice {
	if e.Entry.Concern.Late {
		return nil
	}
	var told []Notice
	for _, row := range t.Notices {
		if !slices.Contains(row.Kinds, e.Entry.Kind) || len(row.States) > 0 && !slices.Contains(row.States, string(e.Entry.State)) {
			continue
		}
		after := row.after(e)
		if row.Half && after.IsZero() {
			continue
		}
		for _, part := range row.Tell {
			for _, organisation := range playing(e.Entry, part) {
				if organisation == e.Entry.Organisation && !row.Own {
					continue
				}
				if slices.ContainsFunc(told, func(n Notice) bool { return n.Organisation == organisation && n.After.IsZero() == after.IsZero() }) {
					continue
				}
				n := row.notice(e, organisation)
				n.TableVersion, n.After = t.Version, after
				told = append(told, n)
			}
		}
	}
	return told
}

// after is half of the time the event gave, from its record on; zero where it is told at once or no clock runs.
func (r Row) after(e referral.Event) time.Time {
	from, due := e.Entry.Recorded, e.Entry.Concern.Due
	if !r.Half || !due.After(from) {
		return time.Time{}
	}
	return from.Add(due.Sub(from) / 2).Truncate(time.Microsecond)
}

func (r Row) notice(e referral.Event, organisation string) Notice {
	n := Notice{
		Organisation: organisation, ReferralID: e.ReferralID, Position: e.Position, Code: r.Code, Urgency: r.Urgency, Zh: r.Zh, En: r.En,
		Action: r.Action, Sequence: e.Entry.Sequence, Actor: e.Entry.Organisation, RecordID: e.Entry.RecordID, TraceID: e.Entry.TraceID,
		Event: e.Entry.Occurred,
	}
	if r.Action != "" {
		n.Due = e.Entry.Concern.Due
	}
	return n
}

// playing are the organisations that play a part, in order. Of an offer, the one asked is the center it is about.
func playing(e referral.Entry, part string) []string {
	if part == Desk {
		return []string{Desk}
	}
	if part == referral.PartAsked && e.Center != "" {
		return []string{e.Center}
	}
	var list []string
	for organisation, plays := range e.Concern.Parts {
		if slices.Contains(plays, part) {
			list = append(list, organisation)
		}
	}
	slices.Sort(list)
	return list
}
