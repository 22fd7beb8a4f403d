package line

import (
	"context"
	"errors"
	"log/slog"

	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/mtls"
)

// Serve runs the named services of a fleet until ctx is done.
func Serve(ctx context.Context, c Config, names []string, handler slog.Handler) (err error) {
	if err := CheckNames(names); err != nil {
		return err
	}
	registry, err := discovery.NewEtcd(discovery.Config{
		Endpoints: c.Etcd.Endpoints, TTL: c.Etcd.TTL, CacheDir: c.Etcd.CacheDir, Log: slog.New(handler),
	})
	if err != nil {
		return err
	}
	builder := NewBuilder(Parts{
		Registry: registry, Handler: handler, Trace: c.Telemetry,
		Identity: func(service string) (mtls.Identity, error) {
			return mtls.Load(mtls.Files(c.Identity.Dir, mtls.Identity{Kind: mtls.KindService, Name: service}))
		},
	})
	defer func() {
		// A fresh context: ctx is done by now, and what is buffered still has to go out.
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), fleet.StopLimit)
		defer cancel()
		err = errors.Join(err, builder.Close(closing), registry.Close())
	}()
	var services []fleet.Service
	for _, name := range names {
		service, err := builder.Build(ctx, name, c)
		if err != nil {
			return err
		}
		services = append(services, service)
	}
	if c.Ops != "" {
		services = append(services, newOps(c.Ops, builder))
	}
	return fleet.Run(ctx, services...)
}
