package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/cli"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/sampleline"
)

// somebody sits at a terminal of their own.
type somebody struct {
	t    *testing.T
	home string
	env  map[string]string
}

func (l *devLine) person(t *testing.T, sample string) *somebody {
	t.Helper()
	p := &somebody{t: t, home: t.TempDir(), env: map[string]string{"HUHANG_SERVER": l.client().Base, "LANG": "en_US.UTF-8"}}
	if sample != "" {
		p.ok("login", "--dev", "--as", sample)
	}
	return p
}

// run runs one command as the binary does.
func (p *somebody) run(args ...string) (stdout, stderr string, exit int) {
	p.t.Helper()
	var out, failed bytes.Buffer
	root := &cobra.Command{Use: "huhang", SilenceUsage: true, SilenceErrors: true}
	failures := cli.Add(root, cli.Env{
		Out: &out, Err: &failed, In: strings.NewReader(""), Getenv: func(name string) string { return p.env[name] }, Clock: clock.System(), IDs: id.Random(),
		HTTP: &http.Client{}, Home: p.home,
	}, args)
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&failed)
	exit = failures.Tell(root.ExecuteContext(p.t.Context()))
	return out.String(), failed.String(), exit
}

func (p *somebody) ok(args ...string) string {
	p.t.Helper()
	out, failed, exit := p.run(args...)
	if exit != 0 {
		p.t.Fatalf("huhang %s: exit %d\n%s%s", strings.Join(args, " "), exit, out, failed)
	}
	return out
}

// says runs a command that must exit so, and its words.
func (p *somebody) says(exit int, words string, args ...string) {
	p.t.Helper()
	out, failed, got := p.run(args...)
	if got != exit || !strings.Contains(out+failed, words) {
		p.t.Errorf("huhang %s: exit %d instead of %d, or no %q in\n%s%s", strings.Join(args, " "), got, exit, words, out, failed)
	}
}

func (p *somebody) read(into any, args ...string) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.ok(append(args, "--json")...)), into); err != nil {
		p.t.Fatal(err)
	}
}

type shownCase struct {
	Referral struct {
		State, OfferID, HoldID, FilingID, Etag string
	}
}

func (p *somebody) until(referralID, state string) shownCase {
	p.t.Helper()
	var got shownCase
	sqldbtest.Eventually(p.t, state, func() bool {
		p.read(&got, "case", "show", referralID)
		return got.Referral.State == state
	})
	return got
}

// A case goes from the desk to its hand-over by commands alone; who may not is told so, and scripts see it in the exit code.
func TestPeopleActFromTheCommandLine(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	referralID := l.drive(t, "command-line", 61, "submitted").ReferralID
	hospital, desk, center := l.person(t, "coordinator"), l.person(t, "desk"), l.person(t, "center")

	for _, words := range []string{"for-review", "CASES", "transfers today"} {
		desk.says(0, words, "worklist")
	}
	desk.says(0, referralID, "worklist", "for-review")
	desk.says(0, "待审核", "worklist", "--lang", "zh")
	hospital.says(1, "RIGHT_MISSING", "case", "screen", referralID, "--decision", "pass")
	desk.ok("case", "screen", referralID, "--decision", "pass")
	hospital.until(referralID, "STATE_MATCHED")
	hospital.says(0, "case choose", "case", "show", referralID)
	var before shownCase
	hospital.read(&before, "case", "show", referralID)
	hospital.ok("case", "choose", referralID, "--center-ids", "C-SH-01", "--request-id", "people-choose-00001")
	// The same once more is the same answer, not a second effect.
	hospital.ok("case", "choose", referralID, "--center-ids", "C-SH-01", "--request-id", "people-choose-00001", "--etag", before.Referral.Etag)
	hospital.says(1, "STALE_VERSION", "case", "close", referralID, "--reason", "withdrawn", "--etag", before.Referral.Etag)
	var offered shownCase
	sqldbtest.Eventually(t, "offered", func() bool {
		hospital.read(&offered, "case", "show", referralID)
		return offered.Referral.OfferID != ""
	})
	center.says(0, offered.Referral.OfferID, "offers", "list")
	center.says(1, "CODE_UNKNOWN", "offers", "decline", offered.Referral.OfferID, "--code", "NO_SUCH_CODE")
	admission := clock.System().Now().Add(30 * time.Hour).In(clock.Shanghai).Format("2006-01-02T15:04")
	center.ok("offers", "accept", offered.Referral.OfferID, "--admission-time", admission)
	center.until(referralID, "STATE_ACCEPTED")
	// The filing is the line's own; who books while it is written is told to read again.
	sqldbtest.Eventually(t, "filed", func() bool {
		var filed shownCase
		center.read(&filed, "case", "show", referralID)
		return filed.Referral.FilingID != ""
	})
	center.ok("case", "book", referralID)
	hospital.says(0, "OFFER_ACCEPTED", "case", "timeline", referralID)
	desk.says(0, "failed", "case", "trace", referralID)
	desk.says(0, referralID, "case", "search", referralID)
	hospital.says(0, referralID, "case", "list", "--state", "booked")
	hospital.handsOver(center, referralID)

	speaks(t, l, hospital, referralID)
	follows(t, hospital, referralID)
	completes(t, hospital, referralID, center)
}

