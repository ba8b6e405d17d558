package cfn

import (
	"fmt"
	"slices"
	"strings"

	"evo/internal/source"
)

// Pseudo parameters, which every template may refer to.
const (
	pseudoAccount       = "AWS::AccountId"
	pseudoNotifications = "AWS::NotificationARNs"
	pseudoNoValue       = "AWS::NoValue"
	pseudoPartition     = "AWS::Partition"
	pseudoRegion        = "AWS::Region"
	pseudoStackID       = "AWS::StackId"
	pseudoStackName     = "AWS::StackName"
	pseudoURLSuffix     = "AWS::URLSuffix"
)

var pseudos = []string{pseudoAccount, pseudoNotifications, pseudoNoValue, pseudoPartition, pseudoRegion, pseudoStackID,
	pseudoStackName, pseudoURLSuffix}

// IsPseudo reports whether name is a pseudo parameter, such as AWS::Region.
func IsPseudo(name string) bool { return slices.Contains(pseudos, name) }

// Pseudos are the names of the pseudo parameters.
func Pseudos() []string { return slices.Clone(pseudos) }

// resolve checks that what the template refers to is there.
func (r *reader) resolve() {
	names := map[string]bool{}
	for _, p := range r.t.Parameters {
		names[p.Name] = true
	}
	conditions := map[string]bool{}
	for _, c := range r.t.Conditions {
		conditions[c.Name] = true
	}
	if !r.t.Loops { // they make conditions, too
		for _, c := range r.t.Conditions {
			r.resolveIn(c.Rule, "Conditions", names, conditions, true)
		}
	}
	for _, res := range r.t.Resources {
		names[res.ID] = true
	}
	if r.sam() || r.t.Loops {
		return // generated resources may be referred to, and are not there yet
	}
	for _, res := range r.t.Resources {
		r.conditionExists(res.Condition, conditions, "Resources", res.Body)
		for _, id := range res.DependsOn {
			if r.t.Resource(id) == nil {
				r.unresolved(res.Body.Get("DependsOn"), id, "Resources")
			}
		}
		for _, n := range []*Node{res.Properties, res.Metadata, res.UpdatePolicy, res.CreationPolicy} {
			r.resolveIn(n, "Resources", names, conditions, false)
		}
	}
	for _, o := range r.t.Outputs {
		r.conditionExists(o.Condition, conditions, "Outputs", o.Value)
		r.resolveIn(o.Value, "Outputs", names, conditions, false)
		r.resolveIn(o.Export, "Outputs", names, conditions, false)
	}
	r.mergeUnresolved()
}

func (r *reader) sam() bool {
	return slices.ContainsFunc(r.t.Transforms, func(n string) bool { return n != Extensions })
}

func (r *reader) conditionExists(name string, known map[string]bool, block string, at *Node) {
	if name != "" && !known[name] {
		r.failf(at, "Template format error: Unresolved condition dependency %s in the %s block of the template", name, block)
	}
}

// resolveIn checks the references in one value. Conditions refer to parameters and conditions only.
func (r *reader) resolveIn(n *Node, block string, names, conditions map[string]bool, inCondition bool) {
	walkReferences(n, func(ref reference) {
		switch {
		case ref.function == "Condition" && !inCondition:
			// A property that happens to be called so.
		case ref.kind == refCondition:
			if !conditions[ref.name] {
				r.failf(ref.node, "Template error: unresolved condition dependency %s in %s", ref.name, ref.function)
			}
		case ref.kind == refMapping:
			if r.t.Mappings.Get(ref.name) == nil && !r.t.HasTransform(Extensions) {
				r.failf(ref.node, "Template error: Mapping named '%s' is not present in the 'Mappings' section of template.", ref.name)
			}
		case slices.Contains(pseudos, ref.name), names[ref.name] && ref.kind == refName:
		case inCondition:
			r.failf(ref.node, "Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Conditions block of the template", ref.name)
		case ref.kind == refAttribute && r.t.Resource(ref.name) == nil:
			if ref.function == "Fn::GetAtt" {
				r.failf(ref.node, "Template error: instance of Fn::GetAtt references undefined resource %s", ref.name)
			} else {
				r.unresolved(ref.node, ref.name, block)
			}
		case ref.kind == refName:
			r.unresolved(ref.node, ref.name, block)
		}
	})
}

const unresolvedMark = "Unresolved resource dependencies"

// unresolved notes a name that is not there; mergeUnresolved makes one message of all in a block, as CloudFormation does.
func (r *reader) unresolved(n *Node, name, block string) {
	prefix := "Template format error: "
	if block == "Outputs" {
		prefix = ""
	}
	r.failf(n, "%s%s [%s] in the %s block of the template", prefix, unresolvedMark, name, block)
	if near, ok := source.Nearest(name, r.names()); ok {
		r.problems[len(r.problems)-1].WithHint("did you mean %s?", near)
	}
}

