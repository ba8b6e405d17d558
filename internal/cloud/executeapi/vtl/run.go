package vtl

import (
	"errors"
	"fmt"
	"strings"
)

// Limits of one execution.
const (
	maxSteps  = 1_000_000
	maxOutput = 10 << 20
)

var (
	errBreak = errors.New("#break outside of a #foreach")
	errStop  = errors.New("#stop")
)

// run is one execution of a template.
type run struct {
	vars  map[string]any
	out   strings.Builder
	steps int
	size  int
	depth int // of macros and blocks
}

// Execute writes the template with the variables. The map is changed by what the template sets.
func (t *Template) Execute(vars map[string]any) (string, error) {
	r := &run{vars: vars}
	if err := r.all(t.nodes); err != nil && err != errStop {
		return "", err
	}
	return r.out.String(), nil
}

func (r *run) step() error {
	if r.steps++; r.steps > maxSteps {
		return fmt.Errorf("the template takes more than %d steps", maxSteps)
	}
	return nil
}

func (r *run) all(nodes []node) error {
	for _, n := range nodes {
		if err := r.step(); err != nil {
			return err
		}
		if err := n.run(r); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) write(s string) error {
	if r.size += len(s); r.size > maxOutput {
		return fmt.Errorf("the template writes more than %d bytes", maxOutput)
	}
	r.out.WriteString(s)
	return nil
}

func (n textNode) run(r *run) error { return r.write(string(n)) }

func (n refNode) run(r *run) error {
	v, err := n.e.eval(r)
	if err != nil {
		return err
	}
	return r.write(Text(v))
}

func (n setNode) run(r *run) error {
	v, err := n.value.eval(r)
	if err != nil {
		return err
	}
	steps := n.target.steps
	if len(steps) == 0 {
		r.vars[n.target.name] = v
		return nil
	}
	owner, err := (&reference{n.target.name, steps[:len(steps)-1]}).eval(r)
	if err != nil {
		return err
	}
	last := steps[len(steps)-1]
	if last.call {
		return errors.New("#set needs a variable or a property to set")
	}
	key := any(last.name)
	if last.index != nil {
		if key, err = last.index.eval(r); err != nil {
			return err
		}
	}
	return assign(owner, key, v)
}

func assign(owner, key, v any) error {
	switch o := owner.(type) {
	case *Map:
		o.Put(Text(key), v)
		return nil
	case *List:
		if i, ok := key.(int64); ok && i >= 0 && i < int64(len(o.Items)) {
			o.Items[i] = v
			return nil
		}
	}
	return fmt.Errorf("#set cannot set %q there", Text(key))
}

func (n ifNode) run(r *run) error {
	for i, c := range n.conditions {
		v, err := c.eval(r)
		if err != nil {
			return err
		}
		if truth(v) {
			return r.all(n.blocks[i])
		}
	}
	if len(n.blocks) > len(n.conditions) {
		return r.all(n.blocks[len(n.blocks)-1])
	}
	return nil
}

// truth is Velocity's: everything but false and null. (API Gateway's Velocity is older than the rule for empty strings.)
func truth(v any) bool {
	b, ok := v.(bool)
	return v != nil && (!ok || b)
}

func (n forNode) run(r *run) error {
	v, err := n.list.eval(r)
	if err != nil {
		return err
	}
	var items []any
	switch v := v.(type) {
	case *List:
		items = append(items, v.Items...) // the body may change the list
	case *Map:
		for _, k := range v.keys {
			items = append(items, v.values[k])
		}
	}
	outer := r.vars["foreach"]
	defer r.restore(n.name, "foreach", "velocityCount")()
	for i, item := range items {
		r.vars[n.name], r.vars["velocityCount"] = item, int64(i+1)
		r.vars["foreach"] = NewMap("index", int64(i), "count", int64(i+1), "hasNext", i+1 < len(items), "first", i == 0, "last", i+1 == len(items), "parent", outer)
		if err := r.all(n.body); err == errBreak {
			break
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (breakNode) run(*run) error { return errBreak }
func (stopNode) run(*run) error  { return errStop }

func (e literal) eval(*run) (any, error) { return e.v, nil }

func (e quoted) eval(r *run) (any, error) {
	inner := &run{vars: r.vars, steps: r.steps, size: r.size, depth: r.depth + 1}
	if inner.depth > maxNesting {
		return nil, fmt.Errorf("nested more than %d deep", maxNesting)
	}
	err := inner.all(e.nodes)
	r.steps, r.size = inner.steps, inner.size
	return inner.out.String(), err
}

func (e listExpr) eval(r *run) (any, error) {
	l := &List{Items: make([]any, 0, len(e))}
	for _, x := range e {
		v, err := x.eval(r)
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, v)
	}
	return l, nil
}

func (e rangeExpr) eval(r *run) (any, error) {
	a, err := e.from.eval(r)
	if err != nil {
		return nil, err
	}
	b, err := e.to.eval(r)
	if err != nil {
		return nil, err
	}
	from, ok1 := a.(int64)
	to, ok2 := b.(int64)
	if !ok1 || !ok2 || from-to > maxSteps || to-from > maxSteps || from > 1<<40 || from < -1<<40 {
		return nil, errors.New("a range needs two whole numbers that are not too far apart")
	}
	l := &List{}
	for i := from; ; {
		l.Items = append(l.Items, i)
		if err := r.step(); err != nil || i == to {
			return l, err
		}
		if from < to {
			i++
		} else {
			i--
		}
	}
}

func (e mapExpr) eval(r *run) (any, error) {
	m := NewMap()
	for _, pair := range e {
		k, err := pair[0].eval(r)
		if err != nil {
			return nil, err
		}
		v, err := pair[1].eval(r)
		if err != nil {
			return nil, err
		}
		m.Put(Text(k), v)
	}
	return m, nil
}

func (e notExpr) eval(r *run) (any, error) {
	v, err := e.e.eval(r)
	return !truth(v), err
}

func (e binary) eval(r *run) (any, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	a, err := e.a.eval(r)
	if err != nil {
		return nil, err
	}
	switch {
	case e.op == "&&" && !truth(a):
		return false, nil
	case e.op == "||" && truth(a):
		return true, nil
	}
	b, err := e.b.eval(r)
	if err != nil {
		return nil, err
	}
	switch e.op {
	case "&&", "||":
		return truth(b), nil
	case "==":
		return equal(a, b), nil
	case "!=":
		return !equal(a, b), nil
	case "<", ">", "<=", ">=":
		return compare(e.op, a, b), nil
	}
	sa, isText := a.(string)
	sb, isText2 := b.(string)
	if e.op == "+" && (isText || isText2) {
		if !isText {
			sa = Text(a)
		}
		if !isText2 {
			sb = Text(b)
		}
		if r.size += len(sa) + len(sb); r.size > maxOutput {
			return nil, fmt.Errorf("the template makes more than %d bytes", maxOutput)
		}
		return sa + sb, nil
	}
	return arithmetic(e.op, a, b), nil
}

func (e *reference) eval(r *run) (any, error) {
	v := r.vars[e.name]
	if b, ok := v.(block); ok {
		var err error
		if v, err = quoted(b).eval(r); err != nil {
			return nil, err
		}
	}
	for _, s := range e.steps {
		if err := r.step(); err != nil {
			return nil, err
		}
		var err error
		if v, err = s.of(r, v); err != nil {
			return nil, fmt.Errorf("$%s: %w", e.name, err)
		}
		if v == nil {
			return nil, nil // leads nowhere
		}
	}
	return v, nil
}

func (s step) of(r *run, v any) (any, error) {
	switch {
	case s.index != nil:
		i, err := s.index.eval(r)
		if err != nil {
			return nil, err
		}
		if o, ok := v.(Object); ok {
			x, _ := o.Get(Text(i))
			return x, nil
		}
		return child(v, Text(i)), nil
	case s.call:
		args := make([]any, len(s.args))
		for i, a := range s.args {
			var err error
			if args[i], err = a.eval(r); err != nil {
				return nil, err
			}
		}
		return r.call(v, s.name, args)
	}
	if o, ok := v.(Object); ok {
		x, _ := o.Get(s.name)
		return x, nil
	}
	return child(v, s.name), nil
}

func equal(a, b any) bool {
	if x, ok := float(a); ok {
		if y, ok := float(b); ok {
			return x == y
		}
	}
	switch a.(type) {
	case *List, *Map:
		return a == b
	}
	if a == nil || b == nil {
		return a == b
	}
	return Text(a) == Text(b)
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func compare(op string, a, b any) bool {
	c := strings.Compare(Text(a), Text(b))
	if x, ok := float(a); ok {
		y, ok := float(b)
		if !ok {
			return false
		}
		c = 0
		if x < y {
			c = -1
		} else if x > y {
			c = 1
		}
	}
	switch op {
	case "<":
		return c < 0
	case ">":
		return c > 0
	case "<=":
		return c <= 0
	}
	return c >= 0
}

// arithmetic returns nil for what cannot be calculated, as Velocity does.
func arithmetic(op string, a, b any) any {
	i, ok1 := a.(int64)
	j, ok2 := b.(int64)
	if ok1 && ok2 {
		switch {
		case op == "+":
			return i + j
		case op == "-":
			return i - j
		case op == "*":
			return i * j
		case j == 0:
			return nil
		case op == "/":
			return i / j
		}
		return i % j
	}
	x, ok1 := float(a)
	y, ok2 := float(b)
	if !ok1 || !ok2 {
		return nil
	}
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/":
		if y != 0 {
			return x / y
		}
	}
	return nil
}
