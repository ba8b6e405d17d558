package pattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// testNamed returns what makes a test of the operand beside a name; nil: there is no such test.
func testNamed(name string) func(operand any) (test, error) {
	switch name {
	case "prefix":
		return textTest(name, strings.HasPrefix, true)
	case "suffix":
		return textTest(name, strings.HasSuffix, true)
	case "equals-ignore-case":
		return textTest(name, strings.EqualFold, false)
	case "wildcard":
		return wildcardTest
	case "anything-but":
		return anythingBut
	case "numeric":
		return numericTest
	case "exists":
		return existsTest
	case "cidr":
		return cidrTest
	}
	return nil
}

// parseTest reads one element of a list: a value, or an object with the name of a test.
func parseTest(v any) (test, error) {
	switch v := v.(type) {
	case map[string]any:
		name, operand, err := single(v)
		if err != nil {
			return test{}, err
		}
		parse := testNamed(name)
		if parse == nil {
			return test{}, fmt.Errorf("there is no match type %q", name)
		}
		return parse(operand)
	case []any:
		return test{}, errors.New("a list stands in a list")
	}
	return exactly(v)
}

func single(m map[string]any) (name string, v any, err error) {
	if len(m) != 1 {
		return "", nil, errors.New("a match expression has one member")
	}
	for name, v = range m {
	}
	return name, v, nil
}

func exactly(v any) (test, error) {
	want, ok := v.(json.Number)
	if !ok {
		return test{pass: func(leaf any) bool { return leaf == v }}, nil
	}
	n, err := number(want)
	return test{pass: func(leaf any) bool { return isNumber(leaf, func(x float64) bool { return x == n }) }}, err
}

// mostNumber is how large numbers may be on either side of 0.
const mostNumber = 5e9

func number(n json.Number) (float64, error) {
	f, err := n.Float64()
	if err != nil || f > mostNumber || f < -mostNumber {
		return 0, fmt.Errorf("%s is not between -5.0E9 and 5.0E9", n)
	}
	return f, nil
}

func isNumber(leaf any, holds func(float64) bool) bool {
	n, ok := leaf.(json.Number)
	if !ok {
		return false
	}
	f, err := n.Float64()
	return err == nil && holds(f)
}

func text(holds func(string) bool) test {
	return test{pass: func(leaf any) bool {
		s, ok := leaf.(string)
		return ok && holds(s)
	}}
}

// textTest compares text; where ignoring is true, {"equals-ignore-case": …} may stand for it.
func textTest(name string, holds func(s, operand string) bool, ignoring bool) func(any) (test, error) {
	return func(v any) (test, error) {
		if m, ok := v.(map[string]any); ok && ignoring {
			key, inner, err := single(m)
			s, isText := inner.(string)
			if err != nil || key != "equals-ignore-case" || !isText {
				return test{}, fmt.Errorf("%s takes text, or equals-ignore-case with text", name)
			}
			folded := strings.ToLower(s)
			return text(func(leaf string) bool { return holds(strings.ToLower(leaf), folded) }), nil
		}
		s, ok := v.(string)
		if !ok {
			return test{}, fmt.Errorf("%s takes text", name)
		}
		return text(func(leaf string) bool { return holds(leaf, s) }), nil
	}
}

