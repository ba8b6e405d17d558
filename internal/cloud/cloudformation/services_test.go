package cloudformation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	cfnsdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	cdsdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cfn"
	apigatewaysvc "evo/internal/cloud/apigateway"
	apigatewayv2svc "evo/internal/cloud/apigatewayv2"
	"evo/internal/cloud/applicationautoscaling"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/cloudformation"
	cloudwatchsvc "evo/internal/cloud/cloudwatch"
	codedeploysvc "evo/internal/cloud/codedeploy"
	dynamodbsvc "evo/internal/cloud/dynamodb"
	iamsvc "evo/internal/cloud/iam"
	lambdasvc "evo/internal/cloud/lambda"
	logssvc "evo/internal/cloud/logs"
	s3svc "evo/internal/cloud/s3"
	"evo/internal/cloud/sandbox"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
	"evo/internal/sam"
)

// cloud is CloudFormation over the services themselves, each over one state. Functions are plain Go.
type cloud struct {
	t     *testing.T
	db    *store.DB
	close []func() error

	config cloudformation.Config
	stacks *cloudformation.Service
	deploy *codedeploysvc.Service

	cfn     *cfnsdk.Client
	lambda  *lambda.Client
	cd      *cdsdk.Client
	s3      *s3.Client
	dynamo  *dynamodb.Client
	iam     *iam.Client
	watch   *cloudwatch.Client
	logs    *cloudwatchlogs.Client
	gateway *apigateway.Client

	mu    sync.Mutex
	hooks map[string]string // what a hook says, by the function's handler: a status
	calls []string          // custom resource calls
	mute  bool              // custom resources do not answer
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{t: t, db: store.Memory(), hooks: map[string]string{}}
	clk := clock.Real{}
	objects, err := s3svc.New(s3svc.Config{Store: c.db, Clock: clk})
	c.need(err)
	roles, err := iamsvc.New(iamsvc.Config{Store: c.db, Clock: clk})
	c.need(err)
	watch, err := cloudwatchsvc.New(cloudwatchsvc.Config{Region: "us-east-1", Store: c.db, Clock: clk})
	c.need(err)
	logs, err := logssvc.New(logssvc.Config{Region: "us-east-1", Store: c.db, Clock: clk})
	c.need(err)
	functions, err := lambdasvc.New(lambdasvc.Config{Region: "us-east-1", Store: c.db, Clock: clk, Dir: t.TempDir(), Runner: c, Objects: objects})
	c.need(err)
	tables, err := dynamodbsvc.New(dynamodbsvc.Config{Region: "us-east-1", Store: c.db, Clock: clk})
	c.need(err)
	scaling, err := applicationautoscaling.New(applicationautoscaling.Config{Region: "us-east-1", Store: c.db, Clock: clk})
	c.need(err)
	web, err := apigatewayv2svc.New(apigatewayv2svc.Config{Region: "us-east-1", Store: c.db, Clock: clk})
	c.need(err)
	gateway, err := apigatewaysvc.New(apigatewaysvc.Config{Region: "us-east-1", Store: c.db, Clock: clk})
	c.need(err)
	c.deploy, err = codedeploysvc.New(codedeploysvc.Config{Region: "us-east-1", Store: c.db, Clock: clk, Lambda: functions, Alarms: watch, Objects: objects})
	c.need(err)
	c.config = cloudformation.Config{Region: "us-east-1", Store: c.db, Clock: clk,
		CallbackURL: func(token string) string { return "http://callback/" + token },
		Transform: func(_ context.Context, root *cfn.Node, parameters map[string]string) (*cfn.Node, error) {
			return sam.Transform(root, sam.Options{Region: "us-east-1", Parameters: parameters, Now: clk.Now()})
		},
		Services: cloudformation.Services{Lambda: functions, IAM: roles, Buckets: objects, Objects: objects, DynamoDB: tables, APIGateway: gateway,
			CodeDeploy: c.deploy, CloudWatch: watch, Logs: logs, APIGatewayV2: web, AutoScaling: scaling}}
	c.stacks, err = cloudformation.New(c.config)
	c.need(err)
	for _, s := range []any{watch, logs, functions, tables, c.deploy, c.stacks} {
		if s, ok := s.(interface{ Start(context.Context) error }); ok {
			c.need(s.Start(t.Context()))
		}
		if s, ok := s.(interface{ Close() error }); ok {
			c.close = append(c.close, s.Close)
		}
	}
	c.serve()
	cfg := wiretest.Config(t, wiretest.Serve{"lambda": functions, "codedeploy": c.deploy, "s3": objects, "dynamodb": tables,
		"iam": roles, "cloudwatch": watch, "logs": logs, "apigateway": gateway})
	c.lambda, c.cd, c.dynamo = lambda.NewFromConfig(cfg), cdsdk.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg)
	c.s3 = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	c.iam, c.watch, c.logs, c.gateway = iam.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg), cloudwatchlogs.NewFromConfig(cfg), apigateway.NewFromConfig(cfg)
	return c
}

// serve leads the client to the service as it now is.
func (c *cloud) serve() {
	c.cfn = cfnsdk.NewFromConfig(wiretest.Config(c.t, wiretest.Serve{"cloudformation": c.stacks}))
}

// restart makes a new service over the state, as after a crash.
func (c *cloud) restart() {
	c.t.Helper()
	c.need(c.stacks.Close())
	var err error
	c.stacks, err = cloudformation.New(c.config)
	c.need(err)
	c.serve()
	c.close[len(c.close)-1] = c.stacks.Close
	c.need(c.stacks.Start(c.t.Context()))
}

func (c *cloud) need(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cloud) stop() {
	for _, f := range slices.Backward(c.close) {
		c.need(f())
	}
}

func (c *cloud) Retire(string) {}

// Invoke runs a function: a hook answers CodeDeploy, a custom resource CloudFormation.
func (c *cloud) Invoke(ctx context.Context, fn *sandbox.Function, inv sandbox.Invocation) (*sandbox.Result, error) {
	res := &sandbox.Result{Payload: []byte(`{"version":"` + fn.Version + `"}`)}
	var event struct {
		DeploymentId, LifecycleEventHookExecutionId             string
		RequestType, ResponseURL, PhysicalResourceId, RequestId string
		ResourceProperties, OldResourceProperties               map[string]any
	}
	if json.Unmarshal(inv.Payload, &event) != nil {
		return res, nil
	}
	c.mu.Lock()
	status := c.hooks[fn.Handler]
	c.mu.Unlock()
	if event.DeploymentId != "" {
		_, err := c.deploy.PutLifecycleEventHookExecutionStatus(ctx, &cdsdk.PutLifecycleEventHookExecutionStatusInput{DeploymentId: aws.String(event.DeploymentId),
			LifecycleEventHookExecutionId: aws.String(event.LifecycleEventHookExecutionId), Status: cdtypes.LifecycleEventStatus(status)})
		return res, err
	}
	if event.RequestType != "" {
		return res, c.custom(event.RequestType, event.ResponseURL, event.PhysicalResourceId, event.ResourceProperties)
	}
	return res, nil
}

