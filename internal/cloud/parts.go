package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"evo/internal/cfn"
	"evo/internal/cloud/apigateway"
	"evo/internal/cloud/apigatewayv2"
	"evo/internal/cloud/applicationautoscaling"
	"evo/internal/cloud/cloudformation"
	"evo/internal/cloud/cloudwatch"
	"evo/internal/cloud/codedeploy"
	"evo/internal/cloud/configservice"
	"evo/internal/cloud/dynamodb"
	"evo/internal/cloud/events"
	"evo/internal/cloud/executeapi"
	"evo/internal/cloud/iam"
	"evo/internal/cloud/lambda"
	"evo/internal/cloud/logs"
	"evo/internal/cloud/s3"
	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/sandbox"
	"evo/internal/cloud/serverlessrepo"
	"evo/internal/cloud/sts"
	"evo/internal/cloud/wire"
	"evo/internal/sam"
)

// parts are the services: those that are one for all regions, and the regions that somebody has used.
type parts struct {
	server  *Server
	ctx     context.Context // ends with the cloud
	dir     string          // for runtimes' SDKs
	wire    *wire.Handler
	gateway *executeapi.Handler
	sandbox *sandbox.Sandbox // nil if tests run the functions
	runner  lambda.Runner
	blobs   *blob.Store
	s3      *s3.Service
	iam     *iam.Service
	sts     *sts.Service
	repo    *serverlessrepo.Repository

	mu      sync.Mutex
	regions map[string]*region
	closed  bool
}

// region is one region's services.
type region struct {
	name           string
	cloudwatch     *cloudwatch.Service
	logs           *logs.Service
	lambda         *lambda.Service
	dynamodb       *dynamodb.Service
	apigateway     *apigateway.Service
	apigatewayv2   *apigatewayv2.Service
	codedeploy     *codedeploy.Service
	cloudformation *cloudformation.Service
	config         *configservice.Service
	scaling        *applicationautoscaling.Service
	events         *events.Service
	repo           *serverlessrepo.Service
}

// inOrder returns a region's services, each after those that it needs.
func (r *region) inOrder() []any {
	return []any{r.cloudwatch, r.logs, r.dynamodb, r.lambda, r.apigateway, r.apigatewayv2, r.config, r.scaling, r.events, r.codedeploy, r.cloudformation, r.repo}
}

// assemble makes the services that are one for all regions, and what serves them all.
func assemble(ctx context.Context, s *Server) (p *parts, err error) {
	p = &parts{server: s, ctx: ctx, regions: map[string]*region{}}
	if p.dir, err = s.cacheDir(); err != nil {
		return nil, err
	}
	if p.blobs, err = s.openBlobs(); err != nil {
		return nil, err
	}
	if p.s3, err = s3.New(s3.Config{Store: s.db, Blobs: p.blobs, Clock: s.Clock}); err != nil {
		return nil, err
	}
	if p.iam, err = iam.New(iam.Config{Store: s.db, Clock: s.Clock}); err != nil {
		return nil, err
	}
	if p.sts, err = sts.New(sts.Config{Store: s.db, Clock: s.Clock, Names: p.iam}); err != nil {
		return nil, err
	}
	p.repo, err = serverlessrepo.New(serverlessrepo.Config{Store: s.db, Clock: s.Clock, Objects: p.s3, ObjectURL: s.objectURL})
	if err != nil {
		return nil, err
	}
	if p.runner = s.runner; p.runner == nil {
		if p.sandbox, err = p.newSandbox(); err != nil {
			return nil, err
		}
		p.runner = p.sandbox
	}
	p.gateway, err = executeapi.New(executeapi.Config{APIs: stages{p}, Clock: s.Clock, Metrics: gatewayMetrics{p}, Log: p.gatewayLog,
		Lambda: func(name string) (executeapi.Lambda, error) {
			r, err := p.region(name)
			if err != nil {
				return nil, err
			}
			return r.lambda, nil
		}})
	if err != nil {
		return nil, err
	}
	p.wire, err = wire.New(wire.Config{Services: p.services(), Credentials: secrets{p}, Arrived: p.functionTimes()})
	return p, err
}

func (s *Server) openBlobs() (*blob.Store, error) {
	if s.StateDir == "" {
		return blob.Memory(), nil
	}
	return blob.Open(filepath.Join(s.StateDir, "objects"), blob.Options{Sync: s.Sync})
}

