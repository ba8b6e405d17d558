package suitefile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/expression"
	"evo/internal/source"
)

// Measure says how a function is scored. It is a [Rule], [Check], [Metric], [Call], [ServiceLevel], [Slope], [Due] or [Attested].
type Measure interface {
	// traits are how a function measured in this way is, if the file does not say.
	traits() fitness.Function
}

// Rule scores resources by an AWS Config rule.
type Rule struct {
	Name       string
	Parameters *cfn.Node   // nil if there are none
	Span       source.Span // of what names it; not valid in the default suite
}

// Asks reports whether one of the suite's functions scores by a rule.
func (f *File) Asks(rule string) bool {
	for _, m := range f.Measures {
		if r, ok := m.(Rule); ok && r.Name == rule {
			return true
		}
	}
	return false
}

// Check scores by an expression: the resources of a type, or the stack if Type is empty.
type Check struct {
	Type       string
	Expression *expression.Expression
	Parameters *cfn.Node

	typeSpan source.Span
}

// Live reports whether a function is scored by calling or by metrics: by what only a running release tells.
func Live(m Measure) bool {
	switch m.(type) {
	case Metric, Call, ServiceLevel, Slope:
		return true
	}
	return false
}

// MetricRef names a CloudWatch metric.
type MetricRef struct {
	Namespace, Name string
	Dimensions      []Dimension // by name
	Stat            string
	Period          time.Duration
}

// Dimension is one dimension of a metric.
type Dimension struct{ Name, Value string }

// Metric scores a metric's value between a target and a limit. MovingTarget, if there is one, takes Target's place; its result
// has the unit of Limit.
type Metric struct {
	MetricRef
	Target, Limit Quantity
	MovingTarget  *expression.Expression
}

// Call is a synthetic transaction: a function is called with an event, or a URL is requested.
type Call struct {
	Function string
	Event    *cfn.Node
	URL      string
	Method   string
	Headers  []Dimension // by name
	Body     *cfn.Node
	Expect   Expectation
}

// Expectation is what a call must bring back; what is not set is not asked for.
type Expectation struct {
	Status   int
	Body     *cfn.Node // every value in it must be in the answer
	Contains string
	Within   time.Duration
}

// ServiceLevel scores what is left of an error budget.
type ServiceLevel struct {
	Objective  exact.Decimal
	Bad, Total MetricRef
	Window     time.Duration
}

// Slope scores a metric's slope, in its unit a day.
type Slope struct {
	MetricRef
	Target, Limit exact.Decimal
	Window        time.Duration
}

// Due scores the time that is left.
type Due struct {
	Day    fitness.Date
	Notice time.Duration
}

// Attested scores what a person has said.
type Attested struct {
	fitness.Attestation
	Notice time.Duration
}

func (Rule) traits() fitness.Function { return fitness.Function{Breadth: fitness.Atomic} }

func (c Check) traits() fitness.Function {
	if c.Type == "" {
		return fitness.Function{Breadth: fitness.Holistic}
	}
	return fitness.Function{Breadth: fitness.Atomic}
}

func (Metric) traits() fitness.Function       { return live }
func (ServiceLevel) traits() fitness.Function { return live }
func (Slope) traits() fitness.Function        { return live }
func (Call) traits() fitness.Function         { return fitness.Function{Breadth: fitness.Holistic} }

func (Due) traits() fitness.Function {
	return fitness.Function{Breadth: fitness.Holistic, Cadence: fitness.Continual}
}

func (Attested) traits() fitness.Function {
	return fitness.Function{Breadth: fitness.Holistic, Cadence: fitness.Continual, Invocation: fitness.Manual}
}

// live are the traits of what is read from metrics.
var live = fitness.Function{Breadth: fitness.Holistic, Target: fitness.Dynamic, Cadence: fitness.Continual}

// measures are the keys of a function that say how it is measured, each with how it is read.
var measures = []struct {
	key  string
	read func(r *reader, id string, n *cfn.Node) Measure
}{
	{"rule", func(_ *reader, _ string, n *cfn.Node) Measure {
		name := n.Get("rule")
		return Rule{name.Str(), parameters(name.Str(), n.Get("parameters")), name.Where()}
	}},
	{"expression", (*reader).checkMeasure},
	{"metric", (*reader).metricMeasure},
	{"invoke", (*reader).call},
	{"slo", func(_ *reader, _ string, n *cfn.Node) Measure {
		s := n.Get("slo")
		return ServiceLevel{num(s.Get("objective"), 0), metricRef(s.Get("bad")), metricRef(s.Get("total")), duration(s.Get("window"), month)}
	}},
	{"trend", (*reader).slope},
	{"due", func(_ *reader, _ string, n *cfn.Node) Measure {
		return Due{fitness.Date(n.Get("due").Str()), duration(n.Get("notice"), month)}
	}},
	{"attestation", func(_ *reader, _ string, n *cfn.Node) Measure {
		a := n.Get("attestation")
		at := fitness.Date(a.Get("at").Str()).End().AddDate(0, 0, -1)
		return Attested{fitness.Attestation{Score: num(a.Get("score"), exact.One), By: a.Get("by").Str(), At: at, ValidFor: duration(a.Get("valid-for"), 3*month)}, duration(n.Get("notice"), month)}
	}},
}

