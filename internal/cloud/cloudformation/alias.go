package cloudformation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cfn"
)

// aliasHandler makes aliases, and lets CodeDeploy shift them where their update policy says so.
type aliasHandler struct {
	lambdaHandlers
	deploy CodeDeploy
}

func (h aliasHandler) handler() Handler {
	return Handler{Create: h.create, Update: h.update, Delete: h.delete}
}

// routing turns CloudFormation's list of weights into the API's map.
func routing(props *cfn.Node) (*types.AliasRoutingConfiguration, error) {
	weights := map[string]float64{}
	for _, w := range props.At("RoutingConfig", "AdditionalVersionWeights").List() {
		version, _ := w.Get("FunctionVersion").Scalar()
		weight, ok := w.Get("FunctionWeight").Float()
		if !ok {
			return nil, fmt.Errorf("Value of property FunctionWeight must be of type Number")
		}
		weights[version] = weight
	}
	return &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights}, nil
}

func (h aliasHandler) create(ctx context.Context, r *Request) (Result, error) {
	weights, err := routing(r.Properties)
	if err != nil {
		return Result{}, err
	}
	in := &lambda.CreateAliasInput{FunctionName: aws.String(r.Str("FunctionName")), Name: aws.String(r.Str("Name")),
		FunctionVersion: aws.String(r.Str("FunctionVersion")), Description: aws.String(r.Str("Description"))}
	if len(weights.AdditionalVersionWeights) > 0 {
		in.RoutingConfig = weights
	}
	out, err := h.CreateAlias(ctx, in)
	if r.Retry && exists(err) {
		now, getErr := h.current(ctx, r)
		if getErr != nil {
			return Result{}, getErr
		}
		return aliasResult(now.AliasArn), nil
	}
	if err != nil {
		return Result{}, err
	}
	return aliasResult(out.AliasArn), h.provision(ctx, r, r.Str("Name"))
}

func aliasResult(arn *string) Result {
	return Result{Physical: aws.ToString(arn), Attributes: map[string]any{"AliasArn": aws.ToString(arn)}}
}

func (h aliasHandler) current(ctx context.Context, r *Request) (*lambda.GetAliasOutput, error) {
	return h.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: aws.String(r.Str("FunctionName")), Name: aws.String(r.Str("Name"))})
}

func (h aliasHandler) delete(ctx context.Context, r *Request) error {
	_, err := h.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: aws.String(r.Str("FunctionName")), Name: aws.String(r.Str("Name"))})
	return err
}

func (h aliasHandler) update(ctx context.Context, r *Request) (Result, error) {
	now, err := h.current(ctx, r)
	if err != nil {
		return Result{Physical: r.Physical}, err
	}
	result := aliasResult(now.AliasArn)
	in := &lambda.UpdateAliasInput{FunctionName: aws.String(r.Str("FunctionName")), Name: aws.String(r.Str("Name"))}
	differs := false
	if description := r.Str("Description"); description != aws.ToString(now.Description) {
		in.Description, differs = aws.String(description), true
	}
	if !cfn.Same(r.Properties.Get("RoutingConfig"), r.Before.Get("RoutingConfig")) {
		if in.RoutingConfig, err = routing(r.Properties); err != nil {
			return result, err
		}
		differs = true
	}
	version := r.Str("FunctionVersion")
	policy := r.UpdatePolicy.Get("CodeDeployLambdaAliasUpdate")
	switch {
	case policy != nil && (aws.ToString(now.FunctionVersion) != version || r.Noted("deploying") != ""):
		if err := h.shift(ctx, r, policy, aws.ToString(now.FunctionVersion)); err != nil {
			return result, err
		}
	case aws.ToString(now.FunctionVersion) != version:
		in.FunctionVersion, differs = aws.String(version), true
	}
	if differs {
		if _, err := h.UpdateAlias(ctx, in); err != nil {
			return result, err
		}
	}
	return result, h.provision(ctx, r, r.Str("Name"))
}

// shift runs one CodeDeploy deployment and waits for its end, and for that of its rollback.
func (h aliasHandler) shift(ctx context.Context, r *Request, policy *cfn.Node, from string) error {
	if h.deploy == nil {
		return fmt.Errorf("the update policy CodeDeployLambdaAliasUpdate needs CodeDeploy, which is not here")
	}
	id, err := h.deployment(ctx, r, policy, from)
	if err != nil {
		return err
	}
	info, err := h.ended(ctx, r, id)
	if errors.Is(err, errCancelled) {
		return h.stop(ctx, r, id)
	}
	if err != nil {
		return err
	}
	if info.Status == cdtypes.DeploymentStatusSucceeded {
		return nil
	}
	if err := h.rolledBack(ctx, r, id); err != nil {
		return err
	}
	message := ""
	if info.ErrorInformation != nil {
		message = aws.ToString(info.ErrorInformation.Message)
	}
	return &handlerError{fmt.Sprintf("%s failed. %s", id, message), "InternalFailure"}
}

