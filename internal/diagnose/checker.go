package diagnose

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/sam"
	"evo/internal/source"
)

// checker checks one template, and gathers what it finds.
type checker struct {
	o        Options
	authored *cfn.Node
	paths    func(source.Span) string
	lines    *source.Lines // of the text; made when first needed
	t        *cfn.Template // transformed, if SAM did not refuse it
	sam      bool          // the template asks for SAM
	half     bool          // SAM refused it: t still has SAM's resources, and lacks what these bring about
	loops    bool          // some could not be written out: t lacks what they bring about
	found    source.Diagnostics
	seen     map[finding]bool

	unwritten source.Diagnostics // what the language's extensions could not be worked out for
}

// finding tells diagnostics apart: what SAM copies to several resources is wrong once.
type finding struct {
	code    string
	span    source.Span
	message string
}

// The codes of the diagnostics, for programs. SAM's own errors have the code sam.CodeOther where none of these fits.
const (
	codeForm       = "template-format"
	codeType       = "unknown-resource-type"
	codeProperty   = "unknown-property"
	codeMissing    = "missing-property"
	codeValue      = "wrong-type"
	CodeEnum       = "value-not-allowed" // the published values may be older than CloudFormation's
	codeReference  = "unresolved-reference"
	codeAttribute  = "unknown-attribute"
	codeCondition  = "unknown-condition"
	codeMapping    = "unknown-mapping"
	codeFunction   = "wrong-function"
	codeCycle      = "circular-dependency"
	codeParameter  = "parameter-constraint"
	codeOutput     = "wrong-output"
	codeEvaluation = "evaluation"
)

// add keeps a diagnostic unless it has been found before.
func (c *checker) add(d *source.Diagnostic) {
	key := finding{d.Code, d.Span, d.Message}
	if d.Code == codeProperty || d.Code == codeMissing {
		key.message = d.Message[strings.LastIndex(d.Message, " ")+1:] // SAM's tables and CloudFormation's may both find it
	}
	if c.seen[key] || d.Code == codeReference && c.half && told(c.found, sam.CodeOther, d.Span) || told(c.unwritten, "", d.Span) {
		return
	}
	c.seen[key] = true
	if at := c.paths(d.Span); at != "" {
		d.Path = at
	}
	c.found = append(c.found, d)
}

// told reports whether something of a code is said of a value, or of a part of it.
func told(ds source.Diagnostics, code string, of source.Span) bool {
	return slices.ContainsFunc(ds, func(d *source.Diagnostic) bool {
		return d.Code == code && d.Span.Start.Offset >= of.Start.Offset && d.Span.Start.Offset < of.End.Offset
	})
}

// form adds what is wrong with the template's form. Its words are CloudFormation's; that the template has a wrong form need not be said of
// each place in it.
func (c *checker) form(problems source.Diagnostics) {
	for _, p := range problems {
		if strings.Contains(p.Message, "'null' values are not allowed") {
			continue // where the values are checked, more is known of them
		}
		d := *p
		if d.Code == "" {
			d.Code = codeForm
		}
		for _, prefix := range []string{"Template format error: ", "Template error: "} {
			d.Message = strings.TrimPrefix(d.Message, prefix)
		}
		if strings.HasPrefix(d.Message, "[/") {
			_, d.Message, _ = strings.Cut(d.Message, "] ")
		}
		c.add(&d)
	}
}

// scope is where in the template something is checked.
type scope struct {
	resource *cfn.Resource // nil outside of resources
	block    string        // Resources, Outputs or Conditions
	typ      *spec.Type    // nil if nothing is known of the resource's type
	path     string        // the property, with dots
	where    source.Span   // the nearest place that the author wrote
	exact    bool          // the author wrote this very value, or its key
}

// in is the scope of a member or item.
func (s scope) in(key string, span source.Span) scope {
	if s.path != "" && !strings.HasPrefix(key, "[") {
		key = "." + key
	}
	s.path += key
	s.exact = false
	return s.at(span)
}

func (s scope) at(span source.Span) scope {
	if span.IsValid() {
		s.where, s.exact = span, true
	}
	return s
}

