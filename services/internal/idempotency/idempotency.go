// Package idempotency makes a mutation happen once however often it is asked for.
//
// Invariant: for one caller, method and request id there is at most one effect. The effect, the answer, the payload's
// hash and the audit entry commit together; a repetition with the same payload gets that answer, one with another
// payload is refused. An error leaves no trace, so that the caller may try again.
package idempotency

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
)

const maxRequestID = 128

// Request is any mutation's request message.
type Request interface {
	proto.Message
	GetRequestId() string
}

// Cipher protects stored answers; a Tink AEAD is one.
type Cipher interface {
	Encrypt(plaintext, associatedData []byte) ([]byte, error)
	Decrypt(ciphertext, associatedData []byte) ([]byte, error)
}

// Option changes how one call is kept.
type Option func(*options)

type options struct {
	cipher   Cipher
	resource string
}

// Sealed keeps the answer encrypted: for answers that hold what is encrypted elsewhere in the database.
func Sealed(c Cipher) Option { return func(o *options) { o.cipher = c } }

// Resource names the record in the audit entry. By default it is the first id in the answer, else in the request.
func Resource(id string) Option { return func(o *options) { o.resource = id } }

// Once runs fn in a transaction of db and returns its answer; what fn does through db with its context belongs to that
// transaction. Of several equal calls at the same time one runs fn, the others wait for its answer.
//
// fn may be run again when the database says so, see sqldb.Write: it must not call other services. Gather what is needed
// from them before, and leave what they must learn to a job.
//
// Faults: REQUEST_ID_REUSED for another payload under a used id, FIELD_INVALID for an absent id, IDENTITY_MISSING for an
// unidentified caller; and whatever fn returns.
func Once[R proto.Message](ctx context.Context, db *sqldb.DB, req Request, fn func(ctx context.Context) (R, error), opts ...Option) (R, error) {
	var options options
	for _, set := range opts {
		set(&options)
	}
	var answer, none R
	key, err := keyOf(ctx, req)
	if err != nil {
		return none, err
	}
	hash, err := hashOf(req)
	if err != nil {
		return none, err
	}
	err = db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		answer = none
		// The row goes first: it makes equal calls wait for this transaction's end.
		inserted, err := tx.Exec(ctx, `INSERT INTO idempotency (caller, method, request_id, payload_hash, answer, created_at)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			key.caller, key.method, key.requestID, hash, []byte{}, clock.Micros(tx.Clock().Now()))
		if err != nil {
			return fmt.Errorf("idempotency: %w", err)
		}
		if inserted == 0 {
			answer = none.ProtoReflect().New().Interface().(R)
			return key.recall(ctx, tx, hash, options.cipher, answer)
		}
		answer, err = fn(ctx)
		if err != nil {
			return err
		}
		if !answer.ProtoReflect().IsValid() {
			return errors.New("idempotency: no answer and no error")
		}
		if err := key.keep(ctx, tx, options.cipher, answer); err != nil {
			return err
		}
		resource := options.resource
		if resource == "" {
			resource = resourceOf(answer, req)
		}
		return audit.Append(ctx, tx, audit.Entry{Action: key.method, Resource: resource, Outcome: audit.Done, RequestHash: hash})
	})
	if err != nil {
		return none, err
	}
	return answer, nil
}

// Recall returns the answer of an earlier equal call, and whether there was one. It is for mutations that must ask other
// services before Once, where asking again could be refused or do harm. Faults: those of Once that are not fn's.
func Recall[R proto.Message](ctx context.Context, db *sqldb.DB, req Request) (R, bool, error) {
	var none R
	key, err := keyOf(ctx, req)
	if err != nil {
		return none, false, err
	}
	hash, err := hashOf(req)
	if err != nil {
		return none, false, err
	}
	answer := none.ProtoReflect().New().Interface().(R)
	err = db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error { return key.recall(ctx, q, hash, nil, answer) })
	switch {
	case errors.Is(err, sqldb.ErrNoRows):
		return none, false, nil
	case err != nil:
		return none, false, err
	}
	return answer, true, nil
}

type key struct{ caller, method, requestID string }

func keyOf(ctx context.Context, req Request) (key, error) {
	k := key{requestID: req.GetRequestId()}
	if k.requestID == "" || len(k.requestID) > maxRequestID {
		return key{}, fault.New(fault.InvalidArgument, fault.FieldInvalid, "request_id",
			"The request id is missing or too long.", "缺少请求标识，或请求标识过长。")
	}
	// Colleagues share their organisation's keys: a request taken over by another desk is still the same request.
	switch caller := access.From(ctx); {
	case caller.Organisation != "":
		k.caller = "organisation/" + caller.Organisation
	case caller.Service != "":
		k.caller = "service/" + caller.Service
	case caller.Subject != "":
		k.caller = "subject/" + caller.Subject
	default:
		return key{}, fault.New(fault.Unauthenticated, fault.IdentityMissing, "", "The caller is not identified.", "无法识别调用者身份。")
	}
	var known bool
	if k.method, known = grpc.Method(ctx); !known {
		k.method = string(req.ProtoReflect().Descriptor().FullName())
	}
	return k, nil
}

// recall fills answer with the first one.
func (k key) recall(ctx context.Context, tx sqldb.Querier, hash []byte, cipher Cipher, answer proto.Message) error {
	var firstHash, stored []byte
	err := tx.QueryRow(ctx, "SELECT payload_hash, answer FROM idempotency WHERE caller = $1 AND method = $2 AND request_id = $3",
		k.caller, k.method, k.requestID).Scan(&firstHash, &stored)
	if err != nil {
		return fmt.Errorf("idempotency: %w", err)
	}
	if !bytes.Equal(hash, firstHash) {
		return fault.New(fault.InvalidArgument, fault.RequestIDReused, "request_id",
			"This request id was used for a request with other contents.", "该请求标识已用于内容不同的请求。")
	}
	if cipher != nil {
		if stored, err = cipher.Decrypt(stored, k.bytes()); err != nil {
			return fmt.Errorf("idempotency: stored answer: %w", err)
		}
	}
	if err := proto.Unmarshal(stored, answer); err != nil {
		return fmt.Errorf("idempotency: stored answer: %w", err)
	}
	return nil
}

func (k key) keep(ctx context.Context, tx *sqldb.Tx, cipher Cipher, answer proto.Message) error {
	stored, err := proto.Marshal(answer)
	if err == nil && cipher != nil {
		stored, err = cipher.Encrypt(stored, k.bytes())
	}
	if err != nil {
		return fmt.Errorf("idempotency: answer: %w", err)
	}
	if stored == nil {
		stored = []byte{} // an empty message; the column is NOT NULL
	}
	err = tx.Send(ctx, "UPDATE idempotency SET answer = $4 WHERE caller = $1 AND method = $2 AND request_id = $3",
		k.caller, k.method, k.requestID, stored)
	if err != nil {
		return fmt.Errorf("idempotency: %w", err)
	}
	return nil
}

// bytes binds a sealed answer to its row.
func (k key) bytes() []byte { return []byte(k.caller + "\x00" + k.method + "\x00" + k.requestID) }

// hashOf covers the whole request. The hash of a guessable field alone could be tried out; the request id is part of it.
func hashOf(req Request) ([]byte, error) {
	payload, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("idempotency: request: %w", err)
	}
	sum := sha256.Sum256(payload)
	return sum[:], nil
}
