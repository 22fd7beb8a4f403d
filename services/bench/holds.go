package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	services "huhang.example/services/internal/fleet"
	transfer "huhang.example/services/transfer/app"
)

var holds = figure{
	name: "holds", title: "holds of a bed and an operating room per second through gRPC, beside pgbench with the same SQL",
	how: `HoldResources over gRPC with mutual TLS on the transfer service in a process of its own; each caller goes round 40 centers of its own, one bed and one operating room each,
of which the same center comes again six hours later in its calendar: nobody waits for another's unit. pgbench runs the statements noted of two real holds, prepared, over the
same centers and times, without the row that the job queue gets for the expiry. After each round holds and reservations are counted, and none of one unit overlaps another`,
	take: takeHolds,
}

const (
	centersEach = 40
	// between is how much later the next hold of a caller is.
	holdsApart = 6 * time.Hour / centersEach
	holdLasts  = time.Hour
)

// openTransfer is one instance over an empty timetable.
func openTransfer(ctx context.Context, a instanceArguments, d services.Deps) (services.Service, error) {
	return transfer.New(ctx, transfer.Config{Instance: "transfer-1", Listen: a.Listen, Database: a.DSN}, d)
}

// holding is the transfer service, and what its callers want next.
type holding struct {
	*child
	dsn    string
	client transferv1.TransferServiceClient
	base   time.Time
	next   [8]atomic.Int64
}

// owner and unit name the centers of a caller and their units; pgbench makes the same names of its client and count.
func owner(center, caller int64) string { return fmt.Sprintf("C-B%02d-%d", center, caller) }

func unit(center, caller, kind int64) string {
	return fmt.Sprintf("res_%026d", center*100+caller*10+kind)
}

const (
	ownerSQL = `('C-B' || lpad((:i %% %d)::text, 2, '0') || '-' || :client_id)`
	unitSQL  = `('res_' || lpad(((:i %% %d) * 100 + :client_id * 10 + %d)::text, 26, '0'))`
)

func (b *bed) holding(ctx context.Context, dsn, address string) (*holding, error) {
	c, connection, err := b.instance("transfer", "000000", "matching", address)
	if err != nil {
		return nil, err
	}
	h := &holding{
		child: c, dsn: dsn, client: transferv1.NewTransferServiceClient(connection),
		base: clock.System().Now().Truncate(24 * time.Hour).Add(48 * time.Hour),
	}
	return h, h.ready(ctx)
}

func asMatching(ctx context.Context) context.Context {
	return access.With(ctx, access.Caller{Service: "matching", Roles: []access.Role{access.Service}})
}

func (h *holding) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(asMatching(ctx), readyLimit)
	defer cancel()
	for {
		_, err := h.client.CountFree(ctx, &transferv1.CountFreeRequest{
			Organisations: []string{owner(0, 0)}, Kind: transferv1.ResourceKind_RESOURCE_KIND_BED, StartTime: timestamppb.New(h.base),
			EndTime: timestamppb.New(h.base.Add(holdLasts)),
		})
		if err == nil {
			return nil
		}
		if failed := clock.System().Sleep(ctx, 20*time.Millisecond); failed != nil {
			return h.why(err)
		}
	}
}

