package configservice

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"evo/internal/rules"
	"evo/internal/rules/runtimes"
)

// createdByEvo marks the rules that run because the account has declared none.
const createdByEvo = "evo"

// Defaults are the managed rules that run as long as the account has declared no rule, by name, with their parameters. Those
// without run with AWS's own defaults; lambda-function-settings-check has none, and asks for a runtime that AWS supports.
func Defaults() map[string]map[string]string {
	return map[string]map[string]string{
		"s3-bucket-logging-enabled":                nil,
		"s3-bucket-replication-enabled":            nil,
		"s3-bucket-versioning-enabled":             nil,
		"s3-bucket-public-write-prohibited":        nil,
		"s3-bucket-public-read-prohibited":         nil,
		"s3-bucket-ssl-requests-only":              nil,
		"s3-bucket-server-side-encryption-enabled": nil,
		"dynamodb-autoscaling-enabled":             nil,
		"dynamodb-throughput-limit-check":          nil,
		"lambda-function-public-access-prohibited": nil,
		"lambda-function-settings-check":           {"runtime": strings.Join(runtimes.Supported(), ",")},
	}
}

// defaultRules are the Defaults as rules of this region.
func (s *Service) defaultRules() []rule {
	var all []rule
	for name, given := range Defaults() {
		sum := sha256.Sum256([]byte(name))
		id := "config-rule-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:6])
		r := types.ConfigRule{ConfigRuleName: &name, ConfigRuleId: &id, ConfigRuleArn: new(s.ruleARN(id)), CreatedBy: new(createdByEvo),
			ConfigRuleState: types.ConfigRuleStateActive,
			Source:          &types.Source{Owner: types.OwnerAws, SourceIdentifier: new(strings.ToUpper(strings.ReplaceAll(name, "-", "_")))},
			EvaluationModes: []types.EvaluationModeConfiguration{{Mode: types.EvaluationModeDetective}}}
		if known := rules.Find(name); known != nil {
			r.Description = new(known.Summary)
			if len(known.Types) > 0 {
				r.Scope = &types.Scope{ComplianceResourceTypes: known.Types}
			}
			if known.Trigger != rules.OnChange {
				r.MaximumExecutionFrequency = types.MaximumExecutionFrequencyTwentyFourHours
			}
		}
		if given != nil {
			b, _ := json.Marshal(given) // a map of strings always marshals
			r.InputParameters = new(string(b))
		}
		all = append(all, rule{Rule: r})
	}
	slices.SortFunc(all, func(a, b rule) int { return strings.Compare(a.name(), b.name()) })
	return all
}
