package rpc_test

import (
	"context"
	"encoding/json"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral"
)

// event lets another service tell something: of what the case waits for, or of something long past. It is never refused.
func (m *model) event(t *rapid.T) {
	r := m.now(t)
	req := &referralv1.RecordCaseEventRequest{RequestId: m.key(), ReferralId: m.id, OccurTime: timestamppb.New(m.clock.Now())}
	switch rapid.SampledFrom([]string{"offer", "offer", "hold", "transfer", "transfer", "claim", "patient"}).Draw(t, "of") {
	case "offer":
		offer := r.OfferID
		if open := m.openOffer(); rapid.IntRange(0, 3).Draw(t, "old") == 0 && open != "" {
			offer = open
		}
		center := m.world.centers[offer]
		if center == "" {
			return
		}
		kind := rapid.SampledFrom([]string{"ACCEPTED", "ACCEPTED", "DECLINED", "EXPIRED", "WITHDRAWN", "REMINDED"}).Draw(t, "kind")
		e := &referralv1.OfferEvent{OfferId: offer, CenterId: center, CenterCity: "310100", Kind: kind, OpenConditions: 1}
		switch kind {
		case "ACCEPTED":
			if m.world.decided(offer) {
				return // matching decides once
			}
			e.HoldId, e.AdmissionTime = m.world.hold(), timestamppb.New(m.clock.Now().Add(48*time.Hour))
			m.world.decide(offer, "ACCEPTED")
		case "DECLINED", "EXPIRED", "WITHDRAWN":
			if m.world.decided(offer) {
				return
			}
			m.world.decide(offer, kind)
		}
		req.Event = &referralv1.RecordCaseEventRequest_Offer{Offer: e}
	case "hold":
		if r.HoldID == "" || rapid.IntRange(0, 3).Draw(t, "rare") > 0 {
			return
		}
		m.world.mu.Lock()
		m.world.holds[r.HoldID] = "RELEASED"
		m.world.mu.Unlock()
		req.Event = &referralv1.RecordCaseEventRequest_Hold{Hold: &referralv1.HoldEvent{HoldId: r.HoldID, Kind: rapid.SampledFrom([]string{"EXPIRED", "RELEASED"}).Draw(t, "kind")}}
	case "transfer":
		req.Event = &referralv1.RecordCaseEventRequest_Transfer{Transfer: &referralv1.TransferEvent{
			TransferId: rapid.SampledFrom([]string{move1, move2}).Draw(t, "transfer"), Kind: rapid.SampledFrom([]string{"PLANNED", "DEPARTED", "ARRIVED", "ARRIVED", "ABORTED", "DELAYED"}).Draw(t, "kind"),
			ReasonCode: rapid.SampledFrom([]string{"", "UNFIT", "DIVERTED"}).Draw(t, "reason"), DepartTime: timestamppb.New(m.clock.Now().Add(time.Hour)), ArriveTime: timestamppb.New(m.clock.Now().Add(5 * time.Hour)),
		}}
	case "claim":
		req.Event = &referralv1.RecordCaseEventRequest_Claim{Claim: &referralv1.ClaimEvent{
			ClaimId: "clm_310000_00000000000000000000000001", Kind: rapid.SampledFrom([]string{"OPENED", "DISCHARGED", "SETTLED", "REVERSED", "MANUAL", "UNANSWERED", "REOPENED", "CANCELLED", "MANUAL_ACCEPTED"}).Draw(t, "kind"),
		}}
	case "patient":
		req.Event = &referralv1.RecordCaseEventRequest_Patient{Patient: &referralv1.PatientEvent{Kind: rapid.SampledFrom([]string{"CLINICAL", "MERGED", "SEPARATED"}).Draw(t, "kind"), Version: int64(rapid.IntRange(2, 9).Draw(t, "version"))}}
	}
	got, err := m.server.RecordCaseEvent(m.as(peer), req)
	if err != nil {
		t.Fatalf("%v: %v", req, err)
	}
	after := m.now(t)
	if got.GetState().String() != "STATE_"+string(after.State) || !leads("", r.State, after.State) {
		t.Fatalf("%v led from %s to %s, and said %s", req.GetEvent(), r.State, after.State, got.GetState())
	}
	if again, err := m.server.RecordCaseEvent(m.as(peer), req); err != nil || again.GetState() != got.GetState() {
		t.Fatalf("the same again: %v, %v", again, err)
	}
	if twice := m.now(t); twice.Version != after.Version {
		t.Fatal("the same event counted twice")
	}
}

func (w *world) decided(offer string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.offers[offer] != "OPEN"
}

func (m *model) openOffer() string {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	for offer, status := range m.world.offers {
		if status == "OPEN" {
			return offer
		}
	}
	return ""
}

// jobs runs what is due in any order, some of it twice; what fails comes again.
func (m *model) jobs(t *rapid.T) (ran int) {
	handlers := map[string]func(context.Context, referral.Job) error{
		"referral_match": m.service.RunMatch, "referral_ask": m.service.Ask, "referral_file": m.service.File, "referral_grant": m.service.Grant, "referral_revoke": m.service.Revoke,
		"referral_deadline": m.service.Deadline, "referral_remind": m.service.Remind, "referral_withdraw": m.service.Withdraw, "referral_release": m.service.Release,
		"referral_abort": m.service.Abort, "referral_died": m.service.Died, "referral_alive": m.service.Alive, "referral_person": m.service.Person,
	}
	due := m.due(t)
	m.random.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
	ctx := m.as(access.Caller{Service: "referral", Roles: []access.Role{access.Service}})
	for _, d := range due {
		handle, known := handlers[d.kind]
		if !known {
			t.Fatalf("nobody does %s", d.kind)
		}
		err := handle(ctx, d.job)
		if err == nil && m.random.IntN(5) == 0 {
			err = handle(ctx, d.job) // its process died after the commit
		}
		if err != nil {
			if m.failed[d.id]++; m.failed[d.id] == 5 {
				if err := m.service.JobFailed(ctx, d.job, err, false); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		if m.failed[d.id] >= 5 {
			if err := m.service.JobDone(ctx, d.job); err != nil {
				t.Fatal(err)
			}
		}
		ran++
		if err := m.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM river_job WHERE id = $1", d.id)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return ran
}

type dueJob struct {
	id   int64
	kind string
	job  referral.Job
}

func (m *model) due(t *rapid.T) (due []dueJob) {
	args, at := "args", any(m.clock.Now())
	if m.db.Engine() == sqldb.SQLite {
		args, at = "json(args)", m.clock.Now().Format("2006-01-02 15:04:05.000")
	}
	err := m.db.Read(m.as(desk), func(ctx context.Context, q sqldb.Querier) error {
		due = nil
		sql := "SELECT id, kind, " + args + " FROM river_job WHERE scheduled_at <= $1 ORDER BY id"
		if m.db.Engine() == sqldb.SQLite {
			sql = "SELECT id, kind, " + args + " FROM river_job WHERE julianday(scheduled_at) <= julianday($1) ORDER BY id"
		}
		rows, err := q.Query(ctx, sql, at)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d dueJob
			var text []byte
			if err := rows.Scan(&d.id, &d.kind, &text); err != nil {
				return err
			}
			if err := json.Unmarshal(text, &d.job); err != nil {
				return err
			}
			if d.job.ReferralID == m.id {
				due = append(due, d)
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return due
}
