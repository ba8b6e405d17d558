package codedeploy

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"evo/internal/cloud/store"
	"evo/internal/rollout"
)

const maxDescription = 256

// deployment is the journal's entry of one deployment: its state, and what the API shows besides.
type deployment struct {
	State        rollout.State
	Serial       int // order of creation
	Application  string
	Group        string
	GroupID      string
	ConfigName   string
	Description  string
	Creator      types.DeploymentCreator
	Revision     types.RevisionLocation
	Previous     *types.RevisionLocation          `json:",omitempty"`
	AutoRollback *types.AutoRollbackConfiguration `json:",omitempty"`
	Override     *types.AlarmConfiguration        `json:",omitempty"`
}

func asError[E error](err error, target *E) bool { return errors.As(err, target) }

func descriptionTooLong() error {
	return &types.DescriptionTooLongException{Message: aws.String("The description is too long: at most 256 characters are allowed.")}
}

func (s *Service) deployment(tx *store.Tx, id *string) (deployment, error) {
	switch {
	case aws.ToString(id) == "":
		return deployment{}, &types.DeploymentIdRequiredException{Message: aws.String("The deployment ID is required.")}
	case !deploymentIDPattern().MatchString(*id):
		return deployment{}, &types.InvalidDeploymentIdException{Message: aws.String("The deployment ID is invalid: " + *id)}
	}
	d, ok := s.deployments.Get(tx, *id)
	if !ok {
		return deployment{}, &types.DeploymentDoesNotExistException{Message: aws.String("The deployment " + *id + " could not be found")}
	}
	return d, nil
}

