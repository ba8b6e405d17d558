package appraisal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/suitefile"
	"evo/internal/rules"
	"evo/internal/source"
)

var now = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func parse(t testing.TB, text string) *cfn.Node {
	t.Helper()
	n, err := cfn.Parse("template.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// architecture is what a template without transforms asks for.
func architecture(t testing.TB, text string, parameters map[string]string) Architecture {
	t.Helper()
	root := parse(t, text)
	template, err := cfn.ReadTemplate(root)
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.FromTemplate(template, cfn.Env{Region: "eu-west-1", Partition: "aws", StackName: "shop", Parameters: parameters})
	if err != nil {
		t.Fatal(err)
	}
	return Architecture{Authored: root, Full: root, Desired: set}
}

func suite(t testing.TB, text string) *Suite {
	t.Helper()
	file := suitefile.Default()
	if text != "" {
		var err error
		if file, err = suitefile.Parse("fitness.yaml", []byte(text), now); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Prepare(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What is wrong with a suite's rules has its place in the file.
func TestPrepareRefuses(t *testing.T) {
	file, err := suitefile.Parse("own.yaml", []byte(`functions:
  s3-bucket-logging-enabled: {severity: low, parameters: {targetBuket: x}}
  mine: {characteristic: security, rule: s3-bucket-loging-enabled}
  lambda-concurrency-check:
    severity: low
    parameters:
      ConcurrencyLimitLow: many
`), now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Prepare(file)
	ds, ok := errors.AsType[source.Diagnostics](err)
	if !ok || len(ds) != 3 {
		t.Fatalf("%v", err)
	}
	for i, want := range []string{"own.yaml:2:59: functions.s3-bucket-logging-enabled:", "own.yaml:3:42: functions.mine: there is no rule", "own.yaml:7:28:"} {
		if !strings.HasPrefix(ds[i].Error(), want) {
			t.Errorf("%v, want %s", ds[i], want)
		}
	}
	if ds[1].Hint != "did you mean s3-bucket-logging-enabled?" {
		t.Errorf("hint %q", ds[1].Hint)
	}
}

func interval(lo, hi exact.Decimal) fitness.Interval { return fitness.Interval{Lo: lo, Hi: hi} }

func TestWorse(t *testing.T) {
	const half = exact.One / 2
	for _, c := range []struct {
		name                string
		desired, live, want fitness.Interval
		reason              string
	}{
		{"both good", fitness.Known(exact.One), fitness.Known(exact.One), fitness.Known(exact.One), "asked for"},
		{"live is worse", fitness.Known(exact.One), fitness.Known(half), fitness.Known(half), "live"},
		{"the template is worse", fitness.Known(0), fitness.Known(exact.One), fitness.Known(0), "asked for"},
		{"the template leaves it open", fitness.Unknown, fitness.Known(exact.One), fitness.Known(exact.One), "live"},
		{"nobody knows", fitness.Unknown, fitness.Unknown, fitness.Unknown, "live"},
		{"live cannot be read", fitness.Known(exact.One), fitness.Unknown, fitness.Unknown, "live"},
		{"a failure is one, whether live can be read or not", fitness.Known(0), fitness.Unknown, fitness.Known(0), "asked for"},
	} {
		got := worse(fitness.Pair{Score: c.desired, Reason: "asked for"}, fitness.Pair{Score: c.live, Reason: "live"})
		if got.Score != c.want || got.Reason != c.reason {
			t.Errorf("%s: %v, %s", c.name, got.Score, got.Reason)
		}
	}
}

// TestWorseIsNoBetter holds for all scores: the worse of two is an interval, and at neither end above either.
func TestWorseIsNoBetter(t *testing.T) {
	score := rapid.Custom(func(t *rapid.T) fitness.Interval {
		lo := exact.Decimal(rapid.Int64Range(0, int64(exact.One)).Draw(t, "lo"))
		return interval(lo, exact.Decimal(rapid.Int64Range(int64(lo), int64(exact.One)).Draw(t, "hi")))
	})
	rapid.Check(t, func(t *rapid.T) {
		desired, live := score.Draw(t, "desired"), score.Draw(t, "live")
		got := worse(fitness.Pair{Score: desired}, fitness.Pair{Score: live}).Score
		if got.Lo > got.Hi || got.Lo > live.Lo || got.Hi > live.Hi {
			t.Fatalf("%v", got)
		}
		if desired != fitness.Unknown && (got.Lo > desired.Lo || got.Hi > desired.Hi) {
			t.Fatalf("%v", got)
		}
	})
}

func TestSize(t *testing.T) {
	for _, c := range []struct {
		name, template         string
		resources, edges, gran int
	}{
		{"evo's own do not count", `
Resources:
  A: {Type: AWS::S3::Bucket}
  EvoFitnessHookRole: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: [x], Policies: []}}
  EvoFitnessHook: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt EvoFitnessHookRole.Arn}}
  EvoReleaseGate: {Type: "Custom::EvoReleaseGate", DependsOn: [A], Properties: {ServiceToken: !GetAtt EvoFitnessHook.Arn}}
  EvoFitnessAlarm: {Type: AWS::CloudWatch::Alarm, Properties: {Threshold: !GetAtt EvoReleaseGate.Threshold}}
  EvoFitnessSchedule: {Type: AWS::Events::Rule, Properties: {Targets: [{Id: f, Arn: !GetAtt EvoFitnessHook.Arn}]}}
  EvoFitnessSchedulePermission: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref EvoFitnessHook, SourceArn: !GetAtt EvoFitnessSchedule.Arn}}`, 1, 0, 0},
		{"what refers twice is one edge", `
Resources:
  A: {Type: AWS::S3::Bucket}
  B: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub "${A}-${A.Arn}", DisplayName: !Ref A}}`, 2, 1, 0},
		{"an order is no reference", `
Resources:
  A: {Type: AWS::S3::Bucket}
  B: {Type: AWS::SNS::Topic, DependsOn: A}`, 2, 0, 0},
		{"what refers to itself, or to what is not there", `
Parameters: {P: {Type: String, Default: p}}
Resources:
  A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub "${P}-${AWS::Region}"}}`, 1, 0, 0},
		{"a condition that does not hold, with a name that begins another's", `
Parameters: {Stage: {Type: String, Default: dev}}
Conditions: {Prod: !Equals [!Ref Stage, prod]}
Resources:
  Data: {Type: AWS::S3::Bucket, Condition: Prod}
  DataBackup: {Type: AWS::S3::Bucket}`, 1, 0, 0},
		{"permissions", `
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: [a, b]
      Policies:
      - PolicyName: p
        PolicyDocument:
          Statement:
          - {Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: [x, y, z]}
          - {Effect: Allow, Action: "s3:*", Resource: "*"}
          - {Effect: Deny, Action: "*", Resource: "*"}
          - {Effect: Allow, NotAction: "iam:*", NotResource: x}
  P:
    Type: AWS::IAM::Policy
    Properties: {PolicyDocument: {Statement: {Effect: Allow, Action: "sqs:SendMessage", Resource: !Ref R}}}`, 2, 1, 2 + 6 + 25 + 25 + 1},
	} {
		got := Size(architecture(t, c.template, map[string]string{"Stage": "dev"}))
		if want := (fitness.Size{Resources: c.resources, Edges: c.edges, Grants: c.gran}); got != want {
			t.Errorf("%s: %+v, not %+v", c.name, got, want)
		}
	}
}

func TestSuppressed(t *testing.T) {
	a := architecture(t, `
Resources:
  Quiet:
    Type: AWS::S3::Bucket
    Metadata: {guard: {SuppressedRules: [S3_BUCKET_VERSIONING_ENABLED]}}
  Loud: {Type: AWS::S3::Bucket}`, nil)
	made := suite(t, "").Appraise("v1", a, nil, now)
	var left []string
	for _, p := range made.Release.Pairs {
		if p.Function == "s3-bucket-versioning-enabled" {
			left = append(left, p.Resource)
		}
	}
	if diff := cmp.Diff([]string{"Loud"}, left); diff != "" {
		t.Error(diff)
	}
	out := made.Excepted.Suppressed
	if len(out) != 1 || out[0].Resource != "Quiet" || out[0].Function != "s3-bucket-versioning-enabled" {
		t.Errorf("left out are %+v", out)
	}
}

const ofMetrics = `
metrics: {users: {namespace: Shop, name: Users}, nobody: {namespace: Shop, name: Nobody}}
functions:
  few-users-per-bucket:
    characteristic: scalability
    expression: metrics.users / 100.0 <= double(size(resources))
  of-nobody: {characteristic: scalability, expression: metrics.nobody > 1.0}
`

func TestMetrics(t *testing.T) {
	a := architecture(t, "Resources: {A: {Type: AWS::S3::Bucket}, B: {Type: AWS::S3::Bucket}}", nil)
	for _, c := range []struct {
		metrics map[string]exact.Decimal
		want    fitness.Interval
	}{
		{nil, fitness.Unknown},
		{map[string]exact.Decimal{"users": exact.D(200)}, fitness.Known(exact.One)},
		{map[string]exact.Decimal{"users": exact.D(201)}, fitness.Known(0)},
	} {
		a.Metrics = c.metrics
		scores := map[string]fitness.Interval{}
		made := suite(t, ofMetrics).Appraise("v1", roundTrip(t, a), nil, now)
		for _, p := range made.Release.Pairs {
			scores[p.Function] = p.Score
		}
		if scores["few-users-per-bucket"] != c.want || scores["of-nobody"] != fitness.Unknown || len(made.Problems) > 0 {
			t.Errorf("%v: %v, %v", c.metrics, scores, made.Problems)
		}
	}
}

func roundTrip(t testing.TB, a Architecture) Architecture {
	t.Helper()
	text, err := EncodeItems(a)
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeItems(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := EncodeItems(back)
	if err != nil || string(again) != string(text) {
		t.Errorf("written again it differs (%v): %s", err, cmp.Diff(string(text), string(again)))
	}
	return back
}

// same holds the appraisal of what was kept against that of what was there. Places in the template are not kept.
func same(t *testing.T, name string, s *Suite, a Architecture) {
	t.Helper()
	want, got := s.Appraise("v1", a, nil, now), s.Appraise("v1", roundTrip(t, a), nil, now)
	for _, made := range []*Appraisal{want, got} {
		for i := range made.Release.Pairs {
			made.Release.Pairs[i].Place = fitness.Pair{}.Place
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is judged otherwise:\n%s", name, diff)
	}
}

func TestItemsAreJudgedTheSame(t *testing.T) {
	s := suite(t, ofMetrics)
	const odd = `
Parameters: {Open: {Type: String}, Prod: {Type: String, Default: "no"}}
Conditions: {IsProd: !Equals [!Ref Open, prod]}
Resources:
  A:
    Type: AWS::S3::Bucket
    Condition: IsProd
    Metadata: {cfn_nag: {rules_to_suppress: [{id: W35, reason: "yes: \"quoted\" 'n' <b>"}]}}
    Properties: {BucketName: !Ref Open, VersioningConfiguration: {Status: !If [IsProd, Enabled, Suspended]}}
  B:
    Type: AWS::Lambda::Function
    Properties: {MemorySize: 0o200, Timeout: 1e1, Environment: {Variables: {YES: "yes", N: no, EMPTY: "", DATE: 2030-01-01, BIG: 12345678901234567890, TEXT: "a\nb\tc\u0001 \u2028 ü"}}}
  C: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: [{AttributeName: id, KeyType: HASH}], Tags: []}}
`
	a := architecture(t, odd, nil)
	same(t, "without a look at what is there", s, a)
	live := architecture(t, odd, map[string]string{"Open": "prod"})
	live.Desired.Items[0].Supplementary = cfn.Obj(cfn.P("BucketPolicy", cfn.Obj()))
	live.Desired.Items[0].PhysicalID = "shop-a-1"
	a.Live = rules.NewSet(live.Desired.Items, parse(t, "PublicAccessBlock: {BlockPublicAcls: true}"), "eu-west-1")
	same(t, "with one", s, a)
	a.Live = rules.NewSet(nil, nil, "eu-west-1")
	same(t, "with nothing there", s, a)
	empty := parse(t, "Resources: {}")
	same(t, "an empty template", s, Architecture{Authored: empty, Full: empty, Desired: rules.NewSet(nil, nil, "eu-west-1")})
}

// TestConformanceInputsAreJudgedTheSame takes the templates of the rules' shared cases.
func TestConformanceInputsAreJudgedTheSame(t *testing.T) {
	dir := os.Getenv("EVO_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "conformance")
	}
	files, err := filepath.Glob(filepath.Join(dir, "rules", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Skipf("no conformance cases in %s (set EVO_CONFORMANCE to their folder): %v", dir, err)
	}
	s := suite(t, "")
	n := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := cfn.ParseValue(filepath.Base(file), text)
		if err != nil {
			continue // the rules' own test tells
		}
		for _, c := range list.List() {
			root := c.Get("input")
			set := rules.FromSource(root)
			if len(set.Items) == 0 {
				continue
			}
			n++
			same(t, filepath.Base(file)+": "+c.Get("name").Str(), s, Architecture{Authored: root, Full: root, Desired: set})
		}
	}
	if n == 0 {
		t.Error("none of the cases has a template")
	}
	t.Logf("%d templates", n)
}

func TestDecodeItemsRefuses(t *testing.T) {
	for _, text := range []string{"", "[]", "{}", `{"version": 99}`, `{"version": 1, "authored": {`, `{"version": 1}`, `{"version": 1, "authored": {}, "full": {}, "desired": [{}]}`, `{"version": 1, "authored": {}, "full": {}, "metrics": {"a": "x"}}`} {
		if a, err := DecodeItems([]byte(text)); err == nil {
			t.Errorf("%q is read as %+v", text, a)
		}
	}
}

// TestCode is about how large an architecture's code is: what is shared counts once, what runs counts before what was uploaded, and what
// nobody has packaged yet is told.
func TestCode(t *testing.T) {
	a := architecture(t, `
Resources:
  Search: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: b, S3Key: shared}}}
  Orders: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: b, S3Key: shared}}}
  Mail: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: b, S3Key: mail}}}
  Inline: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: "12345"}}}
  Layer: {Type: AWS::Lambda::LayerVersion, Properties: {Content: {S3Bucket: b, S3Key: layer}}}
  Image: {Type: AWS::Lambda::Function, Properties: {PackageType: Image, Code: {ImageUri: x}}}
  EvoFitnessHook: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: b, S3Key: hook}}}
`, nil)
	check := func(bytes int64, unsized ...string) {
		t.Helper()
		if got := Size(a).Code; got != exact.Decimal(bytes*1000) {
			t.Errorf("the code has %s MB, want %d bytes", got, bytes)
		}
		if diff := cmp.Diff(unsized, Unsized(a)); diff != "" {
			t.Error(diff)
		}
	}
	check(5, "Search", "Orders", "Mail", "Layer", "Image")
	a.Code = map[string]int64{"Search": 1_000_000, "Orders": 1_000_000, "Mail": 20, "Layer": 300, "EvoFitnessHook": 5_000_000}
	check(1_000_325, "Image")
	text, err := EncodeItems(a)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := DecodeItems(text); err != nil || Size(kept).Code != Size(a).Code {
		t.Errorf("kept, the code has %s MB, %v", Size(kept).Code, err)
	}
	facts := cfn.Obj(cfn.P("CodeSize", cfn.Integer(21)))
	a.Live = rules.NewSet([]*rules.Item{{ID: "Mail", Type: "AWS::Lambda::Function", Supplementary: facts}}, nil, "eu-west-1")
	check(1_000_326, "Image")
}
