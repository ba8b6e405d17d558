package functions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// hookEvent is what CodeDeploy sends a hook.
type hookEvent struct {
	DeploymentID string `json:"DeploymentId"`
	ExecutionID  string `json:"LifecycleEventHookExecutionId"`
}

// PreTraffic judges the stack before the new version gets traffic: it analyses every resource, publishes the fitness, and
// tries the new versions. Invoked by a person, without a deployment, it measures, publishes, and answers with the fitness.
func PreTraffic(ctx context.Context, e hookEvent) (fitness float64, err error) {
	if e.DeploymentID == "" {
		cfg, err := awsConfig()
		if err != nil {
			return 0, err
		}
		return measure(ctx, cfg)
	}
	return fitness, answer(ctx, e, func(cfg aws.Config) (err error) {
		if fitness, err = measure(ctx, cfg); err != nil {
			return err
		}
		if err := try(ctx, cfg, os.Getenv("SEARCH"), request{QueryStringParameters: map[string]string{"q": "a", "customer": "ada"}}, 200); err != nil {
			return err
		}
		return try(ctx, cfg, os.Getenv("CHECKOUT"), request{PathParameters: map[string]string{"customer": "nobody"}}, 409)
	})
}

func measure(ctx context.Context, cfg aws.Config) (float64, error) {
	a := analyst{cfg: cfg}
	fitness, err := a.analyse(ctx, os.Getenv("STACK"))
	if err != nil {
		return 0, err
	}
	return fitness, a.publish(ctx, os.Getenv("STACK"), fitness)
}

// PostTraffic tries search as customers have it now.
func PostTraffic(ctx context.Context, e hookEvent) error {
	return answer(ctx, e, func(cfg aws.Config) error {
		return try(ctx, cfg, os.Getenv("SEARCH"), request{QueryStringParameters: map[string]string{"q": "mug", "customer": "grace"}}, 200)
	})
}

// answer tells CodeDeploy what a judgement came to. A judgement that could not be made is a no.
func answer(ctx context.Context, e hookEvent, judge func(aws.Config) error) error {
	cfg, err := awsConfig()
	if err != nil {
		return err
	}
	status := cdtypes.LifecycleEventStatusSucceeded
	if err := judge(cfg); err != nil {
		log.Printf("no: %v", err)
		status = cdtypes.LifecycleEventStatusFailed
	}
	_, err = codedeploy.NewFromConfig(cfg).PutLifecycleEventHookExecutionStatus(ctx, &codedeploy.PutLifecycleEventHookExecutionStatusInput{
		DeploymentId: &e.DeploymentID, LifecycleEventHookExecutionId: &e.ExecutionID, Status: status})
	if err != nil {
		return fmt.Errorf("answer CodeDeploy: %w", err)
	}
	return nil
}

// try invokes a function as the API would, and wants an answer of that status.
func try(ctx context.Context, cfg aws.Config, function string, req request, want int) error {
	payload, err := json.Marshal(req)
	if err != nil {
		return err
	}
	out, err := lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: payload})
	if err != nil {
		return fmt.Errorf("try %s: %w", function, err)
	}
	if out.FunctionError != nil {
		return fmt.Errorf("try %s: %s", function, out.Payload)
	}
	var resp response
	if err := json.Unmarshal(out.Payload, &resp); err != nil {
		return fmt.Errorf("try %s: %w", function, err)
	}
	if resp.StatusCode != want {
		return fmt.Errorf("try %s: %w", function, errors.New(resp.Body))
	}
	log.Printf("%s (version %s) answers as it should", function, aws.ToString(out.ExecutedVersion))
	return nil
}
