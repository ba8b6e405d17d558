package configservice

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/smithy-go"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

func serve(t *testing.T) *configservice.Client {
	t.Helper()
	s, err := New(Config{Region: "us-east-1", Store: store.Memory(), Clock: clock.NewStepped(time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC))})
	if err != nil {
		t.Fatal(err)
	}
	return configservice.NewFromConfig(wiretest.Config(t, wiretest.Serve{"config": s}))
}

func encryption(name string) *configservice.PutConfigRuleInput {
	return &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{ConfigRuleName: ptr(name), InputParameters: ptr("{}"), Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: ptr("S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED")}}}
}

func TestRulesAreRecordedAndNotEvaluated(t *testing.T) {
	c, ctx := serve(t), t.Context()
	for i := range 30 {
		if _, err := c.PutConfigRule(ctx, encryption(fmt.Sprintf("rule-%02d", i))); err != nil {
			t.Fatal(err)
		}
	}
	var rules []types.ConfigRule
	p := configservice.NewDescribeConfigRulesPaginator(c, &configservice.DescribeConfigRulesInput{})
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, page.ConfigRules...)
	}
	if len(rules) != 30 || *rules[29].Source.SourceIdentifier != "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED" || rules[0].ConfigRuleState != types.ConfigRuleStateActive || !strings.HasPrefix(*rules[0].ConfigRuleArn, "arn:aws:config:us-east-1:000000000000:config-rule/config-rule-") {
		t.Errorf("%d rules: %+v", len(rules), rules[0])
	}
	changed := encryption("rule-00")
	changed.ConfigRule.ConfigRuleName, changed.ConfigRule.ConfigRuleArn, changed.ConfigRule.Description = nil, rules[0].ConfigRuleArn, ptr("new")
	if _, err := c.PutConfigRule(ctx, changed); err != nil {
		t.Fatal(err)
	}
	one, err := c.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"rule-00"}})
	if err != nil || len(one.ConfigRules) != 1 || *one.ConfigRules[0].Description != "new" || *one.ConfigRules[0].ConfigRuleId != *rules[0].ConfigRuleId {
		t.Errorf("after a change: %+v, %v", one, err)
	}
	by, err := c.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{"rule-00"}})
	if err != nil || len(by.ComplianceByConfigRules) != 1 || by.ComplianceByConfigRules[0].Compliance.ComplianceType != types.ComplianceTypeInsufficientData {
		t.Errorf("compliance: %+v, %v", by, err)
	}
	status, err := c.DescribeConfigRuleEvaluationStatus(ctx, &configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: []string{"rule-00"}})
	if err != nil || status.ConfigRulesEvaluationStatus[0].FirstEvaluationStarted || status.ConfigRulesEvaluationStatus[0].LastSuccessfulEvaluationTime != nil {
		t.Errorf("status: %+v, %v", status, err)
	}
	details, err := c.GetComplianceDetailsByConfigRule(ctx, &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: ptr("rule-00")})
	if err != nil || len(details.EvaluationResults) != 0 {
		t.Errorf("details: %+v, %v", details, err)
	}
	if _, err := c.DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: ptr("rule-00")}); err != nil {
		t.Error(err)
	}
}

