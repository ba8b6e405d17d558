package rules_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"evo/internal/cfn"
	"evo/internal/rules"
)

// shop is a template with a bit of everything; ${Name} in curly brackets of templates stays as it is.
const shop = `
  Data: {Type: 'AWS::S3::Bucket', Properties: {AccessControl: PublicRead, VersioningConfiguration: {Status: Enabled}}}
  Logs: {Type: 'AWS::S3::Bucket', Properties: {BucketName: logs, BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}}}
  DataPolicy: {Type: 'AWS::S3::BucketPolicy', Properties: {Bucket: !Ref Data, PolicyDocument: {Statement: [{Effect: Deny, Principal: '*', Action: 's3:*', Resource: [!GetAtt Data.Arn, !Sub '${Data.Arn}/*'], Condition: {Bool: {'aws:SecureTransport': 'false'}}}, {Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: !Sub '${Data.Arn}/*'}]}}}
  LogsPolicy: {Type: 'AWS::S3::BucketPolicy', Properties: {Bucket: logs, PolicyDocument: {Statement: {Effect: Allow, Principal: {Service: logging.s3.amazonaws.com}, Action: 's3:PutObject', Resource: 'arn:aws:s3:::logs/*'}}}}
  Table: {Type: 'AWS::DynamoDB::Table', Properties: {ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 5}, GlobalSecondaryIndexes: [{IndexName: i}]}}
  TableTarget: {Type: 'AWS::ApplicationAutoScaling::ScalableTarget', Properties: {ResourceId: !Sub 'table/${Table}', ScalableDimension: 'dynamodb:table:ReadCapacityUnits'}}
  TablePolicy: {Type: 'AWS::ApplicationAutoScaling::ScalingPolicy', Properties: {ScalingTargetId: !Ref TableTarget}}
  Carts: {Type: 'AWS::DynamoDB::Table', Properties: {BillingMode: PAY_PER_REQUEST, SSESpecification: {SSEEnabled: !Ref Encrypt}}}
  Fn: {Type: 'AWS::Lambda::Function', Properties: {Runtime: python3.13, Role: !GetAtt Role.Arn, DeadLetterConfig: {TargetArn: !GetAtt Queue.Arn}}}
  Alias: {Type: 'AWS::Lambda::Alias', Properties: {FunctionName: !Ref Fn}}
  Everyone: {Type: 'AWS::Lambda::Permission', Properties: {FunctionName: !Ref Alias, Principal: '*'}}
  Other: {Type: 'AWS::Lambda::Function', Properties: {FunctionName: other, Runtime: provided.al2023, TracingConfig: {Mode: Active}}}
  OtherPermission: {Type: 'AWS::Lambda::Permission', Properties: {FunctionName: other, Principal: events.amazonaws.com, SourceArn: 'arn:aws:events:eu-west-1:1:rule/r'}}
  Role: {Type: 'AWS::IAM::Role', Properties: {AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]}, Policies: [{PolicyDocument: {Statement: [{Effect: Allow, Action: 'dynamodb:*', Resource: !GetAtt Table.Arn}]}}], ManagedPolicyArns: [!Sub 'arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess']}}
  RolePolicy: {Type: 'AWS::IAM::Policy', Properties: {Roles: [!Ref Role], PolicyDocument: {Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}}}
  Queue: {Type: 'AWS::SQS::Queue', Properties: {KmsMasterKeyId: !Ref Key}}
  QueuePolicy: {Type: 'AWS::SQS::QueuePolicy', Properties: {Queues: [!Ref Queue], PolicyDocument: {Statement: [{Effect: Allow, Principal: '*', Action: 'sqs:*', Resource: '*'}]}}}
  Topic: {Type: 'AWS::SNS::Topic'}
  TopicPolicy: {Type: 'AWS::SNS::TopicPolicy', Properties: {Topics: [!Ref Topic], PolicyDocument: {Statement: [{Effect: Allow, Principal: {AWS: '*'}, Action: 'sns:Publish', Resource: '*', Condition: {StringEquals: {'aws:SourceAccount': !Ref 'AWS::AccountId'}}}]}}}
  Key: {Type: 'AWS::KMS::Key', Properties: {KeyPolicy: !Ref Document}}
  Stage: {Type: 'AWS::ApiGateway::Stage', Properties: {MethodSettings: [{LoggingLevel: ERROR}, {LoggingLevel: 'OFF'}]}}
  Acl: {Type: 'AWS::WAFv2::WebACLAssociation', Properties: {ResourceArn: !Sub 'arn:aws:apigateway:eu-west-1::/restapis/a/stages/${Stage}', WebACLArn: arn}}
  Log: {Type: 'AWS::Logs::LogGroup', Properties: {RetentionInDays: 30}}
  Alarm: {Type: 'AWS::CloudWatch::Alarm', Properties: {AlarmActions: [!Ref Topic]}}
  Group: {Type: 'AWS::CodeDeploy::DeploymentGroup', Properties: {ApplicationName: !Ref App, DeploymentConfigName: CodeDeployDefault.LambdaAllAtOnce}}
  App: {Type: 'AWS::CodeDeploy::Application', Properties: {ComputePlatform: Lambda}}
  Machine: {Type: 'AWS::StepFunctions::StateMachine', Properties: {LoggingConfiguration: {Level: ERROR}}}
  Secret: {Type: 'AWS::SecretsManager::Secret'}
  Rotation: {Type: 'AWS::SecretsManager::RotationSchedule', Properties: {SecretId: !Ref Secret, RotationRules: {ScheduleExpression: rate(10 days)}}}
  Bus: {Type: 'AWS::Events::EventBus', Properties: {Name: bus}}
  BusPolicy: {Type: 'AWS::Events::EventBusPolicy', Properties: {EventBusName: bus}}
`

