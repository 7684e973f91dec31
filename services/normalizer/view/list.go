package view

import (
	"context"
	"database/sql"
	"math"
	"slices"
	"strings"

	"github.com/paynorm/paynorm/services/normalizer/filter"
)

// maxMerged is how many classes are merged at most. Beyond it, rows are read
// in their order and those of other classes passed over: a filter that so many
// classes meet is one that many rows meet.
const maxMerged = 4096

// list is a table that is listed in the order of key.
type list struct {
	table, key string
	scan       string         // how to read it in the order of key
	classOf    int            // its classes
	ids        []filter.Field // what has an index, the most selective first
}

func eventList() list {
	return list{
		table: "events", key: "cursor", scan: "NOT INDEXED", classOf: classOfEvents,
		ids: []filter.Field{
			filter.Payment, filter.ProviderPaymentID, filter.ProviderOperationID,
			filter.Delivery, filter.MerchantReference,
		},
	}
}

func paymentList() list {
	return list{
		table: "payments", key: "update_cursor", scan: "INDEXED BY payments_update", classOf: classOfPayments,
		ids: []filter.Field{filter.ProviderPaymentID, filter.MerchantReference},
	}
}

// window is the part of a list that is asked for.
type window struct {
	after, before int64 // keys, exclusive
	limit         int
	oldestFirst   bool
}

// where gathers what rows must meet.
type where struct {
	sql  strings.Builder
	args []any
}

func (w *where) and(sql string, args ...any) {
	if w.sql.Len() > 0 {
		w.sql.WriteString(" AND ")
	}
	w.sql.WriteString(sql)
	w.args = append(w.args, args...)
}

// find is a filter made ready for a list.
type find struct {
	list
	window
	rows    where  // on the list's table
	classes where  // on the table classes
	index   string // the index of an ID that the filter gives
}

// plan turns conditions into SQL and chooses the index.
func (l list) plan(ctx context.Context, db querier, conditions filter.Conditions, w window) (*find, error) {
	f := &find{list: l, window: w}
	for _, c := range conditions {
		if err := f.add(ctx, db, c); err != nil {
			return nil, err
		}
	}
	f.pickIndex(conditions)
	return f, nil
}

// keys returns the keys of the rows that meet conditions, in order.
func (l list) keys(ctx context.Context, db *sql.Tx, conditions filter.Conditions, w window) ([]int64, error) {
	f, err := l.plan(ctx, db, conditions, w)
	if err != nil {
		return nil, err
	}
	if f.classes.sql.Len() == 0 {
		return f.read(ctx, db)
	}
	if f.index == "" {
		ids, err := readKeys(ctx, db, "SELECT id FROM classes WHERE of = ? AND "+f.classes.sql.String(),
			slices.Concat([]any{f.classOf}, f.classes.args)...)
		if err != nil {
			return nil, err
		}
		if len(ids) <= maxMerged {
			return f.merge(ctx, db, ids)
		}
	}
	f.rows.and("class IN (SELECT id FROM classes WHERE of = ? AND "+f.classes.sql.String()+")",
		slices.Concat([]any{f.classOf}, f.classes.args)...)
	return f.read(ctx, db)
}

// add turns a condition into SQL. Column names come from the fields' own
// names, which the filter has checked; values are parameters.
func (f *find) add(ctx context.Context, db querier, c filter.Condition) error {
	column, op := string(c.Field), c.Op.String()
	switch {
	case c.Type == filter.Number:
		f.bound(c.Op, c.Number, c.Number)
	case c.Type == filter.Time:
		f.rows.and(column+" "+op+" ?", c.Number)
		if c.Field != filter.OccurTime {
			return f.boundTime(ctx, db, c)
		}
	case slices.Contains(f.ids, c.Field):
		f.rows.and(column+" "+op+" ?", c.Text)
	case c.Type == filter.Text:
		f.classes.and(column+" "+op+" ?", c.Text)
	default:
		f.classes.and(column+" "+op+" ?", c.Number)
	}
	return nil
}

