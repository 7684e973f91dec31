package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"
)

// firstRead is how much memory a claimed Content-Length gets in advance; more
// only comes with the bytes.
const firstRead = 64 << 10

// errTooLarge says that a body is over the limit.
var errTooLarge = errors.New("body over the limit")

// readBody reads the body of r. It fails with errTooLarge, with
// os.ErrDeadlineExceeded when the sender is too slow, and with other errors
// when the body is cut off or its chunks are malformed.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, errTooLarge
	}
	if r.ContentLength >= 0 {
		return readLength(r.Body, int(r.ContentLength))
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, errTooLarge
	}
	return body, nil
}

// readLength reads length bytes into a slice of that capacity.
func readLength(from io.Reader, length int) ([]byte, error) {
	body := make([]byte, min(length, firstRead))
	n, err := io.ReadFull(from, body)
	if err == nil && n < length {
		body = append(make([]byte, 0, length), body...)[:length]
		_, err = io.ReadFull(from, body[n:])
	}
	return body, err
}

// refuseBody answers a body that could not be read.
func refuseBody(a *answer, r *http.Request, limit int64, err error) {
	status := http.StatusBadRequest
	switch {
	case errors.Is(err, errTooLarge):
		status = http.StatusRequestEntityTooLarge
		drain(r, limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		status = http.StatusRequestTimeout
		a.Header().Set("Connection", "close")
	default:
		a.Header().Set("Connection", "close")
	}
	writeProblem(a, problem{Status: status})
}

// drain takes in what is left of a body that is not much too large. Senders
// that write all before they read would otherwise see a broken connection
// instead of the answer. It stays within the read deadline.
func drain(r *http.Request, limit int64) {
	if r.Header.Get("Expect") != "" || r.ContentLength > 2*limit {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, 2*limit)
}
