package rules

var apiGWXrayEnabled = Rule{
	Name: "api-gw-xray-enabled", Identifier: "API_GW_XRAY_ENABLED", Source: Managed,
	Summary: "tracing is on",
	Remedy:  "set TracingEnabled to true",
	Types:   []string{"AWS::ApiGateway::Stage"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict { return s.wantTrue("TracingEnabled") },
}
