package app_test

import (
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/workday"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/store"
	"huhang.example/services/settlement/supervision"
)

// watched puts both provinces of a pair under supervision.
func (p *pair) watched() (here, far *supervision.Service) {
	p.t.Helper()
	book, err := policy.Sample()
	if err != nil {
		p.t.Fatal(err)
	}
	provinces := []string{treatment, "110000"}
	key := []byte("a key of thirty-two characters..")
	here = supervision.New(store.New(p.db), p.clock, ids, supervision.Config{Provinces: provinces, Book: supervision.Sample(), Key: key})
	far = supervision.New(p.farStore, p.clock, ids, supervision.Config{Provinces: []string{insured}, Book: supervision.Sample(), Key: key})
	p.here = settlement.New(store.New(p.db), p.wire, p.clock, ids, settlement.Rules{Provinces: provinces, Book: book, Watch: here})
	p.far = settlement.New(p.farStore, p.wire, p.clock, ids, settlement.Rules{Provinces: []string{insured}, Book: book, Watch: far})
	p.wire.insured = p.far
	return here, far
}

// hits lists a province's findings of a rule, the newest first.
func (p *pair) hits(w *supervision.Service, province string, rule supervision.Rule) []*supervision.Hit {
	p.t.Helper()
	all, _, err := w.List(as(p.t, agency(province)), supervision.Query{Province: province, Rule: rule}, "", 50)
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

func (p *pair) complete(c *settlement.Claim) error {
	return p.here.Complete(as(p.t, access.Caller{Service: "settlement", Roles: []access.Role{access.Service}}), c.ID)
}

// elsewhere is a stay of the person at another center on the same days, settled or not.
func (p *pair) elsewhere() {
	p.t.Helper()
	p.wire.mu.Lock()
	was := p.wire.theCase
	p.wire.theCase.CenterID = "C-SH-02"
	p.wire.mu.Unlock()
	ctx, ask := as(p.t, otherCenter), p.ask(treatment, "310100")
	ask.CenterID = "C-SH-02"
	if _, err := p.here.OpenClaim(ctx, ask, p.here.PrepareClaim(ctx, ask)); err != nil {
		p.t.Fatal(err)
	}
	p.wire.mu.Lock()
	p.wire.theCase = was
	p.wire.mu.Unlock()
}

// A stay in two hospitals is held before anything is sent; the claim says by whom; released by that agency alone, and with
// the version it saw, it is settled once.
func TestHeldAtTheTreatmentProvince(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		here, _ := p.watched()
		p.file()
		p.elsewhere()
		c := p.settle(p.discharged())
		reason(t, p.complete(c), fault.SupervisionHeld)
		c = p.claim(c)
		if c.Status != settlement.Settling || c.UnderWay.Reason != fault.SupervisionHeld || c.UnderWay.HeldBy != treatment || p.wire.commits != 0 {
			t.Fatalf("%s, %+v, %d commits", c.Status, c.UnderWay, p.wire.commits)
		}
		found := p.hits(here, treatment, supervision.OverlappingStays)
		if len(found) != 1 || !found[0].Holds || found[0].ClaimID != c.ID || found[0].State != supervision.Open || found[0].RulesVersion == "" {
			t.Fatalf("%+v", found)
		}
		h := found[0]

		// Refusals change nothing, and a foreign agency learns nothing.
		before, refusals := p.count(p.db, "supervision_hit"), 0
		refused := func(who access.Caller, id, etag string, want fault.Reason) {
			t.Helper()
			_, err := here.Decide(as(t, who), id, etag, supervision.Dismissed, "no")
			reason(t, err, want)
			refusals++
		}
		refused(agency("110000"), h.ID, h.Etag(), fault.ReasonNotFound)
		refused(agency(insured), h.ID, "77", fault.ReasonNotFound)
		refused(operations, h.ID, h.Etag(), fault.RightMissing)
		refused(agency(treatment), h.ID, "77", fault.StaleVersion)
		refused(agency(treatment), ids.New("hit_310000"), "1", fault.ReasonNotFound)
		refused(agency(treatment), ids.New("hit_650000"), "1", fault.ProvinceNotServed)
		if _, err := here.Get(as(t, agency("110000")), h.ID); !fault.Is(err, fault.ReasonNotFound) {
			t.Fatalf("another province's agency got %v", err)
		}
		if _, _, err := here.List(as(t, agency("110000")), supervision.Query{Province: treatment}, "", 10); !fault.Is(err, fault.RightMissing) {
			t.Fatalf("another province's agency lists: %v", err)
		}
		same, err := here.Get(as(t, agency(treatment)), h.ID)
		if err != nil || same.State != supervision.Open || same.Version != h.Version || p.count(p.db, "supervision_hit") != before {
			t.Fatalf("%d refusals left %+v, %v", refusals, same, err)
		}

		done, err := here.Decide(as(t, agency(treatment)), h.ID, h.Etag(), supervision.Dismissed, "moved by ambulance, papers seen")
		if err != nil || done.State != supervision.Dismissed || done.DecidedBy != "A-310000/a-1" || done.Comment == "" {
			t.Fatalf("%+v, %v", done, err)
		}
		_, err = here.Decide(as(t, agency(treatment)), h.ID, done.Etag(), supervision.Confirmed, "after all")
		reason(t, err, fault.WrongState)
		if err := p.complete(c); err != nil {
			t.Fatal(err)
		}
		if c = p.claim(c); c.Status != settlement.Settled || p.wire.commits != 1 {
			t.Fatalf("%s after the release, %d commits", c.Status, p.wire.commits)
		}
		p.balanced(18_605_250)
	})
}

