package cloud

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cfn"
	"evo/internal/cloud/sandbox"
	"evo/internal/gate"
	"evo/internal/history"
	"evo/internal/hook"
)

// gated is a world whose releases meet the release gate: the fitness hook runs as a function of the cloud. Only this test knows both sides.
type gated struct {
	*world
	s3       *s3.Client
	store    *history.Store
	measured atomic.Int32 // how often the schedule had the hook measure
}

func newGated(t *testing.T) *gated {
	w := &gated{world: newWorld(t, "")}
	w.start()
	w.s3 = s3.NewFromConfig(w.server.Config("us-east-1"), func(o *s3.Options) { o.UsePathStyle = true })
	w.store = &history.Store{S3: w.s3, Bucket: "code", Prefix: "evo/shop"}
	_, err := w.s3.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: aws.String("code")})
	w.must(err)
	var code bytes.Buffer
	z := zip.NewWriter(&code)
	_, err = z.Create("bootstrap")
	w.must(err)
	w.must(z.Close())
	_, err = w.s3.PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("code"), Key: aws.String("hook.zip"), Body: bytes.NewReader(code.Bytes())})
	w.must(err)
	w.handle(gate.Handler, w.hook)
	return w
}

func (w *gated) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// hook is what the fitness hook's process does.
func (w *gated) hook(ctx context.Context, fn *sandbox.Function, event []byte) (any, error) {
	h, err := hook.New(w.server.Config("us-east-1"), func(name string) string { return fn.Env[name] }, time.Now)
	if err != nil {
		return nil, err
	}
	h.HTTP = &http.Client{Transport: w.server.RoundTripper()}
	if strings.Contains(string(event), "Scheduled Event") {
		w.measured.Add(1)
	}
	return h.Handle(ctx, event)
}

// release deploys a template as a release; more is added beside what evo adds.
func (w *gated) release(number int, template, more string, want cfntypes.StackStatus) {
	w.Helper()
	root, err := cfn.Parse("template.yaml", []byte(template))
	w.must(err)
	digest := fmt.Sprint("d", number)
	w.must(w.store.Begin(w.ctx, history.Attempt{Number: number, Digest: digest, Started: time.Now()}))
	w.must(w.store.Ask(w.ctx, number, history.Template{Authored: root, Full: root}))
	o := gate.Options{Stack: stack, Release: gate.Release{Number: number, Digest: digest, Bucket: "code", Prefix: "evo/shop"}, CodeBucket: "code", CodeKey: "hook.zip", Architecture: "x86_64"}
	for _, r := range root.Get("Resources").Entries() {
		o.Resources = append(o.Resources, gate.Resource{ID: r.Key, Type: r.Value.Get("Type").Str()})
	}
	installed, err := gate.Install(root, o)
	w.must(err)
	if more != "" {
		late, err := cfn.Parse("late.yaml", []byte(more))
		w.must(err)
		installed.Get("Resources").Set("Late", late)
	}
	w.deploy(string(installed.YAML()), want)
}

// alarm is the fitness alarm.
func (w *gated) alarm() cwtypes.MetricAlarm {
	w.Helper()
	out, err := w.metrics.DescribeAlarms(w.ctx, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("shop-" + gate.AlarmID)})
	w.must(err)
	if len(out.MetricAlarms) != 1 {
		w.Fatalf("%d alarms", len(out.MetricAlarms))
	}
	return out.MetricAlarms[0]
}

// wantAlarm waits, and wants the alarm to be in a state.
func (w *gated) wantAlarm(after time.Duration, want cwtypes.StateValue, when string) cwtypes.MetricAlarm {
	w.Helper()
	time.Sleep(after)
	a := w.alarm()
	if a.StateValue != want {
		w.Errorf("%s: the alarm is %s: %s", when, a.StateValue, *a.StateReason)
	}
	return a
}

// wantThreshold wants the alarm to compare with what the history says of a release.
func (w *gated) wantThreshold(number int, when string) {
	w.Helper()
	known := w.store.Release(w.ctx, number)
	if known.Report == nil {
		w.Fatalf("%s: v%d has no report: %v", when, number, known.Problem)
	}
	want := known.Report.Verdict.Level.Fitness.Lo.Sub(known.Report.Suite.Ratchet.Tolerance.Rat()).Text(9)
	if got := fmt.Sprintf("%.9f", *w.alarm().Threshold); strings.TrimRight(got, "0") != strings.TrimRight(want, "0") {
		w.Errorf("%s: the threshold is %s, and v%d says %s", when, got, number, want)
	}
}

func bucket(versioning string) string {
	return `
Resources:
  Data:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: data
      BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms'}}]}
      VersioningConfiguration: {Status: ` + versioning + `}
`
}

