package release

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"evo/internal/awserr"
	"evo/internal/engine"
	"evo/internal/gate"
	"evo/internal/history"
	"evo/internal/view"
)

// Deployer deploys releases, tells their verdicts as events of its engine, and writes the history.
type Deployer struct {
	Engine *engine.Engine
	Maker  *Maker
	Static bool // ask the static gate
}

// Planned is a deployment that is ready to be carried out.
type Planned struct {
	engine.Deployment
	ChangeSet *engine.ChangeSet
	Release   *Release // nil if it is a deployment and no more, without a gate
}

// Plan makes a release of the deployment, and a change set of it. A release that the static gate refuses gives a *RefusedError, and is in the
// history; a stack that is as it should be gives a *engine.NoChangesError.
func (d *Deployer) Plan(ctx context.Context, q Request, x engine.Deployment) (*Planned, error) {
	p, err := d.plan(ctx, q, x, false)
	if err != nil || !p.Release.Unchanged {
		return p, err
	}
	// The template is the same, and yet there is something to change: a value that the template only refers to. That is a release as well.
	if err := d.Engine.Discard(ctx, p.ChangeSet); err != nil {
		return nil, err
	}
	return d.plan(ctx, q, x, true)
}

func (d *Deployer) plan(ctx context.Context, q Request, x engine.Deployment, fresh bool) (*Planned, error) {
	r, err := d.Maker.Make(ctx, q, d.Static, fresh)
	if r != nil && r.Predicted != nil {
		d.Engine.Emit(engine.Event{Type: engine.TypeFitness, Fitness: r.Predicted})
	}
	var refused *RefusedError
	if errors.As(err, &refused) {
		return nil, errors.Join(err, d.refuse(ctx, r, refused))
	}
	if err != nil {
		return nil, err
	}
	x.Template = r.Template
	if r.OwnIAM && !slices.Contains(x.Capabilities, "CAPABILITY_IAM") && !slices.Contains(x.Capabilities, "CAPABILITY_NAMED_IAM") {
		x.Capabilities = append(slices.Clone(x.Capabilities), "CAPABILITY_IAM")
	}
	cs, err := d.Engine.Plan(ctx, x)
	if err != nil {
		return nil, err
	}
	return &Planned{Deployment: x, ChangeSet: cs, Release: r}, nil
}

// refuse writes into the history that a release was not begun.
func (d *Deployer) refuse(ctx context.Context, r *Release, refused *RefusedError) error {
	now := d.Maker.Now()
	if err := r.Begin(ctx, now); err != nil {
		return err
	}
	return r.End(ctx, history.Outcome{Status: history.Refused, Finished: now.UTC(), Reason: strings.Join(refused.Fitness.Because, "; ")})
}

// Execute carries a deployment out, and writes into the history how it began and ended. One that fails gives an *engine.FailedError.
func (d *Deployer) Execute(ctx context.Context, p *Planned) error {
	if p.Release == nil {
		return d.Engine.Execute(ctx, p.ChangeSet, p.Deployment)
	}
	if err := p.Release.Begin(ctx, d.Maker.Now()); err != nil {
		var taken *history.TakenError
		if errors.As(err, &taken) { // somebody else's deployment is under way: what there is of a new stack is theirs
			return errors.Join(err, d.Engine.Forget(ctx, p.ChangeSet))
		}
		return errors.Join(err, d.Engine.Discard(ctx, p.ChangeSet))
	}
	told := false // a rollback updates the gate once more
	e := *d.Engine
	e.Emit = func(ev engine.Event) {
		d.Engine.Emit(ev)
		if atGate(ev) && !told {
			told = true
			d.tell(ctx, p.Release)
		}
	}
	err := e.Execute(ctx, p.ChangeSet, p.Deployment)
	return errors.Join(err, d.end(ctx, p.Release, err))
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
func (d *Deployer) tell(ctx context.Context, r *Release) {
	known := r.Store.Release(ctx, r.Number)
	if known.Report == nil {
		return
	}
	f := Fitness(known.Report, view.StageGate)
	f.Report = r.Store.URI(r.Number)
	d.Engine.Emit(engine.Event{Type: engine.TypeFitness, Fitness: f})
}

// end writes how the deployment ended; also after an interruption, if the stack has ended by then. One that goes on has no outcome yet.
func (d *Deployer) end(ctx context.Context, r *Release, err error) error {
	o := history.Outcome{Status: history.Succeeded, Finished: d.Maker.Now().UTC()}
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
	return r.End(ctx, o)
}

// RefusedByGate reports whether a deployment failed, and was taken back, because the release gate said no.
func RefusedByGate(failed *engine.FailedError) bool {
	return failed.Cause != nil && failed.Cause.LogicalID == gate.GateID && strings.HasSuffix(failed.Status, "ROLLBACK_COMPLETE")
}
