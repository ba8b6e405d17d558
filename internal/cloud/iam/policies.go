package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/iam/policydoc"
	"evo/internal/cloud/store"
)

// policy is a managed policy.
type policy struct {
	Name, Path, ID   string
	Created, Updated time.Time
	Description      *string `json:",omitempty"`
	Default          int     // version
	Last             int     // the newest version that there ever was
	Versions         []version
	Tags             []tag `json:",omitempty"`
}

type version struct {
	N        int
	Document string
	Created  time.Time
}

func (v version) id() string { return fmt.Sprintf("v%d", v.N) }

func (p policy) arn() string { return arn("policy", p.Path, p.Name) }

// Quotas of IAM.
const (
	maxManaged  = 6144 // characters of a managed policy
	maxInline   = 10240
	maxVersions = 5
	maxAttached = 20
)

const awsPolicy = "arn:aws:iam::aws:policy/"

// awsDocuments are the documents that are known of AWS's own policies.
var awsDocuments = map[string]string{
	"AdministratorAccess":                          `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
	"service-role/AWSLambdaBasicExecutionRole":     `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}`,
	"AmazonS3FullAccess":                           `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","s3-object-lambda:*"],"Resource":"*"}]}`,
	"AWSXRayDaemonWriteAccess":                     `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["xray:PutTraceSegments","xray:PutTelemetryRecords","xray:GetSamplingRules","xray:GetSamplingTargets","xray:GetSamplingStatisticSummaries"],"Resource":["*"]}]}`,
	"service-role/AWSCodeDeployRoleForLambda":      "",
	"service-role/AWSLambdaVPCAccessExecutionRole": "",
}

// awsManaged returns the policy of AWS that an ARN names.
func (s *Service) awsManaged(policyARN string) (policy, bool) {
	full, ok := strings.CutPrefix(policyARN, awsPolicy)
	if !ok || !isAWSPolicy(full) {
		return policy{}, false
	}
	i := strings.LastIndexByte(full, '/') + 1
	at := time.Date(2015, 2, 6, 18, 40, 58, 0, time.UTC)
	return policy{Name: full[i:], Path: "/" + full[:i], ID: "ANPA" + strings.ToUpper(fmt.Sprintf("%017x", hash(full))), Created: at, Updated: at, Default: 1, Last: 1,
		Versions: []version{{1, awsDocuments[full], at}}}, true
}

// hash is FNV-1a, so that a policy of AWS has the same id every time.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range []byte(s) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

func (s *Service) policy(tx *store.Tx, policyARN string) (policy, bool) {
	if p, ok := s.awsManaged(policyARN); ok {
		return p, true
	}
	return s.policies.Get(tx, policyARN)
}

func notFound(policyARN string) error { return noSuchEntity("Policy %s was not found.", policyARN) }

// own returns a policy of the account, which alone can be changed.
func (s *Service) own(tx *store.Tx, policyARN string) (policy, error) {
	if strings.HasPrefix(policyARN, awsPolicy) {
		return policy{}, &call.Error{Status: 403, Code: "AccessDenied", Message: "Cannot perform the operation on the protected policy " + policyARN + "."}
	}
	p, ok := s.policies.Get(tx, policyARN)
	if !ok {
		return p, notFound(policyARN)
	}
	p.Versions, p.Tags = slices.Clone(p.Versions), slices.Clone(p.Tags)
	return p, nil
}

// attachable checks that a policy can be attached.
func (s *Service) attachable(tx *store.Tx, policyARN string) error {
	if parts := strings.SplitN(policyARN, ":", 6); len(parts) < 6 || parts[0] != "arn" {
		return call.Errorf("ValidationError", "Invalid ARN:  Could not be parsed!")
	}
	if _, ok := s.policy(tx, policyARN); !ok {
		return noSuchEntity("Policy %s does not exist or is not attachable.", policyARN)
	}
	if strings.HasPrefix(policyARN, awsPolicy+serviceRolePath) {
		return call.Errorf("PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.")
	}
	return nil
}

