package configservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"evo/internal/cfn"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
	"evo/internal/rules"
)

// shelf is an inventory of buckets: their names, and whether they are versioned.
type shelf struct {
	db      *store.DB
	buckets *store.Table[bool]
	during  func() // called once while resources are listed
}

func newShelf(db *store.DB) *shelf {
	return &shelf{db: db, buckets: store.NewTable[bool](db, "buckets")}
}

func (s *shelf) Kinds() []Kind {
	return []Kind{{Name: "AWS::S3::Bucket", Types: []string{"AWS::S3::Bucket"}, Tables: []string{"buckets"}, Keyed: true, Apart: true}}
}

func (s *shelf) Account(context.Context) rules.Facts { return nil }

func (s *shelf) List(_ context.Context, _ string, ids []string) (list []Resource, err error) {
	if f := s.during; f != nil {
		s.during = nil
		f()
	}
	s.db.View(func(tx *store.Tx) {
		for name, versioned := range s.buckets.Ascend(tx, "") {
			if ids != nil && !slices.Contains(ids, name) {
				continue
			}
			properties := cfn.Obj(cfn.P("BucketName", cfn.Str(name)))
			if versioned {
				properties.Set("VersioningConfiguration", cfn.Obj(cfn.P("Status", cfn.Str("Enabled"))))
			}
			list = append(list, Resource{Type: "AWS::S3::Bucket", ID: name, Name: name, ARN: "arn:aws:s3:::" + name, Properties: properties,
				Tags: map[string]string{"first": name[:1]}, Configuration: cfn.Obj(cfn.P("versioned", cfn.Boolean(versioned)))})
		}
	})
	return list, nil
}

func (s *shelf) set(t *testing.T, name string, versioned bool) {
	t.Helper()
	if err := s.db.Update(t.Context(), func(_ context.Context, tx *store.Tx) error { s.buckets.Put(tx, name, versioned); return nil }); err != nil {
		t.Fatal(err)
	}
}

func (s *shelf) remove(t *testing.T, name string) {
	t.Helper()
	if err := s.db.Update(t.Context(), func(_ context.Context, tx *store.Tx) error { s.buckets.Delete(tx, name); return nil }); err != nil {
		t.Fatal(err)
	}
}

// functions keeps the events with which functions are invoked, and refuses unknown ones.
type functions struct {
	mu     sync.Mutex
	events []event
	denied bool     // their policies permit nothing
	asked  []string // the sources that a permission was looked for by
}

type event struct {
	InvokingEvent, ResultToken, RuleParameters, ConfigRuleName string
	EventLeftScope                                             bool
}

func (f *functions) Invoke(_ context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	if !strings.HasSuffix(*in.FunctionName, ":judge") {
		return nil, errors.New("no such function")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if in.InvocationType == lambdatypes.InvocationTypeEvent {
		var e event
		if err := json.Unmarshal(in.Payload, &e); err != nil {
			return nil, err
		}
		f.events = append(f.events, e)
	}
	return &lambda.InvokeOutput{}, nil
}

func (f *functions) Permits(_, service string, sources ...string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, sources...)
	return !f.denied && service == "config.amazonaws.com"
}

// take returns the events since it was last called.
func (f *functions) take() []event {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.events
	f.events = nil
	return out
}

type world struct {
	*configservice.Client
	*shelf
	*functions
	clock *clock.Stepped
	svc   *Service
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db := store.Memory()
	w := &world{shelf: newShelf(db), functions: &functions{}, clock: clock.NewStepped(time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC))}
	var err error
	if w.svc, err = New(Config{Region: "us-east-1", Store: db, Clock: w.clock, Inventory: w.shelf, Lambda: w.functions}); err != nil {
		t.Fatal(err)
	}
	if err := w.svc.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.svc.Close() })
	w.Client = configservice.NewFromConfig(wiretest.Config(t, wiretest.Serve{"config": w.svc}))
	return w
}

func serve(t *testing.T) *configservice.Client { return newWorld(t).Client }

func encryption(name string) *configservice.PutConfigRuleInput {
	return &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{ConfigRuleName: new(name), InputParameters: new("{}"), Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: new("S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED")}}}
}

