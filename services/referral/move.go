package referral

import (
	"slices"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// apply makes a move if the table allows it: change runs between the decision and the entry. Refused, nothing is changed.
func (r *Referral) apply(m Move, a Act, change func()) error {
	row, err := r.pick(m, a)
	if err != nil {
		return err
	}
	before, seen := r.Deadline, r.Parties()
	r.partsBefore = r.parts()
	var deadline time.Time
	if row.Limit != nil {
		deadline = row.Limit(r, a)
	}
	if change != nil {
		change()
	}
	if row.To != "" {
		r.State = row.To
	}
	if !row.Keep {
		r.Deadline, r.ClockSuspended, r.Left, r.OverdueTold = deadline, "", 0, false
	}
	kind := row.Kind
	if a.Kind != "" {
		kind = a.Kind
	}
	if kind == "" {
		kind = string(m)
	}
	r.note(kind, a, seen...)
	if !r.Deadline.IsZero() && !r.Deadline.Equal(before) {
		r.watch(a.At)
	}
	return nil
}

// shortest is the time of which nobody is reminded.
const shortest = time.Hour

// offerGrace is how long matching may take to tell that an offer expired before the case counts as overdue.
const offerGrace = 10 * time.Minute

// watch asks for a look at the case when half of its time has passed, and when its deadline passes.
func (r *Referral) watch(now time.Time) {
	at := r.Deadline
	if r.State == Offered {
		at = at.Add(offerGrace)
	}
	r.enqueue(Job{Do: JobDeadline, Due: r.Deadline.UnixMicro(), At: at})
	// Of an offer's time the one who runs its clock reminds.
	if left := r.Deadline.Sub(now); r.State != Offered && left > shortest {
		r.enqueue(Job{Do: JobRemind, Due: r.Deadline.UnixMicro(), At: now.Add(left / 2)})
	}
}

func (r *Referral) enqueue(j Job) {
	j.ReferralID = r.ID
	r.jobs = append(r.jobs, j)
}

// pick finds the row for a move, or says why there is none.
func (r *Referral) pick(m Move, a Act) (*Row, error) {
	part := partOf(r, a.By)
	here, mine := false, false
	for i := range Table {
		row := &Table[i]
		if !slices.Contains(row.Do, m) || !slices.Contains(row.From, r.State) {
			continue
		}
		here = true
		if row.By&part == 0 {
			continue
		}
		mine = true
		if row.When == nil || row.When(r, a) {
			return row, nil
		}
	}
	if here && !mine {
		return nil, fault.New(fault.PermissionDenied, fault.RightMissing, "",
			"This step belongs to another party of the case.", "此步骤由病例的另一方办理。")
	}
	return nil, r.wrongState()
}

func (r *Referral) wrongState() *fault.Fault {
	f := fault.New(fault.FailedPrecondition, fault.WrongState, "",
		"The case does not allow this step now.", "病例当前状态不允许此步骤。").With("state", string(r.State))
	switch {
	case r.Busy():
		f = f.With("busy", "true")
	case r.State == FollowUp && !billFinal(r, Act{}):
		f = f.With("claim", r.ClaimStage)
	}
	return f
}

// May reports whether the caller may make the move now.
func (r *Referral) May(m Move, caller access.Caller) bool {
	_, err := r.pick(m, Act{By: caller})
	return err == nil
}

// Action is a call a caller may make now (可办事项).
type Action struct {
	Call     string
	Deadline time.Time
	Zh, En   string
}

// Actions are the calls the table holds for the caller now, each once.
func (r *Referral) Actions(caller access.Caller) []Action {
	part := partOf(r, caller)
	var actions []Action
	for i := range Table {
		row := &Table[i]
		if row.Call == "" || row.By&part == 0 || !slices.Contains(row.From, r.State) || row.When != nil && !row.When(r, Act{By: caller}) {
			continue
		}
		if slices.ContainsFunc(actions, func(a Action) bool { return a.Call == row.Call }) {
			continue
		}
		action := Action{Call: row.Call, Zh: row.Zh, En: row.En}
		switch {
		case row.Answers:
			action.Deadline = r.Deadline
		case row.Due != nil:
			action.Deadline = row.Due(r)
		}
		actions = append(actions, action)
	}
	return actions
}
