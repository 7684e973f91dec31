package providertest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/provider"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
)

// checkPrivacy checks that no personal data leaves the ledger: no text of
// absent anywhere, no e-mail address, and no number that could be a card's.
// The provider's own IDs may look like a card number by chance.
func checkPrivacy(t *testing.T, r provider.Result, absent []string) {
	t.Helper()
	look := func(place, text string, isID bool) {
		for _, a := range absent {
			if strings.Contains(text, a) {
				t.Errorf("%s holds %q, which must stay in the ledger", place, a)
			}
		}
		if email().MatchString(text) {
			t.Errorf("%s holds an e-mail address: %q", place, text)
		}
		if !isID && cardLike(text) {
			t.Errorf("%s holds what could be a card number: %q", place, text)
		}
	}
	for _, name := range r.Drift {
		look("drift", name, false)
	}
	for _, it := range r.Items {
		if it.Quarantine != nil {
			look("a quarantine's detail", it.Quarantine.Detail, false)
		}
		if it.Fact == nil {
			continue
		}
		err := protorange.Range(it.Fact.Event.ProtoReflect(), func(v protopath.Values) error {
			if text, ok := v.Index(-1).Value.Interface().(string); ok {
				place := v.Path.Index(-1).String()
				look(place, text, strings.HasPrefix(place, ".provider_") && strings.HasSuffix(place, "_id"))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func email() *regexp.Regexp { return regexp.MustCompile(`[^\s@]+@[^\s@]+\.[^\s@]+`) }

// cardLike reports whether text holds 13 to 19 digits in a row that pass the
// check of ISO/IEC 7812 (Luhn).
func cardLike(text string) bool {
	for _, digits := range regexp.MustCompile(`[0-9]+`).FindAllString(text, -1) {
		if len(digits) >= 13 && len(digits) <= 19 && luhn(digits) {
			return true
		}
	}
	return false
}

func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
