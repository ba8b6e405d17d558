package apigatewayv2

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"evo/internal/cloud/apigatewayv2/httpapi"
	"evo/internal/cloud/store"
)

func describeRoute(r types.Route) *apigatewayv2.GetRouteOutput {
	return &apigatewayv2.GetRouteOutput{
		RouteId: r.RouteId, RouteKey: r.RouteKey, Target: r.Target, ApiGatewayManaged: r.ApiGatewayManaged, ApiKeyRequired: r.ApiKeyRequired,
		AuthorizationScopes: r.AuthorizationScopes, AuthorizationType: r.AuthorizationType, AuthorizerId: r.AuthorizerId, OperationName: r.OperationName,
		ModelSelectionExpression: r.ModelSelectionExpression, RequestModels: r.RequestModels, RequestParameters: r.RequestParameters,
		RouteResponseSelectionExpression: r.RouteResponseSelectionExpression,
	}
}

// checkRoute refuses a route that cannot be one of the API's.
func checkRoute(a *httpapi.API, r types.Route) error {
	if err := httpapi.CheckRouteKey(aws.ToString(r.RouteKey)); err != nil {
		return badRequest("%s", err)
	}
	for id, other := range a.Routes {
		if id != *r.RouteId && aws.ToString(other.RouteKey) == *r.RouteKey {
			return &types.ConflictException{Message: aws.String("Route with key " + *r.RouteKey + " already exists for this API")}
		}
	}
	if r.Target != nil {
		id, ok := strings.CutPrefix(*r.Target, "integrations/")
		if _, exists := a.Integrations[id]; !ok || !exists {
			return notFound("integration", &id)
		}
	}
	if r.AuthorizerId != nil {
		if _, ok := a.Authorizers[*r.AuthorizerId]; !ok {
			return notFound("authorizer", r.AuthorizerId)
		}
	}
	return nil
}

// CreateRoute adds a route.
func (s *Service) CreateRoute(ctx context.Context, in *apigatewayv2.CreateRouteInput) (*apigatewayv2.CreateRouteOutput, error) {
	r := types.Route{
		RouteId: aws.String(s.newID(7)), RouteKey: in.RouteKey, Target: in.Target, ApiKeyRequired: aws.Bool(aws.ToBool(in.ApiKeyRequired)),
		AuthorizationScopes: in.AuthorizationScopes, AuthorizationType: in.AuthorizationType, AuthorizerId: in.AuthorizerId, OperationName: in.OperationName,
		RequestParameters: in.RequestParameters, RequestModels: in.RequestModels,
	}
	if r.AuthorizationType == "" {
		r.AuthorizationType = types.AuthorizationTypeNone
	}
	err := s.edit(ctx, in.ApiId, func(_ *store.Tx, a *api) error {
		a.Def.Routes[*r.RouteId] = r
		return checkRoute(&a.Def, r)
	})
	if err != nil {
		return nil, err
	}
	out := apigatewayv2.CreateRouteOutput(*describeRoute(r))
	return &out, nil
}

// GetRoute describes a route.
func (s *Service) GetRoute(_ context.Context, in *apigatewayv2.GetRouteInput) (out *apigatewayv2.GetRouteOutput, err error) {
	err = s.kept.View(in.ApiId, func(_ *store.Tx, a api) error {
		r, ok := a.Def.Routes[aws.ToString(in.RouteId)]
		if !ok {
			return notFound("route", in.RouteId)
		}
		out = describeRoute(r)
		return nil
	})
	return out, err
}

