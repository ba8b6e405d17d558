// Package applicationautoscaling answers: which resources may be scaled, between which bounds, by which policies?
//
// Targets, policies and scheduled actions are recorded, checked and described; nothing acts on them. So policies have no
// alarms, and there are no scaling activities.
package applicationautoscaling

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
	"evo/internal/cloud/tags"
)

// Config of a Service.
type Config struct {
	Region string
	Store  *store.DB
	Clock  clock.Clock
}

// Service is Application Auto Scaling in one region.
type Service struct {
	Config

	targets  *store.Table[target]
	policies *store.Table[types.ScalingPolicy]
	actions  *store.Table[types.ScheduledAction]
}

type target struct {
	Target types.ScalableTarget
	Tags   map[string]string `json:",omitempty"`
}

// New returns the service with the state that the store holds.
func New(c Config) (*Service, error) {
	if c.Region == "" || c.Store == nil || c.Clock == nil {
		return nil, errors.New("applicationautoscaling: region, store and clock are needed")
	}
	table := c.Region + "/application-autoscaling/"
	return &Service{
		Config:   c,
		targets:  store.NewTable[target](c.Store, table+"targets"),
		policies: store.NewTable[types.ScalingPolicy](c.Store, table+"policies"),
		actions:  store.NewTable[types.ScheduledAction](c.Store, table+"scheduled-actions"),
	}, nil
}

// scalable is what a target is known by.
type scalable struct {
	namespace types.ServiceNamespace
	resource  string
	dimension types.ScalableDimension
}

// key orders by namespace, resource and dimension.
func (k scalable) key() string {
	return string(k.namespace) + "\x00" + k.resource + "\x00" + string(k.dimension)
}

func (k scalable) String() string {
	return fmt.Sprintf("service namespace: %s, resource ID: %s, scalable dimension: %s", k.namespace, k.resource, k.dimension)
}

func (s *Service) notRegistered(k scalable) error {
	return &types.ObjectNotFoundException{Message: new("No scalable target registered for " + k.String())}
}

func invalid(format string, args ...any) error {
	return &types.ValidationException{Message: new(fmt.Sprintf(format, args...))}
}

// resourceForms are the forms of resource ids, by the first two parts of the dimension; others are taken as they are.
var resourceForms = map[string]*regexp.Regexp{
	"dynamodb:table":  regexp.MustCompile(`^table/[a-zA-Z0-9_.-]+$`),
	"dynamodb:index":  regexp.MustCompile(`^table/[a-zA-Z0-9_.-]+/index/[a-zA-Z0-9_.-]+$`),
	"lambda:function": regexp.MustCompile(`^function:[a-zA-Z0-9_-]+:[a-zA-Z0-9_$-]+$`),
	"ecs:service":     regexp.MustCompile(`^service/.+/.+$`),
}

func (k scalable) check() error {
	parts := strings.SplitN(string(k.dimension), ":", 3)
	if len(parts) < 3 || parts[0] != string(k.namespace) {
		return invalid("Unsupported service namespace, resource type or scalable dimension")
	}
	if form := resourceForms[parts[0]+":"+parts[1]]; form != nil && !form.MatchString(k.resource) {
		return invalid("Unsupported service namespace, resource type or scalable dimension")
	}
	return nil
}

// serviceRoles are the suffixes of the service-linked roles that AWS makes.
var serviceRoles = map[types.ServiceNamespace]string{
	types.ServiceNamespaceDynamodb: "DynamoDBTable", types.ServiceNamespaceLambda: "LambdaConcurrency", types.ServiceNamespaceEcs: "ECSService", types.ServiceNamespaceRds: "RDSCluster",
}

func serviceRole(n types.ServiceNamespace) *string {
	suffix, ok := serviceRoles[n]
	if !ok {
		suffix = string(n)
	}
	return new("arn:aws:iam::" + call.Account + ":role/aws-service-role/" + string(n) + ".application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_" + suffix)
}

