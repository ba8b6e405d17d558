package rules

import (
	"evo/internal/rules/value"
)

var dynamodbResourcesProtectedByBackupPlan = Rule{
	Name: "dynamodb-resources-protected-by-backup-plan", Identifier: "DYNAMODB_RESOURCES_PROTECTED_BY_BACKUP_PLAN", Source: Managed,
	Summary: "a backup plan covers the table, as the parameters ask",
	Remedy:  "add an AWS::Backup::BackupSelection with the table",
	Types:   []string{"AWS::DynamoDB::Table"}, Trigger: Periodic, Scope: Live,
	Parameters: []Parameter{
		{Name: "resourceId", About: "only this resource is judged"},
		{Name: "crossRegionList", Kind: CSVParameter, About: "regions that must get copies"},
		{Name: "crossAccountList", Kind: CSVParameter, About: "accounts that must get copies"},
		{Name: "maxRetentionDays", Kind: IntParameter, About: "days"},
		{Name: "minRetentionDays", Kind: IntParameter, About: "days"},
		{Name: "backupVaultLockCheck", Kind: BooleanParameter, About: "true: the vault must be locked"},
	},
	judge: judgeDynamoDBResourcesProtectedByBackupPlan,
}

func judgeDynamoDBResourcesProtectedByBackupPlan(s *subject) Verdict { return s.wantProtected() }

// wantProtected is wantBackupPlan for one resource or all. How a plan copies and keeps is known to a live account alone, as
// the Supplementary fact BackupConforms.
func (s *subject) wantProtected() Verdict {
	if id := s.arg("resourceId"); id.set {
		if same, sure := s.isCalled(value.Text(id.text)); !same && sure {
			return notApplicable(property{span: s.Span}, "only "+id.text+" is judged")
		}
	}
	v := s.wantBackupPlan()
	if v.Compliance != Compliant {
		return v
	}
	for _, name := range []string{"crossRegionList", "crossAccountList", "maxRetentionDays", "minRetentionDays", "backupVaultLockCheck"} {
		if !s.arg(name).set {
			continue
		}
		conforms := s.supplementary("BackupConforms")
		if conforms.node == nil {
			return unknownFact("how the backup plan copies and keeps")
		}
		return verdictOf(conforms.isTrue(), conforms, "should be true")
	}
	return v
}
