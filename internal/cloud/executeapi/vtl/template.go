// Package vtl answers: what does one of API Gateway's mapping templates make of its variables?
//
// Templates are written in the Velocity Template Language. What is here: references with properties, calls and indexes, #set,
// #if, #elseif, #else, #foreach, #break, #stop, #define, #macro, comments, text between #[[ and ]]#, the operators of expressions,
// lists, maps and ranges, and the methods of strings, numbers, lists and maps that templates use. What is not here (#parse, #include,
// #evaluate) is refused when the template is parsed; a method that does not exist, when it is called.
//
// A reference that leads nowhere is written as nothing, as API Gateway does.
package vtl

import (
	"fmt"
	"strings"
)

// Template is a parsed template. It can be executed by several goroutines at once.
type Template struct{ nodes []node }

// maxNesting is how deeply blocks and expressions may be nested.
const maxNesting = 100

// node is a piece of a template: text, a reference, or a directive.
type node interface{ run(*run) error }

type (
	textNode string
	refNode  struct{ e expr }
	setNode  struct {
		target *reference
		value  expr
	}
	ifNode struct {
		conditions []expr
		blocks     [][]node // one more than conditions if there is an #else
	}
	forNode struct {
		name string
		list expr
		body []node
	}
	breakNode struct{}
	stopNode  struct{}
)

// Parse reads a template.
func Parse(text string) (*Template, error) {
	p := &parser{s: text, macros: map[string]*macro{}}
	nodes, end, err := p.block(0)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", 1+strings.Count(text[:p.i], "\n"), err)
	}
	if end != "" {
		return nil, fmt.Errorf("line %d: #%s without its beginning", 1+strings.Count(text[:p.i], "\n"), end)
	}
	return &Template{nodes}, nil
}

type parser struct {
	s      string
	i      int
	macros map[string]*macro // those that have been read
}

// block reads nodes up to the end of the text, or past an #end, #else or #elseif, whose name it returns.
func (p *parser) block(depth int) (nodes []node, end string, err error) {
	if depth > maxNesting {
		return nil, "", fmt.Errorf("nested more than %d deep", maxNesting)
	}
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			nodes = append(nodes, textNode(text.String()))
			text.Reset()
		}
	}
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case c == '\\' && p.i+1 < len(p.s) && (p.s[p.i+1] == '$' || p.s[p.i+1] == '#'):
			text.WriteByte(p.s[p.i+1])
			p.i += 2
		case c == '$' && p.atReference():
			ref, err := p.reference(depth)
			if err != nil {
				return nil, "", err
			}
			flush()
			nodes = append(nodes, refNode{ref})
		case c == '#':
			n, word, literal, err := p.directive(depth)
			if err != nil {
				return nil, "", err
			}
			text.WriteString(literal)
			if n != nil {
				flush()
				nodes = append(nodes, n)
			}
			if word != "" {
				flush()
				return nodes, word, nil
			}
		default:
			text.WriteByte(c)
			p.i++
		}
	}
	flush()
	return nodes, "", nil
}

