package codedeploy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// bubble runs a test in virtual time.
func bubble(t *testing.T, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) { f(newWorld(t)) })
}

// TestSchedules runs every predefined configuration, and custom ones up to the longest there can be, to the second.
func TestSchedules(t *testing.T) {
	custom := map[string]*types.TrafficRoutingConfig{
		"Linear10PercentEvery320Minutes": {Type: types.TrafficRoutingTypeTimeBasedLinear, TimeBasedLinear: &types.TimeBasedLinear{LinearPercentage: 10, LinearInterval: 320}},
		"Linear33PercentEvery7Minutes":   {Type: types.TrafficRoutingTypeTimeBasedLinear, TimeBasedLinear: &types.TimeBasedLinear{LinearPercentage: 33, LinearInterval: 7}},
		"Canary5Percent2880Minutes":      {Type: types.TrafficRoutingTypeTimeBasedCanary, TimeBasedCanary: &types.TimeBasedCanary{CanaryPercentage: 5, CanaryInterval: 2880}},
	}
	names := []string{"Linear10PercentEvery320Minutes", "Linear33PercentEvery7Minutes", "Canary5Percent2880Minutes"}
	for name := range predefined {
		names = append(names, name)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				if routing := custom[name]; routing != nil {
					w.must(w.cd.CreateDeploymentConfig(w.ctx, &codedeploy.CreateDeploymentConfigInput{
						DeploymentConfigName: &name, ComputePlatform: types.ComputePlatformLambda, TrafficRoutingConfig: routing,
					}))
				}
				w.group(name, "errors")
				d := w.await(w.deploy())
				w.wantStatus(d, types.DeploymentStatusSucceeded, "")
				w.wantAlias("2")
				if got, want := strings.Join(w.lambda.history, "\n"), schedule(name); got != want {
					t.Errorf("the alias went\n%s\nwant\n%s", got, want)
				}
			})
		})
	}
}

// schedule tells from a configuration's name alone how the alias must move.
func schedule(name string) string {
	name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(name, "CodeDeployDefault.Lambda"), "s"), "Minute")
	var percent, minutes int
	var steps []string
	if n, _ := fmt.Sscanf(name, "Canary%dPercent%d", &percent, &minutes); n == 2 {
		steps = append(steps, fmt.Sprintf("0s 1+2:%.2f", float64(percent)/100))
	} else if n, _ := fmt.Sscanf(name, "Linear%dPercentEvery%d", &percent, &minutes); n == 2 {
		for p := percent; p < 100; p += percent {
			at := time.Duration(len(steps)*minutes) * time.Minute
			steps = append(steps, fmt.Sprintf("%s 1+2:%.2f", at, float64(p)/100))
		}
	}
	at := time.Duration(len(steps)*minutes) * time.Minute
	return strings.Join(append(steps, fmt.Sprintf("%s 2", at)), "\n")
}

func TestHooksOrderTheDeployment(t *testing.T) {
	bubble(t, func(w *world) {
		var seen []string
		hook := func(name string) func(hookPayload) {
			return func(p hookPayload) {
				time.Sleep(2 * time.Second)
				seen = append(seen, name+" "+w.lambda.now())
				if err := w.put(p, types.LifecycleEventStatusSucceeded); err != nil {
					t.Error(err)
				}
			}
		}
		w.lambda.hooks["pre"], w.lambda.hooks["post"] = hook("pre"), hook("post")
		w.group("CodeDeployDefault.LambdaCanary10Percent5Minutes", "errors", "slow")
		id := w.deploy(before, after)
		if got := w.get(id); got.Status != types.DeploymentStatusCreated && got.Status != types.DeploymentStatusQueued && got.Status != types.DeploymentStatusInProgress {
			t.Errorf("status %s", got.Status)
		}
		synctest.Wait()
		if got := w.events3(id); got != "InProgress Pending Pending" {
			t.Errorf("at first: %s", got)
		}
		time.Sleep(time.Minute)
		if got := w.events3(id); got != "Succeeded InProgress Pending" {
			t.Errorf("while shifting: %s", got)
		}
		d := w.await(id)
		w.wantStatus(d, types.DeploymentStatusSucceeded, "")
		if took := d.CompleteTime.Sub(*d.CreateTime); took != 5*time.Minute+4*time.Second {
			t.Errorf("took %s", took)
		}
		if got := strings.Join(seen, ", "); got != "pre 1, post 2" {
			t.Errorf("the hooks saw %s", got)
		}
		if got := strings.Join(w.events, ", "); got != id+" START, "+id+" SUCCESS" {
			t.Errorf("notified: %s", got)
		}
	})
}

