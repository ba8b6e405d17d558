package cloudformation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/cloud/store"
)

// apply makes the resources as the target says.
func (r *run) apply(st stack) error {
	t, err := r.s.read(st.Op.Target)
	if err != nil {
		return r.applyFailed(st, nil, map[string]error{"": err})
	}
	e := r.evaluator(t, st, nil)
	graph, err := e.Graph()
	if err != nil {
		return r.applyFailed(st, nil, map[string]error{"": err})
	}
	policy := st.policyOfUpdate()
	if kept := r.refusals(policy, gone(e, t)); len(kept) > 0 {
		return r.refused(st, kept)
	}
	if st.Op.Cancelled {
		r.giveUp()
	}
	stop := r.deadline(st)
	failures := schedule(graph.Order, graph.Needs, r.s.cfg.Parallel, func(id string) error {
		return r.applyOne(st, t, t.Resource(id), graph.Needs[id], policy)
	}, r.giveUp)
	stop()
	cancelled := false
	r.s.cfg.Store.View(func(tx *store.Tx) {
		now, _ := r.s.stacks.Get(tx, r.id)
		cancelled = now.Op != nil && now.Op.Cancelled
	})
	switch {
	case stopped(failures), r.s.ctx.Err() != nil:
		return errStopped
	case len(failures) > 0, cancelled:
		return r.applyFailed(st, graph.Order, failures)
	}
	return r.applied(st, t)
}

// deadline gives the operation up when a creation's time is over.
func (r *run) deadline(st stack) (stop func() bool) {
	if st.Op.Deadline.IsZero() {
		return func() bool { return false }
	}
	giveUp := r.giveUp
	return r.s.cfg.Clock.At(st.Op.Deadline, giveUp)
}

// evaluator works out values with what the resources are now. reads, if it is not nil, is told of every export that is read.
func (r *run) evaluator(t *cfn.Template, st stack, reads func(export string)) *cfn.Evaluator {
	env := r.s.env(st.ID, st.Name, st.Op.Target)
	env.Ref = func(id string) *cfn.Node {
		if rec, ok := r.record(id); ok && rec.Physical != "" {
			return cfn.Str(rec.ref())
		}
		return nil
	}
	env.GetAtt = func(id, attr string) (*cfn.Node, error) {
		rec, ok := r.record(id)
		if !ok || rec.Physical == "" {
			return nil, nil
		}
		return rec.attribute(attr)
	}
	env.Import = func(name string) (*cfn.Node, error) {
		if reads != nil {
			reads(name)
		}
		return r.s.imported(name)
	}
	return cfn.NewEvaluator(t, env)
}

func (r *run) record(id string) (rec resource, ok bool) {
	r.s.cfg.Store.View(func(tx *store.Tx) { rec, ok = r.s.resources.Get(tx, key(r.id, id)) })
	return rec, ok
}

// attribute reads what Fn::GetAtt asks for.
func (r *resource) attribute(name string) (*cfn.Node, error) {
	if v, ok := r.Attributes[name]; ok {
		return cfn.From(v), nil
	}
	if v := node(r.Properties).At(strings.Split(name, ".")...); v != nil && r.Recorded {
		return v, nil
	}
	if isCustom(r.Type) {
		return nil, fmt.Errorf("CustomResource attribute error: Vendor response doesn't contain %s attribute in object %s", name, r.Physical)
	}
	return nil, fmt.Errorf("Resource type %s does not support attribute {%s}.", r.Type, name)
}

// wanted is a resource as the target says.
type wanted struct {
	*cfn.Resource
	properties json.RawMessage
	metadata   json.RawMessage
	policies   json.RawMessage
	needs      []string
	tags       []tag
}

// want works out a resource's values.
func (r *run) want(st stack, t *cfn.Template, res *cfn.Resource, needs []string) (wanted, error) {
	w := wanted{Resource: res, needs: needs, tags: st.Op.Target.Tags}
	e := r.evaluator(t, st, nil)
	props, err := e.Eval(res.Properties)
	if err != nil {
		return w, err
	}
	if !cfn.Known(props) {
		for path, waits := range cfn.Unknowns(props) {
			return w, fmt.Errorf("Unable to retrieve %s for %s%s", waits, res.ID, path)
		}
	}
	if err := cfn.CheckProperties(res.Type, props); err != nil {
		return w, err
	}
	metadata, err := e.Eval(res.Metadata)
	if err != nil {
		return w, err
	}
	policies, err := policies(e, res)
	if err != nil {
		return w, err
	}
	if props == nil {
		props = cfn.Obj()
	}
	w.properties, w.metadata, w.policies = raw(props), raw(metadata), raw(policies)
	return w, nil
}

