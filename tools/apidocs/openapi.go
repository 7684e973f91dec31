package main

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

const about = `paynorm takes the webhooks of payment providers, makes them durable, and publishes one canonical event for each fact. ` +
	`Events are published on NATS (see /asyncapi.json); this document describes the HTTP edge.

Fields may be added to answers, and values to enums: pass over what you do not know. ` +
	`Query parameters may be written as here or in lowerCamelCase; one that does not exist is an error. ` +
	`Every error is application/problem+json with a reason that programs can decide by. ` +
	`Lists may be empty or shorter than asked for and still not be the last page: go by nextPageToken.`

// openAPI describes the HTTP edge.
func openAPI(all descriptors) (object, error) {
	s := &schemas{}
	paths := object{
		{"/webhooks/{provider}/{merchant}", object{{"post", webhook()}}},
		{"/oauth2/{provider}/{merchant}/token", object{{"post", token()}}},
	}
	tags := []object{{{"name", "Webhooks"}, {"description", "What payment providers call."}}}
	for _, service := range all.services() {
		routed := false
		for i := range service.Methods().Len() {
			m := service.Methods().Get(i)
			path, operation, err := s.operation(m)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.FullName(), err)
			}
			if path == "" {
				continue
			}
			if slices.ContainsFunc(paths, func(p member) bool { return p.name == path }) {
				return nil, fmt.Errorf("%s: a second method at %s", m.FullName(), path)
			}
			paths, routed = paths.with(path, operation), true
		}
		if routed {
			tags = append(tags, object{{"name", tag(service)}, {"description", comment(service)}})
		}
	}
	paths = append(paths, processPaths()...)
	tags = append(tags, object{{"name", "Process"}, {"description", "The process itself, and its documents."}})
	reasons, err := errorReasons(all)
	if err != nil {
		return nil, err
	}
	components := append(s.components(), problemSchemas(reasons)...)
	return object{
		{"openapi", "3.1.0"},
		{"info", object{{"title", "paynorm"}, {"version", "v1"}, {"description", about}}},
		{"servers", []object{{{"url", "/"}}}},
		{"tags", tags},
		{"paths", paths},
		{"components", object{
			{"schemas", components},
			{"responses", object{{"Problem", problemResponse("An error.")}}},
			{"securitySchemes", object{
				{"accessToken", object{
					{"type", "http"}, {"scheme", "bearer"},
					{"description", "A token of the configuration's access section. It sees the merchants and providers that it is configured for. Without such a section no token is asked for."},
				}},
				{"clientCredentials", object{
					{"type", "http"}, {"scheme", "basic"},
					{"description", "The client ID and secret that are configured for the endpoint (RFC 6749, section 2.3.1)."},
				}},
			}},
		}},
	}, nil
}

// tag is a service's name for people: EventService is "Events".
func tag(s protoreflect.ServiceDescriptor) string {
	name := strings.TrimSuffix(string(s.Name()), "Service")
	if stem, ok := strings.CutSuffix(name, "y"); ok {
		return stem + "ies"
	}
	if name == "Normalizer" {
		return name
	}
	return name + "s"
}

// processPaths are the routes that are about the process itself.
func processPaths() object {
	state := object{{"type", "object"}, {"properties", object{{"status", object{{"type", "string"}}}}}, {"required", []string{"status"}}}
	get := func(id, summary string, media string, schema object, more ...member) object {
		responses := object{{"200", content("As asked for.", media, schema)}}
		return object{{"get", object{
			{"tags", []string{"Process"}}, {"operationId", id}, {"summary", summary},
			{"responses", append(responses, append(more, member{"default", ref("responses/Problem")})...)},
		}}}
	}
	return object{
		{"/healthz", get("health", "Says that the process runs.", "application/json", state)},
		{"/readyz", get("ready", "Says whether webhooks can be taken.", "application/json", state,
			member{"503", problemResponse("Webhooks cannot be taken; detail says why.")})},
		{"/openapi.json", get("openapi", "Returns this document.", "application/json", object{{"type", "object"}})},
		{"/asyncapi.json", get("asyncapi", "Returns the AsyncAPI 3 document of the NATS subjects.", "application/json", object{{"type", "object"}})},
		{"/docs", get("docs", "Returns this document as a page for people.", "text/html", object{{"type", "string"}})},
		{"/console", get("console", "Returns the console for people.", "text/html", object{{"type", "string"}})},
		{"/docs/style.css", get("docsStyle", "Returns the style sheet of the page.", "text/css", object{{"type", "string"}})},
	}
}

// content is a response with one media type.
func content(description, media string, schema object) object {
	return object{{"description", description}, {"content", object{{media, object{{"schema", schema}}}}}}
}
