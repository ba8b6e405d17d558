package cloud

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"

	"evo/internal/cloud/call"
	"evo/internal/cloud/clock"
)

// Functions' processes see the machine's clock, also where the cloud's runs faster: no process can be given another without
// its timeouts, its signatures and its measurements going wrong. What a function tells the cloud, or asks it, is moved instead,
// by the credentials that it signs with:
//
//   - A moment that it has noted (a metric's timestamp, a log event's) happened while both clocks ran: as long ago by the
//     machine's clock as it lies back, and Speed times as long by the cloud's.
//   - A window that it asks for ("the last five minutes") is meant in the cloud's time: it keeps its length, and ends as long
//     before the cloud's now as before the machine's.
//
// A time that lies in the machine's future was the cloud's to begin with (an event's, a deployment's start), and is taken as it
// is. Times inside of data (an item's expiry in DynamoDB, a payload) are the application's own: nobody can know which are times.

// cloudTime makes a moment that a function has noted one of the cloud's.
func (s *Server) cloudTime(t time.Time) time.Time {
	return s.moved(t, s.Speed)
}

// windowTime makes the edge of a window that a function asks for one of the cloud's.
func (s *Server) windowTime(t time.Time) time.Time { return s.moved(t, 1) }

// moved puts a time as far before the cloud's now as it is before the machine's, times speed.
func (s *Server) moved(t time.Time, speed float64) time.Time {
	fast, ok := s.Clock.(*clock.Fast)
	if !ok {
		return t
	}
	now := time.Now()
	if t.After(now.Add(time.Second)) {
		return t
	}
	return fast.Now().Add(-time.Duration(float64(now.Sub(t)) * speed))
}

// functionTimes moves the times in functions' requests; nil where the cloud's clock is the machine's.
func (p *parts) functionTimes() func(call.Info, any) {
	if _, fast := p.server.Clock.(*clock.Fast); !fast {
		return nil
	}
	return func(info call.Info, in any) {
		if moments, windows := timesOf(in); (len(moments) > 0 || len(windows) > 0) && p.sts.OfFunction(info.AccessKey) {
			for _, f := range moments {
				f(p.server.cloudTime)
			}
			for _, f := range windows {
				f(p.server.windowTime)
			}
		}
	}
}

// timeField applies a change to one time in an input.
type timeField func(change func(time.Time) time.Time)

// timesOf finds the times in an operation's input: the moments that it notes, and the edges of the windows that it asks for.
func timesOf(in any) (moments, windows []timeField) {
	switch in := in.(type) {
	case *cloudwatch.PutMetricDataInput:
		for i := range in.MetricData {
			moments = append(moments, stamp(in.MetricData[i].Timestamp))
		}
		for i := range in.EntityMetricData {
			for j := range in.EntityMetricData[i].MetricData {
				moments = append(moments, stamp(in.EntityMetricData[i].MetricData[j].Timestamp))
			}
		}
	case *cloudwatchlogs.PutLogEventsInput:
		for i := range in.LogEvents {
			moments = append(moments, millis(in.LogEvents[i].Timestamp))
		}
	case *cloudwatch.GetMetricDataInput:
		windows = []timeField{stamp(in.StartTime), stamp(in.EndTime)}
	case *cloudwatch.GetMetricStatisticsInput:
		windows = []timeField{stamp(in.StartTime), stamp(in.EndTime)}
	case *cloudwatch.DescribeAlarmHistoryInput:
		windows = []timeField{stamp(in.StartDate), stamp(in.EndDate)}
	case *cloudwatchlogs.FilterLogEventsInput:
		windows = []timeField{millis(in.StartTime), millis(in.EndTime)}
	case *cloudwatchlogs.GetLogEventsInput:
		windows = []timeField{millis(in.StartTime), millis(in.EndTime)}
	case *codedeploy.ListDeploymentsInput:
		if r := in.CreateTimeRange; r != nil {
			windows = []timeField{stamp(r.Start), stamp(r.End)}
		}
	}
	return moments, windows
}

func stamp(t *time.Time) timeField {
	return func(change func(time.Time) time.Time) {
		if t != nil {
			*t = change(*t)
		}
	}
}

// millis is a time in milliseconds since 1970. Zero, the beginning of all logs, is no moment of any clock.
func millis(ms *int64) timeField {
	return func(change func(time.Time) time.Time) {
		if ms != nil && *ms > 0 {
			*ms = change(time.UnixMilli(*ms)).UnixMilli()
		}
	}
}
