package codedeploy

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"evo/internal/cloud/store"
	"evo/internal/rollout"
)

// pollInterval is how often the alarms of a running deployment are read.
const pollInterval = 5 * time.Second

// runner is the goroutine of one deployment.
type runner struct {
	kick chan struct{} // the state has changed by another's hand
	done chan struct{} // closed when it has ended
}

// launch starts the goroutine of a deployment, unless it has one. Only one deployment of a group does anything at a time: a
// rollback waits until the last effect of the deployment that it undoes has ended.
func (s *Service) launch(d deployment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := d.State.ID
	if s.closed || s.runners[id] != nil {
		return
	}
	r := &runner{kick: make(chan struct{}, 1), done: make(chan struct{})}
	previous := s.last[d.GroupID]
	s.runners[id], s.last[d.GroupID] = r, r
	s.wg.Go(func() {
		defer s.retire(id, r)
		if previous != nil {
			select {
			case <-previous.done:
			case <-s.ctx.Done():
				return
			}
		}
		s.run(s.ctx, r, id)
	})
}

func (s *Service) retire(id string, r *runner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.runners, id)
	close(r.done)
}

// wake lets a deployment's goroutine look at the state again.
func (s *Service) wake(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.runners[id]; r != nil {
		select {
		case r.kick <- struct{}{}:
		default:
		}
	}
}

// run carries a deployment on until it ends or ctx does. It keeps nothing of its own but when the alarms were last read:
// all else is in the stored state, so that it may be cut off anywhere.
func (s *Service) run(ctx context.Context, r *runner, id string) {
	var polled time.Time
	for ctx.Err() == nil {
		d, ok := s.load(id)
		if !ok || d.State.Status.Terminal() {
			return
		}
		st, now := d.State, s.cfg.Clock.Now()
		next := st.Wake()
		if st.Watches() {
			if poll := polled.Add(pollInterval); poll.Before(next) {
				next = poll
			}
		}
		var fact rollout.Fact
		switch {
		case st.Watches() && !now.Before(polled.Add(pollInterval)):
			polled = now
			if fact = s.readAlarms(ctx, st.Alarms); fact == nil {
				continue
			}
		case st.Status == rollout.Created:
			fact = s.groupGone(d)
		case st.Pending != nil && !st.Retry.After(now):
			fact = s.do(ctx, st, *st.Pending)
		case now.Before(next):
			s.wait(ctx, r, next)
			continue
		}
		if ctx.Err() != nil {
			return // what the effect came to is not known: whoever resumes finds out
		}
		if _, _, err := s.observe(ctx, id, fact); err != nil {
			return // the store has failed, and with it the cloud
		}
	}
}

func (s *Service) load(id string) (d deployment, ok bool) {
	s.cfg.Store.View(func(tx *store.Tx) { d, ok = s.deployments.Get(tx, id) })
	return d, ok
}

func (s *Service) wait(ctx context.Context, r *runner, until time.Time) {
	due := make(chan struct{})
	stop := s.cfg.Clock.At(until, func() { close(due) })
	defer stop()
	select {
	case <-due:
	case <-r.kick:
	case <-ctx.Done():
	}
}

// groupGone tells whether a deployment that has not begun has lost its group or application meanwhile.
func (s *Service) groupGone(d deployment) (fact rollout.Fact) {
	s.cfg.Store.View(func(tx *store.Tx) {
		if _, ok := s.applications.Get(tx, d.Application); !ok {
			fact = rollout.GroupGone{Application: true}
		} else if g, ok := s.groups.Get(tx, d.Application+"/"+d.Group); !ok || g.ID != d.GroupID {
			fact = rollout.GroupGone{}
		}
	})
	return fact
}

