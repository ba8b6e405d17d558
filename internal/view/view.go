// Package view answers: what is there to see of a stack and of its deployments? Its values are what the terminal, the NDJSON
// stream, the dashboard and the tests read alike; it holds no text but what came from the cloud.
package view

import "time"

// Rollout is one CodeDeploy deployment of a function's alias.
type Rollout struct {
	DeploymentID string    `json:"deploymentId"`
	Application  string    `json:"application"`
	Group        string    `json:"group"`
	Config       string    `json:"config"` // the deployment configuration's name
	Status       string    `json:"status"` // CodeDeploy's word
	Function     string    `json:"function"`
	Alias        string    `json:"alias"`
	Old          Version   `json:"old"`
	New          Version   `json:"new"`
	Hooks        []Hook    `json:"hooks,omitempty"`
	Alarms       []Alarm   `json:"alarms,omitempty"`
	Started      time.Time `json:"started,omitzero"`
	Completed    time.Time `json:"completed,omitzero"`
	ErrorCode    string    `json:"errorCode,omitempty"`
	Reason       string    `json:"reason,omitempty"`     // why it ended as it did, in the cloud's words
	RolledBack   string    `json:"rolledBack,omitempty"` // the deployment that rolls this one back
	RollsBack    string    `json:"rollsBack,omitempty"`  // the deployment that this one rolls back
}

// Done reports whether the deployment has ended.
func (r *Rollout) Done() bool {
	switch r.Status {
	case "Succeeded", "Failed", "Stopped":
		return true
	}
	return false
}

// LeftShifted reports whether the deployment was stopped on the way, and nothing gave the traffic back.
func (r *Rollout) LeftShifted() bool {
	return r.Status == "Stopped" && r.RolledBack == "" && r.New.Weight > 0 && r.New.Weight < 1
}

// Version is one of a rollout's two versions, with what it did since the rollout began.
type Version struct {
	Version  string  `json:"version"`
	Weight   float64 `json:"weight"` // its share of the traffic, 0 to 1
	Requests int     `json:"requests"`
	Errors   int     `json:"errors"`
	Latency  float64 `json:"latencyMs"` // mean duration in milliseconds; 0 without requests
}

// Hook is one lifecycle event of a rollout and the function that it calls.
type Hook struct {
	Event    string   `json:"event"`              // BeforeAllowTraffic, AllowTraffic or AfterAllowTraffic
	Function string   `json:"function,omitempty"` // empty: no hook
	Status   string   `json:"status"`             // CodeDeploy's word
	Message  string   `json:"message,omitempty"`
	Log      []string `json:"log,omitempty"` // the last lines that a failed hook wrote
}

// Alarm is one alarm that can stop a rollout.
type Alarm struct {
	Name   string `json:"name"`
	State  string `json:"state"` // OK, ALARM, INSUFFICIENT_DATA
	Reason string `json:"reason,omitempty"`
}

// Change is one line of a change set.
type Change struct {
	Action      string `json:"action"` // Add, Modify, Remove, Import, Dynamic
	LogicalID   string `json:"logicalId"`
	PhysicalID  string `json:"physicalId,omitempty"`
	Type        string `json:"resourceType"`
	Replacement string `json:"replacement,omitempty"` // True, False, Conditional; empty if it is not a change in place
	// Properties that change, by their path.
	Properties []string `json:"properties,omitempty"`
	// Cause is the error of a change set that failed, or a resource's note.
	Cause string `json:"cause,omitempty"`
}

// StackEvent is one event of a stack operation.
type StackEvent struct {
	ID         string    `json:"id"`
	Time       time.Time `json:"timestamp"`
	Stack      string    `json:"stack"`
	LogicalID  string    `json:"logicalId"`
	PhysicalID string    `json:"physicalId,omitempty"`
	Type       string    `json:"resourceType"`
	Status     string    `json:"status"`
	Reason     string    `json:"reason,omitempty"`
	File       string    `json:"file,omitempty"` // the template, where it is at hand
	Line       int       `json:"line,omitempty"` // what the resource comes from in it
}

// Output is one output of a stack.
type Output struct {
	Key         string `json:"key"`
	Value       string `json:"value"`
	LocalURL    string `json:"localUrl,omitempty"` // where the embedded cloud serves what Value names
	Description string `json:"description,omitempty"`
	Export      string `json:"export,omitempty"`
}

// Stack is a stack as a list shows it.
type Stack struct {
	Name    string    `json:"name"`
	ID      string    `json:"id"`
	Status  string    `json:"status"`
	Reason  string    `json:"reason,omitempty"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated,omitzero"`
}

// Resource is one resource of a stack.
type Resource struct {
	LogicalID  string `json:"LogicalResourceId"`
	PhysicalID string `json:"PhysicalResourceId"`
	Type       string `json:"ResourceType"`
	Status     string `json:"ResourceStatus"`
	Recorded   bool   `json:"Recorded,omitempty"` // kept by the embedded cloud, which cannot run it
	Note       string `json:"Note,omitempty"`     // what does nothing here, or why the status is what it is
}
