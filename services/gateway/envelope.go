package gateway

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/types/known/timestamppb"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

var errNotRaw = errors.New("gateway: not a message of the webhook mux")

// delivery stands in for the body of the request that grpc-gateway sees. The
// generated code hands nothing but the body to the marshaler, so the whole
// request travels in it.
type delivery struct {
	request *http.Request
	path    string
	sender  string // its address
	headers []*normalizerv1.Header
	body    []byte
	at      time.Time
}

// Read is at its end at once: the bytes are taken from the delivery itself.
func (*delivery) Read([]byte) (int, error) { return 0, io.EOF }

// Close does nothing.
func (*delivery) Close() error { return nil }

// headers copies the header lines of r, sorted by name, the values of one name
// in their order. The standard library keeps Host apart; it is put back.
func headers(r *http.Request) []*normalizerv1.Header {
	n, size := 1, len(r.Host)
	for _, values := range r.Header {
		n += len(values)
		for _, v := range values {
			size += len(v)
		}
	}
	// All lines and all values share a slice each: a webhook has some ten.
	lines, values := make([]normalizerv1.Header, n), make([]byte, 0, size)
	list := make([]*normalizerv1.Header, 0, n)
	add := func(name, value string) {
		line, start := &lines[len(list)], len(values)
		values = append(values, value...)
		line.Name, line.Value = name, values[start:len(values):len(values)]
		list = append(list, line)
	}
	add("host", r.Host)
	for name, values := range r.Header {
		name = strings.ToLower(name)
		for _, v := range values {
			add(name, v)
		}
	}
	slices.SortStableFunc(list, func(a, b *normalizerv1.Header) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// raw is the only marshaler of the webhook mux: it fills requests from a
// delivery and writes answers as they are.
type raw struct{}

// NewDecoder fills a request message from body, which must be a delivery.
func (raw) NewDecoder(body io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		d, ok := body.(*delivery)
		if !ok {
			return errNotRaw
		}
		switch m := v.(type) {
		case *normalizerv1.IngestDeliveryRequest:
			m.Method, m.Path, m.RawQuery = d.request.Method, d.path, []byte(d.request.URL.RawQuery)
			m.Headers, m.Body = d.headers, d.body
			m.RemoteAddress, m.ReceiveTime = d.sender, timestamppb.New(d.at)
		case *normalizerv1.IssueTokenRequest:
			m.Headers, m.Body = d.headers, d.body
		default:
			return errNotRaw
		}
		return nil
	})
}

// Marshal returns the bytes of an answer.
func (raw) Marshal(v any) ([]byte, error) {
	b, ok := v.(*httpbody.HttpBody)
	if !ok {
		return nil, errNotRaw
	}
	return b.GetData(), nil
}

// Unmarshal is there for the interface; nothing is read this way.
func (raw) Unmarshal([]byte, any) error { return errNotRaw }

// NewEncoder is there for the interface; nothing is written this way.
func (raw) NewEncoder(io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(any) error { return errNotRaw })
}

// ContentType is empty: acknowledge sets the service's.
func (raw) ContentType(any) string { return "" }
