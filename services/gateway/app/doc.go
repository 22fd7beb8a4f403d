// Package app puts the gateway together.
//
// Invariant: the gateway has no rules and no store; whatever it answers about the field came from a service, for a
// caller whom it verified. It is ready only while the services are.
package app
