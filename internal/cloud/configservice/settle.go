package configservice

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"evo/internal/cloud/store"
	"evo/internal/rules"
)

// change is what has become of one resource.
type change struct {
	key    resourceKey
	item   item // its newest; of one that is there, or was
	before *Resource
}

// turn is one round of recording and evaluating, before it is written.
type turn struct {
	now     time.Time
	records bool // the recorder is on
	changes map[resourceKey]change
	results map[string]*result // by place; nil: to be deleted
	status  map[string]status  // by rule
	calls   []invocation
}

// settle records what has changed, and evaluates what is to be evaluated. When it returns, what was changed before it was called has
// been judged by the managed rules, and the functions of custom rules have been told.
func (s *Service) settle() error {
	s.settling.Lock()
	defer s.settling.Unlock()
	if s.ctx.Err() != nil {
		return errors.New("the service has stopped")
	}
	s.mu.Lock()
	dirty := s.dirty
	s.dirty = map[string]bool{}
	if s.wake != nil {
		s.wake()
		s.wake = nil
	}
	s.mu.Unlock()
	err := s.settleDirty(dirty)
	if err != nil { // nothing was written: what was dirty still is
		s.mu.Lock()
		maps.Copy(s.dirty, dirty)
		s.mu.Unlock()
		return err
	}
	s.call()
	s.armPeriod()
	return nil
}

func (s *Service) settleDirty(dirty map[string]bool) error {
	var active []rule
	var recorder recorder
	statuses := map[string]status{}
	s.Store.View(func(tx *store.Tx) {
		recorder, _ = s.recorder(tx)
		active = s.active(tx)
		for _, r := range active {
			if st, ok := s.status.Get(tx, r.name()); ok {
				statuses[r.name()] = st
			}
		}
	})
	t := &turn{now: s.Clock.Now(), records: recorder.Recording, changes: map[resourceKey]change{}, results: map[string]*result{}, status: map[string]status{}}
	if err := s.look(t, dirty, recorder); err != nil {
		return err
	}
	for _, r := range active {
		st, ok := statuses[r.name()]
		if !ok {
			st = status{Activated: t.now, Wanted: true}
		}
		s.evaluate(t, r, st)
	}
	return s.write(t)
}

// look lists the resources of the types that may have changed, and notes which have.
func (s *Service) look(t *turn, dirty map[string]bool, recorder recorder) error {
	for _, kind := range slices.Sorted(maps.Keys(dirty)) {
		if !recorder.records(kind) {
			continue // when it records again, all types are dirty
		}
		list, err := s.Inventory.List(s.ctx, kind)
		if err != nil {
			return fmt.Errorf("list resources of type %s: %w", kind, err)
		}
		if err := s.compare(t, kind, list); err != nil {
			return err
		}
	}
	return nil
}

// compare notes what differs between the resources of a type and what is known of them.
func (s *Service) compare(t *turn, kind string, list []Resource) error {
	there := make(map[string]bool, len(list))
	for i := range list {
		r := &list[i]
		there[r.ID] = true
		sum, err := r.sum()
		if err != nil {
			return err
		}
		if last, ok := s.latest[r.key()]; ok && last.Sum == sum {
			continue
		}
		it, err := s.itemOf(r, sum, t.now)
		if err != nil {
			return err
		}
		t.changes[r.key()] = change{key: r.key(), item: it}
	}
	for key, it := range s.latest {
		if key.Type == kind && !there[key.ID] && !it.gone() {
			t.changes[key] = change{key: key, item: it.deleted(t.now), before: s.resource(key)}
		}
	}
	if _, seen := s.live[kind]; !seen || len(t.changes) > 0 {
		s.set = nil
	}
	for _, old := range s.live[kind] {
		if c, ok := t.changes[old.key()]; ok && c.before == nil {
			c.before = &old
			t.changes[old.key()] = c
		}
	}
	s.live[kind] = list
	return nil
}

// resource returns a resource as it was last seen.
func (s *Service) resource(key resourceKey) *Resource {
	for i := range s.live[key.Type] {
		if s.live[key.Type][i].ID == key.ID {
			return &s.live[key.Type][i]
		}
	}
	return nil
}

// ruleSet is what rules judge: all resources that are there.
func (s *Service) ruleSet() *rules.Set {
	if s.set == nil {
		var items []*rules.Item
		for _, kind := range slices.Sorted(maps.Keys(s.live)) {
			for i := range s.live[kind] {
				items = append(items, s.live[kind][i].ruleItems()...)
			}
		}
		var account rules.Facts
		if s.Inventory != nil {
			account = s.Inventory.Account(s.ctx)
		}
		s.set = rules.NewSet(items, account, s.Region)
	}
	return s.set
}

// write makes a turn's outcome state.
func (s *Service) write(t *turn) error {
	if len(t.changes)+len(t.results)+len(t.status)+len(t.calls) == 0 {
		return nil
	}
	err := s.Store.Update(s.ctx, func(_ context.Context, tx *store.Tx) error {
		for _, c := range t.changes {
			s.putItem(tx, c.item)
			if c.item.gone() {
				s.dropResults(tx, c.key)
			}
		}
		for name, st := range t.status {
			if _, ok := s.named(tx, name); !ok {
				continue // deleted meanwhile
			}
			if now, ok := s.status.Get(tx, name); ok {
				st.Activated = now.Activated
			}
			s.status.Put(tx, name, st)
		}
		for place, r := range t.results {
			if r == nil {
				s.results.Delete(tx, place)
			} else if _, ok := s.named(tx, r.Rule); ok {
				s.results.Put(tx, place, *r)
			}
		}
		for _, c := range t.calls {
			s.invocations.Put(tx, c.ID, c)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for key, c := range t.changes {
		s.latest[key] = c.item
	}
	return nil
}

// dropResults forgets what rules said of a resource that is gone.
func (s *Service) dropResults(tx *store.Tx, key resourceKey) {
	for _, r := range s.active(tx) {
		s.results.Delete(tx, resultPlace(r.name(), key))
	}
}

// armPeriod plans to settle when the next rule's period is over.
func (s *Service) armPeriod() {
	var next time.Time
	s.Store.View(func(tx *store.Tx) {
		for _, r := range s.active(tx) {
			if st, _ := s.status.Get(tx, r.name()); !st.Due.IsZero() && (next.IsZero() || st.Due.Before(next)) {
				next = st.Due
			}
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.period != nil {
		s.period()
		s.period = nil
	}
	if s.running && !next.IsZero() {
		s.period = s.Clock.At(next, s.settleAlone)
	}
}
