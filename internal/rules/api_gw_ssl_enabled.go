package rules

var apiGWSSLEnabled = Rule{
	Name: "api-gw-ssl-enabled", Identifier: "API_GW_SSL_ENABLED", Source: Managed,
	Summary: "back ends can tell the API by its client certificate (one of the list)",
	Remedy:  "set ClientCertificateId",
	Types:   []string{"AWS::ApiGateway::Stage"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "CertificateIDs", Kind: CSVParameter, About: "the certificates that are allowed"},
	},
	judge: func(s *subject) Verdict { return s.wantListed("ClientCertificateId", "CertificateIDs") },
}
