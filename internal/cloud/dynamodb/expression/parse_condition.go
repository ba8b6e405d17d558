package expression

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/item"
)

// The passes in which AWS looks for mistakes in a condition. The last ones are made for each comparison by itself.
const (
	rankParentheses = iota
	rankUnknownFunction
	rankMisusedFunction
	rankReserved
	rankComparison // and from here on
)

const (
	passUndefined = iota
	passCount
	passDistinct
	passType
	passes
)

// ParseCondition parses a ConditionExpression, FilterExpression or the like.
func ParseCondition(what, text string, params *Params) (Condition, error) {
	p := &conditionParser{parser: newParser(what, text, params)}
	c := p.condition(p.or())
	if err := p.err(); err != nil {
		return nil, err
	}
	return c, nil
}

type conditionParser struct {
	*parser
	comparisons int // read so far
}

// term is a part of a condition: a condition, an operand, or, of a function whose place decides, both.
type term struct {
	condition Condition
	operand   operand
	function  string
	bracketed bool
}

// rankOf returns the rank of a pass over the comparison that is being read.
func (p *conditionParser) rankOf(pass int) int { return rankComparison + passes*p.comparisons + pass }

// condition demands that t is one.
func (p *conditionParser) condition(t term) Condition {
	if t.condition == nil {
		if t.function != "" {
			p.misused(t.function)
		} else {
			p.unexpected()
		}
		return and{}
	}
	return t.condition
}

// value demands that t is an operand.
func (p *conditionParser) value(t term) operand {
	if t.operand == nil {
		if t.function != "" {
			p.misused(t.function)
		} else {
			p.unexpected()
		}
		return constant{}
	}
	return t.operand
}

func (p *conditionParser) misused(function string) {
	p.report(rankMisusedFunction, "The function is not allowed to be used this way in an expression; function: %s", function)
}

func (p *conditionParser) or() term {
	t := p.and()
	for p.acceptKeyword("OR") {
		t = term{condition: or{p.condition(t), p.condition(p.and())}}
	}
	return t
}

func (p *conditionParser) and() term {
	t := p.not()
	for p.acceptKeyword("AND") {
		t = term{condition: and{p.condition(t), p.condition(p.not())}}
	}
	return t
}

func (p *conditionParser) not() term {
	if p.acceptKeyword("NOT") {
		return term{condition: not{p.condition(p.not())}}
	}
	return p.comparison()
}

// comparison reads one, or a term that stands alone.
func (p *conditionParser) comparison() term {
	x := p.primary()
	switch {
	case p.token.kind == tokenSymbol && slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, p.token.text):
		a := p.value(x)
		op := p.advance().text
		b := p.value(p.primary())
		p.checkComparison(op, a, b)
		x = term{condition: comparison{op, a, b}}
	case p.keyword("BETWEEN"):
		a := p.value(x)
		p.advance()
		low := p.value(p.primary())
		if !p.acceptKeyword("AND") {
			p.unexpected()
		}
		high := p.value(p.primary())
		p.checkBetween(a, low, high)
		x = term{condition: between{a, low, high}}
	case p.keyword("IN"):
		a := p.value(x)
		p.advance()
		p.expect("(")
		list := p.arguments()
		if len(list) > 100 {
			p.fail("The IN operator is provided with too many operands; number of operands: %d", len(list))
		}
		x = term{condition: in{a, list}}
	default:
		return x
	}
	p.comparisons++
	return x
}

// primary reads an operand, a function, or a term in brackets.
func (p *conditionParser) primary() term {
	if p.accept("(") {
		t := p.or()
		p.expect(")")
		if t.bracketed {
			p.report(rankParentheses, "The expression has redundant parentheses;")
		}
		t.bracketed = true
		return t
	}
	switch {
	case p.functionFollows() && !p.anyKeyword():
		return p.function()
	case p.token.kind == tokenValue:
		return term{operand: p.constant()}
	case p.anyKeyword():
		p.unexpected()
		return term{operand: constant{}}
	}
	return term{operand: p.path(rankReserved, p.rankOf(passUndefined))}
}

func (p *conditionParser) anyKeyword() bool {
	return slices.ContainsFunc([]string{"AND", "OR", "NOT", "BETWEEN", "IN"}, p.keyword)
}

