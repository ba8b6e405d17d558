package applicationautoscaling

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
)

// arn names a policy or a scheduled action of a target.
func (s *Service) arn(kind, name string, k scalable, label string) *string {
	return new(fmt.Sprintf("arn:aws:autoscaling:%s:%s:%s:%s:resource/%s/%s:%s/%s", s.Region, call.Account, kind, id.UUID(), k.namespace, k.resource, label, name))
}

// checkPolicy makes sure that the configuration is that of the policy's type.
func checkPolicy(p types.ScalingPolicy) error {
	given := map[types.PolicyType]bool{
		types.PolicyTypeStepScaling:           p.StepScalingPolicyConfiguration != nil,
		types.PolicyTypeTargetTrackingScaling: p.TargetTrackingScalingPolicyConfiguration != nil,
		types.PolicyTypePredictiveScaling:     p.PredictiveScalingPolicyConfiguration != nil,
	}
	for kind, there := range given {
		if there != (kind == p.PolicyType) {
			return invalid("The policy type %s needs its own configuration, and only that", p.PolicyType)
		}
	}
	if t := p.TargetTrackingScalingPolicyConfiguration; t != nil && (t.PredefinedMetricSpecification == nil) == (t.CustomizedMetricSpecification == nil) {
		return invalid("You must specify either a PredefinedMetricSpecification or a CustomizedMetricSpecification, but not both")
	}
	return nil
}

