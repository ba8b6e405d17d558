// Package configservice answers: what does AWS Config know of the resources and of the rules for them?
//
// The truthful answer, for now: rules are recorded, and none of them has been evaluated. A rule's compliance is
// INSUFFICIENT_DATA, no resource has been recorded, and there are no evaluation results. What would start an evaluation or
// a recorder is not there, and says so.
package configservice

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
)

// Config of a Service.
type Config struct {
	Region string
	Store  *store.DB
	Clock  clock.Clock
}

// Service is AWS Config in one region.
type Service struct {
	Config

	rules *store.Table[rule]
}

// rule is a Config rule and when it was made.
type rule struct {
	Rule    types.ConfigRule
	Created time.Time
	Tags    map[string]string `json:",omitempty"`
}

// New returns the service with the state that the store holds.
func New(c Config) (*Service, error) {
	if c.Region == "" || c.Store == nil || c.Clock == nil {
		return nil, errors.New("configservice: region, store and clock are needed")
	}
	return &Service{Config: c, rules: store.NewTable[rule](c.Store, c.Region+"/config/rules")}, nil
}

func ptr[T any](v T) *T { return &v }

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func invalidValue(format string, args ...any) error {
	return &types.InvalidParameterValueException{Message: ptr(fmt.Sprintf(format, args...))}
}

func noRule(name string) error {
	return &types.NoSuchConfigRuleException{Message: ptr(fmt.Sprintf("The ConfigRule '%s' provided in the request is invalid. Please check the configRule name", name))}
}

var managedIdentifier = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// check says what the model cannot.
func check(r types.ConfigRule) error {
	switch {
	case r.ConfigRuleName == nil && r.ConfigRuleArn == nil && r.ConfigRuleId == nil:
		return invalidValue("One or more identifiers needs to be provided. Provide Name or Id or Arn")
	case r.Source == nil:
		return invalidValue("The Source parameter of the ConfigRule is required.")
	case r.Source.Owner == types.OwnerAws && !managedIdentifier.MatchString(value(r.Source.SourceIdentifier)):
		return invalidValue("The sourceIdentifier %s is invalid. Please refer to the documentation for a list of valid sourceIdentifiers that can be used when AWS is the Owner.", value(r.Source.SourceIdentifier))
	case r.Source.Owner == types.OwnerAws && r.Source.SourceDetails != nil:
		return invalidValue("SourceDetails should be null/empty if the owner is AWS.")
	case r.Source.Owner == types.OwnerCustomLambda && !strings.HasPrefix(value(r.Source.SourceIdentifier), "arn:"):
		return invalidValue("The sourceIdentifier %s is invalid: it must be the ARN of a function when CUSTOM_LAMBDA is the Owner.", value(r.Source.SourceIdentifier))
	case r.Source.Owner == types.OwnerCustomPolicy:
		return invalidValue("Rules with the owner CUSTOM_POLICY are not there in the embedded cloud.")
	}
	if p := value(r.InputParameters); p != "" {
		var m map[string]any
		if json.Unmarshal([]byte(p), &m) != nil {
			return invalidValue("Invalid json %s passed in the inputParameters field.", p)
		}
	}
	return nil
}

// PutConfigRule records a rule. It is not evaluated.
func (s *Service) PutConfigRule(ctx context.Context, in *configservice.PutConfigRuleInput) (*configservice.PutConfigRuleOutput, error) {
	r := *in.ConfigRule
	if err := check(r); err != nil {
		return nil, err
	}
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		old, exists := s.find(tx, r)
		if !exists {
			if r.ConfigRuleName == nil {
				return noRule(value(r.ConfigRuleArn) + value(r.ConfigRuleId))
			}
			id := "config-rule-" + strings.ToLower(rand.Text()[:6])
			old = rule{Created: s.Clock.Now(), Tags: map[string]string{}}
			old.Rule.ConfigRuleId, old.Rule.ConfigRuleName = &id, r.ConfigRuleName
			old.Rule.ConfigRuleArn = ptr("arn:aws:config:" + s.Region + ":" + call.Account + ":config-rule/" + id)
			for _, t := range in.Tags {
				old.Tags[value(t.Key)] = value(t.Value)
			}
		}
		r.ConfigRuleName, r.ConfigRuleId, r.ConfigRuleArn = old.Rule.ConfigRuleName, old.Rule.ConfigRuleId, old.Rule.ConfigRuleArn
		r.ConfigRuleState = types.ConfigRuleStateActive
		if r.EvaluationModes == nil {
			r.EvaluationModes = []types.EvaluationModeConfiguration{{Mode: types.EvaluationModeDetective}}
		}
		s.rules.Put(tx, *r.ConfigRuleName, rule{r, old.Created, old.Tags})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &configservice.PutConfigRuleOutput{}, nil
}

