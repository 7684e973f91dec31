package view

import (
	"database/sql/driver"
	"fmt"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"modernc.org/sqlite"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// textOf returns the SQL of a text of the event whose protobuf is in column.
// The texts stand in the protobuf anyway, and few are looked at: as columns they
// would be a third of what is written.
func textOf(column, field string) string {
	number := (*eventv1.PaymentStatusChanged)(nil).ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(field)).Number()
	return fmt.Sprintf("text_of(%s, %d)", column, number)
}

// registerTextOf makes the function text_of known to the connections that are
// opened later.
var registerTextOf = sync.OnceValue(func() error {
	return sqlite.RegisterDeterministicScalarFunction("text_of", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		message, ok := args[0].([]byte)
		number, isNumber := args[1].(int64)
		if !ok || !isNumber {
			return nil, fmt.Errorf("text_of(%T, %T): want a message and the number of a field", args[0], args[1])
		}
		return fieldText(message, protowire.Number(number))
	})
})

// fieldText returns a text of a message in protobuf; "" when it has none.
func fieldText(message []byte, field protowire.Number) (text string, err error) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return "", fmt.Errorf("%w: %w", ErrUnusable, protowire.ParseError(n))
		}
		message = message[n:]
		n = protowire.ConsumeFieldValue(number, kind, message)
		if n < 0 {
			return "", fmt.Errorf("%w: %w", ErrUnusable, protowire.ParseError(n))
		}
		if number == field && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message)
			text = string(value)
		}
		message = message[n:]
	}
	return text, nil
}
