package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cfn"
)

// APIGateway is what REST APIs need of the service.
type APIGateway interface {
	CreateRestApi(context.Context, *apigateway.CreateRestApiInput) (*apigateway.CreateRestApiOutput, error)
	PutRestApi(context.Context, *apigateway.PutRestApiInput) (*apigateway.PutRestApiOutput, error)
	UpdateRestApi(context.Context, *apigateway.UpdateRestApiInput) (*apigateway.UpdateRestApiOutput, error)
	GetRestApi(context.Context, *apigateway.GetRestApiInput) (*apigateway.GetRestApiOutput, error)
	GetRestApis(context.Context, *apigateway.GetRestApisInput) (*apigateway.GetRestApisOutput, error)
	DeleteRestApi(context.Context, *apigateway.DeleteRestApiInput) (*apigateway.DeleteRestApiOutput, error)
	CreateDeployment(context.Context, *apigateway.CreateDeploymentInput) (*apigateway.CreateDeploymentOutput, error)
	DeleteDeployment(context.Context, *apigateway.DeleteDeploymentInput) (*apigateway.DeleteDeploymentOutput, error)
	CreateStage(context.Context, *apigateway.CreateStageInput) (*apigateway.CreateStageOutput, error)
	UpdateStage(context.Context, *apigateway.UpdateStageInput) (*apigateway.UpdateStageOutput, error)
	GetStage(context.Context, *apigateway.GetStageInput) (*apigateway.GetStageOutput, error)
	DeleteStage(context.Context, *apigateway.DeleteStageInput) (*apigateway.DeleteStageOutput, error)
	PutGatewayResponse(context.Context, *apigateway.PutGatewayResponseInput) (*apigateway.PutGatewayResponseOutput, error)
	DeleteGatewayResponse(context.Context, *apigateway.DeleteGatewayResponseInput) (*apigateway.DeleteGatewayResponseOutput, error)
	UpdateAccount(context.Context, *apigateway.UpdateAccountInput) (*apigateway.UpdateAccountOutput, error)
	TagResource(context.Context, *apigateway.TagResourceInput) (*apigateway.TagResourceOutput, error)
}

// apiParts is what APIs need that are written resource by resource.
type apiParts interface {
	CreateResource(context.Context, *apigateway.CreateResourceInput) (*apigateway.CreateResourceOutput, error)
	GetResources(context.Context, *apigateway.GetResourcesInput) (*apigateway.GetResourcesOutput, error)
	DeleteResource(context.Context, *apigateway.DeleteResourceInput) (*apigateway.DeleteResourceOutput, error)
	PutMethod(context.Context, *apigateway.PutMethodInput) (*apigateway.PutMethodOutput, error)
	DeleteMethod(context.Context, *apigateway.DeleteMethodInput) (*apigateway.DeleteMethodOutput, error)
	PutIntegration(context.Context, *apigateway.PutIntegrationInput) (*apigateway.PutIntegrationOutput, error)
	PutMethodResponse(context.Context, *apigateway.PutMethodResponseInput) (*apigateway.PutMethodResponseOutput, error)
	PutIntegrationResponse(context.Context, *apigateway.PutIntegrationResponseInput) (*apigateway.PutIntegrationResponseOutput, error)
}

type restHandlers struct {
	APIGateway
	objects Objects
}

func (s *Service) apiHandlers() map[string]Handler {
	if s.cfg.Services.APIGateway == nil {
		return nil
	}
	h := restHandlers{s.cfg.Services.APIGateway, s.cfg.Services.Objects}
	all := map[string]Handler{
		"AWS::ApiGateway::RestApi":         {Create: h.create, Update: h.update, Delete: h.delete},
		"AWS::ApiGateway::Deployment":      {Create: h.deploy, Delete: h.deleteDeployment},
		"AWS::ApiGateway::Stage":           {Create: h.createStage, Update: h.updateStage, Delete: h.deleteStage},
		"AWS::ApiGateway::Account":         {Create: h.account, Update: h.account},
		"AWS::ApiGateway::GatewayResponse": {Create: h.putResponse, Update: h.putResponse, Delete: h.deleteResponse},
	}
	if p, ok := h.APIGateway.(apiParts); ok {
		all["AWS::ApiGateway::Resource"] = resourceHandler(p)
		all["AWS::ApiGateway::Method"] = methodHandler(p)
	}
	if a, ok := h.APIGateway.(apiAuthorizers); ok {
		all["AWS::ApiGateway::Authorizer"] = authorizerHandler(a)
	}
	if m, ok := h.APIGateway.(apiModels); ok {
		all["AWS::ApiGateway::Model"] = modelHandler(m)
	}
	if v, ok := h.APIGateway.(apiValidators); ok {
		all["AWS::ApiGateway::RequestValidator"] = validatorHandler(v)
	}
	return all
}

