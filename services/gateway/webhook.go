package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
)

// What IngestDeliveryRequest and IssueTokenRequest may hold.
const (
	maxQuery   = 8192
	maxHeaders = 256 // lines, Host included
)

// webhook answers a request below /webhooks/ and counts it.
func (g *Gateway) webhook(a *answer, r *http.Request, rest string) {
	a.began = g.o.Now()
	provider, merchant, ok := endpoint(rest)
	span := g.o.Tracer.Delivery("POST /webhooks/{provider}/{merchant}", provider, merchant, a.began)
	defer func() {
		label := "other"
		if g.providers[provider] {
			label = provider
		}
		status := a.status
		if status == 0 { // a panic is on its way
			status = http.StatusInternalServerError
		}
		took := g.o.Now().Sub(a.began)
		g.o.Metrics.Webhook(label, status, took.Seconds())
		span.Text("paynorm.provider", label)
		span.Number("http.response.status_code", int64(status))
		span.End(status >= http.StatusInternalServerError)
		if g.o.Logger.Enabled(r.Context(), slog.LevelDebug) {
			g.o.Logger.Debug("webhook", "provider", label, "status", status, "took", took, "bytes", r.ContentLength)
		}
	}()
	if !ok {
		writeProblem(a, problem{Status: http.StatusNotFound})
		return
	}
	if allow(a, r, http.MethodPost) { // grpc-gateway logs headers of what it cannot route
		g.webhooks.ServeHTTP(a, r)
	}
}

// token answers a request below /oauth2/.
func (g *Gateway) token(a *answer, r *http.Request, rest string) {
	a.began = g.o.Now()
	rest, ok := strings.CutSuffix(rest, "/token")
	if _, _, valid := endpoint(rest); !ok || !valid {
		writeProblem(a, problem{Status: http.StatusNotFound})
		return
	}
	if allow(a, r, http.MethodPost) {
		g.webhooks.ServeHTTP(a, r)
	}
}

// pass makes the handler that reads a request within the limits and hands it to a call.
// The path is plain by now: names without anything escaped.
func (g *Gateway) pass(limit int64, to call) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, names map[string]string) {
		a := w.(*answer) // the mux hands on what it got
		d := delivery{request: r, provider: names["provider"], merchant: names["merchant"], sender: g.sender(r), at: a.began}
		done, ok := g.limits.admit(r.URL.Path, d.sender, d.at)
		if !ok {
			limited(a, r, limit)
			return
		}
		defer done()
		select {
		case g.slots <- struct{}{}:
			defer func() { <-g.slots }()
		default:
			overloaded(a, r, limit)
			return
		}
		if len(r.URL.RawQuery) > maxQuery {
			writeProblem(a, problem{Status: http.StatusRequestURITooLong})
			return
		}
		if d.headers = headers(r); len(d.headers) > maxHeaders {
			writeProblem(a, problem{Status: http.StatusRequestHeaderFieldsTooLarge})
			return
		}
		reserved := claim(r, limit)
		if !g.room.take(reserved) {
			overloaded(a, r, limit)
			return
		}
		defer func() { g.room.give(reserved) }()
		var err error
		if d.body, err = readBody(r, limit); err != nil {
			refuseBody(a, r, limit, err)
			return
		}
		if used := int64(cap(d.body)); used < reserved { // its length was not known
			g.room.give(reserved - used)
			reserved = used
		}
		g.relay(a, &d, to)
	}
}

// relay hands d to a call and answers with what the service says.
func (g *Gateway) relay(a *answer, d *delivery, to call) {
	a.deadline(g.o.WebhookTimeout)
	// A sender that goes away after its last byte does not stop the work: the
	// delivery is whole, and making it durable spares a redelivery.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.request.Context()), g.o.WebhookTimeout)
	defer cancel()
	a.Header().Set("Cache-Control", "no-store")
	code, body, err := to(withCertificates(ctx, d.request), d)
	if err == nil {
		err = acknowledge(a, code, body)
	}
	if err != nil {
		refuse(ctx, g.o.Logger, a, d.request, err)
	}
}
