package e2e

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// matches reports how got, an event in protojson, differs from the subset want.
func matches(want, got map[string]any) error {
	for name, w := range want {
		g := got[name]
		if err := same(name, w, g); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func same(name string, want, got any) error {
	if absent(want) || absent(got) {
		if absent(want) != absent(got) {
			return fmt.Errorf("got %v, want %v", show(got), show(want))
		}
		return nil
	}
	equal := false
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if _, isMoney := w["currencyCode"]; isMoney && ok {
			equal = money(w) == money(g)
			break
		}
		if ok {
			return matches(w, g)
		}
	case string:
		g, _ := got.(string)
		switch {
		case strings.HasSuffix(name, "Time"):
			wt, err1 := time.Parse(time.RFC3339Nano, w)
			gt, err2 := time.Parse(time.RFC3339Nano, g)
			equal = err1 == nil && err2 == nil && wt.Equal(gt)
		case name == "actionBy":
			equal = strings.HasSuffix(g, w[strings.LastIndexByte(w, '_')+1:])
		case name == "disposition":
			equal = slices.Contains(strings.Split(w, "|"), g)
		default:
			equal = g == w
		}
	default:
		equal = fmt.Sprint(want) == fmt.Sprint(got)
	}
	if !equal {
		return fmt.Errorf("got %v, want %v", show(got), show(want))
	}
	return nil
}

// money is an amount as currency and exact value.
func money(m map[string]any) string {
	number := func(name string) *big.Int {
		n, ok := new(big.Int).SetString(strings.Trim(fmt.Sprint(m[name]), `"`), 10)
		if !ok {
			n = new(big.Int)
		}
		return n
	}
	scale := new(big.Int).Exp(big.NewInt(10), number("exponent"), nil)
	return fmt.Sprint(m["currencyCode"], " ", new(big.Rat).SetFrac(number("minorUnits"), scale))
}

func absent(v any) bool {
	s, isText := v.(string)
	return v == nil || isText && (s == "" || strings.HasSuffix(s, "_UNSPECIFIED"))
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// fits reports how what was published differs from o.
func (o outcome) fits(events []map[string]any, reasons []string) error {
	if len(events) != len(o.Events) {
		return fmt.Errorf("%d events, want %d: %s", len(events), len(o.Events), show(events))
	}
	for i, want := range o.Events {
		if err := matches(want, events[i]); err != nil {
			return fmt.Errorf("event %d: %w", i+1, err)
		}
	}
	if len(reasons) != len(o.Quarantined) {
		return fmt.Errorf("quarantined %v, want %v", reasons, o.Quarantined)
	}
	left := slices.Clone(reasons)
	wants := slices.Clone(o.Quarantined)
	slices.SortFunc(wants, func(a, b string) int { return strings.Count(a, "*") - strings.Count(b, "*") }) // the particular ones first
	for _, want := range wants {
		i := slices.IndexFunc(left, func(r string) bool { return want == "*" || slices.Contains(strings.Split(want, "|"), r) })
		if i < 0 {
			return fmt.Errorf("quarantined %v, want %v", reasons, o.Quarantined)
		}
		left = slices.Delete(left, i, i+1)
	}
	return nil
}
