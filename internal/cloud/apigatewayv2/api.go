package apigatewayv2

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"evo/internal/cloud/apigatewayv2/httpapi"
	"evo/internal/cloud/store"
	"evo/internal/cloud/tags"
)

func (s *Service) describe(a api) *apigatewayv2.CreateApiOutput {
	d := a.Def
	return &apigatewayv2.CreateApiOutput{
		ApiId: &d.ID, Name: &d.Name, Description: orNil(d.Description), Version: orNil(d.Version), ApiEndpoint: aws.String(s.cfg.Endpoint(d.ID)),
		ApiKeySelectionExpression: aws.String("$request.header.x-api-key"), RouteSelectionExpression: aws.String("$request.method $request.path"),
		CorsConfiguration: d.Cors, CreatedDate: &a.Created, DisableExecuteApiEndpoint: &d.Disabled, ProtocolType: types.ProtocolTypeHttp,
		IpAddressType: types.IpAddressTypeIpv4, Tags: a.Tags,
	}
}

func (s *Service) item(a api) types.Api {
	d := s.describe(a)
	return types.Api{
		ApiId: d.ApiId, Name: d.Name, Description: d.Description, Version: d.Version, ApiEndpoint: d.ApiEndpoint,
		ApiKeySelectionExpression: d.ApiKeySelectionExpression, RouteSelectionExpression: d.RouteSelectionExpression, CorsConfiguration: d.CorsConfiguration,
		CreatedDate: d.CreatedDate, DisableExecuteApiEndpoint: d.DisableExecuteApiEndpoint, ProtocolType: d.ProtocolType, IpAddressType: d.IpAddressType, Tags: d.Tags,
	}
}

