package translator

import (
	"math/rand/v2"
	"slices"
	"strings"

	"evo/internal/cfn"
)

// mutator changes templates in ways in which people, and what they copy from, change them.
type mutator struct {
	r         *rand.Rand
	templates []*cfn.Node
	byType    map[string][]*cfn.Node // the properties of the templates' resources
	globals   []*cfn.Node
}

func newMutator(seed uint64, templates []*cfn.Node) *mutator {
	m := &mutator{r: rand.New(rand.NewPCG(seed, seed)), templates: templates, byType: map[string][]*cfn.Node{}}
	for _, t := range templates {
		for _, p := range serverless(t) {
			if properties := p.Value.Get("Properties"); properties.Is(cfn.Map) && len(properties.Pairs) > 0 {
				kind := p.Value.Get("Type").Str()
				m.byType[kind] = append(m.byType[kind], properties)
			}
		}
		if g := t.Get("Globals"); g.Is(cfn.Map) {
			m.globals = append(m.globals, g)
		}
	}
	return m
}

// serverless are the SAM resources of a template.
func serverless(t *cfn.Node) []cfn.Pair {
	return slices.DeleteFunc(slices.Clone(t.Get("Resources").Entries()), func(p cfn.Pair) bool {
		return !strings.HasPrefix(p.Value.Get("Type").Str(), "AWS::Serverless::")
	})
}

func pick[T any](m *mutator, from []T) T { return from[m.r.IntN(len(from))] }

// template is one of the templates, changed once or a few times.
func (m *mutator) template() *cfn.Node {
	t := pick(m, m.templates).Clone()
	mutations := []func(*cfn.Node){m.drop, m.callFunction, m.confuse, m.borrow, m.addAttribute, m.addGlobals, m.addResource, m.addResource, m.misspell}
	for range 1 + m.r.IntN(3) {
		pick(m, mutations)(t)
	}
	return t
}

// spot is a place in a tree: an entry of a map or list.
type spot struct {
	in    *cfn.Node
	index int
}

func (s spot) get() *cfn.Node {
	if s.in.Kind == cfn.Map {
		return s.in.Pairs[s.index].Value
	}
	return s.in.Items[s.index]
}

func (s spot) set(n *cfn.Node) {
	if s.in.Kind == cfn.Map {
		s.in.Pairs[s.index].Value = n
		return
	}
	s.in.Items[s.index] = n
}

func (s spot) remove() {
	if s.in.Kind == cfn.Map {
		s.in.Pairs = slices.Delete(s.in.Pairs, s.index, s.index+1)
		return
	}
	s.in.Items = slices.Delete(s.in.Items, s.index, s.index+1)
}

// spots are all places below a node.
func spots(n *cfn.Node) []spot {
	var all []spot
	for i := range n.List() {
		all = append(append(all, spot{n, i}), spots(n.Items[i])...)
	}
	for i := range n.Entries() {
		all = append(append(all, spot{n, i}), spots(n.Pairs[i].Value)...)
	}
	return all
}

// somewhere is a place in a SAM resource's properties.
func (m *mutator) somewhere(t *cfn.Node) (spot, bool) {
	var all []spot
	if resources := serverless(t); len(resources) > 0 {
		all = spots(pick(m, resources).Value.Get("Properties"))
	}
	if len(all) == 0 {
		return spot{}, false
	}
	return pick(m, all), true
}

func (m *mutator) drop(t *cfn.Node) {
	if s, ok := m.somewhere(t); ok {
		s.remove()
	}
}

// section is a section of the template that is a map, made if there is none.
func section(t *cfn.Node, name string) *cfn.Node {
	if t.Get(name) == nil {
		t.Set(name, cfn.Obj())
	}
	return t.Get(name)
}

// declare adds an entry to a section, unless there is one.
func declare(t *cfn.Node, name, key string, value *cfn.Node) {
	if s := section(t, name); s.Is(cfn.Map) && !s.Has(key) {
		s.Set(key, value)
	}
}

func call(name string, arg *cfn.Node) *cfn.Node { return cfn.Obj(cfn.P(name, arg)) }

