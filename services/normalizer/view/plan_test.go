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
	byKeys := []string{"SEARCH keys USING PRIMARY KEY (hash=? AND row>? AND row<?)", "SEARCH events USING INTEGER PRIMARY KEY (rowid=?)"}
	byKeysOfPayments := []string{"SEARCH keys USING PRIMARY KEY (hash=?)", "SEARCH payments USING INTEGER PRIMARY KEY (rowid=?)", "USE TEMP B-TREE FOR ORDER BY"}
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
		{eventList(), events, `payment = "payments/p1"`, byKeys},
		{eventList(), events, `merchant_reference = "7" AND provider_payment_id = "8"`, byKeys},
		{eventList(), events, `merchant_reference = "7"`, byKeys},
		{eventList(), events, `provider_operation_id = "7"`, byKeys},
		{eventList(), events, `delivery = "deliveries/d1-0"`, []string{"SEARCH events USING COVERING INDEX events_delivery (delivery=? AND rowid>? AND rowid<?)"}},
		{paymentList(), payments, ``, []string{"SEARCH payments USING COVERING INDEX payments_update (update_cursor>? AND update_cursor<?)"}},
		{paymentList(), payments, `provider = clip AND merchant = acme`, []string{"SEARCH payments USING COVERING INDEX payments_class (class=? AND update_cursor>? AND update_cursor<?)"}},
		{paymentList(), payments, `payment_status = PAID`, []string{"SEARCH payments USING COVERING INDEX payments_class (class=? AND update_cursor>? AND update_cursor<?)"}},
		{paymentList(), payments, `provider_payment_id = "8"`, byKeysOfPayments},
		{paymentList(), payments, `merchant_reference = "7"`, byKeysOfPayments},
	}
	for _, tt := range tests {
		t.Run(tt.list.table+" "+tt.filter, func(t *testing.T) {
			conditions, err := tt.schema.Parse(tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			f, err := tt.list.plan(ctx, v.read.Load(), conditions, tt.list.found(conditions, &v.memory), Query{Limit: 50}.window())
			if err != nil {
				t.Fatal(err)
			}
			from := f.from
			if f.field == "" && f.classes.sql.Len() > 0 {
				from = f.ofClass
			}
			query, args := f.query(from())
			if f.field == "" && f.classes.sql.Len() > 0 {
				args = append(args, 1)
			}
			if diff := cmp.Diff(tt.want, explainPlan(t, v.read.Load(), query, append(args, f.after, f.before, f.limit)...)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		})
	}
	for _, lookup := range []string{
		"SELECT event FROM events WHERE " + textOf("event", "name") + " = 'x' AND cursor IN (SELECT row FROM keys WHERE hash = 1 UNION ALL VALUES (7))",
		"SELECT row FROM keys WHERE hash IN (1, 2, 3)",
		"SELECT high_time FROM events WHERE cursor <= 7 ORDER BY cursor DESC LIMIT 1",
	} {
		for _, step := range explainPlan(t, v.read.Load(), lookup) {
			if strings.HasPrefix(step, "SCAN events") || strings.HasPrefix(step, "SCAN keys") {
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
