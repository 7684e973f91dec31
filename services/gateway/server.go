package gateway

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"
)

// Server makes an HTTP server with the timeouts and header limit of o. It has
// no write timeout, because that would cut streams; the gateway sets a write
// deadline for each answer instead. The caller sets Handler (until then all is
// 404) and runs it. To shut it down in good time, it calls Gateway.EndWatches first.
func Server(o Options) *http.Server {
	readTimeout := cmp.Or(o.ReadTimeout, 15*time.Second)
	s := &http.Server{
		Handler:           http.NotFoundHandler(),
		ReadHeaderTimeout: min(cmp.Or(o.ReadHeaderTimeout, 5*time.Second), readTimeout),
		ReadTimeout:       readTimeout,
		IdleTimeout:       cmp.Or(o.IdleTimeout, 90*time.Second),
		MaxHeaderBytes:    cmp.Or(o.MaxHeaderBytes, 32<<10),
	}
	if o.Logger != nil {
		s.ErrorLog = slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn)
	}
	return s
}
