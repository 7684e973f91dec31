package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// reasonTooLarge is the ErrorInfo reason of a delivery that no retry can make smaller.
const reasonTooLarge = "DELIVERY_TOO_LARGE"

// stopping is what a watch ends with when the edge stops, or the service.
func stopping() error {
	st := status.New(codes.Unavailable, "the server is stopping; watch again from the last cursor")
	told, err := st.WithDetails(&errdetails.ErrorInfo{Reason: "STOPPING", Domain: reasonDomain})
	if err != nil { // only an OK takes no details
		return st.Err()
	}
	return told.Err()
}

// newProblem says st in HTTP's words. What failed inside is not for callers,
// so a 5xx has no detail, and a 500 nothing but its number.
func newProblem(st *status.Status, httpStatus int) problem {
	p := problem{Status: httpStatus, Detail: st.Message()}
	if httpStatus == http.StatusServiceUnavailable {
		p.retryAfter = "1"
	}
	for _, d := range st.Details() {
		switch d := d.(type) {
		case *errdetails.RetryInfo:
			p.retryAfter = seconds(d.GetRetryDelay().AsDuration())
		case *errdetails.ErrorInfo:
			p.Reason, p.Domain = d.GetReason(), d.GetDomain()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				p.Errors = append(p.Errors, fieldError{Field: v.GetField(), Detail: v.GetDescription()})
			}
		}
	}
	if httpStatus >= 500 {
		p.Detail = ""
	}
	if httpStatus == http.StatusInternalServerError {
		return problem{Status: httpStatus}
	}
	return p
}

// seconds rounds up to whole seconds, at least one.
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}

// statusOf maps a gRPC code to an HTTP status as google.rpc.Code documents it,
// but for what only tells of a bug: that is 500.
func statusOf(c codes.Code) int {
	if c == codes.Unimplemented || c > codes.Unauthenticated {
		return http.StatusInternalServerError
	}
	return runtime.HTTPStatusFromCode(c)
}

// webhookStatusOf is statusOf for webhooks. Whatever kept a delivery from
// becoming durable and may pass is 503, which all providers take for "later".
func webhookStatusOf(st *status.Status) int {
	switch st.Code() {
	case codes.Canceled, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Unavailable:
	default:
		return statusOf(st.Code())
	}
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetReason() == reasonTooLarge {
			return http.StatusRequestEntityTooLarge
		}
	}
	return http.StatusServiceUnavailable
}

// refuse answers a request below /webhooks/ or /oauth2/ with an error of the service.
func refuse(ctx context.Context, log *slog.Logger, w http.ResponseWriter, r *http.Request, err error) {
	st := status.Convert(err)
	p := newProblem(st, webhookStatusOf(st))
	logBug(ctx, log, r, p.Status, st)
	if p.Status == http.StatusUnauthorized && strings.HasPrefix(r.URL.Path, "/oauth2/") {
		w.Header().Set("WWW-Authenticate", `Basic realm="paynorm"`) // RFC 6749, section 5.2
	}
	writeProblem(w, p)
}

// readError answers errors of the read mux.
func readError(log *slog.Logger) runtime.ErrorHandlerFunc {
	return func(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
		var routing *runtime.HTTPStatusError
		if errors.As(err, &routing) {
			writeProblem(w, problem{Status: routing.HTTPStatus})
			return
		}
		st := status.Convert(err)
		p := newProblem(st, statusOf(st.Code()))
		if p.Status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="paynorm"`) // RFC 6750, section 3
		}
		logBug(ctx, log, r, p.Status, st)
		writeProblem(w, p)
	}
}

// routingError answers paths and methods that a mux does not have.
func routingError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, code int) {
	if code == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodGet)
	}
	writeProblem(w, problem{Status: code})
}

// logBug keeps what a 500 does not tell the caller.
func logBug(ctx context.Context, log *slog.Logger, r *http.Request, httpStatus int, st *status.Status) {
	if httpStatus == http.StatusInternalServerError {
		log.ErrorContext(ctx, "answered 500", "path", r.URL.Path, "code", st.Code().String(), "error", st.Message())
	}
}
