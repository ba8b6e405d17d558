package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/cfn"
	"evo/internal/engine"
	"evo/internal/view"
)

// apis is one function behind an API of either kind.
const apis = `
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: code/
      Events:
        Rest: {Type: Api, Properties: {Path: /hello, Method: get}}
        Http: {Type: HttpApi, Properties: {Path: /hello, Method: get}}
Outputs:
  Rest: {Value: !Sub "${ServerlessRestApi}"}
  Http: {Value: !Sub "${ServerlessHttpApi}"}
  Function: {Value: !Ref Hello}
`

// gateway measures a function behind API Gateway, against its handler behind a bare reverse proxy.
func (b *bench) gateway(ctx context.Context) error {
	handler, err := spawn(ctx, "the handler alone", b.peer, "handler")
	if err != nil {
		return err
	}
	defer handler.close()
	proxy, err := spawn(ctx, "reverse proxy", b.peer, "proxy", handler.url)
	if err != nil {
		return err
	}
	defer proxy.close()
	p, err := b.cloud(ctx, "evo, HTTP API", "--ephemeral")
	if err != nil {
		return err
	}
	defer p.close()
	outputs, err := b.deployAPIs(ctx, p.patient())
	if err != nil {
		return err
	}
	rest := *p
	rest.name = "evo, REST API"
	addr := strings.TrimPrefix(p.url, "http://")
	_, port, _ := net.SplitHostPort(addr)
	hosts := map[*process]string{p: outputs["Http"] + ".execute-api.localhost:" + port, &rest: outputs["Rest"] + ".execute-api.localhost:" + port}
	paths := map[*process]string{&rest: "/Prod/hello"}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	return b.measure(ctx, []row{{"GET", []int{1, 8}, []*process{handler, proxy, p, &rest}, func(s *process) work {
		path := paths[s]
		if path == "" {
			path = "/hello"
		}
		return fetch(client, s.url+path, hosts[s])
	}}})
}

func (b *bench) deployAPIs(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	dir := filepath.Join(b.dir, "apis")
	if err := os.MkdirAll(filepath.Join(dir, "code"), 0o755); err != nil {
		return nil, err
	}
	if err := os.Link(b.peer, filepath.Join(dir, "code", "bootstrap")); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "template.yaml")
	if err := os.WriteFile(path, []byte(apis), 0o644); err != nil {
		return nil, err
	}
	e := engine.New(cfg, func(engine.Event) {})
	e.Poll = 10 * time.Millisecond
	template, err := packaged(ctx, e, path)
	if err != nil {
		return nil, err
	}
	if err := deploy(ctx, e, "apis", template); err != nil {
		return nil, err
	}
	values, err := e.Outputs(ctx, "apis")
	if err != nil {
		return nil, err
	}
	return byKey(values), nil
}

func byKey(outputs []view.Output) map[string]string {
	found := map[string]string{}
	for _, o := range outputs {
		found[o.Key] = o.Value
	}
	return found
}

// packaged uploads what the template names.
func packaged(ctx context.Context, e *engine.Engine, path string) (*cfn.Node, error) {
	name, err := e.ManagedBucket(ctx)
	if err != nil {
		return nil, err
	}
	return e.Package(ctx, path, engine.Bucket{Name: name}, nil)
}

func deploy(ctx context.Context, e *engine.Engine, stack string, template *cfn.Node) error {
	d := engine.Deployment{Stack: stack, Template: template, Capabilities: []string{"CAPABILITY_IAM"}}
	cs, err := e.Plan(ctx, d)
	if err != nil {
		return err
	}
	return e.Execute(ctx, cs, d)
}

func fetch(c *http.Client, url, host string) work {
	return func(ctx context.Context, _, _ int) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		r.Host = host
		resp, err := c.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", resp.Status, text)
		}
		if err == nil && string(text) != `{"hello":"world"}` {
			err = errors.New("a wrong answer: " + string(text))
		}
		return err
	}
}
