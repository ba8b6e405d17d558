package codedeploy

import (
	"context"
	"crypto/subtle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"evo/internal/cloud/store"
	"evo/internal/rollout"
)

// PutLifecycleEventHookExecutionStatus takes a hook's verdict. The first one counts.
func (s *Service) PutLifecycleEventHookExecutionStatus(ctx context.Context, in *codedeploy.PutLifecycleEventHookExecutionStatusInput) (_ *codedeploy.PutLifecycleEventHookExecutionStatusOutput, err error) {
	var d deployment
	s.cfg.Store.View(func(tx *store.Tx) { d, err = s.deployment(tx, in.DeploymentId) })
	if err != nil {
		return nil, err
	}
	if in.Status != types.LifecycleEventStatusSucceeded && in.Status != types.LifecycleEventStatusFailed {
		return nil, &types.InvalidLifecycleEventHookExecutionStatusException{Message: aws.String(
			"The result of a lifecycle event validation function is Succeeded or Failed, not " + string(in.Status))}
	}
	event, ok := hookEvent(d.State, aws.ToString(in.LifecycleEventHookExecutionId))
	if !ok {
		return nil, &types.InvalidLifecycleEventHookExecutionIdException{Message: aws.String("The lifecycle event hook execution ID is invalid.")}
	}
	before, after, err := s.observe(ctx, d.State.ID, rollout.HookAnswered{Event: event, Succeeded: in.Status == types.LifecycleEventStatusSucceeded})
	if err != nil {
		return nil, err
	}
	if before.State.Events[event].Status == after.State.Events[event].Status {
		return nil, &types.LifecycleEventAlreadyCompletedException{Message: aws.String("An attempt to return the status of an already completed lifecycle event occurred.")}
	}
	return &codedeploy.PutLifecycleEventHookExecutionStatusOutput{LifecycleEventHookExecutionId: in.LifecycleEventHookExecutionId}, nil
}

// hookEvent finds the event whose hook was given the id. An event that has not begun has given its id to nobody.
func hookEvent(st rollout.State, id string) (int, bool) {
	for i, e := range st.Events {
		same := subtle.ConstantTimeCompare([]byte(e.HookID), []byte(id)) == 1
		if same && e.Hook != "" && !e.Start.IsZero() {
			return i, true
		}
	}
	return 0, false
}
