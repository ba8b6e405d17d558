package apigatewayv2

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

type world struct {
	*testing.T
	*apigatewayv2.Client
	ctx context.Context
	svc *Service
}

func newWorld(t *testing.T) *world {
	svc, err := New(Config{Region: "us-east-1", Store: store.Memory(), Clock: clock.NewStepped(time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC))})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, apigatewayv2.NewFromConfig(wiretest.Config(t, wiretest.Serve{"apigatewayv2": svc})), context.Background(), svc}
}

func (w *world) must(_ any, err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

const function = "arn:aws:lambda:us-east-1:000000000000:function:f"

// api makes an API with one route.
func (w *world) api() *string {
	w.Helper()
	a, err := w.CreateApi(w.ctx, &apigatewayv2.CreateApiInput{Name: aws.String("shop"), ProtocolType: types.ProtocolTypeHttp, Tags: map[string]string{"a": "1"}})
	if err != nil {
		w.Fatal(err)
	}
	i, err := w.CreateIntegration(w.ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: a.ApiId, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: aws.String(function), PayloadFormatVersion: aws.String("2.0")})
	if err != nil {
		w.Fatal(err)
	}
	w.must(w.CreateRoute(w.ctx, &apigatewayv2.CreateRouteInput{ApiId: a.ApiId, RouteKey: aws.String("GET /a"), Target: aws.String("integrations/" + *i.IntegrationId)}))
	return a.ApiId
}

func TestApis(t *testing.T) {
	w := newWorld(t)
	id := w.api()
	got, err := w.GetApi(w.ctx, &apigatewayv2.GetApiInput{ApiId: id})
	if err != nil || *got.ApiEndpoint != "https://"+*id+".execute-api.us-east-1.amazonaws.com" || *got.RouteSelectionExpression != "$request.method $request.path" || got.Tags["a"] != "1" {
		t.Errorf("%+v, %v", got, err)
	}
	up, err := w.UpdateApi(w.ctx, &apigatewayv2.UpdateApiInput{ApiId: id, Description: aws.String("d"), CorsConfiguration: &types.Cors{AllowOrigins: []string{"*"}}})
	if err != nil || *up.Description != "d" || *up.Name != "shop" || up.CorsConfiguration.AllowOrigins[0] != "*" {
		t.Errorf("%+v, %v", up, err)
	}
	w.api()
	list, err := w.GetApis(w.ctx, &apigatewayv2.GetApisInput{MaxResults: aws.String("1")})
	if err != nil || len(list.Items) != 1 || list.NextToken == nil {
		t.Fatalf("%+v, %v", list, err)
	}
	rest, err := w.GetApis(w.ctx, &apigatewayv2.GetApisInput{NextToken: list.NextToken})
	if err != nil || len(rest.Items) != 1 || *rest.Items[0].ApiId == *list.Items[0].ApiId {
		t.Errorf("%+v, %v", rest, err)
	}
	w.must(w.DeleteApi(w.ctx, &apigatewayv2.DeleteApiInput{ApiId: id}))
	_, err = w.GetApi(w.ctx, &apigatewayv2.GetApiInput{ApiId: id})
	if gone := (*types.NotFoundException)(nil); !errors.As(err, &gone) {
		t.Errorf("after deleting: %v", err)
	}
}

func TestStagesAndDeployments(t *testing.T) {
	w := newWorld(t)
	id := w.api()
	w.must(w.CreateStage(w.ctx, &apigatewayv2.CreateStageInput{ApiId: id, StageName: aws.String("auto"), AutoDeploy: aws.Bool(true)}))
	w.must(w.CreateStage(w.ctx, &apigatewayv2.CreateStageInput{ApiId: id, StageName: aws.String("dev")}))
	first, ok := w.svc.Deployed(*id, "auto")
	if _, dev := w.svc.Deployed(*id, "dev"); !ok || dev {
		t.Fatalf("deployed: auto %v, dev %v", ok, dev)
	}
	d, err := w.CreateDeployment(w.ctx, &apigatewayv2.CreateDeploymentInput{ApiId: id, StageName: aws.String("dev")})
	if err != nil || d.DeploymentStatus != types.DeploymentStatusDeployed {
		t.Fatalf("%+v, %v", d, err)
	}
	routes, err := w.GetRoutes(w.ctx, &apigatewayv2.GetRoutesInput{ApiId: id})
	if err != nil {
		t.Fatal(err)
	}
	w.must(w.UpdateRoute(w.ctx, &apigatewayv2.UpdateRouteInput{ApiId: id, RouteId: routes.Items[0].RouteId, RouteKey: aws.String("GET /b")}))
	second, _ := w.svc.Deployed(*id, "auto")
	dev, _ := w.svc.Deployed(*id, "dev")
	if second.Deployment == first.Deployment || *second.API.Routes[*routes.Items[0].RouteId].RouteKey != "GET /b" || *dev.API.Routes[*routes.Items[0].RouteId].RouteKey != "GET /a" {
		t.Errorf("auto %v -> %v, dev %v", first, second, dev)
	}
	all, err := w.GetDeployments(w.ctx, &apigatewayv2.GetDeploymentsInput{ApiId: id})
	if err != nil || len(all.Items) != 2 {
		t.Errorf("%d deployments are kept, %v", len(all.Items), err)
	}
	_, err = w.DeleteDeployment(w.ctx, &apigatewayv2.DeleteDeploymentInput{ApiId: id, DeploymentId: d.DeploymentId})
	if err == nil || !strings.Contains(err.Error(), "Active stages") {
		t.Errorf("delete a served deployment: %v", err)
	}
	up, err := w.UpdateStage(w.ctx, &apigatewayv2.UpdateStageInput{ApiId: id, StageName: aws.String("dev"), StageVariables: map[string]string{"k": "v"}, AutoDeploy: aws.Bool(true)})
	if err != nil || up.StageVariables["k"] != "v" || *up.DeploymentId == *d.DeploymentId {
		t.Errorf("%+v, %v", up, err)
	}
	w.must(w.DeleteDeployment(w.ctx, &apigatewayv2.DeleteDeploymentInput{ApiId: id, DeploymentId: d.DeploymentId}))
}

func TestImportErrors(t *testing.T) {
	w := newWorld(t)
	for body, want := range map[string]string{
		`{"swagger":"2.0"}`:             "OpenAPI 3",
		`{"openapi":"3.0.1","info":{}}`: "no title",
		`{"openapi":"3.0.1","info":{"title":"x"},"paths":{"x":{"get":{}}}}`:       "not $default",
		`{"openapi":"3.0.1","info":{"title":"x"},"paths":{"/{a+}/b":{"get":{}}}}`: "greedy",
		`{`: "",
	} {
		if _, err := w.ImportApi(w.ctx, &apigatewayv2.ImportApiInput{Body: &body}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "BadRequestException") {
			t.Errorf("%s: %v, want …%s…", body, err, want)
		}
	}
	strict := `{"openapi":"3.0.1","info":{"title":"x"},"paths":{"/a":{"get":{}}}}`
	if _, err := w.ImportApi(w.ctx, &apigatewayv2.ImportApiInput{Body: &strict, FailOnWarnings: aws.Bool(true)}); err == nil {
		t.Error("warnings are let pass")
	}
	if list, err := w.GetApis(w.ctx, &apigatewayv2.GetApisInput{}); err != nil || len(list.Items) != 0 {
		t.Errorf("refused imports left %d APIs (%v)", len(list.Items), err)
	}
}
