package codedeploy

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
	"evo/internal/rollout"
)

// GetDeployment describes a deployment.
func (s *Service) GetDeployment(_ context.Context, in *codedeploy.GetDeploymentInput) (_ *codedeploy.GetDeploymentOutput, err error) {
	var d deployment
	s.cfg.Store.View(func(tx *store.Tx) { d, err = s.deployment(tx, in.DeploymentId) })
	if err != nil {
		return nil, err
	}
	info := d.info()
	return &codedeploy.GetDeploymentOutput{DeploymentInfo: &info}, nil
}

// BatchGetDeployments describes several deployments; those that do not exist are left out.
func (s *Service) BatchGetDeployments(_ context.Context, in *codedeploy.BatchGetDeploymentsInput) (*codedeploy.BatchGetDeploymentsOutput, error) {
	if len(in.DeploymentIds) == 0 {
		return nil, &types.DeploymentIdRequiredException{Message: aws.String("The deployment ID is required.")}
	}
	if err := checkBatch(len(in.DeploymentIds), 25); err != nil {
		return nil, err
	}
	out := new(codedeploy.BatchGetDeploymentsOutput)
	s.cfg.Store.View(func(tx *store.Tx) {
		for _, id := range in.DeploymentIds {
			if d, ok := s.deployments.Get(tx, id); ok {
				out.DeploymentsInfo = append(out.DeploymentsInfo, d.info())
			}
		}
	})
	return out, nil
}

