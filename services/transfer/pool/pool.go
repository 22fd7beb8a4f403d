// Package pool holds the rules of the regional resource pool (区域医疗资源池): beds, operating rooms, crews and their times.
//
// Invariant: no two live reservations of one unit overlap. A reservation is live while its hold is held and has not
// expired, or is confirmed; a hold has all the units it asked for or none.
package pool

import (
	"fmt"
	"time"

	"huhang.example/services/internal/clock"

	"huhang.example/services/internal/fault"
)

// Kind is what a unit is (资源类型).
type Kind string

// The kinds.
const (
	Bed           Kind = "BED"            // 床位
	OperatingRoom Kind = "OPERATING_ROOM" // 手术室
	ExpertSlot    Kind = "EXPERT_SLOT"    // 专家号源
	TestSlot      Kind = "TEST_SLOT"      // 检查号源
	Ambulance     Kind = "AMBULANCE"      // 救护车
	Crew          Kind = "CREW"           // 护送团队
)

// Bounds of what may be asked for.
const (
	MostNeeds     = 16
	LongestNeed   = 366 * 24 * time.Hour
	FurthestStart = 2 * 366 * 24 * time.Hour
	LongestHold   = 30 * 24 * time.Hour
)

// Interval is half open: [Start, End).
type Interval struct{ Start, End time.Time }

// Overlaps reports whether some instant lies in both.
func (i Interval) Overlaps(other Interval) bool {
	return i.Start.Before(other.End) && other.Start.Before(i.End)
}

// Resource is one unit, such as one bed (资源).
type Resource struct {
	ID, Organisation string
	Kind             Kind
	Label            string
	Calendar         Calendar
	OutOfService     bool
	// Reported is when somebody of the owner last told of the unit; zero: never.
	Reported   time.Time
	ReportedBy string
	// Edition is the version of what its owner says of it.
	Edition int64
	// Reservations are the live ones that are not over, by start.
	Reservations []Reservation
	// Closed is when the calendar has it closed, of an interval that was asked for.
	Closed []Closure
}

// Reservation is one unit for one interval (预约).
type Reservation struct {
	// Organisation owns the unit; For has it then: the owner, or who has it on loan.
	ResourceID, Organisation, For string
	Kind                          Kind
	Interval
	Confirmed bool
	HoldID    string
	Purpose   Purpose
	// Expire is until when it is held, unless it is confirmed.
	Expire time.Time
	// Overrides are those it took the unit by, or gave way to.
	Overrides []Override
}

// Need asks for one unit of a kind at an organisation for an interval.
type Need struct {
	Organisation string
	Kind         Kind
	Interval
	// Unit is the only one that will do, such as the crew that is on its way already; empty: any.
	Unit string
}

// Status is the life of a hold.
type Status string

// The states of a hold. Released and Expired are final.
const (
	Held      Status = "HELD"
	Confirmed Status = "CONFIRMED"
	Released  Status = "RELEASED"
	Expired   Status = "EXPIRED"
)

// Hold is several reservations held together (预占).
type Hold struct {
	ID, ReferralID string
	// TransferID is set when the hold is part of a transfer, which then answers for it to the case.
	TransferID   string
	Organisation string
	Purpose      Purpose
	Status       Status
	Expire       time.Time
	Reservations []Reservation
	// ReleaseReason is why it was released, in the words of whoever did.
	ReleaseReason string
	Version       int64
}

// Live reports whether its units are taken.
func (h *Hold) Live(now time.Time) bool {
	return h.Status == Confirmed || h.Status == Held && h.Expire.After(now)
}

// Confirm turns the hold into bookings. Confirming again changes nothing; HOLD_EXPIRED by the clock, whether or not
// anything has swept it yet; WRONG_STATE after a release.
func (h *Hold) Confirm(now time.Time) error {
	switch {
	case h.Status == Confirmed:
		return nil
	case h.Status == Released:
		return fault.New(fault.FailedPrecondition, fault.WrongState, "hold_id",
			"The hold was released.", "该预占已释放。").With("state", string(h.Status))
	case h.Status == Expired || !h.Expire.After(now):
		return fault.New(fault.FailedPrecondition, fault.HoldExpired, "hold_id",
			"The hold has expired; its units are free again.", "该预占已过期，资源已释放。").With("hold_id", h.ID)
	}
	h.Status = Confirmed
	return nil
}

// Release frees the units, held or confirmed. Releasing what is free changes nothing.
func (h *Hold) Release(reason string) {
	if h.Status == Held || h.Status == Confirmed {
		h.Status, h.ReleaseReason = Released, reason
	}
}

// ExpireAt ends a hold whose time is over and reports whether it did.
func (h *Hold) ExpireAt(now time.Time) bool {
	if h.Status != Held || h.Expire.After(now) {
		return false
	}
	h.Status = Expired
	return true
}

func badTime(field, en, zh string) error {
	return fault.New(fault.InvalidArgument, fault.TimeInvalid, field, en, zh)
}

// CheckInterval refuses an interval without length, of the past, too long or too far ahead.
func CheckInterval(i Interval, now time.Time, prefix string) error {
	switch {
	case !i.End.After(i.Start):
		return badTime(prefix+"end_time", "The end is not after the start.", "结束时间须晚于开始时间。")
	case i.Start.Before(now.Add(-clock.Skew)):
		return badTime(prefix+"start_time", "The start lies in the past.", "开始时间已过。")
	case i.End.Sub(i.Start) > LongestNeed:
		return badTime(prefix+"end_time", "The interval is longer than 366 days.", "时段超过 366 天。")
	case i.Start.Sub(now) > FurthestStart:
		return badTime(prefix+"start_time", "The start is more than two years ahead.", "开始时间在两年以后。")
	}
	return nil
}

// CheckNeeds refuses needs that can never be met; the fault names the field.
func CheckNeeds(needs []Need, expire, now time.Time) error {
	if len(needs) == 0 || len(needs) > MostNeeds {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "needs", "One to sixteen needs are expected.", "需求须为 1 至 16 项。")
	}
	for i, need := range needs {
		if err := CheckInterval(need.Interval, now, fmt.Sprintf("needs[%d].", i)); err != nil {
			return err
		}
	}
	if !expire.After(now) {
		return badTime("expire_time", "The hold would expire in the past.", "预占到期时间已过。")
	}
	if expire.Sub(now) > LongestHold {
		return badTime("expire_time", "A hold lasts at most 30 days.", "预占最长 30 天。")
	}
	return nil
}

// Taken is the answer when no unit is free.
func Taken(need Need) *fault.Fault {
	return fault.New(fault.FailedPrecondition, fault.ResourceTaken, "",
		"No unit of the resource is free at that time.", "该时段没有空闲资源。").
		With("kind", string(need.Kind)).With("organisation", need.Organisation)
}
