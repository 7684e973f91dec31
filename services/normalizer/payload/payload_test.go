package payload_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paynorm/paynorm/services/normalizer/payload"
)

func TestParseRefuses(t *testing.T) {
	tests := []struct{ claim, body string }{
		{"nothing", ""},
		{"only blanks", " \n"},
		{"a member twice", `{"amount":1,"amount":2}`},
		{"a member twice, once escaped", `{"amount":1,"am\u006funt":2}`},
		{"a member twice in an inner object", `{"a":[{"b":1,"b":1}]}`},
		{"bytes that are not UTF-8 in a text", "{\"a\":\"\xff\"}"},
		{"bytes that are not UTF-8 in a name", "{\"\xc3\":1}"},
		{"an overlong form", "{\"a\":\"\xc0\xaf\"}"},
		{"half a surrogate pair", `{"a":"\ud800"}`},
		{"a surrogate pair in the wrong order", `{"a":"\udc00\ud800"}`},
		{"a byte order mark", "\ufeff{}"},
		{"a second value", `{} {}`},
		{"text behind the value", `{} x`},
		{"a bracket too many", `{}}`},
		{"a comma at the end", `{"a":1,}`},
		{"a comma at the end of an array", `[1,]`},
		{"a comment", "{} // paid"},
		{"a leading zero", `{"amount":00.00}`},
		{"a plus", `{"amount":+1}`},
		{"NaN", `{"amount":NaN}`},
		{"an open text", `{"a":"b`},
		{"an open object", `{"a":1`},
		{"a raw control character", "{\"a\":\"\x01\"}"},
		{"single quotes", `{'a':1}`},
		{"smart quotes", `{“a”:1}`},
		{"a name that is no text", `{1:1}`},
		{"more levels than allowed", nested(payload.MaxDepth + 1)},
		{"very many levels", strings.Repeat("[", 100_000)},
		{"more values than allowed", "[" + strings.Repeat("0,", payload.MaxValues) + "0]"},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			if v, err := payload.Parse([]byte(tt.body)); !errors.Is(err, payload.ErrMalformed) || v.Kind() != payload.Missing {
				t.Errorf("got kind %d and %v, want ErrMalformed", v.Kind(), err)
			}
		})
	}
}

func nested(levels int) string {
	return strings.Repeat("[", levels) + "0" + strings.Repeat("]", levels)
}

