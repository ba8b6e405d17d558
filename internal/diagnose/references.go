package diagnose

import (
	"maps"
	"slices"
	"strings"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/source"
)

// refer checks what a function names: parameters, resources and their attributes, conditions, mappings.
func (c *checker) refer(s scope, name string, arg, n *cfn.Node, shape *spec.Shape) {
	switch name {
	case "Ref":
		c.ref(s, arg.Text, shape)
	case "Fn::GetAtt":
		id, attribute, _ := cfn.GetAttArguments(arg)
		c.attribute(s, id, attribute.Str(), shape)
	case "Fn::Sub":
		text, vars := cfn.SubArguments(arg)
		for _, v := range cfn.SubVariables(text.Text) {
			if vars.Has(v) {
				continue
			}
			in := s
			in.where = c.within(s.at(text.Span).where, "${"+v+"}")
			if id, attribute, dotted := strings.Cut(v, "."); dotted {
				c.attribute(in, id, attribute, &spec.Shape{Kind: spec.String})
			} else {
				c.ref(in, v, &spec.Shape{Kind: spec.String})
			}
		}
	case "Fn::If":
		c.named(s.at(arg.Items[0].Span), arg.Items[0].Text)
	case "Fn::FindInMap":
		c.mapping(s, arg)
	}
}

// ref checks a reference to a parameter or resource.
func (c *checker) ref(s scope, name string, shape *spec.Shape) {
	if cfn.IsPseudo(name) {
		return
	}
	if p := c.t.Parameter(name); p != nil {
		c.refKind(s, p, shape)
		return
	}
	if c.t.Resource(name) != nil {
		c.inConditions(s, name)
		return
	}
	if c.open(name) {
		return
	}
	d := c.fail(s, nil, codeReference, "there is no resource or parameter %s", name)
	if c.lacksAlias(d, name) {
		return
	}
	if strings.HasPrefix(name, "AWS::") {
		suggest(d, name, cfn.Pseudos())
		return
	}
	suggest(d, name, append(c.ids(), c.parameterNames()...))
}

// refKind checks that a parameter that is a list stands where a list is wanted, and one that is none does not.
func (c *checker) refKind(s scope, p *cfn.Parameter, shape *spec.Shape) {
	g := aString
	if p.IsList() {
		g = aList
	}
	if want := unfit(g, shape); want != "" {
		c.fail(s, nil, codeValue, "%s must be %s, and parameter %s is of the type %s", s.name(), want, p.Name, p.Type).WithNote(p.Span, "the parameter")
	}
}

func (c *checker) inConditions(s scope, id string) {
	if s.block == "Conditions" {
		c.fail(s, nil, codeReference, "a condition cannot depend on a resource, such as %s", id)
	}
}

// lacksAlias explains references to what SAM makes only for functions with an alias.
func (c *checker) lacksAlias(d *source.Diagnostic, name string) bool {
	id, part, dotted := strings.Cut(name, ".")
	if !dotted || part != "Alias" && part != "Version" || c.authored.At("Resources", id, "Type").Str() != "AWS::Serverless::Function" {
		return false
	}
	d.WithHint("%s has no %s: add AutoPublishAlias to it", id, strings.ToLower(part)).WithNote(c.authored.Get("Resources").KeySpan(id), "the function")
	return true
}

// attribute checks a reference to a resource's attribute.
func (c *checker) attribute(s scope, id, name string, shape *spec.Shape) {
	r := c.t.Resource(id)
	if r == nil {
		if c.open(id) {
			return
		}
		d := c.fail(s, nil, codeReference, "there is no resource %s to read an attribute of", id)
		if c.t.Parameter(id) != nil {
			d.WithHint("%s is a parameter: Ref gives its value", id)
		} else if !c.lacksAlias(d, id+"."+name) {
			suggest(d, id, c.ids())
		}
		return
	}
	c.inConditions(s, id)
	t, ok := spec.Lookup(r.Type)
	if !ok || name == "" || openAttributes[r.Type] || isSAM(r.Type) {
		return
	}
	attribute, ok := t.Attributes[name]
	if !ok {
		c.noAttribute(s, r, t, name)
		return
	}
	if attribute.Type.Kind == spec.List {
		if want := unfit(aList, shape); want != "" {
			c.fail(s, nil, codeValue, "%s must be %s, and the attribute %s of %s is a list", s.name(), want, name, id)
		}
	}
}

// openAttributes are the types whose attributes are decided by what is behind them.
var openAttributes = map[string]bool{
	"AWS::CloudFormation::Stack": true, "AWS::CloudFormation::CustomResource": true,
	"AWS::ServiceCatalog::CloudFormationProvisionedProduct": true,
}

func (c *checker) noAttribute(s scope, r *cfn.Resource, t *spec.Type, name string) {
	if first, _, nested := strings.Cut(name, "."); nested {
		if outer, ok := t.Attributes[first]; ok && outer.Type.Kind != spec.String {
			return // what is inside is not published
		}
	}
	d := c.fail(s, nil, codeAttribute, "%s is of the type %s, which has no attribute %s", r.ID, r.Type, name)
	names := slices.Sorted(maps.Keys(t.Attributes))
	if suggest(d, name, names); d.Hint == "" && len(names) > 0 && len(names) <= 8 {
		d.WithHint("it has %s", strings.Join(names, ", "))
	}
}

// mapping checks what Fn::FindInMap names, as far as it is written out.
func (c *checker) mapping(s scope, arg *cfn.Node) {
	at := c.t.Mappings
	said := "there is no mapping"
	if len(arg.Items) == 4 {
		return // it has a default
	}
	for _, it := range arg.Items {
		key, literal := it.Scalar()
		if !literal {
			return
		}
		if !at.Has(key) {
			suggest(c.fail(s, it, codeMapping, "%s %s", said, key), key, at.Keys())
			return
		}
		at, said = at.Get(key), "the mapping "+arg.Items[0].Text+" has no key"
	}
}

// open reports whether a name may be that of something that only deployment brings about: a resource inside a module; what SAM would make
// of one of its resources, as long as it refuses the template; or what a loop makes that could not be written out.
func (c *checker) open(name string) bool {
	if c.loops || c.half && strings.HasPrefix(name, "Serverless") {
		return true
	}
	for _, r := range c.t.Resources {
		if strings.HasPrefix(name, r.ID) && (strings.HasSuffix(r.Type, "::MODULE") || c.half && isSAM(r.Type)) {
			return true
		}
	}
	return false
}

func (c *checker) ids() []string {
	ids := make([]string, len(c.t.Resources))
	for i, r := range c.t.Resources {
		ids[i] = r.ID
	}
	return ids
}

func (c *checker) parameterNames() []string {
	names := make([]string, len(c.t.Parameters))
	for i, p := range c.t.Parameters {
		names[i] = p.Name
	}
	return names
}
