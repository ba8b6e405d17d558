package executeapi

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

func operationV2(function, format string) string {
	return `{"responses":{},"x-amazon-apigateway-integration":{"type":"aws_proxy","httpMethod":"POST","uri":"` + uri(function) + `","payloadFormatVersion":"` + format + `"}}`
}

func openapi3(paths string, more ...string) string {
	return `{"openapi":"3.0.1","info":{"title":"shop","version":"1.0"},"paths":{` + paths + `}` + strings.Join(append([]string{""}, more...), ",") + `}`
}

func TestHTTPRoutes(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"dog1", "dog", "pets", "any", "default"} {
		w.lambda.all[functionARN+name] = answers(`{"statusCode":200,"body":"` + name + `"}`)
	}
	paths := `"/pets/dog/1":{"get":` + operationV2("dog1", "2.0") + `},
		"/pets/dog/{id}":{"get":` + operationV2("dog", "2.0") + `},
		"/pets/{proxy+}":{"get":` + operationV2("pets", "2.0") + `},
		"/{proxy+}":{"x-amazon-apigateway-any-method":` + operationV2("any", "2.0") + `}`
	fallback := `,"/$default":{"x-amazon-apigateway-any-method":` + strings.Replace(operationV2("default", "2.0"), "{", `{"isDefaultRoute":true,`, 1) + `}`
	id := w.importHTTP(openapi3(paths + fallback))
	for path, want := range map[string]string{
		"GET /pets/dog/1": "dog1", "GET /pets/dog/2": "dog", "GET /pets/cat/1": "pets", "POST /pets/dog/5": "any", "GET /": "default", "PUT /x": "any",
	} {
		method, path, _ := strings.Cut(path, " ")
		w.want(id, method, path, 200, want)
	}
	_, err := w.http.ReimportApi(w.ctx, &apigatewayv2.ReimportApiInput{ApiId: &id, Body: aws.String(openapi3(`"/pets/{id}":{"get":` + operationV2("pets", "2.0") + `}`))})
	if err != nil {
		t.Fatal(err)
	}
	w.want(id, "GET", "/pets/1", 200, "pets") // deployed by itself
	w.want(id, "GET", "/pets/1/x", 404, `{"message":"Not Found"}`)
	w.want(id, "POST", "/pets/1", 404, `{"message":"Not Found"}`)
	w.want("elsewhere", "GET", "/_aws/execute-api/"+id+"/pets/1", 200, "pets")
}

func TestHTTPEvents(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`{"statusCode":200}`)
	id := w.importHTTP(openapi3(`"/v2/{id}":{"post":` + operationV2("f", "2.0") + `},"/v1/{id}":{"post":` + operationV2("f", "1.0") + `}`))
	headers := []string{"Content-Type", "application/json", "X-Multi", "1", "X-Multi", "2", "Cookie", "a=b; c=d", "Cookie", "e=f"}
	for _, version := range []string{"v1", "v2"} {
		if got := w.call(id, "POST", "/"+version+"/a%20b?q=1&q=x+y&r=%26", `{"x":1}`, headers...); got.StatusCode != 200 || got.Header.Get("Apigw-Requestid") == "" {
			t.Errorf("%s: %d %v", version, got.StatusCode, got.Header)
		}
		golden(t, "http_event_"+version+".json", w.lambda.event)
	}
	w.call(id, "POST", "/v2/1", "a=b", "Content-Type", "application/x-www-form-urlencoded")
	if event := string(w.lambda.event); !strings.Contains(event, `"body":"YT1i","isBase64Encoded":true`) {
		t.Errorf("a form: %s", event)
	}
}

