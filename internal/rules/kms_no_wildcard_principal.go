package rules

import (
	"evo/internal/rules/policy"
)

var kmsNoWildcardPrincipal = Rule{
	Name: "kms-no-wildcard-principal", Identifier: "KMS_NO_WILDCARD_PRINCIPAL", Source: Registry,
	Summary: "no statement of the key's policy names everyone",
	Remedy:  "list the principals in Principal",
	Types:   []string{"AWS::KMS::Key"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("KeyPolicy"), "names everyone", func(st policy.Statement) truth { return st.PrincipalIs("*") })
	},
	registry: &registryReading{nag: []string{"F76"}},
}
