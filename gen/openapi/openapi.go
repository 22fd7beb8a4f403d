// Package openapi embeds the OpenAPI (Swagger 2.0) document of the line's REST API, merged from every service's proto.
package openapi

import _ "embed"

// Document is huhang.swagger.json.
//
//go:embed huhang.swagger.json
var Document []byte
