package rules

import (
	"slices"

	"evo/internal/cfn"
)

// Suppression is a template's wish that a rule leave a resource alone, as one of the tools of the field writes it into Metadata.
type Suppression struct {
	Tool   string // guard, cfn_nag or checkov
	ID     string // the rule, by the tool's name
	Reason string
}

// SuppressedIn tells whether a resource's metadata suppresses a rule. Guard names rules as AWS Config does; for cfn_nag and checkov the
// rules are known that ask for the same.
func SuppressedIn(item *Item, ruleName string) (Suppression, bool) {
	rule := Find(ruleName)
	if item == nil || item.Metadata == nil || rule == nil {
		return Suppression{}, false
	}
	for _, find := range []func(*Rule, *cfn.Node) (Suppression, bool){byGuard, byNag, byCheckov} {
		if s, ok := find(rule, item.Metadata); ok {
			return s, true
		}
	}
	return Suppression{}, false
}

// byGuard reads {guard: {SuppressedRules: [ID, {ID: reason}]}}.
func byGuard(rule *Rule, metadata *cfn.Node) (Suppression, bool) {
	for _, n := range metadata.At("guard", "SuppressedRules").List() {
		if n.Str() == rule.Identifier {
			return Suppression{"guard", rule.Identifier, ""}, true
		}
		if n.Has(rule.Identifier) {
			return Suppression{"guard", rule.Identifier, n.Get(rule.Identifier).Str()}, true
		}
	}
	return Suppression{}, false
}

// byNag reads {cfn_nag: {rules_to_suppress: [{id, reason}]}}.
func byNag(rule *Rule, metadata *cfn.Node) (Suppression, bool) {
	var known []string
	if rule.registry != nil {
		known = rule.registry.nag
	}
	for _, n := range metadata.At("cfn_nag", "rules_to_suppress").List() {
		id := n.Get("id").Str()
		if slices.Contains(known, id) || id != "" && nagRules[id] == rule.Name {
			return Suppression{"cfn_nag", id, n.Get("reason").Str()}, true
		}
	}
	return Suppression{}, false
}

// byCheckov reads {checkov: {skip: [{id, comment}]}}.
func byCheckov(rule *Rule, metadata *cfn.Node) (Suppression, bool) {
	for _, n := range metadata.At("checkov", "skip").List() {
		id := n.Get("id").Str()
		if slices.Contains(checkovRules[id], rule.Name) {
			return Suppression{"checkov", id, n.Get("comment").Str()}, true
		}
	}
	return Suppression{}, false
}

// nagRules are cfn_nag's rules for which the Guard registry has no replacement, and the rule here that asks for the same.
var nagRules = map[string]string{
	"W89": "lambda-inside-vpc",
	"W92": "lambda-concurrency-check",
	"W84": "cloudwatch-log-group-encrypted",
	"W86": "cw-loggroup-retention-period-check",
	"W78": "dynamodb-pitr-enabled",
	"W47": "sns-encrypted-kms",
	"W48": "sqs-queue-kms-master-key-id-rule",
}

// checkovRules are checkov's rules for CloudFormation, and the rules here that ask for the same.
var checkovRules = map[string][]string{
	"CKV_AWS_7":   {"cmk-backing-key-rotation-enabled"},
	"CKV_AWS_18":  {"s3-bucket-logging-enabled"},
	"CKV_AWS_19":  {"s3-bucket-server-side-encryption-enabled"},
	"CKV_AWS_20":  {"s3-bucket-public-read-prohibited"},
	"CKV_AWS_21":  {"s3-bucket-versioning-enabled"},
	"CKV_AWS_26":  {"sns-encrypted-kms"},
	"CKV_AWS_27":  {"sqs-queue-kms-master-key-id-rule"},
	"CKV_AWS_28":  {"dynamodb-pitr-enabled"},
	"CKV_AWS_50":  {"lambda-function-xray-enabled"},
	"CKV_AWS_53":  {"s3-bucket-level-public-access-prohibited"},
	"CKV_AWS_54":  {"s3-bucket-level-public-access-prohibited"},
	"CKV_AWS_55":  {"s3-bucket-level-public-access-prohibited"},
	"CKV_AWS_56":  {"s3-bucket-level-public-access-prohibited"},
	"CKV_AWS_57":  {"s3-bucket-public-write-prohibited"},
	"CKV_AWS_66":  {"cw-loggroup-retention-period-check"},
	"CKV_AWS_73":  {"api-gw-xray-enabled"},
	"CKV_AWS_76":  {"api-gw-stage-access-logging-rule"},
	"CKV_AWS_95":  {"api-gwv2-access-logs-enabled"},
	"CKV_AWS_115": {"lambda-concurrency-check"},
	"CKV_AWS_116": {"lambda-dlq-check"},
	"CKV_AWS_117": {"lambda-inside-vpc"},
	"CKV_AWS_119": {"dynamodb-table-encrypted-kms", "dynamodb-table-encryption-enabled"},
	"CKV_AWS_120": {"api-gw-cache-enabled-and-encrypted"},
	"CKV_AWS_158": {"cloudwatch-log-group-encrypted"},
}
