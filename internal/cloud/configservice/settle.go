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
	item   item // its newest
	before *Resource
}

// turn is one round of recording and evaluating, before it is written.
type turn struct {
	now     time.Time
	records bool // the recorder is on
	changes map[resourceKey]change
	apart   *rules.Set         // enough to judge the changes; nil: all has to be judged
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
	s.dirty = map[string]ids{}
	if s.wake != nil {
		s.wake()
		s.wake = nil
	}
	s.mu.Unlock()
	err := s.settleDirty(dirty)
	if err != nil { // not all was written: what was dirty still is
		s.mu.Lock()
		for kind := range dirty {
			s.dirty[kind] = nil
		}
		s.mu.Unlock()
		return err
	}
	s.call()
	s.armPeriod()
	return nil
}

func (s *Service) settleDirty(dirty map[string]ids) error {
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
	if len(t.changes) > 0 {
		t.apart = s.apart(t)
	}
	for _, r := range active {
		st, ok := statuses[r.name()]
		if !ok {
			st = status{Activated: t.now, Wanted: 1}
		}
		s.evaluate(t, r, st)
	}
	return s.write(t)
}

// look lists the resources of the types that may have changed, and notes which have.
func (s *Service) look(t *turn, dirty map[string]ids, recorder recorder) error {
	for _, kind := range slices.Sorted(maps.Keys(dirty)) {
		if !recorder.records(kind) {
			continue // when it records again, all types are dirty
		}
		var asked []string
		if dirty[kind] != nil {
			asked = slices.Sorted(maps.Keys(dirty[kind]))
		}
		list, err := s.Inventory.List(s.ctx, kind, asked)
		if err != nil {
			return fmt.Errorf("list resources of type %s: %w", kind, err)
		}
		if err := s.compare(t, kind, asked, list); err != nil {
			return err
		}
	}
	return nil
}

// compare notes what differs between resources of a type, all of them or those that were asked for, and what is known of them.
func (s *Service) compare(t *turn, kind string, asked []string, list []Resource) error {
	live := s.live[kind]
	if live == nil {
		live = map[string]*Resource{}
		s.live[kind] = live
		s.set = nil
	}
	there := make(map[string]bool, len(list))
	for i := range list {
		r := &list[i]
		there[r.ID] = true
		sum, err := r.sum()
		if err != nil {
			return err
		}
		if last, ok := s.latest[r.key()]; !ok || last.Sum != sum {
			it, err := s.itemOf(r, sum, t.now)
			if err != nil {
				return err
			}
			t.changes[r.key()] = change{item: it, before: live[r.ID]}
			s.set = nil
		}
		r.Configuration, r.Supplementary = nil, nil // the item has them; the garbage collector would go through them for ever
		live[r.ID] = r
	}
	if asked == nil {
		for key := range s.latest {
			if key.Type == kind {
				asked = append(asked, key.ID)
			}
		}
	}
	for _, id := range asked {
		key := resourceKey{kind, id}
		if last, known := s.latest[key]; known && !there[id] && !last.gone() {
			t.changes[key] = change{item: last.deleted(t.now), before: live[id]}
			delete(live, id)
			s.set = nil
		}
	}
	return nil
}

// sorted are the resources of a type by id.
func (s *Service) sorted(kind string) []*Resource {
	live := s.live[kind]
	out := make([]*Resource, 0, len(live))
	for _, id := range slices.Sorted(maps.Keys(live)) {
		out = append(out, live[id])
	}
	return out
}

// ruleSet is what rules judge: all resources that are there.
func (s *Service) ruleSet() *rules.Set {
	if s.set == nil {
		var items []*rules.Item
		for _, k := range s.kinds {
			for _, r := range s.sorted(k.Type) {
				items = append(items, r.ruleItems()...)
			}
		}
		s.set = s.setOf(items)
	}
	return s.set
}

func (s *Service) setOf(items []*rules.Item) *rules.Set {
	var account rules.Facts
	if s.Inventory != nil {
		account = s.Inventory.Account(s.ctx)
	}
	return rules.NewSet(items, account, s.Region)
}

// apart is what is needed to judge a turn's changes, if no other resource's verdict depends on them; else nil.
func (s *Service) apart(t *turn) *rules.Set {
	var items []*rules.Item
	for _, k := range s.kinds {
		if !k.Apart {
			for _, r := range s.sorted(k.Type) {
				items = append(items, r.ruleItems()...)
			}
		}
	}
	for key := range t.changes {
		i := slices.IndexFunc(s.kinds, func(k Kind) bool { return k.Type == key.Type })
		if i < 0 || !s.kinds[i].Apart {
			return nil
		}
		if r := s.live[key.Type][key.ID]; r != nil {
			items = append(items, r.ruleItems()...)
		}
	}
	return s.setOf(items)
}

// mostWritten is how much is written at once: nobody else reads or writes meanwhile.
const mostWritten = 200

// write makes a turn's outcome state. A resource's item comes after what follows from it, and that an evaluation is done after its
// results: what a crash leaves undone is found to be so.
func (s *Service) write(t *turn) error {
	for chunk := range slices.Chunk(s.writes(t), mostWritten) {
		err := s.Store.Update(s.ctx, func(_ context.Context, tx *store.Tx) error {
			for _, f := range chunk {
				f(tx)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for key, c := range t.changes {
		s.latest[key] = c.item
	}
	return nil
}

// writes are what there is to be written of a turn, in order.
func (s *Service) writes(t *turn) (all []func(tx *store.Tx)) {
	for place, r := range t.results {
		all = append(all, func(tx *store.Tx) {
			if r == nil {
				s.results.Delete(tx, place)
			} else if _, ok := s.named(tx, r.Rule); ok { // else it was deleted meanwhile
				s.results.Put(tx, place, r)
			}
		})
	}
	for _, c := range t.calls {
		all = append(all, func(tx *store.Tx) { s.invocations.Put(tx, c.ID, c) })
	}
	for key, c := range t.changes {
		all = append(all, func(tx *store.Tx) {
			s.putItem(tx, c.item)
			if c.item.gone() {
				s.dropResults(tx, key)
			}
		})
	}
	for name, st := range t.status {
		all = append(all, func(tx *store.Tx) {
			if _, ok := s.named(tx, name); ok {
				now, _ := s.status.Get(tx, name)
				s.status.Put(tx, name, st.over(now))
			}
		})
	}
	return all
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
			if st, _ := s.status.Get(tx, r.name()); r.period() > 0 && !st.Due.IsZero() && (next.IsZero() || st.Due.Before(next)) {
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
