package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// queryTimeout is how long one call of the read API may take.
const queryTimeout = 30 * time.Second

// watchPath is the only path that answers with a stream.
const watchPath = "/v1/events:watch"

// newReadMux makes the mux of the JSON API.
func newReadMux(o Options) (*runtime.ServeMux, error) {
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &jsonLines{}),
		runtime.WithMarshalerOption(eventStream, &serverSentEvents{}),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisableChunkedEncoding(), // net/http knows when to chunk
		runtime.WithWriteContentLength(),
		runtime.WithIncomingHeaderMatcher(noHeader),
		runtime.WithMetadata(authorization),
		runtime.WithOutgoingHeaderMatcher(noHeader),
		runtime.WithOutgoingTrailerMatcher(noHeader),
		runtime.WithForwardResponseOption(openStream),
		runtime.WithErrorHandler(readError(o.Logger)),
		runtime.WithRoutingErrorHandler(routingError),
	)
	ctx := context.Background()
	return mux, errors.Join(
		normalizerv1.RegisterEventServiceHandlerClient(ctx, mux, watchClient{normalizerv1.NewEventServiceClient(o.Reads)}),
		normalizerv1.RegisterNormalizerServiceHandlerClient(ctx, mux, normalizerv1.NewNormalizerServiceClient(o.Reads)),
		normalizerv1.RegisterDeliveryServiceHandlerClient(ctx, mux, normalizerv1.NewDeliveryServiceClient(o.Reads)),
		normalizerv1.RegisterPaymentServiceHandlerClient(ctx, mux, normalizerv1.NewPaymentServiceClient(o.Reads)),
		normalizerv1.RegisterProviderServiceHandlerClient(ctx, mux, normalizerv1.NewProviderServiceClient(o.Reads)),
		normalizerv1.RegisterEndpointServiceHandlerClient(ctx, mux, normalizerv1.NewEndpointServiceClient(o.Reads)),
	)
}

// noHeader keeps HTTP headers out of gRPC metadata, and the other way round.
func noHeader(string) (string, bool) { return "", false }

// read answers a request below /v1/.
func (g *Gateway) read(a *answer, r *http.Request, escaped string) {
	r = withAuthorization(r)
	path := r.URL.Path
	if !plainPath(escaped, path) {
		writeProblem(a, problem{Status: http.StatusNotFound})
		return
	}
	if limit, ok := takesPost(path); ok {
		g.post(a, r, path, limit)
		return
	}
	if r.Method != http.MethodGet { // 404 or 405, as the mux finds
		g.reads.ServeHTTP(a, readRequest(r.Context(), r.Method, path, nil, ""))
		return
	}
	if r.ContentLength != 0 {
		writeProblem(a, problem{Status: http.StatusBadRequest, Detail: "a GET request has no body"})
		return
	}
	query, err := readQuery(path, r.URL.RawQuery)
	if err != nil {
		writeProblem(a, problem{Status: http.StatusBadRequest, Detail: err.Error()})
		return
	}
	apiHeaders(a.Header())
	if path == watchPath {
		g.watch(a, r, query)
		return
	}
	a.deadline(queryTimeout)
	ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
	defer cancel()
	g.reads.ServeHTTP(a, readRequest(ctx, r.Method, path, query, ""))
}

// loadsNothing is the policy of answers that are for programs: a browser that
// shows one loads nothing for it.
const loadsNothing = "default-src 'none'; frame-ancestors 'none'"

// apiHeaders sets what every answer of the API carries, and every problem.
func apiHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", loadsNothing)
}

