package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"evo/internal/cloud/sandbox"
)

// audit asks AWS Config about a world.
type audit struct {
	*world
	config *configservice.Client
	s3     *s3.Client
	tables *dynamodb.Client
}

func newAudit(t *testing.T, dir string) *audit {
	a := &audit{world: newWorld(t, dir)}
	a.open()
	return a
}

func (a *audit) open() {
	a.Helper()
	a.start()
	cfg := a.server.Config("us-east-1")
	a.config, a.tables = configservice.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg)
	a.s3 = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
}

func (a *audit) need(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// verdicts are the words of all rules for a resource, by rule.
func (a *audit) verdicts(kind, id string) map[string]string {
	a.Helper()
	out, err := a.config.GetComplianceDetailsByResource(a.ctx, &configservice.GetComplianceDetailsByResourceInput{ResourceType: &kind, ResourceId: &id})
	a.need(err)
	words := map[string]string{}
	for _, r := range out.EvaluationResults {
		words[*r.EvaluationResultIdentifier.EvaluationResultQualifier.ConfigRuleName] = string(r.ComplianceType)
	}
	return words
}

// history are the states of a resource's configuration items, the oldest first.
func (a *audit) history(kind, id string) []types.ConfigurationItem {
	a.Helper()
	out, err := a.config.GetResourceConfigHistory(a.ctx, &configservice.GetResourceConfigHistoryInput{ResourceType: types.ResourceType(kind), ResourceId: &id, ChronologicalOrder: types.ChronologicalOrderForward})
	a.need(err)
	return out.ConfigurationItems
}

func (a *audit) bucket(name string) *string {
	a.Helper()
	_, err := a.s3.CreateBucket(a.ctx, &s3.CreateBucketInput{Bucket: &name})
	a.need(err)
	return &name
}

func (a *audit) put(name string, rule types.ConfigRule) {
	a.Helper()
	rule.ConfigRuleName = &name
	_, err := a.config.PutConfigRule(a.ctx, &configservice.PutConfigRuleInput{ConfigRule: &rule})
	a.need(err)
}

func managed(identifier string) types.ConfigRule {
	return types.ConfigRule{Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: &identifier}}
}

const judged = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Logs:
    Type: AWS::S3::Bucket
    Properties: {BucketName: logs, VersioningConfiguration: {Status: Enabled}}
  Good:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: good
      BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}
      VersioningConfiguration: {Status: Enabled}
      LoggingConfiguration: {DestinationBucketName: !Ref Logs, LogFilePrefix: good/}
      ReplicationConfiguration: {Role: arn:aws:iam::000000000000:role/r, Rules: [{Status: Enabled, Destination: {Bucket: !GetAtt Logs.Arn}}]}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Good
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Deny, Principal: "*", Action: "s3:*", Resource: [!GetAtt Good.Arn, !Sub "${Good.Arn}/*"], Condition: {Bool: {"aws:SecureTransport": "false"}}}
  Open:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: open
      PublicAccessBlockConfiguration: {BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false}
  Everybody:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Open
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: ["s3:GetObject", "s3:PutObject"], Resource: !Sub "${Open.Arn}/*"}]}
  Scaled:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: scaled
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 5}
  Reads:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties: {ResourceId: !Sub "table/${Scaled}", ScalableDimension: "dynamodb:table:ReadCapacityUnits", ServiceNamespace: dynamodb, MinCapacity: 5, MaxCapacity: 9, RoleARN: "arn:aws:iam::000000000000:role/r"}
  Writes:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties: {ResourceId: !Sub "table/${Scaled}", ScalableDimension: "dynamodb:table:WriteCapacityUnits", ServiceNamespace: dynamodb, MinCapacity: 5, MaxCapacity: 9, RoleARN: "arn:aws:iam::000000000000:role/r"}
  ReadPolicy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties: {PolicyName: reads, PolicyType: TargetTrackingScaling, ScalingTargetId: !Ref Reads, TargetTrackingScalingPolicyConfiguration: {TargetValue: 70, PredefinedMetricSpecification: {PredefinedMetricType: DynamoDBReadCapacityUtilization}}}
  WritePolicy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties: {PolicyName: writes, PolicyType: TargetTrackingScaling, ScalingTargetId: !Ref Writes, TargetTrackingScalingPolicyConfiguration: {TargetValue: 70, PredefinedMetricSpecification: {PredefinedMetricType: DynamoDBWriteCapacityUtilization}}}
  Fixed:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: fixed
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 5}
  Current:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: current, Handler: h, Runtime: python3.13, InlineCode: "x = 1", AutoPublishAlias: live}
  Old:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: old, Handler: h, Runtime: nodejs12.x, InlineCode: "x = 1"}
  Anybody:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Old, Action: lambda:InvokeFunction, Principal: "*"}
