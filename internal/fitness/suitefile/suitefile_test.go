package suitefile

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/source"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; what came:\n%s", path, got)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestFull(t *testing.T) {
	f, err := Parse("fitness.yaml", read(t, "full.yaml"), now)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	suite := *f.Suite
	suite.Functions = nil
	defaults := fitness.Default()
	for _, fn := range f.Suite.Functions {
		if d := defaults.Function(fn.ID); d == nil || *d != fn {
			suite.Functions = append(suite.Functions, fn)
			fmt.Fprintf(&b, "%s: %+v\n", fn.ID, withoutPointers(f.Measures[fn.ID]))
		}
	}
	text, err := json.MarshalIndent(&suite, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "full.txt", b.String()+string(text)+"\n")
	if f.Suite.Function("s3-bucket-logging-enabled") != nil {
		t.Error("a disabled function is there")
	}
	if got, _ := f.Usage.At("Checkout", "requests").Int(); got != 1_000_000 {
		t.Errorf("usage: %v", f.Usage)
	}
}

// withoutPointers shows a measure's nodes and expressions by their text.
func withoutPointers(m Measure) string {
	switch m := m.(type) {
	case Rule:
		return fmt.Sprintf("rule %s %s", m.Name, node(m.Parameters))
	case Check:
		return fmt.Sprintf("check %s: %q", m.Type, m.Expression)
	case Metric:
		return fmt.Sprintf("metric %+v, %s to %s, moving %v", m.MetricRef, m.Target, m.Limit, m.MovingTarget)
	case Call:
		return fmt.Sprintf("call %s%s %s %v, event %s, expect %d %q %s within %s", m.Function, m.URL, m.Method, m.Headers, node(m.Event), m.Expect.Status, m.Expect.Contains, node(m.Expect.Body), m.Expect.Within)
	}
	return fmt.Sprintf("%T %+v", m, m)
}

func node(n *cfn.Node) string {
	if n == nil {
		return "-"
	}
	text, _ := n.MarshalJSON()
	return string(text)
}

// TestProblems shows what a person sees.
func TestProblems(t *testing.T) {
	for _, name := range []string{"broken", "inconsistent"} {
		text := read(t, name+".yaml")
		_, err := Parse("fitness.yaml", text, now)
		var ds source.Diagnostics
		if !errors.As(err, &ds) {
			t.Fatalf("%s: %v", name, err)
		}
		golden(t, name+".txt", ds.Text(text))
	}
}

func TestEmptyFileIsTheDefault(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "functions:\nratchet:\n", "{}"} {
		f, err := Parse("fitness.yaml", []byte(text), now)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if !same(f.Suite, fitness.Default()) {
			t.Errorf("%q is not the default", text)
		}
	}
}

func same(a, b *fitness.Suite) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func TestExceptionsExpire(t *testing.T) {
	text := []byte("functions: {s3-bucket-ssl-requests-only: {except: [{resource: Site, reason: old, until: 2026-11-24}, {resource: Shop, reason: new, until: 2026-11-25}]}}")
	f, err := Parse("fitness.yaml", text, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Notes) != 1 || f.Notes[0].Severity != source.Error || !strings.Contains(f.Notes[0].Message, "Site") {
		t.Errorf("notes: %v", f.Notes)
	}
	pairs := []fitness.Pair{{Function: "s3-bucket-ssl-requests-only", Resource: "Site"}, {Function: "s3-bucket-ssl-requests-only", Resource: "Shop"}}
	kept, report := f.Suite.Except(pairs, now)
	if len(kept) != 1 || kept[0].Resource != "Site" || len(report.Held) != 1 || len(report.Expired) != 1 {
		t.Errorf("kept %v, %+v", kept, report)
	}
	if got := f.Unused([]string{"Sites", "Shop"}); len(got) != 1 || got[0].Hint != "did you mean Sites?" || got[0].Severity != source.Warning {
		t.Errorf("unused: %v", got)
	}
}

func TestTypesOfSAMJudgeNothing(t *testing.T) {
	_, err := Parse("fitness.yaml", []byte("functions:\n  a: {characteristic: security, type: AWS::Serverless::Api, expression: 'true'}\n"), now)
	ds, ok := errors.AsType[source.Diagnostics](err)
	if !ok || len(ds) != 1 || ds[0].Span.Start.Line != 2 || ds[0].Hint != "name one of those: AWS::ApiGateway::RestApi, AWS::ApiGateway::Stage" {
		t.Errorf("%v", err)
	}
}

