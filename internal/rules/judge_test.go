package rules_test

import (
	"strings"
	"testing"

	"evo/internal/cfn"
	"evo/internal/rules"
	"evo/internal/sam"
)

// parse reads a template's Resources, indented as in a test, into a Set as it stands.
func parse(t testing.TB, resources string) *rules.Set {
	t.Helper()
	root, err := cfn.Parse("template.yaml", []byte("Resources:\n"+resources))
	if err != nil {
		t.Fatal(err)
	}
	return rules.FromSource(root)
}

// fromTemplate is the set of a template without transforms, or after them.
func fromTemplate(t testing.TB, root *cfn.Node, env cfn.Env) *rules.Set {
	t.Helper()
	template, err := cfn.ReadTemplate(root)
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.FromTemplate(template, env)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func bind(t testing.TB, rule, parameters string) *rules.Check {
	t.Helper()
	r := rules.Find(rule)
	if r == nil {
		t.Fatalf("there is no rule %s", rule)
	}
	node, err := cfn.ParseValue("parameters", []byte(parameters))
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.BindNode(node)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const (
	pass = rules.Compliant
	fail = rules.NonCompliant
	open = rules.InsufficientData
	skip = rules.NotApplicable
)

// one is a rule's verdict of one resource of a template.
type one struct {
	name       string
	parameters string
	resources  string // in flow style, one a line: "Data: {Type: …}"
	resource   string
	want       rules.Compliance
	reason     string // a part of it
}

func (c one) run(t *testing.T, rule string) {
	t.Run(rule+"/"+c.name, func(t *testing.T) {
		set := parse(t, c.resources)
		check := bind(t, rule, c.parameters)
		v := check.Judge(set, set.Item(c.resource))
		if v.Compliance != c.want || !strings.Contains(v.Reason, c.reason) {
			t.Errorf("%s (%s), want %s (…%s…)", v.Compliance, v.Reason, c.want, c.reason)
		}
		if (v.Compliance == open) != (v.Unresolved != "") {
			t.Errorf("%s, but unresolved is %q", v.Compliance, v.Unresolved)
		}
		if v.Score.Known() != (v.Compliance == pass || v.Compliance == fail) {
			t.Errorf("%s, but the score is %q", v.Compliance, v.Score)
		}
	})
}

// bucketWith is a bucket Data with a policy of one statement.
func bucketWith(statement string) string {
	return " Data: {Type: 'AWS::S3::Bucket'}\n Pol: {Type: 'AWS::S3::BucketPolicy', Properties: {Bucket: !Ref Data, PolicyDocument: {Statement: [" + statement + "]}}}\n"
}

func TestBucketsAcceptTLSOnly(t *testing.T) {
	deny := func(rest string) string { return bucketWith(`{Effect: Deny, ` + rest + `}`) }
	const both = `Resource: [!GetAtt Data.Arn, !Sub "${Data.Arn}/*"]`
	const everyone = `Principal: "*", Action: "s3:*", `
	for _, c := range []one{
		{name: "references", resources: deny(everyone + both + `, Condition: {Bool: {"aws:SecureTransport": "false"}}`), want: pass},
		{name: "sub of the name", resources: deny(everyone + `Resource: [!Sub "arn:aws:s3:::${Data}", !Sub "arn:${AWS::Partition}:s3:::${Data}/*"], Condition: {Bool: {"aws:SecureTransport": false}}`), want: pass},
		{name: "join", resources: deny(everyone + `Resource: [!Join ["", ["arn:aws:s3:::", !Ref Data]], !Join ["/", [!GetAtt Data.Arn, "*"]]], Condition: {Bool: {"aws:SecureTransport": [false]}}`), want: pass},
		{name: "everything", resources: deny(`Principal: {AWS: ["*"]}, Action: ["*"], Resource: "*", Condition: {BoolIfExists: {"aws:securetransport": "false"}}`), want: pass},
		{name: "string operator", resources: deny(everyone + both + `, Condition: {StringEquals: {"aws:SecureTransport": "false"}}`), want: pass},
		{name: "negated operator", resources: deny(everyone + both + `, Condition: {StringNotEqualsIfExists: {"aws:SecureTransport": "true"}}`), want: pass},
		{name: "denies TLS", resources: deny(everyone + both + `, Condition: {Bool: {"aws:SecureTransport": "true"}}`), want: fail},
		{name: "no condition on TLS", resources: deny(everyone + both), want: fail},
		{name: "a further condition", resources: deny(everyone + both + `, Condition: {Bool: {"aws:SecureTransport": "false"}, StringEquals: {"aws:PrincipalAccount": "111122223333"}}`), want: fail},
		{name: "one principal", resources: deny(`Principal: {AWS: "111122223333"}, Action: "s3:*", ` + both + `, Condition: {Bool: {"aws:SecureTransport": "false"}}`), want: fail},
		{name: "one action", resources: deny(`Principal: "*", Action: "s3:GetObject", ` + both + `, Condition: {Bool: {"aws:SecureTransport": "false"}}`), want: fail},
		{name: "objects only", resources: deny(everyone + `Resource: !Sub "${Data.Arn}/*", Condition: {Bool: {"aws:SecureTransport": "false"}}`), want: fail, reason: "not for the bucket"},
		{name: "bucket and objects apart", resources: bucketWith(`{Effect: Deny, ` + everyone + `Resource: !GetAtt Data.Arn, Condition: {Bool: {"aws:SecureTransport": "false"}}}, {Effect: Deny, ` + everyone + `Resource: !Sub "${Data.Arn}/*", Condition: {Bool: {"aws:SecureTransport": "false"}}}`), want: pass},
		{name: "allows TLS only", resources: bucketWith(`{Effect: Allow, ` + everyone + both + `, Condition: {Bool: {"aws:SecureTransport": "true"}}}`), want: fail},
		{name: "another bucket", resources: deny(everyone + `Resource: ["arn:aws:s3:::other", "arn:aws:s3:::other/*"], Condition: {Bool: {"aws:SecureTransport": "false"}}`), want: fail},
		{name: "an open resource", resources: deny(everyone + `Resource: !Ref Which, Condition: {Bool: {"aws:SecureTransport": "false"}}`), want: open},
		{name: "an open document", resources: " Data: {Type: 'AWS::S3::Bucket'}\n Pol: {Type: 'AWS::S3::BucketPolicy', Properties: {Bucket: !Ref Data, PolicyDocument: !Ref Document}}", want: open},
		{name: "a policy of an unknown bucket", resources: " Data: {Type: 'AWS::S3::Bucket'}\n Pol: {Type: 'AWS::S3::BucketPolicy', Properties: {Bucket: !Ref Which, PolicyDocument: {}}}", want: open, reason: "Pol"},
		{name: "a policy of another stack's bucket", resources: " Data: {Type: 'AWS::S3::Bucket'}\n Pol: {Type: 'AWS::S3::BucketPolicy', Properties: {Bucket: !ImportValue Which, PolicyDocument: {}}}", want: fail, reason: "there is none"},
		{name: "by parameter, the same for both", resources: " Data: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Sub '${Stage}-data'}}\n Pol: {Type: 'AWS::S3::BucketPolicy', Properties: {Bucket: !Join ['-', [!Ref Stage, data]], PolicyDocument: {Statement: {Effect: Deny, " + everyone + "Resource: '*', Condition: {Bool: {'aws:SecureTransport': 'false'}}}}}}", want: pass},
		{name: "live, as text", resources: ` Data: {Type: 'AWS::S3::Bucket', Properties: {BucketName: data}}
 Pol: {Type: 'AWS::S3::BucketPolicy', Properties: {Bucket: data, PolicyDocument: '{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::data","arn:aws:s3:::data/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}'}}`, want: pass},
	} {
		c.resource = "Data"
		c.run(t, "s3-bucket-ssl-requests-only")
	}
}

func TestBucketsArePublic(t *testing.T) {
	allow := func(rest string) string { return bucketWith(`{Effect: Allow, Resource: "*", ` + rest + `}`) }
	bucket := func(properties string) string {
		return " Data: {Type: 'AWS::S3::Bucket', Properties: {" + properties + "}}"
	}
	const reads = `Action: "s3:GetObject", `
	for _, c := range []one{
		{name: "everyone", resources: allow(`Principal: "*", Action: "s3:getobject"`), want: fail, reason: "Pol.PolicyDocument.Statement.0"},
		{name: "all actions", resources: allow(`Principal: {AWS: ["111122223333", "*"]}, Action: ["s3:PutObject", "s3:*"]`), want: fail},
		{name: "a pattern", resources: allow(`Principal: "*", Action: "s3:?etObject*"`), want: fail},
		{name: "all but writing", resources: allow(`Principal: "*", NotAction: "s3:Put*"`), want: fail},
		{name: "all but reading", resources: allow(`Principal: "*", NotAction: ["s3:Get*", "s3:List*"]`), want: pass},
		{name: "all but one principal", resources: allow(reads + `NotPrincipal: {AWS: "111122223333"}`), want: fail},
		{name: "writing only", resources: allow(`Principal: "*", Action: "s3:PutObject"`), want: pass},
		{name: "an account", resources: allow(reads + `Principal: {AWS: "arn:aws:iam::111122223333:root"}`), want: pass},
		{name: "a service", resources: allow(reads + `Principal: {Service: cloudfront.amazonaws.com}`), want: pass},
		{name: "any root", resources: allow(reads + `Principal: {AWS: "arn:aws:iam::*:root"}`), want: fail},
		{name: "a role here", resources: allow(reads+`Principal: {AWS: !GetAtt Role.Arn}`) + " Role: {Type: 'AWS::IAM::Role'}", want: pass},
		{name: "an open principal", resources: allow(reads + `Principal: {AWS: !Ref Reader}`), want: open},
		{name: "an organization", resources: allow(reads + `Principal: "*", Condition: {StringEquals: {"AWS:principalOrgId": "o-1"}}`), want: pass},
		{name: "an organization, if any", resources: allow(reads + `Principal: "*", Condition: {StringEqualsIfExists: {"aws:PrincipalOrgID": "o-1"}}`), want: fail},
		{name: "any organization", resources: allow(reads + `Principal: "*", Condition: {StringLike: {"aws:PrincipalOrgID": "o-*"}}`), want: fail},
		{name: "not one organization", resources: allow(reads + `Principal: "*", Condition: {StringNotEquals: {"aws:PrincipalOrgID": "o-1"}}`), want: fail},
		{name: "one of two is a wildcard", resources: allow(reads + `Principal: "*", Condition: {ArnLike: {"aws:SourceArn": ["arn:aws:sns:eu-west-1:1:a", "*"]}}`), want: fail},
		{name: "a policy variable", resources: allow(reads + `Principal: "*", Condition: {StringEquals: {"aws:SourceAccount": "${aws:PrincipalAccount}"}}`), want: fail},
		{name: "our account", resources: allow(reads + `Principal: "*", Condition: {StringEquals: {"aws:SourceAccount": !Ref AWS::AccountId}}`), want: pass},
		{name: "an open account", resources: allow(reads + `Principal: "*", Condition: {StringEquals: {"aws:SourceAccount": !Ref Account}}`), want: open},
		{name: "an endpoint", resources: allow(reads + `Principal: "*", Condition: {"ForAnyValue:StringEquals": {"aws:SourceVpce": vpce-1}}`), want: pass},
		{name: "all of none", resources: allow(reads + `Principal: "*", Condition: {"ForAllValues:StringEquals": {"aws:SourceVpce": vpce-1}}`), want: fail},
		{name: "an address", resources: allow(reads + `Principal: "*", Condition: {IpAddress: {"aws:SourceIp": "203.0.113.0/24"}}`), want: pass},
		{name: "any address", resources: allow(reads + `Principal: "*", Condition: {IpAddress: {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"]}}`), want: fail},
		{name: "a referer", resources: allow(reads + `Principal: "*", Condition: {StringEquals: {"aws:Referer": "https://example.com/"}}`), want: fail},
		{name: "restricted", resources: strings.Replace(allow(reads+`Principal: "*"`), "Data: {Type: 'AWS::S3::Bucket'", "Data: {Type: 'AWS::S3::Bucket', Properties: {PublicAccessBlockConfiguration: {RestrictPublicBuckets: true}}", 1), want: pass},
		{name: "perhaps restricted", resources: strings.Replace(allow(reads+`Principal: "*"`), "Data: {Type: 'AWS::S3::Bucket'", "Data: {Type: 'AWS::S3::Bucket', Properties: {PublicAccessBlockConfiguration: {RestrictPublicBuckets: !Ref Strict}}", 1), want: open, reason: "RestrictPublicBuckets"},
		{name: "public ACL", resources: bucket("AccessControl: PublicRead"), want: fail, reason: "AccessControl is PublicRead"},
		{name: "ignored ACL", resources: bucket("AccessControl: PublicRead, PublicAccessBlockConfiguration: {IgnorePublicAcls: 'true'}"), want: pass},
		{name: "disabled ACL", resources: bucket("AccessControl: PublicRead, OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}"), want: pass},
		{name: "open ACL", resources: bucket("AccessControl: !Ref Access"), want: open},
		{name: "open ACL, ignored", resources: bucket("AccessControl: !Ref Access, PublicAccessBlockConfiguration: {IgnorePublicAcls: true}"), want: pass},
	} {
		c.resource = "Data"
		c.run(t, "s3-bucket-public-read-prohibited")
	}
}

func TestUploadsAreEncrypted(t *testing.T) {
	deny := func(condition string) string {
		return bucketWith(`{Effect: Deny, Principal: "*", Action: "s3:PutObject", Resource: "*", Condition: {` + condition + `}}`)
	}
	const header = `"s3:x-amz-server-side-encryption"`
	for _, c := range []one{
		{name: "one algorithm", resources: deny(`StringNotEquals: {` + header + `: "aws:kms"}`), want: pass},
		{name: "if exists", resources: deny(`StringNotEqualsIfExists: {` + header + `: AES256}`), want: pass},
		{name: "no header", resources: deny(`"Null": {` + header + `: "true"}`), want: pass},
		{name: "some header", resources: deny(`"Null": {` + header + `: "false"}`), want: fail},
		{name: "an unknown algorithm", resources: deny(`StringNotEquals: {` + header + `: none}`), want: fail},
		{name: "a further condition", resources: deny(`StringNotEquals: {` + header + `: AES256}, Bool: {"aws:SecureTransport": true}`), want: fail},
		{name: "six variables", resources: deny(`StringNotEquals: {`+header+`: AES256}`) + "\n Pol2: {Type: 'AWS::S3::BucketPolicy', Properties: {Bucket: !Ref Data, PolicyDocument: {Statement: {Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: '${a}${b}${c}${d}${e}${f}'}}}}", want: fail, reason: "policy variables"},
		{name: "dsse", resources: " Data: {Type: 'AWS::S3::Bucket', Properties: {BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms:dsse'}}]}}}", want: pass},
		{name: "open", resources: " Data: {Type: 'AWS::S3::Bucket', Properties: {BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: !Ref Algorithm}}]}}}", want: open, reason: "ServerSideEncryptionByDefault.SSEAlgorithm"},
	} {
		c.resource = "Data"
		c.run(t, "s3-bucket-server-side-encryption-enabled")
	}
}

func TestFunctionsArePublic(t *testing.T) {
	permission := func(properties string) string {
		return ` Fn: {Type: 'AWS::Lambda::Function', Properties: {FunctionName: orders}}
 Live: {Type: 'AWS::Lambda::Alias', Properties: {FunctionName: !Ref Fn, Name: live}}
 V: {Type: 'AWS::Lambda::Version', Properties: {FunctionName: !GetAtt Fn.Arn}}
 Other: {Type: 'AWS::Lambda::Function', Properties: {FunctionName: orders2}}
 P: {Type: 'AWS::Lambda::Permission', Properties: {Action: 'lambda:InvokeFunction', ` + properties + `}}`
	}
	const public = `Principal: '*', FunctionName: `
	for _, c := range []one{
		{name: "by name", resources: permission(public + "orders"), want: fail, reason: "P.Principal is *"},
		{name: "by name and alias", resources: permission(public + "'orders:live'"), want: fail},
		{name: "by ARN", resources: permission(public + "'arn:aws:lambda:eu-west-1:111122223333:function:orders'"), want: fail},
		{name: "by ARN and version", resources: permission(public + "'arn:aws:lambda:eu-west-1:111122223333:function:orders:7'"), want: fail},
		{name: "by partial ARN", resources: permission(public + "'111122223333:function:orders'"), want: fail},
		{name: "by ARN of parts", resources: permission(public + "!Sub 'arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:orders'"), want: fail},
		{name: "by Ref", resources: permission(public + "!Ref Fn"), want: fail},
		{name: "by GetAtt", resources: permission(public + "!GetAtt [Fn, Arn]"), want: fail},
		{name: "through an alias", resources: permission(public + "!Ref Live"), want: fail},
		{name: "through a version", resources: permission(public + "!Ref V"), want: fail},
		{name: "through Sub", resources: permission(public + "!Sub '${Fn.Arn}:live'"), want: fail},
		{name: "another function", resources: permission(public + "orders2"), want: pass},
		{name: "an unknown function", resources: permission(public + "!Ref Which"), want: open},
		{name: "empty principal", resources: permission("Principal: '', FunctionName: orders"), want: fail},
		{name: "no principal", resources: permission("FunctionName: orders"), want: fail},
		{name: "open principal", resources: permission("Principal: !Ref Who, FunctionName: orders"), want: open},
		{name: "our account", resources: permission("Principal: !Ref AWS::AccountId, FunctionName: orders"), want: pass},
		{name: "fixed source", resources: permission(public + "orders, SourceArn: 'arn:aws:sns:eu-west-1:111122223333:t'"), want: pass},
		{name: "any source", resources: permission(public + "orders, SourceArn: 'arn:aws:sns:*:*:t'"), want: fail},
		{name: "S3 from anywhere", resources: permission("Principal: s3.amazonaws.com, FunctionName: orders"), want: fail},
		{name: "S3 from a bucket", resources: permission("Principal: s3.amazonaws.com, SourceArn: 'arn:aws:s3:::b', FunctionName: orders"), want: fail},
		{name: "S3 from our account", resources: permission("Principal: s3.amazonaws.com, SourceAccount: !Ref AWS::AccountId, FunctionName: orders"), want: pass},
		{name: "another service", resources: permission("Principal: sns.amazonaws.com, FunctionName: orders"), want: pass},
	} {
		c.resource = "Fn"
		c.run(t, "lambda-function-public-access-prohibited")
	}
}

func TestTablesScale(t *testing.T) {
	scaled := func(id, dimension string) string {
		return ` Orders: {Type: 'AWS::DynamoDB::Table', Properties: {ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 5}}}
 RT: {Type: 'AWS::ApplicationAutoScaling::ScalableTarget', Properties: {ResourceId: ` + id + `, ScalableDimension: 'dynamodb:table:ReadCapacityUnits', MinCapacity: 5, MaxCapacity: 100}}
 WT: {Type: 'AWS::ApplicationAutoScaling::ScalableTarget', Properties: {ResourceId: ` + id + `, ScalableDimension: '` + dimension + `', MinCapacity: 5, MaxCapacity: 100}}
 RP: {Type: 'AWS::ApplicationAutoScaling::ScalingPolicy', Properties: {ScalingTargetId: !Ref RT, TargetTrackingScalingPolicyConfiguration: {TargetValue: 70.0}}}
 WP: {Type: 'AWS::ApplicationAutoScaling::ScalingPolicy', Properties: {ScalingTargetId: !Ref WT, TargetTrackingScalingPolicyConfiguration: {TargetValue: 70}}}`
	}
	const writes = "dynamodb:table:WriteCapacityUnits"
	for _, c := range []one{
		{name: "Join, and policies by target", resources: scaled("!Join ['/', [table, !Ref Orders]]", writes), want: pass},
		{name: "within bounds", parameters: "{minProvisionedReadCapacity: 5, maxProvisionedWriteCapacity: '100', targetReadUtilization: 70}", resources: scaled("!Sub 'table/${Orders}'", writes), want: pass},
		{name: "utilization", parameters: "{targetWriteUtilization: 50}", resources: scaled("!Sub 'table/${Orders}'", writes), want: fail, reason: "WP.TargetTrackingScalingPolicyConfiguration.TargetValue is 70"},
		{name: "another table", resources: scaled("table/other", writes), want: fail, reason: "no ScalableTarget scales the reads of the table"},
		{name: "the same twice", resources: scaled("!Sub 'table/${Orders}'", "dynamodb:table:ReadCapacityUnits"), want: fail, reason: "writes"},
		{name: "an index only", resources: scaled("!Sub 'table/${Orders}/index/i'", writes), want: fail},
		{name: "unknown table", resources: scaled("!Sub 'table/${Table}'", writes), want: open},
		{name: "open mode", resources: " Orders: {Type: 'AWS::DynamoDB::Table', Properties: {BillingMode: !Ref Mode}}", want: open, reason: "BillingMode"},
		{name: "open mode, either way known", resources: " Orders: {Type: 'AWS::DynamoDB::Table', Properties: {BillingMode: !Sub ['${M}', {M: PAY_PER_REQUEST}]}}", want: pass},
	} {
		c.resource = "Orders"
		c.run(t, "dynamodb-autoscaling-enabled")
	}
}

func TestWhatIsNotKnownIsNotGuessed(t *testing.T) {
	for _, c := range []struct {
		rule, property string
		want           rules.Compliance
	}{
		{"s3-bucket-versioning-enabled", "VersioningConfiguration: {Status: !Ref Status}", open},
		{"s3-bucket-versioning-enabled", "VersioningConfiguration: !If [Prod, {Status: Enabled}, !Ref AWS::NoValue]", open},
		{"s3-bucket-versioning-enabled", "VersioningConfiguration: !Ref AWS::NoValue", fail},
		{"s3-bucket-logging-enabled", "LoggingConfiguration: !If [Prod, {DestinationBucketName: b}, !Ref AWS::NoValue]", open},
		{"s3-bucket-logging-enabled", "LoggingConfiguration: !If [Prod, {DestinationBucketName: b}, {DestinationBucketName: c}]", pass},
		{"s3-bucket-replication-enabled", "ReplicationConfiguration: {Rules: [{Status: Enabled}, !Ref More]}", open},
		{"s3-bucket-replication-enabled", "ReplicationConfiguration: {Rules: [{Status: Enabled}, {Status: Disabled}]}", fail},
		{"s3-bucket-mfa-delete-enabled", "VersioningConfiguration: {Status: Enabled}", open},
		{"s3-default-encryption-kms", "BucketEncryption: !ImportValue E", open},
		{"s3-bucket-acl-prohibited", "AccessControl: '{{resolve:ssm:acl}}'", open},
		{"s3-bucket-versioning-enabled", "VersioningConfiguration: {Status: '{{resolve:ssm:status}}'}", open},
	} {
		one{name: c.property, resources: " Data: {Type: 'AWS::S3::Bucket', Properties: {" + c.property + "}}", resource: "Data", want: c.want}.run(t, c.rule)
	}
}

func TestReferencesAreEnoughToKnowThatSomethingIsSet(t *testing.T) {
	for _, c := range []struct {
		value string
		want  rules.Compliance
	}{
		{"!GetAtt Key.Arn", pass}, {"!Ref Key", pass}, {"!Sub 'alias/${Name}'", pass}, {"!Ref AWS::StackName", pass},
		{"!Ref Parameter", open}, {"!ImportValue Key", open}, {"!If [Prod, !Ref Key, !Ref AWS::NoValue]", open}, {"!If [Prod, !Ref Key, alias/aws/sns]", pass},
		{"''", fail}, {"null", fail},
	} {
		one{name: c.value, resources: " Topic: {Type: 'AWS::SNS::Topic', Properties: {KmsMasterKeyId: " + c.value + "}}\n Key: {Type: 'AWS::KMS::Key'}", resource: "Topic", want: c.want}.run(t, "sns-encrypted-kms")
	}
}

func TestFunctionSettings(t *testing.T) {
	function := func(properties string) string {
		return " Fn: {Type: 'AWS::Lambda::Function', Properties: {" + properties + "}}\n Role: {Type: 'AWS::IAM::Role', Properties: {RoleName: orders}}\n Unnamed: {Type: 'AWS::IAM::Role'}"
	}
	for _, c := range []one{
		{name: "runtime alone", parameters: "{runtime: 'python3.13'}", resources: function("Runtime: python3.13, Timeout: 900, MemorySize: 512"), want: pass},
		{name: "no runtime", parameters: "{runtime: 'python3.13'}", resources: function("Handler: a"), want: fail, reason: "Runtime is not set"},
		{name: "another of the language", parameters: "{runtime: 'java25, python3.14, python3.13'}", resources: function("Runtime: python3.8"), want: fail, reason: "Runtime is python3.8, should be python3.14 or python3.13"},
		{name: "another language", parameters: "{runtime: 'java25, java21'}", resources: function("Runtime: python3.8"), want: fail, reason: "should be java25 or java21"},
		{name: "image", parameters: "{runtime: 'python3.13'}", resources: function("PackageType: Image"), want: skip},
		{name: "open runtime", parameters: "{runtime: 'python3.13'}", resources: function("Runtime: !Ref R"), want: open},
		{name: "open runtime, wrong memory", parameters: "{runtime: 'python3.13', memorySize: 256}", resources: function("Runtime: !Ref R"), want: fail, reason: "MemorySize is not set, so it is 128"},
		{name: "role by ARN", parameters: "{runtime: 'python3.13', role: 'arn:aws:iam::1:role/p/orders'}", resources: function("Runtime: python3.13, Role: 'arn:aws:iam::1:role/p/orders'"), want: pass},
		{name: "role by name of ARN", parameters: "{runtime: 'python3.13', role: orders}", resources: function("Runtime: python3.13, Role: 'arn:aws:iam::1:role/p/orders'"), want: pass},
		{name: "role by GetAtt", parameters: "{runtime: 'python3.13', role: orders}", resources: function("Runtime: python3.13, Role: !GetAtt Role.Arn"), want: pass},
		{name: "another by GetAtt", parameters: "{runtime: 'python3.13', role: billing}", resources: function("Runtime: python3.13, Role: !GetAtt Role.Arn"), want: fail},
		{name: "a role to be named", parameters: "{runtime: 'python3.13', role: orders}", resources: function("Runtime: python3.13, Role: !GetAtt Unnamed.Arn"), want: open},
		{name: "timeout as text", parameters: "{runtime: 'python3.13', timeout: '3'}", resources: function("Runtime: python3.13"), want: pass},
	} {
		c.resource = "Fn"
		c.run(t, "lambda-function-settings-check")
	}
}

func TestParametersThatCannotBe(t *testing.T) {
	for _, c := range []struct{ rule, parameters, want string }{
		{"lambda-function-settings-check", "{}", "parameter runtime is required"},
		{"lambda-function-settings-check", "{runtime: ' , '}", "parameter runtime must hold words"},
		{"lambda-function-settings-check", "{runtime: [python3.13]}", "must be one value, not a list"},
		{"lambda-function-settings-check", "{runtime: a, timeout: soon}", `parameter timeout must be a whole number, not "soon"`},
		{"lambda-function-settings-check", "{runtime: a, timeout: 1.5}", "must be a whole number"},
		{"lambda-function-settings-check", "{runtime: a, colour: red}", "parameter colour is unknown: the rule takes runtime, role, timeout, memorySize"},
		{"s3-bucket-replication-enabled", "{ReplicationType: ALL}", `must be CROSS-REGION or SAME-REGION, not "ALL"`},
		{"s3-bucket-versioning-enabled", "{isMfaDeleteEnabled: 1}", "must be true or false"},
		{"dynamodb-autoscaling-enabled", "{targetReadUtilization: NaN}", "must be a number"},
		{"s3-bucket-ssl-requests-only", "{a: b}", "the rule takes none"},
		{"s3-bucket-logging-enabled", "[a]", "must be a map"},
	} {
		node, err := cfn.ParseValue("parameters", []byte(c.parameters))
		if err != nil {
			t.Fatal(err)
		}
		_, err = rules.Find(c.rule).BindNode(node)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "rule "+c.rule) {
			t.Errorf("%s %s: %v, want …%s…", c.rule, c.parameters, err, c.want)
		}
	}
}

func TestTheAccountsQuota(t *testing.T) {
	set := parse(t, ` T: {Type: 'AWS::DynamoDB::Table', Properties: {ProvisionedThroughput: {ReadCapacityUnits: 10, WriteCapacityUnits: !Ref W}, GlobalSecondaryIndexes: [{ProvisionedThroughput: {ReadCapacityUnits: 15, WriteCapacityUnits: 5}}]}}`)
	for _, c := range []struct {
		account string
		want    rules.Compliance
	}{
		{"{}", open},
		{"{AccountMaxReadCapacityUnits: 20, AccountMaxWriteCapacityUnits: 100}", fail},
		{"{AccountMaxReadCapacityUnits: 100, AccountMaxWriteCapacityUnits: 100}", open},
		{"{AccountMaxReadCapacityUnits: 100, AccountMaxWriteCapacityUnits: 100, ProvisionedReadCapacityUnits: 60}", fail},
	} {
		account, err := cfn.ParseValue("account", []byte(c.account))
		if err != nil {
			t.Fatal(err)
		}
		judged := rules.NewSet(set.Items, account, "eu-west-1")
		v := bind(t, "dynamodb-throughput-limit-check", "{}").Judge(judged, nil)
		if v.Compliance != c.want || v.Resource != rules.AccountID {
			t.Errorf("%s: %s of %s (%s), want %s", c.account, v.Compliance, v.Resource, v.Reason, c.want)
		}
	}
}

func TestGrades(t *testing.T) {
	set := parse(t, ` None: {Type: 'AWS::S3::Bucket'}
 Own: {Type: 'AWS::S3::Bucket', Properties: {BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}}}
 Kms: {Type: 'AWS::S3::Bucket', Properties: {BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms'}}]}}}
 Table: {Type: 'AWS::DynamoDB::Table'}
 Policy: {Type: 'AWS::IAM::Policy', Properties: {PolicyDocument: {Statement: [{Effect: Allow, Action: 's3:*', Resource: a}, {Effect: Allow, Action: [a:b, '*'], Resource: a}, {Effect: Deny, Action: '*', Resource: '*'}]}}}`)
	for _, c := range []struct{ rule, resource, score string }{
		{"s3-bucket-server-side-encryption-enabled", "None", "0"},
		{"s3-bucket-server-side-encryption-enabled", "Own", "0.8"},
		{"s3-default-encryption-kms", "Own", "0.8"},
		{"s3-default-encryption-kms", "Kms", "1"},
		{"dynamodb-table-encrypted-kms", "Table", "0.6"},
		{"iam-policy-no-statements-with-full-access", "Policy", "0.333"},
	} {
		if v := bind(t, c.rule, "{}").Judge(set, set.Item(c.resource)); v.Score.String() != c.score {
			t.Errorf("%s of %s: %s, want %s", c.rule, c.resource, v.Score, c.score)
		}
	}
}

func TestVerdictsLeadToTheLine(t *testing.T) {
	root, err := cfn.Parse("t.yaml", []byte("Resources:\n  Data:\n    Type: AWS::S3::Bucket\n    Properties:\n      VersioningConfiguration:\n        Status: Suspended\n  Plain:\n    Type: AWS::S3::Bucket\n"))
	if err != nil {
		t.Fatal(err)
	}
	set := rules.FromSource(root)
	verdicts := bind(t, "s3-bucket-versioning-enabled", "{}").JudgeAll(set)
	if len(verdicts) != 2 || verdicts[0].Span.Start.Line != 6 || verdicts[1].Span.Start.Line != 7 {
		t.Errorf("%+v", verdicts)
	}
	if v := verdicts[0]; v.Reason != "VersioningConfiguration.Status is Suspended, should be Enabled" || v.Path != "VersioningConfiguration.Status" {
		t.Errorf("%+v", v)
	}
}

func TestConditions(t *testing.T) {
	root, err := cfn.Parse("t.yaml", []byte(`
Parameters: {Stage: {Type: String, Default: dev}, Unknown: {Type: String}}
Conditions: {Prod: !Equals [!Ref Stage, prod], Maybe: !Equals [!Ref Unknown, a]}
Resources:
  Out: {Type: 'AWS::S3::Bucket', Condition: Prod}
  In: {Type: 'AWS::S3::Bucket', Properties: {VersioningConfiguration: {Status: !If [Prod, Suspended, Enabled]}}}
  Perhaps: {Type: 'AWS::S3::Bucket', Condition: Maybe, Properties: {BucketName: '{{resolve:ssm:name}}'}}
`))
	if err != nil {
		t.Fatal(err)
	}
	set := fromTemplate(t, root, cfn.Env{Parameters: map[string]string{"Stage": "dev"}})
	verdicts := bind(t, "s3-bucket-versioning-enabled", "{}").JudgeAll(set)
	if len(verdicts) != 2 || verdicts[0].Compliance != pass || verdicts[1].Compliance != fail || verdicts[1].Condition != "Maybe" {
		t.Errorf("%+v", verdicts)
	}
}

// A property that is not there shows at the key of what would hold it, and not at what happens to stand there.
func TestVerdictsOnWhatIsMissing(t *testing.T) {
	for text, want := range map[string]int{
		"Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      BillingMode: PAY_PER_REQUEST\n":                                2,
		"Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      TableName: t\n      SSESpecification:\n        SSEType: KMS\n": 6,
		"Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      SSESpecification:\n        SSEEnabled:\n          false\n":     7,
		"Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      SSESpecification:\n        !Ref AWS::NoValue\n":                2, // as if it were not written
	} {
		root, err := cfn.Parse("template.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		set := fromTemplate(t, root, cfn.Env{})
		v := bind(t, "dynamodb-table-encryption-enabled", "{}").Judge(set, set.Item("T"))
		if v.Compliance != fail || int(v.Span.Start.Line) != want {
			t.Errorf("%s%s at line %d, want %d", text, v.Compliance, v.Span.Start.Line, want)
		}
	}
}

// What SAM generates is judged like what people write, and leads to the line that they wrote.
func TestVerdictsOfSAMLeadToTheAuthorsLine(t *testing.T) {
	root, err := cfn.Parse("template.yaml", []byte(`Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      InlineCode: pass
      AutoPublishAlias: live
      DeploymentPreference:
        Type: AllAtOnce
      FunctionUrlConfig:
        AuthType: NONE
      Events:
        Get: {Type: Api, Properties: {Path: /, Method: get}}
`))
	if err != nil {
		t.Fatal(err)
	}
	transformed, err := sam.Transform(root, sam.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set := fromTemplate(t, transformed, cfn.Env{Region: "eu-west-1"})
	for _, c := range []struct {
		rule, resource string
		want           rules.Compliance
		line           int
	}{
		{"lambda-function-public-access-prohibited", "Orders", fail, 12},
		{"codedeploy-lambda-allatonce-traffic-shift-disabled", "OrdersDeploymentGroup", fail, 11},
		{"lambda-function-xray-enabled", "Orders", fail, 3},
		{"api-gw-xray-enabled", "ServerlessRestApiProdStage", fail, 15},
		{"lambda-function-settings-check", "Orders", pass, 6},
	} {
		parameters := "{}"
		if c.rule == "lambda-function-settings-check" {
			parameters = "{runtime: python3.13}"
		}
		v := bind(t, c.rule, parameters).Judge(set, set.Item(c.resource))
		if v.Compliance != c.want || int(v.Span.Start.Line) != c.line {
			t.Errorf("%s: %s at line %d (%s), want %s at line %d", c.rule, v.Compliance, v.Span.Start.Line, v.Reason, c.want, c.line)
		}
	}
}

func TestStagesOfTheSameNameAreToldApart(t *testing.T) {
	for _, c := range []one{
		{name: "protected", resource: "A", want: pass},
		{name: "the other API's", resource: "B", want: fail},
	} {
		c.resources = ` A: {Type: 'AWS::ApiGateway::Stage', Properties: {StageName: Prod, RestApiId: !Ref One}}
 B: {Type: 'AWS::ApiGateway::Stage', Properties: {StageName: Prod, RestApiId: !Ref Two}}
 One: {Type: 'AWS::ApiGateway::RestApi'}
 Two: {Type: 'AWS::ApiGateway::RestApi'}
 W: {Type: 'AWS::WAFv2::WebACLAssociation', Properties: {WebACLArn: arn, ResourceArn: !Sub 'arn:aws:apigateway:${AWS::Region}::/restapis/${One}/stages/Prod'}}`
		c.run(t, "api-gw-associated-with-waf")
	}
}

func TestLiveFunctionPolicies(t *testing.T) {
	for _, c := range []struct {
		statement string
		want      rules.Compliance
	}{
		{"{Effect: Allow, Principal: {AWS: ''}, Action: 'lambda:InvokeFunction'}", fail},
		{"{Effect: Allow, Principal: {AWS: 'arn:aws:iam::111122223333:root'}, Action: 'lambda:InvokeFunction'}", pass},
		{"{Effect: Allow, Principal: {Service: s3.amazonaws.com}, Action: 'lambda:InvokeFunction'}", fail},
		{"{Effect: Allow, Principal: {Service: s3.amazonaws.com}, Action: 'lambda:InvokeFunction', Condition: {StringEquals: {'AWS:SourceAccount': '111122223333'}}}", pass},
		{"{Effect: Allow, Principal: {Service: [sns.amazonaws.com, s3.amazonaws.com]}, Action: 'lambda:InvokeFunction', Condition: {ArnLike: {'AWS:SourceArn': 'arn:aws:s3:::pictures'}}}", fail},
		{"{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: 'lambda:InvokeFunction', Condition: {ArnLike: {'AWS:SourceArn': 'arn:aws:s3:::pictures'}}}", pass},
	} {
		policy, err := cfn.ParseValue("policy", []byte("{Policy: {Statement: ["+c.statement+"]}}"))
		if err != nil {
			t.Fatal(err)
		}
		function := &rules.Item{ID: "orders", Type: "AWS::Lambda::Function", Name: "orders", Supplementary: policy}
		set := rules.NewSet([]*rules.Item{function}, nil, "eu-west-1")
		if v := bind(t, "lambda-function-public-access-prohibited", "{}").Judge(set, function); v.Compliance != c.want {
			t.Errorf("%s: %s (%s)", c.statement, v.Compliance, v.Reason)
		}
	}
}

// TestLiveBucket is about facts of a live bucket that no property of a template can express.
func TestLiveBucket(t *testing.T) {
	const open, read, write = "{AccessControl: PublicReadWrite}", "s3-bucket-public-read-prohibited", "s3-bucket-public-write-prohibited"
	for _, c := range []struct {
		rule, properties, facts string
		want                    rules.Compliance
	}{
		{read, open, "{Grants: [{Grantee: AllUsers, Permission: WRITE}]}", pass},
		{write, open, "{Grants: [{Grantee: AllUsers, Permission: WRITE}]}", fail},
		{write, "{AccessControl: AuthenticatedRead}", "{Grants: [{Grantee: AuthenticatedUsers, Permission: WRITE_ACP}]}", fail},
		{read, "{AccessControl: PublicRead}", "{Grants: [{Grantee: AllUsers, Permission: FULL_CONTROL}]}", fail},
		{read, open, "{Grants: [{Grantee: 79a59df9, Permission: READ}]}", pass},
		{read, open, "{}", fail},
		{read, "{AccessControl: PublicRead, PublicAccessBlockConfiguration: {IgnorePublicAcls: true}}", "{Grants: [{Grantee: AllUsers, Permission: READ}]}", pass},
		{"s3-bucket-acl-prohibited", "{AccessControl: Private}", "{Grants: [{Grantee: 79a59df9, Permission: READ}]}", fail},
		{"s3-bucket-acl-prohibited", "{AccessControl: LogDeliveryWrite}", "{Grants: [{Grantee: LogDelivery, Permission: WRITE}]}", pass},
		{"s3-bucket-acl-prohibited", "{AccessControl: Private}", "{Grants: []}", pass},
	} {
		var nodes [2]*cfn.Node
		for i, text := range []string{c.properties, c.facts} {
			var err error
			if nodes[i], err = cfn.ParseValue("bucket", []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		bucket := &rules.Item{ID: "Pictures", Type: "AWS::S3::Bucket", Name: "pictures", Properties: nodes[0], Supplementary: nodes[1]}
		if v := bind(t, c.rule, "{}").Judge(rules.NewSet([]*rules.Item{bucket}, nil, "eu-west-1"), bucket); v.Compliance != c.want {
			t.Errorf("%s of %s, %s: %s (%s)", c.rule, c.properties, c.facts, v.Compliance, v.Reason)
		}
	}
}

// TestPolicyStatus: what S3 finds public in a policy counts, where a condition is one that rules do not know.
func TestPolicyStatus(t *testing.T) {
	for facts, want := range map[string]rules.Compliance{"{PolicyIsPublic: false}": pass, "{PolicyIsPublic: true}": fail, "{}": fail} {
		var nodes [2]*cfn.Node
		for i, text := range []string{facts, "{Bucket: pictures, PolicyDocument: {Statement: [{Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: '*', Condition: {StringEquals: {'aws:New': x}}}]}}"} {
			var err error
			if nodes[i], err = cfn.ParseValue("bucket", []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		bucket := &rules.Item{ID: "Pictures", Type: "AWS::S3::Bucket", Name: "pictures", PhysicalID: "pictures", Properties: cfn.Obj(), Supplementary: nodes[0]}
		set := rules.NewSet([]*rules.Item{bucket, {ID: "Policy", Type: "AWS::S3::BucketPolicy", Properties: nodes[1]}}, nil, "eu-west-1")
		if v := bind(t, "s3-bucket-public-read-prohibited", "{}").Judge(set, bucket); v.Compliance != want {
			t.Errorf("%s: %s (%s)", facts, v.Compliance, v.Reason)
		}
	}
}
