package rules

var apiGWAssociatedWithWAF = Rule{
	Name: "api-gw-associated-with-waf", Identifier: "API_GW_ASSOCIATED_WITH_WAF", Source: Managed,
	Summary: "a web ACL (one of the list) protects the stage",
	Remedy:  "add an AWS::WAFv2::WebACLAssociation with the stage as ResourceArn",
	Types:   []string{"AWS::ApiGateway::Stage"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "WebAclArns", Kind: CSVParameter, About: "the web ACLs that are allowed"},
	},
	judge: judgeAPIGWAssociatedWithWAF,
}

func judgeAPIGWAssociatedWithWAF(s *subject) Verdict {
	associations := s.attachedOf("AWS::WAFv2::WebACLAssociation")
	acl := s.supplementary("WebAclArn")
	if len(associations) > 0 {
		acl = follow(associations[0].Properties, "WebACLArn")
		acl.path = associations[0].ID + ".WebACLArn"
	}
	if acl.node == nil {
		if it := s.mayHave("AWS::WAFv2::WebACLAssociation"); it != nil {
			return s.unresolvedTarget(it)
		}
		return nonCompliantBecause(property{path: "WebACLAssociation", span: s.Span}, "no web ACL is associated with the stage")
	}
	if a := s.arg("WebAclArns"); a.set {
		return wantWord(acl, a.words)
	}
	return compliant(acl)
}
