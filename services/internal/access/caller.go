// Package access says who is calling and what they may do.
//
// Invariant: a right is declared on its RPC in the proto and nowhere else; a method without a rule is refused, and a
// caller that was never identified may see nothing.
package access

import (
	"context"
	"slices"
)

// Role is one capacity in which a caller acts (角色).
type Role string

// The roles a rule may name. Public is never held by anybody: it stands for calls that need no role.
const (
	Coordinator Role = "COORDINATOR" // a hospital's transplant coordinator 协调员
	Center      Role = "CENTER"      // a transplant center's staff 移植中心
	Operations  Role = "OPERATIONS"  // those who run the line 运营
	Agency      Role = "AGENCY"      // a province's medical insurance agency 医保经办
	Service     Role = "SERVICE"     // another service of this house
	Public      Role = "PUBLIC"
)

// OwnSystem is the subject of a hospital's own system, where no person is named.
const OwnSystem = "system"

// Caller is the verified identity behind one call (调用者): a person, a hospital's system or a service.
type Caller struct {
	// Subject is stable within the organisation: a person's sign-in id, OwnSystem for a hospital's own system.
	Subject string
	// Organisation is a hospital's, center's or agency's code; empty for services.
	Organisation string
	// Province is the six-digit code a caller is limited to; empty where it plays no part.
	Province string
	Roles    []Role
	// Service names the calling service when it acts for itself.
	Service string
}

// Has reports whether the caller holds the role.
func (c Caller) Has(role Role) bool { return slices.Contains(c.Roles, role) }

// Known reports whether anybody was identified at all.
func (c Caller) Known() bool { return c.Subject != "" || c.Organisation != "" || c.Service != "" }

// MaySee reports whether the caller may see a record that belongs to the given organisations.
func (c Caller) MaySee(organisations ...string) bool {
	if c.Has(Operations) || c.Has(Service) {
		return true
	}
	// An empty organisation on either side is "nobody's", never a match.
	return c.Organisation != "" && slices.Contains(organisations, c.Organisation)
}

type callerKey struct{}

// With returns a context whose calls are made by caller.
func With(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// From returns the caller of ctx; the zero Caller, which has no rights, when there is none.
func From(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}
