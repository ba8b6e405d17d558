package cfn

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"evo/internal/source"
)

// scalar reads a scalar without a short tag: quoted text is a string, plain text is what YAML 1.1 says, and !!str and its
// like decide.
func (r *yamlReader) scalar(y *yaml.Node) (*Node, *source.Diagnostic) {
	n := resolve(y.Value)
	if y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		n = Str(y.Value)
	}
	if y.Style&yaml.TaggedStyle != 0 {
		switch tag := y.ShortTag(); tag {
		case "!!str", "!!timestamp":
			n = Str(y.Value)
		case "!!int", "!!float", "!!bool", "!!null":
			n = resolve(y.Value)
		default:
			return nil, source.Errorf(r.span(y, len(y.Tag)), "a template cannot hold values with the tag %s", tag)
		}
	}
	n.Span = r.scalarSpan(y)
	return n, nil
}

// The numbers of YAML 1.1. A float needs its point; numbers may hold underscores, and parts of sixty (1:30:00).
var (
	yamlInt   = regexp.MustCompile(`^[-+]?(0b[01_]+|0[0-7_]*|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(:[0-5]?[0-9])+)$`)
	yamlFloat = regexp.MustCompile(`^[-+]?([0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?|[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*|\.(inf|Inf|INF))$|^\.(nan|NaN|NAN)$`)
)

// resolve tells what plain text is in YAML 1.1.
func resolve(text string) *Node {
	kind, text := resolved(text)
	return &Node{Kind: kind, Text: text}
}

// resolved is the kind and text that plain text has in YAML 1.1. Dates stay strings, as CloudFormation keeps them ("2012-10-17").
func resolved(text string) (Kind, string) {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return Null, ""
	case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON":
		return Bool, "true"
	case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF":
		return Bool, "false"
	}
	switch c := text[0]; {
	case c != '.' && c != '-' && c != '+' && (c < '0' || c > '9'):
		return String, text
	case c > '0' && strings.Trim(text, "0123456789") == "":
		return Int, text
	case yamlInt.MatchString(text):
		return Int, decimalInt(text)
	case yamlFloat.MatchString(text):
		return Float, strings.TrimPrefix(strings.ReplaceAll(sixties(text), "_", ""), "+")
	}
	return String, text
}

// decimalInt writes an integer of YAML 1.1 (binary, octal, hexadecimal, in parts of sixty, with underscores) the usual way.
func decimalInt(text string) string {
	plain := strings.TrimPrefix(strings.ReplaceAll(text, "_", ""), "+")
	if strings.Contains(plain, ":") {
		return sixties(plain)
	}
	digits := strings.TrimPrefix(plain, "-")
	if len(digits) < 2 || digits[0] != '0' {
		return plain
	}
	v, err := strconv.ParseInt(plain, 0, 64)
	if err != nil {
		return plain
	}
	return strconv.FormatInt(v, 10)
}

// sixties adds up the parts of 190:20:30 or 1:30.5; other text stays as it is.
func sixties(text string) string {
	if !strings.Contains(text, ":") {
		return text
	}
	total := 0.0
	for _, part := range strings.Split(strings.TrimLeft(text, "+-"), ":") {
		v, err := strconv.ParseFloat(strings.ReplaceAll(part, "_", ""), 64)
		if err != nil {
			return text
		}
		total = total*60 + v
	}
	if text[0] == '-' {
		total = -total
	}
	return strconv.FormatFloat(total, 'f', -1, 64)
}
