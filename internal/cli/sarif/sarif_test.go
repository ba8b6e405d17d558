package sarif

import (
	"bytes"
	"encoding/json"
	"testing"

	"evo/internal/source"
)

// The rules of SARIF 2.1.0 that its schema states and that what is written could break.
func TestShape(t *testing.T) {
	place := source.NewLines([]byte("a: b\n")).Span(3, 4)
	rules := []Rule{{ID: "z", Short: "last"}, {ID: "a", Short: "first", Help: "mend it"}, {ID: "m", Short: "middle"}}
	results := []Result{
		{Rule: "m", Kind: "fail", Severity: source.Error, Message: "wrong", File: "t.yaml", Span: place, Name: "R", NameKind: "resource"},
		{Rule: "a", Kind: "fail", Severity: source.Warning, Message: "doubtful", File: "t.yaml"},
		{Rule: "z", Kind: "open", Message: "not known", File: "t.yaml", Span: place},
		{Rule: "z", Kind: "pass", Message: "right", File: "t.yaml", Span: place},
	}
	for _, results := range [][]Result{nil, results} {
		var b bytes.Buffer
		if err := Write(&b, "1.2.3", rules, results); err != nil {
			t.Fatal(err)
		}
		var got log
		dec := json.NewDecoder(&b)
		dec.DisallowUnknownFields()
		if err := dec.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got.Version != "2.1.0" || len(got.Runs) != 1 || got.Runs[0].Results == nil || len(got.Runs[0].Results) != len(results) {
			t.Fatalf("version, run and results: %+v", got)
		}
		for i, r := range got.Runs[0].Results {
			checkResult(t, got.Runs[0].Tool.Driver.Rules, r)
			if r.RuleID != results[i].Rule || r.Message.Text != results[i].Message {
				t.Errorf("%d: %+v", i, r)
			}
		}
	}
}

func checkResult(t *testing.T, rules []rule, r result) {
	t.Helper()
	if r.RuleIndex < 0 || r.RuleIndex >= len(rules) || rules[r.RuleIndex].ID != r.RuleID {
		t.Errorf("%s: ruleIndex %d", r.RuleID, r.RuleIndex)
	}
	// §3.27.10: a level other than none only goes with the kind fail.
	if (r.Kind == "fail") == (r.Level == "none") || r.Kind == "fail" && r.Level != "error" && r.Level != "warning" {
		t.Errorf("%s: kind %s, level %s", r.RuleID, r.Kind, r.Level)
	}
	for _, l := range r.Locations {
		if region := l.Physical.Region; l.Physical.Artifact.URI == "" || region != nil && (region.StartLine < 1 || region.StartColumn < 1) {
			t.Errorf("%s: location %+v", r.RuleID, l)
		}
	}
	if r.Message.Text == "" {
		t.Errorf("%s: no message", r.RuleID)
	}
}