func (r *reader) names() []string {
	var names []string
	for _, p := range r.t.Parameters {
		names = append(names, p.Name)
	}
	for _, res := range r.t.Resources {
		names = append(names, res.ID)
	}
	return names
}

func (r *reader) mergeUnresolved() {
	merged := map[string]*source.Diagnostic{} // by block
	found := map[string][]string{}
	var out source.Diagnostics
	for _, d := range r.problems {
		before, rest, ok := strings.Cut(d.Message, unresolvedMark+" [")
		if !ok {
			out = append(out, d)
			continue
		}
		name, block, _ := strings.Cut(rest, "]")
		first := merged[block]
		if first == nil {
			merged[block], found[block] = d, []string{name}
			out = append(out, d)
			continue
		}
		if !slices.Contains(found[block], name) {
			found[block] = append(found[block], name)
		}
		first.WithNote(d.Span, "%s is not in the template", name)
		first.Message = fmt.Sprintf("%s%s [%s]%s", before, unresolvedMark, strings.Join(found[block], ", "), block)
	}
	r.problems = out
}

type referenceKind uint8

const (
	refName      referenceKind = iota // Ref, or ${Name}: a parameter or resource
	refAttribute                      // Fn::GetAtt, or ${Name.Attr}
	refCondition
	refMapping
)

// reference is one mention of something by name.
type reference struct {
	kind      referenceKind
	name      string
	attribute string
	function  string
	node      *Node
}

// walkReferences calls f for every reference in n.
func walkReferences(n *Node, f func(reference)) { walkTaken(n, nil, f) }

// walkTaken calls f for every reference in n. Of an Fn::If only the branch is walked that taken returns; both if taken is
// nil, or returns nil.
func walkTaken(n *Node, taken func(arg *Node) *Node, f func(reference)) {
	if n == nil {
		return
	}
	name, arg, ok := n.Intrinsic()
	if ok {
		intrinsicReferences(name, arg, n, f)
	}
	switch {
	case ok && (name == "Ref" || name == "Condition"):
		return
	case ok && (name == "Fn::Sub" || name == "Fn::GetAtt"):
		n = arg // its strings are read otherwise; what else stands in it is walked
	case ok && name == "Fn::If" && taken != nil:
		if branch := taken(arg); branch != nil {
			walkTaken(branch, taken, f)
			return
		}
	}
	for _, it := range n.Items {
		walkTaken(it, taken, f)
	}
	for _, p := range n.Pairs {
		walkTaken(p.Value, taken, f)
	}
}

func intrinsicReferences(name string, arg, n *Node, f func(reference)) {
	switch name {
	case "Ref":
		if arg.Kind == String {
			f(reference{kind: refName, name: arg.Text, function: name, node: n})
		}
	case "Condition":
		if arg.Kind == String {
			f(reference{kind: refCondition, name: arg.Text, function: "Condition", node: n})
		}
	case "Fn::If":
		if arg.Kind == List && len(arg.Items) > 0 && arg.Items[0].Kind == String {
			f(reference{kind: refCondition, name: arg.Items[0].Text, function: name, node: n})
		}
	case "Fn::FindInMap":
		if arg.Kind == List && len(arg.Items) > 0 && arg.Items[0].Kind == String {
			f(reference{kind: refMapping, name: arg.Items[0].Text, function: name, node: n})
		}
	case "Fn::GetAtt":
		if id, attr, ok := getAttArguments(arg); ok {
			ref := reference{kind: refAttribute, name: id, function: name, node: n}
			if attr.Kind == String {
				ref.attribute = attr.Text
			}
			f(ref)
		}
	case "Fn::Sub":
		subReferences(arg, n, f)
	}
}

func subReferences(arg, n *Node, f func(reference)) {
	text, vars := subArguments(arg)
	if text == nil {
		return
	}
	for _, piece := range subPieces(nil, text.Text) {
		if !piece.variable || vars.Get(piece.text) != nil {
			continue
		}
		ref := reference{kind: refName, name: piece.text, function: "Fn::Sub", node: n}
		if id, attr, ok := strings.Cut(piece.text, "."); ok {
			ref.kind, ref.name, ref.attribute = refAttribute, id, attr
		}
		f(ref)
	}
}

// Attributes calls f for every attribute of a resource that n reads, by Fn::GetAtt or Fn::Sub, where its name is written out.
func Attributes(n *Node, f func(resource, attribute string)) {
	walkReferences(n, func(r reference) {
		if r.kind == refAttribute && r.attribute != "" {
			f(r.name, r.attribute)
		}
	})
}

// References calls f for every parameter and resource that n refers to; attribute is empty for a Ref.
func References(n *Node, f func(name, attribute string)) {
	walkReferences(n, func(r reference) {
		if r.kind == refName || r.kind == refAttribute {
			f(r.name, r.attribute)
		}
	})
}
