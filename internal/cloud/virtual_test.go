package cloud

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/internal/cloud/sandbox"
)

// bubble runs a test in virtual time, with a cloud in memory and hooks that say yes after a moment.
func bubble(t *testing.T, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		w.start()
		defer w.close()
		w.handle("CodeDeployHook_pre", w.answer(cdtypes.LifecycleEventStatusSucceeded, 2*time.Second))
		w.handle("CodeDeployHook_post", w.answer(cdtypes.LifecycleEventStatusSucceeded, time.Second))
		f(w)
	})
}

// change is a moment at which an alias was led elsewhere.
type change struct {
	at time.Time
	to string
}

// follow looks at an alias every so often, until the stack's operation has ended, and returns its changes. Virtual time
// stands still while anything works, so that changes at whole multiples of a look's distance from each other are seen so; the
// first look is set off from whole seconds, so as not to meet them. The alias began at version 1: to ask for that now would
// race with an operation that moves it at once.
func (w *world) follow(function string, every, limit time.Duration) (changes []change) {
	w.Helper()
	last := "1"
	time.Sleep(300 * time.Millisecond)
	for n := range int(limit / every) {
		if now := w.routing(function); now != last {
			changes, last = append(changes, change{time.Now(), now}), now
		}
		if n%10 == 0 && !strings.HasSuffix(string(w.status()), "_IN_PROGRESS") {
			return changes
		}
		time.Sleep(every)
	}
	w.Fatalf("after %s the stack is still %s", limit, w.status())
	return nil
}

// wantSteps holds an alias's changes against a linear configuration's.
func (w *world) wantSteps(got []change, step time.Duration) {
	w.Helper()
	if len(got) != 10 {
		w.Fatalf("%d changes: %v", len(got), got)
	}
	for i, c := range got {
		want := fmt.Sprintf("1 2:0.%d0", i+1)
		if i == 9 {
			want = "2"
		}
		if at := c.at.Sub(got[0].at); at != time.Duration(i)*step || c.to != want {
			w.Errorf("change %d after %s: %s; want %s after %s", i+1, at, c.to, want, time.Duration(i)*step)
		}
	}
}

// TestLinearAndCanary deploys two functions gradually in one update: each weight changes at its minute.
func TestLinearAndCanary(t *testing.T) {
	bubble(t, func(w *world) {
		w.deploy(shop(1, "Linear10PercentEvery10Minutes"), cfntypes.StackStatusCreateComplete)
		if r := w.routing("search") + w.routing("checkout"); r != "11" || len(w.deployments("search")) != 0 {
			t.Errorf("the creation leads to %s and made deployments %v", r, w.deployments("search"))
		}
		w.begin(shop(2, "Linear10PercentEvery10Minutes"))
		var canary []change
		done := make(chan struct{})
		go func() { defer close(done); canary = w.follow("checkout", time.Second, 2*time.Hour) }()
		linear := w.follow("search", time.Second, 2*time.Hour)
		<-done
		w.want(cfntypes.StackStatusUpdateComplete, time.Second)
		w.wantSteps(linear, 10*time.Minute)
		if len(canary) != 2 || canary[0].to != "1 2:0.10" || canary[1].to != "2" || canary[1].at.Sub(canary[0].at) != 5*time.Minute {
			t.Errorf("canary: %v", canary)
		}
		d := w.deployments("search")[0]
		for name, want := range map[string]time.Duration{"BeforeAllowTraffic": 2 * time.Second, "AllowTraffic": 90 * time.Minute, "AfterAllowTraffic": time.Second} {
			if e := w.lifecycle(*d.DeploymentId)[name]; e.Status != cdtypes.LifecycleEventStatusSucceeded || e.EndTime.Sub(*e.StartTime).Round(time.Second) != want {
				t.Errorf("%s %s from %v to %v; want %s", name, e.Status, e.StartTime, e.EndTime, want)
			}
		}
		w.wantEvent(`^SearchAliaslive UPDATE_IN_PROGRESS CodeDeploy deployment started: ` + *d.DeploymentId + `$`)
		w.wantEvent(`^SearchAliaslive UPDATE_COMPLETE $`)
	})
}

func (w *world) wantEvent(pattern string) {
	w.Helper()
	if events := w.events(); !slices.ContainsFunc(events, regexp.MustCompile(pattern).MatchString) {
		w.Errorf("no event %s in\n%s", pattern, strings.Join(events, "\n"))
	}
}

