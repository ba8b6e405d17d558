package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"evo/internal/cloud/store"
)

var errKilled = errors.New("killed")

// killer ends a service at its n-th moment: before or after a write of the journal, before or after an effect. From then on
// nothing of it reaches the world.
type killer struct {
	w    *world
	mu   sync.Mutex
	left int
	dead chan struct{}
}

func (k *killer) moment() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	select {
	case <-k.dead:
		return errKilled
	default:
	}
	if k.left--; k.left == 0 {
		close(k.dead)
		k.w.svc.cancel()
		return errKilled
	}
	return nil
}

func (w *world) killAt(n int) *killer {
	k := &killer{w: w, left: n, dead: make(chan struct{})}
	w.svc.journaled = func(bool) error { return k.moment() }
	w.lambda.effect = func(string) error { return k.moment() }
	return k
}

// restart makes a new service over the store, as the next process does. The old one's goroutines have ended.
func (w *world) restart() {
	w.svc.Close()
	w.lambda.mu.Lock()
	w.lambda.effect = nil
	w.lambda.mu.Unlock()
	w.mu.Lock()
	w.svc = w.service(2)
	w.cd = w.client()
	w.mu.Unlock()
	if err := w.svc.Start(context.Background()); err != nil {
		w.Fatal(err)
	}
}

// TestKilledAnywhere ends the service at each moment of a deployment's life in turn, lets a new one go on after a pause, and
// wants the same end as if nothing had happened.
func TestKilledAnywhere(t *testing.T) {
	scenarios := map[string]struct {
		prepare func(w *world)
		status  types.DeploymentStatus
		alias   string
	}{
		"succeeds": {func(w *world) {}, types.DeploymentStatusSucceeded, "2"},
		"alarm": {func(w *world) {
			time.AfterFunc(150*time.Second, func() { w.alarms.set("errors", cwtypes.StateValueAlarm) })
		}, types.DeploymentStatusStopped, "1"},
		"post hook says no": {func(w *world) {
			w.lambda.hooks["post"] = w.answer(types.LifecycleEventStatusFailed, time.Second)
		}, types.DeploymentStatusFailed, "1"},
	}
	for name, sc := range scenarios {
		for n := 1; ; n++ {
			killed := true
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				bubble(t, func(w *world) { killed = killOnce(w, n, sc.prepare, sc.status, sc.alias) })
			})
			if !killed {
				if n < 20 {
					t.Errorf("%s: only %d moments", name, n)
				}
				break
			}
		}
	}
}

func killOnce(w *world, n int, prepare func(*world), status types.DeploymentStatus, alias string) bool {
	w.lambda.hooks["pre"] = w.insist(types.LifecycleEventStatusSucceeded)
	w.lambda.hooks["post"] = w.insist(types.LifecycleEventStatusSucceeded)
	prepare(w)
	if hook := w.lambda.hooks["post"]; status == types.DeploymentStatusFailed && hook != nil {
		w.lambda.hooks["post"] = w.insist(types.LifecycleEventStatusFailed)
	}
	w.group("CodeDeployDefault.LambdaLinear10PercentEvery1Minute", "errors")
	k := w.killAt(n)
	id := w.deploy(before, after)
	killed := false
	for !killed && w.get(id).CompleteTime == nil {
		select {
		case <-k.dead:
			killed = true
		case <-time.After(5 * time.Second):
		}
	}
	if !killed {
		time.Sleep(time.Minute)
		synctest.Wait()
		select {
		case <-k.dead:
			killed = true
		default:
		}
	}
	if killed {
		time.Sleep(20 * time.Second)
		w.restart()
	}
	d := w.await(id)
	if d.Status != status {
		w.Errorf("%s %+v, want %s", d.Status, d.ErrorInformation, status)
	}
	w.wantAlias(alias)
	if status != types.DeploymentStatusSucceeded {
		w.wantRollback(d)
	}
	time.Sleep(2 * time.Minute) // hooks that insist hear the end of it
	return killed
}

// insist makes a hook that answers until it is heard, as one does that retries while the cloud is away.
func (w *world) insist(status types.LifecycleEventStatus) func(hookPayload) {
	return func(p hookPayload) {
		for range 100 {
			time.Sleep(time.Second)
			err := w.put(p, status)
			if done := (*types.LifecycleEventAlreadyCompletedException)(nil); err == nil || errors.As(err, &done) {
				return
			}
		}
	}
}

// TestRestartFromDisk closes the store itself in the middle of a deployment, and goes on from what is on the disk.
func TestRestartFromDisk(t *testing.T) {
	bubble(t, func(w *world) {
		dir := t.TempDir()
		open := func() {
			t.Helper()
			w.svc.Close()
			if err := w.db.Close(); err != nil {
				t.Fatal(err)
			}
			db, err := store.Open(dir, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			w.db = db
			w.svc = w.service(3)
			w.cd = w.client()
			if err := w.svc.Start(w.ctx); err != nil {
				t.Fatal(err)
			}
		}
		open()
		defer func() { w.svc.Close(); w.db.Close() }()
		w.must(w.cd.CreateApplication(w.ctx, &codedeploy.CreateApplicationInput{ApplicationName: aws.String("app"), ComputePlatform: types.ComputePlatformLambda}))
		w.group("CodeDeployDefault.LambdaLinear10PercentEvery1Minute", "errors")
		id := w.deploy()
		time.Sleep(150 * time.Second)
		before := w.get(id)
		open()
		w.wantAlias("1+2:0.30")
		if after := w.get(id); *after.Revision.AppSpecContent.Content != *before.Revision.AppSpecContent.Content || after.Status != before.Status || !after.CreateTime.Equal(*before.CreateTime) {
			t.Errorf("before %+v\nafter  %+v", before, after)
		}
		time.Sleep(time.Minute)
		w.alarms.set("errors", cwtypes.StateValueAlarm)
		d := w.await(id)
		w.wantStatus(d, types.DeploymentStatusStopped, types.ErrorCodeAlarmActive)
		w.wantRollback(d)
	})
}
