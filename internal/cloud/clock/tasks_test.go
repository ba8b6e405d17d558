package clock

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTasksEveryHourUntilClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tasks Tasks
		c := NewFast(start, 60)
		done := 0
		tasks.Every(c, time.Hour, func() { done++ })
		time.Sleep(3*time.Minute + time.Second)
		synctest.Wait()
		if done != 3 {
			t.Errorf("done %d times in three hours", done)
		}
		tasks.Close()
		tasks.Every(c, time.Hour, func() { t.Error("begun after Close") })
		tasks.Do(func() { t.Error("done after Close") })
		time.Sleep(time.Hour)
		if done != 3 {
			t.Errorf("done %d times, though closed", done)
		}
	})
}

func TestTasksCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tasks Tasks
		ended := false
		tasks.Every(Real{}, time.Second, func() { time.Sleep(time.Minute); ended = true })
		time.Sleep(2 * time.Second)
		tasks.Close()
		if !ended {
			t.Error("closed while something was being done")
		}
	})
}
