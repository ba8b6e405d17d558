package cloudformation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"evo/internal/cfn"
)

// IAM is what roles and policies need of the service.
type IAM interface {
	CreateRole(context.Context, *iam.CreateRoleInput) (*iam.CreateRoleOutput, error)
	GetRole(context.Context, *iam.GetRoleInput) (*iam.GetRoleOutput, error)
	UpdateAssumeRolePolicy(context.Context, *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error)
	DeleteRole(context.Context, *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error)
	PutRolePolicy(context.Context, *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error)
	DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error)
	AttachRolePolicy(context.Context, *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error)
	DetachRolePolicy(context.Context, *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error)
	CreatePolicy(context.Context, *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error)
	DeletePolicy(context.Context, *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error)
}

type iamRoleUpdates interface {
	UpdateRole(context.Context, *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error)
}

type iamPolicyVersions interface {
	CreatePolicyVersion(context.Context, *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, error)
	ListPolicyVersions(context.Context, *iam.ListPolicyVersionsInput) (*iam.ListPolicyVersionsOutput, error)
	DeletePolicyVersion(context.Context, *iam.DeletePolicyVersionInput) (*iam.DeletePolicyVersionOutput, error)
}

type iamHandlers struct{ IAM }

func (s *Service) iamHandlers() map[string]Handler {
	if s.cfg.Services.IAM == nil {
		return nil
	}
	h := iamHandlers{s.cfg.Services.IAM}
	return map[string]Handler{
		"AWS::IAM::Role":          {Create: h.createRole, Update: h.updateRole, Delete: h.deleteRole},
		"AWS::IAM::Policy":        {Create: h.createInline, Update: h.updateInline, Delete: h.deleteInline},
		"AWS::IAM::ManagedPolicy": {Create: h.createManaged, Update: h.updateManaged, Delete: h.deleteManaged},
	}
}

func (h iamHandlers) createRole(ctx context.Context, r *Request) (Result, error) {
	in := &iam.CreateRoleInput{}
	if err := fill(in, r.Properties, nil); err != nil {
		return Result{}, err
	}
	in.RoleName = aws.String(r.Name("RoleName", 64))
	for k, v := range r.Tags() {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	if _, err := h.CreateRole(ctx, in); err != nil && !(r.Retry && exists(err)) {
		return Result{}, err
	}
	result, err := h.rolePolicies(ctx, r, *in.RoleName)
	return result, err
}

// rolePolicies makes the role's inline and attached policies what the properties say, and describes it.
func (h iamHandlers) rolePolicies(ctx context.Context, r *Request, name string) (Result, error) {
	result := Result{Physical: name}
	var inline []string
	for _, p := range r.Properties.Get("Policies").List() {
		policy := p.Get("PolicyName").Str()
		inline = append(inline, policy)
		if _, err := h.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String(policy),
			PolicyDocument: document(p.Get("PolicyDocument"))}); err != nil {
			return result, err
		}
	}
	for _, p := range r.Before.Get("Policies").List() {
		if old := p.Get("PolicyName").Str(); !slices.Contains(inline, old) {
			if _, err := h.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String(old)}); err != nil && !missing(err) {
				return result, err
			}
		}
	}
	now, before := texts(r.Properties.Get("ManagedPolicyArns")), texts(r.Before.Get("ManagedPolicyArns"))
	for _, arn := range now {
		if _, err := h.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String(name), PolicyArn: aws.String(arn)}); err != nil {
			return result, err
		}
	}
	for _, arn := range before {
		if slices.Contains(now, arn) {
			continue
		}
		if _, err := h.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String(name), PolicyArn: aws.String(arn)}); err != nil && !missing(err) {
			return result, err
		}
	}
	out, err := h.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
	if err != nil {
		return result, err
	}
	result.Attributes = map[string]any{"Arn": aws.ToString(out.Role.Arn), "RoleId": aws.ToString(out.Role.RoleId)}
	return result, nil
}

// texts are the strings of a list, or of the one value that stands for it.
func texts(n *cfn.Node) []string {
	if n == nil {
		return nil
	}
	if text, ok := n.Scalar(); ok {
		return []string{text}
	}
	var out []string
	for _, it := range n.List() {
		text, _ := it.Scalar()
		out = append(out, text)
	}
	return out
}

func (h iamHandlers) updateRole(ctx context.Context, r *Request) (Result, error) {
	if !cfn.Same(r.Before.Get("AssumeRolePolicyDocument"), r.Properties.Get("AssumeRolePolicyDocument")) {
		if _, err := h.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(r.Physical),
			PolicyDocument: document(r.Properties.Get("AssumeRolePolicyDocument"))}); err != nil {
			return Result{Physical: r.Physical}, err
		}
	}
	if u, ok := h.IAM.(iamRoleUpdates); ok {
		in := &iam.UpdateRoleInput{Description: aws.String(""), MaxSessionDuration: aws.Int32(3600)}
		if err := fill(in, r.Properties, nil); err != nil {
			return Result{Physical: r.Physical}, err
		}
		in.RoleName = aws.String(r.Physical)
		if _, err := u.UpdateRole(ctx, in); err != nil {
			return Result{Physical: r.Physical}, err
		}
	}
	return h.rolePolicies(ctx, r, r.Physical)
}

// deleteRole takes off what CloudFormation put on the role; what others did stays, and IAM then refuses.
func (h iamHandlers) deleteRole(ctx context.Context, r *Request) error {
	name := aws.String(r.Physical)
	for _, p := range r.Properties.Get("Policies").List() {
		if _, err := h.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String(p.Get("PolicyName").Str())}); err != nil && !missing(err) {
			return err
		}
	}
	for _, arn := range texts(r.Properties.Get("ManagedPolicyArns")) {
		if _, err := h.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: aws.String(arn)}); err != nil && !missing(err) {
			return err
		}
	}
	_, err := h.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	return err
}