`

func TestElevenRulesRunWhereNoneIsDeclared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudit(t, "")
		defer a.close()
		out, err := a.config.DescribeConfigRules(a.ctx, &configservice.DescribeConfigRulesInput{})
		a.need(err)
		if len(out.ConfigRules) != 11 {
			t.Fatalf("%d rules run", len(out.ConfigRules))
		}
		a.deploy(judged, cfntypes.StackStatusCreateComplete)
		bucket := func(logging, replication, versioning, encryption, ssl, read, write string) map[string]string {
			return map[string]string{"s3-bucket-logging-enabled": logging, "s3-bucket-replication-enabled": replication, "s3-bucket-versioning-enabled": versioning,
				"s3-bucket-server-side-encryption-enabled": encryption, "s3-bucket-ssl-requests-only": ssl, "s3-bucket-public-read-prohibited": read,
				"s3-bucket-public-write-prohibited": write}
		}
		const yes, no = "COMPLIANT", "NON_COMPLIANT"
		for _, c := range []struct {
			kind, id string
			want     map[string]string
		}{
			{"AWS::S3::Bucket", "good", bucket(yes, yes, yes, yes, yes, yes, yes)},
			{"AWS::S3::Bucket", "open", bucket(no, no, no, no, no, no, no)},
			{"AWS::DynamoDB::Table", "scaled", map[string]string{"dynamodb-autoscaling-enabled": yes}},
			{"AWS::DynamoDB::Table", "fixed", map[string]string{"dynamodb-autoscaling-enabled": no}},
			{"AWS::Lambda::Function", "current", map[string]string{"lambda-function-public-access-prohibited": yes, "lambda-function-settings-check": yes}},
			{"AWS::Lambda::Function", "old", map[string]string{"lambda-function-public-access-prohibited": no, "lambda-function-settings-check": no}},
			{"AWS::::Account", "000000000000", map[string]string{"dynamodb-throughput-limit-check": yes}},
			{"AWS::S3::Bucket", "none", map[string]string{}},
		} {
			if diff := cmp.Diff(c.want, a.verdicts(c.kind, c.id)); diff != "" {
				t.Errorf("%s %s:\n%s", c.kind, c.id, diff)
			}
		}
		a.drift()
		a.put("mine", managed("S3_BUCKET_VERSIONING_ENABLED"))
		if got := a.verdicts("AWS::S3::Bucket", "open"); !maps.Equal(got, map[string]string{"mine": no}) {
			t.Errorf("with a rule of the account's own: %v", got)
		}
		_, err = a.config.DeleteConfigRule(a.ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: aws.String("mine")})
		a.need(err)
		if got := a.verdicts("AWS::S3::Bucket", "open"); len(got) != 7 {
			t.Errorf("without it again: %v", got)
		}
	})
}

// drift takes a bucket's encryption away behind CloudFormation's back, and gives it back.
func (a *audit) drift() {
	a.Helper()
	const rule = "s3-bucket-server-side-encryption-enabled"
	_, err := a.s3.DeleteBucketEncryption(a.ctx, &s3.DeleteBucketEncryptionInput{Bucket: aws.String("good")})
	a.need(err)
	if got := a.verdicts("AWS::S3::Bucket", "good"); got[rule] != "NON_COMPLIANT" || got["s3-bucket-versioning-enabled"] != "COMPLIANT" {
		a.Errorf("without encryption: %v", got)
	}
	_, err = a.s3.PutBucketEncryption(a.ctx, &s3.PutBucketEncryptionInput{Bucket: aws.String("good"), ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
		Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: "aws:kms"}}}}})
	a.need(err)
	if got := a.verdicts("AWS::S3::Bucket", "good"); got[rule] != "COMPLIANT" {
		a.Errorf("with encryption again: %v", got)
	}
	items := a.history("AWS::S3::Bucket", "good")
	if n := len(items); n < 3 || items[0].ConfigurationItemStatus != types.ConfigurationItemStatusResourceDiscovered || items[n-1].ConfigurationItemStatus != types.ConfigurationItemStatusOk ||
		items[n-2].SupplementaryConfiguration["ServerSideEncryptionConfiguration"] != "" ||
		items[n-1].SupplementaryConfiguration["ServerSideEncryptionConfiguration"] != `{"rules":[{"applyServerSideEncryptionByDefault":{"sseAlgorithm":"aws:kms"},"bucketKeyEnabled":false}]}` {
		a.Errorf("%d items, the last %v", n, items[n-1].SupplementaryConfiguration)
	}
}

func TestTemplateDeclaresRules(t *testing.T) {
	const template = `
