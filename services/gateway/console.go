package gateway

import (
	"net/http"

	"github.com/paynorm/paynorm/services/gateway/console"
)

// page answers a request for a file of the console.
func page(a *answer, r *http.Request, escaped string) {
	file, ok := console.Open(escaped)
	if !ok {
		writeProblem(a, problem{Status: http.StatusNotFound})
		return
	}
	if allow(a, r, http.MethodGet, http.MethodHead) {
		file.ServeHTTP(a, r)
	}
}
