package rules

import (
	"slices"
	"strconv"
	"strings"

	"evo/internal/cfn"
	"evo/internal/rules/value"
	"evo/internal/source"
)

// subject is what a rule judges: one resource among the others, under a check's parameters. For the account, Item has no
// properties.
type subject struct {
	*Item
	set   *Set
	check *Check
	guard bool // as the Guard registry reads: what stands there is set, whatever it will be
}

// truth is an answer that may not be known yet.
type truth = value.Truth

const (
	no      = value.No
	unknown = value.Unknown
	yes     = value.Yes
)

func truthOf(b bool) truth { return value.TruthOf(b) }

// property is what stands at a path of a resource's properties.
type property struct {
	node *cfn.Node // nil: nothing; an intrinsic function: not known, here or from here on
	path string
	open bool        // node hides what stands at the path
	span source.Span // of node; where there is nothing, of the key of what would hold it
}

// at reads the property at a path of keys with dots between them.
func (s *subject) at(path string) property {
	p := follow(s.Properties, path)
	if !p.span.IsValid() || p.node == nil && p.span == s.Properties.Where() { // the resource's first property has nothing to do with it
		p.span = s.Span
	}
	return p
}

// follow reads what stands in n at a path of keys with dots between them.
func follow(n *cfn.Node, path string) property {
	p := property{node: n, path: path, span: n.Where()}
	var above *cfn.Node // has n under key
	var key string
	for rest := path; ; {
		if n.IsNull() || value.IsNoValue(n) {
			p.node = nil
			return p
		}
		if value.Open(n) {
			p.node, p.open = n, true
			return p
		}
		if rest == "" {
			p.node = n
			return p
		}
		holder, at := above, key
		above = n
		key, rest, _ = strings.Cut(rest, ".")
		n = n.Get(key)
		if span := n.Where(); span.IsValid() {
			p.span = span
		} else if span := holder.KeySpan(at); n == nil && span.IsValid() {
			p.span = span
		}
	}
}

// in reads what stands in p's map at a path.
func (p property) in(path string) property {
	inner := follow(p.node, path)
	inner.path = p.path + "." + path
	if !inner.span.IsValid() {
		inner.span = p.span
	}
	return inner
}

// item reads the i-th entry of p's list; p itself if it is no list.
func (p property) item(i int) property {
	if !p.node.Is(cfn.List) {
		return p
	}
	inner := follow(p.node.Items[i], "")
	inner.path = p.path + "." + strconv.Itoa(i)
	if !inner.span.IsValid() {
		inner.span = p.span
	}
	return inner
}

// len is the number of entries of p's list, 1 of a single value, 0 of nothing.
func (p property) len() int {
	switch {
	case p.node == nil:
		return 0
	case p.node.Is(cfn.List):
		return len(p.node.Items)
	}
	return 1
}

// isSet tells whether something stands at p. What refers to a resource, or holds some literal text, is set, though nobody
// knows yet to what.
func (s *subject) isSet(p property) truth {
	switch {
	case p.node == nil:
		return no
	case s.guard:
		return yes
	case !p.open:
		return truthOf(!p.node.Is(cfn.String) || p.node.Text != "")
	}
	return s.someValue(p.node, 0)
}

func (s *subject) someValue(n *cfn.Node, depth int) truth {
	if name, arg, ok := n.Intrinsic(); ok && name == "Fn::If" && len(arg.List()) == 3 && depth < 20 {
		a, b := s.branch(arg.Items[1], depth), s.branch(arg.Items[2], depth)
		if a == b {
			return a
		}
		return unknown
	}
	text, ok := value.Of(n)
	if !ok {
		return unknown
	}
	if text.Plain() != "" {
		return yes
	}
	some := unknown
	text.References(func(name, _ string) bool {
		if name == "AWS" || s.set.byID[name] != nil {
			some = yes
		}
		return some != yes
	})
	return some
}

func (s *subject) branch(n *cfn.Node, depth int) truth {
	switch {
	case n.IsNull() || value.IsNoValue(n):
		return no
	case value.Open(n):
		return s.someValue(n, depth+1)
	}
	return yes
}

// isTrue tells whether p is true, or the string "true".
func (p property) isTrue() truth {
	if p.open {
		return unknown
	}
	b, ok := p.node.Bool()
	return truthOf(ok && b)
}

// text is p as a string; ok is false if it is none, or not known.
func (p property) text() (text string, ok bool) {
	if !p.open {
		return p.node.Scalar()
	}
	t, ok := value.Of(p.node)
	return string(t), ok && t.Literal()
}

// oneOf tells whether p is one of the words.
func (p property) oneOf(words ...string) truth {
	text, ok := p.text()
	if !ok && p.open {
		return unknown
	}
	return truthOf(ok && slices.Contains(words, text))
}

