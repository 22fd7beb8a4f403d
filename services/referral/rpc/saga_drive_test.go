package rpc_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/referral"
	"huhang.example/services/referral/store"
)

// saga drives one case over a process that dies at every boundary of every step.
type saga struct {
	t        *testing.T
	ctx      context.Context
	world    *world
	file     string
	env      []string
	store    *store.Store
	keys     int
	id       string
	mu       sync.Mutex
	process  *exec.Cmd
	finished chan struct{}
}

func newSaga(t *testing.T, dsn string, control bool) *saga {
	db := sqldbtest.Open(t, dsn, store.Migrations)
	s := &saga{t: t, world: newWorld(), file: filepath.Join(t.TempDir(), "died"), store: store.New(db), finished: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	s.ctx = ctx
	address, err := s.world.serve()
	if err != nil {
		t.Fatal(err)
	}
	s.env = append(os.Environ(), sagaEnv+"="+dsn, sagaEnv+"_FILE="+s.file, sagaEnv+"_WORLD="+address)
	if control {
		s.env = append(s.env, sagaEnv+"_CONTROL=1")
	}
	go s.keepAlive()
	t.Cleanup(func() {
		cancel()
		s.mu.Lock()
		if s.process != nil {
			_ = s.process.Process.Kill()
		}
		s.mu.Unlock()
		<-s.finished
	})
	return s
}

// keepAlive starts the process again whenever it has died.
func (s *saga) keepAlive() {
	defer close(s.finished)
	for s.ctx.Err() == nil {
		p := exec.Command(os.Args[0])
		p.Env, p.Stderr = s.env, os.Stderr
		_ = os.Remove(s.file + ".address")
		s.mu.Lock()
		err := p.Start()
		s.process = p
		s.mu.Unlock()
		if err != nil {
			s.t.Error(err)
			return
		}
		_ = p.Wait()
	}
}

// call sends a change, the same to the byte, until somebody answers.
func (s *saga) call(as access.Caller, do func(ctx context.Context, c referralv1.ReferralServiceClient, conn grpc.ClientConnInterface, key string) error) {
	s.t.Helper()
	s.keys++
	key := fmt.Sprintf("saga-request-%08d", s.keys)
	for s.ctx.Err() == nil {
		address, err := os.ReadFile(s.file + ".address")
		if err == nil {
			conn, client, dialled := dial(string(address))
			if dialled != nil {
				s.t.Fatal(dialled)
			}
			err = fault.FromStatus(do(by(s.ctx, as), client, conn, key))
			_ = conn.Close()
			if f, ok := fault.As(err); err == nil || ok && f.Code != fault.Unavailable && f.Code != fault.DeadlineExceeded && !fault.Is(err, fault.StaleVersion) {
				if err != nil {
					s.t.Fatalf("%s: %v", key, err)
				}
				return
			}
		}
		_ = clock.System().Sleep(s.ctx, 10*time.Millisecond)
	}
	s.t.Fatal("the saga does not end")
}

func (s *saga) now() *referral.Referral {
	s.t.Helper()
	r, err := s.store.Get(s.ctx, s.id)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *saga) until(what string, is func(*referral.Referral) bool) *referral.Referral {
	s.t.Helper()
	for s.ctx.Err() == nil {
		if r := s.now(); is(r) {
			return r
		}
		_ = clock.System().Sleep(s.ctx, 10*time.Millisecond)
	}
	s.t.Fatalf("never %s: %+v", what, s.now())
	return nil
}

func (s *saga) state(want referral.State) func(*referral.Referral) bool {
	return func(r *referral.Referral) bool { return r.State == want && !r.Busy() }
}

func (s *saga) tell(req *referralv1.RecordCaseEventRequest) {
	s.t.Helper()
	at := timestamppb.Now()
	s.call(peer, func(ctx context.Context, _ referralv1.ReferralServiceClient, conn grpc.ClientConnInterface, key string) error {
		req.RequestId, req.ReferralId, req.OccurTime = key, s.id, at
		_, err := referralv1.NewCaseEventServiceClient(conn).RecordCaseEvent(ctx, req)
		return err
	})
}

func (s *saga) offer(kind, center, offerID, holdID string) {
	s.t.Helper()
	s.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Offer{Offer: &referralv1.OfferEvent{
		OfferId: offerID, CenterId: center, CenterCity: "310100", Kind: kind, HoldId: holdID,
		AdmissionTime: timestamppb.New(timestamppb.Now().AsTime().Add(48 * time.Hour).Truncate(time.Microsecond)),
	}}})
}

func (s *saga) transfer(kind string) {
	s.t.Helper()
	s.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Transfer{Transfer: &referralv1.TransferEvent{TransferId: move1, Kind: kind}}})
}

// etag is read where the case is: a change in between is another version, and the call is sent again with it.
func (s *saga) etag() string { return s.now().Etag() }