// A call of, or a metric about, what is nearly a resource's name; what is near to none may have that name in the cloud.
func TestMentions(t *testing.T) {
	f, err := Parse("fitness.yaml", []byte(`functions:
  opens: {characteristic: functionality, invoke: {function: Shpo, expect: {status: 200}}}
  fast: {characteristic: performance, metric: {namespace: N, name: M, dimensions: {FunctionName: "Siets:live", Stage: Sitez}, stat: p99.9}, target: 1, limit: 2}
  other: {characteristic: functionality, invoke: {function: somebody-elses, expect: {status: 200}}}
  right: {characteristic: functionality, invoke: {function: Shop, expect: {status: 200}}}
  same: {characteristic: functionality, invoke: {function: shop, expect: {status: 200}}}
`), now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range f.Unused([]string{"Sites", "Shop"}) {
		got = append(got, d.Message+": "+d.Hint)
	}
	want := []string{"the template has no resource Shpo: did you mean Shop?", "the template has no resource Siets: did you mean Sites?"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestStatistics(t *testing.T) {
	for stat, ok := range map[string]bool{"Average": true, "p99": true, "p99.99": true, "tm90": true, "TM(10%:90%)": true, "PR(:300)": true,
		"average": false, "p999": false, "p": false, "TM(x:y)": false, "99": false} {
		_, err := Parse("fitness.yaml", []byte("metrics: {m: {namespace: N, name: M, stat: '"+stat+"'}}"), now)
		if (err == nil) != ok {
			t.Errorf("%s: %v", stat, err)
		}
	}
}

func TestMisnamed(t *testing.T) {
	f, err := Parse("fitness.yaml", []byte("functions:\n  a: {characteristic: security, type: T::A::B, expression: 'true'}\n  b: {characteristic: security, type: T::A::C, expression: 'true'}\n"), now)
	if err != nil {
		t.Fatal(err)
	}
	got := f.Misnamed(func(typ string) (string, bool) { return "T::A::B", typ == "T::A::B" })
	if len(got) != 1 || got[0].Span.Start.Line != 3 || got[0].Hint != "did you mean T::A::B?" || got[0].Severity != source.Warning {
		t.Errorf("%v", got)
	}
}

var shop = []Resource{{"Catalog", "AWS::Serverless::Function"}, {"Checkout", "AWS::Serverless::Function"}, {"Pictures", "AWS::S3::Bucket"},
	{"Orders", "AWS::DynamoDB::Table"}, {"Api", "AWS::Serverless::HttpApi"}, {"CatalogLogs", "AWS::Logs::LogGroup"}}

func TestInit(t *testing.T) {
	text := Init(shop)
	golden(t, "init.yaml", string(text))
	f, err := Parse("fitness.yaml", text, now)
	if err != nil {
		t.Fatal(err)
	}
	if !same(f.Suite, fitness.Default()) {
		t.Error("a fresh file asks for something else than no file")
	}
}

// TestInitUncommented reads the file with everything in it that it only proposes.
func TestInitUncommented(t *testing.T) {
	lines := strings.Split(string(Init(shop)), "\n")
	proposal := regexp.MustCompile(`^  # ( *[A-Za-z0-9-]+:( .*)?)$`)
	for i, line := range lines {
		if m := proposal.FindStringSubmatch(line); m != nil {
			lines[i] = "  " + m[1]
		}
	}
	f, err := Parse("fitness.yaml", []byte(strings.Join(lines, "\n")), now)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"s3-default-encryption-kms", "shop-opens", "checkout-latency", "personal-data-has-a-key-of-its-own"} {
		if f.Suite.Function(want) == nil {
			t.Errorf("%s is not there", want)
		}
	}
}

func TestSchema(t *testing.T) {
	golden(t, "fitness.schema.json", string(Schema()))
}

// TestSchemaAndReaderAgree holds the schema's patterns to the reader's parsers.
func TestSchemaAndReaderAgree(t *testing.T) {
	for _, c := range []struct {
		pattern string
		read    func(string) bool
		texts   string
	}{
		{spanPattern, func(s string) bool { _, err := parseSpan(s); return err == nil }, "30s 5m 2h 90d 1h30m 1d12h 200ms x 5 -5s 5µs"},
		{dayPattern, func(s string) bool { _, err := fitness.ParseDate(s); return err == nil }, "2027-03-31 2027-3-1 soon 20270331"},
		{quantityPattern, func(s string) bool { _, err := parseQuantity(cfn.Str(s)); return err == nil }, "200ms 1s 99.9% 5MB .5s x ms 1e3s 5parsecs"},
	} {
		for text := range strings.FieldsSeq(c.texts) {
			if matched := regexp.MustCompile(c.pattern).MatchString(text); matched != c.read(text) && text != "1e3s" {
				t.Errorf("%q: the schema says %t, the reader %t", text, matched, c.read(text))
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"full.yaml", "broken.yaml", "inconsistent.yaml", "init.yaml"} {
		if text, err := os.ReadFile(filepath.Join("testdata", name)); err == nil {
			f.Add(text)
		}
	}
	f.Add([]byte(`{"functions": {"a": {"characteristic": "cost", "expression": "1"}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse("fitness.yaml", text, now)
		if err != nil {
			var ds source.Diagnostics
			if !errors.As(err, &ds) {
				t.Fatalf("not diagnostics: %v", err)
			}
			_ = ds.Text(text)
			return
		}
		if err := file.Suite.Validate(); err != nil {
			t.Fatal(err)
		}
		for _, fn := range file.Suite.Functions {
			if file.Measures[fn.ID] == nil {
				t.Fatalf("%s is not measured", fn.ID)
			}
		}
	})
}

// TestDocumentation reads the file that the documentation shows.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../../docs/fitness.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("the page shows no file")
	}
	if _, err := Parse("fitness.yaml", []byte(example), now); err != nil {
		var ds source.Diagnostics
		if errors.As(err, &ds) {
			t.Fatal(ds.Text([]byte(example)))
		}
		t.Fatal(err)
	}
}
