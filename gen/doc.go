// Package gen holds what is generated from proto/: message and client stubs under huhang/, the REST gateway under gateway/, the OpenAPI document under openapi/.
// A partner imports huhang/... and gets gRPC and protobuf, no HTTP gateway and no server of ours.
package gen
