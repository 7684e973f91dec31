package view

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
)

// While a view is being filled, only the keys by which it finds payments are in
// memory and in the table keys. All keys are put aside, by their parts: stored one
// part of memory after the other, they would touch each page of a growing table
// again and again. At the end, they are sorted and stored in order.
const keySize = 16 // bytes of a key that is put aside

const spillTable = `CREATE TABLE spill (id INTEGER PRIMARY KEY, keys BLOB NOT NULL) STRICT`

// spill is the keys that are put aside.
type spill struct {
	insert, read *sql.Stmt
	keys         []key // of the batch that is being applied
	limit        int   // keys of a part that are in memory
	latest       [parts][]key
	rows         int64
}

// openSpill makes the table for keys in the file that is being filled.
func (v *View) openSpill(ctx context.Context) error {
	if err := v.each(ctx, []string{spillTable}); err != nil {
		return err
	}
	p := preparer{ctx: ctx, conn: v.conn}
	v.spill = &spill{
		limit:  max(1, v.memory.limit/parts), // by default, 1.6 MiB in all
		insert: p.prepare("INSERT INTO spill VALUES (?, ?)"),
		read:   p.prepare("SELECT keys FROM spill WHERE id BETWEEN ? AND ?"),
	}
	v.prepared = append(v.prepared, p.done...)
	return p.err
}

// store puts the keys of a batch aside, within a transaction.
func (s *spill) store(ctx context.Context) error {
	for _, k := range s.keys {
		i := partOf(k.hash)
		if s.latest[i] = append(s.latest[i], k); len(s.latest[i]) < s.limit {
			continue
		}
		blob := make([]byte, 0, s.limit*keySize)
		for _, k := range s.latest[i] {
			blob = binary.LittleEndian.AppendUint64(blob, uint64(k.hash))
			blob = binary.LittleEndian.AppendUint64(blob, uint64(k.row))
		}
		s.latest[i] = s.latest[i][:0]
		s.rows++
		if _, err := s.insert.ExecContext(ctx, int64(i)<<32|s.rows, blob); err != nil {
			return fmt.Errorf("put keys aside: %w", err)
		}
	}
	s.keys = s.keys[:0]
	return nil
}

// sorted returns the keys of a part in the order of the table, each once, when they are sorted.
func (s *spill) sorted(ctx context.Context, i int) (<-chan []key, error) {
	keys := s.latest[i]
	rows, err := s.read.QueryContext(ctx, int64(i)<<32, int64(i)<<32|(1<<32-1))
	err = eachRow(rows, err, func(rows *sql.Rows) error {
		var blob sql.RawBytes
		if err := rows.Scan(&blob); err != nil {
			return err
		}
		for ; len(blob) >= keySize; blob = blob[keySize:] {
			keys = append(keys, key{int64(binary.LittleEndian.Uint64(blob)), int64(binary.LittleEndian.Uint64(blob[8:]))})
		}
		return nil
	})
	done := make(chan []key, 1)
	go func() {
		slices.SortFunc(keys, key.compare)
		done <- slices.Compact(keys)
	}()
	return done, err
}

// compare compares keys in the order of the table.
func (k key) compare(other key) int {
	if k.hash != other.hash { // nearly always
		return cmp.Compare(k.hash, other.hash)
	}
	return cmp.Compare(k.row, other.row)
}

// gather stores the keys that were put aside.
func (v *View) gather(ctx context.Context) error {
	if _, err := v.insert.begin.ExecContext(ctx); err != nil {
		return err
	}
	if err := v.each(ctx, []string{"DELETE FROM keys"}); err != nil {
		return err
	}
	to := newRows(&v.insert.keys)
	next, err := v.spill.sorted(ctx, 0)
	for i := 1; err == nil && i <= parts; i++ {
		keys := next
		if i < parts { // which is sorted while the one before is stored
			next, err = v.spill.sorted(ctx, i)
		}
		if err == nil {
			err = to.addKeys(ctx, <-keys)
		}
	}
	if err != nil {
		return err
	}
	if err := to.flush(ctx); err != nil {
		return err
	}
	for part := range parts {
		if _, err := v.insert.part.ExecContext(ctx, v.stored.Cursor, v.lastPayment, part); err != nil {
			return err
		}
	}
	v.memory.forget()
	if err := v.each(ctx, []string{"DROP TABLE spill"}); err != nil {
		return err
	}
	_, err = v.insert.commit.ExecContext(ctx)
	return err
}
