package gateway

import (
	"encoding/json"
	"net/http"
)

// problem is an error as RFC 9457 writes it.
type problem struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail,omitempty"`
	Reason string       `json:"reason,omitempty"` // of google.rpc.ErrorInfo
	Domain string       `json:"domain,omitempty"` // of google.rpc.ErrorInfo
	Errors []fieldError `json:"errors,omitempty"` // of google.rpc.BadRequest

	retryAfter string // seconds; not in the body
}

// fieldError is one field that was refused.
type fieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// statusClientClosedRequest is what nginx logs when the client went away; the
// standard library has no name for it.
const statusClientClosedRequest = 499

func (p problem) marshal() []byte {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	if p.Status == statusClientClosedRequest {
		p.Title = "Client Closed Request"
	}
	b, err := json.Marshal(p)
	if err != nil { // strings and a number always marshal
		return []byte(`{"type":"about:blank"}`)
	}
	return b
}

// writeProblem answers with p.
func writeProblem(w http.ResponseWriter, p problem) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	apiHeaders(h)
	if p.retryAfter != "" {
		h.Set("Retry-After", p.retryAfter)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(p.marshal()) // the client may be gone
}
