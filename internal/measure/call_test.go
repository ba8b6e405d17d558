package measure_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/google/go-cmp/cmp"

	"evo/internal/cfn"
	"evo/internal/inventory"
	"evo/internal/measure"
)

const shop = `Transform: AWS::Serverless-2016-10-31
Parameters:
  Release: {Type: String}
Resources:
  Checkout:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      Timeout: 30
      InlineCode: |
        exports.handler = async event => {
          const release = process.env.RELEASE
          if (event.slow) await new Promise(done => setTimeout(done, 20000))
          if (event.fail || event.failIn === release) throw new Error('out of stock')
          if (event.shaped) return { statusCode: 201, body: JSON.stringify({ id: 7 }) }
          return { status: 'ok', release, items: event.items }
        }
      Environment: {Variables: {RELEASE: !Ref Release}}
      AutoPublishAlias: live
      AutoPublishCodeSha256: !Ref Release
      DeploymentPreference: {Type: Linear10PercentEvery1Minute}
  Catalog:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      InlineCode: |
        exports.handler = async event => event.httpMethod
          ? { statusCode: event.path === '/moved' ? 302 : 200, body: JSON.stringify({ path: event.path, q: event.queryStringParameters, sent: event.body }) }
          : 'a catalog'
      Events:
        All: {Type: Api, Properties: {Path: '/{proxy+}', Method: ANY}}
Outputs:
  Url: {Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/catalog/{id}"}
`

// calls are functions of a suite, each measured by one transaction.
func calls(invoke map[string]string) string {
	var b strings.Builder
	b.WriteString("functions:\n")
	for name, how := range invoke {
		fmt.Fprintf(&b, "  %s: {characteristic: functionality, invoke: %s}\n", name, how)
	}
	return b.String()
}

func TestCalls(t *testing.T) {
	w := newWorld(t, shop)
	got := w.measure(calls(map[string]string{
		"ok":      "{function: Checkout, event: {items: [1, 2]}, expect: {body: {status: ok, items: [2]}, contains: release}}",
		"shaped":  "{function: Checkout, event: {shaped: true}, expect: {status: 201, body: {id: 7}}}",
		"fails":   "{function: Checkout, event: {fail: true}, expect: {contains: ok}}",
		"slow":    "{function: Checkout, event: {slow: true}, expect: {contains: ok, within: 100ms}}",
		"latest":  "{function: Catalog, expect: {contains: a catalog}}",
		"gone":    "{function: Basket, expect: {contains: ok}}",
		"page":    "{url: '/tea?size=2', expect: {status: 200, body: {path: /tea, q: {size: '2'}}}}",
		"order":   "{url: /orders, request: {body: {id: 1}}, expect: {status: 200, contains: 'id'}}",
		"moved":   "{url: /moved, expect: {status: 302}}",
		"missing": "{url: /tea, expect: {status: 404}}",
	}))
	want(t, got["ok"], "1", "Checkout:live answered as expected in ")
	want(t, got["shaped"], "1")
	want(t, got["fails"], "0", "Checkout:live: the function failed: Error: out of stock")
	want(t, got["slow"], "0", "Checkout: no answer within 2.1s")
	want(t, got["latest"], "1", "Catalog:$LATEST")
	want(t, got["gone"], "0", "the stack has no function Basket")
	want(t, got["page"], "1", "GET http://", ".execute-api.localhost", "/Prod/tea?size=2 answered as expected")
	want(t, got["order"], "1", "POST http://")
	want(t, got["moved"], "1")
	want(t, got["missing"], "0", "the status is 200, and should be 404")
	t.Run("an API of AWS is the cloud's", func(t *testing.T) {
		url := strings.Replace(w.subject.Stack.Outputs["Url"], "{id}", "7", 1)
		got := w.measure(calls(map[string]string{"page": "{url: '" + url + "', expect: {body: {path: /catalog/7}}}"}))
		want(t, got["page"], "1", "localhost")
	})
	t.Run("faults", func(t *testing.T) { callFaults(t, w) })
}

