package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

const (
	// largeBody is the largest JSON body: a webhook of 4 MiB in base64, and its headers.
	largeBody = 6 << 20
	// smallBody is the largest JSON body of a call that takes only names and a filter.
	smallBody = 16 << 10
	// maxPosts is how many calls with a JSON body may be in work at once. A large
	// one takes several times its size while it is read and handed on.
	maxPosts = 4
)

// takesPost says whether path below /v1/ takes POST, and how large a body.
func takesPost(path string) (limit int64, ok bool) {
	switch {
	case path == "/v1/deliveries:normalize":
		return largeBody, true
	case path == "/v1/deliveries:reprocess", reprocessesOne(path):
		return smallBody, true
	}
	return 0, false
}

// reprocessesOne says whether path names a delivery to reprocess.
func reprocessesOne(path string) bool {
	return strings.HasPrefix(path, "/v1/deliveries/") && strings.HasSuffix(path, ":reprocess")
}

// post answers a call of the API that has a JSON body.
func (g *Gateway) post(a *answer, r *http.Request, path string, limit int64) {
	if !allow(a, r, http.MethodPost) {
		return
	}
	if r.URL.RawQuery != "" {
		writeProblem(a, problem{Status: http.StatusBadRequest, Detail: "this call has no query parameters"})
		return
	}
	// Also without a body: a browser sends nothing else to another site unasked.
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		writeProblem(a, problem{Status: http.StatusUnsupportedMediaType, Detail: "the Content-Type must be application/json"})
		return
	}
	select {
	case g.posts <- struct{}{}:
		defer func() { <-g.posts }()
	default:
		writeProblem(a, problem{Status: http.StatusServiceUnavailable, retryAfter: "1"})
		return
	}
	body, err := readBody(r, limit)
	if err != nil {
		refuseBody(a, r, limit, err)
		return
	}
	if len(body) == 0 && reprocessesOne(path) { // what must be given is in the path
		body = []byte("{}")
	}
	if err := oneObject(body); err != nil {
		writeProblem(a, problem{Status: http.StatusBadRequest, Detail: err.Error()})
		return
	}
	apiHeaders(a.Header())
	a.deadline(queryTimeout)
	ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
	defer cancel()
	inner := readRequest(ctx, r.Method, path, nil, "")
	inner.Body = io.NopCloser(bytes.NewReader(body))
	g.reads.ServeHTTP(a, inner)
}

// oneObject refuses what grpc-gateway would pass over: it reads the first JSON
// value of a body and takes an empty body for an empty object.
func oneObject(body []byte) error {
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) || !utf8.Valid(body) || !json.Valid(body) {
		return errors.New("the body is not one JSON object")
	}
	return nil
}
