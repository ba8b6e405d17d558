package rules

var lambdaNoWildcardPrincipals = Rule{
	Name: "lambda-no-wildcard-principals", Identifier: "LAMBDA_NO_WILDCARD_PRINCIPALS", Source: Registry,
	Summary: "no permission names everyone as its principal",
	Remedy:  "name an account, role or service as Principal",
	Types:   []string{"AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission"}, Trigger: OnChange, Scope: Template,
	judge:    judgeLambdaNoWildcardPrincipals,
	registry: &registryReading{nag: []string{"F13"}},
}

func judgeLambdaNoWildcardPrincipals(s *subject) Verdict {
	principal := s.at("Principal")
	is := principal.oneOf("*")
	if is == unknown && (s.guard || s.isSet(principal) == yes) {
		is = no // a reference to a resource, or a longer text
	}
	return verdictOf(is.Not(), principal, "which is everyone")
}