// TestSchedules shifts traffic by each configuration that CodeDeploy brings, in the minutes that its name says.
func TestSchedules(t *testing.T) {
	tests := map[string][]time.Duration{"AllAtOnce": {0}}
	for _, minutes := range []time.Duration{5, 10, 15, 30} {
		tests[fmt.Sprintf("Canary10Percent%dMinutes", minutes)] = []time.Duration{0, minutes * time.Minute}
	}
	for name, minutes := range map[string]time.Duration{"1Minute": 1, "2Minutes": 2, "3Minutes": 3, "10Minutes": 10} {
		for i := range time.Duration(10) {
			tests["Linear10PercentEvery"+name] = append(tests["Linear10PercentEvery"+name], i*minutes*time.Minute)
		}
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				w.deploy(template(function{"search", "Type: " + name, 1}), cfntypes.StackStatusCreateComplete)
				w.begin(template(function{"search", "Type: " + name, 2}))
				var got []time.Duration
				changes := w.follow("search", time.Second, 2*time.Hour)
				for _, c := range changes {
					got = append(got, c.at.Sub(changes[0].at))
				}
				if !slices.Equal(got, want) || changes[len(changes)-1].to != "2" || len(want) > 1 && changes[0].to != "1 2:0.10" {
					t.Errorf("changes after %v, want %v: %v", got, want, changes)
				}
				if d := w.deployments("search"); len(d) != 1 || *d[0].DeploymentConfigName != "CodeDeployDefault.Lambda"+name || d[0].Status != cdtypes.DeploymentStatusSucceeded {
					t.Errorf("deployments %+v", d)
				}
				w.want(cfntypes.StackStatusUpdateComplete, time.Second)
			})
		})
	}
}

// TestTwoDays shifts traffic for as long as CodeDeploy allows: ten steps over 48 hours, between hooks that take almost an hour.
func TestTwoDays(t *testing.T) {
	bubble(t, func(w *world) {
		linear := func(name string, minutes int32) error {
			_, err := w.deploys.CreateDeploymentConfig(w.ctx, &codedeploy.CreateDeploymentConfigInput{DeploymentConfigName: &name, ComputePlatform: cdtypes.ComputePlatformLambda,
				TrafficRoutingConfig: &cdtypes.TrafficRoutingConfig{Type: cdtypes.TrafficRoutingTypeTimeBasedLinear,
					TimeBasedLinear: &cdtypes.TimeBasedLinear{LinearPercentage: 10, LinearInterval: minutes}}})
			return err
		}
		var invalid *cdtypes.InvalidTrafficRoutingConfigurationException
		if err := linear("TooLong", 321); !errors.As(err, &invalid) {
			t.Errorf("more than 48 hours: %v", err)
		}
		if err := linear("TwoDays", 320); err != nil {
			t.Fatal(err)
		}
		w.handle("CodeDeployHook_pre", w.later(59*time.Minute))
		w.handle("CodeDeployHook_post", w.later(59*time.Minute))
		w.deploy(shop(1, "TwoDays"), cfntypes.StackStatusCreateComplete)
		w.begin(shop(2, "TwoDays"))
		w.wantSteps(w.follow("search", time.Minute, 51*time.Hour), 320*time.Minute)
		w.want(cfntypes.StackStatusUpdateComplete, time.Second)
		d := w.deployments("search")[0]
		if e := w.lifecycle(*d.DeploymentId)["AllowTraffic"]; e.EndTime.Sub(*e.StartTime) != 48*time.Hour {
			t.Errorf("from %v to %v", e.StartTime, e.EndTime)
		}
	})
}

// TestSilentHook has a hook that never answers: after an hour the deployment fails, and the alias is as it was.
func TestSilentHook(t *testing.T) {
	for hook, event := range map[string]string{"CodeDeployHook_pre": "BeforeAllowTraffic", "CodeDeployHook_post": "AfterAllowTraffic"} {
		t.Run(event, func(t *testing.T) {
			bubble(t, func(w *world) {
				w.handle(hook, func(context.Context, *sandbox.Function, []byte) (any, error) { return nil, errors.New("lost") })
				w.deploy(shop(1, "Linear10PercentEvery1Minute"), cfntypes.StackStatusCreateComplete)
				w.begin(shop(2, "Linear10PercentEvery1Minute"))
				changes := w.follow("search", 10*time.Second, 2*time.Hour)
				if moved := event == "AfterAllowTraffic"; moved != (len(changes) == 11) || !moved && len(changes) > 0 {
					t.Errorf("changes: %v", changes)
				}
				w.want(cfntypes.StackStatusUpdateRollbackComplete, time.Second)
				w.wantSilence(event)
			})
		})
	}
}

// wantSilence wants a deployment to have failed in an event that took an hour, and what follows of it.
func (w *world) wantSilence(event string) {
	w.Helper()
	list := w.deployments("search")
	if len(list) != 2 {
		w.Fatalf("%d deployments", len(list))
	}
	failed := list[1]
	e := w.lifecycle(*failed.DeploymentId)[event]
	if failed.Status != cdtypes.DeploymentStatusFailed || failed.ErrorInformation.Code != cdtypes.ErrorCodeHookExecutionFailure ||
		e.Status != cdtypes.LifecycleEventStatusFailed || e.EndTime.Sub(*e.StartTime) != time.Hour {
		w.Errorf("%s %+v; hook %s from %v to %v", failed.Status, failed.ErrorInformation, e.Status, e.StartTime, e.EndTime)
	}
	w.wantFailure(failed, "The deployment failed because one or more of the lifecycle event validation functions failed.")
}

