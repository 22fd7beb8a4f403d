package rpc_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/matching"
)

// A case's offers as one object with a sequential life: each is open, over, or decided, and at most one accepted. What
// many callers see at once, with lost answers, crashes, repetitions and jumping clocks, must be what one after another could see.

type did int

const (
	doAccept did = iota
	doDecline
	doWithdraw
	doRead
	doTick // the clock passes every offer's end
)

type saw string

const (
	sawDone    saw = "DONE"
	sawTaken   saw = "TAKEN"   // no bed: nothing happened
	sawBusy    saw = "BUSY"    // another acceptance is under way: nothing happened
	sawDecided saw = "DECIDED" // refused: decided already
	sawExpired saw = "EXPIRED"
	sawUnknown saw = "UNKNOWN" // no answer: it may have happened, or may yet
)

type step struct {
	do    did
	offer int
	// begun is when it was called: an acceptance counts if its intent came before the time was over.
	begun int64
}

// life is the state. offers has one letter an offer: O open, X its time is over but nobody noted it, A accepted, D, W, E. ended
// is when the clock had passed every offer's end, 0 before.
type life struct {
	offers string
	ended  int64
}

func (s life) with(i int, c byte) life {
	b := []byte(s.offers)
	b[i] = c
	return life{string(b), s.ended}
}

// accepted are the states after an acceptance: the others that were open are withdrawn, or were noted as over before.
func (s life) accepted(i int) []any {
	states := []life{s.with(i, 'A')}
	for j := range s.offers {
		switch {
		case j == i:
		case s.offers[j] == 'O':
			for n := range states {
				states[n] = states[n].with(j, 'W')
			}
		case s.offers[j] == 'X':
			for _, w := range states {
				states = append(states, w.with(j, 'E'))
			}
			for n := range states {
				if states[n].offers[j] == 'X' {
					states[n] = states[n].with(j, 'W')
				}
			}
		}
	}
	var out []any
	for _, w := range states {
		out = append(out, w)
	}
	return out
}

func (s life) bound() bool { return strings.Contains(s.offers, "A") }

// inTime reports whether the offer can be accepted by who began then.
func (s life) inTime(in step) bool {
	at := s.offers[in.offer]
	return at == 'O' || at == 'X' && in.begun < s.ended
}

var offersLife = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{life{"OOO", 0}} },
	Step: func(state, input, output any) []any {
		s, in, out := state.(life), input.(step), output.(saw)
		at := s.offers[in.offer]
		same := []any{s}
		switch in.do {
		case doTick:
			ended, _ := strconv.ParseInt(string(out), 10, 64)
			return []any{life{strings.ReplaceAll(s.offers, "O", "X"), ended}}
		case doRead:
			return s.read(in.offer, out)
		}
		var next []any
		switch out {
		case sawTaken, sawBusy:
			return same
		case sawExpired:
			if at == 'X' || at == 'E' {
				return same
			}
			return nil
		case sawUnknown:
			next = same
		case sawDecided:
			if at == 'A' || at == 'D' || at == 'W' {
				return same
			}
			if in.do != doAccept {
				return nil
			}
			// Or it was accepted, and withdrawn before the answer.
		}
		switch {
		case in.do == doAccept && s.inTime(in) && !s.bound():
			next = append(next, s.accepted(in.offer)...)
		case in.do == doAccept && at == 'A' && out == sawDone:
			next = append(next, s) // the same wish again
		case in.do == doDecline && at == 'O':
			next = append(next, s.with(in.offer, 'D'))
		case in.do == doWithdraw && at != 'D' && at != 'E':
			next = append(next, s.with(in.offer, 'W'))
		}
		return next
	},
}).ToModel()

func (s life) read(i int, out saw) []any {
	at := s.offers[i]
	switch {
	case out == "ACCEPTING", // somebody's acceptance is under way
		out == "OPEN" && (at == 'O' || at == 'X'), out == "ACCEPTED" && at == 'A', out == "DECLINED" && at == 'D',
		out == "WITHDRAWN" && at == 'W', out == "EXPIRED" && at == 'E':
		return []any{s}
	case out == "EXPIRED" && at == 'X':
		return []any{s.with(i, 'E')}
	}
	return nil
}

