package rules

var dynamodbBillingModeRule = Rule{
	Name: "dynamodb-billing-mode-rule", Identifier: "DYNAMODB_BILLING_MODE_RULE", Source: Registry,
	Summary: "the billing mode is stated",
	Remedy:  "set BillingMode to PAY_PER_REQUEST or PROVISIONED",
	Types:   []string{"AWS::DynamoDB::Table"}, Trigger: OnChange, Scope: Template,
	judge:    func(s *subject) Verdict { return s.wantOneOf("BillingMode", "PAY_PER_REQUEST", "PROVISIONED") },
	registry: &registryReading{nag: []string{"W73"}, judge: registryDynamoDBBillingModeRule},
}

// registryDynamoDBBillingModeRule looks for a wrong mode, which a reference is not.
func registryDynamoDBBillingModeRule(s *subject) Verdict {
	mode := s.at("BillingMode")
	if mode.open {
		return compliant(mode)
	}
	return s.wantOneOf("BillingMode", "PAY_PER_REQUEST", "PROVISIONED")
}