// number is p as a number, with how well it is known: no if it is none.
func (p property) number() (float64, truth) {
	if p.open {
		return 0, unknown
	}
	f, ok := p.node.Float()
	return f, truthOf(ok)
}

// shown is what stands at p, for a reason.
func (p property) shown() string {
	is, what := p.words()
	return is + what
}

// words are shown in two parts, so that a reason is put together at once: most verdicts are never read.
func (p property) words() (is, what string) {
	if p.node == nil {
		return "is not set", ""
	}
	return "is ", value.Shown(p.node)
}

// The verdicts of a rule. Judge completes them.

func compliant(p property) Verdict {
	is, what := p.words()
	return compliantBecause(p, p.path+" "+is+what)
}

// compliantBecause is a verdict whose reason is not one property's value.
func compliantBecause(p property, reason string) Verdict {
	return Verdict{Compliance: Compliant, Score: Full, Path: p.path, Span: p.span, Reason: reason}
}

// nonCompliant says what stands at p, and what was wanted.
func nonCompliant(p property, wanted string) Verdict {
	is, what := p.words()
	if wanted == "" {
		return nonCompliantBecause(p, p.path+" "+is+what)
	}
	return nonCompliantBecause(p, p.path+" "+is+what+", "+wanted)
}

func nonCompliantBecause(p property, reason string) Verdict {
	return Verdict{Compliance: NonCompliant, Score: Zero, Path: p.path, Span: p.span, Reason: reason}
}

// unresolved says that p is not known.
func unresolved(p property) Verdict {
	what := value.Shown(p.node)
	return Verdict{Compliance: InsufficientData, Path: p.path, Span: p.span, Unresolved: p.path + ": " + what,
		Reason: p.path + " is not known yet: " + what}
}

// unknownFact says that only a live account can tell.
func unknownFact(what string) Verdict {
	return Verdict{Compliance: InsufficientData, Unresolved: what, Reason: "not known without a live account: " + what}
}

func notApplicable(p property, reason string) Verdict {
	return Verdict{Compliance: NotApplicable, Path: p.path, Span: p.span, Reason: reason}
}

// graded gives a verdict another score than 0 or 1.
func (v Verdict) graded(score Score) Verdict {
	v.Score = score
	return v
}

// verdictOf puts a truth about p into words.
func verdictOf(t truth, p property, wanted string) Verdict {
	switch t {
	case yes:
		return compliant(p)
	case unknown:
		return unresolved(p)
	}
	return nonCompliant(p, wanted)
}

// wantSet is the rule that the property is there.
func (s *subject) wantSet(path string) Verdict {
	p := s.at(path)
	return verdictOf(s.isSet(p), p, "")
}

// wantTrue is the rule that the property is true.
func (s *subject) wantTrue(path string) Verdict {
	p := s.at(path)
	return verdictOf(p.isTrue(), p, "should be true")
}

// wantOneOf is the rule that the property is one of the words.
func (s *subject) wantOneOf(path string, words ...string) Verdict {
	return wantWord(s.at(path), words)
}

// wantWord is the rule that p is one of the words.
func wantWord(p property, words []string) Verdict {
	is := p.oneOf(words...)
	if is != no {
		return verdictOf(is, p, "")
	}
	return nonCompliant(p, "should be "+strings.Join(words, " or "))
}

// wantListed is the rule that the property is set, and that it is one of a parameter's words if that is given.
func (s *subject) wantListed(path, parameter string) Verdict {
	p := s.at(path)
	set := s.isSet(p)
	if set != yes {
		return verdictOf(set, p, "")
	}
	a := s.arg(parameter)
	if !a.set {
		return compliant(p)
	}
	words := a.words
	if words == nil {
		words = []string{a.text}
	}
	return wantWord(p, words)
}

// supplementary reads a fact that CloudFormation's properties cannot express.
func (s *subject) supplementary(path string) property {
	p := follow(s.Item.Supplementary, path)
	p.span = s.Span
	return p
}

// means tells whether p is the text, or refers to the resource of the Set that has it as its name, ARN or physical id.
func (s *subject) means(p property, text string) truth {
	if !p.open {
		return p.oneOf(text)
	}
	symbolic, ok := value.Of(p.node)
	if !ok {
		return unknown
	}
	answer := unknown
	symbolic.References(func(name, _ string) bool {
		it := s.set.byID[name]
		if it == nil || symbolic.Plain() != "" {
			return false
		}
		same, sure := it.isCalled(value.Text(text))
		if name, _ := it.name(); same || sure && name != "" { // a name that AWS will make up may be any
			answer = truthOf(same)
		}
		return false
	})
	return answer
}

func isOpen(n *cfn.Node) bool { return value.Open(n) }

const (
	mark    = value.Mark
	cfnList = cfn.List
)
