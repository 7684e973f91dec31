package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/gateway"
)

const (
	roomyBody = 600 // of the two that the room is for
	room      = 1000
)

// busy is an edge with room for one body of roomyBody bytes, and one in work.
// leave lets it and later ones go.
func busy(t *testing.T) (url string, leave func()) {
	t.Helper()
	entered, left := make(chan struct{}, 10), make(chan struct{})
	n := normalizer{answer: func(context.Context, *normalizerv1.IngestDeliveryRequest) (*normalizerv1.IngestDeliveryResponse, error) {
		entered <- struct{}{}
		<-left
		return acknowledgement(204, "", ""), nil
	}}
	h := serve(t, gateway.Options{Webhooks: dialNormalizer(t, &n), MaxBodyBytes: room, MaxBytesInFlight: room})
	var first sync.WaitGroup
	first.Go(func() {
		r, err := http.Post(h.URL+"/webhooks/clip/acme", "", strings.NewReader(strings.Repeat("x", roomyBody)))
		if err != nil {
			t.Error(err)
			return
		}
		if a := read(t, r); a.status != 204 {
			t.Errorf("the first one: got %d, want 204", a.status)
		}
	})
	<-entered
	leave = sync.OnceFunc(func() {
		close(left)
		first.Wait()
	})
	t.Cleanup(leave)
	return h.URL, leave
}

func sendBody(t *testing.T, url string, body io.Reader) answered {
	t.Helper()
	r, err := http.Post(url+"/webhooks/clip/acme", "", body)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, r)
}

func TestBodiesThatThereIsNoRoomForAreTurnedAway(t *testing.T) {
	url, leave := busy(t)
	text := strings.Repeat("x", roomyBody)
	for name, body := range map[string]io.Reader{
		"with length":         strings.NewReader(text),
		"of unknown length":   io.MultiReader(strings.NewReader(text)),
		"small, but who knew": io.MultiReader(strings.NewReader("{}")),
	} {
		a := sendBody(t, url, body)
		if a.status != 503 || a.header.Get("Retry-After") != "1" || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d with %v, want a 503 that says when to try again", name, a.status, a.header)
		}
	}
	leave()
	for range 3 { // all room was given back
		for name, body := range map[string]io.Reader{
			"with length":       strings.NewReader(strings.Repeat("x", room)),
			"of unknown length": io.MultiReader(strings.NewReader(text)),
		} {
			if a := sendBody(t, url, body); a.status != 204 {
				t.Errorf("%s, when there is room again: got %d, want 204", name, a.status)
			}
		}
	}
}

// A pipe holds nothing back: the sender gets its body off only if the edge takes it.
func TestSenderOfALargeBodyLearnsThatThereIsNoRoom(t *testing.T) {
	const size = 1 << 20
	body := strings.Repeat("x", size)
	for _, head := range []string{
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, body),
		fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size, body),
	} {
		entered, left := make(chan struct{}), make(chan struct{})
		hangs := conn(func(context.Context, string, any, any) error {
			close(entered)
			<-left
			return status.Error(codes.Unavailable, "at last")
		})
		o := gateway.Options{Webhooks: hangs, Reads: hangs, MaxBodyBytes: size, MaxBytesInFlight: size}
		both := onPipes(t, o, 2)
		first, second := both[0], both[1]
		const start = "POST /webhooks/clip/acme HTTP/1.1\r\nHost: x\r\n"
		if _, err := io.WriteString(first, start+"Content-Length: 1\r\n\r\nx"); err != nil {
			t.Fatal(err)
		}
		<-entered
		if _, err := io.WriteString(second, start+head); err != nil {
			t.Fatal(err)
		}
		if a := receive(t, second); a.status != 503 || a.header.Get("Retry-After") != "1" {
			t.Errorf("got %d, want 503", a.status)
		}
		close(left)
		if a := receive(t, first); a.status != 503 {
			t.Errorf("the first one: got %d, want 503", a.status)
		}
	}
}

func TestRoomIsGivenBackByWhomeverIsRefused(t *testing.T) {
	var n normalizer
	h := serve(t, gateway.Options{Webhooks: dialNormalizer(t, &n), MaxBodyBytes: room, MaxBytesInFlight: room})
	for range 3 {
		for name, tail := range map[string]string{
			"too large":       fmt.Sprintf("Content-Length: %d\r\n\r\n%s", room+1, strings.Repeat("x", room+1)),
			"malformed chunk": "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
		} {
			if a := send(t, h, "POST /webhooks/clip/acme HTTP/1.1\r\nHost: x\r\n"+tail); a.status == 503 || a.status < 400 {
				t.Errorf("%s: got %d", name, a.status)
			}
		}
		if a := sendBody(t, h.URL, strings.NewReader(strings.Repeat("x", room))); a.status != 204 {
			t.Errorf("a body that needs all the room: got %d, want 204", a.status)
		}
	}
}

func TestRoomMustHoldTheLargestBody(t *testing.T) {
	_, err := gateway.New(gateway.Options{Webhooks: conn(nil), Reads: conn(nil), Now: time.Now, MaxBodyBytes: 1000, MaxBytesInFlight: 999})
	if err == nil || !strings.Contains(err.Error(), "MaxBytesInFlight") {
		t.Errorf("got %v, want an error that names the option", err)
	}
}