func (c *cloud) custom(kind, url, physical string, props map[string]any) error {
	c.mu.Lock()
	mute := c.mute
	c.calls = append(c.calls, fmt.Sprintf("%s %s %v", kind, physical, props["Value"]))
	c.mu.Unlock()
	if mute {
		return nil
	}
	answer := map[string]any{"Status": "SUCCESS", "PhysicalResourceId": "custom-1", "Data": map[string]any{"Out": "made of " + fmt.Sprint(props["Value"]), "In": map[string]any{"Deep": 7}}}
	if props["Value"] == "bad" && kind != "Delete" {
		answer["Status"], answer["Reason"] = "FAILED", "it is bad"
	}
	body, _ := json.Marshal(answer)
	return c.stacks.CustomResourceResponse(strings.TrimPrefix(url, "http://callback/"), body)
}

// apply creates or updates a stack and waits for its end.
func (c *cloud) apply(name, template string) types.Stack {
	c.t.Helper()
	caps := []types.Capability{types.CapabilityCapabilityNamedIam}
	_, err := c.cfn.UpdateStack(c.t.Context(), &cfnsdk.UpdateStackInput{StackName: aws.String(name), TemplateBody: aws.String(template), Capabilities: caps})
	if err != nil && strings.Contains(err.Error(), "does not exist") {
		_, err = c.cfn.CreateStack(c.t.Context(), &cfnsdk.CreateStackInput{StackName: aws.String(name), TemplateBody: aws.String(template), Capabilities: caps})
	}
	c.need(err)
	return c.settle(name)
}

func (c *cloud) settle(name string) types.Stack {
	c.t.Helper()
	for {
		out, err := c.cfn.DescribeStacks(c.t.Context(), &cfnsdk.DescribeStacksInput{StackName: aws.String(name)})
		c.need(err)
		if !strings.HasSuffix(string(out.Stacks[0].StackStatus), "IN_PROGRESS") {
			return out.Stacks[0]
		}
		time.Sleep(time.Second)
	}
}

