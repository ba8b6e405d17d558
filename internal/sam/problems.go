package sam

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"evo/internal/cfn"
	"evo/internal/source"
)

// The codes of problems that the tables of properties find. All others have the code CodeOther.
const (
	codeUnknownProperty = "unknown-property"
	codeMissingProperty = "missing-property"
	codeWrongType       = "wrong-type"
	codeUnknownEvent    = "unknown-event-type"
	CodeOther           = "sam"
)

// finder looks for all that the tables of properties, of Globals and of policies say is wrong. The transform itself stops at the first thing
// that is wrong with a resource, and some problems stop all of it, as AWS's does; a person wants to see the rest as well.
type finder struct {
	globals *value // the section, if it is not merged into the resources yet
	found   source.Diagnostics
	hidden  []*Cause
}

// find looks at the template, as far as it is prepared.
func (t *transformer) find() *finder {
	f := &finder{globals: t.source.get("Globals")}
	if t.source.has("Globals") {
		f.hidden = globalsCauses(f.globals)
	}
	for _, e := range t.source.get("Resources").entries() {
		name := e.value.get("Type").str()
		kind := samKinds[name]
		if kind == nil || name == graphQLType || e.value.has("Properties") && !e.value.get("Properties").isMap() {
			continue
		}
		f.properties(e, "Resources."+e.key, name, kind.properties)
		switch name {
		case functionType:
			f.alias(e)
			f.events(e, functionEvents)
			f.policies(e)
		case stateMachineType:
			f.events(e, stateMachineEvents)
			f.policies(e)
		}
	}
	return f
}

// policies checks those of a function or state machine, e. With a role of its own, it needs none.
func (f *finder) policies(e field) {
	section := strings.TrimPrefix(e.value.get("Type").str(), "AWS::Serverless::")
	hasRole := e.value.at("Properties", "Role").truthy() || f.globals.at(section, "Role").truthy()
	for i, policy := range policyEntries(e.value.at("Properties", "Policies")) {
		c := catch(func() {
			expandPolicy(e.key, policy)
			if !hasRole && typeOfPolicy(policy, true) == unknownPolicy {
				panic(unknownPolicyCause(resourceOwner(e.key), i, policy))
			}
		})
		if c != nil {
			c.locate(e)
			f.hidden = append(f.hidden, c)
		}
	}
}

func (f *finder) add(code, path string, span source.Span, format string, args ...any) *source.Diagnostic {
	d := source.Errorf(span, format, args...)
	d.Code, d.Path = code, path
	f.found = append(f.found, d)
	return d
}

// properties checks those of a resource or event, e, that stands at a path.
func (f *finder) properties(e field, path, kind string, spec []property) {
	given := e.value.get("Properties")
	for _, p := range given.entries() {
		if i := slices.IndexFunc(spec, func(s property) bool { return s.name == p.key }); i < 0 {
			d := f.add(codeUnknownProperty, path+".Properties."+p.key, p.span, "%s has no property %s", kind, p.key)
			d.Hint = didYouMean(p.key, names(spec))
		} else if s := spec[i]; !p.value.isNone() && !(!s.literal && p.value.isMap() && p.value.len() == 1) && !s.check.holds(p.value) {
			f.wrongType(path+".Properties."+p.key, p, s)
		}
	}
	for _, s := range spec {
		if s.required && given.get(s.name).isNone() && !f.globals.get(strings.TrimPrefix(kind, "AWS::Serverless::")).has(s.name) {
			f.add(codeMissingProperty, path, e.span, "%s needs the property %s", kind, s.name)
		}
	}
}

func (f *finder) wrongType(path string, p field, s property) {
	message := fmt.Sprintf("%s cannot be a %s", p.key, p.value.kind)
	switch {
	case s.check.words != "":
		message = fmt.Sprintf("%s must be a %s, and is a %s", p.key, s.check.words, p.value.kind)
	case p.value.isMap() || p.value.isList():
		message = fmt.Sprintf("%s does not take what is in this %s", p.key, p.value.kind)
	}
	d := f.add(codeWrongType, path, p.value.span, "%s", message)
	if isIntrinsic(p.value) {
		d.Hint = writeItOut
	}
}

