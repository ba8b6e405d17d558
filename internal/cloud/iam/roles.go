package iam

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"evo/internal/cloud/iam/policydoc"
	"evo/internal/cloud/store"
)

// maxTrust is how long a trust policy may be.
const maxTrust = 2048

func checkTrust(document string) error {
	if policydoc.Size(document) > maxTrust {
		return limitExceeded("Cannot exceed quota for ACLSizePerRole: %d", maxTrust)
	}
	return checkDocument(policydoc.Trust, document)
}

// CreateRole makes a role.
func (s *Service) CreateRole(ctx context.Context, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	if err := checkTrust(aws.ToString(in.AssumeRolePolicyDocument)); err != nil {
		return nil, err
	}
	tags, err := withTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	p := principal{Kind: role, Name: aws.ToString(in.RoleName), Path: pathOr(in.Path), ID: newID("AROA"), Created: s.Clock.Now().Truncate(time.Second), Description: in.Description,
		Trust: aws.ToString(in.AssumeRolePolicyDocument), MaxSession: 3600, Boundary: in.PermissionsBoundary, Tags: tags}
	if in.MaxSessionDuration != nil {
		p.MaxSession = *in.MaxSessionDuration
	}
	if err := s.create(ctx, p); err != nil {
		return nil, err
	}
	r := p.role()
	r.Tags, r.PermissionsBoundary = sdkTags(tags), boundary(p.Boundary)
	if in.MaxSessionDuration == nil {
		r.MaxSessionDuration = nil // as IAM answers here, and only here
	}
	return &iam.CreateRoleOutput{Role: &r}, nil
}

func boundary(arn *string) *types.AttachedPermissionsBoundary {
	if arn == nil {
		return nil
	}
	return &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: arn, PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy}
}

// role is what lists show of a role.
func (p principal) role() types.Role {
	return types.Role{RoleName: new(p.Name), Path: new(p.Path), Arn: new(p.arn()), RoleId: new(p.ID), CreateDate: new(p.Created), Description: p.Description,
		AssumeRolePolicyDocument: encoded(p.Trust), MaxSessionDuration: new(p.MaxSession)}
}

// GetRole returns a role.
func (s *Service) GetRole(_ context.Context, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	p, err := s.view(role, aws.ToString(in.RoleName))
	if err != nil {
		return nil, err
	}
	r := p.role()
	r.Tags, r.PermissionsBoundary, r.RoleLastUsed = sdkTags(p.Tags), boundary(p.Boundary), &types.RoleLastUsed{}
	return &iam.GetRoleOutput{Role: &r}, nil
}

