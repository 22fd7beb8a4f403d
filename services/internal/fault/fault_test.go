package fault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	faultv1 "huhang.example/gen/huhang/fault/v1"
	"huhang.example/services/internal/fault"
)

const prefix = "REASON_"

func TestReasonsAreThoseOfTheProto(t *testing.T) {
	ours := map[string]bool{}
	for _, reason := range fault.Reasons() {
		ours[string(reason)] = true
		if _, ok := faultv1.Reason_value[prefix+string(reason)]; !ok {
			t.Errorf("%s is not in the proto", reason)
		}
	}
	for name, number := range faultv1.Reason_value {
		if number != 0 && !ours[strings.TrimPrefix(name, prefix)] {
			t.Errorf("%s is not in package fault", name)
		}
	}
}

func TestEveryReasonSaysWhatToDo(t *testing.T) {
	for _, reason := range fault.Reasons() {
		en, zh := reason.WhatToDo()
		if len(en) < 15 || !strings.HasSuffix(en, ".") {
			t.Errorf("%s: %q", reason, en)
		}
		if !strings.HasSuffix(zh, "。") || strings.ContainsAny(zh, ",;:") {
			t.Errorf("%s: %q", reason, zh)
		}
	}
	en, zh := fault.Reason("NEVER_HEARD_OF").WhatToDo()
	if wantEn, wantZh := fault.ReasonInternal.WhatToDo(); en != wantEn || zh != wantZh {
		t.Error("an unknown reason is not treated as internal")
	}
}

func TestChangesAreCopies(t *testing.T) {
	shared := fault.New(fault.FailedPrecondition, fault.WrongState, "", "Not now.", "现在不行。").With("state", "OPEN")
	changed := shared.With("state", "CLOSED").Cause(errors.New("why")).Violate("a", "b", "c").Do("d", "e")
	if shared.Meta["state"] != "OPEN" || shared.Unwrap() != nil || shared.Violations != nil || shared.DoEn == "d" {
		t.Fatalf("the shared fault was changed: %+v", shared)
	}
	if changed.Meta["state"] != "CLOSED" || changed.Unwrap() == nil || len(changed.Violations) != 1 || changed.DoZh != "e" {
		t.Fatalf("%+v", changed)
	}
	if !errors.Is(changed, shared) || errors.Is(changed, fault.NotFoundf("offer", "x")) {
		t.Error("errors.Is does not compare by meaning")
	}
}

func TestIsSeesThroughWrapping(t *testing.T) {
	err := fmt.Errorf("while deciding: %w", fault.Stale("7"))
	if !fault.Is(err, fault.StaleVersion) || fault.Is(err, fault.WrongState) {
		t.Error("the reason was not found")
	}
	if fault.Is(nil, fault.StaleVersion) || fault.Is(context.Canceled, fault.ReasonCanceled) {
		t.Error("a reason was found where none is")
	}
	var none *fault.Fault
	if _, ok := fault.As(error(none)); ok {
		t.Error("a nil fault is a fault")
	}
	if f, ok := fault.As(err); !ok || f.Meta["current_etag"] != "7" {
		t.Error("the current version is missing")
	}
}

func TestNotFoundTakesNoPersonalNumberAlong(t *testing.T) {
	if f := fault.NotFoundf("patient", "pat_1"); f.Meta["id"] != "pat_1" || !strings.Contains(f.Zh, "患者") {
		t.Errorf("%+v", f)
	}
	for _, number := range []string{"11010519491231002X", "13800138000", "+86 138-0013-8000"} {
		if f := fault.NotFoundf("patient", number); strings.Contains(fmt.Sprintf("%+v %v", *f, f), number) {
			t.Errorf("%s travels on in the error", number)
		}
	}
	if f := fault.NotFoundf("gadget", "g_1"); !strings.Contains(f.Zh, "gadget") {
		t.Errorf("%q", f.Zh)
	}
}

func TestTheLogGetsTheCause(t *testing.T) {
	f := fault.New(fault.Unavailable, fault.PeerUnavailable, "center", "Away.", "不可用。").Cause(errors.New("dial refused"))
	if text := f.Error(); text != "UNAVAILABLE PEER_UNAVAILABLE (center): Away.: dial refused" {
		t.Error(text)
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Error("call", "error", f)
	for _, want := range []string{`"code":"UNAVAILABLE"`, `"reason":"PEER_UNAVAILABLE"`, `"field":"center"`, `"cause":"dial refused"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in %s", want, out.String())
		}
	}
	if fault.Code(0).String() != "INTERNAL" || fault.Code(200).String() != "INTERNAL" {
		t.Error("an unset code is internal")
	}
}
