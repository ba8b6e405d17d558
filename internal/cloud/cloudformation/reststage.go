package cloudformation

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"evo/internal/cfn"
)

func (h restHandlers) createStage(ctx context.Context, r *Request) (Result, error) {
	in := &apigateway.CreateStageInput{}
	if err := fill(in, r.Properties, map[string]string{"CanarySetting": "CanarySettings"}); err != nil {
		return Result{}, err
	}
	name := r.Name("StageName", 128)
	in.StageName, in.Tags = aws.String(name), r.Tags()
	if _, err := h.CreateStage(ctx, in); err != nil && !(r.Retry && exists(err)) {
		return Result{}, err
	}
	return Result{Physical: name}, h.patchStage(ctx, r, name, stageSettings(r))
}

func (h restHandlers) patchStage(ctx context.Context, r *Request, name string, ops []types.PatchOperation) error {
	if len(ops) == 0 {
		return nil
	}
	_, err := h.UpdateStage(ctx, &apigateway.UpdateStageInput{RestApiId: aws.String(r.Str("RestApiId")), StageName: aws.String(name), PatchOperations: ops})
	return err
}

func (h restHandlers) updateStage(ctx context.Context, r *Request) (Result, error) {
	var ops []types.PatchOperation
	for property, path := range map[string]string{"DeploymentId": "/deploymentId", "Description": "/description", "TracingEnabled": "/tracingEnabled",
		"CacheClusterEnabled": "/cacheClusterEnabled", "CacheClusterSize": "/cacheClusterSize", "ClientCertificateId": "/clientCertificateId"} {
		if now := r.Properties.Get(property); !cfn.Same(now, r.Before.Get(property)) {
			text, _ := now.Scalar()
			ops = append(ops, replace(path, text))
		}
	}
	for _, p := range r.Before.Get("Variables").Entries() {
		if !r.Properties.Get("Variables").Has(p.Key) {
			ops = append(ops, types.PatchOperation{Op: types.OpRemove, Path: aws.String("/variables/" + p.Key)})
		}
	}
	for _, p := range r.Properties.Get("Variables").Entries() {
		if text, _ := p.Value.Scalar(); !cfn.Same(p.Value, r.Before.At("Variables", p.Key)) {
			ops = append(ops, replace("/variables/"+p.Key, text))
		}
	}
	if r.Before.Has("AccessLogSetting") && !r.Properties.Has("AccessLogSetting") {
		ops = append(ops, types.PatchOperation{Op: types.OpRemove, Path: aws.String("/accessLogSettings")})
	}
	ops = append(ops, stageSettings(r)...)
	return Result{Physical: r.Physical, Attributes: r.Attributes}, h.patchStage(ctx, r, r.Physical, ops)
}

// methodSettings are the paths of a method's settings, below its resource and verb.
var methodSettings = []struct{ property, path string }{
	{"MetricsEnabled", "metrics/enabled"}, {"LoggingLevel", "logging/loglevel"}, {"DataTraceEnabled", "logging/dataTrace"},
	{"ThrottlingBurstLimit", "throttling/burstLimit"}, {"ThrottlingRateLimit", "throttling/rateLimit"},
	{"CachingEnabled", "caching/enabled"}, {"CacheTtlInSeconds", "caching/ttlInSeconds"}, {"CacheDataEncrypted", "caching/dataEncrypted"},
}

// stageSettings are the patches for what CreateStage does not take.
func stageSettings(r *Request) []types.PatchOperation {
	var ops []types.PatchOperation
	if log := r.Properties.Get("AccessLogSetting"); log != nil {
		for _, p := range []struct{ property, path string }{{"DestinationArn", "/accessLogSettings/destinationArn"}, {"Format", "/accessLogSettings/format"}} {
			if text, ok := log.Get(p.property).Scalar(); ok {
				ops = append(ops, replace(p.path, text))
			}
		}
	}
	for _, m := range r.Properties.Get("MethodSettings").List() {
		resource, verb := m.Get("ResourcePath").Str(), m.Get("HttpMethod").Str()
		if resource == "" || resource == "/*" {
			resource = "*"
		}
		if verb == "" {
			verb = "*"
		}
		prefix := "/" + pointer(strings.TrimPrefix(resource, "/")) + "/" + verb + "/"
		if resource != "*" {
			prefix = "/" + pointer(resource) + "/" + verb + "/"
		}
		for _, s := range methodSettings {
			if text, ok := m.Get(s.property).Scalar(); ok {
				ops = append(ops, replace(prefix+s.path, text))
			}
		}
	}
	return ops
}

