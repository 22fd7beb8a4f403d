package rpc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/referral"
)

// world is the rest of the line as one case may leave it: offers, holds, access, filings. It does what it is asked once for
// each request id, however often it is asked.
type world struct {
	mu       sync.Mutex
	answers  map[string]said
	effects  map[string]int
	offers   map[string]string // id -> OPEN, DECLINED, ACCEPTED, WITHDRAWN
	centers  map[string]string // offer -> whom it asks
	holds    map[string]string // id -> HELD, CONFIRMED, RELEASED
	access   map[string]bool
	aborted  map[string]bool
	filings  int
	sequence int
	// fails, when it says so, refuses a call before or after it was done.
	fails func(call string, done bool) error
}

func newWorld() *world {
	return &world{
		answers: map[string]said{}, effects: map[string]int{}, offers: map[string]string{}, centers: map[string]string{}, holds: map[string]string{},
		access: map[string]bool{}, aborted: map[string]bool{},
	}
}

// asked is a call to the world, said its answer; they also travel between processes.
type (
	asked struct {
		Call, Key, About string
		At               time.Time
	}
	said struct {
		Text string
		At   time.Time
	}
)

func (w *world) number(prefix string) string {
	w.sequence++
	return fmt.Sprintf("%s_%026d", prefix, w.sequence)
}

func (w *world) do(q asked) (said, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fails != nil {
		if err := w.fails(q.Call, false); err != nil {
			return said{}, err
		}
	}
	got, known := w.answers[q.Key]
	if !known || q.Key == "" {
		var err error
		if got, err = w.effect(q); err != nil {
			return said{}, err
		}
		if q.Key != "" {
			w.answers[q.Key] = got
			w.effects[q.Call+" "+q.About]++
		}
	}
	if w.fails != nil {
		return got, w.fails(q.Call, true)
	}
	return got, nil
}

func gone(what string) error {
	return fault.New(fault.FailedPrecondition, fault.WrongState, "", what, "状态不符").With("state", "GONE")
}

func (w *world) effect(q asked) (said, error) {
	switch q.Call {
	case "grant":
		w.access[q.About] = true
	case "revoke":
		delete(w.access, q.About)
	case "match":
		return said{Text: "mat_00000000000000000000000001"}, nil
	case "offer":
		id := w.number("off")
		w.offers[id], w.centers[id] = "OPEN", q.About
		return said{Text: id, At: q.At}, nil
	case "withdraw":
		if w.offers[q.About] == "DECLINED" {
			return said{}, gone("the offer was decided")
		}
		w.offers[q.About] = "WITHDRAWN"
	case "confirm":
		if w.holds[q.About] != "HELD" {
			return said{}, fault.New(fault.FailedPrecondition, fault.HoldExpired, "", "gone", "已过期")
		}
		w.holds[q.About] = "CONFIRMED"
	case "move":
		if w.holds[q.About] == "RELEASED" {
			return said{}, gone("the hold was released")
		}
	case "release":
		w.holds[q.About] = "RELEASED"
	case "abort":
		w.aborted[q.About] = true
	case "file":
		w.filings++
		return said{Text: "fil_340000_00000000000000000000000001"}, nil
	}
	return said{}, nil
}

// hold is what a center's acceptance holds.
func (w *world) hold() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := w.number("hld")
	w.holds[id] = "HELD"
	return id
}

func (w *world) decide(offer, status string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offers[offer] = status
}

// left is what nobody needs any more and was not given back: r is the case as it is.
func (w *world) left(r *referral.Referral) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var left []string
	for id, status := range w.holds {
		if status != "RELEASED" && (!r.Live() || r.HoldID != id) {
			left = append(left, "hold "+id+" is "+status)
		}
	}
	open := map[string]bool{r.OfferID: r.State == referral.Offered || r.State == referral.Matched}
	for _, b := range r.Beside {
		open[b.OfferID] = true
	}
	for id, status := range w.offers {
		if status == "OPEN" && (!r.Live() || !open[id]) {
			left = append(left, "offer "+id+" is open")
		}
	}
	for call, n := range w.effects {
		if n > 1 && !strings.HasPrefix(call, "grant ") && !strings.HasPrefix(call, "revoke ") && !strings.HasPrefix(call, "offer ") && !strings.HasPrefix(call, "move ") {
			left = append(left, fmt.Sprintf("%s was done %d times", call, n))
		}
	}
	return left
}

