package cloud

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestFastClockGoesOn starts a cloud over what another, with a fast clock, had written by some moment: its time is not before
// what the other's was. After an orderly end it is the same.
func TestFastClockGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := func(dir string) *Server {
			t.Helper()
			s := &Server{Addr: "-", StateDir: dir, CacheDir: t.TempDir(), Speed: 60, runner: &functions{}}
			if err := s.Start(context.Background()); err != nil {
				t.Fatal(err)
			}
			return s
		}
		dir := memoryDir(t)
		s := start(dir)
		for range 20 {
			killed := memoryDir(t)
			log, err := os.ReadFile(filepath.Join(dir, "state.log"))
			if err == nil {
				err = os.WriteFile(filepath.Join(killed, "state.log"), log, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			next := start(killed)
			if was, is := s.Clock.Now(), next.Clock.Now(); is.Before(was) || is.Sub(was) > 3*time.Minute {
				t.Errorf("after a kill at %s it is %s", was, is)
			}
			next.Close()
			time.Sleep(370 * time.Millisecond)
		}
		was := s.Clock.Now()
		s.Close()
		next := start(dir)
		if is := next.Clock.Now(); !is.Equal(was) {
			t.Errorf("after an end at %s it is %s", was, is)
		}
		next.Close()
	})
}
