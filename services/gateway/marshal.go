package gateway

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

// jsonLines writes messages as protojson, and each message of a stream as one
// line. An error in a stream is a last line {"error": problem}.
type jsonLines struct{ runtime.JSONPb }

// Delimiter ends a line.
func (*jsonLines) Delimiter() []byte { return []byte("\n") }

// Marshal writes one message.
func (*jsonLines) Marshal(v any) ([]byte, error) {
	m, p := unwrap(v)
	if p != nil {
		return json.Marshal(map[string]json.RawMessage{"error": p.marshal()})
	}
	return marshalJSON(m)
}

// serverSentEvents writes each message of a stream as one event. Its ID is the
// cursor, so that a browser resumes where it was. An error has the name
// "problem", because browsers have an "error" of their own.
type serverSentEvents struct{ runtime.JSONPb }

// Delimiter ends an event.
func (*serverSentEvents) Delimiter() []byte { return []byte("\n\n") }

// Marshal writes one event.
func (*serverSentEvents) Marshal(v any) ([]byte, error) {
	m, p := unwrap(v)
	if p != nil {
		return append([]byte("event: problem\ndata: "), p.marshal()...), nil
	}
	data, err := marshalJSON(m)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if watched, ok := m.(*normalizerv1.WatchEventsResponse); ok {
		name := "event"
		if watched.GetEvent() == nil {
			name = "heartbeat"
		}
		b.WriteString("id: " + strconv.FormatInt(watched.GetCursor(), 10) + "\nevent: " + name + "\n")
	}
	b.WriteString("data: ")
	b.Write(data)
	return b.Bytes(), nil
}

// unwrap takes a message, or the error of a stream, out of what grpc-gateway
// puts around it.
func unwrap(v any) (proto.Message, *problem) {
	switch v := v.(type) {
	case map[string]any:
		m, _ := v["result"].(proto.Message)
		return m, nil
	case map[string]proto.Message:
		st, _ := v["error"].(*rpcstatus.Status)
		s := status.FromProto(st)
		p := newProblem(s, statusOf(s.Code()))
		return nil, &p
	}
	m, _ := v.(proto.Message)
	return m, nil
}

// marshalJSON writes m as protojson on one line. The blanks that protojson
// scatters so that nobody relies on its bytes are taken out.
func marshalJSON(m proto.Message) ([]byte, error) {
	b, err := protojson.Marshal(m)
	if err != nil {
		return nil, err
	}
	var line bytes.Buffer
	line.Grow(len(b))
	if err := json.Compact(&line, b); err != nil {
		return nil, err
	}
	return line.Bytes(), nil
}
