package rpc

import (
	"context"
	"net/netip"
	"time"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/ingest"
	"github.com/paynorm/paynorm/services/normalizer/normalize"
	"github.com/paynorm/paynorm/services/normalizer/provider"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc/metadata"
)

// Ingester makes deliveries durable; see ingest.Service.
type Ingester interface {
	Ingest(ctx context.Context, d provider.Delivery) (ingest.Receipt, error)
}

// TokenIssuer is the OAuth2 token endpoint; see ingest.Tokens.
type TokenIssuer interface {
	IssueToken(ctx context.Context, providerID, merchant, authorization string, body []byte) ([]byte, error)
}

// certificateKey is where the gateway puts the certificates, DER, that the sender
// of a webhook has shown in the TLS handshake. Of a caller's headers, the gateway
// makes no metadata.
const certificateKey = "paynorm-client-certificate-bin"

// Normalizer serves NormalizerService.
type Normalizer struct {
	normalizerv1.UnimplementedNormalizerServiceServer
	Ingester Ingester
	Tokens   TokenIssuer
	Now      func() time.Time

	// For dry runs.
	Normalize *normalize.Normalizer
	States    StateReader
	Ledger    LedgerReader
}

// IngestDelivery implements NormalizerService.
func (n *Normalizer) IngestDelivery(ctx context.Context, r *normalizerv1.IngestDeliveryRequest) (*normalizerv1.IngestDeliveryResponse, error) {
	received := n.Now()
	if t := r.GetReceiveTime(); t.IsValid() {
		received = t.AsTime()
	}
	d := provider.Delivery{
		Provider: r.GetProvider(), Merchant: r.GetMerchant(),
		Method: r.GetMethod(), Path: r.GetPath(), RawQuery: string(r.GetRawQuery()),
		Headers: provider.Headers(r.GetHeaders()), Body: r.GetBody(),
		RemoteAddr: address(r.GetRemoteAddress()), ReceivedAt: received,
	}
	for _, der := range metadata.ValueFromIncomingContext(ctx, certificateKey) {
		d.Certificates = append(d.Certificates, []byte(der))
	}
	receipt, err := n.Ingester.Ingest(ctx, d)
	if err != nil {
		return nil, err
	}
	ack := receipt.Acknowledgement
	return &normalizerv1.IngestDeliveryResponse{
		Delivery: receipt.Delivery, HttpStatus: int32(ack.Status),
		Acknowledgement: &httpbody.HttpBody{ContentType: ack.ContentType, Data: []byte(ack.Body)},
	}, nil
}

// IssueToken implements NormalizerService.
func (n *Normalizer) IssueToken(ctx context.Context, r *normalizerv1.IssueTokenRequest) (*normalizerv1.IssueTokenResponse, error) {
	authorization, _ := provider.Delivery{Headers: provider.Headers(r.GetHeaders())}.Header("authorization")
	answer, err := n.Tokens.IssueToken(ctx, r.GetProvider(), r.GetMerchant(), authorization, r.GetBody())
	if err != nil {
		return nil, err
	}
	return &normalizerv1.IssueTokenResponse{
		HttpStatus: 200, Answer: &httpbody.HttpBody{ContentType: "application/json", Data: answer},
	}, nil
}

// address reads host:port, or a host alone. What is neither is no address, which no source_ip contains.
func address(text string) netip.Addr {
	if both, err := netip.ParseAddrPort(text); err == nil {
		return both.Addr().Unmap()
	}
	host, _ := netip.ParseAddr(text)
	return host.Unmap()
}
