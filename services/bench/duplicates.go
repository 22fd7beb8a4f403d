package main

import (
	"context"
	databasesql "database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // loads the rows of SQLite

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	services "huhang.example/services/internal/fleet"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcclient"
	patient "huhang.example/services/patient/app"
)

var duplicates = figure{
	name: "duplicates", title: "is this person registered? among many, over gRPC with mutual TLS",
	how: `Two index values a person are made by set in the patient service's own tables, spread over their whole range; what they point to are not whole records.
Among them stand 200 people who registered. CheckRegistration in a closed loop of one caller, half for them (by number; by name, birth date and phone; the record is
opened and answered), half for numbers nobody has; every answer is compared. Service and client are this process. -patients is how many are made at the most`,
	take: takeDuplicates,
}

const (
	registeredAmong = 200
	fewest          = 100_000
)

func takeDuplicates(ctx context.Context, b *bed) ([]table, error) {
	t := table{head: []string{"engine", "people", "known, median", "99 %", "unknown, median", "99 %", "database", "loaded in"}}
	for _, engine := range []string{"sqlite", "postgres"} {
		if b.engine != "" && b.engine != engine {
			continue
		}
		for _, n := range []int64{fewest, 1_000_000, 10_000_000} {
			if n > b.patients {
				if n > fewest {
					continue
				}
				n = b.patients
			}
			row, err := b.among(ctx, engine, n)
			if err != nil {
				return nil, fmt.Errorf("%s, %d people: %w", engine, n, err)
			}
			t.add(append([]string{engine, fmt.Sprint(n)}, row...)...)
		}
	}
	return []table{t}, nil
}

