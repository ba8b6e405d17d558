package executeapi

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

const functionARN = "arn:aws:lambda:us-east-1:000000000000:function:"

func uri(function string) string {
	return "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + functionARN + function + "/invocations"
}

// operation is a method as SAM writes it.
func operation(function string) string {
	return `{"responses":{},"x-amazon-apigateway-integration":{"type":"aws_proxy","httpMethod":"POST","uri":"` + uri(function) + `"}}`
}

// swagger is an API as SAM writes it.
func swagger(paths string, more ...string) string {
	return `{"swagger":"2.0","info":{"title":"shop","version":"1.0"},"paths":{` + paths + `}` + strings.Join(append([]string{""}, more...), ",") + `}`
}

func TestRESTRoutes(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"root", "list", "item", "special", "rest", "any", "deep"} {
		w.lambda.all[functionARN+name] = answers(`{"body":"` + name + `"}`)
	}
	id := w.importREST(swagger(`"/":{"get":` + operation("root") + `},
		"/items":{"get":` + operation("list") + `},
		"/items/{id}":{"get":` + operation("item") + `,"x-amazon-apigateway-any-method":` + operation("any") + `},
		"/items/special":{"get":` + operation("special") + `},
		"/items/{id}/a/b":{"get":` + operation("deep") + `},
		"/files/{proxy+}":{"x-amazon-apigateway-any-method":` + operation("rest") + `}`))
	const missing = `{"message":"Missing Authentication Token"}`
	for _, tt := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/prod", 200, "root"}, {"GET", "/prod/", 200, "root"}, {"GET", "//prod//items", 200, "list"}, {"GET", "/prod/items/", 200, "list"},
		{"GET", "/prod/items/7", 200, "item"}, {"PUT", "/prod/items/7", 200, "any"}, {"GET", "/prod/items/special", 200, "special"},
		{"GET", "/prod/items/special/a/b", 200, "deep"}, {"DELETE", "/prod/files/a//b/c", 200, "rest"},
		{"POST", "/prod/items", 403, missing}, {"GET", "/prod/files", 403, missing}, {"GET", "/prod/items/7/a", 403, missing}, {"GET", "/prod/nothing", 403, missing},
		{"GET", "/test/items", 403, `{"message":"Forbidden"}`},
	} {
		w.want(id, tt.method, tt.path, tt.status, tt.body)
	}
	got := w.call(id, "GET", "/prod/nothing", "")
	if got.Header.Get("X-Amzn-Errortype") != "MissingAuthenticationTokenException" || got.Header.Get("X-Amzn-Requestid") == "" || got.Header.Get("X-Amz-Apigw-Id") == "" {
		t.Errorf("headers %v", got.Header)
	}
	w.want("elsewhere", "GET", "/_aws/execute-api/"+id+"/prod/items/7", 200, "item")
}

