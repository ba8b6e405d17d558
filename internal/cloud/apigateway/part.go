package apigateway

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"evo/internal/cloud/apigateway/restapi"
	"evo/internal/cloud/store"
	"evo/internal/cloud/tags"
)

// PutGatewayResponse sets what the gateway itself answers in a case.
func (s *Service) PutGatewayResponse(ctx context.Context, in *apigateway.PutGatewayResponseInput) (*apigateway.PutGatewayResponseOutput, error) {
	kind := string(in.ResponseType)
	r := restapi.CustomResponse(kind, aws.ToString(in.StatusCode), in.ResponseParameters, in.ResponseTemplates)
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		a.Def.Responses = with(a.Def.Responses, kind, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.PutGatewayResponseOutput{
		ResponseType: r.ResponseType, StatusCode: r.StatusCode, ResponseParameters: r.ResponseParameters, ResponseTemplates: r.ResponseTemplates,
	}, nil
}

// GetGatewayResponse describes what the gateway itself answers in a case.
func (s *Service) GetGatewayResponse(_ context.Context, in *apigateway.GetGatewayResponseInput) (out *apigateway.GetGatewayResponseOutput, err error) {
	err = s.kept.View(in.RestApiId, func(_ *store.Tx, a api) error {
		r := a.Def.Response(string(in.ResponseType))
		out = &apigateway.GetGatewayResponseOutput{
			DefaultResponse: r.DefaultResponse, ResponseType: r.ResponseType, StatusCode: r.StatusCode,
			ResponseParameters: r.ResponseParameters, ResponseTemplates: r.ResponseTemplates,
		}
		return nil
	})
	return out, err
}

// GetGatewayResponses lists what the gateway itself answers in each case.
func (s *Service) GetGatewayResponses(_ context.Context, in *apigateway.GetGatewayResponsesInput) (*apigateway.GetGatewayResponsesOutput, error) {
	out := new(apigateway.GetGatewayResponsesOutput)
	err := s.kept.View(in.RestApiId, func(_ *store.Tx, a api) error {
		for _, kind := range slices.Sorted(keys(restapi.DefaultResponses)) {
			out.Items = append(out.Items, a.Def.Response(kind))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteGatewayResponse lets the gateway answer as AWS's does by itself.
func (s *Service) DeleteGatewayResponse(ctx context.Context, in *apigateway.DeleteGatewayResponseInput) (*apigateway.DeleteGatewayResponseOutput, error) {
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		if _, ok := a.Def.Responses[string(in.ResponseType)]; !ok {
			return &types.NotFoundException{Message: aws.String("Gateway response type not defined on api")}
		}
		delete(a.Def.Responses, string(in.ResponseType))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.DeleteGatewayResponseOutput{}, nil
}

// CreateModel adds a model. Models are kept; requests are not judged by them.
func (s *Service) CreateModel(ctx context.Context, in *apigateway.CreateModelInput) (*apigateway.CreateModelOutput, error) {
	name := aws.ToString(in.Name)
	if name == "" {
		return nil, badRequest("Model Name must be non-empty")
	}
	if !json.Valid([]byte(aws.ToString(in.Schema))) {
		return nil, badRequest("Model schema must have at least 1 property or array items defined")
	}
	m := types.Model{Id: aws.String(s.newID(6)), Name: &name, ContentType: in.ContentType, Description: in.Description, Schema: in.Schema}
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		if _, exists := a.Def.Models[name]; exists {
			return &types.ConflictException{Message: aws.String("Model name already exists for this REST API")}
		}
		a.Def.Models = with(a.Def.Models, name, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.CreateModelOutput{Id: m.Id, Name: m.Name, ContentType: m.ContentType, Description: m.Description, Schema: m.Schema}, nil
}

func noModel(name *string) error {
	return &types.NotFoundException{Message: aws.String("Invalid model name specified: " + aws.ToString(name))}
}

// GetModel describes a model.
func (s *Service) GetModel(_ context.Context, in *apigateway.GetModelInput) (out *apigateway.GetModelOutput, err error) {
	err = s.kept.View(in.RestApiId, func(_ *store.Tx, a api) error {
		m, ok := a.Def.Models[aws.ToString(in.ModelName)]
		if !ok {
			return noModel(in.ModelName)
		}
		out = &apigateway.GetModelOutput{Id: m.Id, Name: m.Name, ContentType: m.ContentType, Description: m.Description, Schema: m.Schema}
		return nil
	})
	return out, err
}

// GetModels lists an API's models by name.
func (s *Service) GetModels(_ context.Context, in *apigateway.GetModelsInput) (*apigateway.GetModelsOutput, error) {
	out := &apigateway.GetModelsOutput{Items: []types.Model{}}
	err := s.kept.View(in.RestApiId, func(_ *store.Tx, a api) (err error) {
		all := sorted(a.Def.Models, func(m types.Model) string { return *m.Name })
		out.Items, out.Position, err = page(all, func(m types.Model) string { return *m.Name }, in.Position, in.Limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// sorted returns a map's values by name.
func sorted[V any](m map[string]V, name func(V) string) []V {
	var all []V
	for _, v := range m {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b V) int { return strings.Compare(name(a), name(b)) })
	return all
}

// DeleteModel removes a model that no method names.
func (s *Service) DeleteModel(ctx context.Context, in *apigateway.DeleteModelInput) (*apigateway.DeleteModelOutput, error) {
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		name := aws.ToString(in.ModelName)
		if _, ok := a.Def.Models[name]; !ok {
			return noModel(in.ModelName)
		}
		for _, r := range a.Def.Resources {
			for verb, m := range r.Methods {
				for _, used := range m.RequestModels {
					if used == name {
						return &types.ConflictException{Message: aws.String("Cannot delete model '" + name + "', is referenced in method request: " + r.Path + "/" + verb)}
					}
				}
			}
		}
		delete(a.Def.Models, name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.DeleteModelOutput{}, nil
}

// CreateRequestValidator adds a validator: whether requests' parameters and bodies are looked at.
func (s *Service) CreateRequestValidator(ctx context.Context, in *apigateway.CreateRequestValidatorInput) (*apigateway.CreateRequestValidatorOutput, error) {
	v := types.RequestValidator{Id: aws.String(s.newID(6)), Name: in.Name, ValidateRequestBody: in.ValidateRequestBody, ValidateRequestParameters: in.ValidateRequestParameters}
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		a.Def.Validators = with(a.Def.Validators, *v.Id, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.CreateRequestValidatorOutput{Id: v.Id, Name: v.Name, ValidateRequestBody: v.ValidateRequestBody, ValidateRequestParameters: v.ValidateRequestParameters}, nil
}

// GetRequestValidators lists an API's validators by name.
func (s *Service) GetRequestValidators(_ context.Context, in *apigateway.GetRequestValidatorsInput) (*apigateway.GetRequestValidatorsOutput, error) {
	out := &apigateway.GetRequestValidatorsOutput{Items: []types.RequestValidator{}}
	err := s.kept.View(in.RestApiId, func(_ *store.Tx, a api) (err error) {
		all := sorted(a.Def.Validators, func(v types.RequestValidator) string { return aws.ToString(v.Name) })
		out.Items, out.Position, err = page(all, func(v types.RequestValidator) string { return *v.Id }, in.Position, in.Limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteRequestValidator removes a validator.
func (s *Service) DeleteRequestValidator(ctx context.Context, in *apigateway.DeleteRequestValidatorInput) (*apigateway.DeleteRequestValidatorOutput, error) {
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		if _, ok := a.Def.Validators[aws.ToString(in.RequestValidatorId)]; !ok {
			return notFound("Request Validator")
		}
		delete(a.Def.Validators, *in.RequestValidatorId)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.DeleteRequestValidatorOutput{}, nil
}

// CreateAuthorizer records an authorizer. A method that needs one is answered with an error that says so.
func (s *Service) CreateAuthorizer(ctx context.Context, in *apigateway.CreateAuthorizerInput) (*apigateway.CreateAuthorizerOutput, error) {
	v := types.Authorizer{
		Id: aws.String(s.newID(6)), Name: in.Name, Type: in.Type, AuthType: in.AuthType, AuthorizerCredentials: in.AuthorizerCredentials,
		AuthorizerResultTtlInSeconds: in.AuthorizerResultTtlInSeconds, AuthorizerUri: in.AuthorizerUri, IdentitySource: in.IdentitySource,
		IdentityValidationExpression: in.IdentityValidationExpression, ProviderARNs: in.ProviderARNs,
	}
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		a.Def.Authorizers = with(a.Def.Authorizers, *v.Id, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.CreateAuthorizerOutput{
		Id: v.Id, Name: v.Name, Type: v.Type, AuthType: v.AuthType, AuthorizerCredentials: v.AuthorizerCredentials,
		AuthorizerResultTtlInSeconds: v.AuthorizerResultTtlInSeconds, AuthorizerUri: v.AuthorizerUri, IdentitySource: v.IdentitySource,
		IdentityValidationExpression: v.IdentityValidationExpression, ProviderARNs: v.ProviderARNs,
	}, nil
}

// GetAuthorizers lists an API's authorizers by name.
func (s *Service) GetAuthorizers(_ context.Context, in *apigateway.GetAuthorizersInput) (*apigateway.GetAuthorizersOutput, error) {
	out := &apigateway.GetAuthorizersOutput{Items: []types.Authorizer{}}
	err := s.kept.View(in.RestApiId, func(_ *store.Tx, a api) (err error) {
		all := sorted(a.Def.Authorizers, func(v types.Authorizer) string { return aws.ToString(v.Name) })
		out.Items, out.Position, err = page(all, func(v types.Authorizer) string { return *v.Id }, in.Position, in.Limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteAuthorizer removes an authorizer.
func (s *Service) DeleteAuthorizer(ctx context.Context, in *apigateway.DeleteAuthorizerInput) (*apigateway.DeleteAuthorizerOutput, error) {
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		if _, ok := a.Def.Authorizers[aws.ToString(in.AuthorizerId)]; !ok {
			return notFound("Authorizer")
		}
		delete(a.Def.Authorizers, *in.AuthorizerId)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.DeleteAuthorizerOutput{}, nil
}

// TagResource adds tags to an API or a stage.
func (s *Service) TagResource(ctx context.Context, in *apigateway.TagResourceInput) (*apigateway.TagResourceOutput, error) {
	if err := s.kept.Retag(ctx, in.ResourceArn, tags.Add(in.Tags)); err != nil {
		return nil, err
	}
	return &apigateway.TagResourceOutput{}, nil
}

// UntagResource takes tags off an API or a stage.
func (s *Service) UntagResource(ctx context.Context, in *apigateway.UntagResourceInput) (*apigateway.UntagResourceOutput, error) {
	if err := s.kept.Retag(ctx, in.ResourceArn, tags.Remove(in.TagKeys)); err != nil {
		return nil, err
	}
	return &apigateway.UntagResourceOutput{}, nil
}

// GetTags lists the tags of an API or a stage.
func (s *Service) GetTags(_ context.Context, in *apigateway.GetTagsInput) (*apigateway.GetTagsOutput, error) {
	set, err := s.kept.Tags(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &apigateway.GetTagsOutput{Tags: set}, nil
}
