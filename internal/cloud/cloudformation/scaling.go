package cloudformation

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
)

// AutoScaling is what scalable targets and their policies need of Application Auto Scaling.
type AutoScaling interface {
	RegisterScalableTarget(context.Context, *aas.RegisterScalableTargetInput) (*aas.RegisterScalableTargetOutput, error)
	DeregisterScalableTarget(context.Context, *aas.DeregisterScalableTargetInput) (*aas.DeregisterScalableTargetOutput, error)
	PutScalingPolicy(context.Context, *aas.PutScalingPolicyInput) (*aas.PutScalingPolicyOutput, error)
	DeleteScalingPolicy(context.Context, *aas.DeleteScalingPolicyInput) (*aas.DeleteScalingPolicyOutput, error)
}

func (s *Service) scalingHandlers() map[string]Handler {
	a := s.cfg.Services.AutoScaling
	if a == nil {
		return nil
	}
	target := func(ctx context.Context, r *Request) (Result, error) {
		in := &aas.RegisterScalableTargetInput{}
		if err := fill(in, r.Properties, nil); err != nil {
			return Result{Physical: r.Physical}, err
		}
		id := fmt.Sprintf("%s|%s|%s", r.Str("ResourceId"), r.Str("ScalableDimension"), r.Str("ServiceNamespace"))
		_, err := a.RegisterScalableTarget(ctx, in)
		return Result{Physical: id, Attributes: map[string]any{"Id": id}}, err
	}
	policy := func(ctx context.Context, r *Request) (Result, error) {
		in := &aas.PutScalingPolicyInput{}
		if err := fill(in, r.Properties, nil); err != nil {
			return Result{Physical: r.Physical}, err
		}
		scalingTarget(r, &in.ResourceId, &in.ScalableDimension, &in.ServiceNamespace)
		out, err := a.PutScalingPolicy(ctx, in)
		if err != nil {
			return Result{Physical: r.Physical}, err
		}
		arn := aws.ToString(out.PolicyARN)
		return Result{Physical: arn, Attributes: map[string]any{"Arn": arn}}, nil
	}
	return map[string]Handler{
		"AWS::ApplicationAutoScaling::ScalableTarget": {Create: target, Update: target, Delete: func(ctx context.Context, r *Request) error {
			in := &aas.DeregisterScalableTargetInput{}
			if err := fill(in, r.Properties, nil); err != nil {
				return err
			}
			_, err := a.DeregisterScalableTarget(ctx, in)
			return err
		}},
		"AWS::ApplicationAutoScaling::ScalingPolicy": {Create: policy, Update: policy, Delete: func(ctx context.Context, r *Request) error {
			in := &aas.DeleteScalingPolicyInput{}
			if err := fill(in, r.Properties, nil); err != nil {
				return err
			}
			scalingTarget(r, &in.ResourceId, &in.ScalableDimension, &in.ServiceNamespace)
			_, err := a.DeleteScalingPolicy(ctx, in)
			return err
		}},
	}
}

// scalingTarget reads ScalingTargetId, what Ref of a scalable target returns.
func scalingTarget(r *Request, resource **string, dimension *types.ScalableDimension, namespace *types.ServiceNamespace) {
	parts := strings.Split(r.Str("ScalingTargetId"), "|")
	if len(parts) == 3 {
		*resource, *dimension, *namespace = aws.String(parts[0]), types.ScalableDimension(parts[1]), types.ServiceNamespace(parts[2])
	}
}
