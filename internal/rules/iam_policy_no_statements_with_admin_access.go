package rules

import (
	"evo/internal/rules/policy"
)

var iamPolicyNoStatementsWithAdminAccess = Rule{
	Name: "iam-policy-no-statements-with-admin-access", Identifier: "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS", Source: Managed,
	Summary: "no statement allows everything on everything",
	Remedy:  "list the actions and resources",
	Types:   []string{"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "excludePermissionBoundaryPolicy", Kind: BooleanParameter, Default: "false", About: "true: policies that are used as permissions boundary are not judged"},
	},
	judge: judgeIAMPolicyNoStatementsWithAdminAccess,
	registry: &registryReading{types: []string{"AWS::IAM::Policy"}, judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows everything on everything", allowsEverything)
	}},
}

func judgeIAMPolicyNoStatementsWithAdminAccess(s *subject) Verdict {
	return s.wantNoPermission("allows everything on everything", allowsEverything)
}

func allowsEverything(st policy.Statement) truth {
	return min(st.Allows(), st.Action("*"), st.Resource("*"))
}

// wantNoPermission judges the statements of a policy, or of a role's inline policies. AWS Config knows customer managed policies
// alone; a serverless application's are inline, so they are judged in the same way.
func (s *subject) wantNoPermission(fault string, faulty func(policy.Statement) truth) Verdict {
	if s.Type == "AWS::IAM::Role" && s.at("Policies").node == nil {
		return notApplicable(s.at("Policies"), "the role has no inline policies")
	}
	if s.arg("excludePermissionBoundaryPolicy").yes() && s.isBoundary() {
		return notApplicable(property{span: s.Span}, "the policy is a permissions boundary")
	}
	return s.wantNone(s.own("PolicyDocument", "Policies.*.PolicyDocument"), fault, faulty)
}

// isBoundary reports whether a user or role of the Set has the policy as its permissions boundary.
func (s *subject) isBoundary() bool {
	for _, it := range s.set.Items {
		if boundary := it.Properties.Get("PermissionsBoundary"); boundary != nil {
			if target, _ := s.set.target(boundary, []string{"AWS::IAM::ManagedPolicy"}); target == s.Item {
				return true
			}
		}
	}
	return false
}
