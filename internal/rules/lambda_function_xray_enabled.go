package rules

var lambdaFunctionXrayEnabled = Rule{
	Name: "lambda-function-xray-enabled", Identifier: "LAMBDA_FUNCTION_XRAY_ENABLED", Source: Managed,
	Summary: "active tracing is on",
	Remedy:  "set TracingConfig.Mode to Active (SAM: Tracing: Active)",
	Types:   []string{"AWS::Lambda::Function"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict { return s.wantOneOf("TracingConfig.Mode", "Active") },
}