// units adds a bed and an operating room for every center of every caller.
func (h *holding) units(ctx context.Context) error {
	return sql(ctx, h.dsn, func(conn *pgx.Conn) error {
		for center := range int64(centersEach) {
			for caller := range int64(len(h.next)) {
				for kind, name := range []string{"BED", "OPERATING_ROOM"} {
					_, err := conn.Exec(ctx, "INSERT INTO resource (resource_id, organisation, kind, label, version) VALUES ($1, $2, $3, $4, 1)",
						unit(center, caller, int64(kind)), owner(center, caller), name, "示范")
					if err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// hold takes the next bed and operating room of a caller.
func (h *holding) hold(ctx context.Context, caller int) error {
	i := h.next[caller].Add(1)
	start := h.base.Add(time.Duration(i) * holdsApart)
	need := func(kind transferv1.ResourceKind) *transferv1.Need {
		return &transferv1.Need{
			Organisation: owner(i%centersEach, int64(caller)), Kind: kind, StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(holdLasts)),
		}
	}
	got, err := h.client.HoldResources(asMatching(ctx), &transferv1.HoldResourcesRequest{
		RequestId: bills.New("req"), ReferralId: bills.New("ref"), Organisation: owner(i%centersEach, int64(caller)),
		ExpireTime: timestamppb.New(clock.System().Now().Add(24 * time.Hour)),
		Needs:      []*transferv1.Need{need(transferv1.ResourceKind_RESOURCE_KIND_BED), need(transferv1.ResourceKind_RESOURCE_KIND_OPERATING_ROOM)},
	})
	if err == nil && len(got.GetHold().GetReservations()) != 2 {
		return fmt.Errorf("%v", got)
	}
	return err
}

func takeHolds(ctx context.Context, b *bed) ([]table, error) {
	dsn, err := b.database(ctx)
	if err != nil {
		return nil, err
	}
	noted, err := b.observeHold(ctx, dsn)
	if err != nil {
		return nil, fmt.Errorf("the SQL of a hold: %w", err)
	}
	h, err := b.holding(ctx, dsn, dsn)
	if err != nil {
		return nil, err
	}
	b.later(h.stop)
	for i := range h.next {
		h.next[i].Store(centersEach) // behind what was noted
	}
	rates := table{head: []string{"callers", "holds /s", "pgbench /s", "gRPC : pgbench", "line's processor time a hold"}}
	for _, callers := range []int{1, len(h.next)} {
		if _, _, err := h.round(ctx, load{callers: callers, during: b.round / 4, most: b.most}); err != nil { // warm
			return nil, err
		}
		var line, bare, spent series
		for range b.rounds {
			got, cpu, err := h.round(ctx, load{callers: callers, during: b.round, most: b.most})
			if err != nil {
				return nil, err
			}
			line, spent = append(line, got.perSecond()), append(spent, float64(cpu.Microseconds())/1000/float64(got.calls))
			_, perSecond, err := b.pgbench(ctx, &fleet{dsn: dsn, script: noted}, callers)
			if err != nil {
				return nil, err
			}
			bare = append(bare, perSecond)
		}
		rates.add(fmt.Sprint(callers), line.spread("%.0f"), bare.spread("%.0f"), line.over(bare).spread("%.2f"), spent.spread("%.2f")+" ms")
	}
	return []table{rates}, nil
}

// round holds for a while, and then compares what was answered with what is stored.
func (h *holding) round(ctx context.Context, l load) (outcome, time.Duration, error) {
	before, err := countHeld(ctx, h.dsn)
	if err != nil {
		return outcome{}, 0, err
	}
	used, err := h.cpu()
	if err != nil {
		return outcome{}, 0, err
	}
	got, err := l.run(ctx, h.hold)
	if err != nil {
		return outcome{}, 0, h.why(err)
	}
	since, err := h.cpu()
	if err != nil {
		return outcome{}, 0, err
	}
	after, err := countHeld(ctx, h.dsn)
	if err != nil {
		return outcome{}, 0, err
	}
	if after.holds != before.holds+got.calls || after.reservations != before.reservations+2*got.calls || after.overlaps != 0 {
		return outcome{}, 0, fmt.Errorf("after %d holds on top of %+v there are %+v", got.calls, before, after)
	}
	return got, since - used, nil
}

type heldRows struct{ holds, reservations, overlaps int64 }

// countHeld counts what holds leave behind; pgbench's begin long after any of the line's.
func countHeld(ctx context.Context, dsn string) (r heldRows, err error) {
	err = sql(ctx, dsn, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM hold), (SELECT count(*) FROM reservation),
			(SELECT count(*) FROM (SELECT start_at, lag(end_at) OVER (PARTITION BY resource_id ORDER BY start_at) AS before FROM reservation WHERE live) v
			WHERE v.before > v.start_at)`).Scan(&r.holds, &r.reservations, &r.overlaps)
	})
	return r, err
}

// observeHold notes the SQL of two holds as a script for pgbench that goes round the same centers.
func (b *bed) observeHold(ctx context.Context, dsn string) (made *script, err error) {
	address, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	o, err := newObserver(address.Host)
	if err != nil {
		return nil, err
	}
	defer func() { _ = o.listener.Close() }()
	address.Host = o.listener.Addr().String()
	h, err := b.holding(ctx, dsn, address.String())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.stop()) }()
	if err := h.units(ctx); err != nil {
		return nil, err
	}
	var both [2][]statement
	for i := range both {
		o.takeAll(nil)
		h.next[0].Store(int64(centersEach*i) - 1) // the first center, twice
		if err := h.hold(ctx, 0); err != nil {
			return nil, h.why(err)
		}
		both[i] = o.takeAll(ofMutation)
	}
	known := map[string]string{owner(0, 0): fmt.Sprintf(ownerSQL, centersEach)}
	for kind := range int64(2) {
		known[unit(0, 0, kind)] = fmt.Sprintf(unitSQL, centersEach, kind)
	}
	err = sql(ctx, dsn, func(conn *pgx.Conn) error {
		// n grows by 100 with each transaction of a client.
		made, err = newScript(both[0], both[1], holdsApart.Microseconds()/100, known, func(text string) ([]uint32, error) {
			described, err := conn.Prepare(ctx, "", text)
			if err != nil {
				return nil, err
			}
			return described.ParamOIDs, nil
		})
		return err
	})
	return made, err
}
