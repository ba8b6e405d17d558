package policy

import (
	"strings"
	"testing"
)

const arn = "arn:aws:s3:::shop"

// statement is a policy of one statement with these members.
func statement(members string) string {
	return `{"Version":"2012-10-17","Statement":[{` + members + `}]}`
}

func TestMalformedPolicies(t *testing.T) {
	const rest = `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::shop/*"`
	for _, c := range []struct{ name, document, want string }{
		{"empty", ``, "Policies must be valid JSON and the first byte must be '{'"},
		{"text", `hello`, "Policies must be valid JSON and the first byte must be '{'"},
		{"list", `[]`, "Policies must be valid JSON and the first byte must be '{'"},
		{"space first", ` {"Statement":[]}`, "Policies must be valid JSON and the first byte must be '{'"},
		{"no statement", `{}`, "Missing required field Statement"},
		{"version", `{"Version":"2020-01-01","Statement":[]}`, "The policy must contain a valid version string"},
		{"unknown field", `{"Statements":[]}`, "Unknown field Statements"},
		{"effect", statement(`"Principal":"*"` + rest), "Missing required field Effect"},
		{"other effect", statement(`"Effect":"Maybe","Principal":"*"` + rest), "Invalid effect: Maybe"},
		{"principal", statement(`"Effect":"Allow"` + rest), "Missing required field Principal"},
		{"principal's form", statement(`"Effect":"Allow","Principal":"me"` + rest), "Invalid principal in policy"},
		{"principal's kind", statement(`"Effect":"Allow","Principal":{"Who":"*"}` + rest), "Invalid principal in policy"},
		{"action", statement(`"Effect":"Allow","Principal":"*","Resource":"arn:aws:s3:::shop"`), "Missing required field Action"},
		{"other action", statement(`"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"arn:aws:s3:::shop"`), "Policy has invalid action"},
		{"resource", statement(`"Effect":"Allow","Principal":"*","Action":"s3:GetObject"`), "Missing required field Resource"},
		{"other bucket", statement(`"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"`), "Policy has invalid resource"},
		{"longer name", statement(`"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::shopping/*"`), "Policy has invalid resource"},
		{"object's action on bucket", statement(`"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::shop"`), "Action does not apply to any resource(s) in statement"},
		{"bucket's action on objects", statement(`"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::shop/*"`), "Action does not apply to any resource(s) in statement"},
		{"condition", statement(`"Effect":"Allow","Principal":"*","Condition":{"Sometimes":{}}` + rest), "Invalid Condition type : Sometimes"},
		{"too large", statement(`"Sid":"` + strings.Repeat("x", MaxSize) + `"`), "Policy exceeds the maximum allowed document size: 20529 bytes of 20480"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.document, arn)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestPublic(t *testing.T) {
	const rest = `,"Action":["s3:GetObject"],"Resource":"arn:aws:s3:::shop/*"`
	for _, c := range []struct {
		name, members string
		want          bool
	}{
		{"everybody", `"Effect":"Allow","Principal":"*"`, true},
		{"every AWS account", `"Effect":"Allow","Principal":{"AWS":"*"}`, true},
		{"one among others", `"Effect":"Allow","Principal":{"AWS":["111122223333","*"]}`, true},
		{"an account", `"Effect":"Allow","Principal":{"AWS":"111122223333"}`, false},
		{"a service", `"Effect":"Allow","Principal":{"Service":"cloudfront.amazonaws.com"}`, false},
		{"denied", `"Effect":"Deny","Principal":"*"`, false},
		{"all but one", `"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"}`, true},
		{"a VPC", `"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}`, false},
		{"any VPC", `"Effect":"Allow","Principal":"*","Condition":{"StringLike":{"aws:SourceVpc":"vpc-*"}}`, true},
		{"not a VPC", `"Effect":"Allow","Principal":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-91237329"}}`, true},
		{"a VPC if there is one", `"Effect":"Allow","Principal":"*","Condition":{"StringEqualsIfExists":{"aws:SourceVpc":"vpc-91237329"}}`, true},
		{"addresses", `"Effect":"Allow","Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","2001:db8::/32"]}}`, false},
		{"all addresses", `"Effect":"Allow","Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`, true},
		{"over TLS", `"Effect":"Allow","Principal":"*","Condition":{"Bool":{"aws:SecureTransport":true}}`, true},
		{"a prefix", `"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"s3:prefix":"a"}}`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse(statement(c.members+rest), arn)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Public(); got != c.want {
				t.Errorf("public: %v, want %v", got, c.want)
			}
		})
	}
}

func TestPoliciesAsPeopleWriteThem(t *testing.T) {
	for _, members := range []string{
		`"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::shop","arn:aws:s3:::shop/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}`,
		`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::shop/*"`,
		`"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":["s3:PutObject"],"Resource":"arn:aws:s3:::shop/logs*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::src"}}`,
		`"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["s3:ReplicateObject","s3:ObjectOwnerOverrideToBucketOwner"],"Resource":"arn:aws:s3:::shop/*"`,
		`"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["s3:GetBucketVersioning","s3:ListBucket","s3:PutLifecycleConfiguration"],"Resource":"arn:aws:s3:::shop"`,
	} {
		p, err := Parse(statement(members), arn)
		if err != nil {
			t.Errorf("%s: %v", members, err)
		} else if p.Public() {
			t.Errorf("%s: public", members)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(statement(`"Effect":"Allow","Principal":{"AWS":["1","2"]},"Action":"s3:*","Resource":["arn:aws:s3:::shop","arn:aws:s3:::shop/*"]`))
	f.Add(`{"Statement":{"Effect":"Deny","NotPrincipal":"*","NotAction":"s3:Get*","NotResource":"*","Condition":{"Null":{"a":null}}}}`)
	f.Fuzz(func(t *testing.T, document string) {
		p, err := Parse(document, arn)
		if err == nil {
			p.Public()
		}
	})
}
