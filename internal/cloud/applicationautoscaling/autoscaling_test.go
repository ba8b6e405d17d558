package applicationautoscaling

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/smithy-go"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

// served is a service behind a real client, which reaches it through the wire layer.
type served struct {
	*applicationautoscaling.Client
	svc *Service
}

func serve(t *testing.T) served {
	t.Helper()
	s, err := New(Config{Region: "us-east-1", Store: store.Memory(), Clock: clock.NewStepped(time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC))})
	if err != nil {
		t.Fatal(err)
	}
	return served{applicationautoscaling.NewFromConfig(wiretest.Config(t, wiretest.Serve{"application-autoscaling": s})), s}
}

func reads(table string) *applicationautoscaling.RegisterScalableTargetInput {
	return &applicationautoscaling.RegisterScalableTargetInput{ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: new("table/" + table), ScalableDimension: types.ScalableDimensionDynamoDBTableReadCapacityUnits,
		MinCapacity: new(int32(1)), MaxCapacity: new(int32(10))}
}

func policy(table string) *applicationautoscaling.PutScalingPolicyInput {
	return &applicationautoscaling.PutScalingPolicyInput{ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: new("table/" + table), ScalableDimension: types.ScalableDimensionDynamoDBTableReadCapacityUnits,
		PolicyName: new("reads"), PolicyType: types.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &types.TargetTrackingScalingPolicyConfiguration{TargetValue: new(70.0), PredefinedMetricSpecification: &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeDynamoDBReadCapacityUtilization}}}
}

func TestTargetsPoliciesAndActions(t *testing.T) {
	c, ctx := serve(t), t.Context()
	registered, err := c.RegisterScalableTarget(ctx, reads("orders"))
	if err != nil {
		t.Fatal(err)
	}
	put, err := c.svc.PutScalingPolicy(ctx, policy("orders"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(*put.PolicyARN, "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:") || !strings.HasSuffix(*put.PolicyARN, ":resource/dynamodb/table/orders:policyName/reads") {
		t.Errorf("policy %s", *put.PolicyARN)
	}
	if again, err := c.svc.PutScalingPolicy(ctx, policy("orders")); err != nil || *again.PolicyARN != *put.PolicyARN {
		t.Errorf("put again: %v, %v", again, err)
	}
	action := &applicationautoscaling.PutScheduledActionInput{ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: new("table/orders"), ScalableDimension: types.ScalableDimensionDynamoDBTableReadCapacityUnits,
		ScheduledActionName: new("night"), Schedule: new("cron(0 22 * * ? *)"), ScalableTargetAction: &types.ScalableTargetAction{MaxCapacity: new(int32(2))}}
	if _, err := c.PutScheduledAction(ctx, action); err != nil {
		t.Fatal(err)
	}
	change := reads("orders")
	change.MinCapacity, change.MaxCapacity, change.SuspendedState = nil, new(int32(20)), &types.SuspendedState{ScheduledScalingSuspended: new(true)}
	if _, err := c.RegisterScalableTarget(ctx, change); err != nil {
		t.Fatal(err)
	}
	targets, err := c.DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceIds: []string{"table/orders"}})
	if err != nil || len(targets.ScalableTargets) != 1 {
		t.Fatalf("%+v, %v", targets, err)
	}
	got := targets.ScalableTargets[0]
	if *got.MinCapacity != 1 || *got.MaxCapacity != 20 || !*got.SuspendedState.ScheduledScalingSuspended || *got.SuspendedState.DynamicScalingInSuspended || *got.ScalableTargetARN != *registered.ScalableTargetARN || !strings.HasSuffix(*got.RoleARN, "_DynamoDBTable") {
		t.Errorf("%+v", got)
	}
	if _, err := c.TagResource(ctx, &applicationautoscaling.TagResourceInput{ResourceARN: got.ScalableTargetARN, Tags: map[string]string{"a": "b"}}); err != nil {
		t.Fatal(err)
	}
	if tags, err := c.ListTagsForResource(ctx, &applicationautoscaling.ListTagsForResourceInput{ResourceARN: got.ScalableTargetARN}); err != nil || fmt.Sprint(tags.Tags) != "map[a:b]" {
		t.Errorf("%v, %v", tags, err)
	}
	if _, err := c.DeregisterScalableTarget(ctx, &applicationautoscaling.DeregisterScalableTargetInput{ServiceNamespace: got.ServiceNamespace, ResourceId: got.ResourceId, ScalableDimension: got.ScalableDimension}); err != nil {
		t.Fatal(err)
	}
	policies, err := c.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{ServiceNamespace: types.ServiceNamespaceDynamodb})
	actions, err2 := c.DescribeScheduledActions(ctx, &applicationautoscaling.DescribeScheduledActionsInput{ServiceNamespace: types.ServiceNamespaceDynamodb})
	if err != nil || err2 != nil || len(policies.ScalingPolicies)+len(actions.ScheduledActions) != 0 {
		t.Errorf("after deregistering there are %+v and %+v (%v, %v)", policies.ScalingPolicies, actions.ScheduledActions, err, err2)
	}
}

