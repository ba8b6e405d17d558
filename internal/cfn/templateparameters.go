package cfn

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"

	"evo/internal/source"
)

// Parameter is one entry of the Parameters section.
type Parameter struct {
	Name        string
	Type        string
	Description string
	Default     *string // nil if there is none
	NoEcho      bool
	Allowed     []string
	Pattern     string
	Constraint  string // ConstraintDescription
	MinLength   *big.Float
	MaxLength   *big.Float
	MinValue    *big.Float
	MaxValue    *big.Float
	Span        source.Span
}

// IsList reports whether the parameter's value is a list.
func (p *Parameter) IsList() bool {
	return p.Type == "CommaDelimitedList" || strings.HasPrefix(p.Type, "List<") ||
		strings.HasPrefix(p.Type, "AWS::SSM::Parameter::Value<List<") || p.Type == "AWS::SSM::Parameter::Value<CommaDelimitedList>"
}

// IsStored reports whether the parameter's value names an entry of SSM's Parameter Store, whose value is what Ref returns.
func (p *Parameter) IsStored() bool { return strings.HasPrefix(p.Type, "AWS::SSM::Parameter::Value<") }

var parameterType = regexp.MustCompile(`^(String|Number|CommaDelimitedList|List<(Number|String|AWS::[A-Za-z0-9:]+)>|AWS::SSM::Parameter::(Name|Value<(String|CommaDelimitedList|List<[A-Za-z0-9:]+>|AWS::[A-Za-z0-9:]+)>)|AWS::[A-Za-z0-9]+::[A-Za-z0-9:]+)$`)

func (r *reader) parameters(n *Node) {
	for _, p := range n.Entries() {
		if !alphanumeric(p.Key) {
			r.failAt(p.KeySpan, "Template format error: Parameter name %s is non alphanumeric.", p.Key)
			continue
		}
		if p.Value.Kind != Map {
			r.failf(p.Value, "Template format error: Any Parameters member must be an object.")
			continue
		}
		r.parameter(p)
	}
}

func (r *reader) parameter(pair Pair) {
	body := pair.Value
	kind := body.Get("Type")
	if kind == nil || kind.Kind != String {
		r.failf(body, "Template format error: Every Parameters object must contain a Type member.")
		return
	}
	if !parameterType.MatchString(kind.Text) {
		r.failf(kind, "Template format error: Unrecognized parameter type: %s", kind.Text)
		return
	}
	p := &Parameter{Name: pair.Key, Type: kind.Text, Span: pair.KeySpan}
	for _, m := range body.Pairs {
		r.parameterMember(p, m)
	}
	r.t.Parameters = append(r.t.Parameters, p)
}

func (r *reader) parameterMember(p *Parameter, m Pair) {
	switch m.Key {
	case "Type":
	case "Description":
		p.Description = m.Value.Text
	case "Default":
		text, ok := defaultText(m.Value)
		if !ok {
			r.failf(m.Value, "Template format error: Every Default member must be a string.")
			return
		}
		p.Default = &text
	case "NoEcho":
		p.NoEcho = strings.EqualFold(m.Value.Text, "true")
	case "AllowedPattern":
		p.Pattern = m.Value.Text
	case "ConstraintDescription":
		p.Constraint = m.Value.Text
	case "AllowedValues":
		if m.Value.Kind != List {
			r.failf(m.Value, "Template format error: AllowedValues member must be a list.")
			return
		}
		for _, v := range m.Value.Items {
			p.Allowed = append(p.Allowed, v.Text)
		}
	case "MinLength":
		p.MinLength = r.number(m)
	case "MaxLength":
		p.MaxLength = r.number(m)
	case "MinValue":
		p.MinValue = r.number(m)
	case "MaxValue":
		p.MaxValue = r.number(m)
	default:
		r.failAt(m.KeySpan, "Invalid template parameter property '%s'", m.Key)
	}
}

func defaultText(n *Node) (string, bool) {
	if n.Kind == List || n.Kind == Map || n.Kind == Null {
		return "", false
	}
	return n.Text, true
}

func (r *reader) number(m Pair) *big.Float {
	f, ok := parseNumber(m.Value.Text)
	if !ok {
		r.failf(m.Value, "Template format error: %s must be a number.", m.Key)
	}
	return f
}

