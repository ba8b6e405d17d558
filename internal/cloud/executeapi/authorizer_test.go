package executeapi

import (
	"context"
	"strings"
	"testing"
)

// secured makes a REST API with one method behind an authorizer.
func (w *world) secured(authorizer string) string {
	w.Helper()
	return w.importREST(swagger(`"/items/{id}":{"x-amazon-apigateway-any-method":`+strings.Replace(operation("f"), `{"responses"`, `{"security":[{"auth":[]}],"responses"`, 1)+`}`,
		`"securityDefinitions":{"auth":{"type":"apiKey","name":"Authorization","in":"header","x-amazon-apigateway-authtype":"custom","x-amazon-apigateway-authorizer":`+authorizer+`}}`))
}

const policy = `{"principalId":"ann","context":{"n":1,"b":true,"s":"x"},"policyDocument":{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:000000000000:*/prod/GET/items/*"},
	{"Effect":"Deny","Action":"execute-api:*","Resource":["*/items/9"]}]}}`

func TestTokenAuthorizer(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`{"body":"in"}`)
	var asked []string
	w.lambda.all[functionARN+"auth"] = func(_ context.Context, event []byte) (string, string) {
		asked = append(asked, string(event))
		switch {
		case strings.Contains(string(event), `"bad"`):
			return `{"errorMessage":"Unauthorized"}`, "Unhandled"
		case strings.Contains(string(event), `"crash"`):
			return `{"errorMessage":"oops"}`, "Unhandled"
		case strings.Contains(string(event), `"odd"`):
			return `{"principalId":"x"}`, ""
		}
		return policy, ""
	}
	id := w.secured(`{"type":"token","authorizerUri":"` + uri("auth") + `","identityValidationExpression":"[a-z]+"}`)
	const unauthorized, internal = `{"message":"Unauthorized"}`, `{"message":"Internal server error"}`
	w.want(id, "GET", "/prod/items/7", 401, unauthorized)
	w.want(id, "GET", "/prod/items/7", 401, unauthorized, "Authorization", "123")
	if len(asked) > 0 {
		t.Errorf("asked without need: %q", asked)
	}
	w.want(id, "GET", "/prod/items/7", 401, unauthorized, "Authorization", "bad")
	w.want(id, "GET", "/prod/items/7", 500, internal, "Authorization", "crash")
	w.want(id, "GET", "/prod/items/7", 500, internal, "Authorization", "odd")
	asked = nil
	w.want(id, "GET", "/prod/items/7", 200, "in", "Authorization", "good")
	if event := string(w.lambda.event); !strings.Contains(event, `"authorizer":{"b":"true","n":"1","s":"x","principalId":"ann"}`) {
		t.Errorf("event %s", event)
	}
	w.want(id, "GET", "/prod/items/9", 403, `{"message":"User is not authorized to access this resource with an explicit deny"}`, "Authorization", "good")
	w.want(id, "POST", "/prod/items/7", 403, `{"message":"User is not authorized to access this resource"}`, "Authorization", "good")
	want := `{"type":"TOKEN","methodArn":"arn:aws:execute-api:us-east-1:000000000000:` + id + `/prod/GET/items/7","authorizationToken":"good"}`
	if len(asked) != 1 || asked[0] != want {
		t.Errorf("asked %q, want once %s", asked, want)
	}
}

func TestRequestAuthorizer(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`{"body":"in"}`)
	var event string
	calls := 0
	w.lambda.all[functionARN+"auth"] = func(_ context.Context, e []byte) (string, string) {
		event = string(e)
		calls++
		return policy, ""
	}
	id := w.secured(`{"type":"request","authorizerUri":"` + uri("auth") + `","identitySource":"method.request.header.X-Who, method.request.querystring.q","authorizerResultTtlInSeconds":0}`)
	w.want(id, "GET", "/prod/items/7?q=1", 401, `{"message":"Unauthorized"}`)
	for range 2 {
		w.want(id, "GET", "/prod/items/7?q=1", 200, "in", "X-Who", "ann")
	}
	if calls != 2 || !strings.Contains(event, `"type":"REQUEST"`) || !strings.Contains(event, `"X-Who":"ann"`) || !strings.Contains(event, `"pathParameters":{"id":"7"}`) {
		t.Errorf("%d calls, event %s", calls, event)
	}
}

func TestHTTPAuthorizer(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`"in"`)
	var event string
	w.lambda.all[functionARN+"auth"] = func(_ context.Context, e []byte) (string, string) {
		event = string(e)
		return `{"isAuthorized":` + map[bool]string{true: "true", false: "false"}[strings.Contains(event, "good")] + `,"context":{"n":1}}`, ""
	}
	id := w.importHTTP(openapi3(`"/a":{"get":`+strings.Replace(operationV2("f", "2.0"), "{", `{"security":[{"auth":[]}],`, 1)+`}`,
		`"components":{"securitySchemes":{"auth":{"type":"apiKey","name":"Authorization","in":"header","x-amazon-apigateway-authorizer":{"type":"request","authorizerUri":"`+uri("auth")+`","authorizerPayloadFormatVersion":2.0,"enableSimpleResponses":true,"identitySource":"$request.header.Authorization"}}}}`))
	w.want(id, "GET", "/a", 401, `{"message":"Unauthorized"}`)
	w.want(id, "GET", "/a", 403, `{"message":"Forbidden"}`, "Authorization", "bad")
	w.want(id, "GET", "/a", 200, "in", "Authorization", "good")
	if !strings.Contains(event, `"version":"2.0","type":"REQUEST","routeArn":"arn:aws:execute-api:us-east-1:000000000000:`+id+`/$default/GET/a","identitySource":["good"],"routeKey":"GET /a"`) {
		t.Errorf("the authorizer saw %s", event)
	}
	if got := string(w.lambda.event); !strings.Contains(got, `"authorizer":{"lambda":{"n":1}}`) {
		t.Errorf("the function saw %s", got)
	}
}
