package inventory

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"evo/internal/cfn"
	"evo/internal/shape"
)

const (
	roleType            = "AWS::IAM::Role"
	inlinePolicyType    = "AWS::IAM::Policy"
	managedPolicyType   = "AWS::IAM::ManagedPolicy"
	deploymentGroupType = "AWS::CodeDeploy::DeploymentGroup"
)

var (
	onRole          = []string{"arn:${AWS::Partition}:iam::${AWS::AccountId}:role${path}${@}"}
	roleProperties  = []string{"AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Path", "PermissionsBoundary", "Tags"}
	groupProperties = []string{"AlarmConfiguration", "AutoRollbackConfiguration", "DeploymentConfigName", "DeploymentStyle", "ServiceRoleArn", "TriggerConfigurations"}
)

var roleParts = []part{
	{gives: roleProperties, actions: []string{"iam:GetRole"}, on: onRole, read: readRole, exists: true},
	{gives: []string{"ManagedPolicyArns"}, actions: []string{"iam:ListAttachedRolePolicies"}, on: onRole, read: readAttached},
	{gives: []string{"Policies"}, actions: []string{"iam:ListRolePolicies", "iam:GetRolePolicy"}, on: onRole, read: readRolePolicies},
}

// The role that an inline policy names may have a path that the policy does not tell.
var inlinePolicyParts = []part{
	{gives: []string{"PolicyDocument"}, actions: []string{"iam:GetRolePolicy"}, on: []string{"arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*${.Roles}"},
		wanted: (*run).ofRole, read: readInlinePolicy, exists: true},
}

var managedPolicyParts = []part{
	{gives: []string{"PolicyDocument", "Description"}, actions: []string{"iam:GetPolicy", "iam:GetPolicyVersion"}, on: []string{"${@}"}, read: readManagedPolicy, exists: true},
}

var deploymentGroupParts = []part{
	{gives: groupProperties, actions: []string{"codedeploy:GetDeploymentGroup"},
		on:   []string{"arn:${AWS::Partition}:codedeploy:${AWS::Region}:${AWS::AccountId}:deploymentgroup:${.ApplicationName}/${@}"},
		read: readDeploymentGroup, exists: true},
}

func readRole(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &it.PhysicalID})
	if err != nil || out.Role == nil {
		return answer{}, orAbsent(err)
	}
	n := shape.Properties(roleType, out.Role, map[string]string{"PermissionsBoundary": "-", "Tags": "-"}, roleProperties...)
	if b := out.Role.PermissionsBoundary; b != nil {
		n.Set("PermissionsBoundary", cfn.Str(aws.ToString(b.PermissionsBoundaryArn)))
	}
	if t := shape.Tags(roleType, "Tags", out.Role.Tags); t != nil {
		n.Set("Tags", t)
	}
	return answer{properties: n}, nil
}

// readAttached lists a role's managed policies, but for those that attach themselves to it.
func readAttached(ctx context.Context, now *run, it *Item) (answer, error) {
	arns := cfn.Arr()
	pages := iam.NewListAttachedRolePoliciesPaginator(now.iam, &iam.ListAttachedRolePoliciesInput{RoleName: &it.PhysicalID})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return answer{}, err
		}
		for _, p := range page.AttachedPolicies {
			if arn := aws.ToString(p.PolicyArn); !now.attaches(arn, it) {
				arns.Items = append(arns.Items, cfn.Str(arn))
			}
		}
	}
	if len(arns.Items) == 0 {
		return answer{}, nil
	}
	return given("ManagedPolicyArns", arns), nil
}

func (now *run) attaches(arn string, role *Item) bool {
	return slices.ContainsFunc(now.items, func(p *Item) bool {
		return p.Type == managedPolicyType && p.PhysicalID == arn && slices.Contains(roles(p), role.PhysicalID)
	})
}

// roles are the names in a policy's Roles.
func roles(it *Item) (names []string) {
	for _, n := range it.Properties.Get("Roles").List() {
		if name := n.Str(); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// readRolePolicies reads a role's inline policies, but for those that are items of their own.
func readRolePolicies(ctx context.Context, now *run, it *Item) (answer, error) {
	policies := cfn.Arr()
	pages := iam.NewListRolePoliciesPaginator(now.iam, &iam.ListRolePoliciesInput{RoleName: &it.PhysicalID})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return answer{}, err
		}
		for _, name := range page.PolicyNames {
			if now.inlines(name, it) {
				continue
			}
			out, err := now.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &it.PhysicalID, PolicyName: &name})
			if err != nil {
				return answer{}, err
			}
			policies.Items = append(policies.Items, cfn.Obj(cfn.P("PolicyName", cfn.Str(name)), cfn.P("PolicyDocument", shape.Document(aws.ToString(out.PolicyDocument)))))
		}
	}
	if len(policies.Items) == 0 {
		return answer{}, nil
	}
	return given("Policies", policies), nil
}

func (now *run) inlines(policy string, role *Item) bool {
	return slices.ContainsFunc(now.items, func(p *Item) bool {
		return p.Type == inlinePolicyType && p.text("PolicyName") == policy && slices.Contains(roles(p), role.PhysicalID) ||
			p.Type == "AWS::IAM::RolePolicy" && p.text("PolicyName") == policy && p.text("RoleName") == role.PhysicalID
	})
}

// ofRole reports that a policy is a role's; those of users and groups are not read.
func (now *run) ofRole(it *Item) bool { return it.Properties.Get("Roles") != nil }

func readInlinePolicy(ctx context.Context, now *run, it *Item) (answer, error) {
	names, policy := roles(it), it.text("PolicyName")
	if len(names) == 0 || policy == "" {
		return answer{}, errUnnamed
	}
	out, err := now.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &names[0], PolicyName: &policy})
	if err != nil {
		return answer{}, err
	}
	return given("PolicyDocument", shape.Document(aws.ToString(out.PolicyDocument))), nil
}

func readManagedPolicy(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &it.PhysicalID})
	if err != nil || out.Policy == nil {
		return answer{}, orAbsent(err)
	}
	version, err := now.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &it.PhysicalID, VersionId: out.Policy.DefaultVersionId})
	if err != nil || version.PolicyVersion == nil {
		return answer{}, orAbsent(err)
	}
	a := given("PolicyDocument", shape.Document(aws.ToString(version.PolicyVersion.Document)))
	if text := aws.ToString(out.Policy.Description); text != "" {
		a.properties.Set("Description", cfn.Str(text))
	}
	return a, nil
}

func readDeploymentGroup(ctx context.Context, now *run, it *Item) (answer, error) {
	application := it.text("ApplicationName")
	if application == "" {
		return answer{}, errUnnamed
	}
	out, err := now.codedeploy.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: &application, DeploymentGroupName: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return answer{properties: shape.Properties(deploymentGroupType, out.DeploymentGroupInfo, nil, groupProperties...)}, nil
}
