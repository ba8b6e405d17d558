package rules

var lambdaFunctionApplicationLogLevelCheck = Rule{
	Name: "lambda-function-application-log-level-check", Identifier: "LAMBDA_FUNCTION_APPLICATION_LOG_LEVEL_CHECK", Source: Managed,
	Summary: "logs are JSON, with one of the given application log levels",
	Remedy:  "set LoggingConfig.LogFormat to JSON and LoggingConfig.ApplicationLogLevel to the level",
	Types:   []string{"AWS::Lambda::Function"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "logLevel", Kind: CSVParameter, Required: true, Allowed: []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}, About: "the levels that are allowed"},
	},
	judge: func(s *subject) Verdict { return s.wantLogLevel("LoggingConfig.ApplicationLogLevel") },
}

// wantLogLevel is the rule that logs are JSON and have one of the levels of the parameter. A level that is not set is INFO.
func (s *subject) wantLogLevel(path string) Verdict {
	if v := s.wantOneOf("LoggingConfig.LogFormat", "JSON"); v.Compliance != Compliant {
		return v
	}
	level, a := s.at(path), s.arg("logLevel")
	if level.node == nil && a.allows("INFO") {
		return compliantBecause(level, path+" is not set, so it is INFO")
	}
	return wantWord(level, a.words)
}