// wantRollback checks both deployments of a rollback against what was observed of AWS.
func (w *world) wantRollback(d *types.DeploymentInfo) {
	w.Helper()
	if d.RollbackInfo == nil || d.RollbackInfo.RollbackDeploymentId == nil {
		w.Fatalf("%s has not been rolled back: %+v", *d.DeploymentId, d.ErrorInformation)
	}
	b := w.get(*d.RollbackInfo.RollbackDeploymentId)
	w.wantStatus(b, types.DeploymentStatusSucceeded, "")
	if got := w.events3(*b.DeploymentId); got != "Succeeded Succeeded Succeeded" {
		w.Errorf("events of the rollback: %s", got)
	}
	if b.Creator != types.DeploymentCreatorCodeDeployRollback || *b.DeploymentConfigName != "CodeDeployDefault.LambdaAllAtOnce" || d.Creator != types.DeploymentCreatorUser {
		w.Errorf("the rollback: creator %s, configuration %s", b.Creator, *b.DeploymentConfigName)
	}
	wantA := fmt.Sprintf("Deployment %s terminated. Automatic rollback is triggered with a DeploymentId %s.", *d.DeploymentId, *b.DeploymentId)
	wantB := fmt.Sprintf("Deployment %s is triggered to roll back deployment %s.", *b.DeploymentId, *d.DeploymentId)
	if *d.RollbackInfo.RollbackMessage != wantA || *b.RollbackInfo.RollbackMessage != wantB || *b.RollbackInfo.RollbackTriggeringDeploymentId != *d.DeploymentId {
		w.Errorf("messages %q, %q", *d.RollbackInfo.RollbackMessage, *b.RollbackInfo.RollbackMessage)
	}
	w.wantAlias("1")
}

func TestHookSaysNo(t *testing.T) {
	for _, hook := range []string{before, after} {
		t.Run(hook, func(t *testing.T) {
			bubble(t, func(w *world) {
				w.lambda.hooks["pre"] = w.answer(types.LifecycleEventStatusFailed, time.Second)
				w.lambda.hooks["post"] = w.answer(types.LifecycleEventStatusFailed, time.Second)
				w.group("CodeDeployDefault.LambdaLinear10PercentEvery1Minute")
				d := w.await(w.deploy(hook))
				w.wantStatus(d, types.DeploymentStatusFailed, types.ErrorCodeHookExecutionFailure)
				if got := *d.ErrorInformation.Message; got != "The deployment failed because one or more of the lifecycle event validation functions failed." {
					t.Errorf("message %q", got)
				}
				w.wantRollback(d)
				if calls := w.lambda.calls["Invoke"]; calls != 1 {
					t.Errorf("%d hook calls", calls)
				}
			})
		})
	}
}

func TestHookNeverAnswers(t *testing.T) {
	bubble(t, func(w *world) {
		var late hookPayload
		w.lambda.hooks["pre"] = func(p hookPayload) { late = p }
		w.group("CodeDeployDefault.LambdaAllAtOnce")
		d := w.await(w.deploy(before))
		w.wantStatus(d, types.DeploymentStatusFailed, types.ErrorCodeHookExecutionFailure)
		if took := d.CompleteTime.Sub(*d.CreateTime); took != time.Hour {
			t.Errorf("gave up after %s", took)
		}
		w.wantRollback(d)
		wantError[*types.LifecycleEventAlreadyCompletedException](t, w.put(late, types.LifecycleEventStatusSucceeded))
	})
}

func TestHookAnswersOddly(t *testing.T) {
	bubble(t, func(w *world) {
		errs := make(chan error, 7)
		w.lambda.hooks["pre"] = func(p hookPayload) {
			wrong := p
			wrong.LifecycleEventHookExecutionId = "guess"
			nobody := p
			nobody.DeploymentId = "d-000000000"
			malformed := p
			malformed.DeploymentId = "d-0"
			for _, put := range []error{
				w.put(wrong, types.LifecycleEventStatusSucceeded), w.put(nobody, types.LifecycleEventStatusSucceeded), w.put(malformed, types.LifecycleEventStatusSucceeded),
				w.put(p, types.LifecycleEventStatusSkipped), w.put(p, "Splendid"),
				w.put(p, types.LifecycleEventStatusSucceeded), w.put(p, types.LifecycleEventStatusFailed),
			} {
				errs <- put
			}
		}
		w.group("CodeDeployDefault.LambdaAllAtOnce")
		w.wantStatus(w.await(w.deploy(before)), types.DeploymentStatusSucceeded, "")
		wantError[*types.InvalidLifecycleEventHookExecutionIdException](t, <-errs)
		wantError[*types.DeploymentDoesNotExistException](t, <-errs)
		wantError[*types.InvalidDeploymentIdException](t, <-errs)
		wantError[*types.InvalidLifecycleEventHookExecutionStatusException](t, <-errs)
		if err := <-errs; err == nil || !strings.Contains(err.Error(), "Splendid") {
			t.Errorf("a status that does not exist: %v", err)
		}
		if err := <-errs; err != nil {
			t.Error(err)
		}
		wantError[*types.LifecycleEventAlreadyCompletedException](t, <-errs)
		w.wantAlias("2")
	})
}

