package webhook

import "strconv"

// Target is where deliveries go.
type Target struct {
	Host  string // host:port
	Token string // the secret in the URL
	// Merchants have the payments in turn, an endpoint each. At least one.
	Merchants []string
}

// target is a Target of one provider.
type target struct {
	Target
	provider      string
	before, after string // the merchant in the head of a request
}

func (t Target) of(provider string) target {
	return target{
		Target: t, provider: provider, before: "POST /webhooks/" + provider + "/",
		after: "?token=" + t.Token + " HTTP/1.1\r\nHost: " + t.Host +
			"\r\nUser-Agent: paynorm-benchmarks\r\nAccept: */*\r\nContent-Type: application/json\r\nContent-Length: ",
	}
}

// merchant returns whose delivery seq is. Both deliveries of a payment are of one merchant.
func (t *target) merchant(seq uint64) string {
	return t.Merchants[payment(seq)%uint64(len(t.Merchants))]
}

func (t *target) subject(seq uint64) string {
	return "live." + t.provider + "." + t.merchant(seq)
}

// appendHead appends the head of the request of delivery seq, whose body has length bytes.
func (t *target) appendHead(dst []byte, seq uint64, length int) []byte {
	dst = append(dst, t.before...)
	dst = append(dst, t.merchant(seq)...)
	dst = append(dst, t.after...)
	dst = strconv.AppendInt(dst, int64(length), 10)
	return append(dst, "\r\n\r\n"...)
}
