package rules

var apiGWStageAccessLoggingRule = Rule{
	Name: "api-gw-stage-access-logging-rule", Identifier: "API_GW_STAGE_ACCESS_LOGGING_RULE", Source: Registry,
	Summary: "access logs are written",
	Remedy:  "set AccessLogSetting with DestinationArn and Format",
	Types:   []string{"AWS::ApiGateway::Stage"}, Trigger: OnChange, Scope: Template,
	judge:    func(s *subject) Verdict { return s.wantSet("AccessLogSetting") },
	registry: &registryReading{nag: []string{"W69"}},
}
