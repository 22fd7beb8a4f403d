package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	services "huhang.example/services/internal/fleet"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/rpcserver"
	referral "huhang.example/services/referral/app"
)

var worklists = figure{
	name: "worklists", title: "worklists among many open cases on PostgreSQL, over gRPC with mutual TLS",
	how: `One case is opened; the others are made of it by set, in every state a live case can be in: a tenth of them of one hospital and one center, the others of 500 hospitals and 188 centers.
CountWorklists (every list and what of it is overdue), ListWorklist (each of the lists in turn, the first 50), the last changes of the organisation, and a case by its number; one caller in a closed loop.
What is counted and the order are compared with what is stored. Service and client are this process. -cases is how many are made`,
	take: takeWorklists,
}

func (standIn) GetPatient(_ context.Context, r *patientv1.GetPatientRequest) (*patientv1.GetPatientResponse, error) {
	return &patientv1.GetPatientResponse{Patient: &patientv1.Patient{PatientId: r.GetPatientId(), RegisteredBy: hospital}}, nil
}

// big are the organisations that a tenth of the cases belong to.
const bigCenter = "C-SH-01"

func takeWorklists(ctx context.Context, b *bed) ([]table, error) {
	dsn, err := b.database(ctx)
	if err != nil {
		return nil, err
	}
	coordinator := access.Caller{Subject: "staff-1", Organisation: hospital, Roles: []access.Role{access.Coordinator}}
	var made string
	err = b.referralAlone(ctx, dsn, func(c referralv1.ReferralServiceClient) error {
		got, err := c.CreateReferral(access.With(ctx, coordinator), &referralv1.CreateReferralRequest{
			RequestId: "bench-worklists-1", PatientId: "pat_00000000000000000000000000", Organ: organv1.Organ_ORGAN_LIVER, Urgency: organv1.Urgency_URGENCY_ROUTINE,
		})
		made = got.GetReferral().GetReferralId()
		return err
	})
	if err != nil {
		return nil, err
	}
	begun := clock.System().Now()
	if err := loadCases(ctx, dsn, made, b.cases); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	loaded := clock.System().Now().Sub(begun)
	size, err := sizeOf(ctx, "postgres", dsn, "")
	if err != nil {
		return nil, err
	}
	t := table{head: []string{"caller", "call", "median", "99 %", "longest", "calls"}}
	err = b.referralAlone(ctx, dsn, func(c referralv1.ReferralServiceClient) error {
		for _, who := range []struct {
			name   string
			caller access.Caller
		}{
			{"operations, all cases", access.Caller{Subject: "desk-1", Organisation: "OPS", Roles: []access.Role{access.Operations}}},
			{"a hospital with a tenth of them", coordinator},
			{"a center with a tenth of them", access.Caller{Subject: "staff-2", Organisation: bigCenter, Roles: []access.Role{access.Center}}},
			{"another hospital", access.Caller{Subject: "staff-3", Organisation: "H-B-007", Roles: []access.Role{access.Coordinator}}},
		} {
			if err := b.readLists(access.With(ctx, who.caller), c, who.name, made, &t); err != nil {
				return fmt.Errorf("%s: %w", who.name, err)
			}
		}
		return checkLists(ctx, c, dsn)
	})
	about := table{head: []string{"open cases", "database", "loaded in"}}
	about.add(fmt.Sprint(b.cases), fmt.Sprintf("%.2f GB", float64(size)/1e9), fmt.Sprintf("%.0f s", loaded.Seconds()))
	return []table{about, t}, err
}

