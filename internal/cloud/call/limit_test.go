package call

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimit(t *testing.T) {
	for _, c := range []struct {
		name string
		use  func(context.Context)
		want time.Duration // after which the limit of ten seconds is over
	}{
		{"nothing is held", func(context.Context) {}, 10 * time.Second},
		{"held for a time", func(ctx context.Context) {
			time.Sleep(4 * time.Second)
			release := Hold(ctx)
			time.Sleep(time.Minute)
			release()
			release()
		}, 70 * time.Second},
		{"held twice at once", func(ctx context.Context) {
			first, second := Hold(ctx), Hold(ctx)
			time.Sleep(time.Second)
			first()
			time.Sleep(time.Second)
			second()
		}, 12 * time.Second},
		{"held below a context of its own", func(ctx context.Context) {
			release := Hold(context.WithoutCancel(ctx))
			time.Sleep(time.Hour)
			release()
		}, time.Hour + 10*time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			ctx, cancel := WithLimit(t.Context(), 10*time.Second)
			defer cancel()
			c.use(ctx)
			<-ctx.Done()
			if took := time.Since(began); took != c.want || !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
				t.Errorf("%s: over after %s: %v", c.name, took, context.Cause(ctx))
			}
		})
	}
	ctx, cancel := WithLimit(t.Context(), time.Hour)
	cancel()
	if !errors.Is(context.Cause(ctx), context.Canceled) {
		t.Errorf("given up: %v", context.Cause(ctx))
	}
	Hold(t.Context())() // there is no limit
}
