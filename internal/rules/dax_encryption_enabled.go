package rules

var daxEncryptionEnabled = Rule{
	Name: "dax-encryption-enabled", Identifier: "DAX_ENCRYPTION_ENABLED", Source: Managed,
	Summary: "the cluster is encrypted at rest",
	Remedy:  "set SSESpecification.SSEEnabled to true",
	Types:   []string{"AWS::DAX::Cluster"}, Trigger: Periodic, Scope: Template,
	judge: func(s *subject) Verdict { return s.wantTrue("SSESpecification.SSEEnabled") },
}
