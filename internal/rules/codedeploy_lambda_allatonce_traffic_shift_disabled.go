package rules

import (
	"strings"
)

var codedeployLambdaAllatonceTrafficShiftDisabled = Rule{
	Name: "codedeploy-lambda-allatonce-traffic-shift-disabled", Identifier: "CODEDEPLOY_LAMBDA_ALLATONCE_TRAFFIC_SHIFT_DISABLED", Source: Managed,
	Summary: "traffic does not go to a function's new version all at once",
	Remedy:  "set DeploymentConfigName to a canary or linear configuration (SAM: DeploymentPreference.Type)",
	Types:   []string{"AWS::CodeDeploy::DeploymentGroup"}, Trigger: OnChange, Scope: Template,
	judge: judgeCodeDeployLambdaAllatonceTrafficShiftDisabled,
}

func judgeCodeDeployLambdaAllatonceTrafficShiftDisabled(s *subject) Verdict {
	config := s.at("DeploymentConfigName")
	platform := s.computePlatform()
	name, _ := config.text()
	if platform == "Lambda" || strings.HasPrefix(name, "CodeDeployDefault.Lambda") {
		if config.node == nil {
			return nonCompliant(config, "so it is CodeDeployDefault.LambdaAllAtOnce")
		}
		return verdictOf(config.oneOf("CodeDeployDefault.LambdaAllAtOnce").Not(), config, "which shifts all traffic at once")
	}
	if platform == "" && config.open {
		return unresolved(config)
	}
	return notApplicable(config, "the deployment group is not for functions")
}

// computePlatform is that of the deployment group's application; empty if it is not known.
func (s *subject) computePlatform() string {
	app, _ := s.set.target(s.at("ApplicationName").node, []string{"AWS::CodeDeploy::Application"})
	if app == nil {
		return ""
	}
	platform := follow(app.Properties, "ComputePlatform")
	if platform.node == nil {
		return "Server"
	}
	return platform.node.Str()
}