Resources:
  Bucket: {Type: "AWS::S3::Bucket", Properties: {BucketName: tagged, Tags: [{Key: tier, Value: gold}]}}
  Other: {Type: "AWS::S3::Bucket", Properties: {BucketName: other}}
  Versioned:
    Type: AWS::Config::ConfigRule
    Properties: {ConfigRuleName: versioned, Scope: {TagKey: tier, TagValue: gold}, Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_VERSIONING_ENABLED}}
  Logged:
    Type: AWS::Config::ConfigRule
    Properties: {ConfigRuleName: logged, InputParameters: {targetBucket: !Ref Other}, Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_LOGGING_ENABLED}}
  Unknown:
    Type: AWS::Config::ConfigRule
    Properties: {ConfigRuleName: unknown, Source: {Owner: AWS, SourceIdentifier: EC2_IMDSV2_CHECK}}
  Pack:
    Type: AWS::Config::ConformancePack
    Properties:
      ConformancePackName: pack
      ConformancePackInputParameters: [{ParameterName: Bucket, ParameterValue: other}]
      TemplateBody: |
        Parameters: {Bucket: {Type: String}}
        Resources:
          Encrypted: {Type: "AWS::Config::ConfigRule", Properties: {ConfigRuleName: encrypted, Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED}}}
          Logged: {Type: "AWS::Config::ConfigRule", Properties: {ConfigRuleName: logged, InputParameters: {targetBucket: !Ref Bucket}, Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_LOGGING_ENABLED}}}
  Recorder: {Type: "AWS::Config::ConfigurationRecorder", Properties: {RoleARN: "arn:aws:iam::000000000000:role/config"}}
  Channel: {Type: "AWS::Config::DeliveryChannel", Properties: {S3BucketName: !Ref Other}}