// speaks holds exit codes, languages and formats.
func speaks(t *testing.T, l *devLine, hospital *somebody, referralID string) {
	nobody := l.person(t, "")
	nobody.says(4, "run huhang login", "case", "list")
	nobody.says(2, "unknown flag", "case", "list", "--colour")
	nobody.says(2, "unknown command", "case", "eat")
	nobody.says(2, "PASS", "case", "screen", referralID, "--decision", "perhaps")
	away := l.person(t, "coordinator")
	away.env["HUHANG_SERVER"] = "http://127.0.0.1:1"
	away.env["HUHANG_TOKEN"] = "a.b.c"
	away.says(3, "cannot be reached", "case", "list")
	away.env["HUHANG_SERVER"] = "http://line.example"
	away.says(1, "must be https", "case", "list")
	away.env["HUHANG_SERVER"] = l.client().Base
	away.says(4, "IDENTITY_MISSING", "case", "list")
	hospital.says(1, "下一步", "case", "show", "ref_00000000000000000000000000", "--lang=zh")
	_, failed, _ := hospital.run("case", "show", "ref_00000000000000000000000000", "--json")
	var told struct {
		Code    int
		Details []map[string]any
	}
	if err := json.Unmarshal([]byte(failed), &told); err != nil || told.Code != 5 || len(told.Details) == 0 {
		t.Errorf("%v %s", err, failed)
	}
	if out := hospital.ok("case", "show", referralID); strings.Contains(out, "\x1b") {
		t.Error("colours where there is no terminal")
	}
	hospital.says(0, "H-HF-01", "whoami")
	mode, err := os.Stat(filepath.Join(hospital.home, "huhang", "sign-in.json"))
	if err != nil || mode.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", mode.Mode(), err)
	}
}

