package rules

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"evo/internal/cfn"
	"evo/internal/source"
)

// ParameterKind tells what a rule's parameter may be.
type ParameterKind uint8

// The kinds, as AWS Config names them.
const (
	StringParameter ParameterKind = iota
	IntParameter
	DoubleParameter
	BooleanParameter
	CSVParameter // words between commas; white space around them does not count
)

func (k ParameterKind) String() string {
	return [...]string{"string", "int", "double", "boolean", "CSV"}[k]
}

// Parameter is an input of a rule.
type Parameter struct {
	Name     string
	Kind     ParameterKind
	Required bool
	Default  string   // empty if there is none
	Allowed  []string // of a string, and of each word of a CSV; nil if anything goes
	About    string   // what it asks for
}

// ParameterError says that a rule cannot run with the parameters that it was given (AWS Config: ERROR).
type ParameterError struct {
	Rule      string
	Parameter string
	Problem   string
	Span      source.Span // in the file that the parameters are from, if they are from one
}

func (e *ParameterError) Error() string {
	return fmt.Sprintf("rule %s: parameter %s %s", e.Rule, e.Parameter, e.Problem)
}

// argument is a parameter's value.
type argument struct {
	given  bool // by a person; else it is the default, or nothing
	set    bool
	text   string
	number float64
	words  []string
}

// Check is a rule together with the values of its parameters: what AWS Config calls a config rule.
type Check struct {
	Rule *Rule
	args []argument // in the order of Rule.Parameters
}

// Bind makes a Check of r. The error is a *ParameterError.
func (r *Rule) Bind(given map[string]string) (*Check, error) {
	for name := range given {
		if r.parameter(name) < 0 {
			return nil, r.unknownParameter(name)
		}
	}
	c := &Check{Rule: r, args: make([]argument, len(r.Parameters))}
	for i, p := range r.Parameters {
		text, ok := given[p.Name]
		arg, problem := p.read(text, ok)
		if problem != "" {
			return nil, &ParameterError{Rule: r.Name, Parameter: p.Name, Problem: problem}
		}
		c.args[i] = arg
	}
	return c, nil
}

// BindNode is Bind with parameters as they stand in a file: a map of strings, numbers and booleans. A nil or null map has none. The error
// has its place.
func (r *Rule) BindNode(given *cfn.Node) (*Check, error) {
	if given.IsNull() {
		return r.Bind(nil)
	}
	values := map[string]string{}
	for _, p := range given.Entries() {
		if r.parameter(p.Key) < 0 {
			err := r.unknownParameter(p.Key)
			err.Span = p.KeySpan
			return nil, err
		}
		text, ok := p.Value.Scalar()
		if !ok {
			if p.Value.IsNull() {
				continue
			}
			return nil, &ParameterError{r.Name, p.Key, "must be one value, not a " + p.Value.Kind.String(), p.Value.Where()}
		}
		values[p.Key] = text
	}
	if !given.Is(cfn.Map) {
		return nil, &ParameterError{r.Name, "(all)", "must be a map from names to values, not a " + given.Kind.String(), given.Where()}
	}
	check, err := r.Bind(values)
	if wrong, ok := errors.AsType[*ParameterError](err); ok {
		wrong.Span = given.Get(wrong.Parameter).Where()
	}
	return check, err
}

func (r *Rule) parameter(name string) int {
	return slices.IndexFunc(r.Parameters, func(p Parameter) bool { return p.Name == name })
}

func (r *Rule) unknownParameter(name string) *ParameterError {
	names := make([]string, len(r.Parameters))
	for i, p := range r.Parameters {
		names[i] = p.Name
	}
	problem := "is unknown: the rule takes none"
	if len(names) > 0 {
		problem = "is unknown: the rule takes " + strings.Join(names, ", ")
	}
	return &ParameterError{Rule: r.Name, Parameter: name, Problem: problem}
}

func (p *Parameter) read(text string, given bool) (arg argument, problem string) {
	text = strings.TrimSpace(text)
	arg = argument{given: given && text != "", text: text}
	if !arg.given {
		if p.Required {
			return arg, "is required"
		}
		arg.text = p.Default
	}
	if arg.set = arg.text != ""; !arg.set {
		return arg, ""
	}
	switch p.Kind {
	case IntParameter:
		n, err := strconv.ParseInt(arg.text, 10, 64)
		if err != nil {
			return arg, fmt.Sprintf("must be a whole number, not %q", arg.text)
		}
		arg.number = float64(n)
	case DoubleParameter:
		f, err := strconv.ParseFloat(arg.text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return arg, fmt.Sprintf("must be a number, not %q", arg.text)
		}
		arg.number = f
	case BooleanParameter:
		arg.text = strings.ToLower(arg.text)
		if arg.text != "true" && arg.text != "false" {
			return arg, fmt.Sprintf("must be true or false, not %q", arg.text)
		}
	case CSVParameter:
		arg.words = splitCSV(arg.text)
		if len(arg.words) == 0 {
			return arg, "must hold words between commas"
		}
		return arg, p.refuse(arg.words)
	default:
		return arg, p.refuse([]string{arg.text})
	}
	return arg, ""
}

func (p *Parameter) refuse(words []string) string {
	for _, w := range words {
		if p.Allowed != nil && !slices.Contains(p.Allowed, w) {
			return fmt.Sprintf("must be %s, not %q", strings.Join(p.Allowed, " or "), w)
		}
	}
	return ""
}

func splitCSV(text string) []string {
	var words []string
	for w := range strings.SplitSeq(text, ",") {
		if w = strings.TrimSpace(w); w != "" {
			words = append(words, w)
		}
	}
	return words
}

// arg is the value of a parameter, which the rule must declare.
func (s *subject) arg(name string) *argument {
	return &s.check.args[s.check.Rule.parameter(name)]
}

// allows reports whether the parameter is not given, or lists the word.
func (a *argument) allows(word string) bool { return !a.set || slices.Contains(a.words, word) }

func (a *argument) yes() bool { return a.text == "true" }
