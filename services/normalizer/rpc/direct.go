package rpc

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// direct is a connection to services of this process. It runs the server's
// interceptors, but no HTTP/2 and no encoding: over a socket, a webhook costs
// three to four times as much.
type direct struct {
	methods   map[string]method
	intercept grpc.UnaryServerInterceptor
}

type method struct {
	server any
	handle grpc.MethodHandler
}

func newDirect(intercept grpc.UnaryServerInterceptor) *direct {
	return &direct{methods: map[string]method{}, intercept: intercept}
}

// RegisterService adds the unary methods of a service.
func (d *direct) RegisterService(desc *grpc.ServiceDesc, server any) {
	for _, m := range desc.Methods {
		d.methods["/"+desc.ServiceName+"/"+m.MethodName] = method{server, m.Handler}
	}
}

// Invoke calls a unary method. The request itself is handed over: neither side may
// change it afterwards. Responses are copied, and small. Headers and trailers are not
// carried.
func (d *direct) Invoke(ctx context.Context, name string, args, reply any, _ ...grpc.CallOption) error {
	m, ok := d.methods[name]
	if !ok {
		return status.Errorf(codes.Unimplemented, "%s cannot be called inside the process", name)
	}
	// What the gateway meant to send is what the service receives.
	sent, _ := metadata.FromOutgoingContext(ctx)
	ctx = context.WithValue(metadata.NewIncomingContext(ctx, sent), insideKey{}, true)
	// The generated handler decodes into a message that it makes; it is left
	// empty, and the interceptor puts the caller's in its place.
	nothing := func(any) error { return nil }
	resp, err := m.handle(m.server, ctx, nothing, func(ctx context.Context, _ any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return d.intercept(ctx, args, info, handler)
	})
	if err != nil {
		return err
	}
	return handOver(reply, resp)
}

// NewStream is refused: streams need a real connection.
func (d *direct) NewStream(_ context.Context, _ *grpc.StreamDesc, name string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Errorf(codes.Unimplemented, "%s cannot be called inside the process", name)
}

// handOver copies from to to, which is new and of the same type.
func handOver(to, from any) error {
	dst, ok1 := to.(proto.Message)
	src, ok2 := from.(proto.Message)
	if !ok1 || !ok2 || dst.ProtoReflect().Descriptor() != src.ProtoReflect().Descriptor() {
		return fmt.Errorf("hand over %T as %T", from, to)
	}
	proto.Merge(dst, src)
	return nil
}