// policies gathers what is neither properties nor metadata.
func policies(e *cfn.Evaluator, res *cfn.Resource) (*cfn.Node, error) {
	all := cfn.Obj()
	for _, p := range []cfn.Pair{{Key: "CreationPolicy", Value: res.CreationPolicy}, {Key: "UpdatePolicy", Value: res.UpdatePolicy},
		{Key: "DeletionPolicy", Value: res.Deletion}, {Key: "UpdateReplacePolicy", Value: res.Replace}} {
		v, err := e.Eval(p.Value)
		if err != nil {
			return nil, err
		}
		if v != nil {
			all.Set(p.Key, v)
		}
	}
	if len(all.Pairs) == 0 {
		return nil, nil
	}
	return all, nil
}

// applyOne makes one resource as it shall be. The step is in the journal before anything is done.
func (r *run) applyOne(st stack, t *cfn.Template, res *cfn.Resource, needs []string, policy stackPolicy) error {
	if r.isCancelled() {
		return errCancelled
	}
	var before resource
	var has, retry bool
	var sp step
	r.s.cfg.Store.View(func(tx *store.Tx) {
		before, has = r.s.resources.Get(tx, key(r.id, res.ID))
		sp, retry = r.s.steps.Get(tx, stepKey(r.id, apply, res.ID))
	})
	switch sp.State {
	case done:
		return nil
	case failed:
		return errors.New(before.Reason)
	}
	w, err := r.want(st, t, res, needs)
	if !retry {
		sp = step{State: begun, Token: newUUID(), Begun: r.s.cfg.Clock.Now()}
		switch {
		case has && before.Status == types.ResourceStatusCreateFailed && before.Physical != "":
			sp.Part = &before // of a creation that failed without rollback
		case has && before.Physical != "":
			sp.Before = &before
		}
		sp.Action = r.decide(sp.Before, w)
		if err == nil {
			if why := policy.refuses(sp.Action, res.ID, before.Type); why != nil {
				return errors.Join(why, r.s.write(func(tx *store.Tx) error { r.refuse(tx, res.ID, before, why); return nil }))
			}
			err = customNamed(sp, w)
		}
	}
	sp.Target = w.properties
	if beginErr := r.begun(sp, w, retry); beginErr != nil {
		return beginErr
	}
	if sp.Action == doKeep && err == nil {
		return nil
	}
	if err != nil {
		return r.failedOne(sp, w, Result{}, errors.New(wording(err)))
	}
	result, err := r.effect(sp, w, retry)
	if err != nil {
		return r.failedOne(sp, w, result, err)
	}
	return r.madeOne(sp, w, result)
}

func (r *run) isCancelled() bool {
	select {
	case <-r.cancelled:
		return true
	default:
		return r.s.ctx.Err() != nil
	}
}

// decide tells what a resource needs.
func (r *run) decide(before *resource, w wanted) action {
	switch {
	case before == nil:
		return doCreate
	case before.Type != w.Type:
		return doReplace
	}
	old := node(before.Properties)
	changes := cfn.DiffProperties(w.Type, old, node(w.properties))
	action := doKeep
	if before.Status == types.ResourceStatusUpdateFailed {
		action = doUpdate // it may be in between
	}
	for _, c := range changes {
		action = doUpdate
		if c.Replacement == spec.Always {
			return doReplace
		}
	}
	if len(changes) > 0 {
		if h := r.s.handler(w.Type); h.Replaces != nil && h.Replaces(old, node(w.properties)) {
			return doReplace
		}
	}
	if facts, ok := spec.Lookup(w.Type); ok && facts.Tags != "" && !slices.Equal(before.Tags, w.tags) {
		action = doUpdate
	}
	return action
}

