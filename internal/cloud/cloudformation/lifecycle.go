package cloudformation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cfn"
	"evo/internal/cloud/store"
)

// applied writes what the stack has become: its outputs, exports and imports.
func (r *run) applied(st stack, t *cfn.Template) error {
	imports := map[string]bool{}
	e := r.evaluator(t, st, func(name string) { imports[name] = true })
	outputs, err := outputs(e, t)
	if err != nil {
		return r.applyFailed(st, nil, map[string]error{"": err})
	}
	for _, res := range t.Resources {
		if on, _, _ := e.Active(res.Condition); on {
			e.Eval(res.Properties) // for the exports that it reads
		}
	}
	var conflict error
	err = r.change(func(tx *store.Tx, st *stack) error {
		before := &former{Definition: st.Definition, Outputs: st.Outputs, Imports: r.s.importsOf(tx, st.ID), Policy: st.Policy, ChangeSet: st.ChangeSet}
		if conflict = r.s.publish(tx, st.ID, outputs, imports); conflict != nil {
			return conflict
		}
		st.Outputs, st.Definition, st.ChangeSet = outputs, st.Op.Target, st.Op.ChangeSet
		if st.Op.Policy != nil {
			st.Policy = *st.Op.Policy
		}
		r.s.executed(tx, st.Op.ChangeSet, types.ExecutionStatusExecuteComplete)
		if st.Op.Kind == createStack {
			r.end(tx, st, types.StackStatusCreateComplete, "")
			return nil
		}
		r.s.setStatus(tx, st, types.StackStatusUpdateCompleteCleanupInProgress, "")
		st.Op.Phase = cleanup
		if st.Op.Held {
			st.Op.Paused, st.Op.Former = true, before
		}
		return nil
	})
	if conflict != nil {
		return r.applyFailed(st, nil, map[string]error{"": conflict})
	}
	return err
}

func outputs(e *cfn.Evaluator, t *cfn.Template) ([]output, error) {
	var outs []output
	for _, o := range t.Outputs {
		on, _, err := e.Active(o.Condition)
		if err != nil {
			return nil, err
		}
		if !on {
			continue
		}
		v, err := e.Eval(o.Value)
		if err != nil {
			return nil, fmt.Errorf("[Error] /Outputs/%s/Value: %s", o.Name, wording(err))
		}
		text, ok := v.Scalar()
		if !ok {
			return nil, fmt.Errorf("Template format error: Output %s is malformed. The Value field of every Outputs member must evaluate to a String.", o.Name)
		}
		out := output{Key: o.Name, Value: text}
		if d, err := e.Eval(o.Description); err == nil {
			out.Description, _ = d.Scalar()
		}
		if o.Export != nil {
			name, err := e.Eval(o.Export)
			if err != nil {
				return nil, err
			}
			if out.Export, _ = name.Scalar(); out.Export == "" {
				return nil, fmt.Errorf("Template format error: Output %s is malformed. The Name field of every Export member must evaluate to a String.", o.Name)
			}
		}
		outs = append(outs, out)
	}
	return outs, nil
}

// applyFailed writes why the target cannot be, and what follows: rollback, deletion, or a pause.
func (r *run) applyFailed(st stack, order []string, failures map[string]error) error {
	r.s.mu.Lock()
	r.renew()
	r.s.mu.Unlock()
	text := r.why(st, order, failures)
	return r.change(func(tx *store.Tx, st *stack) error {
		op := st.Op
		op.Failed = text
		r.s.executed(tx, op.ChangeSet, types.ExecutionStatusExecuteFailed)
		switch {
		case op.Kind == createStack && (op.NoRollback || op.OnFailure == types.OnFailureDoNothing):
			r.pause(tx, st, types.StackStatusCreateFailed, text)
		case op.Kind == createStack && op.OnFailure == types.OnFailureDelete:
			if !op.Cancelled {
				text = sentence(text) + "Delete requested by user."
			}
			r.s.setStatus(tx, st, types.StackStatusDeleteInProgress, text)
			op.Phase = remove
		case op.Kind == createStack:
			r.s.setStatus(tx, st, types.StackStatusRollbackInProgress, sentence(text)+"Rollback requested by user.")
			op.Phase = undoCleanup
		case op.NoRollback && !op.Cancelled:
			r.pause(tx, st, types.StackStatusUpdateFailed, text)
		default:
			r.startUndo(tx, st, text)
		}
		return nil
	})
}