func TestParseTakes(t *testing.T) {
	tests := []struct{ claim, body string }{
		{"blanks around", " \t\r\n{\"a\":1} \n"},
		{"names that differ in case", `{"amount":1,"Amount":2}`},
		{"equal names in different objects", `{"a":{"b":1},"c":{"b":2}}`},
		{"a surrogate pair", `{"a":"\ud83d\ude00"}`},
		{"as many levels as allowed", nested(payload.MaxDepth)},
		{"as many values as allowed", "[" + strings.Repeat("0,", payload.MaxValues-2) + "0]"},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			if _, err := payload.Parse([]byte(tt.body)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestErrorsNeverTellValues(t *testing.T) {
	for _, body := range []string{`{"secret-name":1,"secret-name":2}`, `{"a":"secret-text" x}`, `{"a":secret-word}`, "{\"secret\xff\":1}"} {
		if _, err := payload.Parse([]byte(body)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("Parse(%q): %v", body, err)
		}
	}
}

func TestParseObjectWantsAnObject(t *testing.T) {
	for _, body := range []string{`[]`, `"{}"`, `1`, `null`, `true`} {
		if _, err := payload.ParseObject([]byte(body)); !errors.Is(err, payload.ErrMalformed) {
			t.Errorf("ParseObject(%s): %v", body, err)
		}
	}
	if _, err := payload.ParseObject([]byte(`{}`)); err != nil {
		t.Errorf("ParseObject({}): %v", err)
	}
}

func TestRepeatedNameTouchesOneElementOfABatch(t *testing.T) {
	const object, repeated = payload.Object, payload.Repeated
	tests := []struct {
		claim, body string
		want        []payload.Kind // of the elements; none: the whole is malformed
	}{
		{"in no element", `{"a":1,"batch":[{"b":1},{"b":2}]}`, []payload.Kind{object, object}},
		{"in an element", `{"batch":[{"b":1},{"b":2,"c":0,"b":3},{"b":4}],"a":1}`, []payload.Kind{object, repeated, object}},
		{"deep in an element", `{"batch":[{"b":{"c":[{"d":1,"d":1}]}},{"b":4}]}`, []payload.Kind{repeated, object}},
		{"in an element of an element", `{"batch":[[{"b":1,"b":1}],{"b":4}]}`, []payload.Kind{repeated, object}},
		{"in the root", `{"a":1,"a":1,"batch":[{"b":1}]}`, nil},
		{"the batch itself", `{"batch":[{"b":1}],"batch":[{"b":1}]}`, nil},
		{"in another object", `{"a":{"b":1,"b":1},"batch":[{"b":1}]}`, nil},
		{"in another array", `{"batch":[{"b":1}],"a":[{"b":1,"b":1}]}`, nil},
		{"in a batch that is an object", `{"batch":{"b":1,"b":1}}`, nil},
		{"in a batch that is not in the root", `{"a":{"batch":[{"b":1,"b":1}]},"batch":[{"b":1}]}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			v, err := payload.ParseBatch([]byte(tt.body), "batch", "other")
			if tt.want == nil {
				if !errors.Is(err, payload.ErrMalformed) || v.Kind() != payload.Missing {
					t.Errorf("got kind %d and %v, want ErrMalformed", v.Kind(), err)
				}
				return
			}
			var got []payload.Kind
			for _, e := range v.Get("batch").Elements() {
				got = append(got, e.Kind())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("error %v; kinds (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	for _, number := range []string{"0", "-0", "350.00", "0.30", "1e3", "1E+400", "49494622648497123", "12345678901234567890123456.789012345"} {
		v, err := payload.Parse([]byte(`{"n":` + number + `}`))
		if err != nil {
			t.Errorf("%s: %v", number, err)
			continue
		}
		if got, ok := v.Get("n").Scalar(); !ok || got != number {
			t.Errorf("Scalar() = %q, %v; want %q", got, ok, number)
		}
		if _, ok := v.Get("n").Text(); ok {
			t.Errorf("%s is read as a text", number)
		}
	}
}

func TestPresence(t *testing.T) {
	v, err := payload.ParseObject([]byte(`{"null":null,"false":false,"zero":0,"empty":"","text":"x","array":[1,2],"object":{"a":1,"b":2}}`))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		member       string
		kind         payload.Kind
		present      bool
		text, scalar bool
	}{
		{"missing", payload.Missing, false, false, false},
		{"null", payload.Null, false, false, false},
		{"false", payload.Bool, true, false, false},
		{"zero", payload.Number, true, false, true},
		{"empty", payload.String, true, true, true},
		{"text", payload.String, true, true, true},
		{"Text", payload.Missing, false, false, false},
		{"array", payload.Array, true, false, false},
		{"object", payload.Object, true, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.member, func(t *testing.T) {
			m := v.Get(tt.member)
			_, text := m.Text()
			_, scalar := m.Scalar()
			if m.Kind() != tt.kind || m.Present() != tt.present || text != tt.text || scalar != tt.scalar {
				t.Errorf("kind %d, present %v, text %v, scalar %v", m.Kind(), m.Present(), text, scalar)
			}
			if got, want := len(m.Elements()), map[string]int{"array": 2}[tt.member]; got != want {
				t.Errorf("%d elements, want %d", got, want)
			}
		})
	}
	var names []string
	for name := range v.Get("object").Members() {
		names = append(names, name)
	}
	if diff := cmp.Diff([]string{"a", "b"}, names); diff != "" {
		t.Errorf("names differ (-want +got):\n%s", diff)
	}
	if v.Get("array").Get("0").Present() || v.Get("text").Get("x").Present() || v.Get("missing").Get("x").Present() {
		t.Error("something other than an object has a member")
	}
}

func TestTextIsUnescaped(t *testing.T) {
	v, err := payload.ParseObject([]byte(`{"a":"\u00e9\n\"\\\/\ud83d\ude00"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := v.Get("a").Text(); got != "é\n\"\\/😀" {
		t.Errorf("got %q", got)
	}
}
