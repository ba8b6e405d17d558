// Package rollout answers: what must happen next in a deployment that shifts an alias's traffic from one version of a
// function to another?
//
// A [Plan] holds the steps of shifting. A [State] is all that a deployment knows of itself; it is a plain value, so that it
// can be stored, compared and printed. [Decide] takes a state and an observation and returns the next state, the actions that
// it calls for, and the reason in words. It reads no clock and does nothing itself.
//
// A deployment survives the end of the process that runs it by three rules:
//
//   - R1: the state names the effect under way ([State.Pending]) before the effect is begun. Whoever finds a state with a
//     pending action does the action, again if need be: every action may be repeated.
//   - R2: every time limit in the state is a moment, not a duration.
//   - R3: an alias is written only while it stands as the deployment left it (its routing is compared, and its revision id
//     given to the write). If somebody else changed the routing, the deployment fails and leaves the alias alone.
package rollout

import (
	"time"
)

// Time limits.
const (
	HookTimeout       = 3600 * time.Second
	DeploymentTimeout = 50 * time.Hour
)

// Status is a deployment's status, in CodeDeploy's words.
type Status string

// The statuses that a Lambda deployment can have.
const (
	Created    Status = "Created"
	Queued     Status = "Queued"
	InProgress Status = "InProgress"
	Succeeded  Status = "Succeeded"
	Failed     Status = "Failed"
	Stopped    Status = "Stopped"
)

// Terminal tells whether the deployment has ended.
func (s Status) Terminal() bool { return s == Succeeded || s == Failed || s == Stopped }

// EventStatus is a lifecycle event's status.
type EventStatus string

// The statuses of lifecycle events.
const (
	EventPending    EventStatus = "Pending"
	EventInProgress EventStatus = "InProgress"
	EventSucceeded  EventStatus = "Succeeded"
	EventFailed     EventStatus = "Failed"
	EventSkipped    EventStatus = "Skipped"
)

// The lifecycle events, by their index in State.Events.
const (
	BeforeAllowTraffic = iota
	AllowTraffic
	AfterAllowTraffic
	eventCount
)

// EventName returns the name of the lifecycle event with index i.
func EventName(i int) string {
	return [eventCount]string{"BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"}[i]
}

// Event is the state of a lifecycle event.
type Event struct {
	Status     EventStatus
	Hook       string      `json:",omitempty"` // function to call: name or ARN
	HookID     string      `json:",omitempty"` // what the hook must answer with
	Start, End time.Time   `json:",omitzero"`
	Deadline   time.Time   `json:",omitzero"` // of the hook's answer
	Diagnostic *Diagnostic `json:",omitempty"`
}

// Diagnostic says why an event failed. Code is one of CodeDeploy's LifecycleErrorCode.
type Diagnostic struct {
	Code    string
	Message string
}

// Cause is what ends a deployment early, in the words of AutoRollbackConfiguration's events.
type Cause string

// The causes that an automatic rollback can follow on.
const (
	OnFailure Cause = "DEPLOYMENT_FAILURE"
	OnAlarm   Cause = "DEPLOYMENT_STOP_ON_ALARM"
	OnRequest Cause = "DEPLOYMENT_STOP_ON_REQUEST"
)

// Alarms are what may stop the deployment while it runs.
type Alarms struct {
	Names            []string `json:",omitempty"`
	IgnoreUnreadable bool     `json:",omitempty"`
}

// Failure is a deployment's errorInformation.
type Failure struct {
	Code    string
	Message string
}

// Spec is what is asked of a deployment.
type Spec struct {
	ID              string
	Function, Alias string
	Current, Target string // versions
	Before, After   string // hooks; "": none
	BeforeID        string // what the hooks must answer with
	AfterID         string
	Role            string // ARN; only error messages name it
	Config          Config
	Alarms          Alarms
	RollBackOn      []Cause
	Created         time.Time
}

// State is all that a deployment knows of itself. It is a value: Decide returns a new one, and nothing that it refers to is
// ever changed.
type State struct {
	ID              string
	Function, Alias string
	Current, Target string
	Role            string
	Config          Config
	Alarms          Alarms
	RollBackOn      []Cause `json:",omitempty"`

	Status    Status
	Created   time.Time
	Started   time.Time `json:",omitzero"`
	Completed time.Time `json:",omitzero"`
	Updated   time.Time // when anything was last decided
	Deadline  time.Time // of the whole deployment

	Events   [eventCount]Event
	Step     int       // how many of the plan's steps are done
	Routing  Routing   `json:",omitzero"`  // the alias as this deployment last saw or left it
	Revision string    `json:",omitempty"` // the alias's revision id then
	Left     []Routing `json:",omitempty"` // a rollback's: as the deployment that it undoes may have left the alias; else, once ended, as this one may have

	Pending  *Action      `json:",omitempty"` // the effect under way (R1)
	Attempts int          `json:",omitempty"` // of Pending that have failed
	Retry    time.Time    `json:",omitzero"`  // not before this moment
	Stop     *StopRequest `json:",omitempty"`
	Failure  *Failure     `json:",omitempty"`

	Undoes     string `json:",omitempty"` // this deployment is the rollback of that one
	UndoneBy   string `json:",omitempty"` // that deployment rolls this one back
	Undoable   bool   `json:",omitempty"` // ended so that a rollback has to follow
	NotOurs    bool   `json:",omitempty"` // the alias is not as this deployment left it (R3), or was never touched: no rollback
	HookCalled [eventCount]bool
}

