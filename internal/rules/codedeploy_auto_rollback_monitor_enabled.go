package rules

var codedeployAutoRollbackMonitorEnabled = Rule{
	Name: "codedeploy-auto-rollback-monitor-enabled", Identifier: "CODEDEPLOY_AUTO_ROLLBACK_MONITOR_ENABLED", Source: Managed,
	Summary: "deployments are watched by alarms and rolled back by themselves",
	Remedy:  "set AutoRollbackConfiguration.Enabled and AlarmConfiguration.Enabled to true and name Alarms (SAM: DeploymentPreference.Alarms)",
	Types:   []string{"AWS::CodeDeploy::DeploymentGroup"}, Trigger: OnChange, Scope: Template,
	judge: judgeCodeDeployAutoRollbackMonitorEnabled,
}

func judgeCodeDeployAutoRollbackMonitorEnabled(s *subject) Verdict {
	for _, path := range []string{"AutoRollbackConfiguration.Enabled", "AlarmConfiguration.Enabled"} {
		if v := s.wantTrue(path); v.Compliance != Compliant {
			return v
		}
	}
	alarms := s.at("AlarmConfiguration.Alarms")
	switch {
	case alarms.open:
		return unresolved(alarms)
	case alarms.len() == 0:
		return nonCompliant(alarms, "")
	}
	return compliantBecause(alarms, "rollback and alarms are on")
}
