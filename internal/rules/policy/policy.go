// Package policy answers: whom does a policy document let do what?
//
// Documents are read as they stand in a template, where a value may still be an intrinsic function; answers are therefore
// three-valued. Policies are not evaluated against a request: the questions are those of rules (is anyone let in, is a
// wildcard used).
package policy

import (
	"strings"

	"evo/internal/cfn"
	"evo/internal/rules/value"
)

// Names reports whether a name that a template refers to is that of a resource: then the value is one fixed thing, if not
// known yet. A parameter's may be anything.
type Names func(name string) bool

// Statement is one statement of a document.
type Statement struct{ Node *cfn.Node }

// Document reads a policy document: a map, or its text. It returns nil if nothing is known of it: it is an intrinsic
// function, or no document.
func Document(n *cfn.Node) *cfn.Node {
	if n.Is(cfn.String) {
		parsed, err := cfn.ParseValue("policy", []byte(n.Text))
		if err != nil {
			return nil
		}
		n = parsed
	}
	if !n.Is(cfn.Map) || value.Open(n) {
		return nil
	}
	return n
}

// Statements calls f with each statement of a document, in order, until f returns false. A single one need not be a list.
func Statements(document *cfn.Node, f func(i int, s Statement) bool) {
	statements := document.Get("Statement")
	if !statements.Is(cfn.List) {
		if statements != nil {
			f(0, Statement{statements})
		}
		return
	}
	for i, n := range statements.Items {
		if !f(i, Statement{n}) {
			return
		}
	}
}

// Allows and Denies tell the statement's effect.
func (s Statement) Allows() value.Truth { return s.effect("Allow") }

// Denies tells whether the statement's effect is Deny.
func (s Statement) Denies() value.Truth { return s.effect("Deny") }

func (s Statement) effect(want string) value.Truth {
	if value.Open(s.Node) {
		return value.Unknown
	}
	n := s.Node.Get("Effect")
	if value.Open(n) {
		return value.Unknown
	}
	return value.TruthOf(n.Str() == want)
}

// each calls f with the entries of a list, or with a single value.
func each(n *cfn.Node, f func(*cfn.Node) bool) {
	if n.IsNull() {
		return
	}
	if !n.Is(cfn.List) {
		f(n)
		return
	}
	for _, item := range n.Items {
		if !f(item) {
			return
		}
	}
}

// some is the greatest of f's answers for a value's entries.
func some(n *cfn.Node, f func(*cfn.Node) value.Truth) value.Truth {
	best := value.No
	each(n, func(item *cfn.Node) bool {
		best = max(best, f(item))
		return best != value.Yes
	})
	return best
}

// Everyone tells whether the statement's principals are not fixed ones: a wildcard, or all but some.
func (s Statement) Everyone(names Names) value.Truth {
	if value.Open(s.Node) {
		return value.Unknown
	}
	if s.Node.Has("NotPrincipal") {
		return value.Yes
	}
	wild := func(n *cfn.Node) value.Truth { return fixed(n, "*", names).Not() }
	principal := s.Node.Get("Principal")
	if !principal.Is(cfn.Map) || value.Open(principal) {
		return some(principal, wild)
	}
	best := value.No
	for _, p := range principal.Pairs {
		best = max(best, some(p.Value, wild))
	}
	return best
}

// ForAnybody tells whether the statement is written for every principal there is: "*", or {"AWS": "*"}.
func (s Statement) ForAnybody() value.Truth {
	if value.Open(s.Node) {
		return value.Unknown
	}
	principal := s.Node.Get("Principal")
	if principal.Is(cfn.Map) && !value.Open(principal) {
		principal = principal.Get("AWS")
	}
	return some(principal, func(n *cfn.Node) value.Truth { return is(n, "*") })
}

// HasPrincipal reports whether the statement names anyone at all: neither "" nor {"AWS": ""} does.
func (s Statement) HasPrincipal() bool {
	named := func(n *cfn.Node) value.Truth {
		text, scalar := n.Scalar()
		return value.TruthOf(!scalar || text != "")
	}
	principal := s.Node.Get("Principal")
	if !principal.Is(cfn.Map) || value.Open(principal) {
		return some(principal, named) == value.Yes || s.Node.Has("NotPrincipal")
	}
	for _, p := range principal.Pairs {
		if some(p.Value, named) == value.Yes {
			return true
		}
	}
	return s.Node.Has("NotPrincipal")
}

func is(n *cfn.Node, want string) value.Truth {
	if value.Open(n) {
		text, ok := value.Of(n)
		if ok && text.Plain() != "" {
			return value.No
		}
		return value.Unknown
	}
	text, _ := n.Scalar()
	return value.TruthOf(text == want)
}

// fixed tells whether a value stands for one thing: no character of wild occurs in it, and no policy variable.
func fixed(n *cfn.Node, wild string, names Names) value.Truth {
	text, ok := value.Of(n)
	if !ok {
		return value.Unknown
	}
	if text.Literal() {
		return value.TruthOf(!strings.ContainsAny(string(text), wild) && !strings.Contains(string(text), "${"))
	}
	plain := text.Plain()
	if strings.ContainsAny(plain, wild) || strings.Contains(plain, "${") {
		return value.No
	}
	answer := value.Yes
	text.References(func(name, _ string) bool {
		if name != "AWS" && !names(name) {
			answer = value.Unknown
		}
		return answer == value.Yes
	})
	return answer
}

