package providertest_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"github.com/paynorm/paynorm/services/normalizer/provider/providertest"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// mutant is the sample adapter with one planted fault, and the check that must notice it.
type mutant struct {
	name      string
	check     string // of the suite
	says      string // what the check must say, where another part of it would fail as well
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

// item applies fault to each item of a result.
func item(fault func(*provider.Item)) func([]byte, *provider.Result) {
	return func(_ []byte, r *provider.Result) {
		for i := range r.Items {
			fault(&r.Items[i])
		}
	}
}

// event applies fault to each event of a result.
func event(fault func(*eventv1.PaymentStatusChanged)) func([]byte, *provider.Result) {
	return item(func(it *provider.Item) {
		if it.Fact != nil {
			fault(it.Fact.Event)
		}
	})
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
		mutant{name: "no_setup_steps", check: "descriptor", describe: func(d *provider.Descriptor) { d.Setup = nil }},
		mutant{name: "gap_without_a_source", check: "descriptor", describe: func(d *provider.Descriptor) {
			d.Gaps = append(d.Gaps, provider.Gap{Text: "the order is not documented"})
		}},
		mutant{name: "describes_another_idempotency_key", check: "result", says: "the key has 2 parts", describe: func(d *provider.Descriptor) { d.IdempotencyKey = d.IdempotencyKey[1:] }},
	)
}

func normalizeMutants(calls *int) []mutant {
	return []mutant{
		{name: "another_status", check: "result", says: "result differs", normalize: event(func(e *eventv1.PaymentStatusChanged) {
			e.Status = &eventv1.PaymentStatusChanged_PaymentStatus{PaymentStatus: eventv1.PaymentStatus_PAYMENT_STATUS_SETTLED}
		})},
		{name: "event_that_is_not_valid", check: "result", says: "the event is not valid", normalize: event(func(e *eventv1.PaymentStatusChanged) { e.ProviderPaymentId = "" })},
		{name: "sets_what_is_the_callers", check: "result", says: "payment_version is set", normalize: event(func(e *eventv1.PaymentStatusChanged) { e.PaymentVersion = 1 })},
		{name: "copies_an_address", check: "result", says: "holds an e-mail address", normalize: event(func(e *eventv1.PaymentStatusChanged) { e.MerchantReference = "payer@example.com" })},
		{name: "copies_a_card_number", check: "result", says: "could be a card number", normalize: event(func(e *eventv1.PaymentStatusChanged) { e.Reason = &eventv1.Reason{Text: "card 4111111111111111"} })},
		{name: "copies_a_name", check: "result", says: "must stay in the ledger", normalize: event(func(e *eventv1.PaymentStatusChanged) { e.MerchantReference = "Fulana de Ejemplo" })},
		{name: "amount_without_a_source", check: "result", says: "currency_source", normalize: event(func(e *eventv1.PaymentStatusChanged) { e.CurrencySource = 0 })},
		{name: "loses_an_item", check: "result", says: "no item", normalize: func(_ []byte, r *provider.Result) { r.Items = nil }},
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
				*r = one(provider.Item{Skip: &provider.Skip{Reason: "not_a_payment"}, Row: &sampleRows()[2]})
			}
		}},
		{name: "refuses_unknown_members", check: "unknown_member", normalize: func(_ []byte, r *provider.Result) {
			if len(r.Drift) > 0 {
				*r = one(provider.Quarantined(eventv1.QuarantineReason_QUARANTINE_REASON_MALFORMED_BODY, "unknown member"))
			}
		}},
		{name: "hides_unknown_members", check: "unknown_member", normalize: func(_ []byte, r *provider.Result) { r.Drift = nil }},
		{name: "reports_drift_without_bound", check: "unknown_member", normalize: func(_ []byte, r *provider.Result) {
			r.Drift = slices.Repeat(r.Drift, 20)
		}},
		{name: "hides_changed_types", check: "changed_types", normalize: func(_ []byte, r *provider.Result) {
			r.Drift = slices.DeleteFunc(r.Drift, func(path string) bool { return path == "payer" })
		}},
		{name: "drops_members_of_a_changed_type", check: "changed_types", normalize: func(plaintext []byte, r *provider.Result) {
			if bytes.Contains(plaintext, []byte(`"amount":[`)) {
				*r = one(provider.Item{Skip: &provider.Skip{Reason: "not_a_payment"}, Row: &sampleRows()[2]})
			}
		}},
		{name: "reports_the_value_that_changed", check: "changed_types", normalize: func(plaintext []byte, r *provider.Result) {
			if len(r.Drift) > 0 {
				r.Drift = append(r.Drift, string(plaintext))
			}
		}},
		{name: "decides_by_no_row", check: "result", says: "no row of the mapping table decided", normalize: item(func(it *provider.Item) { it.Row = nil })},
		{name: "decides_by_another_row", check: "mappings", says: "was decided by", normalize: item(func(it *provider.Item) {
			if it.Fact != nil {
				it.Row = &sampleRows()[0]
			}
		})},
		{name: "decides_by_a_row_that_it_hides", check: "mappings", says: "is not in the mapping table", normalize: item(func(it *provider.Item) {
			if it.Fact != nil {
				it.Row = &provider.Mapping{ProviderStatus: "hidden", Outcome: it.Row.Outcome, Reason: it.Row.Reason, Source: "synthetic"}
			}
		})},
		{name: "notice_about_another_payment", check: "changed_types", says: "is about payments/", normalize: item(func(it *provider.Item) {
			if it.Quarantine != nil {
				it.Quarantine.Payment = []string{"another"}
			}
		})},
		{name: "notices_about_no_payment", check: "changed_types", says: "no quarantined item names its payment", normalize: item(func(it *provider.Item) {
			if it.Quarantine != nil {
				it.Quarantine.Payment = nil
			}
		})},
		{name: "takes_the_time_from_an_undescribed_member", check: "result", says: "the time comes from paid_at", normalize: event(func(e *eventv1.PaymentStatusChanged) {
			e.OccurTime, e.OccurTimeMember = timestamppb.New(time.Unix(0, 0)), "paid_at"
			e.OccurTimeSource = eventv1.OccurTimeSource_OCCUR_TIME_SOURCE_PAYLOAD
		})},
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
		if !noticed.Match(out) || !strings.Contains(outputOf(string(out), m.name), m.says) {
			t.Errorf("%s: the check %s did not notice it, or did not say %q", m.name, m.check, m.says)
		}
	}
	if t.Failed() {
		t.Logf("output of the mutants:\n%s", out)
	}
}

// outputOf cuts what the suite said about a mutant out of the output of all.
func outputOf(all, name string) string {
	_, rest, _ := strings.Cut(all, "=== RUN   TestMutants/"+name+"\n")
	next := regexp.MustCompile(`(?m)^=== RUN   TestMutants/\w+$`).FindStringIndex(rest)
	if next == nil {
		return rest
	}
	return rest[:next[0]]
}
