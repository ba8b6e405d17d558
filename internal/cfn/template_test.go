package cfn

import (
	"strings"
	"testing"

	"evo/internal/cfn/spec"
)

func TestReadTemplateErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`[]`, "Template format error: unsupported structure."},
		{`Resources: {}`, "Template format error: At least one Resources member must be defined."},
		{`Description: x`, "Template format error: At least one Resources member must be defined."},
		{`{Resources: {A: 1}}`, "Template format error: Any Resources member must be an object."},
		{`{Resources: {A: {}}}`, "Template format error: [/Resources/A] Every Resources object must contain a Type member."},
		{`{Resources: {a-b: {Type: X}}}`, "Template format error: Resource name a-b is non alphanumeric."},
		{`{Parameters: {a-b: {Type: String}}, Resources: {A: {Type: X}}}`, "Template format error: Parameter name a-b is non alphanumeric."},
		{`{Parameters: {P: {}}, Resources: {A: {Type: X}}}`, "Template format error: Every Parameters object must contain a Type member."},
		{`{Parameters: {P: {Type: Strin}}, Resources: {A: {Type: X}}}`, "Template format error: Unrecognized parameter type: Strin"},
		{`{Resources: {A: {Type: X, Invalid: 1}}}`, "Invalid template resource property 'Invalid'"},
		{`{Resources: {A: {Type: X, DependsOn: B}}}`, "Template format error: Unresolved resource dependencies [B] in the Resources block of the template"},
		{`{Resources: {A: {Type: X, Condition: B}}}`, "Template format error: Unresolved condition dependency B in the Resources block of the template"},
		{`{Resources: {A: {Type: X}}, Outputs: {O: {Value: {Ref: B}}}}`, "Unresolved resource dependencies [B] in the Outputs block of the template"},
		{`{Resources: {A: {Type: X}}, Outputs: {O: {}}}`, "Template format error: Every Outputs member must contain a Value object"},
		{`{Resources: {A: {Type: X}}, Outputs: {O: {Value: null}}}`, "[/Outputs/O/Value] 'null' values are not allowed in templates"},
		{`{Resources: {A: {Type: X}}, Mappings: {M: 1}}`, "Template format error: Every Mappings member M must be a map"},
		{`{Resources: {A: {Type: X}}, Mappings: {M: {A: {B: {C: 1}}}}}`, "Template format error: Every Mappings attribute must be a String or a List."},
		{`{Resources: {A: {Type: X, DeletionPolicy: Keep}}}`, "Unrecognized DeletionPolicy Keep, allowed values are [Delete, Retain, RetainExceptOnCreate, Snapshot]."},
		{`{Resources: {A: {Type: X}}, Other: 1}`, "Invalid template property or properties [Other]"},
		{`{AWSTemplateFormatVersion: 2011-01-01, Resources: {A: {Type: X}}}`, "unsupported value for AWSTemplateFormatVersion"},
		{`{Conditions: {C: {"Fn::Equals": [{Ref: A}, 1]}}, Resources: {A: {Type: X}}}`, "Unresolved dependencies [A]. Cannot reference resources in the Conditions block of the template"},
		{`{Resources: {A: {Type: X, Properties: {V: {"Fn::FindInMap": [M, a, b]}}}}}`, "Mapping named 'M' is not present in the 'Mappings' section of template."},
	} {
		_, err := ReadTemplate(mustParse(t, c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.in, err, c.want)
		}
	}
}