func TestRESTEvent(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f:live"] = answers(`{"statusCode":201}`)
	id := w.importREST(swagger(`"/shops/{shop}/{proxy+}":{"post":` + operation("f:live") + `}`))
	got := w.call(id, "POST", "/prod/shops/7%2B1/a%20b/c/?q=1&q=x+y&r=%26&z", "h\u00e9\"\n", "Content-Type", "application/json;charset=utf-8", "X-Multi", "1", "X-Multi", "2", "Cookie", "a=b")
	if got.StatusCode != 201 || read(t, got) != "" || got.Header.Get("Content-Type") != "application/json" || got.Header.Get("X-Amzn-Trace-Id") == "" {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
	golden(t, "rest_event.json", w.lambda.event)
}

func TestRESTProxyAnswers(t *testing.T) {
	w := newWorld(t)
	id := w.importREST(swagger(`"/":{"get":` + operation("f") + `}`))
	const broken = `{"message":"Internal server error"}`
	for answer, want := range map[string]struct {
		status  int
		body    string
		headers string // "name: value", which must be there
	}{
		`{"statusCode":200,"body":null}`:                        {200, "", "Content-Type: application/json"},
		`{"statusCode":"404","body":"no"}`:                      {404, "no", ""},
		`{"body":"x","headers":{"A":"1","B":true,"C":2}}`:       {200, "x", "B: true"},
		`{"headers":null}`:                                      {200, "", ""},
		`{"statusCode":200,"body":5}`:                           {200, "5", ""},
		`{"multiValueHeaders":{"M":["1"]},"headers":{"m":"2"}}`: {200, "", "M: 1, 2"},
		`{"multiValueHeaders":{"M":["1"]},"headers":{"m":"1"}}`: {200, "", "M: 1"},
		`{"isBase64Encoded":true,"body":"dGVzdA=="}`:            {200, "dGVzdA==", ""},
		`{"headers":{"content-type":"text/html"},"body":"<p>"}`: {200, "<p>", "Content-Type: text/html"},
		`{"headers":{"Date":"today"}}`:                          {200, "", "X-Amzn-Remapped-Date: today"},
		`{"statusCode":200,"wrong":1}`:                          {502, broken, "X-Amzn-Errortype: InternalServerErrorException"},
		`{"statusCode":"ok"}`:                                   {502, broken, ""},
		`{"statusCode":20}`:                                     {502, broken, ""},
		`{"statusCode":200,"body":{"a":1}}`:                     {502, broken, ""},
		`{"multiValueHeaders":{"M":"1"}}`:                       {502, broken, ""},
		`"just text"`:                                           {502, broken, ""},
		`null`:                                                  {502, broken, ""},
		``:                                                      {502, broken, ""},
	} {
		w.lambda.all[functionARN+"f"] = answers(answer)
		got := w.call(id, "GET", "/prod", "")
		if body := read(t, got); got.StatusCode != want.status || body != want.body {
			t.Errorf("%s: %d %s, want %d %s", answer, got.StatusCode, body, want.status, want.body)
		}
		if name, value, ok := strings.Cut(want.headers, ": "); ok && strings.Join(got.Header.Values(name), ", ") != value {
			t.Errorf("%s: header %s is %q, want %q", answer, name, got.Header.Values(name), value)
		}
	}
	w.lambda.all[functionARN+"f"] = func(context.Context, []byte) (string, string) { return `{"errorMessage":"x"}`, "Unhandled" }
	w.want(id, "GET", "/prod", 502, broken)
	delete(w.lambda.all, functionARN+"f")
	w.want(id, "GET", "/prod", 500, broken)
}

func TestRESTTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.lambda.all[functionARN+"f"] = func(ctx context.Context, _ []byte) (string, string) {
			<-ctx.Done()
			return "", ""
		}
		id := w.importREST(swagger(`"/":{"get":` + operation("f") + `}`))
		began := time.Now()
		w.want(id, "GET", "/prod", 504, `{"message":"Endpoint request timed out"}`)
		if took := time.Since(began); took != 29*time.Second {
			t.Errorf("gave up after %s", took)
		}
	})
}

func TestRESTBinary(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`{"isBase64Encoded":true,"body":"` + base64.StdEncoding.EncodeToString([]byte{0, 1, 255}) + `"}`)
	id := w.importREST(swagger(`"/":{"post":`+operation("f")+`}`, `"x-amazon-apigateway-binary-media-types":["image/png"]`))
	got := w.call(id, "POST", "/prod", "\x00\xff", "Content-Type", "image/png", "Accept", "image/png, */*")
	if body := read(t, got); body != "\x00\x01\xff" {
		t.Errorf("body %q", body)
	}
	if event := string(w.lambda.event); !strings.Contains(event, `"body":"AP8=","isBase64Encoded":true`) {
		t.Errorf("event %s", event)
	}
	w.want(id, "POST", "/prod", 200, "AAH/") // the client does not accept it
}

func TestRESTTooLarge(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`{}`)
	id := w.importREST(swagger(`"/":{"post":` + operation("f") + `}`))
	got := w.call(id, "POST", "/prod", strings.Repeat("x", maxBody+1))
	if body := read(t, got); got.StatusCode != 413 || body != `{"message":"Request Too Long"}` {
		t.Errorf("%d %s", got.StatusCode, body)
	}
}

// A client that sends all before it reads must not find its connection broken, but the answer.
func TestTooLargeOverAConnection(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`{}`)
	id := w.importREST(swagger(`"/":{"post":` + operation("f") + `}`))
	server := httptest.NewServer(w.gateway)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const size = maxBody + 4<<20
	fmt.Fprintf(conn, "POST /prod HTTP/1.1\r\nHost: %s.execute-api.localhost\r\nContent-Length: %d\r\n\r\n", id, size)
	if _, err := conn.Write(make([]byte, size)); err != nil {
		t.Fatalf("send the body: %v", err)
	}
	got, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	if body := read(t, got); got.StatusCode != 413 || body != `{"message":"Request Too Long"}` {
		t.Errorf("%d %s", got.StatusCode, body)
	}
}

// samCORS is the OPTIONS method that SAM adds for Cors: "'*'".
const samCORS = `{"summary":"CORS support","consumes":["application/json"],"produces":["application/json"],
	"x-amazon-apigateway-integration":{"type":"mock","requestTemplates":{"application/json":"{\n  \"statusCode\" : 200\n}\n"},
		"responses":{"default":{"statusCode":"200","responseParameters":{"method.response.header.Access-Control-Allow-Origin":"'*'","method.response.header.Access-Control-Allow-Methods":"'GET,OPTIONS'"},
			"responseTemplates":{"application/json":"{}\n"}}}},
	"responses":{"200":{"description":"Default response for CORS method","headers":{"Access-Control-Allow-Origin":{"type":"string"}}}}}`