// sentence ends a text, so that another can follow.
func sentence(text string) string {
	return strings.TrimSuffix(strings.TrimSpace(text), ".") + ". "
}

// startUndo turns an update around.
func (r *run) startUndo(tx *store.Tx, st *stack, text string) {
	r.s.setStatus(tx, st, types.StackStatusUpdateRollbackInProgress, text)
	st.Op.Phase, st.Op.Paused = undo, false
	r.dropLeftovers(tx) // they were to go because of what is now undone
	if before := st.Op.Former; before != nil {
		st.Definition, st.Outputs, st.Policy, st.ChangeSet = before.Definition, before.Outputs, before.Policy, before.ChangeSet
		if err := r.s.publish(tx, st.ID, before.Outputs, before.Imports); err != nil {
			st.Reason += " " + err.Error() // somebody has taken the name, or uses what goes: the rollback goes on all the same
		}
		st.Op.Former = nil
	}
}

// why words a failure for the stack's event.
func (r *run) why(st stack, order []string, failures map[string]error) string {
	if err := failures[""]; err != nil {
		return wording(err)
	}
	now := r.s.cfg.Clock.Now()
	var cancelled bool
	var creates, updates []string
	r.s.cfg.Store.View(func(tx *store.Tx) {
		if s, ok := r.s.stacks.Get(tx, r.id); ok && s.Op != nil {
			cancelled = s.Op.Cancelled
		}
		for _, id := range order {
			if failures[id] == nil {
				continue
			}
			if rec, _ := r.s.resources.Get(tx, key(r.id, id)); rec.Status == types.ResourceStatusUpdateFailed {
				updates = append(updates, id)
			} else if rec.Status == types.ResourceStatusCreateFailed {
				creates = append(creates, id)
			}
		}
	})
	if cancelled {
		return "User Initiated"
	}
	if d := st.Op.Deadline; !d.IsZero() && !now.Before(d) {
		return "Stack creation time exceeded the specified timeout. "
	}
	text := ""
	if len(creates) > 0 {
		text += fmt.Sprintf("The following resource(s) failed to create: [%s]. ", strings.Join(creates, ", "))
	}
	if len(updates) > 0 {
		text += fmt.Sprintf("The following resource(s) failed to update: [%s]. ", strings.Join(updates, ", "))
	}
	return text
}

// cleanup deletes what the target has no more: replaced resources, and those that are not in it.
func (r *run) cleanup(st stack) error {
	t, err := r.s.read(st.Op.Target)
	if err != nil {
		return fmt.Errorf("read the template that was just applied: %w", err)
	}
	if err := r.releaseNested(); err != nil {
		return err
	}
	failures := r.deleteAll(cleanup, gone(r.evaluator(t, st, nil), t))
	if stopped(failures) {
		return errStopped
	}
	return r.change(func(tx *store.Tx, st *stack) error {
		r.end(tx, st, types.StackStatusUpdateComplete, "")
		return nil
	})
}

// gone tells of a resource whether a template has it no more.
func gone(e *cfn.Evaluator, t *cfn.Template) func(resource) bool {
	return func(rec resource) bool {
		res := t.Resource(rec.Logical)
		if res == nil {
			return true
		}
		on, known, _ := e.Active(res.Condition)
		return known && !on
	}
}

