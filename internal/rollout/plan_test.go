package rollout

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPlan(t *testing.T) {
	tests := []struct {
		config Config
		want   string
		total  time.Duration
	}{
		{Config{Type: AllAtOnce}, "[{0s 100}]", 0},
		{Config{Canary, 10, 5}, "[{0s 10} {5m0s 100}]", 5 * time.Minute},
		{Config{Canary, 99, 2880}, "[{0s 99} {48h0m0s 100}]", 48 * time.Hour},
		{Config{Linear, 25, 10}, "[{0s 25} {10m0s 50} {20m0s 75} {30m0s 100}]", 30 * time.Minute},
		{Config{Linear, 30, 1}, "[{0s 30} {1m0s 60} {2m0s 90} {3m0s 100}]", 3 * time.Minute},
		{Config{Linear, 99, 7}, "[{0s 99} {7m0s 100}]", 7 * time.Minute},
	}
	for _, tt := range tests {
		p := tt.config.Plan()
		if got := fmt.Sprint(p); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.config, got, tt.want)
		}
		if p.Total() != tt.total {
			t.Errorf("%s: total %s, want %s", tt.config, p.Total(), tt.total)
		}
	}
	if got := (Config{Linear, 10, 10}).Plan().Total(); got != 90*time.Minute {
		t.Errorf("ten per cent every ten minutes takes %s, want 90m", got)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []Config{{Canary, 0, 5}, {Canary, 100, 5}, {Canary, 10, 0}, {Canary, 10, 2881}, {Linear, 10, 321}, {Linear, 1, 30}, {"TimeBasedFlexible", 10, 5}, {}} {
		if c.Validate() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	for _, c := range []Config{{Type: AllAtOnce}, {Canary, 1, 2880}, {Linear, 10, 320}, {Linear, 1, 29}} {
		if err := c.Validate(); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Config{
			rapid.SampledFrom([]ConfigType{AllAtOnce, Canary, Linear}).Draw(t, "type"),
			rapid.IntRange(-1, 101).Draw(t, "percent"), rapid.IntRange(-1, 3000).Draw(t, "minutes"),
		}
		if c.Validate() != nil {
			return
		}
		p := c.Plan()
		if p[0].At != 0 || p[len(p)-1].Percent != 100 || p.Total() > 48*time.Hour {
			t.Fatalf("%s: %v", c, p)
		}
		for i := 1; i < len(p); i++ {
			if p[i].At <= p[i-1].At || p[i].Percent <= p[i-1].Percent {
				t.Fatalf("%s: step %d does not go on: %v", c, i, p)
			}
			if step := p[i].Percent - p[i-1].Percent; c.Type == Linear && step > c.Percentage {
				t.Fatalf("%s: step %d moves %d per cent", c, i, step)
			}
		}
	})
}
