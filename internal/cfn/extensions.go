package cfn

import (
	"maps"
	"slices"
	"strings"

	"evo/internal/source"
)

// Extensions is the transform that adds Fn::ForEach, Fn::Length, Fn::ToJsonString, Fn::FindInMap's default, and functions in
// places where plain CloudFormation takes names only. See Extend.
const Extensions = "AWS::LanguageExtensions"

const serverless = "AWS::Serverless-2016-10-31"

// Extend does what the transform AWS::LanguageExtensions does: it writes loops out, and works out what can be known before
// there is a stack. Of env it takes the parameters, which else have their defaults, and the pseudo parameters. root stays as it
// is; one that does not name the transform is returned itself. What must wait for resources stays the function that it is; only
// then does the result still name the transform. All that is made has the place of what it is made of. The error is a
// source.Diagnostics, mostly in the words that AWS puts after "Transform AWS::LanguageExtensions failed with: ". With an error, what is
// returned is nil, or the template with all but what it is about written out.
func Extend(root *Node, env Env) (*Node, error) {
	names := transforms(root.Get("Transform"))
	i := slices.Index(names, Extensions)
	if i < 0 {
		return root, nil
	}
	if j := slices.Index(names, serverless); j >= 0 && j < i && hasLoop(root) {
		return nil, source.Diagnostics{source.Errorf(root.Get("Transform").Where(), "%s must come before %s in the list of transforms", Extensions, serverless)}
	}
	x, err := newExtender(root, env)
	if err != nil {
		return nil, err
	}
	out := &Node{Kind: Map, Pairs: slices.Clone(root.Pairs), Span: root.Span}
	for _, section := range extended {
		if n := root.Get(section); n.Is(Map) {
			out.Set(section, x.section(section, n))
		}
	}
	if !UsesExtensions(out) {
		dropTransform(out, Extensions)
	}
	return out, x.problems.Err()
}

// extended are the sections in which the transform does something, in the order in which they need each other.
var extended = []string{"Conditions", "Resources", "Outputs"}

// extender is one run of the transform. Problems are gathered, and a value with one is left as it is.
type extender struct {
	e        *Evaluator      // knows parameters, mappings and conditions, and no resource
	secret   map[string]bool // parameters with NoEcho: their values are not written into the template
	problems source.Diagnostics
	made     int  // values, so far
	full     bool // there are too many
	depth    int  // of loops in loops
	outputs  bool // the section is Outputs
}

// maxMade bounds what loops in loops can make of a small template: a processed template has at most 1 MB.
const maxMade = 250_000

func newExtender(root *Node, env Env) (*extender, error) {
	r := reader{t: &Template{Root: root, Transforms: []string{Extensions}}}
	r.parameters(r.section("Parameters"))
	r.mappings(r.section("Mappings"))
	if err := r.problems.Err(); err != nil {
		return nil, err
	}
	x := &extender{secret: map[string]bool{}}
	env = Env{AccountID: env.AccountID, Partition: env.Partition, Region: env.Region, URLSuffix: env.URLSuffix, StackID: env.StackID,
		StackName: env.StackName, NotificationARNs: env.NotificationARNs, Parameters: maps.Clone(env.Parameters)}
	if env.Parameters == nil {
		env.Parameters = map[string]string{}
	}
	for _, p := range r.t.Parameters {
		if _, given := env.Parameters[p.Name]; !given && p.Default != nil {
			env.Parameters[p.Name] = *p.Default
		}
		x.secret[p.Name] = p.NoEcho
	}
	x.e = NewEvaluator(r.t, env)
	return x, nil
}

// maxProblems are told at most: a mistake in a loop may be made many times.
const maxProblems = 20

func (x *extender) failf(span source.Span, format string, args ...any) *source.Diagnostic {
	d := source.Errorf(span, format, args...)
	x.problems = append(x.problems, d)
	x.full = x.full || len(x.problems) >= maxProblems
	return d
}

