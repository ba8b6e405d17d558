package codedeploy

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
)

// Quotas.
const (
	maxAlarms   = 10
	maxTriggers = 10
	maxGroups   = 1000
)

type group struct {
	ID           string
	Name         string
	Application  string
	Role         string
	ConfigName   string
	Style        types.DeploymentStyle
	Alarms       *types.AlarmConfiguration        `json:",omitempty"`
	AutoRollback *types.AutoRollbackConfiguration `json:",omitempty"`
	Triggers     []types.TriggerConfig            `json:",omitempty"`
	Created      time.Time

	Active    string                    `json:",omitempty"` // the deployment under way
	Target    *types.RevisionLocation   `json:",omitempty"` // of the last deployment that succeeded
	Succeeded *types.LastDeploymentInfo `json:",omitempty"`
	Attempted *types.LastDeploymentInfo `json:",omitempty"`
}

func (g group) key() string { return g.Application + "/" + g.Name }

func checkGroupName(name *string) (string, error) {
	switch {
	case aws.ToString(name) == "":
		return "", &types.DeploymentGroupNameRequiredException{Message: aws.String("The deployment group name is required.")}
	case !namePattern().MatchString(*name):
		return "", &types.InvalidDeploymentGroupNameException{Message: aws.String("The deployment group name is invalid: " + *name)}
	}
	return *name, nil
}

func (s *Service) group(tx *store.Tx, applicationName, name *string) (group, error) {
	a, err := s.application(tx, applicationName)
	if err != nil {
		return group{}, err
	}
	n, err := checkGroupName(name)
	if err != nil {
		return group{}, err
	}
	g, ok := s.groups.Get(tx, a.Name+"/"+n)
	if !ok {
		return group{}, &types.DeploymentGroupDoesNotExistException{Message: aws.String("No Deployment Group found for name: " + n)}
	}
	return g, nil
}

// CreateDeploymentGroup makes a group of an application for Lambda.
func (s *Service) CreateDeploymentGroup(ctx context.Context, in *codedeploy.CreateDeploymentGroupInput) (*codedeploy.CreateDeploymentGroupOutput, error) {
	name, err := checkGroupName(in.DeploymentGroupName)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	g := group{
		ID: id.UUIDFrom(s.cfg.Rand), Name: name, Role: aws.ToString(in.ServiceRoleArn), ConfigName: lambdaAllAtOnce, Created: s.cfg.Clock.Now(),
		Style: types.DeploymentStyle{DeploymentType: types.DeploymentTypeBlueGreen, DeploymentOption: types.DeploymentOptionWithTrafficControl},
	}
	err = s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := s.application(tx, in.ApplicationName)
		if err != nil {
			return err
		}
		if err := a.onlyLambda("CreateDeploymentGroup"); err != nil {
			return err
		}
		g.Application = a.Name
		if err := s.roomForGroup(tx, g); err != nil {
			return err
		}
		g.set(in.DeploymentConfigName, in.DeploymentStyle, in.AlarmConfiguration, in.AutoRollbackConfiguration, in.TriggerConfigurations)
		if err := s.checkGroup(tx, g); err != nil {
			return err
		}
		s.groups.Put(tx, g.key(), g)
		s.putTags(tx, s.arn("deploymentgroup", g.key()), tags)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codedeploy.CreateDeploymentGroupOutput{DeploymentGroupId: &g.ID}, nil
}

func (s *Service) roomForGroup(tx *store.Tx, g group) error {
	n := 0
	for key := range s.groups.Prefix(tx, g.Application+"/") {
		if n++; key == g.key() {
			return &types.DeploymentGroupAlreadyExistsException{Message: aws.String("Deployment group already exists: " + g.Name)}
		}
	}
	if n >= maxGroups {
		return &types.DeploymentGroupLimitExceededException{Message: aws.String("The deployment groups limit was exceeded.")}
	}
	return nil
}

// set takes over the members that are given.
func (g *group) set(config *string, style *types.DeploymentStyle, alarms *types.AlarmConfiguration, rollback *types.AutoRollbackConfiguration, triggers []types.TriggerConfig) {
	if config != nil {
		g.ConfigName = *config
	}
	if style != nil {
		g.Style = *style
	}
	if alarms != nil {
		g.Alarms = alarms
	}
	if rollback != nil {
		g.AutoRollback = rollback
	}
	if triggers != nil {
		g.Triggers = triggers
	}
}

var rolePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`) })

func (s *Service) checkGroup(tx *store.Tx, g group) error {
	switch {
	case g.Role == "":
		return &types.RoleRequiredException{Message: aws.String("The role ARN is required.")}
	case !rolePattern().MatchString(g.Role):
		return &types.InvalidRoleException{Message: aws.String("The service role ARN is invalid: " + g.Role)}
	case g.Style.DeploymentType != types.DeploymentTypeBlueGreen || g.Style.DeploymentOption != types.DeploymentOptionWithTrafficControl:
		return &types.InvalidDeploymentStyleException{Message: aws.String(
			"For Lambda deployment group, deployment type can be set to BLUE_GREEN only and deployment option to WITH_TRAFFIC_CONTROL only.")}
	}
	if _, err := s.config(tx, &g.ConfigName); err != nil {
		return err
	}
	if err := checkAlarms(g.Alarms); err != nil {
		return err
	}
	if err := checkAutoRollback(g.AutoRollback); err != nil {
		return err
	}
	return checkTriggers(g.Triggers)
}

func checkAlarms(c *types.AlarmConfiguration) error {
	if c == nil {
		return nil
	}
	invalid := func(text string) error {
		return &types.InvalidAlarmConfigException{Message: aws.String("The alarm configuration is invalid: " + text)}
	}
	if len(c.Alarms) > maxAlarms {
		return &types.AlarmsLimitExceededException{Message: aws.String("The maximum number of alarms for a deployment group (10) was exceeded.")}
	}
	if c.Enabled && len(c.Alarms) == 0 {
		return invalid("alarms are enabled, and none is given")
	}
	seen := map[string]bool{}
	for _, a := range c.Alarms {
		name := aws.ToString(a.Name)
		if name == "" || len(name) > 255 {
			return invalid("an alarm's name has from 1 to 255 characters")
		}
		if seen[name] {
			return invalid("alarm " + name + " is given twice")
		}
		seen[name] = true
	}
	return nil
}

func checkAutoRollback(c *types.AutoRollbackConfiguration) error {
	if c == nil {
		return nil
	}
	invalid := func(text string) error {
		return &types.InvalidAutoRollbackConfigException{Message: aws.String("The automatic rollback configuration is invalid: " + text)}
	}
	if c.Enabled && len(c.Events) == 0 {
		return invalid("it is enabled, and no event is given")
	}
	for _, e := range c.Events {
		if !slices.Contains(e.Values(), e) {
			return invalid("event " + string(e) + " is unknown")
		}
	}
	return nil
}

func checkTriggers(list []types.TriggerConfig) error {
	if len(list) > maxTriggers {
		return &types.TriggerTargetsLimitExceededException{Message: aws.String("The maximum allowed number of triggers was exceeded.")}
	}
	for _, t := range list {
		if aws.ToString(t.TriggerName) == "" || aws.ToString(t.TriggerTargetArn) == "" || len(t.TriggerEvents) == 0 {
			return &types.InvalidTriggerConfigException{Message: aws.String("The trigger was specified in an invalid format: name, target and events are needed.")}
		}
	}
	return nil
}

// GetDeploymentGroup describes a group.
func (s *Service) GetDeploymentGroup(_ context.Context, in *codedeploy.GetDeploymentGroupInput) (_ *codedeploy.GetDeploymentGroupOutput, err error) {
	var g group
	s.cfg.Store.View(func(tx *store.Tx) { g, err = s.group(tx, in.ApplicationName, in.DeploymentGroupName) })
	if err != nil {
		return nil, err
	}
	info := g.info()
	return &codedeploy.GetDeploymentGroupOutput{DeploymentGroupInfo: &info}, nil
}

func (g group) info() types.DeploymentGroupInfo {
	return types.DeploymentGroupInfo{
		ApplicationName: &g.Application, DeploymentGroupName: &g.Name, DeploymentGroupId: &g.ID, ServiceRoleArn: &g.Role,
		DeploymentConfigName: &g.ConfigName, DeploymentStyle: &g.Style, ComputePlatform: types.ComputePlatformLambda,
		AlarmConfiguration: g.Alarms, AutoRollbackConfiguration: g.AutoRollback, TriggerConfigurations: g.Triggers,
		TargetRevision: g.Target, LastSuccessfulDeployment: g.Succeeded, LastAttemptedDeployment: g.Attempted,
	}
}

// BatchGetDeploymentGroups describes several groups of one application; those that do not exist are told of in a message.
func (s *Service) BatchGetDeploymentGroups(_ context.Context, in *codedeploy.BatchGetDeploymentGroupsInput) (_ *codedeploy.BatchGetDeploymentGroupsOutput, err error) {
	if err := checkBatch(len(in.DeploymentGroupNames), 100); err != nil {
		return nil, err
	}
	out := new(codedeploy.BatchGetDeploymentGroupsOutput)
	var missing []string
	s.cfg.Store.View(func(tx *store.Tx) {
		var a application
		if a, err = s.application(tx, in.ApplicationName); err != nil {
			return
		}
		for _, name := range in.DeploymentGroupNames {
			if g, ok := s.groups.Get(tx, a.Name+"/"+name); ok {
				out.DeploymentGroupsInfo = append(out.DeploymentGroupsInfo, g.info())
			} else {
				missing = append(missing, name)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		out.ErrorMessage = aws.String("No Deployment Group found for name: " + strings.Join(missing, ", "))
	}
	return out, nil
}

// ListDeploymentGroups lists the names of an application's groups in order.
func (s *Service) ListDeploymentGroups(_ context.Context, in *codedeploy.ListDeploymentGroupsInput) (_ *codedeploy.ListDeploymentGroupsOutput, err error) {
	var names []string
	s.cfg.Store.View(func(tx *store.Tx) {
		var a application
		if a, err = s.application(tx, in.ApplicationName); err != nil {
			return
		}
		for _, g := range s.groups.Prefix(tx, a.Name+"/") {
			names = append(names, g.Name)
		}
	})
	if err != nil {
		return nil, err
	}
	names, next, err := page(names, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &codedeploy.ListDeploymentGroupsOutput{ApplicationName: in.ApplicationName, DeploymentGroups: names, NextToken: next}, nil
}

// UpdateDeploymentGroup changes the members that are given. A deployment under way keeps what it began with.
func (s *Service) UpdateDeploymentGroup(ctx context.Context, in *codedeploy.UpdateDeploymentGroupInput) (*codedeploy.UpdateDeploymentGroupOutput, error) {
	err := s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		g, err := s.group(tx, in.ApplicationName, in.CurrentDeploymentGroupName)
		if err != nil {
			return err
		}
		from := g
		g.set(in.DeploymentConfigName, in.DeploymentStyle, in.AlarmConfiguration, in.AutoRollbackConfiguration, in.TriggerConfigurations)
		if in.ServiceRoleArn != nil {
			g.Role = *in.ServiceRoleArn
		}
		if in.NewDeploymentGroupName != nil {
			if g.Name, err = checkGroupName(in.NewDeploymentGroupName); err != nil {
				return err
			}
		}
		if err := s.checkGroup(tx, g); err != nil {
			return err
		}
		if g.Name != from.Name {
			if err := s.renameGroup(tx, from, g); err != nil {
				return err
			}
		}
		s.groups.Put(tx, g.key(), g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codedeploy.UpdateDeploymentGroupOutput{}, nil
}

func (s *Service) renameGroup(tx *store.Tx, from, to group) error {
	if err := s.roomForGroup(tx, to); err != nil {
		return err
	}
	s.groups.Delete(tx, from.key())
	s.moveTags(tx, s.arn("deploymentgroup", from.key()), s.arn("deploymentgroup", to.key()))
	for id, d := range s.deployments.Ascend(tx, "") {
		if d.GroupID == from.ID {
			d.Group = to.Name
			s.deployments.Put(tx, id, d)
		}
	}
	return nil
}

// DeleteDeploymentGroup removes a group. A deployment under way goes on: it knows what it needs.
func (s *Service) DeleteDeploymentGroup(ctx context.Context, in *codedeploy.DeleteDeploymentGroupInput) (*codedeploy.DeleteDeploymentGroupOutput, error) {
	app, err := checkApplicationName(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	name, err := checkGroupName(in.DeploymentGroupName)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		s.groups.Delete(tx, app+"/"+name)
		s.tags.Delete(tx, s.arn("deploymentgroup", app+"/"+name))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codedeploy.DeleteDeploymentGroupOutput{}, nil
}
