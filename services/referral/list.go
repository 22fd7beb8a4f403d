package referral

import (
	"context"
	"strconv"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
	"huhang.example/services/internal/telemetry"
)

// GetReferral returns a case; fault NOT_FOUND.
func (s *Service) GetReferral(ctx context.Context, referralID string) (*Referral, error) {
	return s.visible(telemetry.WithReferral(ctx, referralID), referralID)
}

func scopeOf(caller access.Caller) Scope {
	return Scope{All: caller.Has(access.Operations) || caller.Has(access.Service), Organisation: caller.Organisation}
}

func (s Scope) key() string { return strconv.FormatBool(s.All) + s.Organisation }

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

// worklists say which states a list shows and whom it waits for besides operations.
var worklists = map[string]Worklist{
	"FOR_REVIEW":        {States: on(Screening)},
	"RETURNED":          {States: on(Returned), Waiting: TheReferrer},
	"AWAITING_CHOICE":   {States: on(Matched), Waiting: TheReferrer},
	"OFFERS_TO_ANSWER":  {States: on(Offered), Waiting: TheAskedCenter},
	"AWAITING_BOOKING":  {States: on(Accepted), Waiting: TheCenter},
	"AWAITING_TRANSFER": {States: on(Booked), Waiting: TheReferrer | TheCenter},
	"TRANSFERS":         {States: on(TransferPlanned, InTransit), Waiting: TheReferrer | TheCenter},
	"LISTED":            {States: on(Listed, Suspended), Waiting: TheCenter},
	"BACK_REFERRALS":    {States: on(BackReferred), Waiting: TheLocalHospital},
	"EXHAUSTED":         {States: on(Exhausted), Waiting: TheReferrer},
	"OVERDUE":           {States: live, Waiting: TheReferrer | TheAskedCenter | TheCenter | TheLocalHospital},
}

// ListWorklist lists what waits for the caller's organisation, first to expire first; faults FIELD_INVALID,
// INVALID_PAGE_TOKEN.
func (s *Service) ListWorklist(ctx context.Context, kind, token string, size int32) ([]*Referral, string, error) {
	q, known := worklists[kind]
	if !known {
		return nil, "", fault.New(fault.InvalidArgument, fault.FieldInvalid, "kind", "There is no such worklist.", "没有此工作清单。")
	}
	q.Scope = scopeOf(access.From(ctx))
	if kind == "OVERDUE" {
		q.OverdueAt = s.clock.Now()
	}
	filter := page.Filter("worklist", q.Scope.key(), kind)
	cursor, err := page.Parse(filter, token)
	if err != nil {
		return nil, "", err
	}
	list, next, err := s.store.Worklist(ctx, q, cursor, page.Size(size, 50, 200))
	return list, page.Token(filter, next), err
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