func (x *extender) section(name string, n *Node) *Node {
	x.outputs = name == "Outputs"
	out := x.merged(n, nil, true)
	for _, p := range out.Pairs {
		switch name {
		case "Conditions":
			x.e.t.Conditions = append(x.e.t.Conditions, &Condition{Name: p.Key, Rule: p.Value, Span: p.KeySpan})
		case "Resources":
			for _, member := range []string{"Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy"} {
				x.member(p.Value, member)
			}
		case "Outputs":
			x.member(p.Value, "Condition")
		}
	}
	return out
}

// member works out what stands where plain CloudFormation takes names: it must be known before there is a stack.
func (x *extender) member(body *Node, name string) {
	n := body.Get(name)
	if n == nil || n.Is(String) {
		return
	}
	v, err := x.e.eval(n)
	policy := name == "DeletionPolicy" || name == "UpdateReplacePolicy"
	switch {
	case err != nil:
		x.problems = append(x.problems, diagnostics(err)...)
	case v == absent:
		body.Delete(name)
	case Known(v) && (v.Is(String) || name == "DependsOn" && v.Is(List)):
		body.Set(name, v)
	case policy && !Known(v) && x.waitsForParameters(v):
		// It is known when they are.
	case name == "DependsOn":
		x.failf(n.Span, "Template format error: DependsOn must be a string or list of strings.")
	default:
		x.failf(n.Span, "Template format error: Every %s member must be a string.", name)
	}
}

// diagnostics are the problems in an error of this package.
func diagnostics(err error) source.Diagnostics {
	switch err := err.(type) {
	case source.Diagnostics:
		return err
	case *source.Diagnostic:
		return source.Diagnostics{err}
	}
	return source.Diagnostics{source.Errorf(source.Span{}, "%v", err)}
}

// waitsForParameters reports whether a value is unknown for nothing but parameters that were given none.
func (x *extender) waitsForParameters(n *Node) bool {
	waits := true
	References(n, func(name, attribute string) { waits = waits && attribute == "" && x.e.t.Parameter(name) != nil })
	return waits
}

// value does the transform's work in one value, with the loops' identifiers as scope says. It returns absent for what
// AWS::NoValue takes away.
func (x *extender) value(n *Node, s scope) *Node {
	if x.made++; x.made > maxMade && !x.full {
		x.full = true
		x.failf(n.Span, "the template is too large once its loops are written out: more than %d values", maxMade)
	}
	if x.full {
		return n
	}
	switch n.Kind {
	case List:
		out := &Node{Kind: List, Span: n.Span, Items: make([]*Node, 0, len(n.Items))}
		for _, it := range n.Items {
			if v := x.value(it, s); v != absent {
				out.Items = append(out.Items, v)
			}
		}
		return out
	case Map:
		if name, arg, ok := n.Intrinsic(); ok && name != "Condition" && !isLoop(name) {
			return x.function(name, arg, n, s)
		}
		return x.entries(n, s)
	}
	return n
}

// early are the functions that the transform works out where it can.
var early = []string{"Fn::FindInMap", "Fn::Join", "Fn::Length", "Fn::Select", "Fn::Split", "Fn::Sub", "Fn::ToJsonString"}

func (x *extender) function(name string, arg, n *Node, s scope) *Node {
	switch name {
	case "Ref":
		return x.ref(arg, n, s)
	case "Fn::Sub":
		arg = x.sub(arg, n, s)
	case "Fn::GetAtt":
		if arg = x.value(arg, s); arg.Is(List) {
			for i, it := range arg.Items {
				arg.Items[i] = x.known(it)
			}
		}
	case "Fn::If":
		if items := arg.List(); len(items) != 3 || !items[0].Is(String) {
			x.failf(n.Span, "Fn::If layout is incorrect")
			return n
		}
		branches := [2]*Node{x.value(arg.Items[1], s), x.value(arg.Items[2], s)}
		for i, b := range branches {
			if b == absent {
				branches[i] = at(Ref(pseudoNoValue), arg.Items[i+1])
			}
		}
		arg = &Node{Kind: List, Span: arg.Span, Items: []*Node{arg.Items[0], branches[0], branches[1]}}
	default:
		arg = x.value(arg, s)
	}
	if arg == absent {
		return n
	}
	v := keep(name, arg, n)
	if slices.Contains(early, name) {
		return x.known(v)
	}
	return v
}

