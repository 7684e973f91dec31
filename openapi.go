// Package paynorm holds the documents that are served as they are generated.
package paynorm

import _ "embed"

// OpenAPI describes the HTTP edge: OpenAPI 3.1, as JSON.
//
//go:embed docs/openapi.json
var OpenAPI []byte

// AsyncAPI describes what is published on NATS: AsyncAPI 3.0, as JSON.
//
//go:embed docs/asyncapi.json
var AsyncAPI []byte