func TestParameters(t *testing.T) {
	for _, c := range []struct {
		param, given, want string // want: an error, or empty
	}{
		{`{Type: String}`, "x", ""},
		{`{Type: String, AllowedValues: [a, b]}`, "c", "Parameter 'P' must be one of AllowedValues"},
		{`{Type: CommaDelimitedList, AllowedValues: [a, b]}`, "a, b", ""},
		{`{Type: CommaDelimitedList, AllowedValues: [a, b]}`, "a,c", "Parameter 'P' must be one of AllowedValues"},
		{`{Type: String, AllowedPattern: "[a-z]+"}`, "abc1", "Parameter 'P' must match pattern [a-z]+"},
		{`{Type: String, AllowedPattern: "[a-z]+", ConstraintDescription: lower case}`, "1", "Parameter P failed to satisfy constraint: lower case"},
		{`{Type: String, AllowedPattern: "^(?!x).*$"}`, "abc", ""},
		{`{Type: String, MinLength: 3}`, "ab", "Parameter 'P' must contain at least 3 characters"},
		{`{Type: String, MaxLength: "3"}`, "äöüß", "Parameter 'P' must contain at most 3 characters"},
		{`{Type: Number}`, "1.5e3", ""},
		{`{Type: Number}`, "one", "Parameter 'P' must be a number."},
		{`{Type: Number, MinValue: 2}`, "1", "Parameter 'P' must be a number not less than 2"},
		{`{Type: Number, MaxValue: 2}`, "2.1", "Parameter 'P' must be a number not greater than 2"},
		{`{Type: "List<AWS::EC2::Subnet::Id>"}`, "subnet-1,subnet-2", ""},
		{`{Type: "AWS::SSM::Parameter::Value<String>"}`, "/name", ""},
	} {
		tmpl, err := ReadTemplate(mustParse(t, "{Parameters: {P: "+c.param+"}, Resources: {A: {Type: X}}}"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = tmpl.ResolveParameters(map[string]string{"P": c.given})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s, %q: %v", c.param, c.given, err)
		case c.want != "" && (err == nil || !strings.HasSuffix(err.Error(), c.want)):
			t.Errorf("%s, %q: got %v, want %s", c.param, c.given, err, c.want)
		}
	}
	tmpl, _ := ReadTemplate(mustParse(t, `{Parameters: {A: {Type: String}, B: {Type: String}, C: {Type: String, Default: c}}, Resources: {R: {Type: X}}}`))
	if _, err := tmpl.ResolveParameters(nil); err == nil || !strings.HasSuffix(err.Error(), "Parameters: [A, B] must have values") {
		t.Errorf("got %v", err)
	}
	if _, err := tmpl.ResolveParameters(map[string]string{"Z": "", "Y": ""}); err == nil || err.Error() != "Parameters: [Y, Z] do not exist in the template" {
		t.Errorf("got %v", err)
	}
}

func TestGraph(t *testing.T) {
	graph := func(text string) (*Graph, error) {
		tmpl, err := ReadTemplate(mustParse(t, text))
		if err != nil {
			t.Fatal(err)
		}
		params, _ := tmpl.ResolveParameters(nil)
		return NewEvaluator(tmpl, Env{Parameters: params}).Graph()
	}
	g, err := graph(`
Parameters: {P: {Type: String, Default: x}}
Conditions: {Nay: !Equals [!Ref P, y]}
Resources:
  A: {Type: X, Properties: {V: !Sub "${B}-${C.Arn}", W: !If [Nay, !Ref Idle, 1]}}
  B: {Type: X, DependsOn: [D, Idle]}
  C: {Type: X, Properties: {V: [{W: !GetAtt D.Arn}]}}
  D: {Type: X}
  Idle: {Type: X, Condition: Nay}
`)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(g.Order, " "); got != "D B C A" {
		t.Errorf("order %s", got)
	}
	if got := strings.Join(g.Needs["A"], " "); got != "B C" {
		t.Errorf("A needs %s", got)
	}
	for _, c := range []struct{ in, want string }{
		{`Resources: {A: {Type: X, Properties: {V: !Ref B}}, B: {Type: X, DependsOn: C}, C: {Type: X, Properties: {V: !Sub "${A}"}}}`,
			"Circular dependency between resources: [A, B, C]"},
		{`Resources: {A: {Type: X, Properties: {V: !Ref A}}}`, "Circular dependency between resources: [A]"},
		{`{Conditions: {Nay: !Equals [a, b]}, Resources: {A: {Type: X, Properties: {V: !Ref B}}, B: {Type: X, Condition: Nay}}}`,
			"Template format error: Unresolved resource dependencies [B] in the Resources block of the template"},
		{`{Conditions: {Nay: !Equals [a, b]}, Resources: {A: {Type: X}, B: {Type: X, Condition: Nay}}, Outputs: {O: {Value: !Ref B}}}`,
			"Unresolved resource dependencies [B] in the Outputs block of the template"},
	} {
		if _, err := graph(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.in, err, c.want)
		}
	}
}

