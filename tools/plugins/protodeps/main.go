// Command protodeps prints the .proto files that ours import from the descriptors inside the Go modules that publish them,
// so that nothing of others is committed and their versions are those pinned in go.mod.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	_ "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2/options"
	"github.com/jhump/protoreflect/v2/protoprint"
	_ "google.golang.org/genproto/googleapis/api/annotations"
	_ "google.golang.org/genproto/googleapis/api/httpbody"
	_ "google.golang.org/genproto/googleapis/rpc/code"
	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
	_ "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/reflect/protoregistry"
)

var files = []string{
	"buf/validate/validate.proto",
	"google/api/annotations.proto",
	"google/api/field_behavior.proto",
	"google/api/http.proto",
	"google/api/httpbody.proto",
	"google/rpc/code.proto",
	"google/rpc/error_details.proto",
	"google/rpc/status.proto",
	"protoc-gen-openapiv2/options/annotations.proto",
	"protoc-gen-openapiv2/options/openapiv2.proto",
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("protodeps: ")
	if len(os.Args) != 2 {
		log.Fatal("usage: protodeps FOLDER")
	}
	for _, path := range files {
		if err := write(os.Args[1], path); err != nil {
			log.Fatal(err)
		}
	}
}

func write(folder, path string) error {
	file, err := protoregistry.GlobalFiles.FindFileByPath(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	text, err := new(protoprint.Printer).PrintProtoToString(file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	target := filepath.Join(folder, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return os.WriteFile(target, []byte(text), 0o644)
}
