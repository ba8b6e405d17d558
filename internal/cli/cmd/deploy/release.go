package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/awserr"
	"evo/internal/cli/app"
	"evo/internal/engine"
	"evo/internal/fitness/suitefile"
	"evo/internal/gate"
	"evo/internal/history"
	"evo/internal/hook/program"
	"evo/internal/release"
	"evo/internal/view"
)

// releasing is the deployment of a release; without a gate it is a deployment and no more.
type releasing struct {
	app     *app.App
	release *release.Release // nil without a gate
	told    bool             // the gate's verdict
}

// plan makes a release of the deployment, unless there is to be no gate, and a change set of it.
func (o *options) plan(ctx context.Context, e *engine.Engine, cfg aws.Config, d *engine.Deployment, path string) (*releasing, *engine.ChangeSet, error) {
	r := &releasing{app: o.app}
	if o.noGate {
		cs, err := e.Plan(ctx, *d)
		return r, cs, err
	}
	maker := &release.Maker{CloudFormation: e.CloudFormation, S3: e.S3, Region: cfg.Region, Machine: o.machine(), Now: o.app.Now}
	q, err := o.request(ctx, e, d, path)
	if err != nil {
		return nil, nil, err
	}
	cs, err := r.make(ctx, o, e, maker, q, d, false)
	if err != nil || !r.release.Unchanged {
		return r, cs, err
	}
	// The template is the same, and yet there is something to change: a value that the template only refers to. That is a release as well.
	if err := e.Discard(ctx, cs); err != nil {
		return nil, nil, err
	}
	cs, err = r.make(ctx, o, e, maker, q, d, true)
	return r, cs, err
}

// make makes the release and plans it.
func (r *releasing) make(ctx context.Context, o *options, e *engine.Engine, m *release.Maker, q release.Request, d *engine.Deployment, fresh bool) (*engine.ChangeSet, error) {
	var err error
	r.release, err = m.Make(ctx, q, !o.noStaticGate, fresh)
	if r.release != nil && r.release.Predicted != nil {
		e.Emit(engine.Event{Type: engine.TypeFitness, Fitness: r.release.Predicted})
	}
	var refused *release.RefusedError
	if errors.As(err, &refused) {
		return nil, errors.Join(err, r.refused(ctx, refused))
	}
	if err != nil {
		return nil, err
	}
	gated := *d
	gated.Template = r.release.Template
	if r.release.OwnIAM && !slices.Contains(gated.Capabilities, "CAPABILITY_IAM") && !slices.Contains(gated.Capabilities, "CAPABILITY_NAMED_IAM") {
		gated.Capabilities = append(slices.Clone(gated.Capabilities), "CAPABILITY_IAM")
	}
	*d = gated
	return e.Plan(ctx, gated)
}

// refused writes into the history that a release was not begun.
func (r *releasing) refused(ctx context.Context, refused *release.RefusedError) error {
	now := r.app.Now()
	if err := r.release.Begin(ctx, now); err != nil {
		return err
	}
	return r.release.End(ctx, history.Outcome{Status: history.Refused, Finished: now.UTC(), Reason: strings.Join(refused.Fitness.Because, "; ")})
}

// machine is the kind that functions run on: Lambda's, or for the embedded cloud this one.
func (o *options) machine() program.Machine {
	if o.app.Target == app.TargetAWS {
		return program.ForAWS()
	}
	return program.Here()
}

func (o *options) request(ctx context.Context, e *engine.Engine, d *engine.Deployment, path string) (release.Request, error) {
	q := release.Request{Stack: d.Stack, Name: d.ReleaseName, Override: o.override, Template: d.Template, File: path, Parameters: d.Parameters, Bucket: d.Bucket.Name, Prefix: d.Bucket.Prefix}
	if q.Bucket == "" {
		var err error
		if q.Bucket, err = e.ManagedBucket(ctx); err != nil {
			return q, err
		}
	}
	if strings.Contains(filepath.ToSlash(path), ".aws-sam/build/") {
		if info, err := os.Stat(path); err == nil {
			q.Built = info.ModTime()
		}
	}
	var err error
	q.SuiteFile, q.Suite, err = o.suite(path)
	return q, err
}

// suite reads the fitness.yaml: the one named, else one beside the template or in the working directory.
func (o *options) suite(template string) (string, []byte, error) {
	candidates := []string{filepath.Join(filepath.Dir(template), suitefile.Name), o.app.Path(suitefile.Name)}
	if o.suiteFile != "" {
		candidates = []string{o.app.Path(o.suiteFile)}
	}
	for _, name := range candidates {
		text, err := os.ReadFile(name)
		switch {
		case err == nil:
			return name, text, nil
		case o.suiteFile != "" || !errors.Is(err, fs.ErrNotExist):
			return "", nil, (&app.UsageError{Err: fmt.Errorf("read the fitness file: %w", err)}).WithHint("`evo fitness init` writes one")
		}
	}
	return "", nil, nil
}

// execute carries the change set out, and writes into the history how that began and ended.
func (r *releasing) execute(ctx context.Context, e *engine.Engine, cs *engine.ChangeSet, d engine.Deployment) error {
	if r.release == nil {
		return e.Execute(ctx, cs, d)
	}
	if err := r.release.Begin(ctx, r.app.Now()); err != nil {
		var taken *history.TakenError
		if errors.As(err, &taken) {
			return errors.Join(err, e.Forget(ctx, cs))
		}
		return errors.Join(err, e.Discard(ctx, cs))
	}
	told := *e
	told.Emit = func(ev engine.Event) {
		e.Emit(ev)
		if atGate(ev) && !r.told { // a rollback updates the gate once more
			r.told = true
			r.tell(ctx, e)
		}
	}
	err := told.Execute(ctx, cs, d)
	return errors.Join(err, r.end(ctx, err))
}

// atGate reports whether an event is the release gate's verdict.
func atGate(ev engine.Event) bool {
	if ev.Stack == nil || ev.Stack.LogicalID != gate.GateID {
		return false
	}
	switch ev.Stack.Status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED":
		return true
	}
	return false
}

// tell tells the gate's verdict. That it cannot be read is told with the history, not here.
func (r *releasing) tell(ctx context.Context, e *engine.Engine) {
	known := r.release.Store.Release(ctx, r.release.Number)
	if known.Report == nil {
		return
	}
	f := release.Fitness(known.Report, view.StageGate)
	f.Report = r.release.Store.URI(r.release.Number)
	e.Emit(engine.Event{Type: engine.TypeFitness, Fitness: f})
}

// end writes how the deployment ended; also after an interruption, if the stack has ended by then. One that goes on has no outcome yet.
func (r *releasing) end(ctx context.Context, err error) error {
	o := history.Outcome{Status: history.Succeeded, Finished: r.app.Now().UTC()}
	var failed *engine.FailedError
	var notBegun *engine.NotBegunError
	switch {
	case errors.As(err, &notBegun):
		o.Reason, o.Status = awserr.Text(err), history.Refused
	case errors.As(err, &failed):
		o.Reason, o.Status = failed.Error(), history.Failed
		if strings.HasSuffix(failed.Status, "ROLLBACK_COMPLETE") {
			o.Status = history.RolledBack
		}
	case err != nil:
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return r.release.End(ctx, o)
}

// refusedByGate reports whether the release gate said no.
func refusedByGate(failed *engine.FailedError) bool {
	return failed.Cause != nil && failed.Cause.LogicalID == gate.GateID && strings.HasSuffix(failed.Status, "ROLLBACK_COMPLETE")
}
