// Package fleet starts services in order and stops them in reverse.
//
// Invariant: whatever was started is stopped, the last one first, each with some of the time that is left; no service
// that hangs keeps the others from their end, and the whole stop ends within its limit.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/telemetry"
)

// Deps are what every service is built from.
type Deps struct {
	Clock     clock.Clock
	IDs       id.Source
	Registry  discovery.Registry
	Identity  mtls.Identity // this service's own
	Peers     *rpcclient.Pool
	Log       *slog.Logger
	Telemetry *telemetry.Telemetry
}

// Service is one part of a process that is started and stopped.
type Service interface {
	Name() string
	// Start returns when the service works; where it fails, it leaves nothing open. Its context ends when the process begins to stop.
	Start(ctx context.Context) error
	// Stop returns when the service has ended, at the latest when ctx does.
	Stop(ctx context.Context) error
}

// StopLimit is how long a stop may take altogether.
const StopLimit = 5 * time.Second

// reserve is the time each service that still waits for its stop is sure to get.
const reserve = 250 * time.Millisecond

// graceLimit is how long a service may take to return once its context has ended.
const graceLimit = 50 * time.Millisecond

// Run starts the services, waits until ctx is done, and stops them. The error joins whatever failed in starting and
// stopping; it is nil after an orderly end.
func Run(ctx context.Context, services ...Service) error {
	running, err := Start(ctx, services...)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return running.Stop(StopLimit)
}

// Running is a fleet that was started.
type Running struct{ services []Service }

// Start starts the services in order. When one fails, those before it are stopped and the error says so.
func Start(ctx context.Context, services ...Service) (*Running, error) {
	running := &Running{}
	for _, service := range services {
		err := ctx.Err()
		if err == nil {
			err = service.Start(ctx)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start %s: %w", service.Name(), err), running.Stop(StopLimit))
		}
		running.services = append(running.services, service)
	}
	return running, nil
}

// Stop stops the services in reverse within the limit, and returns what went wrong.
func (r *Running) Stop(limit time.Duration) error {
	services := r.services
	r.services = nil
	all, cancel := context.WithTimeout(context.Background(), max(limit-graceLimit, 0))
	defer cancel()
	end, _ := all.Deadline()
	// With a small limit or many services everybody's sure share is smaller.
	share := min(reserve, limit/time.Duration(2*max(len(services), 1)))
	var failed []error
	for i := len(services) - 1; i >= 0; i-- {
		if err := stop(all, services[i], end.Add(-time.Duration(i)*share)); err != nil {
			failed = append(failed, fmt.Errorf("stop %s: %w", services[i].Name(), err))
		}
	}
	return errors.Join(failed...)
}

// ErrHung says that a service did not return from Stop in time and was left behind.
var ErrHung = errors.New("did not stop in time")

func stop(ctx context.Context, service Service, until time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- service.Stop(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	// Whoever heeds its context returns about now; its own error says more than ErrHung.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceLimit)
	defer cancel()
	select {
	case err := <-done:
		return err
	case <-grace.Done():
		return ErrHung
	}
}