// observe lets rollout decide on a fact and stores what it decided; a rollback is made in the same transaction as the end
// of the deployment that it undoes. It returns the deployment before and after.
func (s *Service) observe(ctx context.Context, id string, fact rollout.Fact) (before, after deployment, err error) {
	var rollback *deployment
	if err := s.note(false); err != nil {
		return before, after, err
	}
	err = s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if before, err = s.deployment(tx, &id); err != nil {
			return err
		}
		after = before
		var actions []rollout.Action
		var reason string
		after.State, actions, reason = rollout.Decide(before.State, rollout.Observation{Now: s.cfg.Clock.Now(), Fact: fact})
		if reason == "" {
			return nil
		}
		for _, a := range actions {
			if a.Kind == rollout.RollBack {
				rollback = s.newRollback(&after)
			}
		}
		s.deployments.Put(tx, id, after)
		s.settle(tx, after, rollback)
		return nil
	})
	if err == nil {
		err = s.note(true)
	}
	if err != nil {
		return before, after, err
	}
	s.wake(id)
	s.notify(before, after)
	if rollback != nil {
		s.launch(*rollback)
	}
	return before, after, nil
}

func (s *Service) note(after bool) error {
	if s.journaled == nil {
		return nil
	}
	return s.journaled(after)
}

// newRollback returns the deployment that undoes d, and notes it in d.
func (s *Service) newRollback(d *deployment) *deployment {
	id, st := s.newDeploymentID(), d.State
	b := &deployment{
		State: rollout.Undo(st, id, s.cfg.Clock.Now()), Application: d.Application, Group: d.Group, GroupID: d.GroupID,
		ConfigName: lambdaAllAtOnce, Creator: types.DeploymentCreatorCodeDeployRollback, Previous: d.Previous, AutoRollback: d.AutoRollback,
		Revision: rollbackRevision(appSpec{Function: st.Function, Alias: st.Alias, Current: st.Current, Target: st.Target}),
	}
	d.State.UndoneBy, d.State.Undoable = id, false
	return b
}

// settle notes in the group what became of a deployment that has ended, and writes the rollback that follows it.
func (s *Service) settle(tx *store.Tx, d deployment, rollback *deployment) {
	if !d.State.Status.Terminal() {
		return
	}
	g, ok := s.groups.Get(tx, d.Application+"/"+d.Group)
	ok = ok && g.ID == d.GroupID // else it was deleted meanwhile, and perhaps another of its name was made
	if ok {
		if g.Active == d.State.ID {
			g.Active = ""
		}
		g.Attempted = d.last()
		if d.State.Status == rollout.Succeeded {
			g.Succeeded, g.Target = d.last(), &d.Revision
		}
		s.groups.Put(tx, g.key(), g)
	}
	switch {
	case rollback == nil:
	case ok:
		s.add(tx, g, *rollback)
	default: // undone all the same
		rollback.Serial = s.deployments.Len(tx) + 1
		s.deployments.Put(tx, rollback.State.ID, *rollback)
	}
}

// notify tells of a change of state that others listen for.
func (s *Service) notify(before, after deployment) {
	from, to := before.State.Status, after.State.Status
	name := map[rollout.Status]string{rollout.InProgress: "START", rollout.Succeeded: "SUCCESS", rollout.Failed: "FAILURE", rollout.Stopped: "STOP"}[to]
	if s.cfg.Notify == nil || from == to || name == "" {
		return
	}
	var triggers []types.TriggerConfig
	key := after.Application + "/" + after.Group
	s.cfg.Store.View(func(tx *store.Tx) {
		if g, ok := s.groups.Get(tx, key); ok {
			triggers = g.Triggers
		}
	})
	s.cfg.Notify(StateChange{
		Time: after.State.Updated, Region: s.cfg.Region, Application: after.Application, Group: after.Group, GroupID: after.GroupID,
		Deployment: after.State.ID, State: name, Failure: after.State.Failure, Triggers: triggers,
		Resources: []string{s.arn("application", after.Application), s.arn("deploymentgroup", key)},
	})
}
