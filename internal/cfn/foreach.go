package cfn

import (
	"maps"
	"strings"

	"evo/internal/source"
)

// scope is what the identifiers of the loops around a value stand for.
type scope map[string]string

// fill puts items where a text names their identifiers: ${Name} everywhere, and in a key also &{Name}, of which only letters
// and digits stay. Text for Fn::Sub keeps its ${!Literal}s, and an item is no variable there.
func (s scope) fill(text string, key bool) string {
	if len(s) == 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		mark := text[i]
		if rest := text[i+1:]; mark == '$' || mark == '&' && key {
			if name, _, closed := strings.Cut(strings.TrimPrefix(rest, "{"), "}"); closed && rest != "" && rest[0] == '{' {
				if item, bound := s[strings.TrimSpace(name)]; bound {
					b.WriteString(asText(item, mark, key))
					i += len(name) + 2
					continue
				}
			}
		}
		b.WriteByte(mark)
	}
	return b.String()
}

func asText(item string, mark byte, key bool) string {
	switch {
	case mark == '&':
		return strings.Map(func(r rune) rune {
			if r < 128 && alphanumeric(string(r)) {
				return r
			}
			return -1
		}, item)
	case !key:
		return strings.ReplaceAll(item, "${", "${!")
	}
	return item
}

// merge is a map that is being put together.
type merge struct {
	out  *Node
	seen map[string]bool
	top  bool // it is a section
}

func (m *merge) add(p Pair) bool {
	if m.seen[p.Key] {
		return false
	}
	m.seen[p.Key] = true
	m.out.Pairs = append(m.out.Pairs, p)
	return true
}

// entries does the transform's work in a map, whose loops become entries in their places.
func (x *extender) entries(n *Node, s scope) *Node { return x.merged(n, s, false) }

func (x *extender) merged(n *Node, s scope, top bool) *Node {
	m := &merge{out: &Node{Kind: Map, Span: n.Span, Pairs: make([]Pair, 0, len(n.Pairs))}, seen: map[string]bool{}, top: top}
	for _, p := range n.Pairs {
		x.entry(m, p, p.Key, s)
	}
	return m.out
}

func (x *extender) entry(m *merge, p Pair, key string, s scope) {
	if isLoop(p.Key) {
		x.loop(m, p, s)
		return
	}
	v := x.value(p.Value, s)
	if v == absent {
		return
	}
	if !m.add(Pair{Key: key, KeySpan: p.KeySpan, Value: v, Bare: p.Bare}) {
		x.failf(p.KeySpan, "Duplicate key '%s' when merging keys to parent object in Fn::ForEach", key)
	}
}

const badLayout = "Fn::ForEach layout is incorrect"

// maxLoops is how deep loops may stand in loops.
const maxLoops = 5

// loop writes one loop out.
func (x *extender) loop(m *merge, p Pair, s scope) {
	parts := p.Value.List()
	if len(parts) != 3 || !parts[2].Is(Map) || len(parts[2].Pairs) == 0 {
		x.failf(p.KeySpan, badLayout).WithHint("a loop is a list of an identifier, a collection and a map of what is repeated")
		return
	}
	identifiers, ok := x.identifiers(parts[0], s)
	if !ok || !x.mayLoop(p) {
		return
	}
	x.depth++
	defer func() { x.depth-- }()
	for _, item := range x.collection(parts[1], s, len(identifiers)) {
		inner := maps.Clone(s)
		if inner == nil {
			inner = scope{}
		}
		for i, name := range identifiers {
			inner[name] = item[i]
		}
		for _, repeated := range parts[2].Pairs {
			if x.full {
				return
			}
			key := inner.fill(repeated.Key, true)
			if x.outputs && m.top && !isLoop(key) && !alphanumeric(key) {
				x.failf(repeated.KeySpan, "OutputKey '%s' should be alphanumeric", key)
				continue
			}
			x.entry(m, repeated, key, inner)
		}
	}
}

// mayLoop holds a loop against its limits, and its name against the others.
func (x *extender) mayLoop(p Pair) bool {
	if x.depth >= maxLoops {
		x.failf(p.KeySpan, "Fn::ForEach: loops can be nested at most %d deep", maxLoops)
		return false
	}
	name := strings.TrimPrefix(p.Key, loopPrefix)
	if name == "" {
		x.failf(p.KeySpan, badLayout).WithHint("a loop needs a name: %sName", loopPrefix)
		return false
	}
	if x.e.t.Root.Get("Resources").Has(name) {
		x.failf(p.KeySpan, "Fn::ForEach: the name of the loop %s is the logical id of a resource", name)
		return false
	}
	return true
}

// identifiers reads a loop's identifier, or several for items that are lists.
func (x *extender) identifiers(n *Node, s scope) ([]string, bool) {
	items := n.List()
	if n.Is(String) {
		items = []*Node{n}
	}
	var names []string
	for _, it := range items {
		name := it.Str()
		_, taken := s[name]
		switch {
		case name == "":
			x.failf(n.Span, badLayout)
			return nil, false
		case taken || x.e.t.Parameter(name) != nil:
			x.failf(it.Span, "Fn::ForEach: the identifier %s is the name of a parameter or of another loop's identifier", name)
			return nil, false
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		x.failf(n.Span, badLayout)
	}
	return names, len(names) > 0
}

// collection reads what a loop goes over: for each item as many texts as there are identifiers.
func (x *extender) collection(n *Node, s scope, width int) [][]string {
	if n.Is(String) {
		x.failf(n.Span, badLayout)
		return nil
	}
	v, err := x.e.eval(x.value(n, s))
	if err != nil {
		x.problems = append(x.problems, diagnostics(err)...)
		return nil
	}
	if !v.Is(List) || !Known(v) {
		d := x.failf(n.Span, "Could not find a collection or could not be resolved for Fn::ForEach")
		x.explain(d, v)
		return nil
	}
	var all [][]string
	for _, it := range v.Items {
		item := []*Node{it}
		if width > 1 {
			item = it.List()
		}
		texts := make([]string, 0, width)
		for _, part := range item {
			if text, ok := part.Scalar(); ok {
				texts = append(texts, text)
			}
		}
		if len(texts) != width || len(item) != width {
			x.failf(it.Span, badLayout)
			return nil
		}
		all = append(all, texts)
	}
	return all
}

// explain says which parameters or resources an unknown collection waits for.
func (x *extender) explain(d *source.Diagnostic, v *Node) {
	References(v, func(name, _ string) {
		_, given := x.e.env.Parameters[name]
		switch {
		case x.e.t.Parameter(name) == nil:
			d.WithHint("a loop cannot go over what is known only once there are resources: %s", name)
		case !given:
			d.WithHint("the parameter %s has no value", name)
		}
	})
}
