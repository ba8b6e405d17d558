package functions

import (
	"sync"
	"time"
)

// visits are the customers that this environment has seen lately. CloudWatch's maximum over all environments is what the shop
// calls its concurrent users.
type visits struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// lately is how long a customer counts as present.
const lately = 5 * time.Minute

// see notes a customer and returns how many are present.
func (v *visits) see(customer string, now time.Time) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last == nil {
		v.last = map[string]time.Time{}
	}
	if customer != "" {
		v.last[customer] = now
	}
	for c, at := range v.last {
		if now.Sub(at) > lately {
			delete(v.last, c)
		}
	}
	return len(v.last)
}

var present visits