// A bill paid by hand before is held at the insured province, where nothing of it is committed; confirmed, it falls to a
// manual claim and is never settled directly.
func TestHeldAtTheInsuredProvince(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		_, far := p.watched()
		p.file()
		by := as(t, agency(insured))
		_, err := p.far.AcceptManualClaim(by, settlement.ManualClaim{ClaimID: ids.New("clm_310000"), Province: insured, PatientID: p.patient, Total: 30_000_000})
		if err != nil {
			t.Fatal(err)
		}
		counters := p.counters()
		c := p.settle(p.discharged())
		for range 3 { // asked again, there is still one finding
			reason(t, p.complete(c), fault.SupervisionHeld)
		}
		c = p.claim(c)
		found := p.hits(far, insured, supervision.DuplicatePayment)
		if c.UnderWay.HeldBy != insured || len(found) != 1 || p.counters() != counters || p.count(p.farDB, "message") != 0 {
			t.Fatalf("%+v, %d findings", c.UnderWay, len(found))
		}
		if _, err := far.Decide(by, found[0].ID, found[0].Etag(), supervision.Confirmed, "paid in October"); err != nil {
			t.Fatal(err)
		}
		if err := p.complete(c); err != nil {
			t.Fatal(err)
		}
		if c = p.claim(c); c.Status != settlement.Manual || c.ManualReason != string(fault.SupervisionConfirmed) {
			t.Fatalf("%s, %s", c.Status, c.ManualReason)
		}
		p.balanced(0)
	})
}

// A hold that nobody looks at does not keep the patient for ever: after the declared time the claim falls to a manual one.
func TestAHoldNeverBlocksForEver(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		p.watched()
		p.file()
		p.elsewhere()
		c := p.settle(p.discharged())
		reason(t, p.complete(c), fault.SupervisionHeld)
		p.clock.Advance(73 * time.Hour)
		reason(t, p.complete(c), fault.SupervisionHeld)
		if c = p.claim(c); c.Status != settlement.Manual || c.ManualReason != string(fault.SupervisionHeld) {
			t.Fatalf("%s, %s", c.Status, c.ManualReason)
		}
	})
}

