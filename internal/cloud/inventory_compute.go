package cloud

import (
	"context"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	gwtypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gw2types "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cfn"
	"evo/internal/cloud/call"
	"evo/internal/cloud/configservice"
	"evo/internal/shape"
)

// Functions, roles, APIs and what watches and deploys them, for AWS Config.

func (i inventory) lambdas(ctx context.Context) ([]configservice.Resource, error) {
	list, err := all(func(token *string) ([]lambdatypes.FunctionConfiguration, *string, error) {
		out, err := i.lambda.ListFunctions(ctx, &lambda.ListFunctionsInput{Marker: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Functions, out.NextMarker, nil
	})
	if err != nil {
		return nil, err
	}
	return each(list, func(f lambdatypes.FunctionConfiguration) (configservice.Resource, error) { return i.function(ctx, f) })
}

const functionType = "AWS::Lambda::Function"

func (i inventory) function(ctx context.Context, f lambdatypes.FunctionConfiguration) (configservice.Resource, error) {
	name := aws.ToString(f.FunctionName)
	r := configservice.Resource{Type: functionType, ID: name, Name: name, ARN: aws.ToString(f.FunctionArn), Configuration: described(f),
		Supplementary: cfn.Obj(), Properties: shape.Function(f, f.Layers, f.ImageConfigResponse)}
	reserved, err := i.lambda.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &name})
	if err != nil {
		return r, err
	}
	if n := reserved.ReservedConcurrentExecutions; n != nil {
		r.Properties.Set("ReservedConcurrentExecutions", cfn.Integer(int64(*n)))
		r.Supplementary.Set("Concurrency", cfn.Obj(cfn.P("reservedConcurrentExecutions", cfn.Integer(int64(*n)))))
	}
	tags, err := i.lambda.ListTags(ctx, &lambda.ListTagsInput{Resource: &r.ARN})
	if err != nil {
		return r, err
	}
	r.Tags = tags.Tags
	tagsProperty(r.Properties, r.Tags)
	return r, i.functionPolicies(ctx, &r)
}

// functionPolicies adds who may invoke a function, by its name or by an alias. Which versions an alias points to changes with every
// step of a deployment, and is no configuration of the function.
func (i inventory) functionPolicies(ctx context.Context, r *configservice.Resource) error {
	aliases, err := all(func(token *string) ([]lambdatypes.AliasConfiguration, *string, error) {
		out, err := i.lambda.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: &r.ID, Marker: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Aliases, out.NextMarker, nil
	})
	if err != nil {
		return err
	}
	qualifiers := []*string{nil}
	for _, a := range aliases {
		qualifiers = append(qualifiers, a.Name)
	}
	var together *cfn.Node
	for _, q := range qualifiers {
		p, err := i.lambda.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &r.ID, Qualifier: q})
		if gone(err) {
			continue
		}
		if err != nil {
			return err
		}
		policy := shape.Document(aws.ToString(p.Policy))
		name := "Policy"
		if q != nil {
			name += ":" + *q
		}
		r.Supplementary.Set(name, policy)
		if together == nil {
			together = cfn.Obj(cfn.P("Version", policy.Get("Version")), cfn.P("Statement", cfn.Arr()))
			r.Facts = cfn.Obj(cfn.P("Policy", together))
		}
		list := together.Get("Statement")
		list.Items = append(list.Items, policy.Get("Statement").List()...)
	}
	return nil
}

// decoded reads a policy document as IAM answers it.
func decoded(document *string) *cfn.Node {
	text, err := url.QueryUnescape(aws.ToString(document))
	if err != nil {
		text = aws.ToString(document)
	}
	return shape.Document(text)
}

