package gateway

import (
	"context"
	"net/http"
	"time"
)

// readyTimeout bounds the question whether requests can be served.
const readyTimeout = 5 * time.Second

// fixed answers the paths that are about the process itself.
func (g *Gateway) fixed(a *answer, r *http.Request, path string) {
	switch path {
	case "/healthz":
		g.whole(a, r, []byte(`{"status":"ok"}`))
	case "/readyz":
		g.ready(a, r)
	case "/openapi.json":
		g.whole(a, r, g.o.OpenAPI)
	case "/asyncapi.json":
		g.whole(a, r, g.o.AsyncAPI)
	case "/docs", "/docs/style.css":
		g.reference(a, r)
	default:
		writeProblem(a, problem{Status: http.StatusNotFound})
	}
}

// reference answers with the page for people; 404 when there is none.
func (g *Gateway) reference(a *answer, r *http.Request) {
	if g.o.Reference == nil {
		writeProblem(a, problem{Status: http.StatusNotFound})
		return
	}
	if allow(a, r, http.MethodGet, http.MethodHead) {
		g.o.Reference.ServeHTTP(a, r)
	}
}

// ready tells whether requests can be served, and if not, why: the one 503 with
// a detail, because who asks is the operator.
func (g *Gateway) ready(a *answer, r *http.Request) {
	if !allow(a, r, http.MethodGet, http.MethodHead) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := g.o.Ready(ctx); err != nil {
		writeProblem(a, problem{Status: http.StatusServiceUnavailable, Detail: err.Error()})
		return
	}
	g.whole(a, r, []byte(`{"status":"ready"}`))
}

// whole answers with a JSON document; 404 when there is none.
func (g *Gateway) whole(a *answer, r *http.Request, document []byte) {
	if len(document) == 0 {
		writeProblem(a, problem{Status: http.StatusNotFound})
		return
	}
	if !allow(a, r, http.MethodGet, http.MethodHead) {
		return
	}
	h := a.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", loadsNothing)
	_, _ = a.Write(document) // the client may be gone
}
