package view

import (
	"context"
	"database/sql"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// What a class groups.
const (
	classOfEvents = iota + 1
	classOfPayments
	classOfDeliveries
)

// class is a combination of the fields that have few values. Filters over
// these fields choose classes, not rows.
type class struct {
	of                 int
	provider, merchant string
	mode               eventv1.Mode
	kind               eventv1.Kind
	direction          eventv1.Direction
	payment            eventv1.PaymentStatus
	refund             eventv1.RefundStatus
	dispute            eventv1.DisputeStatus
	proof              eventv1.ProofStatus
	disposition        eventv1.Disposition
}

func classOfEvent(e *eventv1.PaymentStatusChanged) class {
	return class{
		of:       classOfEvents,
		provider: e.GetProvider(), merchant: e.GetMerchant(),
		mode: e.GetMode(), kind: e.GetKind(), direction: e.GetDirection(),
		payment: e.GetPaymentStatus(), refund: e.GetRefundStatus(),
		dispute: e.GetDisputeStatus(), proof: e.GetProofStatus(),
		disposition: e.GetDisposition(),
	}
}

func classOfDelivery(d *Delivery) class {
	return class{of: classOfDeliveries, provider: d.Provider, merchant: d.Merchant, mode: d.Mode}
}

func (c class) columns() []any {
	return []any{
		c.of, c.provider, c.merchant, int32(c.mode), int32(c.kind), int32(c.direction),
		int32(c.payment), int32(c.refund), int32(c.dispute), int32(c.proof), int32(c.disposition),
	}
}

func readClasses(ctx context.Context, db querier) (map[class]int64, error) {
	out := map[class]int64{}
	rows, err := db.QueryContext(ctx, `SELECT id, of, provider, merchant, mode, kind, direction,
		payment_status, refund_status, dispute_status, proof_status, disposition FROM classes`)
	err = eachRow(rows, err, func(rows *sql.Rows) error {
		var id int64
		var c class
		err := rows.Scan(&id, &c.of, &c.provider, &c.merchant, &c.mode, &c.kind, &c.direction,
			&c.payment, &c.refund, &c.dispute, &c.proof, &c.disposition)
		out[c] = id
		return err
	})
	return out, err
}