// StopRequest is a person's wish to end the deployment.
type StopRequest struct {
	At       time.Time
	RollBack bool
}

// New returns the state of a deployment that has been asked for and not been begun.
func New(spec Spec) State {
	s := State{
		ID: spec.ID, Function: spec.Function, Alias: spec.Alias, Current: spec.Current, Target: spec.Target, Role: spec.Role,
		Config: spec.Config, Alarms: spec.Alarms, RollBackOn: spec.RollBackOn,
		Status: Created, Created: spec.Created, Updated: spec.Created, Deadline: spec.Created.Add(DeploymentTimeout),
	}
	s.Events[BeforeAllowTraffic] = Event{Hook: spec.Before, HookID: spec.BeforeID}
	s.Events[AfterAllowTraffic] = Event{Hook: spec.After, HookID: spec.AfterID}
	for i := range s.Events {
		s.Events[i].Status = EventPending
	}
	return s
}

// Undo returns the deployment that rolls back s, which must be Undoable: all at once, without hooks, alarms or a rollback of
// its own.
func Undo(s State, id string, now time.Time) State {
	u := New(Spec{
		ID: id, Function: s.Function, Alias: s.Alias, Current: s.Target, Target: s.Current, Role: s.Role,
		Config: Config{Type: AllAtOnce}, Created: now,
	})
	u.Undoes, u.Left = s.ID, s.Left
	return u
}

// IsRollback tells whether the deployment undoes another one.
func (s State) IsRollback() bool { return s.Undoes != "" }

// Watches tells whether alarms may stop the deployment now.
func (s State) Watches() bool {
	return !s.Status.Terminal() && !s.IsRollback() && len(s.Alarms.Names) > 0
}

// Weight returns the share of calls that the target version gets, from 0 to 1, as the deployment last left the alias.
func (s State) Weight() float64 {
	switch {
	case s.Routing.Version == s.Target && s.Target != "":
		return 1 - s.Routing.Weight
	case s.Routing.Next == s.Target:
		return s.Routing.Weight
	}
	return 0
}

// TargetStatus sums up the events, as the status of the deployment's one target.
func (s State) TargetStatus() EventStatus {
	if s.Status == Succeeded {
		return EventSucceeded
	}
	ended := EventSkipped // unless some event was begun
	for _, e := range s.Events {
		if e.Status == EventFailed || e.Status == EventSucceeded {
			ended = EventFailed
		}
	}
	switch {
	case s.Status.Terminal():
		return ended
	case s.Status == InProgress:
		return EventInProgress
	}
	return EventPending
}

// Wake returns the moment at which time alone changes something. It may lie in the past; a state that has ended never wakes.
func (s State) Wake() time.Time {
	if s.Status == Created {
		return s.Created
	}
	if s.Pending != nil {
		return earlier(s.Retry, s.Deadline)
	}
	switch i := s.current(); {
	case i == AllowTraffic && s.Step < len(s.plan()):
		return earlier(s.Events[i].Start.Add(s.plan()[s.Step].At), s.Deadline)
	case i < eventCount && s.Events[i].Status == EventInProgress:
		return earlier(s.Events[i].Deadline, s.Deadline)
	}
	return s.Deadline
}

// NextShift returns when the weights move next, and to which percentage.
func (s State) NextShift() (time.Time, int, bool) {
	plan := s.plan()
	if s.Events[AllowTraffic].Status != EventInProgress || s.Step >= len(plan) {
		return time.Time{}, 0, false
	}
	step := plan[s.Step]
	return s.Events[AllowTraffic].Start.Add(step.At), step.Percent, true
}

// current returns the index of the first event that has not succeeded.
func (s State) current() int {
	for i, e := range s.Events {
		if e.Status != EventSucceeded {
			return i
		}
	}
	return eventCount
}

// plan returns the steps of shifting. An alias cannot split its calls among a version and itself, so that a deployment
// of the version that is already there has nothing to shift.
func (s State) plan() Plan {
	if s.Current == s.Target {
		return Config{Type: AllAtOnce}.Plan()
	}
	return s.Config.Plan()
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
