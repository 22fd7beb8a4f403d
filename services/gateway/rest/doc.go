// Package rest is the line's HTTP/JSON face: the same calls as gRPC, with the same rights and the same refusals.
//
// Invariant: every request reaches a service over gRPC under the verified caller, with a deadline and a bound on its
// size, and nothing of its headers; whatever goes wrong is told as a google.rpc.Status with a reason and both languages.
package rest
