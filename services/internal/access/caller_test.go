package access_test

import (
	"context"
	"testing"

	"huhang.example/services/internal/access"
)

func TestMaySee(t *testing.T) {
	hospital := access.Caller{Subject: "system", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator, access.Center}}
	tests := []struct {
		name   string
		caller access.Caller
		orgs   []string
		want   bool
	}{
		{"own", hospital, []string{"C-BJ-01", "H-HF-01"}, true},
		{"foreign", hospital, []string{"H-NC-01", "C-BJ-01"}, false},
		{"nobody's record", hospital, nil, false},
		{"operations", access.Caller{Subject: "o", Organisation: "OPS", Roles: []access.Role{access.Operations}}, []string{"H-NC-01"}, true},
		{"service", access.Caller{Service: "referral", Roles: []access.Role{access.Service}}, []string{"H-NC-01"}, true},
		{"service name without its role", access.Caller{Service: "referral"}, []string{"H-NC-01"}, false},
		{"unidentified", access.Caller{}, []string{"H-NC-01"}, false},
		{"unidentified and a record without an organisation", access.Caller{}, []string{""}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.caller.MaySee(test.orgs...); got != test.want {
				t.Fatalf("MaySee(%v) = %v, want %v", test.orgs, got, test.want)
			}
		})
	}
}

func TestContext(t *testing.T) {
	if access.From(context.Background()).Known() {
		t.Fatal("a bare context has a caller")
	}
	ctx := access.With(context.Background(), access.Caller{Subject: "zhang", Organisation: "H-HF-01"})
	if got := access.From(ctx); got.Subject != "zhang" || !got.Known() {
		t.Fatalf("From = %+v", got)
	}
}
