package sam

import "evo/internal/cfn"

// room hands out parts of one piece that was made as large as all of them: the hundreds of small things that a template is made of
// live and die together.
type room[T any] []T

func (r *room[T]) take(n int) []T {
	part := (*r)[:n:n]
	*r = (*r)[n:]
	return part
}

// amount is how many things a template is made of.
type amount struct{ values, maps, entries, items int }

// fromNode makes values of a template's nodes.
func fromNode(n *cfn.Node) *value {
	var a amount
	a.addNode(n)
	m := valueMaker{values: make(room[value], a.values), maps: make(room[fields], a.maps),
		fields: make(room[field], a.entries), items: make(room[*value], a.items)}
	return m.value(n)
}

func (a *amount) addNode(n *cfn.Node) {
	if n == nil {
		return
	}
	a.values++
	switch n.Kind {
	case cfn.List:
		a.items += len(n.Items)
		for _, item := range n.Items {
			a.addNode(item)
		}
	case cfn.Map:
		a.maps++
		a.entries += len(n.Pairs)
		for i := range n.Pairs {
			a.addNode(n.Pairs[i].Value)
		}
	}
}

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
func (v *value) node() *cfn.Node {
	var a amount
	a.addValue(v)
	m := nodeMaker{nodes: make(room[cfn.Node], a.values), pairs: make(room[cfn.Pair], a.entries), items: make(room[*cfn.Node], a.items)}
	return m.node(v)
}

func (a *amount) addValue(v *value) {
	a.values++
	switch {
	case v.isList():
		a.items += len(v.items)
		for _, item := range v.items {
			a.addValue(item)
		}
	case v.isMap():
		a.entries += len(v.fields.list)
		for i := range v.fields.list {
			a.addValue(v.fields.list[i].value)
		}
	}
}

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
