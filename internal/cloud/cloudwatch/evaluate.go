package cloudwatch

import (
	"context"
	"math"
	"time"

	"evo/internal/cloud/cloudwatch/alarm"
	"evo/internal/cloud/cloudwatch/stats"
	"evo/internal/cloud/store"
)

// settle is how long after the end of a period its alarms are evaluated, so that what was measured at its very end counts.
const settle = 2 * time.Second

// planTick arms the next evaluation, unless one is planned that comes as soon: after the next full minute, or ten seconds
// where an alarm has a shorter period. It is called whenever there may be something to evaluate sooner than planned.
func (s *Service) planTick() {
	step := s.tickStep()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running || step == 0 {
		return
	}
	at := s.Clock.Now().Add(-settle).Truncate(step).Add(step + settle)
	if s.tick != nil {
		if !at.Before(s.tickAt) {
			return
		}
		s.tick()
	}
	s.tickAt = at
	s.tick = s.Clock.At(at, func() { s.tasks.Do(func() { s.onTick(at) }) })
}

// tickStep is how often alarms are evaluated: as often as the one with the shortest period needs; 0 without alarms.
func (s *Service) tickStep() (step time.Duration) {
	s.Store.View(func(tx *store.Tx) {
		for _, a := range s.alarms.Ascend(tx, "") {
			switch {
			case a.Metric == nil:
			case a.Metric.period() < 60:
				step = 10 * time.Second
				return
			default:
				step = time.Minute
			}
		}
	})
	return step
}

func (s *Service) onTick(at time.Time) {
	s.mu.Lock()
	superseded := !s.tickAt.Equal(at) // another one was planned in the meantime
	s.mu.Unlock()
	if superseded {
		return
	}
	s.evaluateAll(s.ctx)
	s.mu.Lock()
	s.tick = nil
	s.mu.Unlock()
	s.planTick()
}

// evaluateAll evaluates the alarms whose turn it is: all of them in the first ten seconds of a minute, in between those with
// a short period.
func (s *Service) evaluateAll(ctx context.Context) {
	s.evaluating.Lock()
	defer s.evaluating.Unlock()
	if s.behind.Now(ctx) != nil {
		return // nothing can be stored: no alarm could change either
	}
	now := s.Clock.Now()
	onlyShort := now.Unix()%60 >= 10
	var due []alarmState
	s.Store.View(func(tx *store.Tx) {
		for _, a := range s.alarms.Ascend(tx, "") {
			if a.Metric != nil && (!onlyShort || a.Metric.period() < 60) {
				due = append(due, a)
			}
		}
	})
	for _, a := range due {
		if ctx.Err() != nil {
			return
		}
		s.evaluate(ctx, a, now)
	}
}

// evaluate judges one metric alarm, and moves it to its new state if that is another.
func (s *Service) evaluate(ctx context.Context, a alarmState, now time.Time) {
	m := a.Metric
	rule := m.rule()
	points, fewSamples, err := s.datapoints(m, rule.Range(), now)
	if err != nil {
		s.transition(ctx, a.Name, a.Configured, alarm.InsufficientData, "Evaluation error: "+err.Error(), "")
		return
	}
	v := rule.Evaluate(points)
	if v.State == alarm.Retained || v.State == a.State || fewSamples {
		return
	}
	q := alarm.Query{At: now, Unit: m.Unit, Statistic: m.Statistic, Period: int32(m.period())}
	s.transition(ctx, a.Name, a.Configured, v.State, rule.Reason(v), rule.ReasonData(v, q))
}

// datapoints returns the newest n periods of what the alarm watches, newest first; and whether they hold too few samples
// for the percentile that it asks for.
func (s *Service) datapoints(m *metricAlarm, n int, now time.Time) (points []alarm.Datapoint, fewSamples bool, err error) {
	period := m.period()
	end := floor(now.Unix(), min(period, 60))
	w := window{end - int64(n)*period, end, period}
	values, samples := map[int64]float64{}, map[int64]float64{}
	if len(m.Metrics) > 0 {
		err = s.mathPoints(m, w, values)
	} else {
		err = s.metricPoints(m, w, values, samples)
	}
	total := 0.0
	for i := range n {
		at := end - int64(i+1)*period
		p := alarm.Datapoint{At: time.Unix(at, 0).UTC()}
		p.Value, p.Present = values[at]
		p.SampleCount = samples[at]
		if i < int(m.EvaluationPeriods) {
			total += p.SampleCount
		}
		points = append(points, p)
	}
	if m.LowSamples != nil && *m.LowSamples == "ignore" {
		if st, err := stats.Parse(m.Statistic); err == nil {
			if p, ok := st.Percentile(); ok {
				fewSamples = alarm.LowSamples(p, total)
			}
		}
	}
	return points, fewSamples, err
}

func (s *Service) metricPoints(m *metricAlarm, w window, values, samples map[int64]float64) error {
	st, err := stats.Parse(m.Statistic)
	if err != nil {
		return err
	}
	s.Store.View(func(tx *store.Tx) {
		found := s.fetch(tx, seriesKey(m.Namespace, m.MetricName, m.Dimensions), m.Unit, w)
		if len(found) == 0 {
			return
		}
		for _, b := range found[0].points {
			if v, ok := st.Value(b.Distribution); ok {
				values[b.at], samples[b.at] = v, b.Count
			}
		}
	})
	return nil
}

// mathPoints computes the expression that the alarm watches.
func (s *Service) mathPoints(m *metricAlarm, w window, values map[int64]float64) error {
	q := s.newQuery(m.Metrics, time.Unix(w.start, 0), time.Unix(w.end, 0))
	if err := q.run(); err != nil {
		return err
	}
	for _, r := range q.ordered {
		if r.query.ReturnData != nil && !*r.query.ReturnData || len(r.series) == 0 {
			continue
		}
		for _, p := range r.series[0].Points {
			if !math.IsNaN(p.Value) {
				values[p.At] = p.Value
			}
		}
	}
	return nil
}

// transition moves an alarm to a state, writes its history, carries out its actions, and lets composite alarms follow. With
// a configuration time given it does so only if the alarm was not configured anew meanwhile.
func (s *Service) transition(ctx context.Context, name string, configured time.Time, to alarm.State, reason, data string) error {
	now := s.Clock.Now()
	var before, after alarmState
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, ok := s.alarms.Get(tx, name)
		if !ok {
			return resourceNotFound()
		}
		if !configured.IsZero() && (!a.Configured.Equal(configured) || a.State == to) {
			return nil
		}
		before = a
		a.Reason, a.ReasonData, a.Updated = reason, data, now
		if a.State != to {
			a.State, a.Transitioned = to, now
			s.changed(tx, before, a)
		}
		s.alarms.Put(tx, name, a)
		after = a
		return nil
	})
	if err != nil || after.Name == "" || before.State == after.State {
		return err
	}
	s.act(before, after)
	s.follow(ctx, after)
	return nil
}
