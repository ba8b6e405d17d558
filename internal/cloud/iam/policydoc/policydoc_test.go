package policydoc

import "testing"

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		kind     Kind
		document string
		want     string
	}{
		{Identity, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","logs:*"],"Resource":"*"}]}`, ""},
		{Identity, `{"Version":"2012-10-17","Statement":{"Sid":"a","Effect":"Deny","NotAction":"iam:*","NotResource":["arn:aws:s3:::b/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}}`, ""},
		{Trust, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com"]},"Action":["sts:AssumeRole"]}]}`, ""},
		{Trust, `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`, ""},
		{Trust, `{"Version":"2012-10-17"`, "This policy contains invalid Json"},
		{Identity, `[]`, "Syntax errors in policy."},
		{Identity, `{}`, "Syntax errors in policy."},
		{Identity, `{"Version":"2012-10-17","Statement":[]}`, "Syntax errors in policy."},
		{Identity, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":1,"Resource":"*"}]}`, "Syntax errors in policy."},
		{Identity, `{"Version":"2012-10-17","Foo":1,"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, "Syntax errors in policy."},
		{Identity, `{"Version":"2013-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, "The policy must contain a valid version string."},
		{Identity, `{"Statement":[{"Action":"*","Resource":"*"}]}`, "Missing required field Effect"},
		{Identity, `{"Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]}`, "Invalid effect: allow"},
		{Identity, `{"Statement":[{"Effect":"Allow","Resource":"*"}]}`, "Policy statement must contain actions."},
		{Identity, `{"Statement":[{"Effect":"Allow","Action":"*"}]}`, "Policy statement must contain resources."},
		{Identity, `{"Statement":[{"Effect":"Allow","Action":"invalid","Resource":"*"}]}`, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{Identity, `{"Statement":[{"Effect":"Allow","Action":"s3:a:b","Resource":"*"}]}`, "Actions/Condition can contain only one colon."},
		{Identity, `{"Statement":[{"Effect":"Allow","Action":"a b:c","Resource":"*"}]}`, "Vendor a b is not valid"},
		{Identity, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}]}`, `Resource bucket must be in ARN format or "*".`},
		{Identity, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}]}`, "Policy document should not specify a principal."},
		{Identity, `{"Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, "Statement IDs (SID) in a single policy must be unique."},
		{Trust, `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}]}`, "Has prohibited field Resource"},
		{Trust, `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}`, "Missing required field Principal"},
		{Trust, `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}]}`, "AssumeRole policy may only specify STS AssumeRole actions."},
		{Trust, `{"Statement":[{"Effect":"Allow","Principal":{"Foo":"x"},"Action":"sts:AssumeRole"}]}`, `Invalid principal in policy: {"Foo":"x"}`},
	} {
		got := ""
		if err := Check(c.kind, c.document); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.document, got, c.want)
		}
	}
}

func TestTrusts(t *testing.T) {
	for document, want := range map[string]bool{
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":["edge.amazonaws.com","lambda.amazonaws.com"]},"Action":["sts:AssumeRole"]}]}`:                                    true,
		`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*"}}`:                                                                                                       true,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:                                                                false,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:TagSession"}]}`:                                                             false,
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`: false,
		`{`: false,
	} {
		if got := Trusts(document, "lambda.amazonaws.com"); got != want {
			t.Errorf("%s: %v", document, got)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["x"]},"Action":"sts:AssumeRole"}]}`)
	f.Fuzz(func(t *testing.T, document string) {
		Check(Identity, document)
		Check(Trust, document)
		Trusts(document, "lambda.amazonaws.com")
	})
}
