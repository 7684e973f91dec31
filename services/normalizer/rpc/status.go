package rpc

import (
	"context"
	"errors"
	"time"

	"github.com/paynorm/paynorm/services/normalizer/access"
	"github.com/paynorm/paynorm/services/normalizer/endpoint"
	"github.com/paynorm/paynorm/services/normalizer/eventstream"
	"github.com/paynorm/paynorm/services/normalizer/ledger"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"github.com/paynorm/paynorm/services/normalizer/watch"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Domain is the domain of the reasons in google.rpc.ErrorInfo.
const Domain = "paynorm.dev"

// retryDelay is what a refused sender is asked to wait.
const retryDelay = time.Second

// class is what a caller is told of an error.
type class struct {
	is      error
	code    codes.Code
	reason  string // of google.rpc.ErrorInfo; public, never changed
	message string // never holds the cause
	retry   bool   // a retry may help
}

// classes is in the order of testing: an error may wrap several sentinels.
func classes() []class {
	return []class{
		{endpoint.ErrNotFound, codes.NotFound, "ENDPOINT_NOT_FOUND", "no such endpoint", false},
		{access.ErrUnauthenticated, codes.Unauthenticated, "TOKEN_INVALID", "no bearer token, or one that is no good", false},
		{provider.ErrNotAuthentic, codes.Unauthenticated, "NOT_AUTHENTIC", "the delivery is not authentic", false},
		{provider.ErrUndecodable, codes.InvalidArgument, "UNDECODABLE", "the delivery cannot be decoded", false},
		{ledger.ErrTooLarge, codes.ResourceExhausted, "DELIVERY_TOO_LARGE", "the delivery is too large to be stored", false},
		{ledger.ErrOverloaded, codes.Unavailable, "OVERLOADED", "too many deliveries are waiting", true},
		{errUnreadable, codes.Unavailable, "READ_UNAVAILABLE", "what is stored cannot be read at the moment", true},
		{ledger.ErrUnavailable, codes.Unavailable, "NOT_DURABLE", "the delivery could not be made durable", true},
		{view.ErrNotFound, codes.NotFound, "NOT_FOUND", "not found", false},
		{errErased, codes.FailedPrecondition, "DELIVERY_ERASED", "the content of the delivery was erased", false},
		{watch.ErrBeyond, codes.OutOfRange, "CURSOR_OUT_OF_RANGE", "the cursor is beyond the last event", false},
		{eventstream.ErrNotKept, codes.OutOfRange, "CURSOR_NOT_KEPT", "the cursor is below what is kept; start from the first event that is", false},
		{errTooSlow, codes.ResourceExhausted, "WATCHER_TOO_SLOW", "the watcher reads too slowly; watch again from the last cursor", false},
		{errOtherCaller, codes.Unavailable, "ACCESS_CHANGED", "what the token allows has changed; watch again from the last cursor", true},
		{watch.ErrClosed, codes.Unavailable, "STOPPING", "the server is stopping; watch again from the last cursor", true},
		{context.Canceled, codes.Canceled, "CANCELED", "the call was canceled", false},
		{context.DeadlineExceeded, codes.DeadlineExceeded, "DEADLINE_EXCEEDED", "the deadline passed", true},
	}
}

// toStatus returns what a caller is told of err. What no class covers is
// INTERNAL and does not show the cause.
func toStatus(err error) error {
	if err == nil {
		return nil
	}
	// Made by rpc itself. One that is wrapped comes from elsewhere, and its text
	// would show the whole chain.
	if _, ok := err.(interface{ GRPCStatus() *status.Status }); ok {
		return err
	}
	if errors.Is(err, view.ErrFilling) {
		err = errUnreadable
	}
	for _, c := range classes() {
		if errors.Is(err, c.is) {
			return c.err()
		}
	}
	return class{code: codes.Internal, reason: "INTERNAL", message: "an error inside paynorm; its log says more"}.err()
}

func (c class) err() error {
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: c.reason, Domain: Domain}}
	if c.retry {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(retryDelay)})
	}
	s, err := status.New(c.code, c.message).WithDetails(details...)
	if err != nil {
		return status.Error(c.code, c.message)
	}
	return s.Err()
}

// invalidField is INVALID_ARGUMENT for one field of a request.
func invalidField(field, description string) error {
	s, err := status.New(codes.InvalidArgument, field+": "+description).WithDetails(
		&errdetails.ErrorInfo{Reason: "INVALID_FIELD", Domain: Domain},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field, Description: description}}})
	if err != nil {
		return status.Error(codes.InvalidArgument, field+": "+description)
	}
	return s.Err()
}