// fail adds a problem at n, or where n would be.
func (c *checker) fail(s scope, n *cfn.Node, code, format string, args ...any) *source.Diagnostic {
	s = s.at(n.Where())
	d := source.Errorf(s.where, format, args...)
	d.Code = code
	if r := s.resource; r != nil {
		d.Path = "Resources." + r.ID + "." + s.path
		if !s.exact && !c.authored.Get("Resources").Has(r.ID) {
			d.Message += ", in " + r.ID + " (" + r.Type + "), which SAM makes of this"
		}
	}
	c.add(d)
	return d
}

// suggest adds what was most likely meant to a diagnostic.
func suggest(d *source.Diagnostic, word string, candidates []string) *source.Diagnostic {
	if near, ok := source.Nearest(word, candidates); ok && d.Hint == "" {
		d.WithHint("did you mean %s?", near)
	}
	return d
}

func (c *checker) sections() {
	c.description()
	c.parameters()
	c.conditions()
	for _, r := range c.t.Resources {
		c.resource(r)
	}
	for _, o := range c.t.Outputs {
		c.output(o)
	}
	c.exports()
	if !c.half {
		c.evaluate()
	}
}

// maxDescription is CloudFormation's, in bytes.
const maxDescription = 1024

func (c *checker) description() {
	if d := c.authored.Get("Description"); len(d.Str()) > maxDescription {
		c.fail(scope{}, d, codeForm, "the description has %d bytes, and CloudFormation takes %d", len(d.Str()), maxDescription)
	}
}

// parameters checks the values that are given, and the defaults of the others.
func (c *checker) parameters() {
	for _, p := range c.t.Parameters {
		body := c.authored.At("Parameters", p.Name)
		s := scope{where: p.Span}
		value, given := c.o.Parameters[p.Name]
		node := (*cfn.Node)(nil)
		what := "the value " + value + " of parameter " + p.Name
		if !given {
			if p.Default == nil {
				continue
			}
			value, node, what = *p.Default, body.Get("Default"), "the default"
		}
		if p.IsStored() {
			continue // the value names an entry of Parameter Store, and only that has what counts
		}
		if why := p.Broken(value); why != "" {
			d := c.fail(s, node, codeParameter, "%s %s", what, strings.TrimSuffix(why, "."))
			if allowed := body.Get("AllowedValues"); allowed != nil && strings.Contains(why, "AllowedValues") {
				suggest(d, value, p.Allowed).WithNote(allowed.Where(), "these are allowed")
			}
		}
	}
}

func (c *checker) conditions() {
	for _, cond := range c.t.Conditions {
		c.condition(scope{block: "Conditions", path: cond.Name, where: cond.Span}, cond.Rule)
	}
}

func (c *checker) resource(r *cfn.Resource) {
	s := scope{resource: r, block: "Resources", where: r.Span}
	known := c.known(s)
	c.named(s.at(r.Body.Get("Condition").Where()), r.Condition)
	for i, id := range r.DependsOn {
		n := r.Body.Get("DependsOn")
		if items := n.List(); i < len(items) {
			n = items[i]
		}
		if c.t.Resource(id) == nil && !c.open(id) {
			suggest(c.fail(s.in("DependsOn", n.Where()), n, codeReference, "there is no resource %s to depend on", id), id, c.ids())
		}
	}
	if t, ok := spec.Lookup(r.Type); ok && !freeForm(r.Type) && !isSAM(r.Type) {
		s.typ = t
	}
	properties := r.Properties
	if properties == nil {
		properties = cfn.Obj()
	}
	in := s.in("Properties", cmp.Or(r.Body.KeySpan("Properties"), r.Properties.Where()))
	if s.typ != nil && known {
		in.where, in.exact = r.Span, false // what is missing is missing in the resource
		c.members(in, s.typ.Properties, r.Type, properties)
	} else {
		c.value(in, properties, nil)
	}
	for _, attribute := range []string{"Metadata", "UpdatePolicy", "CreationPolicy"} {
		c.value(s.in(attribute, r.Body.KeySpan(attribute)), r.Body.Get(attribute), nil)
	}
}

// isSAM tells the types that SAM takes the place of.
func isSAM(typ string) bool { return slices.Contains(sam.Types(), typ) }