// among loads a database of its own, measures and removes it again.
func (b *bed) among(ctx context.Context, engine string, n int64) (row []string, err error) {
	dir, err := os.MkdirTemp(b.dir, "duplicates-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "patient.db")
	dsn, drop := "sqlite:"+file, func(context.Context) error { return nil }
	if engine == "postgres" {
		if dsn, drop, err = b.scratch(ctx); err != nil {
			return nil, err
		}
	}
	defer func() { err = errors.Join(err, drop(context.WithoutCancel(ctx))) }()
	ctx = access.With(ctx, access.Caller{Subject: "staff-1", Organisation: hospital, Roles: []access.Role{access.Coordinator}})
	known := make([]*patientv1.RegisterPatientRequest, 0, registeredAmong)
	ids := map[string]string{}
	// The service rests while the rows go in: its jobs would wait for them.
	err = b.patientAlone(ctx, dir, dsn, func(client patientv1.PatientServiceClient) error {
		for range registeredAmong {
			request := person(people.Add(1))
			got, err := client.RegisterPatient(ctx, request)
			if err != nil {
				return err
			}
			known, ids[request.GetIdentityNumber()] = append(known, request), got.GetPatient().GetPatientId()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	system := clock.System()
	begun := system.Now()
	if engine == "postgres" {
		err = loadPostgres(ctx, dsn, n)
	} else {
		err = loadSQLite(ctx, file, n)
	}
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	loaded := system.Now().Sub(begun)
	size, err := sizeOf(ctx, engine, dsn, file)
	if err != nil {
		return nil, err
	}
	var hits, misses []time.Duration
	err = b.patientAlone(ctx, dir, dsn, func(client patientv1.PatientServiceClient) (err error) {
		hits, misses, err = b.look(ctx, client, known, ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	return []string{
		milliseconds(quantile(hits, 0.5)), milliseconds(quantile(hits, 0.99)), milliseconds(quantile(misses, 0.5)), milliseconds(quantile(misses, 0.99)),
		fmt.Sprintf("%.2f GB", float64(size)/1e9), fmt.Sprintf("%.0f s", loaded.Seconds()),
	}, nil
}

// look asks for those who are registered and for those who are not, in turns.
func (b *bed) look(ctx context.Context, client patientv1.PatientServiceClient, known []*patientv1.RegisterPatientRequest, ids map[string]string) (hits, misses []time.Duration, err error) {
	one := load{callers: 1, during: b.round, most: b.most}
	for round := range 2 {
		hit, err := one.run(ctx, func(ctx context.Context, _ int) error {
			who := known[rand.N(len(known))]
			ask := &patientv1.CheckRegistrationRequest{IdentityNumber: who.GetIdentityNumber()}
			if rand.N(2) == 0 {
				n := who.GetIdentityNumber()
				ask = &patientv1.CheckRegistrationRequest{Name: who.GetName(), BirthDate: n[6:10] + "-" + n[10:12] + "-" + n[12:14], Phone: who.GetPhone()}
			}
			got, err := client.CheckRegistration(ctx, ask)
			if err == nil && got.GetPatientId() != ids[who.GetIdentityNumber()] {
				err = errors.New("somebody who is registered was not found")
			}
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		miss, err := one.run(ctx, func(ctx context.Context, _ int) error {
			got, err := client.CheckRegistration(ctx, &patientv1.CheckRegistrationRequest{IdentityNumber: person(10_000_000 + rand.Int64N(15_000_000)).GetIdentityNumber()})
			if err == nil && got.GetRegistered() {
				err = errors.New("somebody was found who is not registered")
			}
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		if round > 0 { // the first warms
			hits, misses = append(hits, hit.waits...), append(misses, miss.waits...)
		}
	}
	return hits, misses, nil
}

// patientAlone runs the patient service in this process while do uses it, with a client that speaks as the gateway does.
func (b *bed) patientAlone(ctx context.Context, dir, dsn string, do func(patientv1.PatientServiceClient) error) error {
	authority, err := mtls.DevAuthority(filepath.Join(dir, "authority"))
	if err != nil {
		return err
	}
	service, err := authority.Service("patient")
	if err != nil {
		return err
	}
	gateway, err := authority.Service("gateway")
	if err != nil {
		return err
	}
	registry := discovery.NewStatic(nil)
	pool := rpcclient.New(rpcclient.Config{Identity: gateway, Registry: registry})
	a, err := patient.New(ctx, patient.Config{Instance: "patient-1", Listen: "127.0.0.1:0", Database: dsn, Keys: filepath.Join(dir, "keys")}, services.Deps{
		Clock: clock.System(), IDs: id.Random(), Registry: registry, Identity: service, Peers: pool, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	running, err := services.Start(ctx, a)
	if err != nil {
		return err
	}
	connection, err := pool.Conn("patient", "")
	if err == nil {
		err = do(patientv1.NewPatientServiceClient(connection))
	}
	pool.Close()
	return errors.Join(err, running.Stop(services.StopLimit))
}

// The rows go in by the order of their values, which are spread evenly over the index: what registered before lies among
// them, and what nobody has falls between them.

// The indexes are taken away meanwhile and made again as they were: twenty million insertions into two of them are what took
// most of the time.
func loadPostgres(ctx context.Context, dsn string, n int64) error {
	return sql(ctx, dsn, func(conn *pgx.Conn) error {
		var key, byPatient string
		err := conn.QueryRow(ctx, `SELECT pg_get_constraintdef(oid), pg_get_indexdef('patient_index_patient'::regclass)
			FROM pg_constraint WHERE conname = 'patient_index_pkey'`).Scan(&key, &byPatient)
		if err != nil {
			return err
		}
		statements := []string{
			"SET session_replication_role = replica", // what the rows point to is not made, so their reference is not checked
			"SET synchronous_commit = off", "SET maintenance_work_mem = '1GB'",
			"ALTER TABLE patient_index DROP CONSTRAINT patient_index_pkey", "DROP INDEX patient_index_patient",
		}
		for _, kind := range []string{"number", "person"} {
			for _, half := range [][2]int64{{0, n/2 - 1}, {-n / 2, -1}} { // as unsigned numbers the negative half is the upper one
				statements = append(statements, fmt.Sprintf(`INSERT INTO patient_index (kind, value, patient_id)
					SELECT '%s', decode(lpad(to_hex(i * %d), 16, '0') || substr(md5(i::text), 1, 16), 'hex'), 'pat_' || lpad((i + %d)::text, 26, '0')
					FROM generate_series(%d::bigint, %d::bigint) i`, kind, step(n), n, half[0], half[1]))
			}
		}
		statements = append(statements, "ALTER TABLE patient_index ADD CONSTRAINT patient_index_pkey "+key, byPatient, "VACUUM ANALYZE patient_index")
		for _, statement := range statements {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

func loadSQLite(ctx context.Context, file string, n int64) error {
	db, err := databasesql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(60000)&_pragma=synchronous(OFF)&_pragma=foreign_keys(0)&_pragma=cache_size(-200000)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for _, kind := range []string{"number", "person"} {
		for _, half := range [][2]int64{{0, n/2 - 1}, {-n / 2, -1}} {
			_, err := db.ExecContext(ctx, fmt.Sprintf(`WITH RECURSIVE c (i) AS (SELECT %d UNION ALL SELECT i + 1 FROM c WHERE i < %d)
				INSERT INTO patient_index (kind, value, patient_id)
				SELECT '%s', unhex(printf('%%016x%%016x', i * %d, random())), printf('pat_%%026d', i + %d) FROM c`, half[0], half[1], kind, step(n), n))
			if err != nil {
				return err
			}
		}
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// step spreads n values over 64 bits.
func step(n int64) int64 { return (1<<62)/(n/2)*2 - 1 }

func sizeOf(ctx context.Context, engine, dsn, file string) (size int64, err error) {
	if engine == "postgres" {
		err = sql(ctx, dsn, func(conn *pgx.Conn) error {
			return conn.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&size)
		})
		return size, err
	}
	for _, name := range []string{file, file + "-wal"} {
		info, err := os.Stat(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
		if err == nil {
			size += info.Size()
		}
	}
	return size, nil
}
