package cloudformation

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cfn"
	"evo/internal/cloud/call"
	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
)

// stack is one stack, living or deleted.
type stack struct {
	ID, Name   string
	Status     types.StackStatus
	Reason     string
	Created    time.Time
	Updated    time.Time
	Deleted    time.Time
	Definition definition // what it is deployed with
	Outputs    []output
	Protected  bool
	Policy     string
	Parent     string // id of the stack that it is nested in
	Root       string
	NoRollback bool
	Timeout    int32 // minutes
	ChangeSet  string
	Token      string     // of the last call that began an operation
	Op         *operation // under way, or paused; nil: none
}

// definition is what a stack is made of.
type definition struct {
	Template      string // as it was given
	Processed     string // as JSON after transforms; empty if there are none
	Parameters    map[string]string
	Tags          []tag
	Capabilities  []types.Capability
	Notifications []string
	Role          string
}

type tag struct{ Key, Value string }

type output struct {
	Key, Value, Description, Export string
}

// operation is what is being done to a stack.
type operation struct {
	Kind       kind
	Phase      phase
	Token      string // the caller's ClientRequestToken
	Target     definition
	ChangeSet  string
	NoRollback bool
	OnFailure  types.OnFailure
	DropNew    bool     // what the operation made goes when it is rolled back, even if a policy would keep it (RetainExceptOnCreate)
	Failed     string   // why the operation is rolled back, in the stack's words
	Cancelled  bool     // by CancelUpdateStack
	Paused     bool     // failed, and waits to be told what next
	Skip       []string // resources that a rollback leaves as they are
	Retain     []string // resources that a deletion leaves
	Force      bool
	Deadline   time.Time // of a creation with a time-out
	Held       bool      // of a nested stack: its cleanup waits for that of its parent, which may still take the update back
	Former     *former   // of a held update that is done: what the stack was before
	Policy     *string   // the stack policy that the stack has once it is updated; nil: as before
	During     string    // the stack policy that holds while it is updated; empty: the stack's own
}

// former is what a stack was before an update that may be taken back.
type former struct {
	Definition definition
	Outputs    []output
	Imports    map[string]bool
	Policy     string
	ChangeSet  string
}

// kind is what was asked for.
type kind string

const (
	createStack kind = "create"
	updateStack kind = "update"
	deleteStack kind = "delete"
)

// phase is how far an operation is.
type phase string

const (
	apply       phase = "apply"        // resources are made as the target says
	cleanup     phase = "cleanup"      // what the target has no more is deleted
	undo        phase = "undo"         // changed resources are changed back
	undoCleanup phase = "undo-cleanup" // what the operation made is deleted
	remove      phase = "remove"       // everything is deleted
)

// resource is one resource of a stack as it was last made.
type resource struct {
	Logical, Type string
	Physical      string
	Ref           string // what Ref returns, if not Physical
	Status        types.ResourceStatus
	Reason        string
	Updated       time.Time
	Properties    json.RawMessage
	Attributes    map[string]any
	Metadata      json.RawMessage
	Policies      json.RawMessage // CreationPolicy, UpdatePolicy, DeletionPolicy, UpdateReplacePolicy
	Needs         []string
	Tags          []tag // the stack's, when it was made
	Recorded      bool
	Fresh         bool // made by the operation under way
	Stale         bool // a leftover of an operation that failed without rollback
}

func (r *resource) ref() string {
	if r.Ref != "" {
		return r.Ref
	}
	return r.Physical
}

// policy returns DeletionPolicy or UpdateReplacePolicy.
func (r *resource) policy(name string) string { return node(r.Policies).Get(name).Str() }

// step is the journal of one resource in one phase.
type step struct {
	Action action
	State  state
	Before *resource // as it was before the operation; nil: was not there
	Part   *resource // what an earlier operation made in vain
	Target json.RawMessage
	Token  string
	Notes  map[string]string
	Begun  time.Time
}

type action string

const (
	doCreate  action = "create"
	doUpdate  action = "update"
	doReplace action = "replace"
	doKeep    action = "keep"
	doDelete  action = "delete"
	doRefuse  action = "refuse" // the stack policy has refused it
)

type state string

const (
	begun  state = "begun"
	done   state = "done"
	failed state = "failed"
)

type event struct {
	ID, Logical, Physical, Type string
	Status                      types.ResourceStatus
	Reason                      string
	Properties                  string
	Token                       string
	Time                        time.Time
}

type export struct{ Value, Stack string }

// stackID makes a stack's ARN.
func (s *Service) stackID(name string) string {
	return fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/%s", s.cfg.Region, call.Account, name, newUUID())
}

// newUUID has a name of its own because id is a variable's nearly everywhere here.
func newUUID() string { return id.UUID() }

// node reads a value that the state holds; nil if there is none.
func node(raw json.RawMessage) *cfn.Node {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	n, err := cfn.ParseValue("", raw)
	if err != nil {
		return nil // nobody but raw writes it
	}
	return n
}

// raw writes a value into the state.
func raw(n *cfn.Node) json.RawMessage {
	if n == nil {
		return nil
	}
	b, err := n.MarshalJSON()
	if err != nil {
		return nil
	}
	return b
}

func key(stackID, logical string) string { return stackID + "|" + logical }

func stepKey(stackID string, p phase, logical string) string {
	return stackID + "|" + string(p) + "|" + logical
}

// find returns the stack that a name or an id means: by name the living one, by id also a deleted one.
func (s *Service) find(tx *store.Tx, nameOrID string) (stack, bool) {
	if st, ok := s.stacks.Get(tx, nameOrID); ok {
		return st, true
	}
	id, ok := s.names.Get(tx, nameOrID)
	if !ok {
		return stack{}, false
	}
	return s.stacks.Get(tx, id)
}

// resourcesOf returns a stack's resources by logical id.
func (s *Service) resourcesOf(tx *store.Tx, stackID string) map[string]resource {
	out := map[string]resource{}
	for _, r := range s.resources.Prefix(tx, stackID+"|") {
		out[r.Logical] = r
	}
	return out
}
