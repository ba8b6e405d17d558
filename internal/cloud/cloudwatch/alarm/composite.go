package alarm

import (
	"fmt"
	"slices"
	"strings"
)

// Composite is the rule of a composite alarm: ALARM(name), OK(name) and INSUFFICIENT_DATA(name) of other alarms, TRUE and
// FALSE, joined by AND, OR, NOT and parentheses.
type Composite struct {
	holds    func(state func(name string) State) bool
	children []string
}

// maxDepth and maxChildren bound a rule; the second is CloudWatch's.
const (
	maxDepth    = 64
	maxChildren = 100
)

// Children returns the alarms that the rule names, by name or ARN, as they are written.
func (c *Composite) Children() []string { return c.children }

// State returns ALARM where the rule holds, given the states of the alarms that it names, else OK.
func (c *Composite) State(of func(name string) State) State {
	if c.holds(of) {
		return Alarm
	}
	return OK
}

// ParseComposite reads a rule.
func ParseComposite(src string) (*Composite, error) {
	words, err := ruleWords(src)
	if err != nil {
		return nil, err
	}
	p := &ruleParser{words: words}
	holds, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if len(p.words) > 0 {
		return nil, fmt.Errorf("unexpected %q", p.words[0])
	}
	if len(p.children) > maxChildren {
		return nil, fmt.Errorf("it names more than %d alarms", maxChildren)
	}
	return &Composite{holds: holds, children: p.children}, nil
}

type condition = func(state func(name string) State) bool

type ruleParser struct {
	words    []string
	children []string
}

func (p *ruleParser) take(word string) bool {
	if len(p.words) == 0 || p.words[0] != word {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *ruleParser) or(depth int) (condition, error) {
	left, err := p.and(depth)
	for err == nil && p.take("OR") {
		var right condition
		a := left
		right, err = p.and(depth)
		left = func(s func(string) State) bool { return a(s) || right(s) }
	}
	return left, err
}

func (p *ruleParser) and(depth int) (condition, error) {
	left, err := p.not(depth)
	for err == nil && p.take("AND") {
		var right condition
		a := left
		right, err = p.not(depth)
		left = func(s func(string) State) bool { return a(s) && right(s) }
	}
	return left, err
}

func (p *ruleParser) not(depth int) (condition, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it nests deeper than %d levels", maxDepth)
	}
	switch {
	case p.take("NOT"):
		c, err := p.not(depth + 1)
		return func(s func(string) State) bool { return !c(s) }, err
	case p.take("("):
		c, err := p.or(depth + 1)
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a parenthesis does not end")
		}
		return c, err
	case p.take("TRUE"):
		return func(func(string) State) bool { return true }, nil
	case p.take("FALSE"):
		return func(func(string) State) bool { return false }, nil
	}
	for _, s := range []State{Alarm, OK, InsufficientData} {
		if p.take(string(s)) {
			return p.inState(s)
		}
	}
	if len(p.words) == 0 {
		return nil, fmt.Errorf("it ends where a condition is expected")
	}
	return nil, fmt.Errorf("unexpected %q", p.words[0])
}

func (p *ruleParser) inState(want State) (condition, error) {
	if !p.take("(") || len(p.words) == 0 {
		return nil, fmt.Errorf("%s must be followed by an alarm's name in parentheses", want)
	}
	name := strings.Trim(p.words[0], `"'`)
	p.words = p.words[1:]
	if name == "" || name == "(" || name == ")" {
		return nil, fmt.Errorf("%s must be followed by an alarm's name in parentheses", want)
	}
	if !p.take(")") {
		return nil, fmt.Errorf("the parenthesis after %q does not end", name)
	}
	if !slices.Contains(p.children, name) {
		p.children = append(p.children, name)
	}
	return func(state func(string) State) bool { return state(name) == want }, nil
}

// ruleWords cuts at spaces and parentheses outside of quotes.
func ruleWords(src string) ([]string, error) {
	var words []string
	start, quote := -1, byte(0)
	flush := func(end int) {
		if start >= 0 {
			words = append(words, src[start:end])
			start = -1
		}
	}
	for i := range len(src) {
		switch c := src[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
			if start < 0 {
				start = i
			}
		case c == '(' || c == ')':
			flush(i)
			words = append(words, src[i:i+1])
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			flush(i)
		case start < 0:
			start = i
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quotation mark does not end")
	}
	flush(len(src))
	return words, nil
}