// The year's burden opens the assessment by itself, once, with its deadline; the card, the telephone and the daily job
// are seen too, and of the numbers nothing but hashes is stored.
func TestBurdenCardAndTelephone(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		here, far := p.watched()
		p.file()
		by := as(t, agency(insured))
		const phone, card = "13800000001", "11010119900101001X"
		if _, err := far.PutContact(by, insured, p.patient, phone, card, ""); err != nil {
			t.Fatal(err)
		}
		_, err := far.PutContact(by, insured, p.patient, phone, card, "")
		reason(t, err, fault.StaleVersion)
		_, err = far.PutContact(as(t, agency("340000")), insured, p.patient, phone, card, "1")
		reason(t, err, fault.RightMissing)
		for range 2 {
			if _, err := far.PutContact(by, insured, ids.New("pat"), phone, "", ""); err != nil {
				t.Fatal(err)
			}
		}
		if n := p.count(p.farDB, "supervision_contact WHERE phone LIKE '%138%' OR identity LIKE '%0101%' AND length(identity) < 64"); n > 1 {
			t.Fatalf("%d numbers are stored", n)
		}

		c := p.open(treatment, "310100")
		other, err := here.Digest("identity_number", "110101199001010028")
		if err != nil {
			t.Fatal(err)
		}
		facts := settlement.StayFacts{Diagnosis: "K74.6", Identity: other}
		_, err = p.here.RecordStayFacts(as(t, otherCenter), c.ID, c.Etag(), facts)
		reason(t, err, fault.ReasonNotFound)
		if c, err = p.here.RecordStayFacts(as(t, center), c.ID, c.Etag(), facts); err != nil {
			t.Fatal(err)
		}
		if c, err = p.here.AddFeeLines(as(t, center), c.ID, bill()); err != nil {
			t.Fatal(err)
		}
		if c, err = p.here.DischargeClaim(as(t, center), c.ID, c.Etag(), today); err != nil {
			t.Fatal(err)
		}
		c = p.settle(c)
		reason(t, p.complete(c), fault.SupervisionHeld)
		mismatch, shared := p.hits(far, insured, supervision.IdentityMismatch), p.hits(far, insured, supervision.SharedPhone)
		if len(mismatch) != 1 || !mismatch[0].Holds || len(shared) != 1 || shared[0].Holds {
			t.Fatalf("%v, %v", mismatch, shared)
		}
		if _, err := far.Decide(by, mismatch[0].ID, mismatch[0].Etag(), supervision.Dismissed, "a misread card"); err != nil {
			t.Fatal(err)
		}
		if err := p.complete(c); err != nil {
			t.Fatal(err)
		}
		warned := p.hits(far, insured, supervision.PovertyWarning)
		if len(warned) != 1 || warned[0].Period != "2026" || !warned[0].Due.Equal(workday.China().Add(p.clock.Now(), 15)) || warned[0].Holds || warned[0].Evidence[0].Value <= int64(money.Fen(1_725_000)) {
			t.Fatalf("%+v", warned)
		}
		// The hanging bed flags where the lines are; the day's job finds nothing twice.
		if flagged := p.hits(here, treatment, supervision.HangingBed); len(flagged) != 1 || flagged[0].Holds {
			t.Fatalf("%+v", flagged)
		}
		before := [2]int{p.count(p.db, "supervision_hit"), p.count(p.farDB, "supervision_hit")}
		p.clock.Advance(24 * time.Hour)
		for range 2 {
			for _, w := range []*supervision.Service{here, far} {
				if err := w.Daily(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if after := [2]int{p.count(p.db, "supervision_hit"), p.count(p.farDB, "supervision_hit")}; after != before {
			t.Fatalf("the daily job made %v of %v", after, before)
		}
	})
}

// What becomes known only after a settlement is found by the daily job, and only flags it.
func TestTheDailyJobFlagsWhatCameLate(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		here, _ := p.watched()
		p.file()
		c := p.settle(p.discharged())
		if err := p.complete(c); err != nil {
			t.Fatal(err)
		}
		p.elsewhere()
		p.clock.Advance(24 * time.Hour)
		if err := here.Daily(t.Context()); err != nil {
			t.Fatal(err)
		}
		found := p.hits(here, treatment, supervision.OverlappingStays)
		if len(found) != 1 || found[0].Holds || found[0].ClaimID != c.ID || p.claim(c).Status != settlement.Settled {
			t.Fatalf("%+v", found)
		}
	})
}
