package cfn

import (
	"fmt"
	"slices"
	"strings"

	"evo/internal/cfn/spec"
	"evo/internal/source"
)

// CheckProperties holds a resource's properties against what is published of its type: names that it does not have, required
// ones that are missing, and structures that are something else. Values not known yet pass. It returns nil for types that
// nothing is published of, and for custom resources, whose properties are their own.
func CheckProperties(typeName string, properties *Node) error {
	t, ok := spec.Lookup(typeName)
	if !ok || strings.HasPrefix(typeName, "AWS::CloudFormation::") {
		return nil
	}
	c := checker{t: t}
	if properties == nil {
		properties = &Node{Kind: Map}
	}
	c.members("", t.Properties, properties)
	if len(c.failures) == 0 {
		return nil
	}
	return source.Errorf(c.span, "Property validation failure: [%s]", strings.Join(c.failures, ", "))
}

type checker struct {
	t        *spec.Type
	failures []string
	span     source.Span // of the first failure
}

func (c *checker) failf(n *Node, format string, args ...any) {
	if len(c.failures) == 0 {
		c.span = n.Where()
	}
	c.failures = append(c.failures, fmt.Sprintf(format, args...))
}

func (c *checker) members(path string, known map[string]spec.Property, n *Node) {
	var strangers, missing []string
	for _, p := range n.Pairs {
		prop, ok := known[p.Key]
		if !ok {
			strangers = append(strangers, p.Key)
			continue
		}
		c.value(path+"/"+p.Key, prop.Type, p.Value)
	}
	for name, p := range known {
		if p.Required && !n.Has(name) {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	for _, name := range missing {
		c.failf(n, "The property {%s/%s} is required", path, name)
	}
	if len(strangers) > 0 {
		where := path
		if where == "" {
			where = "/"
		}
		c.failf(n, "Encountered unsupported properties in {%s}: [%s]", where, strings.Join(strangers, ", "))
	}
}

func (c *checker) value(path string, s *spec.Shape, n *Node) {
	if _, _, unknown := n.Intrinsic(); unknown || s == nil {
		return
	}
	switch s.Kind {
	case spec.Structure:
		members := c.t.Members(s)
		switch {
		case len(members) == 0:
		case !n.Is(Map):
			c.failf(n, "Value of property {%s} does not match type {Object}", path)
		default:
			c.members(path, members, n)
		}
	case spec.List:
		if !n.Is(List) {
			if n.Is(Map) {
				c.failf(n, "Value of property {%s} does not match type {Array}", path)
			}
			return // one value stands for a list of it
		}
		for i, it := range n.Items {
			c.value(fmt.Sprintf("%s/%d", path, i), s.Element, it)
		}
	case spec.String, spec.Integer, spec.Number, spec.Boolean:
		if n.Is(List) || n.Is(Map) {
			c.failf(n, "Value of property {%s} does not match type {%s}", path, scalarName(s.Kind))
		}
	}
}

func scalarName(k spec.Kind) string {
	return map[spec.Kind]string{spec.String: "String", spec.Integer: "Integer", spec.Number: "Number", spec.Boolean: "Boolean"}[k]
}