// serve lets another process ask the world.
func (w *world) serve() (string, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	type answer struct {
		Said   said
		Reason string
	}
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
			var q asked
			if json.NewDecoder(req.Body).Decode(&q) != nil {
				return
			}
			got, err := w.do(q)
			a := answer{Said: got}
			if f, ok := fault.As(err); ok {
				a.Reason = string(f.Reason)
			}
			_ = json.NewEncoder(rw).Encode(a)
		}))
	}()
	return "http://" + l.Addr().String(), nil
}

// worldPeers are the world as the case sees it; ask reaches it.
type worldPeers struct {
	ask func(ctx context.Context, q asked) (said, error)
	now func() time.Time
	// centers are ranked.
	centers []string
}

func (p worldPeers) only(ctx context.Context, q asked) error {
	_, err := p.ask(ctx, q)
	return err
}

func (p worldPeers) Registered(_ context.Context, id string) (referral.Registered, error) {
	return referral.Registered{PatientID: id, Organisation: "H-HF-01"}, nil
}

func (p worldPeers) FindPatients(_ context.Context, text, _ string) ([]referral.FoundPatient, error) {
	return []referral.FoundPatient{{PatientID: text}}, nil
}

func (p worldPeers) Profile(ctx context.Context, id, _ string) (referral.Profile, error) {
	err := p.only(ctx, asked{Call: "profile", About: id})
	return referral.Profile{InsuredProvince: "340000", ConsentReferral: true, ConsentSettlement: true, ClinicalRecorded: true}, err
}

func (p worldPeers) GrantAccess(ctx context.Context, key, _, organisation, _ string) error {
	return p.only(ctx, asked{Call: "grant", Key: key, About: organisation})
}

func (p worldPeers) RevokeAccess(ctx context.Context, key, _, organisation, _, _ string, _ time.Time) error {
	return p.only(ctx, asked{Call: "revoke", Key: key, About: organisation})
}

func (p worldPeers) RunMatch(ctx context.Context, key string, ask referral.MatchAsk) (referral.MatchRun, error) {
	got, err := p.ask(ctx, asked{Call: "match", Key: key, About: key})
	return referral.MatchRun{ID: got.Text, Ranked: p.centers}, err
}

func (p worldPeers) MatchRun(_ context.Context, id string) (referral.MatchRun, error) {
	return referral.MatchRun{ID: id, Ranked: p.centers}, nil
}

func (p worldPeers) CreateOffer(ctx context.Context, key string, ask referral.OfferAsk) (referral.Offer, error) {
	got, err := p.ask(ctx, asked{Call: "offer", Key: key, About: ask.Center, At: p.now()})
	return referral.Offer{ID: got.Text, Created: got.At, Expire: got.At.Add(24 * time.Hour), AtOnce: 1}, err
}

func (p worldPeers) WithdrawOffer(ctx context.Context, key, id, _ string) error {
	return p.only(ctx, asked{Call: "withdraw", Key: key, About: id})
}

func (p worldPeers) ConfirmHold(ctx context.Context, key, id string) error {
	return p.only(ctx, asked{Call: "confirm", Key: key, About: id})
}

func (p worldPeers) MoveAdmission(ctx context.Context, key, id string, _ time.Time) error {
	return p.only(ctx, asked{Call: "move", Key: key, About: id})
}

func (p worldPeers) ReleaseHold(ctx context.Context, key, id, _ string) error {
	return p.only(ctx, asked{Call: "release", Key: key, About: id})
}

func (p worldPeers) AbortTransfer(ctx context.Context, key, id string) error {
	return p.only(ctx, asked{Call: "abort", Key: key, About: id})
}

func (p worldPeers) CreateFiling(ctx context.Context, key string, _ referral.FilingAsk) (string, error) {
	got, err := p.ask(ctx, asked{Call: "file", Key: key, About: key})
	return got.Text, err
}
