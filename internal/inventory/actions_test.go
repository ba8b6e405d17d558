package inventory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"evo/internal/cfn"
	"evo/internal/inventory"
)

// Operations whose permission is called otherwise, as the Service Authorization Reference has it.
var permissions = map[string]string{
	"S3 GetBucketEncryption": "s3:GetEncryptionConfiguration", "S3 GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
	"S3 GetBucketReplication": "s3:GetReplicationConfiguration", "S3 GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
	"S3 GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration", "S3 GetBucketCors": "s3:GetBucketCORS",
}

// Services whose prefix in permissions is not their name in lower case.
var prefixes = map[string]string{"Application Auto Scaling": "application-autoscaling", "CloudWatch Logs": "logs"}

func permission(operation string) string {
	if p, ok := permissions[operation]; ok {
		return p
	}
	i := strings.LastIndexByte(operation, ' ')
	service, name := operation[:i], operation[i+1:]
	if service == "API Gateway" || service == "ApiGatewayV2" {
		return "apigateway:GET"
	}
	if p, ok := prefixes[service]; ok {
		return p + ":" + name
	}
	return strings.ToLower(service) + ":" + name
}

// Every call that the reading makes is allowed by the permissions that it says it takes; and none of them is idle.
func TestActionsCoverCalls(t *testing.T) {
	w := newWorld(t)
	s := w.stack("full", full)
	w.reader().Live(t.Context(), s.Items)
	everything := func(string) bool { return true }
	w.reader().Account(t.Context(), s, everything)
	var made, allowed []string
	for _, operation := range w.calls.seen {
		made = append(made, permission(operation))
	}
	slices.Sort(made)
	made = slices.Compact(made)
	for _, st := range append(inventory.Actions(s.Items, nil), inventory.AccountActions(everything)...) {
		allowed = append(allowed, st.Actions...)
	}
	slices.Sort(allowed)
	allowed = slices.Compact(allowed)
	if diff := cmp.Diff(allowed, made); diff != "" {
		t.Errorf("allowed (-) and made (+):\n%s", diff)
	}
}

// Permissions are the fewest: of the types that there are, on the resources that there are.
func TestActions(t *testing.T) {
	items := itemsOf(t, `
Resources:
  Bucket: {Type: 'AWS::S3::Bucket'}
  Role: {Type: 'AWS::IAM::Role', Properties: {Path: /shop/, AssumeRolePolicyDocument: {}}}
  Managed: {Type: 'AWS::IAM::ManagedPolicy', Properties: {PolicyDocument: {}}}
  Function: {Type: 'AWS::Lambda::Function', Properties: {Code: {ZipFile: a}, Role: !GetAtt Role.Arn}}
  Alias: {Type: 'AWS::Lambda::Alias', Properties: {FunctionName: !Ref Function, FunctionVersion: '1', Name: live}}
  Permission: {Type: 'AWS::Lambda::Permission', Properties: {FunctionName: !Ref Alias, Action: a, Principal: b}}
  Named: {Type: 'AWS::Lambda::Permission', Properties: {FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:other:live', Action: a, Principal: b}}
  Api: {Type: 'AWS::ApiGateway::RestApi', Properties: {Name: a}}
  Stage: {Type: 'AWS::ApiGateway::Stage', Properties: {RestApiId: !Ref Api, StageName: live}}
  Queue: {Type: 'AWS::SQS::Queue'}
`)
	got := lines(inventory.Actions(items, func(id string) bool { return id != "Api" && id != "Managed" }))
	want := []string{
		"apigateway:GET on arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/*",
		"apigateway:GET on arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/*/stages/${Stage}",
		"cloudformation:DescribeStacks,GetTemplate,ListStackResources on arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/${AWS::StackName}/*",
		"iam:GetPolicy,GetPolicyVersion on arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/*",
		"iam:GetRole,GetRolePolicy,ListAttachedRolePolicies,ListRolePolicies on arn:${AWS::Partition}:iam::${AWS::AccountId}:role/shop/${Role}",
		"lambda:GetAlias,GetFunctionConcurrency,GetFunctionConfiguration,GetFunctionUrlConfig,GetPolicy,GetProvisionedConcurrencyConfig,ListTags on " +
			"arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${Function} arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${Function}:*",
		"lambda:GetPolicy on arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:other arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:other:*",
		"s3:GetBucketAcl,GetBucketCORS,GetBucketLogging,GetBucketObjectLockConfiguration,GetBucketOwnershipControls,GetBucketPolicy,GetBucketPolicyStatus,GetBucketPublicAccessBlock," +
			"GetBucketTagging,GetBucketVersioning,GetBucketWebsite,GetEncryptionConfiguration,GetLifecycleConfiguration,GetReplicationConfiguration on arn:${AWS::Partition}:s3:::${Bucket}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// lines writes statements, the service once.
func lines(statements []inventory.Statement) (all []string) {
	for _, st := range statements {
		service, _, _ := strings.Cut(st.Actions[0], ":")
		line := service + ":"
		for i, action := range st.Actions {
			if i > 0 {
				line += ","
			}
			line += strings.TrimPrefix(action, service+":")
		}
		line += " on"
		for _, n := range st.Resources {
			text := n.Str()
			if n.Has("Fn::Sub") {
				text = n.Get("Fn::Sub").Str()
			}
			line += " " + text
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}

// itemsOf makes items of a template that nobody has deployed.
func itemsOf(t *testing.T, text string) (items []*inventory.Item) {
	t.Helper()
	root, err := cfn.Parse("", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range root.Get("Resources").Entries() {
		it := &inventory.Item{ID: p.Key, Type: p.Value.Get("Type").Str(), Properties: p.Value.Get("Properties")}
		if it.Properties == nil {
			it.Properties = cfn.Obj()
		}
		items = append(items, it)
	}
	return items
}