// accepted brings the case to an acceptance: the first center declines, the second one holds a bed.
func (s *saga) accepted() string {
	s.t.Helper()
	s.call(hospital, func(ctx context.Context, c referralv1.ReferralServiceClient, _ grpc.ClientConnInterface, key string) error {
		got, err := c.CreateReferral(ctx, &referralv1.CreateReferralRequest{RequestId: key, PatientId: patient, Organ: organv1.Organ_ORGAN_LIVER, Urgency: organv1.Urgency_URGENCY_URGENT})
		s.id = got.GetReferral().GetReferralId()
		return err
	})
	s.change(hospital, func(ctx context.Context, c referralv1.ReferralServiceClient, key, etag string) error {
		_, err := c.SubmitReferral(ctx, &referralv1.SubmitReferralRequest{RequestId: key, ReferralId: s.id, Etag: etag})
		return err
	})
	s.change(desk, func(ctx context.Context, c referralv1.ReferralServiceClient, key, etag string) error {
		_, err := c.ScreenReferral(ctx, &referralv1.ScreenReferralRequest{RequestId: key, ReferralId: s.id, Etag: etag, Decision: referralv1.ScreeningDecision_SCREENING_DECISION_PASS})
		return err
	})
	s.until("matched", s.state(referral.Matched))
	s.choose("C-SH-01", "C-NJ-01")
	first := s.until("offered", s.state(referral.Offered))
	s.world.decide(first.OfferID, "DECLINED")
	s.offer("DECLINED", "C-SH-01", first.OfferID, "")
	second := s.until("offered again", func(r *referral.Referral) bool {
		return r.State == referral.Offered && r.OfferID != "" && r.Asking == "C-NJ-01"
	})
	bed := s.world.hold()
	s.world.decide(second.OfferID, "ACCEPTED")
	s.offer("ACCEPTED", "C-NJ-01", second.OfferID, bed)
	s.until("filed", func(r *referral.Referral) bool { return r.FilingID != "" })
	return bed
}

// change sends a change of the version seen; one that a job overtook is sent anew.
func (s *saga) change(as access.Caller, do func(ctx context.Context, c referralv1.ReferralServiceClient, key, etag string) error) {
	s.t.Helper()
	for attempt := 0; ; attempt++ {
		etag, stale := s.etag(), false
		s.call(as, func(ctx context.Context, c referralv1.ReferralServiceClient, _ grpc.ClientConnInterface, key string) error {
			err := do(ctx, c, key, etag)
			if stale = fault.Is(fault.FromStatus(err), fault.StaleVersion); stale {
				return nil
			}
			return err
		})
		if !stale {
			return
		}
	}
}

func (s *saga) choose(centers ...string) {
	s.t.Helper()
	s.change(hospital, func(ctx context.Context, c referralv1.ReferralServiceClient, key, etag string) error {
		_, err := c.ChooseCenters(ctx, &referralv1.ChooseCentersRequest{RequestId: key, ReferralId: s.id, Etag: etag, CenterIds: centers})
		return err
	})
}

func (s *saga) book() {
	s.t.Helper()
	s.change(nanjing, func(ctx context.Context, c referralv1.ReferralServiceClient, key, etag string) error {
		_, err := c.BookAdmission(ctx, &referralv1.BookAdmissionRequest{RequestId: key, ReferralId: s.id, Etag: etag})
		return err
	})
}

func (s *saga) close(reason referralv1.CloseReason) {
	s.t.Helper()
	s.change(desk, func(ctx context.Context, c referralv1.ReferralServiceClient, key, etag string) error {
		_, err := c.CloseReferral(ctx, &referralv1.CloseReferralRequest{RequestId: key, ReferralId: s.id, Etag: etag, Reason: reason})
		return err
	})
}

func (s *saga) noShow() {
	s.t.Helper()
	s.change(nanjing, func(ctx context.Context, c referralv1.ReferralServiceClient, key, etag string) error {
		_, err := c.RecordCourse(ctx, &referralv1.RecordCourseRequest{RequestId: key, ReferralId: s.id, Etag: etag, Step: referralv1.CourseStep_COURSE_STEP_NO_SHOW, Comment: "nobody came"})
		return err
	})
}

// died lists the boundaries at which the process died.
func (s *saga) died() []string {
	text, err := os.ReadFile(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// ends waits until nothing is left that nobody needs.
func (s *saga) ends(within time.Duration) []string {
	ctx, cancel := context.WithTimeout(s.ctx, within)
	defer cancel()
	for {
		left := s.world.left(s.now())
		if len(left) == 0 || clock.System().Sleep(ctx, 20*time.Millisecond) != nil {
			return left
		}
	}
}

// withdrawn is the case whose bed is held, then booked, then given back because nobody came; another center is asked, and the
// patient withdraws.
func (s *saga) withdrawn() {
	s.t.Helper()
	s.accepted()
	s.book()
	s.transfer("PLANNED")
	s.noShow()
	s.until("matched again", s.state(referral.Matched))
	s.transfer("ABORTED")
	s.choose("C-SH-01")
	s.until("offered anew", s.state(referral.Offered))
	s.close(referralv1.CloseReason_CLOSE_REASON_WITHDRAWN)
}

// lost is the case that closes while its bed is held, and whose acceptance is told again too late.
func (s *saga) lost() {
	s.t.Helper()
	s.accepted()
	s.close(referralv1.CloseReason_CLOSE_REASON_DIED)
	late := s.world.hold()
	s.offer("ACCEPTED", "C-SH-01", "off_00000000000000000000000099", late)
}
