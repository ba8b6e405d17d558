package rules

var apiGWV2AuthorizationTypeConfigured = Rule{
	Name: "api-gwv2-authorization-type-configured", Identifier: "API_GWV2_AUTHORIZATION_TYPE_CONFIGURED", Source: Managed,
	Summary: "the route asks who calls (in the given way)",
	Remedy:  "set AuthorizationType to AWS_IAM, JWT or CUSTOM (SAM: Auth)",
	Types:   []string{"AWS::ApiGatewayV2::Route"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "authorizationType", Kind: CSVParameter, Allowed: []string{"CUSTOM", "AWS_IAM", "JWT"}, About: "the authorization types that are allowed"},
	},
	judge: judgeAPIGWV2AuthorizationTypeConfigured,
}

func judgeAPIGWV2AuthorizationTypeConfigured(s *subject) Verdict {
	p, a := s.at("AuthorizationType"), s.arg("authorizationType")
	words := a.words
	if !a.set {
		words = []string{"CUSTOM", "AWS_IAM", "JWT"}
	}
	return wantWord(p, words)
}