func TestRules(t *testing.T) {
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
	changed.ConfigRule.ConfigRuleName, changed.ConfigRule.ConfigRuleArn, changed.ConfigRule.Description = nil, rules[0].ConfigRuleArn, new("new")
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
	if err != nil || !status.ConfigRulesEvaluationStatus[0].FirstEvaluationStarted {
		t.Errorf("status: %+v, %v", status, err)
	}
	details, err := c.GetComplianceDetailsByConfigRule(ctx, &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: new("rule-00")})
	if err != nil || len(details.EvaluationResults) != 0 {
		t.Errorf("details: %+v, %v", details, err)
	}
	if _, err := c.DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: new("rule-00")}); err != nil {
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

func TestNothingToKnow(t *testing.T) {
	c, ctx := serve(t), t.Context()
	details, err := c.GetComplianceDetailsByResource(ctx, &configservice.GetComplianceDetailsByResourceInput{ResourceType: new("AWS::S3::Bucket"), ResourceId: new("b")})
	if err != nil || details.EvaluationResults == nil || len(details.EvaluationResults) != 0 {
		t.Errorf("details: %+v, %v", details, err)
	}
	by, err := c.DescribeComplianceByResource(ctx, &configservice.DescribeComplianceByResourceInput{ResourceType: new("AWS::S3::Bucket")})
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
}

func TestErrors(t *testing.T) {
	c, ctx := serve(t), t.Context()
	put := func(change func(*types.ConfigRule)) error {
		in := encryption("r")
		change(in.ConfigRule)
		_, err := c.PutConfigRule(ctx, in)
		return err
	}
	_, noDetails := c.GetComplianceDetailsByConfigRule(ctx, &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: new("none")})
	_, noDelete := c.DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: new("none")})
	_, noRecorder := c.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{ConfigurationRecorderNames: []string{"other"}})
	for want, err := range map[string]error{
		"NoSuchConfigRuleException: The ConfigRule 'none' provided in the request is invalid. Please check the configRule name": noDetails,
		"NoSuchConfigRuleException:": noDelete,
		"NoSuchConfigurationRecorderException: Cannot find configuration recorder with the specified name 'other'.":                                                noRecorder,
		"InvalidParameterValueException: One or more identifiers needs to be provided. Provide Name or Id or Arn":                                                  put(func(r *types.ConfigRule) { r.ConfigRuleName = nil }),
		"InvalidParameterValueException: Invalid json [ passed in the inputParameters field.":                                                                      put(func(r *types.ConfigRule) { r.InputParameters = new("[") }),
		"InvalidParameterValueException: The sourceIdentifier x-y is invalid. Please refer to the documentation for a list of valid sourceIdentifiers that can be": put(func(r *types.ConfigRule) { r.Source.SourceIdentifier = new("x-y") }),
	} {
		var e smithy.APIError
		if !errors.As(err, &e) || !strings.HasPrefix(e.ErrorCode()+": "+e.ErrorMessage(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// verdicts are a rule's words by resource.
func (w *world) verdicts(t *testing.T, rule string) map[string]string {
	t.Helper()
	out, err := w.GetComplianceDetailsByConfigRule(t.Context(), &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: &rule, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]string{}
	for _, r := range out.EvaluationResults {
		words[*r.EvaluationResultIdentifier.EvaluationResultQualifier.ResourceId] = string(r.ComplianceType)
	}
	return words
}

func (w *world) put(t *testing.T, r types.ConfigRule) {
	t.Helper()
	if _, err := w.PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &r}); err != nil {
		t.Fatal(err)
	}
}

func versioning(name string, scope *types.Scope) types.ConfigRule {
	return types.ConfigRule{ConfigRuleName: &name, Scope: scope, Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: new("S3_BUCKET_VERSIONING_ENABLED")}}
}

func TestScopes(t *testing.T) {
	w := newWorld(t)
	w.set(t, "apple", true)
	w.set(t, "bear", false)
	buckets := []string{"AWS::S3::Bucket"}
	w.put(t, versioning("all", nil))
	w.put(t, versioning("one", &types.Scope{ComplianceResourceTypes: buckets, ComplianceResourceId: new("bear")}))
	w.put(t, versioning("tag", &types.Scope{TagKey: new("first"), TagValue: new("a")}))
	w.put(t, versioning("other", &types.Scope{ComplianceResourceTypes: []string{"AWS::SQS::Queue"}}))
	for rule, want := range map[string]map[string]string{
		"all": {"apple": "COMPLIANT", "bear": "NON_COMPLIANT"}, "one": {"bear": "NON_COMPLIANT"}, "tag": {"apple": "COMPLIANT"}, "other": {},
	} {
		if diff := cmp.Diff(want, w.verdicts(t, rule)); diff != "" {
			t.Errorf("%s:\n%s", rule, diff)
		}
	}
	w.put(t, versioning("all", &types.Scope{TagKey: new("first"), TagValue: new("b")}))
	if diff := cmp.Diff(map[string]string{"bear": "NON_COMPLIANT"}, w.verdicts(t, "all")); diff != "" {
		t.Errorf("with a smaller scope:\n%s", diff)
	}
}