func iamTags(list []iamtypes.Tag) map[string]string {
	tags := map[string]string{}
	for _, t := range list {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags
}

func (i inventory) roles(ctx context.Context) ([]configservice.Resource, error) {
	list, err := all(func(token *string) ([]iamtypes.Role, *string, error) {
		out, err := i.iam.ListRoles(ctx, &iam.ListRolesInput{Marker: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Roles, out.Marker, nil
	})
	if err != nil {
		return nil, err
	}
	return each(list, func(role iamtypes.Role) (configservice.Resource, error) {
		got, err := i.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: role.RoleName})
		if err != nil {
			return configservice.Resource{}, err
		}
		role = *got.Role
		role.RoleLastUsed = nil
		r := configservice.Resource{Type: "AWS::IAM::Role", ID: aws.ToString(role.RoleId), Name: aws.ToString(role.RoleName), ARN: aws.ToString(role.Arn),
			Global: true, Created: aws.ToTime(role.CreateDate), Tags: iamTags(role.Tags), Configuration: without(described(role), "tags"),
			Properties: without(shape.Properties("AWS::IAM::Role", role, nil), "PermissionsBoundary")}
		r.Properties.Set("AssumeRolePolicyDocument", decoded(role.AssumeRolePolicyDocument))
		if b := role.PermissionsBoundary; b != nil {
			r.Properties.Set("PermissionsBoundary", cfn.Str(aws.ToString(b.PermissionsBoundaryArn)))
		}
		tagsProperty(r.Properties, r.Tags)
		return r, i.rolePolicies(ctx, &r)
	})
}

// rolePolicies adds a role's policies, both its own and those attached.
func (i inventory) rolePolicies(ctx context.Context, r *configservice.Resource) error {
	names, err := all(func(token *string) ([]string, *string, error) {
		out, err := i.iam.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &r.Name, Marker: token})
		if err != nil {
			return nil, nil, err
		}
		return out.PolicyNames, out.Marker, nil
	})
	if err != nil {
		return err
	}
	var inline []policyOf
	for _, n := range names {
		p, err := i.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &r.Name, PolicyName: &n})
		if gone(err) {
			continue
		}
		if err != nil {
			return err
		}
		inline = append(inline, policyOf{n, p.PolicyDocument})
	}
	attached, err := all(func(token *string) ([]iamtypes.AttachedPolicy, *string, error) {
		out, err := i.iam.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &r.Name, Marker: token})
		if err != nil {
			return nil, nil, err
		}
		return out.AttachedPolicies, out.Marker, nil
	})
	addPolicies(r, "rolePolicyList", inline, attached)
	return err
}

// policyOf is a policy that belongs to a role or user alone.
type policyOf struct {
	name     string
	document *string
}

func addPolicies(r *configservice.Resource, list string, inline []policyOf, attached []iamtypes.AttachedPolicy) {
	policies, held := cfn.Arr(), cfn.Arr()
	for _, p := range inline {
		policies.Items = append(policies.Items, cfn.Obj(cfn.P("PolicyName", cfn.Str(p.name)), cfn.P("PolicyDocument", decoded(p.document))))
		held.Items = append(held.Items, cfn.Obj(cfn.P("policyName", cfn.Str(p.name)), cfn.P("policyDocument", cfn.Str(aws.ToString(p.document)))))
	}
	arns, managed := cfn.Arr(), cfn.Arr()
	for _, p := range attached {
		arns.Items = append(arns.Items, cfn.Str(aws.ToString(p.PolicyArn)))
		managed.Items = append(managed.Items, described(p))
	}
	r.Configuration.Set(list, held)
	r.Configuration.Set("attachedManagedPolicies", managed)
	if len(policies.Items) > 0 {
		r.Properties.Set("Policies", policies)
	}
	if len(arns.Items) > 0 {
		r.Properties.Set("ManagedPolicyArns", arns)
	}
}

func (i inventory) users(ctx context.Context) ([]configservice.Resource, error) {
	list, err := all(func(token *string) ([]iamtypes.User, *string, error) {
		out, err := i.iam.ListUsers(ctx, &iam.ListUsersInput{Marker: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Users, out.Marker, nil
	})
	if err != nil {
		return nil, err
	}
	return each(list, func(u iamtypes.User) (configservice.Resource, error) {
		got, err := i.iam.GetUser(ctx, &iam.GetUserInput{UserName: u.UserName})
		if err != nil {
			return configservice.Resource{}, err
		}
		u = *got.User
		u.PasswordLastUsed = nil
		r := configservice.Resource{Type: "AWS::IAM::User", ID: aws.ToString(u.UserId), Name: aws.ToString(u.UserName), ARN: aws.ToString(u.Arn),
			Global: true, Created: aws.ToTime(u.CreateDate), Tags: iamTags(u.Tags), Configuration: without(described(u), "tags"),
			Properties: without(shape.Properties("AWS::IAM::User", u, nil), "PermissionsBoundary")}
		tagsProperty(r.Properties, r.Tags)
		names, err := i.iam.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: u.UserName})
		if err != nil {
			return r, err
		}
		var inline []policyOf
		for _, n := range names.PolicyNames {
			p, err := i.iam.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: u.UserName, PolicyName: &n})
			if err != nil {
				return r, err
			}
			inline = append(inline, policyOf{n, p.PolicyDocument})
		}
		attached, err := i.iam.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: u.UserName})
		if err != nil {
			return r, err
		}
		addPolicies(&r, "userPolicyList", inline, attached.AttachedPolicies)
		return r, nil
	})
}

