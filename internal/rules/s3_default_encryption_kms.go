package rules

var s3DefaultEncryptionKMS = Rule{
	Name: "s3-default-encryption-kms", Identifier: "S3_DEFAULT_ENCRYPTION_KMS", Source: Managed,
	Summary: "default encryption uses KMS (one of the keys)",
	Remedy:  "set SSEAlgorithm to aws:kms, and BucketKeyEnabled to true so that it stays cheap",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "kmsKeyArns", Kind: CSVParameter, About: "the keys that are allowed"},
	},
	judge:    judgeS3DefaultEncryptionKMS,
	registry: &registryReading{judge: registryBucketEncryption}, // S3's own key is enough there
}

func judgeS3DefaultEncryptionKMS(s *subject) Verdict {
	algorithm := s.encryption()
	v := verdictOf(algorithm.oneOf("aws:kms", "aws:kms:dsse"), algorithm, "should be aws:kms")
	switch {
	case v.Compliance == NonCompliant:
		text, _ := algorithm.node.Scalar()
		if grade, ok := gradeS3[text]; ok {
			return v.graded(grade)
		}
		return v
	case v.Compliance != Compliant || !s.arg("kmsKeyArns").set:
		return v
	}
	key := s.at("BucketEncryption.ServerSideEncryptionConfiguration").item(0).in("ServerSideEncryptionByDefault.KMSMasterKeyID")
	return verdictOf(key.oneOf(s.arg("kmsKeyArns").words...), key, "should be one of the given keys")
}