Outputs: {Arn: {Value: !GetAtt Versioned.Arn}, Id: {Value: !GetAtt Versioned.ConfigRuleId}}
`
	synctest.Test(t, func(t *testing.T) {
		a := newAudit(t, "")
		defer a.close()
		a.deploy(template, cfntypes.StackStatusCreateComplete)
		got := a.verdicts("AWS::S3::Bucket", "tagged")
		if got["versioned"] != "NON_COMPLIANT" || got["logged"] != "NON_COMPLIANT" || len(got) != 4 {
			t.Errorf("tagged: %v", got)
		}
		if got := a.verdicts("AWS::S3::Bucket", "other"); got["versioned"] != "" || len(got) != 3 {
			t.Errorf("other: %v", got)
		}
		status, err := a.config.DescribeConfigRuleEvaluationStatus(a.ctx, &configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: []string{"unknown"}})
		a.need(err)
		if s := status.ConfigRulesEvaluationStatus[0]; !strings.Contains(aws.ToString(s.LastErrorMessage), "cannot evaluate the managed rule EC2_IMDSV2_CHECK") {
			t.Errorf("the rule that is not there: %+v", s)
		}
		by, err := a.config.DescribeComplianceByConfigRule(a.ctx, &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{"unknown", "versioned"}})
		a.need(err)
		if c := by.ComplianceByConfigRules; c[0].Compliance.ComplianceType != "INSUFFICIENT_DATA" || c[1].Compliance.ComplianceType != "NON_COMPLIANT" {
			t.Errorf("by rule: %+v", c)
		}
		details, err := a.config.GetConformancePackComplianceDetails(a.ctx, &configservice.GetConformancePackComplianceDetailsInput{ConformancePackName: aws.String("pack")})
		a.need(err)
		if len(details.ConformancePackRuleEvaluationResults) != 4 {
			t.Errorf("of the pack: %+v", details.ConformancePackRuleEvaluationResults)
		}
		recorders, err := a.config.DescribeConfigurationRecorderStatus(a.ctx, &configservice.DescribeConfigurationRecorderStatusInput{})
		a.need(err)
		if r := recorders.ConfigurationRecordersStatus; len(r) != 1 || !r[0].Recording || !strings.HasPrefix(*r[0].Name, "shop-Recorder-") {
			t.Errorf("recorders: %+v", r)
		}
		_, err = a.cfn.DeleteStack(a.ctx, &cloudformation.DeleteStackInput{StackName: aws.String(stack)})
		a.need(err)
		time.Sleep(time.Minute)
		rules, err := a.config.DescribeConfigRules(a.ctx, &configservice.DescribeConfigRulesInput{})
		a.need(err)
		if len(rules.ConfigRules) != 11 {
			t.Errorf("%d rules after the stack was deleted", len(rules.ConfigRules))
		}
	})
}

func TestConfigIsDurable(t *testing.T) {
	a := newAudit(t, t.TempDir())
	name := a.bucket("kept")
	before := a.verdicts("AWS::S3::Bucket", *name)
	_, err := a.s3.PutBucketVersioning(a.ctx, &s3.PutBucketVersioningInput{Bucket: name, VersioningConfiguration: &s3types.VersioningConfiguration{Status: "Enabled"}})
	a.need(err)
	a.close() // nobody has looked at the last change
	a.world = newWorld(t, a.server.StateDir)
	a.open()
	defer a.close()
	items := a.history("AWS::S3::Bucket", *name)
	if len(items) != 2 || items[0].ConfigurationItemStatus != types.ConfigurationItemStatusResourceDiscovered {
		t.Errorf("after a restart: %d items, %+v", len(items), items)
	}
	before["s3-bucket-versioning-enabled"] = "COMPLIANT"
	if diff := cmp.Diff(before, a.verdicts("AWS::S3::Bucket", *name)); diff != "" {
		t.Error(diff)
	}
	_, err = a.s3.DeleteBucket(a.ctx, &s3.DeleteBucketInput{Bucket: name})
	a.need(err)
	items = a.history("AWS::S3::Bucket", *name)
	if len(items) != 3 || items[2].ConfigurationItemStatus != types.ConfigurationItemStatusResourceDeleted || len(a.verdicts("AWS::S3::Bucket", *name)) != 0 {
		t.Errorf("after the bucket was deleted: %+v", items)
	}
}

// A delivery channel leads to a bucket that is there, and queries are refused by name.
func TestWhatConfigRefuses(t *testing.T) {
	a := newAudit(t, "")
	defer a.close()
	put := func(bucket string) error {
		_, err := a.config.PutDeliveryChannel(a.ctx, &configservice.PutDeliveryChannelInput{DeliveryChannel: &types.DeliveryChannel{Name: aws.String("c"), S3BucketName: &bucket}})
		return err
	}
	var none *types.NoSuchBucketException
	if err := put("nowhere"); !errors.As(err, &none) {
		t.Errorf("a channel to a bucket that is not there: %v", err)
	}
	if err := put(*a.bucket("records")); err != nil {
		t.Error(err)
	}
	_, err := a.config.SelectResourceConfig(a.ctx, &configservice.SelectResourceConfigInput{Expression: aws.String("SELECT resourceId")})
	if err == nil || !strings.Contains(err.Error(), "does not have the operation SelectResourceConfig") {
		t.Errorf("a query: %v", err)
	}
	_, err = a.config.PutConfigRule(a.ctx, &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{ConfigRuleName: aws.String("guard"), Source: &types.Source{
		Owner: types.OwnerCustomPolicy, CustomPolicyDetails: &types.CustomPolicyDetails{PolicyRuntime: aws.String("guard-2.x.x"), PolicyText: aws.String("rule r {}")}}}})
	if err == nil || !strings.Contains(err.Error(), "does not evaluate Guard policies") {
		t.Errorf("a rule in Guard: %v", err)
	}
}

// What is no configuration is not recorded.
func TestDataIsNoConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudit(t, "")
		defer a.close()
		name := a.bucket("data")
		_, err := a.tables.CreateTable(a.ctx, &dynamodb.CreateTableInput{TableName: name, BillingMode: dbtypes.BillingModePayPerRequest,
			AttributeDefinitions: []dbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
			KeySchema:            []dbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}}})
		a.need(err)
		time.Sleep(time.Minute)
		buckets, tables := len(a.history("AWS::S3::Bucket", *name)), len(a.history("AWS::DynamoDB::Table", *name))
		for range 3 {
			_, err = a.s3.PutObject(a.ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("k"), Body: strings.NewReader("x")})
			a.need(err)
			_, err = a.tables.PutItem(a.ctx, &dynamodb.PutItemInput{TableName: name, Item: map[string]dbtypes.AttributeValue{"id": &dbtypes.AttributeValueMemberS{Value: "1"}}})
			a.need(err)
			time.Sleep(time.Minute)
		}
		if b, d := len(a.history("AWS::S3::Bucket", *name)), len(a.history("AWS::DynamoDB::Table", *name)); b != buckets || d != tables || b != 1 {
			t.Errorf("%d items of the bucket (before: %d), %d of the table (before: %d)", b, buckets, d, tables)
		}
	})
}

// What changes by itself is recorded in the cloud's time, without anybody asking.
func TestRecordsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudit(t, "")
		defer a.close()
		begin := time.Now()
		name := a.bucket("alone")
		time.Sleep(time.Hour)
		items := a.history("AWS::S3::Bucket", *name)
		if at := items[0].ConfigurationItemCaptureTime; len(items) != 1 || at.Sub(begin) > time.Second {
			t.Errorf("%d items, the first %s after the bucket was made", len(items), at.Sub(begin))
		}
	})
}

// judge lets Config invoke a function, and returns its ARN.
func (a *audit) judge(name string) *string {
	a.Helper()
	fn, err := a.lambda.GetFunction(a.ctx, &lambda.GetFunctionInput{FunctionName: &name})
	a.need(err)
	_, err = a.lambda.AddPermission(a.ctx, &lambda.AddPermissionInput{FunctionName: &name, StatementId: aws.String("config"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("config.amazonaws.com"), SourceArn: aws.String("arn:aws:config:us-east-1:000000000000:config-rule/config-rule-*")})
	a.need(err)
	return fn.Configuration.FunctionArn
}

func TestPeriodicRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudit(t, "")
		defer a.close()
		var calls atomic.Int64
		a.handle("periodic", func(ctx context.Context, fn *sandbox.Function, event []byte) (any, error) {
			calls.Add(1)
			var in struct{ InvokingEvent, ResultToken, RuleParameters string }
			if err := json.Unmarshal(event, &in); err != nil || !strings.Contains(in.InvokingEvent, `"messageType":"ScheduledNotification"`) || in.RuleParameters != `{"a":"b"}` {
				t.Errorf("invoked with %s (%v)", event, err)
			}
			_, err := a.config.PutEvaluations(ctx, &configservice.PutEvaluationsInput{ResultToken: &in.ResultToken, Evaluations: []types.Evaluation{{
				ComplianceResourceType: aws.String("AWS::::Account"), ComplianceResourceId: aws.String("000000000000"), ComplianceType: types.ComplianceTypeNonCompliant,
				Annotation: aws.String("because"), OrderingTimestamp: aws.Time(time.Now())}}})
			return nil, err
		})
		a.deploy(template(function{"periodic", "", 1}), cfntypes.StackStatusCreateComplete)
		fn := a.judge("periodic")
		a.put("periodic", types.ConfigRule{InputParameters: aws.String(`{"a":"b"}`), Source: &types.Source{Owner: types.OwnerCustomLambda, SourceIdentifier: fn,
			SourceDetails: []types.SourceDetail{{EventSource: "aws.config", MessageType: types.MessageTypeScheduledNotification, MaximumExecutionFrequency: types.MaximumExecutionFrequencyOneHour}}}})
		a.put("autoscaled", managed("DYNAMODB_AUTOSCALING_ENABLED"))
		time.Sleep(time.Minute)
		if n := calls.Load(); n != 1 {
			t.Errorf("%d calls after a minute", n)
		}
		time.Sleep(3 * time.Hour)
		if n := calls.Load(); n != 4 {
			t.Errorf("%d calls after three hours", n)
		}
		details, err := a.config.GetComplianceDetailsByConfigRule(a.ctx, &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String("periodic")})
		a.need(err)
		if r := details.EvaluationResults; len(r) != 1 || r[0].ComplianceType != "NON_COMPLIANT" || aws.ToString(r[0].Annotation) != "because" {
			t.Errorf("results: %+v", r)
		}
		status := func() time.Time {
			out, err := a.config.DescribeConfigRuleEvaluationStatus(a.ctx, &configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: []string{"autoscaled"}})
			a.need(err)
			return *out.ConfigRulesEvaluationStatus[0].LastSuccessfulEvaluationTime
		}
		first := status()
		time.Sleep(49 * time.Hour)
		if last := status(); last.Sub(first) != 48*time.Hour {
			t.Errorf("evaluated %s after the first time", last.Sub(first))
		}
	})
}

// A cloud that was away for a while evaluates periodic rules when they are due, once for all that it has missed, and keeps to the
// times that they had before.
func TestPeriodsGoOnOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudit(t, t.TempDir())
		var calls []time.Duration // since the rule was declared
		var declared time.Time
		periodic := func(context.Context, *sandbox.Function, []byte) (any, error) {
			calls = append(calls, time.Since(declared).Round(time.Minute))
			return nil, nil
		}
		a.handle("periodic", periodic)
		a.deploy(template(function{"periodic", "", 1}), cfntypes.StackStatusCreateComplete)
		fn := a.judge("periodic")
		declared = time.Now()
		a.put("hourly", types.ConfigRule{MaximumExecutionFrequency: types.MaximumExecutionFrequencyOneHour, Source: &types.Source{Owner: types.OwnerCustomLambda,
			SourceIdentifier: fn, SourceDetails: []types.SourceDetail{{EventSource: "aws.config", MessageType: types.MessageTypeScheduledNotification}}}})
		rule := managed("DYNAMODB_AUTOSCALING_ENABLED")
		rule.MaximumExecutionFrequency = types.MaximumExecutionFrequencyThreeHours
		a.put("managed", rule)
		away := func(d time.Duration) {
			a.close()
			time.Sleep(d)
			a.world = newWorld(t, a.server.StateDir)
			a.handle("periodic", periodic)
			a.open()
		}
		evaluated := func() time.Duration {
			out, err := a.config.DescribeConfigRuleEvaluationStatus(a.ctx, &configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: []string{"managed"}})
			a.need(err)
			return out.ConfigRulesEvaluationStatus[0].LastSuccessfulEvaluationTime.Sub(declared).Round(time.Minute)
		}
		time.Sleep(30 * time.Minute)
		away(10 * time.Minute) // nothing is due in between
		time.Sleep(time.Hour)
		away(200 * time.Minute) // from 1:40 to 5:00
		time.Sleep(10 * time.Minute)
		if got := evaluated(); got != 5*time.Hour {
			t.Errorf("the managed rule was evaluated at %s, want when the cloud came back", got)
		}
		time.Sleep(2 * time.Hour)
		if diff := cmp.Diff([]time.Duration{0, time.Hour, 5 * time.Hour, 6 * time.Hour, 7 * time.Hour}, calls); diff != "" {
			t.Errorf("the hourly rule's function was called at\n%s", diff)
		}
		if got := evaluated(); got != 6*time.Hour {
			t.Errorf("the managed rule was evaluated last at %s, want its own time", got)
		}
		a.close()
	})
}

const recordedOnly = `
Parameters: {Rotation: {Type: String}}
Resources:
  Queue: {Type: "AWS::SQS::Queue", Properties: {QueueName: orders, KmsMasterKeyId: !Ref Key, Tags: [{Key: tier, Value: gold}]}}
  Open:
    Type: AWS::SQS::QueuePolicy
    Properties: {Queues: [!Ref Queue, !Ref Other], PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: "sqs:SendMessage", Resource: !GetAtt Queue.Arn}]}}
  Other: {Type: "AWS::SQS::Queue"}
  Topic: {Type: "AWS::SNS::Topic", Properties: {TopicName: news, KmsMasterKeyId: !GetAtt Key.Arn}}
  Key: {Type: "AWS::KMS::Key", Properties: {EnableKeyRotation: !Ref Rotation, KeyPolicy: {Version: "2012-10-17", Statement: []}}}
  Machine: {Type: "AWS::StepFunctions::StateMachine", Properties: {StateMachineName: machine, RoleArn: "arn:aws:iam::000000000000:role/r", DefinitionString: "{}"}}
  Domain: {Type: "AWS::SES::EmailIdentity", Properties: {EmailIdentity: example.com}}