// events are those of a resource, the oldest first: status and reason.
func (c *cloud) events(stack, logical string) []string {
	c.t.Helper()
	out, err := c.cfn.DescribeStackEvents(c.t.Context(), &cfnsdk.DescribeStackEventsInput{StackName: aws.String(stack)})
	c.need(err)
	var lines []string
	for _, e := range slices.Backward(out.StackEvents) {
		if logical == "" || *e.LogicalResourceId == logical {
			line := strings.TrimSpace(fmt.Sprintf("%s %s", e.ResourceStatus, aws.ToString(e.ResourceStatusReason)))
			if logical == "" {
				line = *e.LogicalResourceId + " " + line
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// release is a template as SAM makes it: a function behind an alias that CodeDeploy shifts.
func release(number int, extra string) string {
	return fmt.Sprintf(`
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: [lambda.amazonaws.com, codedeploy.amazonaws.com]}, Action: "sts:AssumeRole"}]}
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
      Policies: [{PolicyName: read, PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "dynamodb:GetItem", Resource: !GetAtt Table.Arn}]}}]
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
      SSESpecification: {SSEEnabled: true}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}
      VersioningConfiguration: {Status: Enabled}
      Tags: [{Key: team, Value: shop}]
  Log: {Type: "AWS::Logs::LogGroup", Properties: {LogGroupName: !Sub "/aws/lambda/${Fn}", RetentionInDays: 7}}
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      Runtime: nodejs22.x
      Handler: index.handler
      MemorySize: "256"
      Environment: {Variables: {TABLE: !Ref Table, RELEASE: "%[1]d"}}
      Code: {ZipFile: "exports.handler = async () => %[1]d"}
  FnVersion%[1]d: {Type: "AWS::Lambda::Version", DeletionPolicy: Retain, Properties: {FunctionName: !Ref Fn}}
  Pre: {Type: "AWS::Lambda::Function", Properties: {Role: !GetAtt Role.Arn, Runtime: nodejs22.x, Handler: pre.handler, Code: {ZipFile: "x"}}}
  Post: {Type: "AWS::Lambda::Function", Properties: {Role: !GetAtt Role.Arn, Runtime: nodejs22.x, Handler: post.handler, Code: {ZipFile: "x"}}}
  App: {Type: "AWS::CodeDeploy::Application", Properties: {ComputePlatform: Lambda}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {MetricName: Errors, Namespace: AWS/Lambda, Statistic: Sum, Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: GreaterThanThreshold, Dimensions: [{Name: FunctionName, Value: !Ref Fn}]}
  Group:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties:
      ApplicationName: !Ref App
      ServiceRoleArn: !GetAtt Role.Arn
      DeploymentConfigName: CodeDeployDefault.LambdaLinear10PercentEvery1Minute
      DeploymentStyle: {DeploymentType: BLUE_GREEN, DeploymentOption: WITH_TRAFFIC_CONTROL}
      AutoRollbackConfiguration: {Enabled: true, Events: [DEPLOYMENT_FAILURE, DEPLOYMENT_STOP_ON_ALARM, DEPLOYMENT_STOP_ON_REQUEST]}
      AlarmConfiguration: {Enabled: true, Alarms: [{Name: !Ref Alarm}]}
  Live:
    Type: AWS::Lambda::Alias
    Properties: {Name: live, FunctionName: !Ref Fn, FunctionVersion: !GetAtt FnVersion%[1]d.Version}
    UpdatePolicy:
      CodeDeployLambdaAliasUpdate: {ApplicationName: !Ref App, DeploymentGroupName: !Ref Group, BeforeAllowTrafficHook: !Ref Pre, AfterAllowTrafficHook: !Ref Post}
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Body:
        swagger: 2.0
        info: {title: shop, version: "1"}
        paths:
          /: {get: {x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Live}/invocations"}}}
  Deployment%[1]d: {Type: "AWS::ApiGateway::Deployment", Properties: {RestApiId: !Ref Api, StageName: Stage}}
  Prod: {Type: "AWS::ApiGateway::Stage", Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment%[1]d, StageName: Prod, Variables: {A: b}, MethodSettings: [{ResourcePath: "/*", HttpMethod: "*", MetricsEnabled: true}]}}
  Permission: {Type: "AWS::Lambda::Permission", Properties: {FunctionName: !Ref Live, Action: "lambda:InvokeFunction", Principal: apigateway.amazonaws.com, SourceArn: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/GET/"}}
%[2]s
Outputs:
  Fn: {Value: !Ref Fn}
  Alias: {Value: !Ref Live}
  Version: {Value: !GetAtt FnVersion%[1]d.Version}
  Bucket: {Value: !Ref Bucket}
  Table: {Value: !Ref Table}
  Api: {Value: !Ref Api}
`, number, extra)
}

func outputs(st types.Stack) map[string]string {
	out := map[string]string{}
	for _, o := range st.Outputs {
		out[*o.OutputKey] = *o.OutputValue
	}
	return out
}

// A release is made, the next one shifts traffic for ten minutes, the third fails at its hook and is rolled back.
func TestReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		defer c.stop()
		ctx := t.Context()
		c.hooks["pre.handler"], c.hooks["post.handler"] = "Succeeded", "Succeeded"
		st := c.apply("shop", release(1, ""))
		if st.StackStatus != types.StackStatusCreateComplete {
			t.Fatalf("%s:\n%s", st.StackStatus, strings.Join(c.events("shop", ""), "\n"))
		}
		out := outputs(st)
		fn, err := c.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(out["Fn"])})
		c.need(err)
		if *fn.MemorySize != 256 || fn.Environment.Variables["TABLE"] != out["Table"] || !strings.HasPrefix(out["Fn"], "shop-Fn-") {
			t.Errorf("function %v", fn)
		}
		if out["Alias"] != *fn.FunctionArn+":live" {
			t.Errorf("Ref of the alias is %s", out["Alias"])
		}
		enc, err := c.s3.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: aws.String(out["Bucket"])})
		c.need(err)
		if enc.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm != "AES256" || !strings.HasPrefix(out["Bucket"], "shop-bucket-") {
			t.Errorf("bucket %s, encryption %v", out["Bucket"], enc)
		}
		table, err := c.dynamo.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(out["Table"])})
		c.need(err)
		if table.Table.SSEDescription == nil {
			t.Error("the table is not encrypted")
		}
		stage, err := c.gateway.GetStage(ctx, &apigateway.GetStageInput{RestApiId: aws.String(out["Api"]), StageName: aws.String("Prod")})
		c.need(err)
		if !stage.MethodSettings["*/*"].MetricsEnabled || stage.Variables["A"] != "b" {
			t.Errorf("stage %v", stage.MethodSettings)
		}

		began := time.Now()
		st = c.apply("shop", release(2, ""))
		if took := time.Since(began); st.StackStatus != types.StackStatusUpdateComplete || took < 9*time.Minute || took > 10*time.Minute {
			t.Fatalf("%s after %s:\n%s", st.StackStatus, took, strings.Join(c.events("shop", ""), "\n"))
		}
		alias := c.events("shop", "Live")
		if n := len(alias); n != 6 || alias[3] != "UPDATE_IN_PROGRESS" || !strings.HasPrefix(alias[4], "UPDATE_IN_PROGRESS CodeDeploy deployment started: d-") || alias[5] != "UPDATE_COMPLETE" {
			t.Errorf("alias's events:\n%s", strings.Join(alias, "\n"))
		}
		if got := c.events("shop", "FnVersion1"); got[len(got)-1] != "DELETE_SKIPPED" {
			t.Errorf("the old version: %v", got)
		}
		c.serves("2", out["Fn"])

		c.hooks["post.handler"] = "Failed"
		st = c.apply("shop", release(3, ""))
		if st.StackStatus != types.StackStatusUpdateRollbackComplete {
			t.Fatalf("%s:\n%s", st.StackStatus, strings.Join(c.events("shop", ""), "\n"))
		}
		c.serves("2", out["Fn"])
		alias = c.events("shop", "Live")[6:]
		for i, want := range []string{"UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS CodeDeploy deployment started: d-", "UPDATE_IN_PROGRESS CodeDeploy rollback deployment started: d-",
			`UPDATE_FAILED Resource handler returned message: "d-`, "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"} {
			if i >= len(alias) || !strings.HasPrefix(alias[i], want) {
				t.Fatalf("event %d is not %q:\n%s", i, want, strings.Join(alias, "\n"))
			}
		}
		if !strings.Contains(alias[3], " failed. The deployment failed because one or more of the lifecycle event validation functions failed.\" (RequestToken: ") ||
			!strings.HasSuffix(alias[3], ", HandlerErrorCode: InternalFailure)") {
			t.Errorf("reason: %s", alias[3])
		}
		if got := c.events("shop", "FnVersion3"); got[len(got)-1] != "DELETE_SKIPPED" {
			t.Errorf("the version of the failed release: %v", got)
		}

		_, err = c.cfn.DeleteStack(ctx, &cfnsdk.DeleteStackInput{StackName: aws.String("shop")})
		c.need(err)
		if st = c.settle(*st.StackId); st.StackStatus != types.StackStatusDeleteComplete {
			t.Errorf("%s:\n%s", st.StackStatus, strings.Join(c.events(*st.StackId, ""), "\n"))
		}
	})
}

func (c *cloud) serves(version, function string) {
	c.t.Helper()
	a, err := c.lambda.GetAlias(c.t.Context(), &lambda.GetAliasInput{FunctionName: aws.String(function), Name: aws.String("live")})
	c.need(err)
	if *a.FunctionVersion != version || a.RoutingConfig != nil && len(a.RoutingConfig.AdditionalVersionWeights) > 0 {
		c.t.Errorf("the alias serves %s with %v, want %s alone", *a.FunctionVersion, a.RoutingConfig, version)
	}
}

// small is a release with no more than what a gradual deployment takes.
func small(number int, config string) string {
	return fmt.Sprintf(`
Resources:
  Role: {Type: "AWS::IAM::Role", Properties: {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: [lambda.amazonaws.com, codedeploy.amazonaws.com]}, Action: "sts:AssumeRole"}]}}}
  Fn: {Type: "AWS::Lambda::Function", Properties: {Role: !GetAtt Role.Arn, Runtime: nodejs22.x, Handler: index.handler, Code: {ZipFile: "%[1]d"}}}
  Version%[1]d: {Type: "AWS::Lambda::Version", DeletionPolicy: Retain, Properties: {FunctionName: !Ref Fn}}
  Post: {Type: "AWS::Lambda::Function", Properties: {Role: !GetAtt Role.Arn, Runtime: nodejs22.x, Handler: post.handler, Code: {ZipFile: "x"}}}
  App: {Type: "AWS::CodeDeploy::Application", Properties: {ComputePlatform: Lambda}}
  Group: {Type: "AWS::CodeDeploy::DeploymentGroup", Properties: {ApplicationName: !Ref App, ServiceRoleArn: !GetAtt Role.Arn, DeploymentConfigName: CodeDeployDefault.%[2]s,
    DeploymentStyle: {DeploymentType: BLUE_GREEN, DeploymentOption: WITH_TRAFFIC_CONTROL}, AutoRollbackConfiguration: {Enabled: true, Events: [DEPLOYMENT_FAILURE, DEPLOYMENT_STOP_ON_ALARM, DEPLOYMENT_STOP_ON_REQUEST]}}}
  Live: {Type: "AWS::Lambda::Alias", Properties: {Name: live, FunctionName: !Ref Fn, FunctionVersion: !GetAtt Version%[1]d.Version},
    UpdatePolicy: {CodeDeployLambdaAliasUpdate: {ApplicationName: !Ref App, DeploymentGroupName: !Ref Group, AfterAllowTrafficHook: !Ref Post}}}
Outputs: {Fn: {Value: !Ref Fn}, App: {Value: !Ref App}, Group: {Value: !Ref Group}}
`, number, config)
}

