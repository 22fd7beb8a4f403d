package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	moneyv1 "huhang.example/gen/huhang/money/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	services "huhang.example/services/internal/fleet"
	"huhang.example/services/internal/id"
	matching "huhang.example/services/matching/app"
	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/directory/directorytest"
)

// openMatching opens the matching service.
func openMatching(ctx context.Context, a instanceArguments, d services.Deps) (services.Service, error) {
	return matching.New(ctx, matching.Config{Instance: "matching-1", Listen: a.Listen, Database: a.DSN, Keys: filepath.Join(a.Dir, "matching-keys")}, d)
}

// What matching asks is answered at once: one patient, a way to every city, beds and a bill everywhere.

// liverPatient is a record that every filter of a liver program looks at.
func liverPatient() *patientv1.ClinicalRecord {
	no, yes := proto.Bool(false), proto.Bool(true)
	return &patientv1.ClinicalRecord{Version: 1, Clinical: &patientv1.Clinical{
		Organ: organv1.Organ_ORGAN_LIVER, HeightCm: proto.Float64(170), WeightKg: proto.Float64(69), ActiveInfection: no, HbvPositive: yes, HcvPositive: no, HivPositive: no,
		Serology: &patientv1.Serology{Tuberculosis: patientv1.TestOutcome_TEST_OUTCOME_NEGATIVE},
		Liver:    &patientv1.LiverData{Hcc: yes, HccNodulesCm: []float64{3.4, 2.1}, VascularInvasion: no, ExtrahepaticSpread: no},
	}}
}

func (standIn) EstimateTravel(_ context.Context, r *transferv1.EstimateTravelRequest) (*transferv1.EstimateTravelResponse, error) {
	res := &transferv1.EstimateTravelResponse{}
	for i, city := range r.GetDestinationCities() {
		res.Estimates = append(res.Estimates, &transferv1.TravelEstimate{City: city, Minutes: proto.Int32(int32(120 + i*5%1500))})
	}
	return res, nil
}

func (standIn) CountFree(_ context.Context, r *transferv1.CountFreeRequest) (*transferv1.CountFreeResponse, error) {
	res := &transferv1.CountFreeResponse{}
	for i := range r.GetOrganisations() {
		res.Free = append(res.Free, int32(i%6))
	}
	return res, nil
}

func (standIn) EstimateBill(_ context.Context, r *settlementv1.EstimateBillRequest) (*settlementv1.EstimateBillResponse, error) {
	res := &settlementv1.EstimateBillResponse{}
	for i, province := range r.GetTreatmentProvinces() {
		res.Estimates = append(res.Estimates, &settlementv1.Estimate{Province: province, DirectSettlement: true, Split: &settlementv1.Split{Shares: []*settlementv1.Share{
			{Payer: settlementv1.Payer_PAYER_CASH, Amount: &moneyv1.Money{Fen: int64(10_000_000 + i*50_000)}},
		}}})
	}
	return res, nil
}

// matching starts one with a directory of n centers, and returns how to rank a case in it.
func (b *bed) matching(ctx context.Context, n int) (rank func(ctx context.Context) (*matchingv1.MatchRun, error), err error) {
	dsn, err := b.database(ctx)
	if err != nil {
		return nil, err
	}
	c, connection, err := b.instance("matching", discovery.AllProvinces, "referral", dsn)
	if err != nil {
		return nil, err
	}
	b.later(c.stop)
	if err := fillDirectory(ctx, c, matchingv1.NewDirectoryServiceClient(connection), n); err != nil {
		return nil, c.why(err)
	}
	client, ids := matchingv1.NewMatchingServiceClient(connection), id.Random()
	return func(ctx context.Context) (*matchingv1.MatchRun, error) {
		got, err := client.RunMatch(access.With(ctx, access.Caller{Service: "referral", Roles: []access.Role{access.Service}}), &matchingv1.RunMatchRequest{
			RequestId: ids.New("rank"), ReferralId: ids.New("ref"), PatientId: "pat_00000000000000000000000001", Organ: organv1.Organ_ORGAN_LIVER,
			ReferringOrganisation: hospital, PreferredCenters: []string{"C-X007-01"}, RefusedCenters: []string{"C-X003-01"},
		})
		return got.GetMatchRun(), err
	}, nil
}

// fillDirectory puts the centers in as operations do; the service may still be starting.
func fillDirectory(ctx context.Context, c *child, client matchingv1.DirectoryServiceClient, n int) error {
	system := clock.System()
	table, err := newTable(directorytest.Many(n, system.Now().Add(-time.Hour)))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	ctx = access.With(ctx, access.Caller{Subject: "ops-1", Organisation: "OPS", Roles: []access.Role{access.Operations}})
	for {
		got, err := client.ImportCenters(ctx, &matchingv1.ImportCentersRequest{
			RequestId: "bench-directory-" + fmt.Sprint(n), Format: matchingv1.TableFormat_TABLE_FORMAT_CSV, Content: table,
		})
		switch {
		case err == nil && !got.GetApplied():
			return fmt.Errorf("the directory was refused: %v", got.GetRejected())
		case err == nil:
			return nil
		}
		select {
		case <-c.ended:
			return err
		default:
		}
		if system.Sleep(ctx, readyLook) != nil {
			return err
		}
	}
}

// newTable is a table of centers that are not there yet: without their versions.
func newTable(centers []*directory.Center) (string, error) {
	text, _, err := directory.WriteCSV(centers)
	if err != nil {
		return "", err
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return "", err
	}
	etag := slices.Index(rows[0], "etag")
	for _, row := range rows[1:] {
		row[etag] = ""
	}
	var out strings.Builder
	w := csv.NewWriter(&out)
	err = w.WriteAll(rows)
	return out.String(), err
}