// callFaults has Lambda deny, throttle and hang; each leaves only its own pair without a score.
func callFaults(t *testing.T, w *world) {
	transactions := calls(map[string]string{
		"denied":    "{function: Checkout, event: {case: denied}, expect: {contains: ok}}",
		"throttled": "{function: Checkout, event: {case: throttled}, expect: {contains: ok}}",
		"hangs":     "{function: Checkout, event: {case: hangs}, expect: {contains: ok, within: 50ms}}",
		"broken":    "{function: Checkout, event: {case: broken}, expect: {contains: ok}}",
		"fine":      "{function: Checkout, event: {case: fine}, expect: {contains: ok}}",
	})
	w.faults.rules = []fault{{`"denied"`, 403, "AccessDeniedException"}, {`"throttled"`, 429, "TooManyRequestsException"}, {`"hangs"`, 0, ""},
		{`"broken"`, 502, "KMSAccessDeniedException"}}
	defer func() { w.faults.rules = nil }()
	got := w.measure(transactions)
	want(t, got["denied"], "0 to 1", "Checkout:live cannot be called: AccessDeniedException: so says the test")
	want(t, got["throttled"], "0 to 1", "TooManyRequestsException")
	want(t, got["hangs"], "0", "no answer within 2.05s")
	want(t, got["broken"], "0", "KMSAccessDeniedException")
	want(t, got["fine"], "1")
	if n := w.faults.seen[`"throttled"`]; n != 4 {
		t.Errorf("a throttled call is made %d times", n)
	}
	if n := w.faults.seen[`"hangs"`]; n != 1 {
		t.Errorf("a call that hangs is made %d times", n)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for _, p := range w.measurer().Measure(ctx, suite(t, calls(map[string]string{"hangs": "{function: Checkout, event: {case: hangs}, expect: {contains: ok}}"})), w.subject) {
		want(t, p, "0 to 1", "measuring was cut short")
	}
}

// TestBeforeShift calls the version that is about to get traffic; what else answers is no evidence against it.
func TestBeforeShift(t *testing.T) {
	w := newWorld(t, shop)
	_, err := w.stacks.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("shop"), UsePreviousTemplate: aws.Bool(true),
		Parameters: release("two"), Capabilities: capabilities})
	w.must(err)
	client := codedeploy.NewFromConfig(w.cloud.Config(region))
	w.cloud.Await(100*time.Millisecond, func() bool {
		out, err := client.ListDeployments(t.Context(), &codedeploy.ListDeploymentsInput{})
		w.must(err)
		for _, id := range out.Deployments {
			w.subject.Deployment = id
		}
		return w.subject.Deployment != ""
	})
	w.look()
	w.subject.BeforeTraffic = true
	suite := calls(map[string]string{
		"new":       "{function: Checkout, expect: {body: {release: two}}}",
		"new fails": "{function: Checkout, event: {failIn: two}, expect: {body: {release: two}}}",
		"old page":  "{url: /tea, expect: {status: 201}}",
		"page":      "{url: /tea, expect: {status: 200}}",
		"other":     "{function: Catalog, expect: {contains: no catalog}}",
		"gone":      "{function: Basket, expect: {contains: ok}}",
	})
	got := w.measure(suite)
	want(t, got["new"], "1", "Checkout:2 answered as expected")
	want(t, got["new fails"], "0", "Checkout:2: the function failed: Error: out of stock")
	want(t, got["old page"], "0 to 1", "the status is 200, and should be 201: ", "; but it is not the new version that was called")
	want(t, got["page"], "1")
	want(t, got["other"], "0 to 1", "not the new version")
	want(t, got["gone"], "0 to 1", "the stack has no function Basket")

	w.faults.rules = []fault{{"ListDeploymentTargets", 400, "AccessDeniedException"}}
	got = w.measure(suite)
	want(t, got["new fails"], "0 to 1", "the version to call is not known", "AccessDeniedException")
	want(t, got["page"], "1")
	if n := w.faults.seen["ListDeploymentTargets"]; n != 1 {
		t.Errorf("the deployment's target is read %d times", n)
	}
	w.faults.rules = nil
	w.until(cftypes.StackStatusUpdateComplete)
	w.subject.Deployment, w.subject.BeforeTraffic = "", false
	want(t, w.measure(suite)["new"], "1", "Checkout:live")
}

