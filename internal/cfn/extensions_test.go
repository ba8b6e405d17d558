package cfn

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"evo/internal/source"

	"pgregory.net/rapid"
)

var extendEnv = Env{AccountID: "000000000000", Partition: "aws", Region: "eu-west-1", URLSuffix: "amazonaws.com"}

// extend runs the transform on a template in YAML, with the transform's name put in front.
func extend(t testing.TB, template string, parameters map[string]string) (*Node, error) {
	env := extendEnv
	env.Parameters = parameters
	return Extend(mustParse(t, "Transform: AWS::LanguageExtensions\n"+template), env)
}

func TestExtend(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"resources", `
Resources:
  Before: {Type: X}
  Fn::ForEach::Topics:
    - Name
    - [Success, Failure]
    - Topic${Name}:
        Type: AWS::SNS::Topic
        Properties: {TopicName: !Sub "${Name}.fifo", DisplayName: !Ref Name, Plain: "${Name}", Key: {"${Name}": 1}}
  After: {Type: X}
`, `
Resources:
  Before: {Type: X}
  TopicSuccess: {Type: "AWS::SNS::Topic", Properties: {TopicName: Success.fifo, DisplayName: Success, Plain: "${Name}", Key: {"${Name}": 1}}}
  TopicFailure: {Type: "AWS::SNS::Topic", Properties: {TopicName: Failure.fifo, DisplayName: Failure, Plain: "${Name}", Key: {"${Name}": 1}}}
  After: {Type: X}
`},
		{"a parameter's list, letters and digits of it", `
Parameters: {Ranges: {Type: CommaDelimitedList, Default: "10.0.2.0/24, 10.0.3.0/24"}}
Resources:
  Fn::ForEach::Subnets:
    - CIDR
    - !Ref Ranges
    - Subnet&{CIDR}: {Type: X, Properties: {Block: !Ref CIDR, Text: !Sub "&{CIDR} ${CIDR}"}}
`, `
Parameters: {Ranges: {Type: CommaDelimitedList, Default: "10.0.2.0/24, 10.0.3.0/24"}}
Resources:
  Subnet1002024: {Type: X, Properties: {Block: 10.0.2.0/24, Text: "&{CIDR} 10.0.2.0/24"}}
  Subnet1003024: {Type: X, Properties: {Block: 10.0.3.0/24, Text: "&{CIDR} 10.0.3.0/24"}}
`},
		{"loops in loops, and in properties", `
Mappings:
  A: {Properties: {Image: a1, Size: a2}}
  B: {Properties: {Image: b1}}
Resources:
  Fn::ForEach::Outer:
    - Id
    - [A, B]
    - Main${Id}: {Type: X}
      Fn::ForEach::Inner:
        - Suffix
        - [!Ref Id, "2"]
        - "${Id}of${Suffix}":
            Type: X
            DependsOn: !Sub Main${Id}
            Properties:
              Fixed: 1
              Fn::ForEach::Properties:
                - Name
                - [Image, Size]
                - "${Name}": !FindInMap [!Ref Id, Properties, !Ref Name, {DefaultValue: !Ref "AWS::NoValue"}]
`, `
Mappings:
  A: {Properties: {Image: a1, Size: a2}}
  B: {Properties: {Image: b1}}
Resources:
  MainA: {Type: X}
  AofA: {Type: X, DependsOn: MainA, Properties: {Fixed: 1, Image: a1, Size: a2}}
  Aof2: {Type: X, DependsOn: MainA, Properties: {Fixed: 1, Image: a1, Size: a2}}
  MainB: {Type: X}
  BofB: {Type: X, DependsOn: MainB, Properties: {Fixed: 1, Image: b1}}
  Bof2: {Type: X, DependsOn: MainB, Properties: {Fixed: 1, Image: b1}}
`},
		{"conditions and outputs", `
Parameters: {ParamA: {Type: String, Default: "true"}, ParamB: {Type: String, Default: "false"}}
Conditions:
  Fn::ForEach::Checks:
    - Id
    - [A, B]
    - IsParam${Id}Enabled: !Equals [!Ref {"Fn::Sub": "Param${Id}"}, "true"]
Resources:
  Fn::ForEach::Things:
    - Id
    - [A, B]
    - Thing${Id}: {Type: X, Condition: !Sub "IsParam${Id}Enabled", Properties: {V: !If [IsParamAEnabled, !Ref Id, !Ref "AWS::NoValue"]}}
Outputs:
  Fn::ForEach::Names:
    - Id
    - [A, B]
    - Name&{Id}: {Condition: !Sub "IsParam${Id}Enabled", Value: !GetAtt [!Sub "Thing${Id}", Arn], Description: !Sub "of ${Thing${Id}}"}
`, ""},
		{"conditions and outputs, written well", `
Parameters: {ParamA: {Type: String, Default: "true"}, ParamB: {Type: String, Default: "false"}}
Conditions:
  Fn::ForEach::Checks:
    - Id
    - [A, B]
    - IsParam${Id}Enabled: !Equals [!Ref {"Fn::Sub": "Param${Id}"}, "true"]
Resources:
  Fn::ForEach::Things:
    - Id
    - [A, B]
    - Thing${Id}: {Type: X, Condition: !Sub "IsParam${Id}Enabled", Properties: {V: !If [IsParamAEnabled, !Ref Id, !Ref "AWS::NoValue"]}}
Outputs:
  Fn::ForEach::Names:
    - Id
    - [A, B]
    - Name&{Id}: {Condition: !Sub "IsParam${Id}Enabled", Value: !GetAtt [!Sub "Thing${Id}", Arn], Export: {Name: !Sub "${AWS::StackName}-${Id}"}}
`, `
Parameters: {ParamA: {Type: String, Default: "true"}, ParamB: {Type: String, Default: "false"}}
Conditions:
  IsParamAEnabled: !Equals [!Ref ParamA, "true"]
  IsParamBEnabled: !Equals [!Ref ParamB, "true"]
Resources:
  ThingA: {Type: X, Condition: IsParamAEnabled, Properties: {V: !If [IsParamAEnabled, A, !Ref "AWS::NoValue"]}}
  ThingB: {Type: X, Condition: IsParamBEnabled, Properties: {V: !If [IsParamAEnabled, B, !Ref "AWS::NoValue"]}}
Outputs:
  NameA: {Condition: IsParamAEnabled, Value: !GetAtt [ThingA, Arn], Export: {Name: !Sub "${AWS::StackName}-A"}}
  NameB: {Condition: IsParamBEnabled, Value: !GetAtt [ThingB, Arn], Export: {Name: !Sub "${AWS::StackName}-B"}}
`},
		{"a condition by mapping, or none", `
Mappings: {Nat: {Condition: {B: Two}}}
Conditions: {Two: !Equals [!Ref "AWS::Region", eu-west-1]}
Resources:
  Fn::ForEach::Nats:
    - Id
    - [A, B]
    - Nat${Id}: {Type: X, Condition: !FindInMap [Nat, Condition, !Ref Id, DefaultValue: !Ref "AWS::NoValue"]}
`, `
Mappings: {Nat: {Condition: {B: Two}}}
Conditions: {Two: !Equals [!Ref "AWS::Region", eu-west-1]}
Resources:
  NatA: {Type: X}
  NatB: {Type: X, Condition: Two}
`},
		{"what can be known", `
Parameters: {List: {Type: CommaDelimitedList, Default: "a,b,c"}, Secret: {Type: String, NoEcho: true, Default: hush}, Keep: {Type: String, Default: Retain}}
Mappings: {M: {eu-west-1: {Keep: Snapshot}}}
Resources:
  A:
    Type: X
    DeletionPolicy: !Ref Keep
    UpdateReplacePolicy: !FindInMap [M, !Ref "AWS::Region", Keep]
    Properties:
      Length: !Length [1, 2]
      OfList: {"Fn::Length": !Ref List}
      Json: {"Fn::ToJsonString": {list: !Ref List, "n": 1.50, yes: true, "none": !Ref "AWS::NoValue", Condition: x}}
      Joined: !Join ["-", [!Ref "AWS::Region", !Ref Keep]]
      Secret: !Sub "x${Secret}"
      Later: !Join ["", [!Ref A]]
      Literal: !Sub "${!Name}"
      Bare: !Ref Keep
`, `
Parameters: {List: {Type: CommaDelimitedList, Default: "a,b,c"}, Secret: {Type: String, NoEcho: true, Default: hush}, Keep: {Type: String, Default: Retain}}
Mappings: {M: {eu-west-1: {Keep: Snapshot}}}
Resources:
  A:
    Type: X
    DeletionPolicy: Retain
    UpdateReplacePolicy: Snapshot
    Properties:
      Length: 2
      OfList: 3
      Json: '{"list":["a","b","c"],"n":1.50,"yes":true,"Condition":"x"}'
      Joined: eu-west-1-Retain
      Secret: !Sub "x${Secret}"
      Later: !Join ["", [!Ref A]]
      Literal: "${Name}"
      Bare: !Ref Keep
`},
		{"what must wait keeps the transform", `
Resources: {A: {Type: X}, B: {Type: X, Properties: {V: {"Fn::ToJsonString": {arn: !GetAtt A.Arn, n: !Length [1]}}}}}
`, `
Transform: AWS::LanguageExtensions
Resources: {A: {Type: X}, B: {Type: X, Properties: {V: {"Fn::ToJsonString": {arn: !GetAtt A.Arn, n: 1}}}}}
`},
		{"items that are lists", `
Resources:
  Fn::ForEach::Pairs:
    - [Id, Value]
    - [[A, 1], [B, 2]]
    - Thing${Id}: {Type: X, Properties: {V: !Sub "${Id}=${Value}"}}
`, `
Resources:
  ThingA: {Type: X, Properties: {V: A=1}}
  ThingB: {Type: X, Properties: {V: B=2}}
`},
		{"variables of Fn::Sub hide identifiers, and items are no variables", `
Resources:
  Fn::ForEach::Odd:
    - Id
    - ["${A}"]
    - Thing&{Id}: {Type: X, Properties: {V: !Sub ["${Id}", {Id: mine}], W: !Sub "${Id}"}}
`, `
Resources: {ThingA: {Type: X, Properties: {V: mine, W: "${A}"}}}
`},
	} {
		out, err := extend(t, c.in, nil)
		if c.want == "" {
			const refused = "variable names in Fn::Sub syntax must contain only alphanumeric characters"
			if err == nil || !strings.Contains(err.Error(), refused) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(string(mustParse(t, c.want).YAML()), string(out.YAML())); diff != "" && !out.Equal(mustParse(t, c.want)) {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if _, err := ReadTemplate(out); err != nil && !strings.Contains(c.name, "loops in loops, and") {
			t.Errorf("%s: the outcome is no template: %v", c.name, err)
		}
	}
}

func TestExtendRefuses(t *testing.T) {
	loop := func(parts string) string { return "Resources:\n  Fn::ForEach::Loop: " + parts + "\n" }
	for _, c := range []struct{ in, want string }{
		{loop(`[Id, [A]]`), "3:3: Fn::ForEach layout is incorrect"},
		{loop(`{Id: A}`), "Fn::ForEach layout is incorrect"},
		{loop(`[Id, A, {"T${Id}": {Type: X}}]`), "Fn::ForEach layout is incorrect"},
		{loop(`[Id, [[A]], {"T${Id}": {Type: X}}]`), "Fn::ForEach layout is incorrect"},
		{loop(`[[], [A], {"T${Id}": {Type: X}}]`), "Fn::ForEach layout is incorrect"},
		{loop(`[Id, [A], {}]`), "Fn::ForEach layout is incorrect"},
		{loop(`[Id, !Ref None, {"T${Id}": {Type: X}}]`), "Unresolved resource dependencies [None]"},
		{loop(`[Id, !GetAtt A.B, {"T${Id}": {Type: X}}]`), "3:27: Could not find a collection or could not be resolved for Fn::ForEach"},
		{loop(`[Id, !Ref "AWS::Region", {"T${Id}": {Type: X}}]`), "Could not find a collection or could not be resolved for Fn::ForEach"},
		{"Parameters: {P: {Type: CommaDelimitedList}}\n" + loop(`[Id, !Ref P, {"T${Id}": {Type: X}}]`), "Could not find a collection or could not be resolved for Fn::ForEach"},
		{loop(`[Id, [A, B], {"T": {Type: X}}]`), "3:36: Duplicate key 'T' when merging keys to parent object in Fn::ForEach"},
		{loop(`[Id, [A], {"T${Id}": {Type: X}}]`) + "  TA: {Type: X}", "Duplicate key 'TA' when merging keys to parent object in Fn::ForEach"},
		{loop(`[Id, [A], {"T${Id}": {Type: X}}]`) + "  Loop: {Type: X}", "the name of the loop Loop is the logical id of a resource"},
		{"Parameters: {Id: {Type: String, Default: x}}\n" + loop(`[Id, [A], {"T${Id}": {Type: X}}]`), "the identifier Id is the name of a parameter"},
		{"Resources: {A: {Type: X}}\nOutputs:\n  Fn::ForEach::L: [Id, [a.b], {\"O${Id}\": {Value: 1}}]", "OutputKey 'Oa.b' should be alphanumeric"},
		{"Resources: {A: {Type: X, Condition: !GetAtt B.C}}", "Every Condition member must be a string"},
		{"Resources: {A: {Type: X, DeletionPolicy: !GetAtt B.C}, B: {Type: X}}", "Every DeletionPolicy member must be a string"},
		{"Resources: {A: {Type: X, Properties: {V: !If [!Sub C, 1, 2]}}}", "Fn::If layout is incorrect"},
	} {
		_, err := extend(t, c.in, nil)
		var d source.Diagnostics
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &d) {
			t.Errorf("%s\n got %v\nwant %s", c.in, err, c.want)
		}
	}
	deep := `{"T${V5}": {Type: X}}`
	for i := 5; i >= 0; i-- {
		deep = fmt.Sprintf(`{"Fn::ForEach::L%d": [V%d, [A], %s]}`, i, i, deep)
	}
	if _, err := extend(t, "Resources: "+deep, nil); err == nil || !strings.Contains(err.Error(), "at most 5 deep") {
		t.Errorf("six loops deep: %v", err)
	}
}

