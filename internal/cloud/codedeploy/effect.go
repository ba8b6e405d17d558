package codedeploy

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"evo/internal/rollout"
)

// do carries out an action and returns what was observed of it. It may be called again for an action that was done.
func (s *Service) do(ctx context.Context, st rollout.State, a rollout.Action) rollout.Fact {
	switch {
	case a.Kind == rollout.InspectAlias:
		return s.inspect(ctx, st)
	case a.Kind == rollout.InvokeHook:
		return s.invoke(ctx, st, a)
	}
	return s.writeAlias(ctx, st, a)
}

// inspect reads the alias and makes sure that the target version exists.
func (s *Service) inspect(ctx context.Context, st rollout.State) rollout.Fact {
	_, err := s.cfg.Lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &st.Function, Qualifier: &st.Target})
	if err != nil {
		return failed(err, rollout.NoFunction)
	}
	alias, revision, err := s.readAlias(ctx, st)
	if err != nil {
		return failed(err, rollout.NoAlias)
	}
	return rollout.AliasSeen{Routing: alias, Revision: revision}
}

func (s *Service) readAlias(ctx context.Context, st rollout.State) (rollout.Routing, string, error) {
	out, err := s.cfg.Lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &st.Function, Name: &st.Alias})
	if err != nil {
		return rollout.Routing{}, "", err
	}
	r := rollout.Wholly(aws.ToString(out.FunctionVersion))
	if out.RoutingConfig != nil {
		for version, weight := range out.RoutingConfig.AdditionalVersionWeights {
			r.Next, r.Weight = version, weight
		}
	}
	return r, aws.ToString(out.RevisionId), nil
}

// writeAlias gives the alias the action's routing. It reads before it writes, and gives the write the revision id of what it
// read: what another has changed is not overwritten, and what was done before is not done again.
func (s *Service) writeAlias(ctx context.Context, st rollout.State, a rollout.Action) rollout.Fact {
	for range 3 {
		now, revision, err := s.readAlias(ctx, st)
		switch {
		case isNotFound(err):
			return rollout.AliasTaken{}
		case err != nil:
			return failed(err, rollout.NoAlias)
		case now == a.Routing:
			return rollout.AliasSet{Revision: revision}
		case !slices.Contains(a.From, now):
			return rollout.AliasTaken{Found: now}
		}
		weights := map[string]float64{} // empty: none from now on
		if a.Routing.Weighted() {
			weights[a.Routing.Next] = a.Routing.Weight
		}
		out, err := s.cfg.Lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{
			FunctionName: &st.Function, Name: &st.Alias, FunctionVersion: aws.String(a.Routing.Version), RevisionId: optionalString(revision),
			RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: weights},
		})
		if err == nil {
			return rollout.AliasSet{Revision: aws.ToString(out.RevisionId)}
		}
		if errorCode(err) != "PreconditionFailedException" {
			return failed(err, rollout.NoAlias)
		}
	}
	return rollout.ActionFailed{Fault: rollout.Unavailable, Text: "the alias changes all the time"}
}

func optionalString(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// invoke calls a hook asynchronously. What it returns, or that it failed, means nothing: it answers with
// PutLifecycleEventHookExecutionStatus.
func (s *Service) invoke(ctx context.Context, st rollout.State, a rollout.Action) rollout.Fact {
	payload, err := json.Marshal(struct {
		DeploymentID string `json:"DeploymentId"`
		HookID       string `json:"LifecycleEventHookExecutionId"`
	}{st.ID, a.HookID})
	if err == nil {
		_, err = s.cfg.Lambda.Invoke(ctx, &lambda.InvokeInput{
			FunctionName: aws.String(a.Hook), InvocationType: lambdatypes.InvocationTypeEvent, Payload: payload,
		})
	}
	if err != nil {
		return failed(err, rollout.NoFunction)
	}
	return rollout.HookInvoked{Event: a.Event}
}

// readAlarms returns nil if no alarm stops the deployment.
func (s *Service) readAlarms(ctx context.Context, alarms rollout.Alarms) rollout.Fact {
	if s.cfg.Alarms == nil {
		return unreadable(alarms, "CloudWatch is not there")
	}
	out, err := s.cfg.Alarms.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
		AlarmNames: alarms.Names, AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm},
	})
	if err != nil {
		return unreadable(alarms, message(err))
	}
	states := map[string]cwtypes.StateValue{}
	for _, a := range out.MetricAlarms {
		states[aws.ToString(a.AlarmName)] = a.StateValue
	}
	for _, a := range out.CompositeAlarms {
		states[aws.ToString(a.AlarmName)] = a.StateValue
	}
	var active, missing []string
	for _, name := range alarms.Names {
		switch state, ok := states[name]; {
		case !ok:
			missing = append(missing, name)
		case state == cwtypes.StateValueAlarm:
			active = append(active, name)
		}
	}
	switch {
	case len(active) > 0:
		return rollout.AlarmsRead{Active: active}
	case len(missing) > 0:
		return unreadable(alarms, "there is no alarm "+strings.Join(missing, ", "))
	}
	return nil
}

func unreadable(alarms rollout.Alarms, why string) rollout.Fact {
	if alarms.IgnoreUnreadable {
		return nil
	}
	return rollout.AlarmsUnreadable{Why: why}
}

func errorCode(err error) string {
	if e := (smithy.APIError)(nil); errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

func message(err error) string {
	if e := (smithy.APIError)(nil); errors.As(err, &e) && e.ErrorMessage() != "" {
		return e.ErrorMessage()
	}
	return err.Error()
}

func isNotFound(err error) bool { return errorCode(err) == "ResourceNotFoundException" }

// failed sorts an error of Lambda's. Errors that nobody knows are taken to pass: the action is tried again.
func failed(err error, missing rollout.Fault) rollout.ActionFailed {
	fault := rollout.Unavailable
	switch code := errorCode(err); code {
	case "ResourceNotFoundException":
		fault = missing
	case "TooManyRequestsException", "ThrottlingException":
		fault = rollout.Throttled
	case "InvalidParameterValueException", "ValidationException", "RequestTooLargeException":
		fault = rollout.Rejected
	default:
		if strings.HasPrefix(code, "AccessDenied") {
			fault = rollout.Denied
		}
	}
	return rollout.ActionFailed{Fault: fault, Text: message(err)}
}
