package referral

import (
	"context"
	"slices"
	"strconv"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
	"huhang.example/services/internal/telemetry"
)

// GetReferral returns a case; fault NOT_FOUND.
func (s *Service) GetReferral(ctx context.Context, referralID string) (*Referral, error) {
	return s.visible(telemetry.WithReferral(ctx, referralID), referralID)
}

// scopeOf is what the caller may see: as the parts of its organisation that its roles let it play.
func scopeOf(caller access.Caller) Scope {
	return Scope{All: caller.Has(access.Operations) || caller.Has(access.Service), Organisation: caller.Organisation, Subject: caller.Subject, Parts: partsOf(caller)}
}

func (s Scope) key() string {
	return strconv.FormatBool(s.All) + s.Organisation + strconv.Itoa(int(s.Parts))
}

// ListReferrals lists what the caller may see; fault INVALID_PAGE_TOKEN.
func (s *Service) ListReferrals(ctx context.Context, f Filter, token string, size int32) ([]*Referral, string, error) {
	f.Scope = scopeOf(access.From(ctx))
	since := ""
	if !f.ChangedSince.IsZero() {
		since = strconv.FormatInt(f.ChangedSince.UnixMicro(), 10)
	}
	filter := page.Filter("referrals", f.Scope.key(), string(f.State), f.PatientID, since)
	cursor, err := page.Parse(filter, token)
	if err != nil {
		return nil, "", err
	}
	list, next, err := s.store.List(ctx, f, cursor, page.Size(size, 50, 200))
	return list, page.Token(filter, next), err
}

// worklist is what a list shows, and whom it waits for besides operations.
type worklist struct {
	kind    string
	states  []State
	waiting Party
	// within other than zero shows only what is due before now and that; of the others the line's own work is left out.
	within func(now time.Time) time.Time
	// claims narrows the list to cases whose bill stands so.
	claims []Move
	// attention narrows the list to cases in which a step of the line needs a person.
	attention bool
}

func overdue(now time.Time) time.Time { return now }

// worklists are all lists, in the order a person reads them.
var worklists = []worklist{
	{kind: "FOR_REVIEW", states: on(Screening)},
	{kind: "RETURNED", states: on(Returned), waiting: TheReferrer},
	{kind: "AWAITING_CONSULTATION", states: on(Consultation), waiting: ThePanel},
	{kind: "AWAITING_CHOICE", states: on(Matched), waiting: TheReferrer},
	{kind: "OFFERS_TO_ANSWER", states: on(Offered), waiting: TheAskedCenter},
	{kind: "EXPIRING_HOLDS", states: on(Accepted), waiting: TheCenter, within: func(now time.Time) time.Time { return now.Add(day) }},
	{kind: "AWAITING_BOOKING", states: on(Accepted), waiting: TheCenter},
	{kind: "AWAITING_TRANSFER", states: on(Booked), waiting: TheReferrer | TheCenter},
	{kind: "TRANSFERS", states: on(TransferPlanned, InTransit), waiting: TheReferrer | TheCenter, within: tomorrow},
	{kind: "ARRIVALS_NOT_CONFIRMED", states: on(InTransit), waiting: TheReferrer | TheCenter, within: overdue},
	{kind: "LISTED", states: on(Listed, Suspended), waiting: TheCenter, within: func(now time.Time) time.Time { return now.Add(7 * day) }},
	{kind: "BACK_REFERRALS", states: on(BackReferred), waiting: TheLocalHospital},
	{kind: "FOLLOW_UPS_OVERDUE", states: on(FollowUp), waiting: TheLocalHospital | TheCenter, within: overdue},
	{kind: "SETTLEMENTS_FAILING", states: everywhere, waiting: TheReferrer | TheCenter, claims: billsFailing},
	{kind: "NEEDS_ATTENTION", states: everywhere, attention: true},
	{kind: "EXHAUSTED", states: on(Exhausted), waiting: TheReferrer},
	{kind: "OVERDUE", states: live, waiting: TheReferrer | TheAskedCenter | TheCenter | TheLocalHospital | ThePanel, within: overdue},
}

