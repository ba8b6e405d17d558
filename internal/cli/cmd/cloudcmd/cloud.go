// Package cloudcmd is `evo cloud`: the embedded cloud, in the foreground or in the background, its status and its end.
package cloudcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"evo/internal/cli/app"
	"evo/internal/cli/localcloud"
	"evo/internal/cli/startup"
	"evo/internal/cloud"
)

type options struct {
	app       *app.App
	port      int
	state     string
	ephemeral bool
	speed     float64
	sync      bool
}

// New returns the command and those below it.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:   "cloud",
		Short: "Run the embedded cloud",
		Long: `Run an AWS-compatible cloud on this machine, for this machine only, until Ctrl-C or "evo cloud stop".

Clients find it through AWS_ENDPOINT_URL (evo's own commands find it by themselves). Any credentials do, such as
AWS_ACCESS_KEY_ID=local and AWS_SECRET_ACCESS_KEY=local.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.serve(cmd.Context()) },
	}
	fs := cmd.PersistentFlags()
	fs.IntVar(&o.port, "port", usualPort, "port to listen on; 0: a free one")
	fs.StringVar(&o.state, "state", "", "state directory (default: in your state folder)")
	fs.BoolVar(&o.ephemeral, "ephemeral", false, "keep all in memory")
	fs.Float64Var(&o.speed, "speed", 1, "how many times as fast as yours the cloud's clock runs")
	fs.BoolVar(&o.sync, "sync", false, "acknowledged changes survive a power cut, not only the process's end; each waits for the disk")
	cmd.AddCommand(
		&cobra.Command{Use: "start", Short: "Start the cloud in the background", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return o.start(cmd.Context()) }},
		&cobra.Command{Use: "stop", Short: "End the cloud", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return o.stop(cmd.Context()) }},
		&cobra.Command{Use: "status", Short: "Show whether the cloud runs", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return o.status(cmd.Context()) }},
	)
	return cmd
}

// usualPort is where clients look for the cloud.
const usualPort = 4566

// url returns where the cloud is: at the port, or, where none is named, at the endpoint that the other commands use.
func (o *options) url() string {
	if o.app.Endpoint != "" && o.port == usualPort {
		return o.app.Endpoint
	}
	return fmt.Sprintf("http://127.0.0.1:%d", o.port)
}

func (o *options) check() error {
	switch {
	case o.port < 0 || o.port > 65535:
		return app.Usagef("--port is from 0 to 65535, not %d", o.port)
	case o.speed <= 0:
		return app.Usagef("--speed is a positive number, not %v", o.speed)
	case o.ephemeral && o.state != "" && o.state != o.app.Env("EVO_STATE"): // the environment's is for those that keep one
		return app.Usagef("--state and --ephemeral exclude each other")
	}
	return nil
}

// serve runs the cloud until it is told to end.
func (o *options) serve(ctx context.Context) error {
	startup.Over()
	if err := o.check(); err != nil {
		return err
	}
	a := o.app
	dir := ""
	if !o.ephemeral {
		var err error
		if dir, err = o.stateDir(); err != nil {
			return err
		}
	}
	s := &cloud.Server{Addr: fmt.Sprintf("127.0.0.1:%d", o.port), StateDir: dir, Speed: o.speed, Sync: o.sync, Version: a.Version,
		Log: func(text string) { fmt.Fprintln(a.Err, text) }}
	began := time.Now()
	if err := s.Start(context.WithoutCancel(ctx)); err != nil {
		return explain(ctx, o.url(), err)
	}
	o.ready(s, dir, time.Since(began))
	debug.FreeOSMemory() // what starting took, and no request needs; of what lies free after that, the ballast need not be cleared
	ballast := make([]byte, ballastSize)
	select {
	case <-ctx.Done():
	case <-s.Done():
	}
	err := s.Close()
	runtime.KeepAlive(ballast)
	return err
}

// ballastSize is how much memory is asked for and never touched. It takes no room, but the garbage collector counts it: with a
// small state it lets some more gather before it runs, and runs often only where there is much to keep.
const ballastSize = 32 << 20

func (o *options) stateDir() (string, error) {
	if o.state != "" {
		return o.app.Path(o.state), nil
	}
	return localcloud.StateDir()
}

func (o *options) ready(s *cloud.Server, dir string, took time.Duration) {
	a := o.app
	if a.JSON() {
		_ = json.NewEncoder(a.Out).Encode(map[string]any{"type": "ready", "url": s.URL(), "state": dir, "speed": o.speed, "ms": took.Milliseconds()})
		return
	}
	where := "in memory"
	if dir != "" {
		where = dir
	}
	fmt.Fprintf(a.Err, "evo cloud is ready at %s (%d ms; state: %s; speed: %g)\n\n  export AWS_ENDPOINT_URL=%s AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\n\n",
		s.URL(), took.Milliseconds(), where, o.speed, s.URL())
}

// explain tells, where the port is taken, by whom.
func explain(ctx context.Context, url string, err error) error {
	s, getErr := localcloud.Get(ctx, url)
	if getErr != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return &app.HintedError{Err: err, HintText: "another program listens there: name another --port, and give it to the other commands as --endpoint-url or EVO_ENDPOINT_URL"}
		}
		return err
	}
	return &app.HintedError{Err: fmt.Errorf("an embedded cloud runs already at %s (process %d)", s.URL, s.PID),
		HintText: "use it as it is, end it with `evo cloud stop`, or name another --port"}
}

func (o *options) start(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	s, err := localcloud.Get(ctx, o.url())
	if err != nil && !errors.Is(err, localcloud.ErrNone) {
		return err
	}
	if err == nil {
		fmt.Fprintln(o.app.Err, "An embedded cloud runs there already; it stays as it is (`evo cloud stop` ends it)")
		return o.show(s)
	}
	args := []string{"--port", strconv.Itoa(o.port), "--speed", strconv.FormatFloat(o.speed, 'g', -1, 64)}
	if o.ephemeral {
		args = append(args, "--ephemeral")
	}
	if o.state != "" {
		args = append(args, "--state", o.app.Path(o.state))
	}
	if o.sync {
		args = append(args, "--sync")
	}
	s, err = localcloud.StartBackground(ctx, o.url(), args)
	if err != nil {
		return err
	}
	return o.show(s)
}

// stopTimeout bounds the wait for functions that end slowly.
const stopTimeout = 30 * time.Second

func (o *options) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	err := localcloud.Stop(ctx, o.url())
	if errors.Is(err, localcloud.ErrNone) {
		return o.stopped(false, "No embedded cloud runs at "+o.url())
	}
	if err == nil {
		err = o.stopped(true, "The embedded cloud has ended")
	}
	return err
}

// stopped tells whether a cloud was ended.
func (o *options) stopped(was bool, text string) error {
	if o.app.JSON() {
		return json.NewEncoder(o.app.Out).Encode(map[string]any{"url": o.url(), "stopped": was})
	}
	fmt.Fprintln(o.app.Err, text)
	return nil
}

func (o *options) status(ctx context.Context) error {
	s, err := localcloud.Get(ctx, o.url())
	if errors.Is(err, localcloud.ErrNone) {
		return &app.HintedError{Err: fmt.Errorf("no embedded cloud runs at %s", o.url()), HintText: "start one with `evo cloud start`"}
	}
	if err != nil {
		return err
	}
	return o.show(s)
}

func (o *options) show(s *localcloud.Status) error {
	a := o.app
	if a.JSON() {
		return json.NewEncoder(a.Out).Encode(s)
	}
	state := s.State
	if state == "" {
		state = "in memory"
	}
	_, err := fmt.Fprintf(a.Out, "evo %s runs at %s\n  process  %d, since %s\n  state    %s\n  clock    %s, at speed %g\n",
		s.Version, s.URL, s.PID, s.Started.Local().Format("2006-01-02 15:04:05"), state, s.Time.UTC().Format(time.RFC3339), s.Speed)
	return err
}
