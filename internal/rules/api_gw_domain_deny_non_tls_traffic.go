package rules

var apiGWDomainDenyNonTLSTraffic = Rule{
	Name: "api-gw-domain-deny-non-tls-traffic", Identifier: "API_GW_DOMAIN_DENY_NON_TLS_TRAFFIC", Source: Registry,
	Summary: "the domain takes TLS 1.2 and nothing older",
	Remedy:  "set SecurityPolicy to TLS_1_2",
	Types:   []string{"AWS::ApiGateway::DomainName"}, Trigger: OnChange, Scope: Template,
	judge:    func(s *subject) Verdict { return s.wantOneOf("SecurityPolicy", "TLS_1_2") },
	registry: &registryReading{nag: []string{"W62"}},
}
