package drift_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/services/normalizer/drift"
)

func TestMembersAreCountedAndNewOnesToldOnce(t *testing.T) {
	b, first, last := drift.NewBook(), time.Unix(10, 0), time.Unix(20, 0)
	if _, added := b.Add("clip", []string{"b", "a"}, first); !cmp.Equal(added, []string{"b", "a"}) {
		t.Errorf("new members %v, want b and a", added)
	}
	if _, added := b.Add("clip", []string{"a"}, last); added != nil {
		t.Errorf("new members %v, want none", added)
	}
	want := []drift.Member{{Name: "a", Deliveries: 2, FirstTime: first, LastTime: last}, {Name: "b", Deliveries: 1, FirstTime: first, LastTime: first}}
	if diff := cmp.Diff(want, b.Members("clip")); diff != "" {
		t.Error(diff)
	}
	if got := b.Members("incode"); got != nil {
		t.Errorf("another provider has %v", got)
	}
}

func TestNamesAreBounded(t *testing.T) {
	b := drift.NewBook()
	for i := range 3 * drift.MaxMembers {
		counted, _ := b.Add("clip", []string{fmt.Sprint(i)}, time.Unix(1, 0))
		if want := fmt.Sprint(i); i >= drift.MaxMembers && counted[0] != drift.Other || i < drift.MaxMembers && counted[0] != want {
			t.Fatalf("member %d is counted as %s", i, counted[0])
		}
	}
	if got := len(b.Members("clip")); got != drift.MaxMembers+1 {
		t.Errorf("%d names kept, want %d", got, drift.MaxMembers+1)
	}
}
