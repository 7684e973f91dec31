// Command protodeps prints the .proto files that paynorm's own protos import,
// from the descriptors inside the Go packages that go.mod pins. Code
// generation then needs no schema registry, and the imports always match what
// the generated code links against.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	_ "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2/options"
	"github.com/jhump/protoreflect/v2/protoprint"
	_ "google.golang.org/genproto/googleapis/api/annotations"
	_ "google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

func main() {
	out := flag.String("o", "", "folder to write to; it is emptied first")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "protodeps:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	if out == "" {
		return fmt.Errorf("-o is required")
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	var failed error
	protoregistry.GlobalFiles.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(fd.Path(), "google/protobuf/") { // buf carries these itself
			return true
		}
		failed = write(filepath.Join(out, filepath.FromSlash(fd.Path())), fd)
		return failed == nil
	})
	return failed
}

func write(name string, fd protoreflect.FileDescriptor) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	p := protoprint.Printer{Compact: true}
	if err := p.PrintProtoFile(fd, f); err != nil {
		return fmt.Errorf("%s: %w", fd.Path(), err)
	}
	return f.Close()
}
