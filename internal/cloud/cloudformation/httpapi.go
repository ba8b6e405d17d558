package cloudformation

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v2 "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

// APIGatewayV2 is what HTTP APIs need of the service.
type APIGatewayV2 interface {
	CreateApi(context.Context, *v2.CreateApiInput) (*v2.CreateApiOutput, error)
	ImportApi(context.Context, *v2.ImportApiInput) (*v2.ImportApiOutput, error)
	ReimportApi(context.Context, *v2.ReimportApiInput) (*v2.ReimportApiOutput, error)
	UpdateApi(context.Context, *v2.UpdateApiInput) (*v2.UpdateApiOutput, error)
	GetApi(context.Context, *v2.GetApiInput) (*v2.GetApiOutput, error)
	GetApis(context.Context, *v2.GetApisInput) (*v2.GetApisOutput, error)
	DeleteApi(context.Context, *v2.DeleteApiInput) (*v2.DeleteApiOutput, error)
	CreateStage(context.Context, *v2.CreateStageInput) (*v2.CreateStageOutput, error)
	UpdateStage(context.Context, *v2.UpdateStageInput) (*v2.UpdateStageOutput, error)
	DeleteStage(context.Context, *v2.DeleteStageInput) (*v2.DeleteStageOutput, error)
}

type httpAPITags interface {
	TagResource(context.Context, *v2.TagResourceInput) (*v2.TagResourceOutput, error)
}

// httpAPIParts is what APIs need that are written route by route.
type httpAPIParts interface {
	CreateRoute(context.Context, *v2.CreateRouteInput) (*v2.CreateRouteOutput, error)
	UpdateRoute(context.Context, *v2.UpdateRouteInput) (*v2.UpdateRouteOutput, error)
	DeleteRoute(context.Context, *v2.DeleteRouteInput) (*v2.DeleteRouteOutput, error)
	CreateIntegration(context.Context, *v2.CreateIntegrationInput) (*v2.CreateIntegrationOutput, error)
	UpdateIntegration(context.Context, *v2.UpdateIntegrationInput) (*v2.UpdateIntegrationOutput, error)
	DeleteIntegration(context.Context, *v2.DeleteIntegrationInput) (*v2.DeleteIntegrationOutput, error)
}

type httpAPIDeployments interface {
	CreateDeployment(context.Context, *v2.CreateDeploymentInput) (*v2.CreateDeploymentOutput, error)
	DeleteDeployment(context.Context, *v2.DeleteDeploymentInput) (*v2.DeleteDeploymentOutput, error)
}

type httpHandlers struct {
	APIGatewayV2
	rest restHandlers // for bodies in S3
}

func (s *Service) httpAPIHandlers() map[string]Handler {
	if s.cfg.Services.APIGatewayV2 == nil {
		return nil
	}
	h := httpHandlers{s.cfg.Services.APIGatewayV2, restHandlers{objects: s.cfg.Services.Objects}}
	all := map[string]Handler{
		"AWS::ApiGatewayV2::Api":   {Create: h.create, Update: h.update, Delete: h.delete},
		"AWS::ApiGatewayV2::Stage": {Create: h.createStage, Update: h.updateStage, Delete: h.deleteStage},
	}
	if p, ok := h.APIGatewayV2.(httpAPIParts); ok {
		all["AWS::ApiGatewayV2::Route"] = routeHandler(p)
		all["AWS::ApiGatewayV2::Integration"] = integrationHandler(p)
	}
	if a, ok := h.APIGatewayV2.(httpAuthorizers); ok {
		all["AWS::ApiGatewayV2::Authorizer"] = httpAuthorizerHandler(a)
	}
	if d, ok := h.APIGatewayV2.(httpAPIDeployments); ok {
		all["AWS::ApiGatewayV2::Deployment"] = httpDeploymentHandler(d)
	}
	for kind, handler := range all {
		all[kind] = unlessWebSocket(handler)
	}
	return all
}

// webSocketID begins the id of a recorded WebSocket API. By it the API's parts are known; no API that runs has a dash in its id.
const webSocketID = "websocket-"

