// Package deploy is `evo deploy`: it packages what is local, asks CloudFormation for a change set, carries it out, and shows
// what happens, traffic shifts and rollbacks included, until all has ended.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"evo/internal/awserr"
	"evo/internal/cli/app"
	"evo/internal/cli/argv"
	"evo/internal/cli/cmd/packagecmd"
	"evo/internal/cli/cmd/validate"
	"evo/internal/cli/localurl"
	"evo/internal/cli/params"
	"evo/internal/cli/ui"
	"evo/internal/engine"
	"evo/internal/release"
	"evo/internal/view"
)

type options struct {
	app    *app.App
	upload packagecmd.Upload

	template         string
	stack            string
	releaseName      string
	capabilities     []string
	overrides        []string
	tags             []string
	notificationARNs []string
	roleARN          string
	onFailure        string
	guided           bool
	noExecute        bool
	confirm          bool
	failOnEmpty      bool
	disableRollback  bool
	maxWait          int

	noGate       bool
	noStaticGate bool
	override     string
	suiteFile    string
}

// New returns the command.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Deploy a template, and follow it until all traffic has shifted",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	fs := cmd.Flags()
	fs.StringVarP(&o.template, "template-file", "t", "", "the template (default: .aws-sam/build/template.yaml, template.yaml, …)")
	fs.StringVar(&o.stack, "stack-name", "", "the stack")
	fs.StringVar(&o.releaseName, "release-name", "", "what this release is called")
	fs.StringArrayVar(&o.capabilities, "capabilities", nil, "CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND")
	fs.StringArrayVar(&o.overrides, "parameter-overrides", nil, "parameters' values: K=V …")
	fs.StringArrayVar(&o.tags, "tags", nil, "tags of the stack and its resources: K=V …")
	fs.StringArrayVar(&o.notificationARNs, "notification-arns", nil, "SNS topics that get the stack's events")
	fs.StringVar(&o.roleARN, "role-arn", "", "role that CloudFormation works with")
	fs.StringVar(&o.onFailure, "on-failure", "ROLLBACK", "ROLLBACK, DELETE (a new stack) or DO_NOTHING")
	fs.BoolVarP(&o.guided, "guided", "g", false, "ask for what is needed, and save the answers")
	fs.BoolVar(&o.noExecute, "no-execute-changeset", false, "show the change set and stop")
	fs.BoolVar(&o.confirm, "confirm-changeset", false, "ask before the change set is carried out")
	fs.BoolVar(&o.failOnEmpty, "fail-on-empty-changeset", false, "end with exit code 6 if there is nothing to change")
	fs.BoolVar(&o.disableRollback, "disable-rollback", false, "leave a failed stack as it is")
	fs.IntVar(&o.maxWait, "max-wait-duration", 60, "how long to wait for the stack, in minutes; 0: as long as it takes")
	fs.BoolVar(&o.noGate, "no-gate", false, "deploy the template exactly as it is: no fitness hook, no release gate, no static gate")
	fs.BoolVar(&o.noStaticGate, "no-static-gate", false, "do not refuse a release that is predicted to be less fit: leave it to the release gate")
	fs.StringVar(&o.override, "override-fitness", "", "go on this once, whatever the fitness is; the reason is kept in the history")
	fs.StringVar(&o.suiteFile, "fitness-file", "", "what releases are held to (default: fitness.yaml beside the template, if it is there)")
	fs.Bool("express", false, "has no effect: evo always follows the stack to its end")
	o.upload.AddFlags(fs)
	argv.MarkList(fs, "capabilities", "parameter-overrides", "tags", "notification-arns", "signing-profiles")
	fs.SetNormalizeFunc(packagecmd.TemplateNames)
	return cmd
}

func (o *options) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	path, err := o.app.Template(o.template, true)
	if err != nil {
		return err
	}
	if o.guided {
		if err := o.guide(path); err != nil {
			return err
		}
	}
	if o.stack == "" {
		return app.Usagef("which stack? name it with --stack-name").WithHint("`evo deploy --guided` asks for what is needed")
	}
	emit := o.events()
	err = o.deploy(ctx, emit, path)
	o.result(emit, err)
	return o.outcome(err)
}

func (o *options) check() error {
	if !slices.Contains([]string{"ROLLBACK", "DELETE", "DO_NOTHING"}, o.onFailure) {
		return app.Usagef("--on-failure is ROLLBACK, DELETE or DO_NOTHING, not %q", o.onFailure)
	}
	if o.disableRollback && o.onFailure != "ROLLBACK" {
		return app.Usagef("--disable-rollback and --on-failure exclude each other")
	}
	if o.confirm && !o.noExecute && !o.app.Interactive { // before anything is made that nobody would then answer for
		return app.Usagef("nobody can be asked here whether to deploy the change set").WithHint("leave out --confirm-changeset")
	}
	return nil
}