// ListRoles lists roles by name.
func (s *Service) ListRoles(_ context.Context, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	list, truncated, next, err := page(s.list(role, in.PathPrefix), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListRolesOutput{Roles: []types.Role{}, IsTruncated: truncated, Marker: next}
	for _, p := range list {
		out.Roles = append(out.Roles, p.role())
	}
	return out, nil
}

// DeleteRole removes a role that has no policies and is in no instance profile.
func (s *Service) DeleteRole(ctx context.Context, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	name := aws.ToString(in.RoleName)
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err := s.get(tx, role, name)
		if err != nil {
			return err
		}
		if err := p.deletable(); err != nil {
			return err
		}
		for _, pr := range s.profiles.Ascend(tx, "") {
			if strings.EqualFold(pr.Role, name) {
				return conflict("Cannot delete entity, must remove roles from instance profile first.")
			}
		}
		s.principals.Delete(tx, principalKey(role, name))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.DeleteRoleOutput{}, nil
}

func (p principal) deletable() error {
	switch {
	case len(p.Attached) > 0:
		return conflict("Cannot delete entity, must detach all policies first.")
	case len(p.Inline) > 0:
		return conflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}

// UpdateRole changes a role's description and longest session.
func (s *Service) UpdateRole(ctx context.Context, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	err := s.change(ctx, role, aws.ToString(in.RoleName), func(_ *store.Tx, p *principal) error {
		if in.Description != nil {
			p.Description = in.Description
		}
		if in.MaxSessionDuration != nil {
			p.MaxSession = *in.MaxSessionDuration
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.UpdateRoleOutput{}, nil
}

// UpdateRoleDescription changes a role's description.
func (s *Service) UpdateRoleDescription(ctx context.Context, in *iam.UpdateRoleDescriptionInput) (*iam.UpdateRoleDescriptionOutput, error) {
	var r types.Role
	err := s.change(ctx, role, aws.ToString(in.RoleName), func(_ *store.Tx, p *principal) error {
		p.Description = in.Description
		r = p.role()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.UpdateRoleDescriptionOutput{Role: &r}, nil
}

// UpdateAssumeRolePolicy changes who may assume a role.
func (s *Service) UpdateAssumeRolePolicy(ctx context.Context, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	if err := checkTrust(aws.ToString(in.PolicyDocument)); err != nil {
		return nil, err
	}
	err := s.change(ctx, role, aws.ToString(in.RoleName), func(_ *store.Tx, p *principal) error {
		p.Trust = aws.ToString(in.PolicyDocument)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.UpdateAssumeRolePolicyOutput{}, nil
}

// PutRolePermissionsBoundary notes a role's boundary.
func (s *Service) PutRolePermissionsBoundary(ctx context.Context, in *iam.PutRolePermissionsBoundaryInput) (*iam.PutRolePermissionsBoundaryOutput, error) {
	err := s.change(ctx, role, aws.ToString(in.RoleName), func(tx *store.Tx, p *principal) error {
		p.Boundary = in.PermissionsBoundary
		return s.attachable(tx, aws.ToString(in.PermissionsBoundary))
	})
	if err != nil {
		return nil, err
	}
	return &iam.PutRolePermissionsBoundaryOutput{}, nil
}

// DeleteRolePermissionsBoundary forgets a role's boundary.
func (s *Service) DeleteRolePermissionsBoundary(ctx context.Context, in *iam.DeleteRolePermissionsBoundaryInput) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	err := s.change(ctx, role, aws.ToString(in.RoleName), func(_ *store.Tx, p *principal) error {
		p.Boundary = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.DeleteRolePermissionsBoundaryOutput{}, nil
}

// TagRole adds tags.
func (s *Service) TagRole(ctx context.Context, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	err := s.change(ctx, role, aws.ToString(in.RoleName), func(_ *store.Tx, p *principal) (err error) {
		p.Tags, err = withTags(p.Tags, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.TagRoleOutput{}, nil
}

// UntagRole removes tags.
func (s *Service) UntagRole(ctx context.Context, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	err := s.change(ctx, role, aws.ToString(in.RoleName), func(_ *store.Tx, p *principal) error {
		p.Tags = withoutTags(p.Tags, in.TagKeys)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.UntagRoleOutput{}, nil
}

// ListRoleTags lists a role's tags.
func (s *Service) ListRoleTags(_ context.Context, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	p, err := s.view(role, aws.ToString(in.RoleName))
	if err != nil {
		return nil, err
	}
	tags, truncated, next, err := page(sdkTags(p.Tags), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRoleTagsOutput{Tags: tags, IsTruncated: truncated, Marker: next}, nil
}

// Role tells of the role with an ARN, for those who issue credentials for it.
func (s *Service) Role(roleARN string) (id string, maxSession time.Duration, ok bool) {
	name := roleARN[strings.LastIndexByte(roleARN, '/')+1:]
	p, err := s.view(role, name)
	if err != nil || p.arn() != roleARN {
		return "", 0, false
	}
	return p.ID, time.Duration(p.MaxSession) * time.Second, true
}

// Assumable tells whether the role with an ARN exists and trusts a service, as lambda.amazonaws.com.
func (s *Service) Assumable(_ context.Context, roleARN, service string) bool {
	p, err := s.view(role, roleARN[strings.LastIndexByte(roleARN, '/')+1:])
	return err == nil && p.arn() == roleARN && policydoc.Trusts(p.Trust, service)
}

// --- instance profiles ---

// profile is an instance profile; it holds one role at most.
type profile struct {
	Name, Path, ID string
	Created        time.Time
	Role           string `json:",omitempty"`
	Tags           []tag  `json:",omitempty"`
}

func (s *Service) sdkProfile(tx *store.Tx, p profile) types.InstanceProfile {
	out := types.InstanceProfile{InstanceProfileName: new(p.Name), Path: new(p.Path), InstanceProfileId: new(p.ID), CreateDate: new(p.Created), Arn: new(arn("instance-profile", p.Path, p.Name)), Roles: []types.Role{}, Tags: sdkTags(p.Tags)}
	if r, err := s.get(tx, role, p.Role); p.Role != "" && err == nil {
		out.Roles = append(out.Roles, r.role())
	}
	return out
}

// CreateInstanceProfile makes an instance profile.
func (s *Service) CreateInstanceProfile(ctx context.Context, in *iam.CreateInstanceProfileInput) (*iam.CreateInstanceProfileOutput, error) {
	tags, err := withTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	p := profile{Name: aws.ToString(in.InstanceProfileName), Path: pathOr(in.Path), ID: newID("AIPA"), Created: s.Clock.Now().Truncate(time.Second), Tags: tags}
	var out types.InstanceProfile
	err = s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, ok := s.profiles.Get(tx, p.Name); ok {
			return exists("Instance Profile %s already exists.", p.Name)
		}
		s.profiles.Put(tx, p.Name, p)
		out = s.sdkProfile(tx, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateInstanceProfileOutput{InstanceProfile: &out}, nil
}

func (s *Service) profile(tx *store.Tx, name string) (profile, error) {
	p, ok := s.profiles.Get(tx, name)
	if !ok {
		return p, noSuchEntity("Instance Profile %s cannot be found.", name)
	}
	return p, nil
}

// GetInstanceProfile returns an instance profile.
func (s *Service) GetInstanceProfile(_ context.Context, in *iam.GetInstanceProfileInput) (*iam.GetInstanceProfileOutput, error) {
	var out types.InstanceProfile
	var err error
	s.Store.View(func(tx *store.Tx) {
		var p profile
		if p, err = s.profile(tx, aws.ToString(in.InstanceProfileName)); err == nil {
			out = s.sdkProfile(tx, p)
		}
	})
	if err != nil {
		return nil, err
	}
	return &iam.GetInstanceProfileOutput{InstanceProfile: &out}, nil
}

func (s *Service) profilesOf(match func(profile) bool) (out []types.InstanceProfile) {
	s.Store.View(func(tx *store.Tx) {
		for _, p := range s.profiles.Ascend(tx, "") {
			if match(p) {
				out = append(out, s.sdkProfile(tx, p))
			}
		}
	})
	return out
}

// ListInstanceProfiles lists instance profiles.
func (s *Service) ListInstanceProfiles(_ context.Context, in *iam.ListInstanceProfilesInput) (*iam.ListInstanceProfilesOutput, error) {
	list, truncated, next, err := page(s.profilesOf(func(p profile) bool { return strings.HasPrefix(p.Path, aws.ToString(in.PathPrefix)) }), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfilesOutput{InstanceProfiles: list, IsTruncated: truncated, Marker: next}, nil
}

// ListInstanceProfilesForRole lists the instance profiles that hold a role.
func (s *Service) ListInstanceProfilesForRole(_ context.Context, in *iam.ListInstanceProfilesForRoleInput) (*iam.ListInstanceProfilesForRoleOutput, error) {
	if _, err := s.view(role, aws.ToString(in.RoleName)); err != nil {
		return nil, err
	}
	list, truncated, next, err := page(s.profilesOf(func(p profile) bool { return strings.EqualFold(p.Role, aws.ToString(in.RoleName)) }), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfilesForRoleOutput{InstanceProfiles: list, IsTruncated: truncated, Marker: next}, nil
}

func (s *Service) changeProfile(ctx context.Context, name string, change func(tx *store.Tx, p *profile) error) error {
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err := s.profile(tx, name)
		if err != nil {
			return err
		}
		if err := change(tx, &p); err != nil {
			return err
		}
		s.profiles.Put(tx, name, p)
		return nil
	})
}

// AddRoleToInstanceProfile puts a role into an instance profile.
func (s *Service) AddRoleToInstanceProfile(ctx context.Context, in *iam.AddRoleToInstanceProfileInput) (*iam.AddRoleToInstanceProfileOutput, error) {
	err := s.changeProfile(ctx, aws.ToString(in.InstanceProfileName), func(tx *store.Tx, p *profile) error {
		r, err := s.get(tx, role, aws.ToString(in.RoleName))
		if err != nil {
			return err
		}
		if p.Role != "" {
			return limitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
		}
		p.Role = r.Name
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.AddRoleToInstanceProfileOutput{}, nil
}

// RemoveRoleFromInstanceProfile takes a role out of an instance profile.
func (s *Service) RemoveRoleFromInstanceProfile(ctx context.Context, in *iam.RemoveRoleFromInstanceProfileInput) (*iam.RemoveRoleFromInstanceProfileOutput, error) {
	err := s.changeProfile(ctx, aws.ToString(in.InstanceProfileName), func(_ *store.Tx, p *profile) error {
		if !strings.EqualFold(p.Role, aws.ToString(in.RoleName)) || p.Role == "" {
			return noSuchEntity("The role with name %s cannot be found.", aws.ToString(in.RoleName))
		}
		p.Role = ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.RemoveRoleFromInstanceProfileOutput{}, nil
}

// DeleteInstanceProfile removes an instance profile that holds no role.
func (s *Service) DeleteInstanceProfile(ctx context.Context, in *iam.DeleteInstanceProfileInput) (*iam.DeleteInstanceProfileOutput, error) {
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err := s.profile(tx, aws.ToString(in.InstanceProfileName))
		if err != nil {
			return err
		}
		if p.Role != "" {
			return conflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		s.profiles.Delete(tx, p.Name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.DeleteInstanceProfileOutput{}, nil
}

// ListAccountAliases lists none.
func (s *Service) ListAccountAliases(context.Context, *iam.ListAccountAliasesInput) (*iam.ListAccountAliasesOutput, error) {
	return &iam.ListAccountAliasesOutput{AccountAliases: []string{}}, nil
}
