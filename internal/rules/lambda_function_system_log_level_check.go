package rules

var lambdaFunctionSystemLogLevelCheck = Rule{
	Name: "lambda-function-system-log-level-check", Identifier: "LAMBDA_FUNCTION_SYSTEM_LOG_LEVEL_CHECK", Source: Managed,
	Summary: "logs are JSON, with one of the given system log levels",
	Remedy:  "set LoggingConfig.LogFormat to JSON and LoggingConfig.SystemLogLevel to the level",
	Types:   []string{"AWS::Lambda::Function"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "logLevel", Kind: CSVParameter, Required: true, Allowed: []string{"DEBUG", "INFO", "WARN"}, About: "the levels that are allowed"},
	},
	judge: func(s *subject) Verdict { return s.wantLogLevel("LoggingConfig.SystemLogLevel") },
}
