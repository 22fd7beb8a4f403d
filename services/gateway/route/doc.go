// Package route sends a call to the service, and for settlement the province, that it belongs to.
//
// Invariant: where a call goes follows from its method and its request alone, the same for REST and for gRPC; nothing a
// client put beside the request (headers, metadata) travels on.
package route
