package gateway

import (
	"context"
	"net/http"

	"google.golang.org/grpc/metadata"
)

// authorizationKey is where a request's header Authorization stays while
// grpc-gateway sees a request of ours.
type authorizationKey struct{}

// withAuthorization keeps the lines of the header: two of them are for the
// service to refuse.
func withAuthorization(r *http.Request) *http.Request {
	lines := r.Header.Values("Authorization")
	if len(lines) == 0 {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), authorizationKey{}, lines))
}

// authorization is what of the request reaches the service as metadata: who the
// reader is, and nothing else.
func authorization(ctx context.Context, _ *http.Request) metadata.MD {
	lines, _ := ctx.Value(authorizationKey{}).([]string)
	if len(lines) == 0 {
		return nil
	}
	return metadata.MD{"authorization": lines}
}