// customNamed refuses to replace a resource whose name would stay: two cannot have it.
func customNamed(sp step, w wanted) error {
	if sp.Action != doReplace || sp.Before.Type != w.Type {
		return nil
	}
	facts, ok := spec.Lookup(w.Type)
	if !ok || len(facts.Ref) != 1 {
		return nil
	}
	if _, isProperty := facts.Properties[facts.Ref[0]]; !isProperty {
		return nil
	}
	old, _ := node(sp.Before.Properties).Get(facts.Ref[0]).Scalar()
	now, _ := node(w.properties).Get(facts.Ref[0]).Scalar()
	if old == "" || old != now {
		return nil
	}
	return fmt.Errorf("CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename %s and update the stack again.", now)
}

// begun writes the step, and the event that it has begun.
func (r *run) begun(sp step, w wanted, retry bool) error {
	return r.s.write(func(tx *store.Tx) error {
		if !retry {
			r.s.steps.Put(tx, stepKey(r.id, apply, w.ID), sp)
			if sp.Part != nil {
				part := *sp.Part
				part.Stale = true
				r.leave(tx, part)
			}
		}
		if retry && sp.Action != doKeep {
			return nil
		}
		rec := resource{Logical: w.ID, Type: w.Type, Properties: w.properties, Fresh: sp.Action == doCreate}
		if sp.Before != nil {
			rec = *sp.Before
		}
		switch sp.Action {
		case doKeep: // what is not the resource's own may have changed all the same
			rec.Metadata, rec.Policies, rec.Needs, rec.Tags = w.metadata, w.policies, w.needs, w.tags
			sp.State = done
			r.s.steps.Put(tx, stepKey(r.id, apply, w.ID), sp)
			r.s.resources.Put(tx, key(r.id, w.ID), rec)
			return nil
		case doCreate:
			rec.Needs, rec.Metadata, rec.Policies = w.needs, w.metadata, w.policies
			r.put(tx, rec, types.ResourceStatusCreateInProgress, "")
		case doUpdate:
			shown := rec
			shown.Properties = w.properties
			r.put(tx, rec, types.ResourceStatusUpdateInProgress, silent)
			r.tell(tx, shown, types.ResourceStatusUpdateInProgress, "")
		case doReplace:
			shown := rec
			shown.Properties = w.properties
			const why = "Requested update requires the creation of a new physical resource; hence creating one."
			r.put(tx, rec, types.ResourceStatusUpdateInProgress, silent)
			r.tell(tx, shown, types.ResourceStatusUpdateInProgress, why)
		}
		return nil
	})
}

// silent is the reason of a change that makes no event.
const silent = "\x00"

// put writes a resource's new status, and the event of it.
func (r *run) put(tx *store.Tx, rec resource, status types.ResourceStatus, reason string) {
	rec.Status, rec.Updated = status, r.s.cfg.Clock.Now()
	rec.Reason = reason
	if reason == silent {
		rec.Reason = ""
	}
	r.s.resources.Put(tx, key(r.id, rec.Logical), rec)
	if reason != silent {
		r.tell(tx, rec, status, reason)
	}
}

// effect lets the handler do it.
func (r *run) effect(sp step, w wanted, retry bool) (Result, error) {
	h := r.s.handler(w.Type)
	req := r.request(apply, w.ID, w.Type, sp)
	req.Properties, req.StackTags, req.Retry = node(w.properties), w.tags, retry
	req.UpdatePolicy = node(w.policies).Get("UpdatePolicy")
	ctx := r.s.ctx
	if sp.Action == doUpdate {
		req.Physical, req.Attributes, req.Before = sp.Before.Physical, sp.Before.Attributes, node(sp.Before.Properties)
		return h.update(ctx, req)
	}
	return h.create(ctx, req)
}

func (r *run) request(p phase, id, kind string, sp step) *Request {
	name := ""
	r.s.cfg.Store.View(func(tx *store.Tx) {
		st, _ := r.s.stacks.Get(tx, r.id)
		name = st.Name
	})
	return &Request{StackID: r.id, StackName: name, Region: r.s.cfg.Region, Logical: id, Type: kind, Token: sp.Token, Begun: sp.Begun,
		Cancelled: r.cancelled, s: r.s, run: r, phase: p}
}

