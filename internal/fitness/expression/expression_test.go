package expression

import (
	"errors"
	"strings"
	"testing"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
)

const template = `
Resources:
  Pictures:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    Properties:
      BucketName: !Ref Name
      VersioningConfiguration: {Status: Enabled}
      BucketEncryption: !If [Prod, {A: 1}, !Ref AWS::NoValue]
      Tags: [{Key: team, Value: shop}, {Key: pii, Value: !Ref Pii}]
      Nothing: !Ref AWS::NoValue
      Days: 30
      Ratio: 0.25
      Names: [a, !Ref Name]
  Orders:
    Type: AWS::DynamoDB::Table
`

func stack(t *testing.T) Stack {
	t.Helper()
	root, err := cfn.Parse("template.yaml", []byte(template))
	if err != nil {
		t.Fatal(err)
	}
	s := Stack{Edges: []Edge{{"Upload", "Pictures", "writes"}}, Metrics: map[string]exact.Decimal{"users": exact.D(20)}}
	for _, p := range root.Get("Resources").Pairs {
		s.Resources = append(s.Resources, Resource{p.Key, p.Value.Get("Type").Str(), p.Value})
	}
	return s
}

func TestResource(t *testing.T) {
	bucket := stack(t).Resources[0]
	parameters := cfn.Obj(cfn.P("days", cfn.Integer(30)))
	for text, want := range map[string]string{
		`properties.VersioningConfiguration.Status == "Enabled"`:          "1",
		`properties.VersioningConfiguration.Status == "Suspended"`:        "0",
		`properties.VersioningConfiguration == {"Status": "Enabled"}`:     "1",
		`properties.Missing.Deep == 1`:                                    "0 there is no Missing",
		`has(properties.Missing)`:                                         "0",
		`has(properties.Nothing)`:                                         "0",
		`has(properties.VersioningConfiguration)`:                         "1",
		`properties.?Missing.?Deep.orValue(3) == 3`:                       "1",
		`properties.BucketName == "x"`:                                    "?",
		`properties.BucketName.startsWith("x")`:                           "?",
		`properties.BucketName == "x" && false`:                           "0",
		`properties.BucketName == "x" || true`:                            "1",
		`has(properties.BucketEncryption)`:                                "?",
		`properties.BucketEncryption.A == 1`:                              "?",
		`properties.?BucketEncryption.?A.orValue(1) == 1`:                 "?",
		`properties.Tags.exists(t, t.Key == "team" && t.Value == "shop")`: "1",
		`properties.Tags.exists(t, t.Value == "yes")`:                     "?",
		`properties.Tags.exists(t, t.Key == "other")`:                     "0",
		`properties.Tags.all(t, t.Key != "x")`:                            "1",
		`properties.Tags.filter(t, t.Key == "team").size() == 1`:          "1",
		`"a" in properties.Names`:                                         "1",
		`"b" in properties.Names`:                                         "?",
		`properties.Names == ["b", "x"]`:                                  "0",
		`properties.Names == ["a", "x"]`:                                  "?",
		`properties.Names + ["b"] == ["a", "x", "c"]`:                     "0",
		`properties.Names[0] == "a"`:                                      "1",
		`properties.Days >= parameters.days`:                              "1",
		`properties.Days > 30 ? 1.0 : properties.Ratio`:                   "0.25",
		`1.0 / 3.0`: "0.333333333",
		`resource.type == "AWS::S3::Bucket" && resource.id == "Pictures"`: "1",
		`resource.deletionPolicy == "Retain"`:                             "1",
		`size(properties.Tags) == 2 && "Days" in properties`:              "1",
		`properties.exists(k, k == "Days")`:                               "1",
		`properties.BucketName + "x" == "y"`:                              "?",
		`properties.BucketName in ["a", "b"]`:                             "?",
		`{"a": properties.BucketName}.a == "x"`:                           "?",
		`[properties.BucketName].size() == 1`:                             "?",
		`properties.BucketName == "x" ? true : true`:                      "?",
		`!(properties.BucketName == "x")`:                                 "?",
		`size(properties.BucketName) > 0`:                                 "?",
		`properties[properties.BucketName] == 1`:                          "?",
		`string(properties.BucketName) == "x"`:                            "?",
		`properties.Names.map(n, n + "x") == ["ax", "bx"]`:                "?",
		`properties.Names.exists_one(n, n == "a")`:                        "?",
		`properties.Names == properties.Names`:                            "?",
		`properties == properties`:                                        "?",
		`dyn(properties.BucketName) == properties.BucketName`:             "?",
		`properties.Tags[1].Value.size() == 2 || properties.Days == 30`:   "1",
		`properties.Days == 30.0`:                                         "1",
		`properties.Ratio < 1`:                                            "1",
		`properties.exists(k, k == parameters.name)`:                      "0 there is no name",
		`7`:                               "error",
		`1.0 / 0.0`:                       "error",
		`properties.Days.startsWith("x")`: "error",
		`properties.Tags`:                 "error",
		`[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, [1,2,3,4,5,6,7,8,9,10].all(g, a+b+c+d+e+f+g > 0)))))))`: "error",
	} {
		e, err := Compile(text, OfResource)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		score, reason, err := e.Resource(bucket, parameters)
		if got := shown(score, reason, err); got != want {
			t.Errorf("%s: got %s, want %s (%v)", text, got, want, err)
		}
	}
}

