package view

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/services/normalizer/filter"
)

// TestFiltersAreServedByAnIndex asks SQLite how it would answer. A page must
// come out of an index in the list's order, without sorting; of payments that
// share an ID, which are few, sorting is fine.
func TestFiltersAreServedByAnIndex(t *testing.T) {
	ctx := context.Background()
	v, err := Open(ctx, filepath.Join(t.TempDir(), "view.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	const sorts = "USE TEMP B-TREE FOR ORDER BY"
	events, payments := filter.Events(), filter.Payments()
	tests := []struct {
		list   list
		schema filter.Schema
		filter string
		want   []string
	}{
		{eventList(), events, ``, []string{"SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"}},
		{eventList(), events, `receive_time > "2025-01-01T00:00:00Z"`, []string{"SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"}},
		{eventList(), events, `provider = clip AND merchant = acme`, []string{"SEARCH events USING COVERING INDEX events_class (class=? AND rowid>? AND rowid<?)"}},
		{eventList(), events, `payment_status = PAID`, []string{"SEARCH events USING COVERING INDEX events_class (class=? AND rowid>? AND rowid<?)"}},
		{
			eventList(), events, `provider = clip AND merchant = acme AND payment_status = PAID AND receive_time > "2025-01-01T00:00:00Z"`,
			[]string{"SEARCH events USING INDEX events_class (class=? AND rowid>? AND rowid<?)"},
		},
		{eventList(), events, `mode = test AND disposition != applied`, []string{"SEARCH events USING COVERING INDEX events_class (class=? AND rowid>? AND rowid<?)"}},
		{eventList(), events, `payment = "payments/p1"`, []string{"SEARCH events USING INDEX events_payment (payment_hash=? AND rowid>? AND rowid<?)"}},
		{
			eventList(), events, `merchant_reference = "7" AND provider_payment_id = "8"`,
			[]string{"SEARCH events USING INDEX events_provider_payment_id (provider_payment_id_hash=? AND rowid>? AND rowid<?)"},
		},
		{eventList(), events, `merchant_reference = "7"`, []string{"SEARCH events USING INDEX events_merchant_reference (merchant_reference_hash=? AND rowid>? AND rowid<?)"}},
		{eventList(), events, `provider_operation_id = "7"`, []string{"SEARCH events USING INDEX events_provider_operation_id (provider_operation_id_hash=? AND rowid>? AND rowid<?)"}},
		{eventList(), events, `delivery = "deliveries/1"`, []string{"SEARCH events USING COVERING INDEX events_delivery (delivery=? AND rowid>? AND rowid<?)"}},
		{paymentList(), payments, ``, []string{"SEARCH payments USING COVERING INDEX payments_update (update_cursor>? AND update_cursor<?)"}},
		{paymentList(), payments, `provider = clip AND merchant = acme`, []string{"SEARCH payments USING COVERING INDEX payments_class (class=? AND update_cursor>? AND update_cursor<?)"}},
		{paymentList(), payments, `payment_status = PAID`, []string{"SEARCH payments USING COVERING INDEX payments_class (class=? AND update_cursor>? AND update_cursor<?)"}},
		{paymentList(), payments, `provider_payment_id = "8"`, []string{"SEARCH payments USING INDEX payments_provider_payment_id (provider_payment_id_hash=?)", sorts}},
		{paymentList(), payments, `merchant_reference = "7"`, []string{"SEARCH payments USING INDEX payments_merchant_reference (merchant_reference_hash=?)", sorts}},
	}
	for _, tt := range tests {
		t.Run(tt.list.table+" "+tt.filter, func(t *testing.T) {
			conditions, err := tt.schema.Parse(tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			f, err := tt.list.plan(ctx, v.read, conditions, Query{Limit: 50}.window())
			if err != nil {
				t.Fatal(err)
			}
			query, args := f.inOrder()
			if f.index == "" && f.classes.sql.Len() > 0 {
				query, args = f.ofClass()
				args = append(args, 1)
			}
			if diff := cmp.Diff(tt.want, explainPlan(t, v.read, query, append(args, f.after, f.before, f.limit)...)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		})
	}
	for _, lookup := range []string{
		"SELECT event FROM events INDEXED BY events_name WHERE name_hash = 1 AND name = 'x'",
		"SELECT high_time FROM events WHERE cursor <= 7 ORDER BY cursor DESC LIMIT 1",
	} {
		for _, step := range explainPlan(t, v.read, lookup) {
			if !strings.HasPrefix(step, "SEARCH") {
				t.Errorf("%s: %s", lookup, step)
			}
		}
	}
}

func explainPlan(t *testing.T, db *sql.DB, query string, args ...any) (steps []string) {
	t.Helper()
	rows, err := db.Query("EXPLAIN QUERY PLAN "+query, args...)
	err = eachRow(rows, err, func(rows *sql.Rows) error {
		var id, parent, unused int
		var step string
		err := rows.Scan(&id, &parent, &unused, &step)
		steps = append(steps, step)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return steps
}
