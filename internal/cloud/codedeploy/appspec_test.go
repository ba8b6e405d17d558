package codedeploy

import (
	"strings"
	"testing"
)

func TestParseAppSpec(t *testing.T) {
	want := appSpec{Function: "fn", Alias: "live", Current: "1", Target: "2", Before: "pre", After: "arn:aws:lambda:us-east-1:000000000000:function:post"}
	for name, text := range map[string]string{
		"yaml": `
version: 0.0
Resources:
  - myFunction: { Type: AWS::Lambda::Function, Properties: { Name: fn, Alias: live, CurrentVersion: "1", TargetVersion: "2" } }
Hooks:
  - BeforeAllowTraffic: pre
  - AfterAllowTraffic: arn:aws:lambda:us-east-1:000000000000:function:post
`,
		"json, lower case": `{"version": 0.0, "resources": [{"f": {"type": "AWS::Lambda::Function", "properties": {"name": "fn", "alias": "live", "currentversion": 1, "targetversion": "2"}}}],
 "hooks": [{"beforeAllowTraffic": "pre", "afterAllowTraffic": "arn:aws:lambda:us-east-1:000000000000:function:post"}]}`,
	} {
		if got, err := parseAppSpec(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestParseAppSpecErrors(t *testing.T) {
	function := `{"f": {"Type": "AWS::Lambda::Function", "Properties": {"Name": "fn", "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2"}}}`
	for text, want := range map[string]string{
		"":                         "no map at its top",
		"a: [":                     "neither YAML nor JSON",
		"version: 1":               "version",
		"version: 0.0":             "no Resources",
		`{"Resources": []}`:        "0 resources",
		`{"Resources": ["f"]}`:     "a map is expected",
		`{"Resources": [{"f":1}]}`: "not of type AWS::Lambda::Function",
		`{"Resources": [` + function + `,` + strings.Replace(function, `"f"`, `"g"`, 1) + `]}`:                  "2 resources",
		`{"Resources": [` + strings.Replace(function, `"1"`, `"$LATEST"`, 1) + `]}`:                             "not a positive integer",
		`{"Resources": [` + strings.Replace(function, `"Alias"`, `"Alia"`, 1) + `]}`:                            "no property Alias",
		`{"Resources": [` + function + `], "Hooks": [{"BeforeInstall": "x"}]}`:                                  "does not exist",
		`{"Resources": [` + function + `], "Hooks": [{"BeforeAllowTraffic": ["x"]}]}`:                           "name or the ARN",
		`{"Resources": [` + function + `], "Hooks": [{"BeforeAllowTraffic": "x"},{"BeforeAllowTraffic": "y"}]}`: "twice",
		strings.Repeat(" ", maxAppSpec+1):                                                                       "bytes",
	} {
		if _, err := parseAppSpec(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want …%s…", text, err, want)
		}
	}
}

func FuzzParseAppSpec(f *testing.F) {
	f.Add("version: 0.0\nResources:\n  - f: {Type: AWS::Lambda::Function, Properties: {Name: fn, Alias: live, CurrentVersion: '1', TargetVersion: '2'}}\n")
	f.Add(`{"resources":[{"f":{"type":"AWS::Lambda::Function"}}],"hooks":{"beforeAllowTraffic":"h"}}`)
	f.Add("a: &a [*a, *a]\nResources: *a")
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := parseAppSpec(text)
		if err == nil && (spec.Function == "" || spec.Alias == "" || !versionPattern().MatchString(spec.Current) || !versionPattern().MatchString(spec.Target)) {
			t.Errorf("%q gives %+v", text, spec)
		}
	})
}