// Killed at every other write of a release (crash_test.go has every one, without CodeDeploy), CloudFormation ends it as it should, with one deployment and the alias whole: when the
// release is good, and when its hook fails.
func TestCrashInRelease(t *testing.T) {
	for _, hook := range []string{"Succeeded", "Failed"} {
		t.Run(hook, func(t *testing.T) {
			for n, crashed := int64(1), true; crashed; n += 2 {
				synctest.Test(t, func(t *testing.T) { crashed = crashInRelease(t, n, hook) })
			}
		})
	}
}

func crashInRelease(t *testing.T, n int64, hook string) bool {
	c := newCloud(t)
	defer c.stop()
	c.hooks["post.handler"] = hook
	out := outputs(c.apply("s", small(1, "LambdaCanary10Percent5Minutes")))
	crashed := c.stacks.CrashAt(n)
	_, err := c.cfn.UpdateStack(t.Context(), &cfnsdk.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(small(2, "LambdaCanary10Percent5Minutes")),
		Capabilities: []types.Capability{types.CapabilityCapabilityIam}})
	c.need(err)
	cloudformation.Wait(c.stacks, t.Context(), *c.stackID("s"))
	hit := crashed()
	time.Sleep(time.Duration(n%4) * 2 * time.Minute) // it stays down for a while
	c.restart()
	st := c.settle("s")
	status, version, deployments := types.StackStatusUpdateComplete, "2", 1
	if hook == "Failed" {
		status, version, deployments = types.StackStatusUpdateRollbackComplete, "1", 2 // with the one that rolls back
	}
	list, err := c.cd.ListDeployments(t.Context(), &cdsdk.ListDeploymentsInput{ApplicationName: aws.String(out["App"]), DeploymentGroupName: aws.String(out["Group"])})
	c.need(err)
	if st.StackStatus != status || len(list.Deployments) != deployments {
		t.Errorf("crash at write %d: %s, deployments %v\n%s", n, st.StackStatus, list.Deployments, strings.Join(c.events("s", ""), "\n"))
	}
	c.serves(version, out["Fn"])
	versions, err := c.lambda.ListVersionsByFunction(t.Context(), &lambda.ListVersionsByFunctionInput{FunctionName: aws.String(out["Fn"])})
	c.need(err)
	if len(versions.Versions) != 3 { // $LATEST, 1 and 2
		t.Errorf("crash at write %d: %d versions", n, len(versions.Versions))
	}
	return hit
}

func (c *cloud) stackID(name string) *string {
	c.t.Helper()
	out, err := c.cfn.DescribeStacks(c.t.Context(), &cfnsdk.DescribeStacksInput{StackName: aws.String(name)})
	c.need(err)
	return out.Stacks[0].StackId
}

// Somebody else's deployment of the group is in the way: the update fails, and leaves that deployment alone.
func TestConflictingDeployment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		defer c.stop()
		ctx := t.Context()
		c.hooks["post.handler"] = "Succeeded"
		out := outputs(c.apply("s", small(1, "LambdaCanary10Percent5Minutes")))
		_, err := c.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String(out["Fn"]), Description: aws.String("other")})
		c.need(err)
		time.Sleep(time.Minute)
		_, err = c.lambda.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String(out["Fn"])})
		c.need(err)
		content := fmt.Sprintf(`{"version": "0.0", "Resources": [{"F": {"Type": "AWS::Lambda::Function", "Properties": {"Name": %q, "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2"}}}]}`, out["Fn"])
		_, err = c.cd.CreateDeployment(ctx, &cdsdk.CreateDeploymentInput{ApplicationName: aws.String(out["App"]), DeploymentGroupName: aws.String(out["Group"]),
			Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: aws.String(content)}}})
		c.need(err)
		st := c.apply("s", small(2, "LambdaCanary10Percent5Minutes"))
		events := strings.Join(c.events("s", "Live"), "\n")
		if st.StackStatus != types.StackStatusUpdateRollbackComplete || !strings.Contains(events, "UPDATE_FAILED A conflicting deployment is in progress") {
			t.Errorf("%s\n%s", st.StackStatus, events)
		}
		time.Sleep(10 * time.Minute)
		c.serves("2", out["Fn"])
	})
}

const customTemplate = `
Resources:
  Role: {Type: "AWS::IAM::Role", Properties: {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}}}
  Maker: {Type: "AWS::Lambda::Function", Properties: {Role: !GetAtt Role.Arn, Runtime: python3.12, Handler: index.handler, Code: {ZipFile: "x"}}}
  Gate: {Type: "Custom::Gate", Properties: {ServiceToken: !GetAtt Maker.Arn, Value: %s, Number: 5%s}}
Outputs: {Out: {Value: !GetAtt Gate.Out}, Deep: {Value: !GetAtt Gate.In.Deep}, Ref: {Value: !Ref Gate}}
`

func TestCustomResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		defer c.stop()
		st := c.apply("s", fmt.Sprintf(customTemplate, "one", ""))
		if out := outputs(st); out["Out"] != "made of one" || out["Deep"] != "7" || out["Ref"] != "custom-1" {
			t.Fatalf("%s %v\n%s", st.StackStatus, out, strings.Join(c.events("s", ""), "\n"))
		}
		st = c.apply("s", fmt.Sprintf(customTemplate, "bad", ""))
		if st.StackStatus != types.StackStatusUpdateRollbackComplete {
			t.Errorf("%s", st.StackStatus)
		}
		events := strings.Join(c.events("s", "Gate"), "\n")
		if !strings.Contains(events, "UPDATE_FAILED Received response status [FAILED] from custom resource. Message returned: it is bad (RequestId: ") {
			t.Error(events)
		}
		c.mute = true
		began := time.Now()
		st = c.apply("s", fmt.Sprintf(customTemplate, "two", ", ServiceTimeout: 60"))
		if took := time.Since(began); st.StackStatus != types.StackStatusUpdateRollbackFailed || took < time.Hour+time.Minute || took > time.Hour+2*time.Minute {
			t.Errorf("%s after %s", st.StackStatus, took) // the rollback has the old properties, without a time-out of their own
		}
		if events := strings.Join(c.events("s", "Gate"), "\n"); !strings.Contains(events, "CloudFormation did not receive a response from your Custom Resource.") {
			t.Error(events)
		}
		c.mute = false
		_, err := c.cfn.ContinueUpdateRollback(t.Context(), &cfnsdk.ContinueUpdateRollbackInput{StackName: aws.String("s")})
		c.need(err)
		if st = c.settle("s"); st.StackStatus != types.StackStatusUpdateRollbackComplete {
			t.Errorf("%s", st.StackStatus)
		}
		want := "Create  one, Update custom-1 bad, Update custom-1 one, Update custom-1 two, Update custom-1 one, Update custom-1 one"
		if got := strings.Join(c.calls, ", "); got != want {
			t.Errorf("calls %s", got)
		}
		_, err = c.cfn.DeleteStack(t.Context(), &cfnsdk.DeleteStackInput{StackName: aws.String("s")})
		c.need(err)
		if st = c.settle(*st.StackId); st.StackStatus != types.StackStatusDeleteComplete || c.calls[len(c.calls)-1] != "Delete custom-1 one" {
			t.Errorf("%s, %v", st.StackStatus, c.calls)
		}
	})
}

func TestNestedStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		defer c.stop()
		ctx := t.Context()
		put := func(key, body string) {
			_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("templates"), Key: aws.String(key), Body: strings.NewReader(body)})
			c.need(err)
		}
		_, err := c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("templates")})
		c.need(err)
		put("one.yaml", `{Parameters: {P: {Type: String}}, Resources: {Q: {Type: "AWS::SQS::Queue", Properties: {QueueName: !Ref P}}}, Outputs: {Name: {Value: !GetAtt Q.QueueName}}}`)
		put("bad.yaml", `{Parameters: {P: {Type: String}}, Resources: {F: {Type: "AWS::S3::Bucket", Properties: {BucketName: templates}}}, Outputs: {Name: {Value: x}}}`)
		parent := `{Resources: {Child: {Type: "AWS::CloudFormation::Stack", Properties: {TemplateURL: "https://templates.s3.amazonaws.com/%s", Parameters: {P: %s}}}}, Outputs: {O: {Value: !GetAtt Child.Outputs.Name}}}`
		st := c.apply("s", fmt.Sprintf(parent, "one.yaml", "first"))
		if st.StackStatus != types.StackStatusCreateComplete || outputs(st)["O"] != "first" {
			t.Fatalf("%s %v\n%s", st.StackStatus, outputs(st), strings.Join(c.events("s", ""), "\n"))
		}
		if st = c.apply("s", fmt.Sprintf(parent, "one.yaml", "second")); outputs(st)["O"] != "second" {
			t.Errorf("%s %v", st.StackStatus, outputs(st))
		}
		if st = c.apply("s", fmt.Sprintf(parent, "bad.yaml", "third")); st.StackStatus != types.StackStatusUpdateRollbackComplete || outputs(st)["O"] != "second" {
			t.Errorf("%s %v\n%s", st.StackStatus, outputs(st), strings.Join(c.events("s", ""), "\n"))
		}
		all, err := c.cfn.ListStacks(ctx, &cfnsdk.ListStacksInput{})
		c.need(err)
		if len(all.StackSummaries) != 2 {
			t.Errorf("%d stacks", len(all.StackSummaries))
		}
		_, err = c.cfn.DeleteStack(ctx, &cfnsdk.DeleteStackInput{StackName: aws.String("s")})
		c.need(err)
		c.settle(*st.StackId)
		for _, s := range all.StackSummaries {
			if got := c.settle(*s.StackId); got.StackStatus != types.StackStatusDeleteComplete {
				t.Errorf("%s is %s", *s.StackName, got.StackStatus)
			}
		}
	})
}

// A root whose nested stacks were updated, and which then fails, brings them back: what they had replaced is still there, with its
// data. When it succeeds, what they replaced goes in its own cleanup.
func TestNestedStackIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		defer c.stop()
		ctx := t.Context()
		_, err := c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("templates")})
		c.need(err)
		put := func(bucket, key, body string) {
			t.Helper()
			_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)})
			c.need(err)
		}
		nested := func(template string) string {
			return `{Type: "AWS::CloudFormation::Stack", Properties: {TemplateURL: "https://templates.s3.amazonaws.com/` + template + `", Parameters: {P: !Ref P}}}`
		}
		put("templates", "leaf.yaml", `{Parameters: {P: {Type: String}}, Resources: {B: {Type: "AWS::S3::Bucket", Properties: {BucketName: !Ref P}}}, Outputs: {Name: {Value: !Ref B, Export: {Name: the-bucket}}}}`)
		put("templates", "middle.yaml", `{Parameters: {P: {Type: String}}, Resources: {Leaf: `+nested("leaf.yaml")+`}, Outputs: {Name: {Value: !GetAtt Leaf.Outputs.Name}}}`)
		root := func(p, sibling string) string {
			return `{Parameters: {P: {Type: String, Default: ` + p + `}}, Resources: {Middle: ` + nested("middle.yaml") + sibling + `}, Outputs: {Name: {Value: !GetAtt Middle.Outputs.Name}}}`
		}
		exists := func(bucket string) bool {
			_, err := c.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
			return err == nil
		}
		st := c.apply("s", root("first", ""))
		if st.StackStatus != types.StackStatusCreateComplete || outputs(st)["Name"] != "first" {
			t.Fatalf("%s %v\n%s", st.StackStatus, outputs(st), strings.Join(c.events("s", ""), "\n"))
		}
		put("first", "data", "precious")

		st = c.apply("s", root("second", `, Bad: {Type: "AWS::S3::Bucket", DependsOn: Middle, Properties: {BucketName: templates}}`))
		if st.StackStatus != types.StackStatusUpdateRollbackComplete || outputs(st)["Name"] != "first" {
			t.Errorf("%s %v\n%s", st.StackStatus, outputs(st), strings.Join(c.events("s", ""), "\n"))
		}
		if exists("second") {
			t.Error("the bucket that was to replace the first is still there")
		}
		if _, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("first"), Key: aws.String("data")}); err != nil {
			t.Errorf("the first bucket's data: %v", err)
		}
		all, err := c.cfn.DescribeStacks(ctx, &cfnsdk.DescribeStacksInput{})
		c.need(err)
		for _, s := range all.Stacks {
			if s.StackStatus != types.StackStatusUpdateRollbackComplete || outputs(s)["Name"] != "first" {
				t.Errorf("%s: %s %v\n%s", *s.StackName, s.StackStatus, outputs(s), strings.Join(c.events(*s.StackId, ""), "\n"))
			}
		}
		exports, err := c.cfn.ListExports(ctx, &cfnsdk.ListExportsInput{})
		c.need(err)
		if len(exports.Exports) != 1 || *exports.Exports[0].Value != "first" {
			t.Errorf("exports %v", exports.Exports)
		}

		_, err = c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("first"), Key: aws.String("data")})
		c.need(err)
		st = c.apply("s", root("third", ""))
		if st.StackStatus != types.StackStatusUpdateComplete || outputs(st)["Name"] != "third" || exists("first") || !exists("third") {
			t.Errorf("%s %v, first is there: %v\n%s", st.StackStatus, outputs(st), exists("first"), strings.Join(c.events("s", ""), "\n"))
		}
		if all, err = c.cfn.DescribeStacks(ctx, &cfnsdk.DescribeStacksInput{}); err != nil || len(all.Stacks) != 3 {
			t.Fatalf("%d stacks, %v", len(all.Stacks), err)
		}
		for _, s := range all.Stacks {
			if s.StackStatus != types.StackStatusUpdateComplete {
				t.Errorf("%s is %s\n%s", *s.StackName, s.StackStatus, strings.Join(c.events(*s.StackId, ""), "\n"))
			}
		}
	})
}