// events returns who is told what happens: JSON goes to the results' stream, text to the other.
func (o *options) events() func(engine.Event) {
	if o.app.JSON() {
		return ui.NDJSON(o.app.Out)
	}
	v := &ui.Events{W: o.app.Err, Style: ui.NewStyle(o.app.Color()), Dir: o.app.Dir}
	return v.Show
}

func (o *options) deploy(ctx context.Context, emit func(engine.Event), path string) error {
	local, err := o.checkFiles(path)
	if err != nil {
		return err
	}
	cfg, err := o.app.AWS(ctx)
	if err != nil {
		return err
	}
	given, err := params.Overrides(o.overrides)
	if err != nil {
		return &app.UsageError{Err: err}
	}
	e := engine.New(cfg, o.located(emit, path, given))
	d, err := o.prepare(ctx, e, path, local)
	if err != nil {
		return err
	}
	deployer := o.deployer(e, cfg)
	p, err := o.plan(ctx, deployer, d, path)
	if err != nil {
		return o.orUnchanged(ctx, e, cfg, err)
	}
	if o.noExecute {
		return nil
	}
	if o.confirm {
		if ok, err := o.confirmed(); err != nil || !ok {
			return err
		}
	}
	if o.maxWait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(o.maxWait)*time.Minute, fmt.Errorf(
			"stack %s has not ended within %d minutes (--max-wait-duration); it goes on: `evo rollout watch --stack-name %s`", o.stack, o.maxWait, o.stack))
		defer cancel()
	}
	if err := deployer.Execute(ctx, p); err != nil {
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.DeadlineExceeded) {
			return cause
		}
		return err
	}
	return o.summary(ctx, e, cfg)
}

// checkFiles says what is wrong with the template and the fitness file while nothing has been made, nor even asked of a cloud. It reports
// whether the template names anything local.
func (o *options) checkFiles(path string) (local bool, err error) {
	if err := validate.Check(o.app, validate.Options{Template: path, Parameters: o.overrides, Local: true, Deployed: true}); err != nil {
		return false, err
	}
	if !o.noGate {
		if _, _, err := o.app.Suite(o.suiteFile, path); err != nil {
			return false, err
		}
	}
	return engine.HasLocal(path)
}

// prepare packages the template if anything in it is local, and reads the options about the stack.
func (o *options) prepare(ctx context.Context, e *engine.Engine, path string, local bool) (*engine.Deployment, error) {
	d := &engine.Deployment{Stack: o.stack, Capabilities: o.capabilities, RoleARN: o.roleARN, NotificationARNs: o.notificationARNs,
		DisableRollback: o.disableRollback, OnFailure: o.onFailure, ReleaseName: o.releaseName}
	var err error
	if d.Parameters, err = params.Overrides(o.overrides); err != nil {
		return nil, &app.UsageError{Err: err}
	}
	if d.Tags, err = params.Pairs("tags", o.tags); err != nil {
		return nil, &app.UsageError{Err: err}
	}
	if !local && o.upload.Bucket == "" && !o.upload.Resolve {
		return d, readInto(d, path)
	}
	if d.Bucket, err = o.upload.Where(ctx, e); err != nil {
		return nil, err
	}
	d.Template, err = e.Package(ctx, path, d.Bucket, d.Parameters)
	return d, err
}

func readInto(d *engine.Deployment, path string) (err error) {
	d.Template, _, err = app.ReadTemplate(path)
	return err
}

func (o *options) confirmed() (bool, error) {
	ok, err := o.app.Confirm("Deploy this change set?", false)
	if err == nil && !ok {
		err = &app.ExitError{Code: app.ExitFailure, Err: errors.New("not deployed")}
	}
	return ok, err
}

// orUnchanged shows the summary of a stack that is up to date.
func (o *options) orUnchanged(ctx context.Context, e *engine.Engine, cfg aws.Config, err error) error {
	var none *engine.NoChangesError
	if !errors.As(err, &none) {
		return err
	}
	if outErr := o.summary(ctx, e, cfg); outErr != nil {
		return outErr
	}
	return err
}