// history gathers what happened; times are the order of calls and answers, not the clock's.
type history struct {
	mu   sync.Mutex
	tick int64
	ops  []porcupine.Operation
}

func (h *history) now() int64 { h.mu.Lock(); defer h.mu.Unlock(); h.tick++; return h.tick }

// never is when an answer comes that was lost.
const never = int64(1) << 40

func (h *history) run(client int, in step, call func() saw) {
	in.begun = h.now()
	out := call()
	ended := h.now()
	if in.do == doTick {
		out = saw(strconv.FormatInt(ended, 10))
	}
	if out == sawUnknown {
		ended = never
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: in, Call: in.begun, Output: out, Return: ended})
}

func heard(t *testing.T, err error) saw {
	switch {
	case err == nil:
		return sawDone
	case fault.Is(err, fault.ResourceTaken):
		return sawTaken
	case fault.Is(err, fault.WrongState), fault.Is(err, fault.StaleVersion):
		return sawBusy
	case fault.Is(err, fault.OfferDecided):
		return sawDecided
	case fault.Is(err, fault.OfferExpired):
		return sawExpired
	case fault.Is(err, fault.PeerUnavailable):
		return sawUnknown
	}
	t.Error(err)
	return sawUnknown
}

// storm lets callers at the offers of one case, and checks what they saw. kept are the holds of the cases before.
func (r *rig) storm(t *testing.T, random *rand.Rand, kept []string) []string {
	run := r.match(t)
	var offers []*matchingv1.Offer
	for _, code := range []string{"C-SH-01", "C-SH-02", "C-BJ-01"} {
		offers = append(offers, must[*matchingv1.CreateOfferResponse](t)(r.CreateOffer(service(t.Context()), r.proposal(t, run, code, emergency))).GetOffer())
	}
	h := &history{}
	var wait sync.WaitGroup
	const clients = 6
	for client := range clients {
		seed := random.Uint64()
		var wishes []*matchingv1.AcceptOfferRequest
		var requests []string
		for range 6 {
			wishes = append(wishes, r.wish(offers[random.IntN(3)]))
			requests = append(requests, r.rid())
		}
		wait.Go(func() { r.caller(t, h, client, rand.New(rand.NewPCG(seed, 1)), offers, wishes, requests) })
	}
	wait.Wait()
	r.line.set(func() { r.line.lie, r.line.taken = 0, false })
	sqldbtest.Eventually(t, "nothing is under way", func() bool {
		r.clock.Advance(5 * time.Second)
		return !slices.ContainsFunc(offers, func(o *matchingv1.Offer) bool { return r.get(t, o.GetOfferId()).GetStatus() == accepting })
	})
	for i, o := range offers {
		h.run(clients, step{do: doRead, offer: i}, func() saw {
			now := r.get(t, o.GetOfferId())
			if now.GetStatus() == accepted {
				kept = append(kept, now.GetHoldId())
			}
			return saw(now.GetStatus().String()[len("OFFER_STATUS_"):])
		})
	}
	if result, _ := porcupine.CheckOperationsVerbose(offersLife, h.ops, 20*time.Second); result != porcupine.Ok {
		t.Fatalf("%s: no order of these explains what was seen: %+v", result, h.ops)
	}
	// What was held for an offer withdrawn meanwhile is found and released by the job that waits for the lease's end; it may
	// not even be held yet.
	slices.Sort(kept)
	sqldbtest.Eventually(t, "every hold has its patient", func() bool {
		r.clock.Advance(time.Second)
		return slices.Equal(r.line.live(), kept)
	})
	return kept
}

