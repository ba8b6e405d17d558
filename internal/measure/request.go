package measure

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/apiurl"
	"evo/internal/cfn"
	"evo/internal/fitness/suitefile"
	"evo/internal/inventory"
)

// request requests a URL, or a path of the stack's API. What answers before traffic has shifted is the old version.
func (c *caller) request(ctx context.Context, call suitefile.Call) (*answer, error) {
	req, err := c.prepare(ctx, call)
	if err != nil {
		return nil, err
	}
	a := &answer{from: req.Method + " " + req.URL.String(), judged: !c.BeforeTraffic}
	client := c.lead(req)
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return nil, &failure{a.from + ": " + said(err), true, a.judged, err}
	}
	defer resp.Body.Close()
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if a.took = time.Since(began); err != nil {
		return nil, &failure{fmt.Sprintf("%s: the answer breaks off: %s", a.from, said(err)), true, a.judged, err}
	}
	a.status, a.whole = resp.StatusCode, a.body
	if a.status == http.StatusTooManyRequests && call.Expect.Status != a.status {
		return nil, &failure{reason: a.from + ": throttled"}
	}
	return a, nil
}

// prepare makes the request.
func (c *caller) prepare(ctx context.Context, call suitefile.Call) (*http.Request, error) {
	address, err := c.address(call.URL)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	text, isJSON, err := content(call.Body)
	if err != nil {
		return nil, fmt.Errorf("write the request's body: %w", err)
	}
	if call.Body != nil {
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method(call), address, body)
	if err != nil {
		return nil, fmt.Errorf("make the request %s %s: %w", method(call), address, err)
	}
	if isJSON {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range call.Headers {
		req.Header.Set(h.Name, h.Value)
	}
	return req, nil
}

// content is a body as it is sent: a text as it is, anything else as JSON.
func content(n *cfn.Node) (text []byte, isJSON bool, err error) {
	switch {
	case n == nil:
		return nil, false, nil
	case n.Is(cfn.String):
		return []byte(n.Text), false, nil
	}
	text, err = n.MarshalJSON()
	return text, true, err
}

// address is where a URL of a suite leads: a path is the stack's API's; an API of AWS is, on another cloud, that cloud's.
func (c *caller) address(text string) (string, error) {
	if strings.HasPrefix(text, "/") || !strings.Contains(text, "://") {
		apis := served(c.Stack)
		if len(apis) == 0 {
			return "", &failure{reason: "the stack has no API that could serve " + text, certain: true, judged: !c.BeforeTraffic}
		}
		text = apis[0].url(c.Stack) + "/" + strings.TrimPrefix(text, "/")
	}
	if id, rest, ok := apiurl.Parse(text); ok && c.endpoint != "" {
		return apiurl.Local(c.endpoint, id) + rest, nil
	}
	return text, nil
}

// lead returns the client for a request. One to an API of another cloud than AWS goes to that cloud's own address, whatever the API's
// host name resolves to.
func (c *caller) lead(req *http.Request) aws.HTTPClient {
	if c.endpoint == "" || !apiurl.IsLocal(req.URL.Hostname()) {
		return c.web
	}
	endpoint, err := url.Parse(c.endpoint)
	if err != nil {
		return c.web
	}
	req.Host, req.URL.Host, req.URL.Scheme = req.URL.Host, endpoint.Host, endpoint.Scheme
	return c.cloud
}

// api is a stage of an API.
type api struct{ id, stage string }

// noStage is the stage of an HTTP API that its URLs do not name.
const noStage = "$default"

func (a api) url(s *inventory.Stack) string {
	suffix := "amazonaws.com"
	if s.Partition == "aws-cn" {
		suffix += ".cn"
	}
	base := apiurl.AWS(a.id, s.Region, suffix)
	if a.stage == noStage {
		return base
	}
	return base + "/" + a.stage
}

// served are the stages of the stack's APIs. Those that an output shows to the world come first, in the order of the outputs' names;
// then those of the template, in its order.
func served(s *inventory.Stack) []api {
	all := stages(s.Items)
	var shown []api
	for _, key := range slices.Sorted(maps.Keys(s.Outputs)) {
		id, rest, ok := apiurl.Parse(s.Outputs[key])
		if !ok {
			continue
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
		shown = append(shown, named(all, id, first))
	}
	return append(shown, all...)
}

// named is the stage that a URL names, which begins its path, unless it is the one that URLs do not name.
func named(all []api, id, first string) api {
	if a := (api{id, first}); slices.Contains(all, a) {
		return a
	}
	if a := (api{id, noStage}); first == "" || slices.Contains(all, a) {
		return a
	}
	return api{id, first}
}

// stages are the stages that a stack's resources make.
func stages(items []*inventory.Item) []api {
	ids := map[string]bool{}
	var all, implied []api
	for _, it := range items {
		switch {
		case it.PhysicalID == "":
		case it.Type == "AWS::ApiGateway::RestApi":
			ids[it.PhysicalID] = true
		case it.Type == "AWS::ApiGatewayV2::Api" && it.Properties.Get("ProtocolType").Str() != "WEBSOCKET":
			ids[it.PhysicalID] = true
			implied = append(implied, api{it.PhysicalID, noStage})
		}
	}
	for _, it := range items {
		p := it.Properties
		a := api{p.Get("RestApiId").Str() + p.Get("ApiId").Str(), p.Get("StageName").Str()}
		switch {
		case !ids[a.id] || a.stage == "" || it.PhysicalID == "":
		case it.Type == "AWS::ApiGateway::Stage" || it.Type == "AWS::ApiGatewayV2::Stage":
			all = append(all, a)
		case it.Type == "AWS::ApiGateway::Deployment":
			implied = append(implied, a)
		}
	}
	return append(all, implied...)
}