// alias checks that there is one for CodeDeploy to shift traffic with.
func (f *finder) alias(e field) {
	props := e.value.get("Properties")
	preference := props.field("DeploymentPreference")
	if !preference.value.truthy() || preference.value.has("Enabled") || props.has("AutoPublishAlias") || f.globals.get("Function").has("AutoPublishAlias") {
		return
	}
	f.add(codeMissingProperty, "Resources."+e.key+".Properties.DeploymentPreference", preference.span, "DeploymentPreference needs the property AutoPublishAlias").
		WithHint("%s", needsAlias)
}

// events checks those of a function or state machine, e.
func (f *finder) events(e field, kinds map[string]*eventKind) {
	for _, ev := range e.value.at("Properties", "Events").entries() {
		path := "Resources." + e.key + ".Properties.Events." + ev.key
		name := ev.value.get("Type")
		switch kind := kinds[name.str()]; {
		case !ev.value.isMap():
			f.add(codeUnknownEvent, path, ev.value.where(), "an event is a map with Type and Properties, and not a %s", ev.value.kind)
		case name.isNone():
			f.add(codeUnknownEvent, path, ev.span, "the event needs a Type, such as %s", strings.Join(slices.Sorted(maps.Keys(kinds))[:3], ", "))
		case kind == nil:
			d := f.add(codeUnknownEvent, path+".Type", name.where(), "there is no event source of the type %s for %s", name.display(), e.value.get("Type").str())
			if d.Hint = didYouMean(name.str(), slices.Sorted(maps.Keys(kinds))); d.Hint == "" {
				d.WithHint("the types are %s", strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
			}
		case !ev.value.has("Properties") || ev.value.get("Properties").isMap():
			f.properties(ev, path, name.str(), kind.properties)
		}
	}
}

func names(spec []property) []string {
	out := make([]string, len(spec))
	for i := range spec {
		out[i] = spec[i].name
	}
	return out
}

// Hints for what several checks find.
const (
	// writeItOut is for an intrinsic function where there can be none.
	writeItOut = "SAM needs the value itself, before there is a stack: write it out, or Ref a parameter that has it"
	// needsAlias is for what works on versions.
	needsAlias = "add AutoPublishAlias: live, or another name; each deployment then publishes a version, to which the alias goes"
)

// Diagnostics are what is wrong, in the order of the file: the causes, and what the tables of properties find besides.
func (e *Error) Diagnostics(file string) source.Diagnostics {
	type place struct {
		span source.Span
		code string
	}
	told := map[place]bool{}
	paths := cfn.Paths(e.template)
	var ds source.Diagnostics
	for _, p := range e.problems {
		told[place{p.Span, p.Code}] = true
		d := *p
		ds = append(ds, &d)
	}
	for _, c := range slices.Concat(e.Causes, e.hidden) {
		if !told[place{c.Span, c.code}] {
			ds = append(ds, c.diagnostics(e.template.Get("Resources"), paths)...)
		}
	}
	for _, d := range ds {
		d.File = file
	}
	ds.Sort()
	return ds
}

// diagnostics are a cause as diagnostics: several, if it is about several places. One in Globals, or in what the resource refers to, notes
// which resource it is about.
func (c *Cause) diagnostics(resources *cfn.Node, paths func(source.Span) string) source.Diagnostics {
	parts := c.parts
	if len(parts) == 0 {
		parts = []part{{span: c.Span, text: c.Detail}}
	}
	var ds source.Diagnostics
	for _, p := range parts {
		d := &source.Diagnostic{Code: c.code, Message: strings.TrimSpace(p.text), Span: p.span, Hint: c.hint}
		if d.Code == "" {
			d.Code = CodeOther
		}
		d.Path = paths(p.span)
		if key, body := resources.KeySpan(c.Resource), resources.Get(c.Resource).Where(); key.IsValid() &&
			(p.span.Start.Offset < key.Start.Offset || p.span.Start.Offset > body.End.Offset) {
			d.WithNote(key, "this is wrong for %s", c.Resource)
		}
		if c.Event != "" {
			d.Message = strings.TrimPrefix(d.Message, fmt.Sprintf("Event with id [%s] is invalid. ", c.Event))
		}
		ds = append(ds, d)
	}
	return ds
}

// blame keeps a cause, and makes it point at the resource's key or the property that it is about.
func (t *transformer) blame(c *Cause, e field) {
	c.locate(e)
	t.causes = append(t.causes, c)
}

// within runs f for a resource. What ends the whole run there is about that resource, unless it knows better.
func (t *transformer) within(e field, f func()) {
	defer func() {
		r := recover()
		if err, ok := r.(*Error); ok {
			for _, c := range err.Causes {
				c.locate(e)
			}
		}
		if r != nil {
			panic(r)
		}
	}()
	f()
}

// locate finds the place that a cause is about, in the resource that it comes from.
func (c *Cause) locate(e field) {
	at := e
	v := e.value.get("Properties")
	if ev := v.get("Events").field(c.Event); c.Event != "" && ev.value != nil {
		at, v = ev, ev.value.get("Properties")
	}
	for i, p := range c.parts {
		c.parts[i].span = along(v, p.path, at).span
	}
	if c.Span.IsValid() {
		return
	}
	if c.path != "" {
		at = along(v, c.path, at)
	}
	if at.span == e.span || c.path == "" {
		at = mentioned(v, c.Detail, at)
	}
	c.Span = at.span
	if c.hint == "" && isIntrinsic(at.value) && (strings.Contains(c.Detail, "should be a") || strings.Contains(c.Detail, "must be")) {
		c.hint = writeItOut
	}
}

// along follows a path with dots as far as it leads.
func along(v *value, path string, at field) field {
	for key := range strings.SplitSeq(path, ".") {
		if f := v.field(key); f.span.IsValid() {
			at = f
		}
		v = v.get(key)
	}
	return at
}

// mentioned is the property that a text names first, and within it the one that it names, and so on.
func mentioned(v *value, text string, at field) field {
	first := len(text)
	var next field
	for _, f := range v.entries() {
		if i := wordIn(text, f.key); i >= 0 && i < first && f.span.IsValid() {
			first, next = i, f
		}
	}
	if next.value == nil {
		return at
	}
	return mentioned(next.value, text, next)
}

// wordIn is where a text has a word, -1 if it has it only within another, or not at all.
func wordIn(text, word string) int {
	for from := 0; word != ""; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			break
		}
		i += from
		from = i + len(word)
		if !letterAt(text, i-1) && !letterAt(text, from) {
			return i
		}
	}
	return -1
}

func letterAt(text string, i int) bool {
	return i >= 0 && i < len(text) && strings.IndexByte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", text[i]) >= 0
}

// explain adds what a person wants to know besides AWS's text. t is the run that failed; nil if there was none.
func (e *Error) explain(template *cfn.Node, t *transformer) {
	e.template = template
	if t != nil {
		f := t.find()
		e.problems, e.hidden = f.found, f.hidden
	}
	e.locateSection(template)
	e.hidden = slices.DeleteFunc(e.hidden, func(h *Cause) bool {
		return slices.ContainsFunc(e.Causes, func(c *Cause) bool { return c.Span == h.Span && c.Detail == h.Detail })
	})
}

// locateSection makes causes that are about no resource point at the section of the template that they name.
func (e *Error) locateSection(template *cfn.Node) {
	for _, c := range slices.Concat(e.Causes, e.hidden) {
		for _, p := range template.Entries() {
			if !c.Span.IsValid() && wordIn(c.Error(), p.Key) >= 0 {
				c.Span = p.KeySpan
			}
		}
	}
}
