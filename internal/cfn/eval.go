package cfn

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"evo/internal/source"
)

// Env is what a template's values depend on besides the template. What is left out is unknown.
type Env struct {
	AccountID, Partition, Region, URLSuffix string
	StackID, StackName                      string
	NotificationARNs                        []string
	Parameters                              map[string]string // as ResolveParameters returns them

	// What other resources, stacks and services know. A nil node, or a nil function, means: not known yet.
	Ref     func(resource string) *Node
	GetAtt  func(resource, attribute string) (*Node, error)
	Import  func(export string) (*Node, error)
	Zones   func(region string) []string
	Dynamic func(reference string) (*Node, error) // {{resolve:…}}, without the braces; nil: refused
	Stored  func(entry string) (*Node, error)     // what SSM's Parameter Store has for a parameter; nil: refused
}

// Evaluator works out a template's values in an Env. A value that depends on something unknown stays the intrinsic function
// that it is, with what is known filled in; so the result says what is missing, and where. An Evaluator is used by one
// goroutine.
type Evaluator struct {
	t          *Template
	env        Env
	conditions map[string]*truth
	visiting   []string // conditions being worked out
	depth      int
}

// truth is a condition's value, if it is known.
type truth struct{ value, known bool }

// NewEvaluator returns an Evaluator of t in env.
func NewEvaluator(t *Template, env Env) *Evaluator {
	return &Evaluator{t: t, env: env, conditions: map[string]*truth{}}
}

// absent is what AWS::NoValue becomes: the entry that holds it goes away.
var absent = &Node{}

// maxNesting of nested functions; parsed templates are far shallower.
const maxNesting = 1000

// Eval works out n. It returns nil for AWS::NoValue, and for nil. What has nothing to be worked out is n's own: Clone it to change it.
func (e *Evaluator) Eval(n *Node) (*Node, error) {
	if n == nil {
		return nil, nil
	}
	v, err := e.eval(n)
	if err != nil || v == absent {
		return nil, err
	}
	return v, nil
}

func (e *Evaluator) eval(n *Node) (*Node, error) {
	if e.depth++; e.depth > maxNesting {
		return nil, source.Errorf(n.Span, "Template format error: the template is nested too deeply.")
	}
	defer func() { e.depth-- }()
	switch n.Kind {
	case String:
		return e.dynamic(n)
	case List:
		return e.list(n)
	case Map:
		if name, arg, ok := n.Intrinsic(); ok && name != "Condition" {
			return e.call(name, arg, n)
		}
		return e.object(n)
	}
	return n, nil
}

func (e *Evaluator) list(n *Node) (*Node, error) {
	var out *Node // n itself, until an item is another
	for i, it := range n.Items {
		v, err := e.eval(it)
		if err != nil {
			return nil, err
		}
		if v == it && out == nil {
			continue
		}
		if out == nil {
			out = &Node{Kind: List, Span: n.Span, Items: append(make([]*Node, 0, len(n.Items)), n.Items[:i]...)}
		}
		if v != absent {
			out.Items = append(out.Items, v)
		}
	}
	return cmp.Or(out, n), nil
}

func (e *Evaluator) object(n *Node) (*Node, error) {
	var out *Node // n itself, until a value is another
	for i, p := range n.Pairs {
		v, err := e.eval(p.Value)
		if err != nil {
			return nil, err
		}
		if v == p.Value && out == nil {
			continue
		}
		if out == nil {
			out = &Node{Kind: Map, Span: n.Span, Pairs: append(make([]Pair, 0, len(n.Pairs)), n.Pairs[:i]...)}
		}
		if v != absent {
			p.Value = v
			out.Pairs = append(out.Pairs, p)
		}
	}
	return cmp.Or(out, n), nil
}