// A policy of AWS that there is not is refused by IAM, and so in a template.
func TestRoleWithUnknownPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		defer c.stop()
		st := c.apply("s", `{Resources: {R: {Type: "AWS::IAM::Role", Properties: {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]},
			ManagedPolicyArns: ["arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole"]}}}}`)
		events := strings.Join(c.events("s", ""), "\n")
		if st.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(events, "Policy arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole does not exist or is not attachable.") || !strings.Contains(events, "HandlerErrorCode: NotFound") {
			t.Errorf("%s\n%s", st.StackStatus, events)
		}
		if roles, err := c.iam.ListRoles(t.Context(), &iam.ListRolesInput{}); err != nil || len(roles.Roles) != 0 {
			t.Errorf("%d roles are left over (%v)", len(roles.Roles), err)
		}
	})
}

// A SAM template goes through the transform, by change set and by a direct call, and its second release shifts.
func TestSAM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		defer c.stop()
		ctx := t.Context()
		template := `
Transform: AWS::Serverless-2016-10-31
Parameters: {Stage: {Type: String, Default: live}}
Globals: {Function: {Runtime: nodejs22.x, Handler: index.handler}}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: exports.handler = async () => %d
      AutoPublishAlias: !Ref Stage
      DeploymentPreference: {Type: Linear10PercentEvery1Minute}
      Policies: [AWSLambdaBasicExecutionRole, {DynamoDBReadPolicy: {TableName: !Ref Items}}]
      Events: {Get: {Type: Api, Properties: {Path: /items, Method: get}}}
  Items: {Type: AWS::Serverless::SimpleTable}
Outputs: {Url: {Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/"}, Fn: {Value: !Ref Fn}}
`
		_, err := c.cfn.CreateStack(ctx, &cfnsdk.CreateStackInput{StackName: aws.String("direct"), TemplateBody: aws.String(fmt.Sprintf(template, 1)),
			Capabilities: []types.Capability{types.CapabilityCapabilityIam}})
		if err == nil || !strings.Contains(err.Error(), "Requires capabilities : [CAPABILITY_AUTO_EXPAND]") {
			t.Errorf("a direct call without CAPABILITY_AUTO_EXPAND: %v", err)
		}
		release := func(n int, kind types.ChangeSetType) types.Stack {
			t.Helper()
			cs, err := c.cfn.CreateChangeSet(ctx, &cfnsdk.CreateChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String(fmt.Sprintf("r%d", n)), ChangeSetType: kind,
				TemplateBody: aws.String(fmt.Sprintf(template, n)), Capabilities: []types.Capability{types.CapabilityCapabilityIam}})
			c.need(err)
			d, err := c.cfn.DescribeChangeSet(ctx, &cfnsdk.DescribeChangeSetInput{ChangeSetName: cs.Id})
			c.need(err)
			if d.Status != types.ChangeSetStatusCreateComplete {
				t.Fatalf("%s %s", d.Status, aws.ToString(d.StatusReason))
			}
			_, err = c.cfn.ExecuteChangeSet(ctx, &cfnsdk.ExecuteChangeSetInput{ChangeSetName: cs.Id})
			c.need(err)
			return c.settle("s")
		}
		st := release(1, types.ChangeSetTypeCreate)
		if st.StackStatus != types.StackStatusCreateComplete {
			t.Fatalf("%s\n%s", st.StackStatus, strings.Join(c.events("s", ""), "\n"))
		}
		began := time.Now()
		st = release(2, types.ChangeSetTypeUpdate)
		if took := time.Since(began); st.StackStatus != types.StackStatusUpdateComplete || took < 9*time.Minute {
			t.Fatalf("%s after %s\n%s", st.StackStatus, took, strings.Join(c.events("s", ""), "\n"))
		}
		c.serves("2", outputs(st)["Fn"])
		processed, err := c.cfn.GetTemplate(ctx, &cfnsdk.GetTemplateInput{StackName: aws.String("s"), TemplateStage: types.TemplateStageProcessed})
		c.need(err)
		if !strings.Contains(*processed.TemplateBody, "AWS::Lambda::Alias") {
			t.Error("the processed template is not CloudFormation's")
		}
		cs, err := c.cfn.CreateChangeSet(ctx, &cfnsdk.CreateChangeSetInput{StackName: aws.String("bad"), ChangeSetName: aws.String("b"), ChangeSetType: types.ChangeSetTypeCreate,
			TemplateBody: aws.String("{Transform: 'AWS::Serverless-2016-10-31', Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {Events: 1}}}}")})
		c.need(err)
		d, err := c.cfn.DescribeChangeSet(ctx, &cfnsdk.DescribeChangeSetInput{ChangeSetName: cs.Id})
		c.need(err)
		if d.Status != types.ChangeSetStatusFailed || !strings.HasPrefix(aws.ToString(d.StatusReason), "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document.") {
			t.Errorf("%s %s", d.Status, aws.ToString(d.StatusReason))
		}
	})
}

// Killed while it makes a stack with a stack in it, CloudFormation makes both, once.
func TestCrashInNestedStack(t *testing.T) {
	for n, crashed := int64(1), true; crashed; n += 3 {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t)
			defer c.stop()
			ctx := t.Context()
			_, err := c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("templates")})
			c.need(err)
			_, err = c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("templates"), Key: aws.String("t"), Body: strings.NewReader(
				`{Resources: {A: {Type: "AWS::S3::Bucket"}, B: {Type: "AWS::SQS::Queue", DependsOn: A}}, Outputs: {A: {Value: !Ref A}}}`)})
			c.need(err)
			hit := c.stacks.CrashAt(n)
			_, err = c.cfn.CreateStack(ctx, &cfnsdk.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(
				`{Resources: {Child: {Type: "AWS::CloudFormation::Stack", Properties: {TemplateURL: "https://templates.s3.amazonaws.com/t"}}, Last: {Type: "AWS::SQS::Queue", Properties: {QueueName: !GetAtt Child.Outputs.A}}}}`)})
			c.need(err)
			cloudformation.Wait(c.stacks, ctx, *c.stackID("s"))
			crashed = hit()
			c.restart()
			st := c.settle("s")
			all, err := c.cfn.ListStacks(ctx, &cfnsdk.ListStacksInput{})
			c.need(err)
			buckets, err := c.s3.ListBuckets(ctx, &s3.ListBucketsInput{})
			c.need(err)
			if st.StackStatus != types.StackStatusCreateComplete || len(all.StackSummaries) != 2 || len(buckets.Buckets) != 2 {
				t.Errorf("crash at write %d: %s, %d stacks, %d buckets\n%s", n, st.StackStatus, len(all.StackSummaries), len(buckets.Buckets), strings.Join(c.events("s", ""), "\n"))
			}
		})
	}
}

