// Package suitefile answers: what does an application's fitness.yaml ask for?
//
// The file is read strictly, with the place of everything that is wrong; what it does not say is as in [fitness.Default]. Its
// shape stands in one table, of which the JSON Schema is made too. [Init] writes a file to begin with.
package suitefile

import (
	"bytes"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/source"
)

// Name is what the file is called.
const Name = "fitness.yaml"

// File is what a fitness.yaml says.
type File struct {
	Suite    *fitness.Suite
	Measures map[string]Measure   // how each of the suite's functions is measured
	Metrics  map[string]MetricRef // those that expressions name
	Usage    *cfn.Node            // nil if there is none

	// Notes are about what is valid, and yet wants attention: expired exceptions (as errors: what they hid counts again).
	Notes source.Diagnostics

	places map[string]source.Span // where resources are named
	calls  []mention              // where something is named that may be a resource, or another thing
	name   string
}

// Default is what holds without a file.
func Default() *File {
	f := &File{Suite: fitness.Default(), Measures: map[string]Measure{}, Metrics: map[string]MetricRef{}, places: map[string]source.Span{}, name: Name}
	for _, fn := range f.Suite.Functions {
		f.Measures[fn.ID] = Rule{Name: fn.ID, Parameters: parameters(fn.ID, nil)}
	}
	return f
}

// Parse reads a fitness.yaml, as of a moment. Errors are source.Diagnostics, whose File is name.
func Parse(name string, text []byte, now time.Time) (*File, error) {
	root, err := cfn.ParseValue(name, text)
	if err != nil {
		return nil, err
	}
	r := &reader{file: Default(), text: text, lines: source.NewLines(text), now: now}
	r.file.name = name
	if r.check(root, fileShape, ""); len(r.problems) == 0 {
		r.read(root)
	}
	for _, d := range append(r.problems, r.file.Notes...) {
		d.File = name
	}
	slices.SortStableFunc(r.problems, func(a, b *source.Diagnostic) int { return int(a.Span.Start.Offset - b.Span.Start.Offset) })
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return r.file, nil
}

// Unused are warnings about resources that the file names and the template does not have.
func (f *File) Unused(logicalIDs []string) source.Diagnostics {
	var out source.Diagnostics
	for id, span := range f.places {
		if slices.Contains(logicalIDs, id) {
			continue
		}
		near, _ := source.Nearest(id, logicalIDs)
		out = append(out, f.warning(span, near, "the template has no resource %s", id))
	}
	for _, m := range f.calls { // a name that is near to none may be a physical one
		if near, ok := source.Nearest(m.name, logicalIDs); ok && !slices.Contains(logicalIDs, m.name) && !strings.EqualFold(near, m.name) {
			out = append(out, f.warning(m.span, near, "the template has no resource %s", m.name))
		}
	}
	out.Sort()
	return out
}

// Misnamed are warnings about resource types that the file names and known does not know. It returns the type that was most likely meant,
// or "".
func (f *File) Misnamed(known func(typ string) (near string, ok bool)) source.Diagnostics {
	var out source.Diagnostics
	for _, m := range f.Measures {
		c, ok := m.(Check)
		if !ok || c.Type == "" {
			continue
		}
		if near, ok := known(c.Type); !ok {
			out = append(out, f.warning(c.typeSpan, near, "there is no resource type %s", c.Type))
		}
	}
	out.Sort()
	return out
}

func (f *File) warning(span source.Span, near, format string, args ...any) *source.Diagnostic {
	d := source.Errorf(span, format, args...)
	d.Severity, d.File = source.Warning, f.name
	if near != "" {
		d.WithHint("did you mean %s?", near)
	}
	return d
}

// Name is what the file is called, for messages.
func (f *File) Name() string { return f.name }

// mention is a name, in a call or a metric's dimension: a resource's logical id, or its physical one.
type mention struct {
	name string
	span source.Span
}

// mentions keeps where calls and metrics name what may be a resource.
func (r *reader) mentions(root *cfn.Node) {
	keep := func(n *cfn.Node) {
		name, _, _ := strings.Cut(n.Str(), ":") // Checkout:live
		r.file.calls = append(r.file.calls, mention{name, n.Where()})
	}
	root.Walk(func(_ []string, n *cfn.Node) bool {
		for _, p := range n.Get("dimensions").Entries() {
			if strings.HasSuffix(p.Key, "Name") || strings.HasSuffix(p.Key, "Id") {
				keep(p.Value)
			}
		}
		if f := n.At("invoke", "function"); f != nil {
			keep(f)
		}
		return true
	})
}