func TestRulesAreDurable(t *testing.T) {
	dir := t.TempDir()
	var arn string
	for i := range 2 {
		db, err := store.Open(dir, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(Config{Region: "us-east-1", Store: db, Clock: clock.Real{}})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if _, err := s.PutConfigRule(t.Context(), encryption("r")); err != nil {
				t.Fatal(err)
			}
		}
		out, err := s.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
		if err != nil || len(out.ConfigRules) != 1 || *out.ConfigRules[0].Source.SourceIdentifier != "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED" || i == 1 && *out.ConfigRules[0].ConfigRuleArn != arn {
			t.Fatalf("%+v, %v", out, err)
		}
		arn = *out.ConfigRules[0].ConfigRuleArn
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNothingIsKnownOfResources(t *testing.T) {
	c, ctx := serve(t), t.Context()
	details, err := c.GetComplianceDetailsByResource(ctx, &configservice.GetComplianceDetailsByResourceInput{ResourceType: ptr("AWS::S3::Bucket"), ResourceId: ptr("b")})
	if err != nil || details.EvaluationResults == nil || len(details.EvaluationResults) != 0 {
		t.Errorf("details: %+v, %v", details, err)
	}
	by, err := c.DescribeComplianceByResource(ctx, &configservice.DescribeComplianceByResourceInput{ResourceType: ptr("AWS::S3::Bucket")})
	if err != nil || len(by.ComplianceByResources) != 0 {
		t.Errorf("by resource: %+v, %v", by, err)
	}
	list, err := c.ListDiscoveredResources(ctx, &configservice.ListDiscoveredResourcesInput{ResourceType: types.ResourceTypeBucket})
	if err != nil || len(list.ResourceIdentifiers) != 0 {
		t.Errorf("discovered: %+v, %v", list, err)
	}
	summary, err := c.GetComplianceSummaryByConfigRule(ctx, &configservice.GetComplianceSummaryByConfigRuleInput{})
	if err != nil || summary.ComplianceSummary.CompliantResourceCount.CappedCount != 0 {
		t.Errorf("summary: %+v, %v", summary, err)
	}
	types1, err := c.GetComplianceSummaryByResourceType(ctx, &configservice.GetComplianceSummaryByResourceTypeInput{ResourceTypes: []string{"AWS::S3::Bucket", "AWS::Lambda::Function"}})
	if err != nil || len(types1.ComplianceSummariesByResourceType) != 2 {
		t.Errorf("by type: %+v, %v", types1, err)
	}
	recorders, err := c.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{})
	if err != nil || len(recorders.ConfigurationRecorders) != 0 {
		t.Errorf("recorders: %+v, %v", recorders, err)
	}
}

func TestErrors(t *testing.T) {
	c, ctx := serve(t), t.Context()
	put := func(change func(*types.ConfigRule)) error {
		in := encryption("r")
		change(in.ConfigRule)
		_, err := c.PutConfigRule(ctx, in)
		return err
	}
	_, noDetails := c.GetComplianceDetailsByConfigRule(ctx, &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: ptr("none")})
	_, noDelete := c.DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: ptr("none")})
	_, noRecorder := c.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{ConfigurationRecorderNames: []string{"default"}})
	for want, err := range map[string]error{
		"NoSuchConfigRuleException: The ConfigRule 'none' provided in the request is invalid. Please check the configRule name": noDetails,
		"NoSuchConfigRuleException:": noDelete,
		"NoSuchConfigurationRecorderException: Cannot find configuration recorder with the specified name 'default'.":                                              noRecorder,
		"InvalidParameterValueException: One or more identifiers needs to be provided. Provide Name or Id or Arn":                                                  put(func(r *types.ConfigRule) { r.ConfigRuleName = nil }),
		"InvalidParameterValueException: Invalid json [ passed in the inputParameters field.":                                                                      put(func(r *types.ConfigRule) { r.InputParameters = ptr("[") }),
		"InvalidParameterValueException: The sourceIdentifier x-y is invalid. Please refer to the documentation for a list of valid sourceIdentifiers that can be": put(func(r *types.ConfigRule) { r.Source.SourceIdentifier = ptr("x-y") }),
	} {
		var e smithy.APIError
		if !errors.As(err, &e) || !strings.HasPrefix(e.ErrorCode()+": "+e.ErrorMessage(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if _, err := c.StartConfigRulesEvaluation(ctx, &configservice.StartConfigRulesEvaluationInput{}); err == nil || !strings.Contains(err.Error(), "StartConfigRulesEvaluation") {
		t.Errorf("an evaluation: %v", err)
	}
}