// What loops in loops make grows with a power of what is written: it has a limit, which is reached at once.
func TestExtendIsBounded(t *testing.T) {
	var items []string
	for i := range 200 {
		items = append(items, fmt.Sprint(i))
	}
	list := "[" + strings.Join(items, ", ") + "]"
	body := `{"T${V0}x${V1}x${V2}x${V3}": {Type: X}}`
	for i := 3; i >= 0; i-- {
		body = fmt.Sprintf(`{"Fn::ForEach::L%d": [V%d, %s, %s]}`, i, i, list, body)
	}
	if _, err := extend(t, "Resources: "+body, nil); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("%v", err)
	}
	if _, err := extend(t, `Resources: {"Fn::ForEach::L": [V, `+list+`, {T: {Type: X}}]}`, nil); err == nil || strings.Count(err.Error(), "Duplicate") > maxProblems {
		t.Errorf("%v", err)
	}
}

func TestExtendKeepsPlaces(t *testing.T) {
	out, err := extend(t, "Resources:\n  Fn::ForEach::L:\n    - Id\n    - [A, B]\n    - Thing${Id}:\n        Type: X\n        Properties:\n          V: !Ref Nowhere\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ReadTemplate(out)
	var ds source.Diagnostics
	if !errors.As(err, &ds) || ds[0].Span.Start.Line != 9 || !strings.Contains(ds[0].Message, "[Nowhere]") {
		t.Errorf("%v", err)
	}
	if thing := out.At("Resources", "ThingB"); thing.Where().Start.Line != 7 || out.Get("Resources").KeySpan("ThingB").Start.Line != 6 {
		t.Errorf("ThingB stands at %v", thing.Where())
	}
}

func TestExtendLeavesOthersAlone(t *testing.T) {
	plain := mustParse(t, "Resources: {A: {Type: X, Properties: {V: !Sub a}}}")
	if out, err := Extend(plain, extendEnv); err != nil || out != plain {
		t.Errorf("%v", err)
	}
	_, err := ReadTemplate(mustParse(t, `{Resources: {"Fn::ForEach::L": [Id, [A], {"T${Id}": {Type: X}}]}}`))
	if err == nil || !strings.Contains(err.Error(), "[/Resources/Fn::ForEach::L] resource definition is malformed") {
		t.Errorf("without the transform: %v", err)
	}
	both := mustParse(t, "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\nResources: {\"Fn::ForEach::L\": [Id, [A], {\"T${Id}\": {Type: X}}]}")
	if out, err := Extend(both, extendEnv); err != nil || strings.Join(transforms(out.Get("Transform")), " ") != serverless {
		t.Errorf("with SAM: %v", err)
	}
	late := mustParse(t, "Transform: [AWS::Serverless-2016-10-31, AWS::LanguageExtensions]\nResources: {\"Fn::ForEach::L\": [Id, [A], {\"T${Id}\": {Type: X}}]}")
	if _, err := Extend(late, extendEnv); err == nil || !strings.Contains(err.Error(), "must come before") {
		t.Errorf("after SAM: %v", err)
	}
}

// A loop makes what somebody would have written by hand, whatever the items.
func TestExtendIsWritingOut(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		items := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z0-9]{1,8}`), 1, 6, rapid.ID[string]).Draw(r, "items")
		looped, written := "", ""
		for _, it := range items {
			looped += fmt.Sprintf("    - %q\n", it)
			written += fmt.Sprintf("  \"R%s\": {Type: X, Properties: {V: %q, W: %q, G: !GetAtt [\"R%s\", Arn]}}\n", it, it, "<"+it+">", it)
		}
		out, err := extend(t, "Resources:\n  Fn::ForEach::L:\n  - I\n  -\n"+looped+"  - R${I}: {Type: X, Properties: {V: !Ref I, W: !Sub \"<${I}>\", G: !GetAtt [!Sub \"R${I}\", Arn]}}\n", nil)
		if err != nil {
			r.Fatal(err)
		}
		if want := mustParse(t, "Resources:\n"+written); !out.Equal(want) {
			r.Fatalf("got\n%s\nwant\n%s", out.YAML(), want.YAML())
		}
	})
}