// survive makes an error of a panic: a resource that nobody has thought of must not end the cloud.
func survive(r *Request, err *error) {
	if p := recover(); p != nil {
		*err = &handlerError{fmt.Sprintf("the handler of %s failed: %v", r.Type, p), "InternalFailure"}
	}
}

func (h Handler) create(ctx context.Context, r *Request) (result Result, err error) {
	defer survive(r, &err)
	if h.Create == nil {
		return Result{}, fmt.Errorf("the resource type %s cannot be created", r.Type)
	}
	return h.Create(ctx, r)
}

func (h Handler) update(ctx context.Context, r *Request) (result Result, err error) {
	defer survive(r, &err)
	if h.Update == nil {
		return Result{Physical: r.Physical, Attributes: r.Attributes}, nil
	}
	return h.Update(ctx, r)
}

func (h Handler) delete(ctx context.Context, r *Request) (err error) {
	defer survive(r, &err)
	return h.Delete(ctx, r)
}

// madeOne writes what a resource has become.
func (r *run) madeOne(sp step, w wanted, result Result) error {
	return r.s.write(func(tx *store.Tx) error {
		rec := resource{Logical: w.ID, Type: w.Type, Physical: result.Physical, Ref: result.Ref, Properties: w.properties,
			Attributes: result.Attributes, Metadata: w.metadata, Policies: w.policies, Needs: w.needs, Tags: w.tags,
			Recorded: result.Recorded, Fresh: sp.Action == doCreate}
		told := note(w.Type, node(w.properties), result.Reason)
		sp := r.journalled(tx, apply, w.ID, sp)
		sp.State = done
		r.s.steps.Put(tx, stepKey(r.id, apply, w.ID), sp)
		if sp.Action == doUpdate || sp.Action == doReplace {
			if sp.Before.Physical != result.Physical {
				r.leave(tx, *sp.Before)
			}
			if sp.Action == doReplace {
				r.tell(tx, rec, types.ResourceStatusUpdateInProgress, "Resource creation Initiated")
			}
			r.put(tx, rec, types.ResourceStatusUpdateComplete, told)
			return nil
		}
		r.tell(tx, rec, types.ResourceStatusCreateInProgress, "Resource creation Initiated")
		r.put(tx, rec, types.ResourceStatusCreateComplete, told)
		return nil
	})
}

// journalled is the step as the journal has it, with the handler's notes.
func (r *run) journalled(tx *store.Tx, p phase, id string, sp step) step {
	if now, ok := r.s.steps.Get(tx, stepKey(r.id, p, id)); ok {
		return now
	}
	return sp
}

// failedOne writes that a resource could not be made so, and returns why.
func (r *run) failedOne(sp step, w wanted, result Result, cause error) error {
	if r.s.ctx.Err() != nil {
		return errStopped
	}
	req := r.request(apply, w.ID, w.Type, sp)
	text := reason(cause, req)
	creating := sp.Action == doCreate
	if errors.Is(cause, errCancelled) {
		text = "Resource update cancelled"
		if creating {
			text = "Resource creation cancelled"
		}
	}
	err := r.s.write(func(tx *store.Tx) error {
		rec, ok := r.s.resources.Get(tx, key(r.id, w.ID))
		if !ok {
			rec = resource{Logical: w.ID, Type: w.Type, Properties: w.properties, Needs: w.needs, Policies: w.policies, Fresh: creating}
		}
		sp := r.journalled(tx, apply, w.ID, sp)
		sp.State = failed
		status := types.ResourceStatusUpdateFailed
		switch {
		case creating:
			status = types.ResourceStatusCreateFailed
			rec.Physical = result.Physical // what was made of it must go again
		case result.Physical != "" && result.Physical != rec.Physical:
			part := rec
			part.Physical, part.Type, part.Properties = result.Physical, w.Type, w.properties
			sp.Notes = map[string]string{"part": result.Physical}
			r.leave(tx, part)
		}
		r.s.steps.Put(tx, stepKey(r.id, apply, w.ID), sp)
		r.put(tx, rec, status, text)
		return nil
	})
	if err != nil {
		return err
	}
	return errors.New(text)
}
