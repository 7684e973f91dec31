// Package providertest is the conformance suite of provider adapters: what
// every adapter must do, checked over the cases of its own testdata folder.
//
// A case is a folder testdata/<situation> with three files. body is the clear
// body as the provider would write it, byte for byte. delivery.json says where
// it is documented and when it came; see Delivery. result.golden.json is what
// Normalize must return; "go test -golden" writes it, people review it.
package providertest

import (
	"testing"

	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// Suite says how one provider's deliveries are made.
type Suite struct {
	// Adapter is the adapter under test.
	Adapter provider.Adapter
	// Keys holds two live keys of the provider's main scheme: a rotation.
	Keys provider.Keys
	// Sign makes d what the provider would send for the clear body plaintext: it
	// sets d.Body (encrypted where the provider encrypts) and adds headers and
	// query. Keys 0 and 1 are those in Keys, any other number is a key that is
	// not configured. A scheme that signs the time signs d.ReceivedAt.
	Sign func(t testing.TB, d *provider.Delivery, plaintext []byte, key int)
	// SignedHeaders names, in lower case, the headers that Sign adds and that
	// prove authenticity. Of the query, the parameter "token" proves it.
	SignedHeaders []string
	// SignsBody says that the scheme covers the body: a flipped byte must be refused.
	SignsBody bool
	// SignsTime says that the scheme covers the time: an hour early or late must be refused.
	SignsTime bool
}

// Run checks everything over all cases below testdata.
func Run(t *testing.T, s Suite) {
	t.Helper()
	cases := load(t, s.Adapter)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, check := range caseChecks() {
				t.Run(check.Name, func(t *testing.T) { check.run(t, s, c) })
			}
		})
	}
	for _, check := range adapterChecks() {
		t.Run(check.Name, func(t *testing.T) { check.run(t, s, cases) })
	}
}

// Check is one of the things that Run checks, for the documentation.
type Check struct {
	Name  string // of the subtest
	Claim string // what it finds to hold
}

// Checks lists what Run checks: first what holds for each case, then what
// holds for the adapter as a whole.
func Checks() []Check {
	var all []Check
	for _, c := range caseChecks() {
		all = append(all, c.Check)
	}
	for _, c := range adapterChecks() {
		all = append(all, c.Check)
	}
	return all
}

type caseCheck struct {
	Check
	run func(*testing.T, Suite, testCase)
}

func caseChecks() []caseCheck {
	return []caseCheck{
		{Check{"result", "the result is the golden file's; no item is lost; events and notices are valid, agree in themselves, " +
			"leave the caller's fields alone and hold no personal data; the key has the parts that the description names"}, checkResult},
		{Check{"pure", "a second run gives the same result; the arguments are not changed, and the result does not point into them"}, checkPure},
		{Check{"truncated", "a body cut at any byte is quarantined, never taken for the whole, and nothing panics"}, checkTruncated},
		{Check{"unknown_member", "a member that nobody documents changes nothing and is reported as drift by its name; drift is bounded"}, checkUnknownMember},
		{Check{"accepted", "the signed case is accepted with either of two keys, at its own time; scheme, key and coverage are told; " +
			"the plaintext is the body; the delivery is not changed"}, checkAccepted},
		{Check{"refused", "no keys, empty keys, a key that is not configured, no proof, an empty or a second proof, a flipped byte, " +
			"and, where the scheme covers it, another time are refused"}, checkRefused},
	}
}

type adapterCheck struct {
	Check
	run func(*testing.T, Suite, []testCase)
}

func adapterChecks() []adapterCheck {
	return []adapterCheck{
		{Check{"descriptor", "the description is complete, always the same, and fit for paths, subjects and the generated page"}, checkDescriptor},
		{Check{"mappings", "each row of the mapping table decides a case; a row that decided says what the item became; rows have a source"}, checkMappings},
		{Check{"changed_types", "each documented member, given another type, is reported as drift by its path or quarantines the item; " +
			"its value shows nowhere, and the notice names the item's payment or none"}, checkChangedTypes},
	}
}
