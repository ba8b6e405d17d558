// Package hook answers: may this release go on? It is the fitness hook, a Lambda function that judges a stack's releases.
//
// Four callers ask it. CodeDeploy asks before and after a function's traffic shifts, and is answered by
// PutLifecycleEventHookExecutionStatus. CloudFormation asks through the release gate, a custom resource that is created or updated
// after everything else in the stack, and is answered at its response URL. A person invokes it to measure now, and gets the
// measurement back. A schedule has it measure between releases, for the alarm on drift. Whoever asks, nothing stands in the way of a rollback or a deletion, and an answer is given in time even when
// what it depends on hangs.
package hook

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
)

// Occasion is why a stack is judged.
type Occasion string

// The occasions. Before traffic shifts only what needs no traffic is judged.
const (
	PreTraffic  Occasion = "PreTraffic"
	PostTraffic Occasion = "PostTraffic"
	Gate        Occasion = "release gate"
	OnRequest   Occasion = "on request"
	Scheduled   Occasion = "schedule"
)

// Answer is what a judgement came to.
type Answer struct {
	Proceed bool
	Lines   []string // why: what a person reads
	Fitness string   // as published
	Report  string   // where the whole can be read: an s3:// URI; empty if it was not written
	// Threshold is below which fitness the stack will have drifted from the release: less by more than the tolerance.
	Threshold string
}

// Judge judges a stack on an occasion. Its error says that no judgement could be made, which is a no.
type Judge interface {
	Judge(ctx context.Context, q Question) (*Answer, error)
	// RollingBack reports whether the stack is on its way back to an earlier release.
	RollingBack(ctx context.Context) (bool, error)
	// Given returns the answer that a release was given when it was judged; nil: none is known.
	Given(ctx context.Context, r Release) *Answer
	// TakenBack notes that a release was taken back. Its deployer, who would, may be gone.
	TakenBack(ctx context.Context, r Release) error
}

// Question is what is to be judged.
type Question struct {
	Occasion   Occasion
	Release    Release // as the caller says; its number is 0 on request and by schedule: the release that is deployed
	Deployment string  // CodeDeploy's, before and after traffic
}

// Hook answers its callers by what its Judge says.
type Hook struct {
	Judge      Judge
	CodeDeploy *codedeploy.Client
	HTTP       *http.Client // puts answers to CloudFormation
	Release    Release      // that the hook was deployed with
	// Margin is how long before the function's own deadline a judgement must have ended, so that it can still be answered.
	Margin time.Duration
}

// event has the fields of all callers' events; which are there tells them apart.
type event struct {
	codeDeployEvent
	customResourceEvent
	scheduledEvent
}

// scheduledEvent is what EventBridge sends when a rule is due.
type scheduledEvent struct {
	Source     string `json:"source"`
	DetailType string `json:"detail-type"`
}

// Handle takes one event.
func (h *Hook) Handle(ctx context.Context, raw json.RawMessage) (any, error) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	switch {
	case e.ExecutionID != "":
		return nil, h.answerCodeDeploy(ctx, &e.codeDeployEvent)
	case e.RequestType != "":
		return nil, h.answerCloudFormation(ctx, &e.customResourceEvent)
	case e.scheduledEvent == scheduledEvent{"aws.events", "Scheduled Event"}:
		_, err := h.judge(ctx, Question{Occasion: Scheduled})
		return nil, err // who reads it is the alarm
	}
	return h.judge(ctx, Question{Occasion: OnRequest})
}

// inTime is a context that ends while there is still time to answer.
func (h *Hook) inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-h.Margin))
}

// soon is a context for a question before the judgement, for which there must be time as well.
func (h *Hook) soon(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := h.inTime(ctx)
	ctx, cancelSoon := context.WithTimeout(ctx, 10*time.Second)
	return ctx, func() { cancelSoon(); cancel() }
}

// judge asks the Judge, and no longer than there is time to answer.
func (h *Hook) judge(ctx context.Context, q Question) (*Answer, error) {
	ctx, cancel := h.inTime(ctx)
	defer cancel()
	type result struct {
		answer *Answer
		err    error
	}
	done := make(chan result, 1)
	go func() { // ends with ctx; that a judge ignores it does not keep the answer
		a, err := h.safely(ctx, q)
		done <- result{a, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, fmt.Errorf("judge the release: %w", r.err)
		}
		for _, line := range r.answer.Lines {
			log.Print(line)
		}
		return r.answer, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("judge the release: %w before there was a verdict", context.Cause(ctx))
	}
}

// safely turns a panic into an error: a process that ends without an answer leaves CloudFormation waiting until the gate's time is over.
func (h *Hook) safely(ctx context.Context, q Question) (a *Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Printf("%v\n%s", p, debug.Stack())
			a, err = nil, fmt.Errorf("the fitness hook failed: %v", p)
		}
	}()
	return h.Judge.Judge(ctx, q)
}

// takenBack notes that a release was taken back, if that can be done soon.
func (h *Hook) takenBack(ctx context.Context, r Release) {
	ctx, cancel := h.soon(ctx)
	defer cancel()
	if err := h.Judge.TakenBack(ctx, r); err != nil {
		log.Printf("cannot note that v%d was taken back: %v", r.Number, err)
	}
}

// given is the answer that the release was given to which the stack goes back. Where it is not known, the alarm's threshold becomes
// one that nothing is below: the gate stands in the way of no rollback.
func (h *Hook) given(ctx context.Context, r Release) *Answer {
	ctx, cancel := h.inTime(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if a := h.Judge.Given(ctx, r); a != nil {
		return a
	}
	log.Printf("how v%d was judged is not known: the fitness alarm stays silent until the next release", r.Number)
	return &Answer{Threshold: "0"}
}

// rollingBack is false where that cannot be told: then the release is judged like any other.
func (h *Hook) rollingBack(ctx context.Context) bool {
	ctx, cancel := h.soon(ctx)
	defer cancel()
	back, err := h.Judge.RollingBack(ctx)
	if err != nil {
		log.Printf("cannot tell whether the stack is being rolled back: %v", err)
	}
	return back
}
