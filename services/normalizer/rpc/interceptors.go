package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"github.com/paynorm/paynorm/services/normalizer/access"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// webhooks is how the methods begin that providers call through the gateway.
const webhooks = "/paynorm.normalizer.v1.NormalizerService/"

// errFault stands for a panic, whose text is in the log.
var errFault = errors.New("fault")

// interceptors surround every call: they let in who may make it, validate the
// request, turn faults and errors into statuses and log what is our fault.
// Nothing of a request but the name of the method is logged.
type interceptors struct {
	validator protovalidate.Validator
	door      Doorkeeper
	again     time.Duration // how often the caller of a stream has to be let in again
	logger    *slog.Logger
}

func (i interceptors) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	defer func() { i.finish(ctx, info.FullMethod, recover(), &err) }()
	ctx, err = i.enter(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	if err := i.may(ctx, info.FullMethod, req); err != nil {
		return nil, err
	}
	if err := i.validate(req); err != nil {
		return nil, err
	}
	resp, err = handler(ctx, req)
	if err == nil {
		err = i.leave(ctx, info.FullMethod, resp)
	}
	if err != nil {
		return nil, err
	}
	i.audit(ctx, info.FullMethod, req, resp)
	return resp, nil
}

func (i interceptors) stream(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer func() { i.finish(s.Context(), info.FullMethod, recover(), &err) }()
	ctx, err := i.enter(s.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	if err := i.may(ctx, info.FullMethod, nil); err != nil {
		return err
	}
	ctx, end := i.guard(ctx, info.FullMethod)
	defer end()
	err = handler(srv, validating{s, i, ctx, info.FullMethod})
	if cause := context.Cause(ctx); errors.Is(cause, access.ErrUnauthenticated) || errors.Is(cause, errOtherCaller) {
		return cause // else it would look as if the caller had gone
	}
	return err
}

// validating validates each message that a stream receives, and holds back what
// the caller does not see.
type validating struct {
	grpc.ServerStream
	i      interceptors
	ctx    context.Context // the stream's, with the caller
	method string
}

// Context returns the stream's context with the caller.
func (v validating) Context() context.Context { return v.ctx }

// SendMsg sends what the caller sees.
func (v validating) SendMsg(m any) error {
	if err := v.i.leave(v.ctx, v.method, m); err != nil {
		return err
	}
	return v.ServerStream.SendMsg(m)
}

// RecvMsg receives and validates.
func (v validating) RecvMsg(m any) error {
	if err := v.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return v.i.validate(m)
}

// finish turns the outcome of a call into a status and logs it: what is our
// fault as an error, what is the caller's as a warning. What senders of webhooks
// do wrong is for debugging only, because anybody can send them in numbers; so
// is what is refused for now, which ledger and process report themselves.
func (i interceptors) finish(ctx context.Context, method string, fault any, err *error) {
	if fault != nil {
		*err = errFault
		i.logger.ErrorContext(ctx, "call failed by a fault", "method", method, "fault", fault, "stack", string(debug.Stack()))
	}
	cause := *err
	if cause == nil {
		return
	}
	*err = toStatus(cause)
	code := status.Code(*err)
	if code == codes.Internal && ctx.Err() != nil { // what stopped half-way, because nobody waits for it
		*err = toStatus(ctx.Err())
		code = status.Code(*err)
	}
	level := slog.LevelWarn
	switch {
	case fault != nil:
		return
	case code == codes.Internal, code == codes.Unknown, code == codes.DataLoss:
		level = slog.LevelError
	case code == codes.Canceled, code == codes.DeadlineExceeded, code == codes.Unavailable, strings.HasPrefix(method, webhooks):
		level = slog.LevelDebug
	}
	i.logger.Log(ctx, level, "call failed", "method", method, "code", code.String(), "cause", cause)
}

// validate checks req against the rules in its proto.
func (i interceptors) validate(req any) error {
	m, ok := req.(proto.Message)
	if !ok {
		return nil
	}
	err := i.validator.Validate(m)
	if err == nil {
		return nil
	}
	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	bad := &errdetails.BadRequest{}
	var texts []string
	for _, v := range invalid.Violations {
		field := protovalidate.FieldPathString(v.Proto.GetField())
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: field, Description: v.Proto.GetMessage()})
		texts = append(texts, fmt.Sprintf("%s: %s", field, v.Proto.GetMessage()))
	}
	s, err := status.New(codes.InvalidArgument, strings.Join(texts, "; ")).WithDetails(
		&errdetails.ErrorInfo{Reason: "INVALID_FIELD", Domain: Domain}, bad)
	if err != nil {
		return err
	}
	return s.Err()
}
