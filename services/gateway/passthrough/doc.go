// Package passthrough lets partner hospitals' systems call the line's services over gRPC, by their own certificates.
//
// Invariant: the caller is whom the certificate names and nobody else, whatever the call's metadata says; a call reaches
// only a method that somebody outside the line may call, message for message as it was sent, with a bound on its size,
// its time and its number; the answer, its status and its details come back as the service gave them.
package passthrough