func (b *bed) readLists(ctx context.Context, c referralv1.ReferralServiceClient, who, made string, t *table) error {
	kinds := len(referralv1.WorklistKind_name) - 1
	next := 0
	since := clock.System().Now().Add(-time.Hour)
	for _, call := range []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"CountWorklists", func(ctx context.Context) error {
			got, err := c.CountWorklists(ctx, &referralv1.CountWorklistsRequest{})
			if err == nil && len(got.GetCounts()) != kinds {
				err = fmt.Errorf("%d lists were counted", len(got.GetCounts()))
			}
			return err
		}},
		{"ListWorklist, each in turn", func(ctx context.Context) error {
			next = next%kinds + 1
			got, err := c.ListWorklist(ctx, &referralv1.ListWorklistRequest{Kind: referralv1.WorklistKind(next)})
			if err != nil {
				return err
			}
			for i, r := range got.GetReferrals() {
				if i > 0 && r.GetDeadline() != nil && r.GetDeadline().AsTime().Before(got.GetReferrals()[i-1].GetDeadline().AsTime()) {
					return errors.New("what expires first does not stand first")
				}
			}
			return nil
		}},
		{"ListReferrals, changed in the last hour", func(ctx context.Context) error {
			_, err := c.ListReferrals(ctx, &referralv1.ListReferralsRequest{ChangedSince: timestamppb.New(since)})
			return err
		}},
		{"SearchReferrals, by number", func(ctx context.Context) error {
			_, err := c.SearchReferrals(ctx, &referralv1.SearchReferralsRequest{Query: made})
			return err
		}},
	} {
		one := load{callers: 1, during: b.round, most: b.most}
		warm := one
		warm.during = b.round / 4
		if _, err := warm.run(ctx, func(ctx context.Context, _ int) error { return call.do(ctx) }); err != nil {
			return err
		}
		got, err := one.run(ctx, func(ctx context.Context, _ int) error { return call.do(ctx) })
		if err != nil {
			return err
		}
		t.add(who, call.name, milliseconds(quantile(got.waits, 0.5)), milliseconds(quantile(got.waits, 0.99)), milliseconds(quantile(got.waits, 1)), fmt.Sprint(got.calls))
	}
	return nil
}

// checkLists compares what operations count with what is stored.
func checkLists(ctx context.Context, c referralv1.ReferralServiceClient, dsn string) error {
	got, err := c.CountWorklists(access.With(ctx, access.Caller{Subject: "desk-1", Organisation: "OPS", Roles: []access.Role{access.Operations}}), &referralv1.CountWorklistsRequest{})
	if err != nil {
		return err
	}
	for kind, state := range map[referralv1.WorklistKind]string{
		referralv1.WorklistKind_WORKLIST_KIND_FOR_REVIEW: "SCREENING", referralv1.WorklistKind_WORKLIST_KIND_BACK_REFERRALS: "BACK_REFERRED", referralv1.WorklistKind_WORKLIST_KIND_EXHAUSTED: "EXHAUSTED",
	} {
		var stored int64
		err := sql(ctx, dsn, func(conn *pgx.Conn) error {
			return conn.QueryRow(ctx, "SELECT count(*) FROM referral WHERE state = $1 AND NOT busy", state).Scan(&stored)
		})
		if err != nil {
			return err
		}
		for _, counted := range got.GetCounts() {
			if counted.GetKind() == kind && (int64(counted.GetCount()) != min(stored, 1000) || counted.GetMore() != (stored > 1000)) {
				return fmt.Errorf("%s counts %d, more %t, of %d", kind, counted.GetCount(), counted.GetMore(), stored)
			}
		}
	}
	return nil
}

