package gateway

import (
	"net/http"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// acknowledge answers with the status, content type and body that the service asked
// for. A status that is no success is refused, before anything is written: only the
// service can say that a delivery is durable, and this way it did not.
func acknowledge(w http.ResponseWriter, code int32, body *httpbody.HttpBody) error {
	if code < 200 || code > 299 {
		return status.Errorf(codes.Internal, "bad acknowledgement status %d", code)
	}
	h := w.Header()
	h["Content-Type"] = nil // there, but empty: neither sniffed nor written
	if code == http.StatusNoContent {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if t := body.GetContentType(); t != "" {
		h.Set("Content-Type", t)
	}
	w.WriteHeader(int(code))       // net/http adds the length: answers are short
	_, _ = w.Write(body.GetData()) // the sender may be gone
	return nil
}
