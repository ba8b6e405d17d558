package configservice

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
	"evo/internal/rules"
)

// account is the resource that stands for the whole account.
func (s *Service) account() resourceKey { return resourceKey{rules.AccountType, call.Account} }

func (s *Service) result(place string) (r *result, ok bool) {
	s.Store.View(func(tx *store.Tx) { r, ok = s.results.Get(tx, place) })
	return r, ok
}

// resultsNow are a rule's results by place.
func (s *Service) resultsNow(rule string) map[string]*result {
	out := map[string]*result{}
	s.Store.View(func(tx *store.Tx) { maps.Insert(out, s.results.Prefix(tx, resultsOf(rule))) })
	return out
}

// shown reports whether a result is listed: those of the types asked for, else all that apply.
func (r *result) shown(asked []types.ComplianceType) bool {
	if len(asked) > 0 {
		return slices.Contains(asked, r.Compliance)
	}
	return r.Compliance != types.ComplianceTypeNotApplicable
}

func (r *result) describe() types.EvaluationResult {
	out := types.EvaluationResult{ComplianceType: r.Compliance, ConfigRuleInvokedTime: new(r.Invoked), ResultRecordedTime: new(r.Recorded),
		EvaluationResultIdentifier: &types.EvaluationResultIdentifier{OrderingTimestamp: new(r.Ordering), EvaluationResultQualifier: &types.EvaluationResultQualifier{
			ConfigRuleName: new(r.Rule), ResourceType: new(r.Type), ResourceId: new(r.ID), EvaluationMode: types.EvaluationModeDetective}}}
	if r.Annotation != "" && r.Compliance != types.ComplianceTypeCompliant {
		out.Annotation = new(r.Annotation)
	}
	return out
}

// ofResource is the key of one rule's results.
func ofResource(r types.EvaluationResult) string {
	q := r.EvaluationResultIdentifier.EvaluationResultQualifier
	return *q.ResourceType + " " + *q.ResourceId
}

// tally is what several results come to.
type tally struct{ compliant, noncompliant, insufficient int }

func (t *tally) add(c types.ComplianceType) {
	switch c {
	case types.ComplianceTypeCompliant:
		t.compliant++
	case types.ComplianceTypeNonCompliant:
		t.noncompliant++
	case types.ComplianceTypeInsufficientData:
		t.insufficient++
	}
}

func count(n, most int) *types.ComplianceContributorCount {
	return &types.ComplianceContributorCount{CappedCount: int32(min(n, most)), CapExceeded: n > most}
}

const mostContributors = 25

// compliance is one word for the results, and how many say so.
func (t tally) compliance() *types.Compliance {
	switch {
	case t.noncompliant > 0:
		return &types.Compliance{ComplianceType: types.ComplianceTypeNonCompliant, ComplianceContributorCount: count(t.noncompliant, mostContributors)}
	case t.compliant > 0 && t.insufficient == 0:
		return &types.Compliance{ComplianceType: types.ComplianceTypeCompliant}
	}
	return &types.Compliance{ComplianceType: types.ComplianceTypeInsufficientData}
}

func (s *Service) tallyOf(tx *store.Tx, rule string) (t tally) {
	for _, r := range s.results.Prefix(tx, resultsOf(rule)) {
		t.add(r.Compliance)
	}
	return t
}

