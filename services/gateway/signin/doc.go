// Package signin tells from a bearer token who is calling (登录身份核验).
//
// Invariant: a caller comes out only of a token signed by a configured issuer, for this audience, within its time; what
// the token does not say, nobody adds. A token that proves nothing is refused before any work is done for it, and an
// unknown key never makes the issuer be asked more often than once in a cool-down.
package signin
