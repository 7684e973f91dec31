package webhook_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/paynorm/paynorm/benchmarks/internal/verify"
	"github.com/paynorm/paynorm/benchmarks/internal/webhook"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/clip"
	"github.com/paynorm/paynorm/services/normalizer/provider/singleview"
)

const deliveries = 600

func to(merchants ...string) webhook.Target {
	return webhook.Target{Host: "127.0.0.1:8080", Token: "t", Merchants: merchants}
}

func source() *webhook.Source { return webhook.New(0xabc, to("acme"), 0) }

// made is a source, and what it says of itself.
type made struct {
	verify.Source
	AppendRequest func(dst []byte, seq uint64) []byte
	provider      provider.Adapter
	merchants     []string
	facts         int
}

func sources() map[string]made {
	one, three := []string{"acme"}, []string{"a", "b", "c"}
	clips := func(merchants []string, body int) made {
		s := webhook.New(0xabc, to(merchants...), body)
		return made{s, s.AppendRequest, clip.New(), merchants, 1}
	}
	batches := func(merchants []string, payments int) made {
		s := webhook.NewBatches(0xabc, to(merchants...), payments)
		return made{s, s.AppendRequest, singleview.New(), merchants, payments}
	}
	return map[string]made{
		"Clip": clips(one, 0), "Clip, longer": clips(one, 3000), "Clip, three merchants": clips(three, 0),
		"batches of one": batches(one, 1), "batches of ten, three merchants": batches(three, 10),
	}
}

func TestRequestIsCompleteHTTPWithTheBody(t *testing.T) {
	for name, s := range sources() {
		t.Run(name, func(t *testing.T) {
			for seq := range uint64(deliveries) {
				raw := bufio.NewReader(bytes.NewReader(s.AppendRequest(nil, seq)))
				r, err := http.ReadRequest(raw)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Fatal(err)
				}
				if want := s.AppendBody(nil, seq); !bytes.Equal(body, want) || raw.Buffered() > 0 {
					t.Fatalf("delivery %d: body %s and %d bytes more, want %s", seq, body, raw.Buffered(), want)
				}
				// Payments are numbered through both halves of 512 deliveries.
				merchant := s.merchants[(seq/1024*512+seq%512)%uint64(len(s.merchants))]
				id := s.provider.Describe().ID
				if r.Method != http.MethodPost || r.RequestURI != "/webhooks/"+id+"/"+merchant+"?token=t" || r.Host != "127.0.0.1:8080" {
					t.Fatalf("delivery %d goes to %s %s at %s", seq, r.Method, r.RequestURI, r.Host)
				}
				if got := s.Subject(seq); got != "live."+id+"."+merchant {
					t.Fatalf("events of delivery %d are below %s", seq, got)
				}
			}
		})
	}
}

func TestAdaptersReadAllFactsWithoutDrift(t *testing.T) {
	for name, s := range sources() {
		t.Run(name, func(t *testing.T) {
			facts, payments := map[string]bool{}, map[string]string{}
			for seq := range uint64(1024) {
				body := s.AppendBody(nil, seq)
				if got, ok := s.Delivery(body); !ok || got != seq {
					t.Fatalf("delivery %d is found as %d, %v", seq, got, ok)
				}
				got := s.provider.Normalize(provider.Delivery{}, body)
				if len(got.Drift) > 0 || len(got.Items) != s.facts || s.Facts() != s.facts {
					t.Fatalf("delivery %d has %d items and the drift %q: %s", seq, len(got.Items), got.Drift, body)
				}
				for i, item := range got.Items {
					if item.Fact == nil {
						t.Fatalf("delivery %d, item %d is no fact: %s", seq, i, body)
					}
					key := fmt.Sprint(item.Fact.Key)
					if facts[key] {
						t.Fatalf("delivery %d repeats the fact %s", seq, key)
					}
					facts[key] = true
					e := item.Fact.Event
					payments[e.GetProviderPaymentId()] += e.GetProviderStatus() + " "
					e.Merchant, e.LedgerPosition = s.merchants[(seq/1024*512+seq%512)%uint64(len(s.merchants))], &eventv1.LedgerPosition{Item: int32(i)}
					if !s.Says(seq, e) || s.Says(seq+1, e) {
						t.Fatalf("delivery %d does not say %v, or the next one does", seq, e)
					}
					if e.Merchant += "x"; s.Says(seq, e) {
						t.Fatalf("delivery %d says something to another merchant: %v", seq, e)
					}
				}
			}
			if len(payments) != 512*s.facts {
				t.Errorf("%d payments, want two facts to each", len(payments))
			}
			for id, words := range payments {
				if words != "CREATED COMPLETED " && words != "2/3 0/3 " {
					t.Fatalf("payment %s has the facts %s", id, words)
				}
			}
		})
	}
}