// deployment starts the step's deployment, or finds the one that an earlier try has started.
func (h aliasHandler) deployment(ctx context.Context, r *Request, policy *cfn.Node, from string) (string, error) {
	if id := r.Noted("deployment"); id != "" {
		return id, nil
	}
	application, group := policy.Get("ApplicationName").Str(), policy.Get("DeploymentGroupName").Str()
	content, err := appSpec(r, policy, from)
	if err != nil {
		return "", err
	}
	id := ""
	if r.Noted("deploying") == "" {
		err = r.Note("deploying", content)
	} else {
		content = r.Noted("deploying") // as it was asked before: the alias may have begun to move since
		id, err = h.started(ctx, r, application, group, content)
	}
	if err != nil {
		return "", err
	}
	if id == "" {
		out, err := h.deploy.CreateDeployment(ctx, &codedeploy.CreateDeploymentInput{ApplicationName: aws.String(application),
			DeploymentGroupName: aws.String(group), Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent,
				AppSpecContent: &cdtypes.AppSpecContent{Content: aws.String(content)}}})
		if errorCode(err) == "DeploymentLimitExceededException" {
			return "", &handlerError{text: "A conflicting deployment is in progress"}
		}
		if err != nil {
			return "", err
		}
		id = aws.ToString(out.DeploymentId)
	}
	if err := r.Say("CodeDeploy deployment started: " + id); err != nil {
		return "", err
	}
	return id, r.Note("deployment", id)
}

// appSpec is the revision that CloudFormation hands to CodeDeploy.
func appSpec(r *Request, policy *cfn.Node, from string) (string, error) {
	spec := map[string]any{"version": "0.0", "Resources": []any{map[string]any{r.Logical: map[string]any{"Type": "AWS::Lambda::Function",
		"Properties": map[string]any{"Name": r.Str("FunctionName"), "Alias": r.Str("Name"), "CurrentVersion": from, "TargetVersion": r.Str("FunctionVersion")}}}}}
	var hooks []any
	for _, event := range []string{"BeforeAllowTraffic", "AfterAllowTraffic"} {
		if hook := policy.Get(event + "Hook").Str(); hook != "" {
			hooks = append(hooks, map[string]any{event: hook})
		}
	}
	if len(hooks) > 0 {
		spec["Hooks"] = hooks
	}
	text, err := json.Marshal(spec)
	return string(text), err
}

// started looks for a deployment of the content that was made since the step began.
func (h aliasHandler) started(ctx context.Context, r *Request, application, group, content string) (string, error) {
	list, err := h.deploy.ListDeployments(ctx, &codedeploy.ListDeploymentsInput{ApplicationName: aws.String(application), DeploymentGroupName: aws.String(group)})
	if err != nil {
		return "", err
	}
	for _, id := range list.Deployments {
		out, err := h.deploy.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: aws.String(id)})
		if err != nil {
			return "", err
		}
		d := out.DeploymentInfo
		if d.CreateTime.Before(r.Begun) {
			return "", nil
		}
		if d.Revision != nil && d.Revision.AppSpecContent != nil && aws.ToString(d.Revision.AppSpecContent.Content) == content {
			return id, nil
		}
	}
	return "", nil
}

// ended waits for a deployment's end.
func (h aliasHandler) ended(ctx context.Context, r *Request, id string) (info *cdtypes.DeploymentInfo, err error) {
	err = r.Await(ctx, func() (bool, error) {
		out, err := h.deploy.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: aws.String(id)})
		if err != nil {
			return false, err
		}
		info = out.DeploymentInfo
		return over(info.Status), nil
	})
	return info, err
}

func over(s cdtypes.DeploymentStatus) bool {
	return s == cdtypes.DeploymentStatusSucceeded || s == cdtypes.DeploymentStatusFailed || s == cdtypes.DeploymentStatusStopped
}

// rollbackGrace is how long a rollback deployment may take to appear after what it rolls back has ended.
const rollbackGrace = 30 * time.Second

// rolledBack waits for the deployment that rolls another back, if there is one. The wait ends whatever becomes of the stack's
// operation: the alias must be whole before anything else touches it.
func (h aliasHandler) rolledBack(ctx context.Context, r *Request, id string) error {
	quiet := *r
	quiet.Cancelled = nil
	deadline := r.s.cfg.Clock.Now().Add(rollbackGrace)
	back := ""
	err := quiet.Await(ctx, func() (bool, error) {
		out, err := h.deploy.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: aws.String(id)})
		if err != nil {
			return false, err
		}
		d := out.DeploymentInfo
		if d.RollbackInfo != nil {
			back = aws.ToString(d.RollbackInfo.RollbackDeploymentId)
		}
		wanted := d.AutoRollbackConfiguration != nil && d.AutoRollbackConfiguration.Enabled
		return over(d.Status) && (back != "" || !wanted || !r.s.cfg.Clock.Now().Before(deadline)), nil
	})
	if err != nil || back == "" {
		return err
	}
	if r.Noted("rollback") == "" {
		if err := r.Say("CodeDeploy rollback deployment started: " + back); err != nil {
			return err
		}
		if err := r.Note("rollback", back); err != nil {
			return err
		}
	}
	_, err = h.ended(ctx, &quiet, back)
	return err
}

// stop ends the deployment of an operation that has been given up.
func (h aliasHandler) stop(ctx context.Context, r *Request, id string) error {
	_, err := h.deploy.StopDeployment(ctx, &codedeploy.StopDeploymentInput{DeploymentId: aws.String(id), AutoRollbackEnabled: aws.Bool(true)})
	if err != nil && errorCode(err) != "DeploymentAlreadyCompletedException" {
		return err
	}
	return errors.Join(h.rolledBack(ctx, r, id), errCancelled)
}
