package webhook

import (
	"encoding/hex"
	"strings"
)

// Which of a webhook's members an ID stands in.
const (
	notificationID = "8000"
	paymentID      = "8001"
	attemptID      = "8002"
)

const (
	idLength  = 36
	idVersion = "-6c67-4000-"
)

// appendID appends an ID in the form of a UUID: RRRRRRRR-6c67-4000-MMMM-NNNNNNNNNNNN
// with the run R, the member M and the number N in hexadecimal.
func appendID(dst []byte, run uint32, member string, n uint64) []byte {
	dst = appendHex(dst, uint64(run), 8)
	dst = append(dst, idVersion...)
	dst = append(dst, member...)
	return appendHex(append(dst, '-'), n, 12)
}

func appendHex(dst []byte, n uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[n>>shift&15])
	}
	return dst
}

// parseID returns the run and the number of an ID of member.
func parseID(id, member string) (run uint32, n uint64, ok bool) {
	head, tail, found := strings.Cut(id, idVersion+member+"-")
	if !found || len(head) != 8 || len(tail) != 12 {
		return 0, 0, false
	}
	b, err := hex.DecodeString(head + tail)
	if err != nil {
		return 0, 0, false
	}
	for _, c := range b[:4] {
		run = run<<8 | uint32(c)
	}
	for _, c := range b[4:] {
		n = n<<8 | uint64(c)
	}
	return run, n, true
}

// The digits of a number with its run.
const (
	runLength    = 10
	numberLength = runLength + 14
)

// appendNumber appends an ID of digits alone: the run and the number n.
func appendNumber(dst []byte, run uint32, n uint64) []byte {
	return appendDecimal(appendDecimal(dst, uint64(run), runLength), n, numberLength-runLength)
}

// appendDecimal appends n with zeros before it.
func appendDecimal(dst []byte, n uint64, digits int) []byte {
	dst = append(dst, "00000000000000000000"[:digits]...)
	for i := len(dst) - 1; n > 0; i-- {
		dst[i] += byte(n % 10)
		n /= 10
	}
	return dst
}
