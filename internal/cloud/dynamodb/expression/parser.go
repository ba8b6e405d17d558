// Package expression answers: what does an expression of DynamoDB say, what is wrong with it, and what does it make of an
// item?
//
// There are four languages with one vocabulary: conditions (ConditionExpression, FilterExpression), key conditions, projections and
// updates. Each Parse function takes the parameter's name for its messages, which are AWS's own, so that of several mistakes the
// one is reported that AWS reports. The older parameters (Expected, AttributeUpdates and their kin) become the same conditions and
// updates.
package expression

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxLength is how long an expression may be. It bounds how deeply the parser recurses, too.
const maxLength = 4096

// parser reads tokens of one expression. A syntax error ends the parsing; other mistakes are collected, and the one with the
// lowest rank counts: AWS looks for them in passes over the whole expression.
type parser struct {
	what   string // the parameter
	text   string
	params *Params

	previous, token token
	pos             int // behind token

	syntax error
	rank   int
	worst  error
}

func newParser(what, text string, params *Params) *parser {
	p := &parser{what: what, text: text, params: params, rank: math.MaxInt}
	p.previous.at = -1
	p.token, p.pos = next(text, 0)
	switch {
	case strings.TrimSpace(text) == "":
		p.fail("The expression can not be empty;")
	case len(text) > maxLength:
		p.fail("Expression size has exceeded the maximum allowed size; expression size: %d", len(text))
	}
	return p
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("Invalid %s: %s", p.what, fmt.Sprintf(format, args...))
}

// fail ends the parsing: all further tokens are the end.
func (p *parser) fail(format string, args ...any) {
	if p.syntax == nil {
		p.syntax = p.errorf(format, args...)
	}
	p.token = token{kind: tokenEnd}
	p.pos = len(p.text)
}

// unexpected fails at the token, and shows those beside it.
func (p *parser) unexpected() {
	if p.syntax != nil {
		return
	}
	from := max(p.previous.at, 0)
	if p.previous.at < 0 {
		from = p.token.at
	}
	_, end := next(p.text, p.pos)
	if p.token.kind == tokenEnd {
		end = p.previous.at + len(p.previous.text)
	}
	p.fail("Syntax error; token: \"%s\", near: \"%s\"", p.token.text, p.text[from:end])
}

// report notes a mistake that lets the parsing go on.
func (p *parser) report(rank int, format string, args ...any) {
	if rank < p.rank {
		p.rank, p.worst = rank, p.errorf(format, args...)
	}
}

// err returns what is wrong with the expression, once all of it has been read.
func (p *parser) err() error {
	if p.token.kind != tokenEnd {
		p.unexpected()
	}
	if p.syntax != nil {
		return p.syntax
	}
	return p.worst
}

func (p *parser) advance() token {
	t := p.token
	if p.syntax == nil {
		p.previous = t
		p.token, p.pos = next(p.text, p.pos)
	}
	return t
}

// accept takes the symbol if it comes next.
func (p *parser) accept(symbol string) bool {
	if !p.token.is(symbol) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(symbol string) {
	if !p.accept(symbol) {
		p.unexpected()
	}
}

// keyword says whether the keyword comes next, in whatever case.
func (p *parser) keyword(word string) bool {
	return p.token.kind == tokenWord && strings.EqualFold(p.token.text, word)
}

func (p *parser) acceptKeyword(word string) bool {
	if !p.keyword(word) {
		return false
	}
	p.advance()
	return true
}

// path reads a path. A reserved word is reported with the first rank, a name that is not defined with the second.
func (p *parser) path(reservedRank, undefinedRank int) Path {
	path := Path{p.member(reservedRank, undefinedRank)}
	for p.syntax == nil {
		switch {
		case p.accept("."):
			path = append(path, p.member(reservedRank, undefinedRank))
		case p.accept("["):
			path = append(path, p.element())
		default:
			return path
		}
	}
	return path
}

func (p *parser) member(reservedRank, undefinedRank int) Step {
	switch p.token.kind {
	case tokenWord:
		t := p.advance()
		if reserved(t.text) {
			p.report(reservedRank, "Attribute name is a reserved keyword; reserved keyword: %s", t.text)
		}
		return Step{Name: t.text}
	case tokenName:
		t := p.advance()
		name, ok := p.params.name(t.text)
		if !ok {
			p.report(undefinedRank, "An expression attribute name used in the document path is not defined; attribute name: %s", t.text)
			name = t.text
		}
		return Step{Name: name}
	}
	p.unexpected()
	return Step{Name: "?"}
}

func (p *parser) element() Step {
	if p.token.kind != tokenNumber {
		p.unexpected()
		return Step{}
	}
	index, err := strconv.Atoi(p.advance().text)
	if err != nil || index > math.MaxInt32 {
		p.fail("List index is not within the allowable range; index: [%s]", p.previous.text)
	}
	p.expect("]")
	return Step{Index: index}
}

// functionFollows says whether the word that comes next is followed by a bracket.
func (p *parser) functionFollows() bool {
	if p.token.kind != tokenWord {
		return false
	}
	t, _ := next(p.text, p.pos)
	return t.is("(")
}