// Reaches tells whether the statement is about an action that one of the patterns stands for (lower case, with wildcards).
func (s Statement) Reaches(patterns ...string) value.Truth {
	if value.Open(s.Node) {
		return value.Unknown
	}
	if not := s.Node.Get("NotAction"); not != nil {
		return reachesBut(not, patterns)
	}
	return some(s.Node.Get("Action"), func(n *cfn.Node) value.Truth {
		text, ok := value.Of(n)
		if !ok || !text.Literal() {
			return value.Unknown
		}
		for _, p := range patterns {
			if overlap(string(text), p) {
				return value.Yes
			}
		}
		return value.No
	})
}

// reachesBut answers Reaches for NotAction: is there a pattern that no exception covers?
func reachesBut(not *cfn.Node, patterns []string) value.Truth {
	best := value.No
	for _, p := range patterns {
		excepted := some(not, func(n *cfn.Node) value.Truth {
			text, ok := value.Of(n)
			if !ok || !text.Literal() {
				return value.Unknown
			}
			return value.TruthOf(Covers(string(text), p))
		})
		best = max(best, excepted.Not())
	}
	return best
}

// CoversAction tells whether the statement is about every action that the pattern stands for.
func (s Statement) CoversAction(pattern string) value.Truth {
	return some(s.Node.Get("Action"), func(n *cfn.Node) value.Truth {
		text, ok := value.Of(n)
		if !ok || !text.Literal() {
			return value.Unknown
		}
		return value.TruthOf(Covers(string(text), pattern))
	})
}

// Public tells whether the statement lets anyone do one of the actions.
func (s Statement) Public(names Names, actions ...string) value.Truth {
	t := s.Allows()
	if t != value.No {
		t = min(t, s.Everyone(names))
	}
	if t != value.No {
		t = min(t, s.Reaches(actions...))
	}
	if t != value.No {
		t = min(t, s.Narrowed(names).Not())
	}
	return t
}

// WildAction tells whether the statement names every action of a service, or of all ("s3:*", "*").
func (s Statement) WildAction() value.Truth {
	return some(s.Node.Get("Action"), func(n *cfn.Node) value.Truth {
		text, ok := value.Of(n)
		if !ok || !text.Literal() {
			return value.Unknown
		}
		service, action, colon := strings.Cut(string(text), ":")
		return value.TruthOf(text == "*" || colon && action == "*" && !strings.Contains(service, "*"))
	})
}

// Action tells whether the statement names the action exactly (letter case aside), as its only element or one of several.
func (s Statement) Action(name string) value.Truth { return names(s.Node.Get("Action"), name) }

// Resource tells whether the statement names the resource exactly.
func (s Statement) Resource(name string) value.Truth { return names(s.Node.Get("Resource"), name) }

func names(list *cfn.Node, name string) value.Truth {
	return some(list, func(n *cfn.Node) value.Truth {
		if value.Open(n) {
			return is(n, name)
		}
		text, _ := n.Scalar()
		return value.TruthOf(strings.EqualFold(text, name))
	})
}

// Service tells whether a service is the statement's principal, or one of several.
func (s Statement) Service(name string) bool {
	return names(s.Node.At("Principal", "Service"), name) == value.Yes
}

// PrincipalIs tells whether the statement's principal is that very text.
func (s Statement) PrincipalIs(text string) value.Truth {
	principal := s.Node.Get("Principal")
	if principal.Is(cfn.Map) && !value.Open(principal) {
		return value.No
	}
	return is(principal, text)
}

// Within tells whether the statement allows no more than another: its principals, actions and resources are covered, and the
// other's conditions are among its own.
func (s Statement) Within(other Statement) value.Truth {
	for _, element := range []string{"NotPrincipal", "NotAction", "NotResource"} {
		if s.Node.Has(element) || other.Node.Has(element) {
			return value.TruthOf(s.Node.Get(element).Equal(other.Node.Get(element)) && s.Node.Equal(other.Node))
		}
	}
	t := min(covered(s.Node.Get("Action"), other.Node.Get("Action")), covered(s.Node.Get("Resource"), other.Node.Get("Resource")),
		principalsWithin(s.Node.Get("Principal"), other.Node.Get("Principal")))
	for _, operator := range other.Node.Get("Condition").Entries() {
		for _, test := range operator.Value.Entries() {
			t = min(t, value.TruthOf(test.Value.Equal(s.Node.At("Condition", operator.Key, test.Key))))
		}
	}
	return t
}

func principalsWithin(mine, others *cfn.Node) value.Truth {
	if value.Open(mine) {
		return value.Unknown
	}
	if others.Str() == "*" || others.Get("AWS").Str() == "*" {
		return value.Yes
	}
	if !mine.Is(cfn.Map) {
		return covered(mine, others)
	}
	t := value.Yes
	for _, p := range mine.Pairs {
		t = min(t, covered(p.Value, others.Get(p.Key)))
	}
	return t
}

// covered tells whether each of the patterns is covered by one of the others.
func covered(patterns, others *cfn.Node) value.Truth {
	return some(patterns, func(n *cfn.Node) value.Truth {
		text, ok := value.Of(n)
		if !ok {
			return value.Unknown
		}
		return some(others, func(o *cfn.Node) value.Truth {
			pattern, _ := o.Scalar()
			return value.TruthOf(Covers(pattern, string(text)))
		}).Not()
	}).Not()
}
