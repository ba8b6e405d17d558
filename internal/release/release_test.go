package release

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/cloudtest"
	"evo/internal/appraisal/desired"
	"evo/internal/cfn"
	"evo/internal/fitness/suitefile"
	"evo/internal/gate"
	"evo/internal/history"
	"evo/internal/hook/program"
	"evo/internal/source"
)

var now = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func newMaker(t *testing.T) *Maker {
	t.Helper()
	cfg := cloudtest.InProcess(t).Config("us-east-1")
	m := &Maker{CloudFormation: cloudformation.NewFromConfig(cfg), S3: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
		Region: "us-east-1", Machine: program.Here(), Now: func() time.Time { return now }}
	if _, err := m.S3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("code")}); err != nil {
		t.Fatal(err)
	}
	return m
}

func parse(t *testing.T, text string) *cfn.Node {
	t.Helper()
	root, err := cfn.Parse("template.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func request(t *testing.T, template string) Request {
	t.Helper()
	return Request{Stack: "shop", Template: parse(t, template), File: "template.yaml", Bucket: "code"}
}

// TestLostHistory: a stack whose history is gone goes on counting, and says that nothing is compared.
func TestLostHistory(t *testing.T) {
	m := newMaker(t)
	r := &Release{Release: gate.Release{Bucket: "code", Prefix: "evo/shop"}, after: 4}
	r.Store = &history.Store{S3: m.S3, Bucket: r.Bucket, Prefix: r.Prefix}
	n, err := m.number(t.Context(), r.Store, &deployed{gated: true, release: gate.Release{Number: 4}})
	if err != nil || n != 5 {
		t.Errorf("the number is %d, %v", n, err)
	}
	r.Number = n
	q := request(t, "Resources: {A: {Type: AWS::SNS::Topic}}")
	template, err := desired.Read(q.Template, desired.Surroundings{Region: m.Region, Stack: q.Stack, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	f, err := m.predict(t.Context(), r, q, template, suitefile.Default())
	if err != nil || !strings.Contains(strings.Join(f.Warning, "\n"), "the stack has release v4, and the history in s3://code/evo/shop/ has none to compare with") {
		t.Errorf("%+v, %v", f, err)
	}
	if err := r.Store.Begin(t.Context(), history.Attempt{Number: 7}); err != nil {
		t.Fatal(err)
	}
	if n, err = m.number(t.Context(), r.Store, &deployed{gated: true, release: gate.Release{Number: 4}}); err != nil || n != 8 {
		t.Errorf("after attempt 7 the number is %d, %v", n, err)
	}
}

// TestTwoAtOnce: of two deployments that make the same release only one begins it, and what it asks for stays.
func TestTwoAtOnce(t *testing.T) {
	m := newMaker(t)
	mine, err := m.Make(t.Context(), request(t, "Resources: {A: {Type: AWS::SNS::Topic}}"), true, false)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := m.Make(t.Context(), request(t, "Resources: {B: {Type: AWS::SNS::Topic}}"), true, false)
	if err != nil {
		t.Fatal(err)
	}
	if mine.Number != 1 || theirs.Number != 1 {
		t.Fatalf("the releases are %d and %d", mine.Number, theirs.Number)
	}
	if err := mine.Begin(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	var taken *history.TakenError
	if err := theirs.Begin(t.Context(), now); !errors.As(err, &taken) {
		t.Errorf("the error is %v", err)
	}
	asked, err := mine.Store.Asked(t.Context(), 1)
	if err != nil || !asked.Authored.Get("Resources").Has("A") {
		t.Errorf("what is asked for is %+v, %v", asked, err)
	}
}

// TestSecretsAreNoRelease: a stack does not tell its secrets, so that a release is told without them; all else that it tells counts.
func TestSecretsAreNoRelease(t *testing.T) {
	m := newMaker(t)
	digest := func(parameters map[string]string) string {
		t.Helper()
		q := request(t, `
Parameters: {Secret: {Type: String, NoEcho: true}, Name: {Type: String, Default: a}, Image: {Type: "AWS::SSM::Parameter::Value<String>", Default: /image}}
Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Name, DisplayName: !Ref Image}}}`)
		q.Parameters = parameters
		r, err := m.Make(t.Context(), q, true, false)
		if err != nil {
			t.Fatal(err)
		}
		return r.Digest
	}
	first := digest(map[string]string{"Secret": "hunter2"})
	if first != digest(map[string]string{"Secret": "****", "Name": "a", "Image": "/image"}) {
		t.Error("the parameters as the stack tells them make another release")
	}
	if first == digest(map[string]string{"Secret": "hunter2", "Name": "b"}) {
		t.Error("another value makes the same release")
	}
}

// TestWrongInput names the file and the place.
func TestWrongInput(t *testing.T) {
	m := newMaker(t)
	q := request(t, "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::X: [Name]\n")
	var diags source.Diagnostics
	if _, err := m.Make(t.Context(), q, true, false); !errors.As(err, &diags) || diags[0].File != "template.yaml" {
		t.Errorf("the error is %v", err)
	}
	q = request(t, "Resources: {A: {Type: AWS::SNS::Topic}}")
	q.SuiteFile, q.Suite = "own/fitness.yaml", []byte("characteristics:\n  securty: {floor: 0.6}\n")
	if _, err := m.Make(t.Context(), q, true, false); !errors.As(err, &diags) || diags[0].File != "own/fitness.yaml" || diags[0].Span.Start.Line != 2 {
		t.Errorf("the error is %v", err)
	}
	q.Suite, q.Bucket = nil, "gone"
	if _, err := m.Make(t.Context(), q, true, false); err == nil || !strings.Contains(err.Error(), "s3://gone/") {
		t.Errorf("the error is %v", err)
	}
}
