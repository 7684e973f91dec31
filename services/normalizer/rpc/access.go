package rpc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
	"github.com/paynorm/paynorm/services/normalizer/access"
	"github.com/paynorm/paynorm/services/normalizer/view"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Doorkeeper says who a caller is; see access.Gate.
type Doorkeeper interface {
	// Authenticate returns whose token the value of a header authorization carries.
	// Errors wrap access.ErrUnauthenticated.
	Authenticate(authorization string) (access.Caller, error)
}

// everybody is the doorkeeper of a server that was given none.
type everybody struct{}

func (everybody) Authenticate(string) (access.Caller, error) { return access.Anybody(), nil }

// insideKey marks the context of calls that the gateway of this process makes.
type insideKey struct{}

// healthService is open: who only asks whether a server lives has no token.
const healthService = "/grpc.health.v1.Health/"

// scopeOf returns what a call needs. What is not named here nobody may call.
func scopeOf(method string, request any) (scope access.Scope, ok bool) {
	service, name, _ := strings.Cut(strings.TrimPrefix(method, "/paynorm.normalizer.v1."), "/")
	switch service {
	case "EventService", "PaymentService", "ProviderService", "EndpointService":
		return access.Events, true
	case "NormalizerService":
		if name == "NormalizeDelivery" {
			r, _ := request.(*normalizerv1.NormalizeDeliveryRequest)
			if r.GetDelivery() != nil { // the content is the caller's own
				return access.Events, true
			}
			return access.Deliveries, true
		}
		return access.Ingest, name == "IngestDelivery" || name == "IssueToken"
	case "DeliveryService":
		if strings.HasPrefix(name, "Reprocess") {
			return access.Reprocess, true
		}
		if wantsContent(request) {
			return access.Deliveries, true
		}
		return access.Events, name == "GetDelivery" || name == "ListDeliveries"
	}
	return access.Events, strings.HasPrefix(method, "/grpc.reflection.")
}

// wantsContent says whether a request asks for the content of deliveries.
func wantsContent(request any) bool {
	r, ok := request.(interface {
		GetView() normalizerv1.DeliveryView
	})
	return ok && r.GetView() == normalizerv1.DeliveryView_DELIVERY_VIEW_FULL
}

// enter finds out who calls, and returns the context that the call goes on with.
func (i interceptors) enter(ctx context.Context, method string) (context.Context, error) {
	if strings.HasPrefix(method, healthService) || ctx.Value(insideKey{}) != nil {
		return ctx, nil
	}
	values := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(values) > 1 {
		return nil, fmt.Errorf("%w: more than one header authorization", access.ErrUnauthenticated)
	}
	caller, err := i.door.Authenticate(strings.Join(values, ""))
	if err != nil {
		return nil, err
	}
	return access.With(ctx, caller), nil
}

// may says why the caller may not make a call. A stream has no request yet.
func (i interceptors) may(ctx context.Context, method string, request any) error {
	if strings.HasPrefix(method, healthService) {
		return nil
	}
	scope, known := scopeOf(method, request)
	caller := access.From(ctx)
	if ctx.Value(insideKey{}) != nil { // the gateway hands in deliveries, and nothing else
		if known && scope == access.Ingest {
			return nil
		}
		return denied(scope)
	}
	if !known || !caller.Allows(scope) {
		return denied(scope)
	}
	if o, ok := request.(owned); ok && scope == access.Ingest && !caller.Sees(o.GetProvider(), o.GetMerchant()) {
		return fmt.Errorf("%s for a merchant that the caller does not see: %w", method, view.ErrNotFound)
	}
	if r, ok := request.(*normalizerv1.NormalizeDeliveryRequest); ok && r.GetDelivery() != nil {
		// A dry run tells what is known of the payment, for a merchant that is named.
		if in := r.GetDelivery(); in.GetMerchant() != "" && !caller.Sees(in.GetProvider(), in.GetMerchant()) {
			return fmt.Errorf("%s of a merchant that the caller does not see: %w", method, view.ErrNotFound)
		}
	}
	return nil
}

// denied is PERMISSION_DENIED for want of a scope.
func denied(scope access.Scope) error {
	return class{code: codes.PermissionDenied, reason: "PERMISSION_DENIED", message: fmt.Sprintf("the token does not have the scope %q", scope)}.err()
}

// owned is a message that belongs to a merchant.
type owned interface {
	GetProvider() string
	GetMerchant() string
}

// leave is the last look at a response: what the caller does not see is not
// found, and is taken out of lists. Lists are narrowed where they are read; this
// is what holds when that is forgotten.
func (i interceptors) leave(ctx context.Context, method string, response any) error {
	if strings.HasPrefix(method, healthService) || ctx.Value(insideKey{}) != nil {
		return nil
	}
	caller := access.From(ctx)
	m, ok := response.(proto.Message)
	if !ok || m == nil {
		return nil
	}
	lost := hidden(caller, m)
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap():
		case f.IsList():
			keepSeen(caller, v.List())
		default:
			lost = lost || hidden(caller, v.Message().Interface())
		}
		return true
	})
	if lost {
		return fmt.Errorf("%s: %w: it belongs to a merchant that the caller does not see", method, view.ErrNotFound)
	}
	return nil
}

func hidden(caller access.Caller, m proto.Message) bool {
	o, ok := m.(owned)
	return ok && !caller.Sees(o.GetProvider(), o.GetMerchant())
}

func keepSeen(caller access.Caller, list protoreflect.List) {
	kept := 0
	for n := range list.Len() {
		if hidden(caller, list.Get(n).Message().Interface()) {
			continue
		}
		if kept < n {
			list.Set(kept, list.Get(n))
		}
		kept++
	}
	list.Truncate(kept)
}

// audit logs who read the content of which deliveries. Content is never logged.
func (i interceptors) audit(ctx context.Context, method string, request, response any) {
	var names []string
	switch r := response.(type) {
	case *normalizerv1.Delivery:
		names = []string{r.GetName()}
	case *normalizerv1.ListDeliveriesResponse:
		for _, d := range r.GetDeliveries() {
			names = append(names, d.GetName())
		}
	}
	if dry, ok := request.(*normalizerv1.NormalizeDeliveryRequest); ok && dry.GetName() != "" {
		names = []string{dry.GetName()}
	} else if !wantsContent(request) {
		return
	}
	for names := range slices.Chunk(names, 50) {
		i.logger.InfoContext(ctx, "content of deliveries was read", "caller", access.From(ctx).ID, "method", method, "deliveries", names)
	}
}