`

// What no service here runs has configuration items of what its template says, and rules apply to it.
func TestRecordsWhatIsOnlyInTemplates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudit(t, "")
		defer a.close()
		for _, id := range []string{"SQS_QUEUE_NO_PUBLIC_ACCESS", "SNS_ENCRYPTED_KMS", "CMK_BACKING_KEY_ROTATION_ENABLED", "STEP_FUNCTIONS_STATE_MACHINE_LOGGING_ENABLED"} {
			a.put(id, managed(id))
		}
		deploy := func(rotation string) {
			t.Helper()
			a.deploy(strings.Replace(recordedOnly, "{Type: String}", "{Type: String, Default: '"+rotation+"'}", 1), cfntypes.StackStatusCreateComplete)
		}
		deploy("false")
		found := map[string]types.ResourceIdentifier{}
		for _, kind := range []types.ResourceType{"AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::KMS::Key", "AWS::StepFunctions::StateMachine"} {
			out, err := a.config.ListDiscoveredResources(a.ctx, &configservice.ListDiscoveredResourcesInput{ResourceType: kind})
			a.need(err)
			for _, r := range out.ResourceIdentifiers {
				found[string(kind)+" "+aws.ToString(r.ResourceName)] = r
			}
		}
		queue, topic := found["AWS::SQS::Queue orders"], found["AWS::SNS::Topic news"]
		if len(found) != 5 || aws.ToString(queue.ResourceId) != "https://sqs.us-east-1.amazonaws.com/000000000000/orders" || aws.ToString(topic.ResourceId) != "arn:aws:sns:us-east-1:000000000000:news" {
			t.Fatalf("found %+v", found)
		}
		var key string
		for name, r := range found {
			if strings.HasPrefix(name, "AWS::KMS::Key") {
				key = *r.ResourceId
			}
		}
		item := a.history("AWS::SQS::Queue", *queue.ResourceId)[0]
		var configuration map[string]any
		a.need(json.Unmarshal([]byte(aws.ToString(item.Configuration)), &configuration))
		if configuration["KmsMasterKeyId"] != key || configuration["Arn"] != "arn:aws:sqs:us-east-1:000000000000:orders" || aws.ToString(item.Arn) != configuration["Arn"] ||
			item.Tags["tier"] != "gold" || item.Tags["aws:cloudformation:logical-id"] != "Queue" || len(item.Relationships) != 1 {
			t.Errorf("the queue's item: %+v, its configuration %v", item, configuration)
		}
		for _, c := range []struct{ kind, id, rule, want string }{
			{"AWS::SQS::Queue", *queue.ResourceId, "SQS_QUEUE_NO_PUBLIC_ACCESS", "NON_COMPLIANT"},
			{"AWS::SNS::Topic", *topic.ResourceId, "SNS_ENCRYPTED_KMS", "COMPLIANT"},
			{"AWS::KMS::Key", key, "CMK_BACKING_KEY_ROTATION_ENABLED", "NON_COMPLIANT"},
			{"AWS::StepFunctions::StateMachine", *found["AWS::StepFunctions::StateMachine machine"].ResourceId, "STEP_FUNCTIONS_STATE_MACHINE_LOGGING_ENABLED", "NON_COMPLIANT"},
		} {
			if got := a.verdicts(c.kind, c.id); got[c.rule] != c.want || len(got) != 1 {
				t.Errorf("%s: %v, want %s", c.id, got, c.want)
			}
		}
		a.deploy(strings.Replace(recordedOnly, "{Type: String}", "{Type: String, Default: 'true'}", 1), cfntypes.StackStatusUpdateComplete)
		if got := a.verdicts("AWS::KMS::Key", key); got["CMK_BACKING_KEY_ROTATION_ENABLED"] != "COMPLIANT" || len(a.history("AWS::KMS::Key", key)) != 2 {
			t.Errorf("with rotation: %v, %d items", got, len(a.history("AWS::KMS::Key", key)))
		}
		if n := len(a.history("AWS::SQS::Queue", *queue.ResourceId)); n != 1 {
			t.Errorf("%d items of a queue that has not changed", n)
		}
		_, err := a.cfn.DeleteStack(a.ctx, &cloudformation.DeleteStackInput{StackName: aws.String(stack)})
		a.need(err)
		time.Sleep(time.Minute)
		items := a.history("AWS::KMS::Key", key)
		if last := items[len(items)-1]; last.ConfigurationItemStatus != types.ConfigurationItemStatusResourceDeleted || len(a.verdicts("AWS::KMS::Key", key)) != 0 {
			t.Errorf("after the stack was deleted: %+v", last)
		}
	})
}

// A rule of the team's own is a function in Python, which judges buckets by their configuration items.
const nameRule = `
import json, os, re, urllib.request
def handler(event, context):
    item = json.loads(event["invokingEvent"])["configurationItem"]
    wanted = json.loads(event["ruleParameters"])["prefix"]
    word = "COMPLIANT" if item["resourceName"].startswith(wanted) else "NON_COMPLIANT"
    if item["configurationItemStatus"] == "ResourceDeleted" or event["eventLeftScope"]:
        word = "NOT_APPLICABLE"
    body = {"ResultToken": event["resultToken"], "Evaluations": [{"ComplianceResourceType": item["resourceType"], "ComplianceResourceId": item["resourceId"],
        "ComplianceType": word, "Annotation": item["configuration"]["region"], "OrderingTimestamp": 1}]}
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], json.dumps(body).encode(), {"X-Amz-Target": "StarlingDoveService.PutEvaluations",
        "Content-Type": "application/x-amz-json-1.1", "Authorization": "AWS4-HMAC-SHA256 Credential=local/20261125/us-east-1/config/aws4_request, SignedHeaders=host, Signature=0"})
    urllib.request.urlopen(request).read()
