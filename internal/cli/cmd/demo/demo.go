// Package demo is `evo demo`: a shop in an embedded cloud whose clock runs fast, customers who visit it, and its releases. Five make it
// fitter; one takes encryption away, and the release gate has it rolled back; one has a mistake, and an alarm stops it.
package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"evo/examples/shop"
	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/cli/localurl"
	"evo/internal/cli/startup"
	"evo/internal/cloud"
	"evo/internal/engine"
	"evo/internal/hook/program"
	"evo/internal/release"
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
		Short: "Deploy seven releases of a shop, two of them bad, in about a minute",
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

// demo is the story under way.
type demo struct {
	*options
	server    *cloud.Server
	cache     string
	cfg       aws.Config
	deployer  *release.Deployer
	show      *show
	template  *cfn.Node // of the last good release
	customers *customers
	last      *release.Release
	fitness   float64 // the last good release's
}

func (o *options) run(ctx context.Context) (err error) {
	startup.Over()
	if o.speed <= 0 {
		return app.Usagef("--speed is more than 0, not %g", o.speed)
	}
	d, err := o.start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	return d.tell(ctx)
}

// start starts the cloud; close ends it.
func (o *options) start(ctx context.Context) (*demo, error) {
	cache, err := os.MkdirTemp("", "evo-demo-*")
	if err != nil {
		return nil, err
	}
	d := &demo{options: o, show: newShow(o.app), cache: cache}
	d.server = &cloud.Server{Addr: fmt.Sprintf("127.0.0.1:%d", o.port), CacheDir: cache, Speed: o.speed, Version: o.app.Version}
	if err := d.server.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(cache))
	}
	d.show.welcome(d.server.URL(), o.speed)
	d.cfg = d.server.Config(region)
	e := engine.New(d.cfg, d.show.event)
	e.Poll = 200 * time.Millisecond
	d.deployer = &release.Deployer{Engine: e,
		Maker: &release.Maker{CloudFormation: e.CloudFormation, S3: e.S3, Region: region, Machine: program.Here(), Now: o.app.Now}}
	return d, nil
}

func (d *demo) close() error { return errors.Join(d.server.Close(), os.RemoveAll(d.cache)) }

// tell tells the story.
func (d *demo) tell(ctx context.Context) error {
	if err := d.prepare(ctx); err != nil {
		return err
	}
	if err := d.release(ctx, story[0]); err != nil {
		return err
	}
	if err := d.open(ctx); err != nil {
		return err
	}
	stopVisits := inBackground(ctx, func(ctx context.Context) { d.customers.visit(ctx, d.seed) })
	defer stopVisits()
	stopWatch := inBackground(ctx, func(ctx context.Context) { d.show.watch(ctx, d.customers) })
	defer stopWatch()
	for _, c := range story[1:] {
		d.pause(ctx)
		if err := d.release(ctx, c); err != nil {
			return err
		}
	}
	d.pause(ctx) // so that the last good version is seen to have its customers back
	stopWatch()
	return d.end(ctx)
}

// pause lets half a minute of the cloud's time go by, so that a person can follow.
func (d *demo) pause(ctx context.Context) {
	pause(ctx, time.Duration(30/d.speed*float64(time.Second)))
}

// prepare brings this program, which holds the shop's functions, into a bucket.
func (d *demo) prepare(ctx context.Context) error {
	root, err := cfn.Parse("template.yaml", shop.Template)
	if err != nil {
		return err
	}
	d.template = root.Clone()
	uri, err := upload(ctx, d.deployer.Engine, d.cfg)
	if err != nil {
		return fmt.Errorf("bring the shop's code into the cloud: %w", err)
	}
	d.template.At("Globals", "Function").Set("CodeUri", cfn.Str(uri))
	return nil
}

// open finds where the shop is.
func (d *demo) open(ctx context.Context) error {
	outputs, err := d.deployer.Engine.Outputs(ctx, stack)
	if err != nil {
		return err
	}
	for _, out := range outputs {
		if url := localurl.Of(d.cfg, out.Value); url != "" {
			d.customers = &customers{url: url, client: &http.Client{Transport: d.dial()}, pace: 120 * time.Millisecond, counts: map[string]*count{}}
			d.show.opened(url)
			return nil
		}
	}
	return errors.New("the shop's stack has no output with its URL")
}

// inBackground runs f, and returns what ends its context and waits until it has returned; that may be called twice.
func inBackground(ctx context.Context, f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); f(ctx) }()
	return func() { cancel(); <-done }
}

// dial leads names below localhost to this machine, also where the resolver does not know them.
func (d *demo) dial() http.RoundTripper {
	addr := strings.TrimPrefix(d.server.URL(), "http://")
	return &http.Transport{DialContext: dialer(addr), MaxIdleConnsPerHost: len(names)}
}

// end shows the releases side by side, and goes on serving if wanted.
func (d *demo) end(ctx context.Context) error {
	releases, err := d.last.Store.Releases(ctx)
	if err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	if err := d.show.releases(d.last.Store.View(stack, releases, d.app.Now()).Releases); err != nil {
		return err
	}
	d.show.done(d.once, d.server.URL(), d.app.Now())
	if !d.once {
		<-ctx.Done()
	}
	return nil
}
