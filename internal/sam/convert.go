package sam

import "evo/internal/cfn"

// room hands out parts of larger pieces: the thousands of small things that a template is made of live and die together.
type room[T any] struct {
	left []T
	size int // of the last piece
}

func (r *room[T]) take(n int) []T {
	if n > len(r.left) {
		r.size = min(max(2*r.size, 8), 128)
		r.left = make([]T, max(n, r.size))
	}
	part := r.left[:n:n]
	r.left = r.left[n:]
	return part
}

// fromNode makes values of a template's nodes.
func fromNode(n *cfn.Node) *value { return new(valueMaker).value(n) }

type valueMaker struct {
	values room[value]
	maps   room[fields]
	fields room[field]
	items  room[*value]
}

func (m *valueMaker) value(n *cfn.Node) *value {
	if n == nil {
		return nil
	}
	v := &m.values.take(1)[0]
	*v = value{kind: n.Kind, text: n.Text, span: n.Span}
	switch n.Kind {
	case cfn.List:
		v.items = m.items.take(len(n.Items))
		for i, item := range n.Items {
			v.items[i] = m.value(item)
		}
	case cfn.Map:
		v.fields = &m.maps.take(1)[0]
		v.fields.list = m.fields.take(len(n.Pairs))
		for i := range n.Pairs {
			p := &n.Pairs[i]
			v.fields.list[i] = field{key: p.Key, bare: p.Bare, span: p.KeySpan, value: m.value(p.Value)}
		}
	}
	return v
}

// node makes nodes of values, in the order of insertion.
func (v *value) node() *cfn.Node { return new(nodeMaker).node(v) }

type nodeMaker struct {
	nodes room[cfn.Node]
	pairs room[cfn.Pair]
	items room[*cfn.Node]
}

func (m *nodeMaker) node(v *value) *cfn.Node {
	n := &m.nodes.take(1)[0]
	if v == nil {
		return n
	}
	n.Kind, n.Text, n.Span = v.kind, v.text, v.span
	switch v.kind {
	case cfn.List:
		n.Items = m.items.take(len(v.items))
		for i, item := range v.items {
			n.Items[i] = m.node(item)
		}
	case cfn.Map:
		n.Pairs = m.pairs.take(len(v.fields.list))
		for i := range v.fields.list {
			e := &v.fields.list[i]
			n.Pairs[i] = cfn.Pair{Key: e.key, KeySpan: e.span, Value: m.node(e.value)}
		}
	}
	return n
}
