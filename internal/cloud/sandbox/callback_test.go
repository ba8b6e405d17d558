package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestCustomResourcesAnswer runs functions that answer CloudFormation as functions on AWS do: with the modules that AWS offers to
// code in a template, and with requests of their own that take the host for one that speaks TLS.
func TestCustomResourcesAnswer(t *testing.T) {
	s, book := newSandbox(t)
	type answer struct{ method, path, body string }
	answers := make(chan answer, 10)
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		answers <- answer{r.Method, r.URL.Path, string(body)}
	}))
	defer cloud.Close()
	event := fmt.Sprintf(`{"ResponseURL": "%s/_evo/callback/us-east-1/token", "StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}`, cloud.URL)
	for name, fn := range map[string]*Function{
		"cfn-response": node(t, "nodejs20.x", map[string]string{"index.js": `const response = require("cfn-response")
			exports.handler = (event, context) => response.send(event, context, response.SUCCESS, { A: "b" }, "physical")`}),
		"https by hand": node(t, "nodejs20.x", map[string]string{"index.js": `const https = require("https"), url = require("url")
			exports.handler = (event, context) => {
				const body = JSON.stringify({ Status: "SUCCESS", PhysicalResourceId: "physical", Data: { A: "b" } })
				const to = url.parse(event.ResponseURL)
				const request = https.request({ hostname: to.hostname, port: 443, path: to.path, method: "PUT",
					headers: { "content-type": "", "content-length": body.length } }, (r) => context.done(null, r.statusCode))
				request.on("error", context.done)
				request.end(body)
			}`}),
		"cfnresponse": python(t, map[string]string{"app.py": "import cfnresponse\ndef handler(event, context): cfnresponse.send(event, context, cfnresponse.SUCCESS, {'A': 'b'}, 'physical')"}),
	} {
		t.Run(name, func(t *testing.T) {
			fn.Endpoint = cloud.URL
			if r := invoke(t, s, fn, event); r.FunctionError != "" {
				t.Fatalf("%s: %s", r.FunctionError, r.Payload)
			}
			var got answer
			select {
			case got = <-answers: // before the function has ended
			default:
				t.Fatalf("no answer; the function's log:\n%s", book.text())
			}
			body := strings.ReplaceAll(got.body, " ", "")
			if got.method != http.MethodPut || got.path != "/_evo/callback/us-east-1/token" ||
				!strings.Contains(body, `"Status":"SUCCESS"`) || !strings.Contains(body, `"PhysicalResourceId":"physical"`) || !strings.Contains(body, `"A":"b"`) {
				t.Errorf("got %+v", got)
			}
		})
	}
}