// readRequest makes the request that grpc-gateway sees: a path and a query that
// were checked, and nothing else of what the client wrote.
func readRequest(ctx context.Context, method, path string, query url.Values, accept string) *http.Request {
	r := &http.Request{
		Method: method,
		URL:    &url.URL{Path: path, RawQuery: query.Encode()},
		Header: http.Header{},
		Body:   http.NoBody,
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	return r.WithContext(ctx)
}

// plainPath reports whether a path below /v1/ has neither empty segments, nor
// dots, nor slashes that were escaped, nor letters that no resource name has.
func plainPath(escaped, path string) bool {
	if strings.Count(escaped, "/") != strings.Count(path, "/") {
		return false
	}
	for segment := range strings.SplitSeq(path[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return strings.IndexFunc(path, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("/:._~-", c)
	}) < 0
}

// readQuery parses a query and refuses parameters that path does not have:
// grpc-gateway would pass over a filter with a spelling mistake and return everything.
func readQuery(path, raw string) (url.Values, error) {
	if len(raw) > maxQuery {
		return nil, fmt.Errorf("the query is longer than %d bytes", maxQuery)
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	fields := parameters(path)
	for name, values := range query {
		field := fieldOf(fields, name)
		if field == nil || name == "name" { // which is in the path
			return nil, fmt.Errorf("unknown query parameter %q", name)
		}
		for i, v := range values {
			if !utf8.ValidString(v) {
				return nil, fmt.Errorf("query parameter %q is not UTF-8", name)
			}
			if values[i], err = readValue(field, v); err != nil {
				return nil, fmt.Errorf("query parameter %q: %w", name, err)
			}
		}
	}
	return query, nil
}

// fieldOf finds a field by either of its names; fields may be nil.
func fieldOf(fields protoreflect.FieldDescriptors, name string) protoreflect.FieldDescriptor {
	if fields == nil {
		return nil
	}
	return cmp.Or(fields.ByName(protoreflect.Name(name)), fields.ByJSONName(name))
}

// readValue returns value as grpc-gateway takes it for field. What it would
// refuse is refused here, in words that say nothing of Go.
func readValue(field protoreflect.FieldDescriptor, value string) (string, error) {
	switch field.Kind() {
	case protoreflect.EnumKind:
		return enumName(field.Enum().Values(), value)
	case protoreflect.Int32Kind:
		if _, err := strconv.ParseInt(value, 10, 32); err != nil {
			return "", fmt.Errorf("%q is not an integer of 32 bits", value)
		}
	case protoreflect.Int64Kind:
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return "", fmt.Errorf("%q is not an integer of 64 bits", value)
		}
	case protoreflect.MessageKind: // a time: no parameter is another message
		if t, err := time.Parse(time.RFC3339, value); err != nil || !timestamppb.New(t).IsValid() {
			return "", fmt.Errorf("%q is not a time like 2025-01-31T15:04:05Z", value)
		}
	}
	return value, nil
}

// enumName finds the value that word names as in filters, with or without the
// enum's prefix, in upper or lower case, or by its number.
func enumName(values protoreflect.EnumValueDescriptors, word string) (string, error) {
	prefix := strings.TrimSuffix(string(values.ByNumber(0).Name()), "UNSPECIFIED")
	var known []string
	for i := range values.Len() {
		name := string(values.Get(i).Name())
		short := strings.TrimPrefix(name, prefix)
		if strings.EqualFold(word, name) || strings.EqualFold(word, short) || word == strconv.Itoa(int(values.Get(i).Number())) {
			return name, nil
		}
		if i > 0 { // the first is what an absent value means
			known = append(known, short)
		}
	}
	return "", fmt.Errorf("unknown value %q; there are %s", word, strings.Join(known, ", "))
}

// parameters lists the query parameters of path; nil when it has none.
func parameters(path string) protoreflect.FieldDescriptors {
	var m proto.Message
	switch path {
	case "/v1/deliveries":
		m = (*normalizerv1.ListDeliveriesRequest)(nil)
	case "/v1/events":
		m = (*normalizerv1.ListEventsRequest)(nil)
	case watchPath:
		m = (*normalizerv1.WatchEventsRequest)(nil)
	case "/v1/payments":
		m = (*normalizerv1.ListPaymentsRequest)(nil)
	case "/v1/providers":
		m = (*normalizerv1.ListProvidersRequest)(nil)
	default:
		if !strings.HasPrefix(path, "/v1/deliveries/") {
			return nil
		}
		m = (*normalizerv1.GetDeliveryRequest)(nil)
	}
	return m.ProtoReflect().Descriptor().Fields()
}