// pickIndex chooses the index of the most selective ID that the filter gives.
func (f *find) pickIndex(conditions filter.Conditions) {
	for _, field := range f.ids {
		i := slices.IndexFunc(conditions, func(c filter.Condition) bool {
			return c.Field == field && c.Op == filter.Equal && c.Text != ""
		})
		if i < 0 {
			continue
		}
		f.index = f.table + "_" + string(field)
		if field != filter.Delivery {
			f.rows.and(string(field)+"_hash = ?", hash(conditions[i].Text))
		}
		return
	}
}

// bound narrows the window: the key is below, at or above a value that lies
// between low and high.
func (f *find) bound(op filter.Op, low, high int64) {
	switch op {
	case filter.Greater:
		f.after = max(f.after, low)
	case filter.GreaterEqual:
		f.after = max(f.after, sub1(low))
	case filter.Less:
		f.before = min(f.before, high)
	case filter.LessEqual:
		f.before = min(f.before, add1(high))
	case filter.Equal:
		f.after, f.before = max(f.after, sub1(low)), min(f.before, add1(high))
	}
}

// query makes the statement that reads the keys within the window. Its last
// three parameters are the window's ends and the limit.
func (f *find) query(how string) (string, []any) {
	w := where{}
	if f.rows.sql.Len() > 0 {
		w.and(f.rows.sql.String(), f.rows.args...)
	}
	w.and(f.key + " > ? AND " + f.key + " < ?")
	direction := " DESC"
	if f.oldestFirst {
		direction = ""
	}
	return "SELECT " + f.key + " FROM " + f.table + " " + how + " WHERE " + w.sql.String() +
		" ORDER BY " + f.key + direction + " LIMIT ?", w.args
}

func (f *find) inOrder() (string, []any) {
	if f.index != "" {
		return f.query("INDEXED BY " + f.index)
	}
	return f.query(f.scan)
}

// read reads by the index of an ID, or in the order of the key.
func (f *find) read(ctx context.Context, db querier) ([]int64, error) {
	query, args := f.inOrder()
	return readKeys(ctx, db, query, append(args, f.after, f.before, f.limit)...)
}

// ofClass makes the statement that reads the keys of one class, which is the
// parameter before the window's.
func (f *find) ofClass() (string, []any) {
	f.rows.and("class = ?")
	return f.query("INDEXED BY " + f.table + "_class")
}

// merge reads the keys of each class and keeps the first of them. What is kept
// narrows the window for the classes that follow, so most cost one probe.
func (f *find) merge(ctx context.Context, db *sql.Tx, classes []int64) ([]int64, error) {
	query, args := f.ofClass()
	stmt, err := db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stmt.Close() }()
	var keys []int64
	for _, id := range classes {
		more, err := collect(stmt.QueryContext(ctx, slices.Concat(args, []any{id, f.after, f.before, f.limit})...))
		if err != nil {
			return nil, err
		}
		if len(more) == 0 {
			continue
		}
		keys = append(keys, more...)
		slices.Sort(keys)
		if !f.oldestFirst {
			slices.Reverse(keys)
		}
		if len(keys) < f.limit {
			continue
		}
		keys = keys[:f.limit]
		if f.oldestFirst {
			f.before = keys[f.limit-1]
		} else {
			f.after = keys[f.limit-1]
		}
	}
	return keys, nil
}

func readKeys(ctx context.Context, db querier, query string, args ...any) ([]int64, error) {
	return collect(db.QueryContext(ctx, query, args...))
}

func collect(rows *sql.Rows, err error) (keys []int64, _ error) {
	err = eachRow(rows, err, func(rows *sql.Rows) error {
		var key int64
		err := rows.Scan(&key)
		keys = append(keys, key)
		return err
	})
	return keys, err
}

func add1(n int64) int64 {
	if n == math.MaxInt64 {
		return n
	}
	return n + 1
}

func sub1(n int64) int64 {
	if n == math.MinInt64 {
		return n
	}
	return n - 1
}