// callFunction puts an intrinsic function where there was a value, or around it.
func (m *mutator) callFunction(t *cfn.Node) {
	s, ok := m.somewhere(t)
	if !ok {
		return
	}
	declare(t, "Parameters", "Known", cfn.From(map[string]any{"Type": "String", "Default": "known"}))
	declare(t, "Parameters", "Unknown", cfn.From(map[string]any{"Type": "String"}))
	declare(t, "Conditions", "Sometimes", call("Fn::Equals", cfn.From([]string{"a", "b"})))
	v, sometimes := s.get(), cfn.Str("Sometimes")
	s.set(pick(m, []*cfn.Node{
		cfn.Ref("Known"), cfn.Ref("Unknown"), cfn.Ref("Other"), cfn.Ref("AWS::NoValue"),
		call("Fn::Sub", cfn.Str("x-${Known}")), call("Fn::Sub", cfn.Str("${AWS::Region}-${Unknown}")),
		call("Fn::If", cfn.Arr(sometimes, v, cfn.Ref("AWS::NoValue"))), call("Fn::If", cfn.Arr(sometimes, v, v.Clone())),
		call("Fn::GetAtt", cfn.From([]string{"Other", "Arn"})), call("Fn::ImportValue", cfn.Str("x")),
		call("Fn::Join", cfn.Arr(cfn.Str(""), cfn.Arr(cfn.Str("a"), cfn.Ref("Known")))),
		call("Fn::FindInMap", cfn.From([]string{"M", "a", "b"})),
	}))
}

// confuse puts a value of another type where there was one.
func (m *mutator) confuse(t *cfn.Node) {
	s, ok := m.somewhere(t)
	if !ok {
		return
	}
	s.set(pick(m, []*cfn.Node{
		cfn.Str("text"), cfn.Str(""), cfn.Str("*"), cfn.Integer(5), cfn.Integer(0), cfn.Boolean(true), cfn.Boolean(false), {},
		cfn.Arr(), cfn.Obj(), cfn.From([]string{"a"}), cfn.From(map[string]any{"a": "b"}), cfn.Obj(cfn.P("k", s.get())),
	}))
}

// borrow takes a property from another resource of the same type.
func (m *mutator) borrow(t *cfn.Node) {
	resources := serverless(t)
	if len(resources) == 0 {
		return
	}
	r := pick(m, resources).Value
	lenders := m.byType[r.Get("Type").Str()]
	if properties := r.Get("Properties"); properties.Is(cfn.Map) && len(lenders) > 0 {
		p := pick(m, pick(m, lenders).Pairs)
		properties.Set(p.Key, p.Value.Clone())
	}
}

func (m *mutator) addAttribute(t *cfn.Node) {
	resources := t.Get("Resources").Entries()
	if len(resources) == 0 {
		return
	}
	declare(t, "Conditions", "Sometimes", call("Fn::Equals", cfn.From([]string{"a", "b"})))
	other := pick(m, resources).Key
	p := pick(m, []cfn.Pair{
		cfn.P("Condition", cfn.Str("Sometimes")), cfn.P("DependsOn", cfn.Str(other)), cfn.P("DependsOn", cfn.From([]string{other})),
		cfn.P("DeletionPolicy", cfn.Str("Retain")), cfn.P("UpdateReplacePolicy", cfn.Str("Snapshot")),
		cfn.P("Metadata", cfn.From(map[string]any{"a": "b"})), cfn.P("UpdatePolicy", cfn.From(map[string]any{"a": 1})),
		cfn.P("IgnoreGlobals", cfn.Str("*")), cfn.P("IgnoreGlobals", cfn.From([]string{"Timeout", "Tags"})),
	})
	if r := pick(m, resources).Value; r.Is(cfn.Map) {
		r.Set(p.Key, p.Value)
	}
}

func (m *mutator) addGlobals(t *cfn.Node) {
	if len(m.globals) == 0 {
		return
	}
	g := pick(m, m.globals).Clone()
	if own := t.Get("Globals"); own.Is(cfn.Map) {
		for _, p := range g.Pairs {
			own.Set(p.Key, p.Value)
		}
		return
	}
	t.Set("Globals", g)
}

// addResource takes a resource from another template, under its own id or another, and what it may refer to.
func (m *mutator) addResource(t *cfn.Node) {
	from := pick(m, m.templates)
	resources := serverless(from)
	if len(resources) == 0 {
		return
	}
	for _, name := range []string{"Parameters", "Conditions", "Mappings"} {
		for _, p := range from.Get(name).Entries() {
			declare(t, name, p.Key, p.Value.Clone())
		}
	}
	p := pick(m, resources)
	t.Get("Resources").Set(pick(m, []string{"", "Another"})+p.Key, p.Value.Clone())
}

func (m *mutator) misspell(t *cfn.Node) {
	s, ok := m.somewhere(t)
	if !ok || s.in.Kind != cfn.Map {
		return
	}
	p := &s.in.Pairs[s.index]
	if key := pick(m, []string{p.Key + "X", strings.ToLower(p.Key)}); !s.in.Has(key) {
		p.Key = key
	}
}
