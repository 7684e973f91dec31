// Package gateway is the HTTP edge. It hands provider webhooks to the
// NormalizerService byte for byte, answers with what that service says, and
// serves the read API as JSON and as streams of events.
package gateway

import (
	"context"
	"fmt"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
)

// Gateway serves the HTTP edge. It is safe for concurrent use. Before its server
// waits for requests in work, EndWatches has to be called.
type Gateway struct {
	o         Options
	webhooks  *runtime.ServeMux
	reads     *runtime.ServeMux
	slots     chan struct{} // one for each webhook in work
	room      room          // for their bodies
	posts     chan struct{} // one for each JSON body in work
	limits    *limits
	providers map[string]bool
	stopping  context.Context // ends with EndWatches
	stop      context.CancelFunc
}

// New makes a gateway of o. It fails when a connection or the clock is missing, or a limit
// is out of range.
func New(o Options) (*Gateway, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("gateway options: %w", err)
	}
	g := &Gateway{o: o, slots: make(chan struct{}, o.MaxConcurrentWebhooks), posts: make(chan struct{}, maxPosts), providers: map[string]bool{}}
	g.stopping, g.stop = context.WithCancel(context.Background())
	g.limits = newLimits(o)
	g.room.give(o.MaxBytesInFlight)
	for _, p := range o.Providers {
		g.providers[p] = true
	}
	if g.webhooks, err = newWebhookMux(g); err != nil {
		return nil, fmt.Errorf("register webhook routes: %w", err)
	}
	if g.reads, err = newReadMux(o); err != nil {
		return nil, fmt.Errorf("register read routes: %w", err)
	}
	return g, nil
}

// Handler serves all paths of the edge. What it does not know is answered 404,
// never with a redirect.
func (g *Gateway) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w}
		a.Header().Set("X-Content-Type-Options", "nosniff")
		defer g.recovered(a, r)
		a.deadline(g.o.ReadTimeout)
		g.route(a, r)
	})
}
