package app

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/rpc"
	"huhang.example/services/transfer/store"
	"huhang.example/services/transfer/timetable"
)

// upload is a client's stream.
type upload struct {
	grpc.ServerStream
	ctx    context.Context
	parts  []*transferv1.UploadTimetableRequest
	answer *transferv1.UploadTimetableResponse
}

func (u *upload) Context() context.Context { return u.ctx }

func (u *upload) Recv() (*transferv1.UploadTimetableRequest, error) {
	if len(u.parts) == 0 {
		return nil, io.EOF
	}
	part := u.parts[0]
	u.parts = u.parts[1:]
	return part, nil
}

func (u *upload) SendAndClose(answer *transferv1.UploadTimetableResponse) error {
	u.answer = answer
	return nil
}

func (u *upload) file(request, sum string, archive []byte) {
	for len(archive) > 0 {
		n := min(len(archive), 1000)
		u.parts = append(u.parts, &transferv1.UploadTimetableRequest{RequestId: request, Feed: "rail", Sha256: sum, Piece: archive[:n]})
		archive, sum = archive[n:], ""
	}
}

// feed is the sample as a zip under another version's name, with a text replaced.
func feed(t *testing.T, version, old, text string) []byte {
	t.Helper()
	const folder = "../timetable/sample"
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, entry := range entries {
		content, err := os.ReadFile(folder + "/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		f, err := w.Create(entry.Name())
		if err == nil {
			_, err = io.WriteString(f, strings.ReplaceAll(strings.Replace(string(content), "sample-2026.1", version, 1), old, text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (w *world) upload(request string, archive []byte) (*transferv1.TimetableVersion, error) {
	u := &upload{ctx: w.as("OPS", access.Operations)}
	u.file(request, "", archive)
	err := w.tables.UploadTimetable(u)
	return u.answer.GetVersion(), err
}

func (w *world) listed() *transferv1.ListTimetablesResponse {
	w.t.Helper()
	list, err := w.tables.ListTimetables(w.as("OPS", access.Operations), &transferv1.ListTimetablesRequest{})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func (w *world) activate(request, id, day, etag string) error {
	_, err := w.tables.ActivateTimetable(w.as("OPS", access.Operations), &transferv1.ActivateTimetableRequest{
		RequestId: request, TimetableId: id, EffectiveDay: day, Etag: etag,
	})
	return err
}

// version is that of the timetable by which a plan on the day is made.
func (w *world) version(server *rpc.Server, day time.Time) string {
	w.t.Helper()
	plan, err := server.PlanItinerary(w.as("H-HF-01", access.Coordinator), &transferv1.PlanItineraryRequest{
		OriginCity: "340100", DestinationCity: "310100", NotBefore: timestamppb.New(day),
	})
	if err != nil || len(plan.GetOptions()) == 0 {
		w.t.Fatalf("%d options, %v", len(plan.GetOptions()), err)
	}
	return plan.GetTimetableVersion()
}

func TestATimetableIsInForceFromItsDayAndCanBeRolledBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		archive := feed(t, "sample-2026.2", "no such text", "")
		v, err := w.upload("upload-0000000001", archive)
		if err != nil || v.GetVersion() != "sample-2026.2" || v.GetTrips() == 0 || v.GetImportedBy() == "" || len(v.GetDigest()) != 64 {
			t.Fatalf("%v, %v", v, err)
		}
		if again, err := w.upload("upload-0000000001", archive); err != nil || again.GetTimetableId() != v.GetTimetableId() || len(w.listed().GetVersions()) != 1 {
			t.Fatalf("uploaded again: %v, %v", again, err)
		}
		if _, err := w.upload("upload-0000000001", feed(t, "sample-2026.3", "no such text", "")); !fault.Is(err, fault.RequestIDReused) {
			t.Fatalf("another feed under a used id: %v", err)
		}
		other := transfer.New(store.New(w.db), w.peers, planner.New(timetable.Sample(), planner.CurrentRules()), w.clock, w.ids)
		elsewhere := rpc.New(other, w.db)
		if got := w.version(w.server, begin); got != "sample-2026.1" {
			t.Fatalf("before anything is in force: %s", got)
		}
		if got := w.version(elsewhere, begin); got != "sample-2026.1" {
			t.Fatal(got)
		}
		for name, c := range map[string]struct {
			day, etag string
			want      fault.Reason
		}{
			"yesterday": {"20260301", "1", fault.TimeInvalid}, "no day": {"20260230", "1", fault.TimeInvalid},
			"too far": {"20280101", "1", fault.TimeInvalid}, "stale": {"20260305", "7", fault.StaleVersion},
		} {
			if err := w.activate("activate-"+strings.Repeat("x", 9)+c.day+c.etag, v.GetTimetableId(), c.day, c.etag); !fault.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := w.activate("activate-00000001", v.GetTimetableId(), "20260305", w.listed().GetEtag()); err != nil {
			t.Fatal(err)
		}
		for day, want := range map[int]string{0: "sample-2026.1", 2: "sample-2026.1", 3: "sample-2026.2", 30: "sample-2026.2"} {
			if got := w.version(w.server, begin.AddDate(0, 0, day)); got != want {
				t.Errorf("in %d days: %s, want %s", day, got, want)
			}
		}
		w.clock.Advance(6 * time.Second)
		if got := w.version(elsewhere, begin.AddDate(0, 0, 3)); got != "sample-2026.2" {
			t.Errorf("another instance plans by %s", got)
		}
		list := w.listed()
		if len(list.GetActivations()) != 1 || list.GetActivations()[0].GetEffectiveDay() != "20260305" {
			t.Fatalf("%v", list.GetActivations())
		}
		back := &transferv1.RollBackTimetableRequest{RequestId: "rollback-00000001", Feed: "rail", Etag: list.GetEtag()}
		if _, err := w.tables.RollBackTimetable(w.as("OPS", access.Operations), back); err != nil {
			t.Fatal(err)
		}
		if got := w.version(w.server, begin.AddDate(0, 0, 3)); got != "sample-2026.1" || len(w.listed().GetActivations()) != 0 {
			t.Errorf("after the roll back: %s", got)
		}
		back = &transferv1.RollBackTimetableRequest{RequestId: "rollback-00000002", Feed: "rail", Etag: w.listed().GetEtag()}
		if _, err := w.tables.RollBackTimetable(w.as("OPS", access.Operations), back); !fault.Is(err, fault.ReasonNotFound) {
			t.Errorf("nothing stands to be rolled back: %v", err)
		}
	})
}

func TestABrokenFeedChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.upload("upload-0000000001", feed(t, "sample-2026.2", "Asia/Shanghai", "Europe/Oslo"))
		f, ok := fault.As(err)
		if !ok || f.Reason != fault.TimetableInvalid || !strings.Contains(fmt.Sprint(fault.Status(err).Details()), "agency.txt:2:agency_timezone") {
			t.Fatalf("%v", err)
		}
		if _, err := w.upload("upload-0000000002", []byte("no zip")); !fault.Is(err, fault.TimetableInvalid) {
			t.Fatalf("no zip: %v", err)
		}
		for name, spoil := range map[string]func(u *upload){
			"nothing": func(*upload) {},
			"two in one": func(u *upload) {
				u.file("upload-0000000003", "", []byte("x"))
				u.file("upload-0000000004", "", []byte("y"))
			},
			"other digest": func(u *upload) {
				u.file("upload-0000000005", strings.Repeat("0", 64), feed(t, "sample-2026.2", "no such text", ""))
			},
		} {
			u := &upload{ctx: w.as("OPS", access.Operations)}
			spoil(u)
			if err := w.tables.UploadTimetable(u); !fault.Is(err, fault.FieldInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if list := w.listed(); len(list.GetVersions()) != 0 || list.GetEtag() != "1" {
			t.Fatalf("%v", list)
		}
	})
}
