package codedeploy

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
	"evo/internal/rollout"
)

const (
	predefinedPrefix = "CodeDeployDefault."
	lambdaAllAtOnce  = predefinedPrefix + "LambdaAllAtOnce"
	maxConfigs       = 200
)

type deploymentConfig struct {
	ID       string
	Name     string
	Platform types.ComputePlatform
	Config   rollout.Config
	Created  time.Time
}

// predefined are AWS's own configurations for Lambda.
var predefined = func() map[string]deploymentConfig {
	configs := []rollout.Config{{Type: rollout.AllAtOnce}}
	for _, minutes := range []int{5, 10, 15, 30} {
		configs = append(configs, rollout.Config{Type: rollout.Canary, Percentage: 10, Interval: minutes})
	}
	for _, minutes := range []int{1, 2, 3, 10} {
		configs = append(configs, rollout.Config{Type: rollout.Linear, Percentage: 10, Interval: minutes})
	}
	all := map[string]deploymentConfig{}
	for _, c := range configs {
		name := predefinedPrefix + "Lambda" + c.String()
		all[name] = deploymentConfig{Name: name, Platform: types.ComputePlatformLambda, Config: c}
	}
	return all
}()

func checkConfigName(name *string) (string, error) {
	switch {
	case aws.ToString(name) == "":
		return "", &types.DeploymentConfigNameRequiredException{Message: aws.String("The deployment configuration name is required.")}
	case !namePattern().MatchString(*name):
		return "", &types.InvalidDeploymentConfigNameException{Message: aws.String("The deployment configuration name is invalid: " + *name)}
	}
	return *name, nil
}

func (s *Service) config(tx *store.Tx, name *string) (deploymentConfig, error) {
	n, err := checkConfigName(name)
	if err != nil {
		return deploymentConfig{}, err
	}
	if c, ok := predefined[n]; ok {
		return c, nil
	}
	if c, ok := s.configs.Get(tx, n); ok {
		return c, nil
	}
	return deploymentConfig{}, &types.DeploymentConfigDoesNotExistException{Message: aws.String("No deployment configuration found for name: " + n)}
}

// CreateDeploymentConfig makes a configuration of the caller's own, for Lambda.
func (s *Service) CreateDeploymentConfig(ctx context.Context, in *codedeploy.CreateDeploymentConfigInput) (*codedeploy.CreateDeploymentConfigOutput, error) {
	name, err := checkConfigName(in.DeploymentConfigName)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, predefinedPrefix) {
		return nil, &types.InvalidDeploymentConfigNameException{Message: aws.String("Deployment configuration names may not begin with " + predefinedPrefix)}
	}
	if in.ComputePlatform != types.ComputePlatformLambda {
		return nil, call.Errorf("OperationNotSupportedException", "CreateDeploymentConfig: only compute platform Lambda is there in the embedded cloud, not %q", in.ComputePlatform)
	}
	config, err := trafficRouting(in.TrafficRoutingConfig)
	if err != nil {
		return nil, err
	}
	c := deploymentConfig{ID: id.UUIDFrom(s.cfg.Rand), Name: name, Platform: in.ComputePlatform, Config: config, Created: s.cfg.Clock.Now()}
	err = s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, exists := s.configs.Get(tx, name); exists {
			return &types.DeploymentConfigAlreadyExistsException{Message: aws.String("Deployment configuration already exists: " + name)}
		}
		if s.configs.Len(tx) >= maxConfigs {
			return &types.DeploymentConfigLimitExceededException{Message: aws.String("The deployment configurations limit was exceeded.")}
		}
		s.configs.Put(tx, name, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codedeploy.CreateDeploymentConfigOutput{DeploymentConfigId: &c.ID}, nil
}

