package rollout

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// world is an alias and the one who carries out actions on it; it may forget to report (a process that was killed), and
// somebody else may meddle.
type world struct {
	alias   Routing
	meddled bool
}

// do carries out an action and returns what was observed of it.
func (w *world) do(a Action) Fact {
	switch {
	case a.Kind == InspectAlias:
		return AliasSeen{w.alias, "r"}
	case a.Kind == InvokeHook:
		return HookInvoked{a.Event}
	case w.alias == a.Routing:
		return AliasSet{"r"}
	}
	for _, from := range a.From {
		if w.alias == from {
			w.alias = a.Routing
			return AliasSet{"r"}
		}
	}
	return AliasTaken{w.alias}
}

// TestDecideProperties drives deployments through random weather: lost reports, late wakes, faults, alarms, stops, hooks that
// answer well, badly or never, strangers who change the alias.
func TestDecideProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{alias: Wholly("1")}
		s := New(randomSpec(t))
		now := s.Created
		first := drive(t, w, s, &now)
		last := first
		if first.Undoable {
			last = drive(t, w, Undo(first, "d-B", now), &now)
		}
		checkEnd(t, w, first, last)
	})
}

func randomSpec(t *rapid.T) Spec {
	spec := Spec{ID: "d-A", Function: "fn", Alias: "live", Current: "1", Target: "2", Created: epoch}
	spec.Config = rapid.SampledFrom([]Config{{Type: AllAtOnce}, {Canary, 10, 5}, {Linear, 33, 10}, {Linear, 10, 320}}).Draw(t, "config")
	if rapid.Bool().Draw(t, "hooks") {
		spec.Before, spec.After = "pre", "post"
	}
	if rapid.Bool().Draw(t, "alarms") {
		spec.Alarms.Names = []string{"errors"}
	}
	if rapid.IntRange(0, 3).Draw(t, "rollback") > 0 {
		spec.RollBackOn = []Cause{OnFailure, OnAlarm, OnRequest}
	}
	return spec
}

// drive runs a deployment to its end, and checks each step of it.
func drive(t *rapid.T, w *world, s State, now *time.Time) State {
	for range 3000 {
		if s.Status.Terminal() {
			return s
		}
		var fact Fact
		lost := rapid.IntRange(0, 5).Draw(t, "lost") == 0
		switch {
		case s.Pending != nil && !s.Retry.After(*now):
			if fact = weatherAction(t, w, s); lost {
				continue // killed after the effect, before it was noted
			}
		default:
			fact = weather(t, w, s)
			if fact == nil && s.Wake().After(*now) {
				*now = s.Wake().Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "late")) * time.Second)
			}
		}
		next, _, reason := Decide(s, Observation{*now, fact})
		checkStep(t, s, next, reason, now)
		s = next
	}
	t.Fatalf("no end:\n%s", s)
	return s
}

func weatherAction(t *rapid.T, w *world, s State) Fact {
	if rapid.IntRange(0, 7).Draw(t, "fault") == 0 {
		fault := rapid.SampledFrom([]Fault{Throttled, Unavailable}).Draw(t, "kind")
		return ActionFailed{fault, "not now"}
	}
	return w.do(*s.Pending)
}

func weather(t *rapid.T, w *world, s State) Fact {
	i := s.current()
	switch rapid.IntRange(0, 40).Draw(t, "weather") {
	case 0:
		return AlarmsRead{[]string{"errors"}}
	case 1:
		if !s.IsRollback() {
			return StopAsked{RollBack: rapid.Bool().Draw(t, "back")}
		}
	case 2:
		if !s.IsRollback() {
			w.alias, w.meddled = Wholly("9"), true
		}
	case 3:
		return AlarmsRead{}
	default:
		if i < eventCount && s.Events[i].Hook != "" && s.Events[i].Status == EventInProgress && rapid.IntRange(0, 9).Draw(t, "hook") > 0 {
			return HookAnswered{i, rapid.IntRange(0, 5).Draw(t, "verdict") > 0}
		}
	}
	return nil
}

func checkStep(t *rapid.T, s, next State, reason string, now *time.Time) {
	if !s.IsRollback() && next.Weight() < s.Weight() {
		t.Fatalf("the weight fell from %v to %v", s.Weight(), next.Weight())
	}
	if reason == "" && !reflect.DeepEqual(s, next) {
		t.Fatalf("changed without a reason:\n%s\n%s", s, next)
	}
	text, err := json.Marshal(next)
	if err != nil {
		t.Fatal(err)
	}
	var read State
	if err := json.Unmarshal(text, &read); err != nil || !reflect.DeepEqual(read, next) {
		t.Fatalf("the state does not survive being stored (%v):\n%#v\n%#v", err, next, read)
	}
	again, actions, reason := Decide(next, Observation{Now: *now})
	if reason != "" || !reflect.DeepEqual(again, next) {
		t.Fatalf("deciding twice at one moment changes the state: %s", reason)
	}
	if len(actions) > 0 && !next.Status.Terminal() && next.Pending == nil {
		t.Fatalf("actions %v that the state does not name (R1)", actions)
	}
}

// checkEnd holds what every end must be, whatever the weather.
func checkEnd(t *rapid.T, w *world, first, last State) {
	for _, e := range last.Events {
		if e.Status == EventPending || e.Status == EventInProgress {
			t.Fatalf("ended with open events:\n%s", last)
		}
	}
	if w.meddled {
		if first.Status == Succeeded && w.alias == Wholly("2") {
			return // before or after: nobody can tell
		}
		if w.alias == Wholly("9") {
			return // what somebody else made of it stands
		}
	}
	switch {
	case first.Status == Succeeded:
		if w.alias != Wholly("2") {
			t.Fatalf("succeeded, and the alias serves %s:\n%s", w.alias, first)
		}
	case first.Undoable:
		if w.alias != Wholly("1") || last.Status != Succeeded {
			t.Fatalf("rolled back, and the alias serves %s:\n%s\n%s", w.alias, first, last)
		}
	case len(first.RollBackOn) > 0 && first.Failure.Code != "MANUAL_STOP" && !first.NotOurs:
		t.Fatalf("no rollback though one was asked for:\n%s", first)
	}
	if first.Status == Succeeded && first.Events[AllowTraffic].End.Sub(first.Events[AllowTraffic].Start) < first.Config.Plan().Total() {
		t.Fatalf("shifted too fast:\n%s", first)
	}
}
