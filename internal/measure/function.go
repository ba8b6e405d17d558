package measure

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"evo/internal/fitness/suitefile"
	"evo/internal/inventory"
)

const (
	functionType = "AWS::Lambda::Function"
	aliasType    = "AWS::Lambda::Alias"
	latest       = "$LATEST"
)

// shift is what a deployment is about to do: the function by name, and the version that gets its traffic.
type shift struct{ function, version string }

// shift reads what a deployment shifts; nil without a deployment.
func (m *Measurer) shift(ctx context.Context, deployment string) (*shift, error) {
	if deployment == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	list, err := m.codedeploy.ListDeploymentTargets(ctx, &codedeploy.ListDeploymentTargetsInput{DeploymentId: &deployment})
	if err != nil {
		return nil, fmt.Errorf("the version to call is not known: list the targets of deployment %s: %s", deployment, said(err))
	}
	for _, id := range list.TargetIds {
		out, err := m.codedeploy.GetDeploymentTarget(ctx, &codedeploy.GetDeploymentTargetInput{DeploymentId: &deployment, TargetId: &id})
		if err != nil {
			return nil, fmt.Errorf("the version to call is not known: read the target of deployment %s: %s", deployment, said(err))
		}
		if t := out.DeploymentTarget; t != nil && t.LambdaTarget != nil && t.LambdaTarget.LambdaFunctionInfo != nil {
			info := t.LambdaTarget.LambdaFunctionInfo
			return &shift{functionName(aws.ToString(info.FunctionName)), aws.ToString(info.TargetVersion)}, nil
		}
	}
	return nil, nil
}

// functionName is the name in a function's name or ARN, with or without a qualifier.
func functionName(text string) string {
	if _, rest, ok := strings.Cut(text, ":function:"); ok {
		text = rest
	}
	name, _, _ := strings.Cut(text, ":")
	return name
}

// qualifier is which version of a function is called: the new one before it gets traffic, else the one that customers get.
func (c *caller) qualifier(name string) (qualifier string, judged bool, err error) {
	if c.BeforeTraffic {
		next, err := c.shifted()
		if err != nil {
			return "", false, err
		}
		if next != nil && next.function == name && next.version != "" {
			return next.version, true, nil
		}
	}
	return alias(c.Stack.Items, name), !c.BeforeTraffic, nil
}

// alias is the first alias that the stack has for a function; without one, what was deployed last is called.
func alias(items []*inventory.Item, function string) string {
	for _, it := range items {
		if it.Type != aliasType || functionName(it.Properties.Get("FunctionName").Str()) != function {
			continue
		}
		if name := it.Properties.Get("Name").Str(); name != "" && it.PhysicalID != "" {
			return name
		}
	}
	return latest
}

// invoke calls a function.
func (c *caller) invoke(ctx context.Context, call suitefile.Call) (*answer, error) {
	it := c.item(call.Function)
	if it == nil {
		return nil, &failure{reason: "the stack has no function " + call.Function, certain: true, judged: !c.BeforeTraffic} // it may still come
	}
	qualifier, judged, err := c.qualifier(it.PhysicalID)
	if err != nil {
		return nil, err
	}
	in := &lambda.InvokeInput{FunctionName: &it.PhysicalID, Qualifier: &qualifier}
	if call.Event != nil {
		if in.Payload, err = call.Event.MarshalJSON(); err != nil {
			return nil, fmt.Errorf("write the event for %s: %w", call.Function, err)
		}
	}
	a := &answer{from: call.Function + ":" + qualifier, judged: judged}
	out, took, err := c.once(ctx, in)
	if err != nil {
		return nil, &failure{a.from + " cannot be called: " + said(err), cannotRun(err), judged, err}
	}
	a.took = took
	a.returned(out)
	return a, nil
}

// How often a call that was throttled is made again, and after what time at first.
const (
	throttledAttempts = 4
	throttledDelay    = 200 * time.Millisecond
)

// once has a function do something once. What was throttled was surely not done, and is tried again; what was cut off may have been.
func (c *caller) once(ctx context.Context, in *lambda.InvokeInput) (out *lambda.InvokeOutput, took time.Duration, err error) {
	for attempt := range throttledAttempts {
		began := time.Now()
		out, err = c.lambda.Invoke(ctx, in)
		if took = time.Since(began); err == nil || !throttled(err) {
			return out, took, err
		}
		t := time.NewTimer(throttledDelay << attempt)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, took, err
		}
	}
	return nil, took, err
}

func throttled(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	_, ok := retry.DefaultThrottleErrorCodes[api.ErrorCode()]
	return ok
}

// cannotRun reports whether Lambda says that the function is to blame: it is not there, or cannot run as it is configured. All else, be
// it denied or throttled, is between Lambda and the caller.
func cannotRun(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	return slices.Contains(faults, api.ErrorCode())
}

// faults are those of Invoke's errors in Lambda's API model (botocore 1.44.8) that are the function's: its code, runtime, key, network
// role, file system or snapshot. What is left out is the caller's (a payload too large), or passes (a function that is being updated, a
// network without free addresses).
var faults = []string{
	"ResourceNotFoundException", "NoPublishedVersionException", "InvalidRuntimeException", "RuntimeAliasDeletedException",
	"RuntimeVersionDeletedException", "InvalidZipFileException", "KMSAccessDeniedException", "KMSDisabledException",
	"KMSInvalidStateException", "KMSNotFoundException", "EC2AccessDeniedException", "InvalidSubnetIDException",
	"InvalidSecurityGroupIDException", "EFSIOException", "EFSMountConnectivityException", "EFSMountFailureException",
	"EFSMountTimeoutException", "S3FilesMountConnectivityException", "S3FilesMountFailureException", "S3FilesMountTimeoutException",
	"SnapStartException", "SnapStartRegenerationFailureException", "SnapStartTimeoutException",
}

// returned takes in what a function returned. What it returns to API Gateway is read as API Gateway reads it.
func (a *answer) returned(out *lambda.InvokeOutput) {
	a.whole, a.body = out.Payload, out.Payload
	if out.FunctionError != nil {
		a.fault = fault(out)
		return
	}
	var shaped struct {
		StatusCode      *int            `json:"statusCode"`
		Body            json.RawMessage `json:"body"`
		IsBase64Encoded bool            `json:"isBase64Encoded"`
	}
	if json.Unmarshal(out.Payload, &shaped) != nil || shaped.StatusCode == nil {
		return
	}
	a.status, a.body = *shaped.StatusCode, shaped.Body
	var text string
	if json.Unmarshal(shaped.Body, &text) != nil {
		return
	}
	a.body = []byte(text)
	if decoded, err := base64.StdEncoding.DecodeString(text); shaped.IsBase64Encoded && err == nil {
		a.body = decoded
	}
}

// fault is a function's error in a line.
func fault(out *lambda.InvokeOutput) string {
	var e struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(out.Payload, &e) != nil || e.Type == "" && e.Message == "" {
		return aws.ToString(out.FunctionError) + ": " + short(string(out.Payload))
	}
	return short(strings.TrimPrefix(e.Type+": "+e.Message, ": "))
}

// short is a text as evidence: one line, and not all of a long one.
func short(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "�")), " ")
	if runes := []rune(text); len(runes) > 200 {
		return string(runes[:199]) + "…"
	}
	return text
}
