package rules

var sqsQueueKMSMasterKeyIdRule = Rule{
	Name: "sqs-queue-kms-master-key-id-rule", Identifier: "SQS_QUEUE_KMS_MASTER_KEY_ID_RULE", Source: Registry,
	Summary: "the queue is encrypted with a key in KMS",
	Remedy:  "set KmsMasterKeyId",
	Types:   []string{"AWS::SQS::Queue"}, Trigger: OnChange, Scope: Template,
	judge:    func(s *subject) Verdict { return s.wantSet("KmsMasterKeyId") },
	registry: &registryReading{nag: []string{"W48"}},
}
