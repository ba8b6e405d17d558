package findings

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"evo/internal/rules"
	"evo/internal/source"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const first = "Resources:\n  Files:\n    Type: AWS::S3::Bucket\n  Orders:\n    Type: AWS::DynamoDB::Table\n    Properties: {BillingMode: !Ref Mode}\n"

// span is the first place of a word in the first template.
func span(word string) source.Span {
	at := strings.Index(first, word)
	return source.NewLines([]byte(first)).Span(at, at+len(word))
}

// found are findings of two templates: what fails, passes, is open, and does not apply; reasons that every form must escape.
func found() []Template {
	verdict := func(rule, id, typ string, c rules.Compliance, s rules.Score, reason, word string) rules.Verdict {
		v := rules.Verdict{Rule: rule, Resource: id, Type: typ, Compliance: c, Score: s, Reason: reason}
		if word != "" {
			v.Span = span(word)
		}
		return v
	}
	const bucket, table = "AWS::S3::Bucket", "AWS::DynamoDB::Table"
	return []Template{{File: "a/first.yaml", Verdicts: []rules.Verdict{
		verdict("dynamodb-billing-mode-rule", "Orders", table, rules.InsufficientData, rules.None, "BillingMode is not known yet: Mode", "!Ref Mode"),
		verdict("s3-bucket-logging-enabled", "Files", bucket, rules.NonCompliant, rules.Zero, `LoggingConfiguration <is> "not" set & so on`, "Files"),
		verdict("s3-bucket-versioning-enabled", "Files", bucket, rules.Compliant, rules.Full, "is Enabled", "Files"),
	}}, {File: "second.json", Verdicts: []rules.Verdict{
		verdict("s3-bucket-logging-enabled", "Other", bucket, rules.NotApplicable, rules.None, "it is a log bucket", ""),
		verdict("own-rule", "Other", bucket, rules.NonCompliant, rules.Score{Num: 1, Den: 3}, "somewhere", ""),
	}}}
}

func written(t *testing.T, form string, templates []Template) string {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(form, &b, "1.2.3")
	for _, found := range templates {
		found.Text = []byte(first)
		if err := w.Template(found); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestForms(t *testing.T) {
	for _, form := range []string{"text", "json", "sarif", "junit"} {
		for name, templates := range map[string][]Template{"": found(), "-none": nil} {
			got := written(t, form, templates)
			golden := filepath.Join("testdata", form+name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		}
	}
}

// finding is an element of the JSON form, for encoding/json.
type finding struct {
	Rule       string      `json:"rule"`
	Resource   string      `json:"resource"`
	Type       string      `json:"type"`
	Compliance string      `json:"compliance"`
	Score      json.Number `json:"score,omitempty"`
	Reason     string      `json:"reason"`
	File       string      `json:"file"`
	Line       int32       `json:"line"`
}

// What is written in parts is what would be written at once.
func TestJSONIsOneArray(t *testing.T) {
	for _, templates := range [][]Template{nil, {{}, {}}, found(), {{}, found()[0], {}}} {
		all := []finding{}
		for _, t := range templates {
			for _, v := range t.Verdicts {
				all = append(all, finding{v.Rule, v.Resource, v.Type, v.Compliance.String(), json.Number(v.Score.String()), v.Reason, t.File, v.Span.Start.Line})
			}
		}
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(all); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), written(t, "json", templates)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// JUnit's counts are those of its cases.
func TestJUnitCounts(t *testing.T) {
	var out junitSuites
	if err := xml.Unmarshal([]byte(written(t, "junit", found())), &out); err != nil {
		t.Fatal(err)
	}
	tests, failures, skipped := 0, 0, 0
	for _, s := range out.Suites {
		for _, c := range s.Cases {
			tests++
			if c.Failure != nil {
				failures++
			}
			if c.Skipped != nil {
				skipped++
			}
		}
	}
	if tests != 4 || out.Tests != tests || out.Failures != failures || out.Skipped != skipped || failures != 2 || skipped != 1 {
		t.Errorf("%d tests, %d failures, %d skipped: %+v", tests, failures, skipped, out)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWriteErrorsAreTold(t *testing.T) {
	for _, form := range []string{"text", "json", "sarif", "junit"} {
		w := NewWriter(form, fullDisk{}, "1")
		if errors.Join(w.Template(found()[0]), w.Close()) == nil {
			t.Errorf("%s: a full disk goes unnoticed", form)
		}
	}
}
