package view

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// The keys of rows are hashes of IDs, which fall anywhere in an index: with an
// index of SQLite's for each ID, every event would dirty a page of each, and
// these pages would be most of what is written. So the newest keys stay in
// memory, in parts by their first bits, and when there are too many, the largest
// part goes to the table keys in one go: then many keys fall on each page, and a
// batch takes about as many to the table as it brings. What was in memory is read
// back from the events and payments when a view is opened.
const (
	parts       = 256
	memoryLimit = 400 * parts // keys; those of about 16 000 events
)

// kind says what a key is of; the same text has another hash for each.
type kind byte

const (
	eventByName kind = iota + 1
	eventByPayment
	eventByProviderPaymentID
	eventByProviderOperationID
	eventByMerchantReference
	paymentByName
	paymentByProviderPaymentID
	paymentByMerchantReference
)

// key leads from an ID to a row: the cursor of an event or the id of a payment.
type key struct{ hash, row int64 }

// hash is FNV-1a, which stays the same from one run to the next.
func hash(k kind, id string) int64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := (offset ^ uint64(k)) * prime
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * prime
	}
	return int64(h)
}

// partOf returns the part of a hash by its first bits: a part is a stretch of the
// table, and parts are in its order.
func partOf(hash int64) int { return int((uint64(hash) ^ 1<<63) >> 56) }

// eventKeys appends the keys of e to to. IDs that are empty have none.
func eventKeys(to []key, e *eventv1.PaymentStatusChanged) []key {
	cursor := e.GetCursor()
	to = append(to, key{hash(eventByName, e.GetName()), cursor})
	to = appendKey(to, eventByPayment, e.GetPayment(), cursor)
	to = appendKey(to, eventByProviderPaymentID, e.GetProviderPaymentId(), cursor)
	to = appendKey(to, eventByProviderOperationID, e.GetProviderOperationId(), cursor)
	return appendKey(to, eventByMerchantReference, e.GetMerchantReference(), cursor)
}

// paymentKeys appends the keys of the payment of a row to to.
func paymentKeys(to []key, id int64, name, providerPaymentID, reference string) []key {
	to = append(to, key{hash(paymentByName, name), id})
	to = appendKey(to, paymentByProviderPaymentID, providerPaymentID, id)
	return appendKey(to, paymentByMerchantReference, reference, id)
}

func appendKey(to []key, k kind, id string, row int64) []key {
	if id == "" {
		return to
	}
	return append(to, key{hash(k, id), row})
}

// memory holds the keys that are not in the table yet.
type memory struct {
	limit int // keys
	mu    sync.RWMutex
	parts [parts]part
}

// part has its keys in the order in which they came. They are some hundred, unless
// very many rows share an ID, so to look through them takes no longer than to keep an
// index of them up to date, which would need several times their memory.
type part struct{ keys []key }

func (p *part) add(k key) { p.keys = append(p.keys, k) }

// clear drops the keys and keeps their room for those to come.
func (p *part) clear() { p.keys = p.keys[:0] }

// sorted returns all keys of p in the order of the table.
func (p *part) sorted() []key {
	out := slices.Clone(p.keys)
	slices.SortFunc(out, key.compare)
	return out
}

// appendRows appends the rows of a hash to to.
func (p *part) appendRows(to []int64, hash int64) []int64 {
	for i := range p.keys {
		if p.keys[i].hash == hash {
			to = append(to, p.keys[i].row)
		}
	}
	return to
}

// rows returns the rows of hashes.
func (m *memory) rows(hashes ...int64) (out []int64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, h := range hashes {
		out = m.parts[partOf(h)].appendRows(out, h)
	}
	return out
}

// forget drops all keys.
func (m *memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts = [parts]part{}
}

// over returns the parts that have to go to the table, the largest of them first.
func (m *memory) over() (out []int) {
	keys := 0
	for i := range m.parts {
		keys += len(m.parts[i].keys)
	}
	if keys <= m.limit {
		return nil
	}
	for i := range m.parts {
		out = append(out, i)
	}
	slices.SortFunc(out, func(i, j int) int { return len(m.parts[j].keys) - len(m.parts[i].keys) })
	for n, i := range out {
		if keys <= m.limit {
			return out[:n]
		}
		keys -= len(m.parts[i].keys)
	}
	return out
}

// commit forgets the parts that were flushed and adds keys.
func (m *memory) commit(flushed []int, keys []key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range flushed {
		m.parts[i].clear()
	}
	for _, k := range keys {
		m.parts[partOf(k.hash)].add(k)
	}
}

// flush brings the keys of some parts into the table, within a transaction. They
// are those of the batches before.
func (v *View) flush(ctx context.Context, flushed []int) error {
	to := newRows(&v.insert.keys)
	for _, i := range flushed {
		if err := to.addKeys(ctx, v.memory.parts[i].sorted()); err != nil {
			return err
		}
		if _, err := v.insert.part.ExecContext(ctx, v.stored.Cursor, v.lastPayment, i); err != nil {
			return err
		}
	}
	return to.flush(ctx)
}

// load brings back what was in memory when the view was closed: the keys of
// events and payments above those that have been flushed with their part.
func (v *View) load(ctx context.Context) error {
	var flushed [parts]struct{ cursor, payment int64 }
	cursor, payment := v.stored.Cursor, v.lastPayment
	rows, err := v.conn.QueryContext(ctx, "SELECT part, cursor, payment FROM parts")
	err = eachRow(rows, err, func(rows *sql.Rows) error {
		var i int
		if err := rows.Scan(&i, &cursor, &payment); err != nil {
			return err
		}
		if i < 0 || i >= parts {
			return fmt.Errorf("%w: it has a part %d of its keys", ErrUnusable, i)
		}
		flushed[i].cursor, flushed[i].payment = cursor, payment
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range flushed {
		cursor, payment = min(cursor, f.cursor), min(payment, f.payment)
	}
	rows, err = v.conn.QueryContext(ctx, "SELECT event FROM events WHERE cursor > ?", cursor)
	err = eachRow(rows, err, func(rows *sql.Rows) error {
		var blob sql.RawBytes
		if err := rows.Scan(&blob); err != nil {
			return err
		}
		e := &eventv1.PaymentStatusChanged{}
		if err := unmarshal(blob, e); err != nil {
			return err
		}
		for _, k := range eventKeys(nil, e) {
			if i := partOf(k.hash); k.row > flushed[i].cursor {
				v.memory.parts[i].add(k)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	rows, err = v.conn.QueryContext(ctx, "SELECT id, name, provider_payment_id, merchant_reference FROM payments WHERE id > ?", payment)
	return eachRow(rows, err, func(rows *sql.Rows) error {
		var id int64
		var name, providerPaymentID, reference string
		err := rows.Scan(&id, &name, &providerPaymentID, &reference)
		for _, k := range paymentKeys(nil, id, name, providerPaymentID, reference) {
			if i := partOf(k.hash); k.row > flushed[i].payment {
				v.memory.parts[i].add(k)
			}
		}
		return err
	})
}
