package rules

import (
	"strings"

	"evo/internal/cfn"
	"evo/internal/rules/policy"
	"evo/internal/rules/value"
)

var s3BucketSSLRequestsOnly = Rule{
	Name: "s3-bucket-ssl-requests-only", Identifier: "S3_BUCKET_SSL_REQUESTS_ONLY", Source: Managed,
	Summary: "the bucket's policy denies every request that does not come over TLS",
	Remedy:  "add a bucket policy that denies Principal * the action s3:* on the bucket and its objects where aws:SecureTransport is false",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	judge:    judgeS3BucketSSLRequestsOnly,
	registry: &registryReading{types: bucketPolicies, judge: registryS3BucketSSLRequestsOnly, any: true},
}

// A Deny counts if it is for everybody, for all of S3's actions, and holds whenever aws:SecureTransport is false; several of
// them together must cover the bucket and its objects.
func judgeS3BucketSSLRequestsOnly(s *subject) Verdict {
	docs := s.policies(bucketPolicies...)
	bucket, objects := no, no
	opaque := statements(docs, func(_ clause, st policy.Statement) bool {
		denies := min(st.Denies(), st.ForAnybody(), st.CoversAction("s3:*"), deniesPlainHTTP(st))
		if denies != no {
			onBucket, onObjects := s.covers(st)
			bucket, objects = max(bucket, min(denies, onBucket)), max(objects, min(denies, onObjects))
		}
		return true
	})
	p := property{path: "PolicyDocument", span: s.Span}
	if len(docs) > 0 {
		p = docs[0].property
	}
	switch loose := s.mayHave(bucketPolicies...); {
	case min(bucket, objects) == yes:
		return compliantBecause(p, "the bucket policy denies requests without TLS")
	case opaque != nil:
		return unresolved(opaque.property)
	case loose != nil:
		return s.unresolvedTarget(loose)
	case min(bucket, objects) == unknown:
		return unresolved(p)
	case len(docs) == 0:
		return nonCompliantBecause(p, "no bucket policy denies requests where aws:SecureTransport is false: there is none")
	case bucket == yes:
		return nonCompliantBecause(p, "the bucket policy denies requests without TLS for the bucket, but not for its objects")
	case objects == yes:
		return nonCompliantBecause(p, "the bucket policy denies requests without TLS for the objects, but not for the bucket")
	}
	return nonCompliantBecause(p, "the bucket policy does not deny everyone s3:* where aws:SecureTransport is false")
}

// deniesPlainHTTP tells whether every request without TLS meets the statement's conditions.
func deniesPlainHTTP(st policy.Statement) truth {
	met, tested := yes, no
	known := st.Conditions(func(c policy.Condition) bool {
		if !strings.EqualFold(c.Key, "aws:SecureTransport") {
			met = no // a further condition lets some plain requests pass
			return false
		}
		t := no
		switch c.Operator {
		case "Bool", "StringEquals", "StringEqualsIgnoreCase", "StringLike":
			t = c.Is("false")
		case "StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike":
			t = min(c.Is("true"), c.Is("false").Not())
		}
		met, tested = min(met, t), yes
		return met != no
	})
	if !known {
		return min(met, unknown)
	}
	return min(met, tested)
}

// covers tells whether the statement is about the subject, a bucket, and about all its objects.
func (s *subject) covers(st policy.Statement) (bucket, objects truth) {
	arn := "arn:aws:s3:::" + s.bucketName()
	resource := st.Node.Get("Resource")
	items := resource.List()
	if items == nil && resource != nil {
		items = []*cfn.Node{resource}
	}
	for _, n := range items {
		text, ok := value.Of(n)
		if !ok {
			bucket, objects = max(bucket, unknown), max(objects, unknown)
			continue
		}
		pattern := s.asARN(string(text))
		b, o := truthOf(policy.Covers(pattern, arn)), truthOf(policy.Covers(pattern, arn+"/*"))
		if b == no && o == no && s.mayMean(pattern) {
			b, o = unknown, unknown
		}
		bucket, objects = max(bucket, b), max(objects, o)
	}
	return bucket, objects
}

// mayMean reports whether a pattern holds a reference to something unknown, which may turn out to be the subject.
func (s *subject) mayMean(pattern string) bool {
	open := false
	value.Text(pattern).References(func(name, _ string) bool {
		open = open || name != "AWS" && !s.isResource(name)
		return !open
	})
	return open
}

// registryS3BucketSSLRequestsOnly asks one bucket policy for a Deny where aws:SecureTransport is the boolean false.
func registryS3BucketSSLRequestsOnly(s *subject) Verdict {
	good := false
	docs := s.own("PolicyDocument")
	statements(docs, func(_ clause, st policy.Statement) bool {
		test := st.Node.At("Condition", "Bool", "aws:SecureTransport")
		good = st.Denies() == yes && test.Is(cfn.Bool) && test.Text == "false"
		return !good
	})
	p := s.at("PolicyDocument")
	if !good {
		return nonCompliantBecause(p, "no statement denies requests where aws:SecureTransport is the boolean false")
	}
	return compliantBecause(p, "a statement denies requests where aws:SecureTransport is false")
}