// find returns the rule that a name, id or ARN stands for.
func (s *Service) find(tx *store.Tx, r types.ConfigRule) (rule, bool) {
	if r.ConfigRuleName != nil {
		return s.rules.Get(tx, *r.ConfigRuleName)
	}
	for _, known := range s.rules.Ascend(tx, "") {
		if r.ConfigRuleId != nil && *known.Rule.ConfigRuleId == *r.ConfigRuleId || r.ConfigRuleArn != nil && *known.Rule.ConfigRuleArn == *r.ConfigRuleArn {
			return known, true
		}
	}
	return rule{}, false
}

// DeleteConfigRule forgets a rule.
func (s *Service) DeleteConfigRule(ctx context.Context, in *configservice.DeleteConfigRuleInput) (*configservice.DeleteConfigRuleOutput, error) {
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if !s.rules.Delete(tx, value(in.ConfigRuleName)) {
			return noRule(value(in.ConfigRuleName))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &configservice.DeleteConfigRuleOutput{}, nil
}

const rulesListed = 25

// page returns a page of the rules of those names, or of all, by name. All names must exist.
func (s *Service) page(names []string, token *string, limit int32) (out []rule, next *string, err error) {
	after, err := base64.StdEncoding.DecodeString(value(token))
	if err != nil {
		return nil, nil, &types.InvalidNextTokenException{Message: ptr("The nextToken provided is invalid")}
	}
	if limit <= 0 {
		limit = rulesListed
	}
	s.Store.View(func(tx *store.Tx) {
		for _, n := range names {
			if _, ok := s.rules.Get(tx, n); !ok {
				err = noRule(n)
				return
			}
		}
		for name, r := range s.rules.Ascend(tx, string(after)) {
			if name == string(after) || len(names) > 0 && !slices.Contains(names, name) {
				continue
			}
			if len(out) == int(limit) {
				next = ptr(base64.StdEncoding.EncodeToString([]byte(*out[len(out)-1].Rule.ConfigRuleName)))
				return
			}
			out = append(out, r)
		}
	})
	return out, next, err
}

// DescribeConfigRules lists rules by name.
func (s *Service) DescribeConfigRules(_ context.Context, in *configservice.DescribeConfigRulesInput) (*configservice.DescribeConfigRulesOutput, error) {
	rules, next, err := s.page(in.ConfigRuleNames, in.NextToken, 0)
	if err != nil {
		return nil, err
	}
	out := &configservice.DescribeConfigRulesOutput{ConfigRules: []types.ConfigRule{}, NextToken: next}
	for _, r := range rules {
		out.ConfigRules = append(out.ConfigRules, r.Rule)
	}
	return out, nil
}

// DescribeConfigRuleEvaluationStatus tells of each rule that it has never been evaluated.
func (s *Service) DescribeConfigRuleEvaluationStatus(_ context.Context, in *configservice.DescribeConfigRuleEvaluationStatusInput) (*configservice.DescribeConfigRuleEvaluationStatusOutput, error) {
	rules, next, err := s.page(in.ConfigRuleNames, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &configservice.DescribeConfigRuleEvaluationStatusOutput{ConfigRulesEvaluationStatus: []types.ConfigRuleEvaluationStatus{}, NextToken: next}
	for _, r := range rules {
		out.ConfigRulesEvaluationStatus = append(out.ConfigRulesEvaluationStatus, types.ConfigRuleEvaluationStatus{
			ConfigRuleName: r.Rule.ConfigRuleName, ConfigRuleArn: r.Rule.ConfigRuleArn, ConfigRuleId: r.Rule.ConfigRuleId, FirstActivatedTime: ptr(r.Created),
		})
	}
	return out, nil
}

// DescribeComplianceByConfigRule tells of each rule that there is not enough data.
func (s *Service) DescribeComplianceByConfigRule(_ context.Context, in *configservice.DescribeComplianceByConfigRuleInput) (*configservice.DescribeComplianceByConfigRuleOutput, error) {
	rules, next, err := s.page(in.ConfigRuleNames, in.NextToken, 0)
	if err != nil {
		return nil, err
	}
	out := &configservice.DescribeComplianceByConfigRuleOutput{ComplianceByConfigRules: []types.ComplianceByConfigRule{}, NextToken: next}
	if len(in.ComplianceTypes) > 0 && !slices.Contains(in.ComplianceTypes, types.ComplianceTypeInsufficientData) {
		return out, nil
	}
	for _, r := range rules {
		out.ComplianceByConfigRules = append(out.ComplianceByConfigRules, types.ComplianceByConfigRule{
			ConfigRuleName: r.Rule.ConfigRuleName, Compliance: &types.Compliance{ComplianceType: types.ComplianceTypeInsufficientData},
		})
	}
	return out, nil
}

// GetComplianceDetailsByConfigRule tells that there are no results of a rule.
func (s *Service) GetComplianceDetailsByConfigRule(_ context.Context, in *configservice.GetComplianceDetailsByConfigRuleInput) (*configservice.GetComplianceDetailsByConfigRuleOutput, error) {
	if _, _, err := s.page([]string{value(in.ConfigRuleName)}, nil, 0); err != nil {
		return nil, err
	}
	return &configservice.GetComplianceDetailsByConfigRuleOutput{EvaluationResults: []types.EvaluationResult{}}, nil
}

// GetComplianceDetailsByResource tells that there are no results for a resource.
func (s *Service) GetComplianceDetailsByResource(_ context.Context, in *configservice.GetComplianceDetailsByResourceInput) (*configservice.GetComplianceDetailsByResourceOutput, error) {
	if in.ResourceEvaluationId == nil && (in.ResourceId == nil || in.ResourceType == nil) {
		return nil, invalidValue("Either ResourceEvaluationId, or both ResourceType and ResourceId, must be provided.")
	}
	return &configservice.GetComplianceDetailsByResourceOutput{EvaluationResults: []types.EvaluationResult{}}, nil
}

// DescribeComplianceByResource tells that no resource has been evaluated.
func (s *Service) DescribeComplianceByResource(_ context.Context, in *configservice.DescribeComplianceByResourceInput) (*configservice.DescribeComplianceByResourceOutput, error) {
	if in.ResourceId != nil && in.ResourceType == nil {
		return nil, invalidValue("A resource type must be provided with a resource id.")
	}
	return &configservice.DescribeComplianceByResourceOutput{ComplianceByResources: []types.ComplianceByResource{}}, nil
}

func (s *Service) nothing() *types.ComplianceSummary {
	return &types.ComplianceSummary{
		ComplianceSummaryTimestamp: ptr(s.Clock.Now()),
		CompliantResourceCount:     &types.ComplianceContributorCount{}, NonCompliantResourceCount: &types.ComplianceContributorCount{},
	}
}

// GetComplianceSummaryByConfigRule counts no compliant and no noncompliant rules.
func (s *Service) GetComplianceSummaryByConfigRule(context.Context, *configservice.GetComplianceSummaryByConfigRuleInput) (*configservice.GetComplianceSummaryByConfigRuleOutput, error) {
	return &configservice.GetComplianceSummaryByConfigRuleOutput{ComplianceSummary: s.nothing()}, nil
}

// GetComplianceSummaryByResourceType counts no resources of each type that is asked for, or of all.
func (s *Service) GetComplianceSummaryByResourceType(_ context.Context, in *configservice.GetComplianceSummaryByResourceTypeInput) (*configservice.GetComplianceSummaryByResourceTypeOutput, error) {
	out := &configservice.GetComplianceSummaryByResourceTypeOutput{}
	for _, t := range in.ResourceTypes {
		out.ComplianceSummariesByResourceType = append(out.ComplianceSummariesByResourceType, types.ComplianceSummaryByResourceType{ResourceType: ptr(t), ComplianceSummary: s.nothing()})
	}
	if len(in.ResourceTypes) == 0 {
		out.ComplianceSummariesByResourceType = []types.ComplianceSummaryByResourceType{{ComplianceSummary: s.nothing()}}
	}
	return out, nil
}

// ListDiscoveredResources lists none: nothing is recorded.
func (s *Service) ListDiscoveredResources(context.Context, *configservice.ListDiscoveredResourcesInput) (*configservice.ListDiscoveredResourcesOutput, error) {
	return &configservice.ListDiscoveredResourcesOutput{ResourceIdentifiers: []types.ResourceIdentifier{}}, nil
}

// GetDiscoveredResourceCounts counts none.
func (s *Service) GetDiscoveredResourceCounts(context.Context, *configservice.GetDiscoveredResourceCountsInput) (*configservice.GetDiscoveredResourceCountsOutput, error) {
	return &configservice.GetDiscoveredResourceCountsOutput{ResourceCounts: []types.ResourceCount{}}, nil
}

// GetResourceConfigHistory tells that a resource has not been recorded.
func (s *Service) GetResourceConfigHistory(_ context.Context, in *configservice.GetResourceConfigHistoryInput) (*configservice.GetResourceConfigHistoryOutput, error) {
	return nil, &types.ResourceNotDiscoveredException{Message: ptr(fmt.Sprintf("Resource %s of resourceType:%s is unknown or has not been discovered", value(in.ResourceId), in.ResourceType))}
}

func noRecorder(names []string, arn *string) error {
	if arn != nil {
		names = append(names, *arn)
	}
	for _, n := range names {
		return &types.NoSuchConfigurationRecorderException{Message: ptr(fmt.Sprintf("Cannot find configuration recorder with the specified name '%s'.", n))}
	}
	return nil
}

// DescribeConfigurationRecorders lists none.
func (s *Service) DescribeConfigurationRecorders(_ context.Context, in *configservice.DescribeConfigurationRecordersInput) (*configservice.DescribeConfigurationRecordersOutput, error) {
	if err := noRecorder(in.ConfigurationRecorderNames, in.Arn); err != nil {
		return nil, err
	}
	return &configservice.DescribeConfigurationRecordersOutput{ConfigurationRecorders: []types.ConfigurationRecorder{}}, nil
}

// DescribeConfigurationRecorderStatus lists none.
func (s *Service) DescribeConfigurationRecorderStatus(_ context.Context, in *configservice.DescribeConfigurationRecorderStatusInput) (*configservice.DescribeConfigurationRecorderStatusOutput, error) {
	if err := noRecorder(in.ConfigurationRecorderNames, in.Arn); err != nil {
		return nil, err
	}
	return &configservice.DescribeConfigurationRecorderStatusOutput{ConfigurationRecordersStatus: []types.ConfigurationRecorderStatus{}}, nil
}

// DescribeDeliveryChannels lists none.
func (s *Service) DescribeDeliveryChannels(_ context.Context, in *configservice.DescribeDeliveryChannelsInput) (*configservice.DescribeDeliveryChannelsOutput, error) {
	for _, n := range in.DeliveryChannelNames {
		return nil, &types.NoSuchDeliveryChannelException{Message: ptr(fmt.Sprintf("Cannot find delivery channel with specified name '%s'.", n))}
	}
	return &configservice.DescribeDeliveryChannelsOutput{DeliveryChannels: []types.DeliveryChannel{}}, nil
}

// changeTags changes the tags of the rule with an ARN.
func (s *Service) changeTags(ctx context.Context, arn string, change func(map[string]string)) error {
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		r, ok := s.find(tx, types.ConfigRule{ConfigRuleArn: &arn})
		if !ok {
			return &types.ResourceNotFoundException{Message: ptr("ResourceArn '" + arn + "' does not exist")}
		}
		tags := map[string]string{}
		for k, v := range r.Tags {
			tags[k] = v
		}
		change(tags)
		r.Tags = tags
		s.rules.Put(tx, *r.Rule.ConfigRuleName, r)
		return nil
	})
}