// caller does a few things at random, and sometimes its process dies, its answer is lost, or it says everything twice.
func (r *rig) caller(t *testing.T, h *history, client int, random *rand.Rand, offers []*matchingv1.Offer, wishes []*matchingv1.AcceptOfferRequest, requests []string) {
	index := func(id string) int {
		return slices.IndexFunc(offers, func(o *matchingv1.Offer) bool { return o.GetOfferId() == id })
	}
	for n, wish := range wishes {
		i := index(wish.GetOfferId())
		o := offers[i]
		switch random.IntN(9) {
		case 0, 1, 2: // said twice half of the time
			for range 1 + random.IntN(2) {
				h.run(client, step{do: doAccept, offer: i}, func() saw {
					_, err := r.AcceptOffer(center(t.Context(), o.GetCenterId()), wish)
					return heard(t, err)
				})
			}
		case 3: // the process dies after the intent
			h.run(client, step{do: doAccept, offer: i}, func() saw {
				_, err := r.use.BeginAccept(center(t.Context(), o.GetCenterId()), o.GetOfferId(), matching.Wish{RequestID: wish.GetRequestId(), Etag: o.GetEtag(), Admission: wish.GetAdmissionTime().AsTime()})
				if err == nil {
					return sawUnknown
				}
				return heard(t, err)
			})
		case 4:
			h.run(client, step{do: doDecline, offer: i}, func() saw {
				_, err := r.DeclineOffer(center(t.Context(), o.GetCenterId()), &matchingv1.DeclineOfferRequest{RequestId: requests[n], OfferId: o.GetOfferId(), Etag: o.GetEtag(), Code: "NO_BED"})
				return heard(t, err)
			})
		case 5:
			if random.IntN(2) == 0 {
				h.run(client, step{do: doWithdraw, offer: i}, func() saw {
					_, err := r.WithdrawOffer(service(t.Context()), &matchingv1.WithdrawOfferRequest{RequestId: requests[n], OfferId: o.GetOfferId(), Reason: "closed"})
					if fault.Is(err, fault.OfferDecided) {
						return sawBusy // expired or declined: nothing happened
					}
					return heard(t, err)
				})
			}
		case 6:
			h.run(client, step{do: doRead, offer: i}, func() saw {
				return saw(r.get(t, o.GetOfferId()).GetStatus().String()[len("OFFER_STATUS_"):])
			})
		case 7: // an answer will be lost, or no bed is free for a while
			r.line.set(func() { r.line.lie, r.line.taken = random.IntN(3), random.IntN(3) == 0 })
		case 8:
			if random.IntN(4) == 0 {
				h.run(client, step{do: doTick, offer: 0}, func() saw { r.clock.Advance(2*time.Hour + time.Second); return sawDone })
			} else {
				r.clock.Advance(time.Duration(1+random.IntN(12)) * time.Second)
			}
		}
	}
}

func TestOffersAreLinearizable(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		var kept []string
		for seed := range uint64(8) {
			kept = r.storm(t, rand.New(rand.NewPCG(seed, 9)), kept)
		}
	})
}

// The model is not one that believes everything.
func TestModelRefusesWhatCannotBe(t *testing.T) {
	op := func(at int64, in step, out saw) porcupine.Operation {
		in.begun = at
		return porcupine.Operation{Input: in, Output: out, Call: at, Return: at + 1}
	}
	for name, ops := range map[string][]porcupine.Operation{
		"two centers hold one patient":    {op(1, step{do: doAccept, offer: 0}, sawDone), op(3, step{do: doAccept, offer: 1}, sawDone)},
		"accepted after it was declined":  {op(1, step{do: doDecline, offer: 0}, sawDone), op(3, step{do: doAccept, offer: 0}, sawDone)},
		"accepted after its time":         {op(1, step{do: doTick, offer: 0}, "2"), op(3, step{do: doAccept, offer: 0}, sawDone)},
		"another is still open":           {op(1, step{do: doAccept, offer: 0}, sawDone), op(3, step{do: doRead, offer: 1}, "OPEN")},
		"an acknowledged acceptance lost": {op(1, step{do: doAccept, offer: 0}, sawDone), op(3, step{do: doRead, offer: 0}, "OPEN")},
		"decided by nobody":               {op(1, step{do: doDecline, offer: 0}, sawDecided)},
	} {
		if porcupine.CheckOperations(offersLife, ops) {
			t.Errorf("%s: passed", name)
		}
	}
}
