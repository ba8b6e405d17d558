package inventory

import (
	"maps"
	"slices"
	"strings"

	"evo/internal/cfn"
)

// Statement is what reading takes: actions, and the resources that they are done to, each an ARN or a function that makes
// one in a template.
type Statement struct {
	Actions   []string
	Resources []*cfn.Node
}

// Actions lists the permissions that [Reader.Stack] and [Reader.Live] take for a stack with these items, whether or not it has
// been made: they may come from a template, with Ref and Fn::GetAtt where nothing is known yet. The ARNs refer to the stack's
// resources by logical id where refer allows it (nil: always); where it does not, because the resource needs the role that
// gets the permissions, a * stands for the name.
func Actions(items []*Item, refer func(logicalID string) bool) []Statement {
	w := writer{byID: map[string]*Item{}, refer: refer}
	for _, it := range items {
		w.byID[it.ID] = it
	}
	granted := map[string]grant{} // by the resources
	add := func(actions []string, on ...*cfn.Node) {
		slices.SortFunc(on, func(a, b *cfn.Node) int { return strings.Compare(key(a), key(b)) })
		on = slices.CompactFunc(on, func(a, b *cfn.Node) bool { return key(a) == key(b) })
		id := key(cfn.Arr(on...))
		g := granted[id]
		g.on, g.actions = on, append(g.actions, actions...)
		granted[id] = g
	}
	add([]string{"cloudformation:DescribeStacks", "cloudformation:GetTemplate", "cloudformation:ListStackResources"}, stacks(items)...)
	if imports(items) {
		add([]string{"cloudformation:ListExports"}, cfn.Str("*"))
	}
	for _, it := range items {
		for _, p := range readers[it.Type] {
			var on []*cfn.Node
			for _, pattern := range p.on {
				on = append(on, w.arns(pattern, it)...)
			}
			if len(on) > 0 {
				add(p.actions, on...)
			}
		}
	}
	var statements []Statement
	for _, id := range slices.Sorted(maps.Keys(granted)) {
		g := granted[id]
		slices.Sort(g.actions)
		statements = append(statements, Statement{slices.Compact(g.actions), g.on})
	}
	return statements
}

type grant struct {
	actions []string
	on      []*cfn.Node
}

// key tells nodes apart.
func key(n *cfn.Node) string {
	text, err := n.MarshalJSON()
	if err != nil {
		return ""
	}
	return string(text)
}

// stacks are the stack itself and, if there are any, those nested in it, whose names begin with its own.
func stacks(items []*Item) []*cfn.Node {
	const stack = "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/${AWS::StackName}"
	on := []*cfn.Node{sub(stack + "/*")}
	if slices.ContainsFunc(items, func(it *Item) bool { return it.Type == nestedStack }) {
		on = append(on, sub(stack+"-*/*"))
	}
	return on
}

func sub(pattern string) *cfn.Node { return cfn.Obj(cfn.P("Fn::Sub", cfn.Str(pattern))) }

func imports(items []*Item) bool {
	found := false
	for _, it := range items {
		it.Properties.Walk(func(_ []string, n *cfn.Node) bool {
			name, _, _ := n.Intrinsic()
			found = found || name == "Fn::ImportValue"
			return !found
		})
	}
	return found
}

// writer writes ARNs. In a pattern stand
//
//	${@}          what Ref of the resource returns
//	${.Property}  a property; of a list, one ARN for each entry
//	${function}   the name of the function that the resource is, or belongs to
//	${path}       IAM's Path, with a slash at both ends
//
// and pseudo parameters.
type writer struct {
	byID  map[string]*Item
	refer func(string) bool
}

func (w writer) arns(pattern string, it *Item) []*cfn.Node {
	texts := []string{pattern}
	replace := func(mark string, values []string) {
		var out []string
		for _, text := range texts {
			if !strings.Contains(text, mark) {
				out = append(out, text)
				continue
			}
			for _, v := range values {
				out = append(out, strings.ReplaceAll(text, mark, v))
			}
		}
		texts = out
	}
	replace("${@}", []string{w.itself(it)})
	replace("${function}", []string{w.function(it)})
	replace("${path}", []string{path(it)})
	if _, rest, ok := strings.Cut(pattern, "${."); ok {
		name, _, _ := strings.Cut(rest, "}")
		replace("${."+name+"}", w.values(it, it.Properties.Get(name)))
	}
	nodes := make([]*cfn.Node, len(texts))
	for i, text := range texts {
		nodes[i] = cfn.Str(text)
		if strings.Contains(text, "${") {
			nodes[i] = sub(text)
		}
	}
	return nodes
}

// itself is what Ref returns, within Fn::Sub. A managed policy's is an ARN, whose unknown part may be any name.
func (w writer) itself(it *Item) string {
	switch {
	case it.PhysicalID != "":
		return it.PhysicalID
	case strings.Contains(it.ID, "/"):
		return anyOf(it) // another stack's: it cannot be referred to
	}
	return w.ref(it)
}

func (w writer) ref(it *Item) string {
	if w.refer != nil && !w.refer(it.ID) {
		return anyOf(it)
	}
	return "${" + it.ID + "}"
}

func anyOf(it *Item) string {
	if it.Type == managedPolicyType {
		return "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/*"
	}
	return "*"
}

// values are what a property's value may be within Fn::Sub: text, or a reference to one of the items.
func (w writer) values(it *Item, n *cfn.Node) []string {
	if list := n.List(); list != nil {
		var all []string
		for _, entry := range list {
			all = append(all, w.values(it, entry)...)
		}
		return all
	}
	if text, ok := n.Scalar(); ok && !strings.Contains(text, "{{resolve:") {
		return []string{strings.ReplaceAll(text, "${", "${!")}
	}
	name, arg, _ := n.Intrinsic()
	target := w.byID[strings.TrimSuffix(it.ID, it.local())+arg.Str()]
	if name == "Ref" && target != nil {
		return []string{w.itself(target)}
	}
	return []string{"*"}
}

// function finds the name of a function; what names it may be the function's name or ARN, or an alias or version of it.
func (w writer) function(it *Item) string {
	for range len(w.byID) + 1 {
		if it.Type == functionType {
			return w.itself(it)
		}
		n := it.Properties.Get("FunctionName")
		if it.Type == urlType {
			n = it.Properties.Get("TargetFunctionArn")
		}
		if text, ok := n.Scalar(); ok {
			return functionName(text)
		}
		next := w.byID[strings.TrimSuffix(it.ID, it.local())+referred(n)]
		if next == nil {
			return "*"
		}
		it = next
	}
	return "*"
}

// referred is the logical id in {"Ref": …} or {"Fn::GetAtt": [id, …]}.
func referred(n *cfn.Node) string {
	name, arg, _ := n.Intrinsic()
	switch {
	case name == "Ref":
		return arg.Str()
	case name == "Fn::GetAtt" && len(arg.List()) > 0:
		return arg.Items[0].Str()
	case name == "Fn::GetAtt":
		id, _, _ := strings.Cut(arg.Str(), ".")
		return id
	}
	return ""
}

// functionName is the name in what the API takes for a function: a name, an ARN or a part of one, with or without a qualifier.
func functionName(text string) string {
	if _, rest, ok := strings.Cut(text, "function:"); ok {
		text = rest
	}
	name, _, _ := strings.Cut(text, ":")
	return name
}

func path(it *Item) string {
	n := it.Properties.Get("Path")
	if n == nil {
		return "/"
	}
	if text := n.Str(); text != "" {
		return text
	}
	return "/*"
}
