package executeapi

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	restcontrol "evo/internal/cloud/apigateway"
	httpcontrol "evo/internal/cloud/apigatewayv2"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
)

// TestRestartFromDisk serves what was deployed before the store was closed and opened again.
func TestRestartFromDisk(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f:live"] = answers(`{"statusCode":200,"body":"hi"}`)
	dir := t.TempDir()
	open := func() (planes, *store.DB) {
		t.Helper()
		db, err := store.Open(dir, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		rest, err := restcontrol.New(restcontrol.Config{Region: "us-east-1", Store: db, Clock: clock.NewStepped(time.Unix(0, 0))})
		if err != nil {
			t.Fatal(err)
		}
		v2, err := httpcontrol.New(httpcontrol.Config{Region: "us-east-1", Store: db, Clock: clock.NewStepped(time.Unix(0, 0))})
		if err != nil {
			t.Fatal(err)
		}
		return planes{rest, v2}, db
	}
	p, db := open()
	rest, err := p.rest.ImportRestApi(w.ctx, &apigateway.ImportRestApiInput{Body: []byte(swagger(`"/a/{id}":{"get":` + operation("f:${stageVariables.alias}") + `,"options":` + samCORS + `}`))})
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{"alias": "live"}
	if _, err := p.rest.CreateDeployment(w.ctx, &apigateway.CreateDeploymentInput{RestApiId: rest.Id, StageName: aws.String("prod"), Variables: variables}); err != nil {
		t.Fatal(err)
	}
	v2, err := p.http.ImportApi(w.ctx, &apigatewayv2.ImportApiInput{Body: aws.String(openapi3(`"/b":{"get":` + operationV2("f:live", "2.0") + `}`))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.http.CreateStage(w.ctx, &apigatewayv2.CreateStageInput{ApiId: v2.ApiId, StageName: aws.String("$default"), AutoDeploy: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p, db = open()
	defer db.Close()
	w.gateway.cfg.APIs = p
	w.want(*rest.Id, "GET", "/prod/a/1", 200, "hi")
	w.want(*rest.Id, "OPTIONS", "/prod/a/1", 200, "{}\n")
	w.want(*v2.ApiId, "GET", "/b", 200, "hi")
}