func TestTargetsAreDurable(t *testing.T) {
	dir := t.TempDir()
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
			if _, err := s.RegisterScalableTarget(t.Context(), reads("t")); err != nil {
				t.Fatal(err)
			}
			if _, err := s.PutScalingPolicy(t.Context(), policy("t")); err != nil {
				t.Fatal(err)
			}
		}
		targets, err := s.DescribeScalableTargets(t.Context(), &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: types.ServiceNamespaceDynamodb})
		policies, err2 := s.DescribeScalingPolicies(t.Context(), &applicationautoscaling.DescribeScalingPoliciesInput{ServiceNamespace: types.ServiceNamespaceDynamodb})
		if err != nil || err2 != nil || len(targets.ScalableTargets) != 1 || len(policies.ScalingPolicies) != 1 || *policies.ScalingPolicies[0].TargetTrackingScalingPolicyConfiguration.TargetValue != 70 {
			t.Fatalf("%+v, %v; %+v, %v", targets, err, policies, err2)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPages(t *testing.T) {
	c, ctx := serve(t), t.Context()
	for i := range 5 {
		if _, err := c.RegisterScalableTarget(ctx, reads(fmt.Sprint("t", i))); err != nil {
			t.Fatal(err)
		}
	}
	n, pages := 0, 0
	p := applicationautoscaling.NewDescribeScalableTargetsPaginator(c, &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: types.ServiceNamespaceDynamodb, MaxResults: new(int32(2))})
	for p.HasMorePages() {
		out, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		n, pages = n+len(out.ScalableTargets), pages+1
	}
	if n != 5 || pages != 3 {
		t.Errorf("%d targets in %d pages", n, pages)
	}
}

func TestErrors(t *testing.T) {
	c, ctx := serve(t), t.Context()
	register := func(change func(*applicationautoscaling.RegisterScalableTargetInput)) error {
		in := reads("t")
		change(in)
		_, err := c.RegisterScalableTarget(ctx, in)
		return err
	}
	_, unregistered := c.svc.PutScalingPolicy(ctx, policy("t"))
	_, noPolicy := c.DeleteScalingPolicy(ctx, &applicationautoscaling.DeleteScalingPolicyInput{ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: new("table/t"), ScalableDimension: types.ScalableDimensionDynamoDBTableReadCapacityUnits, PolicyName: new("p")})
	errs := map[string]error{
		"ObjectNotFoundException: No scalable target registered for service namespace: dynamodb, resource ID: table/t, scalable dimension: dynamodb:table:ReadCapacityUnits": unregistered,
		"ObjectNotFoundException: No scaling policy found for":                                                   noPolicy,
		"ValidationException: Unsupported service namespace, resource type or scalable dimension":                register(func(in *applicationautoscaling.RegisterScalableTargetInput) { in.ResourceId = new("dynamo/t") }),
		"ValidationException: Maximum capacity cannot be less than minimum capacity":                             register(func(in *applicationautoscaling.RegisterScalableTargetInput) { in.MinCapacity = new(int32(11)) }),
		"ValidationException: The parameters MinCapacity and MaxCapacity are required when a scalable target is": register(func(in *applicationautoscaling.RegisterScalableTargetInput) { in.MaxCapacity = nil }),
	}
	if _, err := c.RegisterScalableTarget(ctx, reads("t")); err != nil {
		t.Fatal(err)
	}
	both := policy("t")
	both.PolicyType = types.PolicyTypeStepScaling
	_, errs["ValidationException: The policy type StepScaling needs its own configuration, and only that"] = c.svc.PutScalingPolicy(ctx, both)
	_, errs["ValidationException: Unrecognized schedule expression daily"] = c.PutScheduledAction(ctx, &applicationautoscaling.PutScheduledActionInput{ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: new("table/t"),
		ScalableDimension: types.ScalableDimensionDynamoDBTableReadCapacityUnits, ScheduledActionName: new("a"), Schedule: new("daily"), ScalableTargetAction: &types.ScalableTargetAction{MaxCapacity: new(int32(2))}})
	for want, err := range errs {
		var e smithy.APIError
		if !errors.As(err, &e) || !strings.HasPrefix(e.ErrorCode()+": "+e.ErrorMessage(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