// trafficRouting reads a routing from the API's form and refuses what cannot be.
func trafficRouting(in *types.TrafficRoutingConfig) (rollout.Config, error) {
	invalid := func(text string) error {
		return &types.InvalidTrafficRoutingConfigurationException{Message: aws.String("The traffic routing configuration is invalid: " + text)}
	}
	if in == nil {
		return rollout.Config{}, invalid("it is missing")
	}
	c := rollout.Config{Type: rollout.ConfigType(in.Type)}
	canary, linear := in.TimeBasedCanary, in.TimeBasedLinear
	switch {
	case canary != nil && c.Type != rollout.Canary, linear != nil && c.Type != rollout.Linear:
		return c, invalid("its type is " + string(in.Type) + ", and another type's settings are given")
	case canary != nil:
		c.Percentage, c.Interval = int(canary.CanaryPercentage), int(canary.CanaryInterval)
	case linear != nil:
		c.Percentage, c.Interval = int(linear.LinearPercentage), int(linear.LinearInterval)
	case c.Type == rollout.Canary || c.Type == rollout.Linear:
		return c, invalid("the settings of type " + string(in.Type) + " are missing")
	}
	if err := c.Validate(); err != nil {
		return c, invalid(err.Error())
	}
	return c, nil
}

func (c deploymentConfig) info() *types.DeploymentConfigInfo {
	routing := &types.TrafficRoutingConfig{Type: types.TrafficRoutingType(c.Config.Type)}
	percent, interval := int32(c.Config.Percentage), int32(c.Config.Interval)
	switch c.Config.Type {
	case rollout.Canary:
		routing.TimeBasedCanary = &types.TimeBasedCanary{CanaryPercentage: percent, CanaryInterval: interval}
	case rollout.Linear:
		routing.TimeBasedLinear = &types.TimeBasedLinear{LinearPercentage: percent, LinearInterval: interval}
	}
	info := &types.DeploymentConfigInfo{DeploymentConfigName: &c.Name, ComputePlatform: c.Platform, TrafficRoutingConfig: routing}
	if c.ID != "" {
		info.DeploymentConfigId, info.CreateTime = &c.ID, &c.Created
	}
	return info
}

// GetDeploymentConfig describes a configuration.
func (s *Service) GetDeploymentConfig(_ context.Context, in *codedeploy.GetDeploymentConfigInput) (_ *codedeploy.GetDeploymentConfigOutput, err error) {
	var c deploymentConfig
	s.cfg.Store.View(func(tx *store.Tx) { c, err = s.config(tx, in.DeploymentConfigName) })
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentConfigOutput{DeploymentConfigInfo: c.info()}, nil
}

// ListDeploymentConfigs lists AWS's own configurations for Lambda and the caller's.
func (s *Service) ListDeploymentConfigs(_ context.Context, in *codedeploy.ListDeploymentConfigsInput) (*codedeploy.ListDeploymentConfigsOutput, error) {
	var names []string
	for name := range predefined {
		names = append(names, name)
	}
	s.cfg.Store.View(func(tx *store.Tx) {
		for name := range s.configs.Ascend(tx, "") {
			names = append(names, name)
		}
	})
	slices.Sort(names)
	names, next, err := page(names, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &codedeploy.ListDeploymentConfigsOutput{DeploymentConfigsList: names, NextToken: next}, nil
}

// DeleteDeploymentConfig removes a configuration that nothing uses.
func (s *Service) DeleteDeploymentConfig(ctx context.Context, in *codedeploy.DeleteDeploymentConfigInput) (*codedeploy.DeleteDeploymentConfigOutput, error) {
	name, err := checkConfigName(in.DeploymentConfigName)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, predefinedPrefix) {
		return nil, &types.InvalidOperationException{Message: aws.String("Predefined deployment configurations cannot be deleted: " + name)}
	}
	err = s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if user := s.configUser(tx, name); user != "" {
			return &types.DeploymentConfigInUseException{Message: aws.String("The deployment configuration is still in use by " + user)}
		}
		s.configs.Delete(tx, name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codedeploy.DeleteDeploymentConfigOutput{}, nil
}

func (s *Service) configUser(tx *store.Tx, name string) string {
	for key, g := range s.groups.Ascend(tx, "") {
		if g.ConfigName == name {
			return "deployment group " + key
		}
	}
	for id, d := range s.deployments.Ascend(tx, "") {
		if d.ConfigName == name && !d.State.Status.Terminal() {
			return "deployment " + id
		}
	}
	return ""
}
