package notify_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/fault"
	"huhang.example/services/referral"
	"huhang.example/services/referral/notify"
)

// Each kind has a type of its own, and those that partners filter by do not change.
func TestTypes(t *testing.T) {
	seen := map[string]string{}
	for _, kind := range referral.Kinds() {
		got := notify.TypeOf(kind)
		if other, there := seen[got]; there {
			t.Errorf("%s and %s are both %s", kind, other, got)
		}
		seen[got] = kind
	}
	for kind, want := range map[string]string{
		"OFFER_CREATED": "offer.created", "CREATED": "case.created", "TRANSFER_AT_DOOR": "transfer.at_door", "BACK_TRANSFER_ARRIVED": "back_transfer.arrived",
		"CLAIM_SETTLED": "claim.settled", "BACK_REFERRED": "case.back_referred", "HOLD_EXPIRED": "hold.expired", "CLOSED": "case.closed",
	} {
		if got := notify.TypeOf(kind); got != "cn.huhang.referral."+want+".v1" {
			t.Errorf("%s is %s", kind, got)
		}
	}
}

// The table names only what there is, and nobody who did something is told of it without asking for that.
func TestTable(t *testing.T) {
	kinds := strings.Join(referral.Kinds(), " ") + " "
	for _, row := range notify.DefaultTable().Notices {
		for _, kind := range row.Kinds {
			if !strings.Contains(" "+kinds, " "+kind+" ") {
				t.Errorf("%s is told of %s, which never happens", row.Code, kind)
			}
		}
	}
	for _, bad := range []string{`{}`, `{"version":"1","notices":[]}`, `{"version":"1","notices":[{"code":"A","kinds":["CLOSED"],"tell":["NOBODY"],"urgency":"INFO","zh":"a","en":"a"}]}`, `{"version":"1","more":1}`} {
		if _, err := notify.ParseTable([]byte(bad)); err == nil {
			t.Errorf("accepted: %s", bad)
		}
	}
}

