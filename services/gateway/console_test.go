package gateway_test

import (
	"strings"
	"testing"

	"github.com/paynorm/paynorm/services/gateway"
)

func TestConsoleIsServedAtItsPathOnly(t *testing.T) {
	h := serve(t, gateway.Options{Reads: dialReads(t, &reads{})})
	for _, target := range []string{"/console", "/console/", "/console?x=1"} {
		if a := get(t, h, target); a.status != 200 || !strings.HasPrefix(a.body, "<!doctype html>") || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("GET %s: got %d %s", target, a.status, a.header.Get("Content-Type"))
		}
	}
	for target, want := range map[string]int{"GET /console/app.js": 200, "HEAD /console": 200, "POST /console": 405, "GET /console/none.js": 404, "GET /console/../v1/events": 404} {
		if a := send(t, h, target+" HTTP/1.1\r\nHost: x\r\n\r\n"); a.status != want {
			t.Errorf("%s: got %d, want %d", target, a.status, want)
		}
	}
}
