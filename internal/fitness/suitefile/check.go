package suitefile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/source"
)

// checker holds a file to its shape. What passes can be read without looking at kinds again.
type checker struct {
	problems source.Diagnostics
}

func (c *checker) fail(at source.Span, format string, args ...any) *source.Diagnostic {
	d := source.Errorf(at, format, args...)
	c.problems = append(c.problems, d)
	return d
}

// check reports what is wrong with n; path names it, as in functions.checkout.severity.
func (c *checker) check(n *cfn.Node, s *shape, path string) {
	switch s.kind {
	case objectKind:
		c.object(n, s, path)
	case mapKind:
		c.mapping(n, s, path)
	case listKind:
		if !n.Is(cfn.List) {
			c.fail(n.Span, "%s must be a list, not a value of the kind %s", path, n.Kind)
			return
		}
		for i, item := range n.Items {
			c.check(item, s.each, path+"["+strconv.Itoa(i)+"]")
		}
	case targetKind:
		if n.Is(cfn.Map) {
			c.object(n, &shape{fields: []field{{"expression", true, shape{kind: textKind}}}}, path)
			return
		}
		c.scalar(n, &shape{kind: quantityKind}, path)
	case anything:
	default:
		c.scalar(n, s, path)
	}
}

func (c *checker) object(n *cfn.Node, s *shape, path string) {
	if !n.Is(cfn.Map) && !n.Is(cfn.Null) {
		c.fail(n.Span, "%s must be a map, not a value of the kind %s", orFile(path), n.Kind)
		return
	}
	for _, p := range n.Entries() {
		f := s.field(p.Key)
		if f == nil {
			d := c.fail(p.KeySpan, "%s has no key %q", orFile(path), p.Key)
			if near, ok := source.Nearest(p.Key, s.names()); ok {
				d.WithHint("did you mean %s?", near)
			} else {
				d.WithHint("it may have %s", strings.Join(s.names(), ", "))
			}
			continue
		}
		c.check(p.Value, &f.shape, join(path, p.Key))
	}
	for i := range s.fields {
		if f := &s.fields[i]; f.required && !n.Has(f.name) {
			c.fail(n.Span, "%s needs the key %s", orFile(path), f.name)
		}
	}
}

func (c *checker) mapping(n *cfn.Node, s *shape, path string) {
	if !n.Is(cfn.Map) && !n.Is(cfn.Null) {
		c.fail(n.Span, "%s must be a map, not a value of the kind %s", path, n.Kind)
		return
	}
	for _, p := range n.Entries() {
		c.check(p.Value, s.each, join(path, p.Key))
	}
}

