package filter

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// comparison is what a field is compared with: a number, a text with wildcards, or a regular expression.
type comparison struct {
	op     string
	number float64
	isNum  bool
	text   string
	re     *regexp.Regexp
}

var comparisonOperators = []string{"!=", "<=", ">=", "=", "<", ">"}

// newComparison reads an operand: "text", %expression%, 12, or text*.
func newComparison(op, operand string) (comparison, error) {
	c := comparison{op: op, text: operand}
	if !slices.Contains(comparisonOperators, op) {
		return c, fmt.Errorf("%q is not an operator", op)
	}
	quoted := strings.HasPrefix(operand, `"`)
	if quoted {
		text, rest, err := quotedText(operand)
		if err != nil || rest != "" {
			return c, fmt.Errorf("the text %s is not well quoted", operand)
		}
		c.text = text
	}
	var expression string
	switch {
	case !quoted && len(operand) >= 2 && operand[0] == '%' && operand[len(operand)-1] == '%':
		expression = operand[1 : len(operand)-1]
	case strings.Contains(c.text, "*"):
		parts := strings.Split(c.text, "*")
		for i, p := range parts {
			parts[i] = regexp.QuoteMeta(p)
		}
		expression = `(?s)^` + strings.Join(parts, ".*") + `$`
	default:
		if n, err := strconv.ParseFloat(operand, 64); err == nil && !quoted {
			c.number, c.isNum = n, true
		}
		return c, c.check()
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		return c, fmt.Errorf("regular expression: %w", err)
	}
	c.re = re
	return c, c.check()
}

func (c comparison) check() error {
	if c.op != "=" && c.op != "!=" && !c.isNum {
		return fmt.Errorf("%s compares numbers only, not %q", c.op, c.text)
	}
	return nil
}

// holds compares a field's value, given as text.
func (c comparison) holds(v string) bool {
	if c.isNum {
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil {
			return c.op == "!="
		}
		switch c.op {
		case "=":
			return n == c.number
		case "!=":
			return n != c.number
		case "<":
			return n < c.number
		case "<=":
			return n <= c.number
		case ">":
			return n > c.number
		}
		return n >= c.number
	}
	same := v == c.text
	if c.re != nil {
		same = c.re.MatchString(v)
	}
	return same == (c.op == "=")
}
