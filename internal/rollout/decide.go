package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxAttempts is how often an action is tried before the deployment gives up. A rollback does not give up: what it undoes is
// worse than waiting.
const maxAttempts = 6

// Decide returns what becomes of the deployment after an observation, the actions to do now, and why, in words. The reason
// is empty when nothing changed. The actions are to be begun only when the returned state has been stored (R1); the pending
// action is returned again each time until its outcome is observed.
func Decide(s State, o Observation) (State, []Action, string) {
	if s.Status.Terminal() {
		return s, nil, ""
	}
	d := decision{State: s, now: o.Now}
	d.take(o.Fact)
	d.advance()
	if len(d.reasons) > 0 {
		d.Updated = o.Now
	}
	return d.State, d.actions(), strings.Join(d.reasons, "; ")
}

type decision struct {
	State
	now     time.Time
	reasons []string
}

func (d *decision) because(format string, args ...any) {
	d.reasons = append(d.reasons, fmt.Sprintf(format, args...))
}

// actions returns what is to be done now.
func (d *decision) actions() []Action {
	switch {
	case d.Undoable:
		return []Action{{Kind: RollBack}}
	case d.Pending != nil && !d.Retry.After(d.now):
		return []Action{*d.Pending}
	}
	return nil
}

// take notes what was observed.
func (d *decision) take(f Fact) {
	switch f := f.(type) {
	case AliasSeen:
		d.aliasSeen(f)
	case AliasSet:
		d.aliasSet(f)
	case AliasTaken:
		d.aliasTaken(f)
	case HookInvoked:
		d.hookInvoked(f)
	case HookAnswered:
		d.hookAnswered(f)
	case AlarmsRead:
		d.alarmsRead(f)
	case AlarmsUnreadable:
		d.alarmsUnreadable(f)
	case StopAsked:
		d.stopAsked(f)
	case GroupGone:
		d.groupGone(f)
	case ActionFailed:
		d.actionFailed(f)
	}
}

// advance goes on as far as time and the facts at hand allow, until an action must be done or something must be awaited.
func (d *decision) advance() {
	for !d.Status.Terminal() {
		switch {
		case !d.now.Before(d.Deadline):
			d.timedOut()
		case d.Pending != nil:
			return
		case d.Status == Created:
			d.Status = Queued
			d.begin(Action{Kind: InspectAlias})
			d.because("the deployment begins: inspect the alias")
		case !d.advanceEvent():
			return
		}
	}
}

// advanceEvent takes the current event one step further; false means that it has to wait.
func (d *decision) advanceEvent() bool {
	i := d.current()
	switch {
	case i == eventCount:
		d.Status, d.Completed = Succeeded, d.now
		d.because("the deployment has succeeded: %s serves %s", d.alias(), d.Routing)
		return true
	case d.Events[i].Status == EventPending:
		d.beginEvent(i)
		return true
	case i == AllowTraffic:
		return d.shift()
	case !d.now.Before(d.Events[i].Deadline):
		d.hookFailed(i, "ScriptTimedOut", fmt.Sprintf("hook %s has not answered within %s", d.Events[i].Hook, HookTimeout))
		return true
	}
	return false
}

func (d *decision) beginEvent(i int) {
	e := &d.Events[i]
	e.Status, e.Start = EventInProgress, d.now
	switch {
	case i == AllowTraffic:
		d.because("%s begins: %s in %s", EventName(i), d.plan().describe(), d.alias())
	case e.Hook == "":
		d.endEvent(i, EventSucceeded)
	default:
		e.Deadline = d.now.Add(HookTimeout)
		d.begin(Action{Kind: InvokeHook, Event: i, Hook: e.Hook, HookID: e.HookID})
		d.because("%s begins: call hook %s", EventName(i), e.Hook)
	}
}

func (d *decision) endEvent(i int, status EventStatus) {
	d.Events[i].Status, d.Events[i].End = status, d.now
}

