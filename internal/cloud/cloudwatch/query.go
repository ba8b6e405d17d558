package cloudwatch

import (
	"cmp"
	"slices"
	"time"

	"evo/internal/cloud/cloudwatch/stats"
	"evo/internal/cloud/store"
)

// window is a stretch of time cut into periods: the datapoints of a query. end is not part of it.
type window struct{ start, end, period int64 }

// windowOf rounds the start down as CloudWatch does: to the precision with which data of its age is kept.
func windowOf(start, end time.Time, period int64, now time.Time) window {
	step := int64(60)
	switch age := now.Sub(start); {
	case age > 63*24*time.Hour:
		step = 3600
	case age > 15*24*time.Hour:
		step = 300
	case period < 60:
		step = period
	}
	return window{floor(start.Unix(), step), end.Unix(), period}
}

// ofUnit is what a metric holds of one unit in a window: a distribution for each period that has data, in order of time.
type ofUnit struct {
	unit   string
	points []bucket
}

// fetch returns the metric's data in a window for each of its units that has any, in the order in which the units came. With
// a unit given only that one is asked for.
func (s *Service) fetch(tx *store.Tx, key, unit string, w window) []ofUnit {
	sr, ok := s.series.Get(tx, key)
	if !ok {
		return nil
	}
	var out []ofUnit
	for _, u := range sr.Units {
		if unit != "" && u != unit {
			continue
		}
		if points := s.fetchUnit(tx, sr, u, w); len(points) > 0 {
			out = append(out, ofUnit{u, points})
		}
	}
	return out
}

func (s *Service) fetchUnit(tx *store.Tx, sr series, unit string, w window) []bucket {
	var data []bucket
	for _, r := range []resolution{hour, fiveMinutes, minute} {
		data = append(data, s.between(tx, sr.ID, r, unit, floor(w.start, 60), w.end)...)
	}
	if w.period < 60 && sr.HighDensity {
		data = finer(data, s.between(tx, sr.ID, second, unit, w.start, w.end))
	}
	slices.SortStableFunc(data, func(a, b bucket) int { return cmp.Compare(a.at, b.at) })
	var out []bucket
	for _, b := range data {
		if b.at < w.start {
			continue
		}
		at := w.start + (b.at-w.start)/w.period*w.period
		if n := len(out); n > 0 && out[n-1].at == at {
			out[n-1].Distribution = out[n-1].Merge(b.Distribution)
			continue
		}
		out = append(out, bucket{at, b.Distribution})
	}
	return out
}

// finer puts seconds in the place of the minutes that they are part of.
func finer(minutes, seconds []bucket) []bucket {
	covered := map[int64]bool{}
	for _, b := range seconds {
		covered[floor(b.at, 60)] = true
	}
	out := seconds
	for _, b := range minutes {
		if !covered[b.at] {
			out = append(out, b)
		}
	}
	return out
}

// parseStat reads a statistic and says in CloudWatch's manner what is wrong with it.
func parseStat(name string) (stats.Statistic, error) {
	st, err := stats.Parse(name)
	if err != nil {
		return st, validation("The value %s for parameter Stat is not supported.", name)
	}
	return st, nil
}

// validPeriod tells whether a period can be asked for.
func validPeriod(p int32) bool {
	return p == 1 || p == 5 || p == 10 || p == 20 || p == 30 || p > 0 && p%60 == 0
}
