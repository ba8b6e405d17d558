package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"evo/internal/cloud/iam/policydoc"
	"evo/internal/cloud/store"
)

// What follows is the same for roles and users: their inline and attached policies.

func (s *Service) putInline(ctx context.Context, k kind, name, policyName, document string) error {
	if err := checkDocument(policydoc.Identity, document); err != nil {
		return err
	}
	return s.change(ctx, k, name, func(_ *store.Tx, p *principal) error {
		p.Inline[policyName] = document
		size := 0
		for _, d := range p.Inline {
			size += policydoc.Size(d)
		}
		if size > maxInline {
			return limitExceeded("Maximum policy size of %d bytes exceeded for %s %s", maxInline, k, p.Name)
		}
		return nil
	})
}

func noInline(k kind, policyName string) error {
	return noSuchEntity("The %s policy with name %s cannot be found.", k, policyName)
}

func (s *Service) inline(k kind, name, policyName string) (principal, string, error) {
	p, err := s.view(k, name)
	if err != nil {
		return p, "", err
	}
	d, ok := p.Inline[policyName]
	if !ok {
		return p, "", noInline(k, policyName)
	}
	return p, d, nil
}

func (s *Service) deleteInline(ctx context.Context, k kind, name, policyName string) error {
	return s.change(ctx, k, name, func(_ *store.Tx, p *principal) error {
		if _, ok := p.Inline[policyName]; !ok {
			return noInline(k, policyName)
		}
		delete(p.Inline, policyName)
		return nil
	})
}

func (s *Service) inlineNames(k kind, name string) ([]string, error) {
	p, err := s.view(k, name)
	return slices.Sorted(maps.Keys(p.Inline)), err
}

func (s *Service) attach(ctx context.Context, k kind, name, policyARN string) error {
	return s.change(ctx, k, name, func(tx *store.Tx, p *principal) error {
		if err := s.attachable(tx, policyARN); err != nil {
			return err
		}
		if slices.Contains(p.Attached, policyARN) {
			return nil
		}
		if len(p.Attached) >= maxAttached {
			return limitExceeded("Cannot exceed quota for PoliciesPer%s: %d", strings.ToUpper(string(k[:1]))+string(k[1:]), maxAttached)
		}
		p.Attached = append(p.Attached, policyARN)
		return nil
	})
}

func (s *Service) detach(ctx context.Context, k kind, name, policyARN string) error {
	return s.change(ctx, k, name, func(_ *store.Tx, p *principal) error {
		i := slices.Index(p.Attached, policyARN)
		if i < 0 {
			return notFound(policyARN)
		}
		p.Attached = slices.Delete(p.Attached, i, i+1)
		return nil
	})
}

func (s *Service) attached(k kind, name string, prefix *string) ([]types.AttachedPolicy, error) {
	p, err := s.view(k, name)
	if err != nil {
		return nil, err
	}
	var out []types.AttachedPolicy
	for _, a := range p.Attached {
		path := "/"
		if _, resource, ok := strings.Cut(a, ":policy/"); ok {
			path += resource[:strings.LastIndexByte(resource, '/')+1]
		}
		if strings.HasPrefix(path, aws.ToString(prefix)) {
			out = append(out, types.AttachedPolicy{PolicyArn: new(a), PolicyName: new(a[strings.LastIndexByte(a, '/')+1:])})
		}
	}
	return out, nil
}

// PutRolePolicy adds or changes an inline policy.
func (s *Service) PutRolePolicy(ctx context.Context, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	if err := s.putInline(ctx, role, aws.ToString(in.RoleName), aws.ToString(in.PolicyName), aws.ToString(in.PolicyDocument)); err != nil {
		return nil, err
	}
	return &iam.PutRolePolicyOutput{}, nil
}

// GetRolePolicy returns an inline policy.
func (s *Service) GetRolePolicy(_ context.Context, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	p, d, err := s.inline(role, aws.ToString(in.RoleName), aws.ToString(in.PolicyName))
	if err != nil {
		return nil, err
	}
	return &iam.GetRolePolicyOutput{RoleName: new(p.Name), PolicyName: in.PolicyName, PolicyDocument: encoded(d)}, nil
}

// DeleteRolePolicy removes an inline policy.
func (s *Service) DeleteRolePolicy(ctx context.Context, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	if err := s.deleteInline(ctx, role, aws.ToString(in.RoleName), aws.ToString(in.PolicyName)); err != nil {
		return nil, err
	}
	return &iam.DeleteRolePolicyOutput{}, nil
}

