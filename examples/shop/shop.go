// Package shop answers: what is the example, as files and as functions, and how does it grow? `evo build` builds it from template.yaml
// and the program in bootstrap; `evo demo` carries all of it inside itself.
package shop

import (
	"embed"

	"evo/examples/shop/functions"
)

// Template is template.yaml, the first release.
//
//go:embed template.yaml
var Template []byte

//go:embed releases
var releases embed.FS

// Release is a change to the release before.
type Release struct {
	Name  string
	About string // in one line
	File  string // with the patch, in the folder releases; empty: no change
}

// Releases is the shop's life, in order: five that are good, one that takes something away, and one with a mistake in its code.
var Releases = []Release{
	{"First Release", "a shop: search, cart, checkout, orders, pictures", ""},
	{"Encryption At Rest", "the bucket and the tables are encrypted with keys", "encryption-at-rest.yaml"},
	{"Increased Availability", "what is lost can be had back; and search puts what sells best first", "increased-availability.yaml"},
	{"Encryption In Transit", "the bucket is reached over TLS only", "encryption-in-transit.yaml"},
	{"Improved Scalability", "the tables take whatever load comes", "improved-scalability.yaml"},
	{"Simpler Storage", "less to look after: no keys, no bucket policy", "simpler-storage.yaml"},
	{"Personal Search", "search sorts by what each customer has looked at", "personal-search.yaml"},
}

// Patch returns the release's change as YAML: a part of a template, whose maps are merged into the template's, whose null removes what it
// stands for, and whose other values take the place of the template's (RFC 7396).
func (r Release) Patch() ([]byte, error) {
	if r.File == "" {
		return []byte("{}"), nil
	}
	return releases.ReadFile("releases/" + r.File)
}

// Run serves one of the shop's functions, by its handler's name, until the process ends.
func Run(handler string) error { return functions.Run(handler) }
