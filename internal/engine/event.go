package engine

import "evo/internal/view"

// Event is one thing that happened while a stack was packaged, deployed or deleted. Exactly one field is set, besides Type.
// The terminal, the NDJSON stream and tests read the same values.
type Event struct {
	Type string `json:"type"`

	Info      string           `json:"message,omitempty"` // info, warning
	Upload    *Upload          `json:"upload,omitempty"`
	ChangeSet *ChangeSet       `json:"changeset,omitempty"`
	Stack     *view.StackEvent `json:"event,omitempty"`
	Rollout   *view.Rollout    `json:"rollout,omitempty"`
	Fitness   *view.Fitness    `json:"fitness,omitempty"`
	Outputs   []view.Output    `json:"outputs,omitempty"`
	Inert     []view.Resource  `json:"inert,omitempty"` // what does nothing where it is deployed, in whole or in part
	Result    *Result          `json:"result,omitempty"`
}

// The types of events.
const (
	TypeInfo      = "info"
	TypeWarning   = "warning"
	TypeUpload    = "upload"
	TypeChangeSet = "changeset"
	TypeEvent     = "event"
	TypeRollout   = "rollout"
	TypeFitness   = "fitness"
	TypeOutputs   = "outputs"
	TypeInert     = "inert"
	TypeResult    = "result"
)

// Upload is an artifact that is in the bucket now.
type Upload struct {
	Resource string `json:"resource"` // logical id; empty for the template itself
	Path     string `json:"path"`
	URI      string `json:"uri"`
	Size     int64  `json:"size"`
	Skipped  bool   `json:"skipped"` // it was there already
}

// ChangeSet is what a deployment is going to do.
type ChangeSet struct {
	Name    string        `json:"name"`
	ID      string        `json:"id"`
	Stack   string        `json:"stack"`
	Create  bool          `json:"create"` // of a new stack
	Changes []view.Change `json:"changes"`
}

// Result is how it ended.
type Result struct {
	Status string `json:"status"` // success, failure, unchanged, or rolled back
	Stack  string `json:"stack"`
	State  string `json:"stackStatus,omitempty"` // CloudFormation's word
	Error  string `json:"error,omitempty"`
	Hint   string `json:"hint,omitempty"` // what a person can do about it
}

// The ways in which a deployment ends.
const (
	Success    = "success"
	Failure    = "failure"
	Unchanged  = "unchanged"
	RolledBack = "rolled back"
)
