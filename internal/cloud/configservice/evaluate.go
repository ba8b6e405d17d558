package configservice

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"evo/internal/rules"
)

// result is what a rule says of a resource.
type result struct {
	Rule, Type, ID    string
	Compliance        types.ComplianceType
	Annotation        string `json:",omitempty"`
	Invoked, Recorded time.Time
	Ordering          time.Time // which of two results counts
}

func resultsOf(rule string) string { return rule + "\x00" }

func resultPlace(rule string, key resourceKey) string {
	return resultsOf(rule) + key.Type + "\x00" + key.ID
}

// evaluate brings one rule's results up to the turn: all of them if that is wanted, its period is over or it is new, else those of
// what has changed.
func (s *Service) evaluate(t *turn, r rule, st status) {
	period := r.period()
	due := period > 0 && !st.Due.IsZero() && !st.Due.After(t.now)
	started := st.Wanted > st.Done
	all := started || due
	if !all && len(t.changes) == 0 {
		return
	}
	before := st
	if period > 0 && (due || st.Due.IsZero()) {
		if st.Due.IsZero() {
			st.Due = t.now
		}
		// A cloud that was away for several periods evaluates once, and keeps to its times.
		st.Due = st.Due.Add((t.now.Sub(st.Due)/period + 1) * period)
	}
	ran := false
	switch {
	case r.custom():
		st.Done = st.Wanted
		ran = s.callFor(t, r, &st, all, started)
	case t.records: // else it is not known what is there, and judged when the recorder is on again
		st.Done = st.Wanted
		ran = s.judge(t, r, &st, all)
	}
	if ran || st != before {
		t.status[r.name()] = st
	}
}

// judge evaluates a managed rule, and reports whether there was anything to evaluate.
func (s *Service) judge(t *turn, r rule, st *status, all bool) bool {
	check, err := r.managed()
	if err != nil || check == nil {
		st.ErrorCode, st.ErrorMessage = notHereCode, notHereMessage+aws.ToString(r.Rule.Source.SourceIdentifier)+"."
		if err != nil {
			st.ErrorCode, st.ErrorMessage = "InvalidInputParameters", err.Error()
		}
		if st.FailedEvaluation.IsZero() || all {
			st.FailedEvaluation = t.now
		}
		return false
	}
	st.ErrorCode, st.ErrorMessage = "", ""
	set, targets, whole := s.targets(t, r, check, all)
	ran := s.judgeEach(t, r, check, set, targets, all)
	s.leaveScope(t, r, targets, whole)
	if ran || all {
		st.Invoked, st.Evaluated = t.now, t.now
	}
	return ran
}

// judgeEach judges targets, and reports whether any result is new.
func (s *Service) judgeEach(t *turn, r rule, check *rules.Check, set *rules.Set, targets map[string]target, all bool) (ran bool) {
	for place, target := range targets {
		old, known := s.result(place)
		_, changed := t.changes[target.key]
		if !all && !changed && !known {
			continue // its result was deleted: until something happens to it
		}
		v := check.Judge(set, target.item)
		next := &result{Rule: r.name(), Type: target.key.Type, ID: target.key.ID, Compliance: types.ComplianceType(v.Compliance.String()),
			Annotation: annotation(v), Invoked: t.now, Recorded: t.now, Ordering: t.now}
		if !all && !changed && old.Compliance == next.Compliance && old.Annotation == next.Annotation {
			continue
		}
		t.results[place] = next
		ran = true
	}
	return ran
}

// annotation is a verdict's reason, as long as AWS Config keeps it.
func annotation(v rules.Verdict) string {
	const most = 256
	if len(v.Reason) <= most {
		return v.Reason
	}
	return strings.ToValidUTF8(v.Reason[:most-3], "") + "…"
}

// leaveScope drops the results of what a rule does not judge any more: of all, or of what has changed.
func (s *Service) leaveScope(t *turn, r rule, judged map[string]target, whole bool) {
	if whole {
		for place := range s.resultsNow(r.name()) {
			if _, ok := judged[place]; !ok {
				t.results[place] = nil
			}
		}
		return
	}
	for key := range t.changes {
		place := resultPlace(r.name(), key)
		if _, ok := judged[place]; ok {
			continue
		}
		if _, known := s.result(place); known {
			t.results[place] = nil
		}
	}
}

// target is a resource that a rule judges; the account has no item.
type target struct {
	key  resourceKey
	item *rules.Item
}

// targets are what a managed rule is to judge, by the place of the result, and what it needs for that. Whole says that this is all
// in the rule's scope, not just what has changed.
func (s *Service) targets(t *turn, r rule, check *rules.Check, all bool) (set *rules.Set, out map[string]target, whole bool) {
	out = map[string]target{}
	if len(check.Rule.Types) == 0 {
		if all || t.concernsAccount() {
			set = s.ruleSet()
			out[resultPlace(r.name(), s.account())] = target{key: s.account()}
		}
		return set, out, false
	}
	add := func(res *Resource) {
		if res != nil && slices.Contains(check.Rule.Types, res.ruleType()) && inScope(r.Rule.Scope, res) {
			out[resultPlace(r.name(), res.key())] = target{res.key(), set.Item(itemID(res.ruleType(), res.ID))}
		}
	}
	if set = t.apart; !all && set != nil {
		for key := range t.changes {
			add(s.live[key.Type][key.ID])
		}
		return set, out, false
	}
	set = s.ruleSet()
	for _, list := range s.live {
		for _, res := range list {
			add(res)
		}
	}
	return set, out, true
}

// concernsAccount reports whether something has changed that rules for the account as a whole look at: the tables' capacity.
func (t *turn) concernsAccount() bool {
	for key := range t.changes {
		if key.Type == "AWS::DynamoDB::Table" {
			return true
		}
	}
	return false
}

// inScope reports whether a rule's scope has a resource.
func inScope(scope *types.Scope, r *Resource) bool {
	if scope == nil {
		return true
	}
	if len(scope.ComplianceResourceTypes) > 0 && !slices.Contains(scope.ComplianceResourceTypes, r.Type) {
		return false
	}
	if id := aws.ToString(scope.ComplianceResourceId); id != "" && id != r.ID {
		return false
	}
	if key := aws.ToString(scope.TagKey); key != "" {
		v, tagged := r.Tags[key]
		return tagged && (aws.ToString(scope.TagValue) == "" || v == *scope.TagValue)
	}
	return true
}
