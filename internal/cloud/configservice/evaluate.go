package configservice

import (
	"slices"
	"strings"
	"time"

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
	all := st.Wanted || due
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
	st.Wanted = false
	var ran bool
	if !t.records && !r.custom() {
		return // what is there is not known; it is judged when the recorder is on again
	}
	if r.custom() {
		ran = s.callFor(t, r, &st, all, before.Wanted)
	} else {
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
		st.ErrorCode, st.ErrorMessage = notHereCode, notHereMessage+value(r.Rule.Source.SourceIdentifier)+"."
		if err != nil {
			st.ErrorCode, st.ErrorMessage = "InvalidInputParameters", err.Error()
		}
		if st.FailedEvaluation.IsZero() || all {
			st.FailedEvaluation = t.now
		}
		return false
	}
	st.ErrorCode, st.ErrorMessage = "", ""
	ran := false
	judged := map[string]bool{}
	for _, target := range s.targets(r, check) {
		place := resultPlace(r.name(), target.key)
		judged[place] = true
		old, known := s.result(place)
		_, changed := t.changes[target.key]
		if !all && !changed && !known {
			continue // its result was deleted: until something happens to it
		}
		v := check.Judge(s.ruleSet(), target.item)
		next := &result{Rule: r.name(), Type: target.key.Type, ID: target.key.ID, Compliance: types.ComplianceType(v.Compliance.String()),
			Annotation: annotation(v), Invoked: t.now, Recorded: t.now, Ordering: t.now}
		if !all && !changed && old.Compliance == next.Compliance && old.Annotation == next.Annotation {
			continue
		}
		t.results[place] = next
		ran = true
	}
	s.leaveScope(t, r, judged)
	if ran || all {
		st.Invoked, st.Evaluated = t.now, t.now
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

// leaveScope drops the results of what a rule does not judge any more.
func (s *Service) leaveScope(t *turn, r rule, judged map[string]bool) {
	for place := range s.resultsNow(r.name()) {
		if !judged[place] {
			t.results[place] = nil
		}
	}
}

// target is a resource that a rule judges; the account has no item.
type target struct {
	key  resourceKey
	item *rules.Item
}

// targets lists what a managed rule judges in its scope.
func (s *Service) targets(r rule, check *rules.Check) []target {
	if len(check.Rule.Types) == 0 {
		return []target{{key: s.account()}}
	}
	set := s.ruleSet()
	var out []target
	for _, kind := range s.kinds {
		for i := range s.live[kind.Type] {
			res := &s.live[kind.Type][i]
			if !slices.Contains(check.Rule.Types, res.ruleType()) {
				break // they are all of one type
			}
			if inScope(r.Rule.Scope, res) {
				out = append(out, target{res.key(), set.Item(itemID(res.ruleType(), res.ID))})
			}
		}
	}
	return out
}

// inScope reports whether a rule's scope has a resource.
func inScope(scope *types.Scope, r *Resource) bool {
	if scope == nil {
		return true
	}
	if len(scope.ComplianceResourceTypes) > 0 && !slices.Contains(scope.ComplianceResourceTypes, r.Type) {
		return false
	}
	if id := value(scope.ComplianceResourceId); id != "" && id != r.ID {
		return false
	}
	if key := value(scope.TagKey); key != "" {
		v, tagged := r.Tags[key]
		return tagged && (value(scope.TagValue) == "" || v == *scope.TagValue)
	}
	return true
}