func TestWhoIsTold(t *testing.T) {
	due := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	event := func(kind string, state referral.State, by, center string, c referral.Concern) referral.Event {
		return referral.Event{Position: 7, ReferralID: "ref_1", Entry: referral.Entry{
			Sequence: 3, Kind: kind, State: state, Organisation: by, Center: center, Concern: c, Recorded: due.Add(-4 * time.Hour),
		}}
	}
	parts := map[string][]string{"H-1": {"REFERRER"}, "C-1": {"ASKED"}, "C-2": {"ASKED"}}
	for name, c := range map[string]struct {
		event referral.Event
		want  string
	}{
		"of an offer, its own center and the referrer": {event("OFFER_CREATED", "OFFERED", "matching", "C-2", referral.Concern{Parts: parts, Due: due}), "C-2:OFFER_TO_ANSWER H-1:OFFER_SENT"},
		"not who did it":                                      {event("OFFER_CREATED", "OFFERED", "H-1", "C-2", referral.Concern{Parts: parts, Due: due}), "C-2:OFFER_TO_ANSWER"},
		"nobody of what came too late":                        {event("OFFER_CREATED", "CLOSED", "matching", "C-2", referral.Concern{Parts: parts, Late: true}), ""},
		"the accepting center what to do, and at half":        {event("OFFER_ACCEPTED", "ACCEPTED", "C-1", "C-1", referral.Concern{Parts: map[string][]string{"H-1": {"REFERRER"}, "C-1": {"CENTER"}}, Due: due}), "H-1:OFFER_ACCEPTED C-1:ADMISSION_TO_BOOK C-1:HOLD_EXPIRING@06:00"},
		"by state, whose clock ran out":                       {event("OVERDUE", "OFFERED", "referral", "", referral.Concern{Parts: parts}), "C-1:OVERDUE C-2:OVERDUE DESK:OVERDUE"},
		"one who plays two parts once":                        {event("CLOSED", "CLOSED", "OPS", "", referral.Concern{Parts: map[string][]string{"H-1": {"REFERRER", "LOCAL_HOSPITAL"}}}), "H-1:CASE_CLOSED"},
		"no reminder where no clock runs":                     {event("BACK_REFERRED", "BACK_REFERRED", "C-1", "", referral.Concern{Parts: map[string][]string{"H-2": {"LOCAL_HOSPITAL"}}}), "H-2:BACK_REFERRAL_ASKED"},
		"of a patient who is taken elsewhere, who takes them": {event("DIVERTED", "BOOKED", "H-1", "", referral.Concern{Parts: map[string][]string{"H-1": {"REFERRER"}, "C-9": {"TOLD"}}}), "C-9:PATIENT_DIVERTED_HERE"},
		"of an own use that gave way, whose it was":           {event("HOLD_OVERRIDDEN", "BOOKED", "OPS", "", referral.Concern{Parts: map[string][]string{"H-1": {"REFERRER"}, "C-2": {"CENTER", "TOLD"}}}), "C-2:OWN_USE_OVERRIDDEN"},
		"at the door, both who sign":                          {event("TRANSFER_AT_DOOR", "IN_TRANSIT", "H-1", "", referral.Concern{Parts: map[string][]string{"H-1": {"REFERRER"}, "C-1": {"CENTER"}}}), "C-1:TRANSFER_AT_DOOR H-1:HAND_OVER_TO_SIGN"},
		"of an entry from before there were notices: no":      {event("OFFER_CREATED", "OFFERED", "matching", "", referral.Concern{}), ""},
	} {
		var told []string
		for _, n := range notify.DefaultTable().Of(c.event) {
			text := n.Organisation + ":" + n.Code
			if !n.After.IsZero() {
				text += "@" + n.After.Format("15:04")
			}
			told = append(told, text)
		}
		if got := strings.Join(told, " "); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}

// Wherever a name leads, only public addresses are connected to.
func TestAddresses(t *testing.T) {
	own := notify.Addresses{Allowed: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}}
	dev := notify.Addresses{LoopbackHTTP: true}
	for text, want := range map[string][3]bool{ // by default, with a network of one's own, in development
		"8.8.8.8": {true, true, true}, "2400:3200::1": {true, true, true},
		"127.0.0.1": {false, false, true}, "::1": {false, false, true}, "::ffff:127.0.0.1": {false, false, true}, "127.9.9.9": {false, false, true},
		"10.20.1.1": {false, true, false}, "::ffff:10.20.1.1": {false, true, false}, "10.21.0.1": {}, "172.16.0.1": {}, "192.168.1.1": {},
		"169.254.169.254": {}, "fe80::1": {}, "fe80::1%eth0": {}, "fd00::1": {}, "fec0::1": {}, "0.0.0.0": {}, "::": {}, "224.0.0.1": {}, "ff02::1": {},
		"100.64.0.1": {}, "192.0.0.170": {}, "198.18.0.1": {}, "203.0.113.7": {}, "255.255.255.255": {}, "240.0.0.1": {},
		"64:ff9b::7f00:1": {}, "2002:7f00:1::": {}, "2001::1": {}, "2001:db8::1": {}, "::ffff:169.254.169.254": {},
	} {
		ip := netip.MustParseAddr(text)
		for i, a := range []notify.Addresses{{}, own, dev} {
			if got := a.Check(ip) == nil; got != want[i] {
				t.Errorf("%s, setting %d: sent to = %t", text, i, got)
			}
		}
	}
	for text, want := range map[string]string{
		"https://his.example.cn/hook": "", "https://his.example.cn:8443/hook?x=1": "", "https://8.8.8.8/": "",
		"http://his.example.cn/": "SCHEME", "ftp://his.example.cn/": "SCHEME", "his.example.cn": "HOST", "https://": "HOST", "https:///x": "HOST", "https://intranet/": "HOST",
		"https://u:p@his.example.cn/": "CREDENTIALS", "https://his.example.cn/#x": "FRAGMENT", "https://his.example.cn/#": "FRAGMENT",
		"https://127.0.0.1/": "FORBIDDEN_ADDRESS", "https://[::1]/": "FORBIDDEN_ADDRESS", "https://169.254.169.254/latest": "FORBIDDEN_ADDRESS",
		"https://localhost/": "FORBIDDEN_ADDRESS", "http://127.0.0.1/": "SCHEME", "https://10.0.0.1/": "FORBIDDEN_ADDRESS", "https://[::ffff:10.0.0.1]/": "FORBIDDEN_ADDRESS",
	} {
		err := (notify.Addresses{}).URL(text)
		f, _ := fault.As(err)
		if (err == nil) != (want == "") || err != nil && (f.Meta["why"] != want || f.Reason != fault.EndpointRefused) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"http://127.0.0.1:9000/", "http://localhost:9000/", "https://localhost/"} {
		if err := dev.URL(text); err != nil {
			t.Errorf("%s in development: %v", text, err)
		}
	}
	if dev.URL("http://his.example.cn/") == nil {
		t.Error("http to somebody else in development")
	}
}

