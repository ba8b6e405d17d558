package rules

var dynamodbTableEncryptedKMS = Rule{
	Name: "dynamodb-table-encrypted-kms", Identifier: "DYNAMODB_TABLE_ENCRYPTED_KMS", Source: Managed,
	Summary: "the table is encrypted with a KMS key (one of the list)",
	Remedy:  "set SSESpecification.SSEEnabled to true, and KMSMasterKeyId for a key of your own",
	Types:   []string{"AWS::DynamoDB::Table"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "kmsKeyArns", Kind: CSVParameter, About: "the keys that are allowed"},
	},
	judge:    judgeDynamoDBTableEncryptedKMS,
	registry: &registryReading{nag: []string{"W74"}, judge: registryDynamoDBTableEncryptedKMS},
}

// gradeAWSOwned is what a table is worth whose key DynamoDB owns: it is encrypted, but nobody sees or controls the key.
var gradeAWSOwned = Score{600, 1000}

// wantTableKey is the rule that the table is encrypted with a key in KMS.
func (s *subject) wantTableKey() Verdict {
	v := s.wantTrue("SSESpecification.SSEEnabled")
	if v.Compliance == NonCompliant {
		return v.graded(gradeAWSOwned)
	}
	return v
}

func judgeDynamoDBTableEncryptedKMS(s *subject) Verdict {
	v := s.wantTableKey()
	if v.Compliance != Compliant || !s.arg("kmsKeyArns").set {
		return v
	}
	return s.wantListed("SSESpecification.KMSMasterKeyId", "kmsKeyArns")
}

// registryDynamoDBTableEncryptedKMS wants key and type to be stated.
func registryDynamoDBTableEncryptedKMS(s *subject) Verdict {
	for _, v := range []Verdict{s.wantTableKey(), s.wantSet("SSESpecification.KMSMasterKeyId"), s.wantOneOf("SSESpecification.SSEType", "KMS")} {
		if v.Compliance != Compliant {
			return v
		}
	}
	return compliant(s.at("SSESpecification.SSEType"))
}
