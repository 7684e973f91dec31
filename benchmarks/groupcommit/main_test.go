package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
)

func TestBothWaysAreMeasuredForEachNumberOfSenders(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-senders", "1,4", "-rounds", "1", "-for", "1s", "-dir", t.TempDir()}, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("want a head and two rows:\n%s", out.String())
	}
	for _, row := range lines[2:] {
		if cells := strings.Split(row, "|"); len(cells) != 10 || strings.TrimSpace(cells[2]) == "0" || strings.TrimSpace(cells[5]) == "0" {
			t.Errorf("nothing was stored: %s", row)
		}
	}
}

func TestRefusedDeliveryIsAnError(t *testing.T) {
	full := errors.New("full")
	_, err := measure(t.Context(), func(context.Context, *ledgerv1.Delivery) error { return full }, 2, time.Second)
	if !errors.Is(err, full) {
		t.Errorf("got %v, want the error of the store", err)
	}
}

func TestTheMedianIsTheResultInTheMiddle(t *testing.T) {
	if got := median([]result{{rate: 5}, {rate: 1}, {rate: 3}}); got.rate != 3 {
		t.Errorf("got %v, want 3", got.rate)
	}
}
