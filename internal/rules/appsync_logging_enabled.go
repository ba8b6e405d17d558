package rules

var appsyncLoggingEnabled = Rule{
	Name: "appsync-logging-enabled", Identifier: "APPSYNC_LOGGING_ENABLED", Source: Managed,
	Summary: "fields are logged, at one of the given levels",
	Remedy:  "set LogConfig.FieldLogLevel to ERROR or ALL",
	Types:   []string{"AWS::AppSync::GraphQLApi"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "fieldLoggingLevel", Kind: CSVParameter, Default: "ERROR,ALL", Allowed: []string{"ERROR", "ALL"}, About: "the levels that are allowed"},
	},
	judge: judgeAppSyncLoggingEnabled,
}

func judgeAppSyncLoggingEnabled(s *subject) Verdict {
	return s.wantOneOf("LogConfig.FieldLogLevel", s.arg("fieldLoggingLevel").words...)
}
