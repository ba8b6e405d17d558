package inventory_test

import (
	"strings"
	"testing"

	"evo/internal/cfn"
	"evo/internal/inventory"
)

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name, typ, property string
		desired, live       string // YAML; empty: absent
		want                string // path kind, with commas between
	}{
		{"a number as text", "AWS::Lambda::Function", "Timeout", "'10'", "10", ""},
		{"another number", "AWS::Lambda::Function", "Timeout", "'10'", "11", "Timeout changed"},
		{"the default", "AWS::Lambda::Function", "MemorySize", "", "128", ""},
		{"not the default", "AWS::Lambda::Function", "MemorySize", "", "256", "MemorySize added"},
		{"the default asked for, and gone", "AWS::S3::Bucket", "VersioningConfiguration", "{Status: Suspended}", "", ""},
		{"gone", "AWS::S3::Bucket", "VersioningConfiguration", "{Status: Enabled}", "", "VersioningConfiguration removed"},
		{"off is as good as absent", "AWS::S3::Bucket", "PublicAccessBlockConfiguration", "{BlockPublicAcls: false}", "", ""},
		{"on is not", "AWS::S3::Bucket", "PublicAccessBlockConfiguration", "{BlockPublicAcls: true}", "{BlockPublicAcls: false}", "PublicAccessBlockConfiguration.BlockPublicAcls changed"},
		{"weaker encryption", "AWS::S3::Bucket", "BucketEncryption",
			"{ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms'}}]}",
			"{ServerSideEncryptionConfiguration: [{BucketKeyEnabled: false, ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}",
			"BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.SSEAlgorithm changed"},
		{"tags in another order", "AWS::S3::Bucket", "Tags", "[{Key: a, Value: 1}, {Key: b, Value: 2}]", "[{Key: b, Value: '2'}, {Key: a, Value: '1'}]", ""},
		{"a tag changed", "AWS::S3::Bucket", "Tags", "[{Key: a, Value: 1}, {Key: b, Value: 2}]", "[{Key: b, Value: '3'}, {Key: a, Value: '1'}]", "Tags.1.Value changed"},
		{"a tag more", "AWS::S3::Bucket", "Tags", "[{Key: a, Value: 1}]", "[{Key: b, Value: '3'}, {Key: a, Value: '1'}]", "Tags.0 added"},
		{"layers in another order", "AWS::Lambda::Function", "Layers", "[a, b]", "[b, a]", "Layers.0 changed, Layers.1 changed"},
		{"architectures in another order", "AWS::Lambda::Function", "Architectures", "[a, b]", "[b, a]", ""},
		{"one for a list of it", "AWS::IAM::Role", "AssumeRolePolicyDocument", "{Statement: {Action: a, Principal: {AWS: '000000000000'}}}",
			"{Statement: [{Action: [a], Principal: {AWS: 'arn:aws:iam::000000000000:root'}}]}", ""},
		{"long digits are no numbers", "AWS::IAM::Role", "Description", "'012345678901'", "'12345678901'", "Description changed"},
		{"an API's own name in its policy", "AWS::ApiGateway::RestApi", "Policy", "{Statement: [{Resource: 'execute-api:/*'}]}",
			"{Statement: [{Resource: 'arn:aws:execute-api:us-east-1:000000000000:abc123/*'}]}", ""},
		{"a key's id", "AWS::Logs::LogGroup", "KmsKeyId", "1-2", "'arn:aws:kms:us-east-1:000000000000:key/1-2'", ""},
		{"not resolved", "AWS::Lambda::Function", "Role", "{'Fn::GetAtt': [Role, Arn]}", "a", "Role undetermined"},
		{"a secret", "AWS::Lambda::Function", "Environment", "{Variables: {A: '{{resolve:ssm:a}}', B: b}}", "{Variables: {A: x, B: c}}",
			"Environment.Variables.A undetermined, Environment.Variables.B changed"},
		{"not read", "AWS::Lambda::Function", "Role", "a", "{'Fn::Unknown': denied}", "Role undetermined"},
		{"old lifecycle words", "AWS::S3::Bucket", "LifecycleConfiguration", "{Rules: [{Status: Enabled, NoncurrentVersionExpirationInDays: 1, Transition: {StorageClass: GLACIER}}]}",
			"{Rules: [{Id: made-up, Status: Enabled, NoncurrentVersionExpiration: {NoncurrentDays: 1}, Transitions: [{StorageClass: GLACIER}]}]}", ""},
	} {
		item := func(value string) *inventory.Item {
			it := &inventory.Item{ID: "R", Type: c.typ, Properties: cfn.Obj(), Read: []string{c.property}}
			if value == "" {
				return it
			}
			n, err := cfn.Parse("", []byte("V: "+value))
			if err != nil {
				t.Fatal(err)
			}
			it.Properties.Set(c.property, n.Get("V"))
			return it
		}
		desired, live := item(c.desired), item(c.live)
		var got []string
		for _, d := range inventory.Compare([]*inventory.Item{desired}, []*inventory.Item{live}) {
			got = append(got, d.Path+" "+d.Kind.String())
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: got %q, want %q", c.name, strings.Join(got, ", "), c.want)
		}
	}
}
