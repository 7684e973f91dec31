package simulator

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"
)

// moment is what a body is made from.
type moment struct {
	ids     IDs
	random  random
	now     time.Time // UTC
	account string
	cents   int64 // the payment's amount in minor units: between 100.00 and 4099.99, not round
}

// random is the randomness of one request.
type random [32]byte

func newMoment(s *Simulator, ids IDs) (moment, error) {
	m := moment{ids: ids, now: s.now().UTC(), account: s.account}
	if _, err := io.ReadFull(s.rand, m.random[:]); err != nil {
		return moment{}, fmt.Errorf("random: %w", err)
	}
	if m.ids.Payment == "" {
		m.ids.Payment = s.player.payment(m.random)
	}
	m.cents = 10_000 + int64(derive(m.ids.Payment, "amount")%400_000)
	return m, nil
}

// The forms that providers give to the ID of a payment.

func (r random) paymentUUID() string   { return formatUUID([16]byte(r[:16])) }
func (r random) paymentHex() string    { return hex.EncodeToString(r[:16]) }
func (r random) paymentNumber() string { return serial(binary.BigEndian.Uint64(r[:16]), 12) }

// The forms of the ID of a notification, or of an operation on a payment.

func (r random) otherUUID() string { return formatUUID([16]byte(r[16:])) }
func (r random) otherHex() string  { return hex.EncodeToString(r[16:]) }

// reference is the merchant's reference.
func (m moment) reference() string {
	if m.ids.Reference != "" {
		return m.ids.Reference
	}
	return "order-" + digits(m.ids.Payment, "reference", 8)
}

// serial is n digits, at most 18, the first of which is not 0.
func serial(v uint64, n int) string {
	low := uint64(1)
	for range n - 1 {
		low *= 10
	}
	return strconv.FormatUint(low+v%(9*low), 10)
}

// What the webhooks of one payment repeat is derived from its ID by a hash with a label.

func derive(id, label string) uint64 {
	sum := sha256.Sum256([]byte(label + "\x00" + id))
	return binary.BigEndian.Uint64(sum[:])
}

func derivedUUID(id, label string) string {
	sum := sha256.Sum256([]byte(label + "\x00" + id))
	return formatUUID([16]byte(sum[:16]))
}

func derivedHex32(id, label string) string {
	sum := sha256.Sum256([]byte(label + "\x00" + id))
	return hex.EncodeToString(sum[:16])
}

func digits(id, label string, n int) string { return serial(derive(id, label), n) }

func formatUUID(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// decimal writes minor units with two decimals.
func decimal(cents int64) string {
	return fmt.Sprintf("%d.%02d", cents/100, cents%100)
}