const month = 30 * 24 * time.Hour

// measure reads how a function is measured. A function of the catalogue that says nothing is its rule; nil means that nothing
// was said of another one, or too much.
func (r *reader) measure(id string, n *cfn.Node) Measure {
	var found []string
	var out Measure
	for _, m := range measures {
		if n.Has(m.key) {
			found = append(found, m.key)
			out = m.read(r, id, n)
		}
	}
	if len(found) > 1 {
		r.fail(n.KeySpan(found[1]), "functions.%s is measured in more than one way: %s", id, strings.Join(found, ", ")).WithHint("make two functions of it")
		return nil
	}
	if len(found) == 0 {
		if _, ok := fitness.Lookup(id); ok {
			return Rule{id, parameters(id, n.Get("parameters")), n.Where()}
		}
		return nil
	}
	r.only(id, n, found[0])
	return out
}

// belongs lists the keys that only some measures read.
var belongs = map[string][]string{"type": {"expression"}, "target": {"metric"}, "limit": {"metric"}, "notice": {"due", "attestation"}, "parameters": {"rule", "expression"}}

func (r *reader) only(id string, n *cfn.Node, measure string) {
	for _, key := range []string{"type", "target", "limit", "notice", "parameters"} {
		if n.Has(key) && !slices.Contains(belongs[key], measure) {
			r.fail(n.KeySpan(key), "functions.%s: %s says nothing to %s", id, key, measure).WithHint("it belongs to %s", strings.Join(belongs[key], " or "))
		}
	}
}

func (r *reader) checkMeasure(id string, n *cfn.Node) Measure {
	scope, typ := expression.OfStack, n.Get("type")
	if n.Has("type") {
		scope = expression.OfResource
	}
	if strings.HasPrefix(typ.Str(), "AWS::Serverless::") {
		d := r.fail(typ.Where(), "functions.%s.type: no resource has the type %s any more when it is judged: SAM makes others of it", id, typ.Str())
		if made := becomes[typ.Str()]; len(made) > 0 {
			d.WithHint("name one of those: %s", strings.Join(made, ", "))
		}
	}
	return Check{typ.Str(), r.compile(n.Get("expression"), scope), n.Get("parameters"), typ.Where()}
}

func (r *reader) metricMeasure(id string, n *cfn.Node) Measure {
	m := Metric{MetricRef: metricRef(n.Get("metric"))}
	for _, key := range []string{"target", "limit"} {
		if !n.Has(key) {
			r.fail(n.KeySpan("metric"), "functions.%s needs a %s beside its metric", id, key).WithHint("target scores 1, limit scores 0: target: 200ms, limit: 1s")
			return m
		}
	}
	m.Limit, _ = parseQuantity(n.Get("limit"))
	if t := n.Get("target"); t.Is(cfn.Map) {
		m.MovingTarget = r.compile(t.Get("expression"), expression.OfMetrics)
		return m
	}
	m.Target, _ = parseQuantity(n.Get("target"))
	if m.Target.Unit != m.Limit.Unit {
		r.fail(n.Get("limit").Span, "functions.%s: target %s and limit %s have different units", id, m.Target, m.Limit)
	} else if err := (fitness.Desirability{Target: m.Target.Amount, Limit: m.Limit.Amount}).Validate(); err != nil {
		r.fail(n.Get("limit").Span, "functions.%s: %v", id, err)
	}
	return m
}

func (r *reader) slope(id string, n *cfn.Node) Measure {
	t := n.Get("trend")
	s := Slope{metricRef(t.Get("metric")), num(t.Get("target"), 0), num(t.Get("limit"), 0), duration(t.Get("window"), month)}
	if s.Target == s.Limit {
		r.fail(t.Get("limit").Where(), "functions.%s: target and limit are both %s: the score needs room between them", id, s.Target)
	}
	return s
}

func (r *reader) call(id string, n *cfn.Node) Measure {
	i := n.Get("invoke")
	request, expect := i.Get("request"), i.Get("expect")
	c := Call{Function: i.Get("function").Str(), Event: i.Get("event"), URL: i.Get("url").Str(), Method: request.Get("method").Str(),
		Headers: dimensions(request.Get("headers")), Body: request.Get("body"),
		Expect: Expectation{Body: expect.Get("body"), Contains: expect.Get("contains").Str(), Within: duration(expect.Get("within"), 0)}}
	if status, ok := expect.Get("status").Int(); ok {
		c.Expect.Status = int(status)
	}
	switch {
	case (c.Function == "") == (c.URL == ""):
		r.fail(i.Where(), "functions.%s calls a function or requests a url: one of them", id)
	case c.URL == "" && request != nil:
		r.fail(i.KeySpan("request"), "functions.%s: a request goes to a url; a function gets an event", id)
	case c.Function == "" && c.Event != nil:
		r.fail(i.KeySpan("event"), "functions.%s: an event goes to a function; a url gets a request", id)
	case len(expect.Entries()) == 0:
		r.fail(expect.Where(), "functions.%s expects nothing: it cannot fail", id).WithHint("such as expect: {status: 200}")
	}
	return c
}

