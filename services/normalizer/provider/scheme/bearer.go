package scheme

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// Bearer tokens are stateless, so that they survive a restart and need no
// store: expiry (8 bytes, Unix milliseconds), a nonce, and an HMAC over both and the
// endpoint, keyed with the client's secret. Taking a secret out of the
// configuration revokes its tokens.
const (
	nonceSize   = 16
	bearerSize  = 8 + nonceSize + sha256.Size
	bearerLabel = "paynorm bearer v2"
)

// NewBearer makes a token for the endpoint of providerID and merchant that runs
// out at expires, to the millisecond. nonce makes tokens of one moment differ.
func NewBearer(client provider.OAuth2Client, providerID, merchant string, expires time.Time, nonce [nonceSize]byte) string {
	token := binary.BigEndian.AppendUint64(make([]byte, 0, bearerSize), uint64(expires.UnixMilli()))
	token = append(token, nonce[:]...)
	token = append(token, bearerMAC(client, providerID, merchant, token)...)
	return base64.RawURLEncoding.EncodeToString(token)
}

func bearerMAC(client provider.OAuth2Client, providerID, merchant string, claims []byte) []byte {
	mac := hmac.New(sha256.New, []byte(client.Value))
	for _, part := range []string{bearerLabel, providerID, merchant, client.ClientID, string(claims)} {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}

// bearer finds the client whose token d carries in its Authorization header.
func bearer(d provider.Delivery, clients []provider.OAuth2Client) (id string, ok bool) {
	header, _ := d.Header("authorization")
	kind, text, _ := strings.Cut(header, " ")
	// The decoder passes over line breaks, the length does not.
	token, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !strings.EqualFold(kind, "Bearer") || err != nil || len(token) != bearerSize || len(text) != base64.RawURLEncoding.EncodedLen(bearerSize) {
		return "", false
	}
	claims, sum := token[:8+nonceSize], token[8+nonceSize:]
	expires := time.UnixMilli(int64(binary.BigEndian.Uint64(claims)))
	for _, c := range clients {
		if c.Value != "" && hmac.Equal(sum, bearerMAC(c, d.Provider, d.Merchant, claims)) {
			id, ok = c.ID, d.ReceivedAt.Before(expires)
		}
	}
	return id, ok
}
