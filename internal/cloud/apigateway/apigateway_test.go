package apigateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/smithy-go"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

type world struct {
	*testing.T
	*apigateway.Client
	ctx context.Context
	svc *Service
}

func newWorld(t *testing.T) *world {
	svc, err := New(Config{Region: "us-east-1", Store: store.Memory(), Clock: clock.NewStepped(time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC))})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, apigateway.NewFromConfig(wiretest.Config(t, wiretest.Serve{"apigateway": svc})), context.Background(), svc}
}

// wantError compares an error's code and message with AWS's.
func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || e.ErrorMessage() != message {
		t.Errorf("error %v, want %s: %s", err, code, message)
	}
}

const uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations"

func (w *world) create() *apigateway.CreateRestApiOutput {
	w.Helper()
	out, err := w.CreateRestApi(w.ctx, &apigateway.CreateRestApiInput{Name: aws.String("shop")})
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func (w *world) method(api, resource *string) {
	w.Helper()
	_, err := w.PutMethod(w.ctx, &apigateway.PutMethodInput{RestApiId: api, ResourceId: resource, HttpMethod: aws.String("GET"), AuthorizationType: aws.String("NONE")})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) integration(api, resource *string) {
	w.Helper()
	_, err := w.PutIntegration(w.ctx, &apigateway.PutIntegrationInput{
		RestApiId: api, ResourceId: resource, HttpMethod: aws.String("GET"), Type: types.IntegrationTypeAwsProxy, IntegrationHttpMethod: aws.String("POST"), Uri: aws.String(uri)})
	if err != nil {
		w.Fatal(err)
	}
}

func TestRestApis(t *testing.T) {
	w := newWorld(t)
	a := w.create()
	if a.ApiKeySource != types.ApiKeySourceTypeHeader || a.EndpointConfiguration.Types[0] != types.EndpointTypeEdge || a.EndpointConfiguration.IpAddressType != types.IpAddressTypeIpv4 {
		t.Errorf("defaults: %+v", a)
	}
	_, err := w.GetRestApi(w.ctx, &apigateway.GetRestApiInput{RestApiId: aws.String("fake-api-id")})
	wantError(t, err, "NotFoundException", "Invalid API identifier specified 000000000000:fake-api-id")
	up, err := w.UpdateRestApi(w.ctx, &apigateway.UpdateRestApiInput{RestApiId: a.Id, PatchOperations: []types.PatchOperation{
		{Op: types.OpReplace, Path: aws.String("/name"), Value: aws.String("better")},
		{Op: types.OpAdd, Path: aws.String("/binaryMediaTypes/image~1png")},
		{Op: types.OpAdd, Path: aws.String("/binaryMediaTypes/*~1*")},
		{Op: types.OpRemove, Path: aws.String("/binaryMediaTypes/image~1png")},
	}})
	if err != nil || *up.Name != "better" || fmt.Sprint(up.BinaryMediaTypes) != "[*/*]" {
		t.Errorf("%+v, %v", up, err)
	}
	for range 30 {
		w.create()
	}
	var seen []string
	pages := apigateway.NewGetRestApisPaginator(w.Client, &apigateway.GetRestApisInput{Limit: aws.Int32(10)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			seen = append(seen, *item.Id)
		}
	}
	slices.Sort(seen)
	if n := len(slices.Compact(seen)); n != 31 {
		t.Errorf("%d APIs are listed", n)
	}
	if _, err := w.DeleteRestApi(w.ctx, &apigateway.DeleteRestApiInput{RestApiId: a.Id}); err != nil || w.svc.Has(*a.Id) {
		t.Errorf("delete: %v", err)
	}
}

func TestResourcesAndMethods(t *testing.T) {
	w := newWorld(t)
	a := w.create()
	child := func(parent *string, part string) (*string, error) {
		out, err := w.CreateResource(w.ctx, &apigateway.CreateResourceInput{RestApiId: a.Id, ParentId: parent, PathPart: &part})
		if err != nil {
			return nil, err
		}
		return out.Id, nil
	}
	items, err := child(a.RootResourceId, "items")
	if err != nil {
		t.Fatal(err)
	}
	_, err = child(a.RootResourceId, "items")
	wantError(t, err, "ConflictException", "Another resource with the same parent already has this name: items")
	id, err := child(items, "{id}")
	if err != nil {
		t.Fatal(err)
	}
	_, err = child(items, "{other}")
	wantError(t, err, "BadRequestException", "A sibling ({id}) of this resource already has a variable path part -- only one is allowed")
	if _, err = child(items, "a b"); err == nil {
		t.Error("a path part with a blank is taken")
	}
	w.method(a.Id, id)
	w.integration(a.Id, id)
	get := func(api, resource, verb string) error {
		_, err := w.GetIntegration(w.ctx, &apigateway.GetIntegrationInput{RestApiId: &api, ResourceId: &resource, HttpMethod: &verb})
		return err
	}
	wantError(t, get("none", *id, "GET"), "NotFoundException", "Invalid Resource identifier specified")
	wantError(t, get(*a.Id, "none", "GET"), "NotFoundException", "Invalid Resource identifier specified")
	wantError(t, get(*a.Id, *id, "POST"), "NotFoundException", "Invalid Method identifier specified")
	w.method(a.Id, items)
	wantError(t, get(*a.Id, *items, "GET"), "NotFoundException", "Invalid Integration identifier specified")
	list, err := w.GetResources(w.ctx, &apigateway.GetResourcesInput{RestApiId: a.Id, Embed: []string{"methods"}})
	if err != nil || len(list.Items) != 3 || *list.Items[2].Path != "/items/{id}" || *list.Items[2].ResourceMethods["GET"].MethodIntegration.Uri != uri {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := w.DeleteResource(w.ctx, &apigateway.DeleteResourceInput{RestApiId: a.Id, ResourceId: items}); err != nil {
		t.Fatal(err)
	}
	if list, err = w.GetResources(w.ctx, &apigateway.GetResourcesInput{RestApiId: a.Id}); err != nil || len(list.Items) != 1 {
		t.Errorf("after deleting: %+v, %v", list, err)
	}
}

func TestIntegrationErrors(t *testing.T) {
	w := newWorld(t)
	a := w.create()
	w.method(a.Id, a.RootResourceId)
	for uri, message := range map[string]string{
		"arn:aws:lambda:us-east-1:000000000000:function:f": "AWS ARN for integration must contain path or action",
		"lambda": "Invalid ARN specified in the request",
		"arn:aws:apigateway:us-east-1:firehose:path/x":                    "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f": "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
	} {
		_, err := w.PutIntegration(w.ctx, &apigateway.PutIntegrationInput{
			RestApiId: a.Id, ResourceId: a.RootResourceId, HttpMethod: aws.String("GET"), Type: types.IntegrationTypeAwsProxy, IntegrationHttpMethod: aws.String("POST"), Uri: &uri})
		wantError(t, err, "BadRequestException", message)
	}
}

func TestDeploymentsAndStages(t *testing.T) {
	w := newWorld(t)
	a := w.create()
	deploy := func() (string, error) {
		out, err := w.CreateDeployment(w.ctx, &apigateway.CreateDeploymentInput{RestApiId: a.Id})
		if err != nil {
			return "", err
		}
		return *out.Id, nil
	}
	_, err := deploy()
	wantError(t, err, "BadRequestException", "The REST API doesn't contain any methods")
	w.method(a.Id, a.RootResourceId)
	_, err = deploy()
	wantError(t, err, "BadRequestException", "No integration defined for method")
	w.integration(a.Id, a.RootResourceId)
	first, err := deploy()
	if err != nil {
		t.Fatal(err)
	}
	st, err := w.CreateStage(w.ctx, &apigateway.CreateStageInput{RestApiId: a.Id, StageName: aws.String("s1"), DeploymentId: &first, Variables: map[string]string{"a": "1"}})
	if err != nil || st.CacheClusterStatus != types.CacheClusterStatusNotAvailable || *st.DeploymentId != first {
		t.Fatalf("%+v, %v", st, err)
	}
	_, err = w.CreateStage(w.ctx, &apigateway.CreateStageInput{RestApiId: a.Id, StageName: aws.String("s1"), DeploymentId: &first})
	wantError(t, err, "ConflictException", "Stage already exists")
	_, err = w.DeleteDeployment(w.ctx, &apigateway.DeleteDeploymentInput{RestApiId: a.Id, DeploymentId: &first})
	wantError(t, err, "BadRequestException", "Active stages pointing to this deployment must be moved or deleted")
	second, err := deploy()
	if err != nil {
		t.Fatal(err)
	}
	op := func(op types.Op, path, value string) types.PatchOperation {
		return types.PatchOperation{Op: op, Path: &path, Value: &value}
	}
	up, err := w.UpdateStage(w.ctx, &apigateway.UpdateStageInput{RestApiId: a.Id, StageName: aws.String("s1"), PatchOperations: []types.PatchOperation{
		op(types.OpReplace, "/deploymentId", second), op(types.OpReplace, "/variables/b", "2"), op(types.OpRemove, "/variables/a", ""),
		op(types.OpReplace, "/*/*/throttling/burstLimit", "123"), op(types.OpReplace, "/~1test/GET/metrics/enabled", "true"),
	}})
	if err != nil || *up.DeploymentId != second || fmt.Sprint(up.Variables) != "map[b:2]" || up.MethodSettings["*/*"].ThrottlingBurstLimit != 123 || !up.MethodSettings["test/GET"].MetricsEnabled {
		t.Errorf("%+v, %v", up, err)
	}
	_, err = w.UpdateStage(w.ctx, &apigateway.UpdateStageInput{RestApiId: a.Id, StageName: aws.String("s1"), PatchOperations: []types.PatchOperation{
		op(types.OpReplace, "/description", "half"), op(types.OpReplace, "/tags/tag1", "x")}})
	if err == nil {
		t.Error("an unknown path is taken")
	}
	got, err := w.GetStage(w.ctx, &apigateway.GetStageInput{RestApiId: a.Id, StageName: aws.String("s1")})
	if err != nil || got.Description != nil {
		t.Errorf("a refused update was half applied: %+v, %v", got, err)
	}
	if d, ok := w.svc.Deployed(*a.Id, "s1"); !ok || d.Deployment != second || d.Variables["b"] != "2" {
		t.Errorf("deployed: %+v", d)
	}
}

func TestGatewayResponses(t *testing.T) {
	w := newWorld(t)
	a := w.create()
	kind := types.GatewayResponseTypeMissingAuthenticationToken
	get := func() *apigateway.GetGatewayResponseOutput {
		t.Helper()
		out, err := w.GetGatewayResponse(w.ctx, &apigateway.GetGatewayResponseInput{RestApiId: a.Id, ResponseType: kind})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if r := get(); !r.DefaultResponse || *r.StatusCode != "403" || r.ResponseTemplates["application/json"] != `{"message":$context.error.messageString}` {
		t.Errorf("%+v", r)
	}
	_, err := w.DeleteGatewayResponse(w.ctx, &apigateway.DeleteGatewayResponseInput{RestApiId: a.Id, ResponseType: kind})
	wantError(t, err, "NotFoundException", "Gateway response type not defined on api")
	if _, err := w.PutGatewayResponse(w.ctx, &apigateway.PutGatewayResponseInput{RestApiId: a.Id, ResponseType: kind, StatusCode: aws.String("404")}); err != nil {
		t.Fatal(err)
	}
	if r := get(); r.DefaultResponse || *r.StatusCode != "404" || r.ResponseTemplates["application/json"] != `{"message":$context.error.messageString}` {
		t.Errorf("%+v", r)
	}
}

// TestImport reads a document as SAM writes it, and wants what AWS was seen to make of such.
func TestImport(t *testing.T) {
	w := newWorld(t)
	out, err := w.ImportRestApi(w.ctx, &apigateway.ImportRestApiInput{Body: []byte(`{"swagger":"2.0","info":{"version":"1.0","title":"cart"},
		"x-amazon-apigateway-binary-media-types":["image/png"],
		"paths":{"/product/{product_id}":{
			"get":{"parameters":[{"name":"product_id","in":"path","required":true,"type":"string"}],"responses":{},"x-amazon-apigateway-integration":{"type":"aws_proxy","httpMethod":"POST","uri":"` + uri + `"}},
			"options":{"responses":{"200":{"headers":{"Access-Control-Allow-Origin":{"type":"string"}}}},"x-amazon-apigateway-integration":{"type":"mock","requestTemplates":{"application/json":"{\"statusCode\": 200}"},
				"responses":{"default":{"statusCode":"200","responseParameters":{"method.response.header.Access-Control-Allow-Origin":"'*'"},"responseTemplates":{"application/json":"{}"}}}}}}}}`)})
	if err != nil || *out.Name != "cart" || *out.Version != "1.0" {
		t.Fatalf("%+v, %v", out, err)
	}
	list, err := w.GetResources(w.ctx, &apigateway.GetResourcesInput{RestApiId: out.Id, Embed: []string{"methods"}})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, r := range list.Items {
		paths = append(paths, *r.Path)
	}
	if got := strings.Join(paths, " "); got != "/ /product /product/{product_id}" {
		t.Fatalf("resources %s", got)
	}
	r := list.Items[2]
	get, options := r.ResourceMethods["GET"], r.ResourceMethods["OPTIONS"]
	i := get.MethodIntegration
	if *get.AuthorizationType != "NONE" || *get.ApiKeyRequired || !get.RequestParameters["method.request.path.product_id"] ||
		i.Type != types.IntegrationTypeAwsProxy || *i.HttpMethod != "POST" || *i.PassthroughBehavior != "WHEN_NO_MATCH" || i.TimeoutInMillis != 29000 || *i.CacheNamespace != *r.Id {
		t.Errorf("GET: %+v %+v", get, i)
	}
	o := options.MethodIntegration
	if o.Type != types.IntegrationTypeMock || o.IntegrationResponses["200"].ResponseParameters["method.response.header.Access-Control-Allow-Origin"] != "'*'" ||
		o.IntegrationResponses["200"].SelectionPattern != nil || options.MethodResponses["200"].ResponseParameters["method.response.header.Access-Control-Allow-Origin"] {
		t.Errorf("OPTIONS: %+v", o)
	}
}

func TestImportErrors(t *testing.T) {
	w := newWorld(t)
	for body, want := range map[string]string{
		``: "", `[]`: "no map", `{"openapi":"2"}`: "neither OpenAPI 3 nor Swagger 2.0", `a: &x [*x]`: "",
		`{"swagger":"2.0","info":{},"paths":{}}`:                                                                            "no title",
		`{"swagger":"2.0","info":{"title":"x"},"paths":{"items":{}}}`:                                                       "does not begin with /",
		`{"swagger":"2.0","info":{"title":"x"},"paths":{"/":{"get":{"x-amazon-apigateway-integration":{"type":"magic"}}}}}`: "Invalid integration type",
		"swagger: '2.0'\ninfo: {title: " + strings.Repeat("[", 300) + strings.Repeat("]", 300) + "}\n":                      "nested more than",
	} {
		_, err := w.ImportRestApi(w.ctx, &apigateway.ImportRestApiInput{Body: []byte(body)})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Internal") {
			t.Errorf("%.60s: %v, want …%s…", body, err, want)
		}
	}
	if list, err := w.GetRestApis(w.ctx, &apigateway.GetRestApisInput{}); err != nil || len(list.Items) != 0 {
		t.Errorf("refused imports left %d APIs (%v)", len(list.Items), err)
	}
}

func TestAccountAndTags(t *testing.T) {
	w := newWorld(t)
	a := w.create()
	if _, err := w.UpdateAccount(w.ctx, &apigateway.UpdateAccountInput{PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: aws.String("/cloudwatchRoleArn"), Value: aws.String("arn:r")}}}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.GetAccount(w.ctx, &apigateway.GetAccountInput{}); err != nil || *got.CloudwatchRoleArn != "arn:r" {
		t.Errorf("%+v, %v", got, err)
	}
	arn := aws.String("arn:aws:apigateway:us-east-1::/restapis/" + *a.Id)
	if _, err := w.TagResource(w.ctx, &apigateway.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"k": "v"}}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.GetTags(w.ctx, &apigateway.GetTagsInput{ResourceArn: arn}); err != nil || got.Tags["k"] != "v" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestExport exports an API in both forms; what is exported with extensions can be imported again, as the same API.
func TestExport(t *testing.T) {
	w := newWorld(t)
	document := `{"swagger":"2.0","info":{"version":"1.0.0","title":"pets"},"paths":{
		"/pets":{"get":{"responses":{"200":{"description":"ok"}},"x-amazon-apigateway-integration":{"type":"aws_proxy","httpMethod":"POST","uri":"` + uri + `"}}},
		"/pets/{petId}":{"get":{"parameters":[{"name":"petId","in":"path","required":true,"type":"string"}],"responses":{"200":{"description":"ok"}},
			"x-amazon-apigateway-integration":{"type":"mock","requestTemplates":{"application/json":"{}"},"responses":{"default":{"statusCode":"200"}}}}}}}`
	stage := func(body []byte) *string {
		t.Helper()
		a, err := w.ImportRestApi(w.ctx, &apigateway.ImportRestApiInput{Body: body})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.CreateDeployment(w.ctx, &apigateway.CreateDeploymentInput{RestApiId: a.Id, StageName: aws.String("local")}); err != nil {
			t.Fatal(err)
		}
		return a.Id
	}
	export := func(id *string, kind, extensions string) string {
		t.Helper()
		out, err := w.GetExport(w.ctx, &apigateway.GetExportInput{RestApiId: id, StageName: aws.String("local"), ExportType: &kind, Parameters: map[string]string{"extensions": extensions}})
		if err != nil {
			t.Fatal(err)
		}
		if *out.ContentDisposition != `attachment; filename="`+kind+`_1.0.0.json"` {
			t.Errorf("disposition %s", *out.ContentDisposition)
		}
		return strings.ReplaceAll(string(out.Body), *id, "ID")
	}
	first := stage([]byte(document))
	if plain := export(first, "swagger", ""); strings.Contains(plain, "x-amazon") || !strings.Contains(plain, `"host": "ID.execute-api.us-east-1.amazonaws.com"`) || !strings.Contains(plain, `"basePath": "/local"`) {
		t.Errorf("plain: %s", plain)
	}
	for _, kind := range []string{"swagger", "oas30"} {
		text := export(first, kind, "apigateway")
		again := export(stage([]byte(text)), kind, "apigateway")
		if text != again {
			t.Errorf("%s:\n%s\ncame back as\n%s", kind, text, again)
		}
	}
	_, err := w.GetExport(w.ctx, &apigateway.GetExportInput{RestApiId: first, StageName: aws.String("local"), ExportType: aws.String("raml")})
	wantError(t, err, "BadRequestException", "No API exporter for type 'raml'")
}
