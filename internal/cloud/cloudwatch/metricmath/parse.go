// Package metricmath answers: what does a CloudWatch metric math expression make of the metrics of a request?
//
// [Parse] reads an expression, [Expression.Eval] computes it in an [Env] that holds the request's time series. Values are
// scalars, time series, or arrays of time series; operators and functions combine them as the CloudWatch user guide says:
// in arithmetic and comparisons a value that one of two series lacks counts as 0, and what divides by zero is dropped.
package metricmath

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxDepth bounds how deep an expression nests.
const maxDepth = 64

// Expression is a parsed expression.
type Expression struct {
	root node
	refs []string
}

// References returns the ids of the metrics and expressions that the expression names.
func (e *Expression) References() []string { return e.refs }

// A node of the expression's tree.
type node interface{}

type (
	number float64
	text   string
	ref    string
	word   string // an upper-case word without parentheses: AVG, DESC, REPEAT
	array  []node
	unary  struct{ operand node }
	binary struct {
		op          string
		left, right node
	}
	apply struct {
		function string
		args     []node
	}
)

// Parse reads an expression. Its errors are fit for the caller of GetMetricData.
func Parse(src string) (*Expression, error) {
	if word, _, _ := strings.Cut(strings.TrimSpace(src), " "); strings.EqualFold(word, "SELECT") {
		return nil, errors.New("Metrics Insights queries (SELECT …) are not there in the embedded cloud")
	}
	tokens, err := scan(src)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	root, err := p.binary(0, 0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != end {
		return nil, fmt.Errorf("unexpected %s at position %d", t, t.at+1)
	}
	return &Expression{root: root, refs: p.refs}, nil
}

type parser struct {
	tokens []token
	refs   []string
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != end {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) expect(symbol string) error {
	if t := p.next(); t.kind != operator || t.text != symbol {
		return fmt.Errorf("expected %q instead of %s at position %d", symbol, t, t.at+1)
	}
	return nil
}

// levels are the binary operators, from the loosest to the tightest.
var levels = [][]string{
	{"OR", "||"},
	{"AND", "&&"},
	{"==", "!=", "<=", ">=", "<", ">"},
	{"+", "-"},
	{"*", "/"},
}

func (p *parser) binary(level, depth int) (node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the expression nests deeper than %d levels", maxDepth)
	}
	if level == len(levels) {
		return p.negation(depth)
	}
	left, err := p.binary(level+1, depth)
	if err != nil {
		return nil, err
	}
	for {
		t := p.peek()
		if t.kind != operator && t.kind != name || !slices.Contains(levels[level], t.text) {
			return left, nil
		}
		p.next()
		right, err := p.binary(level+1, depth)
		if err != nil {
			return nil, err
		}
		left = binary{op: t.text, left: left, right: right}
	}
}

func (p *parser) negation(depth int) (node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the expression nests deeper than %d levels", maxDepth)
	}
	if t := p.peek(); t.kind == operator && t.text == "-" {
		p.next()
		operand, err := p.negation(depth + 1)
		return unary{operand}, err
	}
	base, err := p.primary(depth)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind == operator && t.text == "^" {
		p.next()
		exponent, err := p.negation(depth + 1)
		return binary{op: "^", left: base, right: exponent}, err
	}
	return base, nil
}

func (p *parser) primary(depth int) (node, error) {
	t := p.next()
	switch {
	case t.kind == literal:
		return number(t.number), nil
	case t.kind == quoted:
		return text(t.text), nil
	case t.kind == name:
		return p.named(t, depth)
	case t.kind == operator && t.text == "(":
		n, err := p.binary(0, depth+1)
		if err != nil {
			return nil, err
		}
		return n, p.expect(")")
	case t.kind == operator && t.text == "[":
		items, err := p.list("]", depth)
		return array(items), err
	}
	return nil, fmt.Errorf("unexpected %s at position %d", t, t.at+1)
}

// named reads what a name begins: an id, a function's call, or a word that is an argument.
func (p *parser) named(t token, depth int) (node, error) {
	if c := t.text[0]; c >= 'a' && c <= 'z' {
		if !slices.Contains(p.refs, t.text) {
			p.refs = append(p.refs, t.text)
		}
		return ref(t.text), nil
	}
	if next := p.peek(); next.kind != operator || next.text != "(" {
		return word(t.text), nil
	}
	p.next()
	if _, ok := functions[t.text]; !ok && !laterFunctions[t.text] {
		return nil, fmt.Errorf("%s is not a function", t.text)
	}
	args, err := p.list(")", depth)
	return apply{function: t.text, args: args}, err
}

// list reads items between commas up to the closing symbol.
func (p *parser) list(closing string, depth int) ([]node, error) {
	if t := p.peek(); t.kind == operator && t.text == closing {
		p.next()
		return nil, nil
	}
	var items []node
	for {
		item, err := p.binary(0, depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		if t := p.peek(); t.kind == operator && t.text == "," {
			p.next()
			continue
		}
		return items, p.expect(closing)
	}
}

type kind int

const (
	end kind = iota
	literal
	quoted
	name
	operator
)

type token struct {
	kind   kind
	text   string
	number float64
	at     int
}

func (t token) String() string {
	if t.kind == end {
		return "the end"
	}
	return strconv.Quote(t.text)
}

// scan cuts the source into tokens; the last is the end.
func scan(src string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(src); {
		c := src[i]
		t := token{at: i}
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case isDigit(c) || c == '.':
			t.kind, t.text = literal, src[i:i+numberLength(src[i:])]
			n, err := strconv.ParseFloat(t.text, 64)
			if err != nil {
				return nil, fmt.Errorf("%q at position %d is not a number", t.text, i+1)
			}
			t.number = n
			i += len(t.text)
		case isLetter(c):
			length := 1
			for i+length < len(src) && (isLetter(src[i+length]) || isDigit(src[i+length])) {
				length++
			}
			t.kind, t.text = name, src[i:i+length]
			i += length
		case c == '"' || c == '\'':
			close := strings.IndexByte(src[i+1:], c)
			if close < 0 {
				return nil, fmt.Errorf("the text that begins at position %d does not end", i+1)
			}
			t.kind, t.text = quoted, src[i+1:i+1+close]
			i += close + 2
		default:
			t.kind, t.text = operator, symbol(src[i:])
			if t.text == "" {
				return nil, fmt.Errorf("unexpected %q at position %d", src[i:i+1], i+1)
			}
			i += len(t.text)
		}
		tokens = append(tokens, t)
	}
	return append(tokens, token{kind: end, at: len(src)}), nil
}

func symbol(s string) string {
	for _, op := range []string{"==", "!=", "<=", ">=", "&&", "||"} {
		if strings.HasPrefix(s, op) {
			return op
		}
	}
	if strings.IndexByte("+-*/^<>()[],", s[0]) >= 0 {
		return s[:1]
	}
	return ""
}

// numberLength returns the length of the number that s begins with: digits, a point, an exponent.
func numberLength(s string) int {
	i := 0
	for i < len(s) && (isDigit(s[i]) || s[i] == '.') {
		i++
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if j < len(s) && isDigit(s[j]) {
			for i = j; i < len(s) && isDigit(s[i]); {
				i++
			}
		}
	}
	return i
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