// unlessWebSocket records WebSocket APIs with their parts, which cannot run here, and leaves those of HTTP APIs to the handler.
func unlessWebSocket(h Handler) Handler {
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) {
			switch {
			case r.Str("ProtocolType") == "WEBSOCKET":
				return record(r, webSocketID+strings.ToLower(r.suffix())), nil
			case ofWebSocket(r):
				return record(r, ""), nil
			}
			return h.Create(ctx, r)
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			if ofWebSocket(r) {
				return record(r, r.Physical), nil
			}
			return h.update(ctx, r) // a part may have none
		},
		Delete: func(ctx context.Context, r *Request) error {
			if ofWebSocket(r) {
				return nil
			}
			return h.Delete(ctx, r)
		},
		Replaces: h.Replaces,
	}
}

func ofWebSocket(r *Request) bool {
	return strings.HasPrefix(r.Str("ApiId"), webSocketID) || strings.HasPrefix(r.Physical, webSocketID)
}

func (h httpHandlers) create(ctx context.Context, r *Request) (Result, error) {
	id, err := h.made(ctx, r)
	if err != nil {
		return Result{}, err
	}
	body, err := h.rest.body(ctx, r)
	if err != nil {
		return Result{}, err
	}
	switch {
	case id != "":
	case body != nil:
		out, err := h.ImportApi(ctx, &v2.ImportApiInput{Body: aws.String(string(body)), Basepath: some(r.Str("BasePath")), FailOnWarnings: h.strict(r)})
		if err != nil {
			return Result{}, err
		}
		id = aws.ToString(out.ApiId)
	default:
		in := &v2.CreateApiInput{}
		if err := fill(in, r.Properties, nil); err != nil {
			return Result{}, err
		}
		in.Tags = r.Tags()
		out, err := h.CreateApi(ctx, in)
		if err != nil {
			return Result{}, err
		}
		id = aws.ToString(out.ApiId)
	}
	r.Physical = id
	if body != nil {
		if err := h.settings(ctx, r); err != nil {
			return Result{Physical: id}, err
		}
	}
	return h.describe(ctx, r)
}

// made finds the API that an earlier try of this step has made.
func (h httpHandlers) made(ctx context.Context, r *Request) (string, error) {
	if !r.Retry {
		return "", nil
	}
	out, err := h.GetApis(ctx, &v2.GetApisInput{})
	if err != nil {
		return "", err
	}
	for _, a := range out.Items {
		if a.Tags["aws:cloudformation:stack-id"] == r.StackID && a.Tags["aws:cloudformation:logical-id"] == r.Logical &&
			a.CreatedDate != nil && !a.CreatedDate.Before(r.Begun) {
			return aws.ToString(a.ApiId), nil
		}
	}
	return "", nil
}

func (h httpHandlers) strict(r *Request) *bool {
	on, _ := r.Properties.Get("FailOnWarnings").Bool()
	return aws.Bool(on)
}

// settings sets what stands beside an API's document.
func (h httpHandlers) settings(ctx context.Context, r *Request) error {
	in := &v2.UpdateApiInput{}
	if err := fill(in, r.Properties, nil); err != nil {
		return err
	}
	in.ApiId = aws.String(r.Physical)
	if _, err := h.UpdateApi(ctx, in); err != nil {
		return err
	}
	t, ok := h.APIGatewayV2.(httpAPITags)
	if !ok {
		return nil
	}
	_, err := t.TagResource(ctx, &v2.TagResourceInput{ResourceArn: aws.String("arn:aws:apigateway:" + r.Region + "::/apis/" + r.Physical), Tags: r.Tags()})
	return err
}

func (h httpHandlers) describe(ctx context.Context, r *Request) (Result, error) {
	out, err := h.GetApi(ctx, &v2.GetApiInput{ApiId: aws.String(r.Physical)})
	if err != nil {
		return Result{Physical: r.Physical}, err
	}
	return Result{Physical: r.Physical, Attributes: map[string]any{"ApiId": r.Physical, "ApiEndpoint": aws.ToString(out.ApiEndpoint)}}, nil
}

func (h httpHandlers) update(ctx context.Context, r *Request) (Result, error) {
	result := Result{Physical: r.Physical, Attributes: r.Attributes}
	body, err := h.rest.body(ctx, r)
	if err != nil {
		return result, err
	}
	if body != nil {
		if _, err := h.ReimportApi(ctx, &v2.ReimportApiInput{ApiId: aws.String(r.Physical), Body: aws.String(string(body)), FailOnWarnings: h.strict(r)}); err != nil {
			return result, err
		}
	}
	if err := h.settings(ctx, r); err != nil {
		return result, err
	}
	return h.describe(ctx, r)
}

