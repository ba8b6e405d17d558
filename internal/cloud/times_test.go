package cloud

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// TestFunctionTimes: what a function notes by the machine's clock stands in the cloud's, and the window that it asks for is the
// cloud's too. Another client's times are taken as they are.
func TestFunctionTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const speed = 60
		s := &Server{Addr: "-", CacheDir: t.TempDir(), Speed: speed, runner: &functions{}}
		if err := s.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		time.Sleep(10 * time.Minute) // the cloud's clock is ten hours on
		began := time.Now().UTC()

		creds, err := s.parts.sts.ForRole(t.Context(), "arn:aws:iam::000000000000:role/r", "function")
		if err != nil {
			t.Fatal(err)
		}
		person := s.Config("us-east-1")
		function := s.Config("us-east-1")
		function.Credentials = credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken)

		metrics := cloudwatch.NewFromConfig(function)
		cloudNow := s.Clock.Now()
		_, err = metrics.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []cwtypes.MetricDatum{
			{MetricName: aws.String("Orders"), Value: aws.Float64(1), Timestamp: aws.Time(began)},
			{MetricName: aws.String("Orders"), Value: aws.Float64(2), Timestamp: aws.Time(began.Add(-10 * time.Second))}, // ten of the cloud's minutes ago
			{MetricName: aws.String("Orders"), Value: aws.Float64(4), Timestamp: aws.Time(cloudNow.Add(-time.Hour))},     // the cloud told it so
		}})
		if err != nil {
			t.Fatal(err)
		}
		sums := func(c *cloudwatch.Client, from, to time.Time) (out []float64) {
			t.Helper()
			got, err := c.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{Namespace: aws.String("Shop"), MetricName: aws.String("Orders"),
				StartTime: &from, EndTime: &to, Period: aws.Int32(300), Statistics: []cwtypes.Statistic{cwtypes.StatisticSum}})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range got.Datapoints {
				out = append(out, *p.Sum)
			}
			return out
		}
		c := cloudwatch.NewFromConfig(person)
		for ago, want := range map[time.Duration]float64{0: 1, 10 * time.Minute: 2, time.Hour: 4} {
			at := cloudNow.Add(-ago).Truncate(5 * time.Minute)
			if got := sums(c, at, at.Add(5*time.Minute)); len(got) != 1 || got[0] != want {
				t.Errorf("%s ago: %v, not %v", ago, got, want)
			}
		}
		// "The last five minutes" by the function's clock are the cloud's last five.
		if got := sums(metrics, began.Add(-5*time.Minute), began.Add(time.Second)); len(got) != 1 || got[0] != 1 {
			t.Errorf("the function sees %v in the last five minutes", got)
		}
		if got := sums(c, began.Add(-5*time.Minute), began.Add(time.Second)); len(got) != 0 {
			t.Errorf("another client's times were moved: %v", got)
		}

		group, stream := aws.String("group"), aws.String("stream")
		logs := cloudwatchlogs.NewFromConfig(function)
		if _, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group}); err != nil {
			t.Fatal(err)
		}
		if _, err := logs.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream}); err != nil {
			t.Fatal(err)
		}
		put, err := logs.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: []logtypes.InputLogEvent{
			{Message: aws.String("early"), Timestamp: aws.Int64(began.Add(-time.Second).UnixMilli())},
			{Message: aws.String("late"), Timestamp: aws.Int64(began.UnixMilli())},
		}})
		if err != nil || put.RejectedLogEventsInfo != nil {
			t.Fatalf("%v, %v", put, err)
		}
		got, err := cloudwatchlogs.NewFromConfig(person).FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: group})
		if err != nil || len(got.Events) != 2 {
			t.Fatalf("%v, %v", got, err)
		}
		for i, ago := range []time.Duration{speed * time.Second, 0} {
			at := time.UnixMilli(*got.Events[i].Timestamp)
			if off := at.Sub(cloudNow.Add(-ago)).Abs(); off > time.Second {
				t.Errorf("event %d is at %s, %s off", i, at, off)
			}
		}
		seen, err := logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, StartTime: aws.Int64(began.Add(-30 * time.Second).UnixMilli())})
		if err != nil || len(seen.Events) != 1 {
			t.Errorf("the function sees %v in the last half minute, %v", seen, err)
		}
	})
}
