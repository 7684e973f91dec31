// Package paynorm holds the documents that are served as they are generated.
package paynorm

import _ "embed"

// OpenAPI describes the HTTP API, as JSON.
//
//go:embed gen/openapi/paynorm.swagger.json
var OpenAPI []byte
