// Package shop answers: what is the example, as files and as functions? `evo build` builds it from template.yaml and the
// program in bootstrap; `evo demo` carries both inside itself.
package shop

import (
	_ "embed"

	"evo/examples/shop/functions"
)

// Template is template.yaml.
//
//go:embed template.yaml
var Template []byte

// Run serves one of the shop's functions, by its handler's name, until the process ends.
func Run(handler string) error { return functions.Run(handler) }
