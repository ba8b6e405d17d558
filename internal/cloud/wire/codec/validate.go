package codec

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"evo/internal/cloud/model"
)

// A Violation is one constraint of the model that a value does not meet.
type Violation struct {
	Path    string // as AWS writes it: tags.1.member.key
	Value   string // as AWS shows it
	Missing bool   // a required member is not there
	Secret  bool   // the value must not be shown
	Rule    string // "Member must …"
}

// String is AWS's sentence.
func (x Violation) String() string {
	switch {
	case x.Missing:
		return fmt.Sprintf("Value null at '%s' failed to satisfy constraint: %s", x.Path, x.Rule)
	case x.Secret:
		return fmt.Sprintf("Value at '%s' failed to satisfy constraint: %s", x.Path, x.Rule)
	}
	return fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: %s", x.Value, x.Path, x.Rule)
}

// Validate lists what of v, of the plan's type, the model does not allow.
func (p *Plan) Validate(v reflect.Value) []Violation {
	c := checker{}
	c.check(p, v, false)
	return c.found
}

type checker struct {
	path  []step
	found []Violation
}

// A step is one on the way to a value: a member's name, or the key or number of an element.
type step struct {
	name    string
	number  int  // of a list's element, from 1
	element bool // name is a key, if there is no number
}

// text writes the way as AWS does.
func (c *checker) text() string {
	var parts []string
	for _, s := range c.path {
		switch {
		case s.number > 0:
			parts = append(parts, strconv.Itoa(s.number), "member")
		case s.element:
			parts = append(parts, s.name, "member")
		default:
			parts = append(parts, lowerFirst(s.name))
		}
	}
	return strings.Join(parts, ".")
}

// maxViolations bounds an answer that a hostile request could make long.
const maxViolations = 20

func (c *checker) report(x Violation) {
	if len(c.found) < maxViolations {
		x.Path = c.text()
		c.found = append(c.found, x)
	}
}

func (c *checker) push(s step) { c.path = append(c.path, s) }
func (c *checker) pop()        { c.path = c.path[:len(c.path)-1] }

func (c *checker) check(p *Plan, v reflect.Value, secret bool) {
	switch p.Shape.Kind {
	case model.Structure:
		c.structure(p, v)
	case model.Union:
		if f, mv := p.member(v); f != nil && f.Plan.checks {
			c.push(step{name: f.Member.Name})
			c.check(f.Plan, mv, secret)
			c.pop()
		}
	case model.List:
		c.limits(p, v, secret)
		c.elements(p, v, secret)
	case model.Map:
		c.limits(p, v, secret)
		c.entries(p, v, secret)
	case model.String:
		c.enum(p, v, secret)
		c.limits(p, v, secret)
	default:
		c.limits(p, v, secret)
	}
}

func (c *checker) structure(p *Plan, v reflect.Value) {
	for i := range p.Fields {
		f := &p.Fields[i]
		if !f.Member.Required && !f.Plan.checks {
			continue
		}
		fv, ok := f.set(v.Field(f.index))
		c.push(step{name: f.Member.Name})
		if !ok && f.Member.Required {
			c.report(Violation{Missing: true, Rule: "Member must not be null"})
		} else if ok && f.Plan.checks {
			c.check(f.Plan, fv, f.Member.Sensitive)
		}
		c.pop()
	}
}

func (c *checker) elements(p *Plan, v reflect.Value, secret bool) {
	e := p.elem
	if !e.Plan.checks {
		return
	}
	if e.Plan.enum != nil {
		c.enumList(p, v)
		return
	}
	for i := range v.Len() {
		if ev, ok := e.set(v.Index(i)); ok {
			c.push(step{number: i + 1})
			c.check(e.Plan, ev, secret || e.Member.Sensitive)
			c.pop()
		}
	}
}

// enumList is checked as a whole, as AWS does.
func (c *checker) enumList(p *Plan, v reflect.Value) {
	var values []string
	bad := false
	for i := range v.Len() {
		ev, ok := p.elem.set(v.Index(i))
		s := ""
		if ok {
			s = ev.String()
		}
		values = append(values, s)
		bad = bad || !contains(p.elem.Plan.enum, s)
	}
	if bad {
		c.report(Violation{Value: "[" + strings.Join(values, ", ") + "]",
			Rule: "Member must satisfy constraint: [" + enumRule(p.elem.Plan.enum) + "]"})
	}
}

func (c *checker) entries(p *Plan, v reflect.Value, secret bool) {
	if !p.key.checks && !p.elem.Plan.checks {
		return
	}
	simple := p.elem.Plan.limit != nil && p.elem.Plan.Fields == nil && p.elem.Plan.elem == nil
	for it := v.MapRange(); it.Next(); {
		if p.key.limit != nil && p.key.limit.broken(it.Key()) {
			c.report(Violation{Value: mapText(v), Rule: "Map keys must satisfy constraint: [" + p.key.limit.all() + "]"})
			return
		}
		ev, ok := p.elem.set(it.Value())
		switch {
		case !ok || !p.elem.Plan.checks:
		case simple && p.elem.Plan.limit.broken(ev):
			c.report(Violation{Value: mapText(v), Rule: "Map value must satisfy constraint: [" + p.elem.Plan.limit.all() + "]"})
			return
		case !simple:
			c.push(step{name: it.Key().String(), element: true})
			c.check(p.elem.Plan, ev, secret || p.elem.Member.Sensitive)
			c.pop()
		}
	}
}