`

func TestCustomRuleInPython(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3 on this machine")
	}
	a := &audit{world: newWorld(t, "")}
	a.server.runner, a.server.Addr = nil, ""
	a.open()
	defer a.close()
	body := "Resources:\n  Role: {Type: 'AWS::IAM::Role', Properties: {AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]}}}\n" +
		"  Fn:\n    Type: AWS::Lambda::Function\n    Properties:\n      Handler: index.handler\n      Runtime: python3.12\n      Role: !GetAtt Role.Arn\n      Code:\n        ZipFile: |" +
		strings.ReplaceAll(nameRule, "\n", "\n          ") + "\n" +
		"  Permission: {Type: 'AWS::Lambda::Permission', Properties: {FunctionName: !Ref Fn, Action: 'lambda:InvokeFunction', Principal: config.amazonaws.com, SourceAccount: !Ref 'AWS::AccountId'}}\n" +
		"  Rule:\n    Type: AWS::Config::ConfigRule\n    DependsOn: Permission\n    Properties:\n      ConfigRuleName: names\n      InputParameters: {prefix: shop-}\n      Scope: {ComplianceResourceTypes: ['AWS::S3::Bucket']}\n" +
		"      Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: !GetAtt Fn.Arn, SourceDetails: [{EventSource: aws.config, MessageType: ConfigurationItemChangeNotification}]}\n"
	_, err := a.cfn.CreateStack(a.ctx, &cloudformation.CreateStackInput{StackName: aws.String(stack), TemplateBody: &body, Capabilities: []cfntypes.Capability{"CAPABILITY_IAM"}})
	a.need(err)
	a.need(cloudformation.NewStackCreateCompleteWaiter(a.cfn, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	}).Wait(a.ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)}, time.Minute))
	a.bucket("shop-pictures")
	a.bucket("pictures")
	for want, bucket := range map[string]string{"COMPLIANT": "shop-pictures", "NON_COMPLIANT": "pictures"} {
		got := ""
		for end := time.Now().Add(time.Minute); got == "" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			got = a.verdicts("AWS::S3::Bucket", bucket)["names"]
		}
		if got != want {
			t.Errorf("%s is %q, want %s", bucket, got, want)
		}
	}
}

// What Config costs those who write.
func BenchmarkCreateBucket(b *testing.B) {
	s := &Server{Addr: "-", CacheDir: b.TempDir()}
	if err := s.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	client := s3.NewFromConfig(s.Config("us-east-1"), func(o *s3.Options) { o.UsePathStyle = true })
	for i := 0; b.Loop(); i++ {
		name := fmt.Sprintf("bucket-%d", i)
		if _, err := client.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
			b.Fatal(err)
		}
	}
}