// summary tells the stack's outputs, and what of it does nothing where it is.
func (o *options) summary(ctx context.Context, e *engine.Engine, cfg aws.Config) error {
	outputs, err := e.Outputs(ctx, o.stack)
	if err != nil {
		return err
	}
	localurl.Add(cfg, outputs)
	if len(outputs) > 0 {
		e.Emit(engine.Event{Type: engine.TypeOutputs, Outputs: outputs})
	}
	inert, err := e.Observer.Inert(ctx, o.stack)
	if err != nil {
		return err
	}
	if len(inert) > 0 {
		e.Emit(engine.Event{Type: engine.TypeInert, Inert: inert})
	}
	return nil
}

// result ends the story.
func (o *options) result(emit func(engine.Event), err error) {
	r := &engine.Result{Status: engine.Success, Stack: o.stack}
	var failed *engine.FailedError
	var none *engine.NoChangesError
	switch {
	case errors.As(err, &none):
		r.Status = engine.Unchanged
	case errors.As(err, &failed):
		r.Status, r.State, r.Error = engine.Failure, failed.Status, awserr.Text(err)
		if failed.WasRolledBack() || release.RefusedByGate(failed) {
			r.Status = engine.RolledBack
		}
	case err != nil:
		r.Status, r.Error = engine.Failure, awserr.Text(err)
	}
	if o.app.JSON() {
		r.Hint = app.Hint(awserr.Explain(err))
		emit(engine.Event{Type: engine.TypeResult, Result: r})
		return
	}
	switch {
	case failed != nil:
		o.tellRollbacks(failed)
	case none != nil && !o.failOnEmpty:
		fmt.Fprintf(o.app.Err, "\nNo changes to deploy. Stack %s is up to date\n", o.stack)
	case err == nil && !o.noExecute:
		fmt.Fprintf(o.app.Err, "\n%s\n", ui.NewStyle(o.app.Color()).Green("Stack "+o.stack+" is deployed"))
	}
}

// tellRollbacks says why deployments were taken back and what serves now.
func (o *options) tellRollbacks(failed *engine.FailedError) {
	style := ui.NewStyle(o.app.Color())
	for _, r := range failed.RolledBack {
		if r.RollsBack != "" {
			continue
		}
		if r.LeftShifted() {
			fmt.Fprintf(o.app.Err, "\n%s %s:%s was stopped: %s\n", style.Red("✗"), r.Function, r.Alias, why(r))
			fmt.Fprintf(o.app.Err, "  version %s serves %.0f%% of its traffic, version %s the rest; `evo rollout rollback --stack-name %s` gives all of it back\n",
				r.New.Version, r.New.Weight*100, r.Old.Version, o.stack)
			continue
		}
		fmt.Fprintf(o.app.Err, "\n%s %s:%s was rolled back: %s\n", style.Red("✗"), r.Function, r.Alias, why(r))
		fmt.Fprintf(o.app.Err, "  version %s serves all of its traffic\n", r.Old.Version)
	}
}

// why gives the reason of a rollback: the hook's or the alarm's own words, else CodeDeploy's.
func why(r *view.Rollout) string {
	for _, h := range r.Hooks {
		if h.Status == "Failed" && h.Function != "" && h.Message != "" {
			return fmt.Sprintf("hook %s: %s", h.Function, h.Message)
		}
	}
	for _, a := range r.Alarms {
		if a.State == "ALARM" && a.Reason != "" {
			return fmt.Sprintf("alarm %s: %s", a.Name, a.Reason)
		}
	}
	return r.Reason
}

// outcome chooses the exit code. That there is nothing to change is an error only if asked for.
func (o *options) outcome(err error) error {
	var failed *engine.FailedError
	var none *engine.NoChangesError
	var refused *release.RefusedError
	switch {
	case errors.As(err, &refused):
		return &app.ExitError{Code: app.ExitFitness, Err: err}
	case errors.As(err, &failed) && (failed.WasRolledBack() || release.RefusedByGate(failed)):
		return &app.ExitError{Code: app.ExitRolledBack, Err: err}
	case errors.As(err, &none) && !o.failOnEmpty:
		return nil
	case errors.As(err, &none):
		return &app.ExitError{Code: app.ExitNoChanges, Err: err}
	}
	return err
}

// guide asks for what is needed, and saves the answers if wanted.
func (o *options) guide(path string) error {
	a := o.app
	if !a.Interactive {
		return app.Usagef("--guided asks, and nobody can be asked here").WithHint("name the stack and the capabilities on the command line")
	}
	g := guide{app: a, options: o, dir: filepath.Dir(path)}
	return g.run(path)
}

func trimmedFields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
}
