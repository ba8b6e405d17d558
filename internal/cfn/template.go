package cfn

import (
	"slices"
	"strings"

	"evo/internal/source"
)

// Template is a template by its sections, checked as far as it can be without parameters. Use ReadTemplate.
type Template struct {
	Root        *Node
	Description string
	Metadata    *Node // nil if there is none
	Transforms  []string
	Parameters  []*Parameter
	Mappings    *Node // nil if there are none
	Conditions  []*Condition
	Resources   []*Resource
	Outputs     []*Output

	// Loops is set where there are Fn::ForEach, which Extend writes out: what they make is not in this.
	Loops bool
}

// Condition is one entry of the Conditions section.
type Condition struct {
	Name string
	Rule *Node
	Span source.Span // of its name
}

// Resource is one entry of the Resources section. Nodes are nil where the template has none.
type Resource struct {
	ID             string
	Type           string
	Condition      string // the name of its condition, or empty
	DependsOn      []string
	Properties     *Node
	Metadata       *Node
	CreationPolicy *Node
	UpdatePolicy   *Node
	Deletion       *Node // DeletionPolicy
	Replace        *Node // UpdateReplacePolicy
	Body           *Node
	Span           source.Span // of its logical id
}

// Output is one entry of the Outputs section.
type Output struct {
	Name        string
	Description *Node // nil if there is none
	Value       *Node
	Export      *Node // the export's name, nil if there is none
	Condition   string
	Span        source.Span
}

