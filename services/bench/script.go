package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// script is a transaction for pgbench: the statements of two real ones, with the values they had in common as they were,
// and with new ones of the same form and length where the two differed. What is long and in no index, such as what is
// sealed, stays that of the first.
type script struct {
	text       string
	variables  []string // name=value
	statements []string // as they came
}

const (
	// pgbench gives each client its number and keeps variables from one transaction to the next: n is new in each, and
	// counts up over all clients about as ids and times do.
	counters = "\\set i :i + 1\n\\set n :i * 100 + :client_id\n"
	// longest is the length up to which a text is taken for an id.
	longest    = 64
	blindIndex = 16 // bytes
)

// newScript takes the types of a statement's parameters from oids. Numbers that differ grow by step with each transaction;
// known are expressions for values that should be another in each though the two had them in common.
func newScript(first, second []statement, step int64, known map[string]string, oids func(sql string) ([]uint32, error)) (*script, error) {
	if len(first) != len(second) {
		return nil, fmt.Errorf("one transaction is of %d statements, the other of %d", len(first), len(second))
	}
	made := &script{}
	w := &writer{known: map[string]string{}, step: step}
	maps.Copy(w.known, known)
	w.WriteString(counters)
	for i, s := range first {
		other := second[i]
		if s.sql != other.sql {
			return nil, fmt.Errorf("the statements differ: %s, %s", s.sql, other.sql)
		}
		var types []uint32
		if len(s.values) > 0 {
			var err error
			if types, err = oids(s.sql); err != nil {
				return nil, err
			}
			if len(types) != len(s.values) || len(types) != len(other.values) {
				return nil, fmt.Errorf("%d parameters instead of %d: %s", len(s.values), len(types), s.sql)
			}
		}
		expressions := make([]string, len(types))
		for j, oid := range types {
			a, err := s.text(j, oid)
			if err != nil {
				return nil, err
			}
			b, err := other.text(j, oid)
			if err != nil {
				return nil, err
			}
			expressions[j] = w.expression(oid, a, b)
		}
		w.statement(s.sql, expressions)
		made.statements = append(made.statements, strings.Join(strings.Fields(s.sql), " "))
	}
	made.text, made.variables = w.String(), w.variables
	return made, nil
}

type writer struct {
	strings.Builder
	variables []string
	known     map[string]string // expression by the first transaction's value
	step      int64
}

var parameter = regexp.MustCompile(`\$\d+`)

func (w *writer) statement(sql string, expressions []string) {
	w.WriteString(parameter.ReplaceAllStringFunc(sql, func(p string) string {
		n, err := strconv.Atoi(p[1:])
		if err != nil || n < 1 || n > len(expressions) {
			return p
		}
		return expressions[n-1]
	}))
	w.WriteString(";\n")
}

// expression is what stands for a value that was a in the first transaction and b in the second.
func (w *writer) expression(oid uint32, a, b *string) string {
	switch {
	case a == nil:
		return "NULL"
	case *a == "":
		return "''"
	}
	if known, ok := w.known[*a]; ok {
		return known
	}
	made := w.make(oid, *a, b != nil && *a == *b)
	w.known[*a] = made
	return made
}

func (w *writer) make(oid uint32, value string, common bool) string {
	k := len(w.known)
	if !common {
		switch {
		case oid == pgtype.Int8OID:
			if w.step > 1 {
				return fmt.Sprintf("(%s + :n * %d::bigint)", value, w.step)
			}
			return fmt.Sprintf("(%s + :n)", value)
		case oid == pgtype.ByteaOID && len(value) == len(`\x`)+2*blindIndex:
			return fmt.Sprintf("decode(md5('%d-' || :n), 'hex')", k)
		case oid == pgtype.TextOID && len(value) <= longest:
			// "pat_" and 26 characters that count up; without a prefix, characters by chance.
			if prefix, rest, has := strings.Cut(value, "_"); has && len(prefix) == 3 {
				// What comes last in it tells ids of one kind and one transaction apart.
				return fmt.Sprintf("('%s_' || lpad(:n || '%03d', %d, '0'))", prefix, k, len(rest))
			}
			return fmt.Sprintf("lpad(md5('%d-' || :n), %d, '0')", k, len(value))
		}
	}
	name := fmt.Sprintf("v%d", k)
	w.variables = append(w.variables, name+"="+value)
	return ":" + name
}

// text is a value as PostgreSQL reads it; nil is NULL.
func (s statement) text(i int, oid uint32) (*string, error) {
	value := s.values[i]
	if value == nil {
		return nil, nil
	}
	format := int16(0)
	switch len(s.formats) {
	case 0:
	case 1:
		format = s.formats[0]
	default:
		format = s.formats[i]
	}
	text := string(value)
	if format == 1 {
		switch {
		case oid == pgtype.TextOID:
		case oid == pgtype.ByteaOID:
			text = `\x` + hex.EncodeToString(value)
		case oid == pgtype.Int8OID && len(value) == 8:
			text = strconv.FormatInt(int64(binary.BigEndian.Uint64(value)), 10)
		case oid == pgtype.BoolOID && slices.Equal(value, []byte{1}):
			text = "true"
		case oid == pgtype.BoolOID:
			text = "false"
		default:
			return nil, fmt.Errorf("a parameter of type %d: %s", oid, s.sql)
		}
	}
	return &text, nil
}