// Wherever the process ends while a nested update is made and taken back, or made and cleaned up, the outcome is the same.
func TestCrashInNestedUpdate(t *testing.T) {
	for _, fails := range []bool{true, false} {
		for n, crashed := int64(1), true; crashed; n += 3 {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t)
				defer c.stop()
				ctx := t.Context()
				_, err := c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("templates")})
				c.need(err)
				_, err = c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("templates"), Key: aws.String("t"), Body: strings.NewReader(
					`{Parameters: {P: {Type: String}}, Resources: {B: {Type: "AWS::S3::Bucket", Properties: {BucketName: !Ref P}}}, Outputs: {B: {Value: !Ref B}}}`)})
				c.need(err)
				root := `{Resources: {Child: {Type: "AWS::CloudFormation::Stack", Properties: {TemplateURL: "https://templates.s3.amazonaws.com/t", Parameters: {P: %s}}}%s}, Outputs: {B: {Value: !GetAtt Child.Outputs.B}}}`
				st := c.apply("s", fmt.Sprintf(root, "first", ""))
				sibling, want, bucket := "", types.StackStatusUpdateComplete, "second"
				if fails {
					sibling, want, bucket = `, Bad: {Type: "AWS::Lambda::Permission", DependsOn: Child, Properties: {FunctionName: none, Action: "lambda:InvokeFunction", Principal: s3.amazonaws.com}}`, types.StackStatusUpdateRollbackComplete, "first"
				}
				hit := c.stacks.CrashAt(n)
				_, err = c.cfn.UpdateStack(ctx, &cfnsdk.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(fmt.Sprintf(root, "second", sibling))})
				c.need(err)
				cloudformation.Wait(c.stacks, ctx, *st.StackId)
				crashed = hit()
				c.restart()
				st = c.settle("s")
				all, err := c.cfn.DescribeStacks(ctx, &cfnsdk.DescribeStacksInput{})
				c.need(err)
				buckets, err := c.s3.ListBuckets(ctx, &s3.ListBucketsInput{})
				c.need(err)
				if outputs(st)["B"] != bucket || len(all.Stacks) != 2 || len(buckets.Buckets) != 2 {
					t.Errorf("crash at write %d: %s %v, %d stacks, %d buckets\n%s", n, st.StackStatus, outputs(st), len(all.Stacks), len(buckets.Buckets), strings.Join(c.events("s", ""), "\n"))
				}
				for _, s := range all.Stacks {
					if s.StackStatus != want {
						t.Errorf("crash at write %d: %s is %s", n, *s.StackName, s.StackStatus)
					}
				}
			})
		}
	}
}

func TestInclude(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		defer c.stop()
		ctx := t.Context()
		_, err := c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("parts")})
		c.need(err)
		for key, body := range map[string]string{"topic.yaml": "{TopicName: included, DisplayName: from the file}", "outputs.yaml": "{Outputs: {N: {Value: !GetAtt T.TopicName}}}"} {
			_, err = c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("parts"), Key: aws.String(key), Body: strings.NewReader(body)})
			c.need(err)
		}
		template := `{Parameters: {B: {Type: String, Default: %s}}, Transform: {Name: AWS::Include, Parameters: {Location: !Sub "s3://${B}/outputs.yaml"}},
  Resources: {T: {Type: "AWS::SNS::Topic", Properties: {DisplayName: own, Fn::Transform: {Name: AWS::Include, Parameters: {Location: "s3://parts/topic.yaml"}}}}}}`
		make := func(name, bucket string) *cfnsdk.DescribeChangeSetOutput {
			cs, err := c.cfn.CreateChangeSet(ctx, &cfnsdk.CreateChangeSetInput{StackName: aws.String(name), ChangeSetName: aws.String("c"), ChangeSetType: types.ChangeSetTypeCreate,
				TemplateBody: aws.String(fmt.Sprintf(template, bucket))})
			c.need(err)
			d, err := c.cfn.DescribeChangeSet(ctx, &cfnsdk.DescribeChangeSetInput{ChangeSetName: cs.Id, IncludePropertyValues: aws.Bool(true)})
			c.need(err)
			return d
		}
		d := make("s", "parts")
		if d.Status != types.ChangeSetStatusCreateComplete || aws.ToString(d.Changes[0].ResourceChange.AfterContext) != `{"Properties":{"DisplayName":"own","TopicName":"included"}}` {
			t.Fatalf("%s %s %v", d.Status, aws.ToString(d.StatusReason), d.Changes)
		}
		_, err = c.cfn.ExecuteChangeSet(ctx, &cfnsdk.ExecuteChangeSetInput{ChangeSetName: d.ChangeSetId})
		c.need(err)
		if st := c.settle("s"); outputs(st)["N"] != "included" {
			t.Errorf("%s %v", st.StackStatus, outputs(st))
		}
		d = make("none", "doesnotexist")
		if got := aws.ToString(d.StatusReason); d.Status != types.ChangeSetStatusFailed || got != "Transform AWS::Include failed with: S3 bucket [doesnotexist] does not exist." {
			t.Errorf("%s %s", d.Status, got)
		}
	})
}

