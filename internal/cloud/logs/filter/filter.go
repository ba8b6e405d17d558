// Package filter answers: does a log event match a CloudWatch Logs filter pattern, and what does the pattern take out of it?
//
// There are three kinds of patterns: terms (ERROR "two words" ?either ?or -without, %regular expression%), JSON
// ({ $.status >= 500 && $.path = "/cart*" }), and fields between spaces ([ip, user, ..., status = 5*, bytes > 1000]).
// Words are compared with regard to case.
package filter

import (
	"fmt"
	"regexp"
	"strings"
)

// Pattern is a parsed filter pattern.
type Pattern struct {
	match func(message string) (map[string]string, bool)
}

// Match tells whether a message matches, and what the pattern's fields were: $.name or $name and their values.
func (p *Pattern) Match(message string) (map[string]string, bool) { return p.match(message) }

// Parse reads a pattern. An empty one matches everything.
func Parse(pattern string) (*Pattern, error) {
	trimmed := strings.TrimSpace(pattern)
	switch {
	case trimmed == "":
		return &Pattern{func(string) (map[string]string, bool) { return nil, true }}, nil
	case strings.HasPrefix(trimmed, "{"):
		return parseJSON(trimmed)
	case strings.HasPrefix(trimmed, "["):
		return parseFields(trimmed)
	}
	return parseTerms(trimmed)
}

type test = func(message string) bool

// parseTerms reads a pattern of terms: all plain ones must be there, none of those with a minus, and, where there is no
// plain one, one of those with a question mark.
func parseTerms(pattern string) (*Pattern, error) {
	var all, none, some []test
	for rest := pattern; rest != ""; rest = strings.TrimLeft(rest, " \t\n") {
		mark := rest[0]
		if mark == '?' || mark == '-' {
			rest = rest[1:]
		}
		t, after, err := oneTerm(rest)
		if err != nil {
			return nil, err
		}
		rest = after
		switch mark {
		case '?':
			some = append(some, t)
		case '-':
			none = append(none, t)
		default:
			all = append(all, t)
		}
	}
	return &Pattern{func(message string) (map[string]string, bool) {
		for _, t := range none {
			if t(message) {
				return nil, false
			}
		}
		for _, t := range all {
			if !t(message) {
				return nil, false
			}
		}
		if len(all) > 0 || len(some) == 0 {
			return nil, true
		}
		for _, t := range some {
			if t(message) {
				return nil, true
			}
		}
		return nil, false
	}}, nil
}

func oneTerm(s string) (test, string, error) {
	switch {
	case s == "" || s[0] == ' ':
		return nil, "", fmt.Errorf("a term is missing")
	case s[0] == '"':
		text, rest, err := quotedText(s)
		return func(m string) bool { return strings.Contains(m, text) }, rest, err
	case s[0] == '%':
		expression, rest, ok := strings.Cut(s[1:], "%")
		if !ok {
			return nil, "", fmt.Errorf("a regular expression does not end")
		}
		re, err := regexp.Compile(expression)
		if err != nil {
			return nil, "", fmt.Errorf("regular expression: %w", err)
		}
		return re.MatchString, rest, nil
	}
	word, rest, _ := strings.Cut(s, " ")
	return func(m string) bool { return strings.Contains(m, word) }, rest, nil
}

// quotedText reads the text in quotation marks that s begins with; \" and \\ stand for themselves.
func quotedText(s string) (text, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:], nil
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", fmt.Errorf("a quotation mark does not end")
}
