package rules

import (
	"strings"

	"evo/internal/cfn"
	"evo/internal/rules/policy"
	"evo/internal/rules/value"
)

var iamCustomerPolicyBlockedKMSActions = Rule{
	Name: "iam-customer-policy-blocked-kms-actions", Identifier: "IAM_CUSTOMER_POLICY_BLOCKED_KMS_ACTIONS", Source: Managed,
	Summary: "no statement allows one of the KMS actions on all keys",
	Remedy:  "name the keys in Resource",
	Types:   []string{"AWS::IAM::ManagedPolicy"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "blockedActionsPatterns", Kind: CSVParameter, Required: true, About: "KMS actions, with wildcards"},
		{Name: "excludePermissionBoundaryPolicy", Kind: BooleanParameter, Default: "false", About: "true: policies that are used as permissions boundary are not judged"},
	},
	judge: judgeIAMCustomerPolicyBlockedKMSActions,
}

func judgeIAMCustomerPolicyBlockedKMSActions(s *subject) Verdict {
	return s.wantNoPermission("allows a blocked KMS action on all keys", s.blockedOnAllKeys)
}

// blockedOnAllKeys tells whether a statement allows one of the parameter's actions on every key.
func (s *subject) blockedOnAllKeys(st policy.Statement) truth {
	patterns := make([]string, 0, 4)
	for _, p := range s.arg("blockedActionsPatterns").words {
		patterns = append(patterns, strings.ToLower(p))
	}
	t := min(st.Allows(), st.Reaches(patterns...))
	if t == no {
		return no
	}
	return min(t, allKeys(st.Node.Get("Resource")))
}

func allKeys(resource *cfn.Node) truth {
	list := property{node: resource, open: isOpen(resource)}
	best := no
	for i := range list.len() {
		text, ok := value.Of(list.item(i).node)
		switch {
		case !ok:
			best = max(best, unknown)
		case text == "*", strings.HasPrefix(string(text), "arn:") && (strings.HasSuffix(string(text), ":key/*") || strings.HasSuffix(string(text), ":alias/*") || strings.HasSuffix(string(text), ":*")):
			best = yes
		}
	}
	return best
}
