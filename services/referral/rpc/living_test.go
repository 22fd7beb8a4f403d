package rpc_test

import (
	"fmt"
	"sync"
	"testing"

	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// opens asks for a case under a request id.
func (l *line) opens(by access.Caller, requestID, patientID string, organ organv1.Organ) (string, error) {
	got, err := l.server.CreateReferral(l.as(by), &referralv1.CreateReferralRequest{
		RequestId: requestID, PatientId: patientID, Organ: organ, Urgency: organv1.Urgency_URGENCY_ROUTINE,
	})
	return got.GetReferral().GetReferralId(), err
}

// Nobody opens a case for a patient whose death is recorded, under whichever record, and who may not see that case is not told
// which it is; what was opened before is answered as it was. Taken back, the same request opens it.
func TestNoCaseForAPatientWhoDied(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		first := l.key()
		id, err := l.opens(hospital, first, patient, organv1.Organ_ORGAN_LIVER)
		l.must(err)
		l.id = id
		l.does(l.died)
		sqldbtest.Idle(t, l.db)
		again := l.key()
		none := func(by access.Caller, patientID, named string) {
			t.Helper()
			meta := l.refused(fault.DeathRecorded, func(string) error {
				_, err := l.opens(by, again, patientID, organv1.Organ_ORGAN_KIDNEY)
				if f, ok := fault.As(err); !ok || f.Code != fault.FailedPrecondition || f.Field != "patient_id" {
					t.Errorf("%v", err)
				}
				return err
			})
			if meta["referral_id"] != named {
				t.Errorf("%s is told %v, want %q", by.Organisation, meta, named)
			}
		}
		none(hospital, patient, id)
		if same, err := l.opens(hospital, first, patient, organv1.Organ_ORGAN_LIVER); err != nil || same != id {
			t.Errorf("the first request again: %s, %v", same, err)
		}
		l.played.set(func() { l.played.merged, l.played.registrar = []string{patient}, other.Organisation })
		none(other, formerRecord, "")
		l.played.set(func() { l.played.merged, l.played.registrar = nil, "" })
		l.does(l.correctDeath("the ward confused two patients"))
		opened, err := l.opens(hospital, again, patient, organv1.Organ_ORGAN_KIDNEY)
		l.must(err)
		if same, err := l.opens(hospital, again, patient, organv1.Organ_ORGAN_KIDNEY); err != nil || same != opened {
			t.Errorf("%s, %v", same, err)
		}
	})
}

// A death that came with a merge is no longer the patient's once the records are separated: a case may be opened before what was
// closed is taken back, which then stays closed while the new one goes on.
func TestACaseAfterAMergeByMistake(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		dead := l.dies()
		l.open()
		closed := l.id
		l.regrouped("MERGED", patient, formerRecord)
		if c := l.until(referralv1.State_STATE_CLOSED); c.GetDeathReferralId() != dead {
			t.Errorf("it was closed with the death on %q, not %s", c.GetDeathReferralId(), dead)
		}
		sqldbtest.Idle(t, l.db)
		_, err := l.opens(hospital, l.key(), patient, organv1.Organ_ORGAN_LIVER)
		if !fault.Is(err, fault.DeathRecorded) {
			t.Errorf("%v", err)
		}
		l.played.set(func() { l.played.merged = nil })
		opened := l.create(patient, organv1.Organ_ORGAN_LIVER)
		l.regrouped("SEPARATED")
		sqldbtest.Idle(t, l.db)
		if meta := l.refused(fault.LiveCaseExists, l.correctDeath("seen")); meta["referral_id"] != opened {
			t.Errorf("%v", meta)
		}
		l.id = opened
		l.must(l.close(hospital, l.etag(), referralv1.CloseReason_CLOSE_REASON_ERROR))
		l.id = closed
		l.does(l.correctDeath("seen"))
		if c := l.until(referralv1.State_STATE_DRAFT); c.GetDeathReferralId() != "" {
			t.Errorf("%v", c)
		}
	})
}

// A case opened in the moment in which the death is recorded does not outlive it: either it is refused, or it is closed with it.
func TestACaseOpenedAsThePatientDies(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		for n := range 8 {
			who := fmt.Sprintf("pat_%026d", 900+n)
			l.id = l.create(who, organv1.Organ_ORGAN_LIVER)
			etag, dies, opens := l.etag(), l.key(), l.key()
			var both sync.WaitGroup
			var opened string
			both.Go(func() {
				_, err := l.server.CloseReferral(l.as(hospital), &referralv1.CloseReferralRequest{
					RequestId: dies, ReferralId: l.id, Etag: etag, Reason: referralv1.CloseReason_CLOSE_REASON_DIED,
				})
				if err != nil {
					t.Error(err)
				}
			})
			both.Go(func() {
				var err error
				if opened, err = l.opens(hospital, opens, who, organv1.Organ_ORGAN_KIDNEY); err != nil && !fault.Is(err, fault.DeathRecorded) {
					t.Error(err)
				}
			})
			both.Wait()
			if opened == "" {
				continue
			}
			l.id = opened
			if c := l.until(referralv1.State_STATE_CLOSED); c.GetCloseReason() != referralv1.CloseReason_CLOSE_REASON_DIED {
				t.Errorf("%v", c)
			}
		}
	})
}
