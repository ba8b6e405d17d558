package rules

import (
	"strings"

	"evo/internal/cfn"
	"evo/internal/rules/policy"
)

var s3BucketServerSideEncryptionEnabled = Rule{
	Name: "s3-bucket-server-side-encryption-enabled", Identifier: "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED", Source: Managed,
	Summary: "default encryption is on, or the bucket's policy denies uploads without encryption",
	Remedy:  "add BucketEncryption with SSEAlgorithm aws:kms and BucketKeyEnabled: true (or AES256)",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	judge:    judgeS3BucketServerSideEncryptionEnabled,
	registry: &registryReading{nag: []string{"W41"}, judge: registryBucketEncryption},
}

// gradeS3 are the grades of encryption at rest: S3's own key is worth less than one whose use KMS controls and records.
var gradeS3 = map[string]Score{"AES256": {800, 1000}, "aws:kms": Full, "aws:kms:dsse": Full}

func judgeS3BucketServerSideEncryptionEnabled(s *subject) Verdict {
	algorithm := s.encryption()
	if algorithm.open {
		return unresolved(algorithm)
	}
	text, _ := algorithm.node.Scalar()
	if grade, ok := gradeS3[text]; ok {
		return compliant(algorithm).graded(grade)
	}
	return s.wantEncryptedUploads(algorithm)
}

// encryption is the algorithm of the bucket's default encryption.
func (s *subject) encryption() property {
	rules := s.at("BucketEncryption.ServerSideEncryptionConfiguration")
	if rules.open || rules.len() == 0 {
		return rules
	}
	rule := rules.item(0)
	if rule.open {
		return rule
	}
	return rule.in("ServerSideEncryptionByDefault.SSEAlgorithm")
}

// wantEncryptedUploads is the rule that the bucket policy denies uploads without encryption.
func (s *subject) wantEncryptedUploads(algorithm property) Verdict {
	grade, found, open := Zero, no, property{}
	tangled := false
	opaque := statements(s.policies(bucketPolicies...), func(at clause, st policy.Statement) bool {
		denies, worth := deniesUnencrypted(st)
		denies = min(denies, st.Denies(), st.ForAnybody(), st.CoversAction("s3:PutObject"))
		if denies == unknown {
			open = at.property()
		}
		if denies == yes {
			grade = worth
		}
		found = max(found, denies)
		tangled = tangled || manyVariables(st.Node)
		return true
	})
	loose := s.mayHave(bucketPolicies...)
	switch {
	case tangled:
		return nonCompliantBecause(algorithm, "BucketEncryption is not set, and a value in the bucket policy has more than five policy variables, so that it cannot be evaluated")
	case found == yes:
		return compliantBecause(algorithm, "the bucket policy denies uploads that are not encrypted").graded(grade)
	case found == unknown:
		return unresolved(open)
	case opaque != nil:
		return unresolved(opaque.property)
	case loose != nil:
		return s.unresolvedTarget(loose)
	}
	return nonCompliant(algorithm, "and no bucket policy denies uploads without encryption")
}

const sseHeader = "s3:x-amz-server-side-encryption"

// deniesUnencrypted tells whether every upload without server-side encryption meets the statement's one condition, and what
// the encryption that remains is worth.
func deniesUnencrypted(st policy.Statement) (denies truth, worth Score) {
	tests := 0
	known := st.Conditions(func(c policy.Condition) bool {
		tests++
		denies, worth = no, Full
		switch {
		case c.Operator == "Null" && strings.EqualFold(c.Key, sseHeader):
			denies, worth = c.Is("true"), gradeS3["AES256"]
		case c.Operator == "Null" && strings.EqualFold(c.Key, sseHeader+"-aws-kms-key-id"):
			denies = c.Is("true")
		case !strings.HasPrefix(c.Operator, "StringNot") && c.Operator != "ArnNotEquals" && c.Operator != "ArnNotLike":
		case strings.EqualFold(c.Key, sseHeader+"-aws-kms-key-id"):
			denies = yes
		case strings.EqualFold(c.Key, sseHeader):
			denies = yes
			c.All(func(n *cfn.Node) bool {
				text, _ := n.Scalar()
				grade, ok := gradeS3[text]
				switch {
				case isOpen(n):
					denies = min(denies, unknown)
				case !ok:
					denies = no
				case grade != Full:
					worth = grade
				}
				return true
			})
		}
		return true
	})
	if !known {
		return unknown, Zero
	}
	if tests != 1 { // a second test lets some uploads pass
		return no, Zero
	}
	return denies, worth
}

// manyVariables reports whether a single value has more than five policy variables, which AWS Config cannot evaluate.
func manyVariables(n *cfn.Node) bool {
	many := false
	n.Walk(func(_ []string, n *cfn.Node) bool {
		many = many || n.Is(cfn.String) && strings.Count(n.Text, "${") > 5
		return !many
	})
	return many
}

func registryBucketEncryption(s *subject) Verdict {
	algorithm := s.encryption()
	return verdictOf(algorithm.oneOf("AES256", "aws:kms"), algorithm, "should be AES256 or aws:kms")
}