// everything is a check of every rule, with parameters where they are required.
func everything(t testing.TB) *rules.Suite {
	t.Helper()
	required := map[string]string{
		"lambda-function-settings-check": "{runtime: python3.13}", "api-gw-endpoint-type-check": "{endpointConfigurationTypes: EDGE}",
		"lambda-function-application-log-level-check": "{logLevel: INFO}", "lambda-function-system-log-level-check": "{logLevel: WARN}",
		"s3-bucket-policy-not-more-permissive":     `{controlPolicy: '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:Get*","Resource":"*"}]}'}`,
		"s3-bucket-blacklisted-actions-prohibited": "{blacklistedActionPattern: 's3:Get*'}",
		"iam-customer-policy-blocked-kms-actions":  "{blockedActionsPatterns: 'kms:Decrypt'}",
		"iam-inline-policy-blocked-kms-actions":    "{blockedActionsPatterns: 'kms:Decrypt'}",
		"cloudwatch-alarm-settings-check":          "{metricName: Errors}",
	}
	var checks []*rules.Check
	for _, r := range rules.All() {
		checks = append(checks, bind(t, r.Name, cmp.Or(required[r.Name], "{}")))
	}
	return rules.NewSuite(checks...)
}

// outcome is what every rule says of a set, by rule and resource; names gives the resources' old names.
func outcome(set *rules.Set, suite *rules.Suite, names map[string]string) map[string]string {
	got := map[string]string{}
	for _, v := range suite.Judge(set) {
		got[v.Rule+" of "+cmp.Or(names[v.Resource], v.Resource)] = v.Compliance.String() + " " + v.Score.String()
	}
	for _, r := range rules.All() {
		compliance, _ := r.Registry(set)
		got["registry: "+r.Name] = compliance.String()
	}
	return got
}

func TestOrderAndNamesDoNotMatter(t *testing.T) {
	suite := everything(t)
	want := outcome(parse(t, shop), suite, nil)
	lines := strings.Split(strings.Trim(shop, "\n"), "\n")
	rapid.Check(t, func(t *rapid.T) {
		shuffled := rapid.Permutation(lines).Draw(t, "order")
		old := map[string]string{}
		var renames []string
		for i, line := range lines {
			name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
			renamed := fmt.Sprintf("R%dx%s", i, rapid.StringMatching("[A-Za-z0-9]{0,5}").Draw(t, "name"))
			old[renamed] = name
			for _, form := range []string{"  %s: {Type", "!Ref %s}", "!Ref %s,", "!Ref %s]", "!GetAtt %s.", "${%s}", "${%s."} {
				renames = append(renames, fmt.Sprintf(form, name), fmt.Sprintf(form, renamed))
			}
		}
		text := strings.NewReplacer(renames...).Replace(strings.Join(shuffled, "\n"))
		root, err := cfn.Parse("t", []byte("Resources:\n"+text+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := outcome(rules.FromSource(root), suite, old)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestEveryRuleIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rules.All() {
		if seen[r.Name] || r.Summary == "" || r.Remedy == "" || r.Trigger == "" || r.Scope == "" || r.Source == "" {
			t.Errorf("%s: twice, or something is missing", r.Name)
		}
		seen[r.Name] = true
		if rules.Find(r.Identifier) != r || rules.Find(r.Name) != r {
			t.Errorf("%s cannot be found", r.Name)
		}
		if r.Source == rules.Registry && !r.HasRegistry() {
			t.Errorf("%s has no registry reading", r.Name)
		}
		file := strings.ReplaceAll(r.Name, "-", "_") + ".go"
		if _, err := os.Stat(file); err != nil {
			t.Errorf("%s does not stand in %s", r.Name, file)
		}
		for _, p := range r.Parameters {
			if p.About == "" || p.Required && p.Default != "" {
				t.Errorf("%s: parameter %s", r.Name, p.Name)
			}
		}
	}
}

func TestConcernsNameRules(t *testing.T) {
	for _, c := range rules.Concerns {
		for _, name := range append(c.Rules, c.Stricter...) {
			if rules.Find(name) == nil {
				t.Errorf("%s: there is no rule %s", c.Name, name)
			}
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add([]byte("Resources:\n" + shop))
	if files, err := filepath.Glob("../cfn/testdata/*.yaml"); err == nil {
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil {
				f.Add(text)
			}
		}
	}
	suite := everything(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		root, err := cfn.Parse("t", text)
		if err != nil {
			return
		}
		set := rules.FromSource(root)
		for _, v := range suite.Judge(set) {
			if v.Rule == "" || v.Reason == "" {
				t.Errorf("%+v", v)
			}
		}
		for _, r := range rules.All() {
			r.Registry(set)
		}
		if template, err := cfn.ReadTemplate(root); err == nil {
			if set, err := rules.FromTemplate(template, cfn.Env{Region: "eu-west-1"}); err == nil {
				suite.Judge(set)
			}
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	text := []byte("Parameters: {Encrypt: {Type: String}, Document: {Type: String}}\nResources:\n" + shop)
	suite := everything(b)
	read := func() *rules.Set {
		root, err := cfn.Parse("t", text)
		if err != nil {
			b.Fatal(err)
		}
		template, err := cfn.ReadTemplate(root)
		if err != nil {
			b.Fatal(err)
		}
		set, err := rules.FromTemplate(template, cfn.Env{Region: "eu-west-1", AccountID: "111122223333", Partition: "aws"})
		if err != nil {
			b.Fatal(err)
		}
		return set
	}
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			cfn.Parse("t", text)
		}
	})
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			suite.Judge(read())
		}
	})
	set := read()
	b.Run("rules", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			suite.Judge(set)
		}
	})
}
