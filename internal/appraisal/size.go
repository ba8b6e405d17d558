package appraisal

import (
	"strings"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/rules"
)

// Size counts what a team has to understand: the resources that it wrote, what leads from one to another, and what is permitted. Code
// and cost are not known here.
func Size(a Architecture) fitness.Size {
	active := authored(a)
	return fitness.Size{Resources: len(active), Edges: edges(a.Authored, active), Grants: grants(a.Desired)}
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
