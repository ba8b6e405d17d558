package rollout

import (
	"fmt"
	"strings"
	"time"
)

// Messages of errorInformation. Those of the first group are AWS's own.
const (
	versionMismatch = "The deployment failed because the AppSpec file that specifies the AWS Lambda deployment configuration is " +
		"missing or has an invalid configuration. The Lambda function alias version does not match the current version in AppSpec file."
	hookFailure = "The deployment failed because one or more of the lifecycle event validation functions failed."

	manualStop         = "The deployment was stopped on request."
	timedOut           = "The deployment failed because it has not ended within 50 hours."
	groupMissing       = "The deployment failed because its deployment group was deleted before it started."
	applicationMissing = "The deployment failed because its application was deleted before it started."
)

func alarmActive(names []string) string {
	return "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected " +
		"deployments have been stopped. Activated alarms: <" + strings.Join(names, "> <") + ">"
}

func alarmsUnreadable(why string) string {
	return "The deployment was stopped because the state of its alarms cannot be read: " + why
}

func (d *decision) alias() string { return d.Function + ":" + d.Alias }

// failureCode returns the deployment's error code for an action's fault.
func (d *decision) failureCode(f Fault) string {
	switch f {
	case Throttled:
		return "THROTTLED"
	case Denied:
		return "IAM_ROLE_PERMISSIONS"
	case Unavailable:
		return "INTERNAL_ERROR"
	}
	switch {
	case d.pending(InvokeHook):
		return "HOOK_EXECUTION_FAILURE"
	case f == NoFunction:
		return "INVALID_LAMBDA_FUNCTION"
	}
	return "INVALID_LAMBDA_CONFIGURATION"
}

func (d *decision) failureMessage(f ActionFailed) string {
	switch f.Fault {
	case Throttled:
		return fmt.Sprintf("The deployment failed because the number of requests by the IAM role %s exceeded the request limit for AWSLambda. %s", d.Role, f.Text)
	case Denied:
		return fmt.Sprintf("The IAM role %s does not give you permission to perform operations in the following AWS service: AWSLambda. "+
			"Contact your AWS administrator if you need help. If you are an AWS administrator, you can grant permissions to your users or groups by creating IAM policies.", d.Role)
	case Unavailable:
		return "The deployment failed because AWS Lambda could not be reached: " + f.Text
	}
	switch {
	case d.pending(InvokeHook):
		return hookFailure
	case f.Fault == NoAlias:
		return versionMismatch
	}
	return fmt.Sprintf("The deployment failed because the AWS Lambda function %s cannot be deployed: %s", d.Function, f.Text)
}

func (d *decision) takenMessage(found Routing) string {
	now := "it has been deleted"
	if found.Version != "" {
		now = "it now serves " + found.String()
	}
	return fmt.Sprintf("The deployment failed because somebody else changed the alias %s of the function %s while the deployment ran: %s. "+
		"The alias has been left as it is.", d.Alias, d.Function, now)
}

// describe tells the plan in words.
func (p Plan) describe() string {
	if len(p) == 1 {
		return "shift all calls at once"
	}
	return fmt.Sprintf("shift calls in %d steps over %s", len(p), short(p.Total()))
}

func short(d time.Duration) string {
	s := d.String()
	s = strings.TrimSuffix(s, "0s")
	return strings.TrimSuffix(s, "h0m") + map[bool]string{true: "h"}[strings.HasSuffix(s, "h0m")]
}
