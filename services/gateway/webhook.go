package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What IngestDeliveryRequest and IssueTokenRequest may hold.
const (
	maxQuery   = 8192
	maxHeaders = 256 // lines, Host included
)

// webhook answers a request below /webhooks/ and counts it.
func (g *Gateway) webhook(a *answer, r *http.Request, path, rest string) {
	start := g.o.Now()
	provider, merchant, ok := endpoint(rest)
	span := g.o.Tracer.Delivery("POST /webhooks/{provider}/{merchant}", provider, merchant, start)
	defer func() {
		label := "other"
		if g.providers[provider] {
			label = provider
		}
		status := a.status
		if status == 0 { // a panic is on its way
			status = http.StatusInternalServerError
		}
		took := g.o.Now().Sub(start)
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
	g.pass(a, r, path, start, g.o.MaxBodyBytes)
}

// token answers a request below /oauth2/.
func (g *Gateway) token(a *answer, r *http.Request, path, rest string) {
	rest, ok := strings.CutSuffix(rest, "/token")
	if _, _, valid := endpoint(rest); !ok || !valid {
		writeProblem(a, problem{Status: http.StatusNotFound})
		return
	}
	g.pass(a, r, path, g.o.Now(), min(tokenBody, g.o.MaxBodyBytes))
}

// pass reads r within the limits and gives it to the service.
func (g *Gateway) pass(a *answer, r *http.Request, path string, at time.Time, limit int64) {
	if !allow(a, r, http.MethodPost) {
		return
	}
	sender := g.sender(r)
	done, ok := g.limits.admit(path, sender, at)
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
	lines := headers(r)
	if len(lines) > maxHeaders {
		writeProblem(a, problem{Status: http.StatusRequestHeaderFieldsTooLarge})
		return
	}
	reserved := claim(r, limit)
	if !g.room.take(reserved) {
		overloaded(a, r, limit)
		return
	}
	defer func() { g.room.give(reserved) }()
	body, err := readBody(r, limit)
	if err != nil {
		refuseBody(a, r, limit, err)
		return
	}
	if used := int64(cap(body)); used < reserved { // its length was not known
		g.room.give(reserved - used)
		reserved = used
	}
	a.deadline(g.o.WebhookTimeout)
	// A sender that goes away after its last byte does not stop the work: the
	// delivery is whole, and making it durable spares a redelivery.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), g.o.WebhookTimeout)
	defer cancel()
	// grpc-gateway sees a request of ours: nothing that the sender wrote can
	// choose its timeout, method, marshaler or metadata. The path is plain by now.
	inner := &http.Request{
		Method: http.MethodPost,
		URL:    &url.URL{Path: path},
		Header: http.Header{},
		Body:   &delivery{request: r, path: path, sender: sender, headers: lines, body: body, at: at},
	}
	a.Header().Set("Cache-Control", "no-store")
	g.webhooks.ServeHTTP(a, inner.WithContext(ctx))
}