// Whatever a receiver answers, a message ends delivered or dead within its attempts and its time; every pause is at least
// the schedule's and at least what was asked for within its bound; and a replay starts anew under the same id.
func TestEveryMessageEnds(t *testing.T) {
	r := notify.DefaultRules()
	start := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		d := notify.Delivery{ID: "msg_1", Status: notify.Pending, Next: start}
		now := start
		for d.Status == notify.Pending {
			if d.Tries > r.Attempts() || now.Sub(start) > 75*time.Hour {
				t.Fatalf("still tried after %d tries and %s", d.Tries, now.Sub(start))
			}
			a := notify.Answer{
				Outcome:    rapid.SampledFrom([]notify.Outcome{notify.Refused, notify.Timeout, notify.Unreachable, notify.Delivered}).Draw(t, "outcome"),
				RetryAfter: time.Duration(rapid.IntRange(0, 400_000).Draw(t, "retry after")) * time.Second, Took: time.Second,
			}
			tried := d.Tried(r, a, now)
			if tried.Number != d.Attempts {
				t.Fatalf("attempt %d of %d", tried.Number, d.Attempts)
			}
			if (a.Outcome == notify.Delivered) != (d.Status == notify.Done) {
				t.Fatalf("%s makes it %s", a.Outcome, d.Status)
			}
			if d.Status == notify.Pending {
				pause := d.Next.Sub(now)
				if asked := min(a.RetryAfter, 24*time.Hour); pause < asked || pause < 5*time.Second {
					t.Fatalf("pause %s where %s was asked", pause, asked)
				}
				now = d.Next
			}
		}
		if d.ID != "msg_1" || !d.Next.IsZero() {
			t.Fatalf("%+v", d)
		}
		if err := d.Replay(now); err != nil || d.Status != notify.Pending || d.Tries != 0 || d.ID != "msg_1" || !d.Apart {
			t.Fatalf("replay: %v %+v", err, d)
		}
		if !fault.Is(d.Replay(now), fault.WrongState) {
			t.Fatal("a waiting message was replayed")
		}
	})
	all := notify.Delivery{Status: notify.Pending, Next: start}
	for now := start; all.Status == notify.Pending; now = all.Next {
		all.Tried(r, notify.Answer{Outcome: notify.Unreachable}, now)
	}
	if all.Attempts != 10 || all.Last.Sub(start) < 48*time.Hour {
		t.Errorf("a receiver that is away is tried %d times over %s", all.Attempts, all.Last.Sub(start))
	}
}

// An endpoint is left alone after failures in a row, and disabled at once by 410, by failing only for long.
func TestEndpointsRest(t *testing.T) {
	r := notify.DefaultRules()
	start := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	down := notify.Answer{Outcome: notify.Unreachable}
	e := &notify.Endpoint{Status: notify.Active, Version: 1}
	for range r.CoolAfterFailures - 1 {
		e.Answered(r, down, start)
	}
	if !e.SentTo(start) || e.Width(r) != 1 {
		t.Fatal("a short failure keeps it from being tried")
	}
	e.Answered(r, down, start)
	if e.SentTo(start) || !e.SentTo(start.Add(5*time.Second)) {
		t.Fatalf("not before %s", e.NotBefore)
	}
	e.Answered(r, notify.Answer{Outcome: notify.Delivered, Status: 200}, start.Add(time.Minute))
	if e.Failures != 0 || !e.SentTo(start.Add(time.Minute)) || e.Width(r) != r.Parallel {
		t.Fatalf("one success does not make it well: %+v", e)
	}
	busy := &notify.Endpoint{Status: notify.Active, Version: 1}
	busy.Answered(r, notify.Answer{Outcome: notify.Refused, Status: 503, RetryAfter: time.Hour}, start)
	if busy.SentTo(start.Add(59*time.Minute)) || !busy.SentTo(start.Add(time.Hour)) {
		t.Fatalf("Retry-After: not before %s", busy.NotBefore)
	}
	at := start
	for e.Status == notify.Active {
		e.Answered(r, down, at)
		at = at.Add(5 * time.Minute)
	}
	if passed := at.Sub(start); passed < 72*time.Hour || passed > 73*time.Hour || e.Why != "FAILING" || e.Version != 2 {
		t.Fatalf("disabled after %s: %+v", passed, e)
	}
	g := &notify.Endpoint{Status: notify.Active, Version: 1}
	if g.Answered(r, notify.Answer{Outcome: notify.Gone, Status: 410}, start); g.Status != notify.Disabled || g.Why != "GONE" {
		t.Fatalf("410: %+v", g)
	}
	g.Decide(notify.Decision{URL: "https://his.example.cn/"}, at)
	if g.Status != notify.Active || g.Failures != 0 {
		t.Fatalf("enabled again: %+v", g)
	}
}

func TestRules(t *testing.T) {
	for _, bad := range []string{`{}`, `{"version":"1","pauses_seconds":[]}`, `{"more":1}`, `[`} {
		if _, err := notify.ParseRules([]byte(bad)); err == nil {
			t.Errorf("accepted: %s", bad)
		}
	}
}
