package apigatewayv2

import (
	"context"
	"regexp"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"evo/internal/cloud/apigatewayv2/httpapi"
	"evo/internal/cloud/store"
)

// deployment is a copy of an API that no longer changes.
type deployment struct {
	Deployment types.Deployment
	Def        *httpapi.API
}

type stage struct{ Stage types.Stage }

var stagePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(\$default|[a-zA-Z0-9_-]{1,128})$`) })

func (s *Service) newStage(name string) stage {
	now := s.cfg.Clock.Now()
	return stage{types.Stage{
		StageName: &name, CreatedDate: &now, LastUpdatedDate: &now, AutoDeploy: aws.Bool(false), RouteSettings: map[string]types.RouteSettings{},
		StageVariables: map[string]string{}, DefaultRouteSettings: &types.RouteSettings{DetailedMetricsEnabled: aws.Bool(false)},
	}}
}

// freeze makes a deployment of an API as it is.
func (s *Service) freeze(tx *store.Tx, a api, description *string, auto bool) deployment {
	now, def := s.cfg.Clock.Now(), a.Def.Clone()
	d := deployment{Def: &def, Deployment: types.Deployment{
		DeploymentId: aws.String(s.newID(6)), CreatedDate: &now, Description: description, AutoDeployed: &auto, DeploymentStatus: types.DeploymentStatusDeployed,
	}}
	s.kept.Deployments.Put(tx, def.ID+"/"+*d.Deployment.DeploymentId, d)
	return d
}

// deployChange lets the stages with automatic deployment serve an API as it now is. Automatic deployments that no stage serves
// any more are forgotten.
func (s *Service) deployChange(tx *store.Tx, a api) {
	id := a.Def.ID
	var fresh *deployment
	served := map[string]bool{}
	for key, st := range s.kept.Stages.Prefix(tx, id+"/") {
		if aws.ToBool(st.Stage.AutoDeploy) && len(a.Def.Routes) > 0 {
			if fresh == nil {
				d := s.freeze(tx, a, aws.String("Automatic deployment triggered by changes to the Api configuration"), true)
				fresh = &d
			}
			st.Stage.DeploymentId, st.Stage.LastDeploymentStatusMessage = fresh.Deployment.DeploymentId, aws.String("Successfully deployed stage with deployment ID '"+*fresh.Deployment.DeploymentId+"'")
			s.kept.Stages.Put(tx, key, st)
		}
		served[aws.ToString(st.Stage.DeploymentId)] = true
	}
	for key, d := range s.kept.Deployments.Prefix(tx, id+"/") {
		if aws.ToBool(d.Deployment.AutoDeployed) && !served[*d.Deployment.DeploymentId] {
			s.kept.Deployments.Delete(tx, key)
		}
	}
}

func (s *Service) deployment(tx *store.Tx, apiID, id *string) (deployment, error) {
	d, ok := s.kept.Deployments.Get(tx, aws.ToString(apiID)+"/"+aws.ToString(id))
	if !ok {
		return d, notFound("deployment", id)
	}
	return d, nil
}

func describeDeployment(d types.Deployment) *apigatewayv2.GetDeploymentOutput {
	return &apigatewayv2.GetDeploymentOutput{
		AutoDeployed: d.AutoDeployed, CreatedDate: d.CreatedDate, DeploymentId: d.DeploymentId, DeploymentStatus: d.DeploymentStatus, Description: d.Description,
	}
}

// CreateDeployment freezes an API as it is, and lets a stage serve it if one is named.
func (s *Service) CreateDeployment(ctx context.Context, in *apigatewayv2.CreateDeploymentInput) (*apigatewayv2.CreateDeploymentOutput, error) {
	var d deployment
	err := s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := s.kept.API(tx, in.ApiId)
		if err != nil {
			return err
		}
		if len(a.Def.Routes) == 0 {
			return badRequest("At least one route is required before deploying the Api.")
		}
		d = s.freeze(tx, a, in.Description, false)
		if in.StageName == nil {
			return nil
		}
		st, err := s.kept.Stage(tx, in.ApiId, in.StageName)
		if err != nil {
			return err
		}
		if aws.ToBool(st.Stage.AutoDeploy) {
			return badRequest("Deployment to stage %s is automatic: it cannot be set", *in.StageName)
		}
		st.Stage.DeploymentId, st.Stage.LastUpdatedDate = d.Deployment.DeploymentId, d.Deployment.CreatedDate
		s.kept.Stages.Put(tx, a.Def.ID+"/"+*in.StageName, st)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := apigatewayv2.CreateDeploymentOutput(*describeDeployment(d.Deployment))
	return &out, nil
}

// GetDeployment describes a deployment.
func (s *Service) GetDeployment(_ context.Context, in *apigatewayv2.GetDeploymentInput) (out *apigatewayv2.GetDeploymentOutput, err error) {
	err = s.kept.View(in.ApiId, func(tx *store.Tx, _ api) error {
		d, err := s.deployment(tx, in.ApiId, in.DeploymentId)
		if err == nil {
			out = describeDeployment(d.Deployment)
		}
		return err
	})
	return out, err
}

// GetDeployments lists an API's deployments, the newest first.
func (s *Service) GetDeployments(_ context.Context, in *apigatewayv2.GetDeploymentsInput) (*apigatewayv2.GetDeploymentsOutput, error) {
	items, next, err := list(s, in.ApiId, in.NextToken, in.MaxResults, func(d types.Deployment) *string { return d.DeploymentId }, func(tx *store.Tx, a api) (all []types.Deployment) {
		for _, d := range s.kept.Deployments.Prefix(tx, a.Def.ID+"/") {
			all = append(all, d.Deployment)
		}
		slices.SortStableFunc(all, func(a, b types.Deployment) int { return b.CreatedDate.Compare(*a.CreatedDate) })
		return all
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.GetDeploymentsOutput{Items: items, NextToken: next}, nil
}

// DeleteDeployment removes a deployment that no stage serves.
func (s *Service) DeleteDeployment(ctx context.Context, in *apigatewayv2.DeleteDeploymentInput) (*apigatewayv2.DeleteDeploymentOutput, error) {
	err := s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := s.deployment(tx, in.ApiId, in.DeploymentId); err != nil {
			return err
		}
		for _, st := range s.kept.Stages.Prefix(tx, *in.ApiId+"/") {
			if aws.ToString(st.Stage.DeploymentId) == *in.DeploymentId {
				return badRequest("Active stages pointing to this deployment must be moved or deleted")
			}
		}
		s.kept.Deployments.Delete(tx, *in.ApiId+"/"+*in.DeploymentId)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.DeleteDeploymentOutput{}, nil
}

func (st stage) describe() *apigatewayv2.GetStageOutput {
	x := st.Stage
	return &apigatewayv2.GetStageOutput{
		AccessLogSettings: x.AccessLogSettings, ApiGatewayManaged: x.ApiGatewayManaged, AutoDeploy: x.AutoDeploy, ClientCertificateId: x.ClientCertificateId,
		CreatedDate: x.CreatedDate, DefaultRouteSettings: x.DefaultRouteSettings, DeploymentId: x.DeploymentId, Description: x.Description,
		LastDeploymentStatusMessage: x.LastDeploymentStatusMessage, LastUpdatedDate: x.LastUpdatedDate, RouteSettings: x.RouteSettings,
		StageName: x.StageName, StageVariables: x.StageVariables, Tags: x.Tags,
	}
}

// CreateStage makes a stage.
func (s *Service) CreateStage(ctx context.Context, in *apigatewayv2.CreateStageInput) (*apigatewayv2.CreateStageOutput, error) {
	name := aws.ToString(in.StageName)
	if !stagePattern().MatchString(name) {
		return nil, badRequest("Stage name only allows a-zA-Z0-9_-, or is $default")
	}
	st := s.newStage(name)
	err := s.editStage(ctx, in.ApiId, func(tx *store.Tx, a api) (stage, error) {
		if _, exists := s.kept.Stages.Get(tx, a.Def.ID+"/"+name); exists {
			return st, &types.ConflictException{Message: aws.String("Stage already exists")}
		}
		x := &st.Stage
		x.Description, x.AutoDeploy, x.AccessLogSettings, x.Tags = in.Description, aws.Bool(aws.ToBool(in.AutoDeploy)), in.AccessLogSettings, in.Tags
		return st, s.setStage(tx, a, x, in.DeploymentId, in.StageVariables, in.RouteSettings, in.DefaultRouteSettings)
	})
	if err != nil {
		return nil, err
	}
	out, err := s.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: in.ApiId, StageName: in.StageName})
	if err != nil {
		return nil, err
	}
	created := apigatewayv2.CreateStageOutput(*out)
	return &created, nil
}

// editStage stores the stage that edit returns, and deploys to it if that is automatic.
func (s *Service) editStage(ctx context.Context, apiID *string, edit func(tx *store.Tx, a api) (stage, error)) error {
	return s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := s.kept.API(tx, apiID)
		if err != nil {
			return err
		}
		st, err := edit(tx, a)
		if err != nil {
			return err
		}
		s.kept.Stages.Put(tx, a.Def.ID+"/"+*st.Stage.StageName, st)
		if aws.ToBool(st.Stage.AutoDeploy) {
			s.deployChange(tx, a)
		}
		return nil
	})
}

func (s *Service) setStage(tx *store.Tx, a api, x *types.Stage, deploymentID *string, variables map[string]string, routes map[string]types.RouteSettings, all *types.RouteSettings) error {
	if deploymentID != nil {
		if aws.ToBool(x.AutoDeploy) {
			return badRequest("Deployment ID cannot be set on stage because AutoDeploy is enabled")
		}
		if _, err := s.deployment(tx, &a.Def.ID, deploymentID); err != nil {
			return err
		}
		x.DeploymentId = deploymentID
	}
	if variables != nil {
		x.StageVariables = variables
	}
	if routes != nil {
		x.RouteSettings = routes
	}
	if all != nil {
		x.DefaultRouteSettings = all
	}
	return nil
}

// GetStage describes a stage.
func (s *Service) GetStage(_ context.Context, in *apigatewayv2.GetStageInput) (out *apigatewayv2.GetStageOutput, err error) {
	err = s.kept.View(in.ApiId, func(tx *store.Tx, _ api) error {
		st, err := s.kept.Stage(tx, in.ApiId, in.StageName)
		if err == nil {
			out = st.describe()
		}
		return err
	})
	return out, err
}

// GetStages lists an API's stages by name.
func (s *Service) GetStages(_ context.Context, in *apigatewayv2.GetStagesInput) (*apigatewayv2.GetStagesOutput, error) {
	items, next, err := list(s, in.ApiId, in.NextToken, in.MaxResults, func(st types.Stage) *string { return st.StageName }, func(tx *store.Tx, a api) (all []types.Stage) {
		for _, st := range s.kept.Stages.Prefix(tx, a.Def.ID+"/") {
			all = append(all, st.Stage)
		}
		return all
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.GetStagesOutput{Items: items, NextToken: next}, nil
}

// UpdateStage changes the members that are given.
func (s *Service) UpdateStage(ctx context.Context, in *apigatewayv2.UpdateStageInput) (*apigatewayv2.UpdateStageOutput, error) {
	err := s.editStage(ctx, in.ApiId, func(tx *store.Tx, a api) (stage, error) {
		st, err := s.kept.Stage(tx, in.ApiId, in.StageName)
		if err != nil {
			return st, err
		}
		now := s.cfg.Clock.Now()
		x := &st.Stage
		x.LastUpdatedDate = &now
		given(&x.Description, in.Description)
		given(&x.AutoDeploy, in.AutoDeploy)
		given(&x.AccessLogSettings, in.AccessLogSettings)
		return st, s.setStage(tx, a, x, in.DeploymentId, in.StageVariables, in.RouteSettings, in.DefaultRouteSettings)
	})
	if err != nil {
		return nil, err
	}
	out, err := s.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: in.ApiId, StageName: in.StageName})
	if err != nil {
		return nil, err
	}
	updated := apigatewayv2.UpdateStageOutput(*out)
	return &updated, nil
}

// DeleteStage removes a stage.
func (s *Service) DeleteStage(ctx context.Context, in *apigatewayv2.DeleteStageInput) (*apigatewayv2.DeleteStageOutput, error) {
	err := s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := s.kept.Stage(tx, in.ApiId, in.StageName); err != nil {
			return err
		}
		s.kept.Stages.Delete(tx, *in.ApiId+"/"+*in.StageName)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.DeleteStageOutput{}, nil
}