// follows reads the feed in two runs: the second begins where the first ended.
func follows(t *testing.T, p *somebody, referralID string) {
	file := filepath.Join(t.TempDir(), "cursor")
	first := p.ok("case", "follow", referralID, "--until-now", "--json", "--cursor-file", file)
	kinds := map[string]int{}
	for line := range strings.SplitSeq(strings.TrimSpace(first), "\n") {
		var e struct {
			ReferralID string
			Entry      struct{ Kind string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.ReferralID != referralID {
			t.Fatalf("%v %s", err, line)
		}
		kinds[e.Entry.Kind]++
	}
	if kinds["SUBMITTED"] != 1 || kinds["OFFER_ACCEPTED"] != 1 || kinds["BOOKED"] != 1 {
		t.Errorf("%v", kinds)
	}
	p.ok("case", "close", referralID, "--reason", "withdrawn", "--comment", "示范")
	second := p.ok("case", "follow", referralID, "--until-now", "--json", "--cursor-file", file)
	if strings.Contains(second, `"SUBMITTED"`) || strings.Count(second, `"CLOSED"`) != 1 {
		t.Errorf("the second run tells\n%s", second)
	}
}

// completes asks as a shell does.
func completes(t *testing.T, p *somebody, referralID string, center *somebody) {
	for words, args := range map[string][]string{
		referralID:   {"case", "show", "ref_"},
		"for-review": {"worklist", ""},
		"WITHDRAWN":  {"case", "close", referralID, "--reason", ""},
		"screen\t":   {"case", "sc"},
		"desk":       {"login", "--as", ""},
	} {
		p.says(0, words, append([]string{cobra.ShellCompRequestCmd}, args...)...)
	}
	center.env["HUHANG_SERVER"] = "http://127.0.0.1:1"
	if out := center.ok(cobra.ShellCompRequestCmd, "offers", "accept", ""); strings.Contains(out, "off_") {
		t.Errorf("suggestions from nowhere:\n%s", out)
	}
}

// fhirOf reads a case as FHIR.
func fhirOf(t *testing.T, l *devLine, s *sampleline.Session, referralID string) (int, map[string][]map[string]any, string) {
	t.Helper()
	status, text := l.raw(t, s.Token, http.MethodGet, "/v1/referrals/"+referralID+"/fhir", "", nil)
	var bundle struct {
		Entry []struct{ Resource map[string]any }
	}
	if err := json.Unmarshal([]byte(text), &bundle); err != nil {
		t.Fatal(err)
	}
	of := map[string][]map[string]any{}
	for _, e := range bundle.Entry {
		kind, _ := e.Resource["resourceType"].(string)
		of[kind] = append(of[kind], e.Resource)
	}
	return status, of, text
}

// eachStep calls do after every step of a driven case, which the driver tells with a line.
type eachStep struct {
	io.Writer
	do func(step string)
}

func (w eachStep) Write(p []byte) (int, error) {
	if step := strings.TrimSpace(string(p[:min(2, len(p))])); step != "" {
		w.do(step)
	}
	return w.Writer.Write(p)
}

// The whole sample case is exported at every step for each who may see it; what may not be seen is not in it. An export is checked
// against HL7's schema before it is given out, so that 200 means valid; the files are kept for other validators (-artifacts).
func TestEveryStepIsFhir(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	callers := map[string]*sampleline.Session{
		"referrer": l.as(t, "H-HF-01", "coordinator", ""), "center": l.as(t, "C-SH-01", "center", ""), "desk": l.as(t, "OPS", "operations", ""),
	}
	agencies := bothAgencies(t, l)
	tasks := map[string]string{"2": "received", "3": "received", "4": "requested", "5": "accepted", "6": "accepted", "7": "ready", "8": "ready"}
	number, referralID, exports := sampleline.IdentityNumber("340104", "19790312", 62), "", 0
	d := l.driver(t, "fhir-steps", 62)
	d.Out = eachStep{t.Output(), func(step string) {
		if step == "1" {
			return
		}
		if referralID == "" {
			var list referralv1.ListReferralsResponse
			if err := callers["desk"].Do(t.Context(), http.MethodGet, "/v1/referrals", nil, &list); err != nil || len(list.GetReferrals()) != 1 {
				t.Fatal(err, len(list.GetReferrals()))
			}
			referralID = list.GetReferrals()[0].GetReferralId()
		}
		task, known := tasks[step]
		if !known {
			task = "in-progress"
		}
		agencies.see(t, l, step, referralID)
		for who, s := range callers {
			status, of, text := fhirOf(t, l, s, referralID)
			if who == "center" && len(of["Patient"]) == 0 && (step == "2" || step == "3" || step == "4") {
				continue // not asked yet, or the access that comes with the offer is still on its way
			}
			if status != http.StatusOK || len(of["Task"]) != 1 || of["Task"][0]["status"] != task || len(of["Patient"]) != 1 {
				t.Errorf("step %s for the %s: HTTP %d, %v\n%.300s", step, who, status, of["Task"], text)
			}
			if strings.Contains(text, `"示范患者"`) != (who == "referrer") || strings.Contains(text, number) || strings.Contains(text, "13900000062") {
				t.Errorf("step %s for the %s: the name, the number or the phone is not as the record's rights have it", step, who)
			}
			if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "step-"+step+"-"+who+".json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			exports++
		}
	}}
	if _, err := d.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, of, _ := fhirOf(t, l, callers["referrer"], referralID)
	if exports < 20 || len(of["Claim"]) != 1 || len(of["ClaimResponse"]) != 1 || len(of["Coverage"]) != 1 || len(of["Appointment"]) != 2 {
		t.Errorf("%d exports; the settled case has %d claims, %d responses, %d coverages, %d appointments", exports, len(of["Claim"]),
			len(of["ClaimResponse"]), len(of["Coverage"]), len(of["Appointment"]))
	}
	if status, _, _ := fhirOf(t, l, l.as(t, "H-NC-01", "coordinator", ""), referralID); status != http.StatusNotFound {
		t.Errorf("a stranger: HTTP %d", status)
	}
	agencies.see(t, l, "settled", referralID)
}

// A hospital's Bundle becomes a draft once, and comes out again as it went in.
func TestFhirComesIn(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	hospital := l.person(t, "coordinator")
	number := sampleline.IdentityNumber("340104", "19790312", 63)
	text, err := os.ReadFile(filepath.Join("testdata", "referral.fhir.json"))
	if err != nil {
		t.Fatal(err)
	}
	good := strings.ReplaceAll(string(text), "IDENTITY_NUMBER", number)
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// Whatever is refused leaves nothing behind, the person neither.
	for words, broken := range map[string]string{
		"CODE_UNKNOWN":      strings.Replace(good, `"code": "LIVER"`, `"code": "EYE"`, 1),
		"VALUE_IMPLAUSIBLE": strings.Replace(good, `"value": 97`, `"value": 2`, 1),
		"BODY_MALFORMED":    good[:len(good)/2],
		"DATUM_MISSING":     strings.Replace(good, number, "", 1),
	} {
		if words == "DATUM_MISSING" {
			broken = strings.Replace(good, "urn:oid:2.16.156.10011.1.3", "https://hospital.example/mrn", 1)
		}
		hospital.says(1, words, "case", "fhir", "import", file("broken.json", broken))
	}
	session := l.as(t, "H-HF-01", "coordinator", "")
	status, answer := l.raw(t, session.Token, http.MethodPost, "/v1/patients:check", "application/json", []byte(`{"identityNumber":"`+number+`"}`))
	if status != http.StatusOK || strings.Contains(answer, `"registered":true`) {
		t.Fatalf("a refused import left the person: HTTP %d %s", status, answer)
	}
	path := file("good.json", good)
	var got struct {
		Referral                            struct{ ReferralID, State string }
		PatientRegistered, ClinicalRecorded bool
		NotTaken                            []string
	}
	hospital.read(&got, "case", "fhir", "import", path, "--request-id", "people-fhir-000001")
	if got.Referral.State != "STATE_DRAFT" || !got.PatientRegistered || !got.ClinicalRecorded || len(got.NotTaken) != 1 {
		t.Errorf("%+v", got)
	}
	again := got
	hospital.read(&again, "case", "fhir", "import", path, "--request-id", "people-fhir-000001")
	if again.Referral.ReferralID != got.Referral.ReferralID {
		t.Errorf("a second case %+v", again)
	}
	hospital.says(1, "REQUEST_ID_REUSED", "case", "fhir", "import", file("other.json", strings.Replace(good, "97", "98", 1)), "--request-id", "people-fhir-000001")
	hospital.says(1, "LIVE_CASE_EXISTS", "case", "fhir", "import", path)
	l.person(t, "center").says(1, "RIGHT_MISSING", "case", "fhir", "import", path)
	_, of, out := fhirOf(t, l, session, got.Referral.ReferralID)
	if len(of["Observation"]) != 3 || of["Patient"][0]["birthDate"] != "1979-03-12" || of["ServiceRequest"][0]["priority"] != "urgent" {
		t.Errorf("what went in does not come out:\n%s", out)
	}
	for _, kept := range []string{`"LIVER"`, `"K74.600"`, `"340100"`, `"RESIDENT"`, `"SUBSISTENCE"`, `"C-SH-01"`, `"value": 97`, `"示范来件患者"`, `"2026-`} {
		if !strings.Contains(out, kept) {
			t.Errorf("%s went in and does not come out", kept)
		}
	}
	hospital.says(0, "", "case", "close", got.Referral.ReferralID, "--reason", "died")
	for _, words := range []string{"DEATH_RECORDED", "ofType(Patient).identifier"} {
		hospital.says(1, words, "case", "fhir", "import", path, "--request-id", "people-fhir-000002")
	}
	if logs := l.logs.String(); strings.Contains(logs, number) || strings.Contains(logs, "示范来件患者") || strings.Contains(logs, "K74.600") {
		t.Error("the log holds what names a person or a disease")
	}
}
