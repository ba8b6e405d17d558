package vtl

import (
	"fmt"
	"strconv"
	"strings"
)

// expr is something that has a value.
type expr interface{ eval(*run) (any, error) }

type (
	literal   struct{ v any }
	quoted    struct{ nodes []node } // a string in double quotes, with references in it
	listExpr  []expr
	rangeExpr struct{ from, to expr }
	mapExpr   [][2]expr
	notExpr   struct{ e expr }
	binary    struct {
		op   string
		a, b expr
	}
	reference struct {
		name  string
		steps []step
	}
	step struct {
		name  string // property or method
		args  []expr // of a method
		call  bool
		index expr // [index]
	}
)

// atReference tells whether a reference begins here, and not just a dollar sign.
func (p *parser) atReference() bool {
	rest := strings.TrimPrefix(p.s[p.i+1:], "!")
	rest = strings.TrimPrefix(rest, "{")
	return rest != "" && isNameStart(rest[0])
}

func isNameStart(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
func isName(c byte) bool      { return isNameStart(c) || c >= '0' && c <= '9' || c == '-' }

func (p *parser) name() string {
	start := p.i
	for p.i < len(p.s) && isName(p.s[p.i]) {
		p.i++
	}
	return p.s[start:p.i]
}

// reference reads $name, ${name}, $!name, with what follows: .property, .method(…), [index].
func (p *parser) reference(depth int) (*reference, error) {
	if !p.atReference() {
		return nil, fmt.Errorf("a reference is expected")
	}
	p.i++
	if p.s[p.i] == '!' {
		p.i++
	}
	braces := p.s[p.i] == '{'
	if braces {
		p.i++
	}
	ref := &reference{name: p.name()}
	for p.i < len(p.s) {
		switch {
		case p.s[p.i] == '.' && p.i+1 < len(p.s) && isNameStart(p.s[p.i+1]):
			p.i++
			s, err := p.property(depth)
			if err != nil {
				return nil, err
			}
			ref.steps = append(ref.steps, s)
			continue
		case p.s[p.i] == '[':
			p.i++
			index, err := p.expression(depth + 1)
			if err != nil {
				return nil, err
			}
			if err := p.expect("]"); err != nil {
				return nil, err
			}
			ref.steps = append(ref.steps, step{index: index})
			continue
		}
		break
	}
	if braces {
		if p.i >= len(p.s) || p.s[p.i] != '}' {
			return nil, fmt.Errorf("a reference in braces has no }")
		}
		p.i++
	}
	return ref, nil
}

func (p *parser) property(depth int) (step, error) {
	s := step{name: p.name()}
	if p.i >= len(p.s) || p.s[p.i] != '(' {
		return s, nil
	}
	p.i++
	s.call = true
	args, err := p.items(")", depth)
	s.args = args
	return s, err
}

// items reads expressions between commas, up to and past the closing token.
func (p *parser) items(closing string, depth int) (all []expr, err error) {
	for {
		p.space()
		if strings.HasPrefix(p.s[p.i:], closing) {
			p.i += len(closing)
			return all, nil
		}
		if len(all) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		e, err := p.expression(depth + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
}

// levels are the binary operators, those that bind least first; each with its other spelling.
var levels = [][][2]string{
	{{"||", "or"}},
	{{"&&", "and"}},
	{{"==", "eq"}, {"!=", "ne"}},
	{{"<=", "le"}, {">=", "ge"}, {"<", "lt"}, {">", "gt"}},
	{{"+", ""}, {"-", ""}},
	{{"*", ""}, {"/", ""}, {"%", ""}},
}

func (p *parser) expression(depth int) (expr, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("nested more than %d deep", maxNesting)
	}
	return p.level(0, depth)
}

func (p *parser) level(n, depth int) (expr, error) {
	if n == len(levels) {
		return p.unary(depth)
	}
	a, err := p.level(n+1, depth)
	for err == nil {
		op := p.operator(levels[n])
		if op == "" {
			break
		}
		var b expr
		if b, err = p.level(n+1, depth); err == nil {
			a = binary{op, a, b}
		}
	}
	return a, err
}

func (p *parser) operator(ops [][2]string) string {
	p.space()
	for _, op := range ops {
		if strings.HasPrefix(p.s[p.i:], op[0]) {
			p.i += len(op[0])
			return op[0]
		}
		if op[1] != "" && leadingWord(p.s[p.i:]) == op[1] {
			p.i += len(op[1])
			return op[0]
		}
	}
	return ""
}

func (p *parser) unary(depth int) (expr, error) {
	p.space()
	if p.i >= len(p.s) {
		return nil, fmt.Errorf("a value is expected")
	}
	if depth > maxNesting {
		return nil, fmt.Errorf("nested more than %d deep", maxNesting)
	}
	switch c := p.s[p.i]; {
	case c == '!':
		p.i++
		e, err := p.unary(depth + 1)
		return notExpr{e}, err
	case c == '(':
		p.i++
		e, err := p.expression(depth + 1)
		if err != nil {
			return nil, err
		}
		return e, p.expect(")")
	case c == '$':
		return p.reference(depth)
	case c == '\'' || c == '"':
		return p.str(depth)
	case c == '[':
		p.i++
		return p.list(depth)
	case c == '{':
		p.i++
		return p.mapping(depth)
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	switch word := leadingWord(p.s[p.i:]); word {
	case "true", "false":
		p.i += len(word)
		return literal{word == "true"}, nil
	case "null":
		p.i += len(word)
		return literal{nil}, nil
	case "not":
		p.i += len(word)
		e, err := p.unary(depth + 1)
		return notExpr{e}, err
	}
	return nil, fmt.Errorf("a value is expected, not %.10q", p.s[p.i:])
}

func (p *parser) number() (expr, error) {
	start := p.i
	p.i++
	for p.i < len(p.s) && (p.s[p.i] >= '0' && p.s[p.i] <= '9' || p.s[p.i] == '.' && !strings.HasPrefix(p.s[p.i:], "..")) {
		p.i++
	}
	text := p.s[start:p.i]
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return literal{n}, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is not a number", text)
	}
	return literal{f}, nil
}

// str reads a string; in double quotes, references in it are resolved. A quote is written twice to stand for itself.
func (p *parser) str(depth int) (expr, error) {
	quote := p.s[p.i]
	p.i++
	var b strings.Builder
	for p.i < len(p.s) {
		c := p.s[p.i]
		p.i++
		switch {
		case c == quote && p.i < len(p.s) && p.s[p.i] == quote:
			b.WriteByte(quote)
			p.i++
		case c == quote:
			if quote == '\'' || !strings.ContainsAny(b.String(), "$#") {
				return literal{b.String()}, nil
			}
			inner := &parser{s: b.String(), macros: p.macros}
			nodes, end, err := inner.block(depth + 1)
			if err == nil && end != "" {
				err = fmt.Errorf("#%s in a string", end)
			}
			return quoted{nodes}, err
		case c == '\\' && quote == '"' && p.i < len(p.s) && p.s[p.i] == '"':
			b.WriteByte('"')
			p.i++
		default:
			b.WriteByte(c)
		}
	}
	return nil, fmt.Errorf("a string has no end")
}

func (p *parser) list(depth int) (expr, error) {
	p.space()
	start := p.i
	if p.i < len(p.s) && p.s[p.i] != ']' {
		from, err := p.expression(depth + 1)
		if err != nil {
			return nil, err
		}
		p.space()
		if strings.HasPrefix(p.s[p.i:], "..") {
			p.i += 2
			to, err := p.expression(depth + 1)
			if err != nil {
				return nil, err
			}
			return rangeExpr{from, to}, p.expect("]")
		}
	}
	p.i = start
	all, err := p.items("]", depth)
	return listExpr(all), err
}

func (p *parser) mapping(depth int) (expr, error) {
	var m mapExpr
	for {
		p.space()
		if strings.HasPrefix(p.s[p.i:], "}") {
			p.i++
			return m, nil
		}
		if len(m) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		k, err := p.expression(depth + 1)
		if err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		v, err := p.expression(depth + 1)
		if err != nil {
			return nil, err
		}
		m = append(m, [2]expr{k, v})
	}
}
