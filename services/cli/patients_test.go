package cli_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/fault"
)

const (
	keptRecord = "pat_01kb0000000000000000000001"
	deadRecord = "pat_01kb0000000000000000000002"
)

// A merge that carries a death is refused in words: whose, how many cases it ends and how to say that it is meant. Both records'
// versions are the present ones.
func TestAMergeThatCarriesADeath(t *testing.T) {
	done := &patientv1.Merge{MergeId: "mrg_01kb0000000000000000000001", SurvivorId: keptRecord, MergedId: deadRecord, MergedBy: "H-HF-01", MergeTime: timestamppb.New(noon), CarriesDeathOf: deadRecord}
	l := &answers{say: map[string]proto.Message{
		"GET /v1/patients/" + keptRecord:             &patientv1.GetPatientResponse{Patient: &patientv1.Patient{Etag: "3"}},
		"GET /v1/patients/" + deadRecord:             &patientv1.GetPatientResponse{Patient: &patientv1.Patient{Etag: "8"}},
		"GET /v1/patients/" + keptRecord + "/merges": &patientv1.ListMergesResponse{Merges: []*patientv1.Merge{done}},
	}}
	p := l.serve(t)
	l.on("POST /v1/patients/"+keptRecord+":merge", func(w http.ResponseWriter, r *http.Request) {
		var sent patientv1.MergePatientsRequest
		text, _ := io.ReadAll(r.Body)
		if err := protojson.Unmarshal(text, &sent); err != nil || sent.GetEtag() != "3" || sent.GetMergedEtag() != "8" {
			t.Errorf("sent %s, %v", text, err)
		}
		var answer proto.Message = &patientv1.MergePatientsResponse{Merge: done}
		if sent.GetCarriesDeathOf() != deadRecord {
			w.WriteHeader(http.StatusBadRequest)
			answer = fault.Status(fault.New(fault.FailedPrecondition, fault.DeathUnconfirmed, "carries_death_of", "A death is recorded.", "已登记死亡。").
				With("carries_death_of", deadRecord).With("live_cases", "2")).Proto()
		}
		text, err := protojson.Marshal(answer)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(text)
	})
	merge := []string{"patient", "merge", keptRecord, "--merged-id", deadRecord, "--reason", "重复登记"}
	for language, words := range map[string]string{"en": "send carries_death_of", "zh": "在 carries_death_of 中填写"} {
		if exit := p.run(t.Context(), append(merge, "--lang", language)...); exit != 1 {
			t.Errorf("exit %d", exit)
		}
		for _, want := range []string{"DEATH_UNCONFIRMED", "carries_death_of: " + deadRecord, "live_cases: 2", words} {
			if !strings.Contains(p.err.String(), want) {
				t.Errorf("%q is not said:\n%s", want, p.err)
			}
		}
	}
	for _, args := range [][]string{append(merge, "--carries-death-of", deadRecord), {"patient", "merges", keptRecord}} {
		if exit := p.run(t.Context(), args...); exit != 0 || !strings.Contains(p.out.String(), done.GetMergeId()) || strings.Count(p.out.String(), deadRecord) != 2 {
			t.Errorf("%v: exit %d\n%s%s", args, exit, p.out, p.err)
		}
	}
	_ = p.run(t.Context(), "patient", "merge", "--help")
	if !strings.Contains(p.out.String(), "the other's live cases are closed and their beds given back") {
		t.Errorf("the help does not say what a merge may do:\n%s", p.out)
	}
}