func TestHTTPStages(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f:live"] = answers(`"live"`)
	id := w.importHTTP(openapi3(`"/x":{"get":` + operationV2("f:${stageVariables.alias}", "2.0") + `}`))
	_, err := w.http.CreateStage(w.ctx, &apigatewayv2.CreateStageInput{ApiId: &id, StageName: aws.String("dev"), StageVariables: map[string]string{"alias": "live"}})
	if err != nil {
		t.Fatal(err)
	}
	w.want(id, "GET", "/dev/x", 404, `{"message":"Not Found"}`) // not deployed: $default has no such route
	if _, err := w.http.CreateDeployment(w.ctx, &apigatewayv2.CreateDeploymentInput{ApiId: &id, StageName: aws.String("dev")}); err != nil {
		t.Fatal(err)
	}
	w.want(id, "GET", "/dev/x", 200, "live")
	if event := string(w.lambda.event); !strings.Contains(event, `"rawPath":"/dev/x"`) || !strings.Contains(event, `"stage":"dev"`) {
		t.Errorf("event %s", event)
	}
}

func TestHTTPAnswers(t *testing.T) {
	w := newWorld(t)
	id := w.importHTTP(openapi3(`"/2":{"get":` + operationV2("f", "2.0") + `},"/1":{"get":` + operationV2("f", "1.0") + `}`))
	const broken = `{"message":"Internal Server Error"}`
	for _, tt := range []struct {
		path, answer string
		status       int
		body, media  string
	}{
		{"/2", `"Hello from Lambda!"`, 200, "Hello from Lambda!", "application/json"},
		{"/2", `{"message":"Hello"}`, 200, `{"message":"Hello"}`, "application/json"},
		{"/2", `[1,2]`, 200, `[1,2]`, "application/json"},
		{"/2", `{"statusCode":201,"headers":{"Content-Type":"text/html"},"body":"<p>"}`, 201, "<p>", "text/html"},
		{"/2", `{"statusCode":200,"body":"x"}`, 200, "x", "text/plain;charset=UTF-8"},
		{"/2", `{"statusCode":200,"body":"AAE=","isBase64Encoded":true}`, 200, "\x00\x01", "text/plain;charset=UTF-8"},
		{"/2", `{"statusCode":"bad"}`, 500, broken, "application/json"},
		{"/1", `{"statusCode":200,"body":"x","multiValueHeaders":{"content-type":["a/b"]}}`, 200, "x", "a/b"},
		{"/1", `{"message":"Hello"}`, 500, broken, "application/json"},
	} {
		w.lambda.all[functionARN+"f"] = answers(tt.answer)
		got := w.call(id, "GET", tt.path, "")
		if body := read(t, got); got.StatusCode != tt.status || body != tt.body || got.Header.Get("Content-Type") != tt.media {
			t.Errorf("%s %s: %d %s %s, want %d %s %s", tt.path, tt.answer, got.StatusCode, body, got.Header.Get("Content-Type"), tt.status, tt.body, tt.media)
		}
	}
	w.lambda.all[functionARN+"f"] = answers(`{"statusCode":200,"cookies":["a=1; Secure","b=2"]}`)
	if got := w.call(id, "GET", "/2", "").Header.Values("Set-Cookie"); strings.Join(got, "|") != "a=1; Secure|b=2" {
		t.Errorf("cookies %q", got)
	}
	w.lambda.all[functionARN+"f"] = func(context.Context, []byte) (string, string) { return `{}`, "Unhandled" }
	w.want(id, "GET", "/2", 500, broken)
}

func TestHTTPTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.lambda.all[functionARN+"f"] = func(ctx context.Context, _ []byte) (string, string) { <-ctx.Done(); return "", "" }
		id := w.importHTTP(openapi3(`"/":{"get":` + operationV2("f", "2.0") + `}`))
		began := time.Now()
		w.want(id, "GET", "/", 503, `{"message":"Service Unavailable"}`)
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("gave up after %s", took)
		}
	})
}

