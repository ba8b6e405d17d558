package rules

var dynamodbTableMustBeEncrypted = Rule{
	Name: "dynamodb-table-must-be-encrypted", Identifier: "DYNAMODB_TABLE_MUST_BE_ENCRYPTED", Source: Registry,
	Summary: "encryption with a key in KMS is on",
	Remedy:  "set SSESpecification.SSEEnabled to true",
	Types:   []string{"AWS::DynamoDB::Table"}, Trigger: OnChange, Scope: Template,
	judge:    (*subject).wantTableKey,
	registry: &registryReading{},
}
