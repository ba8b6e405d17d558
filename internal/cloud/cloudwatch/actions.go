package cloudwatch

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/cloud/call"
	"evo/internal/cloud/cloudwatch/alarm"
)

// act carries out the actions of the state that an alarm has come to, in a goroutine of the service.
func (s *Service) act(before, after alarmState) {
	if !after.ActionsEnabled {
		return
	}
	arns := after.Actions[after.State]
	if len(arns) == 0 {
		return
	}
	go s.tasks.Do(func() {
		for _, arn := range arns {
			// The history's own failure is the store's, which every other call reports too.
			s.acted(s.ctx, after, arn, s.execute(before, after, arn))
		}
	})
}

func (s *Service) execute(before, after alarmState, arn string) error {
	service := ""
	if parts := strings.SplitN(arn, ":", 4); len(parts) == 4 {
		service = parts[2]
	}
	switch {
	case service != "lambda":
		return fmt.Errorf("actions on %s are not there in the embedded cloud", service)
	case s.Invoke == nil:
		return fmt.Errorf("no functions can be invoked here")
	}
	event, err := s.event(before, after)
	if err != nil {
		return err
	}
	return s.Invoke.InvokeAlarmAction(s.ctx, arn, event)
}

// event is what a function is invoked with.
func (s *Service) event(before, after alarmState) ([]byte, error) {
	type state struct {
		Value      string `json:"value"`
		Reason     string `json:"reason"`
		ReasonData string `json:"reasonData,omitempty"`
		Timestamp  string `json:"timestamp"`
	}
	of := func(a alarmState) state {
		return state{string(a.State), a.Reason, a.ReasonData, alarm.FormatTime(a.Updated)}
	}
	configuration := map[string]any{}
	if after.Description != nil {
		configuration["description"] = *after.Description
	}
	if after.Metric != nil {
		configuration["metrics"] = eventMetrics(after.Metric)
	} else {
		configuration["alarmRule"] = aws.ToString(after.Rule)
	}
	return json.Marshal(map[string]any{
		"source": "aws.cloudwatch", "alarmArn": s.alarmARN(after.Name), "accountId": call.Account, "region": s.Region, "time": alarm.FormatTime(after.Updated),
		"alarmData": map[string]any{"alarmName": after.Name, "state": of(after), "previousState": of(before), "configuration": configuration},
	})
}

// eventMetrics is what the alarm watches, as a list of metric queries.
func eventMetrics(m *metricAlarm) []map[string]any {
	stat := func(namespace, name, stat, unit string, period int32, dims map[string]string) map[string]any {
		out := map[string]any{"metric": map[string]any{"namespace": namespace, "name": name, "dimensions": dims}, "period": period, "stat": stat}
		if unit != "" {
			out["unit"] = unit
		}
		return out
	}
	if len(m.Metrics) == 0 {
		dims := map[string]string{}
		for _, d := range m.Dimensions {
			dims[d.Name] = d.Value
		}
		return []map[string]any{{"id": "m1", "metricStat": stat(m.Namespace, m.MetricName, m.Statistic, m.Unit, m.Period, dims), "returnData": true}}
	}
	var out []map[string]any
	for _, q := range m.Metrics {
		e := map[string]any{"id": aws.ToString(q.Id), "returnData": q.ReturnData == nil || *q.ReturnData}
		if q.Expression != nil {
			e["expression"] = *q.Expression
		}
		if q.Label != nil {
			e["label"] = *q.Label
		}
		if ms := q.MetricStat; ms != nil && ms.Metric != nil {
			dims := map[string]string{}
			for _, d := range ms.Metric.Dimensions {
				dims[aws.ToString(d.Name)] = aws.ToString(d.Value)
			}
			e["metricStat"] = stat(aws.ToString(ms.Metric.Namespace), aws.ToString(ms.Metric.MetricName), aws.ToString(ms.Stat), string(ms.Unit), aws.ToInt32(ms.Period), dims)
		}
		out = append(out, e)
	}
	return out
}