// ref reads an identifier, or works out which name is meant.
func (x *extender) ref(arg, n *Node, s scope) *Node {
	if !arg.Is(String) {
		if arg = x.known(x.value(arg, s)); !arg.Is(String) {
			x.failf(n.Span, "Template format error: Every Ref must be a string.")
			return n
		}
	}
	if item, bound := s[arg.Text]; bound {
		return at(Str(item), n)
	}
	return keep("Ref", arg, n)
}

// sub puts identifiers into the text of Fn::Sub, and works on its variables.
func (x *extender) sub(arg, n *Node, s scope) *Node {
	text, vars := subArguments(arg)
	if text == nil {
		return x.value(arg, s)
	}
	if err := checkSub(subPieces(nil, text.Text), n); err != nil {
		x.problems = append(x.problems, err)
		return arg
	}
	if vars != nil { // a variable's name hides an identifier
		s = maps.Clone(s)
		maps.DeleteFunc(s, func(name, _ string) bool { return vars.Has(name) })
	}
	filled := at(Str(s.fill(text.Text, false)), text)
	if vars == nil {
		return filled
	}
	return &Node{Kind: List, Span: arg.Span, Items: []*Node{filled, x.value(vars, s)}}
}

// known is what a function returns, if all that it needs is known and it tells no secret; else n. A mistake is left as well: it may
// stand where no condition leads, and is found when the value is needed.
func (x *extender) known(n *Node) *Node {
	secret := false
	References(n, func(name, _ string) { secret = secret || x.secret[name] })
	if secret {
		return n
	}
	v, err := x.e.eval(n)
	if err != nil || !Known(v) {
		return n
	}
	return at(v, n)
}

// UsesExtensions reports whether a template has functions that plain CloudFormation does not have.
func UsesExtensions(root *Node) bool {
	found := false
	for _, p := range root.Get("Resources").Entries() {
		for _, policy := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
			found = found || p.Value.Get(policy).Is(Map)
		}
	}
	for _, section := range extended {
		root.Get(section).Walk(func(_ []string, n *Node) bool {
			name, arg, _ := n.Intrinsic()
			found = found || name == "Fn::Length" || name == "Fn::ToJsonString" || name == "Fn::FindInMap" && len(arg.List()) == 4
			return !found
		})
	}
	return found || hasLoop(root)
}

// dropTransform takes a name out of the Transform section.
func dropTransform(root *Node, name string) {
	if n := without(root.Get("Transform"), name); n != nil {
		root.Set("Transform", n)
		return
	}
	root.Delete("Transform")
}

// without is a Transform section without a name; nil if nothing is left of it.
func without(n *Node, name string) *Node {
	if !n.Is(List) {
		if slices.Contains(transforms(n), name) {
			return nil
		}
		return n
	}
	out := &Node{Kind: List, Span: n.Span}
	for _, it := range n.Items {
		if it = without(it, name); it != nil {
			out.Items = append(out.Items, it)
		}
	}
	if len(out.Items) == 0 {
		return nil
	}
	return out
}

const loopPrefix = "Fn::ForEach::"

func isLoop(key string) bool { return strings.HasPrefix(key, loopPrefix) }

// hasLoop reports whether there is an Fn::ForEach where one may be.
func hasLoop(root *Node) bool {
	found := false
	for _, section := range extended {
		root.Get(section).Walk(func(_ []string, n *Node) bool {
			found = found || slices.ContainsFunc(n.Entries(), func(p Pair) bool { return isLoop(p.Key) })
			return !found
		})
	}
	return found
}
