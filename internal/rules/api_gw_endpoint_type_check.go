package rules

import (
	"strings"
)

var apiGWEndpointTypeCheck = Rule{
	Name: "api-gw-endpoint-type-check", Identifier: "API_GW_ENDPOINT_TYPE_CHECK", Source: Managed,
	Summary: "the API is of one of the given endpoint types",
	Remedy:  "set EndpointConfiguration.Types",
	Types:   []string{"AWS::ApiGateway::RestApi"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "endpointConfigurationTypes", Kind: CSVParameter, Required: true, Allowed: []string{"REGIONAL", "PRIVATE", "EDGE"}, About: "the endpoint types that are allowed"},
	},
	judge:    judgeAPIGWEndpointTypeCheck,
	registry: &registryReading{types: []string{"AWS::ApiGateway::DomainName"}, judge: registryAPIGWEndpointTypeCheck, any: true},
}

func judgeAPIGWEndpointTypeCheck(s *subject) Verdict {
	types, a := s.at("EndpointConfiguration.Types"), s.arg("endpointConfigurationTypes")
	if types.node == nil {
		return verdictOf(truthOf(a.allows("EDGE")), types, "so it is EDGE, not "+strings.Join(a.words, " or "))
	}
	for i := range types.len() {
		one := types.item(i)
		if v := wantWord(one, a.words); v.Compliance != Compliant {
			return v
		}
	}
	return compliant(types)
}

// registryAPIGWEndpointTypeCheck asks domain names whether a type is stated at all.
func registryAPIGWEndpointTypeCheck(s *subject) Verdict {
	types := s.at("EndpointConfiguration.Types")
	for i := range types.len() {
		if one := types.item(i); one.oneOf("REGIONAL", "PRIVATE", "EDGE") == yes {
			return compliant(one)
		}
	}
	return nonCompliant(types, "not REGIONAL, PRIVATE or EDGE")
}
