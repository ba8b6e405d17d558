package rules

import (
	"strings"
)

var apiGWMethodAuthorizationTypeRule = Rule{
	Name: "api-gw-method-authorization-type-rule", Identifier: "API_GW_METHOD_AUTHORIZATION_TYPE_RULE", Source: Registry,
	Summary: "every method but OPTIONS asks who calls",
	Remedy:  "set AuthorizationType to AWS_IAM, CUSTOM or COGNITO_USER_POOLS",
	Types:   []string{"AWS::ApiGateway::Method"}, Trigger: OnChange, Scope: Template,
	judge:    judgeAPIGWMethodAuthorizationTypeRule,
	registry: &registryReading{nag: []string{"W59"}},
}

func judgeAPIGWMethodAuthorizationTypeRule(s *subject) Verdict {
	method := s.at("HttpMethod")
	name, known := method.text()
	if strings.EqualFold(name, "OPTIONS") {
		return compliant(method)
	}
	kind := s.at("AuthorizationType")
	text, _ := kind.text()
	open := kind.node == nil || strings.EqualFold(text, "NONE")
	switch {
	case open && !known && method.node != nil && !s.guard:
		return unresolved(method)
	case open:
		return nonCompliant(kind, "so anybody may call")
	case kind.open && !s.guard:
		return unresolved(kind)
	}
	return compliant(kind)
}
