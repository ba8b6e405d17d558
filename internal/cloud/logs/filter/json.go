package filter

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// maxDepth bounds how deep a pattern nests.
const maxDepth = 64

// condition tests a decoded JSON event, and notes the fields that it looked at.
type condition = func(event any, fields map[string]string) bool

// parseJSON reads { condition && (condition || condition) }.
func parseJSON(pattern string) (*Pattern, error) {
	if !strings.HasSuffix(pattern, "}") {
		return nil, fmt.Errorf("the brace at its beginning does not end")
	}
	p := &jsonParser{rest: pattern[1 : len(pattern)-1]}
	c, err := p.or(0)
	if err == nil && p.peek() != 0 {
		err = fmt.Errorf("unexpected %q", p.rest)
	}
	if err != nil {
		return nil, err
	}
	return &Pattern{func(message string) (map[string]string, bool) {
		decoder := json.NewDecoder(strings.NewReader(message))
		decoder.UseNumber()
		var event any
		if decoder.Decode(&event) != nil {
			return nil, false
		}
		fields := map[string]string{}
		if !c(event, fields) {
			return nil, false
		}
		return fields, true
	}}, nil
}

type jsonParser struct{ rest string }

// peek skips spaces and returns the next byte, or 0 at the end.
func (p *jsonParser) peek() byte {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

func (p *jsonParser) take(prefix string) bool {
	p.peek()
	rest, ok := strings.CutPrefix(p.rest, prefix)
	p.rest = rest
	return ok
}

func (p *jsonParser) or(depth int) (condition, error) {
	left, err := p.and(depth)
	for err == nil && p.take("||") {
		var right condition
		a := left
		right, err = p.and(depth)
		left = func(e any, f map[string]string) bool { return a(e, f) || right(e, f) }
	}
	return left, err
}

func (p *jsonParser) and(depth int) (condition, error) {
	left, err := p.primary(depth)
	for err == nil && p.take("&&") {
		var right condition
		a := left
		right, err = p.primary(depth)
		left = func(e any, f map[string]string) bool { return a(e, f) && right(e, f) }
	}
	return left, err
}

func (p *jsonParser) primary(depth int) (condition, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it nests deeper than %d levels", maxDepth)
	}
	if p.take("(") {
		c, err := p.or(depth + 1)
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a parenthesis does not end")
		}
		return c, err
	}
	name, path, err := p.selector()
	if err != nil {
		return nil, err
	}
	for _, word := range []string{"IS NULL", "IS TRUE", "IS FALSE", "NOT EXISTS"} {
		if p.take(word) {
			return kindTest(word, path), nil
		}
	}
	for _, op := range comparisonOperators {
		if !p.take(op) {
			continue
		}
		operand, err := p.operand()
		if err != nil {
			return nil, err
		}
		c, err := newComparison(op, operand)
		if err != nil {
			return nil, err
		}
		return compareField(name, path, c), nil
	}
	return nil, fmt.Errorf("%s must be followed by a comparison", name)
}

func kindTest(word string, path []string) condition {
	return func(event any, _ map[string]string) bool {
		v, ok := lookup(event, path)
		switch word {
		case "IS NULL":
			return ok && v == nil
		case "IS TRUE":
			return v == true
		case "IS FALSE":
			return v == false
		}
		return !ok
	}
}

func compareField(name string, path []string, c comparison) condition {
	return func(event any, fields map[string]string) bool {
		v, ok := lookup(event, path)
		if !ok {
			return false
		}
		s, ok := asText(v)
		if !ok || !c.holds(s) {
			return false
		}
		fields[name] = s
		return true
	}
}

func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// Field returns the value at a selector like $.a.b[0] of a JSON event, as text.
func Field(event, selector string) (string, bool) {
	p := &jsonParser{rest: selector}
	_, path, err := p.selector()
	decoder := json.NewDecoder(strings.NewReader(event))
	decoder.UseNumber()
	var v any
	if err != nil || p.rest != "" || decoder.Decode(&v) != nil {
		return "", false
	}
	v, ok := lookup(v, path)
	if !ok {
		return "", false
	}
	return asText(v)
}

func lookup(v any, path []string) (any, bool) {
	for _, step := range path {
		switch node := v.(type) {
		case map[string]any:
			next, ok := node[step]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(node) {
				return nil, false
			}
			v = node[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// selector reads $.name.name[0]['name'].
func (p *jsonParser) selector() (name string, path []string, err error) {
	if p.peek() != '$' {
		return "", nil, fmt.Errorf("%q is not a selector: it must begin with $", p.rest)
	}
	whole := p.rest
	p.rest = p.rest[1:]
	for p.rest != "" {
		switch p.rest[0] {
		case '.':
			p.rest = p.rest[1:]
			if strings.HasPrefix(p.rest, "[") {
				continue
			}
			n := strings.IndexAny(p.rest, " \t\r\n.[]=!<>()&|")
			if n < 0 {
				n = len(p.rest)
			}
			if n == 0 {
				return "", nil, fmt.Errorf("the selector %q has a step without a name", whole)
			}
			path, p.rest = append(path, p.rest[:n]), p.rest[n:]
		case '[':
			step, rest, ok := strings.Cut(p.rest[1:], "]")
			step = strings.Trim(step, `'"`)
			if !ok || step == "" {
				return "", nil, fmt.Errorf("the selector %q has a bracket that does not end", whole)
			}
			path, p.rest = append(path, step), rest
		default:
			return strings.TrimSuffix(whole, p.rest), path, nil
		}
	}
	return whole, path, nil
}

// operand reads what a field is compared with.
func (p *jsonParser) operand() (string, error) {
	switch p.peek() {
	case 0:
		return "", fmt.Errorf("it ends where a value is expected")
	case '"':
		_, rest, err := quotedText(p.rest)
		if err != nil {
			return "", err
		}
		operand := strings.TrimSuffix(p.rest, rest)
		p.rest = rest
		return operand, nil
	case '%':
		n := strings.IndexByte(p.rest[1:], '%')
		if n < 0 {
			return "", fmt.Errorf("a regular expression does not end")
		}
		operand := p.rest[:n+2]
		p.rest = p.rest[n+2:]
		return operand, nil
	}
	n := strings.IndexAny(p.rest, " \t\r\n()&|=!<>")
	if n < 0 {
		n = len(p.rest)
	}
	if n == 0 {
		return "", fmt.Errorf("unexpected %q where a value is expected", p.rest)
	}
	operand := p.rest[:n]
	p.rest = p.rest[n:]
	return operand, nil
}