func TestDiff(t *testing.T) {
	resources := func(text string) []Resolved {
		var out []Resolved
		for _, p := range mustParse(t, text).Pairs {
			out = append(out, Resolved{ID: p.Key, Type: p.Value.Get("Type").Str(), Properties: p.Value.Get("Properties"), Metadata: p.Value.Get("Metadata")})
		}
		return out
	}
	before := resources(`
Same: {Type: AWS::SNS::Topic, Properties: {DisplayName: 5}}
Alias: {Type: AWS::Lambda::Alias, Properties: {Name: live, FunctionName: f, FunctionVersion: 1}}
Fn: {Type: AWS::Lambda::Function, Properties: {FunctionName: a, MemorySize: 128, Environment: {Variables: {A: 1, B: 2}}}}
Gone: {Type: AWS::SNS::Topic}
Meta: {Type: AWS::SNS::Topic, Metadata: {a: 1}}
`)
	after := resources(`
Same: {Type: AWS::SNS::Topic, Properties: {DisplayName: "5"}}
Alias: {Type: AWS::Lambda::Alias, Properties: {Name: live, FunctionName: f, FunctionVersion: !GetAtt V.Version}}
Fn: {Type: AWS::Lambda::Function, Properties: {FunctionName: b, Environment: {Variables: {A: 1, B: 3}}}}
New: {Type: AWS::SNS::Topic}
Meta: {Type: AWS::SNS::Topic, Metadata: {a: 2}}
`)
	var got []string
	for _, c := range Diff(before, after) {
		got = append(got, strings.TrimSpace(c.Action.String()+" "+c.ID+" "+c.Replacement.String()+" "+strings.Join(c.Attributes, ",")))
		for _, p := range c.Properties {
			line := "  " + p.Action.String() + " " + p.Path + " " + p.Replacement.String()
			if p.Unknown {
				line += " unknown"
			}
			got = append(got, line)
		}
	}
	want := `Modify Alias Never
  Modify /Properties/FunctionVersion Never unknown
Modify Fn Always
  Modify /Properties/FunctionName Always
  Remove /Properties/MemorySize Never
  Modify /Properties/Environment/Variables/B Never
Add New Never
Modify Meta Never Metadata
Remove Gone Never`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

func TestStronger(t *testing.T) {
	if stronger(spec.Conditionally, spec.Always) != spec.Always || stronger(spec.Never, spec.Never) != spec.Never {
		t.Error("the verdict of a member is lost")
	}
}

func TestCheckProperties(t *testing.T) {
	for _, c := range []struct{ kind, props, want string }{
		{"AWS::Lambda::Alias", `{Name: live, FunctionName: f, FunctionVersion: 1}`, ""},
		{"AWS::Lambda::Alias", `{Name: live, FunctionVersion: !Ref X}`, "Property validation failure: [The property {/FunctionName} is required]"},
		{"AWS::S3::Bucket", `{BucketNam: x}`, "Property validation failure: [Encountered unsupported properties in {/}: [BucketNam]]"},
		{"AWS::S3::Bucket", `{VersioningConfiguration: {Statu: On}}`, "Property validation failure: [The property {/VersioningConfiguration/Status} is required, Encountered unsupported properties in {/VersioningConfiguration}: [Statu]]"},
		{"AWS::S3::Bucket", `{BucketName: [a]}`, "Property validation failure: [Value of property {/BucketName} does not match type {String}]"},
		{"Custom::Thing", `{Anything: 1}`, ""},
	} {
		got := ""
		if err := CheckProperties(c.kind, mustParse(t, c.props)); err != nil {
			got = err.Error()
		}
		if !strings.HasSuffix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s %s: got %q, want %q", c.kind, c.props, got, c.want)
		}
	}
}