func (h iamHandlers) createInline(ctx context.Context, r *Request) (Result, error) {
	if len(r.Properties.Get("Users").List())+len(r.Properties.Get("Groups").List()) > 0 {
		return Result{}, fmt.Errorf("AWS::IAM::Policy for users and groups is not supported yet: attach it to roles")
	}
	id := r.generated(128)
	return Result{Physical: id, Attributes: map[string]any{"Id": id}}, h.putInline(ctx, r)
}

func (h iamHandlers) putInline(ctx context.Context, r *Request) error {
	for _, role := range texts(r.Properties.Get("Roles")) {
		if _, err := h.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(r.Str("PolicyName")),
			PolicyDocument: document(r.Properties.Get("PolicyDocument"))}); err != nil {
			return err
		}
	}
	return nil
}

func (h iamHandlers) updateInline(ctx context.Context, r *Request) (Result, error) {
	result := Result{Physical: r.Physical, Attributes: map[string]any{"Id": r.Physical}}
	now := texts(r.Properties.Get("Roles"))
	renamed := r.Before.Get("PolicyName").Str() != r.Str("PolicyName")
	for _, role := range texts(r.Before.Get("Roles")) {
		if renamed || !slices.Contains(now, role) {
			if _, err := h.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(r.Before.Get("PolicyName").Str())}); err != nil && !missing(err) {
				return result, err
			}
		}
	}
	return result, h.putInline(ctx, r)
}

func (h iamHandlers) deleteInline(ctx context.Context, r *Request) error {
	for _, role := range texts(r.Properties.Get("Roles")) {
		if _, err := h.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(r.Str("PolicyName"))}); err != nil && !missing(err) {
			return err
		}
	}
	return nil
}

func (h iamHandlers) createManaged(ctx context.Context, r *Request) (Result, error) {
	in := &iam.CreatePolicyInput{}
	if err := fill(in, r.Properties, nil); err != nil {
		return Result{}, err
	}
	in.PolicyName = aws.String(r.Name("ManagedPolicyName", 128))
	path := "/"
	if in.Path != nil {
		path = *in.Path
	}
	out, err := h.CreatePolicy(ctx, in)
	arn := fmt.Sprintf("arn:aws:iam::%s:policy%s%s", accountOf(r.StackID), path, *in.PolicyName)
	switch {
	case r.Retry && exists(err):
	case err != nil:
		return Result{}, err
	default:
		arn = aws.ToString(out.Policy.Arn)
	}
	result := Result{Physical: arn, Attributes: map[string]any{"PolicyArn": arn}}
	for _, role := range texts(r.Properties.Get("Roles")) {
		if _, err := h.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String(role), PolicyArn: aws.String(arn)}); err != nil {
			return result, err
		}
	}
	return result, nil
}

func accountOf(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) > 4 {
		return parts[4]
	}
	return ""
}

func (h iamHandlers) updateManaged(ctx context.Context, r *Request) (Result, error) {
	result := Result{Physical: r.Physical, Attributes: map[string]any{"PolicyArn": r.Physical}}
	if !cfn.Same(r.Before.Get("PolicyDocument"), r.Properties.Get("PolicyDocument")) {
		if err := h.newVersion(ctx, r); err != nil {
			return result, err
		}
	}
	now, before := texts(r.Properties.Get("Roles")), texts(r.Before.Get("Roles"))
	for _, role := range now {
		if _, err := h.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String(role), PolicyArn: aws.String(r.Physical)}); err != nil {
			return result, err
		}
	}
	for _, role := range before {
		if !slices.Contains(now, role) {
			if _, err := h.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String(role), PolicyArn: aws.String(r.Physical)}); err != nil && !missing(err) {
				return result, err
			}
		}
	}
	return result, nil
}

// newVersion makes the document the policy's default version, and drops the oldest when five are there.
func (h iamHandlers) newVersion(ctx context.Context, r *Request) error {
	v, ok := h.IAM.(iamPolicyVersions)
	if !ok {
		return fmt.Errorf("a managed policy's document cannot be changed yet")
	}
	list, err := v.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: aws.String(r.Physical)})
	if err != nil {
		return err
	}
	if n := len(list.Versions); n >= 5 {
		for i := n - 1; i >= 0; i-- { // newest first
			if !list.Versions[i].IsDefaultVersion {
				if _, err := v.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: aws.String(r.Physical), VersionId: list.Versions[i].VersionId}); err != nil {
					return err
				}
				break
			}
		}
	}
	_, err = v.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: aws.String(r.Physical), SetAsDefault: true,
		PolicyDocument: document(r.Properties.Get("PolicyDocument"))})
	return err
}

func (h iamHandlers) deleteManaged(ctx context.Context, r *Request) error {
	for _, role := range texts(r.Properties.Get("Roles")) {
		if _, err := h.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String(role), PolicyArn: aws.String(r.Physical)}); err != nil && !missing(err) {
			return err
		}
	}
	if v, ok := h.IAM.(iamPolicyVersions); ok {
		list, err := v.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: aws.String(r.Physical)})
		if err != nil {
			return err
		}
		for _, version := range list.Versions {
			if version.IsDefaultVersion {
				continue
			}
			if _, err := v.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: aws.String(r.Physical), VersionId: version.VersionId}); err != nil {
				return err
			}
		}
	}
	_, err := h.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: aws.String(r.Physical)})
	return err
}