// newSandbox makes the place where functions run. It has a folder of its own: leftovers of an earlier cloud over the same
// state are found there, and ended.
func (p *parts) newSandbox() (*sandbox.Sandbox, error) {
	dir := p.server.runDir()
	return sandbox.New(sandbox.Config{Dir: dir, Cache: filepath.Join(p.dir, "sdk"), Clock: p.server.Clock, Progress: p.server.Log,
		Logs: func(l sandbox.Lines) {
			if r, err := p.region(l.Function.Region); err == nil {
				r.lambda.Log(l)
			}
		}})
}

// services lists what wire serves, by the names of the models.
func (p *parts) services() []wire.Service {
	one := func(name string, impl any) wire.Service {
		return wire.Service{Name: name, For: func(string) (any, error) { return impl, nil }}
	}
	regional := func(name string, of func(*region) any) wire.Service {
		return wire.Service{Name: name, For: func(region string) (any, error) {
			r, err := p.region(region)
			if err != nil {
				return nil, err
			}
			return of(r), nil
		}}
	}
	return []wire.Service{
		{Name: "s3", For: func(region string) (any, error) {
			_, _ = p.region(region) // where buckets are, AWS Config records; S3 itself checks the region's name
			return p.s3, nil
		}},
		one("iam", p.iam),
		one("sts", p.sts),
		regional("cloudwatch", func(r *region) any { return r.cloudwatch }),
		regional("logs", func(r *region) any { return r.logs }),
		regional("lambda", func(r *region) any { return r.lambda }),
		regional("dynamodb", func(r *region) any { return r.dynamodb }),
		regional("apigateway", func(r *region) any { return r.apigateway }),
		regional("apigatewayv2", func(r *region) any { return r.apigatewayv2 }),
		regional("codedeploy", func(r *region) any { return r.codedeploy }),
		regional("config", func(r *region) any { return r.config }),
		regional("application-autoscaling", func(r *region) any { return r.scaling }),
		regional("events", func(r *region) any { return r.events }),
		regional("cloudformation", func(r *region) any { return r.cloudformation }),
		regional("serverlessrepo", func(r *region) any { return r.repo }),
	}
}

// validRegion is the form of AWS's names.
var validRegion = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)

var errClosed = errors.New("the embedded cloud has been closed")

// region returns a region's services, made and started when they are first asked for.
func (p *parts) region(name string) (*region, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.regions[name]; r != nil {
		return r, nil
	}
	if p.closed {
		return nil, errClosed
	}
	if !validRegion.MatchString(name) {
		return nil, fmt.Errorf("%q is no AWS region's name", name)
	}
	r, err := p.newRegion(name)
	if err != nil {
		return nil, fmt.Errorf("make region %s: %w", name, err)
	}
	p.regions[name] = r
	for _, svc := range r.inOrder() {
		if s, ok := svc.(interface{ Start(context.Context) error }); ok {
			if err := s.Start(p.ctx); err != nil {
				return nil, fmt.Errorf("start region %s: %w", name, err)
			}
		}
	}
	return r, nil
}

// known returns the regions that somebody has used.
func (p *parts) known() []*region {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Values(p.regions))
}