func TestRESTMock(t *testing.T) {
	w := newWorld(t)
	id := w.importREST(swagger(`"/":{"options":` + samCORS + `},"/old":{"get":` + strings.ReplaceAll(samCORS, `{\n  \"statusCode\" : 200\n}\n`, `{statusCode:200}`) + `}`))
	for _, path := range []string{"/prod", "/prod/old"} {
		method := map[string]string{"/prod": "OPTIONS", "/prod/old": "GET"}[path]
		got := w.call(id, method, path, "")
		if body := read(t, got); got.StatusCode != 200 || body != "{}\n" || got.Header.Get("Access-Control-Allow-Origin") != "*" || got.Header.Get("Access-Control-Allow-Methods") != "GET,OPTIONS" {
			t.Errorf("%s: %d %q %v %q", path, got.StatusCode, body, got.Header, w.logs)
		}
	}
}

func TestRESTCustomIntegration(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = func(_ context.Context, event []byte) (string, string) {
		if strings.Contains(string(event), "boom") {
			return `{"errorMessage":"Error: four hundred","errorType":"Exception"}`, "Unhandled"
		}
		return `{"echo":` + string(event) + `}`, ""
	}
	id := w.importREST(swagger(`"/things/{id}":{"post":{"responses":{"200":{},"400":{}},"x-amazon-apigateway-integration":{
		"type":"aws","httpMethod":"POST","uri":"` + uri("f") + `","passthroughBehavior":"never",
		"requestTemplates":{"application/json":"{\"id\":\"$input.params('id')\",\"q\":\"$util.escapeJavaScript($input.params('q'))\",\"name\":$input.json('$.name'),\"stage\":\"$context.stage\",\"all\":[#foreach($k in $input.params().querystring.keySet())\"$k\"#if($foreach.hasNext),#end#end]}"},
		"responses":{
			"default":{"statusCode":"201","responseTemplates":{"application/json":"#set($r = $input.path('$.echo'))$r.name is $r"},"responseParameters":{"method.response.header.X-Id":"integration.response.body.echo.id","method.response.header.X-Fixed":"'yes'"}},
			".*four.*":{"statusCode":"400","responseTemplates":{"application/json":"#set($context.responseOverride.status = 418){\"why\":\"$input.path('$.errorMessage')\"}"}}}}}}`))
	post := func(body string, headers ...string) (*http.Response, string) {
		got := w.call(id, "POST", "/prod/things/7?q=a%22b&r=1", body, headers...)
		return got, read(t, got)
	}
	got, body := post(`{"name":"Ann"}`)
	if got.StatusCode != 201 || body != `Ann is {id=7, q=a"b, name=Ann, stage=prod, all=["q","r"]}` || got.Header.Get("X-Id") != "7" || got.Header.Get("X-Fixed") != "yes" {
		t.Errorf("%d %s %v %q", got.StatusCode, body, got.Header, w.logs)
	}
	if got, body := post(`{"name":"boom"}`); got.StatusCode != 418 || body != `{"why":"Error: four hundred"}` {
		t.Errorf("%d %s", got.StatusCode, body)
	}
	if got, body := post(`x`, "Content-Type", "text/plain"); got.StatusCode != 415 || body != `{"message":"Unsupported Media Type"}` {
		t.Errorf("%d %s", got.StatusCode, body)
	}
}

// TestInputFormatting holds $input.path's ways of writing values against AWS's.
func TestInputFormatting(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":{"foo":"bar"}}`:                                     `{foo=bar}`,
		`{"a":[{"foo":"bar"}]}`:                                   `[{"foo":"bar"}]`,
		`{"a":{"foo":[{"nested":"bar"}]}}`:                        `{foo=[{"nested":"bar"}]}`,
		`{"a":{"bigger":"dict","to":"test","with":"separators"}}`: `{bigger=dict, to=test, with=separators}`,
		``:         ``,
		`{"a":[]}`: `[]`,
	} {
		in := &inputVar{text: body}
		v, err := in.Call("path", []any{"$.a"})
		if err != nil {
			t.Fatal(err)
		}
		x := &restExchange{exchange: new(exchange)}
		got, err := x.render("$v", map[string]any{"v": v})
		if err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", body, got, err, want)
		}
	}
}