func mapText(v reflect.Value) string {
	var out []string
	for _, e := range sortedEntries(v) {
		out = append(out, e.key+"="+show(e.value))
	}
	return "{" + strings.Join(out, ", ") + "}"
}

func (c *checker) enum(p *Plan, v reflect.Value, secret bool) {
	if p.enum != nil && !contains(p.enum, v.String()) {
		c.report(Violation{Value: v.String(), Secret: secret, Rule: enumRule(p.enum)})
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func enumRule(values []string) string {
	return "Member must satisfy enum value set: [" + strings.Join(values, ", ") + "]"
}

func (c *checker) limits(p *Plan, v reflect.Value, secret bool) {
	if p.limit == nil {
		return
	}
	for _, r := range p.limit.rules {
		if !r.ok(v) {
			c.report(Violation{Value: show(v), Secret: secret, Rule: r.text})
		}
	}
}

// show prints a value as Java's toString would.
func show(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Slice:
		if v.Type() == bytesType {
			return fmt.Sprintf("java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]", v.Len(), v.Len())
		}
		var out []string
		for i := range v.Len() {
			out = append(out, show(v.Index(i)))
		}
		return "[" + strings.Join(out, ", ") + "]"
	case reflect.Map:
		return mapText(v)
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "null"
		}
		return show(v.Elem())
	case reflect.Float32, reflect.Float64:
		s := strconv.FormatFloat(v.Float(), 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	case reflect.Struct:
		return showStruct(v)
	}
	return fmt.Sprint(v.Interface())
}

func showStruct(v reflect.Value) string {
	var out []string
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.IsExported() {
			out = append(out, lowerFirst(f.Name)+"="+show(v.Field(i)))
		}
	}
	return v.Type().Name() + "(" + strings.Join(out, ", ") + ")"
}

func lowerFirst(s string) string {
	if s == "" || s[0] < 'A' || s[0] > 'Z' {
		return s
	}
	return string(s[0]+'a'-'A') + s[1:]
}

// A limit is a shape's constraint, ready to be checked.
type limit struct{ rules []rule }

type rule struct {
	text string
	ok   func(v reflect.Value) bool
}

func (l *limit) broken(v reflect.Value) bool {
	for _, r := range l.rules {
		if !r.ok(v) {
			return true
		}
	}
	return false
}

func (l *limit) all() string {
	var out []string
	for _, r := range l.rules {
		out = append(out, r.text)
	}
	return strings.Join(out, ", ")
}

func compileLimit(s *model.Shape) *limit {
	c := s.Constraint
	if c == nil || s.Streaming {
		return nil
	}
	l := new(limit)
	what, size := "length", length
	if s.Kind == model.Number {
		what, size = "value", number
	}
	text := func(n float64) string {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	if c.HasMax {
		l.rules = append(l.rules, rule{"Member must have " + what + " less than or equal to " + text(c.Max),
			func(v reflect.Value) bool { return size(v) <= c.Max }})
	}
	if c.HasMin {
		l.rules = append(l.rules, rule{"Member must have " + what + " greater than or equal to " + text(c.Min),
			func(v reflect.Value) bool { return size(v) >= c.Min }})
	}
	if match := pattern(c.Pattern); match != nil && s.Kind == model.String {
		l.rules = append(l.rules, rule{"Member must satisfy regular expression pattern: " + c.Pattern,
			func(v reflect.Value) bool { return match(v.String()) }})
	}
	return l
}

func length(v reflect.Value) float64 {
	if v.Kind() == reflect.String {
		return float64(utf8.RuneCountInString(v.String()))
	}
	return float64(v.Len())
}

func number(v reflect.Value) float64 {
	if v.CanInt() {
		return float64(v.Int())
	}
	return v.Float()
}

var unicodeEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

// pattern returns how to match a string as a whole against a pattern in Java's syntax; nil if there is none, or one that Go
// cannot match. It is compiled at the first match: most never are.
func pattern(java string) func(string) bool {
	if java == "" || java == ".*" {
		return nil
	}
	compile := sync.OnceValue(func() func(string) bool { return compilePattern(java) })
	return func(s string) bool { return compile()(s) }
}

// lookahead is the one form of Java's look-arounds that AWS's models use: what the string must not be, at the start.
var lookahead = regexp.MustCompile(`^(\(?)\(\?!((?:[^()]|\([^()]*\))*)\)(.*)$`)

func compilePattern(java string) func(string) bool {
	p := unicodeEscape.ReplaceAllString(java, `\x{$1}`)
	not := ""
	if m := lookahead.FindStringSubmatch(p); m != nil {
		not, p = m[2], m[1]+m[3]
	}
	re, err := regexp.Compile(`^(?:` + p + `)$`)
	if err != nil {
		return func(string) bool { return true }
	}
	if not == "" {
		return re.MatchString
	}
	forbidden, err := regexp.Compile(`^(?:` + not + `)`)
	if err != nil {
		return func(string) bool { return true }
	}
	return func(s string) bool { return re.MatchString(s) && !forbidden.MatchString(s) }
}
