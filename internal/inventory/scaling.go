package inventory

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"evo/internal/cfn"
	"evo/internal/shape"
)

const (
	scalableTargetType = "AWS::ApplicationAutoScaling::ScalableTarget"
	scalingPolicyType  = "AWS::ApplicationAutoScaling::ScalingPolicy"
)

// Application Auto Scaling takes no resources for its reads.
var everywhere = []string{"*"}

var (
	targetProperties = []string{"MaxCapacity", "MinCapacity", "SuspendedState"}
	policyProperties = []string{"PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration"}
)

var scalableTargetParts = []part{
	{gives: targetProperties, actions: []string{"application-autoscaling:DescribeScalableTargets"}, on: everywhere, read: readScalableTarget, exists: true},
}

var scalingPolicyParts = []part{
	{gives: policyProperties, actions: []string{"application-autoscaling:DescribeScalingPolicies"}, on: everywhere, read: readScalingPolicy, exists: true},
}

func readScalableTarget(ctx context.Context, now *run, it *Item) (answer, error) {
	resource, dimension, namespace, ok := scaled(it.PhysicalID)
	if !ok {
		return answer{}, errUnnamed
	}
	targets, err := now.targets(ctx, namespace, resource)
	for _, t := range targets {
		if string(t.ScalableDimension) == dimension {
			return answer{properties: shape.Properties(scalableTargetType, t, nil, targetProperties...)}, nil
		}
	}
	return answer{}, orAbsent(err)
}

func orAbsent(err error) error {
	if err == nil {
		return errAbsent
	}
	return err
}

// scaled takes apart what Ref of a scalable target returns.
func scaled(id string) (resource, dimension, namespace string, ok bool) {
	parts := strings.Split(id, "|")
	if len(parts) != 3 {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}

func (now *run) targets(ctx context.Context, namespace, resource string) ([]types.ScalableTarget, error) {
	return once(now, "targets "+namespace+" "+resource, func() (list []types.ScalableTarget, err error) {
		pages := aas.NewDescribeScalableTargetsPaginator(now.scaling, &aas.DescribeScalableTargetsInput{
			ServiceNamespace: types.ServiceNamespace(namespace), ResourceIds: []string{resource}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			list = append(list, page.ScalableTargets...)
		}
		return list, nil
	})
}

func (now *run) policies(ctx context.Context, namespace, resource string) ([]types.ScalingPolicy, error) {
	return once(now, "policies "+namespace+" "+resource, func() (list []types.ScalingPolicy, err error) {
		in := &aas.DescribeScalingPoliciesInput{ServiceNamespace: types.ServiceNamespace(namespace)}
		if resource != "" {
			in.ResourceId = &resource
		}
		pages := aas.NewDescribeScalingPoliciesPaginator(now.scaling, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			list = append(list, page.ScalingPolicies...)
		}
		return list, nil
	})
}

func readScalingPolicy(ctx context.Context, now *run, it *Item) (answer, error) {
	resource, _, namespace, ok := scaled(it.text("ScalingTargetId"))
	if !ok {
		resource, namespace = it.text("ResourceId"), it.text("ServiceNamespace")
	}
	if namespace == "" {
		return answer{}, errUnnamed
	}
	list, err := now.policies(ctx, namespace, resource)
	for _, p := range list {
		if aws.ToString(p.PolicyARN) == it.PhysicalID {
			return answer{properties: shapedPolicy(p)}, nil
		}
	}
	return answer{}, orAbsent(err)
}

func shapedPolicy(p types.ScalingPolicy) *cfn.Node {
	return shape.Properties(scalingPolicyType, p, nil, policyProperties...)
}

// readTableScaling finds the scaling of a table that no item is.
func readTableScaling(ctx context.Context, now *run, it *Item) (answer, error) {
	const namespace = string(types.ServiceNamespaceDynamodb)
	resource := "table/" + it.PhysicalID
	targets, err := now.targets(ctx, namespace, resource)
	if err != nil {
		return answer{}, err
	}
	var a answer
	for _, t := range targets {
		id := strings.Join([]string{resource, string(t.ScalableDimension), namespace}, "|")
		if now.has(scalableTargetType, id) {
			continue
		}
		n := shape.Properties(scalableTargetType, t, nil, append([]string{"ResourceId", "ScalableDimension", "ServiceNamespace"}, targetProperties...)...)
		a.beside = append(a.beside, &Item{ID: it.ID + "/Scaling/" + string(t.ScalableDimension), Type: scalableTargetType, PhysicalID: id, Properties: n, Read: targetProperties})
	}
	if len(targets) == 0 {
		return a, nil
	}
	policies, err := now.policies(ctx, namespace, resource)
	if err != nil {
		return answer{}, err
	}
	for _, p := range policies {
		if !now.has(scalingPolicyType, aws.ToString(p.PolicyARN)) {
			n := shapedPolicy(p)
			n.Set("ScalingTargetId", cfn.Str(strings.Join([]string{resource, string(p.ScalableDimension), namespace}, "|")))
			n.Set("ResourceId", cfn.Str(resource))
			a.beside = append(a.beside, &Item{ID: it.ID + "/ScalingPolicy/" + aws.ToString(p.PolicyName), Type: scalingPolicyType,
				PhysicalID: aws.ToString(p.PolicyARN), Properties: n, Read: policyProperties})
		}
	}
	return a, nil
}

func unknownScaling(it *Item, reason string) []*Item {
	n := cfn.Obj(cfn.P("ResourceId", cfn.Str("table/"+it.PhysicalID)), cfn.P("ServiceNamespace", cfn.Str("dynamodb")), cfn.P("ScalableDimension", Unknown(reason)))
	for _, name := range targetProperties {
		n.Set(name, Unknown(reason))
	}
	return []*Item{{ID: it.ID + "/Scaling", Type: scalableTargetType, Properties: n, Read: targetProperties}}
}

// has reports whether an item of the type has the physical id.
func (now *run) has(typ, physical string) bool {
	return slices.ContainsFunc(now.items, func(it *Item) bool { return it.Type == typ && it.PhysicalID == physical })
}