// directive reads what begins with #: a node, a word that ends a block, or text that only looks like a directive.
func (p *parser) directive(depth int) (n node, end, literal string, err error) {
	rest := p.s[p.i+1:]
	switch {
	case strings.HasPrefix(rest, "#"):
		line, _, _ := strings.Cut(rest, "\n")
		p.i += 1 + len(line)
		if p.i < len(p.s) {
			p.i++ // the comment's own end of line
		}
		return nil, "", "", nil
	case strings.HasPrefix(rest, "*"):
		_, _, closed := strings.Cut(rest, "*#")
		if !closed {
			return nil, "", "", fmt.Errorf("a #* comment has no end")
		}
		p.i += 1 + strings.Index(rest, "*#") + 2
		return nil, "", "", nil
	case strings.HasPrefix(rest, "[["):
		text, _, closed := strings.Cut(rest[2:], "]]#")
		if !closed {
			return nil, "", "", fmt.Errorf("#[[ has no ]]#")
		}
		p.i += len("#[[]]#") + len(text)
		return nil, "", text, nil
	}
	word := leadingWord(strings.TrimPrefix(rest, "{"))
	skip := 1 + len(word)
	if strings.HasPrefix(rest, "{") && strings.HasPrefix(rest[1+len(word):], "}") {
		skip += 2
	}
	switch word {
	case "set", "if", "elseif", "else", "end", "foreach", "break", "stop", "define", "macro":
		p.i += skip
	case "parse", "include", "evaluate", "return":
		return nil, "", "", fmt.Errorf("#%s is not there", word)
	default:
		if n, err := p.called(depth); n != nil || err != nil {
			return n, "", "", err
		}
		p.i++
		return nil, "", "#", nil
	}
	switch word {
	case "set":
		n, err = p.set(depth)
	case "if":
		n, err = p.conditional(depth)
	case "foreach":
		n, err = p.loop(depth)
	case "define":
		n, err = p.define(depth)
	case "macro":
		err = p.macro(depth)
	case "break":
		n = breakNode{}
	case "stop":
		n = stopNode{}
	default:
		end = word
		if word == "end" || word == "else" {
			p.endOfLine()
		}
	}
	return n, end, "", err
}

func leadingWord(s string) string {
	i := 0
	for i < len(s) && (s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z') {
		i++
	}
	return s[:i]
}

// endOfLine eats the rest of a line that has only a directive left on it.
func (p *parser) endOfLine() {
	i := p.i
	for i < len(p.s) && (p.s[i] == ' ' || p.s[i] == '\t' || p.s[i] == '\r') {
		i++
	}
	if i < len(p.s) && p.s[i] == '\n' {
		p.i = i + 1
	}
}

func (p *parser) set(depth int) (node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	p.space()
	if p.i >= len(p.s) || p.s[p.i] != '$' {
		return nil, fmt.Errorf("#set needs a variable to set")
	}
	target, err := p.reference(depth)
	if err != nil {
		return nil, err
	}
	if err := p.expect("="); err != nil {
		return nil, err
	}
	value, err := p.expression(depth + 1)
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	p.endOfLine()
	return setNode{target, value}, nil
}

func (p *parser) condition(depth int) (expr, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	e, err := p.expression(depth + 1)
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	p.endOfLine()
	return e, nil
}

func (p *parser) conditional(depth int) (node, error) {
	var n ifNode
	end := "elseif"
	for end != "end" {
		if end == "elseif" {
			c, err := p.condition(depth)
			if err != nil {
				return nil, err
			}
			n.conditions = append(n.conditions, c)
		}
		wasElse := end == "else"
		body, next, err := p.block(depth + 1)
		if err != nil {
			return nil, err
		}
		if next == "" {
			return nil, fmt.Errorf("an #if has no #end")
		}
		if wasElse && next != "end" {
			return nil, fmt.Errorf("#%s after #else", next)
		}
		n.blocks = append(n.blocks, body)
		end = next
	}
	return n, nil
}

func (p *parser) loop(depth int) (node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	p.space()
	if p.i >= len(p.s) || p.s[p.i] != '$' {
		return nil, fmt.Errorf("#foreach needs a variable")
	}
	v, err := p.reference(depth)
	if err != nil {
		return nil, err
	}
	p.space()
	if !strings.HasPrefix(p.s[p.i:], "in") || len(v.steps) > 0 {
		return nil, fmt.Errorf("#foreach is written ($variable in list)")
	}
	p.i += 2
	list, err := p.expression(depth + 1)
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	p.endOfLine()
	body, err := p.body("foreach", depth)
	return forNode{v.name, list, body}, err
}

func (p *parser) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
}

// expect reads a token, after white space.
func (p *parser) expect(token string) error {
	p.space()
	if !strings.HasPrefix(p.s[p.i:], token) {
		return fmt.Errorf("%q is expected", token)
	}
	p.i += len(token)
	return nil
}
