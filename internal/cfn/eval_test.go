package cfn

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"evo/internal/source"

	"pgregory.net/rapid"
)

// env knows all that a template may ask for, but what resources are named unknown.
func testEnv(params map[string]string) Env {
	return Env{AccountID: "000000000000", Partition: "aws", Region: "eu-west-1", URLSuffix: "amazonaws.com", StackName: "shop",
		StackID: "arn:aws:cloudformation:eu-west-1:000000000000:stack/shop/1", NotificationARNs: []string{}, Parameters: params,
		Ref: func(id string) *Node {
			if id == "Later" {
				return nil
			}
			return Str("ref-" + id)
		},
		GetAtt: func(id, attr string) (*Node, error) {
			if id == "Later" {
				return nil, nil
			}
			return Str("att-" + id + "-" + attr), nil
		},
		Import: func(name string) (*Node, error) { return Str("imported-" + name), nil },
	}
}

const evalTemplate = `
Transform: AWS::LanguageExtensions
Parameters:
  Name: {Type: String, Default: fn}
  Zones: {Type: CommaDelimitedList, Default: "a, b,c"}
  Stage: {Type: String, Default: prod}
Mappings:
  ByStage:
    prod: {Memory: 512, Names: [x, y]}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsTest: !Not [!Condition IsProd]
  Both: !And [!Condition IsProd, !Condition IsTest]
  Either: !Or [!Condition IsProd, !Condition IsTest]
Resources:
  Made: {Type: "AWS::SNS::Topic"}
  Later: {Type: "AWS::SNS::Topic"}
  Here:
    Type: AWS::SNS::Topic
    Properties:
      V: %s
`

// evalOne works out one value in the template above.
func evalOne(t testing.TB, value string) (*Node, error) {
	tmpl, err := ReadTemplate(mustParse(t, fmt.Sprintf(evalTemplate, value)))
	if err != nil {
		return nil, err
	}
	params, err := tmpl.ResolveParameters(nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewEvaluator(tmpl, testEnv(params)).Eval(tmpl.Resource("Here").Properties)
	return v.Get("V"), err
}

func TestEval(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`!Ref Name`, `"fn"`},
		{`!Ref Zones`, `["a","b","c"]`},
		{`!Ref Made`, `"ref-Made"`},
		{`!Ref "AWS::Region"`, `"eu-west-1"`},
		{`!GetAtt Made.TopicArn`, `"att-Made-TopicArn"`},
		{`!GetAtt [Made, Nested.Attr]`, `"att-Made-Nested.Attr"`},
		{`!Sub "${AWS::StackName}-${Name}-${Made.Arn}-${!Kept}-$x-${"`, `"shop-fn-att-Made-Arn-${Kept}-$x-${"`},
		{`!Sub ["${A}${Name}", {A: !Ref Made}]`, `"ref-Madefn"`},
		{`!Join ["-", [a, 1, true, !Ref "AWS::NoValue", b]]`, `"a-1-true-b"`},
		{`!Select [1, !Ref Zones]`, `"b"`},
		{`!Select ["0", !Split [",", "x,y"]]`, `"x"`},
		{`!FindInMap [ByStage, !Ref Stage, Memory]`, `512`},
		{`!FindInMap [ByStage, nope, Memory, {DefaultValue: 7}]`, `7`},
		{`!If [IsProd, yes1, no1]`, `"yes1"`},
		{`!If [IsTest, yes1, !Ref "AWS::NoValue"]`, `null`},
		{`!If [Both, a, !If [Either, b, c]]`, `"b"`},
		{`{Keep: 1, Drop: !If [IsTest, 1, !Ref "AWS::NoValue"], L: [!Ref "AWS::NoValue"]}`, `{"Keep":1,"L":[]}`},
		{`!Base64 hello`, `"aGVsbG8="`},
		{`!GetAZs ""`, `["eu-west-1a","eu-west-1b","eu-west-1c"]`},
		{`!Cidr ["10.0.0.0/16", 3, 8]`, `["10.0.0.0/24","10.0.1.0/24","10.0.2.0/24"]`},
		{`!Select [255, !Cidr ["10.0.0.0/16", 256, "8"]]`, `"10.0.255.0/24"`},
		{`!Cidr ["2001:db8::/56", 2, 64]`, `["2001:db8::/64","2001:db8:0:1::/64"]`},
		{`!ImportValue {"Fn::Sub": "${AWS::StackName}-net"}`, `"imported-shop-net"`},
		{`{"Fn::Length": !Ref Zones}`, `3`},
		{`{"Fn::ToJsonString": {A: !Ref Name, B: [1]}}`, `"{\"A\":\"fn\",\"B\":[1]}"`},
		// What is not known stays, with the rest filled in.
		{`!Ref Later`, `{"Ref":"Later"}`},
		{`!Sub "${Name}-x-${Later.Arn}/${Name}"`, `{"Fn::Join":["",["fn-x-",{"Fn::GetAtt":["Later","Arn"]},"/fn"]]}`},
		{`!Join ["-", [!Ref Name, !Ref Later]]`, `{"Fn::Join":["-",["fn",{"Ref":"Later"}]]}`},
		{`!Select [0, !Split ["/", !Ref Later]]`, `{"Fn::Select":[0,{"Fn::Split":["/",{"Ref":"Later"}]}]}`},
		{`!Base64 {"Fn::Sub": "${Later}"}`, `{"Fn::Base64":{"Fn::Join":["",[{"Ref":"Later"}]]}}`},
		{`!Select [1, [!Ref Later, known]]`, `"known"`},
	} {
		v, err := evalOne(t, c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := compact(t, orNull(v)); got != c.want {
			t.Errorf("%s = %s, want %s", c.in, got, c.want)
		}
	}
}