// loadCases makes cases of one: a tenth of the big hospital's and center's, in all live states, due within ten days before and
// thirty days after now.
func loadCases(ctx context.Context, dsn, from string, n int64) error {
	return sql(ctx, dsn, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "SET synchronous_commit = off"); err != nil {
			return err
		}
		const batch = 50_000
		for begin := int64(1); begin <= n; begin += batch {
			_, err := conn.Exec(ctx, `INSERT INTO referral (id, version, locks, patient_id, organ, state, live, busy, referrer, asked_center, center, local_hospital, deadline, updated, doc, claim_stage, attention)
				SELECT id, 1, 0, patient, 'LIVER', state, TRUE, FALSE, referrer, '', center, local, due, due - 864000000000,
					(doc::jsonb || jsonb_build_object('ID', id, 'PatientID', patient, 'State', state, 'Referrer', referrer, 'CenterID', center, 'LocalHospital', local,
						'Asking', asks, 'OfferID', CASE WHEN asks = '' THEN '' ELSE 'off_' || substr(id, 5) END, 'Version', 1, 'Deadline', to_char(to_timestamp(due / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))::text,
					CASE WHEN i % 50 = 0 THEN 'CLAIM_MANUAL' ELSE '' END, i % 1000 = 0
				FROM (SELECT i, 'ref_' || lpad(i::text, 26, '0') AS id, 'pat_' || lpad(i::text, 26, '0') AS patient,
					(ARRAY['DRAFT','SCREENING','RETURNED_FOR_INFORMATION','CONSULTATION','MATCHED','OFFERED','ACCEPTED','BOOKED','TRANSFER_PLANNED','IN_TRANSIT','ARRIVED','EVALUATING','LISTED','SUSPENDED','SURGERY','REHABILITATION','BACK_REFERRED','FOLLOW_UP','FOLLOW_UP','EXHAUSTED'])[1 + i / 10 % 20] AS state,
					CASE WHEN i % 10 = 0 THEN $2 ELSE 'H-B-' || lpad((i % 500)::text, 3, '0') END AS referrer,
					CASE WHEN i / 10 % 20 NOT BETWEEN 6 AND 18 THEN '' WHEN i % 10 = 1 THEN $3 ELSE 'C-B-' || lpad((i % 188)::text, 3, '0') END AS center,
					CASE WHEN i / 10 % 20 = 5 THEN CASE WHEN i % 10 = 1 THEN $3 ELSE 'C-B-' || lpad((i % 188)::text, 3, '0') END ELSE '' END AS asks,
					CASE WHEN i / 10 % 20 BETWEEN 16 AND 18 THEN CASE WHEN i % 10 = 0 THEN $2 ELSE 'H-B-' || lpad((i % 500)::text, 3, '0') END ELSE '' END AS local,
					(extract(epoch FROM now()) * 1e6)::bigint + (i * 7919 % 3456000 - 864000) * 1000000 AS due
					FROM generate_series($4::bigint, $5::bigint) i) made, (SELECT doc FROM referral WHERE id = $1) template`,
				from, hospital, bigCenter, begin, min(begin+batch-1, n))
			if err != nil {
				return err
			}
		}
		for _, statement := range []string{
			"INSERT INTO asked (center, referral_id) SELECT doc::jsonb ->> 'Asking', id FROM referral WHERE state = 'OFFERED'",
			"INSERT INTO referral_panel (organisation, referral_id) SELECT 'C-B-' || lpad((row_number() OVER () % 188)::text, 3, '0'), id FROM referral WHERE state = 'CONSULTATION'",
			"ANALYZE referral", "ANALYZE asked", "ANALYZE referral_panel",
		} {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// referralAlone runs the referral service in this process while do uses it, beside a stand-in for the patient service.
func (b *bed) referralAlone(ctx context.Context, dsn string, do func(referralv1.ReferralServiceClient) error) error {
	authority, err := mtls.DevAuthority(filepath.Join(b.dir, "authority"))
	if err != nil {
		return err
	}
	registry := discovery.NewStatic(nil)
	log := slog.New(slog.DiscardHandler)
	identities := map[string]mtls.Identity{}
	for _, name := range []string{"patient", "referral", "gateway"} {
		if identities[name], err = authority.Service(name); err != nil {
			return err
		}
	}
	peer := rpcserver.New(rpcserver.Config{Service: "patient", Instance: "patient-1", Listen: "127.0.0.1:0"}, rpcserver.Deps{Identity: identities["patient"], Registry: registry, Log: log})
	patientv1.RegisterPatientServiceServer(peer.GRPC(), standIn{})
	asked := rpcclient.New(rpcclient.Config{Identity: identities["referral"], Registry: registry})
	defer asked.Close()
	a, err := referral.New(ctx, referral.Config{Instance: "referral-1", Listen: "127.0.0.1:0", Database: dsn}, services.Deps{
		Clock: clock.System(), IDs: id.Random(), Registry: registry, Identity: identities["referral"], Peers: asked, Log: log,
	})
	if err != nil {
		return err
	}
	running, err := services.Start(ctx, peer, a)
	if err != nil {
		return err
	}
	pool := rpcclient.New(rpcclient.Config{Identity: identities["gateway"], Registry: registry})
	connection, err := pool.Conn("referral", "000000")
	if err == nil {
		err = do(referralv1.NewReferralServiceClient(connection))
	}
	pool.Close()
	return errors.Join(err, running.Stop(services.StopLimit))
}
