// Package rules answers: does a resource's configuration meet an AWS Config rule?
//
// A Rule judges one resource by its properties, and by those of the resources that configure it (a bucket's policy, a
// table's scaling targets). The properties come from a template, from a stack or from a live account: all arrive as the same
// Items in a Set, and what is not known in one of them gives INSUFFICIENT_DATA and is named, never guessed.
//
// A rule has up to two readings. Judge is AWS Config's: a verdict for each resource. Registry is that of the AWS Guard Rules
// Registry, which renders the same rules for templates: one verdict for the whole template, with suppressions in Metadata,
// and in places another logic; where it has, the rule's file holds a second function. Rules that only the registry
// has say so in Source.
package rules

import (
	"cmp"
	"slices"
	"strings"
)

// Source says who defined a rule.
type Source string

// The sources.
const (
	Managed  Source = "AWS Config managed rule"
	Registry Source = "AWS Guard Rules Registry"
)

// Trigger says when AWS Config evaluates a rule.
type Trigger string

// The triggers.
const (
	OnChange         Trigger = "change"
	Periodic         Trigger = "periodic"
	OnChangePeriodic Trigger = "change and periodic"
)

// Scope says what a rule needs to know.
type Scope string

// The scopes. A Live rule gives INSUFFICIENT_DATA where the Set lacks the account's facts.
const (
	Template Scope = "template"
	Live     Scope = "live"
)

// Rule is one rule, as data and a function. Rules are never changed.
type Rule struct {
	Name       string // s3-bucket-logging-enabled
	Identifier string // S3_BUCKET_LOGGING_ENABLED
	Source     Source
	Summary    string   // what it asks for
	Remedy     string   // what to write so that a resource complies
	Types      []string // that it judges; none: the account
	Parameters []Parameter
	Trigger    Trigger
	Scope      Scope

	judge    func(*subject) Verdict
	registry *registryReading // nil if the registry has no such rule
}

// Judge says what the check makes of one resource of a type that the rule judges, or of the account (item is nil).
func (c *Check) Judge(set *Set, item *Item) Verdict { return c.judge(&subject{set: set}, item) }

// judge is Judge for a subject that was made for the set, and is used again.
func (c *Check) judge(s *subject, item *Item) Verdict {
	if item == nil {
		item = account
	}
	s.Item, s.check = item, c
	return c.complete(c.Rule.judge(s), item)
}

var account = &Item{ID: AccountID, Type: AccountType}

func (c *Check) complete(v Verdict, item *Item) Verdict {
	v.Rule, v.Resource, v.Type, v.Condition = c.Rule.Name, item.ID, item.Type, item.Condition
	if !v.Span.IsValid() {
		v.Span = item.Span
	}
	return v
}

// JudgeAll says what the check makes of every resource that its rule judges, in the Set's order.
func (c *Check) JudgeAll(set *Set) []Verdict {
	if len(c.Rule.Types) == 0 {
		return []Verdict{c.Judge(set, nil)}
	}
	var verdicts []Verdict
	for _, it := range set.Items {
		if slices.Contains(c.Rule.Types, it.Type) {
			verdicts = append(verdicts, c.Judge(set, it))
		}
	}
	return verdicts
}

// Suite is checks made ready to judge many sets.
type Suite struct {
	account []*Check
	byType  map[string][]*Check
}

// NewSuite makes a Suite.
func NewSuite(checks ...*Check) *Suite {
	s := &Suite{byType: map[string][]*Check{}}
	for _, c := range checks {
		if len(c.Rule.Types) == 0 {
			s.account = append(s.account, c)
		}
		for _, t := range c.Rule.Types {
			s.byType[t] = append(s.byType[t], c)
		}
	}
	return s
}

// Judge says what every check makes of every resource, in the order of the resources, then of the checks; last the account.
func (s *Suite) Judge(set *Set) []Verdict {
	n := len(s.account)
	for _, it := range set.Items {
		n += len(s.byType[it.Type])
	}
	verdicts := make([]Verdict, 0, n)
	one := &subject{set: set}
	for _, it := range set.Items {
		for _, c := range s.byType[it.Type] {
			verdicts = append(verdicts, c.judge(one, it))
		}
	}
	for _, c := range s.account {
		verdicts = append(verdicts, c.judge(one, nil))
	}
	return verdicts
}

// All returns every rule, sorted by name.
func All() []*Rule { return slices.Clone(sorted) }

// Find returns the rule with that name or identifier, or nil.
func Find(name string) *Rule {
	lower := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	i, ok := slices.BinarySearchFunc(sorted, lower, func(r *Rule, name string) int { return cmp.Compare(r.Name, name) })
	if ok {
		return sorted[i]
	}
	for _, r := range sorted {
		if r.registry != nil && r.registry.alias == name && name != "" {
			return r
		}
	}
	return nil
}

// Defaults returns a check of every rule of the given sources that can run without parameters being given.
func Defaults(sources ...Source) []*Check {
	var checks []*Check
	for _, r := range sorted {
		if c, err := r.Bind(nil); err == nil && slices.Contains(sources, r.Source) {
			checks = append(checks, c)
		}
	}
	return checks
}