// freeForm tells the types whose properties are the business of whoever serves them.
func freeForm(typ string) bool { return typ == "AWS::CloudFormation::CustomResource" }

// KnownType reports whether there is a resource type, of CloudFormation or SAM, and else which was most likely meant ("" if none). Types of
// other publishers, custom resources and modules are theirs to know.
func KnownType(typ string) (near string, ok bool) {
	if spec.Known(typ) || isSAM(typ) || typ == "AWS::CDK::Metadata" || strings.HasPrefix(typ, "Custom::") ||
		!strings.HasPrefix(typ, "AWS::") && strings.Count(typ, "::") >= 2 {
		return "", true
	}
	return nearestType(typ), false
}

// known checks the resource's type.
func (c *checker) known(s scope) bool {
	r := s.resource
	at := r.Body.Get("Type")
	near, ok := KnownType(r.Type)
	switch {
	case ok && (c.half || !isSAM(r.Type)):
		return true
	case isSAM(r.Type):
		c.fail(s, at, codeType, "%s is a type of SAM, and the template does not ask for SAM", r.Type).WithHint("add the line Transform: %s", serverless)
		return false
	}
	d := c.fail(s, at, codeType, "there is no resource type %s", r.Type)
	if near != "" {
		d.WithHint("did you mean %s?", near)
	}
	if d.Hint == "" && strings.HasPrefix(r.Type, "AWS::") {
		d.WithHint("evo knows the types that AWS had published on %s", spec.Published())
	}
	return false
}

// nearestType is the type that was most likely meant: one of the same service, else one of the same name of another service. (As a whole,
// names are so long that each is near to many.)
func nearestType(typ string) string {
	service, name := cutType(typ)
	names, services := map[string]string{}, map[string]string{}
	for _, t := range append(sam.Types(), spec.Names()...) {
		s, n := cutType(t)
		if strings.EqualFold(s, service) {
			names[n] = t
		}
		if strings.EqualFold(n, name) {
			services[s] = t
		}
	}
	if near, ok := source.Nearest(name, slices.Sorted(maps.Keys(names))); ok {
		return names[near]
	}
	near, _ := source.Nearest(service, slices.Sorted(maps.Keys(services)))
	return services[near]
}

// cutType cuts AWS::S3::Bucket into AWS::S3 and Bucket.
func cutType(typ string) (service, name string) {
	if i := strings.LastIndex(typ, "::"); i >= 0 {
		return typ[:i], typ[i+2:]
	}
	return "", typ
}

func (c *checker) output(o *cfn.Output) {
	s := scope{block: "Outputs", path: o.Name, where: o.Span}
	body := c.authored.At("Outputs", o.Name)
	c.named(s.at(body.Get("Condition").Where()), o.Condition)
	if _, _, function := o.Value.Intrinsic(); !function && (o.Value.Is(cfn.List) || o.Value.Is(cfn.Map)) {
		c.fail(s, o.Value, codeOutput, "the value of an output must be a string, and is a %s", o.Value.Kind)
		c.inside(s, o.Value)
	} else {
		c.value(s, o.Value, &spec.Shape{Kind: spec.String})
	}
	if o.Description != nil && !o.Description.Is(cfn.String) {
		c.fail(s, o.Description, codeOutput, "the description of an output must be a string, without functions")
	}
	if o.Export == nil {
		return
	}
	c.value(s, o.Export, &spec.Shape{Kind: spec.String})
	cfn.References(o.Export, func(name, _ string) {
		if c.t.Resource(name) != nil {
			c.fail(s, o.Export, codeOutput, "the name of an export cannot depend on a resource, such as %s", name)
		}
	})
}

// exports checks that no two outputs are exported by the same name.
func (c *checker) exports() {
	first := map[string]*cfn.Output{}
	for _, o := range c.t.Outputs {
		name := o.Export.Str()
		if name == "" || o.Condition != "" {
			continue
		}
		if other := first[name]; other != nil {
			c.fail(scope{where: o.Span}, o.Export, codeOutput, "two outputs are exported as %s", name).WithNote(other.Span, "the other one")
			continue
		}
		first[name] = o
	}
}