func orNull(n *Node) *Node {
	if n == nil {
		return &Node{}
	}
	return n
}

func TestEvalErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`!Ref Nothing`, "Template format error: Unresolved resource dependencies [Nothing] in the Resources block of the template"},
		{`[!Ref Nothing, !Sub "${Nada.Arn}", !Ref Nothing]`, "Unresolved resource dependencies [Nothing, Nada] in the Resources block"},
		{`!GetAtt Nothing.Arn`, "Template error: instance of Fn::GetAtt references undefined resource Nothing"},
		{`!GetAtt [Made, ""]`, "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"},
		{`!Select [x, [a]]`, selectUsage},
		{`!Select [3, [a]]`, "Template error: Fn::Select cannot select nonexistent value at index 3"},
		{`!Join [",", {a: b}]`, joinUsage},
		{`!Join [",", [{a: b}]]`, joinUsage},
		{`!Split [",", [a]]`, splitUsage},
		{`!If [Nope, a, b]`, "Template error: unresolved condition dependency Nope in Fn::If"},
		{`!FindInMap [ByStage, C, Suffix]`, "Template error: Unable to get mapping for ByStage::C::Suffix"},
		{`!Sub [a]`, subUsage},
		{`{"Fn::Nope": 1}`, "encountered unsupported function: Fn::Nope Supported functions are: [Fn::Base64"},
		{`{"Fn::Transform": {Name: Macro}}`, "the transform Macro is not supported yet"},
		{`"{{resolve:ssm:name}}"`, "the dynamic reference {{resolve:ssm:name}} cannot be resolved"},
		{`!Cidr ["10.0.0.0/16", 300, 8]`, cidrUsage},
		{`!Cidr ["10.0.0.0/24", 9, 6]`, "cannot make 9 blocks"},
		{`!Base64 [a]`, "Template error: every Fn::Base64 object must have a String-typed value."},
		{`null`, "[/Resources/Here/Properties/V] 'null' values are not allowed in templates"},
	} {
		_, err := evalOne(t, c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.in, err, c.want)
			continue
		}
		var d *source.Diagnostic
		if !errors.As(err, &d) || !d.Span.IsValid() {
			t.Errorf("%s: the error has no place", c.in)
		}
	}
}

func TestUnknowns(t *testing.T) {
	v, err := evalOne(t, `{A: !Ref Made, B: [x, !Sub "${Later.Arn}-${Later}"]}`)
	if err != nil {
		t.Fatal(err)
	}
	got := Unknowns(v)
	if len(got) != 1 || got["/B/1"] != "Later, Later.Arn" {
		t.Errorf("Unknowns = %v", got)
	}
	if Known(v) || !Known(v.Get("A")) {
		t.Error("Known does not see what is unknown")
	}
}

