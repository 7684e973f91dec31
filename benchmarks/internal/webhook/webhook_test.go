package webhook_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/paynorm/paynorm/benchmarks/internal/webhook"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

const deliveries = 5000

func source() *webhook.Source {
	return webhook.New(0xabc, "127.0.0.1:8080", "/webhooks/clip/acme?token=t")
}

func TestRequestIsCompleteHTTPWithTheBody(t *testing.T) {
	for seq := range uint64(deliveries) {
		raw := bufio.NewReader(bytes.NewReader(source().AppendRequest(nil, seq)))
		r, err := http.ReadRequest(raw)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		if want := source().AppendBody(nil, seq); !bytes.Equal(body, want) || raw.Buffered() > 0 {
			t.Fatalf("delivery %d: body %s and %d bytes more, want %s", seq, body, raw.Buffered(), want)
		}
		if r.Method != http.MethodPost || r.RequestURI != "/webhooks/clip/acme?token=t" || r.Host != "127.0.0.1:8080" {
			t.Fatalf("delivery %d goes to %s %s at %s", seq, r.Method, r.RequestURI, r.Host)
		}
	}
}

func TestBodyIsAboutAKilobyteOfJSON(t *testing.T) {
	for _, seq := range []uint64{0, 512} {
		body := source().AppendBody(nil, seq)
		if !json.Valid(body) || len(body) < 900 || len(body) > 1100 {
			t.Errorf("delivery %d has %d bytes: %s", seq, len(body), body)
		}
	}
}

func TestEachDeliveryIsANewFactOfAPaymentWithTwo(t *testing.T) {
	ids, facts := map[string]bool{}, map[string]string{}
	for seq := range uint64(4096) {
		body := source().AppendBody(nil, seq)
		var b struct {
			ID            string
			Payment       string `json:"payment_request_id"`
			TransactionID string `json:"transaction_id"`
			Status        string `json:"resource_status"`
		}
		if err := json.Unmarshal(body, &b); err != nil {
			t.Fatal(err)
		}
		if ids[b.ID] || ids[b.TransactionID] {
			t.Fatalf("delivery %d repeats an ID: %+v", seq, b)
		}
		ids[b.ID], ids[b.TransactionID] = true, true
		facts[b.Payment] += b.Status + " "
		e := &eventv1.PaymentStatusChanged{ProviderPaymentId: b.Payment, ProviderAttemptId: b.TransactionID, ProviderStatus: b.Status}
		if !source().Says(seq, e) || source().Says(seq+1, e) {
			t.Fatalf("delivery %d does not say %v, or the next one does", seq, e)
		}
		if got, ok := source().Delivery(body); !ok || got != seq {
			t.Fatalf("delivery %d is found as %d, %v", seq, got, ok)
		}
		if got, ok := source().Attempt(b.TransactionID); !ok || got != seq {
			t.Fatalf("attempt of delivery %d is found as %d, %v", seq, got, ok)
		}
	}
	for payment, words := range facts {
		if words != "CREATED COMPLETED " {
			t.Fatalf("payment %s has the facts %s", payment, words)
		}
	}
}

func TestWhatIsNotOfThisRunIsNotFound(t *testing.T) {
	other := webhook.New(0xabd, "", "")
	for _, body := range [][]byte{other.AppendBody(nil, 1), nil, []byte(`{"id": "x"}`), source().AppendBody(nil, 1)[:20]} {
		if seq, ok := source().Delivery(body); ok {
			t.Errorf("%s is taken for delivery %d", body, seq)
		}
	}
	for _, id := range []string{"", "00000abc-6c67-4000-8002-00000000000", "00000abc-6c67-4000-8002-00000000000g", "00000abd-6c67-4000-8002-000000000001", "00000abc-6c67-4000-8001-000000000001"} {
		if seq, ok := source().Attempt(id); ok {
			t.Errorf("%q is taken for attempt %d", id, seq)
		}
	}
}
