package serverlessrepo

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"

	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
)

var (
	account      = regexp.MustCompile(`^[0-9]{12}$`)
	organization = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
	grantable    = []string{"GetApplication", "CreateCloudFormationChangeSet", "CreateCloudFormationTemplate", "ListApplicationDependencies",
		"ListApplicationVersions", "SearchApplications", "Deploy", "UnshareApplication"}
)

// maxPolicy is how long a policy may be, in characters.
const maxPolicy = 6144

// PutApplicationPolicy says who may do what with an application. It takes the place of the policy before it.
func (s *Service) PutApplicationPolicy(ctx context.Context, in *api.PutApplicationPolicyInput) (*api.PutApplicationPolicyOutput, error) {
	statements := slices.Clone(in.Statements)
	for i := range statements {
		if err := checkStatement(statements[i]); err != nil {
			return nil, err
		}
		if aws.ToString(statements[i].StatementId) == "" {
			statements[i].StatementId = aws.String(id.UUID())
		}
	}
	text, err := json.Marshal(statements)
	if err != nil {
		return nil, fmt.Errorf("measure the policy: %w", err)
	}
	if len(text) > maxPolicy {
		return nil, badRequest("The policy must not exceed %d characters", maxPolicy)
	}
	a, err := s.edit(ctx, in.ApplicationId, func(tx *store.Tx, a *application) error {
		a.Policy = statements
		return s.checkPublic(tx, *a)
	})
	if err != nil {
		return nil, err
	}
	return &api.PutApplicationPolicyOutput{Statements: a.statements()}, nil
}

func checkStatement(p types.ApplicationPolicyStatement) error {
	if len(p.Principals) == 0 || len(p.Actions) == 0 {
		return badRequest("A statement needs principals and actions")
	}
	for _, principal := range p.Principals {
		if principal != "*" && !account.MatchString(principal) {
			return badRequest("Invalid principal '%s': it must be an account ID, or *", principal)
		}
	}
	for _, action := range p.Actions {
		if !slices.Contains(grantable, action) {
			return badRequest("Invalid action '%s': it must be one of %v", action, grantable)
		}
	}
	for _, org := range p.PrincipalOrgIDs {
		if !organization.MatchString(org) {
			return badRequest("Invalid organization ID '%s'", org)
		}
	}
	return nil
}

// public tells whether a statement lets everybody in.
func public(p types.ApplicationPolicyStatement) bool {
	return slices.Contains(p.Principals, "*") && len(p.PrincipalOrgIDs) == 0
}

// checkPublic refuses to make an application public without the two things that AWS asks for: a license and a version.
func (s *Service) checkPublic(tx *store.Tx, a application) error {
	switch {
	case !slices.ContainsFunc(a.Policy, public):
		return nil
	case a.LicenseKey == "":
		return badRequest("Application %s cannot be made public: it has no license", a.ARN)
	case s.latest(tx, a.ARN) == nil:
		return badRequest("Application %s cannot be made public: it has no version", a.ARN)
	}
	return nil
}

func (a application) statements() []types.ApplicationPolicyStatement {
	if a.Policy == nil {
		return []types.ApplicationPolicyStatement{}
	}
	return a.Policy
}

// GetApplicationPolicy tells who may do what with an application.
func (s *Service) GetApplicationPolicy(_ context.Context, in *api.GetApplicationPolicyInput) (*api.GetApplicationPolicyOutput, error) {
	a, err := s.look(in.ApplicationId)
	if err != nil {
		return nil, err
	}
	return &api.GetApplicationPolicyOutput{Statements: a.statements()}, nil
}

// UnshareApplication takes an organization out of an application's policy.
func (s *Service) UnshareApplication(ctx context.Context, in *api.UnshareApplicationInput) (*api.UnshareApplicationOutput, error) {
	org := aws.ToString(in.OrganizationId)
	_, err := s.edit(ctx, in.ApplicationId, func(_ *store.Tx, a *application) error {
		var left []types.ApplicationPolicyStatement
		for _, p := range a.Policy {
			if slices.Contains(p.PrincipalOrgIDs, org) {
				p.PrincipalOrgIDs = slices.DeleteFunc(slices.Clone(p.PrincipalOrgIDs), func(o string) bool { return o == org })
				if len(p.PrincipalOrgIDs) == 0 { // without its condition the statement would let everybody in
					continue
				}
			}
			left = append(left, p)
		}
		if len(left) == len(a.Policy) && !slices.ContainsFunc(a.Policy, func(p types.ApplicationPolicyStatement) bool { return slices.Contains(p.PrincipalOrgIDs, org) }) {
			return notFound("Application %s is not shared with organization %s", a.ARN, org)
		}
		a.Policy = left
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.UnshareApplicationOutput{}, nil
}
