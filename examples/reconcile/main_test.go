package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/client"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/internal/serve/servetest"
)

// published waits until n events are out.
func published(t *testing.T, site *servetest.Site, n int) {
	t.Helper()
	conn, err := client.ConnectNATS(site.NATS, client.NATSOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	count := func(context.Context, *client.Event) error {
		if n--; n == 0 {
			stop()
		}
		return nil
	}
	if err := client.Subscribe(ctx, conn, client.Options{}, client.Handlers{Default: count}); err != nil {
		t.Fatal(err)
	}
}

func TestReportListsWhatIsPaidAndNotSettled(t *testing.T) {
	site := servetest.Start(t, nil)
	site.ACI(t, "p1", "paid")
	site.ACI(t, "p2", "declined")
	site.Clip(t, "p3", "COMPLETED", 3) // Clip names no amount
	site.ACI(t, "p4", "paid")
	published(t, site, 4)

	report := func(now time.Time) [][]string {
		t.Helper()
		var stdout bytes.Buffer
		if err := run(t.Context(), []string{"-s", site.GRPC, "-merchant", "acme"}, now, &stdout, io.Discard); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&stdout).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			if row[1] != "" { // names and times of receipt differ from run to run
				row[1], row[4] = "payments/…", "time"
			}
		}
		return rows
	}
	head := []string{"provider", "payment", "provider_payment_id", "merchant_reference", "since", "amount", "currency"}
	want := [][]string{
		head,
		{"aci-opp", "payments/…", "p4", "order-91348452", "time", "3556.45", "MXN"},
		{"clip", "payments/…", "p3", "order-p3", "time", "", ""},
		{"aci-opp", "payments/…", "p1", "order-56754383", "time", "2249.39", "MXN"},
		{"", "", "", "", "sum", "5805.84", "MXN"},
	}
	if diff := cmp.Diff(want, report(time.Now().Add(72*time.Hour))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{head}, report(time.Now())); diff != "" {
		t.Errorf("what was paid just now (-want +got):\n%s", diff)
	}
}

func TestAmountsAreExact(t *testing.T) {
	for want, m := range map[string]*eventv1.Money{
		"":                     nil,
		"0.00":                 {Exponent: 2},
		"0.05":                 {MinorUnits: 5, Exponent: 2},
		"1962.36":              {MinorUnits: 196236, Exponent: 2},
		"12":                   {MinorUnits: 12},
		"90071992547409.935":   {MinorUnits: 90071992547409935, Exponent: 3},
		"92233720368547758.07": {MinorUnits: 1<<63 - 1, Exponent: 2},
	} {
		if got := decimal(m); got != want {
			t.Errorf("%v: got %q, want %q", m, got, want)
		}
	}
}

func TestWhatGoesWrongIsSaid(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no merchant":  {nil, "-merchant is required"},
		"no server":    {[]string{"-s", "127.0.0.1:1", "-merchant", "acme"}, "rpc error: code = Unavailable"},
		"no token":     {[]string{"-merchant", "acme", "-token-file", missing}, "open "},
		"no CA":        {[]string{"-merchant", "acme", "-ca", missing}, "TLS towards 127.0.0.1:9090: open "},
		"unknown flag": {[]string{"-x"}, "flag provided but not defined: -x"},
	} {
		err := run(t.Context(), tt.args, time.Now(), io.Discard, io.Discard)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s…", name, err, tt.want)
		}
	}
	if err := run(t.Context(), []string{"-h"}, time.Now(), io.Discard, io.Discard); err != nil {
		t.Errorf("help: %v", err)
	}
}