// wantFailure holds a rollback's deployments and the stack's events against what AWS shows.
func (w *world) wantFailure(failed *cdtypes.DeploymentInfo, message string) {
	w.Helper()
	back := w.deployments("search")[0]
	id, backID := *failed.DeploymentId, *back.DeploymentId
	if back.Creator != cdtypes.DeploymentCreatorCodeDeployRollback || back.Status != cdtypes.DeploymentStatusSucceeded ||
		aws.ToString(back.RollbackInfo.RollbackTriggeringDeploymentId) != id || aws.ToString(failed.RollbackInfo.RollbackDeploymentId) != backID ||
		*failed.RollbackInfo.RollbackMessage != "Deployment "+id+" terminated. Automatic rollback is triggered with a DeploymentId "+backID+"." {
		w.Errorf("rollback %s %s %+v of %+v", back.Creator, back.Status, back.RollbackInfo, failed.RollbackInfo)
	}
	if *failed.ErrorInformation.Message != message {
		w.Errorf("message %s", *failed.ErrorInformation.Message)
	}
	w.wantEvent(`^SearchAliaslive UPDATE_IN_PROGRESS CodeDeploy deployment started: ` + id + `$`)
	w.wantEvent(`^SearchAliaslive UPDATE_IN_PROGRESS CodeDeploy rollback deployment started: ` + backID + `$`)
	w.wantEvent(`^SearchAliaslive UPDATE_FAILED Resource handler returned message: "` + id + ` failed\. ` + regexp.QuoteMeta(message) +
		`" \(RequestToken: [-0-9a-f]{36}, HandlerErrorCode: InternalFailure\)$`)
	w.wantEvent(`^shop UPDATE_ROLLBACK_IN_PROGRESS The following resource\(s\) failed to (create|update): \[SearchAliaslive`)
	w.wantEvent(`^shop UPDATE_ROLLBACK_COMPLETE `)
	for _, fn := range []string{"search", "checkout"} {
		if got := w.routing(fn); got != "1" {
			w.Errorf("%s leads to %s", fn, got)
		}
	}
}

// TestAlarm has customers meet a release that fails: the alarm stops the deployment, and the stack goes back.
func TestAlarm(t *testing.T) {
	bubble(t, func(w *world) {
		w.handle("search", func(_ context.Context, fn *sandbox.Function, _ []byte) (any, error) {
			if fn.Env["RELEASE"] == "2" {
				return nil, errors.New("no results")
			}
			return "found", nil
		})
		w.deploy(shop(1, "Linear10PercentEvery1Minute"), cfntypes.StackStatusCreateComplete)
		failures, stop := w.customers()
		defer stop()
		time.Sleep(5 * time.Minute)
		if n := failures.Load(); n > 0 || w.alarm() != "OK" {
			t.Errorf("release one failed %d times; the alarm is %s", n, w.alarm())
		}
		w.begin(shop(2, "Linear10PercentEvery1Minute"))
		changes := w.follow("search", time.Second, time.Hour)
		w.want(cfntypes.StackStatusUpdateRollbackComplete, time.Second)
		list := w.deployments("search")
		if len(list) != 2 || list[1].Status != cdtypes.DeploymentStatusStopped || list[1].ErrorInformation.Code != cdtypes.ErrorCodeAlarmActive {
			t.Fatalf("deployments %+v", list)
		}
		w.wantFailure(list[1], "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected deployments have been stopped. Activated alarms: <search-errors>")
		// Errors begin with the first step. They are an alarm by the end of the next minute, and heard of a moment later.
		if n := len(changes); n < 2 || n > 4 || changes[n-1].to != "1" || changes[n-1].at.Sub(changes[0].at) > 2*time.Minute+30*time.Second || failures.Load() == 0 {
			t.Errorf("changes %v, %d failures", changes, failures.Load())
		}
	})
}

// customers call search:live every three seconds until they are stopped.
func (w *world) customers() (failures *atomic.Int64, stop func()) {
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan struct{})
	failures = new(atomic.Int64)
	go func() {
		defer close(done)
		for ; ctx.Err() == nil; time.Sleep(3 * time.Second) {
			out, err := w.lambda.Invoke(w.ctx, &lambda.InvokeInput{FunctionName: aws.String("search:live")})
			if err != nil {
				w.Errorf("invoke: %v", err)
			} else if out.FunctionError != nil {
				failures.Add(1)
			}
		}
	}()
	return failures, func() { cancel(); <-done }
}

func (w *world) alarm() string {
	w.Helper()
	out, err := w.metrics.DescribeAlarms(w.ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"search-errors"}})
	if err != nil || len(out.MetricAlarms) != 1 {
		w.Fatalf("alarm: %+v, %v", out, err)
	}
	return string(out.MetricAlarms[0].StateValue)
}