// CreateDeployment begins a deployment. It returns at once; the deployment goes on by itself.
func (s *Service) CreateDeployment(ctx context.Context, in *codedeploy.CreateDeploymentInput) (*codedeploy.CreateDeploymentOutput, error) {
	if err := checkDeployment(in); err != nil {
		return nil, err
	}
	spec, err := s.resolveFor(ctx, in)
	if err != nil {
		return nil, err
	}
	plan, err := s.newSpec(spec)
	if err != nil {
		return nil, err
	}
	var d deployment
	err = s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		g, err := s.group(tx, in.ApplicationName, in.DeploymentGroupName)
		if err != nil {
			return err
		}
		if d, err = s.newDeployment(tx, g, in, plan); err != nil {
			return err
		}
		s.add(tx, g, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.launch(d)
	return &codedeploy.CreateDeploymentOutput{DeploymentId: &d.State.ID}, nil
}

func checkDeployment(in *codedeploy.CreateDeploymentInput) error {
	if len(aws.ToString(in.Description)) > maxDescription {
		return descriptionTooLong()
	}
	if err := checkAlarms(in.OverrideAlarmConfiguration); err != nil {
		return err
	}
	return checkAutoRollback(in.AutoRollbackConfiguration)
}

// resolveFor reads the AppSpec, after it has been made sure that there is a group for it.
func (s *Service) resolveFor(ctx context.Context, in *codedeploy.CreateDeploymentInput) (spec appSpec, err error) {
	s.cfg.Store.View(func(tx *store.Tx) {
		var a application
		if a, err = s.application(tx, in.ApplicationName); err == nil {
			err = a.onlyLambda("CreateDeployment")
		}
		if err == nil {
			_, err = s.group(tx, in.ApplicationName, in.DeploymentGroupName)
		}
	})
	if err != nil {
		return spec, err
	}
	return s.resolve(ctx, in.Revision)
}

// newSpec turns an AppSpec into a rollout's, with ids of its own.
func (s *Service) newSpec(a appSpec) (spec rollout.Spec, err error) {
	spec = rollout.Spec{ID: s.newDeploymentID(), Function: a.Function, Alias: a.Alias, Current: a.Current, Target: a.Target, Before: a.Before, After: a.After}
	if spec.BeforeID, err = s.newHookID(); err != nil {
		return spec, err
	}
	spec.AfterID, err = s.newHookID()
	return spec, err
}

func (s *Service) newDeployment(tx *store.Tx, g group, in *codedeploy.CreateDeploymentInput, spec rollout.Spec) (d deployment, err error) {
	if g.Active != "" {
		return d, &types.DeploymentLimitExceededException{Message: aws.String("The Deployment Group '" + g.Name + "' already has an active Deployment '" + g.Active + "'")}
	}
	configName := &g.ConfigName
	if in.DeploymentConfigName != nil {
		configName = in.DeploymentConfigName
	}
	config, err := s.config(tx, configName)
	if err != nil {
		return d, err
	}
	d = deployment{
		Application: g.Application, Group: g.Name, GroupID: g.ID, ConfigName: config.Name, Creator: types.DeploymentCreatorUser,
		Description: aws.ToString(in.Description), Revision: *in.Revision, Previous: g.Target,
		AutoRollback: g.AutoRollback, Override: in.OverrideAlarmConfiguration,
	}
	if in.AutoRollbackConfiguration != nil {
		d.AutoRollback = in.AutoRollbackConfiguration
	}
	alarms := g.Alarms
	if d.Override != nil {
		alarms = d.Override
	}
	spec.Config, spec.Role, spec.Created = config.Config, g.Role, s.cfg.Clock.Now()
	spec.Alarms, spec.RollBackOn = watched(alarms), causes(d.AutoRollback)
	d.State = rollout.New(spec)
	return d, nil
}

func watched(c *types.AlarmConfiguration) (alarms rollout.Alarms) {
	if c == nil || !c.Enabled {
		return alarms
	}
	alarms.IgnoreUnreadable = c.IgnorePollAlarmFailure
	for _, a := range c.Alarms {
		alarms.Names = append(alarms.Names, aws.ToString(a.Name))
	}
	return alarms
}

func causes(c *types.AutoRollbackConfiguration) (list []rollout.Cause) {
	if c == nil || !c.Enabled {
		return nil
	}
	for _, e := range c.Events {
		list = append(list, rollout.Cause(e))
	}
	return list
}

// add writes a new deployment, and notes it with its group and application.
func (s *Service) add(tx *store.Tx, g group, d deployment) {
	d.Serial = s.deployments.Len(tx) + 1
	s.deployments.Put(tx, d.State.ID, d)
	s.use(tx, g, d.Revision, d.State.Created)
	g.Active, g.Attempted = d.State.ID, d.last()
	s.groups.Put(tx, g.key(), g)
}

func (d deployment) last() *types.LastDeploymentInfo {
	info := &types.LastDeploymentInfo{
		DeploymentId: aws.String(d.State.ID), Status: types.DeploymentStatus(d.State.Status), CreateTime: aws.Time(d.State.Created),
	}
	if d.State.Status.Terminal() {
		info.EndTime = aws.Time(d.State.Completed)
	}
	return info
}

// ListDeployments lists deployments, the newest first.
func (s *Service) ListDeployments(_ context.Context, in *codedeploy.ListDeploymentsInput) (_ *codedeploy.ListDeploymentsOutput, err error) {
	if err := checkList(in); err != nil {
		return nil, err
	}
	var found []deployment
	s.cfg.Store.View(func(tx *store.Tx) {
		if in.ApplicationName != nil {
			if _, err = s.group(tx, in.ApplicationName, in.DeploymentGroupName); err != nil {
				return
			}
		}
		for _, d := range s.deployments.Ascend(tx, "") {
			if d.listed(in) {
				found = append(found, d)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b deployment) int { return cmp.Compare(b.Serial, a.Serial) })
	var ids []string
	for _, d := range found {
		ids = append(ids, d.State.ID)
	}
	ids, next, err := page(ids, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &codedeploy.ListDeploymentsOutput{Deployments: ids, NextToken: next}, nil
}

func checkList(in *codedeploy.ListDeploymentsInput) error {
	switch r := in.CreateTimeRange; {
	case in.ApplicationName != nil && in.DeploymentGroupName == nil:
		return &types.DeploymentGroupNameRequiredException{Message: aws.String("The deployment group name is required if an application name is given.")}
	case in.ApplicationName == nil && in.DeploymentGroupName != nil:
		return &types.ApplicationNameRequiredException{Message: aws.String("The application name is required if a deployment group name is given.")}
	case r != nil && r.Start != nil && r.End != nil && r.End.Before(*r.Start):
		return &types.InvalidTimeRangeException{Message: aws.String("The time range ends before it starts.")}
	}
	for _, status := range in.IncludeOnlyStatuses {
		if !slices.Contains(status.Values(), status) {
			return &types.InvalidDeploymentStatusException{Message: aws.String("The deployment status is invalid: " + string(status))}
		}
	}
	return nil
}

func (d deployment) listed(in *codedeploy.ListDeploymentsInput) bool {
	if aws.ToString(in.ExternalId) != "" {
		return false // no deployment here has one
	}
	if in.ApplicationName != nil && (d.Application != *in.ApplicationName || d.Group != *in.DeploymentGroupName) {
		return false
	}
	if len(in.IncludeOnlyStatuses) > 0 && !slices.Contains(in.IncludeOnlyStatuses, types.DeploymentStatus(d.State.Status)) {
		return false
	}
	r := in.CreateTimeRange
	return r == nil ||
		(r.Start == nil || !d.State.Created.Before(*r.Start)) && (r.End == nil || !d.State.Created.After(*r.End))
}

// StopDeployment ends a deployment, and rolls it back if that is asked for, or else configured.
func (s *Service) StopDeployment(ctx context.Context, in *codedeploy.StopDeploymentInput) (_ *codedeploy.StopDeploymentOutput, err error) {
	var d deployment
	s.cfg.Store.View(func(tx *store.Tx) { d, err = s.deployment(tx, in.DeploymentId) })
	if err != nil {
		return nil, err
	}
	back := slices.Contains(d.State.RollBackOn, rollout.OnRequest)
	if in.AutoRollbackEnabled != nil {
		back = *in.AutoRollbackEnabled
	}
	before, after, err := s.observe(ctx, d.State.ID, rollout.StopAsked{RollBack: back})
	if err != nil {
		return nil, err
	}
	switch stopped := after.State.Stop != nil; {
	case !stopped:
		return nil, &types.DeploymentAlreadyCompletedException{Message: aws.String("Deployment " + d.State.ID + " is already completed")}
	case before.State.Status == rollout.InProgress:
		return &codedeploy.StopDeploymentOutput{Status: types.StopStatusPending, StatusMessage: aws.String("The deployment is being stopped.")}, nil
	}
	return &codedeploy.StopDeploymentOutput{Status: types.StopStatusSucceeded, StatusMessage: aws.String("The deployment was stopped.")}, nil
}

// ContinueDeployment is for blue/green deployments of other platforms.
func (s *Service) ContinueDeployment(_ context.Context, in *codedeploy.ContinueDeploymentInput) (_ *codedeploy.ContinueDeploymentOutput, err error) {
	s.cfg.Store.View(func(tx *store.Tx) { _, err = s.deployment(tx, in.DeploymentId) })
	if err != nil {
		return nil, err
	}
	return nil, &types.UnsupportedActionForDeploymentTypeException{Message: aws.String("A deployment to AWS Lambda cannot be continued: it goes on by itself.")}
}

// functionName returns the name in a function's name or ARN.
func functionName(s string) string {
	if parts := strings.Split(s, ":"); len(parts) >= 7 && parts[5] == "function" {
		return parts[6]
	}
	return s
}
