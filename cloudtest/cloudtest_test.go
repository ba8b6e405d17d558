package cloudtest_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/cloudtest"
)

// makeBucket makes a bucket named after nothing but the test, and returns how many there are.
func makeBucket(t *testing.T, cfg aws.Config) int {
	t.Helper()
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("things")}); err != nil {
		t.Fatal(err)
	}
	out, err := client.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Buckets)
}

func TestEachCloudIsItsOwn(t *testing.T) {
	for range 2 {
		if n := makeBucket(t, cloudtest.New(t).Config("us-east-1")); n != 1 {
			t.Errorf("a fresh cloud has %d buckets", n)
		}
	}
}

func TestSetenv(t *testing.T) {
	c := cloudtest.New(t)
	c.Setenv("us-east-1")
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := makeBucket(t, cfg); n != 1 {
		t.Errorf("got %d buckets", n)
	}
	if n := makeBucketless(t, c.Config("us-east-1")); n != 1 {
		t.Errorf("the cloud has %d buckets, so the environment led elsewhere", n)
	}
}

func makeBucketless(t *testing.T, cfg aws.Config) int {
	t.Helper()
	out, err := s3.NewFromConfig(cfg).ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Buckets)
}

func TestInProcessInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cloudtest.InProcess(t)
		before := c.Now()
		time.Sleep(48 * time.Hour)
		if got := c.Now().Sub(before); got != 48*time.Hour {
			t.Errorf("the cloud's clock has moved by %v", got)
		}
		if n := makeBucket(t, c.Config("us-east-1")); n != 1 {
			t.Errorf("got %d buckets", n)
		}
	})
}

// alarm makes an alarm that is raised when nothing is measured, and returns its state when asked.
func alarm(t *testing.T, cfg aws.Config) func() types.StateValue {
	t.Helper()
	client := cloudwatch.NewFromConfig(cfg)
	_, err := client.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("silence"), Namespace: aws.String("Shop"), MetricName: aws.String("Orders"), Statistic: types.StatisticSum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(3), Threshold: aws.Float64(1), TreatMissingData: aws.String("breaching"),
		ComparisonOperator: types.ComparisonOperatorLessThanThreshold,
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() types.StateValue {
		out, err := client.DescribeAlarms(context.WithoutCancel(t.Context()), &cloudwatch.DescribeAlarmsInput{})
		if err != nil {
			t.Fatal(err)
		}
		return out.MetricAlarms[0].StateValue
	}
}

func TestStepped(t *testing.T) {
	begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	c := cloudtest.Stepped(t, begin)
	state := alarm(t, c.Config("us-east-1"))
	if !c.Now().Equal(begin) {
		t.Errorf("the clock shows %v", c.Now())
	}
	c.Await(time.Minute, func() bool { return state() == types.StateValueAlarm })
	if passed := c.Now().Sub(begin); passed < time.Minute || passed > 3*time.Hour {
		t.Errorf("the alarm was raised after %v", passed)
	}
	c.Advance(24 * time.Hour)
	if passed := c.Now().Sub(begin); passed < 24*time.Hour {
		t.Errorf("a day later, %v have passed", passed)
	}
}

func TestFast(t *testing.T) {
	c := cloudtest.Fast(t, 10_000)
	state := alarm(t, c.Config("us-east-1"))
	for deadline := time.Now().Add(20 * time.Second); state() != types.StateValueAlarm; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the alarm is not raised")
		}
	}
}

func TestURL(t *testing.T) {
	if url := cloudtest.New(t).URL(); !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("got %s", url)
	}
}
