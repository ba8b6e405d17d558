package rules

var cloudwatchLogGroupEncrypted = Rule{
	Name: "cloudwatch-log-group-encrypted", Identifier: "CLOUDWATCH_LOG_GROUP_ENCRYPTED", Source: Managed,
	Summary: "the log group is encrypted with a key in KMS (this one)",
	Remedy:  "set KmsKeyId to the ARN of a key whose policy names the logs service",
	Types:   []string{"AWS::Logs::LogGroup"}, Trigger: Periodic, Scope: Template,
	Parameters: []Parameter{
		{Name: "KmsKeyId", About: "the ARN of the key"},
	},
	judge:    judgeCloudWatchLogGroupEncrypted,
	registry: &registryReading{nag: []string{"W84"}, judge: func(s *subject) Verdict { return s.wantSet("KmsKeyId") }},
}

func judgeCloudWatchLogGroupEncrypted(s *subject) Verdict {
	v := s.wantSet("KmsKeyId")
	if a := s.arg("KmsKeyId"); a.set && v.Compliance == Compliant {
		key := s.at("KmsKeyId")
		return verdictOf(s.means(key, a.text), key, "should be "+a.text)
	}
	return v
}
