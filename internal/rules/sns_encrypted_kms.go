package rules

var snsEncryptedKMS = Rule{
	Name: "sns-encrypted-kms", Identifier: "SNS_ENCRYPTED_KMS", Source: Managed,
	Summary: "the topic is encrypted with a key in KMS (one of the list)",
	Remedy:  "set KmsMasterKeyId; a key of your own if alarms, S3 or EventBridge publish",
	Types:   []string{"AWS::SNS::Topic"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "kmsKeyIds", Kind: CSVParameter, About: "the keys that are allowed"},
	},
	judge:    func(s *subject) Verdict { return s.wantListed("KmsMasterKeyId", "kmsKeyIds") },
	registry: &registryReading{nag: []string{"W47"}, judge: func(s *subject) Verdict { return s.wantSet("KmsMasterKeyId") }},
}
