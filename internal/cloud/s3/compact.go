package s3

import (
	"context"

	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
)

// tidy moves the blobs out of sparse segments, in the background, so that the segments can be removed.
func (s *Service) tidy() {
	if s.blobs.Sparse() == nil || s.stopped.Err() != nil || !s.compacting.TryLock() {
		return
	}
	s.work.Go(func() {
		defer s.compacting.Unlock()
		for _, number := range s.blobs.Sparse() {
			if s.evacuate(number) != nil {
				return // nothing is lost, only space
			}
		}
	})
}

// evacuate moves the blobs of one segment.
func (s *Service) evacuate(number uint64) error {
	var objects, parts []string
	s.db.View(func(tx *store.Tx) {
		for key, v := range s.objects.Ascend(tx, "") {
			if v.liesIn(number) {
				objects = append(objects, key)
			}
		}
		for key, p := range s.parts.Ascend(tx, "") {
			if p.Ref.File == number {
				parts = append(parts, key)
			}
		}
	})
	for _, key := range objects {
		if err := s.moveObject(key, number); err != nil {
			return err
		}
	}
	for _, key := range parts {
		if err := s.movePart(key, number); err != nil {
			return err
		}
	}
	return nil
}

// moveObject copies those blobs of a version that lie in a segment, and lets the version refer to the copies; if the version is
// another one by then, the copies are forgotten.
func (s *Service) moveObject(key string, number uint64) error {
	var v *version
	s.db.View(func(tx *store.Tx) { v, _ = s.objects.Get(tx, key) })
	if v == nil {
		return s.stopped.Err()
	}
	moved := *v
	moved.Parts = append([]part(nil), v.Parts...)
	var from, to []blob.Ref
	for i, p := range moved.Parts {
		if p.Ref.File != number {
			continue
		}
		ref, err := s.blobs.Move(p.Ref)
		if err != nil {
			s.blobs.Release(to...)
			return s.stopped.Err() // the version is gone
		}
		moved.Parts[i].Ref = ref
		from, to = append(from, p.Ref), append(to, ref)
	}
	return s.swap(from, to, func(tx *store.Tx) bool {
		now, _ := s.objects.Get(tx, key)
		if now == v {
			s.objects.Put(tx, key, &moved)
		}
		return now == v
	})
}

// movePart does the same for a part of an upload under way.
func (s *Service) movePart(key string, number uint64) error {
	var p *part
	s.db.View(func(tx *store.Tx) { p, _ = s.parts.Get(tx, key) })
	if p == nil || p.Ref.File != number {
		return s.stopped.Err()
	}
	ref, err := s.blobs.Move(p.Ref)
	if err != nil {
		return s.stopped.Err()
	}
	moved := *p
	moved.Ref = ref
	return s.swap([]blob.Ref{p.Ref}, []blob.Ref{ref}, func(tx *store.Tx) bool {
		now, _ := s.parts.Get(tx, key)
		if now == p {
			s.parts.Put(tx, key, &moved)
		}
		return now == p
	})
}

// swap makes a change that refers to other blobs than before, and releases those that are not referred to in the end: the old
// ones, or the new ones if the change was not made.
func (s *Service) swap(from, to []blob.Ref, change func(tx *store.Tx) bool) error {
	var made bool
	err := s.db.Update(s.stopped, func(_ context.Context, tx *store.Tx) error {
		if err := s.stopped.Err(); err != nil {
			return err
		}
		made = change(tx)
		return nil
	})
	if made && err == nil {
		s.blobs.Release(from...)
	} else {
		s.blobs.Release(to...)
	}
	return err
}

func (v *version) liesIn(number uint64) bool {
	for _, p := range v.Parts {
		if p.Ref.File == number {
			return true
		}
	}
	return false
}
