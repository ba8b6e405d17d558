package vtl

import (
	"fmt"
	"strings"
)

// macro is what #macro defines: a body with parameters. Its arguments are evaluated once, when it is called.
type macro struct {
	params []string
	body   []node
}

type (
	defineNode struct {
		name string
		body []node
	}
	macroNode struct {
		name string
		*macro
		args []expr
	}
)

// block is what a reference to a #define stands for: it is written anew each time, with the variables as they are then.
type block struct{ nodes []node }

func (n defineNode) run(r *run) error {
	r.vars[n.name] = block{n.body}
	return nil
}

func (n macroNode) run(r *run) error {
	if r.depth++; r.depth > maxNesting {
		return fmt.Errorf("#%s is nested more than %d deep", n.name, maxNesting)
	}
	defer func() { r.depth-- }()
	args := make([]any, len(n.params))
	for i, a := range n.args[:min(len(n.args), len(args))] {
		var err error
		if args[i], err = a.eval(r); err != nil {
			return err
		}
	}
	defer r.restore(n.params...)()
	for i, name := range n.params {
		r.vars[name] = args[i]
	}
	return r.all(n.body)
}

// restore returns a function that gives variables their values of now.
func (r *run) restore(names ...string) func() {
	old := make([]any, len(names))
	for i, name := range names {
		old[i] = r.vars[name]
	}
	return func() {
		for i, name := range names {
			r.vars[name] = old[i]
		}
	}
}

// define reads ($name) and a block.
func (p *parser) define(depth int) (node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	names, err := p.variables()
	if err != nil {
		return nil, err
	}
	if len(names) != 1 {
		return nil, fmt.Errorf("#define is written ($variable)")
	}
	body, err := p.body("define", depth)
	return defineNode{names[0], body}, err
}

// macro reads (name $parameter …) and a block. The macro is there from then on, also in its own body.
func (p *parser) macro(depth int) error {
	if err := p.expect("("); err != nil {
		return err
	}
	p.space()
	name := p.name()
	if name == "" {
		return fmt.Errorf("#macro needs a name")
	}
	params, err := p.variables()
	if err != nil {
		return err
	}
	m := &macro{params: params}
	p.macros[name] = m
	m.body, err = p.body("macro", depth)
	return err
}

// variables reads $a $b …, perhaps with commas between, past the closing parenthesis.
func (p *parser) variables() (names []string, err error) {
	for {
		p.space()
		switch rest := p.s[p.i:]; {
		case strings.HasPrefix(rest, ")"):
			p.i++
			p.endOfLine()
			return names, nil
		case strings.HasPrefix(rest, ",") && len(names) > 0:
			p.i++
		case len(rest) > 1 && rest[0] == '$' && isNameStart(rest[1]):
			p.i++
			names = append(names, p.name())
		default:
			return nil, fmt.Errorf("a variable is expected")
		}
	}
}

// body reads a directive's block up to its #end.
func (p *parser) body(of string, depth int) ([]node, error) {
	body, end, err := p.block(depth + 1)
	if err == nil && end != "end" {
		err = fmt.Errorf("a #%s has no #end", of)
	}
	return body, err
}

// called reads the call of a macro whose name begins here; nil if there is none.
func (p *parser) called(depth int) (node, error) {
	at := p.i
	p.i++
	name := p.name()
	m := p.macros[name]
	if m == nil || !strings.HasPrefix(p.s[p.i:], "(") {
		p.i = at
		return nil, nil
	}
	p.i++
	n := macroNode{name: name, macro: m}
	for {
		p.space()
		switch rest := p.s[p.i:]; {
		case strings.HasPrefix(rest, ")"):
			p.i++
			p.endOfLine()
			return n, nil
		case strings.HasPrefix(rest, ",") && len(n.args) > 0:
			p.i++
			continue
		}
		arg, err := p.expression(depth + 1)
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, arg)
	}
}