func TestBodyHasTheLengthThatWasAskedFor(t *testing.T) {
	for _, length := range []int{webhook.Shortest(), webhook.Shortest() + 1, 5000, webhook.MaxBody} {
		s := webhook.New(1, to("acme"), length)
		for _, seq := range []uint64{0, 512} {
			if body := s.AppendBody(nil, seq); !json.Valid(body) || len(body) != length {
				t.Errorf("delivery %d has %d bytes, want %d of JSON", seq, len(body), length)
			}
		}
	}
	for _, seq := range []uint64{0, 512} {
		if body := source().AppendBody(nil, seq); len(body) < 900 || len(body) > webhook.Shortest() || webhook.Shortest() > 1000 {
			t.Errorf("delivery %d has %d bytes as it is, and none is longer than %d", seq, len(body), webhook.Shortest())
		}
	}
	if body := webhook.NewBatches(1, to("acme"), webhook.MaxPayments).AppendBody(nil, 0); len(body) > webhook.MaxBody {
		t.Errorf("the largest batch has %d bytes", len(body))
	}
}

func TestBatchSaysEachPaymentAtItsPlace(t *testing.T) {
	s := sources()["batches of ten, three merchants"]
	e := s.provider.Normalize(provider.Delivery{}, s.AppendBody(nil, 3)).Items[4].Fact.Event
	e.Merchant = "a"
	for item := range int32(10) {
		e.LedgerPosition = &eventv1.LedgerPosition{Item: item}
		if got, want := s.Says(3, e), item == 4; got != want {
			t.Errorf("item %d of delivery 3: Says is %v, want %v", item, got, want)
		}
	}
}

func TestAttemptIsFoundByItsID(t *testing.T) {
	for seq := range uint64(deliveries) {
		var b struct {
			TransactionID string `json:"transaction_id"`
		}
		if err := json.Unmarshal(source().AppendBody(nil, seq), &b); err != nil {
			t.Fatal(err)
		}
		if got, ok := source().Attempt(b.TransactionID); !ok || got != seq {
			t.Fatalf("attempt of delivery %d is found as %d, %v", seq, got, ok)
		}
	}
	for _, id := range []string{"", "00000abc-6c67-4000-8002-00000000000", "00000abc-6c67-4000-8002-00000000000g", "00000abd-6c67-4000-8002-000000000001", "00000abc-6c67-4000-8001-000000000001"} {
		if seq, ok := source().Attempt(id); ok {
			t.Errorf("%q is taken for attempt %d", id, seq)
		}
	}
}

func TestWhatIsNotOfThisRunIsNotFound(t *testing.T) {
	others := [][]byte{
		webhook.New(0xabd, to("acme"), 0).AppendBody(nil, 1), webhook.NewBatches(0xabd, to("acme"), 10).AppendBody(nil, 0), nil, []byte(`{"id": "x"}`),
		[]byte(`","svRefId":"0000002748"`), []byte(`","svRefId":"00000027480000000000001x"`),
	}
	for name, s := range sources() {
		for _, body := range append(others, s.AppendBody(nil, 1)[:20]) {
			if seq, ok := s.Delivery(body); ok {
				t.Errorf("%s: %s is taken for delivery %d", name, body, seq)
			}
		}
	}
	const eleventh = `","svRefId":"000000274800000000000011"`
	if seq, ok := sources()["batches of one"].Delivery([]byte(eleventh)); !ok || seq != 11 {
		t.Errorf("%s is not found where each payment is a delivery: %d", eleventh, seq)
	}
	if seq, ok := sources()["batches of ten, three merchants"].Delivery([]byte(eleventh)); ok {
		t.Errorf("%s begins no batch of ten and is taken for delivery %d", eleventh, seq)
	}
}