// tomorrow is the end of today in China.
func tomorrow(now time.Time) time.Time {
	y, m, d := now.In(clock.Shanghai).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, clock.Shanghai)
}

func (w worklist) query(s Scope, now time.Time) Worklist {
	q := Worklist{Scope: s, States: w.states, Waiting: w.waiting & s.Parts, Attention: w.attention}
	if w.within != nil {
		q.DueBefore = w.within(now)
	}
	for _, stage := range w.claims {
		q.ClaimStages = append(q.ClaimStages, string(stage))
	}
	return q
}

// ListWorklist lists what waits for the caller's organisation, first to expire first; faults FIELD_INVALID,
// INVALID_PAGE_TOKEN.
func (s *Service) ListWorklist(ctx context.Context, kind, token string, size int32) ([]*Referral, string, error) {
	i := slices.IndexFunc(worklists, func(w worklist) bool { return w.kind == kind })
	if i < 0 {
		return nil, "", fault.New(fault.InvalidArgument, fault.FieldInvalid, "kind", "There is no such worklist.", "没有此工作清单。")
	}
	q := worklists[i].query(scopeOf(access.From(ctx)), s.clock.Now())
	filter := page.Filter("worklist", q.Scope.key(), kind)
	cursor, err := page.Parse(filter, token)
	if err != nil {
		return nil, "", err
	}
	list, next, err := s.store.Worklist(ctx, q, cursor, page.Size(size, 50, 200))
	return list, page.Token(filter, next), err
}

// Counted is how much waits on one list, each number at most MaxCount.
type Counted struct {
	Kind           string
	Count, Overdue int
	More           bool
}

// MaxCount is where counting ends: who has more to do needs no number.
const MaxCount = 1000

// CountWorklists counts every list of the caller.
func (s *Service) CountWorklists(ctx context.Context) ([]Counted, error) {
	scope, now := scopeOf(access.From(ctx)), s.clock.Now()
	counted := make([]Counted, 0, len(worklists))
	queries := make([]Worklist, 0, 2*len(worklists))
	for _, w := range worklists {
		q := w.query(scope, now)
		late := q
		if late.DueBefore.IsZero() || late.DueBefore.After(now) {
			late.DueBefore = now
		}
		counted, queries = append(counted, Counted{Kind: w.kind}), append(queries, q, late)
	}
	counts, err := s.store.CountWorklists(ctx, queries, MaxCount+1)
	if err != nil {
		return nil, err
	}
	for i := range counted {
		counted[i].Count, counted[i].More = min(counts[2*i], MaxCount), counts[2*i] > MaxCount
		counted[i].Overdue = min(counts[2*i+1], MaxCount)
	}
	return counted, nil
}

// ListTimeline lists a case's entries, oldest first; faults NOT_FOUND, INVALID_PAGE_TOKEN.
func (s *Service) ListTimeline(ctx context.Context, referralID, token string, size int32) ([]Entry, string, error) {
	ctx = telemetry.WithReferral(ctx, referralID)
	if _, err := s.visible(ctx, referralID); err != nil {
		return nil, "", err
	}
	filter := page.Filter("timeline", referralID)
	cursor, err := page.Parse(filter, token)
	if err != nil {
		return nil, "", err
	}
	var after int64
	if cursor != "" {
		if after, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return nil, "", err
		}
	}
	limit := page.Size(size, 50, 200)
	entries, err := s.store.Timeline(ctx, referralID, after, limit+1)
	if err != nil || len(entries) <= limit {
		return entries, "", err
	}
	entries = entries[:limit]
	return entries, page.Token(filter, strconv.FormatInt(entries[limit-1].Sequence, 10)), nil
}