// A condition that needs a parameter nobody has given leaves its Fn::If standing, unless the rest decides.
func TestUnknownConditions(t *testing.T) {
	tmpl, err := ReadTemplate(mustParse(t, `
Parameters: {P: {Type: String}}
Conditions:
  Unknown: !Equals [!Ref P, x]
  Nay: !And [!Condition Unknown, !Equals [a, b]]
  Yea: !Or [!Condition Unknown, !Equals [a, a]]
Resources:
  R:
    Type: AWS::SNS::Topic
    Properties: {A: !If [Unknown, 1, 2], B: !If [Nay, 1, 2], C: !If [Yea, 1, 2]}
`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewEvaluator(tmpl, Env{}).Eval(tmpl.Resources[0].Properties)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := compact(t, v), `{"A":{"Fn::If":["Unknown",1,2]},"B":2,"C":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestConditionCircle(t *testing.T) {
	tmpl, err := ReadTemplate(mustParse(t, `
Conditions: {A: !Not [!Condition B], B: !Not [!Condition A]}
Resources: {R: {Type: "AWS::SNS::Topic", Condition: A}}
`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewEvaluator(tmpl, Env{}).Graph()
	if err == nil || !strings.Contains(err.Error(), "Circular dependency between conditions: [A, B]") {
		t.Errorf("error %v", err)
	}
}

// Whatever stands between the braces, Fn::Sub's pieces put together again give the text back.
func TestSubPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab ${}!."))).Draw(t, "text")
		var b strings.Builder
		for _, p := range subPieces(nil, text) {
			if p.variable {
				if strings.Contains(p.text, "}") {
					t.Fatalf("a name with a brace: %q", p.text)
				}
				b.WriteString("${" + p.text + "}")
				continue
			}
			b.WriteString(p.text)
		}
		squeeze := strings.NewReplacer(" ", "", "!", "")
		if squeeze.Replace(b.String()) != squeeze.Replace(text) {
			t.Fatalf("%q became %q", text, b.String())
		}
	})
}

// Working out what was worked out changes nothing.
func TestEvalTwice(t *testing.T) {
	pieces := []string{`!Ref Later`, `!Ref Made`, `!Sub "${Later}-${Name}"`, `!Join ["-", [a, !Ref Later]]`, `[!Ref Zones, 1]`,
		`{A: !GetAtt Later.X, B: !If [IsProd, !Ref Later, b]}`, `!Select [0, !Split [",", !Ref Later]]`}
	rapid.Check(t, func(rt *rapid.T) {
		v, err := evalOne(t, "["+strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 4).Draw(rt, "values"), ", ")+"]")
		if err != nil {
			rt.Fatal(err)
		}
		tmpl, _ := ReadTemplate(mustParse(t, fmt.Sprintf(evalTemplate, "1")))
		again, err := NewEvaluator(tmpl, testEnv(nil)).Eval(v)
		if err != nil || !again.Equal(v) {
			rt.Fatalf("%s became %s (%v)", compact(t, v), compact(t, again), err)
		}
	})
}

func FuzzReadTemplate(f *testing.F) {
	f.Add(fmt.Sprintf(evalTemplate, `!Sub "${Name}${Later.A}"`))
	f.Add(`{"Resources":{"A":{"Type":"T","Properties":{"X":{"Fn::GetAtt":["A"]}}}},"Conditions":{"C":{"Fn::And":[]}}}`)
	f.Add("Parameters: {P: {Type: Number, MinValue: 1e99, Default: [1]}}\nResources: {A: {Type: X, DependsOn: [A]}}")
	f.Fuzz(func(t *testing.T, text string) {
		root, err := Parse("t", []byte(text))
		if err != nil {
			return
		}
		tmpl, err := ReadTemplate(root)
		if err != nil {
			return
		}
		params, _ := tmpl.ResolveParameters(nil)
		e := NewEvaluator(tmpl, Env{Parameters: params, Region: "eu-west-1"})
		if _, err := e.Graph(); err != nil {
			return
		}
		for _, r := range tmpl.Resources {
			v, err := e.Eval(r.Properties)
			if err == nil {
				CheckProperties(r.Type, v)
				DiffProperties(r.Type, r.Properties, v)
			}
		}
	})
}