// attachments counts the principals that have a policy attached.
func (s *Service) attachments(tx *store.Tx, policyARN string) (attached, boundaries int32) {
	for _, p := range s.principals.Ascend(tx, "") {
		if slices.Contains(p.Attached, policyARN) {
			attached++
		}
		if value(p.Boundary) == policyARN {
			boundaries++
		}
	}
	return attached, boundaries
}

func (s *Service) sdkPolicy(tx *store.Tx, p policy, policyARN string) types.Policy {
	n, boundaries := s.attachments(tx, policyARN)
	return types.Policy{PolicyName: ptr(p.Name), PolicyId: ptr(p.ID), Arn: ptr(policyARN), Path: ptr(p.Path), DefaultVersionId: ptr(fmt.Sprintf("v%d", p.Default)),
		AttachmentCount: ptr(n), PermissionsBoundaryUsageCount: ptr(boundaries), IsAttachable: !strings.HasPrefix(p.Path, "/"+serviceRolePath), CreateDate: ptr(p.Created), UpdateDate: ptr(p.Updated)}
}

func checkManaged(document string) error {
	if policydoc.Size(document) > maxManaged {
		return limitExceeded("Cannot exceed quota for PolicySize: %d", maxManaged)
	}
	return checkDocument(policydoc.Identity, document)
}