var restNames = map[string]string{"ApiKeySourceType": "ApiKeySource", "Body": "-", "Parameters": "-"}

func (h restHandlers) create(ctx context.Context, r *Request) (Result, error) {
	body, err := h.body(ctx, r)
	if err != nil {
		return Result{}, err
	}
	id, err := h.made(ctx, r)
	if err != nil {
		return Result{}, err
	}
	if id == "" {
		in := &apigateway.CreateRestApiInput{Policy: document(r.Properties.Get("Policy"))}
		if err := fill(in, r.Properties, restNames); err != nil {
			return Result{}, err
		}
		if in.Name == nil {
			in.Name = aws.String(r.Logical)
			if title := r.Properties.At("Body", "info", "title").Str(); title != "" {
				in.Name = aws.String(title)
			}
		}
		in.Tags = r.Tags()
		out, err := h.CreateRestApi(ctx, in)
		if err != nil {
			return Result{}, err
		}
		id = aws.ToString(out.Id)
	}
	r.Physical = id
	if body != nil {
		if err := h.putBody(ctx, r, body); err != nil {
			return Result{Physical: id}, err
		}
	}
	return h.describe(ctx, r)
}

// made finds the API that an earlier try of this step has made: it has the step's tags, and is no older than the step.
func (h restHandlers) made(ctx context.Context, r *Request) (string, error) {
	if !r.Retry {
		return "", nil
	}
	in := &apigateway.GetRestApisInput{}
	for {
		out, err := h.GetRestApis(ctx, in)
		if err != nil {
			return "", err
		}
		for _, a := range out.Items {
			if a.Tags["aws:cloudformation:stack-id"] == r.StackID && a.Tags["aws:cloudformation:logical-id"] == r.Logical &&
				a.CreatedDate != nil && !a.CreatedDate.Before(r.Begun) {
				return aws.ToString(a.Id), nil
			}
		}
		if aws.ToString(out.Position) == "" {
			return "", nil
		}
		in.Position = out.Position
	}
}

// body is the OpenAPI document, written out or in S3; nil if there is none.
func (h restHandlers) body(ctx context.Context, r *Request) ([]byte, error) {
	if b := r.Properties.Get("Body"); b != nil {
		return []byte(aws.ToString(document(b))), nil
	}
	location := r.Properties.Get("BodyS3Location")
	if location == nil {
		return nil, nil
	}
	if h.objects == nil {
		return nil, errors.New("the API's document stands in S3, which is not here")
	}
	out, err := h.objects.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(location.Get("Bucket").Str()), Key: aws.String(location.Get("Key").Str()),
		VersionId: some(location.Get("Version").Str())})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, 10<<20))
	if err != nil {
		return nil, fmt.Errorf("read the API's document: %w", err)
	}
	return text, nil
}

func (h restHandlers) putBody(ctx context.Context, r *Request, body []byte) error {
	in := &apigateway.PutRestApiInput{RestApiId: aws.String(r.Physical), Body: body, Mode: types.PutModeOverwrite, Parameters: map[string]string{}}
	if r.Str("Mode") != "" {
		in.Mode = types.PutMode(r.Str("Mode"))
	}
	in.FailOnWarnings, _ = r.Properties.Get("FailOnWarnings").Bool()
	for _, p := range r.Properties.Get("Parameters").Entries() {
		in.Parameters[p.Key], _ = p.Value.Scalar()
	}
	_, err := h.PutRestApi(ctx, in)
	return err
}

func (h restHandlers) describe(ctx context.Context, r *Request) (Result, error) {
	out, err := h.GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: aws.String(r.Physical)})
	if err != nil {
		return Result{Physical: r.Physical}, err
	}
	return Result{Physical: r.Physical, Attributes: map[string]any{"RootResourceId": aws.ToString(out.RootResourceId), "RestApiId": r.Physical}}, nil
}

func (h restHandlers) update(ctx context.Context, r *Request) (Result, error) {
	result := Result{Physical: r.Physical, Attributes: r.Attributes}
	body, err := h.body(ctx, r)
	if err != nil {
		return result, err
	}
	if ops := restPatches(r); len(ops) > 0 {
		if _, err := h.UpdateRestApi(ctx, &apigateway.UpdateRestApiInput{RestApiId: aws.String(r.Physical), PatchOperations: ops}); err != nil {
			return result, err
		}
	}
	if body != nil {
		if err := h.putBody(ctx, r, body); err != nil {
			return result, err
		}
	}
	arn := fmt.Sprintf("arn:aws:apigateway:%s::/restapis/%s", r.Region, r.Physical)
	if _, err := h.TagResource(ctx, &apigateway.TagResourceInput{ResourceArn: aws.String(arn), Tags: r.Tags()}); err != nil {
		return result, err
	}
	return h.describe(ctx, r)
}

