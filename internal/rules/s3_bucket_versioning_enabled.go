package rules

var s3BucketVersioningEnabled = Rule{
	Name: "s3-bucket-versioning-enabled", Identifier: "S3_BUCKET_VERSIONING_ENABLED", Source: Managed,
	Summary: "objects keep their old versions when they are overwritten or deleted",
	Remedy:  "set VersioningConfiguration.Status to Enabled",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{{Name: "isMfaDeleteEnabled", Kind: BooleanParameter, About: "true: MFA delete must be on as well"}},
	judge:      judgeS3BucketVersioningEnabled,
	registry:   &registryReading{},
}

func judgeS3BucketVersioningEnabled(s *subject) Verdict {
	v := s.wantOneOf("VersioningConfiguration.Status", "Enabled")
	if v.Compliance != Compliant || !s.arg("isMfaDeleteEnabled").yes() {
		return v
	}
	return s.wantMFADelete()
}

// wantMFADelete is the rule that MFA delete is on, which no template can say.
func (s *subject) wantMFADelete() Verdict {
	p := s.supplementary("MFADelete")
	if p.node == nil {
		return unknownFact(p.path)
	}
	return verdictOf(p.isTrue(), p, "should be true")
}
