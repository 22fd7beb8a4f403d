package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// statement is one as it went to PostgreSQL.
type statement struct {
	sql     string
	values  [][]byte // nil is NULL
	formats []int16  // 0 text, 1 binary; one for all, or one a value
}

// observer stands between a service and PostgreSQL and notes every transaction; it changes nothing of what passes.
type observer struct {
	server   string
	listener net.Listener

	mu           sync.Mutex
	transactions [][]statement
}

// maxMessage is more than any message of a registration.
const maxMessage = 1 << 20

func newObserver(server string) (*observer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o := &observer{server: server, listener: listener}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go o.pass(client)
		}
	}()
	return o, nil
}

func (o *observer) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", o.server)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	seen := io.TeeReader(client, server)
	if _, err := message(seen); err != nil { // what opens a connection has no kind
		return
	}
	var transaction []statement
	prepared := map[string]string{}
	var kind [1]byte
	for {
		if _, err := io.ReadFull(seen, kind[:]); err != nil {
			return
		}
		body, err := message(seen)
		if err != nil {
			return
		}
		s, complete, err := read(kind[0], body, prepared)
		if err != nil {
			return
		}
		if !complete {
			continue
		}
		transaction = append(transaction, s)
		switch {
		case strings.HasPrefix(s.sql, "begin"):
			transaction = []statement{s}
		case s.sql == "commit":
			o.mu.Lock()
			o.transactions = append(o.transactions, transaction)
			o.mu.Unlock()
			transaction = nil
		}
	}
}

// message reads a length and what it counts.
func message(from io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n < 4 || n > maxMessage {
		return nil, fmt.Errorf("a message of %d bytes", n)
	}
	body := make([]byte, n-4)
	_, err := io.ReadFull(from, body)
	return body, err
}

func read(kind byte, body []byte, prepared map[string]string) (s statement, complete bool, err error) {
	switch kind {
	case 'Q':
		var query pgproto3.Query
		err = query.Decode(body)
		return statement{sql: query.String}, true, err
	case 'P':
		var parse pgproto3.Parse
		if err = parse.Decode(body); err == nil {
			prepared[parse.Name] = parse.Query
		}
		return s, false, err
	case 'B':
		var bind pgproto3.Bind
		err = bind.Decode(body)
		return statement{sql: prepared[bind.PreparedStatement], values: bind.Parameters, formats: bind.ParameterFormatCodes}, true, err
	}
	return s, false, nil
}

// take returns the transactions noted since the last take that keep a request id: every mutation of the line does.
func (o *observer) take() (mutations [][]statement) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, transaction := range o.transactions {
		if ofMutation(transaction) {
			mutations = append(mutations, transaction)
		}
	}
	o.transactions = nil
	return mutations
}

// observe runs the fleet behind an observer, registers two people, and makes the script of what they have in common.
func (b *bed) observe(ctx context.Context, endpoints []string, dsn string) (made *script, err error) {
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
	c, base, err := b.startLine(ctx, endpoints, address.String())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	sessions, err := signIn(ctx, base, 1)
	if err != nil {
		return nil, err
	}
	var both [2][]statement
	for i := range both {
		if _, err := register(ctx, sessions[0]); err != nil {
			return nil, err
		}
		noted := o.take()
		if len(noted) != 1 {
			return nil, fmt.Errorf("a registration was %d transactions", len(noted))
		}
		both[i] = noted[0]
	}
	err = sql(ctx, dsn, func(conn *pgx.Conn) error {
		made, err = newScript(both[0], both[1], 1, nil, func(text string) ([]uint32, error) {
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