func orFile(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (c *checker) scalar(n *cfn.Node, s *shape, path string) {
	value, ok := n.Scalar()
	if !ok {
		c.fail(n.Span, "%s must be %s, not a value of the kind %s", path, s.wants(), n.Kind)
		return
	}
	var err error
	switch s.kind {
	case textKind:
		if !n.Is(cfn.String) || value == "" {
			err = fmt.Errorf("it is a %s", n.Kind)
		}
	case flagKind:
		if !n.Is(cfn.Bool) {
			err = fmt.Errorf("it is a %s", n.Kind)
		}
	case numberKind:
		err = s.inBounds(n)
	case wordKind:
		err = s.isWord(wordOf(n))
	case severityKind:
		if _, isNumber := severityOf(n); !isNumber {
			err = s.isWord(value)
		}
	case dayKind:
		_, err = fitness.ParseDate(value)
	case statKind:
		if !statistic.MatchString(value) {
			err = fmt.Errorf("%q is no statistic", value)
		}
	case spanKind:
		_, err = parseSpan(value)
	case quantityKind:
		_, err = parseQuantity(n)
	}
	if err != nil {
		d := c.fail(n.Span, "%s must be %s, not %s", path, s.wants(), shown(n))
		if near, ok := source.Nearest(value, s.words); ok {
			d.WithHint("did you mean %s?", near)
		}
	}
}

// statPattern is how CloudWatch writes statistics: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
const statPattern = `^(SampleCount|Average|Sum|Minimum|Maximum|IQM|(p|tm|tc|ts|wm)(100|[0-9]{1,2}(\.[0-9]{1,10})?)|(TM|TC|TS|WM|PR)\([0-9.]*%?:[0-9.]*%?\))$`

var statistic = regexp.MustCompile(statPattern)

func shown(n *cfn.Node) string {
	if n.Is(cfn.String) {
		return strconv.Quote(n.Text)
	}
	return n.Text
}

// wants says what a scalar may be.
func (s *shape) wants() string {
	switch s.kind {
	case textKind:
		return "text"
	case flagKind:
		return "true or false"
	case numberKind:
		switch {
		case s.least != "" && s.most != "":
			return "a number from " + s.least + " to " + s.most
		case s.least == "0":
			return "a number, and not negative"
		case s.least != "":
			return "a positive number"
		}
		return "a number"
	case wordKind:
		return "one of " + strings.Join(s.words, ", ")
	case severityKind:
		return "one of " + strings.Join(s.words, ", ") + ", or a positive number"
	case dayKind:
		return "a day such as 2027-03-31"
	case statKind:
		return "a statistic of CloudWatch, such as Average, Sum, Maximum, p99 or tm90"
	case spanKind:
		return "a time such as 30s, 5m, 2h or 90d"
	}
	return "a number, or one with a unit: 200ms, 99.9%, 5MB"
}

func (s *shape) isWord(value string) error {
	if !slices.Contains(s.words, value) {
		return fmt.Errorf("%q is no such word", value)
	}
	return nil
}

func (s *shape) inBounds(n *cfn.Node) error {
	v, err := decimalOf(n)
	switch {
	case err != nil:
		return err
	case s.least != "" && v < exact.MustParse(s.least), s.most != "" && v > exact.MustParse(s.most):
		return fmt.Errorf("%s is out of bounds", v)
	}
	return nil
}

// wordOf is a word, also where YAML 1.1 reads it as a boolean: off is false there.
func wordOf(n *cfn.Node) string {
	if n.Is(cfn.Bool) && n.Text == "false" {
		return "off"
	}
	return n.Text
}

func decimalOf(n *cfn.Node) (exact.Decimal, error) {
	if !n.Is(cfn.Int) && !n.Is(cfn.Float) {
		return 0, fmt.Errorf("a %s is no number", n.Kind)
	}
	return exact.Parse(n.Text)
}

// severityOf reads a severity; ok is false if it is none.
func severityOf(n *cfn.Node) (exact.Decimal, bool) {
	if v, ok := severities[n.Text]; ok && n.Is(cfn.String) {
		return v, true
	}
	v, err := decimalOf(n)
	return v, err == nil && v > 0
}

// parseSpan reads a stretch of time, with days of 24 hours: 90d, 1h30m.
func parseSpan(value string) (time.Duration, error) {
	days, rest, found := strings.Cut(value, "d")
	if !found {
		rest, days = value, "0"
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is no time", value)
	}
	d := time.Duration(0)
	if rest != "" {
		if d, err = time.ParseDuration(rest); err != nil || d < 0 {
			return 0, fmt.Errorf("%q is no time", value)
		}
	}
	if d += time.Duration(n) * 24 * time.Hour; d <= 0 || strings.ContainsAny(value, "+-µnu") {
		return 0, fmt.Errorf("%q is no time", value)
	}
	return d, nil
}

// Quantity is a number with its unit, brought to that of its kind: milliseconds, bytes, percent, or none.
type Quantity struct {
	Amount exact.Decimal
	Unit   string // "ms", "B", "%" or empty
}

func (q Quantity) String() string { return q.Amount.String() + q.Unit }

// units are how many of the kind's unit one of them is.
var units = []struct {
	name, kind string
	factor     int64
}{{"ms", "ms", 1}, {"s", "ms", 1000}, {"m", "ms", 60_000}, {"h", "ms", 3_600_000}, {"d", "ms", 86_400_000}, {"%", "%", 1},
	{"KB", "B", 1 << 10}, {"MB", "B", 1 << 20}, {"GB", "B", 1 << 30}, {"B", "B", 1}}

func parseQuantity(n *cfn.Node) (Quantity, error) {
	if n.Is(cfn.Int) || n.Is(cfn.Float) {
		v, err := exact.Parse(n.Text)
		return Quantity{v, ""}, err
	}
	if !n.Is(cfn.String) {
		return Quantity{}, fmt.Errorf("a %s is no quantity", n.Kind)
	}
	for _, u := range units {
		digits, ok := strings.CutSuffix(n.Text, u.name)
		if !ok {
			continue
		}
		r, err := exact.ParseRat(strings.TrimSpace(digits))
		if err != nil {
			return Quantity{}, err
		}
		v, err := r.Mul(exact.Whole(u.factor)).Decimal()
		return Quantity{v, u.kind}, err
	}
	return Quantity{}, fmt.Errorf("%q has no unit", n.Text)
}