// deleteAll deletes the leftovers and the resources that gone selects, what was made last first.
func (r *run) deleteAll(p phase, gone func(resource) bool) map[string]error {
	items := map[string]resource{} // by logical id; leftovers with their physical id
	leftover := map[string]bool{}
	r.s.cfg.Store.View(func(tx *store.Tx) {
		for id, rec := range r.s.resourcesOf(tx, r.id) {
			if gone(rec) {
				items[id] = rec
			}
		}
		for k, rec := range r.s.leftovers.Prefix(tx, r.id+"|") {
			id := strings.TrimPrefix(k, r.id+"|")
			items[id], leftover[id] = rec, true
		}
	})
	pl := resourceOrder(items)
	order, needs := reversed(pl.order, pl.needs)
	return schedule(order, needs, r.s.cfg.Parallel, func(id string) error {
		return r.deleteOne(p, id, items[id], leftover[id])
	}, nil)
}

// kept reports whether a policy keeps a resource that goes out of the stack.
func (r *run) kept(p phase, rec resource, leftover bool, retain []string) bool {
	policy := rec.policy("DeletionPolicy")
	if leftover {
		policy = rec.policy("UpdateReplacePolicy")
	}
	return policy == "Retain" || policy == "RetainExceptOnCreate" && !(rec.Fresh && p == undoCleanup) || slices.Contains(retain, rec.Logical)
}

