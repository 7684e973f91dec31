package providertest_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
)

// mutant is the sample adapter with one planted fault, and the check that must notice it.
type mutant struct {
	name      string
	check     string // of the suite
	describe  func(*provider.Descriptor)
	verify    func(d provider.Delivery, keys provider.Keys) (provider.Verified, error)
	normalize func(plaintext []byte, r *provider.Result)
}

type faulty struct {
	sample
	m mutant
}

func (f faulty) Describe() provider.Descriptor {
	d := f.sample.Describe()
	if f.m.describe != nil {
		f.m.describe(&d)
	}
	return d
}

func (f faulty) Verify(d provider.Delivery, keys provider.Keys) (provider.Verified, error) {
	if f.m.verify != nil {
		return f.m.verify(d, keys)
	}
	return f.sample.Verify(d, keys)
}

func (f faulty) Normalize(d provider.Delivery, plaintext []byte) provider.Result {
	r := f.sample.Normalize(d, plaintext)
	if f.m.normalize != nil {
		f.m.normalize(plaintext, &r)
	}
	return r
}

// event applies fault to each event of a result.
func event(fault func(*eventv1.PaymentStatusChanged)) func([]byte, *provider.Result) {
	return func(_ []byte, r *provider.Result) {
		for _, it := range r.Items {
			if it.Fact != nil {
				fault(it.Fact.Event)
			}
		}
	}
}

// accepting accepts what the sample adapter accepts, and what more says.
func accepting(more func(d provider.Delivery, keys provider.Keys) bool) func(provider.Delivery, provider.Keys) (provider.Verified, error) {
	return func(d provider.Delivery, keys provider.Keys) (provider.Verified, error) {
		if more(d, keys) {
			return provider.Verified{Plaintext: d.Body, Scheme: "url_token", KeyID: "x", Coverage: eventv1.Coverage_COVERAGE_SENDER}, nil
		}
		return sample{}.Verify(d, keys)
	}
}

func mutants() []mutant {
	calls := 0
	return append(normalizeMutants(&calls),
		mutant{name: "accepts_without_keys", check: "refused", verify: accepting(func(_ provider.Delivery, keys provider.Keys) bool {
			return len(keys.URLTokens) == 0
		})},
		mutant{name: "accepts_an_empty_token", check: "refused", verify: accepting(func(d provider.Delivery, _ provider.Keys) bool {
			return d.RawQuery == "token="
		})},
		mutant{name: "accepts_with_an_empty_key", check: "refused", verify: accepting(func(_ provider.Delivery, keys provider.Keys) bool {
			return len(keys.URLTokens) > 0 && keys.URLTokens[0].Value == ""
		})},
		mutant{name: "compares_the_beginning_only", check: "refused", verify: accepting(func(d provider.Delivery, keys provider.Keys) bool {
			return len(keys.URLTokens) > 0 && keys.URLTokens[0].Value != "" && strings.HasPrefix(d.RawQuery, "token=first-test-secre")
		})},
		mutant{name: "accepts_any_token", check: "refused", verify: accepting(func(d provider.Delivery, _ provider.Keys) bool {
			return strings.HasPrefix(d.RawQuery, "token=never")
		})},
		mutant{name: "knows_one_key_only", check: "accepted", verify: func(d provider.Delivery, keys provider.Keys) (provider.Verified, error) {
			keys.URLTokens = keys.URLTokens[:min(1, len(keys.URLTokens))]
			return sample{}.Verify(d, keys)
		}},
		mutant{name: "reads_the_clock", check: "accepted", verify: func(d provider.Delivery, keys provider.Keys) (provider.Verified, error) {
			if time.Since(d.ReceivedAt) > time.Hour {
				return provider.Verified{}, provider.ErrNotAuthentic
			}
			return sample{}.Verify(d, keys)
		}},
		mutant{name: "loses_the_plaintext", check: "accepted", verify: func(d provider.Delivery, keys provider.Keys) (provider.Verified, error) {
			v, err := sample{}.Verify(d, keys)
			v.Plaintext = nil
			return v, err
		}},
		mutant{name: "writes_into_the_delivery", check: "accepted", verify: func(d provider.Delivery, keys provider.Keys) (provider.Verified, error) {
			v, err := sample{}.Verify(d, keys)
			v.Plaintext = append([]byte(nil), d.Body...)
			clear(d.Body)
			return v, err
		}},
		mutant{name: "row_without_a_case", check: "mappings", describe: func(d *provider.Descriptor) {
			d.Mappings = append(d.Mappings, provider.Mapping{ProviderStatus: "gone", Outcome: "PAYMENT_STATUS_EXPIRED", Source: "synthetic"})
		}},
		mutant{name: "second_row_of_one_verdict", check: "mappings", describe: func(d *provider.Descriptor) {
			d.Mappings = append(d.Mappings, provider.Mapping{ProviderStatus: "settled", Outcome: "PAYMENT_STATUS_PAID", Source: "synthetic"})
		}},
		mutant{name: "case_without_a_row", check: "mappings", describe: func(d *provider.Descriptor) { d.Mappings = d.Mappings[1:] }},
		mutant{name: "outcome_that_does_not_exist", check: "mappings", describe: func(d *provider.Descriptor) { d.Mappings[0].Outcome = "PAID" }},
		mutant{name: "no_documentation", check: "descriptor", describe: func(d *provider.Descriptor) { d.Documentation = "" }},
		mutant{name: "body_with_204", check: "descriptor", describe: func(d *provider.Descriptor) {
			d.Acknowledgement.Body, d.Acknowledgement.ContentType = "ok", "text/plain"
		}},
	)
}