// reader takes a checked file apart.
type reader struct {
	checker
	file  *File
	text  []byte
	lines *source.Lines
	now   time.Time
}

func (r *reader) read(root *cfn.Node) {
	r.characteristics(root.Get("characteristics"))
	for _, p := range root.Get("metrics").Entries() {
		r.file.Metrics[p.Key] = metricRef(p.Value)
	}
	for _, p := range root.Get("functions").Entries() {
		r.function(p)
	}
	r.mentions(root)
	r.complexity(root.Get("complexity"))
	r.ratchet(root.Get("ratchet"))
	for _, p := range root.Get("resources").Entries() {
		r.file.Suite.Criticality[p.Key] = num(p.Value.Get("criticality"), exact.One)
		r.file.places[p.Key] = p.KeySpan
	}
	r.file.Usage = root.Get("usage")
	if len(r.problems) == 0 {
		if err := r.file.Suite.Validate(); err != nil {
			r.fail(root.Span, "%v", err)
		}
	}
}

func (r *reader) characteristics(n *cfn.Node) {
	s := r.file.Suite
	for _, p := range n.Entries() {
		c := s.Characteristic(p.Key)
		if c == nil {
			if !p.Value.Has("weight") {
				d := r.fail(p.KeySpan, "the characteristic %s is a new one: it needs a weight", p.Key)
				if near, ok := source.Nearest(p.Key, r.characteristicNames()); ok {
					d.WithHint("did you mean %s?", near)
				}
				continue
			}
			s.Characteristics = append(s.Characteristics, fitness.Characteristic{Name: p.Key})
			c = &s.Characteristics[len(s.Characteristics)-1]
		}
		c.Weight = num(p.Value.Get("weight"), c.Weight)
		c.Floor = num(p.Value.Get("floor"), c.Floor)
	}
}

func (r *reader) characteristicNames() []string {
	var names []string
	for _, c := range r.file.Suite.Characteristics {
		names = append(names, c.Name)
	}
	return names
}

// function reads one entry of functions.
func (r *reader) function(p cfn.Pair) {
	n, s := p.Value, r.file.Suite
	f := fitness.Function{ID: p.Key, Severity: fitness.Medium}
	entry, listed := fitness.Lookup(p.Key)
	if listed {
		f = entry.Function()
	}
	if on, ok := n.Get("enabled").Bool(); ok && !on {
		r.disable(p, listed)
		return
	}
	m := r.measure(p.Key, n)
	if m == nil {
		if !listed && !slices.ContainsFunc(measureKeys(), n.Has) {
			r.unknownFunction(p)
		}
		return
	}
	if !listed {
		f = withTraits(f, m)
	}
	f.Definition = definition(n, p.Key)
	r.settings(&f, n)
	if s.Characteristic(f.Characteristic) == nil {
		r.noCharacteristic(p, f.Characteristic)
		return
	}
	if i := slices.IndexFunc(s.Functions, func(g fitness.Function) bool { return g.ID == f.ID }); i >= 0 {
		s.Functions[i] = f
	} else {
		s.Functions = append(s.Functions, f)
	}
	r.file.Measures[f.ID] = m
	r.exceptions(f.ID, n.Get("except"))
}

func withTraits(f fitness.Function, m Measure) fitness.Function {
	t := m.traits()
	f.Breadth, f.Target, f.Cadence, f.Invocation = t.Breadth, t.Target, t.Cadence, t.Invocation
	if f.Target == "" {
		f.Target = fitness.Static
	}
	if f.Cadence == "" {
		f.Cadence = fitness.Triggered
	}
	if f.Invocation == "" {
		f.Invocation = fitness.Automated
	}
	return f
}

// settings are what the file says of the function beside its measure.
func (r *reader) settings(f *fitness.Function, n *cfn.Node) {
	if v := n.Get("title"); v != nil {
		f.Title = v.Str()
	}
	if v := n.Get("characteristic"); v != nil {
		f.Characteristic = v.Str()
	}
	if v := n.Get("severity"); v != nil {
		f.Severity, _ = severityOf(v)
	}
	if v := n.Get("cadence"); v != nil {
		f.Cadence = fitness.Cadence(v.Str())
	}
	if v := n.Get("kind"); v != nil && fitness.Breadth(v.Str()) != f.Breadth {
		r.fail(v.Span, "functions.%s is %s by the way it is measured, not %s", f.ID, f.Breadth, v.Str()).
			WithHint("an expression with a type is atomic; without one, and all that is measured live, is holistic")
	}
	if v := n.Get("required"); v != nil {
		f.Required, _ = v.Bool()
	} else if f.Characteristic == fitness.Functionality && n.Has("invoke") {
		f.Required = true // what customers can do is no matter of points, unless the file says so
	}
	if f.Required {
		f.Minimum = num(n.Get("minimum"), exact.One)
	} else if n.Has("minimum") {
		r.fail(n.KeySpan("minimum"), "functions.%s has a minimum, and is not required", f.ID).WithHint("add required: true")
	}
}