// Made on first need: with its counted digits it takes more time and memory than all else that this package makes.
var decimalNumber = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[+-]?(\d{1,300}(\.\d{0,300})?|\.\d{1,300})([eE][+-]?\d{1,3})?$`)
})

func parseNumber(s string) (*big.Float, bool) {
	if !decimalNumber().MatchString(s) {
		return nil, false
	}
	f, _, err := big.ParseFloat(s, 10, 128, big.ToNearestEven)
	return f, err == nil
}

// ResolveParameters gives every parameter its value: what was given, else its default. The error says, in CloudFormation's
// words, which have none, which are not in the template, and which break a constraint.
func (t *Template) ResolveParameters(given map[string]string) (map[string]string, error) {
	var strangers, missing []string
	for name := range given {
		if t.Parameter(name) == nil {
			strangers = append(strangers, name)
		}
	}
	if len(strangers) > 0 {
		slices.Sort(strangers)
		return nil, source.Errorf(source.Span{}, "Parameters: [%s] do not exist in the template", strings.Join(strangers, ", "))
	}
	values := map[string]string{}
	for _, p := range t.Parameters {
		v, ok := given[p.Name]
		switch {
		case ok:
			values[p.Name] = v
		case p.Default != nil:
			values[p.Name] = *p.Default
		default:
			missing = append(missing, p.Name)
		}
	}
	if len(missing) > 0 {
		return nil, source.Errorf(t.Parameter(missing[0]).Span, "Parameters: [%s] must have values", strings.Join(missing, ", "))
	}
	for _, p := range t.Parameters {
		if err := p.check(values[p.Name]); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// check holds a value against the parameter's constraints.
func (p *Parameter) check(value string) error {
	switch why := p.Broken(value); {
	case why == "":
		return nil
	case p.Constraint != "":
		return source.Errorf(p.Span, "Parameter %s failed to satisfy constraint: %s", p.Name, p.Constraint)
	default:
		return source.Errorf(p.Span, "Parameter '%s' %s", p.Name, why)
	}
}

// Broken says which constraint a value breaks, in CloudFormation's words after "Parameter 'name'"; "" if none.
func (p *Parameter) Broken(value string) string {
	values := []string{value}
	if p.IsList() && !p.IsStored() {
		values = splitList(value)
	}
	for _, v := range values {
		if why := p.broken(v); why != "" {
			return why
		}
	}
	return ""
}

func (p *Parameter) broken(v string) string {
	if p.Type == "Number" || p.Type == "List<Number>" {
		f, ok := parseNumber(strings.TrimSpace(v))
		switch {
		case !ok:
			return "must be a number."
		case p.MinValue != nil && f.Cmp(p.MinValue) < 0:
			return fmt.Sprintf("must be a number not less than %s", p.MinValue.Text('f', -1))
		case p.MaxValue != nil && f.Cmp(p.MaxValue) > 0:
			return fmt.Sprintf("must be a number not greater than %s", p.MaxValue.Text('f', -1))
		}
	}
	length := new(big.Float).SetInt64(int64(len([]rune(v))))
	switch {
	case len(p.Allowed) > 0 && !slices.Contains(p.Allowed, v):
		return "must be one of AllowedValues"
	case p.Pattern != "" && !matches(p.Pattern, v):
		return "must match pattern " + p.Pattern
	case p.MinLength != nil && length.Cmp(p.MinLength) < 0:
		return fmt.Sprintf("must contain at least %s characters", p.MinLength.Text('f', -1))
	case p.MaxLength != nil && length.Cmp(p.MaxLength) > 0:
		return fmt.Sprintf("must contain at most %s characters", p.MaxLength.Text('f', -1))
	}
	return ""
}

// matches tells whether all of v is matched. AWS's patterns are Java's: one that Go does not know (look-around) cannot be
// judged here, and refuses nothing.
func matches(pattern, v string) bool {
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	return err != nil || re.MatchString(v)
}

func splitList(v string) []string {
	parts := strings.Split(v, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// Value is what Ref returns for a parameter that was given text.
func (p *Parameter) Value(text string) *Node {
	if !p.IsList() {
		return &Node{Kind: String, Text: text}
	}
	list := &Node{Kind: List}
	for _, part := range splitList(text) {
		list.Items = append(list.Items, &Node{Kind: String, Text: part})
	}
	return list
}