func (i inventory) policies(ctx context.Context) ([]configservice.Resource, error) {
	list, err := all(func(token *string) ([]iamtypes.Policy, *string, error) {
		out, err := i.iam.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: iamtypes.PolicyScopeTypeLocal, Marker: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Policies, out.Marker, nil
	})
	if err != nil {
		return nil, err
	}
	return each(list, func(p iamtypes.Policy) (configservice.Resource, error) {
		v, err := i.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: p.Arn, VersionId: p.DefaultVersionId})
		if err != nil {
			return configservice.Resource{}, err
		}
		properties := cfn.Obj(cfn.P("ManagedPolicyName", cfn.Str(aws.ToString(p.PolicyName))), cfn.P("PolicyDocument", decoded(v.PolicyVersion.Document)))
		// CloudFormation's AWS::IAM::Policy is an inline one: what AWS Config calls so is its ManagedPolicy.
		r := configservice.Resource{Type: "AWS::IAM::Policy", As: "AWS::IAM::ManagedPolicy", ID: aws.ToString(p.PolicyId), Name: aws.ToString(p.PolicyName), ARN: aws.ToString(p.Arn),
			Global: true, Created: aws.ToTime(p.CreateDate), Tags: iamTags(p.Tags), Configuration: without(described(p), "tags", "attachmentCount"),
			Properties: properties}
		r.Configuration.Set("policyVersionList", cfn.Arr(cfn.Obj(cfn.P("versionId", cfn.Str(aws.ToString(p.DefaultVersionId))),
			cfn.P("document", cfn.Str(aws.ToString(v.PolicyVersion.Document))), cfn.P("isDefaultVersion", cfn.Boolean(true)))))
		return r, nil
	})
}

