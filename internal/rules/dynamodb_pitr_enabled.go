package rules

var dynamodbPITREnabled = Rule{
	Name: "dynamodb-pitr-enabled", Identifier: "DYNAMODB_PITR_ENABLED", Source: Managed,
	Summary: "the table can be restored to any moment of the last weeks",
	Remedy:  "set PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled to true",
	Types:   []string{"AWS::DynamoDB::Table"}, Trigger: Periodic, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantTrue("PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled")
	},
	registry: &registryReading{nag: []string{"W78"}},
}
