package cfn

import (
	"strings"

	"evo/internal/source"
)

// Paths finds what stands at a place of a template: its function returns, for the span of a key or value, the keys that lead there,
// with dots between them, and list positions in brackets; "" for a span at which none stands.
func Paths(root *Node) func(source.Span) string {
	paths := map[source.Span]string{}
	note := func(span source.Span, path string) {
		if _, known := paths[span]; !known && span.IsValid() {
			paths[span] = path
		}
	}
	root.Walk(func(path []string, n *Node) bool {
		at := dotted(root, path)
		note(n.Span, at)
		for _, p := range n.Entries() {
			note(p.KeySpan, below(at, p.Key))
		}
		return true
	})
	return func(span source.Span) string { return paths[span] }
}

// dotted writes a path of Walk.
func dotted(n *Node, path []string) string {
	var b strings.Builder
	for _, key := range path {
		if n.Is(List) {
			i, _ := Str(key).Int()
			n = n.Items[i]
			b.WriteString("[" + key + "]")
			continue
		}
		n = n.Get(key)
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(key)
	}
	return b.String()
}

func below(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
