package rules

var apiGWExecutionLoggingEnabled = Rule{
	Name: "api-gw-execution-logging-enabled", Identifier: "API_GW_EXECUTION_LOGGING_ENABLED", Source: Managed,
	Summary: "every method of the stage logs at one of the given levels",
	Remedy:  "set LoggingLevel to ERROR or INFO in MethodSettings",
	Types:   []string{"AWS::ApiGateway::Stage"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "loggingLevel", Kind: CSVParameter, Default: "ERROR,INFO", Allowed: []string{"ERROR", "INFO"}, About: "the levels that are allowed"},
	},
	judge:    judgeAPIGWExecutionLoggingEnabled,
	registry: &registryReading{judge: registryAPIGWExecutionLoggingEnabled},
}

func judgeAPIGWExecutionLoggingEnabled(s *subject) Verdict {
	levels := s.arg("loggingLevel").words
	return s.wantMethods("so no method logs", func(method property) Verdict {
		level := method.in("LoggingLevel")
		return wantWord(level, levels)
	})
}

// registryAPIGWExecutionLoggingEnabled wants all methods to log at the same level.
func registryAPIGWExecutionLoggingEnabled(s *subject) Verdict {
	settings := s.at("MethodSettings")
	if settings.len() == 0 {
		return notApplicable(settings, "MethodSettings is not set")
	}
	var v Verdict
	for _, want := range []string{"ERROR", "INFO"} {
		v = s.wantMethods("", func(method property) Verdict {
			level := method.in("LoggingLevel")
			return verdictOf(level.oneOf(want), level, "should be the same ERROR or INFO for all")
		})
		if v.Compliance == Compliant {
			break
		}
	}
	return v
}