func TestRuleChangesWhileItIsEvaluated(t *testing.T) {
	w := newWorld(t)
	w.set(t, "apple", true)
	w.set(t, "bear", false)
	w.put(t, versioning("v", nil))
	w.during = func() { w.put(t, versioning("v", &types.Scope{TagKey: new("first"), TagValue: new("b")})) }
	w.verdicts(t, "v")
	if diff := cmp.Diff(map[string]string{"bear": "NON_COMPLIANT"}, w.verdicts(t, "v")); diff != "" {
		t.Error(diff)
	}
}

func TestSummaries(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	for i := range 30 {
		w.set(t, fmt.Sprintf("bucket-%02d", i), i == 0)
	}
	w.put(t, versioning("v", nil))
	by, err := w.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{})
	if c := by.ComplianceByConfigRules[0].Compliance; err != nil || c.ComplianceType != "NON_COMPLIANT" || c.ComplianceContributorCount.CappedCount != 25 || !c.ComplianceContributorCount.CapExceeded {
		t.Errorf("by rule: %+v, %v", c, err)
	}
	kinds, err := w.GetComplianceSummaryByResourceType(ctx, &configservice.GetComplianceSummaryByResourceTypeInput{ResourceTypes: []string{"AWS::S3::Bucket"}})
	if s := kinds.ComplianceSummariesByResourceType[0].ComplianceSummary; err != nil || s.CompliantResourceCount.CappedCount != 1 || s.NonCompliantResourceCount.CappedCount != 29 {
		t.Errorf("by type: %+v, %v", s, err)
	}
	var all []types.ComplianceByResource
	for p := configservice.NewDescribeComplianceByResourcePaginator(w, &configservice.DescribeComplianceByResourceInput{ComplianceTypes: []types.ComplianceType{"NON_COMPLIANT"}}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil || len(page.ComplianceByResources) > 10 {
			t.Fatal(len(page.ComplianceByResources), err)
		}
		all = append(all, page.ComplianceByResources...)
	}
	if len(all) != 29 || *all[28].ResourceId != "bucket-29" {
		t.Errorf("%d resources do not comply", len(all))
	}
	counts, err := w.GetDiscoveredResourceCounts(ctx, &configservice.GetDiscoveredResourceCountsInput{})
	if err != nil || counts.TotalDiscoveredResources != 30 {
		t.Errorf("counts: %+v, %v", counts, err)
	}
	if _, err := w.DescribeComplianceByResource(ctx, &configservice.DescribeComplianceByResourceInput{NextToken: new("x")}); err == nil {
		t.Error("a token that nobody gave was taken")
	}
}

func TestDeletedResultsComeBackWhenEvaluated(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.set(t, "a", true)
	w.set(t, "b", true)
	w.put(t, versioning("v", nil))
	if n := len(w.verdicts(t, "v")); n != 2 {
		t.Fatalf("%d results", n)
	}
	if _, err := w.DeleteEvaluationResults(ctx, &configservice.DeleteEvaluationResultsInput{ConfigRuleName: new("v")}); err != nil {
		t.Fatal(err)
	}
	w.set(t, "b", false)
	if diff := cmp.Diff(map[string]string{"b": "NON_COMPLIANT"}, w.verdicts(t, "v")); diff != "" {
		t.Error(diff)
	}
	if _, err := w.StartConfigRulesEvaluation(ctx, &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"v"}}); err != nil {
		t.Fatal(err)
	}
	if n := len(w.verdicts(t, "v")); n != 2 {
		t.Errorf("%d results after an evaluation", n)
	}
}

