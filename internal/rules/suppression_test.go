package rules

import (
	"testing"

	"evo/internal/cfn"
)

func TestSuppressedIn(t *testing.T) {
	for _, c := range []struct {
		metadata, rule string
		want           Suppression
	}{
		{"{guard: {SuppressedRules: [S3_BUCKET_LOGGING_ENABLED]}}", "s3-bucket-logging-enabled", Suppression{"guard", "S3_BUCKET_LOGGING_ENABLED", ""}},
		{"{guard: {SuppressedRules: [{S3_BUCKET_LOGGING_ENABLED: public data}]}}", "s3-bucket-logging-enabled",
			Suppression{"guard", "S3_BUCKET_LOGGING_ENABLED", "public data"}},
		{"{cfn_nag: {rules_to_suppress: [{id: W35, reason: none}]}}", "s3-bucket-logging-enabled", Suppression{"cfn_nag", "W35", "none"}},
		{"{cfn_nag: {rules_to_suppress: [{id: W78}]}}", "dynamodb-pitr-enabled", Suppression{"cfn_nag", "W78", ""}},
		{"{checkov: {skip: [{id: CKV_AWS_18, comment: none}]}}", "s3-bucket-logging-enabled", Suppression{"checkov", "CKV_AWS_18", "none"}},
		{"{checkov: {skip: [{id: CKV_AWS_18}]}}", "s3-bucket-versioning-enabled", Suppression{}},
		{"{guard: 3, cfn_nag: [], checkov: {skip: x}}", "s3-bucket-logging-enabled", Suppression{}},
		{"{guard: {SuppressedRules: [X]}}", "no-such-rule", Suppression{}},
	} {
		metadata, err := cfn.ParseValue("m.yaml", []byte(c.metadata))
		if err != nil {
			t.Fatal(err)
		}
		got, ok := SuppressedIn(&Item{Metadata: metadata}, c.rule)
		if got != c.want || ok != (c.want != Suppression{}) {
			t.Errorf("%s, %s: %+v, %v", c.metadata, c.rule, got, ok)
		}
	}
}

func TestSuppressibleRulesExist(t *testing.T) {
	for id, name := range nagRules {
		if Find(name) == nil {
			t.Errorf("%s: there is no rule %s", id, name)
		}
	}
	for id, names := range checkovRules {
		for _, name := range names {
			if Find(name) == nil {
				t.Errorf("%s: there is no rule %s", id, name)
			}
		}
	}
}
