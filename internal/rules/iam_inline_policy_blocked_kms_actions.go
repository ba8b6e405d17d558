package rules

var iamInlinePolicyBlockedKMSActions = Rule{
	Name: "iam-inline-policy-blocked-kms-actions", Identifier: "IAM_INLINE_POLICY_BLOCKED_KMS_ACTIONS", Source: Managed,
	Summary: "no inline statement allows one of the KMS actions on all keys",
	Remedy:  "name the keys in Resource",
	Types:   []string{"AWS::IAM::User", "AWS::IAM::Role", "AWS::IAM::Group"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "blockedActionsPatterns", Kind: CSVParameter, Required: true, About: "KMS actions, with wildcards"},
		{Name: "excludePermissionBoundaryPolicy", Kind: BooleanParameter, Default: "false", About: "true: policies that are used as permissions boundary are not judged"},
	},
	judge: judgeIAMInlinePolicyBlockedKMSActions,
}

func judgeIAMInlinePolicyBlockedKMSActions(s *subject) Verdict {
	docs := append(s.own("Policies.*.PolicyDocument"), s.policies(inlinePolicies...)...)
	if it := s.mayHave(inlinePolicies...); it != nil && len(docs) == 0 {
		return s.unresolvedTarget(it)
	}
	if len(docs) == 0 {
		return notApplicable(s.at("Policies"), "there are no inline policies")
	}
	return s.wantNone(docs, "allows a blocked KMS action on all keys", s.blockedOnAllKeys)
}