func (r *reader) disable(p cfn.Pair, listed bool) {
	s := r.file.Suite
	if !listed {
		return // a function of the user's own, kept in the file for another day
	}
	s.Functions = slices.DeleteFunc(s.Functions, func(f fitness.Function) bool { return f.ID == p.Key })
	delete(r.file.Measures, p.Key)
}

func (r *reader) unknownFunction(p cfn.Pair) {
	d := r.fail(p.KeySpan, "there is no function %s in the catalogue, and it does not say how it is measured", p.Key)
	var names []string
	for _, e := range fitness.Catalogue {
		names = append(names, e.Rule)
	}
	if near, ok := source.Nearest(p.Key, names); ok {
		d.WithHint("did you mean %s?", near)
		return
	}
	d.WithHint("give it one of %s", strings.Join(measureKeys(), ", "))
}

func (r *reader) noCharacteristic(p cfn.Pair, name string) {
	if name == "" {
		r.fail(p.KeySpan, "functions.%s needs a characteristic", p.Key).WithHint("one of %s", strings.Join(r.characteristicNames(), ", "))
		return
	}
	d := r.fail(p.Value.Get("characteristic").Where(), "there is no characteristic %s", name)
	if near, ok := source.Nearest(name, r.characteristicNames()); ok {
		d.WithHint("did you mean %s?", near)
	} else {
		d.WithHint("give it a weight under characteristics")
	}
}

func (r *reader) exceptions(id string, n *cfn.Node) {
	for _, item := range n.List() {
		e := fitness.Exception{Function: id, Resource: item.Get("resource").Str(), Reason: item.Get("reason").Str(), Until: fitness.Date(item.Get("until").Str())}
		r.file.places[e.Resource] = item.Get("resource").Span
		if !r.now.Before(e.Until.End()) {
			r.file.Notes = append(r.file.Notes, source.Errorf(item.Get("until").Span, "the exception of %s from %s has expired: it counts again", e.Resource, id).
				WithHint("mend it, or say anew until when, and why"))
		}
		r.file.Suite.Exceptions = append(r.file.Suite.Exceptions, e)
	}
}

func (r *reader) complexity(n *cfn.Node) {
	c := &r.file.Suite.Complexity
	c.Lambda = num(n.Get("lambda"), c.Lambda)
	for i := range c.Budgets {
		b := &c.Budgets[i]
		b.Amount = num(n.At("budgets", string(b.Dimension)), b.Amount)
		b.Weight = num(n.At("weights", string(b.Dimension)), b.Weight)
	}
}

func (r *reader) ratchet(n *cfn.Node) {
	ratchet := &r.file.Suite.Ratchet
	choose(n, "policy", &ratchet.Policy)
	choose(n, "additions", &ratchet.Additions)
	choose(n, "regressions", &ratchet.Regressions)
	choose(n, "reference", &ratchet.Reference)
	choose(n, "unknown", &ratchet.Unknown)
	ratchet.Tolerance = num(n.Get("tolerance"), ratchet.Tolerance)
	ratchet.Coverage = num(n.Get("coverage"), ratchet.Coverage)
}

func choose[T ~string](n *cfn.Node, key string, into *T) {
	if v := n.Get(key); v != nil {
		*into = T(wordOf(v))
	}
}

// within is the place of a line and column of a text value in the file, whether it stands in one line or as an indented block;
// the whole value where it is not written as it reads (folded, or with escapes).
func (r *reader) within(n *cfn.Node, line, column int) source.Span {
	at, end := int(n.Span.Start.Offset), min(int(n.Span.End.Offset), len(r.text))
	for i, l := range strings.Split(n.Text, "\n") {
		trimmed := strings.TrimLeft(l, " ")
		found := bytes.Index(r.text[min(at, end):end], []byte(trimmed))
		if found < 0 {
			break
		}
		if at += found; i < line-1 {
			at += len(trimmed)
			continue
		}
		for range max(0, column-1-(len(l)-len(trimmed))) {
			_, size := utf8.DecodeRune(r.text[at:end])
			at += size
		}
		return r.lines.Span(at, min(at+1, len(r.text)))
	}
	return n.Span
}