// TestWeb requests what is on no cloud.
func TestWeb(t *testing.T) {
	w := newWorld(t, "")
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			rw.WriteHeader(http.StatusTooManyRequests)
		}
		fmt.Fprintf(rw, "%s %s %s", r.Method, r.Header.Get("X-Shop"), r.Host)
	}))
	defer server.Close()
	got := w.measure(calls(map[string]string{
		"there":     "{url: '" + server.URL + "', request: {method: PUT, headers: {X-Shop: tea}}, expect: {status: 200, contains: PUT tea 127.0.0.1}}",
		"throttled": "{url: '" + server.URL + "/busy', expect: {status: 200}}",
		"refuses":   "{url: '" + server.URL + "/busy', expect: {status: 429}}",
		"nowhere":   "{url: 'http://127.0.0.1:1', expect: {status: 200}}",
		"no API":    "{url: /tea, expect: {status: 200}}",
		"no URL":    "{url: 'http://%', expect: {status: 200}}",
	}))
	want(t, got["there"], "1")
	want(t, got["throttled"], "0 to 1", "throttled")
	want(t, got["refuses"], "1")
	want(t, got["nowhere"], "0", "GET http://127.0.0.1:1: ", "refused")
	want(t, got["no API"], "0", "the stack has no API that could serve /tea")
	want(t, got["no URL"], "0 to 1", "make the request GET http://%")
}

func TestActions(t *testing.T) {
	items := []*inventory.Item{item("Checkout", "AWS::Lambda::Function", ""), item("Catalog", "AWS::Lambda::Function", ""), item("Made", "AWS::Lambda::Function", "shop-Made-X"),
		item("Tables/Fill", "AWS::Lambda::Function", ""), item("Orders", "AWS::DynamoDB::Table", ""), item("Deploys", "AWS::CodeDeploy::Application", "")}
	text := func(statements []inventory.Statement) (out []string) {
		for _, s := range statements {
			on, err := cfn.Arr(s.Resources...).MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			on = []byte(strings.NewReplacer("arn:${AWS::Partition}:", "", ":${AWS::Region}:${AWS::AccountId}", "", `{"Fn::Sub":`, "", `"}`, `"`, "${", "$", "}", "").Replace(string(on)))
			out = append(out, strings.Join(s.Actions, " ")+" "+string(on))
		}
		return out
	}
	full := suite(t, calls(map[string]string{"a": "{function: Checkout, expect: {status: 200}}", "b": "{function: Checkout, expect: {status: 201}}", "c": "{function: Made, expect: {status: 200}}",
		"d": "{function: Tables/Fill, expect: {status: 200}}", "e": "{function: Nowhere, expect: {status: 200}}", "f": "{function: Catalog, expect: {status: 200}}", "g": "{url: /x, expect: {status: 200}}"})+`
  h: {characteristic: performance, metric: {namespace: Shop, name: Latency}, target: 1, limit: 2}
`)
	got := text(measure.Actions(full, items, func(id string) bool { return id != "Catalog" }))
	if diff := cmp.Diff([]string{
		`cloudwatch:GetMetricData ["*"]`,
		`lambda:InvokeFunction ["lambda:function:$Checkout","lambda:function:$Checkout:*","lambda:function:*","lambda:function:*:*","lambda:function:shop-Made-X","lambda:function:shop-Made-X:*"]`,
		`codedeploy:GetDeploymentTarget codedeploy:ListDeploymentTargets ["*"]`,
	}, got); diff != "" {
		t.Error(diff)
	}
	if got := measure.Actions(suite(t, "functions: {}"), items, nil); len(got) != 0 {
		t.Errorf("a suite that measures nothing takes %v", text(got))
	}
}