// ListRolePolicies lists the names of inline policies.
func (s *Service) ListRolePolicies(_ context.Context, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	names, err := s.inlineNames(role, aws.ToString(in.RoleName))
	if err != nil {
		return nil, err
	}
	names, truncated, next, err := page(names, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRolePoliciesOutput{PolicyNames: names, IsTruncated: truncated, Marker: next}, nil
}

// AttachRolePolicy attaches a managed policy.
func (s *Service) AttachRolePolicy(ctx context.Context, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	if err := s.attach(ctx, role, aws.ToString(in.RoleName), aws.ToString(in.PolicyArn)); err != nil {
		return nil, err
	}
	return &iam.AttachRolePolicyOutput{}, nil
}

// DetachRolePolicy detaches a managed policy.
func (s *Service) DetachRolePolicy(ctx context.Context, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	if err := s.detach(ctx, role, aws.ToString(in.RoleName), aws.ToString(in.PolicyArn)); err != nil {
		return nil, err
	}
	return &iam.DetachRolePolicyOutput{}, nil
}

// ListAttachedRolePolicies lists the attached policies.
func (s *Service) ListAttachedRolePolicies(_ context.Context, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	all, err := s.attached(role, aws.ToString(in.RoleName), in.PathPrefix)
	if err != nil {
		return nil, err
	}
	list, truncated, next, err := page(all, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: list, IsTruncated: truncated, Marker: next}, nil
}

// PutUserPolicy adds or changes an inline policy.
func (s *Service) PutUserPolicy(ctx context.Context, in *iam.PutUserPolicyInput) (*iam.PutUserPolicyOutput, error) {
	if err := s.putInline(ctx, user, aws.ToString(in.UserName), aws.ToString(in.PolicyName), aws.ToString(in.PolicyDocument)); err != nil {
		return nil, err
	}
	return &iam.PutUserPolicyOutput{}, nil
}

// GetUserPolicy returns an inline policy.
func (s *Service) GetUserPolicy(_ context.Context, in *iam.GetUserPolicyInput) (*iam.GetUserPolicyOutput, error) {
	p, d, err := s.inline(user, aws.ToString(in.UserName), aws.ToString(in.PolicyName))
	if err != nil {
		return nil, err
	}
	return &iam.GetUserPolicyOutput{UserName: new(p.Name), PolicyName: in.PolicyName, PolicyDocument: encoded(d)}, nil
}

// DeleteUserPolicy removes an inline policy.
func (s *Service) DeleteUserPolicy(ctx context.Context, in *iam.DeleteUserPolicyInput) (*iam.DeleteUserPolicyOutput, error) {
	if err := s.deleteInline(ctx, user, aws.ToString(in.UserName), aws.ToString(in.PolicyName)); err != nil {
		return nil, err
	}
	return &iam.DeleteUserPolicyOutput{}, nil
}

// ListUserPolicies lists the names of inline policies.
func (s *Service) ListUserPolicies(_ context.Context, in *iam.ListUserPoliciesInput) (*iam.ListUserPoliciesOutput, error) {
	names, err := s.inlineNames(user, aws.ToString(in.UserName))
	if err != nil {
		return nil, err
	}
	names, truncated, next, err := page(names, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListUserPoliciesOutput{PolicyNames: names, IsTruncated: truncated, Marker: next}, nil
}

// AttachUserPolicy attaches a managed policy.
func (s *Service) AttachUserPolicy(ctx context.Context, in *iam.AttachUserPolicyInput) (*iam.AttachUserPolicyOutput, error) {
	if err := s.attach(ctx, user, aws.ToString(in.UserName), aws.ToString(in.PolicyArn)); err != nil {
		return nil, err
	}
	return &iam.AttachUserPolicyOutput{}, nil
}

// DetachUserPolicy detaches a managed policy.
func (s *Service) DetachUserPolicy(ctx context.Context, in *iam.DetachUserPolicyInput) (*iam.DetachUserPolicyOutput, error) {
	if err := s.detach(ctx, user, aws.ToString(in.UserName), aws.ToString(in.PolicyArn)); err != nil {
		return nil, err
	}
	return &iam.DetachUserPolicyOutput{}, nil
}

// ListAttachedUserPolicies lists the attached policies.
func (s *Service) ListAttachedUserPolicies(_ context.Context, in *iam.ListAttachedUserPoliciesInput) (*iam.ListAttachedUserPoliciesOutput, error) {
	all, err := s.attached(user, aws.ToString(in.UserName), in.PathPrefix)
	if err != nil {
		return nil, err
	}
	list, truncated, next, err := page(all, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedUserPoliciesOutput{AttachedPolicies: list, IsTruncated: truncated, Marker: next}, nil
}
