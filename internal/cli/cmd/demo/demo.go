// Package demo is `evo demo`: a shop in an embedded cloud whose clock runs fast, customers who visit it, and three releases of
// it, of which the last has a mistake.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/spf13/cobra"

	"evo/examples/shop"
	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/cli/localurl"
	"evo/internal/cloud"
	"evo/internal/engine"
)

const (
	stack  = "shop"
	region = "us-east-1"
)

type options struct {
	app   *app.App
	once  bool
	speed float64
	seed  uint64
	port  int
}

// New returns the command.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Deploy three releases of a shop, one of them bad, in about a minute",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	fs := cmd.Flags()
	fs.BoolVar(&o.once, "once", false, "end after the last release, instead of serving until Ctrl-C")
	fs.Float64Var(&o.speed, "speed", 20, "how many times as fast as yours the cloud's clock runs")
	fs.Uint64Var(&o.seed, "seed", 1, "what the customers do is decided by this")
	fs.IntVar(&o.port, "port", 0, "port of the cloud (default: a free one)")
	return cmd
}

// release is one state of the shop.
type release struct {
	name    string
	change  func(template *cfn.Node)
	mistake bool // customers will not like it
}

var releases = []release{
	{name: "A first shop", change: func(*cfn.Node) {}},
	{name: "Search sorts by popularity; pictures and orders can be restored", change: func(t *cfn.Node) {
		ranking(t, "popularity")
		t.At("Resources", "Images").Set("Properties", cfn.Obj(cfn.P("VersioningConfiguration", cfn.Obj(cfn.P("Status", cfn.Str("Enabled"))))))
		t.At("Resources", "Orders", "Properties").Set("PointInTimeRecoverySpecification", cfn.Obj(cfn.P("PointInTimeRecoveryEnabled", cfn.Boolean(true))))
	}},
	{name: "Search sorts by what each customer has looked at", mistake: true, change: func(t *cfn.Node) { ranking(t, "personal") }},
}

func ranking(t *cfn.Node, value string) {
	t.At("Globals", "Function", "Environment", "Variables").Set("RANKING", cfn.Str(value))
}

// demo is the story under way.
type demo struct {
	*options
	server    *cloud.Server
	cfg       aws.Config
	engine    *engine.Engine
	show      *show
	template  *cfn.Node
	customers *customers
}

func (o *options) run(ctx context.Context) (err error) {
	d := &demo{options: o, show: newShow(o.app)}
	cache, err := os.MkdirTemp("", "evo-demo-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(cache)
	d.server = &cloud.Server{Addr: fmt.Sprintf("127.0.0.1:%d", o.port), CacheDir: cache, Speed: o.speed, Version: o.app.Version}
	if err := d.server.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.server.Close()) }()
	d.show.welcome(d.server.URL(), o.speed)
	d.cfg = d.server.Config(region)
	d.engine = engine.New(d.cfg, d.show.event)
	d.engine.Poll = 200 * time.Millisecond
	return d.tell(ctx)
}

// tell tells the story.
func (d *demo) tell(ctx context.Context) error {
	if err := d.prepare(ctx); err != nil {
		return err
	}
	visiting, leave := context.WithCancel(ctx)
	gone := make(chan struct{})
	defer func() { leave(); <-gone }()
	for i, r := range releases {
		d.show.release(i+1, r.name)
		err := d.release(ctx, r)
		if err != nil {
			if i == 0 {
				close(gone)
			}
			return err
		}
		if i == 0 {
			url, err := d.open(ctx)
			if err != nil {
				close(gone)
				return err
			}
			go func() { defer close(gone); d.show.watch(visiting, d.customers) }()
			go d.customers.visit(visiting, d.seed)
			d.show.opened(url)
			pause(ctx, 3*time.Second) // so that there is something to see of the first release alone
		}
		if err := d.fitness(ctx); err != nil {
			return err
		}
	}
	d.show.done(d.once)
	if !d.once {
		<-ctx.Done()
	}
	return nil
}

// prepare brings this program, which holds the shop's functions, into a bucket.
func (d *demo) prepare(ctx context.Context) error {
	root, err := cfn.Parse("template.yaml", shop.Template)
	if err != nil {
		return err
	}
	d.template = root.Clone()
	uri, err := upload(ctx, d.engine, d.cfg)
	if err != nil {
		return fmt.Errorf("bring the shop's code into the cloud: %w", err)
	}
	d.template.At("Globals", "Function").Set("CodeUri", cfn.Str(uri))
	return nil
}

// release deploys one, and finds it as it should be if a good one succeeds and a bad one is rolled back.
func (d *demo) release(ctx context.Context, r release) error {
	next := d.template.Clone()
	r.change(next)
	dep := engine.Deployment{Stack: stack, Template: next, Capabilities: []string{"CAPABILITY_IAM"}, ReleaseName: r.name}
	cs, err := d.engine.Plan(ctx, dep)
	if err != nil {
		return err
	}
	err = d.engine.Execute(ctx, cs, dep)
	var failed *engine.FailedError
	switch {
	case errors.As(err, &failed) && r.mistake && failed.WasRolledBack():
		d.show.rolledBack(failed)
		return nil
	case err != nil:
		return err
	case r.mistake:
		return errors.New("the bad release was not rolled back")
	}
	d.template = next
	d.show.deployed()
	return nil
}

// open finds where the shop is.
func (d *demo) open(ctx context.Context) (string, error) {
	outputs, err := d.engine.Outputs(ctx, stack)
	if err != nil {
		return "", err
	}
	for _, out := range outputs {
		if url := localurl.Of(d.cfg, out.Value); url != "" {
			d.customers = &customers{url: url, client: &http.Client{Transport: d.dial()}, pace: 120 * time.Millisecond, counts: map[string]*count{}}
			return url, nil
		}
	}
	return "", errors.New("the shop's stack has no output with its URL")
}

// dial leads names below localhost to this machine, also where the resolver does not know them.
func (d *demo) dial() http.RoundTripper {
	addr := strings.TrimPrefix(d.server.URL(), "http://")
	return &http.Transport{DialContext: dialer(addr), MaxIdleConnsPerHost: len(names)}
}

// fitness has the shop's hook measure the stack as it is now. (Within a deployment it sees a stack that is half updated, and
// the first deployment runs no hook at all: there is nothing to shift from.)
func (d *demo) fitness(ctx context.Context) error {
	out, err := lambda.NewFromConfig(d.cfg).Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("CodeDeployHook_" + stack + "_PreTraffic")})
	if err == nil && out.FunctionError != nil {
		err = errors.New(string(out.Payload))
	}
	var value float64
	if err == nil {
		err = json.Unmarshal(out.Payload, &value)
	}
	if err != nil {
		return fmt.Errorf("measure the fitness: %w", err)
	}
	d.show.fitness(value)
	return nil
}