// shift begins the latest step that is due, and ends the event after the last one. Steps whose time passed while nobody
// looked are left out.
func (d *decision) shift() bool {
	plan := d.plan()
	if d.Step == len(plan) {
		d.endEvent(AllowTraffic, EventSucceeded)
		return true
	}
	n := plan.due(d.now.Sub(d.Events[AllowTraffic].Start))
	if n <= d.Step {
		return false
	}
	d.begin(d.aliasAction(plan[n-1].Percent))
	d.because("%d %% of the calls go to version %s of %s", plan[n-1].Percent, d.Target, d.alias())
	return true
}

func (d *decision) aliasAction(percent int) Action {
	a := Action{Kind: SetWeights, From: []Routing{d.Routing}}
	a.Routing = Routing{Version: d.Current, Next: d.Target, Weight: float64(percent) / 100}
	if percent == 100 {
		a.Kind, a.Routing = PromoteAlias, Wholly(d.Target)
	}
	if d.IsRollback() {
		a.Kind = RestoreAlias
		if !slices.Contains(d.Left, d.Routing) {
			a.From = append(a.From, d.Left...)
		} else {
			a.From = d.Left
		}
	}
	return a
}

func (d *decision) begin(a Action) {
	d.Pending, d.Attempts, d.Retry = &a, 0, time.Time{}
}

func (d *decision) done() {
	d.Pending, d.Attempts, d.Retry = nil, 0, time.Time{}
}

func (d *decision) pending(kind ActionKind) bool { return d.Pending != nil && d.Pending.Kind == kind }

func (d *decision) aliasSeen(f AliasSeen) {
	if !d.pending(InspectAlias) {
		return
	}
	d.done()
	d.Routing, d.Revision = f.Routing, f.Revision
	if f.Routing != Wholly(d.Current) && !d.IsRollback() {
		d.NotOurs = true
		d.fail(OnFailure, "INVALID_LAMBDA_CONFIGURATION", versionMismatch)
		return
	}
	if d.IsRollback() && !slices.Contains(d.Left, f.Routing) && f.Routing != Wholly(d.Target) {
		d.aliasTaken(AliasTaken{Found: f.Routing})
		return
	}
	d.Status, d.Started = InProgress, d.now
	d.because("%s is as expected: %s", d.alias(), f.Routing)
}

func (d *decision) aliasSet(f AliasSet) {
	if d.Pending == nil || !d.Pending.WritesAlias() {
		return
	}
	d.Routing, d.Revision = d.Pending.Routing, f.Revision
	plan := d.plan()
	for d.Step < len(plan) && float64(plan[d.Step].Percent)/100 <= d.Weight() {
		d.Step++
	}
	d.done()
	d.because("%s now serves %s", d.alias(), d.Routing)
}

func (d *decision) aliasTaken(f AliasTaken) {
	d.NotOurs = true
	d.fail(OnFailure, "INVALID_LAMBDA_CONFIGURATION", d.takenMessage(f.Found))
}

func (d *decision) hookInvoked(f HookInvoked) {
	d.HookCalled[f.Event] = true
	if d.pending(InvokeHook) && d.Pending.Event == f.Event {
		d.done()
		d.because("hook %s was called", d.Events[f.Event].Hook)
	}
}

// hookAnswered takes a verdict. It may come before HookInvoked, and HookInvoked may never come if the process that made the
// call was killed: the answer proves that the call was made.
func (d *decision) hookAnswered(f HookAnswered) {
	e := d.Events[f.Event]
	if e.Hook == "" || e.Status != EventInProgress {
		return
	}
	d.HookCalled[f.Event] = true
	if d.pending(InvokeHook) {
		d.done()
	}
	if !f.Succeeded {
		d.hookFailed(f.Event, "ScriptFailed", "hook "+e.Hook+" answered Failed")
		return
	}
	d.endEvent(f.Event, EventSucceeded)
	d.because("hook %s answered Succeeded", e.Hook)
}