// PutScalingPolicy records a policy of a registered target, or changes one.
func (s *Service) PutScalingPolicy(ctx context.Context, in *applicationautoscaling.PutScalingPolicyInput) (*applicationautoscaling.PutScalingPolicyOutput, error) {
	k := scalable{in.ServiceNamespace, aws.ToString(in.ResourceId), in.ScalableDimension}
	if err := k.check(); err != nil {
		return nil, err
	}
	p := types.ScalingPolicy{
		PolicyName: in.PolicyName, PolicyType: in.PolicyType, ServiceNamespace: k.namespace, ResourceId: in.ResourceId, ScalableDimension: k.dimension, Alarms: []types.Alarm{},
		StepScalingPolicyConfiguration: in.StepScalingPolicyConfiguration, TargetTrackingScalingPolicyConfiguration: in.TargetTrackingScalingPolicyConfiguration, PredictiveScalingPolicyConfiguration: in.PredictiveScalingPolicyConfiguration,
	}
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, ok := s.targets.Get(tx, k.key()); !ok {
			return s.notRegistered(k)
		}
		key := k.key() + "\x00" + aws.ToString(in.PolicyName)
		old, exists := s.policies.Get(tx, key)
		p.CreationTime, p.PolicyARN = old.CreationTime, old.PolicyARN
		if !exists {
			p.CreationTime, p.PolicyARN = new(s.Clock.Now()), s.arn("scalingPolicy", aws.ToString(in.PolicyName), k, "policyName")
		}
		if p.PolicyType == "" {
			p.PolicyType = old.PolicyType
		}
		if p.PolicyType == "" {
			p.PolicyType = types.PolicyTypeStepScaling
		}
		if err := checkPolicy(p); err != nil {
			return err
		}
		s.policies.Put(tx, key, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &applicationautoscaling.PutScalingPolicyOutput{PolicyARN: p.PolicyARN, Alarms: []types.Alarm{}}, nil
}

// DescribeScalingPolicies lists policies of a service.
func (s *Service) DescribeScalingPolicies(_ context.Context, in *applicationautoscaling.DescribeScalingPoliciesInput) (*applicationautoscaling.DescribeScalingPoliciesOutput, error) {
	list, next, err := page(s, s.policies, func(p types.ScalingPolicy) bool {
		return p.ServiceNamespace == in.ServiceNamespace && (len(in.PolicyNames) == 0 || slices.Contains(in.PolicyNames, *p.PolicyName)) &&
			(in.ResourceId == nil || *p.ResourceId == *in.ResourceId) && (in.ScalableDimension == "" || p.ScalableDimension == in.ScalableDimension)
	}, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &applicationautoscaling.DescribeScalingPoliciesOutput{ScalingPolicies: list, NextToken: next}, nil
}

// DeleteScalingPolicy forgets a policy.
func (s *Service) DeleteScalingPolicy(ctx context.Context, in *applicationautoscaling.DeleteScalingPolicyInput) (*applicationautoscaling.DeleteScalingPolicyOutput, error) {
	k := scalable{in.ServiceNamespace, aws.ToString(in.ResourceId), in.ScalableDimension}
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if !s.policies.Delete(tx, k.key()+"\x00"+aws.ToString(in.PolicyName)) {
			return &types.ObjectNotFoundException{Message: new("No scaling policy found for " + k.String() + ", policy name: " + aws.ToString(in.PolicyName))}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &applicationautoscaling.DeleteScalingPolicyOutput{}, nil
}

// schedule is the form of schedules; what is in the parentheses is not looked into.
var schedule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)|rate\(\d+ (minutes?|hours?|days?)\)|cron\([^()]+\))$`)
})

// PutScheduledAction records a scheduled action of a registered target, or changes one.
func (s *Service) PutScheduledAction(ctx context.Context, in *applicationautoscaling.PutScheduledActionInput) (*applicationautoscaling.PutScheduledActionOutput, error) {
	k := scalable{in.ServiceNamespace, aws.ToString(in.ResourceId), in.ScalableDimension}
	if err := k.check(); err != nil {
		return nil, err
	}
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, ok := s.targets.Get(tx, k.key()); !ok {
			return s.notRegistered(k)
		}
		key := k.key() + "\x00" + aws.ToString(in.ScheduledActionName)
		a, exists := s.actions.Get(tx, key)
		if !exists {
			a = types.ScheduledAction{ScheduledActionName: in.ScheduledActionName, ServiceNamespace: k.namespace, ResourceId: in.ResourceId, ScalableDimension: k.dimension,
				CreationTime: new(s.Clock.Now()), ScheduledActionARN: s.arn("scheduledAction", aws.ToString(in.ScheduledActionName), k, "scheduledActionName")}
		}
		if in.Schedule != nil {
			a.Schedule = in.Schedule
		}
		if in.ScalableTargetAction != nil {
			a.ScalableTargetAction = in.ScalableTargetAction
		}
		a.StartTime, a.EndTime, a.Timezone = in.StartTime, in.EndTime, in.Timezone
		switch {
		case !schedule().MatchString(aws.ToString(a.Schedule)):
			return invalid("Unrecognized schedule expression %s", aws.ToString(a.Schedule))
		case a.ScalableTargetAction == nil || a.ScalableTargetAction.MinCapacity == nil && a.ScalableTargetAction.MaxCapacity == nil:
			return invalid("ScalableTargetAction must have a minimum or a maximum capacity")
		}
		s.actions.Put(tx, key, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &applicationautoscaling.PutScheduledActionOutput{}, nil
}

// DescribeScheduledActions lists scheduled actions of a service.
func (s *Service) DescribeScheduledActions(_ context.Context, in *applicationautoscaling.DescribeScheduledActionsInput) (*applicationautoscaling.DescribeScheduledActionsOutput, error) {
	list, next, err := page(s, s.actions, func(a types.ScheduledAction) bool {
		return a.ServiceNamespace == in.ServiceNamespace && (len(in.ScheduledActionNames) == 0 || slices.Contains(in.ScheduledActionNames, *a.ScheduledActionName)) &&
			(in.ResourceId == nil || *a.ResourceId == *in.ResourceId) && (in.ScalableDimension == "" || a.ScalableDimension == in.ScalableDimension)
	}, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &applicationautoscaling.DescribeScheduledActionsOutput{ScheduledActions: list, NextToken: next}, nil
}

// DeleteScheduledAction forgets a scheduled action.
func (s *Service) DeleteScheduledAction(ctx context.Context, in *applicationautoscaling.DeleteScheduledActionInput) (*applicationautoscaling.DeleteScheduledActionOutput, error) {
	k := scalable{in.ServiceNamespace, aws.ToString(in.ResourceId), in.ScalableDimension}
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if !s.actions.Delete(tx, k.key()+"\x00"+aws.ToString(in.ScheduledActionName)) {
			return &types.ObjectNotFoundException{Message: new("No scheduled action found for " + k.String() + ", scheduled action name: " + aws.ToString(in.ScheduledActionName))}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &applicationautoscaling.DeleteScheduledActionOutput{}, nil
}