func shown(score fitness.Interval, reason string, err error) string {
	switch {
	case errors.Is(err, ErrScore):
		return "error"
	case score == fitness.Unknown:
		return "?"
	}
	return strings.TrimSpace(score.String() + " " + reason)
}

func TestStack(t *testing.T) {
	s := stack(t)
	for text, want := range map[string]string{
		`resources.filter(r, r.type == "AWS::S3::Bucket").all(r, r.properties.VersioningConfiguration.Status == "Enabled")`: "1",
		`resources.all(r, has(r.deletionPolicy))`:                          "0",
		`edges.exists(e, e.from == "Upload" && e.kind == "writes")`:        "1",
		`resources.exists(r, r.id == "Orders" && size(r.properties) == 0)`: "1",
		`metrics.users / 100.0`:                                            "0.2",
		`metrics["errors"] < 1.0`:                                          "?",
		`metrics.errors < 1.0 && metrics.users > 50.0`:                     "0",
	} {
		e, err := Compile(text, OfStack)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		score, reason, err := e.Stack(s, nil)
		if got := shown(score, reason, err); got != want {
			t.Errorf("%s: got %s, want %s (%v)", text, got, want, err)
		}
	}
}

func TestNumber(t *testing.T) {
	e, err := Compile("100.0 + metrics.users * 0.5", OfMetrics)
	if err != nil {
		t.Fatal(err)
	}
	if n, known, err := e.Number(map[string]exact.Decimal{"users": exact.D(20)}); err != nil || !known || n != exact.D(110) {
		t.Errorf("got %s, %t, %v", n, known, err)
	}
	if _, known, err := e.Number(nil); err != nil || known {
		t.Errorf("a number of a metric that is not there is known (%v)", err)
	}
}

func TestMetrics(t *testing.T) {
	e, err := Compile(`metrics.b > 1.0 && metrics["a-b"] < 2.0 && resources.all(r, has(r.properties.c) || metrics.b == 0.0)`, OfStack)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(e.Metrics(), " "); got != "a-b b" {
		t.Errorf("got %q", got)
	}
}

func TestCompile(t *testing.T) {
	for text, want := range map[string]string{
		`propertis.X == 1`:               "1:1: there is no propertis here (did you mean properties?)",
		"true &&\n  metrics.users > 1":   "2:3: there is no metrics here (an expression of this kind sees properties, resource, parameters)",
		`"text"`:                         "1:1: the expression gives a value of the type string; it must give a boolean, or a number in [0, 1] ()",
		`1 +`:                            "1:4: ",
		``:                               "1:1: ",
		strings.Repeat("(", 300) + "1":   "1:",
		strings.Repeat("1+", 9000) + "1": "1:",
		`resource.id + 1 == 2 && 1`:      "1:",
	} {
		_, err := Compile(text, OfResource)
		var ps Problems
		if !errors.As(err, &ps) {
			t.Errorf("%.40s: got %v", text, err)
			continue
		}
		if got := ps[:1].Error() + " (" + ps[0].Hint + ")"; !strings.HasPrefix(got, want) {
			t.Errorf("%.40s: got %s", text, got)
		}
	}
}

func FuzzExpression(f *testing.F) {
	for _, text := range []string{`properties.A == "x"`, `"a" in properties.Names`, `properties.?A.orValue(1) == properties`, `resource.all(k, k != properties)`, `-9223372036854775808 / -1`} {
		f.Add(text)
	}
	root, err := cfn.Parse("t", []byte(template))
	if err != nil {
		f.Fatal(err)
	}
	bucket := Resource{"Pictures", "AWS::S3::Bucket", root.At("Resources", "Pictures")}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Compile(text, OfResource)
		if err != nil {
			return
		}
		first, _, err1 := e.Resource(bucket, nil)
		second, _, err2 := e.Resource(bucket, nil)
		if first != second || (err1 == nil) != (err2 == nil) || first.Lo < 0 || first.Hi > exact.One || first.Lo > first.Hi {
			t.Fatalf("%v (%v), then %v (%v)", first, err1, second, err2)
		}
	})
}
