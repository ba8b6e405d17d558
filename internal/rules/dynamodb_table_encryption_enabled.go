package rules

var dynamodbTableEncryptionEnabled = Rule{
	Name: "dynamodb-table-encryption-enabled", Identifier: "DYNAMODB_TABLE_ENCRYPTION_ENABLED", Source: Managed,
	Summary: "encryption with a key in KMS is on or being switched on",
	Remedy:  "set SSESpecification.SSEEnabled to true",
	Types:   []string{"AWS::DynamoDB::Table"}, Trigger: OnChange, Scope: Template,
	judge: (*subject).wantTableKey,
}