func TestStoppedRecorder(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.set(t, "a", true)
	w.put(t, versioning("v", nil))
	name := new("default")
	if _, err := w.StopConfigurationRecorder(ctx, &configservice.StopConfigurationRecorderInput{ConfigurationRecorderName: name}); err != nil {
		t.Fatal(err)
	}
	w.set(t, "a", false)
	w.set(t, "b", false)
	w.put(t, types.ConfigRule{ConfigRuleName: new("p"), Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: new("DYNAMODB_AUTOSCALING_ENABLED")}})
	w.clock.Advance(50 * time.Hour)
	if diff := cmp.Diff(map[string]string{"a": "COMPLIANT"}, w.verdicts(t, "v")); diff != "" {
		t.Errorf("while it stands still:\n%s", diff)
	}
	if at, ok := w.clock.Next(); !ok || !at.After(w.clock.Now()) {
		t.Errorf("at %s, the next timer is for %s", w.clock.Now(), at)
	}
	if _, err := w.StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: name}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "NON_COMPLIANT", "b": "NON_COMPLIANT"}, w.verdicts(t, "v")); diff != "" {
		t.Errorf("when it records again:\n%s", diff)
	}
	put := func(name string) error {
		_, err := w.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{Name: &name, RoleARN: new("arn:aws:iam::000000000000:role/r")}})
		return err
	}
	var most *types.MaxNumberOfConfigurationRecordersExceededException
	if err := put("mine"); err != nil { // in the place of the one that nobody has put
		t.Error(err)
	}
	if err := put("second"); !errors.As(err, &most) {
		t.Errorf("a second recorder: %v", err)
	}
	var none *types.NoAvailableDeliveryChannelException
	if _, err := w.StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: new("mine")}); !errors.As(err, &none) {
		t.Errorf("a recorder without a channel: %v", err)
	}
}

func TestCustomRule(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.set(t, "apple", true)
	w.set(t, "bear", true)
	rule := types.ConfigRule{ConfigRuleName: new("mine"), InputParameters: new(`{"k":"v"}`), Scope: &types.Scope{TagKey: new("first"), TagValue: new("a")},
		Source: &types.Source{Owner: types.OwnerCustomLambda, SourceIdentifier: new("arn:aws:lambda:us-east-1:000000000000:function:judge"),
			SourceDetails: []types.SourceDetail{{EventSource: "aws.config", MessageType: types.MessageTypeConfigurationItemChangeNotification}}}}
	w.put(t, rule)
	var item struct {
		ConfigurationItem struct {
			ResourceID, ConfigurationItemStatus string
			Configuration                       struct{ Versioned bool }
		}
		MessageType string
	}
	next := func(id, status string, versioned bool) event {
		t.Helper()
		w.verdicts(t, "mine")
		events := w.take()
		if len(events) != 1 {
			t.Fatalf("%d events: %+v", len(events), events)
		}
		if err := json.Unmarshal([]byte(events[0].InvokingEvent), &item); err != nil {
			t.Fatal(err)
		}
		if ci := item.ConfigurationItem; ci.ResourceID != id || ci.ConfigurationItemStatus != status || ci.Configuration.Versioned != versioned || events[0].RuleParameters != `{"k":"v"}` {
			t.Fatalf("%+v", events[0])
		}
		return events[0]
	}
	first := next("apple", "ResourceDiscovered", true)
	w.set(t, "bear", false) // out of scope
	w.verdicts(t, "mine")
	w.set(t, "apple", false)
	second := next("apple", "OK", false)
	answer := func(e event, word types.ComplianceType, at int64, test bool) error {
		_, err := w.PutEvaluations(ctx, &configservice.PutEvaluationsInput{ResultToken: &e.ResultToken, TestMode: test, Evaluations: []types.Evaluation{{ComplianceResourceId: new("apple"),
			ComplianceResourceType: new("AWS::S3::Bucket"), ComplianceType: word, OrderingTimestamp: new(time.Unix(at, 0))}}})
		return err
	}
	if err := errors.Join(answer(second, "NON_COMPLIANT", 2, false), answer(first, "COMPLIANT", 1, false), answer(event{ResultToken: "TESTMODE"}, "COMPLIANT", 3, true)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"apple": "NON_COMPLIANT"}, w.verdicts(t, "mine")); diff != "" {
		t.Errorf("the later evaluation counts:\n%s", diff)
	}
	if err := answer(event{ResultToken: "nonsense"}, "COMPLIANT", 3, false); err == nil {
		t.Error("a token that nobody gave was taken")
	}
	w.remove(t, "apple")
	next("apple", "ResourceDeleted", false)
	if len(w.verdicts(t, "mine")) != 0 {
		t.Error("there are results of what is gone")
	}
	w.functions.denied = true
	w.set(t, "apple", true)
	w.verdicts(t, "mine")
	if events := w.take(); len(events) > 0 {
		t.Errorf("invoked without permission: %+v", events)
	}
	status, err := w.DescribeConfigRuleEvaluationStatus(ctx, &configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: []string{"mine"}})
	if err != nil || len(status.ConfigRulesEvaluationStatus) != 1 || !strings.Contains(*status.ConfigRulesEvaluationStatus[0].LastErrorMessage, "AWS::Lambda::Permission is missing") {
		t.Errorf("%+v, %v", status, err)
	}
	arn := *status.ConfigRulesEvaluationStatus[0].ConfigRuleArn
	if asked := slices.Compact(w.functions.asked); !slices.Equal(asked, []string{"arn:aws:config:us-east-1:000000000000:config-rule/config-rule-", arn}) {
		t.Errorf("permissions were looked for by %q", asked)
	}
	if _, err := w.PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &rule}); err == nil || !strings.Contains(err.Error(), "InsufficientPermissionsException") {
		t.Errorf("a rule that may not invoke its function: %v", err)
	}
	w.functions.denied = false
	rule.Source.SourceIdentifier = new("arn:aws:lambda:us-east-1:000000000000:function:none")
	if _, err := w.PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &rule}); err == nil || !strings.Contains(err.Error(), "InsufficientPermissionsException") {
		t.Errorf("a rule without its function: %v", err)
	}
}

