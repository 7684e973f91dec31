package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var (
	// variable is a part of a path template: {name=events/*}.
	variable = regexp.MustCompile(`\{([a-z_]+)=((?:[a-z]+/\*/?)+)\}`)
	// errorWord is a gRPC code or an error reason in a comment.
	errorWord = regexp.MustCompile(`\b[A-Z]+_[A-Z_]+[A-Z]\b|\bUNAVAILABLE\b|\bUNAUTHENTICATED\b`)
)

// statuses are the HTTP statuses of the gRPC codes that comments name.
var statuses = map[string]string{
	"INVALID_ARGUMENT": "400", "FAILED_PRECONDITION": "400", "OUT_OF_RANGE": "400", "UNAUTHENTICATED": "401",
	"PERMISSION_DENIED": "403", "NOT_FOUND": "404", "RESOURCE_EXHAUSTED": "429", "UNAVAILABLE": "503",
}

// operation is the path and path item of a method of the read API; no path when
// the method is not reached over HTTP, or is one of the two that take raw requests.
func (s *schemas) operation(m protoreflect.MethodDescriptor) (string, object, error) {
	rule := route(m)
	if rule == nil || rule.GetResponseBody() != "" {
		return "", nil, nil
	}
	verb, template := "get", rule.GetGet()
	if rule.GetPost() != "" {
		verb, template = "post", rule.GetPost()
	}
	if template == "" || verb == "post" && rule.GetBody() != "*" || len(rule.GetAdditionalBindings()) > 0 {
		return "", nil, fmt.Errorf("this HTTP rule is not understood: %v", rule)
	}
	text := comment(m)
	operation := object{
		{"tags", []string{tag(m.Parent().(protoreflect.ServiceDescriptor))}},
		{"operationId", string(m.Name())},
		{"summary", firstSentence(text)},
		{"description", text},
		{"security", []object{{}, {{"accessToken", []string{}}}}}, // an access section may ask for a token
	}
	path, parameters, inPath := pathParameters(template, m.Input())
	if strings.ContainsAny(path, "=*") {
		return "", nil, fmt.Errorf("this path is not understood: %s", template)
	}
	if verb == "get" {
		parameters = append(parameters, s.queryParameters(m.Input(), inPath)...)
	}
	if m.IsStreamingServer() {
		parameters = append(parameters, object{
			{"name", "Last-Event-ID"}, {"in", "header"},
			{"description", "What a browser sends when it reconnects: go on after this cursor, whatever the query says."},
			{"schema", object{{"type", "string"}}},
		})
	}
	if len(parameters) > 0 {
		operation = operation.with("parameters", parameters)
	}
	if verb == "post" {
		schema := s.ref(m.Input(), "")
		if len(inPath) > 0 {
			schema = s.message(m.Input(), inPath...)
		}
		operation = operation.with("requestBody", object{
			// What must be given is in the path, or else in the body.
			{"required", len(inPath) == 0}, {"content", object{{"application/json", object{{"schema", schema}}}}},
		})
	}
	return path, object{{verb, operation.with("responses", s.responses(m, text))}}, nil
}

// pathParameters turns /v1/{name=providers/*/endpoints/*} into
// /v1/providers/{provider}/endpoints/{endpoint} and its parameters.
func pathParameters(template string, input protoreflect.MessageDescriptor) (string, []object, []protoreflect.Name) {
	var parameters []object
	var fields []protoreflect.Name
	path := variable.ReplaceAllStringFunc(template, func(part string) string {
		found := variable.FindStringSubmatch(part)
		field := input.Fields().ByName(protoreflect.Name(found[1]))
		fields = append(fields, field.Name())
		segments := strings.Split(found[2], "/")
		for i := 1; i < len(segments); i += 2 {
			collection := segments[i-1]
			id := strings.TrimSuffix(collection, "s")
			if stem, ok := strings.CutSuffix(collection, "ies"); ok {
				id = stem + "y"
			}
			schema := object{{"type", "string"}}
			if r := rules(field).GetString(); r.HasPattern() && len(segments) == 2 {
				schema = schema.with("pattern", strings.Replace(r.GetPattern(), "^"+collection+"/", "^", 1))
			}
			parameters = append(parameters, object{
				{"name", id}, {"in", "path"}, {"required", true},
				{"description", "The ID: what follows " + collection + "/ in the name."},
				{"schema", schema},
			})
			segments[i] = "{" + id + "}"
		}
		return strings.Join(segments, "/")
	})
	return path, parameters, fields
}

func (s *schemas) queryParameters(input protoreflect.MessageDescriptor, inPath []protoreflect.Name) []object {
	var parameters []object
	for i := range input.Fields().Len() {
		f := input.Fields().Get(i)
		if slices.Contains(inPath, f.Name()) {
			continue
		}
		parameters = append(parameters, object{
			{"name", string(f.Name())}, {"in", "query"}, {"required", hasBehavior(f, annotations.FieldBehavior_REQUIRED)},
			{"description", comment(f)},
			{"schema", s.value(f, "")},
		})
	}
	return parameters
}

// responses are the answer and the errors that the method's comment names.
func (s *schemas) responses(m protoreflect.MethodDescriptor, text string) object {
	ok := content("The answer.", "application/json", s.ref(m.Output(), ""))
	if m.IsStreamingServer() {
		ok = object{{"description", "The stream. It stays open until either side ends it; an error after it has begun is its last line or event."}, {"content", object{
			{"application/x-ndjson", object{{"schema", object{
				{"description", "One JSON object a line; where the stream ends with an error, a last line {\"error\": problem}."},
				{"anyOf", []object{s.ref(m.Output(), ""), {{"type", "object"}, {"properties", object{{"error", ref("schemas/Problem")}}}, {"required", []string{"error"}}}}},
			}}}},
			{"text/event-stream", object{{"schema", object{
				{"type", "string"},
				{"description", "Server-sent events, when asked for by Accept. The ID is the cursor; the name is \"event\", \"heartbeat\" or, at the end, \"problem\"; the data is the same JSON."},
			}}}},
		}}}
	}
	responses := object{{"200", ok}}
	_, errors, _ := strings.Cut(text, "Errors:")
	named := map[string][]string{}
	for _, word := range errorWord.FindAllString(errors, -1) {
		if status, known := statuses[word]; known && !slices.Contains(named[status], word) {
			named[status] = append(named[status], word)
		}
	}
	// Every method checks its request, and the token where one is asked for.
	for status, word := range map[string]string{"400": "INVALID_ARGUMENT", "401": "UNAUTHENTICATED", "403": "PERMISSION_DENIED"} {
		if !slices.Contains(named[status], word) {
			named[status] = append([]string{word}, named[status]...)
		}
	}
	for _, status := range []string{"400", "401", "403", "404", "429", "503"} {
		if words := named[status]; len(words) > 0 {
			responses = responses.with(status, problemResponse(strings.Join(words, " or ")+"."))
		}
	}
	return responses.with("default", ref("responses/Problem"))
}

func firstSentence(text string) string {
	end := strings.Index(text, ". ")
	if end < 0 {
		return strings.TrimSuffix(strings.SplitN(text, "\n", 2)[0], ".")
	}
	return text[:end]
}
