// Package javascript tests the consumer in JavaScript.
package javascript

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/internal/serve/servetest"
)

// patience bounds how long the consumer may take.
const patience = 60 * time.Second

// consume runs the consumer until it has printed n events.
func consume(t *testing.T, server, n string, subjects ...string) []string {
	t.Helper()
	installed, err := filepath.Abs("../../.cache/javascript")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"subscribe.js", "package-lock.json"} {
		here, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		there, err := os.ReadFile(filepath.Join(installed, name))
		if err != nil || !bytes.Equal(here, there) {
			t.Fatalf("%s is not installed as it is here: run make tools (%v)", name, err)
		}
	}
	descriptors, err := filepath.Abs("../../docs/events.binpb")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	args := append([]string{"subscribe.js", "--server", strings.TrimPrefix(server, "nats://"), "--count", n, "--descriptors", descriptors}, subjects...)
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Dir = installed
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return strings.Split(strings.TrimSpace(stdout.String()), "\n")
}

func TestBothEncodingsAreTheSameJSON(t *testing.T) {
	for _, encoding := range []string{"protobuf", "json"} {
		t.Run(encoding, func(t *testing.T) {
			site := servetest.Start(t, map[string]any{"events": map[string]any{"encoding": encoding}})
			site.Clip(t, "p1", "CREATED", 1)
			site.Clip(t, "p1", "COMPLETED", 2)
			site.Clip(t, "p2", "NO_SUCH_STATUS", 1)
			var got []map[string]any
			for _, line := range consume(t, site.NATS, "3", "payments.v1.>", "quarantine.v1.>") {
				var printed struct {
					Subject string
					Event   map[string]any
				}
				if err := json.Unmarshal([]byte(line), &printed); err != nil {
					t.Fatalf("%v in %s", err, line)
				}
				row := map[string]any{"subject": printed.Subject}
				for _, member := range []string{"providerPaymentId", "paymentStatus", "previousPaymentStatus", "paymentVersion", "cursor", "occurTime", "reason"} {
					if value, there := printed.Event[member]; there {
						row[member] = value
					}
				}
				got = append(got, row)
			}
			want := []map[string]any{
				{
					"subject": "payments.v1.live.clip.acme.payment.pending", "providerPaymentId": "p1", "paymentStatus": "PAYMENT_STATUS_PENDING",
					"paymentVersion": "1", "cursor": "1", "occurTime": "2026-04-01T12:01:00Z",
				},
				{
					"subject": "payments.v1.live.clip.acme.payment.paid", "providerPaymentId": "p1", "paymentStatus": "PAYMENT_STATUS_PAID",
					"previousPaymentStatus": "PAYMENT_STATUS_PENDING", "paymentVersion": "2", "cursor": "2", "occurTime": "2026-04-01T12:02:00Z",
				},
				{"subject": "quarantine.v1.clip.acme", "cursor": "3", "reason": "QUARANTINE_REASON_UNMAPPED"},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			// Started again, it goes on where it was.
			site.Clip(t, "p3", "COMPLETED", 3)
			if again := consume(t, site.NATS, "1", "payments.v1.>", "quarantine.v1.>"); !strings.Contains(again[0], `"p3"`) {
				t.Errorf("got %s, want the payment p3", again[0])
			}
		})
	}
}