func TestGatewayResponses(t *testing.T) {
	w := newWorld(t)
	id := w.importREST(swagger(`"/":{"get":`+operation("f")+`}`, `"x-amazon-apigateway-gateway-responses":{
		"MISSING_AUTHENTICATION_TOKEN":{"statusCode":404,"responseParameters":{"gatewayresponse.header.Access-Control-Allow-Origin":"'*'","gatewayresponse.header.X-Q":"method.request.querystring.q"},
			"responseTemplates":{"application/json":"{\"m\":$context.error.messageString,\"type\":\"$context.error.responseType\",\"stage\":\"$context.stage\"}"}},
		"DEFAULT_5XX":{"responseParameters":{"gatewayresponse.header.X-Five":"'5'"}}}`))
	w.want(id, "GET", "/prod/nothing", 404, `{"m":"Missing Authentication Token","type":"MISSING_AUTHENTICATION_TOKEN","stage":"prod"}`)
	if got := w.call(id, "GET", "/prod/nothing", ""); got.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("headers %v", got.Header)
	}
	w.lambda.all[functionARN+"f"] = answers(`"x"`)
	if got := w.call(id, "GET", "/prod", ""); got.StatusCode != 502 || got.Header.Get("X-Five") != "5" || read(t, got) != `{"message":"Internal server error"}` {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
}

func TestStageVariablesAndDeployments(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f:live"] = answers(`{"body":"live"}`)
	w.lambda.all[functionARN+"f:next"] = answers(`{"body":"next"}`)
	id := w.importREST(swagger(`"/":{"get":` + operation("f:${stageVariables.alias}") + `}`))
	set := func(alias string) {
		_, err := w.rest.UpdateStage(w.ctx, &apigateway.UpdateStageInput{RestApiId: &id, StageName: aws.String("prod"), PatchOperations: []types.PatchOperation{
			{Op: types.OpReplace, Path: aws.String("/variables/alias"), Value: &alias}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	set("live")
	w.want(id, "GET", "/prod", 200, "live")
	set("next")
	w.want(id, "GET", "/prod", 200, "next")

	// A change of the API is not served until it is deployed.
	w.lambda.all[functionARN+"g"] = answers(`{"body":"g"}`)
	if _, err := w.rest.PutRestApi(w.ctx, &apigateway.PutRestApiInput{RestApiId: &id, Mode: types.PutModeOverwrite, Body: []byte(swagger(`"/":{"get":` + operation("g") + `}`))}); err != nil {
		t.Fatal(err)
	}
	w.want(id, "GET", "/prod", 200, "next")
	w.deployREST(id)
	w.want(id, "GET", "/prod", 200, "g")
}

func TestRESTAuthorizerIsNotPretended(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`{}`)
	id := w.importREST(swagger(`"/":{"get":`+strings.Replace(operation("f"), `{"responses"`, `{"security":[{"auth":[]}],"responses"`, 1)+`}`,
		`"securityDefinitions":{"auth":{"type":"apiKey","name":"Authorization","in":"header","x-amazon-apigateway-authtype":"cognito_user_pools","x-amazon-apigateway-authorizer":{"type":"cognito_user_pools","providerARNs":["x"]}}}`))
	got := w.call(id, "GET", "/prod", "")
	if body := read(t, got); got.StatusCode != 500 || !strings.Contains(body, "the authorizer auth (COGNITO_USER_POOLS) is not there") || len(w.lambda.calls) > 0 {
		t.Errorf("%d %s %v", got.StatusCode, body, w.lambda.calls)
	}
}

func TestRESTMetrics(t *testing.T) {
	w := newWorld(t)
	w.lambda.all[functionARN+"f"] = answers(`{}`)
	id := w.importREST(swagger(`"/":{"get":` + operation("f") + `}`))
	w.call(id, "GET", "/prod", "")
	w.call(id, "GET", "/prod/x", "")
	w.lambda.all[functionARN+"f"] = answers(``)
	w.call(id, "GET", "/prod", "")
	for key, want := range map[string]float64{
		"Count ApiName=shop": 3, "Count ApiName=shop Stage=prod": 3, "4XXError ApiName=shop": 1, "5XXError ApiName=shop Stage=prod": 1,
		"Latency ApiName=shop": 3, "IntegrationLatency ApiName=shop": 2,
	} {
		if got := w.metrics.seen["AWS/ApiGateway "+key]; got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
}

// A client in process may send a header without a value, which no connection carries.
func TestHeaderWithoutValues(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header["X-Empty"] = nil
	r.Header["X-Full"] = []string{"a"}
	x := &exchange{h: w.gateway, r: r}
	event := string(x.eventV1(nil, "/", "r", false))
	if strings.Contains(event, "X-Empty") || !strings.Contains(event, `"X-Full":"a"`) {
		t.Error(event)
	}
}