// CreatePolicy makes a managed policy.
func (s *Service) CreatePolicy(ctx context.Context, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	if err := checkManaged(value(in.PolicyDocument)); err != nil {
		return nil, err
	}
	tags, err := withTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now().Truncate(time.Second)
	p := policy{Name: value(in.PolicyName), Path: pathOr(in.Path), ID: newID("ANPA"), Created: now, Updated: now, Description: in.Description, Default: 1, Last: 1,
		Versions: []version{{1, value(in.PolicyDocument), now}}, Tags: tags}
	var out types.Policy
	err = s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, other := range s.policies.Ascend(tx, "") {
			if strings.EqualFold(other.Name, p.Name) {
				return exists("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
			}
		}
		s.policies.Put(tx, p.arn(), p)
		out = s.sdkPolicy(tx, p, p.arn())
		out.Tags = sdkTags(tags)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreatePolicyOutput{Policy: &out}, nil
}

// GetPolicy returns a managed policy.
func (s *Service) GetPolicy(_ context.Context, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	var out types.Policy
	err := notFound(value(in.PolicyArn))
	s.Store.View(func(tx *store.Tx) {
		if p, ok := s.policy(tx, value(in.PolicyArn)); ok {
			out, err = s.sdkPolicy(tx, p, *in.PolicyArn), nil
			out.Description, out.Tags = p.Description, sdkTags(p.Tags)
		}
	})
	if err != nil {
		return nil, err
	}
	return &iam.GetPolicyOutput{Policy: &out}, nil
}

// ListPolicies lists the account's policies, and those of AWS.
func (s *Service) ListPolicies(_ context.Context, in *iam.ListPoliciesInput) (*iam.ListPoliciesOutput, error) {
	var all []types.Policy
	s.Store.View(func(tx *store.Tx) {
		add := func(p policy, policyARN string) {
			if !strings.HasPrefix(p.Path, value(in.PathPrefix)) {
				return
			}
			if sdk := s.sdkPolicy(tx, p, policyARN); !in.OnlyAttached || *sdk.AttachmentCount > 0 {
				all = append(all, sdk)
			}
		}
		if in.Scope != types.PolicyScopeTypeAws {
			for a, p := range s.policies.Ascend(tx, "") {
				add(p, a)
			}
		}
		if in.Scope != types.PolicyScopeTypeLocal {
			for _, name := range awsPolicyNames {
				p, _ := s.awsManaged(awsPolicy + name)
				add(p, awsPolicy+name)
			}
		}
	})
	list, truncated, next, err := page(all, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListPoliciesOutput{Policies: list, IsTruncated: truncated, Marker: next}, nil
}

// DeletePolicy removes a managed policy that nobody uses and that has one version.
func (s *Service) DeletePolicy(ctx context.Context, in *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error) {
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err := s.own(tx, value(in.PolicyArn))
		if err != nil {
			return err
		}
		if n, boundaries := s.attachments(tx, *in.PolicyArn); n+boundaries > 0 {
			return conflict("Cannot delete a policy attached to entities.")
		}
		if len(p.Versions) > 1 {
			return conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		s.policies.Delete(tx, *in.PolicyArn)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.DeletePolicyOutput{}, nil
}

// changePolicy changes a policy of the account.
func (s *Service) changePolicy(ctx context.Context, policyARN string, change func(p *policy) error) error {
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err := s.own(tx, policyARN)
		if err != nil {
			return err
		}
		if err := change(&p); err != nil {
			return err
		}
		s.policies.Put(tx, policyARN, p)
		return nil
	})
}

func (p policy) find(id string) int {
	return slices.IndexFunc(p.Versions, func(v version) bool { return v.id() == id })
}

func noVersion(policyARN, id string) error {
	return noSuchEntity("Policy %s version %s does not exist or is not attachable.", policyARN, id)
}

// CreatePolicyVersion adds a version.
func (s *Service) CreatePolicyVersion(ctx context.Context, in *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, error) {
	if err := checkManaged(value(in.PolicyDocument)); err != nil {
		return nil, err
	}
	now := s.Clock.Now().Truncate(time.Second)
	var v version
	err := s.changePolicy(ctx, value(in.PolicyArn), func(p *policy) error {
		if len(p.Versions) >= maxVersions {
			return limitExceeded("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		p.Last++
		v = version{p.Last, value(in.PolicyDocument), now}
		p.Versions, p.Updated = append(p.Versions, v), now
		if in.SetAsDefault {
			p.Default = v.N
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreatePolicyVersionOutput{PolicyVersion: &types.PolicyVersion{VersionId: ptr(v.id()), IsDefaultVersion: in.SetAsDefault, CreateDate: ptr(now)}}, nil
}

// GetPolicyVersion returns a version with its document.
func (s *Service) GetPolicyVersion(_ context.Context, in *iam.GetPolicyVersionInput) (*iam.GetPolicyVersionOutput, error) {
	var p policy
	var ok bool
	s.Store.View(func(tx *store.Tx) { p, ok = s.policy(tx, value(in.PolicyArn)) })
	if !ok {
		return nil, notFound(value(in.PolicyArn))
	}
	i := p.find(value(in.VersionId))
	if i < 0 {
		return nil, noVersion(*in.PolicyArn, value(in.VersionId))
	}
	v := p.Versions[i]
	if v.Document == "" {
		return nil, noSuchEntity("The document of the AWS managed policy %s is not known to the embedded cloud.", *in.PolicyArn)
	}
	return &iam.GetPolicyVersionOutput{PolicyVersion: &types.PolicyVersion{VersionId: ptr(v.id()), IsDefaultVersion: v.N == p.Default, CreateDate: ptr(v.Created), Document: encoded(v.Document)}}, nil
}

// ListPolicyVersions lists a policy's versions, newest first.
func (s *Service) ListPolicyVersions(_ context.Context, in *iam.ListPolicyVersionsInput) (*iam.ListPolicyVersionsOutput, error) {
	var p policy
	var ok bool
	s.Store.View(func(tx *store.Tx) { p, ok = s.policy(tx, value(in.PolicyArn)) })
	if !ok {
		return nil, notFound(value(in.PolicyArn))
	}
	var all []types.PolicyVersion
	for _, v := range slices.Backward(p.Versions) {
		all = append(all, types.PolicyVersion{VersionId: ptr(v.id()), IsDefaultVersion: v.N == p.Default, CreateDate: ptr(v.Created)})
	}
	list, truncated, next, err := page(all, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListPolicyVersionsOutput{Versions: list, IsTruncated: truncated, Marker: next}, nil
}

// DeletePolicyVersion removes a version that is not the default.
func (s *Service) DeletePolicyVersion(ctx context.Context, in *iam.DeletePolicyVersionInput) (*iam.DeletePolicyVersionOutput, error) {
	err := s.changePolicy(ctx, value(in.PolicyArn), func(p *policy) error {
		i := p.find(value(in.VersionId))
		if i < 0 {
			return noVersion(*in.PolicyArn, value(in.VersionId))
		}
		if p.Versions[i].N == p.Default {
			return conflict("Cannot delete the default version of a policy.")
		}
		p.Versions = slices.Delete(p.Versions, i, i+1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.DeletePolicyVersionOutput{}, nil
}

// SetDefaultPolicyVersion makes a version the one that counts.
func (s *Service) SetDefaultPolicyVersion(ctx context.Context, in *iam.SetDefaultPolicyVersionInput) (*iam.SetDefaultPolicyVersionOutput, error) {
	err := s.changePolicy(ctx, value(in.PolicyArn), func(p *policy) error {
		i := p.find(value(in.VersionId))
		if i < 0 {
			return noVersion(*in.PolicyArn, value(in.VersionId))
		}
		p.Default, p.Updated = p.Versions[i].N, s.Clock.Now().Truncate(time.Second)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.SetDefaultPolicyVersionOutput{}, nil
}

// ListEntitiesForPolicy lists who has a policy attached.
func (s *Service) ListEntitiesForPolicy(_ context.Context, in *iam.ListEntitiesForPolicyInput) (*iam.ListEntitiesForPolicyOutput, error) {
	out := &iam.ListEntitiesForPolicyOutput{PolicyRoles: []types.PolicyRole{}, PolicyUsers: []types.PolicyUser{}, PolicyGroups: []types.PolicyGroup{}}
	err := notFound(value(in.PolicyArn))
	s.Store.View(func(tx *store.Tx) {
		if _, ok := s.policy(tx, value(in.PolicyArn)); ok {
			err = nil
		}
		for _, p := range s.principals.Ascend(tx, "") {
			switch {
			case !slices.Contains(p.Attached, value(in.PolicyArn)):
			case p.Kind == role:
				out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleName: ptr(p.Name), RoleId: ptr(p.ID)})
			case p.Kind == user:
				out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserName: ptr(p.Name), UserId: ptr(p.ID)})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// TagPolicy adds tags.
func (s *Service) TagPolicy(ctx context.Context, in *iam.TagPolicyInput) (*iam.TagPolicyOutput, error) {
	err := s.changePolicy(ctx, value(in.PolicyArn), func(p *policy) (err error) {
		p.Tags, err = withTags(p.Tags, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.TagPolicyOutput{}, nil
}

// UntagPolicy removes tags.
func (s *Service) UntagPolicy(ctx context.Context, in *iam.UntagPolicyInput) (*iam.UntagPolicyOutput, error) {
	err := s.changePolicy(ctx, value(in.PolicyArn), func(p *policy) error {
		p.Tags = withoutTags(p.Tags, in.TagKeys)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.UntagPolicyOutput{}, nil
}

// ListPolicyTags lists a policy's tags.
func (s *Service) ListPolicyTags(_ context.Context, in *iam.ListPolicyTagsInput) (*iam.ListPolicyTagsOutput, error) {
	var p policy
	var ok bool
	s.Store.View(func(tx *store.Tx) { p, ok = s.policy(tx, value(in.PolicyArn)) })
	if !ok {
		return nil, notFound(value(in.PolicyArn))
	}
	tags, truncated, next, err := page(sdkTags(p.Tags), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListPolicyTagsOutput{Tags: tags, IsTruncated: truncated, Marker: next}, nil
}
