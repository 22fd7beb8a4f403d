package transfer

import (
	"context"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer/pool"
)

// bedWhereDiverted is how long a bed is booked where a diverted patient is taken: as long as the case is given to decide how
// to go on.
const bedWhereDiverted = 24 * time.Hour

// What became of the bed where a diverted patient is taken.
const (
	BedBooked    = "BOOKED"
	BedNoneFree  = "NONE_FREE"
	BedQuotaUsed = "QUOTA_USED"  // the hospital's own bound on referred patients
	BedNotInPool = "NOT_IN_POOL" // it keeps none there
)

// Divert ends a transfer whose patient is taken to another hospital on the way, which from then on sees the transfer. A bed
// is booked there where one is to be had; the patient is taken there with or without. FIELD_INVALID for the hospital it leads
// to anyway, CODE_UNKNOWN for a city.
func (s *Service) Divert(ctx context.Context, transferID, etag, organisation, cityCode, comment string) (Transfer, error) {
	if _, err := city(cityCode, "city"); err != nil {
		return Transfer{}, err
	}
	return s.step(ctx, transferID, etag, sender, func(t *Transfer) error {
		if err := t.onTheWay(); err != nil {
			return err
		}
		if organisation == t.To {
			return fault.New(fault.InvalidArgument, fault.FieldInvalid, "to_organisation",
				"The transfer leads there anyway.", "该机构即为原接收机构。")
		}
		t.Status, t.AbortCode, t.DivertedTo, t.DivertedToCity, t.Comment = Aborted, AbortDiverted, organisation, cityCode, comment
		return nil
	}, func(ctx context.Context, t *Transfer) error {
		if organisation == "" {
			return s.finish(ctx, *t, EventAborted, time.Time{})
		}
		if err := s.bookWhereDiverted(ctx, t); err != nil {
			return err
		}
		if err := s.finish(ctx, *t, EventAborted, time.Time{}); err != nil {
			return err
		}
		comes := *t
		comes.From, comes.To = "", organisation // the two ends are told already
		return s.note(ctx, comes, changeDiverted, cityCode)
	})
}

// bookWhereDiverted books a bed from now on at the hospital that takes the patient, which may move or release it as it likes.
func (s *Service) bookWhereDiverted(ctx context.Context, t *Transfer) error {
	now := s.clock.Now()
	need := pool.Need{Organisation: t.DivertedTo, Kind: pool.Bed, Interval: pool.Interval{Start: now, End: now.Add(bedWhereDiverted)}}
	there, err := s.store.Capacity(ctx, need.Organisation, need.Kind, need.Interval, now)
	if err != nil {
		return err
	}
	if there.Units == 0 {
		t.DivertedBed = BedNotInPool
		return nil
	}
	held, refused, err := s.store.TryHold(ctx, pool.Hold{
		ID: s.ids.New("hld"), ReferralID: t.ReferralID, Organisation: t.DivertedTo, Purpose: pool.Referral, Status: pool.Confirmed, Expire: now,
	}, []pool.Need{need}, now)
	switch {
	case err != nil:
		return err
	case refused == nil:
		t.DivertedBed, t.DivertedHoldID = BedBooked, held.ID
	case refused.Reason == fault.QuotaUsed:
		t.DivertedBed = BedQuotaUsed
	case refused.Reason == fault.ResourceTaken:
		t.DivertedBed = BedNoneFree
	default:
		return refused
	}
	return nil
}