// deleteOne deletes one resource.
func (r *run) deleteOne(p phase, id string, rec resource, leftover bool) error {
	k := stepKey(r.id, p, rec.Logical+"|"+rec.Physical)
	var sp step
	var retry, force, dropNew bool
	var retain []string
	r.s.cfg.Store.View(func(tx *store.Tx) {
		sp, retry = r.s.steps.Get(tx, k)
		if st, ok := r.s.stacks.Get(tx, r.id); ok && st.Op != nil {
			retain, force, dropNew = st.Op.Retain, st.Op.Force, st.Op.DropNew
		}
	})
	if r.kept(p, rec, leftover, retain) && !(dropNew && rec.Fresh && p == undoCleanup) {
		return r.s.write(func(tx *store.Tx) error {
			r.tell(tx, rec, types.ResourceStatusDeleteSkipped, "")
			r.drop(tx, p, id, rec, leftover, types.ResourceStatusDeleteSkipped)
			return nil
		})
	}
	if !retry {
		sp = step{Action: doDelete, State: begun, Token: newUUID(), Begun: r.s.cfg.Clock.Now()}
		err := r.s.write(func(tx *store.Tx) error {
			r.s.steps.Put(tx, k, sp)
			if rec.Physical != "" {
				r.putDeleted(tx, rec, leftover, types.ResourceStatusDeleteInProgress, "")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := r.deleteEffect(p, rec, sp, retry); err != nil && !force {
		return r.deleteFailed(p, rec, sp, leftover, err)
	}
	if r.s.ctx.Err() != nil {
		return errStopped
	}
	return r.s.write(func(tx *store.Tx) error {
		r.tell(tx, rec, types.ResourceStatusDeleteComplete, "")
		r.drop(tx, p, id, rec, leftover, types.ResourceStatusDeleteComplete)
		r.s.steps.Delete(tx, k)
		return nil
	})
}

func (r *run) deleteEffect(p phase, rec resource, sp step, retry bool) error {
	h := r.s.handler(rec.Type)
	if rec.Physical == "" || h.Delete == nil {
		return nil
	}
	req := r.request(p, rec.Logical, rec.Type, sp)
	req.Physical, req.Properties, req.Attributes, req.StackTags, req.Retry = rec.Physical, node(rec.Properties), rec.Attributes, rec.Tags, retry
	req.Rollback, req.Cancelled = p == undoCleanup, nil
	err := h.delete(r.s.ctx, req)
	if err != nil && missing(err) {
		return nil
	}
	return err
}

func (r *run) deleteFailed(p phase, rec resource, sp step, leftover bool, cause error) error {
	if r.s.ctx.Err() != nil {
		return errStopped
	}
	text := reason(cause, r.request(p, rec.Logical, rec.Type, sp))
	err := r.s.write(func(tx *store.Tx) error {
		r.putDeleted(tx, rec, leftover, types.ResourceStatusDeleteFailed, text)
		r.s.steps.Delete(tx, stepKey(r.id, p, rec.Logical+"|"+rec.Physical))
		return nil
	})
	if err != nil {
		return err
	}
	return errors.New(text)
}

// putDeleted writes the status of a resource that goes; a leftover's has no place but in the event.
func (r *run) putDeleted(tx *store.Tx, rec resource, leftover bool, status types.ResourceStatus, reason string) {
	if leftover {
		r.tell(tx, rec, status, reason)
		return
	}
	r.put(tx, rec, status, reason)
}

// drop takes a deleted resource out of the state. A deleted stack still shows what it had.
func (r *run) drop(tx *store.Tx, p phase, id string, rec resource, leftover bool, status types.ResourceStatus) {
	switch {
	case leftover:
		r.s.leftovers.Delete(tx, r.id+"|"+id)
	case p == cleanup:
		r.s.resources.Delete(tx, key(r.id, id))
	case p == undoCleanup:
		st, _ := r.s.stacks.Get(tx, r.id)
		if st.Op != nil && st.Op.Kind == updateStack {
			r.s.resources.Delete(tx, key(r.id, id))
			return
		}
		fallthrough
	default:
		r.put(tx, rec, status, silent)
	}
}

// undo changes back what an update has changed.
func (r *run) undo(st stack) error {
	before := map[string]resource{}
	steps := map[string]step{}
	r.s.cfg.Store.View(func(tx *store.Tx) {
		prefix := stepKey(r.id, apply, "")
		for k, sp := range r.s.steps.Prefix(tx, prefix) {
			if sp.Before != nil {
				id := strings.TrimPrefix(k, prefix)
				before[id], steps[id] = *sp.Before, sp
			}
		}
	})
	pl := resourceOrder(before)
	failures := schedule(pl.order, pl.needs, r.s.cfg.Parallel, func(id string) error {
		if slices.Contains(st.Op.Skip, id) {
			return nil
		}
		return r.undoOne(id, steps[id])
	}, nil)
	if stopped(failures) || r.s.ctx.Err() != nil {
		return errStopped
	}
	return r.change(func(tx *store.Tx, st *stack) error {
		if len(failures) > 0 {
			for k := range r.s.steps.Prefix(tx, stepKey(r.id, undo, "")) {
				if sp, _ := r.s.steps.Get(tx, k); sp.State != done {
					r.s.steps.Delete(tx, k) // to be tried afresh
				}
			}
			r.pause(tx, st, types.StackStatusUpdateRollbackFailed, fmt.Sprintf("The following resource(s) failed to update: [%s]. ", failedIDs(pl.order, failures)))
			return nil
		}
		r.s.setStatus(tx, st, types.StackStatusUpdateRollbackCompleteCleanupInProgress, "")
		st.Op.Phase = undoCleanup
		return nil
	})
}

// undoOne brings one resource back to what it was.
func (r *run) undoOne(id string, applied step) error {
	var now resource
	var sp step
	var retry bool
	k := stepKey(r.id, undo, id)
	r.s.cfg.Store.View(func(tx *store.Tx) {
		now, _ = r.s.resources.Get(tx, key(r.id, id))
		sp, retry = r.s.steps.Get(tx, k)
	})
	before := *applied.Before
	if sp.State == done {
		return nil
	}
	if applied.Action != doUpdate {
		return r.restore(k, now, before, applied)
	}
	if !retry {
		sp = step{Action: doUpdate, State: begun, Token: newUUID(), Begun: r.s.cfg.Clock.Now()}
		if err := r.s.write(func(tx *store.Tx) error {
			r.s.steps.Put(tx, k, sp)
			r.put(tx, now, types.ResourceStatusUpdateInProgress, "")
			return nil
		}); err != nil {
			return err
		}
	}
	req := r.request(undo, id, before.Type, sp)
	req.Physical, req.Attributes, req.Before, req.Properties = now.Physical, now.Attributes, node(applied.Target), node(before.Properties)
	req.StackTags, req.UpdatePolicy, req.Rollback, req.Retry = before.Tags, node(before.Policies).Get("UpdatePolicy"), true, retry
	req.Cancelled = nil // a rollback goes through
	result, err := r.s.handler(before.Type).update(r.s.ctx, req)
	if r.s.ctx.Err() != nil {
		return errStopped
	}
	if err != nil {
		text := reason(err, req)
		return errors.Join(errors.New(text), r.s.write(func(tx *store.Tx) error {
			r.put(tx, now, types.ResourceStatusUpdateFailed, text)
			return nil
		}))
	}
	return r.s.write(func(tx *store.Tx) error {
		if result.Physical != now.Physical {
			r.leave(tx, now)
		}
		before.Physical, before.Ref, before.Attributes = result.Physical, result.Ref, result.Attributes
		sp.State = done
		r.s.steps.Put(tx, k, sp)
		r.put(tx, before, types.ResourceStatusUpdateComplete, "")
		return nil
	})
}

// restore puts the resource that was back into the stack: it is still there. What took its place is left to be deleted.
func (r *run) restore(k string, now, before resource, applied step) error {
	return r.s.write(func(tx *store.Tx) error {
		r.s.steps.Put(tx, k, step{Action: applied.Action, State: done})
		if applied.Action == doKeep {
			r.s.resources.Put(tx, key(r.id, before.Logical), before)
			return nil
		}
		if part := applied.Notes["part"]; part != "" {
			now.Physical, now.Properties = part, applied.Target
		}
		if now.Physical != before.Physical {
			now.Policies = nil // made by the update that is undone: nothing keeps it
			r.leave(tx, now)
		}
		r.put(tx, before, types.ResourceStatusUpdateInProgress, "")
		r.put(tx, before, types.ResourceStatusUpdateComplete, "")
		return nil
	})
}

// undoCleanup deletes what a failed operation has made.
func (r *run) undoCleanup(st stack) error {
	failures := r.deleteAll(undoCleanup, func(rec resource) bool { return rec.Fresh && !isDeleted(rec) })
	if stopped(failures) || r.s.ctx.Err() != nil {
		return errStopped
	}
	if st.Op.Kind == updateStack { // what is held still is of an earlier update, which is not taken back any more
		if err := r.releaseNested(); err != nil {
			return err
		}
	}
	return r.change(func(tx *store.Tx, st *stack) error {
		switch {
		case st.Op.Kind == updateStack:
			r.end(tx, st, types.StackStatusUpdateRollbackComplete, "")
		case len(failures) > 0:
			st.Deleted = r.s.cfg.Clock.Now()
			r.end(tx, st, types.StackStatusRollbackFailed, fmt.Sprintf("The following resource(s) failed to delete: [%s]. ", sortedIDs(failures)))
		default:
			st.Deleted = r.s.cfg.Clock.Now() // AWS notes it for what was rolled back, too
			r.end(tx, st, types.StackStatusRollbackComplete, "")
		}
		return nil
	})
}

func isDeleted(rec resource) bool {
	return rec.Status == types.ResourceStatusDeleteComplete || rec.Status == types.ResourceStatusDeleteSkipped
}

func sortedIDs(failures map[string]error) string {
	return strings.Join(slices.Sorted(maps.Keys(failures)), ", ")
}

// remove deletes everything.
func (r *run) remove(st stack) error {
	failures := r.deleteAll(remove, func(rec resource) bool { return !isDeleted(rec) })
	if stopped(failures) || r.s.ctx.Err() != nil {
		return errStopped
	}
	return r.change(func(tx *store.Tx, st *stack) error {
		if len(failures) > 0 {
			r.end(tx, st, types.StackStatusDeleteFailed, fmt.Sprintf("The following resource(s) failed to delete: [%s]. ", sortedIDs(failures)))
			return nil
		}
		r.s.publish(tx, st.ID, nil, nil)
		r.s.names.Delete(tx, st.Name)
		st.Deleted = r.s.cfg.Clock.Now()
		st.Outputs = nil
		for k, cs := range r.s.changeSets.Prefix(tx, st.ID+"|") {
			if cs.Execution != types.ExecutionStatusExecuteComplete {
				r.s.changeSets.Delete(tx, k)
			}
		}
		r.end(tx, st, types.StackStatusDeleteComplete, "")
		return nil
	})
}
