package load_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paynorm/paynorm/benchmarks/internal/load"
)

// request carries seq in the path.
func request(dst []byte, seq uint64) []byte {
	return append(dst, "POST /"+strconv.FormatUint(seq, 10)+" HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"...)
}

// pipes is a network within a synctest bubble.
type pipes struct{ server chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.server
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { close(p.server); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }
func (p pipes) dial(context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	p.server <- server
	return client, nil
}

// run sends deliveries to handler in a bubble of its own, where time passes only
// when all wait.
func run(t *testing.T, handler http.HandlerFunc, o load.Options) *load.Result {
	t.Helper()
	network := pipes{make(chan net.Conn)}
	server := &http.Server{Handler: handler}
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(network) })
	o.Dial, o.Request, o.Sleep, o.Clock.Start = network.dial, request, time.Sleep, time.Now()
	result, err := load.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	served.Wait()
	return result
}

func TestOpenLoopChargesAStallToAllThatWereDueMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := run(t, func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/10" {
				time.Sleep(300 * time.Millisecond)
			}
		}, load.Options{Connections: 1, Duration: time.Second, Clock: load.Clock{Rate: 100}})
		if len(result.Outcomes) != 100 || result.Acknowledged != 100 {
			t.Fatalf("%d sent, %d acknowledged, want 100", len(result.Outcomes), result.Acknowledged)
		}
		// Delivery 10 waits 300 ms, 11 was due 10 ms later and waits 290 ms, and so on: 30 of 100 wait.
		for q, want := range map[float64]time.Duration{.70: 0, .71: 10, .80: 100, .90: 200, 1: 300} {
			got := result.Latency.Quantile(q)
			if want *= time.Millisecond; got < want || float64(got) > 1.01*float64(want) {
				t.Errorf("quantile %v is %v, want %v", q, got, want)
			}
		}
	})
}

func TestClosedLoopSendsTheNextWhenAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := run(t, func(http.ResponseWriter, *http.Request) { time.Sleep(10 * time.Millisecond) },
			load.Options{Connections: 4, Warmup: time.Second, Duration: time.Second})
		// The answers at the very end of the second are late; those at its very beginning count.
		if result.Acknowledged != 400 || result.Sent() != 800 || result.Latency.Count() != 400 {
			t.Errorf("%d acknowledged, %d sent, %d measured; want 400, 800 and 400", result.Acknowledged, result.Sent(), result.Latency.Count())
		}
		if got := result.Latency.Max(); got != 10*time.Millisecond {
			t.Errorf("the longest took %v, want 10ms", got)
		}
	})
}

func TestDeliveriesAreRepeatedUntilAcknowledgedAndNeverAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		attempts, acknowledged := map[string]int{}, map[string]int{}
		result := run(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			attempts[r.URL.Path]++
			switch n := len(r.URL.Path) + attempts[r.URL.Path]; {
			case n%3 == 0:
				w.WriteHeader(http.StatusServiceUnavailable)
			case n%3 == 1 && attempts[r.URL.Path] < 3:
				panic(http.ErrAbortHandler) // closes the connection
			default:
				acknowledged[r.URL.Path]++
				w.WriteHeader(http.StatusNoContent)
			}
		}, load.Options{Connections: 3, Duration: time.Second, Clock: load.Clock{Rate: 200}})
		total := 0
		for seq, o := range result.Outcomes {
			path := fmt.Sprintf("/%d", seq)
			if !o.Acknowledged || acknowledged[path] != 1 || int(o.Attempts) != attempts[path] {
				t.Errorf("delivery %d: %+v, the server saw %d attempts and acknowledged %d", seq, o, attempts[path], acknowledged[path])
			}
			total += attempts[path]
		}
		if len(result.Outcomes) != 200 || result.Retries != total-200 || result.Retries == 0 {
			t.Errorf("%d deliveries and %d retries, want 200 and %d", len(result.Outcomes), result.Retries, total-200)
		}
	})
}

func TestRefusalForGoodIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := run(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
			load.Options{Connections: 1, Duration: time.Second, Clock: load.Clock{Rate: 10}})
		if got := result.Refusals[http.StatusUnauthorized]; got != 10 || result.Retries != 0 || result.Acknowledged != 0 {
			t.Errorf("%+v, want 10 refusals and nothing else", result)
		}
	})
}

func TestServerThatNeverAnswersEndsTheRunAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := run(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then is a lost connection noticed
			<-r.Context().Done()
		}, load.Options{Connections: 2, Duration: time.Second, Clock: load.Clock{Rate: 100}})
		if result.Sent() != 2 || result.Acknowledged != 0 || result.Failures["timeout"] != 2 || result.Unsent != 98 {
			t.Errorf("%d sent, %d unsent, %d acknowledged, failures %v; want 2 of 100 that timed out",
				result.Sent(), result.Unsent, result.Acknowledged, result.Failures)
		}
	})
}

func TestRunEndsWhenThereIsNothingLeftToSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := run(t, func(http.ResponseWriter, *http.Request) { time.Sleep(10 * time.Millisecond) },
			load.Options{Connections: 4, Warmup: time.Second, Duration: time.Hour / 10, Limit: 1200})
		// 804, because the answers at the first and at the last moment both count.
		if result.Sent() != 1200 || result.Acknowledged != 804 || result.Measured != 2*time.Second {
			t.Errorf("%d sent, %d acknowledged in %v; want 1200 and 804 in 2s", result.Sent(), result.Acknowledged, result.Measured)
		}
	})
}

func TestAnswersOfEveryFormKeepTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remotes := 0
		result := run(t, func(w http.ResponseWriter, r *http.Request) {
			n, _ := strconv.Atoi(r.URL.Path[1:])
			if body, _ := io.ReadAll(r.Body); string(body) != "hi" {
				t.Errorf("delivery %d arrives as %q", n, body)
			}
			switch n % 4 {
			case 0:
				_, _ = io.WriteString(w, "ok")
			case 1:
				w.WriteHeader(http.StatusNoContent)
			case 2: // chunked
				_, _ = io.WriteString(w, strings.Repeat("x", n*100))
				w.(http.Flusher).Flush()
				_, _ = io.WriteString(w, "y")
			case 3:
				if n == 3 {
					remotes++
					w.Header().Set("Connection", "close")
				}
			}
		}, load.Options{Connections: 1, Duration: time.Second, Clock: load.Clock{Rate: 40}})
		if result.Acknowledged != 40 || len(result.Failures) != 0 || remotes != 1 {
			t.Errorf("%d acknowledged, failures %v, want 40 and none", result.Acknowledged, result.Failures)
		}
	})
}

func TestDueTimesDoNotDrift(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	clock := load.Clock{Start: start, Rate: 3}
	for seq, want := range map[uint64]time.Duration{0: 0, 1: 333_333_333, 3: time.Second, 3_000_000: 1_000_000 * time.Second} {
		if got := clock.Due(seq).Sub(start); got != want {
			t.Errorf("delivery %d is due after %v, want %v", seq, got, want)
		}
	}
}

func TestOnlyThisMachineIsLoaded(t *testing.T) {
	for _, address := range []string{"10.0.0.1:80", "example.com:80", "0.0.0.0:80", "127.0.0.1", "127.0.0.1:http", ":80", "localhost:80"} {
		if _, err := load.Loopback(address); err == nil {
			t.Errorf("%s is accepted", address)
		}
	}
	for _, address := range []string{"127.0.0.1:80", "[::1]:80"} {
		if _, err := load.Loopback(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestUnboundedRunsAreRefused(t *testing.T) {
	fine := load.Options{Connections: 1, Duration: time.Second, Clock: load.Clock{Start: time.Unix(1, 0)}}
	for name, change := range map[string]func(*load.Options){
		"no connection":        func(o *load.Options) { o.Connections = 0 },
		"too many connections": func(o *load.Options) { o.Connections = load.MaxConnections + 1 },
		"no duration":          func(o *load.Options) { o.Duration = 0 },
		"too long":             func(o *load.Options) { o.Duration = load.MaxDuration + 1 },
		"too fast":             func(o *load.Options) { o.Clock.Rate = load.MaxRate + 1 },
		"no start":             func(o *load.Options) { o.Clock.Start = time.Time{} },
	} {
		o := fine
		change(&o)
		if _, err := load.Run(t.Context(), o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
