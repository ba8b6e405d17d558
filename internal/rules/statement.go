package rules

import (
	"fmt"
	"strconv"
	"strings"

	"evo/internal/cfn"
	"evo/internal/rules/policy"
)

// isResource tells policies which of the names that a template refers to are resources.
func (s *subject) isResource(name string) bool { return s.set.byID[name] != nil }

// attachedOf lists what configures the subject and has one of the types.
func (s *subject) attachedOf(types ...string) []*Item {
	var found []*Item
	for _, it := range s.attached {
		for _, t := range types {
			if it.Type == t {
				found = append(found, it)
			}
		}
	}
	return found
}

// mayHave reports whether the Set has something of the types that configures nobody knows what: perhaps the subject.
func (s *subject) mayHave(types ...string) *Item {
	for _, it := range s.set.loose {
		for _, t := range types {
			if it.Type == t {
				return it
			}
		}
	}
	return nil
}

// unresolvedTarget is the verdict when something may configure the subject, or something else.
func (s *subject) unresolvedTarget(it *Item) Verdict {
	property := attachments[it.Type][0].property
	return Verdict{Compliance: InsufficientData, Span: it.Span, Unresolved: it.ID + "." + property,
		Reason: fmt.Sprintf("it is not known yet what %s (%s) belongs to: %s is unresolved", it.ID, it.Type, property)}
}

// document is a policy document, where it stands, and whose it is (nil: the subject's own).
type document struct {
	property
	of *Item
}

func (d document) where() string {
	if d.of == nil {
		return d.path
	}
	return d.of.ID + "." + d.path
}

// documents reads policy documents of an item at paths; .* stands for every entry of a list. What is not there is left out.
func documents(it *Item, of *Item, paths ...string) []document {
	var docs []document
	for _, path := range paths {
		before, after, many := strings.Cut(path, ".*.")
		p := follow(it.Properties, before)
		if p.node == nil {
			continue
		}
		if !many || p.open {
			docs = append(docs, document{p, of})
			continue
		}
		for i := range p.len() {
			inner := p.item(i)
			if !inner.open {
				inner = inner.in(after)
			}
			if inner.node != nil {
				docs = append(docs, document{inner, of})
			}
		}
	}
	return docs
}

// own reads the subject's policy documents.
func (s *subject) own(paths ...string) []document { return documents(s.Item, nil, paths...) }

// policies reads the documents of the policies that are attached to the subject.
func (s *subject) policies(types ...string) []document {
	var docs []document
	for _, it := range s.attachedOf(types...) {
		docs = append(docs, documents(it, it, "PolicyDocument")...)
	}
	return docs
}

// clause is where a statement stands: the index-th of a document's.
type clause struct {
	of    *document
	index int
	node  *cfn.Node
}

func (c clause) property() property {
	p := property{node: c.node, path: c.of.where() + ".Statement." + strconv.Itoa(c.index), span: c.node.Where(), open: isOpen(c.node)}
	if !p.span.IsValid() {
		p.span = c.of.span
	}
	return p
}

// statements calls f with every statement of the documents until f returns false. It returns the first document of which
// nothing is known.
func statements(docs []document, f func(at clause, st policy.Statement) bool) (opaque *document) {
	for i := range docs {
		d := &docs[i]
		var doc *cfn.Node
		if !d.open {
			doc = policy.Document(d.node)
		}
		if doc == nil || doc.Get("Statement") != nil && isOpen(doc.Get("Statement")) {
			if opaque == nil {
				opaque = d
			}
			continue
		}
		more := true
		policy.Statements(doc, func(i int, st policy.Statement) bool {
			more = f(clause{d, i, st.Node}, st)
			return more
		})
		if !more {
			return opaque
		}
	}
	return opaque
}

// wantNone is the rule that no statement of the documents is at fault. Each that is lowers the score.
func (s *subject) wantNone(docs []document, fault string, faulty func(policy.Statement) truth) Verdict {
	var first, open property
	n, unsure := 0, false
	opaque := statements(docs, func(at clause, st policy.Statement) bool {
		switch faulty(st) {
		case yes:
			if n++; n == 1 {
				first = at.property()
			}
		case unknown:
			if !unsure {
				open, unsure = at.property(), true
			}
		}
		return true
	})
	switch {
	case n > 0:
		return nonCompliantBecause(first, first.path+" "+fault).graded(shareOf(n))
	case unsure && !s.guard:
		return unresolved(open)
	case opaque != nil && !s.guard:
		return unresolved(opaque.property)
	}
	p := property{span: s.Span}
	if len(docs) > 0 {
		p = docs[0].property
	}
	return compliantBecause(p, "no statement "+fault)
}

// The faults of statements that several rules know.

func allowsBut(element string) func(policy.Statement) truth {
	return func(st policy.Statement) truth { return min(st.Allows(), truthOf(st.Node.Has(element))) }
}

func allowsWildAction(st policy.Statement) truth { return min(st.Allows(), st.WildAction()) }

func allowsAnybody(st policy.Statement) truth { return min(st.Allows(), st.ForAnybody()) }

func allowsAnybodyOrAnyIAM(st policy.Statement) truth {
	return min(st.Allows(), max(st.ForAnybody(), st.PrincipalIs("arn:aws:iam::*")))
}
