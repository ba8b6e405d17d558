package cloudformation

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// CodeDeploy is what its resources, and the update policy of aliases, need of the service.
type CodeDeploy interface {
	CreateApplication(context.Context, *codedeploy.CreateApplicationInput) (*codedeploy.CreateApplicationOutput, error)
	DeleteApplication(context.Context, *codedeploy.DeleteApplicationInput) (*codedeploy.DeleteApplicationOutput, error)
	CreateDeploymentGroup(context.Context, *codedeploy.CreateDeploymentGroupInput) (*codedeploy.CreateDeploymentGroupOutput, error)
	UpdateDeploymentGroup(context.Context, *codedeploy.UpdateDeploymentGroupInput) (*codedeploy.UpdateDeploymentGroupOutput, error)
	DeleteDeploymentGroup(context.Context, *codedeploy.DeleteDeploymentGroupInput) (*codedeploy.DeleteDeploymentGroupOutput, error)
	CreateDeploymentConfig(context.Context, *codedeploy.CreateDeploymentConfigInput) (*codedeploy.CreateDeploymentConfigOutput, error)
	DeleteDeploymentConfig(context.Context, *codedeploy.DeleteDeploymentConfigInput) (*codedeploy.DeleteDeploymentConfigOutput, error)
	CreateDeployment(context.Context, *codedeploy.CreateDeploymentInput) (*codedeploy.CreateDeploymentOutput, error)
	GetDeployment(context.Context, *codedeploy.GetDeploymentInput) (*codedeploy.GetDeploymentOutput, error)
	ListDeployments(context.Context, *codedeploy.ListDeploymentsInput) (*codedeploy.ListDeploymentsOutput, error)
	StopDeployment(context.Context, *codedeploy.StopDeploymentInput) (*codedeploy.StopDeploymentOutput, error)
}

func (s *Service) codedeployHandlers() map[string]Handler {
	c := s.cfg.Services.CodeDeploy
	if c == nil {
		return nil
	}
	return map[string]Handler{
		"AWS::CodeDeploy::Application":      applicationHandler(c),
		"AWS::CodeDeploy::DeploymentGroup":  groupHandler(c),
		"AWS::CodeDeploy::DeploymentConfig": deploymentConfigHandler(c),
	}
}

func applicationHandler(c CodeDeploy) Handler {
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &codedeploy.CreateApplicationInput{}
			if err := fill(in, r.Properties, nil); err != nil {
				return Result{}, err
			}
			in.ApplicationName, in.Tags = aws.String(r.Name("ApplicationName", 100)), codedeployTags(r)
			if _, err := c.CreateApplication(ctx, in); err != nil && !(r.Retry && exists(err)) {
				return Result{}, err
			}
			return Result{Physical: *in.ApplicationName}, nil
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := c.DeleteApplication(ctx, &codedeploy.DeleteApplicationInput{ApplicationName: aws.String(r.Physical)})
			return err
		},
	}
}

func codedeployTags(r *Request) []types.Tag {
	var tags []types.Tag
	for k, v := range r.Tags() {
		tags = append(tags, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	return tags
}

var groupNames = map[string]string{"AlarmConfiguration.IgnorePollAlarmFailure": "IgnorePollAlarmFailure"}

func groupHandler(c CodeDeploy) Handler {
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &codedeploy.CreateDeploymentGroupInput{}
			if err := fill(in, r.Properties, groupNames); err != nil {
				return Result{}, err
			}
			in.DeploymentGroupName, in.Tags = aws.String(r.Name("DeploymentGroupName", 100)), codedeployTags(r)
			if _, err := c.CreateDeploymentGroup(ctx, in); err != nil && !(r.Retry && exists(err)) {
				return Result{}, err
			}
			return Result{Physical: *in.DeploymentGroupName}, nil
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			// What is left out stays as it is in the API; in a template it is gone.
			in := &codedeploy.UpdateDeploymentGroupInput{AlarmConfiguration: &types.AlarmConfiguration{},
				AutoRollbackConfiguration: &types.AutoRollbackConfiguration{}, TriggerConfigurations: []types.TriggerConfig{}}
			if err := fill(in, r.Properties, groupNames); err != nil {
				return Result{Physical: r.Physical}, err
			}
			in.CurrentDeploymentGroupName = aws.String(r.Physical)
			_, err := c.UpdateDeploymentGroup(ctx, in)
			return Result{Physical: r.Physical}, err
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := c.DeleteDeploymentGroup(ctx, &codedeploy.DeleteDeploymentGroupInput{ApplicationName: aws.String(r.Str("ApplicationName")), DeploymentGroupName: aws.String(r.Physical)})
			return err
		},
	}
}

func deploymentConfigHandler(c CodeDeploy) Handler {
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &codedeploy.CreateDeploymentConfigInput{}
			if err := fill(in, r.Properties, nil); err != nil {
				return Result{}, err
			}
			in.DeploymentConfigName = aws.String(r.Name("DeploymentConfigName", 100))
			if _, err := c.CreateDeploymentConfig(ctx, in); err != nil && !(r.Retry && exists(err)) {
				return Result{}, err
			}
			return Result{Physical: *in.DeploymentConfigName}, nil
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := c.DeleteDeploymentConfig(ctx, &codedeploy.DeleteDeploymentConfigInput{DeploymentConfigName: aws.String(r.Physical)})
			return err
		},
	}
}
