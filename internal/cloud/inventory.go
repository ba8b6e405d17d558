package cloud

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/smithy-go"

	"evo/internal/cfn"
	"evo/internal/cloud/call"
	"evo/internal/cloud/configservice"
	"evo/internal/rules"
)

// inventory lists what AWS Config records, as the services describe it.
type inventory struct {
	*parts
	*region
}

// recorded is a type of resources that AWS Config records.
type recorded struct {
	kind   string
	tables []string // with % for the region
	list   func(inventory, context.Context) ([]configservice.Resource, error)
	one    func(inventory, context.Context, string) (configservice.Resource, error) // by its id, which is its key in the table; nil: list
	among  bool                                                                     // verdicts of other resources depend on it
}

var recordedTypes = []recorded{
	{"AWS::S3::Bucket", []string{"s3/buckets"}, inventory.buckets, inventory.bucketNamed, false},
	{"AWS::DynamoDB::Table", []string{"%/dynamodb/tables"}, inventory.tables, inventory.table, false},
	{"AWS::Lambda::Function", []string{"%/lambda/functions", "%/lambda/versions", "%/lambda/policies", "%/lambda/aliases"}, inventory.lambdas, nil, false},
	{"AWS::IAM::Role", []string{"iam/principals"}, inventory.roles, nil, true},
	{"AWS::IAM::User", []string{"iam/principals"}, inventory.users, nil, true},
	{"AWS::IAM::Policy", []string{"iam/policies"}, inventory.policies, nil, true},
	{"AWS::ApiGateway::RestApi", []string{"%/apigateway/apis"}, inventory.restAPIs, nil, false},
	{"AWS::ApiGateway::Stage", []string{"%/apigateway/apis", "%/apigateway/stages"}, inventory.restStages, nil, false},
	{"AWS::ApiGatewayV2::Api", []string{"%/apigatewayv2/apis"}, inventory.httpAPIs, nil, false},
	{"AWS::ApiGatewayV2::Stage", []string{"%/apigatewayv2/apis", "%/apigatewayv2/stages"}, inventory.httpStages, nil, false},
	{"AWS::ApiGatewayV2::Route", []string{"%/apigatewayv2/apis"}, inventory.httpRoutes, nil, false},
	{"AWS::Logs::LogGroup", []string{"%/logs/groups"}, inventory.logGroups, nil, false},
	{"AWS::CloudWatch::Alarm", []string{"%/cloudwatch/alarms"}, inventory.alarms, nil, false},
	{"AWS::CodeDeploy::Application", []string{"%/codedeploy/applications"}, inventory.applications, nil, false},
	{"AWS::CodeDeploy::DeploymentGroup", []string{"%/codedeploy/groups"}, inventory.deploymentGroups, nil, false},
	{"AWS::ApplicationAutoScaling::ScalableTarget", []string{"%/application-autoscaling/targets"}, inventory.scalableTargets, nil, true},
	{"AWS::ApplicationAutoScaling::ScalingPolicy", []string{"%/application-autoscaling/policies"}, inventory.scalingPolicies, nil, true},
	{"AWS::CloudFormation::Stack", []string{"%/cloudformation/stacks"}, inventory.stacks, nil, false},
}

// Kinds implements configservice.Inventory.
func (i inventory) Kinds() []configservice.Kind {
	kinds := make([]configservice.Kind, len(recordedTypes), len(recordedTypes)+1)
	for n, t := range recordedTypes {
		kinds[n] = configservice.Kind{Name: t.kind, Types: []string{t.kind}, Keyed: t.one != nil, Apart: !t.among}
		for _, table := range t.tables {
			kinds[n].Tables = append(kinds[n].Tables, strings.Replace(table, "%", i.name, 1))
		}
	}
	return append(kinds, i.templateOnly())
}

// List implements configservice.Inventory.
func (i inventory) List(ctx context.Context, kind string, ids []string) ([]configservice.Resource, error) {
	if kind == templateOnly {
		return i.onlyInTemplates(), nil
	}
	for _, t := range recordedTypes {
		switch {
		case t.kind != kind:
		case ids == nil:
			return t.list(i, ctx)
		default:
			return each(ids, func(id string) (configservice.Resource, error) { return t.one(i, ctx, id) })
		}
	}
	return nil, nil
}

// Account implements configservice.Inventory. All provisioned tables are among the resources, so that nothing is provisioned
// outside of them; the account's own Block Public Access is not there.
func (i inventory) Account(ctx context.Context) rules.Facts {
	facts := cfn.Obj(cfn.P("ProvisionedReadCapacityUnits", cfn.Integer(0)), cfn.P("ProvisionedWriteCapacityUnits", cfn.Integer(0)),
		cfn.P("AccountId", cfn.Str(call.Account)))
	if limits, err := i.dynamodb.DescribeLimits(ctx, nil); err == nil {
		facts.Set("AccountMaxReadCapacityUnits", cfn.Integer(*limits.AccountMaxReadCapacityUnits))
		facts.Set("AccountMaxWriteCapacityUnits", cfn.Integer(*limits.AccountMaxWriteCapacityUnits))
	}
	return facts
}

// all follows a list's pages to the end.
func all[T any](next func(token *string) ([]T, *string, error)) ([]T, error) {
	var out []T
	for token := (*string)(nil); ; {
		page, more, err := next(token)
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if token = more; token == nil {
			return out, nil
		}
	}
}

// gone reports whether an error says that something is not there: a resource was deleted while it was described, or it has no such
// document.
func gone(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && (strings.Contains(api.ErrorCode(), "NotFound") || strings.HasPrefix(api.ErrorCode(), "NoSuch") ||
		strings.Contains(api.ErrorCode(), "DoesNotExist"))
}

// each describes every one of a list, and leaves out those that are gone meanwhile.
func each[T any](list []T, describe func(T) (configservice.Resource, error)) ([]configservice.Resource, error) {
	out := make([]configservice.Resource, 0, len(list))
	for _, item := range list {
		r, err := describe(item)
		switch {
		case gone(err):
		case err != nil:
			return nil, err
		case r.ID != "": // else it is another region's
			out = append(out, r)
		}
	}
	return out, nil
}

// without leaves out members that are no configuration, such as what a resource does at the moment.
func without(n *cfn.Node, keys ...string) *cfn.Node {
	for _, k := range keys {
		n.Delete(k)
	}
	return n
}

// tagsProperty writes tags as most types have them.
func tagsProperty(properties *cfn.Node, tags map[string]string) {
	if len(tags) == 0 {
		return
	}
	list := cfn.Arr()
	for _, k := range sortedNames(tags) {
		list.Items = append(list.Items, cfn.Obj(cfn.P("Key", cfn.Str(k)), cfn.P("Value", cfn.Str(tags[k]))))
	}
	properties.Set("Tags", list)
}