// RegisterScalableTarget records a target, or changes one.
func (s *Service) RegisterScalableTarget(ctx context.Context, in *applicationautoscaling.RegisterScalableTargetInput) (*applicationautoscaling.RegisterScalableTargetOutput, error) {
	k := scalable{in.ServiceNamespace, aws.ToString(in.ResourceId), in.ScalableDimension}
	if err := k.check(); err != nil {
		return nil, err
	}
	var arn *string
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		t, exists := s.targets.Get(tx, k.key())
		if !exists {
			if in.MinCapacity == nil || in.MaxCapacity == nil {
				return invalid("The parameters MinCapacity and MaxCapacity are required when a scalable target is registered for the first time")
			}
			t = target{Tags: maps.Clone(in.Tags), Target: types.ScalableTarget{
				ServiceNamespace: k.namespace, ResourceId: in.ResourceId, ScalableDimension: k.dimension, CreationTime: new(s.Clock.Now()), RoleARN: serviceRole(k.namespace),
				ScalableTargetARN: new("arn:aws:application-autoscaling:" + s.Region + ":" + call.Account + ":scalable-target/" + strings.ToLower(rand.Text())),
				SuspendedState:    &types.SuspendedState{DynamicScalingInSuspended: new(false), DynamicScalingOutSuspended: new(false), ScheduledScalingSuspended: new(false)},
			}}
		} else if len(in.Tags) > 0 {
			return invalid("Tags can be given only when a scalable target is registered for the first time; use TagResource")
		}
		if err := t.change(in); err != nil {
			return err
		}
		arn = t.Target.ScalableTargetARN
		s.targets.Put(tx, k.key(), t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &applicationautoscaling.RegisterScalableTargetOutput{ScalableTargetARN: arn}, nil
}

func (t *target) change(in *applicationautoscaling.RegisterScalableTargetInput) error {
	if in.MinCapacity != nil {
		t.Target.MinCapacity = in.MinCapacity
	}
	if in.MaxCapacity != nil {
		t.Target.MaxCapacity = in.MaxCapacity
	}
	if in.RoleARN != nil && t.Target.RoleARN == nil {
		t.Target.RoleARN = in.RoleARN
	}
	if n := in.SuspendedState; n != nil {
		state := *t.Target.SuspendedState
		for _, f := range []struct{ to, from **bool }{{&state.DynamicScalingInSuspended, &n.DynamicScalingInSuspended}, {&state.DynamicScalingOutSuspended, &n.DynamicScalingOutSuspended}, {&state.ScheduledScalingSuspended, &n.ScheduledScalingSuspended}} {
			if *f.from != nil {
				*f.to = *f.from
			}
		}
		t.Target.SuspendedState = &state
	}
	switch low, high := *t.Target.MinCapacity, *t.Target.MaxCapacity; {
	case low < 0:
		return invalid("Minimum capacity must be greater than or equal to 0")
	case high < low:
		return invalid("Maximum capacity cannot be less than minimum capacity")
	}
	return nil
}

// DeregisterScalableTarget forgets a target with its policies and scheduled actions.
func (s *Service) DeregisterScalableTarget(ctx context.Context, in *applicationautoscaling.DeregisterScalableTargetInput) (*applicationautoscaling.DeregisterScalableTargetOutput, error) {
	k := scalable{in.ServiceNamespace, aws.ToString(in.ResourceId), in.ScalableDimension}
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if !s.targets.Delete(tx, k.key()) {
			return s.notRegistered(k)
		}
		for key := range s.policies.Prefix(tx, k.key()+"\x00") {
			s.policies.Delete(tx, key)
		}
		for key := range s.actions.Prefix(tx, k.key()+"\x00") {
			s.actions.Delete(tx, key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &applicationautoscaling.DeregisterScalableTargetOutput{}, nil
}

// page returns a page of a table's entries that match, in the order of their keys.
func page[V any](s *Service, table *store.Table[V], match func(V) bool, token *string, limit *int32) (out []V, next *string, err error) {
	p, err := paging.Open(token, paging.Limit(limit, 50, 50))
	if err != nil {
		return nil, nil, &types.InvalidNextTokenException{Message: new("Invalid next token")}
	}
	out = []V{}
	s.Store.View(func(tx *store.Tx) {
		for _, v := range paging.Of(p, table.Ascend(tx, p.After), match) {
			out = append(out, v)
		}
	})
	return out, p.Next(), nil
}

// DescribeScalableTargets lists targets of a service.
func (s *Service) DescribeScalableTargets(_ context.Context, in *applicationautoscaling.DescribeScalableTargetsInput) (*applicationautoscaling.DescribeScalableTargetsOutput, error) {
	list, next, err := page(s, s.targets, func(t target) bool {
		return t.Target.ServiceNamespace == in.ServiceNamespace && (len(in.ResourceIds) == 0 || slices.Contains(in.ResourceIds, *t.Target.ResourceId)) &&
			(in.ScalableDimension == "" || t.Target.ScalableDimension == in.ScalableDimension)
	}, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &applicationautoscaling.DescribeScalableTargetsOutput{ScalableTargets: []types.ScalableTarget{}, NextToken: next}
	for _, t := range list {
		out.ScalableTargets = append(out.ScalableTargets, t.Target)
	}
	return out, nil
}

// DescribeScalingActivities lists none: nothing is scaled.
func (s *Service) DescribeScalingActivities(context.Context, *applicationautoscaling.DescribeScalingActivitiesInput) (*applicationautoscaling.DescribeScalingActivitiesOutput, error) {
	return &applicationautoscaling.DescribeScalingActivitiesOutput{ScalingActivities: []types.ScalingActivity{}}, nil
}

// tagged finds the target with an ARN.
func (s *Service) tagged(tx *store.Tx, arn string) (string, target, error) {
	for key, t := range s.targets.Ascend(tx, "") {
		if *t.Target.ScalableTargetARN == arn {
			return key, t, nil
		}
	}
	return "", target{}, &types.ResourceNotFoundException{Message: new("The specified scalable target resource doesn't exist: " + arn), ResourceName: &arn}
}

func (s *Service) changeTags(ctx context.Context, arn string, change tags.Change) error {
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		key, t, err := s.tagged(tx, arn)
		if err != nil {
			return err
		}
		if t.Tags = change.To(t.Tags); len(t.Tags) > tags.Most {
			return &types.TooManyTagsException{Message: new("A scalable target can have 50 tags at most"), ResourceName: &arn}
		}
		s.targets.Put(tx, key, t)
		return nil
	})
}

// TagResource adds tags to a target.
func (s *Service) TagResource(ctx context.Context, in *applicationautoscaling.TagResourceInput) (*applicationautoscaling.TagResourceOutput, error) {
	if err := s.changeTags(ctx, aws.ToString(in.ResourceARN), tags.Add(in.Tags)); err != nil {
		return nil, err
	}
	return &applicationautoscaling.TagResourceOutput{}, nil
}

// UntagResource removes tags of a target.
func (s *Service) UntagResource(ctx context.Context, in *applicationautoscaling.UntagResourceInput) (*applicationautoscaling.UntagResourceOutput, error) {
	if err := s.changeTags(ctx, aws.ToString(in.ResourceARN), tags.Remove(in.TagKeys)); err != nil {
		return nil, err
	}
	return &applicationautoscaling.UntagResourceOutput{}, nil
}

// ListTagsForResource lists a target's tags.
func (s *Service) ListTagsForResource(_ context.Context, in *applicationautoscaling.ListTagsForResourceInput) (*applicationautoscaling.ListTagsForResourceOutput, error) {
	var t target
	var err error
	s.Store.View(func(tx *store.Tx) { _, t, err = s.tagged(tx, aws.ToString(in.ResourceARN)) })
	if err != nil {
		return nil, err
	}
	return &applicationautoscaling.ListTagsForResourceOutput{Tags: tags.Copy(t.Tags)}, nil
}
