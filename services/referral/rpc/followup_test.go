package rpc_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

func (l *line) followUps() *referralv1.ListFollowUpsResponse {
	l.t.Helper()
	got, err := l.server.ListFollowUps(l.as(hospital), &referralv1.ListFollowUpsRequest{ReferralId: l.id})
	l.must(err)
	return got
}

func (l *line) visit(number int32, at time.Time) func(string) error {
	return func(etag string) error {
		_, err := l.server.RecordFollowUp(l.as(hospital), &referralv1.RecordFollowUpRequest{
			RequestId: l.key(), ReferralId: l.id, Etag: etag, Number: number, VisitTime: timestamppb.New(at), Outcome: "STABLE",
		})
		return err
	}
}

// The schedule makes itself, one clock runs, and what is overdue is told.
func TestFollowUp(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toListed()
		l.operated()
		l.back()
		l.refused(fault.WrongState, l.visit(1, l.clock.Now()))
		l.taken()
		plan := l.followUps()
		if len(plan.GetVisits()) < 30 || plan.GetVisits()[0].GetDueDate() != "2026-12-01" || plan.GetScheduleVersion() == "" {
			t.Fatalf("%v", plan)
		}
		due := plan.GetVisits()[0].GetOverdueTime().AsTime()
		if c := l.get(hospital); !c.GetDeadline().AsTime().Equal(due) {
			t.Fatalf("the clock ends %s, the visit %s", c.GetDeadline().AsTime(), due)
		}
		if l.counts(hospital)["FOLLOW_UPS_OVERDUE"] != 0 {
			t.Fatal("nothing is overdue yet")
		}
		l.clock.Set(due.Add(time.Hour))
		l.eventually("OVERDUE")
		if counts := l.counts(hospital); counts["FOLLOW_UPS_OVERDUE"] != 1 || counts["OVERDUE"] != 1 {
			t.Fatalf("%v", counts)
		}
		l.refused(fault.TimeInvalid, l.visit(1, l.clock.Now().Add(clock.Skew+time.Second)))
		l.refused(fault.WrongState, l.visit(99, l.clock.Now()))
		l.does(l.visit(1, l.clock.Now()))
		l.refused(fault.WrongState, l.visit(1, l.clock.Now()))
		second := l.followUps().GetVisits()[1]
		if c := l.get(hospital); !c.GetDeadline().AsTime().Equal(second.GetOverdueTime().AsTime()) || l.counts(hospital)["FOLLOW_UPS_OVERDUE"] != 0 {
			t.Fatalf("%s", c.GetDeadline().AsTime())
		}
		_, err := l.server.Readmit(l.as(hospital), &referralv1.ReadmitRequest{RequestId: l.key(), ReferralId: l.id, Etag: l.etag(), Comment: "rejection"})
		l.must(err)
		l.clock.Advance(30 * 24 * time.Hour)
		l.discharged()
		l.back()
		l.taken()
		visits := l.followUps().GetVisits()
		if visits[0].GetVisitTime() == nil || visits[1].GetVisitTime() != nil || visits[1].GetDueDate() <= second.GetDueDate() || visits[1].GetNumber() != 2 {
			t.Fatalf("after the readmission: %v", visits[:2])
		}
	})
}

// A prescription counts only where somebody else checked the expert's registration at that site.
func TestPrescription(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toListed()
		l.operated()
		prescribe := func(by access.Caller, site string) func(string) error {
			return func(etag string) error {
				_, err := l.server.RecordPrescription(l.as(by), &referralv1.RecordPrescriptionRequest{
					RequestId: l.key(), ReferralId: l.id, Etag: etag, Site: site, DrugCodes: []string{"D-TAC"}, Days: 28,
				})
				return err
			}
		}
		check := func(by access.Caller, subject, site, until string) func(string) error {
			return func(etag string) error {
				_, err := l.server.CheckExpert(l.as(by), &referralv1.CheckExpertRequest{
					RequestId: l.key(), ReferralId: l.id, Etag: etag, Subject: subject, Site: site, RegistrationNumber: "REG-000001", ValidUntil: until,
				})
				return err
			}
		}
		l.refused(fault.ExpertNotRegistered, prescribe(shanghai, "C-SH-01"))
		l.refused(fault.RightMissing, check(shanghai, "wu", "C-SH-01", "2027-11-24")) // wu vouches for wu
		l.refused(fault.TimeInvalid, check(desk, "wu", "C-SH-01", "2026-11-23"))
		l.refused(fault.TimeInvalid, check(desk, "wu", "C-SH-01", "2026-13-01"))
		l.does(check(desk, "wu", "C-SH-01", "2026-11-24"))
		l.refused(fault.ExpertNotRegistered, prescribe(shanghai, "H-HF-01")) // checked at another site
		l.does(prescribe(shanghai, "C-SH-01"))
		l.clock.Advance(24 * time.Hour)
		l.refused(fault.ExpertNotRegistered, prescribe(shanghai, "C-SH-01")) // it has ended

		claim := "clm_310000_00000000000000000000000009"
		link := func(number int32, claim string) func(string) error {
			return func(etag string) error {
				_, err := l.server.LinkPrescription(l.as(shanghai), &referralv1.LinkPrescriptionRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, Number: number, ClaimId: claim})
				return err
			}
		}
		l.refused(fault.FieldInvalid, link(2, claim))
		l.does(link(1, claim))
		l.refused(fault.AlreadySettled, link(1, "clm_310000_00000000000000000000000008"))
		p := l.followUps().GetPrescriptions()
		if len(p) != 1 || p[0].GetClaimId() != claim || p[0].GetRegistrationNumber() != "REG-000001" || p[0].GetPrescriber() != "wu" {
			t.Fatalf("%v", p)
		}
		// The drugs' bill is not the bill of the stay.
		before := l.get(desk)
		l.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Claim{Claim: &referralv1.ClaimEvent{
			ClaimId: claim, Kind: "SETTLED", SelfPay: &moneyv1.Money{Fen: 99},
		}}})
		if after := l.get(desk); after.GetClaimId() != before.GetClaimId() || after.GetSelfPay().GetFen() != before.GetSelfPay().GetFen() {
			t.Fatalf("the case shows %s, %s", after.GetClaimId(), after.GetSelfPay())
		}
	})
}

func TestSearch(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toAccepted()
		l.eventually("FILED")
		number := func(n string) func(string) error {
			return func(etag string) error {
				_, err := l.server.AddCaseNumber(l.as(shanghai), &referralv1.AddCaseNumberRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, Number: n})
				return err
			}
		}
		l.refused(fault.FieldInvalid, number("11010519491231002X"))
		l.does(number("ZY-2026-77"))
		for _, c := range []struct {
			by    access.Caller
			query string
			found int
		}{
			{hospital, l.id, 1},
			{shanghai, "ZY-2026-77", 1},
			{hospital, " ZY-2026-77 ", 1},
			{desk, patient, 1},
			{other, "ZY-2026-77", 0},
			{nanjing, l.id, 0},
			{desk, "ZY-2026", 0},
			{desk, "%", 0},
		} {
			got, err := l.server.SearchReferrals(l.as(c.by), &referralv1.SearchReferralsRequest{Query: c.query})
			if err != nil || len(got.GetReferrals()) != c.found {
				t.Errorf("%s looks for %q: %d, %v", c.by.Organisation, c.query, len(got.GetReferrals()), err)
			}
		}
	})
}
