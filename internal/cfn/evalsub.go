package cfn

import (
	"strings"

	"evo/internal/source"
)

// subPiece is a part of Fn::Sub's text: plain, or the name inside ${…}.
type subPiece struct {
	text     string
	variable bool
}

// subPieces takes the text of Fn::Sub apart, and appends its pieces. ${!Name} is the text ${Name}; a ${ that nothing closes is text as well.
func subPieces(pieces []subPiece, text string) []subPiece {
	plain := ""
	for {
		before, rest, found := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			plain += text
			break
		}
		plain += before
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			plain += "${" + literal + "}"
		} else {
			if plain != "" {
				pieces = append(pieces, subPiece{text: plain})
			}
			plain = ""
			pieces = append(pieces, subPiece{text: strings.TrimSpace(name), variable: true})
		}
		text = after
	}
	if plain != "" {
		pieces = append(pieces, subPiece{text: plain})
	}
	return pieces
}

// SubVariables are the names inside ${…} in the text of Fn::Sub, in their order.
func SubVariables(text string) []string {
	var names []string
	for _, p := range subPieces(nil, text) {
		if p.variable {
			names = append(names, p.text)
		}
	}
	return names
}

// SubArguments reads the argument of Fn::Sub, "text" or ["text", {name: value}]; text is nil if arg is neither.
func SubArguments(arg *Node) (text, vars *Node) { return subArguments(arg) }

// subArguments reads "text" and ["text", {name: value}]; text is nil if arg is neither.
func subArguments(arg *Node) (text, vars *Node) {
	if arg.Is(String) {
		return arg, nil
	}
	items := arg.List()
	if len(items) == 2 && items[0].Is(String) && items[1].Is(Map) {
		return items[0], items[1]
	}
	return nil, nil
}

const subUsage = "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"

// checkSub refuses what cannot be a variable's name.
func checkSub(pieces []subPiece, n *Node) *source.Diagnostic {
	for _, p := range pieces {
		if p.variable && strings.ContainsFunc(p.text, func(r rune) bool { return r >= 128 || !alphanumeric(string(r)) && !strings.ContainsRune("_.:", r) }) {
			return source.Errorf(n.Span, "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons")
		}
	}
	return nil
}

// substitution is the pieces of a text whose values are put in: text that meets text becomes one, what is not known stands between.
type substitution struct {
	items []*Node // what is finished
	text  string  // what is not
}

func (j *substitution) end() []*Node {
	if j.text != "" {
		j.items, j.text = append(j.items, Str(j.text)), ""
	}
	return j.items
}

// callSub puts values into a text. With something unknown it becomes the Fn::Join of its pieces.
func (e *Evaluator) callSub(arg, n *Node) (*Node, error) {
	text, vars := subArguments(arg)
	if text == nil {
		return nil, source.Errorf(n.Span, "%s", subUsage)
	}
	var room [8]subPiece
	pieces := subPieces(room[:0], text.Text)
	if err := checkSub(pieces, n); err != nil {
		return nil, err
	}
	var made substitution
	for _, p := range pieces {
		if !p.variable {
			made.text += p.text
			continue
		}
		v, err := e.subValue(p.text, vars, n)
		if err != nil {
			return nil, err
		}
		if _, _, unknown := v.Intrinsic(); unknown {
			made.items = append(made.end(), at(v, n))
			continue
		}
		s, ok := v.Scalar()
		if !ok {
			return nil, source.Errorf(n.Span, "Template error: every value in Fn::Sub must be a string: ${%s} is not.", p.text)
		}
		made.text += s
	}
	if len(made.items) == 0 {
		return e.dynamic(at(Str(made.text), n))
	}
	return keep("Fn::Join", Arr(Str(""), Arr(made.end()...)), n), nil
}

// subValue is what ${name} stands for in n. If that is not known, it is the function that says the same.
func (e *Evaluator) subValue(name string, vars, n *Node) (*Node, error) {
	if v := vars.Get(name); v != nil {
		out, err := e.eval(v)
		if err == nil && out == absent {
			return nil, source.Errorf(n.Span, "%s", subUsage)
		}
		return out, err
	}
	id, attr, ok := strings.Cut(name, ".")
	if !ok {
		v, err := e.ref(name, n)
		if err == nil && v == nil {
			v = Ref(name)
		}
		return v, err
	}
	if id == "" || attr == "" {
		return nil, source.Errorf(n.Span, "%s", getAttUsage)
	}
	v, err := e.attribute(id, attr)
	if err == nil && v == nil {
		v = Obj(P("Fn::GetAtt", Arr(Str(id), Str(attr))))
	}
	return v, err
}
