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

// certificates is the metadata of a webhook.
func certificates(_ context.Context, r *http.Request) metadata.MD {
	d, ok := r.Body.(*delivery)
	if !ok || d.request.TLS == nil {
		return nil
	}
	var chain []string
	size := 0
	for _, c := range d.request.TLS.PeerCertificates {
		chain = append(chain, string(c.Raw))
		size += len(c.Raw)
	}
	if len(chain) == 0 || size > maxCertificates {
		return nil
	}
	return metadata.MD{certificateKey: chain}
}
