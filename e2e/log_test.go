package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/internal/simulator"
)

// logLine is a line of the log with its level and message.
var logLine = regexp.MustCompile(`^time=\S+ level=(\S+) msg=("(?:[^"\\]|\\.)*"|\S+)`)

// What goes well is in the metrics and not in the log, where it would bury the rest:
// only the start and the stop are told. For debugging each delivery has one line.
func TestLogHasNoLineForADeliveryUnlessItIsForDebugging(t *testing.T) {
	const rounds = 3
	for level, linesPerDelivery := range map[string]int{"info": 0, "debug": 1} {
		t.Run(level, func(t *testing.T) {
			f := newFort(t, "--log-level", level)
			sent := 0
			for range rounds {
				for _, provider := range simulator.Providers() {
					resp, err := f.players[provider+"/acme"].Do(t.Context(), "", simulator.IDs{})
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
					if resp.StatusCode >= http.StatusMultipleChoices {
						t.Fatalf("%s is answered %s", provider, resp.Status)
					}
					sent++
				}
			}
			f.projected(t)
			if events := f.events(t, ""); len(events) != sent {
				t.Errorf("%d events of %d deliveries", len(events), sent)
			}
			f.get(t, "/v1/deliveries", nil)
			if code := f.process.stop(t); code != 0 {
				t.Errorf("exit code %d", code)
			}

			var told []string
			debug, deliveries := 0, 0
			for line := range strings.Lines(f.process.out.String()) {
				m := logLine.FindStringSubmatch(line)
				switch {
				case m == nil:
					t.Errorf("this is no line of the log: %s", line)
				case m[1] != "DEBUG":
					told = append(told, m[1]+" "+strings.Trim(m[2], `"`))
				default:
					debug++
					if m[2] == "webhook" {
						deliveries++
					}
				}
			}
			want := []string{
				"WARN the read API is open on loopback, for development; the configuration has no access.tokens and no access.jwt",
				"INFO paynorm is ready",
				"INFO paynorm is stopping",
			}
			if diff := cmp.Diff(want, told); diff != "" {
				t.Errorf("the log tells of more than start and stop (-want +got):\n%s", diff)
			}
			if want := sent * linesPerDelivery; deliveries != want {
				t.Errorf("%d lines about %d deliveries, want %d", deliveries, sent, want)
			}
			if level != "debug" && debug > 0 {
				t.Errorf("%d lines for debugging at level %s", debug, level)
			}
		})
	}
}