func (h httpHandlers) delete(ctx context.Context, r *Request) error {
	_, err := h.DeleteApi(ctx, &v2.DeleteApiInput{ApiId: aws.String(r.Physical)})
	return err
}

func (h httpHandlers) createStage(ctx context.Context, r *Request) (Result, error) {
	in := &v2.CreateStageInput{}
	if err := fill(in, r.Properties, nil); err != nil {
		return Result{}, err
	}
	in.Tags = r.Tags()
	_, err := h.CreateStage(ctx, in)
	if r.Retry && exists(err) {
		return h.updateStage(ctx, r)
	}
	return Result{Physical: aws.ToString(in.StageName)}, err
}

func (h httpHandlers) updateStage(ctx context.Context, r *Request) (Result, error) {
	in := &v2.UpdateStageInput{}
	if err := fill(in, r.Properties, nil); err != nil {
		return Result{Physical: r.Physical}, err
	}
	_, err := h.UpdateStage(ctx, in)
	return Result{Physical: aws.ToString(in.StageName)}, err
}

func (h httpHandlers) deleteStage(ctx context.Context, r *Request) error {
	_, err := h.DeleteStage(ctx, &v2.DeleteStageInput{ApiId: aws.String(r.Str("ApiId")), StageName: aws.String(r.Physical)})
	return err
}

func routeHandler(p httpAPIParts) Handler {
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &v2.CreateRouteInput{}
			if err := fill(in, r.Properties, nil); err != nil {
				return Result{}, err
			}
			out, err := p.CreateRoute(ctx, in)
			if err != nil {
				return Result{}, err
			}
			return Result{Physical: aws.ToString(out.RouteId), Attributes: map[string]any{"RouteId": aws.ToString(out.RouteId)}}, nil
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			in := &v2.UpdateRouteInput{RouteId: aws.String(r.Physical)}
			if err := fill(in, r.Properties, nil); err != nil {
				return Result{Physical: r.Physical}, err
			}
			_, err := p.UpdateRoute(ctx, in)
			return Result{Physical: r.Physical, Attributes: r.Attributes}, err
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := p.DeleteRoute(ctx, &v2.DeleteRouteInput{ApiId: aws.String(r.Str("ApiId")), RouteId: aws.String(r.Physical)})
			return err
		},
	}
}

func integrationHandler(p httpAPIParts) Handler {
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &v2.CreateIntegrationInput{}
			if err := fill(in, r.Properties, nil); err != nil {
				return Result{}, err
			}
			out, err := p.CreateIntegration(ctx, in)
			if err != nil {
				return Result{}, err
			}
			return Result{Physical: aws.ToString(out.IntegrationId), Attributes: map[string]any{"IntegrationId": aws.ToString(out.IntegrationId)}}, nil
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			in := &v2.UpdateIntegrationInput{IntegrationId: aws.String(r.Physical)}
			if err := fill(in, r.Properties, nil); err != nil {
				return Result{Physical: r.Physical}, err
			}
			_, err := p.UpdateIntegration(ctx, in)
			return Result{Physical: r.Physical, Attributes: r.Attributes}, err
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := p.DeleteIntegration(ctx, &v2.DeleteIntegrationInput{ApiId: aws.String(r.Str("ApiId")), IntegrationId: aws.String(r.Physical)})
			return err
		},
	}
}

func httpDeploymentHandler(d httpAPIDeployments) Handler {
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &v2.CreateDeploymentInput{}
			if err := fill(in, r.Properties, nil); err != nil {
				return Result{}, err
			}
			out, err := d.CreateDeployment(ctx, in)
			if err != nil {
				return Result{}, err
			}
			if out.DeploymentStatus == types.DeploymentStatusFailed {
				return Result{Physical: aws.ToString(out.DeploymentId)}, &handlerError{aws.ToString(out.DeploymentStatusMessage), "NotStabilized"}
			}
			return Result{Physical: aws.ToString(out.DeploymentId), Attributes: map[string]any{"DeploymentId": aws.ToString(out.DeploymentId)}}, nil
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := d.DeleteDeployment(ctx, &v2.DeleteDeploymentInput{ApiId: aws.String(r.Str("ApiId")), DeploymentId: aws.String(r.Physical)})
			return err
		},
	}
}
