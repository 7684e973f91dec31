package view

import (
	"cmp"
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
	row        string // what the table keys leads to
	scan       string // how to read the table in the order of key
	highTime   string // the latest time of receipt up to a row
	classOf    int    // its classes
	ids        []id   // what is found by an index, the most selective first
	texts      string // the protobuf that has the texts that are no columns
}

// id is an ID that a list is filtered by. Its kind is 0 when it has an index of
// its own, which is not in the table keys.
type id struct {
	field filter.Field
	kind  kind
}

func eventList() list {
	return list{
		table: "events", key: "cursor", row: "cursor", scan: "NOT INDEXED", highTime: "high_time", classOf: classOfEvents,
		ids: []id{
			{filter.Payment, eventByPayment}, {filter.ProviderPaymentID, eventByProviderPaymentID},
			{filter.ProviderOperationID, eventByProviderOperationID}, {filter.Delivery, 0},
			{filter.MerchantReference, eventByMerchantReference},
		},
		texts: "event",
	}
}

func paymentList() list {
	return list{
		table: "payments", key: "update_cursor", row: "id", scan: "INDEXED BY payments_update", classOf: classOfPayments,
		ids: []id{
			{filter.ProviderPaymentID, paymentByProviderPaymentID}, {filter.MerchantReference, paymentByMerchantReference},
		},
	}
}

func deliveryList() list {
	return list{table: "deliveries", key: "id", row: "id", scan: "NOT INDEXED", highTime: "coalesce(high_time, receive_time)", classOf: classOfDeliveries}
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
	key  string // the column to order by, when it is not the list's
}

func (w *where) and(sql string, args ...any) {
	if w.sql.Len() > 0 {
		w.sql.WriteString(" AND ")
	}
	w.sql.WriteString(sql)
	w.args = append(w.args, args...)
}

// found is the ID that a filter gives, if any, and what memory knows of it. It
// is read before the snapshot is taken: what leaves memory meanwhile is in the
// table by then.
type found struct {
	id
	hash   int64
	memory []int64 // rows
}

func (l list) found(conditions filter.Conditions, m *memory) (f found) {
	for _, candidate := range l.ids {
		for _, c := range conditions {
			if c.Field != candidate.field || c.Op != filter.Equal || c.Text == "" {
				continue
			}
			f.id = candidate
			if f.kind != 0 {
				f.hash = hash(f.kind, c.Text)
				f.memory = m.rows(f.hash)
			}
			return f
		}
	}
	return f
}

// find is a filter made ready for a list.
type find struct {
	list
	window
	found
	rows    where // on the list's table
	classes where // on the table classes
}

