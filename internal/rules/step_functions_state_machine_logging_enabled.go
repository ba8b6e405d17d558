package rules

import (
	"slices"
)

var stepFunctionsStateMachineLoggingEnabled = Rule{
	Name: "step-functions-state-machine-logging-enabled", Identifier: "STEP_FUNCTIONS_STATE_MACHINE_LOGGING_ENABLED", Source: Managed,
	Summary: "executions are logged, at least at the given level, to one of the given log groups",
	Remedy:  "set LoggingConfiguration with Level and Destinations",
	Types:   []string{"AWS::StepFunctions::StateMachine"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "logLevel", Allowed: []string{"ALL", "ERROR", "FATAL"}, About: "the least level"},
		{Name: "cloudWatchLogGroupArns", Kind: CSVParameter, About: "the log groups that are allowed"},
	},
	judge: judgeStepFunctionsStateMachineLoggingEnabled,
}

// stateMachineLevels are the levels, each with all that the ones before it have.
var stateMachineLevels = []string{"FATAL", "ERROR", "ALL"}

func judgeStepFunctionsStateMachineLoggingEnabled(s *subject) Verdict {
	allowed := stateMachineLevels
	if a := s.arg("logLevel"); a.set {
		allowed = allowed[slices.Index(allowed, a.text):]
	}
	v := s.wantOneOf("LoggingConfiguration.Level", allowed...)
	groups := s.arg("cloudWatchLogGroupArns")
	if v.Compliance != Compliant || !groups.set {
		return v
	}
	destinations := s.at("LoggingConfiguration.Destinations")
	best := no
	for i := range destinations.len() {
		arn := destinations.item(i).in("CloudWatchLogsLogGroup.LogGroupArn")
		for _, want := range groups.words {
			best = max(best, s.means(arn, want))
		}
	}
	return verdictOf(best, destinations, "none of the given log groups")
}