func TestHookCannotBeCalled(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaAllAtOnce")
		d := w.await(w.deploy(before))
		w.wantStatus(d, types.DeploymentStatusFailed, types.ErrorCodeHookExecutionFailure)
		w.wantRollback(d)
		out, err := w.cd.GetDeploymentTarget(w.ctx, &codedeploy.GetDeploymentTargetInput{DeploymentId: d.DeploymentId, TargetId: aws.String("fn")})
		if err != nil {
			t.Fatal(err)
		}
		if got := aws.ToString(out.DeploymentTarget.LambdaTarget.LifecycleEvents[0].Diagnostics.Message); got != "hook pre cannot be called: Function not found: pre" {
			t.Errorf("diagnostic %q", got)
		}
	})
}

func TestAlarmStops(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaLinear10PercentEvery1Minute", "errors", "slow")
		time.AfterFunc(4*time.Minute+30*time.Second, func() {
			w.alarms.set("errors", cwtypes.StateValueAlarm)
			w.alarms.set("slow", cwtypes.StateValueAlarm)
		})
		id := w.deploy()
		time.Sleep(4*time.Minute + 29*time.Second)
		w.wantAlias("1+2:0.50")
		d := w.await(id)
		w.wantStatus(d, types.DeploymentStatusStopped, types.ErrorCodeAlarmActive)
		want := "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected deployments have been stopped. Activated alarms: <errors> <slow>"
		if got := *d.ErrorInformation.Message; got != want {
			t.Errorf("message %q", got)
		}
		if took := d.CompleteTime.Sub(*d.CreateTime); took > 4*time.Minute+36*time.Second {
			t.Errorf("stopped after %s", took)
		}
		if got := w.events3(id); got != "Succeeded Failed Skipped" {
			t.Errorf("events %s", got)
		}
		w.wantRollback(d)
	})
}

func TestAlarmIsActiveAlready(t *testing.T) {
	bubble(t, func(w *world) {
		w.alarms.set("errors", cwtypes.StateValueAlarm)
		w.group("CodeDeployDefault.LambdaLinear10PercentEvery1Minute", "errors")
		d := w.await(w.deploy())
		w.wantStatus(d, types.DeploymentStatusStopped, types.ErrorCodeAlarmActive)
		w.wantRollback(d)
		if took := d.CompleteTime.Sub(*d.CreateTime); took > time.Second {
			t.Errorf("stopped after %s", took)
		}
		out, err := w.cd.CreateDeployment(w.ctx, &codedeploy.CreateDeploymentInput{
			ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g"), Revision: spec(),
			OverrideAlarmConfiguration: &types.AlarmConfiguration{Enabled: false},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.wantStatus(w.await(*out.DeploymentId), types.DeploymentStatusSucceeded, "")
		w.wantAlias("2")
	})
}

func TestAlarmsCannotBeRead(t *testing.T) {
	for _, ignore := range []bool{false, true} {
		bubble(t, func(w *world) {
			w.alarms.err = errors.New("CloudWatch is away")
			w.group("CodeDeployDefault.LambdaAllAtOnce")
			w.must(w.cd.UpdateDeploymentGroup(w.ctx, &codedeploy.UpdateDeploymentGroupInput{
				ApplicationName: aws.String("app"), CurrentDeploymentGroupName: aws.String("g"),
				AlarmConfiguration: &types.AlarmConfiguration{Enabled: true, IgnorePollAlarmFailure: ignore, Alarms: []types.Alarm{{Name: aws.String("errors")}}},
			}))
			d := w.await(w.deploy())
			if ignore {
				w.wantStatus(d, types.DeploymentStatusSucceeded, "")
				return
			}
			w.wantStatus(d, types.DeploymentStatusStopped, types.ErrorCodeAlarmActive)
			if !strings.Contains(*d.ErrorInformation.Message, "CloudWatch is away") {
				t.Errorf("message %q", *d.ErrorInformation.Message)
			}
		})
	}
}

func TestStop(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaLinear10PercentEvery1Minute")
		id := w.deploy()
		time.Sleep(90 * time.Second)
		stop := func(back *bool) (types.StopStatus, error) {
			out, err := w.cd.StopDeployment(w.ctx, &codedeploy.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: back})
			if err != nil {
				return "", err
			}
			return out.Status, nil
		}
		if status, err := stop(nil); err != nil || status != types.StopStatusPending {
			t.Errorf("stop: %s, %v", status, err)
		}
		d := w.await(id)
		w.wantStatus(d, types.DeploymentStatusStopped, types.ErrorCodeManualStop)
		w.wantRollback(d)
		if status, err := stop(nil); err != nil || status != types.StopStatusSucceeded {
			t.Errorf("stop again: %s, %v", status, err)
		}

		// Without rollback the alias keeps its weights, and every later deployment fails until they are cleared.
		id = w.deploy()
		time.Sleep(90 * time.Second)
		w.must(stop(aws.Bool(false)))
		d = w.await(id)
		w.wantStatus(d, types.DeploymentStatusStopped, types.ErrorCodeManualStop)
		w.wantAlias("1+2:0.20")
		next := w.await(w.deploy())
		w.wantStatus(next, types.DeploymentStatusFailed, types.ErrorCodeInvalidLambdaConfiguration)
		w.wantAlias("1+2:0.20")
		w.lambda.mu.Lock()
		w.lambda.set("1", nil)
		w.lambda.mu.Unlock()
		id = w.deploy()
		w.wantStatus(w.await(id), types.DeploymentStatusSucceeded, "")
		_, err := stop(nil)
		wantError[*types.DeploymentAlreadyCompletedException](t, err)
	})
}

