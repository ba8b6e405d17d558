// Package expression answers: what does a user's own check, written in CEL, say of a resource or a stack?
//
// An expression is checked when it is compiled, and may cost only so much when it is evaluated. Where it meets a value that is
// not known yet (an intrinsic function that could not be evaluated, a metric without data) its result is unknown, unless what
// is known decides it: false && unknown is false.
//
// A check of a resource sees
//
//	properties   what stands in the template below Properties
//	resource     {id, type, properties, metadata, deletionPolicy, updateReplacePolicy}, each only if it is there
//	parameters   the function's own parameters in fitness.yaml
//
// and a check of a stack
//
//	resources    a list of such resources
//	edges        a list of {from, to, kind}
//	metrics      a map of numbers by name
//	parameters   as above
//
// The result is a boolean, or a number in [0, 1]. Numbers within CEL are what CEL says, floating point among them; the result is
// rounded to an exact.Decimal, and no later sum sees anything else.
package expression

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/source"
)

// Scope says what an expression is about.
type Scope int

// The scopes: one resource, the whole stack, or a number over metrics (a target that moves).
const (
	OfResource Scope = iota
	OfStack
	OfMetrics
)

// Limits keep a hostile expression from using up the machine. The cost is CEL's own measure, about one for each step.
const (
	maxText  = 10_000 // characters
	maxDepth = 100
	maxCost  = 5_000_000
)

// Resource is a resource as an expression sees it. Body is its entry in the template's Resources section, as far evaluated as
// can be.
type Resource struct {
	ID, Type string
	Body     *cfn.Node
}

// Edge is a dependency between two resources.
type Edge struct {
	From, To, Kind string
}

// Stack is an architecture as an expression sees it. A metric that is not in Metrics is unknown.
type Stack struct {
	Resources []Resource
	Edges     []Edge
	Metrics   map[string]exact.Decimal
}

// Expression is a compiled expression. It can be used by several goroutines.
type Expression struct {
	text    string
	metrics []string
	program cel.Program
}

// Problem is what is wrong with an expression's text.
type Problem struct {
	Line, Column int // of the text, from 1; the column counts characters
	Message      string
	Hint         string // what was meant, if that can be guessed
}

// Problems are all that is wrong with an expression.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Message)
	}
	return strings.Join(lines, "\n")
}

// variables are what an expression of each scope may name.
var variables = map[Scope][]string{
	OfResource: {"properties", "resource", "parameters"},
	OfStack:    {"resources", "edges", "metrics", "parameters"},
	OfMetrics:  {"metrics"},
}

// environments are made once: they are the same for all expressions of a scope.
var environments = map[Scope]func() (*cel.Env, error){
	OfResource: sync.OnceValues(func() (*cel.Env, error) { return environment(OfResource) }),
	OfStack:    sync.OnceValues(func() (*cel.Env, error) { return environment(OfStack) }),
	OfMetrics:  sync.OnceValues(func() (*cel.Env, error) { return environment(OfMetrics) }),
}

func environment(scope Scope) (*cel.Env, error) {
	kinds := map[string]*cel.Type{"resources": cel.ListType(cel.DynType), "edges": cel.ListType(cel.MapType(cel.StringType, cel.StringType)),
		"metrics": cel.MapType(cel.StringType, cel.DoubleType), "resource": cel.MapType(cel.StringType, cel.DynType)}
	options := []cel.EnvOption{cel.OptionalTypes(), cel.ParserRecursionLimit(maxDepth), cel.ParserExpressionSizeLimit(maxText), cel.CustomTypeAdapter(adapter{})}
	for _, name := range variables[scope] {
		kind := kinds[name]
		if kind == nil {
			kind = cel.DynType
		}
		options = append(options, cel.Variable(name, kind))
	}
	return cel.NewEnv(options...)
}

// Compile checks an expression. The error is a Problems.
func Compile(text string, scope Scope) (*Expression, error) {
	if strings.TrimSpace(text) == "" {
		return nil, Problems{{Line: 1, Column: 1, Message: "the expression is empty"}}
	}
	env, err := environments[scope]()
	if err != nil {
		return nil, fmt.Errorf("prepare CEL: %w", err)
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, problems(issues, scope)
	}
	if !mayBeScore(checked.OutputType(), scope) {
		want := "a boolean, or a number in [0, 1]"
		if scope == OfMetrics {
			want = "a number"
		}
		return nil, Problems{{Line: 1, Column: 1, Message: fmt.Sprintf("the expression gives a value of the type %s; it must give %s", checked.OutputType(), want)}}
	}
	program, err := env.Program(checked, cel.CostLimit(maxCost))
	if err != nil {
		return nil, Problems{{Line: 1, Column: 1, Message: err.Error()}}
	}
	return &Expression{text: text, metrics: metricsIn(checked.NativeRep().Expr()), program: program}, nil
}

// metricsIn are the names that an expression takes from metrics, as metrics.name or metrics["name"], sorted.
func metricsIn(root ast.Expr) []string {
	var names []string
	ast.PreOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.SelectKind:
			if isMetrics(e.AsSelect().Operand()) {
				names = append(names, e.AsSelect().FieldName())
			}
		case ast.CallKind:
			args := e.AsCall().Args()
			if e.AsCall().FunctionName() == operators.Index && isMetrics(args[0]) && args[1].Kind() == ast.LiteralKind {
				names = append(names, fmt.Sprint(args[1].AsLiteral().Value()))
			}
		}
	}))
	slices.Sort(names)
	return slices.Compact(names)
}

func isMetrics(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == "metrics" }

// Metrics are the names of the metrics that the expression reads, sorted.
func (e *Expression) Metrics() []string { return e.metrics }

