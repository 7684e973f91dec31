package config

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"buf.build/go/protoyaml"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
)

// decode reads data into cfg. Unknown fields are left to document, which knows
// the full list of names.
func decode(data []byte, doc *document, cfg *configv1.Config) []Problem {
	err := protoyaml.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(data, cfg)
	if err == nil {
		return nil
	}
	list := []error{err}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		list = joined.Unwrap()
	}
	var problems []Problem
	for _, err := range list {
		p := decodeProblem(doc, err.Error())
		if !doc.empty[p.Field] {
			problems = append(problems, p)
		}
	}
	return problems
}

// protoyaml's errors have no fields to read: ":3:5 message", then the source
// line, which is cut off because it could show what was meant to be a secret.
var decodeText = regexp.MustCompile(`^:(\d+):(\d+) (.*)`)

func decodeProblem(doc *document, text string) Problem {
	m := decodeText.FindStringSubmatch(text)
	if m == nil {
		first, _, _ := strings.Cut(text, "\n")
		return problemAt(position{1, 1}, "", "%s", first)
	}
	line, _ := strconv.Atoi(m[1]) // the pattern leaves digits only
	column, _ := strconv.Atoi(m[2])
	pos := position{line, column}
	return problemAt(pos, doc.fields[pos], "%s", plain(m[3]))
}

// plain replaces protoyaml's words where they do not help who wrote the file.
func plain(message string) string {
	const fields = "expected fields for paynorm.config.v1."
	switch {
	case strings.HasPrefix(message, fields+"Secret,"):
		return "want {env: NAME} or {file: PATH}; a secret is never written here"
	case strings.HasPrefix(message, fields):
		_, got, _ := strings.Cut(message, ", got ")
		return plain("want fields, got " + got)
	case strings.HasPrefix(message, "expected fields for google.protobuf.Duration"), message == "invalid duration":
		return `want a duration such as "300s"`
	case strings.HasPrefix(message, "field ") && strings.HasSuffix(message, " oneof kind"):
		return "one entry has one kind; start a new entry with a dash"
	case strings.HasPrefix(message, "field ") && strings.HasSuffix(message, " oneof source"):
		return "want either env or file"
	}
	return strings.NewReplacer(
		"invalid integer: invalid number, expected digit", "want a number",
		"invalid number, expected digit", `want a duration such as "300s"`,
		"invalid duration: unknown unit, expected one of [h m s ms us ns]", `want a duration such as "300s"`,
		"expected bool", "want true or false", "expected", "want",
		"sequence", "a list", "mapping", "fields", "scalar", "a single value",
		"alias", "an alias, which is not supported",
	).Replace(message)
}

// checkSchema checks cfg against the rules that the schema itself states.
func checkSchema(doc *document, cfg *configv1.Config) []Problem {
	err := protovalidate.Validate(cfg)
	if err == nil {
		return nil
	}
	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) {
		return []Problem{doc.problem("", "%s", err)}
	}
	problems := make([]Problem, 0, len(invalid.Violations))
	for _, v := range invalid.Violations {
		field := protovalidate.FieldPathString(v.Proto.GetField())
		problems = append(problems, doc.problem(field, "%s", broken(doc, field, v.Proto)))
	}
	return problems
}

// broken says what is wrong. The rule that a missing field breaks first is
// often one about its form, which would puzzle who left it out.
func broken(doc *document, field string, v *validate.Violation) string {
	_, given := doc.values[field]
	switch {
	case v.GetRule() == nil: // a rule of a oneof, which is no field in the file
		return "exactly one is required"
	case !given:
		return "is required"
	}
	return strings.Replace(v.GetMessage(), "[, ", "[", 1)
}
