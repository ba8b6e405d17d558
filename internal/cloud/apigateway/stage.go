package apigateway

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"evo/internal/cloud/apigateway/restapi"
	"evo/internal/cloud/store"
)

// deployment is a copy of an API that no longer changes.
type deployment struct {
	ID          string
	Description string `json:",omitempty"`
	Created     time.Time
	Def         *restapi.API
}

type stage struct{ Stage types.Stage }

var stagePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`) })

// CreateDeployment freezes an API as it is, and lets a stage serve it if one is named.
func (s *Service) CreateDeployment(ctx context.Context, in *apigateway.CreateDeploymentInput) (*apigateway.CreateDeploymentOutput, error) {
	if in.CanarySettings != nil {
		return nil, badRequest("Canary releases of stages are not there in the embedded cloud; shift traffic with an alias instead")
	}
	d := deployment{ID: s.newID(6), Description: aws.ToString(in.Description), Created: s.cfg.Clock.Now()}
	err := s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := s.kept.API(tx, in.RestApiId)
		if err != nil {
			return err
		}
		if err := deployable(&a.Def); err != nil {
			return err
		}
		def := a.Def.Clone()
		d.Def = &def
		s.kept.Deployments.Put(tx, def.ID+"/"+d.ID, d)
		if in.StageName == nil {
			return nil
		}
		return s.pointStage(tx, def.ID, d.ID, in)
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.CreateDeploymentOutput{Id: &d.ID, Description: orNil(d.Description), CreatedDate: &d.Created}, nil
}

func deployable(a *restapi.API) error {
	methods := 0
	for _, r := range a.Resources {
		for _, m := range r.Methods {
			if m.MethodIntegration == nil {
				return badRequest("No integration defined for method")
			}
			methods++
		}
	}
	if methods == 0 {
		return badRequest("The REST API doesn't contain any methods")
	}
	return nil
}

// pointStage lets the stage that CreateDeployment names serve the deployment, and makes it if it is not there.
func (s *Service) pointStage(tx *store.Tx, apiID, id string, in *apigateway.CreateDeploymentInput) error {
	name, now := *in.StageName, s.cfg.Clock.Now()
	if !stagePattern().MatchString(name) {
		return badRequest("Stage name only allows a-zA-Z0-9_-")
	}
	st, ok := s.kept.Stages.Get(tx, apiID+"/"+name)
	if !ok {
		st = newStage(name, now)
	}
	st.Stage.DeploymentId, st.Stage.LastUpdatedDate = &id, &now
	if in.Variables != nil {
		st.Stage.Variables = in.Variables
	}
	if in.StageDescription != nil {
		st.Stage.Description = in.StageDescription
	}
	s.kept.Stages.Put(tx, apiID+"/"+name, st)
	return nil
}

func newStage(name string, now time.Time) stage {
	return stage{types.Stage{
		StageName: &name, CreatedDate: &now, LastUpdatedDate: &now, CacheClusterStatus: types.CacheClusterStatusNotAvailable,
		MethodSettings: map[string]types.MethodSetting{},
	}}
}

func (s *Service) deployment(tx *store.Tx, apiID, id *string) (deployment, error) {
	d, ok := s.kept.Deployments.Get(tx, aws.ToString(apiID)+"/"+aws.ToString(id))
	if !ok {
		return d, notFound("Deployment")
	}
	return d, nil
}

// GetDeployment describes a deployment.
func (s *Service) GetDeployment(_ context.Context, in *apigateway.GetDeploymentInput) (out *apigateway.GetDeploymentOutput, err error) {
	err = s.kept.View(in.RestApiId, func(tx *store.Tx, _ api) error {
		d, err := s.deployment(tx, in.RestApiId, in.DeploymentId)
		if err != nil {
			return err
		}
		out = &apigateway.GetDeploymentOutput{Id: &d.ID, Description: orNil(d.Description), CreatedDate: &d.Created}
		if slices.Contains(in.Embed, "apisummary") {
			out.ApiSummary = summary(d.Def)
		}
		return nil
	})
	return out, err
}

func summary(a *restapi.API) map[string]map[string]types.MethodSnapshot {
	out := map[string]map[string]types.MethodSnapshot{}
	for _, r := range a.Resources {
		for verb, m := range r.Methods {
			if out[r.Path] == nil {
				out[r.Path] = map[string]types.MethodSnapshot{}
			}
			out[r.Path][verb] = types.MethodSnapshot{ApiKeyRequired: aws.ToBool(m.ApiKeyRequired), AuthorizationType: m.AuthorizationType}
		}
	}
	return out
}

// GetDeployments lists an API's deployments, the newest first.
func (s *Service) GetDeployments(_ context.Context, in *apigateway.GetDeploymentsInput) (*apigateway.GetDeploymentsOutput, error) {
	out := new(apigateway.GetDeploymentsOutput)
	err := s.kept.View(in.RestApiId, func(tx *store.Tx, a api) error {
		var all []types.Deployment
		for _, d := range s.kept.Deployments.Prefix(tx, a.Def.ID+"/") {
			all = append(all, types.Deployment{Id: &d.ID, Description: orNil(d.Description), CreatedDate: &d.Created})
		}
		slices.SortStableFunc(all, func(a, b types.Deployment) int { return b.CreatedDate.Compare(*a.CreatedDate) })
		var err error
		out.Items, out.Position, err = page(all, func(d types.Deployment) string { return *d.Id }, in.Position, in.Limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteDeployment removes a deployment that no stage serves.
func (s *Service) DeleteDeployment(ctx context.Context, in *apigateway.DeleteDeploymentInput) (*apigateway.DeleteDeploymentOutput, error) {
	err := s.edit(ctx, in.RestApiId, func(tx *store.Tx, a *api) error {
		if _, err := s.deployment(tx, in.RestApiId, in.DeploymentId); err != nil {
			return err
		}
		for _, st := range s.kept.Stages.Prefix(tx, a.Def.ID+"/") {
			if aws.ToString(st.Stage.DeploymentId) == *in.DeploymentId {
				return badRequest("Active stages pointing to this deployment must be moved or deleted")
			}
		}
		s.kept.Deployments.Delete(tx, a.Def.ID+"/"+*in.DeploymentId)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.DeleteDeploymentOutput{}, nil
}

func (st stage) describe() *apigateway.GetStageOutput {
	x := st.Stage
	return &apigateway.GetStageOutput{
		AccessLogSettings: x.AccessLogSettings, CacheClusterEnabled: x.CacheClusterEnabled, CacheClusterSize: x.CacheClusterSize,
		CacheClusterStatus: x.CacheClusterStatus, CanarySettings: x.CanarySettings, ClientCertificateId: x.ClientCertificateId, CreatedDate: x.CreatedDate,
		DeploymentId: x.DeploymentId, Description: x.Description, DocumentationVersion: x.DocumentationVersion, LastUpdatedDate: x.LastUpdatedDate,
		MethodSettings: x.MethodSettings, StageName: x.StageName, Tags: x.Tags, TracingEnabled: x.TracingEnabled, Variables: x.Variables, WebAclArn: x.WebAclArn,
	}
}

// CreateStage makes a stage that serves a deployment.
func (s *Service) CreateStage(ctx context.Context, in *apigateway.CreateStageInput) (*apigateway.CreateStageOutput, error) {
	name := aws.ToString(in.StageName)
	if !stagePattern().MatchString(name) {
		return nil, badRequest("Stage name only allows a-zA-Z0-9_-")
	}
	if in.CanarySettings != nil {
		return nil, badRequest("Canary releases of stages are not there in the embedded cloud; shift traffic with an alias instead")
	}
	st := newStage(name, s.cfg.Clock.Now())
	err := s.edit(ctx, in.RestApiId, func(tx *store.Tx, a *api) error {
		if _, err := s.deployment(tx, in.RestApiId, in.DeploymentId); err != nil {
			return err
		}
		if _, exists := s.kept.Stages.Get(tx, a.Def.ID+"/"+name); exists {
			return &types.ConflictException{Message: aws.String("Stage already exists")}
		}
		x := &st.Stage
		x.DeploymentId, x.Description, x.DocumentationVersion = in.DeploymentId, in.Description, in.DocumentationVersion
		x.Tags, x.TracingEnabled, x.Variables = in.Tags, in.TracingEnabled, in.Variables
		x.CacheClusterEnabled, x.CacheClusterSize = in.CacheClusterEnabled, in.CacheClusterSize
		s.kept.Stages.Put(tx, a.Def.ID+"/"+name, st)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := apigateway.CreateStageOutput(*st.describe())
	return &out, nil
}

// GetStage describes a stage.
func (s *Service) GetStage(_ context.Context, in *apigateway.GetStageInput) (out *apigateway.GetStageOutput, err error) {
	err = s.kept.View(in.RestApiId, func(tx *store.Tx, _ api) error {
		st, err := s.kept.Stage(tx, in.RestApiId, in.StageName)
		out = st.describe()
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// GetStages lists an API's stages, or those that serve one deployment.
func (s *Service) GetStages(_ context.Context, in *apigateway.GetStagesInput) (*apigateway.GetStagesOutput, error) {
	out := &apigateway.GetStagesOutput{Item: []types.Stage{}}
	err := s.kept.View(in.RestApiId, func(tx *store.Tx, a api) error {
		for _, st := range s.kept.Stages.Prefix(tx, a.Def.ID+"/") {
			if in.DeploymentId == nil || aws.ToString(st.Stage.DeploymentId) == *in.DeploymentId {
				out.Item = append(out.Item, st.Stage)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteStage removes a stage.
func (s *Service) DeleteStage(ctx context.Context, in *apigateway.DeleteStageInput) (*apigateway.DeleteStageOutput, error) {
	err := s.edit(ctx, in.RestApiId, func(tx *store.Tx, a *api) error {
		if _, err := s.kept.Stage(tx, in.RestApiId, in.StageName); err != nil {
			return err
		}
		s.kept.Stages.Delete(tx, a.Def.ID+"/"+*in.StageName)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.DeleteStageOutput{}, nil
}

// UpdateStage patches a stage.
func (s *Service) UpdateStage(ctx context.Context, in *apigateway.UpdateStageInput) (*apigateway.UpdateStageOutput, error) {
	var st stage
	err := s.edit(ctx, in.RestApiId, func(tx *store.Tx, a *api) (err error) {
		if st, err = s.kept.Stage(tx, in.RestApiId, in.StageName); err != nil {
			return err
		}
		now := s.cfg.Clock.Now()
		x := &st.Stage
		x.Variables, x.MethodSettings, x.LastUpdatedDate = maps.Clone(x.Variables), maps.Clone(x.MethodSettings), &now
		if err := patches(in.PatchOperations, s.stagePatches(tx, a, x)); err != nil {
			return err
		}
		s.kept.Stages.Put(tx, a.Def.ID+"/"+*in.StageName, st)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := apigateway.UpdateStageOutput(*st.describe())
	return &out, nil
}

func (s *Service) stagePatches(tx *store.Tx, a *api, x *types.Stage) map[string]func(types.PatchOperation, string) error {
	return map[string]func(types.PatchOperation, string) error{
		"/description": func(op types.PatchOperation, _ string) error { x.Description = op.Value; return nil },
		"/deploymentId": func(op types.PatchOperation, _ string) error {
			if _, err := s.deployment(tx, &a.Def.ID, op.Value); err != nil {
				return badRequest("Invalid Deployment identifier specified")
			}
			x.DeploymentId = op.Value
			return nil
		},
		"/tracingEnabled": func(op types.PatchOperation, _ string) error {
			x.TracingEnabled = aws.ToString(op.Value) == "true"
			return nil
		},
		"/clientCertificateId": func(op types.PatchOperation, _ string) error { x.ClientCertificateId = op.Value; return nil },
		"/cacheClusterEnabled": func(op types.PatchOperation, _ string) error {
			x.CacheClusterEnabled = aws.ToString(op.Value) == "true"
			return nil
		},
		"/cacheClusterSize": func(op types.PatchOperation, _ string) error {
			x.CacheClusterSize = types.CacheClusterSize(aws.ToString(op.Value))
			return nil
		},
		"/variables/*": func(op types.PatchOperation, name string) error {
			if op.Op == types.OpRemove {
				delete(x.Variables, name)
				return nil
			}
			if x.Variables == nil {
				x.Variables = map[string]string{}
			}
			x.Variables[name] = aws.ToString(op.Value)
			return nil
		},
		"/accessLogSettings": func(op types.PatchOperation, _ string) error { x.AccessLogSettings = nil; return nil },
		"/accessLogSettings/*": func(op types.PatchOperation, name string) error {
			settings := types.AccessLogSettings{}
			if x.AccessLogSettings != nil {
				settings = *x.AccessLogSettings
			}
			if name == "format" {
				settings.Format = op.Value
			} else {
				settings.DestinationArn = op.Value
			}
			x.AccessLogSettings = &settings
			return nil
		},
		"/*": func(op types.PatchOperation, path string) error { return methodSetting(x, op, path) },
	}
}

// methodSetting patches a stage's settings for a method: {resource}/{method}/{group}/{name}.
func methodSetting(x *types.Stage, op types.PatchOperation, path string) error {
	parts := strings.Split(path, "/")
	if len(parts) < 4 {
		return badRequest("Invalid method setting path: /%s", path)
	}
	n := len(parts)
	key := strings.TrimPrefix(strings.Join(parts[:n-2], "/"), "/")
	m, ok := x.MethodSettings[key]
	if !ok {
		m = types.MethodSetting{
			CacheTtlInSeconds: 300, RequireAuthorizationForCacheControl: true, ThrottlingBurstLimit: 5000, ThrottlingRateLimit: 10000,
			UnauthorizedCacheControlHeaderStrategy: types.UnauthorizedCacheControlHeaderStrategySucceedWithResponseHeader,
		}
	}
	value := aws.ToString(op.Value)
	on, _ := strconv.ParseBool(value)
	number, _ := strconv.ParseFloat(value, 64)
	switch parts[n-2] + "/" + parts[n-1] {
	case "metrics/enabled":
		m.MetricsEnabled = on
	case "logging/dataTrace":
		m.DataTraceEnabled = on
	case "logging/loglevel":
		m.LoggingLevel = &value
	case "throttling/burstLimit":
		m.ThrottlingBurstLimit = int32(number)
	case "throttling/rateLimit":
		m.ThrottlingRateLimit = number
	case "caching/enabled":
		m.CachingEnabled = on
	case "caching/ttlInSeconds":
		m.CacheTtlInSeconds = int32(number)
	case "caching/dataEncrypted":
		m.CacheDataEncrypted = on
	case "caching/requireAuthorizationForCacheControl":
		m.RequireAuthorizationForCacheControl = on
	default:
		return badRequest("Invalid method setting path: /%s", path)
	}
	if x.MethodSettings == nil {
		x.MethodSettings = map[string]types.MethodSetting{}
	}
	x.MethodSettings[key] = m
	return nil
}