func normalizeMutants(calls *int) []mutant {
	return []mutant{
		{name: "another_status", check: "result", normalize: event(func(e *eventv1.PaymentStatusChanged) {
			e.Status = &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_SETTLED}
		})},
		{name: "event_that_is_not_valid", check: "result", normalize: event(func(e *eventv1.PaymentStatusChanged) { e.ProviderPaymentId = "" })},
		{name: "sets_what_is_the_callers", check: "result", normalize: event(func(e *eventv1.PaymentStatusChanged) { e.PaymentVersion = 1 })},
		{name: "copies_an_address", check: "result", normalize: event(func(e *eventv1.PaymentStatusChanged) { e.MerchantReference = "payer@example.com" })},
		{name: "copies_a_card_number", check: "result", normalize: event(func(e *eventv1.PaymentStatusChanged) { e.Reason = &eventv1.Reason{Text: "card 4111111111111111"} })},
		{name: "copies_a_name", check: "result", normalize: event(func(e *eventv1.PaymentStatusChanged) { e.MerchantReference = "Fulana de Ejemplo" })},
		{name: "amount_without_a_source", check: "result", normalize: event(func(e *eventv1.PaymentStatusChanged) { e.CurrencySource = 0 })},
		{name: "loses_an_item", check: "result", normalize: func(_ []byte, r *provider.Result) { r.Items = nil }},
		{name: "keeps_state", check: "pure", normalize: event(func(e *eventv1.PaymentStatusChanged) {
			*calls++
			e.MerchantReference = strings.Repeat("x", *calls%7)
		})},
		{name: "writes_into_the_plaintext", check: "pure", normalize: func(plaintext []byte, _ *provider.Result) {
			if len(plaintext) > 0 {
				plaintext[0] = ' '
			}
		}},
		{name: "takes_a_part_for_the_whole", check: "truncated", normalize: func(_ []byte, r *provider.Result) {
			if r.Items[0].Quarantine != nil && strings.Contains(r.Items[0].Quarantine.Detail, "malformed") {
				*r = one(provider.Skipped("not_a_payment"))
			}
		}},
		{name: "refuses_unknown_members", check: "unknown_member", normalize: func(_ []byte, r *provider.Result) {
			if len(r.Drift) > 0 {
				*r = one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_MALFORMED_BODY, "unknown member"))
			}
		}},
		{name: "hides_unknown_members", check: "unknown_member", normalize: func(_ []byte, r *provider.Result) { r.Drift = nil }},
	}
}

const inChild = "PAYNORM_TEST_MUTANTS"

// TestMutants checks that the suite notices each planted fault, with the check
// that is meant for it. The suite fails the test it runs in, so a second process
// runs it and this one reads its verdicts.
func TestMutants(t *testing.T) {
	if os.Getenv(inChild) != "" {
		for _, m := range mutants() {
			t.Run(m.name, func(t *testing.T) { providertest.Run(t, suite(faulty{m: m})) })
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestMutants$", "-test.v")
	cmd.Env = append(os.Environ(), inChild+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("the suite passed all mutants")
	}
	for _, m := range mutants() {
		noticed := regexp.MustCompile(`--- FAIL: TestMutants/` + m.name + `/(\w+/)?` + m.check + `\b`)
		if !noticed.Match(out) {
			t.Errorf("%s: the check %s did not notice it", m.name, m.check)
		}
	}
	if t.Failed() {
		t.Logf("output of the mutants:\n%s", out)
	}
}
