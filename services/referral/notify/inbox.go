package notify

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/page"
)

const (
	// unreadMost is how far unread notices are counted.
	unreadMost = 1000
	// caseMost bounds what is shown of one case.
	caseMost = 500
)

// ListNotices lists the caller's inbox, the newest first, with the number of what is not opened in it.
func (s *Service) ListNotices(ctx context.Context, unread bool, referralID, token string, size int32) (list []*Notice, next string, waiting int, err error) {
	q := NoticeQuery{Box: BoxOf(access.From(ctx)), ReferralID: referralID, Unread: unread}
	if q.Box == "" {
		return nil, "", 0, nil
	}
	filter := page.Filter("notices", q.Box, q.ReferralID, strconv.FormatBool(q.Unread))
	cursor, err := page.Parse(filter, token)
	if err != nil {
		return nil, "", 0, err
	}
	if list, next, err = s.Store.Notices(ctx, q, cursor, page.Size(size, pageDefault, pageMost)); err != nil {
		return nil, "", 0, err
	}
	waiting, err = s.Store.Unread(ctx, q.Box, unreadMost)
	return list, page.Token(filter, next), waiting, err
}

// OpenNotices records that the caller opened notices of its inbox: all of them or, where one is not its own, none.
func (s *Service) OpenNotices(ctx context.Context, ids []string) ([]*Notice, int, error) {
	who := access.From(ctx)
	box, now := BoxOf(who), s.Clock.Now()
	opened := make([]*Notice, 0, len(ids))
	for _, id := range ids {
		n, err := s.Store.Open(ctx, box, id, who.Subject, now)
		if err != nil {
			return nil, 0, err
		}
		opened = append(opened, n)
	}
	unread, err := s.Store.Unread(ctx, box, unreadMost)
	return opened, unread, err
}

// Facility is what one facility was sent about a case.
type Facility struct {
	Organisation string
	Notices      []*Notice
	Deliveries   []*Delivery
}

// OfReferral shows what was sent about a case: to operations and to the referring side all of it; to another facility
// what it was sent itself, and the notices that follow from its own acts.
func (s *Service) OfReferral(ctx context.Context, referralID string) (list []Facility, truncated bool, err error) {
	r, err := s.Cases.GetReferral(ctx, referralID)
	if err != nil {
		return nil, false, err
	}
	who := access.From(ctx)
	box := BoxOf(who)
	all := who.Has(access.Operations) || who.Organisation == r.Referrer
	notices, err := s.Store.OfCase(ctx, referralID, caseMost+1)
	if err != nil {
		return nil, false, err
	}
	q := DeliveryQuery{ReferralID: referralID}
	if !all {
		q.Organisation = box
	}
	deliveries, next, err := s.Store.Deliveries(ctx, q, "", caseMost)
	if err != nil {
		return nil, false, err
	}
	if truncated = next != "" || len(notices) > caseMost; len(notices) > caseMost {
		notices = notices[:caseMost]
	}
	at := func(organisation string) *Facility {
		i := slices.IndexFunc(list, func(f Facility) bool { return f.Organisation == organisation })
		if i < 0 {
			i, list = len(list), append(list, Facility{Organisation: organisation})
		}
		return &list[i]
	}
	for _, n := range slices.Backward(notices) {
		if !all && n.Organisation != box && n.Actor != box {
			continue
		}
		if n.Organisation != box && !who.Has(access.Operations) {
			// Another facility learns that it was opened, and when; not by whom.
			n.OpenedBy = ""
		}
		f := at(n.Organisation)
		f.Notices = append(f.Notices, n)
	}
	for _, d := range slices.Backward(deliveries) {
		f := at(d.Organisation)
		f.Deliveries = append(f.Deliveries, d)
	}
	slices.SortFunc(list, func(a, b Facility) int { return strings.Compare(a.Organisation, b.Organisation) })
	return list, truncated, nil
}
