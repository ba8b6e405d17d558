package cloudwatch

import (
	"context"
	"time"

	"evo/internal/cloud/cloudwatch/stats"
	"evo/internal/cloud/store"
)

// retention says how long buckets of a resolution are kept, and what they become then.
var retention = []struct {
	of   resolution
	keep time.Duration
	into resolution // without seconds: nothing
}{
	{second, 3 * time.Hour, resolution{}},
	{minute, 15 * 24 * time.Hour, fiveMinutes},
	{fiveMinutes, 63 * 24 * time.Hour, hour},
	{hour, 455 * 24 * time.Hour, resolution{}},
}

// historyKept is how long alarms' history is kept.
const historyKept = 30 * 24 * time.Hour

// thin rolls up or removes what is older than its retention, metric by metric.
func (s *Service) thin(ctx context.Context) error {
	now := s.Clock.Now()
	var all []series
	s.Store.View(func(tx *store.Tx) {
		for _, sr := range s.series.Ascend(tx, "") {
			all = append(all, sr)
		}
	})
	for _, sr := range all {
		err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
			s.thinSeries(tx, sr, now)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		for key := range s.history.Ascend(tx, "") {
			if key >= historyKey(now.Add(-historyKept), 0) {
				break
			}
			s.history.Delete(tx, key)
		}
		return nil
	})
}

// A minute that has not been written to for some hours keeps fewer different values: its percentiles get a little coarser.
const (
	settled       = 3 * time.Hour
	settledValues = 64
)

func (s *Service) coarsen(tx *store.Tx, sr series, unit string, now time.Time) {
	from, to := now.Add(-settled-2*time.Hour).Unix(), now.Add(-settled).Unix() // each pass an hour, and one that was missed
	for _, b := range s.between(tx, sr.ID, minute, unit, from, to) {
		if b.Len() > settledValues {
			s.buckets.Put(tx, bucketKey(sr.ID, minute, unit, b.at), b.Limit(settledValues))
		}
	}
}

func (s *Service) thinSeries(tx *store.Tx, sr series, now time.Time) {
	for _, unit := range sr.Units {
		s.coarsen(tx, sr, unit, now)
	}
	for _, r := range retention {
		until := now.Add(-r.keep).Unix()
		for _, unit := range sr.Units {
			for _, b := range s.between(tx, sr.ID, r.of, unit, 0, until) {
				s.buckets.Delete(tx, bucketKey(sr.ID, r.of, unit, b.at))
				if r.into.seconds > 0 {
					key := bucketKey(sr.ID, r.into, unit, floor(b.at, r.into.seconds))
					old, _ := s.buckets.Get(tx, key)
					s.buckets.Put(tx, key, old.Merge(b.Distribution))
				}
			}
		}
	}
	last := retention[len(retention)-1].keep
	if sr.Last < now.Add(-last).Unix() {
		s.series.Delete(tx, seriesKey(sr.Namespace, sr.Name, sr.Dimensions))
	}
}

// bucket is a distribution and the start of the time that it covers.
type bucket struct {
	at int64
	stats.Distribution
}

// between returns the buckets of one resolution with from ≤ at < to.
func (s *Service) between(tx *store.Tx, id uint64, r resolution, unit string, from, to int64) []bucket {
	var out []bucket
	prefix, end := bucketPrefix(id, r, unit), bucketKey(id, r, unit, to)
	for key, d := range s.buckets.Ascend(tx, bucketKey(id, r, unit, max(from, 0))) {
		if key >= end {
			break
		}
		out = append(out, bucket{parseTime(key[len(prefix):]), d})
	}
	return out
}

func parseTime(digits string) int64 {
	var n int64
	for _, c := range []byte(digits) {
		n = n*10 + int64(c-'0')
	}
	return n
}
