package rules

var lambdaFunctionLogFormatJSON = Rule{
	Name: "lambda-function-log-format-json", Identifier: "LAMBDA_FUNCTION_LOG_FORMAT_JSON", Source: Managed,
	Summary: "logs are structured, as JSON",
	Remedy:  "set LoggingConfig.LogFormat to JSON",
	Types:   []string{"AWS::Lambda::Function"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict { return s.wantOneOf("LoggingConfig.LogFormat", "JSON") },
}
