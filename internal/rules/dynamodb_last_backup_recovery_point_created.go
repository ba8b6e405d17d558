package rules

import (
	"evo/internal/rules/value"
)

var dynamodbLastBackupRecoveryPointCreated = Rule{
	Name: "dynamodb-last-backup-recovery-point-created", Identifier: "DYNAMODB_LAST_BACKUP_RECOVERY_POINT_CREATED", Source: Managed,
	Summary: "the last backup is not older than allowed",
	Remedy:  "add the table to a backup plan that runs often enough",
	Types:   []string{"AWS::DynamoDB::Table"}, Trigger: Periodic, Scope: Live,
	Parameters: []Parameter{
		{Name: "recoveryPointAgeValue", Kind: IntParameter, Default: "1", About: "how old the newest recovery point may be"},
		{Name: "recoveryPointAgeUnit", Default: "days", Allowed: []string{"hours", "days"}, About: "the unit of that"},
		{Name: "resourceId", About: "only this table is judged"},
	},
	judge: judgeDynamoDBLastBackupRecoveryPointCreated,
}

func judgeDynamoDBLastBackupRecoveryPointCreated(s *subject) Verdict {
	if id := s.arg("resourceId"); id.set {
		if same, sure := s.isCalled(value.Text(id.text)); !same && sure {
			return notApplicable(property{span: s.Span}, "only "+id.text+" is judged")
		}
	}
	age := s.supplementary("RecoveryPointAgeHours")
	hours, known := age.number()
	if known != yes {
		return unknownFact("the age of the newest recovery point")
	}
	most := s.arg("recoveryPointAgeValue").number
	if s.arg("recoveryPointAgeUnit").text == "days" {
		most *= 24
	}
	return verdictOf(truthOf(hours <= most), age, "too old")
}
