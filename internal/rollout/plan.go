package rollout

import (
	"fmt"
	"strconv"
	"time"
)

// ConfigType says how a deployment configuration shifts traffic.
type ConfigType string

// The types of deployment configurations that a Lambda deployment can have.
const (
	AllAtOnce ConfigType = "AllAtOnce"
	Canary    ConfigType = "TimeBasedCanary"
	Linear    ConfigType = "TimeBasedLinear"
)

// MaxMinutes is how long shifting may take, from the first step to the last.
const MaxMinutes = 2880

// Config is the part of a deployment configuration that says how traffic shifts. Percentage and Interval mean nothing for
// AllAtOnce.
type Config struct {
	Type       ConfigType
	Percentage int // of all traffic, in one step
	Interval   int // minutes between steps
}

// Step gives the target version a share of the traffic.
type Step struct {
	At      time.Duration // since the start of shifting
	Percent int           // the target version's share from then on
}

// Plan is the steps of shifting, in order of time; the last one gives all traffic to the target version.
type Plan []Step

// Plan returns the steps that the configuration stands for. The configuration must be valid.
func (c Config) Plan() Plan {
	interval := time.Duration(c.Interval) * time.Minute
	switch c.Type {
	case Canary:
		return Plan{{0, c.Percentage}, {interval, 100}}
	case Linear:
		var p Plan
		for i := 0; ; i++ {
			percent := min(100, (i+1)*c.Percentage)
			p = append(p, Step{time.Duration(i) * interval, percent})
			if percent == 100 {
				return p
			}
		}
	}
	return Plan{{0, 100}}
}

// Total returns the time from the first step to the last.
func (p Plan) Total() time.Duration { return p[len(p)-1].At }

// due returns how many steps have come after the given time of shifting.
func (p Plan) due(elapsed time.Duration) int {
	n := 0
	for n < len(p) && p[n].At <= elapsed {
		n++
	}
	return n
}

// Validate tells what is wrong with the configuration.
func (c Config) Validate() error {
	switch c.Type {
	case AllAtOnce:
		return nil
	case Canary, Linear:
	default:
		return fmt.Errorf("the traffic routing type %q is not supported: AllAtOnce, TimeBasedCanary and TimeBasedLinear are", c.Type)
	}
	if c.Percentage < 1 || c.Percentage > 99 {
		return fmt.Errorf("the percentage of %s must be from 1 to 99, not %d", c.Type, c.Percentage)
	}
	if c.Interval < 1 || c.Interval > MaxMinutes {
		return fmt.Errorf("the interval of %s must be from 1 to %d minutes, not %d", c.Type, MaxMinutes, c.Interval)
	}
	if total := c.Plan().Total(); total > MaxMinutes*time.Minute {
		return fmt.Errorf("the first and the last shift lie %d minutes apart; at most %d are allowed", total/time.Minute, MaxMinutes)
	}
	return nil
}

// String returns the configuration in the words of the predefined ones' names.
func (c Config) String() string {
	switch c.Type {
	case Canary:
		return fmt.Sprintf("Canary%dPercent%dMinutes", c.Percentage, c.Interval)
	case Linear:
		plural := "s"
		if c.Interval == 1 {
			plural = ""
		}
		return fmt.Sprintf("Linear%dPercentEvery%dMinute%s", c.Percentage, c.Interval, plural)
	}
	return string(AllAtOnce)
}

// Routing is where an alias sends its calls: to Version, but for the share Weight of them, which goes to Next.
type Routing struct {
	Version string
	Next    string  `json:",omitempty"` // "": no further version
	Weight  float64 `json:",omitempty"`
}

// Wholly returns the routing of all calls to one version.
func Wholly(version string) Routing { return Routing{Version: version} }

// Weighted tells whether calls are split among two versions.
func (r Routing) Weighted() bool { return r.Next != "" }

func (r Routing) String() string {
	if !r.Weighted() {
		return "version " + r.Version
	}
	return fmt.Sprintf("version %s with %s %% to version %s", r.Version, strconv.FormatFloat(r.Weight*100, 'f', -1, 64), r.Next)
}