func (d *decision) hookFailed(i int, code, message string) {
	d.Events[i].Diagnostic = &Diagnostic{Code: code, Message: message}
	d.because("%s", message)
	d.fail(OnFailure, "HOOK_EXECUTION_FAILURE", hookFailure)
}

func (d *decision) alarmsRead(f AlarmsRead) {
	if len(f.Active) == 0 || !d.Watches() {
		return
	}
	d.fail(OnAlarm, "ALARM_ACTIVE", alarmActive(f.Active))
}

func (d *decision) alarmsUnreadable(f AlarmsUnreadable) {
	if d.Alarms.IgnoreUnreadable || !d.Watches() {
		return
	}
	d.fail(OnAlarm, "ALARM_ACTIVE", alarmsUnreadable(f.Why))
}

func (d *decision) stopAsked(f StopAsked) {
	if d.Stop == nil {
		d.Stop = &StopRequest{At: d.now, RollBack: f.RollBack}
	}
	d.fail(OnRequest, "MANUAL_STOP", manualStop)
}

func (d *decision) groupGone(f GroupGone) {
	switch {
	case d.Status != Created || d.IsRollback():
	case f.Application:
		d.fail(OnFailure, "APPLICATION_MISSING", applicationMissing)
	default:
		d.fail(OnFailure, "DEPLOYMENT_GROUP_MISSING", groupMissing)
	}
}

func (d *decision) actionFailed(f ActionFailed) {
	if d.Pending == nil {
		return
	}
	passing := f.Fault == Throttled || f.Fault == Unavailable
	if d.Attempts++; passing && (d.Attempts < maxAttempts || d.IsRollback()) {
		pause := time.Second << min(d.Attempts-1, 5)
		d.Retry = d.now.Add(pause)
		d.because("%s failed (%s): try again in %s", d.Pending.Kind, f.Text, pause)
		return
	}
	d.NotOurs = d.pending(InspectAlias) // nothing was begun, so that there is nothing to undo
	if d.pending(InvokeHook) {
		d.Events[d.Pending.Event].Diagnostic = &Diagnostic{
			Code: "UnknownError", Message: fmt.Sprintf("hook %s cannot be called: %s", d.Pending.Hook, f.Text)}
	}
	d.fail(OnFailure, d.failureCode(f.Fault), d.failureMessage(f))
}

func (d *decision) timedOut() {
	d.fail(OnFailure, "TIMEOUT", timedOut)
}

// fail ends the deployment: the event under way has failed, the later ones are skipped, and a rollback follows if it is
// wanted and the alias is still the deployment's own.
func (d *decision) fail(cause Cause, code, message string) {
	d.Status, d.Completed = Failed, d.now
	if cause != OnFailure {
		d.Status = Stopped
	}
	d.Failure = &Failure{Code: code, Message: message}
	for i := range d.Events {
		switch d.Events[i].Status {
		case EventInProgress:
			d.endEvent(i, EventFailed)
		case EventPending:
			d.Events[i].Status = EventSkipped
		}
	}
	if !d.IsRollback() {
		d.Left = d.mayHaveLeft()
		d.Undoable = d.rollbackWanted(cause) && !d.NotOurs
	}
	d.done()
	d.because("%s: %s", code, message)
}

// mayHaveLeft returns the routings that the alias can have if only this deployment wrote it: a pending write may have been
// done or not.
func (d *decision) mayHaveLeft() []Routing {
	left := []Routing{Wholly(d.Current)}
	if d.Routing != left[0] && !d.Started.IsZero() {
		left = append(left, d.Routing)
	}
	if d.Pending != nil && d.Pending.WritesAlias() {
		left = append(left, d.Pending.Routing)
	}
	return left
}

func (d *decision) rollbackWanted(cause Cause) bool {
	if cause == OnRequest {
		return d.Stop.RollBack
	}
	return slices.Contains(d.RollBackOn, cause)
}
