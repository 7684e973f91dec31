package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/iotest"
)

func TestBodyHasRoomForItsLengthOnly(t *testing.T) {
	for _, length := range []int{0, 1, 1000, firstRead - 1, firstRead, firstRead + 1, 100_000, 1 << 20} {
		sent := bytes.Repeat([]byte("0123456789abcdef"), length/16+1)[:length]
		for name, from := range map[string]io.Reader{
			"at once": bytes.NewReader(sent), "in halves": iotest.HalfReader(bytes.NewReader(sent)), "with its end": iotest.DataErrReader(bytes.NewReader(sent)),
		} {
			got, err := readBody(&http.Request{ContentLength: int64(length), Body: io.NopCloser(from)}, 1<<20)
			if err != nil || !bytes.Equal(got, sent) || cap(got) != length {
				t.Errorf("%d bytes %s: got %d (%v) in room for %d", length, name, len(got), err, cap(got))
			}
		}
		short := &http.Request{ContentLength: int64(length) + 1, Body: io.NopCloser(bytes.NewReader(sent))}
		if _, err := readBody(short, 2<<20); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			t.Errorf("%d of %d bytes give %v", length, length+1, err)
		}
	}
}

func TestBodyOfUnknownLengthEndsAtTheLimit(t *testing.T) {
	for length, want := range map[int]error{0: nil, 99: nil, 100: nil, 101: errTooLarge, 100_000: errTooLarge} {
		got, err := readBody(&http.Request{ContentLength: -1, Body: io.NopCloser(bytes.NewReader(make([]byte, length)))}, 100)
		if !errors.Is(err, want) || want == nil && len(got) != length {
			t.Errorf("%d bytes with a limit of 100: got %d (%v), want %v", length, len(got), err, want)
		}
	}
}

func TestBodyOfUnknownLengthKeepsNoMoreRoomThanItNeeds(t *testing.T) {
	const limit = 1 << 20
	for _, length := range []int{1000, 100_000, limit/2 + 1, limit} {
		body, err := readBody(&http.Request{ContentLength: -1, Body: io.NopCloser(bytes.NewReader(make([]byte, length)))}, limit)
		if most := length + length/4; err != nil || cap(body) > most {
			t.Errorf("%d bytes are kept in %d (%v), want %d at most", length, cap(body), err, most)
		}
	}
}
