package rules

var cloudformationStackDriftDetectionCheck = Rule{
	Name: "cloudformation-stack-drift-detection-check", Identifier: "CLOUDFORMATION_STACK_DRIFT_DETECTION_CHECK", Source: Managed,
	Summary: "the stack's resources are as its template says",
	Remedy:  "detect drift and update the stack",
	Types:   []string{"AWS::CloudFormation::Stack"}, Trigger: OnChangePeriodic, Scope: Live,
	Parameters: []Parameter{
		{Name: "cloudformationRoleArn", About: "the role that AWS Config detects drift with; required there, not needed here"},
	},
	judge: judgeCloudFormationStackDriftDetectionCheck,
}

func judgeCloudFormationStackDriftDetectionCheck(s *subject) Verdict {
	status := s.supplementary("DriftStatus")
	if status.node == nil {
		return unknownFact("the drift status")
	}
	return verdictOf(status.oneOf("IN_SYNC"), status, "should be IN_SYNC")
}