// GetRoutes lists an API's routes by key.
func (s *Service) GetRoutes(_ context.Context, in *apigatewayv2.GetRoutesInput) (*apigatewayv2.GetRoutesOutput, error) {
	items, next, err := list(s, in.ApiId, in.NextToken, in.MaxResults, func(r types.Route) *string { return r.RouteId }, func(_ *store.Tx, a api) []types.Route {
		return sorted(a.Def.Routes, func(r types.Route) string { return aws.ToString(r.RouteKey) })
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.GetRoutesOutput{Items: items, NextToken: next}, nil
}

// UpdateRoute changes the members that are given.
func (s *Service) UpdateRoute(ctx context.Context, in *apigatewayv2.UpdateRouteInput) (*apigatewayv2.UpdateRouteOutput, error) {
	var r types.Route
	err := s.edit(ctx, in.ApiId, func(_ *store.Tx, a *api) error {
		var ok bool
		if r, ok = a.Def.Routes[aws.ToString(in.RouteId)]; !ok {
			return notFound("route", in.RouteId)
		}
		given(&r.RouteKey, in.RouteKey)
		given(&r.Target, in.Target)
		given(&r.ApiKeyRequired, in.ApiKeyRequired)
		given(&r.AuthorizerId, in.AuthorizerId)
		given(&r.OperationName, in.OperationName)
		if in.AuthorizationType != "" {
			r.AuthorizationType = in.AuthorizationType
		}
		if in.AuthorizationScopes != nil {
			r.AuthorizationScopes = in.AuthorizationScopes
		}
		a.Def.Routes[*in.RouteId] = r
		return checkRoute(&a.Def, r)
	})
	if err != nil {
		return nil, err
	}
	out := apigatewayv2.UpdateRouteOutput(*describeRoute(r))
	return &out, nil
}

// given takes over a member that is given.
func given[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

// DeleteRoute removes a route.
func (s *Service) DeleteRoute(ctx context.Context, in *apigatewayv2.DeleteRouteInput) (*apigatewayv2.DeleteRouteOutput, error) {
	err := s.edit(ctx, in.ApiId, func(_ *store.Tx, a *api) error {
		if _, ok := a.Def.Routes[aws.ToString(in.RouteId)]; !ok {
			return notFound("route", in.RouteId)
		}
		delete(a.Def.Routes, *in.RouteId)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.DeleteRouteOutput{}, nil
}

func describeIntegration(i types.Integration) *apigatewayv2.GetIntegrationOutput {
	return &apigatewayv2.GetIntegrationOutput{
		ApiGatewayManaged: i.ApiGatewayManaged, ConnectionId: i.ConnectionId, ConnectionType: i.ConnectionType, ContentHandlingStrategy: i.ContentHandlingStrategy,
		CredentialsArn: i.CredentialsArn, Description: i.Description, IntegrationId: i.IntegrationId, IntegrationMethod: i.IntegrationMethod,
		IntegrationSubtype: i.IntegrationSubtype, IntegrationType: i.IntegrationType, IntegrationUri: i.IntegrationUri, PassthroughBehavior: i.PassthroughBehavior,
		PayloadFormatVersion: i.PayloadFormatVersion, RequestParameters: i.RequestParameters, RequestTemplates: i.RequestTemplates,
		ResponseParameters: i.ResponseParameters, TemplateSelectionExpression: i.TemplateSelectionExpression, TimeoutInMillis: i.TimeoutInMillis, TlsConfig: i.TlsConfig,
	}
}

func checkIntegration(i types.Integration) error {
	switch {
	case i.IntegrationType == types.IntegrationTypeAwsProxy && i.PayloadFormatVersion == nil:
		return badRequest("PayloadFormatVersion is a required parameter for integration of type AWS_PROXY")
	case i.PayloadFormatVersion != nil && *i.PayloadFormatVersion != "1.0" && *i.PayloadFormatVersion != "2.0":
		return badRequest("PayloadFormatVersion must be 1.0 or 2.0, not %s", *i.PayloadFormatVersion)
	case i.IntegrationType == types.IntegrationTypeAws || i.IntegrationType == types.IntegrationTypeHttp || i.IntegrationType == types.IntegrationTypeMock:
		return badRequest("Integrations of type %s are for WebSocket APIs", i.IntegrationType)
	}
	if ms := aws.ToInt32(i.TimeoutInMillis); ms < 50 || ms > 30000 {
		return badRequest("Timeout should be between 50 ms and 30000 ms")
	}
	return nil
}

// CreateIntegration adds what routes can call.
func (s *Service) CreateIntegration(ctx context.Context, in *apigatewayv2.CreateIntegrationInput) (*apigatewayv2.CreateIntegrationOutput, error) {
	i := types.Integration{
		IntegrationId: aws.String(s.newID(7)), IntegrationType: in.IntegrationType, IntegrationUri: in.IntegrationUri, IntegrationMethod: in.IntegrationMethod,
		IntegrationSubtype: in.IntegrationSubtype, PayloadFormatVersion: in.PayloadFormatVersion, CredentialsArn: in.CredentialsArn, Description: in.Description,
		ConnectionId: in.ConnectionId, ConnectionType: in.ConnectionType, RequestParameters: in.RequestParameters, ResponseParameters: in.ResponseParameters,
		TimeoutInMillis: in.TimeoutInMillis,
	}
	if i.ConnectionType == "" {
		i.ConnectionType = types.ConnectionTypeInternet
	}
	if i.TimeoutInMillis == nil {
		i.TimeoutInMillis = aws.Int32(30000)
	}
	if i.IntegrationMethod == nil && i.IntegrationType == types.IntegrationTypeAwsProxy {
		i.IntegrationMethod = aws.String("POST")
	}
	if err := checkIntegration(i); err != nil {
		return nil, err
	}
	err := s.edit(ctx, in.ApiId, func(_ *store.Tx, a *api) error {
		a.Def.Integrations[*i.IntegrationId] = i
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := apigatewayv2.CreateIntegrationOutput(*describeIntegration(i))
	return &out, nil
}

// GetIntegration describes an integration.
func (s *Service) GetIntegration(_ context.Context, in *apigatewayv2.GetIntegrationInput) (out *apigatewayv2.GetIntegrationOutput, err error) {
	err = s.kept.View(in.ApiId, func(_ *store.Tx, a api) error {
		i, ok := a.Def.Integrations[aws.ToString(in.IntegrationId)]
		if !ok {
			return notFound("integration", in.IntegrationId)
		}
		out = describeIntegration(i)
		return nil
	})
	return out, err
}

// GetIntegrations lists an API's integrations by id.
func (s *Service) GetIntegrations(_ context.Context, in *apigatewayv2.GetIntegrationsInput) (*apigatewayv2.GetIntegrationsOutput, error) {
	items, next, err := list(s, in.ApiId, in.NextToken, in.MaxResults, func(i types.Integration) *string { return i.IntegrationId }, func(_ *store.Tx, a api) []types.Integration {
		return sorted(a.Def.Integrations, func(i types.Integration) string { return *i.IntegrationId })
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.GetIntegrationsOutput{Items: items, NextToken: next}, nil
}

// UpdateIntegration changes the members that are given.
func (s *Service) UpdateIntegration(ctx context.Context, in *apigatewayv2.UpdateIntegrationInput) (*apigatewayv2.UpdateIntegrationOutput, error) {
	var i types.Integration
	err := s.edit(ctx, in.ApiId, func(_ *store.Tx, a *api) error {
		var ok bool
		if i, ok = a.Def.Integrations[aws.ToString(in.IntegrationId)]; !ok {
			return notFound("integration", in.IntegrationId)
		}
		given(&i.IntegrationUri, in.IntegrationUri)
		given(&i.IntegrationMethod, in.IntegrationMethod)
		given(&i.IntegrationSubtype, in.IntegrationSubtype)
		given(&i.PayloadFormatVersion, in.PayloadFormatVersion)
		given(&i.CredentialsArn, in.CredentialsArn)
		given(&i.Description, in.Description)
		given(&i.ConnectionId, in.ConnectionId)
		given(&i.TimeoutInMillis, in.TimeoutInMillis)
		if in.IntegrationType != "" {
			i.IntegrationType = in.IntegrationType
		}
		if in.ConnectionType != "" {
			i.ConnectionType = in.ConnectionType
		}
		if in.RequestParameters != nil {
			i.RequestParameters = in.RequestParameters
		}
		if in.ResponseParameters != nil {
			i.ResponseParameters = in.ResponseParameters
		}
		a.Def.Integrations[*in.IntegrationId] = i
		return checkIntegration(i)
	})
	if err != nil {
		return nil, err
	}
	out := apigatewayv2.UpdateIntegrationOutput(*describeIntegration(i))
	return &out, nil
}

// DeleteIntegration removes an integration that no route calls.
func (s *Service) DeleteIntegration(ctx context.Context, in *apigatewayv2.DeleteIntegrationInput) (*apigatewayv2.DeleteIntegrationOutput, error) {
	err := s.edit(ctx, in.ApiId, func(_ *store.Tx, a *api) error {
		id := aws.ToString(in.IntegrationId)
		if _, ok := a.Def.Integrations[id]; !ok {
			return notFound("integration", in.IntegrationId)
		}
		for _, r := range a.Def.Routes {
			if aws.ToString(r.Target) == "integrations/"+id {
				return &types.ConflictException{Message: aws.String("Cannot delete Integration '" + id + "', it is referenced by route " + aws.ToString(r.RouteKey))}
			}
		}
		delete(a.Def.Integrations, id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.DeleteIntegrationOutput{}, nil
}

func describeAuthorizer(v types.Authorizer) *apigatewayv2.GetAuthorizerOutput {
	return &apigatewayv2.GetAuthorizerOutput{
		AuthorizerCredentialsArn: v.AuthorizerCredentialsArn, AuthorizerId: v.AuthorizerId, AuthorizerPayloadFormatVersion: v.AuthorizerPayloadFormatVersion,
		AuthorizerResultTtlInSeconds: v.AuthorizerResultTtlInSeconds, AuthorizerType: v.AuthorizerType, AuthorizerUri: v.AuthorizerUri,
		EnableSimpleResponses: v.EnableSimpleResponses, IdentitySource: v.IdentitySource, IdentityValidationExpression: v.IdentityValidationExpression,
		JwtConfiguration: v.JwtConfiguration, Name: v.Name,
	}
}

// CreateAuthorizer records an authorizer. A route that needs one is answered with an error that says so.
func (s *Service) CreateAuthorizer(ctx context.Context, in *apigatewayv2.CreateAuthorizerInput) (*apigatewayv2.CreateAuthorizerOutput, error) {
	v := types.Authorizer{
		AuthorizerId: aws.String(s.newID(6)), AuthorizerCredentialsArn: in.AuthorizerCredentialsArn, AuthorizerPayloadFormatVersion: in.AuthorizerPayloadFormatVersion,
		AuthorizerResultTtlInSeconds: in.AuthorizerResultTtlInSeconds, AuthorizerType: in.AuthorizerType, AuthorizerUri: in.AuthorizerUri,
		EnableSimpleResponses: in.EnableSimpleResponses, IdentitySource: in.IdentitySource, IdentityValidationExpression: in.IdentityValidationExpression,
		JwtConfiguration: in.JwtConfiguration, Name: in.Name,
	}
	err := s.edit(ctx, in.ApiId, func(_ *store.Tx, a *api) error {
		if a.Def.Authorizers == nil {
			a.Def.Authorizers = map[string]types.Authorizer{}
		}
		a.Def.Authorizers[*v.AuthorizerId] = v
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := apigatewayv2.CreateAuthorizerOutput(*describeAuthorizer(v))
	return &out, nil
}

// GetAuthorizer describes an authorizer.
func (s *Service) GetAuthorizer(_ context.Context, in *apigatewayv2.GetAuthorizerInput) (out *apigatewayv2.GetAuthorizerOutput, err error) {
	err = s.kept.View(in.ApiId, func(_ *store.Tx, a api) error {
		v, ok := a.Def.Authorizers[aws.ToString(in.AuthorizerId)]
		if !ok {
			return notFound("authorizer", in.AuthorizerId)
		}
		out = describeAuthorizer(v)
		return nil
	})
	return out, err
}

// GetAuthorizers lists an API's authorizers by id.
func (s *Service) GetAuthorizers(_ context.Context, in *apigatewayv2.GetAuthorizersInput) (*apigatewayv2.GetAuthorizersOutput, error) {
	items, next, err := list(s, in.ApiId, in.NextToken, in.MaxResults, func(v types.Authorizer) *string { return v.AuthorizerId }, func(_ *store.Tx, a api) []types.Authorizer {
		return sorted(a.Def.Authorizers, func(v types.Authorizer) string { return *v.AuthorizerId })
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.GetAuthorizersOutput{Items: items, NextToken: next}, nil
}

// DeleteAuthorizer removes an authorizer.
func (s *Service) DeleteAuthorizer(ctx context.Context, in *apigatewayv2.DeleteAuthorizerInput) (*apigatewayv2.DeleteAuthorizerOutput, error) {
	err := s.edit(ctx, in.ApiId, func(_ *store.Tx, a *api) error {
		if _, ok := a.Def.Authorizers[aws.ToString(in.AuthorizerId)]; !ok {
			return notFound("authorizer", in.AuthorizerId)
		}
		delete(a.Def.Authorizers, *in.AuthorizerId)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2.DeleteAuthorizerOutput{}, nil
}