// TagResource adds tags to a rule.
func (s *Service) TagResource(ctx context.Context, in *configservice.TagResourceInput) (*configservice.TagResourceOutput, error) {
	err := s.changeTags(ctx, value(in.ResourceArn), func(tags map[string]string) {
		for _, t := range in.Tags {
			tags[value(t.Key)] = value(t.Value)
		}
	})
	if err != nil {
		return nil, err
	}
	return &configservice.TagResourceOutput{}, nil
}

// UntagResource removes tags of a rule.
func (s *Service) UntagResource(ctx context.Context, in *configservice.UntagResourceInput) (*configservice.UntagResourceOutput, error) {
	err := s.changeTags(ctx, value(in.ResourceArn), func(tags map[string]string) {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
	})
	if err != nil {
		return nil, err
	}
	return &configservice.UntagResourceOutput{}, nil
}

// ListTagsForResource lists a rule's tags by key.
func (s *Service) ListTagsForResource(_ context.Context, in *configservice.ListTagsForResourceInput) (*configservice.ListTagsForResourceOutput, error) {
	var r rule
	var ok bool
	s.Store.View(func(tx *store.Tx) { r, ok = s.find(tx, types.ConfigRule{ConfigRuleArn: in.ResourceArn}) })
	if !ok {
		return nil, &types.ResourceNotFoundException{Message: ptr("ResourceArn '" + value(in.ResourceArn) + "' does not exist")}
	}
	out := &configservice.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for k, v := range r.Tags {
		out.Tags = append(out.Tags, types.Tag{Key: ptr(k), Value: ptr(v)})
	}
	slices.SortFunc(out.Tags, func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	return out, nil
}
