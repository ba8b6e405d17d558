package executeapi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withRole makes an integration that invokes its function by a role.
func withRole(operation string) string {
	return strings.Replace(operation, `"type":"aws_proxy"`, `"type":"aws_proxy","credentials":"arn:aws:iam::000000000000:role/caller"`, 1)
}

// A function's policy must let the API invoke it, for the route by its own path or by the request's; a role needs no policy.
func TestPermissionIsNeeded(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`{"statusCode":200,"body":"in"}`)
	rest := w.importREST(swagger(`"/items/{id}":{"get":` + operation("f") + `},"/role":{"get":` + withRole(operation("f")) + `}`))
	http := w.importHTTP(openapi3(`"/items/{id}":{"get":` + operationV2("f", "2.0") + `},"/role":{"get":` + withRole(operationV2("f", "2.0")) + `},
		"/$default":{"x-amazon-apigateway-any-method":` + strings.Replace(operationV2("f", "2.0"), "{", `{"isDefaultRoute":true,`, 1) + `}`))
	api := func(id string) string { return "arn:aws:execute-api:us-east-1:000000000000:" + id }
	for _, denied := range []bool{false, true} {
		w.lambda.denied, w.lambda.asked, w.lambda.calls, w.logs = denied, nil, nil, nil
		status, restBody, httpBody, calls := 200, "in", "in", 5
		if denied {
			status, restBody, httpBody, calls = 500, `{"message":"Internal server error"}`, `{"message":"Internal Server Error"}`, 2
		}
		w.want(rest, "GET", "/prod/items/7", status, restBody)
		w.want(http, "GET", "/items/7", status, httpBody)
		w.want(http, "PUT", "/else", status, httpBody)
		w.want(rest, "GET", "/prod/role", 200, "in")
		w.want(http, "GET", "/role", 200, "in")
		want := [][]string{
			{api(rest) + "/prod/GET/items/{id}", api(rest) + "/prod/GET/items/7"},
			{api(http) + "/$default/GET/items/{id}", api(http) + "/$default/GET/items/7"},
			{api(http) + "/$default/$default", api(http) + "/$default/PUT/else"},
		}
		if diff := cmp.Diff(want, w.lambda.asked); diff != "" {
			t.Errorf("permissions were looked for by (-want +got):\n%s", diff)
		}
		if len(w.lambda.calls) != calls {
			t.Errorf("denied: %v, and %d calls of the function", denied, len(w.lambda.calls))
		}
		if log := strings.Join(w.logs, "\n"); denied != strings.Contains(log, "an AWS::Lambda::Permission is missing") {
			t.Errorf("denied: %v, and the log says %q", denied, log)
		}
	}
}

// An authorizer's function is invoked for the authorizer.
func TestAuthorizerNeedsPermission(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`{"body":"in"}`)
	w.lambda.all[functionARN+"auth"] = answers(policy)
	w.lambda.denied = true
	id := w.secured(`{"type":"token","authorizerUri":"` + uri("auth") + `"}`)
	w.want(id, "GET", "/prod/items/7", 500, `{"message":"Internal server error"}`, "Authorization", "good")
	prefix := "arn:aws:execute-api:us-east-1:000000000000:" + id + "/authorizers/"
	if asked := w.lambda.asked; len(asked) != 1 || len(asked[0]) != 1 || !strings.HasPrefix(asked[0][0], prefix) || asked[0][0] == prefix {
		t.Errorf("a permission was looked for by %q", asked)
	}
	w.lambda.denied = false
	w.want(id, "GET", "/prod/items/7", 200, "in", "Authorization", "good")
}