// dynamic resolves a string that refers to Parameter Store or Secrets Manager.
func (e *Evaluator) dynamic(n *Node) (*Node, error) {
	start := strings.Index(n.Text, "{{resolve:")
	if start < 0 {
		return n, nil
	}
	end := strings.Index(n.Text[start:], "}}")
	if end < 0 {
		return n, nil
	}
	ref := n.Text[start+2 : start+end]
	if e.env.Dynamic == nil {
		return nil, source.Errorf(n.Span, "the dynamic reference {{%s}} cannot be resolved: SSM parameters and secrets are not supported yet", ref)
	}
	v, err := e.env.Dynamic(ref)
	if err != nil || v == nil {
		return n, err
	}
	rest, err := e.dynamic(&Node{Kind: String, Text: n.Text[start+end+2:], Span: n.Span})
	if err != nil {
		return nil, err
	}
	return &Node{Kind: String, Text: n.Text[:start] + v.Text + rest.Text, Span: n.Span}, nil
}

// Known reports whether nothing in n is unknown.
func Known(n *Node) bool {
	known := true
	n.Walk(func(_ []string, n *Node) bool {
		if name, _, ok := n.Intrinsic(); ok && name != "Condition" {
			known = false
		}
		return known
	})
	return known
}

// Active reports whether a resource or output with that condition (which may be empty) is to be, and whether that is known.
func (e *Evaluator) Active(condition string) (active, known bool, err error) {
	if condition == "" {
		return true, true, nil
	}
	t, err := e.condition(condition, nil)
	if err != nil {
		return false, false, err
	}
	return t.value, t.known, nil
}

func (e *Evaluator) condition(name string, at *Node) (*truth, error) {
	if t, ok := e.conditions[name]; ok {
		return t, nil
	}
	if i := slices.Index(e.visiting, name); i >= 0 {
		return nil, source.Errorf(at.Where(), "Template format error: Circular dependency between conditions: [%s]", strings.Join(e.visiting[i:], ", "))
	}
	i := slices.IndexFunc(e.t.Conditions, func(c *Condition) bool { return c.Name == name })
	if i < 0 {
		return nil, source.Errorf(at.Where(), "Template error: unresolved condition dependency %s", name)
	}
	e.visiting = append(e.visiting, name)
	t, err := e.truth(e.t.Conditions[i].Rule)
	e.visiting = e.visiting[:len(e.visiting)-1]
	if err != nil {
		return nil, err
	}
	e.conditions[name] = t
	return t, nil
}

// truth works out a condition's rule.
func (e *Evaluator) truth(n *Node) (*truth, error) {
	if e.depth++; e.depth > maxNesting {
		return nil, source.Errorf(n.Span, "Template format error: the template is nested too deeply.")
	}
	defer func() { e.depth-- }()
	name, arg, ok := n.Intrinsic()
	if inner := n.Get("Condition"); !ok && len(n.Entries()) == 1 && inner.Is(Map) {
		return e.truth(inner) // SAM writes this, and CloudFormation takes it
	}
	if !ok {
		if b, isBool := n.Bool(); isBool {
			return &truth{b, true}, nil
		}
		return nil, source.Errorf(n.Span, "Template error: every Condition member must be a string.")
	}
	switch name {
	case "Condition":
		return e.condition(arg.Text, arg)
	case "Fn::Equals":
		return e.equals(arg, n)
	case "Fn::Not":
		if len(arg.List()) != 1 {
			return nil, source.Errorf(n.Span, "Template error: every Fn::Not object requires one boolean parameter.")
		}
		t, err := e.truth(arg.Items[0])
		if err != nil {
			return nil, err
		}
		return &truth{!t.value, t.known}, nil
	case "Fn::And", "Fn::Or":
		return e.junction(name, arg, n)
	case "Fn::If":
		v, err := e.eval(n)
		if err != nil {
			return nil, err
		}
		if b, isBool := v.Bool(); isBool {
			return &truth{b, true}, nil
		}
		return &truth{}, nil
	}
	return nil, source.Errorf(n.Span, "Template error: %s is no condition function.", name)
}

