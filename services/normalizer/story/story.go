// Package story tells what happened to a payment so that people understand it:
// what each step changed or why it changed nothing, in sentences. It is pure:
// it knows only what the steps of an explanation hold.
package story

import (
	"fmt"
	"strings"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// Text writes an explanation as plain text with lines of any length: one
// paragraph on the payment as it is now, then one for each step. The effects of
// the steps must be set; see SetEffects.
func Text(x *normalizerv1.ExplainPaymentResponse) string {
	paragraphs := []string{now(x.GetPayment())}
	if x.GetTruncated() {
		paragraphs = append(paragraphs, fmt.Sprintf("Older steps are left out; these are the newest %d.", len(x.GetSteps())))
	}
	if len(x.GetSteps()) == 0 {
		paragraphs = append(paragraphs, "No delivery that told of it is known.")
	}
	for i, s := range x.GetSteps() {
		paragraphs = append(paragraphs, fmt.Sprintf("%d. %s", i+1, strings.Join(lines(s), "\n   ")))
	}
	return strings.Join(paragraphs, "\n\n") + "\n"
}

// now says what the payment is.
func now(p *normalizerv1.Payment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is ", p.GetName())
	var is []string
	if p.GetPaymentStatus() != 0 {
		is = append(is, word(p.GetPaymentStatus()))
	}
	if p.GetProofStatus() != 0 {
		is = append(is, "a proof that is "+word(p.GetProofStatus()))
	}
	if len(is) == 0 {
		is = append(is, "known only by its refunds or its dispute")
	}
	b.WriteString(strings.Join(is, " and "))
	if code := p.GetReason().GetCode(); code != "" {
		fmt.Fprintf(&b, " (%s)", code)
	}
	fmt.Fprintf(&b, ".%s%s", amounts(p), acts(p.GetActionBy()))
	if p.GetFinal() {
		b.WriteString(" No further change is expected.")
	}
	fmt.Fprintf(&b, "\nProvider %s, merchant %s, %s.", p.GetProvider(), p.GetMerchant(), strings.ToLower(word(p.GetMode())))
	fmt.Fprintf(&b, " The provider calls it %s.", shown(p.GetProviderPaymentId()))
	if r := p.GetMerchantReference(); r != "" {
		fmt.Fprintf(&b, " The merchant's reference is %s.", shown(r))
	}
	fmt.Fprintf(&b, "\nChanged %s, last at %s.", times(p.GetVersion()), instant(p.GetUpdateTime()))
	return b.String()
}

// lines says what one step is: the delivery, what the provider said, which row
// decided, what it changed, and where it was published.
func lines(s *normalizerv1.ExplanationStep) []string {
	out := []string{arrival(s)}
	if e := s.GetEvent(); e != nil {
		out = append(out, said(e))
	}
	if m := s.GetMapping(); m != nil {
		out = append(out, row(m))
	}
	out = append(out, s.GetEffect())
	if n := s.GetQuarantined(); n != nil {
		out = append(out, remedy(n))
	}
	if s.GetSubject() != "" {
		out = append(out, published(s))
	}
	return out
}
