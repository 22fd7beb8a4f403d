package app

import (
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// walk is a transfer between two people who have no role but their own. Every step is tried by everybody else first.
type walk struct {
	*world
	back     bool
	from, to access.Caller
	others   []access.Caller
	now      *transferv1.Transfer
}

func person(organisation string, role access.Role) access.Caller {
	return access.Caller{Subject: "示范工号-1", Organisation: organisation, Roles: []access.Role{role}}
}

// ask makes a call as the served line does: who has no right to it is refused before.
func (k *walk) ask(rpc string, by access.Caller, call func(ctx context.Context) (*transferv1.Transfer, error)) (*transferv1.Transfer, error) {
	if err := access.Check(by, "/huhang.transfer.v1."+rpc); err != nil {
		return nil, err
	}
	return call(access.With(k.t.Context(), by))
}

// only lets one person take a step, and nobody else, neither at the other end nor in another role at the same.
func (k *walk) only(rpc string, who access.Caller, step func(ctx context.Context) (*transferv1.Transfer, error)) {
	k.t.Helper()
	before := k.snapshot()
	for _, other := range k.others {
		if other.Organisation == who.Organisation && other.Has(who.Roles[0]) {
			continue
		}
		_, err := k.ask(rpc, other, step)
		if !fault.Is(err, fault.RightMissing) && !fault.Is(err, fault.ReasonNotFound) {
			k.t.Errorf("%s by the %s of %s: %v", rpc, other.Roles[0], other.Organisation, err)
		}
	}
	if k.snapshot() != before {
		k.t.Errorf("%s: refused and changed", rpc)
	}
	next, err := k.ask(rpc, who, step)
	if err != nil {
		k.t.Fatalf("%s: %v", rpc, err)
	}
	k.now = next
}

func (k *walk) plan() {
	k.t.Helper()
	ref, pat := k.opens("C-BJ-01")
	none := &transferv1.FitnessToTravel{}
	if k.back {
		k.only("MoveService/CreateBackTransfer", k.from, func(ctx context.Context) (*transferv1.Transfer, error) {
			got, err := k.moves.CreateBackTransfer(ctx, &transferv1.CreateBackTransferRequest{
				RequestId: k.request(), ReferralId: ref, PatientId: pat, FromOrganisation: "C-BJ-01", ToOrganisation: "H-BD-01",
				OriginCity: "110100", DestinationCity: "130600", NotBefore: timestamppb.New(k.clock.Now().Add(time.Hour)), Fitness: none,
			})
			return got.GetTransfer(), err
		})
	} else {
		k.only("TransferService/CreateTransfer", k.from, func(ctx context.Context) (*transferv1.Transfer, error) {
			got, err := k.server.CreateTransfer(ctx, &transferv1.CreateTransferRequest{
				RequestId: k.request(), ReferralId: ref, PatientId: pat, FromOrganisation: "H-BD-01", ToOrganisation: "C-BJ-01",
				OriginCity: "130600", DestinationCity: "110100", NotBefore: timestamppb.New(k.clock.Now().Add(time.Hour)), Fitness: none,
			})
			return got.GetTransfer(), err
		})
	}
}

func (k *walk) leave() {
	k.t.Helper()
	k.clock.Set(k.now.GetItinerary().GetDepartTime().AsTime())
	k.only("TransferService/CheckFitness", k.from, func(ctx context.Context) (*transferv1.Transfer, error) {
		got, err := k.server.CheckFitness(ctx, k.fitness(k.now, &transferv1.FitnessToTravel{}, false))
		return got.GetTransfer(), err
	})
	k.only("TransferService/Depart", k.from, func(ctx context.Context) (*transferv1.Transfer, error) {
		got, err := k.server.Depart(ctx, &transferv1.DepartRequest{RequestId: k.request(), TransferId: k.now.GetTransferId(), Etag: k.now.GetEtag()})
		return got.GetTransfer(), err
	})
}

// The way back is the center's staff's and the local hospital's coordinator's to walk, as the way there is the coordinator's
// and the center's staff's: neither needs the other's role, and nobody takes a step of the other's.
func TestBothWaysAreWalkedByTheirOwnPeople(t *testing.T) {
	hospital, center := person("H-BD-01", access.Coordinator), person("C-BJ-01", access.Center)
	for name, k := range map[string]walk{"there": {from: hospital, to: center}, "back": {back: true, from: center, to: hospital}} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.startJobs()
				k := k
				k.world, k.others = w, []access.Caller{hospital, center, person("H-BD-01", access.Center), person("C-BJ-01", access.Coordinator), person("C-BJ-02", access.Center)}
				k.plan()
				k.leave()
				k.clock.Set(k.now.GetItinerary().GetArriveTime().AsTime().Add(time.Minute))
				sign := func(ctx context.Context) (*transferv1.Transfer, error) {
					got, err := w.moves.SignHandOver(ctx, w.signature(k.now))
					return got.GetTransfer(), err
				}
				handOver := func(ctx context.Context) (*transferv1.Transfer, error) {
					got, err := w.server.HandOver(ctx, w.received(k.now))
					return got.GetTransfer(), err
				}
				k.only("MoveService/SignHandOver", k.from, sign)
				k.only("TransferService/HandOver", k.to, handOver)
				k.plan()
				k.leave()
				k.clock.Set(k.now.GetItinerary().GetArriveTime().AsTime().Add(time.Minute))
				k.only("TransferService/HandOver", k.to, handOver)
				k.only("MoveService/SignHandOver", k.from, sign)
				told := []string{"PLANNED", "DEPARTED", "ARRIVED", "PLANNED", "DEPARTED", "ARRIVED", "PLANNED", "ABORTED", "PLANNED", "DEPARTED", "ABORTED", "PLANNED", "DEPARTED", "ABORTED"}
				if k.back {
					for i := range told {
						told[i] = "BACK_" + told[i]
					}
				}
				k.plan()
				k.only("TransferService/AbortTransfer", k.from, func(ctx context.Context) (*transferv1.Transfer, error) {
					got, err := w.server.AbortTransfer(ctx, &transferv1.AbortTransferRequest{RequestId: w.request(), TransferId: k.now.GetTransferId(), Etag: k.now.GetEtag(), Code: "CANCELLED"})
					return got.GetTransfer(), err
				})
				k.plan()
				k.leave()
				k.only("MoveService/DivertTransfer", k.from, func(ctx context.Context) (*transferv1.Transfer, error) {
					got, err := w.moves.DivertTransfer(ctx, &transferv1.DivertTransferRequest{RequestId: w.request(), TransferId: k.now.GetTransferId(), Etag: k.now.GetEtag(), City: "130100", Comment: "示范：就近收治"})
					return got.GetTransfer(), err
				})
				k.plan()
				k.leave()
				k.only("MoveService/RefuseAtDoor", k.to, func(ctx context.Context) (*transferv1.Transfer, error) {
					got, err := w.moves.RefuseAtDoor(ctx, &transferv1.RefuseAtDoorRequest{RequestId: w.request(), TransferId: k.now.GetTransferId(), Etag: k.now.GetEtag(), Code: 1, Comment: "示范：无床"})
					return got.GetTransfer(), err
				})
				sqldbtest.Idle(t, w.db)
				w.toldExactly(append(told, "SIGNED", "SIGNED", "AT_DOOR")...) // at the door where the receiving side signed first
			})
		})
	}
}

// Home is the hospital that registered the patient, or the one that the case was referred back to; nowhere else, and from
// no other center than the case's.
func TestTheWayBackLeadsHome(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ref, pat := w.opens("C-BJ-01")
		ask := func(from, to, city string) error {
			_, err := w.moves.CreateBackTransfer(w.as(from, access.Center), &transferv1.CreateBackTransferRequest{
				RequestId: w.request(), ReferralId: ref, PatientId: pat, FromOrganisation: from, ToOrganisation: to,
				OriginCity: "110100", DestinationCity: city, NotBefore: at(4), Fitness: &transferv1.FitnessToTravel{},
			})
			return err
		}
		before := w.snapshot()
		w.refused("a hospital that has nothing to do with it", before, ask("C-BJ-01", "H-HF-01", "340100"), fault.ReasonNotFound)
		w.refused("another center", before, ask("C-BJ-02", "H-BD-01", "130600"), fault.ReasonNotFound)
		referred := w.peers.cases[ref]
		referred.LocalHospital, referred.State = "H-HF-01", "BACK_REFERRED"
		w.peers.cases[ref] = referred
		if err := ask("C-BJ-01", "H-HF-01", "340100"); err != nil {
			t.Error(err)
		}
	})
}
