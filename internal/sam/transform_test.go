package sam_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"evo/internal/cfn"
	"evo/internal/sam"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func parse(t testing.TB, name string, text []byte) *cfn.Node {
	t.Helper()
	n, err := cfn.Parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func parseShop(t testing.TB) (*cfn.Node, []byte) {
	t.Helper()
	text, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, "shop.yaml", text), text
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (run with -update to accept):\n%s", file, got)
	}
}

func TestShop(t *testing.T) {
	template, _ := parseShop(t)
	before, _ := template.MarshalJSON()
	out, err := sam.Transform(template, sam.Options{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := out.JSON()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "shop.json", text)
	if after, _ := template.MarshalJSON(); !bytes.Equal(before, after) {
		t.Error("the transform changed the template that it was given")
	}
	again, err := sam.Transform(template, sam.Options{Region: "eu-west-1"})
	if err != nil || !again.Equal(out) {
		t.Errorf("a second run made another template, or failed: %v", err)
	}
	same, err := sam.Transform(out, sam.Options{Region: "eu-west-1"})
	if err != nil || !same.Equal(out) {
		t.Errorf("a template without SAM resources changed, or failed: %v", err)
	}
}

// What the transform makes leads back to the template: a resource to the one that it comes from, a value to where it was written.
func TestSpans(t *testing.T) {
	template, text := parseShop(t)
	out, err := sam.Transform(template, sam.Options{})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	var b strings.Builder
	for _, p := range out.Get("Resources").Entries() {
		at := p.KeySpan.Start.Line
		if at == 0 {
			t.Fatalf("%s leads nowhere", p.Key)
		}
		fmt.Fprintf(&b, "%-45s %-40s %3d | %s\n", p.Key, p.Value.Get("Type").Str(), at, strings.TrimSpace(lines[at-1]))
	}
	golden(t, "origins.txt", []byte(b.String()))
	uri := out.At("Resources", "CatalogNightly", "Properties", "ScheduleExpression").Where()
	if got := string(text[uri.Start.Offset:uri.End.Offset]); got != "rate(1 day)" {
		t.Errorf("a schedule leads to %q", got)
	}
}

func TestErrors(t *testing.T) {
	const text = `Transform: AWS::Serverless-2016-10-31
Resources:
  One:
    Type: AWS::Serverless::Function
    Properties:
      Runtme: nodejs22.x
      Handler: index.handler
  Two:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      CodeUri: ./src
      Events:
        Odd:
          Type: Apis
  Three:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      InlineCode: x
      DeadLetterQueue:
        Type: [SQS]
        TargetArn: arn
  Four:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      CodeUri: ./src
  Five:
    Type: AWS::Serverless::Application
    Properties:
      Location: {ApplicationId: app, SemanticVersion: 1.0.0}
`
	_, err := sam.Transform(parse(t, "template.yaml", []byte(text)), sam.Options{})
	var e *sam.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	golden(t, "errors.txt", []byte(e.Diagnostics("template.yaml").Text([]byte(text))))
}

func TestAlwaysDeploy(t *testing.T) {
	const text = `{"Resources": {"MyApi": {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "a", "AlwaysDeploy": true}}}}`
	template := parse(t, "t.json", []byte(text))
	for seconds, want := range map[float64]string{13.37: "MyApiDeploymentbd307a3ec3", 42.123: "MyApiDeployment92cfceb39d", 42.1337: "MyApiDeployment92cfceb39d"} {
		out, err := sam.Transform(template, sam.Options{Now: time.UnixMilli(int64(seconds * 1000))})
		if err != nil || !out.At("Resources").Has(want) {
			t.Errorf("at %v: no %s in %v, %v", seconds, want, out.At("Resources").Keys(), err)
		}
	}
}

func TestLocalPaths(t *testing.T) {
	const text = `{"Globals": {"Function": {"CodeUri": "./src", "Runtime": "r", "Handler": "h"}}, "Resources": {
		"F": {"Type": "AWS::Serverless::Function"}, "G": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "."}},
		"S": {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": "machine.json"}}}}`
	template := parse(t, "t.json", []byte(text))
	if _, err := sam.Transform(template, sam.Options{}); err == nil {
		t.Error("local paths pass without being asked for")
	}
	out, err := sam.Transform(template, sam.Options{LocalPaths: true})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"F.Code.S3Key": "src", "G.Code.S3Key": ".", "S.DefinitionS3Location.Key": "machine.json"} {
		parts := strings.Split(path, ".")
		if got := out.At("Resources", parts[0], "Properties", parts[1], parts[2]).Str(); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestMetadata(t *testing.T) {
	const text = `{"Resources": {"F": {"Type": "AWS::Serverless::Function", "Metadata": {"a": 1}, "Properties": {"Runtime": "r", "Handler": "h", "InlineCode": "x"}}}}`
	for _, pass := range []bool{false, true} {
		out, err := sam.Transform(parse(t, "t.json", []byte(text)), sam.Options{PassMetadata: pass})
		if err != nil {
			t.Fatal(err)
		}
		if got := out.At("Resources", "FRole").Has("Metadata"); got != pass {
			t.Errorf("PassMetadata %v: the role has metadata: %v", pass, got)
		}
	}
}

// Templates that want to use up the machine end with an error, and soon.
func TestHostile(t *testing.T) {
	function := `{"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "r", "Handler": "h", "InlineCode": "x", "AutoPublishAlias": "live", "Description": {"Ref": "P"}, "AutoPublishCodeSha256": "abc"}}`
	deep := strings.Repeat(`{"Fn::Sub":`, 80) + `"x"` + strings.Repeat("}", 80)
	for name, text := range map[string]string{
		"no map":                `{"Resources": []}`,
		"no resources":          `{}`,
		"parameter in itself":   `{"Parameters": {"P": {"Default": {"a": {"Ref": "P"}, "b": {"Ref": "P"}}}}, "Resources": {"F": ` + function + `}}`,
		"parameters each other": `{"Parameters": {"P": {"Default": [{"Ref": "Q"}, {"Ref": "Q"}]}, "Q": {"Default": [{"Ref": "P"}, {"Ref": "P"}]}}, "Resources": {"F": ` + function + `}}`,
		"many events":           `{"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "r", "Handler": "h", "InlineCode": "x", "Events": {` + many(`{"Type": "Api", "Properties": {"Path": "/%d", "Method": "get"}}`, 5000) + `}}}}}`,
		"large globals":         `{"Globals": {"Function": {"Layers": [` + strings.Repeat(`"x",`, 50_000) + `"x"]}}, "Resources": {` + many(`{"Type": "AWS::Serverless::Function", "Properties": {"Layers": ["%d"]}}`, 900) + `}}`,
		"odd types":             `{"Resources": {"F": {"Type": ["AWS::Serverless::Function"]}, "G": {"Type": 3}}, "Globals": 7}`,
		"deep description":      `{"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {"Description": ` + deep + `}}}}`,
		"everything null":       `{"Resources": {"F": {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "x", "DefinitionBody": {"paths": {"/": null}, "swagger": 2}, "Auth": {"DefaultAuthorizer": "AWS_IAM"}}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			done := make(chan error, 1)
			template := parse(t, "t.json", []byte(text))
			go func() {
				_, err := sam.Transform(template, sam.Options{})
				done <- err
			}()
			select {
			case err := <-done:
				var e *sam.Error
				if err != nil && !errors.As(err, &e) || err == nil && name != "odd types" && name != "deep description" {
					t.Errorf("got %v", err)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("the transform does not end")
			}
		})
	}
}

// many makes n entries of a JSON map.
func many(format string, n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(`"K%d": `, i) + fmt.Sprintf(format, i)
	}
	return strings.Join(parts, ", ")
}

// Any template of values that SAM knows by name gives a template, or an error that says what is wrong.
func TestAnyTemplate(t *testing.T) {
	shop, _ := parseShop(t)
	rapid.Check(t, func(t *rapid.T) {
		template := shop.Clone()
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			mutate(t, template)
		}
		a, errA := sam.Transform(template, sam.Options{})
		checkNoDefect(t, errA)
		b, errB := sam.Transform(template, sam.Options{})
		if (errA == nil) != (errB == nil) || errA != nil && errA.Error() != errB.Error() || errA == nil && !a.Equal(b) {
			t.Fatalf("two runs differ: %v, %v", errA, errB)
		}
		if errA == nil {
			checkOutput(t, a)
		}
	})
}

// mutate changes, removes or moves one value of a template.
func mutate(t *rapid.T, root *cfn.Node) {
	var all []*cfn.Node
	root.Walk(func(_ []string, n *cfn.Node) bool { all = append(all, n); return true })
	n := all[rapid.IntRange(1, len(all)-1).Draw(t, "at")]
	switch other := all[rapid.IntRange(1, len(all)-1).Draw(t, "from")].Clone(); rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		*n = *cfn.From(rapid.SampledFrom([]any{nil, true, 0, 1.5, "", "x", []any{}, []any{"x"}, map[string]any{},
			map[string]any{"Ref": "Stage"}, map[string]any{"Fn::If": []any{"InProduction", "a", map[string]any{"Ref": "AWS::NoValue"}}}}).Draw(t, "value"))
	case 1:
		*n = *other
	default:
		if n.Is(cfn.Map) && len(n.Pairs) > 0 {
			n.Delete(n.Pairs[rapid.IntRange(0, len(n.Pairs)-1).Draw(t, "key")].Key)
		}
	}
}

type failer interface {
	Fatalf(format string, args ...any)
}

// checkNoDefect checks that an error is one of the template.
func checkNoDefect(t failer, err error) {
	var e *sam.Error
	if errors.As(err, &e) {
		for _, c := range e.Causes {
			if c.Defect {
				t.Fatalf("evo failed: %v", c)
			}
		}
	}
}

// checkOutput checks what holds for all made templates.
func checkOutput(t failer, out *cfn.Node) {
	text, err := out.MarshalJSON()
	if err != nil || !json.Valid(text) {
		t.Fatalf("no JSON: %v", err)
	}
	if out.Has("Transform") || out.Has("Globals") {
		t.Fatalf("Transform or Globals is left")
	}
	known := map[string]bool{"Function": true, "Api": true, "HttpApi": true, "SimpleTable": true, "StateMachine": true, "LayerVersion": true,
		"Application": true, "WebSocketApi": true, "GraphQLApi": true, "Connector": true, "CapacityProvider": true}
	for _, p := range out.Get("Resources").Entries() {
		if kind, ok := strings.CutPrefix(p.Value.Get("Type").Str(), "AWS::Serverless::"); ok && known[kind] {
			t.Fatalf("%s is still a %s", p.Key, kind)
		}
	}
}

func FuzzTransform(f *testing.F) {
	shop, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(shop)
	for _, seed := range []string{
		`{"Resources": {"A": {"Type": "AWS::Serverless::HttpApi", "Properties": {"CorsConfiguration": true, "Domain": {"DomainName": "d", "CertificateArn": "c", "Route53": {"HostedZoneId": "z"}}}}}}`,
		`{"Resources": {"S": {"Type": "AWS::Serverless::StateMachine", "Properties": {"Definition": {"a": {"Ref": "B"}}, "Events": {"E": {"Type": "Api", "Properties": {"Path": "/", "Method": "post"}}}}}}}`,
		`{"Resources": {"W": {"Type": "AWS::Serverless::WebSocketApi", "Properties": {"RouteSelectionExpression": "x", "Routes": {"$connect": {"FunctionArn": "f"}}}}}}`,
		`{"Resources": {"C": {"Type": "AWS::Serverless::Connector", "Properties": {"Source": {"Id": "B"}, "Destination": {"Id": "D"}, "Permissions": ["Read"]}}, "B": {"Type": "AWS::S3::Bucket"}, "D": {"Type": "AWS::Lambda::Function"}}}`,
		`{"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "r", "Handler": "h", "InlineCode": "x", "Events": {"K": {"Type": "Kinesis", "Properties": {"Stream": "s", "StartingPosition": "LATEST", "DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": "q"}}}}, "S": {"Type": "S3", "Properties": {"Bucket": {"Ref": "B"}, "Events": "e"}}}}}, "B": {"Type": "AWS::S3::Bucket"}}}`,
		`{"Resources": {"G": {"Type": "AWS::Serverless::GraphQLApi", "Properties": {"Auth": {"Type": "API_KEY"}, "SchemaInline": "x", "Functions": {"f": {"DataSource": "NONE", "InlineCode": "x", "Runtime": {"Name": "a", "Version": "b"}}}, "Resolvers": {"Query": {"q": {"Pipeline": ["f"]}}}}}}}`,
		`{"Resources": {"P": {"Type": "AWS::Serverless::CapacityProvider", "Properties": {"VpcConfig": {"SubnetIds": ["s"]}, "ScalingConfig": {"MaxVCpuCount": 3}}}}}`,
	} {
		f.Add([]byte(seed))
	}
	for _, seed := range []string{
		"Resources: &r\n  A: &a {Type: 'AWS::Serverless::Function', Properties: {Tags: {x: &x [y, y]}, Layers: [*x, *x]}}\n  B: *a\n",
		"Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\nResources:\n  Fn::ForEach::Loop: [N, [a, b], {'F${N}': {Type: 'AWS::Serverless::Function', Properties: {Runtime: r, Handler: h, InlineCode: x}}}]\n",
		"Globals: {Function: {Tags: {a: b}}}\nParameters: {P: {Type: String, Default: !Ref P}}\nResources: {F: {Type: 'AWS::Serverless::Function', Properties: {FunctionName: !Sub '${P}', Events: {E: {Type: Api, Properties: {Path: '/{p+}', Method: any, Auth: {ApiKeyRequired: true}}}}}}}\n",
	} {
		f.Add([]byte(seed))
	}
	for _, template := range conformanceInputs(f) {
		if text, err := template.MarshalJSON(); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		template, err := cfn.Parse("fuzz", text)
		if err == nil {
			template, err = cfn.Extend(template, cfn.Env{Region: "us-gov-west-1"})
		}
		if err != nil {
			return
		}
		out, err := sam.Transform(template, sam.Options{Region: "us-gov-west-1"})
		if err != nil {
			var e *sam.Error
			if !errors.As(err, &e) || len(e.Causes) == 0 {
				t.Fatalf("an error of another kind: %v", err)
			}
			checkNoDefect(t, err)
			_ = e.Diagnostics("fuzz").Text(text)
			return
		}
		checkOutput(t, out)
	})
}

func BenchmarkTransform(b *testing.B) {
	template, _ := parseShop(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sam.Transform(template, sam.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	_, text := parseShop(b)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := cfn.Parse("shop.yaml", text); err != nil {
			b.Fatal(err)
		}
	}
}

// Transforms may run at the same time: what they share, they only read.
func TestTransformConcurrently(t *testing.T) {
	template := parse(t, "t.yaml", []byte(`
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      {Runtime: python3.13, Handler: h, InlineCode: x, Policies: [{DynamoDBCrudPolicy: {TableName: t}}, {SQSPollerPolicy: {QueueName: q}}, AWSLambdaExecute]}
    Connectors: {C: {Properties: {Destination: {Id: T}, Permissions: [Read, Write]}}}
  T: {Type: AWS::Serverless::SimpleTable}
`))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := sam.Transform(template, sam.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// What a connector becomes shows in the dependencies of resources, but not of connectors that follow: AWS leaves these as they were.
func TestDependenciesOnConnectors(t *testing.T) {
	template := parse(t, "t.yaml", []byte(`
Transform: AWS::Serverless-2016-10-31
Resources:
  Function: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.13, Handler: a.b, InlineCode: x}}
  Table: {Type: AWS::Serverless::SimpleTable}
  First: {Type: AWS::Serverless::Connector, Properties: {Source: {Id: Function}, Destination: {Id: Table}, Permissions: [Write]}}
  Second: {Type: AWS::Serverless::Connector, DependsOn: First, Properties: {Source: {Id: Function}, Destination: {Id: Table}, Permissions: [Read]}}
  Topic: {Type: AWS::SNS::Topic, DependsOn: First}
`))
	out, err := sam.Transform(template, sam.Options{})
	if err != nil {
		t.Fatal(err)
	}
	resources := out.Get("Resources")
	if on := resources.At("SecondPolicy", "DependsOn"); on.Str() != "First" {
		t.Errorf("the second connector's policy depends on %v", on)
	}
	if on := resources.At("Topic", "DependsOn").List(); len(on) != 1 || on[0].Str() != "FirstPolicy" {
		t.Errorf("the topic depends on %v", on)
	}
}