func TestHTTPCORS(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"https://own"}}`)
	id := w.importHTTP(openapi3(`"/":{"get":`+operationV2("f", "2.0")+`}`,
		`"x-amazon-apigateway-cors":{"allowOrigins":["https://a.example","https://b.*"],"allowMethods":["GET","POST"],"allowHeaders":["x-a"],"exposeHeaders":["x-b"],"maxAge":60,"allowCredentials":true}`))
	pre := w.call(id, "OPTIONS", "/any", "", "Origin", "https://a.example", "Access-Control-Request-Method", "GET")
	if h := pre.Header; pre.StatusCode != 204 || h.Get("Access-Control-Allow-Origin") != "https://a.example" || h.Get("Access-Control-Allow-Methods") != "GET,POST" ||
		h.Get("Access-Control-Allow-Headers") != "x-a" || h.Get("Access-Control-Max-Age") != "60" || h.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("preflight: %d %v", pre.StatusCode, pre.Header)
	}
	if got := w.call(id, "OPTIONS", "/", "", "Origin", "https://evil", "Access-Control-Request-Method", "GET"); got.StatusCode != 204 || got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a foreign origin: %v", got.Header)
	}
	if got := w.call(id, "GET", "/", "", "Origin", "https://b.example"); got.Header.Get("Access-Control-Allow-Origin") != "https://b.example" || got.Header.Get("Access-Control-Expose-Headers") != "x-b" {
		t.Errorf("a request: %v", got.Header)
	}
}

func TestHTTPQuickCreate(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`"hi"`)
	out, err := w.http.CreateApi(w.ctx, &apigatewayv2.CreateApiInput{Name: aws.String("q"), ProtocolType: types.ProtocolTypeHttp, Target: aws.String(functionARN + "f")})
	if err != nil {
		t.Fatal(err)
	}
	w.want(*out.ApiId, "DELETE", "/what/ever", 200, "hi")
	if _, err := w.http.CreateApi(w.ctx, &apigatewayv2.CreateApiInput{Name: aws.String("ws"), ProtocolType: types.ProtocolTypeWebsocket}); err == nil || !strings.Contains(err.Error(), "WEBSOCKET are not there") {
		t.Errorf("a WebSocket API: %v", err)
	}
}

func TestHTTPByHand(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`"hi"`)
	api, err := w.http.CreateApi(w.ctx, &apigatewayv2.CreateApiInput{Name: aws.String("h"), ProtocolType: types.ProtocolTypeHttp})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.http.CreateStage(w.ctx, &apigatewayv2.CreateStageInput{ApiId: api.ApiId, StageName: aws.String("$default"), AutoDeploy: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	i, err := w.http.CreateIntegration(w.ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: api.ApiId, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: aws.String(functionARN + "f"), PayloadFormatVersion: aws.String("2.0")})
	if err != nil {
		t.Fatal(err)
	}
	for key, ok := range map[string]bool{"GET /a": true, "get /a": false, "/a": false, "GET /{x+}/b": false} {
		_, err := w.http.CreateRoute(w.ctx, &apigatewayv2.CreateRouteInput{ApiId: api.ApiId, RouteKey: &key, Target: aws.String("integrations/" + *i.IntegrationId)})
		if (err == nil) != ok {
			t.Errorf("route %q: %v", key, err)
		}
	}
	w.want(*api.ApiId, "GET", "/a", 200, "hi")
	if _, err := w.http.DeleteIntegration(w.ctx, &apigatewayv2.DeleteIntegrationInput{ApiId: api.ApiId, IntegrationId: i.IntegrationId}); err == nil {
		t.Error("an integration in use was deleted")
	}
}

func TestHTTPAuthorizerIsNotPretended(t *testing.T) {
	w := newWorld(t)
	id := w.importHTTP(openapi3(`"/":{"get":`+strings.Replace(operationV2("f", "2.0"), "{", `{"security":[{"jwt":["s"]}],`, 1)+`}`,
		`"components":{"securitySchemes":{"jwt":{"type":"oauth2","x-amazon-apigateway-authorizer":{"type":"jwt","jwtConfiguration":{"issuer":"https://i","audience":["a"]},"identitySource":"$request.header.Authorization"}}}}`))
	got := w.call(id, "GET", "/", "")
	if body := read(t, got); got.StatusCode != 500 || !strings.Contains(body, "(JWT) is not there") {
		t.Errorf("%d %s", got.StatusCode, body)
	}
}
