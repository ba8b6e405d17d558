package events

import (
	"context"
	"time"

	"evo/internal/cloud/events/schedule"
	"evo/internal/cloud/store"
)

// oldest is for how long a cloud that was away catches up on every due time; of what was due before that, only the latest counts.
const oldest = time.Hour

// catchUp passes over due times that were missed too long ago.
func (s *Service) catchUp(ctx context.Context) error {
	now := s.Clock.Now()
	return s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		for name, r := range s.rules.Ascend(tx, "") {
			if r.Due.IsZero() || !r.Due.Before(now.Add(-oldest)) {
				continue
			}
			plan, err := schedule.Parse(*r.Schedule)
			if err != nil {
				return err
			}
			r.Due = plan.Last(r.Since, r.Due, now.Add(-oldest))
			s.rules.Put(tx, name, r)
		}
		return nil
	})
}

// plan sets the timer for what is due next.
func (s *Service) plan() { s.planFrom(time.Time{}) }

// planFrom sets it for what is due next, but not before a time.
func (s *Service) planFrom(earliest time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running {
		return
	}
	if s.unplan != nil {
		s.unplan()
		s.unplan = nil
	}
	var next time.Time
	s.Store.View(func(tx *store.Tx) {
		for _, r := range s.rules.Ascend(tx, "") {
			if !r.Due.IsZero() && (next.IsZero() || r.Due.Before(next)) {
				next = r.Due
			}
		}
	})
	if next.IsZero() {
		return
	}
	if next.Before(earliest) {
		next = earliest
	}
	s.unplan = s.Clock.At(next, func() { s.tasks.Do(s.fireDue) })
}

// fireDue fires what is due, in the order in which it was, and plans what follows.
func (s *Service) fireDue() {
	now := s.Clock.Now()
	var due []rule
	s.Store.View(func(tx *store.Tx) {
		for _, r := range s.rules.Ascend(tx, "") {
			if !r.Due.IsZero() && !r.Due.After(now) {
				due = append(due, r)
			}
		}
	})
	earliest := time.Time{}
	for _, r := range due {
		if err := s.fire(r); err != nil {
			s.Report(err)
			earliest = now.Add(time.Minute) // the store is broken; time is not
		}
	}
	s.planFrom(earliest)
}

// fire sends a rule's scheduled event, and moves its due time on: both, or nothing.
func (s *Service) fire(r rule) error {
	e, err := s.scheduled(r)
	if err != nil {
		return err
	}
	d := []delivery{s.deliveryOf(r, e)}
	err = s.Store.Update(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		now, ok := s.rules.Get(tx, r.Name)
		if !ok || !now.Due.Equal(r.Due) {
			d = nil // it was changed, or somebody else fires it
			return nil
		}
		now.Due = now.after(now.Due)
		s.rules.Put(tx, r.Name, now)
		s.send(ctx, d)
		return nil
	})
	if err == nil {
		s.count(d)
	}
	return err
}
