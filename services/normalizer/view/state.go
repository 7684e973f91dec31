package view

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	ledgerv1 "github.com/paynorm/paynorm/gen/paynorm/ledger/v1"
	"github.com/paynorm/paynorm/services/normalizer/payment"
)

// stateOf returns s as it is stored: the last event of each state machine is in
// the table events, and of it only the cursor is kept, with what earlier events
// said. restore is the way back.
func stateOf(s *ledgerv1.PaymentState) *ledgerv1.PaymentState {
	stored := &ledgerv1.PaymentState{
		Version: s.GetVersion(), Machines: make(map[string]*ledgerv1.MachineState, len(s.GetMachines())),
		PaidByOperation: s.GetPaidByOperation(), RefundedByOperation: s.GetRefundedByOperation(),
		CurrencyByOperation: s.GetCurrencyByOperation(),
	}
	for key, m := range s.GetMachines() {
		if m.GetLast() == nil {
			continue
		}
		stored.Machines[key] = &ledgerv1.MachineState{Last: payment.Kept(m.GetLast())}
	}
	return stored
}

// restore makes states whole that were stored. read calls row with cursor and
// event of each of the cursors.
func restore(states []*ledgerv1.PaymentState, read func(cursors []int64, row func(*sql.Rows) error) error) error {
	machines := map[int64]*ledgerv1.MachineState{}
	var cursors []int64
	for _, s := range states {
		for _, m := range s.GetMachines() {
			cursor := m.GetLast().GetCursor()
			machines[cursor] = m
			cursors = append(cursors, cursor)
		}
	}
	found := 0
	err := read(cursors, func(rows *sql.Rows) error {
		var cursor int64
		var blob sql.RawBytes
		if err := rows.Scan(&cursor, &blob); err != nil {
			return err
		}
		e := &eventv1.PaymentStatusChanged{}
		if err := unmarshal(blob, e); err != nil {
			return err
		}
		found++
		payment.Restore(e, machines[cursor].GetLast())
		machines[cursor].Last = e
		return nil
	})
	if err == nil && found < len(machines) {
		err = fmt.Errorf("%w: events that payments name are not there: %d", ErrUnusable, len(machines)-found)
	}
	return err
}

// restoreFrom restores states by what db has.
func restoreFrom(ctx context.Context, db querier, states ...*ledgerv1.PaymentState) error {
	return restore(states, func(cursors []int64, row func(*sql.Rows) error) error {
		for chunk := range slices.Chunk(cursors, atOnce) {
			rows, err := db.QueryContext(ctx, "SELECT cursor, event FROM events WHERE cursor IN ("+marks(len(chunk))+")", anys(chunk)...)
			if err := eachRow(rows, err, row); err != nil {
				return err
			}
		}
		return nil
	})
}