// Changes that follow one another are recorded once they have ended, or when the first has waited long enough.
func TestChangesAreGathered(t *testing.T) {
	for _, c := range []struct {
		changing time.Duration // how long ten buckets a second are made
		times    int           // that something was recorded, when nobody has asked
	}{{0, 1}, {2 * time.Second, 1}, {12 * time.Second, 3}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			pass := func(d time.Duration) {
				w.clock.Advance(d)
				synctest.Wait()
			}
			pass(time.Minute)
			for at := time.Duration(0); at <= c.changing; at += 100 * time.Millisecond {
				w.set(t, at.String(), false)
				pass(100 * time.Millisecond)
			}
			pass(quiet)
			w.db.View(func(tx *store.Tx) {
				times := map[time.Time]bool{}
				for _, it := range w.svc.items.Ascend(tx, "") {
					times[it.Captured] = true
				}
				if len(times) != c.times {
					t.Errorf("changes for %s were recorded %d times, want %d", c.changing, len(times), c.times)
				}
			})
		})
	}
}

// Tags come and go, and a page's token leads on whatever has come meanwhile.
func TestTagsAndPages(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	in := encryption("tagged")
	in.Tags = []types.Tag{{Key: new("a"), Value: new("1")}}
	if _, err := w.PutConfigRule(ctx, in); err != nil {
		t.Fatal(err)
	}
	rules, err := w.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{})
	if err != nil {
		t.Fatal(err)
	}
	arn := rules.ConfigRules[0].ConfigRuleArn
	_, err = w.TagResource(ctx, &configservice.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: new("b"), Value: new("2")}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = w.UntagResource(ctx, &configservice.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := w.ListTagsForResource(ctx, &configservice.ListTagsForResourceInput{ResourceArn: arn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "b" || *tags.Tags[0].Value != "2" {
		t.Errorf("tags: %+v, %v", tags, err)
	}
	for _, name := range []string{"m", "n", "o"} {
		w.set(t, name, true)
	}
	page := func(token *string) *configservice.ListDiscoveredResourcesOutput {
		t.Helper()
		out, err := w.ListDiscoveredResources(ctx, &configservice.ListDiscoveredResourcesInput{ResourceType: "AWS::S3::Bucket", Limit: 2, NextToken: token})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	first := page(nil)
	w.set(t, "a", true) // before what was given
	if second := page(first.NextToken); len(second.ResourceIdentifiers) != 1 || *second.ResourceIdentifiers[0].ResourceId != "o" || second.NextToken != nil {
		t.Errorf("the second page: %+v", second.ResourceIdentifiers)
	}
}

func TestRecordersInShort(t *testing.T) {
	out, err := serve(t).ListConfigurationRecorders(t.Context(), &configservice.ListConfigurationRecordersInput{})
	if err != nil || len(out.ConfigurationRecorderSummaries) != 1 || *out.ConfigurationRecorderSummaries[0].Name != "default" {
		t.Errorf("%+v, %v", out, err)
	}
}
