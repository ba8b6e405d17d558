package apigateway

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"evo/internal/cloud/apigateway/restapi"
	"evo/internal/cloud/store"
)

var verbs = []string{"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

func describeMethod(m types.Method) *apigateway.GetMethodOutput {
	return &apigateway.GetMethodOutput{
		ApiKeyRequired: m.ApiKeyRequired, AuthorizationScopes: m.AuthorizationScopes, AuthorizationType: m.AuthorizationType, AuthorizerId: m.AuthorizerId,
		HttpMethod: m.HttpMethod, MethodIntegration: m.MethodIntegration, MethodResponses: m.MethodResponses, OperationName: m.OperationName,
		RequestModels: m.RequestModels, RequestParameters: m.RequestParameters, RequestValidatorId: m.RequestValidatorId,
	}
}

// PutMethod adds a method to a resource.
func (s *Service) PutMethod(ctx context.Context, in *apigateway.PutMethodInput) (*apigateway.PutMethodOutput, error) {
	verb := aws.ToString(in.HttpMethod)
	if !slices.Contains(verbs, verb) {
		return nil, badRequest("Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY")
	}
	m := types.Method{
		HttpMethod: &verb, ApiKeyRequired: &in.ApiKeyRequired, AuthorizationScopes: in.AuthorizationScopes, AuthorizationType: in.AuthorizationType,
		AuthorizerId: in.AuthorizerId, OperationName: in.OperationName, RequestModels: in.RequestModels, RequestParameters: in.RequestParameters,
		RequestValidatorId: in.RequestValidatorId,
	}
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		r, err := resource(&a.Def, in.ResourceId)
		if err != nil {
			return err
		}
		if _, exists := r.Methods[verb]; exists {
			return &types.ConflictException{Message: aws.String("Method already exists for this resource")}
		}
		if err := checkMethod(&a.Def, m); err != nil {
			return err
		}
		if r.Methods == nil {
			r.Methods = map[string]types.Method{}
		}
		r.Methods[verb] = m
		a.Def.Resources[r.ID] = r
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := apigateway.PutMethodOutput(*describeMethod(m))
	return &out, nil
}

func checkMethod(a *restapi.API, m types.Method) error {
	switch kind := aws.ToString(m.AuthorizationType); kind {
	case "NONE", "AWS_IAM":
	case "CUSTOM", "COGNITO_USER_POOLS":
		if _, ok := a.Authorizers[aws.ToString(m.AuthorizerId)]; !ok {
			return badRequest("Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.")
		}
	default:
		return badRequest("Invalid authorization type specified: %s", kind)
	}
	if id := aws.ToString(m.RequestValidatorId); id != "" {
		if _, ok := a.Validators[id]; !ok {
			return badRequest("Invalid Request Validator identifier specified")
		}
	}
	for _, name := range m.RequestModels {
		if _, ok := a.Models[name]; !ok && name != "Empty" && name != "Error" {
			return badRequest("Invalid model identifier specified: %s", name)
		}
	}
	return nil
}

// GetMethod describes a method.
func (s *Service) GetMethod(_ context.Context, in *apigateway.GetMethodInput) (*apigateway.GetMethodOutput, error) {
	m, err := s.readMethod(in.RestApiId, in.ResourceId, in.HttpMethod)
	if err != nil {
		return nil, err
	}
	return describeMethod(m), nil
}

// DeleteMethod removes a method.
func (s *Service) DeleteMethod(ctx context.Context, in *apigateway.DeleteMethodInput) (*apigateway.DeleteMethodOutput, error) {
	err := s.editMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(_ restapi.Resource, m *types.Method) error {
		m.HttpMethod = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.DeleteMethodOutput{}, nil
}

var statusPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[1-5]\d\d$`) })

// PutMethodResponse declares what a method may answer.
func (s *Service) PutMethodResponse(ctx context.Context, in *apigateway.PutMethodResponseInput) (*apigateway.PutMethodResponseOutput, error) {
	status := aws.ToString(in.StatusCode)
	if !statusPattern().MatchString(status) {
		return nil, badRequest("Invalid status code specified: %s", status)
	}
	r := types.MethodResponse{StatusCode: &status, ResponseModels: in.ResponseModels, ResponseParameters: in.ResponseParameters}
	err := s.editMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(_ restapi.Resource, m *types.Method) error {
		if _, exists := m.MethodResponses[status]; exists {
			return &types.ConflictException{Message: aws.String("Response already exists for this resource")}
		}
		m.MethodResponses = with(m.MethodResponses, status, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.PutMethodResponseOutput{StatusCode: r.StatusCode, ResponseModels: r.ResponseModels, ResponseParameters: r.ResponseParameters}, nil
}

// with returns a copy of a map with one entry more.
func with[V any](m map[string]V, key string, v V) map[string]V {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]V{}
	}
	m[key] = v
	return m
}

// without returns a copy of a map with one entry less.
func without[V any](m map[string]V, key string) map[string]V {
	m = maps.Clone(m)
	delete(m, key)
	return m
}

// GetMethodResponse describes one of a method's answers.
func (s *Service) GetMethodResponse(_ context.Context, in *apigateway.GetMethodResponseInput) (*apigateway.GetMethodResponseOutput, error) {
	m, err := s.readMethod(in.RestApiId, in.ResourceId, in.HttpMethod)
	if err != nil {
		return nil, err
	}
	r, ok := m.MethodResponses[aws.ToString(in.StatusCode)]
	if !ok {
		return nil, noStatus()
	}
	return &apigateway.GetMethodResponseOutput{StatusCode: r.StatusCode, ResponseModels: r.ResponseModels, ResponseParameters: r.ResponseParameters}, nil
}

func noStatus() error {
	return &types.NotFoundException{Message: aws.String("Invalid Response status code specified")}
}

// DeleteMethodResponse removes one of a method's answers.
func (s *Service) DeleteMethodResponse(ctx context.Context, in *apigateway.DeleteMethodResponseInput) (*apigateway.DeleteMethodResponseOutput, error) {
	err := s.editMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(_ restapi.Resource, m *types.Method) error {
		if _, ok := m.MethodResponses[aws.ToString(in.StatusCode)]; !ok {
			return noStatus()
		}
		m.MethodResponses = without(m.MethodResponses, *in.StatusCode)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.DeleteMethodResponseOutput{}, nil
}

func describeIntegration(i types.Integration) *apigateway.GetIntegrationOutput {
	if i.CacheKeyParameters == nil {
		i.CacheKeyParameters = []string{}
	}
	return &apigateway.GetIntegrationOutput{
		CacheKeyParameters: i.CacheKeyParameters, CacheNamespace: i.CacheNamespace, ConnectionId: i.ConnectionId, ConnectionType: i.ConnectionType,
		ContentHandling: i.ContentHandling, Credentials: i.Credentials, HttpMethod: i.HttpMethod, IntegrationResponses: i.IntegrationResponses,
		PassthroughBehavior: i.PassthroughBehavior, RequestParameters: i.RequestParameters, RequestTemplates: i.RequestTemplates,
		TimeoutInMillis: i.TimeoutInMillis, Type: i.Type, Uri: i.Uri, TlsConfig: i.TlsConfig,
	}
}

// PutIntegration sets what a method calls.
func (s *Service) PutIntegration(ctx context.Context, in *apigateway.PutIntegrationInput) (*apigateway.PutIntegrationOutput, error) {
	i := &types.Integration{
		Type: in.Type, Uri: in.Uri, HttpMethod: in.IntegrationHttpMethod, CacheKeyParameters: in.CacheKeyParameters, CacheNamespace: in.CacheNamespace,
		ConnectionId: in.ConnectionId, ConnectionType: in.ConnectionType, ContentHandling: in.ContentHandling, Credentials: in.Credentials,
		PassthroughBehavior: in.PassthroughBehavior, RequestParameters: in.RequestParameters, RequestTemplates: in.RequestTemplates, TimeoutInMillis: 29000, TlsConfig: in.TlsConfig,
	}
	if in.TimeoutInMillis != nil {
		i.TimeoutInMillis = *in.TimeoutInMillis
	}
	if i.TimeoutInMillis < 50 || i.TimeoutInMillis > 29000 {
		return nil, badRequest("Timeout should be between 50 ms and 29000 ms")
	}
	if i.PassthroughBehavior == nil {
		i.PassthroughBehavior = aws.String("WHEN_NO_MATCH")
	}
	if i.HttpMethod == nil && i.Type != types.IntegrationTypeMock {
		return nil, badRequest("Enumeration value for HttpMethod must be non-empty")
	}
	if err := restapi.CheckIntegration(i); err != nil {
		return nil, badRequest("%s", err)
	}
	err := s.editMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(r restapi.Resource, m *types.Method) error {
		if i.CacheNamespace == nil {
			i.CacheNamespace = aws.String(r.ID)
		}
		m.MethodIntegration = i
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := apigateway.PutIntegrationOutput(*describeIntegration(*i))
	return &out, nil
}

// integration finds what a method calls.
func integration(m types.Method) (types.Integration, error) {
	if m.MethodIntegration == nil {
		return types.Integration{}, notFound("Integration")
	}
	return *m.MethodIntegration, nil
}

// GetIntegration describes what a method calls.
func (s *Service) GetIntegration(_ context.Context, in *apigateway.GetIntegrationInput) (*apigateway.GetIntegrationOutput, error) {
	m, err := s.readMethod(in.RestApiId, in.ResourceId, in.HttpMethod)
	if err != nil {
		return nil, err
	}
	i, err := integration(m)
	if err != nil {
		return nil, err
	}
	return describeIntegration(i), nil
}

// DeleteIntegration removes what a method calls.
func (s *Service) DeleteIntegration(ctx context.Context, in *apigateway.DeleteIntegrationInput) (*apigateway.DeleteIntegrationOutput, error) {
	err := s.editMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(_ restapi.Resource, m *types.Method) error {
		_, err := integration(*m)
		m.MethodIntegration = nil
		return err
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.DeleteIntegrationOutput{}, nil
}

// editResponses changes the responses of a method's integration.
func (s *Service) editResponses(ctx context.Context, apiID, resourceID, verb *string, edit func(map[string]types.IntegrationResponse) (map[string]types.IntegrationResponse, error)) error {
	return s.editMethod(ctx, apiID, resourceID, verb, func(_ restapi.Resource, m *types.Method) error {
		i, err := integration(*m)
		if err != nil {
			return err
		}
		i.IntegrationResponses, err = edit(i.IntegrationResponses)
		m.MethodIntegration = &i
		return err
	})
}

// PutIntegrationResponse says what becomes of an integration's answer.
func (s *Service) PutIntegrationResponse(ctx context.Context, in *apigateway.PutIntegrationResponseInput) (*apigateway.PutIntegrationResponseOutput, error) {
	status := aws.ToString(in.StatusCode)
	if !statusPattern().MatchString(status) {
		return nil, badRequest("Invalid status code specified: %s", status)
	}
	r := types.IntegrationResponse{
		StatusCode: &status, ContentHandling: in.ContentHandling, ResponseParameters: in.ResponseParameters,
		ResponseTemplates: in.ResponseTemplates, SelectionPattern: in.SelectionPattern,
	}
	err := s.editResponses(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(m map[string]types.IntegrationResponse) (map[string]types.IntegrationResponse, error) {
		return with(m, status, r), nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.PutIntegrationResponseOutput{
		StatusCode: r.StatusCode, ContentHandling: r.ContentHandling, ResponseParameters: r.ResponseParameters,
		ResponseTemplates: r.ResponseTemplates, SelectionPattern: r.SelectionPattern,
	}, nil
}

// GetIntegrationResponse describes what becomes of an integration's answer.
func (s *Service) GetIntegrationResponse(_ context.Context, in *apigateway.GetIntegrationResponseInput) (*apigateway.GetIntegrationResponseOutput, error) {
	m, err := s.readMethod(in.RestApiId, in.ResourceId, in.HttpMethod)
	if err != nil {
		return nil, err
	}
	i, err := integration(m)
	if err != nil {
		return nil, err
	}
	r, ok := i.IntegrationResponses[aws.ToString(in.StatusCode)]
	if !ok {
		return nil, noStatus()
	}
	return &apigateway.GetIntegrationResponseOutput{
		StatusCode: r.StatusCode, ContentHandling: r.ContentHandling, ResponseParameters: r.ResponseParameters,
		ResponseTemplates: r.ResponseTemplates, SelectionPattern: r.SelectionPattern,
	}, nil
}

// DeleteIntegrationResponse forgets what becomes of an integration's answer.
func (s *Service) DeleteIntegrationResponse(ctx context.Context, in *apigateway.DeleteIntegrationResponseInput) (*apigateway.DeleteIntegrationResponseOutput, error) {
	err := s.editResponses(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(m map[string]types.IntegrationResponse) (map[string]types.IntegrationResponse, error) {
		if _, ok := m[aws.ToString(in.StatusCode)]; !ok {
			return nil, noStatus()
		}
		return without(m, *in.StatusCode), nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.DeleteIntegrationResponseOutput{}, nil
}
