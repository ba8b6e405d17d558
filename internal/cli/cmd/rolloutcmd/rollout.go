// Package rolloutcmd is `evo rollout`: how a stack's deployments stand, watching them, and stopping them.
package rolloutcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/spf13/cobra"

	"evo/internal/cli/app"
	"evo/internal/cli/ui"
	"evo/internal/engine"
	"evo/internal/observe"
	"evo/internal/view"
)

type options struct {
	app      *app.App
	stack    string
	poll     time.Duration
	observer *observe.Observer
}

// New returns the command and those below it.
func New(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "rollout", Short: "See, watch, abort or roll back a stack's traffic shifts"}
	cmd.AddCommand(
		sub(a, "status", "Show the newest deployment of each function", (*options).status),
		sub(a, "watch", "Show deployments until they have ended", (*options).watch),
		sub(a, "abort", "Stop deployments under way, leaving the weights as they are", func(o *options, ctx context.Context) error { return o.stop(ctx, false) }),
		sub(a, "rollback", "Stop deployments under way, and give all traffic back to the old version", func(o *options, ctx context.Context) error { return o.stop(ctx, true) }),
	)
	return cmd
}

func sub(a *app.App, use, short string, run func(*options, context.Context) error) *cobra.Command {
	o := &options{app: a, poll: time.Second}
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		if o.stack == "" {
			return app.Usagef("which stack? name it with --stack-name")
		}
		return run(o, cmd.Context())
	}}
	cmd.Flags().StringVar(&o.stack, "stack-name", "", "the stack")
	return cmd
}

// newest returns the newest deployment of each group of the stack; before a rollback, the one that it takes back.
func (o *options) newest(ctx context.Context) ([]*view.Rollout, error) {
	if o.observer == nil {
		cfg, err := o.app.AWS(ctx)
		if err != nil {
			return nil, err
		}
		o.observer = observe.New(cfg)
	}
	groups, err := o.observer.Groups(ctx, o.stack)
	if err != nil {
		return nil, err
	}
	all := []*view.Rollout{}
	for _, g := range groups {
		latest, err := o.observer.Latest(ctx, g, time.Time{}, 2)
		if err != nil {
			return nil, err
		}
		if len(latest) == 2 && latest[0].RollsBack == latest[1].DeploymentID {
			all = append(all, latest[1])
		}
		if len(latest) > 0 {
			all = append(all, latest[0])
		}
	}
	return all, nil
}

func (o *options) show(all []*view.Rollout) error {
	if o.app.JSON() {
		enc := json.NewEncoder(o.app.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	}
	v := &ui.Events{W: o.app.Out, Style: ui.NewStyle(o.app.Color() && o.app.OutTTY), Dir: o.app.Dir}
	for _, r := range all {
		v.Rollout(r)
	}
	return nil
}

func (o *options) status(ctx context.Context) error {
	all, err := o.newest(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintf(o.app.Err, "Stack %s has had no deployment: either none of its functions has a DeploymentPreference, or this is their first version.\n", o.stack)
	}
	return o.show(all)
}

// watch shows each change until all deployments have ended, and says by its exit code how.
func (o *options) watch(ctx context.Context) error {
	emit := (&ui.Events{W: o.app.Out, Style: ui.NewStyle(o.app.Color() && o.app.OutTTY), Dir: o.app.Dir}).Show
	if o.app.JSON() {
		emit = ui.NDJSON(o.app.Out)
	}
	last := map[string]*view.Rollout{}
	for {
		all, err := o.newest(ctx)
		if err != nil {
			return err
		}
		running, failed := 0, 0
		for _, r := range all {
			if !reflect.DeepEqual(last[r.DeploymentID], r) {
				last[r.DeploymentID] = r
				emit(engine.Event{Type: engine.TypeRollout, Rollout: r})
			}
			if !r.Done() {
				running++
			} else if r.Status != "Succeeded" {
				failed++
			}
		}
		if running == 0 {
			return ended(failed)
		}
		if err := pause(ctx, o.poll); err != nil {
			return err
		}
	}
}

func ended(failed int) error {
	if failed == 0 {
		return nil
	}
	return &app.ExitError{Code: app.ExitRolledBack, Err: fmt.Errorf("%d of the deployments did not succeed", failed)}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// giveBack clears the weights that a deployment has left which was stopped without a rollback. It returns 0 if they are gone.
func (o *options) giveBack(ctx context.Context, r *view.Rollout) (int, error) {
	cfg, err := o.app.AWS(ctx)
	if err != nil {
		return 0, err
	}
	client := lambda.NewFromConfig(cfg)
	alias, err := client.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &r.Function, Name: &r.Alias})
	if err != nil {
		return 0, fmt.Errorf("read alias %s of %s: %w", r.Alias, r.Function, err)
	}
	if alias.RoutingConfig == nil || aws.ToString(alias.FunctionVersion) != r.Old.Version {
		return 0, nil
	}
	if _, shifted := alias.RoutingConfig.AdditionalVersionWeights[r.New.Version]; !shifted {
		return 0, nil
	}
	_, err = client.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: &r.Function, Name: &r.Alias, RevisionId: alias.RevisionId,
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}}})
	if err != nil {
		return 0, fmt.Errorf("give all traffic of %s:%s back: %w", r.Function, r.Alias, err)
	}
	fmt.Fprintf(o.app.Err, "Version %s serves all traffic of %s:%s again\n", r.Old.Version, r.Function, r.Alias)
	return 1, nil
}

func (o *options) stop(ctx context.Context, rollback bool) error {
	all, err := o.newest(ctx)
	if err != nil {
		return err
	}
	stopped := 0
	for _, r := range all {
		if rollback && r.LeftShifted() {
			given, err := o.giveBack(ctx, r)
			if err != nil {
				return err
			}
			stopped += given
		}
		if r.Done() {
			continue
		}
		_, err := o.observer.CodeDeploy.StopDeployment(ctx, &codedeploy.StopDeploymentInput{
			DeploymentId: &r.DeploymentID, AutoRollbackEnabled: aws.Bool(rollback)})
		var over *cdtypes.DeploymentAlreadyCompletedException
		if errors.As(err, &over) {
			continue
		}
		if err != nil {
			return fmt.Errorf("stop deployment %s: %w", r.DeploymentID, err)
		}
		stopped++
		fmt.Fprintf(o.app.Err, "Stopping deployment %s of %s:%s\n", r.DeploymentID, r.Function, r.Alias)
	}
	if stopped == 0 {
		return fmt.Errorf("stack %s has no deployment under way", o.stack)
	}
	if !rollback {
		fmt.Fprintln(o.app.Err, "The aliases keep the weights that they have now, and later deployments fail until these are cleared; `evo rollout rollback` gives all traffic back.")
	}
	return nil
}
