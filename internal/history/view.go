package history

import (
	"time"

	"evo/internal/view"
)

// View is what there is to see of a history at a moment.
func (s *Store) View(stack string, releases []*Release, now time.Time) *view.Releases {
	out := &view.Releases{Stack: stack, Releases: make([]view.Release, len(releases))}
	for i, r := range releases {
		out.Releases[i] = s.ViewOf(r)
	}
	view.Relate(out.Releases)
	out.Delivery = view.DeliveryOf(out.Releases, now)
	return out
}

// ViewOf is what there is to see of one release.
func (s *Store) ViewOf(r *Release) view.Release {
	v := view.Release{Number: r.Number, Name: r.Name(), Status: r.Status()}
	if v.Status == "" {
		v.Status = view.UnderWay
	}
	if r.Attempt != nil {
		v.Built, v.Started = r.Attempt.Built, r.Attempt.Started
		if r.Report == nil {
			v.Predicted = r.Attempt.Predicted
		}
	}
	if r.Outcome != nil {
		v.Finished, v.Reason = r.Outcome.Finished, r.Outcome.Reason
	}
	if r.Problem != nil {
		v.Problem = r.Problem.Error()
	}
	if r.Report != nil {
		v.Judge(r.Report)
		v.Report = s.URI(r.Number)
	}
	return v
}
