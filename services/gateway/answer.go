package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"
)

// writeGrace is how long a client may take to read an answer.
const writeGrace = 5 * time.Second

// answer is an http.ResponseWriter that knows whether the answer has begun.
type answer struct {
	http.ResponseWriter
	began  time.Time // when the request had come, of webhooks and tokens
	status int       // 0 before the answer has begun
}

// WriteHeader begins the answer. Later calls do nothing: an error after the
// first message of a stream cannot change its status anymore.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 {
		return
	}
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.ResponseWriter.Write(b)
}

// Unwrap lets an http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// deadline gives the answer d from now, and the client some time to read it.
// Writers without deadlines, as in tests, do without.
func (a *answer) deadline(d time.Duration) {
	end := time.Now().Add(d + writeGrace) //nolint:forbidigo // a connection's deadline is on the machine's clock, whatever Options.Now says
	_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(end)
}

// recovered turns a panic into 500 and a log line. Where the answer has begun,
// the connection is cut, so that the client does not take it for complete.
func (g *Gateway) recovered(a *answer, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	g.o.Logger.ErrorContext(r.Context(), "panic in the gateway",
		"method", r.Method, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if a.status != 0 {
		panic(http.ErrAbortHandler)
	}
	writeProblem(a, problem{Status: http.StatusInternalServerError})
}