// wildcardTest matches text in which * stands for any; \* and \\ stand for themselves.
func wildcardTest(v any) (test, error) {
	s, ok := v.(string)
	if !ok {
		return test{}, errors.New("wildcard takes text")
	}
	var parts []string // between wildcards
	part := ""
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			if i++; i == len(s) || s[i] != '*' && s[i] != '\\' {
				return test{}, errors.New(`in wildcard, only * and \ can follow \`)
			}
			part += s[i : i+1]
		case s[i] == '*':
			if part == "" && len(parts) > 0 {
				return test{}, errors.New("wildcard has two * in a row")
			}
			parts, part = append(parts, part), ""
		default:
			part += s[i : i+1]
		}
	}
	parts = append(parts, part)
	return text(func(leaf string) bool { return wild(parts, leaf) }), nil
}

// wild tells whether text consists of the parts in their order, with anything between them.
func wild(parts []string, s string) bool {
	last := len(parts) - 1
	rest, ok := strings.CutPrefix(s, parts[0])
	if last == 0 || !ok {
		return ok && rest == ""
	}
	for _, p := range parts[1:last] {
		i := strings.Index(rest, p)
		if i < 0 {
			return false
		}
		rest = rest[i+len(p):]
	}
	return strings.HasSuffix(rest, parts[last])
}

// anythingBut passes what is there and does not pass any of the tests within.
func anythingBut(v any) (test, error) {
	parse := exactly
	if m, ok := v.(map[string]any); ok {
		name, inner, err := single(m)
		if err != nil || name != "prefix" && name != "suffix" && name != "equals-ignore-case" && name != "wildcard" {
			return test{}, errors.New("anything-but takes values, prefix, suffix, equals-ignore-case, or wildcard")
		}
		parse, v = testNamed(name), inner
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var not []test
	for _, it := range list {
		switch it.(type) {
		case string, json.Number:
		default:
			return test{}, errors.New("anything-but takes text and numbers")
		}
		t, err := parse(it)
		if err != nil {
			return test{}, err
		}
		not = append(not, t)
	}
	if len(not) == 0 {
		return test{}, errors.New("anything-but has an empty list")
	}
	return test{pass: func(leaf any) bool {
		for _, t := range not {
			if t.pass(leaf) {
				return false
			}
		}
		return true
	}}, nil
}

// comparisons of the test numeric.
var comparisons = map[string]func(x, y float64) bool{
	"=": func(x, y float64) bool { return x == y }, "<": func(x, y float64) bool { return x < y }, "<=": func(x, y float64) bool { return x <= y },
	">": func(x, y float64) bool { return x > y }, ">=": func(x, y float64) bool { return x >= y },
}

// numericTest is one comparison, or a range: a lower bound, then an upper one.
func numericTest(v any) (test, error) {
	list, _ := v.([]any)
	if len(list) != 2 && len(list) != 4 {
		return test{}, errors.New(`numeric takes a comparison such as [">", 0], or a range such as [">", 0, "<=", 5]`)
	}
	var holds []func(float64) bool
	var bounds []float64
	for i := 0; i < len(list); i += 2 {
		sign, _ := list[i].(string)
		compare, known := comparisons[sign]
		n, isNumber := list[i+1].(json.Number)
		if !known || !isNumber || len(list) == 4 && !strings.HasPrefix(sign, []string{">", "<"}[i/2]) {
			return test{}, fmt.Errorf("numeric: %v %v is no comparison that can stand there", list[i], list[i+1])
		}
		bound, err := number(n)
		if err != nil {
			return test{}, err
		}
		holds, bounds = append(holds, func(x float64) bool { return compare(x, bound) }), append(bounds, bound)
	}
	if len(bounds) == 2 && bounds[0] >= bounds[1] {
		return test{}, errors.New("numeric: the range's bottom must be less than its top")
	}
	return test{pass: func(leaf any) bool {
		return isNumber(leaf, func(x float64) bool { return holds[0](x) && holds[len(holds)-1](x) })
	}}, nil
}

func existsTest(v any) (test, error) {
	wanted, ok := v.(bool)
	if !ok {
		return test{}, errors.New("exists takes true or false")
	}
	return test{absent: !wanted, pass: func(any) bool { return true }}, nil
}

func cidrTest(v any) (test, error) {
	s, _ := v.(string)
	network, err := netip.ParsePrefix(s)
	if err != nil {
		return test{}, fmt.Errorf("cidr takes a range of addresses such as 10.0.0.0/24, not %v", v)
	}
	return text(func(leaf string) bool {
		address, err := netip.ParseAddr(leaf)
		return err == nil && network.Contains(address)
	}), nil
}
