package rollout

import "time"

// ActionKind names what an action does.
type ActionKind string

// The kinds of actions. All but RollBack stay in State.Pending until an observation says how they ended.
const (
	// InspectAlias reads the alias and makes sure that the target version is there. Answer: AliasSeen or ActionFailed.
	InspectAlias ActionKind = "InspectAlias"
	// InvokeHook calls Action.Hook asynchronously with the ids. Answer: HookInvoked or ActionFailed.
	InvokeHook ActionKind = "InvokeHook"
	// SetWeights lets the alias send a share of its calls to the target version. Answer: AliasSet, AliasTaken or ActionFailed.
	SetWeights ActionKind = "SetWeights"
	// PromoteAlias points the alias wholly at the target version. Answers as for SetWeights.
	PromoteAlias ActionKind = "PromoteAlias"
	// RestoreAlias is a rollback's PromoteAlias: back to the old version.
	RestoreAlias ActionKind = "RestoreAlias"
	// RollBack starts the deployment that Undo returns, in one step with the storing of this state.
	RollBack ActionKind = "RollBack"
)

// Action is something to be done in the world. It can be done again with the same result.
type Action struct {
	Kind    ActionKind
	Event   int       `json:",omitempty"` // InvokeHook: index of the lifecycle event
	Hook    string    `json:",omitempty"` // InvokeHook: the function
	HookID  string    `json:",omitempty"` // InvokeHook: what it must answer with
	Routing Routing   `json:",omitzero"`  // SetWeights, PromoteAlias, RestoreAlias: what the alias must become
	From    []Routing `json:",omitempty"` // and what it may be now (R3); Routing itself means that the action was done already
}

// WritesAlias tells whether the action changes the alias.
func (a Action) WritesAlias() bool {
	return a.Kind == SetWeights || a.Kind == PromoteAlias || a.Kind == RestoreAlias
}

// Observation is what is seen of the world at a moment. A nil Fact means that time has passed, and no more.
type Observation struct {
	Now  time.Time
	Fact Fact
}

// Fact is what may be observed: AliasSeen, AliasSet, AliasTaken, HookInvoked, HookAnswered, AlarmsRead, AlarmsUnreadable,
// StopAsked, GroupGone or ActionFailed.
type Fact interface{ fact() }

// AliasSeen answers InspectAlias: the alias and the target version are there.
type AliasSeen struct {
	Routing  Routing
	Revision string
}

// AliasSet answers the actions that write the alias: it now has the routing that the action named.
type AliasSet struct{ Revision string }

// AliasTaken answers the actions that write the alias: somebody else changed it, or (with a zero Routing) deleted it.
// Nothing was written.
type AliasTaken struct{ Found Routing }

// HookInvoked answers InvokeHook: Lambda took the call.
type HookInvoked struct{ Event int }

// HookAnswered says that a hook's verdict came.
type HookAnswered struct {
	Event     int
	Succeeded bool
}

// AlarmsRead says which of the deployment's alarms are in state ALARM.
type AlarmsRead struct{ Active []string }

// AlarmsUnreadable says that the state of an alarm is not to be had.
type AlarmsUnreadable struct{ Why string }

// StopAsked is a person's wish to end the deployment.
type StopAsked struct{ RollBack bool }

// GroupGone says that the deployment group (or with Application, its application) was deleted before the deployment began.
type GroupGone struct{ Application bool }

// ActionFailed says that the pending action could not be done.
type ActionFailed struct {
	Fault Fault
	Text  string // in the words of the service that refused it
}

// Fault says in what way an action failed.
type Fault string

// The faults. Throttled and Unavailable pass: such an action is tried again.
const (
	Throttled   Fault = "Throttled"
	Unavailable Fault = "Unavailable"
	Denied      Fault = "Denied"   // the role may not
	NoFunction  Fault = "NoTarget" // the function or the version does not exist
	NoAlias     Fault = "NoAlias"
	Rejected    Fault = "Rejected" // the service says that the request makes no sense
)

func (AliasSeen) fact()        {}
func (AliasSet) fact()         {}
func (AliasTaken) fact()       {}
func (HookInvoked) fact()      {}
func (HookAnswered) fact()     {}
func (AlarmsRead) fact()       {}
func (AlarmsUnreadable) fact() {}
func (StopAsked) fact()        {}
func (GroupGone) fact()        {}
func (ActionFailed) fact()     {}
