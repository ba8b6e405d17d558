package store

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestBehindWritesWhatCameMeanwhileAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var writes atomic.Int32
		b := NewBehind(time.Second, func(context.Context) error { writes.Add(1); return nil })
		for range 10 {
			b.Soon()
			time.Sleep(50 * time.Millisecond)
		}
		synctest.Wait()
		if writes.Load() != 0 {
			t.Errorf("%d writes within half a second", writes.Load())
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if writes.Load() != 1 {
			t.Errorf("%d writes, want 1", writes.Load())
		}
		b.Soon()
		if err := b.Close(); err != nil || writes.Load() != 2 {
			t.Errorf("close: %d writes, error %v", writes.Load(), err)
		}
		b.Soon()
		time.Sleep(time.Minute)
		synctest.Wait()
		if writes.Load() != 2 {
			t.Error("written after close")
		}
	})
}

func TestBehindTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		begin := time.Now()
		b := NewBehind(time.Second, func(context.Context) error {
			if at = append(at, time.Since(begin)); len(at) < 3 {
				return errors.New("no room")
			}
			return nil
		})
		b.Soon()
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(at) != 3 || at[2] != 3*time.Second {
			t.Errorf("written at %v", at)
		}
	})
}
