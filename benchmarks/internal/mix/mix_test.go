package mix_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paynorm/paynorm/benchmarks/internal/mix"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/internal/simulator"
)

const count = 50

func source(t *testing.T) *mix.Source {
	t.Helper()
	dir := t.TempDir()
	endpoints, err := mix.Endpoints(dir)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := json.Marshal(map[string]any{"http": map[string]any{"address": "127.0.0.1:8080"}, "endpoints": endpoints})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "paynorm.yaml")
	if err := os.WriteFile(file, cfg, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := mix.New(t.Context(), file, count)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEachProviderSendsInTurnAndEachDeliveryIsFoundAgain(t *testing.T) {
	s, providers := source(t), simulator.Providers()
	if s.Len() != count || len(providers) != 5 {
		t.Fatalf("%d deliveries of %v", s.Len(), providers)
	}
	for seq := range uint64(count) {
		raw := bufio.NewReader(bytes.NewReader(s.AppendRequest(nil, seq)))
		req, err := http.ReadRequest(raw)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Fatal(err)
		}
		provider := providers[seq%5]
		if !strings.HasPrefix(req.RequestURI, "/webhooks/"+provider+"/acme") || req.Host != "127.0.0.1:8080" || raw.Buffered() > 0 {
			t.Errorf("delivery %d goes to %s%s, want %s", seq, req.Host, req.RequestURI, provider)
		}
		if got, ok := s.Delivery(body); !ok || got != seq || !bytes.Equal(body, s.AppendBody(nil, seq)) {
			t.Errorf("delivery %d is found as %d, %v", seq, got, ok)
		}
		if !s.Says(seq, &eventv1.PaymentStatusChanged{Provider: provider}) || s.Says(seq, &eventv1.PaymentStatusChanged{Provider: providers[(seq+1)%5]}) {
			t.Errorf("delivery %d is not of %s alone", seq, provider)
		}
	}
	if got := s.Subject(1); s.Facts() != 1 || got != "live."+providers[1]+".acme" {
		t.Errorf("%d facts below %s", s.Facts(), got)
	}
	if _, ok := s.Delivery([]byte("{}")); ok {
		t.Error("a body that was not sent is found")
	}
}
