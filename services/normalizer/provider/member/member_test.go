package member_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/services/normalizer/payload"
	"github.com/paynorm/paynorm/services/normalizer/provider/member"
	"google.golang.org/protobuf/testing/protocmp"
)

func object(t *testing.T, body string) payload.Value {
	t.Helper()
	v, err := payload.ParseObject([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhatIsNotThereIsEmpty(t *testing.T) {
	v := object(t, `{"null":null,"empty":""}`)
	for _, name := range []string{"missing", "null", "empty"} {
		var r member.Reader
		text := r.Text(v, name, member.Optional)
		at, amount := r.Instant(v, name), r.Amount(v, name, "MXN")
		if text != "" || at != nil || amount != nil {
			t.Errorf("%s: %q, %v, %v", name, text, at, amount)
		}
		if kept, bad := r.Problem(); bad {
			t.Errorf("%s is a problem: %s", name, kept.Quarantine.Detail)
		}
		r.Text(v, name, member.Required)
		if _, bad := r.Problem(); !bad {
			t.Errorf("%s is required and no problem", name)
		}
	}
}

func TestReadsWhatIsSound(t *testing.T) {
	v := object(t, `{"text":"Ö 1","lines":"a\r\n\u0000\u007fb","longest":"`+strings.Repeat("ñ", 512)+`","number":49494622648497123,"at":"2020-09-08 17:51:59-0300","amount":350.10,"quoted":"0.000"}`)
	var r member.Reader
	if got := r.Text(v, "text", member.Required); got != "Ö 1" {
		t.Errorf("text %q", got)
	}
	if got := r.Text(v, "lines", member.Required); got != "a\r\n\x00\x7fb" {
		t.Errorf("control characters come as %q", got)
	}
	if got := r.Text(v, "longest", member.Required); got != strings.Repeat("ñ", 512) {
		t.Errorf("a text of %d bytes is read as one of %d", member.MaxText, len(got))
	}
	if got := r.Text(v, "number", member.Required); got != "49494622648497123" {
		t.Errorf("id %q", got)
	}
	if got, want := r.Instant(v, "at").AsTime(), time.Date(2020, 9, 8, 20, 51, 59, 0, time.UTC); !got.Equal(want) {
		t.Errorf("instant %v, want %v", got, want)
	}
	want := &eventv1.Money{CurrencyCode: "BRL", MinorUnits: 35010, Exponent: 2}
	if diff := cmp.Diff(want, r.Amount(v, "amount", "BRL"), protocmp.Transform()); diff != "" {
		t.Errorf("amount (-want +got):\n%s", diff)
	}
	if got := r.Amount(v, "quoted", "BRL"); got == nil || got.GetMinorUnits() != 0 {
		t.Errorf("an amount of zero is %v", got)
	}
	if kept, bad := r.Problem(); bad {
		t.Error(kept.Quarantine.Detail)
	}
}

func TestProblems(t *testing.T) {
	const (
		field  = eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_FIELD
		amount = eventv1.QuarantineReason_QUARANTINE_REASON_INVALID_AMOUNT
	)
	v := object(t, `{"list":["secret"],"number":1,"bool":true,"long":"`+strings.Repeat("secret", 171)+`","blank":" \t\r\n",
		"local":"2024-06-02T11:12:13","signed":"-1","fine":"fine"}`)
	tests := []struct {
		claim  string
		read   func(r *member.Reader) string
		reason eventv1.QuarantineReason
	}{
		{"a list as a text", func(r *member.Reader) string { return r.Text(v, "list", member.Optional) }, field},
		{"a bool as a text", func(r *member.Reader) string { return r.Text(v, "bool", member.Optional) }, field},
		{"a text that is too long", func(r *member.Reader) string { return r.Text(v, "long", member.Optional) }, field},
		{"blanks where a text is required", func(r *member.Reader) string { return r.Text(v, "blank", member.Required) }, field},
		{"a local time", func(r *member.Reader) string { return r.Instant(v, "local").String() }, field},
		{"a number as an instant", func(r *member.Reader) string { return r.Instant(v, "number").String() }, field},
		{"a list as an amount", func(r *member.Reader) string { return r.Amount(v, "list", "MXN").String() }, amount},
		{"a sign", func(r *member.Reader) string { return r.Amount(v, "signed", "MXN").String() }, amount},
		{"no currency", func(r *member.Reader) string { return r.Amount(v, "number", "").String() }, amount},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			var r member.Reader
			got := tt.read(&r)
			r.Text(v, "missing", member.Required) // a second problem, which is not told
			kept, bad := r.Problem("account", "payment")
			if !bad || kept.Quarantine.Reason != tt.reason || strings.Contains(kept.Quarantine.Detail, "missing is") {
				t.Fatalf("got %q, and %+v; want one problem with reason %s", got, kept.Quarantine, tt.reason)
			}
			if got != "" && got != "<nil>" {
				t.Errorf("read %q from what is a problem", got)
			}
			if strings.Contains(kept.Quarantine.Detail, "secret") {
				t.Errorf("the detail tells a value: %s", kept.Quarantine.Detail)
			}
			if diff := cmp.Diff([]string{"account", "payment"}, kept.Quarantine.Payment); diff != "" {
				t.Errorf("payment (-want +got):\n%s", diff)
			}
			if none, _ := r.Problem("account", ""); none.Quarantine.Payment != nil {
				t.Errorf("payment %q with an empty part", none.Quarantine.Payment)
			}
		})
	}
}
