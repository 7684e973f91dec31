package gateway

import (
	"context"
	"net/http"

	"google.golang.org/grpc/metadata"
)

// certificateKey is the metadata with the certificates, DER, that the sender of
// a webhook has shown in the TLS handshake, its own first. Headers never become
// metadata, so nobody else can write it.
const certificateKey = "paynorm-client-certificate-bin"

// maxCertificates bounds, in bytes, what is passed on; a longer chain is none.
const maxCertificates = 16 << 10

// withCertificates gives a call the certificates of the sender of r, and nothing else
// of what the sender wrote.
func withCertificates(ctx context.Context, r *http.Request) context.Context {
	if r.TLS == nil {
		return ctx
	}
	var chain []string
	size := 0
	for _, c := range r.TLS.PeerCertificates {
		chain = append(chain, string(c.Raw))
		size += len(c.Raw)
	}
	if len(chain) == 0 || size > maxCertificates {
		return ctx
	}
	return metadata.NewOutgoingContext(ctx, metadata.MD{certificateKey: chain})
}