// Resource returns the resource with that logical id, or nil.
func (t *Template) Resource(id string) *Resource {
	for _, r := range t.Resources {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// Parameter returns the parameter of that name, or nil.
func (t *Template) Parameter(name string) *Parameter {
	for _, p := range t.Parameters {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// HasTransform reports whether the template as a whole names that transform.
func (t *Template) HasTransform(name string) bool { return slices.Contains(t.Transforms, name) }

var sections = []string{"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions",
	"Transform", "Resources", "Outputs", "Rules", "Hooks"}

// ReadTemplate takes a template apart and checks what stands in it, with CloudFormation's words. The error is a
// source.Diagnostics. A template that still names a SAM transform may hold more sections and types than it knows; it is
// taken apart leniently, as it will be read again once transformed.
func ReadTemplate(root *Node) (*Template, error) {
	r := reader{t: &Template{Root: root}}
	r.read()
	if len(r.problems) == 0 {
		r.resolve()
	}
	if err := r.problems.Err(); err != nil {
		return nil, err
	}
	return r.t, nil
}

// ReadSections takes a template apart as far as it goes, and tells what is wrong with its form. What it refers to is not looked for, and
// what is malformed is left out.
func ReadSections(root *Node) (*Template, source.Diagnostics) {
	r := reader{t: &Template{Root: root}}
	r.read()
	return r.t, r.problems
}

// reader gathers a template's sections, and the problems in them.
type reader struct {
	t        *Template
	problems source.Diagnostics
}

func (r *reader) failf(n *Node, format string, args ...any) {
	var span source.Span
	if n != nil {
		span = n.Span
	}
	r.problems = append(r.problems, source.Errorf(span, format, args...))
}

func (r *reader) failAt(span source.Span, format string, args ...any) {
	r.problems = append(r.problems, source.Errorf(span, format, args...))
}

func (r *reader) read() {
	root := r.t.Root
	if root == nil || root.Kind != Map {
		r.failf(root, "Template format error: unsupported structure.")
		return
	}
	r.t.Transforms = transforms(root.Get("Transform"))
	r.t.Loops = r.t.HasTransform(Extensions) && hasLoop(root)
	r.header(root)
	r.parameters(r.section("Parameters"))
	r.mappings(r.section("Mappings"))
	r.conditions(r.section("Conditions"))
	r.resources(r.section("Resources"))
	r.outputs(r.section("Outputs"))
	for _, l := range limits {
		if n := len(root.Get(l.section).Entries()); n > l.max {
			r.failf(root.Get(l.section), "Template format error: Number of %s, %d, is greater than maximum allowed, %d", strings.ToLower(l.section), n, l.max)
		}
	}
}

// limits are CloudFormation's.
var limits = []struct {
	section string
	max     int
}{{"Parameters", 200}, {"Mappings", 200}, {"Resources", 500}, {"Outputs", 200}}

func (r *reader) header(root *Node) {
	var unknown []string
	for _, p := range root.Pairs {
		if !slices.Contains(sections, p.Key) && !(p.Key == "Globals" && len(r.t.Transforms) > 0) {
			unknown = append(unknown, p.Key)
		}
	}
	if len(unknown) > 0 {
		r.failAt(root.KeySpan(unknown[0]), "Invalid template property or properties [%s]", strings.Join(unknown, ", "))
		d := r.problems[len(r.problems)-1]
		if near, ok := source.Nearest(unknown[0], sections); ok {
			d.WithHint("did you mean %s?", near)
		} else if unknown[0] == "Globals" {
			d.WithHint("Globals needs the line Transform: %s", serverless)
		}
	}
	if v := root.Get("AWSTemplateFormatVersion"); v != nil && v.Text != "2010-09-09" {
		r.failf(v, "Template format error: unsupported value for AWSTemplateFormatVersion.")
	}
	if d := root.Get("Description"); d != nil {
		if d.Kind != String {
			r.failf(d, "Template format error: Description must be a string.")
		}
		r.t.Description = d.Text
	}
	r.t.Metadata = root.Get("Metadata")
}

// section returns a section that must be a map, or nil.
func (r *reader) section(name string) *Node {
	n := r.t.Root.Get(name)
	if n == nil || n.Kind == Null && name != "Resources" {
		return nil
	}
	if n.Kind != Map {
		r.failf(n, "Template format error: %s must be a map.", name)
		return nil
	}
	return n
}

// transforms reads the Transform section: a name, {Name: …}, or a list of those.
func transforms(n *Node) []string {
	switch {
	case n == nil:
		return nil
	case n.Kind == String:
		return []string{n.Text}
	case n.Kind == Map:
		if name := n.Get("Name"); name != nil {
			return []string{name.Text}
		}
	case n.Kind == List:
		var names []string
		for _, it := range n.Items {
			names = append(names, transforms(it)...)
		}
		return names
	}
	return nil
}

func (r *reader) mappings(n *Node) {
	r.t.Mappings = n
	for _, m := range n.Entries() {
		if m.Value.Kind != Map {
			r.failf(m.Value, "Template format error: Every Mappings member %s must be a map", m.Key)
			continue
		}
		for _, top := range m.Value.Pairs {
			if top.Value.Kind != Map {
				r.failf(top.Value, "Template format error: Every Mappings member %s must be a map", top.Key)
				continue
			}
			for _, v := range top.Value.Pairs {
				if v.Value.Kind == Map && !r.t.HasTransform(Extensions) || v.Value.Kind == Null {
					r.failf(v.Value, "Template format error: Every Mappings attribute must be a String or a List.")
				}
			}
		}
	}
}

func (r *reader) conditions(n *Node) {
	for _, c := range n.Entries() {
		if r.loop("Conditions", c) {
			continue
		}
		if _, _, ok := c.Value.Intrinsic(); !ok {
			r.failf(c.Value, "Template format error: Every Conditions member must be a function: condition %s is not.", c.Key)
			continue
		}
		r.t.Conditions = append(r.t.Conditions, &Condition{Name: c.Key, Rule: c.Value, Span: c.KeySpan})
	}
}

func (r *reader) resources(n *Node) {
	if n == nil || len(n.Pairs) == 0 {
		if r.problems.Err() == nil {
			r.failf(r.t.Root, "Template format error: At least one Resources member must be defined.")
		}
		return
	}
	for _, p := range n.Pairs {
		if r.loop("Resources", p) {
			continue
		}
		if !alphanumeric(p.Key) {
			r.failAt(p.KeySpan, "Template format error: Resource name %s is non alphanumeric.", p.Key)
			continue
		}
		if p.Value.Kind != Map {
			r.failf(p.Value, "Template format error: Any Resources member must be an object.")
			continue
		}
		r.resource(p)
	}
}

// loop reports whether an entry is an Fn::ForEach, which nothing but the language extensions makes anything of.
func (r *reader) loop(section string, p Pair) bool {
	if !isLoop(p.Key) {
		return false
	}
	if !r.t.HasTransform(Extensions) {
		r.failAt(p.KeySpan, "Template format error: [/%s/%s] resource definition is malformed", section, p.Key)
		r.problems[len(r.problems)-1].WithHint("Fn::ForEach needs the transform %s", Extensions)
	}
	return true
}

var resourceMembers = []string{"Type", "Properties", "DependsOn", "Condition", "Metadata", "CreationPolicy", "UpdatePolicy",
	"DeletionPolicy", "UpdateReplacePolicy", "Version", "Connectors", "IgnoreGlobals"}

func (r *reader) resource(p Pair) {
	body := p.Value
	res := &Resource{ID: p.Key, Span: p.KeySpan, Body: body,
		Properties: notNull(body.Get("Properties")), Metadata: body.Get("Metadata"), CreationPolicy: body.Get("CreationPolicy"),
		UpdatePolicy: body.Get("UpdatePolicy"), Deletion: body.Get("DeletionPolicy"), Replace: body.Get("UpdateReplacePolicy")}
	for _, m := range body.Pairs {
		if !slices.Contains(resourceMembers, m.Key) {
			r.failAt(m.KeySpan, "Invalid template resource property '%s'", m.Key)
			if near, ok := source.Nearest(m.Key, resourceMembers); ok {
				r.problems[len(r.problems)-1].WithHint("did you mean %s?", near)
			}
		}
	}
	kind := body.Get("Type")
	if kind == nil || kind.Kind != String || kind.Text == "" {
		r.failAt(p.KeySpan, "Template format error: [/Resources/%s] Every Resources object must contain a Type member.", p.Key)
		return
	}
	res.Type = kind.Text
	if res.Properties != nil && res.Properties.Kind != Map {
		r.failf(res.Properties, "Template format error: [/Resources/%s/Properties] 'Properties' must be an object.", p.Key)
		return
	}
	if c := body.Get("Condition"); c != nil {
		if c.Kind != String && !r.extended(c) {
			r.failf(c, "Template format error: Every Condition member must be a string.")
		}
		res.Condition = c.Text
	}
	res.DependsOn = r.dependsOn(body.Get("DependsOn"))
	r.policy(res.Deletion, "DeletionPolicy", "Delete", "Retain", "RetainExceptOnCreate", "Snapshot")
	r.policy(res.Replace, "UpdateReplacePolicy", "Delete", "Retain", "Snapshot")
	r.noNulls(res.Properties, "/Resources/"+p.Key+"/Properties")
	r.t.Resources = append(r.t.Resources, res)
}

// extended reports whether a value is a function that Extend works out.
func (r *reader) extended(n *Node) bool {
	_, _, ok := n.Intrinsic()
	return ok && r.t.HasTransform(Extensions)
}

func (r *reader) dependsOn(n *Node) []string {
	switch {
	case n == nil, r.extended(n):
		return nil
	case n.Kind == String:
		return []string{n.Text}
	case n.Kind != List:
		r.failf(n, "Template format error: DependsOn must be a string or list of strings.")
		return nil
	}
	var ids []string
	for _, it := range n.Items {
		if r.extended(it) {
			continue
		}
		if it.Kind != String {
			r.failf(it, "Template format error: DependsOn must be a string or list of strings.")
			continue
		}
		ids = append(ids, it.Text)
	}
	return ids
}

func (r *reader) policy(n *Node, name string, allowed ...string) {
	if n == nil || n.Kind == String && slices.Contains(allowed, n.Text) {
		return
	}
	if r.extended(n) {
		return
	}
	if n.Kind != String {
		r.failf(n, "Template format error: Every %s member must be a string.", name)
		return
	}
	r.failf(n, "Template format error: Unrecognized %s %s, allowed values are [%s].", name, n.Text, strings.Join(allowed, ", "))
}

func (r *reader) outputs(n *Node) {
	for _, p := range n.Entries() {
		if r.loop("Outputs", p) {
			continue
		}
		value := p.Value.Get("Value")
		if p.Value.Kind != Map || value == nil {
			r.failf(p.Value, "Template format error: Every Outputs member must contain a Value object")
			continue
		}
		if !alphanumeric(p.Key) {
			r.failAt(p.KeySpan, "Template format error: Output name %s is non alphanumeric.", p.Key)
			continue
		}
		r.noNulls(value, "/Outputs/"+p.Key+"/Value")
		o := &Output{Name: p.Key, Description: p.Value.Get("Description"), Value: value, Span: p.KeySpan}
		if c := p.Value.Get("Condition"); c != nil {
			o.Condition = c.Text
		}
		if e := p.Value.Get("Export"); e != nil {
			if o.Export = e.Get("Name"); o.Export == nil {
				r.failf(e, "Template format error: Output %s is malformed. The Name field of every Export member must be specified.", p.Key)
			}
		}
		r.t.Outputs = append(r.t.Outputs, o)
	}
}

// noNulls refuses nulls, except in what a transform will still change.
func (r *reader) noNulls(n *Node, path string) {
	if hasNull(n) && !r.sam() {
		r.nulls(n, path)
	}
}

func hasNull(n *Node) bool {
	if n == nil {
		return false
	}
	return n.Kind == Null || slices.ContainsFunc(n.Items, hasNull) || slices.ContainsFunc(n.Pairs, func(p Pair) bool { return hasNull(p.Value) })
}

func (r *reader) nulls(n *Node, path string) {
	switch n.Kind {
	case Null:
		r.failf(n, "[%s] 'null' values are not allowed in templates", path)
	case List:
		for _, it := range n.Items {
			r.nulls(it, path)
		}
	case Map:
		for _, p := range n.Pairs {
			r.nulls(p.Value, path+"/"+p.Key)
		}
	}
}

func alphanumeric(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
			return false
		}
	}
	return s != ""
}

func notNull(n *Node) *Node {
	if n != nil && n.Kind == Null {
		return nil
	}
	return n
}
