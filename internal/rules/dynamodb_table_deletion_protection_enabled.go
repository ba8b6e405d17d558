package rules

var dynamodbTableDeletionProtectionEnabled = Rule{
	Name: "dynamodb-table-deletion-protection-enabled", Identifier: "DYNAMODB_TABLE_DELETION_PROTECTION_ENABLED", Source: Managed,
	Summary: "the table cannot be deleted by mistake",
	Remedy:  "set DeletionProtectionEnabled to true",
	Types:   []string{"AWS::DynamoDB::Table"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict { return s.wantTrue("DeletionProtectionEnabled") },
}
