package cloud

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"evo/internal/cloud/sandbox"
)

// calls notes the events that a function gets.
type calls struct {
	mu     sync.Mutex
	events []string
}

func (c *calls) handle(_ context.Context, _ *sandbox.Function, event []byte) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, string(event))
	return nil, nil
}

func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.events
	c.events = nil
	return got
}

// scheduled is a SAM application whose function runs on a schedule, and when an order is placed.
const scheduled = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Report:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: report
      Handler: report
      Runtime: python3.12
      InlineCode: 'x = 1'
      AutoPublishAlias: live
      Events:
        Hourly: {Type: Schedule, Properties: {Schedule: rate(1 hour), Input: '{"by": "the hour"}'}}
        Orders: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}, InputPath: $.detail}}
  Mixed:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: cron(0 * * * ? *)
      Targets: [{Id: queue, Arn: 'arn:aws:sqs:us-east-1:000000000000:q'}, {Id: fn, Arn: !GetAtt Report.Arn}]
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: orders}}
  OfBus: {Type: AWS::Events::Rule, Properties: {EventBusName: !Ref Bus, EventPattern: {source: [shop]}}}
`

func TestScheduledFunctions(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir)
		w.start()
		defer func() { w.close() }()
		report := &calls{}
		w.handle("report", report.handle)
		w.deploy(scheduled, cfntypes.StackStatusCreateComplete)
		events := strings.Join(w.events(), "\n")
		for _, want := range []string{"Mixed CREATE_COMPLETE evo records, without effect here: target queue (arn:aws:sqs:us-east-1:000000000000:q)", "OfBus CREATE_COMPLETE evo records rules of the event bus orders"} {
			if !strings.Contains(events, want) {
				t.Errorf("no %q in\n%s", want, events)
			}
		}
		time.Sleep(2*time.Hour + time.Minute)
		if got := report.take(); len(got) != 2 || got[0] != `{"by": "the hour"}` { // of Mixed nothing: nothing permits it
			t.Errorf("in two hours: %v", got)
		}
		client := eventbridge.NewFromConfig(w.server.Config("us-east-1"))
		w.putOrder(client)
		if got := report.take(); len(got) != 1 || got[0] != `{"id":7}` {
			t.Errorf("an order: %v", got)
		}
		if n := w.counted("FailedInvocations"); n != 2 {
			t.Errorf("%v failed invocations", n)
		}

		// What is due while the cloud is away, it does when it is back; and once.
		w.close()
		time.Sleep(time.Hour)
		changed := w.server
		w.server = &Server{Addr: "-", StateDir: dir, CacheDir: changed.CacheDir, runner: w.functions, random: seeded(1), Log: changed.Log}
		w.start()
		time.Sleep(time.Second)
		if got := report.take(); len(got) != 1 {
			t.Errorf("after the restart: %v", got)
		}
		w.deploy(strings.Replace(scheduled, "rate(1 hour)", "rate(2 hours)", 1), cfntypes.StackStatusUpdateComplete)
		time.Sleep(2*time.Hour + time.Minute)
		if got := report.take(); len(got) != 1 {
			t.Errorf("every two hours: %v", got)
		}
		w.deploy("Resources: {Bus: {Type: AWS::Events::EventBus, Properties: {Name: orders}}}", cfntypes.StackStatusUpdateComplete)
		if rules, err := eventbridge.NewFromConfig(w.server.Config("us-east-1")).ListRules(w.ctx, &eventbridge.ListRulesInput{}); err != nil || len(rules.Rules) != 0 {
			t.Errorf("rules that stay: %+v, %v", rules, err)
		}
	})
}

func (w *world) putOrder(client *eventbridge.Client) {
	w.Helper()
	_, err := client.PutEvents(w.ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{Source: aws.String("shop"), DetailType: aws.String("Order"), Detail: aws.String(`{"id":7}`)}}})
	if err != nil {
		w.Fatal(err)
	}
	synctest.Wait()
	time.Sleep(time.Minute)
}

// counted sums one of the metrics of AWS/Events across all rules.
func (w *world) counted(metric string) float64 {
	w.Helper()
	out, err := w.metrics.GetMetricStatistics(w.ctx, &cloudwatch.GetMetricStatisticsInput{Namespace: aws.String("AWS/Events"), MetricName: &metric, StartTime: aws.Time(time.Now().Add(-24 * time.Hour)),
		EndTime: aws.Time(time.Now()), Period: aws.Int32(86400), Statistics: []cwtypes.Statistic{cwtypes.StatisticSum}})
	if err != nil {
		w.Fatal(err)
	}
	sum := 0.0
	for _, p := range out.Datapoints {
		sum += *p.Sum
	}
	return sum
}
