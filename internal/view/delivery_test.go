package view

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var begin = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// past is a release whose deployment began so many hours after begin and took one.
func past(number int, status string, hour int) Release {
	at := begin.Add(time.Duration(hour) * time.Hour)
	return Release{Number: number, Status: status, Started: at, Finished: at.Add(time.Hour)}
}

func known(text string) *json.Number {
	n := json.Number(text)
	return &n
}

func TestDeliveryOf(t *testing.T) {
	built := past(1, Succeeded, 0)
	built.Built = begin.Add(-2 * time.Hour)
	silent := Release{Number: 1, Status: Succeeded, Judged: begin} // no outcome was written
	backwards := past(1, Succeeded, 0)
	backwards.Built = begin.Add(5 * time.Hour)
	for name, c := range map[string]struct {
		releases []Release
		want     Delivery
	}{
		"nothing":         {nil, Delivery{}},
		"only under way":  {[]Release{{Number: 1, Status: UnderWay, Started: begin}}, Delivery{}},
		"only refused":    {[]Release{past(1, Refused, 0)}, Delivery{}},
		"one":             {[]Release{built}, Delivery{Deployments: 1, Successes: 1, LeadTime: &Lead{Duration{10800, 1}, 1}, FailureRate: known("0.00")}},
		"no outcome":      {[]Release{silent}, Delivery{Deployments: 1, Successes: 1, FailureRate: known("0.00")}},
		"built afterward": {[]Release{backwards}, Delivery{Deployments: 1, Successes: 1, FailureRate: known("0.00")}},
		"two in ten days": {[]Release{built, past(2, Succeeded, 5)},
			Delivery{Deployments: 2, Successes: 2, LeadTime: &Lead{Duration{7200, 2}, 1}, PerDay: known("0.1004"), FailureRate: known("0.00")}},
		"broken": {[]Release{past(1, Succeeded, 0), past(2, RolledBack, 4)},
			Delivery{Deployments: 2, Successes: 1, LeadTime: &Lead{Duration{3600, 1}, 0}, FailureRate: known("0.50"), Broken: true}},
		"failures in a row are one": {[]Release{past(1, Succeeded, 0), past(2, RolledBack, 4), past(3, Failed, 6), past(4, Refused, 7), past(5, Succeeded, 10)},
			Delivery{Deployments: 4, Successes: 2, LeadTime: &Lead{Duration{3600, 2}, 0}, PerDay: known("0.1004"), FailureRate: known("0.50"), Restore: &Duration{21600, 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := DeliveryOf(c.releases, begin.Add(240*time.Hour))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsNotKnownIsNull(t *testing.T) {
	text, err := json.Marshal(DeliveryOf(nil, begin))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"deployments":0,"successes":0,"leadTime":null,"deploymentsPerDay":null,"changeFailureRate":null,"timeToRestore":null,"broken":false}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}
