package hostile

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/cloudtest"
)

// stage is a cloud whose clock stands still, in which deployments ask a hook that only says that it was asked: the test answers.
type stage struct {
	*testing.T
	cloud  *cloudtest.Cloud
	deploy *codedeploy.Client
	lambda *lambda.Client
	logs   *cloudwatchlogs.Client
	asked  int // how often the hook has been asked before
}

// asking is what CodeDeploy hands a hook.
type asking struct{ DeploymentId, LifecycleEventHookExecutionId string }

func newStage(t *testing.T) *stage {
	t.Helper()
	c := cloudtest.Stepped(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	cfg := c.Config("us-east-1")
	s := &stage{T: t, cloud: c, lambda: lambdaOf(c), logs: cloudwatchlogs.NewFromConfig(cfg),
		deploy: codedeploy.NewFromConfig(cfg, func(o *codedeploy.Options) { o.RetryMaxAttempts = 1 })}
	ctx := t.Context()
	for name, code := range map[string]string{"hook": `exports.handler = async (e) => console.log("asked " + JSON.stringify(e))`, "fn": `exports.handler = async () => 1`} {
		if err := create(ctx, s.lambda, name, zipOf(t, entry{"index.js", code, 0o644}), 60); err != nil {
			t.Fatal(err)
		}
	}
	publish := func(description string) error {
		_, err := s.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("fn"), Description: &description})
		if err == nil {
			s.settle()
			_, err = s.lambda.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String("fn")})
		}
		return err
	}
	_, err := s.deploy.CreateApplication(ctx, &codedeploy.CreateApplicationInput{ApplicationName: aws.String("app"), ComputePlatform: types.ComputePlatformLambda})
	s.must(err, publish("one"), publish("two"))
	_, err = s.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("fn"), Name: aws.String("live"), FunctionVersion: aws.String("1")})
	s.must(err)
	_, err = s.deploy.CreateDeploymentGroup(ctx, &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("group"), DeploymentConfigName: aws.String("CodeDeployDefault.LambdaAllAtOnce"),
		ServiceRoleArn:            aws.String("arn:aws:iam::000000000000:role/deploy"),
		DeploymentStyle:           &types.DeploymentStyle{DeploymentType: types.DeploymentTypeBlueGreen, DeploymentOption: types.DeploymentOptionWithTrafficControl},
		AutoRollbackConfiguration: &types.AutoRollbackConfiguration{Enabled: true, Events: []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentFailure}},
	})
	s.must(err)
	return s
}

func (s *stage) must(errs ...error) {
	s.Helper()
	for _, err := range errs {
		if err != nil {
			s.Fatal(err)
		}
	}
}

// settle waits until the function takes changes.
func (s *stage) settle() {
	s.Helper()
	s.cloud.Await(100*time.Millisecond, func() bool {
		out, err := s.lambda.GetFunctionConfiguration(s.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("fn")})
		s.must(err)
		return out.LastUpdateStatus == "Successful" && out.State == "Active"
	})
}

// release begins a deployment and returns what its hook is asked.
func (s *stage) release() asking {
	s.Helper()
	spec := `{"version":0.0,"Resources":[{"fn":{"Type":"AWS::Lambda::Function","Properties":{"Name":"fn","Alias":"live","CurrentVersion":"1","TargetVersion":"2"}}}],"Hooks":[{"BeforeAllowTraffic":"hook"}]}`
	_, err := s.deploy.CreateDeployment(s.Context(), &codedeploy.CreateDeploymentInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("group"),
		Revision: &types.RevisionLocation{RevisionType: types.RevisionLocationTypeAppSpecContent, AppSpecContent: &types.AppSpecContent{Content: &spec}}})
	s.must(err)
	var asked []asking
	s.cloud.Await(100*time.Millisecond, func() bool {
		asked = s.read()
		return len(asked) > s.asked
	})
	s.asked++
	return asked[len(asked)-1]
}

// read returns what the hook has been asked so far.
func (s *stage) read() []asking {
	s.Helper()
	var all []asking
	out, err := s.logs.FilterLogEvents(s.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/hook"), FilterPattern: aws.String("asked")})
	if err != nil {
		return nil // nothing has been written yet
	}
	for _, e := range out.Events {
		if _, text, ok := strings.Cut(*e.Message, "asked {"); ok {
			var a asking
			s.must(json.Unmarshal([]byte("{"+text), &a))
			all = append(all, a)
		}
	}
	return all
}

func (s *stage) answer(a asking, status types.LifecycleEventStatus) error {
	_, err := s.deploy.PutLifecycleEventHookExecutionStatus(s.Context(), &codedeploy.PutLifecycleEventHookExecutionStatusInput{
		DeploymentId: &a.DeploymentId, LifecycleEventHookExecutionId: &a.LifecycleEventHookExecutionId, Status: status})
	return err
}

// end waits for the end of a deployment, and of its rollback.
func (s *stage) end(id string, step time.Duration) (status types.DeploymentStatus) {
	s.Helper()
	s.cloud.Await(step, func() bool {
		out, err := s.deploy.GetDeployment(s.Context(), &codedeploy.GetDeploymentInput{DeploymentId: &id})
		s.must(err)
		d := out.DeploymentInfo
		status = d.Status
		if d.CompleteTime != nil && d.RollbackInfo != nil && d.RollbackInfo.RollbackDeploymentId != nil {
			s.end(*d.RollbackInfo.RollbackDeploymentId, step)
		}
		return d.CompleteTime != nil
	})
	return status
}

// serves checks which version has all of the alias's traffic.
func (s *stage) serves(version string) {
	s.Helper()
	out, err := s.lambda.GetAlias(s.Context(), &lambda.GetAliasInput{FunctionName: aws.String("fn"), Name: aws.String("live")})
	s.must(err)
	if *out.FunctionVersion != version || out.RoutingConfig != nil && len(out.RoutingConfig.AdditionalVersionWeights) > 0 {
		s.Errorf("the alias leads to %s and %v, not to %s alone", *out.FunctionVersion, out.RoutingConfig, version)
	}
}

func TestHooks(t *testing.T) {
	needNode(t)
	s := newStage(t)

	never := s.release()
	if got := s.end(never.DeploymentId, 10*time.Minute); got != types.DeploymentStatusFailed {
		t.Errorf("without an answer: %s", got)
	}
	s.serves("1")
	wantCode(t, "too late", s.answer(never, types.LifecycleEventStatusSucceeded), "LifecycleEventAlreadyCompletedException")
	s.serves("1")

	odd := s.release()
	if err := s.answer(odd, "Splendid"); err == nil || !strings.Contains(err.Error(), "Splendid") {
		t.Errorf("a status that does not exist: %v", err)
	}
	wantCode(t, "a status that is not a hook's to give", s.answer(odd, types.LifecycleEventStatusInProgress), "InvalidLifecycleEventHookExecutionStatusException")
	guess := odd
	guess.LifecycleEventHookExecutionId = never.LifecycleEventHookExecutionId
	if err := s.answer(guess, types.LifecycleEventStatusSucceeded); err == nil {
		t.Error("another deployment's id is taken")
	}
	s.serves("1")
	s.must(s.answer(odd, types.LifecycleEventStatusSucceeded))
	wantCode(t, "a second answer", s.answer(odd, types.LifecycleEventStatusFailed), "LifecycleEventAlreadyCompletedException")
	if got := s.end(odd.DeploymentId, time.Second); got != types.DeploymentStatusSucceeded {
		t.Errorf("the first answer counts, but the deployment is %s", got)
	}
	s.serves("2")
}