func (p *conditionParser) constant() operand {
	key := p.advance().text
	v, ok := p.params.value(key)
	if !ok {
		p.report(p.rankOf(passUndefined), "An expression attribute value used in expression is not defined; attribute value: %s", key)
	}
	return constant{v}
}

// arguments reads operands up to the closing bracket.
func (p *conditionParser) arguments() []operand {
	list := []operand{p.value(p.primary())}
	for p.accept(",") {
		list = append(list, p.value(p.primary()))
	}
	p.expect(")")
	return list
}

// arity is how many operands each function takes.
var arity = map[string]int{
	"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2, "size": 1,
}

func (p *conditionParser) function() term {
	name := p.advance().text
	p.expect("(")
	args := p.arguments()
	want, known := arity[name]
	switch {
	case !known:
		p.report(rankUnknownFunction, "Invalid function name; function: %s", name)
	case len(args) != want:
		p.report(p.rankOf(passCount), "Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", name, len(args))
	default:
		p.checkDistinct(name, args)
		p.checkFunction(name, args)
	}
	t := term{function: name}
	if name == "size" {
		t.operand = size{args[0]}
	} else {
		t.condition = call{name, args}
		p.comparisons++
	}
	return t
}

func (p *conditionParser) checkFunction(name string, args []operand) {
	if _, ok := args[0].(Path); !ok && strings.HasPrefix(name, "attribute_") && name != "attribute_type" {
		p.report(p.rankOf(passType), "Operator or function requires a document path; operator or function: %s", name)
	}
	switch name {
	case "begins_with":
		for _, o := range args {
			if t := knownType(o); t != "" && t != "S" && t != "B" {
				p.wrongType(name, t)
			}
		}
	case "size":
		if t := knownType(args[0]); t == "N" || t == "BOOL" || t == "NULL" {
			p.wrongType(name, t)
		}
	case "attribute_type":
		p.checkTypeName(args[1])
	}
}

func (p *conditionParser) checkTypeName(o operand) {
	t := knownType(o)
	if t == "" {
		t = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
	}
	c, ok := o.(constant)
	if !ok || t != "S" {
		p.wrongType("attribute_type", t)
		return
	}
	name := c.v.(*types.AttributeValueMemberS).Value
	if !slices.Contains([]string{"B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"}, name) {
		p.report(p.rankOf(passType), "Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", name)
	}
}

func (p *conditionParser) wrongType(function, t string) {
	p.report(p.rankOf(passType), "Incorrect operand type for operator or function; operator or function: %s, operand type: %s", function, t)
}

func (p *conditionParser) checkComparison(op string, a, b operand) {
	p.checkDistinct(op, []operand{a, b})
	if op != "=" && op != "<>" {
		p.checkOrdered(op, a, b)
	}
}

// checkOrdered demands operands between which there may be an order.
func (p *conditionParser) checkOrdered(op string, operands ...operand) {
	for _, o := range operands {
		if t := knownType(o); t != "" && t != "S" && t != "N" && t != "B" {
			p.wrongType(op, t)
		}
	}
}

func (p *conditionParser) checkDistinct(op string, args []operand) {
	if len(args) != 2 {
		return
	}
	a, ok := args[0].(Path)
	b, ok2 := args[1].(Path)
	if ok && ok2 && slices.Equal(a, b) {
		p.report(p.rankOf(passDistinct), "The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s", op, a)
	}
}

func (p *conditionParser) checkBetween(x, low, high operand) {
	p.checkOrdered("BETWEEN", x, low, high)
	a, ok := low.(constant)
	b, ok2 := high.(constant)
	if !ok || !ok2 || a.v == nil || b.v == nil {
		return
	}
	order, comparable := item.Compare(a.v, b.v)
	switch {
	case item.Type(a.v) != item.Type(b.v):
		p.report(p.rankOf(passType), "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: %s, upper bound operand: %s", show(a.v), show(b.v))
	case comparable && order > 0:
		p.report(p.rankOf(passType), "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: %s, upper bound operand: %s", show(a.v), show(b.v))
	}
}

// show writes a value as AWS's messages do.
func show(v item.Value) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return "AttributeValue: {S:" + v.Value + "}"
	case *types.AttributeValueMemberN:
		return "AttributeValue: {N:" + v.Value + "}"
	case *types.AttributeValueMemberB:
		return "AttributeValue: {B:" + base64.StdEncoding.EncodeToString(v.Value) + "}"
	}
	return fmt.Sprintf("AttributeValue: {%s}", item.Type(v))
}