func (d deployment) info() types.DeploymentInfo {
	s := d.State
	info := types.DeploymentInfo{
		ApplicationName: &d.Application, DeploymentGroupName: &d.Group, DeploymentConfigName: &d.ConfigName, DeploymentId: &s.ID,
		PreviousRevision: d.Previous, Revision: &d.Revision, Status: types.DeploymentStatus(s.Status), CreateTime: &s.Created,
		StartTime: optional(s.Started), CompleteTime: optional(s.Completed), DeploymentOverview: overview(s.TargetStatus()), Creator: d.Creator,
		AutoRollbackConfiguration: d.AutoRollback, OverrideAlarmConfiguration: d.Override, ComputePlatform: types.ComputePlatformLambda,
		DeploymentStyle: &types.DeploymentStyle{DeploymentType: types.DeploymentTypeBlueGreen, DeploymentOption: types.DeploymentOptionWithTrafficControl},
		RollbackInfo:    d.rollbackInfo(), FileExistsBehavior: types.FileExistsBehaviorDisallow,
	}
	if d.Description != "" {
		info.Description = &d.Description
	}
	if f := s.Failure; f != nil {
		info.ErrorInformation = &types.ErrorInformation{Code: types.ErrorCode(f.Code), Message: &f.Message}
	}
	return info
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (d deployment) rollbackInfo() *types.RollbackInfo {
	id := d.State.ID
	if by := d.State.UndoneBy; by != "" {
		return &types.RollbackInfo{RollbackDeploymentId: &by, RollbackMessage: aws.String(
			"Deployment " + id + " terminated. Automatic rollback is triggered with a DeploymentId " + by + ".")}
	}
	if of := d.State.Undoes; of != "" {
		return &types.RollbackInfo{RollbackTriggeringDeploymentId: &of, RollbackMessage: aws.String(
			"Deployment " + id + " is triggered to roll back deployment " + of + ".")}
	}
	return nil
}

// overview counts a deployment's one target.
func overview(status rollout.EventStatus) *types.DeploymentOverview {
	o := new(types.DeploymentOverview)
	switch status {
	case rollout.EventPending:
		o.Pending = 1
	case rollout.EventInProgress:
		o.InProgress = 1
	case rollout.EventSucceeded:
		o.Succeeded = 1
	case rollout.EventFailed:
		o.Failed = 1
	case rollout.EventSkipped:
		o.Skipped = 1
	}
	return o
}

// started returns a deployment whose target can be described.
func (s *Service) started(id *string) (d deployment, err error) {
	s.cfg.Store.View(func(tx *store.Tx) { d, err = s.deployment(tx, id) })
	if err == nil && (d.State.Status == rollout.Created || d.State.Status == rollout.Queued) {
		err = &types.DeploymentNotStartedException{Message: aws.String("The specified deployment has not started: " + *id)}
	}
	return d, err
}

// ListDeploymentTargets lists the one target of a deployment.
func (s *Service) ListDeploymentTargets(_ context.Context, in *codedeploy.ListDeploymentTargetsInput) (*codedeploy.ListDeploymentTargetsOutput, error) {
	d, err := s.started(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	statuses, filtered := in.TargetFilters[string(types.TargetFilterNameTargetStatus)]
	if filtered && !slices.Contains(statuses, string(d.State.TargetStatus())) {
		return &codedeploy.ListDeploymentTargetsOutput{TargetIds: []string{}}, nil
	}
	return &codedeploy.ListDeploymentTargetsOutput{TargetIds: []string{d.targetID()}}, nil
}

// GetDeploymentTarget describes a deployment's target.
func (s *Service) GetDeploymentTarget(_ context.Context, in *codedeploy.GetDeploymentTargetInput) (*codedeploy.GetDeploymentTargetOutput, error) {
	d, err := s.started(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	t, err := s.target(d, aws.ToString(in.TargetId))
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentTargetOutput{DeploymentTarget: t}, nil
}

// BatchGetDeploymentTargets describes a deployment's target, once for each time that it is named.
func (s *Service) BatchGetDeploymentTargets(_ context.Context, in *codedeploy.BatchGetDeploymentTargetsInput) (*codedeploy.BatchGetDeploymentTargetsOutput, error) {
	if len(in.TargetIds) > 25 {
		return nil, &types.DeploymentTargetListSizeExceededException{Message: aws.String("The maximum number of targets that can be associated with a deployment was exceeded: 25.")}
	}
	d, err := s.started(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if len(in.TargetIds) == 0 {
		return nil, &types.DeploymentTargetIdRequiredException{Message: aws.String("A deployment target ID was not provided.")}
	}
	out := new(codedeploy.BatchGetDeploymentTargetsOutput)
	for _, id := range in.TargetIds {
		t, err := s.target(d, id)
		if err != nil {
			return nil, err
		}
		out.DeploymentTargets = append(out.DeploymentTargets, *t)
	}
	return out, nil
}

func (d deployment) targetID() string { return functionName(d.State.Function) }

// target describes the target of a deployment. Its documented id is the function's name; the alias may be in it.
func (s *Service) target(d deployment, id string) (*types.DeploymentTarget, error) {
	switch id {
	case "":
		return nil, &types.DeploymentTargetIdRequiredException{Message: aws.String("A deployment target ID was not provided.")}
	case d.targetID(), d.targetID() + ":" + d.State.Alias:
	default:
		return nil, &types.DeploymentTargetDoesNotExistException{Message: aws.String("The provided target ID does not belong to the attempted deployment: " + id)}
	}
	st := d.State
	events := make([]types.LifecycleEvent, len(st.Events))
	for i, e := range st.Events {
		events[i] = types.LifecycleEvent{
			LifecycleEventName: aws.String(rollout.EventName(i)), Status: types.LifecycleEventStatus(e.Status),
			StartTime: optional(e.Start), EndTime: optional(e.End),
		}
		if e.Diagnostic != nil {
			events[i].Diagnostics = &types.Diagnostics{
				ErrorCode: types.LifecycleErrorCode(e.Diagnostic.Code), Message: aws.String(e.Diagnostic.Message), ScriptName: aws.String(e.Hook),
			}
		}
	}
	name := functionName(st.Function)
	return &types.DeploymentTarget{DeploymentTargetType: types.DeploymentTargetTypeLambdaTarget, LambdaTarget: &types.LambdaTarget{
		DeploymentId: &st.ID, TargetId: aws.String(d.targetID()), LastUpdatedAt: &st.Updated, Status: types.TargetStatus(st.TargetStatus()), LifecycleEvents: events,
		TargetArn: aws.String("arn:aws:lambda:" + s.cfg.Region + ":" + call.Account + ":function:" + name + ":" + st.Alias),
		LambdaFunctionInfo: &types.LambdaFunctionInfo{
			FunctionName: &name, FunctionAlias: &st.Alias, CurrentVersion: &st.Current, TargetVersion: &st.Target, TargetVersionWeight: st.Weight(),
		},
	}}, nil
}
