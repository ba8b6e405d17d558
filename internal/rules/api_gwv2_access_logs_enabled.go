package rules

import (
	"evo/internal/cfn"
)

var apiGWV2AccessLogsEnabled = Rule{
	Name: "api-gwv2-access-logs-enabled", Identifier: "API_GWV2_ACCESS_LOGS_ENABLED", Source: Managed,
	Summary: "access logs are written",
	Remedy:  "set AccessLogSettings with DestinationArn and Format",
	Types:   []string{"AWS::ApiGatewayV2::Stage"}, Trigger: OnChange, Scope: Template,
	judge:    judgeAPIGWV2AccessLogsEnabled,
	registry: &registryReading{nag: []string{"W46"}, judge: registryAPIGWV2AccessLogsEnabled},
}

func judgeAPIGWV2AccessLogsEnabled(s *subject) Verdict {
	for _, path := range []string{"AccessLogSettings.DestinationArn", "AccessLogSettings.Format"} {
		p := s.at(path)
		if set := s.isSet(p); set != yes {
			return verdictOf(set, p, "")
		}
	}
	return compliantBecause(s.at("AccessLogSettings"), "AccessLogSettings has a destination and a format")
}

// registryAPIGWV2AccessLogsEnabled wants strings, or functions that make them.
func registryAPIGWV2AccessLogsEnabled(s *subject) Verdict {
	for _, path := range []string{"AccessLogSettings.DestinationArn", "AccessLogSettings.Format"} {
		if p := s.at(path); !p.node.Is(cfn.String) && !p.node.Is(cfn.Map) {
			return nonCompliant(p, "no string")
		}
	}
	return compliantBecause(s.at("AccessLogSettings"), "AccessLogSettings has a destination and a format")
}
