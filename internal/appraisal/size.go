package appraisal

import (
	"strings"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/rules"
)

// Size counts what a team has to understand: the resources that it wrote, what leads from one to another, its code, and what is permitted.
// The cost is not known here.
func Size(a Architecture) fitness.Size {
	active := authored(a)
	bytes, _ := code(a)
	return fitness.Size{Resources: len(active), Edges: edges(a.Authored, active), Code: exact.Decimal(bytes * (exact.Scale / megabyte)), Grants: grants(a.Desired)}
}

// Unsized are the functions and layers whose code counts nothing, since its size is not known.
func Unsized(a Architecture) []string {
	_, unknown := code(a)
	return unknown
}

const megabyte = 1_000_000

// code adds up the bytes of the packages that a release's functions and layers are made of, each once, whoever shares it.
func code(a Architecture) (bytes int64, unknown []string) {
	counted := map[string]bool{}
	for _, item := range a.Desired.Items {
		source, made := Package(item)
		if !made || Own(item.ID) || strings.Contains(item.ID, "/") { // what nested stacks contain is their own
			continue
		}
		n, known := codeSize(a, item, source)
		if !known {
			unknown = append(unknown, item.ID)
			continue
		}
		id := source.Get("S3Bucket").Str() + "/" + source.Get("S3Key").Str() + "/" + source.Get("S3ObjectVersion").Str()
		if id == "//" {
			id = item.ID
		}
		if !counted[id] {
			counted[id] = true
			bytes += n
		}
	}
	return bytes, unknown
}

// Package is the property that says where the code of a function or layer is; made tells whether the resource is one.
func Package(item *rules.Item) (source *cfn.Node, made bool) {
	switch item.Type {
	case "AWS::Lambda::Function":
		return item.Properties.Get("Code"), true
	case "AWS::Lambda::LayerVersion":
		return item.Properties.Get("Content"), true
	}
	return nil, false
}

// codeSize is that of what the template holds itself, else of what runs, else of what the deployer uploaded.
func codeSize(a Architecture, item *rules.Item, source *cfn.Node) (bytes int64, known bool) {
	if inline := source.Get("ZipFile"); inline != nil {
		return int64(len(inline.Str())), inline.Str() != ""
	}
	if a.Live != nil && a.Live.Item(item.ID) != nil {
		if n, ok := a.Live.Item(item.ID).Supplementary.Get("CodeSize").Int(); ok {
			return n, true
		}
	}
	bytes, known = a.Code[item.ID]
	return bytes, known
}

// authored are the authors' resources that the release has: those whose condition does not hold are left out. What a transform made of
// a resource keeps its logical id, or begins with it.
func authored(a Architecture) map[string]bool {
	active := map[string]bool{}
	for _, r := range a.Authored.Get("Resources").Entries() {
		if !Own(r.Key) && (r.Value.Get("Condition") == nil || present(a.Desired, r.Key, r.Value.Get("Type").Str())) {
			active[r.Key] = true
		}
	}
	return active
}

func present(set *rules.Set, id, typeName string) bool {
	if set.Item(id) != nil {
		return true
	}
	if !strings.HasPrefix(typeName, "AWS::Serverless::") {
		return false // that another's name begins with its own says nothing
	}
	for _, item := range set.Items {
		if strings.HasPrefix(item.ID, id) {
			return true
		}
	}
	return false
}

// edges counts which resource refers to which, and the events that call functions.
func edges(template *cfn.Node, active map[string]bool) int {
	n := 0
	for _, r := range template.Get("Resources").Entries() {
		if !active[r.Key] {
			continue
		}
		seen := map[string]bool{r.Key: true}
		cfn.References(r.Value, func(name, _ string) {
			if active[name] && !seen[name] {
				seen[name] = true
				n++
			}
		})
		n += len(r.Value.At("Properties", "Events").Entries())
	}
	return n
}

// wildcard is how much a wildcard counts beside a permission that is written out.
const wildcard = 5

// grants counts actions times resources over all statements that allow something, and each attached policy as one.
func grants(set *rules.Set) int {
	n := 0
	for _, item := range set.Items {
		if Own(item.ID) {
			continue
		}
		switch item.Type {
		case "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group":
			n += len(item.Properties.Get("ManagedPolicyArns").List())
			for _, p := range item.Properties.Get("Policies").List() {
				n += granted(p.Get("PolicyDocument"))
			}
		case "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy":
			n += granted(item.Properties.Get("PolicyDocument"))
		}
	}
	return n
}

func granted(document *cfn.Node) int {
	n := 0
	for _, s := range oneOrMore(document.Get("Statement")) {
		if s.Get("Effect").Str() != "Allow" {
			continue
		}
		actions := 0
		for _, a := range oneOrMore(s.Get("Action")) {
			actions += weigh(strings.Contains(a.Str(), "*"))
		}
		if s.Has("NotAction") {
			actions += wildcard
		}
		resources := 0
		for _, r := range oneOrMore(s.Get("Resource")) {
			resources += weigh(r.Str() == "*")
		}
		if s.Has("NotResource") {
			resources += wildcard
		}
		n += actions * resources
	}
	return n
}

func weigh(wild bool) int {
	if wild {
		return wildcard
	}
	return 1
}

func oneOrMore(n *cfn.Node) []*cfn.Node {
	switch {
	case n.IsNull():
		return nil
	case n.Is(cfn.List):
		return n.Items
	}
	return []*cfn.Node{n}
}
