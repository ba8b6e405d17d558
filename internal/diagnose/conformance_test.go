package diagnose_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"evo/internal/cfn"
	"evo/internal/diagnose"
	"evo/internal/source"
)

type conformanceCase struct {
	Name, Kind string
	Parameters map[string]string
}

// conformance are the cases of AWS's own transform. They are no part of the project: without them the test is skipped.
func conformance(t *testing.T) (dir string, cases []conformanceCase) {
	t.Helper()
	root := os.Getenv("EVO_CONFORMANCE")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "conformance")
	}
	dir = filepath.Join(root, "sam")
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Skipf("no conformance cases in %s; set EVO_CONFORMANCE to the folder that holds sam/manifest.json", dir)
	}
	var m struct{ Cases []conformanceCase }
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return dir, m.Cases
}

func check(t *testing.T, file string, parameters map[string]string) (diagnose.Result, []byte) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	root, err := cfn.Parse(filepath.Base(file), text)
	if err != nil {
		t.Fatal(err)
	}
	if !root.Has("Transform") { // the cases are given to SAM whatever they say
		root.Set("Transform", cfn.Str("AWS::Serverless-2016-10-31"))
	}
	return diagnose.Template(root, diagnose.Options{Text: text, Parameters: parameters}), text
}

// rightly are the findings that cases which SAM takes deserve all the same: CloudFormation would refuse them. By case and code, with the
// reason; what refers to nothing, and types that there are none of, are judged by absent.
var rightly = map[string]string{
	"api_with_canary_setting unknown-property":                             "StageVariableOverrides is misspelt",
	"api_with_merge_definitions_null_paths template-format":                "a null is left in the definition",
	"api_with_security_definition_and_components template-format":          "a null is left in the definition",
	"api_with_security_definition_and_none_components template-format":     "a null is left in the definition",
	"state_machine_with_api_resource_policy template-format":               "SAM makes a null of a stage that has no name",
	"basic_function_withimageuri wrong-type":                               "Command and EntryPoint are lists",
	"connector_dependson_replace missing-property":                         "the resources are empty",
	"function_with_event_filtering missing-property":                       "the table has no key",
	"function_policy_with_conditional_managed_policy_name template-format": "a condition is no function",
	"function_with_event_schedule_state value-not-allowed":                 "the state is ENABLED, not Enabled",
	"state_machine_with_event_schedule_state value-not-allowed":            "the state is ENABLED, not Enabled",
	"function_with_recursive_loop value-not-allowed":                       "it is Terminate, not TERMINATE",
	"function_with_resource_refs unknown-property":                         "a bucket has a BucketName, and no Name",
	"function_with_resource_refs unknown-attribute":                        "an alias has no attribute Name",
	"graphqlapi_api_keys unknown-property":                                 "a warning: the key's id is an attribute",
	"intrinsic_functions wrong-function":                                   "there is no Fn::Ref",
}

var lastName = regexp.MustCompile(`there is no (?:resource or parameter|resource type|resource|condition) ([A-Za-z0-9:.]+)`)

// absent reports whether a finding is about a name that is indeed nowhere in the template that AWS's own transform makes of the case.
func absent(t *testing.T, expected string, d *source.Diagnostic) bool {
	t.Helper()
	m := lastName.FindStringSubmatch(d.Message)
	if m == nil {
		return false
	}
	text, err := os.ReadFile(expected)
	if err != nil {
		t.Fatal(err)
	}
	root, err := cfn.Parse(expected, text)
	if err != nil {
		t.Fatal(err)
	}
	if d.Code == "unknown-resource-type" {
		return m[1] == "AWS::Foo::Bar"
	}
	for _, section := range []string{"Parameters", "Resources"} {
		if root.Get(section).Has(m[1]) {
			return false
		}
	}
	return d.Code != "unknown-condition" || !root.Get("Conditions").Has(m[1]) || !root.At("Conditions", m[1]).Is(cfn.Map)
}

func TestNoFalseAlarms(t *testing.T) {
	dir, cases := conformance(t)
	for _, c := range cases {
		if c.Kind != "success" {
			continue
		}
		r, text := check(t, filepath.Join(dir, "input", c.Name+".yaml"), c.Parameters)
		for _, d := range r.Diagnostics {
			if !d.Span.IsValid() {
				t.Errorf("%s: no place: %v", c.Name, d)
			}
			if rightly[c.Name+" "+d.Code] == "" && !absent(t, filepath.Join(dir, "expected", c.Name+".json"), d) {
				d.File = c.Name
				t.Errorf("%s: %s", d.Code, d.Text(text))
			}
		}
	}
}

var named = regexp.MustCompile(`Resource with id \[([A-Za-z0-9]+)\]`)

// Every resource that SAM's message names has a diagnostic in it, or one that notes it.
func TestErrorsHavePlaces(t *testing.T) {
	dir, cases := conformance(t)
	for _, c := range cases {
		if c.Kind != "error" {
			continue
		}
		file := filepath.Join(dir, "input", c.Name+".yaml")
		r, text := check(t, file, c.Parameters)
		if r.SAM == nil {
			if !strings.HasPrefix(c.Name, "error_application_") { // what the Serverless Application Repository answers, nobody knows here
				t.Errorf("%s: SAM takes it", c.Name)
			}
			continue
		}
		root, err := cfn.Parse(file, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(r.SAM.Error(), -1) {
			if root.Get("Resources").Has(m[1]) && !pointsInto(r.Diagnostics, root.Get("Resources"), m[1]) {
				t.Errorf("%s: nothing points into %s", c.Name, m[1])
			}
		}
	}
}

func pointsInto(ds source.Diagnostics, resources *cfn.Node, id string) bool {
	key, end := resources.KeySpan(id), resources.Get(id).Where().End.Offset
	return slices.ContainsFunc(ds, func(d *source.Diagnostic) bool {
		return d.Span.Start.Offset >= key.Start.Offset && d.Span.Start.Offset <= end ||
			slices.ContainsFunc(d.Notes, func(n source.Note) bool { return n.Span == key })
	})
}
