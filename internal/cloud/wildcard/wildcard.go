// Package wildcard answers: does a string fit a pattern with wildcards, as policies write them?
package wildcard

import (
	"path"
	"strings"
)

// Like matches a pattern, where * stands for any characters, slashes too, and ? for one.
func Like(pattern, s string) bool {
	// path.Match has both, but takes slashes for borders and knows classes: neither is meant here.
	escape := strings.NewReplacer("/", "\x01", "[", "\x02", `\`, "\x03")
	ok, err := path.Match(escape.Replace(pattern), escape.Replace(s))
	return ok && err == nil
}