func (h restHandlers) deleteStage(ctx context.Context, r *Request) error {
	_, err := h.DeleteStage(ctx, &apigateway.DeleteStageInput{RestApiId: aws.String(r.Str("RestApiId")), StageName: aws.String(r.Physical)})
	return err
}

// resourceHandler makes the paths of an API that is written resource by resource.
func resourceHandler(p apiParts) Handler {
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) {
			api, parent, part := aws.String(r.Str("RestApiId")), aws.String(r.Str("ParentId")), aws.String(r.Str("PathPart"))
			out, err := p.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: api, ParentId: parent, PathPart: part})
			if r.Retry && exists(err) {
				all, listErr := p.GetResources(ctx, &apigateway.GetResourcesInput{RestApiId: api, Limit: aws.Int32(500)})
				if listErr != nil {
					return Result{}, listErr
				}
				for _, res := range all.Items {
					if aws.ToString(res.ParentId) == *parent && aws.ToString(res.PathPart) == *part {
						return Result{Physical: aws.ToString(res.Id), Attributes: map[string]any{"ResourceId": aws.ToString(res.Id)}}, nil
					}
				}
			}
			if err != nil {
				return Result{}, err
			}
			return Result{Physical: aws.ToString(out.Id), Attributes: map[string]any{"ResourceId": aws.ToString(out.Id)}}, nil
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := p.DeleteResource(ctx, &apigateway.DeleteResourceInput{RestApiId: aws.String(r.Str("RestApiId")), ResourceId: aws.String(r.Physical)})
			return err
		},
	}
}

// methodHandler makes a method with its integration and responses; a change makes it again.
func methodHandler(p apiParts) Handler {
	remove := func(ctx context.Context, r *Request) error {
		_, err := p.DeleteMethod(ctx, &apigateway.DeleteMethodInput{RestApiId: aws.String(r.Str("RestApiId")), ResourceId: aws.String(r.Str("ResourceId")), HttpMethod: aws.String(r.Str("HttpMethod"))})
		return err
	}
	put := func(ctx context.Context, r *Request) (Result, error) {
		result := Result{Physical: r.Physical}
		if result.Physical == "" {
			result.Physical = r.generated(128)
		}
		if r.Retry || r.Physical != "" {
			if err := remove(ctx, r); err != nil && !missing(err) {
				return result, err
			}
		}
		return result, putMethod(ctx, p, r)
	}
	return Handler{Create: put, Update: put, Delete: remove}
}

func putMethod(ctx context.Context, p apiParts, r *Request) error {
	in := &apigateway.PutMethodInput{}
	if err := fill(in, r.Properties, nil); err != nil {
		return err
	}
	if _, err := p.PutMethod(ctx, in); err != nil {
		return err
	}
	for _, n := range r.Properties.Get("MethodResponses").List() {
		res := &apigateway.PutMethodResponseInput{RestApiId: in.RestApiId, ResourceId: in.ResourceId, HttpMethod: in.HttpMethod}
		if err := fill(res, n, nil); err != nil {
			return err
		}
		if _, err := p.PutMethodResponse(ctx, res); err != nil {
			return err
		}
	}
	integration := r.Properties.Get("Integration")
	if integration == nil {
		return nil
	}
	i := &apigateway.PutIntegrationInput{}
	if err := fill(i, integration, nil); err != nil {
		return err
	}
	i.RestApiId, i.ResourceId, i.HttpMethod = in.RestApiId, in.ResourceId, in.HttpMethod
	if _, err := p.PutIntegration(ctx, i); err != nil {
		return err
	}
	for _, n := range integration.Get("IntegrationResponses").List() {
		res := &apigateway.PutIntegrationResponseInput{RestApiId: in.RestApiId, ResourceId: in.ResourceId, HttpMethod: in.HttpMethod}
		if err := fill(res, n, nil); err != nil {
			return err
		}
		if _, err := p.PutIntegrationResponse(ctx, res); err != nil {
			return err
		}
	}
	return nil
}