// plan turns conditions into SQL.
func (l list) plan(ctx context.Context, db querier, conditions filter.Conditions, at found, w window) (*find, error) {
	f := &find{list: l, window: w, found: at}
	for _, c := range conditions {
		if err := f.add(ctx, db, c); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// keys returns the keys of the rows that meet conditions, in order.
func (l list) keys(ctx context.Context, db *sql.Tx, conditions filter.Conditions, at found, w window) ([]int64, error) {
	f, err := l.plan(ctx, db, conditions, at, w)
	if err != nil {
		return nil, err
	}
	if f.classes.sql.Len() > 0 {
		of, args := f.ofClasses()
		if f.field == "" {
			ids, err := readKeys(ctx, db, of, args...)
			if err != nil {
				return nil, err
			}
			if len(ids) <= maxMerged {
				return f.merge(ctx, db, ids)
			}
		}
		f.rows.and("class IN ("+of+")", args...)
	}
	query, args := f.query(f.from())
	keys, err := readKeys(ctx, db, query, append(args, f.after, f.before, f.limit)...)
	if err != nil || len(f.memory) == 0 {
		return keys, err
	}
	more, err := f.fromMemory(ctx, db)
	return f.first(append(keys, more...)), err
}

// add turns a condition into SQL. Column names come from the fields' own
// names, which the filter has checked; values are parameters.
func (f *find) add(ctx context.Context, db querier, c filter.Condition) error {
	column, op := string(c.Field), c.Op.String()
	switch {
	case c.Op == filter.OneOf: // of provider or merchant
		f.classes.and(column+" IN ("+strings.Repeat("?, ", len(c.Texts))+"NULL)", anys(c.Texts)...)
	case c.Type == filter.Number:
		f.bound(c.Op, c.Number)
	case c.Type == filter.Time:
		f.rows.and(column+" "+op+" ?", c.Number)
		if c.Field != filter.OccurTime {
			return f.boundTime(ctx, db, c)
		}
	case c.Field == filter.Delivery:
		f.rows.and(column+" "+op+" ?", deliveryID(c.Text))
	case slices.ContainsFunc(f.ids, func(i id) bool { return i.field == c.Field }):
		if f.texts != "" {
			column = textOf(f.texts, column)
		}
		f.rows.and(column+" "+op+" ?", c.Text)
	case c.Type == filter.Text:
		f.classes.and(column+" "+op+" ?", c.Text)
	default:
		f.classes.and(column+" "+op+" ?", c.Number)
	}
	return nil
}

// bound narrows the window: the key is below, at or above n.
func (f *find) bound(op filter.Op, n int64) {
	switch op {
	case filter.Greater:
		f.after = max(f.after, n)
	case filter.GreaterEqual:
		f.after = max(f.after, sub1(n))
	case filter.Less:
		f.before = min(f.before, n)
	case filter.LessEqual:
		f.before = min(f.before, add1(n))
	case filter.Equal:
		f.after, f.before = max(f.after, sub1(n)), min(f.before, add1(n))
	}
}

// from says where the rows that meet the filter are read: by an ID, or in the
// order of the key.
func (f *find) from() (string, *where) {
	w := &where{}
	switch {
	case f.field == "":
		return f.table + " " + f.scan, w
	case f.kind == 0:
		return f.table + " INDEXED BY " + f.table + "_" + string(f.field), w
	}
	w.and("hash = ?", f.hash)
	if f.row == f.key { // the table keys is in the order that is wanted
		w.key = "row"
	}
	return "keys CROSS JOIN " + f.table + " ON " + f.table + "." + f.row + " = keys.row", w
}

// ofClasses makes the statement that reads the classes that the filter chooses.
func (f *find) ofClasses() (string, []any) {
	return "SELECT id FROM classes WHERE of = ? AND " + f.classes.sql.String(), slices.Concat([]any{f.classOf}, f.classes.args)
}

// ofClass is from for the rows of one class, the parameter before the window's.
func (f *find) ofClass() (string, *where) {
	f.rows.and("class = ?")
	return f.table + " INDEXED BY " + f.table + "_class", &where{}
}

// query makes the statement that reads the keys within the window. Its last
// three parameters are the window's ends and the limit.
func (f *find) query(from string, w *where) (string, []any) {
	key := cmp.Or(w.key, f.key)
	if f.rows.sql.Len() > 0 {
		w.and(f.rows.sql.String(), f.rows.args...)
	}
	w.and(key + " > ? AND " + key + " < ?")
	direction := " DESC"
	if f.oldestFirst {
		direction = ""
	}
	return "SELECT " + key + " FROM " + from + " WHERE " + w.sql.String() + " ORDER BY " + key + direction + " LIMIT ?", w.args
}

// fromMemory reads the rows that memory knows of. They are taken in order, a
// limited number at once, until there are enough.
func (f *find) fromMemory(ctx context.Context, db *sql.Tx) ([]int64, error) {
	rows := slices.Clone(f.memory)
	slices.Sort(rows)
	if !f.oldestFirst {
		slices.Reverse(rows)
	}
	var keys []int64
	for chunk := range slices.Chunk(rows, atOnce) {
		w := &where{}
		w.and(f.row+" IN ("+marks(len(chunk))+")", anys(chunk)...)
		query, args := f.query(f.table, w)
		more, err := readKeys(ctx, db, query, append(args, f.after, f.before, f.limit)...)
		if err != nil {
			return nil, err
		}
		// Events come in the order of their rows; payments do not, so all are read.
		if keys = append(keys, more...); f.row == f.key && len(keys) >= f.limit {
			break
		}
	}
	return keys, nil
}

// first sorts keys and returns as many as the window takes. A key that has just
// left memory may be there twice.
func (f *find) first(keys []int64) []int64 {
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if !f.oldestFirst {
		slices.Reverse(keys)
	}
	return keys[:min(len(keys), f.limit)]
}

// merge reads the keys of each class and keeps the first of them. What is kept
// narrows the window for the classes that follow, so most cost one probe.
func (f *find) merge(ctx context.Context, db *sql.Tx, classes []int64) ([]int64, error) {
	query, args := f.query(f.ofClass())
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
		if keys = f.first(append(keys, more...)); len(keys) < f.limit {
			continue
		}
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