// TestSomebodyElseChangesTheAlias: a change of the alias by another hand is never overwritten, and no rollback is tried.
func TestSomebodyElseChangesTheAlias(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaLinear10PercentEvery1Minute")
		id := w.deploy()
		time.Sleep(90 * time.Second)
		w.lambda.mu.Lock()
		w.lambda.set("3", nil)
		w.lambda.mu.Unlock()
		d := w.await(id)
		w.wantStatus(d, types.DeploymentStatusFailed, types.ErrorCodeInvalidLambdaConfiguration)
		w.wantAlias("3")
		if !strings.Contains(*d.ErrorInformation.Message, "somebody else changed the alias live of the function fn") || d.RollbackInfo != nil {
			t.Errorf("message %q, rollback %v", *d.ErrorInformation.Message, d.RollbackInfo)
		}
	})
	bubble(t, func(w *world) { // a change that leaves the routing alone does no harm
		w.group("CodeDeployDefault.LambdaLinear10PercentEvery1Minute")
		id := w.deploy()
		time.Sleep(90 * time.Second)
		w.lambda.mu.Lock()
		w.lambda.revision++
		w.lambda.mu.Unlock()
		w.wantStatus(w.await(id), types.DeploymentStatusSucceeded, "")
	})
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaLinear10PercentEvery1Minute")
		id := w.deploy()
		time.Sleep(90 * time.Second)
		w.lambda.mu.Lock()
		w.lambda.gone = true
		w.lambda.mu.Unlock()
		w.wantStatus(w.await(id), types.DeploymentStatusFailed, types.ErrorCodeInvalidLambdaConfiguration)
	})
}

func TestFaultsPass(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaCanary10Percent5Minutes")
		w.lambda.failNext["UpdateAlias"] = &lambdatypes.TooManyRequestsException{Message: aws.String("Rate exceeded")}
		w.lambda.failNext["GetAlias"] = &lambdatypes.ServiceException{Message: aws.String("away")}
		w.wantStatus(w.await(w.deploy()), types.DeploymentStatusSucceeded, "")
		w.wantAlias("2")
	})
}

func TestOneDeploymentAGroup(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaCanary10Percent5Minutes")
		id := w.deploy()
		_, err := w.cd.CreateDeployment(w.ctx, &codedeploy.CreateDeploymentInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g"), Revision: spec()})
		wantError[*types.DeploymentLimitExceededException](t, err)
		if err == nil || !strings.Contains(err.Error(), "The Deployment Group 'g' already has an active Deployment '"+id+"'") {
			t.Errorf("error %v", err)
		}
		w.await(id)
		out, err := w.cd.GetDeploymentGroup(w.ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g")})
		if err != nil {
			t.Fatal(err)
		}
		if got := out.DeploymentGroupInfo; aws.ToString(got.LastSuccessfulDeployment.DeploymentId) != id || got.LastAttemptedDeployment.EndTime == nil || got.TargetRevision == nil {
			t.Errorf("group: %+v", got)
		}
	})
}

func TestUnknownVersion(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaAllAtOnce")
		r := spec()
		r.AppSpecContent.Content = aws.String(strings.Replace(*r.AppSpecContent.Content, `"TargetVersion":"2"`, `"TargetVersion":"7"`, 1))
		out, err := w.cd.CreateDeployment(w.ctx, &codedeploy.CreateDeploymentInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g"), Revision: r})
		if err != nil {
			t.Fatal(err)
		}
		w.wantStatus(w.await(*out.DeploymentId), types.DeploymentStatusFailed, types.ErrorCodeInvalidLambdaFunction)
	})
}