func (i inventory) rest(ctx context.Context) ([]gwtypes.RestApi, error) {
	return all(func(token *string) ([]gwtypes.RestApi, *string, error) {
		out, err := i.apigateway.GetRestApis(ctx, &apigateway.GetRestApisInput{Position: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Items, out.Position, nil
	})
}

func (i inventory) restAPIs(ctx context.Context) ([]configservice.Resource, error) {
	list, err := i.rest(ctx)
	if err != nil {
		return nil, err
	}
	return each(list, func(a gwtypes.RestApi) (configservice.Resource, error) {
		arn := "arn:aws:apigateway:" + i.name + "::/restapis/" + aws.ToString(a.Id)
		r := configservice.Resource{Type: "AWS::ApiGateway::RestApi", ID: arn, Name: aws.ToString(a.Name), ARN: arn, Created: aws.ToTime(a.CreatedDate),
			Tags: a.Tags, Configuration: without(described(a), "tags"), Properties: shape.Properties("AWS::ApiGateway::RestApi", a, nil)}
		tagsProperty(r.Properties, r.Tags)
		return r, nil
	})
}

func (i inventory) restStages(ctx context.Context) ([]configservice.Resource, error) {
	list, err := i.rest(ctx)
	if err != nil {
		return nil, err
	}
	var out []configservice.Resource
	for _, a := range list {
		stages, err := i.apigateway.GetStages(ctx, &apigateway.GetStagesInput{RestApiId: a.Id})
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, st := range stages.Item {
			arn := "arn:aws:apigateway:" + i.name + "::/restapis/" + aws.ToString(a.Id) + "/stages/" + aws.ToString(st.StageName)
			r := configservice.Resource{Type: "AWS::ApiGateway::Stage", ID: arn, Name: aws.ToString(st.StageName), ARN: arn, Created: aws.ToTime(st.CreatedDate),
				Tags: st.Tags, Configuration: without(described(st), "tags"), Properties: shape.RestStage(st, st.MethodSettings)}
			r.Properties.Set("RestApiId", cfn.Str(aws.ToString(a.Id)))
			if st.WebAclArn != nil {
				r.Facts = cfn.Obj(cfn.P("WebAclArn", cfn.Str(*st.WebAclArn)))
			}
			tagsProperty(r.Properties, r.Tags)
			out = append(out, r)
		}
	}
	return out, nil
}

func (i inventory) http(ctx context.Context) ([]gw2types.Api, error) {
	return all(func(token *string) ([]gw2types.Api, *string, error) {
		out, err := i.apigatewayv2.GetApis(ctx, &apigatewayv2.GetApisInput{NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Items, out.NextToken, nil
	})
}

func (i inventory) httpAPIs(ctx context.Context) ([]configservice.Resource, error) {
	list, err := i.http(ctx)
	if err != nil {
		return nil, err
	}
	return each(list, func(a gw2types.Api) (configservice.Resource, error) {
		id := aws.ToString(a.ApiId)
		return configservice.Resource{Type: "AWS::ApiGatewayV2::Api", ID: id, Name: aws.ToString(a.Name), ARN: "arn:aws:apigateway:" + i.name + "::/apis/" + id,
			Created: aws.ToTime(a.CreatedDate), Tags: a.Tags, Configuration: without(described(a), "tags"), Properties: shape.Properties("AWS::ApiGatewayV2::Api", a, nil)}, nil
	})
}

func (i inventory) httpStages(ctx context.Context) ([]configservice.Resource, error) {
	list, err := i.http(ctx)
	if err != nil {
		return nil, err
	}
	var out []configservice.Resource
	for _, a := range list {
		stages, err := i.apigatewayv2.GetStages(ctx, &apigatewayv2.GetStagesInput{ApiId: a.ApiId})
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, st := range stages.Items {
			arn := "arn:aws:apigateway:" + i.name + "::/apis/" + aws.ToString(a.ApiId) + "/stages/" + aws.ToString(st.StageName)
			r := configservice.Resource{Type: "AWS::ApiGatewayV2::Stage", ID: arn, Name: aws.ToString(st.StageName), ARN: arn, Created: aws.ToTime(st.CreatedDate),
				Tags: st.Tags, Configuration: without(described(st), "tags"), Properties: shape.Properties("AWS::ApiGatewayV2::Stage", st, nil)}
			r.Properties.Set("ApiId", cfn.Str(aws.ToString(a.ApiId)))
			out = append(out, r)
		}
	}
	return out, nil
}

func (i inventory) httpRoutes(ctx context.Context) ([]configservice.Resource, error) {
	list, err := i.http(ctx)
	if err != nil {
		return nil, err
	}
	var out []configservice.Resource
	for _, a := range list {
		routes, err := i.apigatewayv2.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: a.ApiId})
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, route := range routes.Items {
			arn := "arn:aws:apigateway:" + i.name + "::/apis/" + aws.ToString(a.ApiId) + "/routes/" + aws.ToString(route.RouteId)
			r := configservice.Resource{Type: "AWS::ApiGatewayV2::Route", ID: arn, Name: aws.ToString(route.RouteKey), ARN: arn,
				Configuration: described(route), Properties: shape.Properties("AWS::ApiGatewayV2::Route", route, nil)}
			r.Properties.Set("ApiId", cfn.Str(aws.ToString(a.ApiId)))
			out = append(out, r)
		}
	}
	return out, nil
}

func (i inventory) logGroups(ctx context.Context) ([]configservice.Resource, error) {
	list, err := all(func(token *string) ([]logtypes.LogGroup, *string, error) {
		out, err := i.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.LogGroups, out.NextToken, nil
	})
	if err != nil {
		return nil, err
	}
	return each(list, func(g logtypes.LogGroup) (configservice.Resource, error) {
		g.StoredBytes, g.MetricFilterCount = nil, nil
		name := aws.ToString(g.LogGroupName)
		arn := "arn:aws:logs:" + i.name + ":" + call.Account + ":log-group:" + name
		r := configservice.Resource{Type: "AWS::Logs::LogGroup", ID: name, Name: name, ARN: arn, Created: time.UnixMilli(aws.ToInt64(g.CreationTime)).UTC(),
			Configuration: described(g), Properties: shape.Properties("AWS::Logs::LogGroup", g, nil)}
		tags, err := i.logs.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: &arn})
		if err != nil {
			return r, err
		}
		r.Tags = tags.Tags
		tagsProperty(r.Properties, r.Tags)
		return r, nil
	})
}