// restPatches are the patches that make an API's own settings what the properties say.
func restPatches(r *Request) []types.PatchOperation {
	var ops []types.PatchOperation
	for property, path := range map[string]string{"Name": "/name", "Description": "/description", "Policy": "/policy", "ApiKeySourceType": "/apiKeySource",
		"DisableExecuteApiEndpoint": "/disableExecuteApiEndpoint", "MinimumCompressionSize": "/minimumCompressionSize"} {
		now := r.Properties.Get(property)
		if !cfn.Same(now, r.Before.Get(property)) {
			ops = append(ops, replace(path, aws.ToString(document(now))))
		}
	}
	now, before := texts(r.Properties.Get("BinaryMediaTypes")), texts(r.Before.Get("BinaryMediaTypes"))
	for _, m := range before {
		if !slices.Contains(now, m) {
			ops = append(ops, types.PatchOperation{Op: types.OpRemove, Path: aws.String("/binaryMediaTypes/" + pointer(m))})
		}
	}
	for _, m := range now {
		if !slices.Contains(before, m) {
			ops = append(ops, types.PatchOperation{Op: types.OpAdd, Path: aws.String("/binaryMediaTypes/" + pointer(m))})
		}
	}
	return ops
}

// pointer escapes a part of a JSON pointer.
func pointer(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }

func replace(path, value string) types.PatchOperation {
	return types.PatchOperation{Op: types.OpReplace, Path: aws.String(path), Value: aws.String(value)}
}

func (h restHandlers) delete(ctx context.Context, r *Request) error {
	_, err := h.DeleteRestApi(ctx, &apigateway.DeleteRestApiInput{RestApiId: aws.String(r.Physical)})
	return err
}

func (h restHandlers) deploy(ctx context.Context, r *Request) (Result, error) {
	in := &apigateway.CreateDeploymentInput{}
	if d := r.Properties.Get("StageDescription"); d != nil {
		if err := fill(in, d, map[string]string{"Description": "StageDescription"}); err != nil {
			return Result{}, err
		}
	}
	if err := fill(in, r.Properties, map[string]string{"StageDescription": "-", "DeploymentCanarySettings": "CanarySettings"}); err != nil {
		return Result{}, err
	}
	out, err := h.CreateDeployment(ctx, in)
	if err != nil {
		return Result{}, err
	}
	id := aws.ToString(out.Id)
	return Result{Physical: id, Attributes: map[string]any{"DeploymentId": id}}, nil
}

// deleteDeployment deletes a deployment, and first the stage that was made with it, if that still points at it.
func (h restHandlers) deleteDeployment(ctx context.Context, r *Request) error {
	api := aws.String(r.Str("RestApiId"))
	if name := r.Str("StageName"); name != "" {
		st, err := h.GetStage(ctx, &apigateway.GetStageInput{RestApiId: api, StageName: aws.String(name)})
		if err != nil && !missing(err) {
			return err
		}
		if err == nil && aws.ToString(st.DeploymentId) == r.Physical {
			if _, err := h.DeleteStage(ctx, &apigateway.DeleteStageInput{RestApiId: api, StageName: aws.String(name)}); err != nil && !missing(err) {
				return err
			}
		}
	}
	_, err := h.DeleteDeployment(ctx, &apigateway.DeleteDeploymentInput{RestApiId: api, DeploymentId: aws.String(r.Physical)})
	return err
}

func (h restHandlers) account(ctx context.Context, r *Request) (Result, error) {
	physical := r.Physical
	if physical == "" {
		physical = r.generated(64)
	}
	_, err := h.UpdateAccount(ctx, &apigateway.UpdateAccountInput{PatchOperations: []types.PatchOperation{replace("/cloudwatchRoleArn", r.Str("CloudWatchRoleArn"))}})
	return Result{Physical: physical, Attributes: map[string]any{"Id": physical}}, err
}

func (h restHandlers) putResponse(ctx context.Context, r *Request) (Result, error) {
	in := &apigateway.PutGatewayResponseInput{}
	if err := fill(in, r.Properties, nil); err != nil {
		return Result{Physical: r.Physical}, err
	}
	physical := r.Physical
	if physical == "" {
		physical = r.generated(64)
	}
	_, err := h.PutGatewayResponse(ctx, in)
	return Result{Physical: physical, Attributes: map[string]any{"Id": physical}}, err
}

func (h restHandlers) deleteResponse(ctx context.Context, r *Request) error {
	_, err := h.DeleteGatewayResponse(ctx, &apigateway.DeleteGatewayResponseInput{RestApiId: aws.String(r.Str("RestApiId")), ResponseType: types.GatewayResponseType(r.Str("ResponseType"))})
	return err
}
