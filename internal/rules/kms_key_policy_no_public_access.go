package rules

var kmsKeyPolicyNoPublicAccess = Rule{
	Name: "kms-key-policy-no-public-access", Identifier: "KMS_KEY_POLICY_NO_PUBLIC_ACCESS", Source: Managed,
	Summary: "the key's policy lets nobody in who is not named",
	Remedy:  "name the principals in KeyPolicy, or narrow it with kms:CallerAccount",
	Types:   []string{"AWS::KMS::Key"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNoStatement([]string{"KeyPolicy"}, nil, "lets everyone in", s.public("*"))
	},
}
