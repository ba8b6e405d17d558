package codec

import (
	"fmt"
	"hash/fnv"
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
			c.report(Violation{Missing: true, Rule: notNull})
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
	if e.Plan.simple() {
		c.simpleElements(p, v, secret || e.Member.Sensitive)
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

// simple reports whether values of the plan have no parts.
func (p *Plan) simple() bool { return p.Shape.Kind <= model.Document }

// simpleElements are judged as a whole, with all that each of them must satisfy, as AWS does.
func (c *checker) simpleElements(p *Plan, v reflect.Value, secret bool) {
	for i := range v.Len() {
		ev, ok := p.elem.set(v.Index(i))
		if ok && p.elem.Plan.broken(ev) {
			c.report(Violation{Value: show(v), Secret: secret, Rule: "Member must satisfy constraint: [" + p.elem.Plan.rules() + ", " + notNull + "]"})
			return
		}
	}
}

const notNull = "Member must not be null"

// broken reports whether a simple value does not satisfy its plan's enumeration and limits.
func (p *Plan) broken(v reflect.Value) bool {
	return p.enum != nil && !contains(p.enum, v.String()) || p.limit != nil && p.limit.broken(v)
}

// rules lists what a simple value must satisfy.
func (p *Plan) rules() string {
	var out []string
	if p.enum != nil {
		out = append(out, enumRule(p.enum))
	}
	if p.limit != nil {
		out = append(out, p.limit.all())
	}
	return strings.Join(out, ", ")
}

func (c *checker) entries(p *Plan, v reflect.Value, secret bool) {
	if !p.key.checks && !p.elem.Plan.checks {
		return
	}
	elem := p.elem.Plan
	for it := v.MapRange(); it.Next(); {
		if p.key.checks && p.key.broken(it.Key()) {
			c.report(Violation{Value: mapText(v), Secret: secret, Rule: "Map keys must satisfy constraint: [" + p.key.rules() + "]"})
			return
		}
		if !elem.checks {
			continue
		}
		ev, ok := p.elem.set(it.Value())
		switch {
		case !ok:
		case !elem.simple():
			c.push(step{name: it.Key().String(), element: true})
			c.check(elem, ev, secret || p.elem.Member.Sensitive)
			c.pop()
		case elem.broken(ev):
			c.report(Violation{Value: mapText(v), Secret: secret, Rule: "Map value must satisfy constraint: [" + elem.rules() + ", " + notNull + "]"})
			return
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
	case reflect.Pointer:
		if v.IsNil() {
			return "null"
		}
		return show(v.Elem())
	case reflect.Interface:
		return showUnion(v)
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

// showUnion prints a union, which Go has as a type for each member, as the one class that it is in Java. DynamoDB's attribute
// values have no toString of their own: equal ones print as the same number.
func showUnion(v reflect.Value) string {
	if v.IsNil() {
		return "null"
	}
	w := v.Elem()
	if w.Kind() == reflect.Pointer {
		w = w.Elem()
	}
	union := v.Type().Name()
	_, member, ok := strings.Cut(w.Type().Name(), "Member")
	if w.Kind() != reflect.Struct || w.NumField() == 0 || !ok {
		return union + "()" // a member that the model does not know
	}
	text := union + "(" + lowerFirst(member) + "=" + show(w.Field(0)) + ")"
	if union != "AttributeValue" {
		return text
	}
	sum := fnv.New32a()
	sum.Write([]byte(text))
	return fmt.Sprintf("com.amazonaws.dynamodb.v20120810.AttributeValue@%x", sum.Sum32())
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

func compileLimit(s *model.Shape, t reflect.Type) *limit {
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
		if t.Kind() == reflect.Float64 || t.Kind() == reflect.Float32 {
			return show(reflect.ValueOf(n))
		}
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

func compilePattern(java string) func(string) bool {
	re, forbidden, err := translate(java)
	switch {
	case err != nil:
		return func(string) bool { return true }
	case forbidden == nil:
		return re.MatchString
	}
	return func(s string) bool { return re.MatchString(s) && !forbidden.MatchString(s) }
}

// javaClasses are what Java writes otherwise than Go: the characters outside the basic plane as their surrogates, and a class.
var javaClasses = strings.NewReplacer(`\uD800\uDC00-\uDBFF\uDFFF`, `\x{10000}-\x{10FFFF}`, `\uDBFF\uDFFF`, `\x{10FFFF}`)

// javaPrint is Java's class of what can be printed. Go has it under a name that counts in brackets only.
const javaPrint = `\p{Print}`

// printable writes Java's class in Go's syntax, with brackets of its own where it stands in none.
func printable(p string) string {
	var b strings.Builder
	in := false
	for i := 0; i < len(p); i++ {
		switch {
		case strings.HasPrefix(p[i:], javaPrint):
			class := `[:print:]`
			if !in {
				class = `[` + class + `]`
			}
			b.WriteString(class)
			i += len(javaPrint) - 1
			continue
		case p[i] == '\\' && i+1 < len(p):
			b.WriteByte(p[i])
			i++
		case p[i] == '[':
			in = true
		case p[i] == ']':
			in = false
		}
		b.WriteByte(p[i])
	}
	return b.String()
}

// translate makes Go's expressions of a pattern: one for what a string must be as a whole, and perhaps one for what must not
// be found in it, since Go has none of Java's look-arounds. The models use them at the start, and, once, at the end.
func translate(java string) (re, forbidden *regexp.Regexp, err error) {
	p := unicodeEscape.ReplaceAllString(javaClasses.Replace(printable(java)), `\x{$1}`)
	if body, not, ok := leadingNot(p); ok {
		if forbidden, err = regexp.Compile(`^(?:` + not + `)`); err != nil {
			return nil, nil, err
		}
		p = body
	} else if body, not, ok := strings.Cut(p, `(?<!`); ok && strings.HasSuffix(not, `)$`) {
		if forbidden, err = regexp.Compile(`(?:` + strings.TrimSuffix(not, `)$`) + `)$`); err != nil {
			return nil, nil, err
		}
		p = body
	}
	re, err = regexp.Compile(`^(?:` + p + `)$`)
	return re, forbidden, err
}

// leadingNot cuts a negative look-ahead off the start of a pattern, behind what may stand before it.
func leadingNot(p string) (rest, not string, ok bool) {
	start := strings.Index(p, `(?!`)
	if start < 0 || strings.Trim(p[:start], `^(`) != "" {
		return "", "", false
	}
	depth := 0
	for i := start; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return p[:start] + p[i+1:], p[start+len(`(?!`) : i], true
			}
		}
	}
	return "", "", false
}

// CheckPattern reports why a pattern in Java's syntax cannot be matched.
func CheckPattern(java string) error {
	_, _, err := translate(java)
	return err
}