// compile checks an expression and puts its problems where they stand in the file.
func (r *reader) compile(n *cfn.Node, scope expression.Scope) *expression.Expression {
	e, err := expression.Compile(n.Str(), scope)
	if err == nil {
		r.metricsOf(e, n)
		return e
	}
	problems, ok := err.(expression.Problems)
	if !ok {
		r.fail(n.Span, "%v", err)
		return nil
	}
	for _, p := range problems {
		d := r.fail(r.within(n, p.Line, p.Column), "%s", p.Message)
		if p.Hint != "" {
			d.WithHint("%s", p.Hint)
		}
	}
	return nil
}

// metricsOf checks that the metrics of an expression are declared.
func (r *reader) metricsOf(e *expression.Expression, n *cfn.Node) {
	declared := slices.Sorted(maps.Keys(r.file.Metrics))
	for _, name := range e.Metrics() {
		if slices.Contains(declared, name) {
			continue
		}
		d := r.fail(n.Span, "there is no metric %s", name)
		if near, ok := source.Nearest(name, declared); ok {
			d.WithHint("did you mean %s?", near)
		} else {
			d.WithHint("declare it: metrics: {%s: {namespace: …, name: …}}", name)
		}
	}
}

func metricRef(n *cfn.Node) MetricRef {
	m := MetricRef{Namespace: n.Get("namespace").Str(), Name: n.Get("name").Str(), Dimensions: dimensions(n.Get("dimensions")), Stat: n.Get("stat").Str(), Period: duration(n.Get("period"), 5*time.Minute)}
	if m.Stat == "" {
		m.Stat = "Average"
	}
	return m
}

// dimensions are the entries of a map of texts, sorted.
func dimensions(n *cfn.Node) []Dimension {
	var out []Dimension
	for _, p := range n.Entries() {
		out = append(out, Dimension{p.Key, p.Value.Str()})
	}
	slices.SortFunc(out, func(a, b Dimension) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func duration(n *cfn.Node, otherwise time.Duration) time.Duration {
	if d, err := parseSpan(n.Str()); err == nil {
		return d
	}
	return otherwise
}

func num(n *cfn.Node, otherwise exact.Decimal) exact.Decimal {
	if n == nil {
		return otherwise
	}
	d, err := decimalOf(n)
	if err != nil {
		return otherwise
	}
	return d
}

// definition is a measure as text: two measures with the same one give scores that mean the same.
func definition(n *cfn.Node, id string) string {
	rule := n.Get("rule").Str()
	if _, ok := fitness.Lookup(id); ok && !slices.ContainsFunc(measureKeys(), n.Has) {
		rule = id
	}
	if rule != "" {
		n = cfn.Obj(cfn.P("rule", cfn.Str(rule)), cfn.P("parameters", parameters(rule, n.Get("parameters"))))
	}
	parts := []string{}
	for _, key := range append(measureKeys(), "type", "target", "limit", "notice", "parameters") {
		if v := n.Get(key); v != nil && key != "attestation" {
			parts = append(parts, key+" "+canonical(v))
		}
	}
	return strings.Join(parts, ", ")
}

// parameters are those of a rule of the catalogue: the given ones, and of the default suite's those that are not given.
func parameters(rule string, given *cfn.Node) *cfn.Node {
	standard := fitness.Parameters(rule)
	if standard == nil || !given.IsNull() && !given.Is(cfn.Map) {
		return given
	}
	out := cfn.Obj(given.Entries()...)
	for _, name := range slices.Sorted(maps.Keys(standard)) {
		if !out.Has(name) {
			out.Set(name, cfn.Str(standard[name]))
		}
	}
	return out
}

func measureKeys() []string {
	keys := make([]string, len(measures))
	for i, m := range measures {
		keys[i] = m.key
	}
	return keys
}

// canonical is a value as JSON with sorted keys; a string alone stands without quotes.
func canonical(n *cfn.Node) string {
	if n.Is(cfn.String) {
		return n.Text
	}
	text, err := sortedKeys(n).MarshalJSON()
	if err != nil {
		return fmt.Sprint(n.Kind)
	}
	return string(text)
}

func sortedKeys(n *cfn.Node) *cfn.Node {
	c := *n
	c.Items, c.Pairs = nil, nil
	for _, item := range n.Items {
		c.Items = append(c.Items, sortedKeys(item))
	}
	for _, p := range n.Pairs {
		c.Pairs = append(c.Pairs, cfn.P(p.Key, sortedKeys(p.Value)))
	}
	slices.SortFunc(c.Pairs, func(a, b cfn.Pair) int { return strings.Compare(a.Key, b.Key) })
	return &c
}