// DescribeComplianceByConfigRule tells of each rule whether its resources comply.
func (s *Service) DescribeComplianceByConfigRule(_ context.Context, in *configservice.DescribeComplianceByConfigRuleInput) (*configservice.DescribeComplianceByConfigRuleOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	var all []types.ComplianceByConfigRule
	var err error
	s.Store.View(func(tx *store.Tx) {
		var list []rule
		list, err = s.askedRules(tx, in.ConfigRuleNames)
		for _, r := range list {
			c := s.tallyOf(tx, r.name()).compliance()
			if len(in.ComplianceTypes) == 0 || slices.Contains(in.ComplianceTypes, c.ComplianceType) {
				all = append(all, types.ComplianceByConfigRule{ConfigRuleName: r.Rule.ConfigRuleName, Compliance: c})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	page, next, err := paged(all, func(c types.ComplianceByConfigRule) string { return *c.ConfigRuleName }, in.NextToken, 0, rulesListed, rulesListed)
	if page == nil {
		page = []types.ComplianceByConfigRule{}
	}
	return &configservice.DescribeComplianceByConfigRuleOutput{ComplianceByConfigRules: page, NextToken: next}, err
}

// GetComplianceDetailsByConfigRule lists a rule's results, by resource.
func (s *Service) GetComplianceDetailsByConfigRule(_ context.Context, in *configservice.GetComplianceDetailsByConfigRuleInput) (*configservice.GetComplianceDetailsByConfigRuleOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	all := []types.EvaluationResult{}
	ok := false
	s.Store.View(func(tx *store.Tx) {
		if _, ok = s.named(tx, aws.ToString(in.ConfigRuleName)); !ok {
			return
		}
		for _, r := range s.results.Prefix(tx, resultsOf(*in.ConfigRuleName)) {
			if r.shown(in.ComplianceTypes) {
				all = append(all, r.describe())
			}
		}
	})
	if !ok {
		return nil, noRule(aws.ToString(in.ConfigRuleName))
	}
	page, next, err := paged(all, ofResource, in.NextToken, in.Limit, 10, 100)
	return &configservice.GetComplianceDetailsByConfigRuleOutput{EvaluationResults: page, NextToken: next}, err
}

// GetComplianceDetailsByResource lists what every rule says of a resource, by rule.
func (s *Service) GetComplianceDetailsByResource(_ context.Context, in *configservice.GetComplianceDetailsByResourceInput) (*configservice.GetComplianceDetailsByResourceOutput, error) {
	if in.ResourceEvaluationId != nil {
		return nil, &types.ResourceNotDiscoveredException{Message: new("There are no proactive evaluations in the embedded cloud")}
	}
	if in.ResourceId == nil || in.ResourceType == nil {
		return nil, invalidValue("Either ResourceEvaluationId, or both ResourceType and ResourceId, must be provided.")
	}
	if err := s.settle(); err != nil {
		return nil, err
	}
	all := []types.EvaluationResult{}
	s.Store.View(func(tx *store.Tx) {
		for _, r := range s.active(tx) {
			if res, ok := s.results.Get(tx, resultPlace(r.name(), resourceKey{*in.ResourceType, *in.ResourceId})); ok && res.shown(in.ComplianceTypes) {
				all = append(all, res.describe())
			}
		}
	})
	page, next, err := paged(all, func(r types.EvaluationResult) string {
		return *r.EvaluationResultIdentifier.EvaluationResultQualifier.ConfigRuleName
	}, in.NextToken, 0, 100, 100)
	return &configservice.GetComplianceDetailsByResourceOutput{EvaluationResults: page, NextToken: next}, err
}

// everyResult yields the results of the rules that run.
func (s *Service) everyResult(tx *store.Tx) iter.Seq[*result] {
	return func(yield func(*result) bool) {
		for _, r := range s.active(tx) {
			for _, res := range s.results.Prefix(tx, resultsOf(r.name())) {
				if !yield(res) {
					return
				}
			}
		}
	}
}

// byResource adds up what the rules say of each resource.
func (s *Service) byResource() map[resourceKey]tally {
	tallies := map[resourceKey]tally{}
	s.Store.View(func(tx *store.Tx) {
		for r := range s.everyResult(tx) {
			if r.Compliance == types.ComplianceTypeNotApplicable {
				continue
			}
			key := resourceKey{r.Type, r.ID}
			t := tallies[key]
			t.add(r.Compliance)
			tallies[key] = t
		}
	})
	return tallies
}

func sortedKeys[V any](m map[resourceKey]V) []resourceKey {
	return slices.SortedFunc(maps.Keys(m), func(a, b resourceKey) int { return strings.Compare(a.place(), b.place()) })
}

// DescribeComplianceByResource tells of each resource whether it complies with the rules.
func (s *Service) DescribeComplianceByResource(_ context.Context, in *configservice.DescribeComplianceByResourceInput) (*configservice.DescribeComplianceByResourceOutput, error) {
	if in.ResourceId != nil && in.ResourceType == nil {
		return nil, invalidValue("A resource type must be provided with a resource id.")
	}
	if err := s.settle(); err != nil {
		return nil, err
	}
	tallies := s.byResource()
	all := []types.ComplianceByResource{}
	for _, key := range sortedKeys(tallies) {
		c := tallies[key].compliance()
		if in.ResourceType != nil && *in.ResourceType != key.Type || in.ResourceId != nil && *in.ResourceId != key.ID ||
			len(in.ComplianceTypes) > 0 && !slices.Contains(in.ComplianceTypes, c.ComplianceType) {
			continue
		}
		all = append(all, types.ComplianceByResource{ResourceType: new(key.Type), ResourceId: new(key.ID), Compliance: c})
	}
	page, next, err := paged(all, func(c types.ComplianceByResource) string { return *c.ResourceType + " " + *c.ResourceId }, in.NextToken, in.Limit, 10, 100)
	return &configservice.DescribeComplianceByResourceOutput{ComplianceByResources: page, NextToken: next}, err
}

func (s *Service) summary(t tally, most int) *types.ComplianceSummary {
	return &types.ComplianceSummary{ComplianceSummaryTimestamp: new(s.Clock.Now()), CompliantResourceCount: count(t.compliant, most), NonCompliantResourceCount: count(t.noncompliant, most)}
}

// GetComplianceSummaryByConfigRule counts the rules whose resources comply, and those whose do not.
func (s *Service) GetComplianceSummaryByConfigRule(context.Context, *configservice.GetComplianceSummaryByConfigRuleInput) (*configservice.GetComplianceSummaryByConfigRuleOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	var t tally
	s.Store.View(func(tx *store.Tx) {
		for _, r := range s.active(tx) {
			t.add(s.tallyOf(tx, r.name()).compliance().ComplianceType)
		}
	})
	return &configservice.GetComplianceSummaryByConfigRuleOutput{ComplianceSummary: s.summary(t, mostContributors)}, nil
}

// GetComplianceSummaryByResourceType counts the resources that comply, and those that do not: of each type that is asked for,
// or of all together.
func (s *Service) GetComplianceSummaryByResourceType(_ context.Context, in *configservice.GetComplianceSummaryByResourceTypeInput) (*configservice.GetComplianceSummaryByResourceTypeOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	const most = 100
	var all tally
	byType := map[string]tally{}
	for key, t := range s.byResource() {
		word := t.compliance().ComplianceType
		sum := byType[key.Type]
		sum.add(word)
		byType[key.Type] = sum
		all.add(word)
	}
	out := &configservice.GetComplianceSummaryByResourceTypeOutput{}
	for _, t := range in.ResourceTypes {
		out.ComplianceSummariesByResourceType = append(out.ComplianceSummariesByResourceType, types.ComplianceSummaryByResourceType{ResourceType: new(t), ComplianceSummary: s.summary(byType[t], most)})
	}
	if len(in.ResourceTypes) == 0 {
		out.ComplianceSummariesByResourceType = []types.ComplianceSummaryByResourceType{{ComplianceSummary: s.summary(all, most)}}
	}
	return out, nil
}