func (i inventory) alarms(ctx context.Context) ([]configservice.Resource, error) {
	list, err := all(func(token *string) ([]cwtypes.MetricAlarm, *string, error) {
		out, err := i.cloudwatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm}, NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.MetricAlarms, out.NextToken, nil
	})
	if err != nil {
		return nil, err
	}
	return each(list, func(a cwtypes.MetricAlarm) (configservice.Resource, error) {
		r := configservice.Resource{Type: "AWS::CloudWatch::Alarm", ID: aws.ToString(a.AlarmArn), Name: aws.ToString(a.AlarmName), ARN: aws.ToString(a.AlarmArn),
			Properties: shape.Properties("AWS::CloudWatch::Alarm", a, nil), Configuration: without(described(a), "stateReason", "stateReasonData",
				"stateTransitionedTimestamp", "stateUpdatedTimestamp", "stateValue", "evaluationState")}
		if !aws.ToBool(a.ActionsEnabled) {
			r.Properties.Set("ActionsEnabled", cfn.Boolean(false)) // without it they are on
		}
		return r, nil
	})
}

func (i inventory) applicationNames(ctx context.Context) ([]string, error) {
	return all(func(token *string) ([]string, *string, error) {
		out, err := i.codedeploy.ListApplications(ctx, &codedeploy.ListApplicationsInput{NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Applications, out.NextToken, nil
	})
}

func (i inventory) applications(ctx context.Context) ([]configservice.Resource, error) {
	list, err := i.applicationNames(ctx)
	if err != nil {
		return nil, err
	}
	return each(list, func(name string) (configservice.Resource, error) {
		out, err := i.codedeploy.GetApplication(ctx, &codedeploy.GetApplicationInput{ApplicationName: &name})
		if err != nil {
			return configservice.Resource{}, err
		}
		a := out.Application
		return configservice.Resource{Type: "AWS::CodeDeploy::Application", ID: aws.ToString(a.ApplicationId), Name: name,
			ARN: "arn:aws:codedeploy:" + i.name + ":" + call.Account + ":application:" + name, Created: aws.ToTime(a.CreateTime),
			Configuration: described(a), Properties: shape.Properties("AWS::CodeDeploy::Application", a, nil)}, nil
	})
}

func (i inventory) deploymentGroups(ctx context.Context) ([]configservice.Resource, error) {
	applications, err := i.applicationNames(ctx)
	if err != nil {
		return nil, err
	}
	var out []configservice.Resource
	for _, application := range applications {
		names, err := all(func(token *string) ([]string, *string, error) {
			out, err := i.codedeploy.ListDeploymentGroups(ctx, &codedeploy.ListDeploymentGroupsInput{ApplicationName: &application, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.DeploymentGroups, out.NextToken, nil
		})
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		groups, err := each(names, func(name string) (configservice.Resource, error) { return i.deploymentGroup(ctx, application, name) })
		if err != nil {
			return nil, err
		}
		out = append(out, groups...)
	}
	return out, nil
}

func (i inventory) deploymentGroup(ctx context.Context, application, name string) (configservice.Resource, error) {
	out, err := i.codedeploy.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: &application, DeploymentGroupName: &name})
	if err != nil {
		return configservice.Resource{}, err
	}
	g := *out.DeploymentGroupInfo
	g.LastAttemptedDeployment, g.LastSuccessfulDeployment, g.TargetRevision = nil, nil, nil
	return configservice.Resource{Type: "AWS::CodeDeploy::DeploymentGroup", ID: aws.ToString(g.DeploymentGroupId), Name: name,
		ARN:           "arn:aws:codedeploy:" + i.name + ":" + call.Account + ":deploymentgroup:" + application + "/" + name,
		Configuration: described(g), Properties: shape.Properties("AWS::CodeDeploy::DeploymentGroup", g, nil)}, nil
}

func (i inventory) stacks(ctx context.Context) ([]configservice.Resource, error) {
	list, err := all(func(token *string) ([]cftypes.Stack, *string, error) {
		out, err := i.cloudformation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Stacks, out.NextToken, nil
	})
	if err != nil {
		return nil, err
	}
	return each(list, func(st cftypes.Stack) (configservice.Resource, error) {
		id := aws.ToString(st.StackId)
		r := configservice.Resource{Type: "AWS::CloudFormation::Stack", ID: id, Name: aws.ToString(st.StackName), ARN: id, Created: aws.ToTime(st.CreationTime),
			Tags: map[string]string{}, Configuration: without(described(st), "tags"), Properties: cfn.Obj(cfn.P("StackName", cfn.Str(aws.ToString(st.StackName))))}
		for _, t := range st.Tags {
			r.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return r, nil
	})
}