func (e *Evaluator) equals(arg, n *Node) (*truth, error) {
	if len(arg.List()) != 2 {
		return nil, source.Errorf(n.Span, "Template error: every Fn::Equals object requires a list of 2 string parameters.")
	}
	v, err := e.list(arg)
	if err != nil {
		return nil, err
	}
	if len(v.Items) != 2 {
		return nil, source.Errorf(n.Span, "Template error: every Fn::Equals object requires a list of 2 string parameters.")
	}
	a, b := v.Items[0], v.Items[1]
	if !Known(a) || !Known(b) {
		return &truth{}, nil
	}
	x, xok := a.Scalar()
	y, yok := b.Scalar()
	if xok && yok {
		return &truth{x == y, true}, nil
	}
	if a.Kind == Map || b.Kind == Map {
		return nil, source.Errorf(n.Span, "Template error: every Fn::Equals object requires a list of 2 string parameters.")
	}
	return &truth{a.Equal(b), true}, nil
}

// junction is Fn::And and Fn::Or: what is known may decide, whatever the rest is.
func (e *Evaluator) junction(name string, arg, n *Node) (*truth, error) {
	items := arg.List()
	if len(items) < 2 || len(items) > 10 {
		return nil, source.Errorf(n.Span, "Template error: every %s object requires a list of at least 2 and at most 10 boolean parameters.", name)
	}
	out := &truth{value: name == "Fn::And", known: true}
	decided := false
	for _, it := range items {
		t, err := e.truth(it)
		if err != nil {
			return nil, err
		}
		switch {
		case decided:
		case !t.known:
			out.known = false
		case t.value != (name == "Fn::And"):
			*out, decided = truth{t.value, true}, true
		}
	}
	return out, nil
}

// pseudo returns a pseudo parameter's value for where it is asked for, or nil if it is not known.
func (e *Evaluator) pseudo(name string, at *Node) *Node {
	var text string
	switch name {
	case pseudoAccount:
		text = e.env.AccountID
	case pseudoPartition:
		text = e.env.Partition
	case pseudoRegion:
		text = e.env.Region
	case pseudoURLSuffix:
		text = e.env.URLSuffix
	case pseudoStackID:
		text = e.env.StackID
	case pseudoStackName:
		text = e.env.StackName
	}
	switch {
	case name == pseudoNoValue:
		return absent
	case name == pseudoNotifications && e.env.NotificationARNs != nil:
		return From(e.env.NotificationARNs)
	case text == "":
		return nil
	}
	return &Node{Kind: String, Text: text, Span: at.Where()}
}

// ref returns what {"Ref": name} stands for, or nil if it is not known.
func (e *Evaluator) ref(name string, at *Node) (*Node, error) {
	if strings.HasPrefix(name, "AWS::") {
		return e.pseudo(name, at), nil
	}
	if p := e.t.Parameter(name); p != nil {
		text, ok := e.env.Parameters[name]
		if !ok {
			return nil, nil
		}
		if p.IsStored() && e.env.Stored != nil {
			return e.env.Stored(text)
		}
		if p.IsStored() {
			return nil, source.Errorf(at.Where(), "the value of parameter %s stands in the SSM parameter %s: SSM is not supported yet", name, text)
		}
		return p.Value(text), nil
	}
	if e.t.Resource(name) == nil {
		return nil, source.Errorf(at.Where(), "Template format error: Unresolved resource dependencies [%s] in the Resources block of the template", name)
	}
	if e.env.Ref == nil {
		return nil, nil
	}
	return e.env.Ref(name), nil
}

func (e *Evaluator) attribute(id, attr string) (*Node, error) {
	if e.env.GetAtt == nil {
		return nil, nil
	}
	v, err := e.env.GetAtt(id, attr)
	if err != nil {
		return nil, fmt.Errorf("read attribute %s of %s: %w", attr, id, err)
	}
	return v, nil
}

// Unknowns tells where in n something is not known yet: the path of each, and what it waits for.
func Unknowns(n *Node) map[string]string {
	found := map[string]string{}
	n.Walk(func(path []string, n *Node) bool {
		name, _, ok := n.Intrinsic()
		if !ok || name == "Condition" {
			return true
		}
		needs := map[string]bool{}
		walkReferences(n, func(r reference) {
			what := r.name
			if r.attribute != "" {
				what += "." + r.attribute
			}
			needs[what] = true
		})
		found["/"+strings.Join(path, "/")] = strings.Join(slices.Sorted(maps.Keys(needs)), ", ")
		return false
	})
	return found
}
