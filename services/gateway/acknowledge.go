package gateway

import (
	"context"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// newWebhookMux makes a mux that neither reads nor writes JSON of its own.
func newWebhookMux(o Options) (*runtime.ServeMux, error) {
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, raw{}),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithIncomingHeaderMatcher(noHeader),
		runtime.WithMetadata(certificates),
		runtime.WithOutgoingHeaderMatcher(noHeader),
		runtime.WithOutgoingTrailerMatcher(noHeader),
		runtime.WithForwardResponseOption(acknowledge),
		runtime.WithErrorHandler(webhookError(o.Logger)),
		runtime.WithRoutingErrorHandler(routingError),
	)
	client := normalizerv1.NewNormalizerServiceClient(o.Webhooks)
	return mux, normalizerv1.RegisterNormalizerServiceHandlerClient(context.Background(), mux, client)
}

// noHeader keeps HTTP headers out of gRPC metadata, and the other way round.
func noHeader(string) (string, bool) { return "", false }

// acknowledge begins the answer with the status and content type that the
// service asked for. A status that is no success is refused: only the service
// can say that a delivery is durable, and this way it did not.
func acknowledge(_ context.Context, w http.ResponseWriter, m proto.Message) error {
	var body *httpbody.HttpBody
	switch m := m.(type) { // the generated types embed the message beside the answer
	case interface{ GetAcknowledgement() *httpbody.HttpBody }:
		body = m.GetAcknowledgement()
	case interface{ GetAnswer() *httpbody.HttpBody }:
		body = m.GetAnswer()
	default:
		return status.Errorf(codes.Internal, "no acknowledgement in %T", m)
	}
	code := m.(interface{ GetHttpStatus() int32 }).GetHttpStatus()
	if code < 200 || code > 299 {
		return status.Errorf(codes.Internal, "bad acknowledgement status %d", code)
	}
	h := w.Header()
	h["Content-Type"] = nil // there, but empty: neither sniffed nor written
	if t := body.GetContentType(); t != "" && code != http.StatusNoContent {
		h.Set("Content-Type", t)
	}
	w.WriteHeader(int(code)) // net/http adds the length: answers are short
	return nil
}