func (p *parts) newRegion(name string) (r *region, err error) {
	db, clk := p.server.db, p.server.Clock
	r = &region{name: name}
	if r.cloudwatch, err = cloudwatch.New(cloudwatch.Config{Region: name, Store: db, Clock: clk, Invoke: alarmActions{r}}); err != nil {
		return nil, err
	}
	if r.logs, err = logs.New(logs.Config{Region: name, Store: db, Clock: clk, Metrics: p.embeddedMetrics(r)}); err != nil {
		return nil, err
	}
	if r.lambda, err = lambda.New(p.lambdaConfig(r)); err != nil {
		return nil, err
	}
	if r.dynamodb, err = dynamodb.New(dynamodb.Config{Region: name, Store: db, Clock: clk, Meter: tableMeter{r, clk}}); err != nil {
		return nil, err
	}
	if r.apigateway, err = apigateway.New(apigateway.Config{Region: name, Store: db, Clock: clk}); err != nil {
		return nil, err
	}
	if r.apigatewayv2, err = apigatewayv2.New(apigatewayv2.Config{Region: name, Store: db, Clock: clk}); err != nil {
		return nil, err
	}
	if r.config, err = configservice.New(configservice.Config{Region: name, Store: db, Clock: clk,
		Inventory: inventory{p, r}, Lambda: r.lambda, Objects: p.s3, Report: func(err error) { p.server.Log(err.Error()) }}); err != nil {
		return nil, err
	}
	r.scaling, err = applicationautoscaling.New(applicationautoscaling.Config{Region: name, Store: db, Clock: clk})
	if err != nil {
		return nil, err
	}
	r.events, err = events.New(events.Config{Region: name, Store: db, Clock: clk, Functions: r.lambda, Count: ruleMetrics{r}.count, Report: func(err error) { p.server.Log(err.Error()) }})
	if err != nil {
		return nil, err
	}
	r.codedeploy, err = codedeploy.New(codedeploy.Config{Region: name, Store: db, Clock: clk, Lambda: r.lambda, Alarms: r.cloudwatch, Objects: p.s3})
	if err != nil {
		return nil, err
	}
	if r.cloudformation, err = cloudformation.New(p.stackConfig(r)); err != nil {
		return nil, err
	}
	r.repo = p.repo.In(name, r.cloudformation)
	return r, nil
}

func (p *parts) lambdaConfig(r *region) lambda.Config {
	s := p.server
	return lambda.Config{Region: r.name, Store: s.db, Clock: s.Clock, Dir: filepath.Join(s.codeDir(), "code"), Runner: p.runner, Random: s.random, Objects: p.s3,
		Metrics: functionMetrics{r}, Logs: functionLogs{r}, Credentials: roleCredentials{p.sts},
		CodeURL:  func(hash string) string { return s.URL() + codePath + r.name + "/" + hash },
		Endpoint: s.URL, Report: func(err error) { s.Log(err.Error()) }}
}

func (p *parts) stackConfig(r *region) cloudformation.Config {
	s := p.server
	return cloudformation.Config{Region: r.name, Store: s.db, Clock: s.Clock,
		Services: cloudformation.Services{Lambda: r.lambda, IAM: p.iam, Buckets: p.s3, Objects: p.s3, DynamoDB: r.dynamodb,
			APIGateway: r.apigateway, APIGatewayV2: r.apigatewayv2, CodeDeploy: r.codedeploy, CloudWatch: r.cloudwatch, Logs: r.logs, AutoScaling: r.scaling, AWSConfig: r.config, Events: r.events},
		Transform: func(_ context.Context, root *cfn.Node, parameters map[string]string) (*cfn.Node, error) {
			return sam.Transform(root, sam.Options{Region: r.name, Parameters: parameters, Now: s.Clock.Now(), Applications: publishedApplications{r}})
		},
		CallbackURL: func(token string) string { return s.URL() + callbackPath + r.name + "/" + token },
	}
}

// resume makes the regions that have state, so that what was under way there goes on.
func (p *parts) resume() error {
	if err := p.s3.Start(p.ctx); err != nil {
		return err
	}
	for _, table := range p.server.db.Tables() {
		name, _, _ := cutRegion(table)
		if name == "" {
			continue
		}
		if _, err := p.region(name); err != nil {
			return err
		}
	}
	return p.server.db.Err()
}

// close ends the services, those first that need others, and then what they ran on.
func (p *parts) close() error {
	p.mu.Lock()
	p.closed = true
	regions := p.regions
	p.mu.Unlock()
	var errs []error
	for _, r := range regions {
		for _, svc := range slices.Backward(r.inOrder()) {
			if c, ok := svc.(interface{ Close() error }); ok {
				errs = append(errs, c.Close())
			}
		}
	}
	if p.sandbox != nil {
		errs = append(errs, p.sandbox.Close())
	}
	if p.s3 != nil {
		errs = append(errs, p.s3.Close())
	}
	return errors.Join(errs...)
}

// code opens a function's or layer's zip, by its hash, for those whom GetFunction has told where it is.
func (p *parts) code(name, hash string) (io.ReadCloser, error) {
	r, err := p.region(name)
	if err != nil {
		return nil, err
	}
	return r.lambda.Code(hash)
}

// customResource hands a custom resource's answer to its region's CloudFormation.
func (p *parts) customResource(name, token string, body []byte) error {
	r, err := p.region(name)
	if err != nil {
		return err
	}
	return r.cloudformation.CustomResourceResponse(token, body)
}
