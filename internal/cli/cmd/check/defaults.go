package check

import (
	"maps"

	"evo/internal/fitness"
)

// withDefaults are a rule's parameters: the given ones over those of evo's own suite.
func withDefaults(rule string, given map[string]string) map[string]string {
	standard := fitness.Parameters(rule)
	if standard == nil {
		return given
	}
	maps.Copy(standard, given)
	return standard
}
