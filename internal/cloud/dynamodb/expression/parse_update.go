package expression

import (
	"evo/internal/cloud/dynamodb/item"
)

// The passes in which AWS looks for mistakes in an update.
const (
	rankUpdateReserved = iota
	rankUpdateFunction
	rankUpdateSection
	rankUpdateName
	rankUpdateValue
	rankUpdateOverlap
	rankUpdateConflict
	rankUpdateOperator
	rankUpdateOperand
)

// ParseUpdate parses an UpdateExpression.
func ParseUpdate(text string, params *Params) (*Update, error) {
	p := &updateParser{parser: newParser("UpdateExpression", text, params)}
	seen := map[string]bool{}
	for {
		section := p.section()
		if section == "" {
			p.unexpected()
			break
		}
		if seen[section] {
			p.report(rankUpdateSection, "The %q section can only be used once in an update expression;", section)
		}
		seen[section] = true
		p.action(section)
		for p.accept(",") {
			p.action(section)
		}
		if p.token.kind == tokenEnd {
			break
		}
	}
	if p.syntax == nil {
		p.checkClashes(paths(p.actions), rankUpdateOverlap, rankUpdateConflict)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return NewUpdate(p.actions), nil
}

type updateParser struct {
	*parser
	actions []Action
}

// section takes a section's keyword if one comes next, and returns it as AWS writes it.
func (p *updateParser) section() string {
	for _, s := range []string{"SET", "REMOVE", "ADD", "DELETE"} {
		if p.acceptKeyword(s) {
			return s
		}
	}
	return ""
}

func (p *updateParser) target() Path { return p.path(rankUpdateReserved, rankUpdateName) }

func (p *updateParser) action(section string) {
	a := Action{Path: p.target()}
	switch section {
	case "SET":
		a.Kind = Set
		p.expect("=")
		a.value = p.value()
	case "REMOVE":
		a.Kind = Remove
	case "ADD":
		a.Kind = Add
		a.Value = p.member("ADD", "N", "SS", "NS", "BS")
	case "DELETE":
		a.Kind = Delete
		a.Value = p.member("DELETE", "SS", "NS", "BS")
	}
	p.actions = append(p.actions, a)
}

// typeNames are the types as messages about ADD and DELETE call them.
var typeNames = map[string]string{
	"S": "STRING", "N": "NUMBER", "B": "BINARY", "BOOL": "BOOLEAN", "NULL": "NULL", "L": "LIST", "M": "MAP",
}

// member reads the value of ADD or DELETE, which must be of one of the types.
func (p *updateParser) member(operator string, allowed ...string) item.Value {
	if p.token.kind != tokenValue {
		p.unexpected()
		return nil
	}
	v := p.constant().v
	t := item.Type(v)
	for _, a := range allowed {
		if v == nil || t == a {
			return v
		}
	}
	p.report(rankUpdateOperator, "Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: ALLOWED_FOR_%s_OPERAND",
		operator, typeNames[t], operator)
	return v
}

// value reads what SET sets.
func (p *updateParser) value() computed {
	if p.accept("(") {
		v := p.value()
		p.expect(")")
		if p.token.is("+") || p.token.is("-") {
			return p.sum(v)
		}
		return v
	}
	return p.sum(p.operand())
}

// sum reads the rest of a + b or a - b, if there is one.
func (p *updateParser) sum(a computed) computed {
	if !p.token.is("+") && !p.token.is("-") {
		return a
	}
	op := p.advance().text
	b := p.operand()
	p.checkTypes(op, "N", a, b)
	return arithmetic{op, a, b}
}

func (p *updateParser) operand() computed {
	switch {
	case p.accept("("):
		o := p.operand()
		p.expect(")")
		return o
	case p.token.kind == tokenValue:
		return p.constant()
	case p.functionFollows():
		return p.function()
	}
	return attribute{p.target()}
}

func (p *updateParser) constant() literal {
	key := p.advance().text
	v, ok := p.params.value(key)
	if !ok {
		p.report(rankUpdateValue, "An expression attribute value used in expression is not defined; attribute value: %s", key)
	}
	return literal{v}
}

func (p *updateParser) function() computed {
	name := p.advance().text
	p.expect("(")
	args := []computed{p.operand()}
	for p.accept(",") {
		args = append(args, p.operand())
	}
	p.expect(")")
	switch {
	case name != "if_not_exists" && name != "list_append":
		p.report(rankUpdateFunction, "Invalid function name; function: %s", name)
		return literal{}
	case len(args) != 2:
		p.report(rankUpdateOperand, "Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", name, len(args))
		return literal{}
	case name == "list_append":
		p.checkTypes(name, "L", args...)
		return appended{args[0], args[1]}
	}
	path, ok := args[0].(attribute)
	if !ok {
		p.report(rankUpdateOperand, "Operator or function requires a document path; operator or function: %s", name)
	}
	return unlessExists{path.path, args[1]}
}

// checkTypes reports constants that are not of the type that the function needs.
func (p *updateParser) checkTypes(function, want string, args ...computed) {
	for _, a := range args {
		if c, ok := a.(literal); ok && c.v != nil && item.Type(c.v) != want {
			p.report(rankUpdateOperand, "Incorrect operand type for operator or function; operator or function: %s, operand type: %s", function, item.Type(c.v))
		}
	}
}

func paths(actions []Action) []Path {
	all := make([]Path, len(actions))
	for i, a := range actions {
		all[i] = a.Path
	}
	return all
}
