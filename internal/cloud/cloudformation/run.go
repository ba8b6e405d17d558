package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cloud/store"
)

// run is the goroutine of one operation.
type run struct {
	s         *Service
	id        string // the stack's
	token     string // the caller's
	finished  chan struct{}
	cancelled chan struct{} // closed when what is under way has been given up
	giveUp    func()
}

// begin starts the goroutine of a stack's operation, which is in the state.
func (s *Service) begin(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil || s.running[id] != nil {
		return
	}
	r := &run{s: s, id: id, finished: make(chan struct{})}
	r.renew()
	s.running[id] = r
	s.wg.Go(func() {
		defer func() {
			s.mu.Lock()
			delete(s.running, id)
			s.mu.Unlock()
			close(r.finished)
		}()
		r.loop()
	})
}

// renew makes a fresh signal: one that ended a phase says nothing about the next. The caller has the service's lock.
func (r *run) renew() {
	c := make(chan struct{})
	r.cancelled, r.giveUp = c, sync.OnceFunc(func() { close(c) })
}

// wait returns once no operation of the stack is under way. One that the state has and nobody works on is begun: after a
// restart a nested stack may be waited for before its own turn has come.
func (s *Service) wait(ctx context.Context, id string) error {
	for {
		s.mu.Lock()
		r := s.running[id]
		s.mu.Unlock()
		if r == nil {
			var st stack
			s.cfg.Store.View(func(tx *store.Tx) { st, _ = s.stacks.Get(tx, id) })
			if st.Op == nil || st.Op.Paused || s.ctx.Err() != nil {
				return s.ctx.Err()
			}
			s.begin(id)
			continue
		}
		select {
		case <-r.finished:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// loop goes through the phases until the operation has ended, waits to be told, or the service stops.
func (r *run) loop() {
	for {
		var st stack
		r.s.cfg.Store.View(func(tx *store.Tx) { st, _ = r.s.stacks.Get(tx, r.id) })
		if st.Op == nil || st.Op.Paused {
			return
		}
		r.token = st.Op.Token
		if err := r.phase(st); err != nil {
			return // the service stops; the state says how to go on
		}
	}
}

// phase does what is left of a phase and writes what follows it.
func (r *run) phase(st stack) error {
	switch st.Op.Phase {
	case apply:
		return r.apply(st)
	case cleanup:
		return r.cleanup(st)
	case undo:
		return r.undo(st)
	case undoCleanup:
		return r.undoCleanup(st)
	case remove:
		return r.remove(st)
	}
	return fmt.Errorf("the operation on stack %s is in an unknown phase %q", st.Name, st.Op.Phase)
}

// change writes a change of the stack and of all that f changes with it.
func (r *run) change(f func(tx *store.Tx, st *stack) error) error {
	return r.s.write(func(tx *store.Tx) error {
		st, ok := r.s.stacks.Get(tx, r.id)
		if !ok || st.Op == nil {
			return errStopped
		}
		op := *st.Op
		st.Op = &op
		if err := f(tx, &st); err != nil {
			return err
		}
		r.s.stacks.Put(tx, r.id, st)
		return nil
	})
}

// end finishes the operation with a status.
func (r *run) end(tx *store.Tx, st *stack, status types.StackStatus, reason string) {
	r.s.setStatus(tx, st, status, reason)
	st.Op = nil
	r.forget(tx)
}

// pause keeps the operation, to be gone on with when somebody says so.
func (r *run) pause(tx *store.Tx, st *stack, status types.StackStatus, reason string) {
	r.s.setStatus(tx, st, status, reason)
	st.Op.Paused = true
}

// forget clears the journal.
func (r *run) forget(tx *store.Tx) {
	for k := range r.s.steps.Prefix(tx, r.id+"|") {
		r.s.steps.Delete(tx, k)
	}
	for k := range r.s.leftovers.Prefix(tx, r.id+"|") {
		r.s.leftovers.Delete(tx, k)
	}
	r.settleFresh(tx)
}

func (r *run) settleFresh(tx *store.Tx) {
	for k, rec := range r.s.resources.Prefix(tx, r.id+"|") {
		if rec.Fresh {
			rec.Fresh = false
			r.s.resources.Put(tx, k, rec)
		}
	}
}

// carryOver makes what a failed operation has left the start of the next one: what was made stays, and what was replaced is
// still to be deleted, whatever becomes of the next.
func (r *run) carryOver(tx *store.Tx) {
	for k := range r.s.steps.Prefix(tx, r.id+"|") {
		r.s.steps.Delete(tx, k)
	}
	for k, rec := range r.s.leftovers.Prefix(tx, r.id+"|") {
		rec.Stale = true
		r.s.leftovers.Put(tx, k, rec)
	}
	r.settleFresh(tx)
}

// dropLeftovers forgets what was to be deleted because of an update that is undone.
func (r *run) dropLeftovers(tx *store.Tx) {
	for k, rec := range r.s.leftovers.Prefix(tx, r.id+"|") {
		if !rec.Stale {
			r.s.leftovers.Delete(tx, k)
		}
	}
}

// leave notes a resource that a cleanup phase deletes.
func (r *run) leave(tx *store.Tx, rec resource) {
	r.s.leftovers.Put(tx, r.id+"|"+rec.Logical+"|"+rec.Physical, rec)
}

// names of the failed resources, in the order of the template.
func failedIDs(order []string, failures map[string]error) string {
	var ids []string
	for _, id := range order {
		if failures[id] != nil {
			ids = append(ids, id)
		}
	}
	return strings.Join(ids, ", ")
}

// stopped reports whether work ended because the service stops, so that nothing must be concluded from it.
func stopped(failures map[string]error) bool {
	for _, err := range failures {
		if errors.Is(err, errStopped) {
			return true
		}
	}
	return false
}

// plan is what an apply phase works from.
type plan struct {
	order []string
	needs map[string][]string
}

// resourceOrder orders resources, under whatever keys, by what they needed when they were made.
func resourceOrder(recs map[string]resource) plan {
	p := plan{needs: map[string][]string{}}
	ids := slices.Sorted(maps.Keys(recs))
	byLogical := map[string][]string{}
	for _, id := range ids {
		byLogical[recs[id].Logical] = append(byLogical[recs[id].Logical], id)
	}
	const visiting, visited = 1, 2
	seen := map[string]int{}
	var visit func(id string)
	visit = func(id string) {
		seen[id] = visiting
		for _, logical := range recs[id].Needs {
			for _, need := range byLogical[logical] {
				if seen[need] == 0 {
					visit(need)
				}
				if seen[need] == visited { // two states of a stack may make a circle, which must not stop anything
					p.needs[id] = append(p.needs[id], need)
				}
			}
		}
		seen[id] = visited
		p.order = append(p.order, id)
	}
	for _, id := range ids {
		if seen[id] == 0 {
			visit(id)
		}
	}
	return p
}