// TestDrift takes a bucket's encryption away between releases, and brings it back.
func TestDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGated(t)
		defer w.close()
		w.release(1, bucket("Suspended"), "", cfntypes.StackStatusCreateComplete)
		w.wantThreshold(1, "first")
		w.wantAlarm(3*24*time.Hour, cwtypes.StateValueOk, "nothing has changed")
		if n := w.measured.Load(); n != 3 {
			t.Errorf("measured %d times in three days", n)
		}

		_, err := w.s3.DeleteBucketEncryption(w.ctx, &s3.DeleteBucketEncryptionInput{Bucket: aws.String("data")})
		w.must(err)
		a := w.wantAlarm(24*time.Hour+2*time.Minute, cwtypes.StateValueAlarm, "a day after the change")
		if !strings.Contains(*a.StateReason, "was less than the threshold") || !strings.Contains(*a.AlarmDescription, "evo fitness --stack-name shop --explain") {
			t.Errorf("the alarm says %q, and why: %q", *a.AlarmDescription, *a.StateReason)
		}
		w.wantAlarm(5*24*time.Hour, cwtypes.StateValueAlarm, "five days later")
		if changes := w.transitions(); changes != 1 {
			t.Errorf("it went into ALARM %d times", changes)
		}
		_, err = w.s3.PutBucketEncryption(w.ctx, &s3.PutBucketEncryptionInput{Bucket: aws.String("data"), ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
			Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms}}}}})
		w.must(err)
		w.wantAlarm(24*time.Hour+2*time.Minute, cwtypes.StateValueOk, "a day after it was put right")
		if numbers, err := w.store.Numbers(w.ctx); err != nil || len(numbers) != 1 {
			t.Errorf("measuring makes releases: %v, %v", numbers, err)
		}
	})
}

// transitions is how often the alarm went into ALARM.
func (w *gated) transitions() (n int) {
	w.Helper()
	out, err := w.metrics.DescribeAlarmHistory(w.ctx, &cloudwatch.DescribeAlarmHistoryInput{AlarmName: w.alarm().AlarmName, HistoryItemType: cwtypes.HistoryItemTypeStateUpdate})
	w.must(err)
	for _, it := range out.AlarmHistoryItems {
		if strings.HasSuffix(*it.HistorySummary, "to ALARM") {
			n++
		}
	}
	return n
}

// TestThresholdFollowsTheReleases is about what the alarm compares with when releases pass, are refused, are taken back after they have
// passed, and when the gate goes.
func TestThresholdFollowsTheReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGated(t)
		defer w.close()
		w.release(1, bucket("Suspended"), "", cfntypes.StackStatusCreateComplete)
		first := *w.alarm().Threshold
		time.Sleep(time.Hour)
		w.release(2, bucket("Enabled"), "", cfntypes.StackStatusUpdateComplete)
		w.wantThreshold(2, "a fitter release")
		if second := *w.alarm().Threshold; second <= first {
			t.Errorf("from %v to %v", first, second)
		}
		w.release(3, bucket("Suspended"), "", cfntypes.StackStatusUpdateRollbackComplete)
		w.wantThreshold(2, "a release that was refused")
		w.wantAlarm(2*time.Hour, cwtypes.StateValueOk, "a refused release is no drift")

		more := strings.Replace(bucket("Enabled"), "Resources:", "Resources:\n  Orders: {Type: AWS::SNS::Topic, Properties: {KmsMasterKeyId: alias/aws/sns}}", 1)
		w.release(4, more, "{Type: AWS::Lambda::Permission, DependsOn: EvoFitnessAlarm, Properties: {FunctionName: nobody, Action: 'lambda:InvokeFunction', Principal: events.amazonaws.com}}",
			cfntypes.StackStatusUpdateRollbackComplete)
		w.wantThreshold(2, "a release that was taken back")
		if status := w.store.Release(w.ctx, 4).Status(); status != history.RolledBack {
			t.Errorf("v4 is %q", status)
		}
		w.deploy(bucket("Enabled"), cfntypes.StackStatusUpdateComplete) // without a gate
		out, err := w.metrics.DescribeAlarms(w.ctx, &cloudwatch.DescribeAlarmsInput{})
		w.must(err)
		rules, err := eventbridge.NewFromConfig(w.server.Config("us-east-1")).ListRules(w.ctx, &eventbridge.ListRulesInput{})
		w.must(err)
		if len(out.MetricAlarms)+len(rules.Rules) != 0 {
			t.Errorf("what is left without the gate: %+v %+v", out.MetricAlarms, rules.Rules)
		}
	})
}
