package dynamodb

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/dynamodb/item"
	"evo/internal/cloud/dynamodb/number"
	"evo/internal/cloud/store"
)

const (
	// sweepEvery is how long an expired item may stay. AWS promises some days.
	sweepEvery = time.Minute
	// sweepAtOnce is how many items a sweep deletes in one change, so that others get their turn.
	sweepAtOnce = 500
	// longExpired is how old an expiry must be for DynamoDB to take it for a mistake and leave the item alone.
	longExpired = 5 * 365 * 24 * time.Hour
)

// Start begins to delete expired items, and goes on until Close.
func (s *Service) Start(ctx context.Context) error {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	if s.stop != nil {
		return nil
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.stopped = make(chan struct{})
	go func() {
		defer close(s.stopped)
		for {
			if err := s.sweep(ctx); err != nil { // a store that is closed or broken stays so
				return
			}
			if clock.Sleep(ctx, s.clock, sweepEvery) != nil {
				return
			}
		}
	}()
	return nil
}

// Close stops what Start began, and waits for it.
func (s *Service) Close() error {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	if s.stop != nil {
		s.stop()
		<-s.stopped
		s.stop = nil
	}
	return nil
}

// sweep deletes the items that have expired and the tokens of transactions that nobody will repeat.
func (s *Service) sweep(ctx context.Context) error {
	var tables []*table
	var old []string
	now := s.clock.Now()
	s.db.View(func(tx *store.Tx) {
		for _, t := range s.tables.Ascend(tx, "") {
			if t.TTL != nil {
				tables = append(tables, t)
			}
		}
		for name, tk := range s.tokens.Ascend(tx, "") {
			if !now.Before(tk.Expires) {
				old = append(old, name)
			}
		}
	})
	for _, t := range tables {
		if err := s.sweepTable(ctx, t, now); err != nil {
			return err
		}
	}
	if len(old) == 0 {
		return nil
	}
	return s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		for _, name := range old {
			s.tokens.Delete(tx, name)
		}
		return nil
	})
}

// sweepTable deletes the table's expired items, a few at a time.
func (s *Service) sweepTable(ctx context.Context, t *table, now time.Time) error {
	for from := ""; ctx.Err() == nil; {
		var expired []string
		expired, from = s.expired(t, from, now)
		if len(expired) > 0 {
			if stale, err := s.deleteExpired(ctx, t, expired, now); stale || err != nil {
				return err // a table that was changed meanwhile has its turn next time
			}
		}
		if from == "" {
			return nil
		}
	}
	return ctx.Err()
}

// expired returns some of the places of expired items, and where to look for more, or "".
func (s *Service) expired(t *table, from string, now time.Time) (expired []string, next string) {
	const lookAtOnce = 10_000
	looked := 0
	s.db.View(func(tx *store.Tx) {
		for place, r := range t.items.Ascend(tx, from) {
			if looked == lookAtOnce || len(expired) == sweepAtOnce {
				next = place
				return
			}
			looked++
			if t.TTL.expired(r.item, now) {
				expired = append(expired, place)
			}
		}
	})
	return expired, next
}

// deleteExpired deletes the items at these places, unless they were changed meanwhile so that they have not expired.
func (s *Service) deleteExpired(ctx context.Context, t *table, places []string, now time.Time) (stale bool, err error) {
	b := &batch{service: s, operation: "TimeToLive"}
	stale, err = s.change(ctx, []*table{t}, func(tx *store.Tx) error {
		for _, place := range places {
			r, ok := t.items.Get(tx, place)
			if !ok || !t.TTL.expired(r.item, now) {
				continue
			}
			w := &write{table: t, primary: place}
			w.apply(tx, outcome{old: r})
			b.writes, b.outcomes = append(b.writes, w), append(b.outcomes, outcome{old: r})
		}
		return nil
	})
	if err != nil || stale {
		return stale, err
	}
	for i, w := range b.writes {
		w.count(b.outcomes[i])
	}
	return false, nil
}

// expired says whether the item's attribute holds a moment, in seconds since 1970, that has passed, though not years ago.
func (x *ttl) expired(it item.Item, now time.Time) bool {
	v, ok := it[x.Attribute].(*types.AttributeValueMemberN)
	if !ok {
		return false
	}
	at := item.Number(v)
	return number.Compare(at, number.FromInt(now.Unix())) <= 0 && number.Compare(at, number.FromInt(now.Add(-longExpired).Unix())) > 0
}