// CreateApi makes an HTTP API; with a target, also a route to it and a stage that deploys by itself.
func (s *Service) CreateApi(ctx context.Context, in *apigatewayv2.CreateApiInput) (*apigatewayv2.CreateApiOutput, error) {
	if in.ProtocolType != types.ProtocolTypeHttp {
		return nil, badRequest("APIs with protocol type %s are not there in the embedded cloud: HTTP is", in.ProtocolType)
	}
	a := api{Def: httpapi.New(s.newID(10), aws.ToString(in.Name)), Created: s.cfg.Clock.Now(), Tags: in.Tags}
	a.Def.Description, a.Def.Version = aws.ToString(in.Description), aws.ToString(in.Version)
	a.Def.Cors, a.Def.Disabled = in.CorsConfiguration, aws.ToBool(in.DisableExecuteApiEndpoint)
	if err := s.quick(&a.Def, in); err != nil {
		return nil, err
	}
	err := s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		s.kept.APIs.Put(tx, a.Def.ID, a)
		if in.Target != nil {
			st := s.newStage("$default")
			st.Stage.AutoDeploy, st.Stage.ApiGatewayManaged = aws.Bool(true), aws.Bool(true)
			s.kept.Stages.Put(tx, a.Def.ID+"/$default", st)
			s.deployChange(tx, a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.describe(a), nil
}

// quick adds what CreateApi makes for a target.
func (s *Service) quick(a *httpapi.API, in *apigatewayv2.CreateApiInput) error {
	if in.Target == nil {
		return nil
	}
	key := aws.ToString(in.RouteKey)
	if key == "" {
		key = "$default"
	}
	if err := httpapi.CheckRouteKey(key); err != nil {
		return badRequest("%s", err)
	}
	kind, format := types.IntegrationTypeAwsProxy, aws.String("2.0")
	if strings.HasPrefix(*in.Target, "http") {
		kind, format = types.IntegrationTypeHttpProxy, aws.String("1.0")
	}
	i, r := s.newID(7), s.newID(7)
	a.Integrations[i] = types.Integration{
		IntegrationId: &i, IntegrationType: kind, IntegrationUri: in.Target, PayloadFormatVersion: format, IntegrationMethod: aws.String("POST"),
		CredentialsArn: in.CredentialsArn, ConnectionType: types.ConnectionTypeInternet, TimeoutInMillis: aws.Int32(30000), ApiGatewayManaged: aws.Bool(true),
	}
	a.Routes[r] = types.Route{RouteId: &r, RouteKey: &key, Target: aws.String("integrations/" + i), AuthorizationType: types.AuthorizationTypeNone, ApiKeyRequired: aws.Bool(false), ApiGatewayManaged: aws.Bool(true)}
	return nil
}

func (s *Service) importInto(a api, body *string, strict *bool) (api, []string, error) {
	def, warnings, err := httpapi.Import(a.Def, []byte(aws.ToString(body)), func() string { return s.newID(7) })
	if err != nil {
		return a, nil, badRequest("Unable to import the API: %s", err)
	}
	if aws.ToBool(strict) && len(warnings) > 0 {
		return a, nil, badRequest("Warnings found during import: %s", strings.Join(warnings, "; "))
	}
	if def.Name == "" {
		return a, nil, badRequest("Unable to import the API: it has no title")
	}
	a.Def = def
	return a, warnings, nil
}

// ImportApi makes an API from an OpenAPI 3 document.
func (s *Service) ImportApi(ctx context.Context, in *apigatewayv2.ImportApiInput) (*apigatewayv2.ImportApiOutput, error) {
	a, warnings, err := s.importInto(api{Def: httpapi.New(s.newID(10), ""), Created: s.cfg.Clock.Now()}, in.Body, in.FailOnWarnings)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		s.kept.APIs.Put(tx, a.Def.ID, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := apigatewayv2.ImportApiOutput(*s.describe(a))
	out.Warnings = warnings
	return &out, nil
}

// ReimportApi replaces an API's definition by a document's.
func (s *Service) ReimportApi(ctx context.Context, in *apigatewayv2.ReimportApiInput) (*apigatewayv2.ReimportApiOutput, error) {
	var out apigatewayv2.ReimportApiOutput
	err := s.edit(ctx, in.ApiId, func(_ *store.Tx, a *api) error {
		next, warnings, err := s.importInto(*a, in.Body, in.FailOnWarnings)
		if err != nil {
			return err
		}
		*a = next
		out = apigatewayv2.ReimportApiOutput(*s.describe(next))
		out.Warnings = warnings
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// GetApi describes an API.
func (s *Service) GetApi(_ context.Context, in *apigatewayv2.GetApiInput) (*apigatewayv2.GetApiOutput, error) {
	var out apigatewayv2.GetApiOutput
	err := s.kept.View(in.ApiId, func(_ *store.Tx, a api) error {
		out = apigatewayv2.GetApiOutput(*s.describe(a))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// GetApis lists the APIs, the oldest first.
func (s *Service) GetApis(_ context.Context, in *apigatewayv2.GetApisInput) (*apigatewayv2.GetApisOutput, error) {
	var items []types.Api
	s.cfg.Store.View(func(tx *store.Tx) {
		for _, a := range s.kept.APIs.Ascend(tx, "") {
			items = append(items, s.item(a))
		}
	})
	slices.SortStableFunc(items, func(a, b types.Api) int { return a.CreatedDate.Compare(*b.CreatedDate) })
	items, next, err := page(items, func(a types.Api) *string { return a.ApiId }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.GetApisOutput{Items: items, NextToken: next}, nil
}

// UpdateApi changes the members that are given.
func (s *Service) UpdateApi(ctx context.Context, in *apigatewayv2.UpdateApiInput) (*apigatewayv2.UpdateApiOutput, error) {
	var out apigatewayv2.UpdateApiOutput
	err := s.edit(ctx, in.ApiId, func(_ *store.Tx, a *api) error {
		for from, to := range map[*string]*string{in.Name: &a.Def.Name, in.Description: &a.Def.Description, in.Version: &a.Def.Version} {
			if from != nil {
				*to = *from
			}
		}
		if in.CorsConfiguration != nil {
			a.Def.Cors = in.CorsConfiguration
		}
		if in.DisableExecuteApiEndpoint != nil {
			a.Def.Disabled = *in.DisableExecuteApiEndpoint
		}
		out = apigatewayv2.UpdateApiOutput(*s.describe(*a))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// DeleteCorsConfiguration lets the functions answer for CORS themselves.
func (s *Service) DeleteCorsConfiguration(ctx context.Context, in *apigatewayv2.DeleteCorsConfigurationInput) (*apigatewayv2.DeleteCorsConfigurationOutput, error) {
	err := s.edit(ctx, in.ApiId, func(_ *store.Tx, a *api) error {
		a.Def.Cors = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.DeleteCorsConfigurationOutput{}, nil
}

// DeleteApi removes an API with its deployments and stages.
func (s *Service) DeleteApi(ctx context.Context, in *apigatewayv2.DeleteApiInput) (*apigatewayv2.DeleteApiOutput, error) {
	if err := s.kept.Delete(ctx, in.ApiId); err != nil {
		return nil, err
	}
	return &apigatewayv2.DeleteApiOutput{}, nil
}

// TagResource adds tags to an API or a stage.
func (s *Service) TagResource(ctx context.Context, in *apigatewayv2.TagResourceInput) (*apigatewayv2.TagResourceOutput, error) {
	if err := s.kept.Retag(ctx, in.ResourceArn, tags.Add(in.Tags)); err != nil {
		return nil, err
	}
	return &apigatewayv2.TagResourceOutput{}, nil
}

// UntagResource takes tags off an API or a stage.
func (s *Service) UntagResource(ctx context.Context, in *apigatewayv2.UntagResourceInput) (*apigatewayv2.UntagResourceOutput, error) {
	if err := s.kept.Retag(ctx, in.ResourceArn, tags.Remove(in.TagKeys)); err != nil {
		return nil, err
	}
	return &apigatewayv2.UntagResourceOutput{}, nil
}

// GetTags lists the tags of an API or a stage.
func (s *Service) GetTags(_ context.Context, in *apigatewayv2.GetTagsInput) (*apigatewayv2.GetTagsOutput, error) {
	set, err := s.kept.Tags(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.GetTagsOutput{Tags: set}, nil
}
