package metricmath

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Query says which metrics SEARCH finds: those with exactly the schema's dimensions that match the terms.
type Query struct {
	Namespace  string   // of the schema; empty where there is none
	Dimensions []string // of the schema
	match      func(namespace, name string, dimensions map[string]string) bool
}

// Match tells whether a metric is found.
func (q Query) Match(namespace, name string, dimensions map[string]string) bool {
	if q.Namespace != "" {
		if namespace != q.Namespace || len(dimensions) != len(q.Dimensions) {
			return false
		}
		for _, d := range q.Dimensions {
			if _, ok := dimensions[d]; !ok {
				return false
			}
		}
	}
	return q.match(namespace, name, dimensions)
}

// ParseQuery reads a search expression: {Namespace,Dimension,…} and terms, which may be quoted (matched whole), named
// (MetricName=, Namespace=, a dimension's name=), joined by AND, OR and NOT, and grouped by parentheses.
func ParseQuery(src string) (Query, error) {
	var q Query
	rest := strings.TrimSpace(src)
	if strings.HasPrefix(rest, "{") {
		schema, after, ok := strings.Cut(rest[1:], "}")
		if !ok {
			return q, fmt.Errorf("the schema of the search %q does not end", src)
		}
		parts := strings.Split(schema, ",")
		for i, p := range parts {
			parts[i] = strings.Trim(strings.TrimSpace(p), `"`)
		}
		q.Namespace, q.Dimensions, rest = parts[0], parts[1:], after
	}
	p := &queryParser{words: queryWords(rest)}
	m, err := p.or(0)
	if err != nil {
		return q, err
	}
	if len(p.words) > 0 {
		return q, fmt.Errorf("unexpected %q in the search", p.words[0])
	}
	q.match = m
	return q, nil
}

type matcher = func(namespace, name string, dimensions map[string]string) bool

type queryParser struct {
	words    []string
	property string // that the terms of the group under way are about; empty: each for itself
}

func (p *queryParser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

func (p *queryParser) or(depth int) (matcher, error) {
	left, err := p.and(depth)
	for err == nil && p.peek() == "OR" {
		p.words = p.words[1:]
		var right matcher
		a := left
		right, err = p.and(depth)
		left = func(ns, n string, d map[string]string) bool { return a(ns, n, d) || right(ns, n, d) }
	}
	return left, err
}

func (p *queryParser) and(depth int) (matcher, error) {
	var all []matcher
	for w := p.peek(); w != "" && w != "OR" && w != ")"; w = p.peek() {
		if w == "AND" {
			p.words = p.words[1:]
			continue
		}
		m, err := p.term(depth)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return func(ns, n string, d map[string]string) bool {
		return !slices.ContainsFunc(all, func(m matcher) bool { return !m(ns, n, d) })
	}, nil
}

func (p *queryParser) term(depth int) (matcher, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the search nests deeper than %d levels", maxDepth)
	}
	w := p.words[0]
	p.words = p.words[1:]
	switch w {
	case "NOT":
		if p.peek() == "" {
			return nil, fmt.Errorf("NOT needs a term")
		}
		m, err := p.term(depth + 1)
		return func(ns, n string, d map[string]string) bool { return !m(ns, n, d) }, err
	case "(":
		m, err := p.or(depth + 1)
		if err == nil && p.peek() != ")" {
			err = fmt.Errorf("a parenthesis of the search does not end")
		}
		if err != nil {
			return nil, err
		}
		p.words = p.words[1:]
		return m, nil
	case ")":
		return nil, fmt.Errorf("unexpected %q in the search", w)
	}
	property, pattern := propertyOf(w)
	if pattern == "" && p.peek() == "(" {
		outer := p.property
		p.property = property
		m, err := p.term(depth + 1)
		p.property = outer
		return m, err
	}
	return oneTerm(cmp.Or(property, p.property), pattern), nil
}

// propertyOf cuts MetricName="Errors" in two; a term that names no property has none.
func propertyOf(w string) (property, pattern string) {
	i, inQuotes := 0, false
	for ; i < len(w) && (inQuotes || w[i] != '='); i++ {
		if w[i] == '"' {
			inQuotes = !inQuotes
		}
	}
	if i == len(w) {
		return "", w
	}
	return strings.Trim(w[:i], `"`), w[i+1:]
}

// oneTerm matches a pattern anywhere, or where the property says.
func oneTerm(property, pattern string) matcher {
	fits := func(v string) bool {
		if strings.HasPrefix(pattern, `"`) {
			return v == strings.Trim(pattern, `"`)
		}
		return strings.Contains(strings.ToLower(v), strings.ToLower(pattern))
	}
	return func(namespace, name string, dimensions map[string]string) bool {
		switch property {
		case "MetricName":
			return fits(name)
		case "Namespace":
			return fits(namespace)
		case "":
			found := fits(name) || fits(namespace)
			for k, v := range dimensions {
				found = found || fits(k) || fits(v)
			}
			return found
		}
		v, ok := dimensions[property]
		return ok && fits(v)
	}
}

// queryWords cuts at spaces and parentheses outside of quotes. A name and its value are one word, whatever space is around the =.
func queryWords(s string) []string {
	var words []string
	for _, w := range cutWords(s) {
		if n := len(words); n > 0 && w != "(" && w != ")" && (w[0] == '=' || strings.HasSuffix(words[n-1], "=")) {
			words[n-1] += w
			continue
		}
		words = append(words, w)
	}
	return words
}

func cutWords(s string) []string {
	var words []string
	word, inQuotes := "", false
	flush := func() {
		if word != "" {
			words, word = append(words, word), ""
		}
	}
	for _, r := range s {
		switch {
		case r == '"':
			inQuotes = !inQuotes
			word += `"`
		case inQuotes:
			word += string(r)
		case r == '(' || r == ')':
			flush()
			words = append(words, string(r))
		case r == ' ' || r == '\t' || r == '\n':
			flush()
		default:
			word += string(r)
		}
	}
	flush()
	return words
}
