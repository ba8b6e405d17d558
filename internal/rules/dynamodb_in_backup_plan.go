package rules

var dynamodbInBackupPlan = Rule{
	Name: "dynamodb-in-backup-plan", Identifier: "DYNAMODB_IN_BACKUP_PLAN", Source: Managed,
	Summary: "the table is in a plan of AWS Backup",
	Remedy:  "add an AWS::Backup::BackupSelection with the table",
	Types:   []string{"AWS::DynamoDB::Table"}, Trigger: Periodic, Scope: Live,
	judge: judgeDynamoDBInBackupPlan,
}

func judgeDynamoDBInBackupPlan(s *subject) Verdict { return s.wantBackupPlan() }

// wantBackupPlan is the rule that a plan of AWS Backup covers the resource: one that names it in the same Set, or one that a
// live account tells of.
func (s *subject) wantBackupPlan() Verdict {
	if selections := s.attachedOf("AWS::Backup::BackupSelection"); len(selections) > 0 {
		return compliantBecause(property{path: "BackupSelection", span: selections[0].Span}, selections[0].ID+" selects it for backup")
	}
	plans := s.supplementary("BackupPlans")
	if plans.node == nil {
		return unknownFact("the backup plans that cover it")
	}
	return verdictOf(truthOf(plans.len() > 0), plans, "no plan covers it")
}
