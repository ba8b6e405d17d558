package hook

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// codeDeployEvent is what CodeDeploy sends a hook.
type codeDeployEvent struct {
	DeploymentID string `json:"DeploymentId"`
	ExecutionID  string `json:"LifecycleEventHookExecutionId"`
}

// answerCodeDeploy judges, and tells CodeDeploy. The error is that it could not be told.
func (h *Hook) answerCodeDeploy(ctx context.Context, e *codeDeployEvent) error {
	status := types.LifecycleEventStatusSucceeded
	if err := h.mayShift(ctx, e); err != nil {
		log.Printf("no: %v", err)
		status = types.LifecycleEventStatusFailed
	}
	_, err := h.CodeDeploy.PutLifecycleEventHookExecutionStatus(ctx, &codedeploy.PutLifecycleEventHookExecutionStatusInput{
		DeploymentId: &e.DeploymentID, LifecycleEventHookExecutionId: &e.ExecutionID, Status: status})
	if err != nil {
		return fmt.Errorf("answer CodeDeploy: %w", err)
	}
	return nil
}

// mayShift returns why traffic may not shift, or nil.
func (h *Hook) mayShift(ctx context.Context, e *codeDeployEvent) error {
	if h.rollingBack(ctx) {
		log.Print("the stack is being rolled back: nothing stands in the way")
		return nil
	}
	occasion, err := h.occasion(ctx, e.DeploymentID)
	if err != nil {
		return err
	}
	a, err := h.judge(ctx, Question{Occasion: occasion, Release: h.Release, Deployment: e.DeploymentID})
	if err != nil {
		return err
	}
	if !a.Proceed {
		return fmt.Errorf("the release may not go on: %s", firstOf(a.Lines))
	}
	return nil
}

// occasion tells whether traffic is about to shift or has: the event does not say.
func (h *Hook) occasion(ctx context.Context, deployment string) (Occasion, error) {
	ctx, cancel := h.soon(ctx)
	defer cancel()
	targets, err := h.CodeDeploy.ListDeploymentTargets(ctx, &codedeploy.ListDeploymentTargetsInput{DeploymentId: &deployment})
	if err != nil {
		return "", fmt.Errorf("find the target of deployment %s: %w", deployment, err)
	}
	if len(targets.TargetIds) == 0 {
		return PreTraffic, nil
	}
	out, err := h.CodeDeploy.GetDeploymentTarget(ctx, &codedeploy.GetDeploymentTargetInput{DeploymentId: &deployment, TargetId: &targets.TargetIds[0]})
	if err != nil {
		return "", fmt.Errorf("read the target of deployment %s: %w", deployment, err)
	}
	if t := out.DeploymentTarget; t != nil && t.LambdaTarget != nil {
		for _, ev := range t.LambdaTarget.LifecycleEvents {
			if aws.ToString(ev.LifecycleEventName) == "AfterAllowTraffic" && ev.Status == types.LifecycleEventStatusInProgress {
				return PostTraffic, nil
			}
		}
	}
	return PreTraffic, nil
}

func firstOf(lines []string) string {
	if len(lines) == 0 {
		return "no reason was given"
	}
	return lines[0]
}
