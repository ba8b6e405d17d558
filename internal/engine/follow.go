package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/view"
)

// follower tells what happens to a stack from the moment it was made.
type follower struct {
	engine *Engine
	id     string // of the stack: its name, or its id where the name may go
	name   string
	gone   bool            // the operation deletes the stack: it must be gone at the end
	seen   map[string]bool // events
	cause  *view.StackEvent

	rollouts map[string]*view.Rollout // by deployment id, as last told
	order    []string
	began    time.Time // of the operation, in the cloud's time
}

// follow remembers where the stack's events stand now.
func (e *Engine) follow(ctx context.Context, stack string) *follower {
	f := &follower{engine: e, id: stack, name: stack, seen: map[string]bool{}, rollouts: map[string]*view.Rollout{}}
	events, err := f.news(ctx)
	if err == nil {
		for _, ev := range events {
			f.seen[aws.ToString(ev.EventId)] = true
		}
	}
	return f
}

// run tells until the operation has ended.
func (f *follower) run(ctx context.Context) error {
	for delay := 30 * time.Millisecond; ; delay = min(2*delay, f.engine.Poll) {
		done, status, err := f.step(ctx)
		if err != nil {
			return err
		}
		if done {
			return f.outcome(status)
		}
		if err := sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// step tells what is new, and reports whether the operation has ended.
func (f *follower) step(ctx context.Context) (done bool, status string, err error) {
	// The state is read before the events, so that none of an operation that has ended is missed.
	stack, err := f.engine.stack(ctx, f.id)
	if err != nil {
		return false, "", err
	}
	events, err := f.news(ctx)
	if err != nil {
		return false, "", err
	}
	for i := len(events) - 1; i >= 0; i-- {
		f.tell(events[i])
	}
	if err := f.lookAtRollouts(ctx); err != nil {
		return false, "", err
	}
	if stack == nil {
		return true, string(cftypes.StackStatusDeleteComplete), nil
	}
	status = string(stack.StackStatus)
	return !strings.HasSuffix(status, "_IN_PROGRESS"), status, nil
}

// news returns the events that have not been seen, newest first.
func (f *follower) news(ctx context.Context) ([]cftypes.StackEvent, error) {
	var fresh []cftypes.StackEvent
	pages := cloudformation.NewDescribeStackEventsPaginator(f.engine.CloudFormation, &cloudformation.DescribeStackEventsInput{StackName: &f.id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the events of stack %s: %w", f.name, err)
		}
		for _, ev := range page.StackEvents {
			if f.seen[aws.ToString(ev.EventId)] {
				return fresh, nil
			}
			fresh = append(fresh, ev)
		}
	}
	return fresh, nil
}

func (f *follower) tell(ev cftypes.StackEvent) {
	f.seen[aws.ToString(ev.EventId)] = true
	told := &view.StackEvent{
		ID: aws.ToString(ev.EventId), Time: aws.ToTime(ev.Timestamp), Stack: aws.ToString(ev.StackName),
		LogicalID: aws.ToString(ev.LogicalResourceId), PhysicalID: aws.ToString(ev.PhysicalResourceId),
		Type: aws.ToString(ev.ResourceType), Status: string(ev.ResourceStatus), Reason: aws.ToString(ev.ResourceStatusReason),
	}
	if f.began.IsZero() {
		f.began = told.Time
	}
	if f.cause == nil && strings.HasSuffix(told.Status, "_FAILED") && !strings.Contains(told.Reason, "cancelled") {
		f.cause = told
	}
	f.engine.Emit(Event{Type: TypeEvent, Stack: told})
}

// lookAtRollouts tells the deployments whose state has changed. Their groups are looked up as soon as a deployment can exist.
func (f *follower) lookAtRollouts(ctx context.Context) error {
	if f.began.IsZero() {
		return nil
	}
	groups, err := f.engine.Observer.Groups(ctx, f.id)
	if err != nil {
		return err
	}
	for _, g := range groups {
		latest, err := f.engine.Observer.Latest(ctx, g, f.began, 4)
		if err != nil {
			var gone interface{ ErrorCode() string }
			if errors.As(err, &gone) && strings.HasSuffix(gone.ErrorCode(), "DoesNotExistException") {
				continue // a group being made, or being deleted
			}
			return err
		}
		for i := len(latest) - 1; i >= 0; i-- {
			f.tellRollout(latest[i])
		}
	}
	return nil
}

func (f *follower) tellRollout(r *view.Rollout) {
	last := f.rollouts[r.DeploymentID]
	if last == nil {
		f.order = append(f.order, r.DeploymentID)
	} else if reflect.DeepEqual(last, r) {
		return
	}
	f.rollouts[r.DeploymentID] = r
	f.engine.Emit(Event{Type: TypeRollout, Rollout: r})
}

// good are the states in which an operation ends well.
var good = map[string]bool{"CREATE_COMPLETE": true, "UPDATE_COMPLETE": true, "IMPORT_COMPLETE": true, "DELETE_COMPLETE": true}

func (f *follower) outcome(status string) error {
	if good[status] && (!f.gone || status == "DELETE_COMPLETE") {
		return nil
	}
	failed := &FailedError{Stack: f.name, Status: status, Cause: f.cause}
	for _, id := range f.order {
		if r := f.rollouts[id]; r.RolledBack != "" || r.ErrorCode != "" {
			failed.RolledBack = append(failed.RolledBack, r)
		}
	}
	return failed
}