func mayBeScore(t *cel.Type, scope Scope) bool {
	switch t.Kind() {
	case types.DynKind, types.IntKind, types.UintKind, types.DoubleKind:
		return true
	case types.BoolKind:
		return scope != OfMetrics
	}
	return false
}

func problems(issues *cel.Issues, scope Scope) Problems {
	var out Problems
	for _, e := range issues.Errors() {
		p := Problem{Line: max(1, e.Location.Line()), Column: max(1, e.Location.Column()+1), Message: e.Message}
		if name, ok := between(e.Message, "undeclared reference to '", "'"); ok {
			p.Message = "there is no " + name + " here"
			p.Hint = "an expression of this kind sees " + strings.Join(variables[scope], ", ")
			if near, ok := source.Nearest(name, variables[scope]); ok {
				p.Hint = "did you mean " + near + "?"
			}
		}
		out = append(out, p)
	}
	return out
}

func between(text, before, after string) (string, bool) {
	_, rest, ok := strings.Cut(text, before)
	if !ok {
		return "", false
	}
	found, _, ok := strings.Cut(rest, after)
	return found, ok
}

// String is the expression's text.
func (e *Expression) String() string { return e.text }

// ErrScore is what a result wraps that is no score, and every error in evaluating an expression: the check is to blame, not
// what it checks.
var ErrScore = errors.New("the check has no score")

// Resource scores a resource. The reason says what was missing, if something was.
func (e *Expression) Resource(r Resource, parameters *cfn.Node) (fitness.Interval, string, error) {
	body := resourceNode(r)
	return e.score(map[string]any{"properties": value(body.Get("properties")), "resource": value(body), "parameters": value(parameters)})
}

// Stack scores a stack.
func (e *Expression) Stack(s Stack, parameters *cfn.Node) (fitness.Interval, string, error) {
	resources, edges := cfn.Arr(), cfn.Arr()
	for _, r := range s.Resources {
		resources.Items = append(resources.Items, resourceNode(r))
	}
	for _, edge := range s.Edges {
		edges.Items = append(edges.Items, cfn.Obj(cfn.P("from", cfn.Str(edge.From)), cfn.P("to", cfn.Str(edge.To)), cfn.P("kind", cfn.Str(edge.Kind))))
	}
	return e.score(map[string]any{"resources": value(resources), "edges": value(edges), "metrics": metrics(s.Metrics), "parameters": value(parameters)})
}

// Number computes a target from metrics. known is false if one that it needs is not there.
func (e *Expression) Number(measured map[string]exact.Decimal) (number exact.Decimal, known bool, err error) {
	out, _, err := e.evaluate(map[string]any{"metrics": metrics(measured)})
	if err != nil || out == nil {
		return 0, false, err
	}
	number, err = decimal(out)
	return number, err == nil, err
}

// resourceNode is a resource under the names that expressions use; it shares the template's nodes.
func resourceNode(r Resource) *cfn.Node {
	n := cfn.Obj(cfn.P("id", cfn.Str(r.ID)), cfn.P("type", cfn.Str(r.Type)))
	properties := r.Body.Get("Properties")
	if properties.IsNull() {
		properties = cfn.Obj()
	}
	n.Set("properties", properties)
	for _, attribute := range attributes {
		if v := r.Body.Get(attribute[0]); v != nil {
			n.Set(attribute[1], v)
		}
	}
	return n
}

// attributes of a resource beside its properties, as templates and as expressions name them.
var attributes = [][2]string{{"Metadata", "metadata"}, {"DeletionPolicy", "deletionPolicy"}, {"UpdateReplacePolicy", "updateReplacePolicy"}}

// evaluate returns the result, or nil if it is unknown, and what was missing.
func (e *Expression) evaluate(vars map[string]any) (out ref.Val, missing string, err error) {
	out, _, err = e.program.Eval(vars)
	if err != nil {
		if _, key, ok := strings.Cut(err.Error(), "no such key: "); ok {
			return types.False, key, nil
		}
		return nil, "", fmt.Errorf("%w: evaluate %q: %s", ErrScore, short(e.text), err)
	}
	if types.IsUnknown(out) {
		return nil, "", nil
	}
	return out, "", nil
}

// score evaluates a check. What asks for something that is not there is not met.
func (e *Expression) score(vars map[string]any) (fitness.Interval, string, error) {
	out, missing, err := e.evaluate(vars)
	switch {
	case err != nil:
		return fitness.Unknown, "", err
	case missing != "":
		return fitness.Known(exact.Zero), "there is no " + missing, nil
	case out == nil:
		return fitness.Unknown, "a value that decides is not known yet", nil
	}
	if b, ok := out.(types.Bool); ok {
		return fitness.Known(fitness.Boolean(bool(b))), "", nil
	}
	d, err := decimal(out)
	if err != nil {
		return fitness.Unknown, "", fmt.Errorf("%w: %q: %w", ErrScore, short(e.text), err)
	}
	if d < exact.Zero || d > exact.One {
		return fitness.Unknown, "", fmt.Errorf("%w: %q gives %s, which is not in [0, 1]", ErrScore, short(e.text), d)
	}
	return fitness.Known(d), "", nil
}

func decimal(v ref.Val) (exact.Decimal, error) {
	switch v := v.(type) {
	case types.Int:
		return exact.Whole(int64(v)).Decimal()
	case types.Uint:
		return exact.FromBig(new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(v)))).Decimal()
	case types.Double:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return 0, fmt.Errorf("the result is %v", v)
		}
		return exact.FromBig(new(big.Rat).SetFloat64(float64(v))).Decimal()
	}
	return 0, fmt.Errorf("the result is a value of the type %s, not a number", v.Type().TypeName())
}

func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:59]) + "…"
	}
	return text
}
