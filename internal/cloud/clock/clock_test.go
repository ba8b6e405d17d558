package clock

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func TestFastRunsAtItsSpeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewFast(start, 60)
		real := time.Now()
		if err := Sleep(t.Context(), c, 10*time.Minute); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(real).Round(time.Millisecond); d != 10*time.Second {
			t.Errorf("ten minutes took %v", d)
		}
		if c.Now().Before(start.Add(10 * time.Minute)) {
			t.Errorf("woke up early, at %v", c.Now())
		}
	})
}

func TestFastNeverFiresBeforeItsMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, speed := range []float64{0.3, 1, 3, 7.7, 1000} {
			c := NewFast(start, speed)
			for i := range 100 {
				at := c.Now().Add(time.Duration(i*i) * 12345)
				if err := Until(t.Context(), c, at); err != nil || c.Now().Before(at) {
					t.Fatalf("speed %v: at %v instead of %v, error %v", speed, c.Now(), at, err)
				}
			}
		}
	})
}

func TestUntilEndsWithTheContext(t *testing.T) {
	for name, c := range map[string]Clock{"real": Real{}, "fast": NewFast(start, 2), "stepped": NewStepped(start)} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Until(ctx, c, c.Now().Add(time.Hour)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestSteppedFiresInOrderEachAtItsMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewStepped(start)
		var mu sync.Mutex
		var fired []time.Duration
		for _, d := range []time.Duration{3, 1, 2, 9} {
			c.At(start.Add(d*time.Minute), func() {
				mu.Lock()
				defer mu.Unlock()
				fired = append(fired, d)
			})
		}
		stop := c.At(start.Add(90*time.Second), func() { t.Error("a stopped timer fired") })
		if !stop() || stop() {
			t.Error("stop reports wrongly")
		}
		for range 5 {
			c.Advance(time.Minute)
			synctest.Wait()
		}
		if want := []time.Duration{1, 2, 3}; !slices.Equal(fired, want) {
			t.Errorf("fired %v, want %v", fired, want)
		}
		if next, ok := c.Next(); !ok || next != start.Add(9*time.Minute) {
			t.Errorf("next: %v %v", next, ok)
		}
		if c.Now() != start.Add(5*time.Minute) {
			t.Errorf("now: %v", c.Now())
		}
	})
}