// Every resource type that is made for real is made, changed, and deleted again.
func TestManyTypes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		defer c.stop()
		template := `
Resources:
  Role: {Type: "AWS::IAM::Role", Properties: {Description: %[1]s, AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}}}
  Inline: {Type: "AWS::IAM::Policy", Properties: {PolicyName: p-%[1]s, Roles: [!Ref Role], PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]}}}
  Managed: {Type: "AWS::IAM::ManagedPolicy", Properties: {Roles: [!Ref Role], PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:%[1]s", Resource: "*"}]}}}
  Fn: {Type: "AWS::Lambda::Function", Properties: {Role: !GetAtt Role.Arn, Runtime: nodejs22.x, Handler: index.handler, ReservedConcurrentExecutions: 2, Tags: [{Key: a, Value: %[1]s}], Code: {ZipFile: "x"}}}
  Invoke: {Type: "AWS::Lambda::EventInvokeConfig", Properties: {FunctionName: !Ref Fn, Qualifier: $LATEST, MaximumRetryAttempts: 1}}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      CorsConfiguration: {CorsRules: [{AllowedMethods: [GET], AllowedOrigins: ["*"], MaxAge: 10, ExposedHeaders: [x-%[1]s]}]}
      LifecycleConfiguration: {Rules: [{Id: old, Status: Enabled, Prefix: logs/, ExpirationInDays: 3, Transitions: [{StorageClass: GLACIER, TransitionInDays: 1}]}]}
      PublicAccessBlockConfiguration: {BlockPublicAcls: true, BlockPublicPolicy: false}
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}
      WebsiteConfiguration: {IndexDocument: %[1]s.html, ErrorDocument: e.html}
      LoggingConfiguration: {LogFilePrefix: log/}
  BucketPolicy: {Type: "AWS::S3::BucketPolicy", Properties: {Bucket: !Ref Bucket, PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: "s3:GetObject", Resource: !Sub "${Bucket.Arn}/*"}]}}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}, {AttributeName: %[1]s, AttributeType: N}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      ProvisionedThroughput: {ReadCapacityUnits: "5", WriteCapacityUnits: %[2]d}
      GlobalSecondaryIndexes: [{IndexName: by-%[1]s, KeySchema: [{AttributeName: %[1]s, KeyType: HASH}], Projection: {ProjectionType: ALL}, ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 5}}]
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
      Tags: [{Key: a, Value: %[1]s}]
  Target: {Type: "AWS::ApplicationAutoScaling::ScalableTarget", Properties: {MinCapacity: 1, MaxCapacity: %[2]d, ResourceId: !Sub "table/${Table}", ScalableDimension: "dynamodb:table:ReadCapacityUnits", ServiceNamespace: dynamodb, RoleARN: !GetAtt Role.Arn}}
  Scaling: {Type: "AWS::ApplicationAutoScaling::ScalingPolicy", Properties: {PolicyName: p, PolicyType: TargetTrackingScaling, ScalingTargetId: !Ref Target, TargetTrackingScalingPolicyConfiguration: {TargetValue: 50, PredefinedMetricSpecification: {PredefinedMetricType: DynamoDBReadCapacityUtilization}}}}
  Log: {Type: "AWS::Logs::LogGroup", Properties: {RetentionInDays: 7}}
  Filter: {Type: "AWS::Logs::MetricFilter", Properties: {LogGroupName: !Ref Log, FilterPattern: "{ $.a = 1 }", MetricTransformations: [{MetricName: %[1]s, MetricNamespace: n, MetricValue: "1", Dimensions: [{Key: k, Value: $.k}]}]}}
  Dashboard: {Type: "AWS::CloudWatch::Dashboard", Properties: {DashboardBody: '{"widgets": []}'}}
  Config: {Type: "AWS::CodeDeploy::DeploymentConfig", Properties: {ComputePlatform: Lambda, TrafficRoutingConfig: {Type: TimeBasedCanary, TimeBasedCanary: {CanaryPercentage: 5, CanaryInterval: 1}}}}
  Rest: {Type: "AWS::ApiGateway::RestApi", Properties: {Name: rest, Description: %[1]s, BinaryMediaTypes: ["image/%[1]s"]}}
  Path: {Type: "AWS::ApiGateway::Resource", Properties: {RestApiId: !Ref Rest, ParentId: !GetAtt Rest.RootResourceId, PathPart: items}}
  Method: {Type: "AWS::ApiGateway::Method", Properties: {RestApiId: !Ref Rest, ResourceId: !Ref Path, HttpMethod: GET, AuthorizationType: NONE, MethodResponses: [{StatusCode: 200}], Integration: {Type: MOCK, RequestTemplates: {application/json: '{"statusCode": 200}'}, IntegrationResponses: [{StatusCode: 200, ResponseTemplates: {application/json: %[1]s}}]}}}
  Response: {Type: "AWS::ApiGateway::GatewayResponse", Properties: {RestApiId: !Ref Rest, ResponseType: DEFAULT_4XX, ResponseParameters: {gatewayresponse.header.A: "'%[1]s'"}}}
  Model: {Type: "AWS::ApiGateway::Model", Properties: {RestApiId: !Ref Rest, ContentType: application/json, Schema: {title: %[1]s}}}
  Account: {Type: "AWS::ApiGateway::Account", Properties: {CloudWatchRoleArn: !GetAtt Role.Arn}}
  Http: {Type: "AWS::ApiGatewayV2::Api", Properties: {Name: web-%[1]s, ProtocolType: HTTP, CorsConfiguration: {AllowOrigins: ["*"]}}}
  HttpIntegration: {Type: "AWS::ApiGatewayV2::Integration", Properties: {ApiId: !Ref Http, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Fn.Arn, PayloadFormatVersion: "2.0"}}
  Route: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Http, RouteKey: "GET /%[1]s", Target: !Sub "integrations/${HttpIntegration}"}}
  HttpStage: {Type: "AWS::ApiGatewayV2::Stage", Properties: {ApiId: !Ref Http, StageName: $default, AutoDeploy: true, StageVariables: {A: %[1]s}}}
  Queue: {Type: "AWS::SQS::Queue"}
  Rule: {Type: "AWS::Config::ConfigRule", Properties: {Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_VERSIONING_ENABLED}}}
Outputs: {Queue: {Value: !Ref Queue}, QueueArn: {Value: !GetAtt Queue.Arn}}
`
		st := c.apply("s", fmt.Sprintf(template, "one", 5))
		if st.StackStatus != types.StackStatusCreateComplete {
			t.Fatalf("%s\n%s", st.StackStatus, strings.Join(c.events("s", ""), "\n"))
		}
		if out := outputs(st); !strings.HasPrefix(out["Queue"], "https://sqs.us-east-1.amazonaws.com/000000000000/s-Queue-") || !strings.HasPrefix(out["QueueArn"], "arn:aws:sqs:us-east-1:000000000000:s-Queue-") {
			t.Errorf("outputs %v", out)
		}
		var recorded []string
		for _, e := range c.events("s", "") {
			if strings.Contains(e, "evo records ") {
				recorded = append(recorded, strings.Fields(e)[0])
			}
		}
		if slices.Sort(recorded); !slices.Equal(recorded, []string{"Queue", "Rule"}) {
			t.Errorf("%v say that they are recorded only", recorded)
		}
		if st = c.apply("s", fmt.Sprintf(template, "two", 6)); st.StackStatus != types.StackStatusUpdateComplete {
			t.Fatalf("%s\n%s", st.StackStatus, strings.Join(c.events("s", ""), "\n"))
		}
		_, err := c.cfn.DeleteStack(t.Context(), &cfnsdk.DeleteStackInput{StackName: aws.String("s")})
		c.need(err)
		if st = c.settle(*st.StackId); st.StackStatus != types.StackStatusDeleteComplete {
			t.Errorf("%s\n%s", st.StackStatus, strings.Join(c.events(*st.StackId, ""), "\n"))
		}
	})
}
