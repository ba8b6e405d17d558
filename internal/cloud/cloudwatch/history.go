package cloudwatch

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"evo/internal/cloud/cloudwatch/alarm"
	"evo/internal/cloud/store"
)

// historyItem is one thing that happened to an alarm.
type historyItem struct {
	Alarm   string
	Type    types.AlarmType
	Item    types.HistoryItemType
	Summary string
	Data    string
	At      time.Time
}

func historyKey(at time.Time, n uint64) string { return fmt.Sprintf("%019d/%09d", at.UnixNano(), n) }

func (s *Service) note(tx *store.Tx, a alarmState, item types.HistoryItemType, summary string, data any) {
	b, err := json.Marshal(data)
	if err != nil {
		b = []byte("{}") // only strings and numbers are put in
	}
	n, _ := s.counters.Get(tx, "history")
	s.counters.Put(tx, "history", n+1)
	now := s.Clock.Now()
	s.history.Put(tx, historyKey(now, n), historyItem{a.Name, a.kind(), item, summary, string(b), now})
}

// configured notes that an alarm was created, updated or deleted.
func (s *Service) configured(tx *store.Tx, a alarmState, what string) {
	var configuration any = s.describeComposite(a)
	if a.Metric != nil {
		configuration = s.describeMetric(a)
	}
	kind := map[string]string{"created": "Create", "updated": "Update", "deleted": "Delete"}[what]
	data := map[string]any{"version": "1.0", "type": kind, what + "Alarm": lowerFirst(configuration)}
	s.note(tx, a, types.HistoryItemTypeConfigurationUpdate, fmt.Sprintf("Alarm %q %s", a.Name, what), data)
}

// lowerFirst returns a struct as a map whose keys begin in lower case, without what is empty.
func lowerFirst(v any) map[string]any {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var m map[string]any
	if json.Unmarshal(b, &m) != nil {
		return nil
	}
	out := map[string]any{}
	for k, v := range m {
		if v != nil && v != "" {
			out[strings.ToLower(k[:1])+k[1:]] = v
		}
	}
	return out
}

type stateData struct {
	Value  string          `json:"stateValue"`
	Reason string          `json:"stateReason"`
	Data   json.RawMessage `json:"stateReasonData,omitempty"`
}

func stateOf(a alarmState) stateData {
	d := stateData{Value: string(a.State), Reason: a.Reason}
	if json.Valid([]byte(a.ReasonData)) {
		d.Data = json.RawMessage(a.ReasonData)
	}
	return d
}

// changed notes a change of state.
func (s *Service) changed(tx *store.Tx, before, after alarmState) {
	data := struct {
		Version string    `json:"version"`
		Old     stateData `json:"oldState"`
		New     stateData `json:"newState"`
	}{"1.0", stateOf(before), stateOf(after)}
	s.note(tx, after, types.HistoryItemTypeStateUpdate, fmt.Sprintf("Alarm updated from %s to %s", before.State, after.State), data)
}

// acted notes what became of an action.
func (s *Service) acted(ctx context.Context, a alarmState, arn string, failure error) error {
	summary, state := "Successfully executed action "+arn, "Succeeded"
	data := map[string]any{"stateUpdateTimestamp": a.Transitioned.UnixMilli(), "notificationResource": arn}
	if failure != nil {
		summary, state = fmt.Sprintf("Failed to execute action %s. Received error: %q", arn, failure.Error()), "Failed"
		data["error"] = failure.Error()
	}
	data["actionState"] = state
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		s.note(tx, a, types.HistoryItemTypeAction, summary, data)
		return nil
	})
}

// DescribeAlarmHistory lists what happened to alarms, also to deleted ones; newest first unless asked otherwise.
func (s *Service) DescribeAlarmHistory(_ context.Context, in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	token, err := base64.StdEncoding.DecodeString(value(in.NextToken))
	if err != nil {
		return nil, &types.InvalidNextToken{Message: ptr("The service token in the request is invalid.")}
	}
	limit := int(value(in.MaxRecords))
	if limit == 0 {
		limit = 100
	}
	out := &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: []types.AlarmHistoryItem{}}
	last := ""
	s.Store.View(func(tx *store.Tx) {
		walk := s.history.Descend
		if in.ScanBy == types.ScanByTimestampAscending {
			walk = s.history.Ascend
		}
		for key, h := range walk(tx, string(token)) {
			if key == string(token) || !h.selected(in) {
				continue
			}
			if limit == 0 {
				out.NextToken = ptr(base64.StdEncoding.EncodeToString([]byte(last)))
				return
			}
			limit, last = limit-1, key
			out.AlarmHistoryItems = append(out.AlarmHistoryItems, types.AlarmHistoryItem{
				AlarmName: ptr(h.Alarm), AlarmType: h.Type, HistoryItemType: h.Item, HistorySummary: ptr(h.Summary), HistoryData: ptr(h.Data), Timestamp: ptr(h.At),
			})
		}
	})
	return out, nil
}

func (h historyItem) selected(in *cloudwatch.DescribeAlarmHistoryInput) bool {
	kinds := in.AlarmTypes
	if len(kinds) == 0 && in.AlarmName == nil {
		kinds = []types.AlarmType{types.AlarmTypeMetricAlarm}
	}
	return (in.AlarmName == nil || h.Alarm == *in.AlarmName) &&
		(len(kinds) == 0 || slices.Contains(kinds, h.Type)) &&
		(in.HistoryItemType == "" || in.HistoryItemType == h.Item) &&
		(in.StartDate == nil || !h.At.Before(*in.StartDate)) &&
		(in.EndDate == nil || !h.At.After(*in.EndDate))
}

// act carries out the actions of the state that an alarm has come to, in a goroutine of the service.
func (s *Service) act(before, after alarmState) {
	if !after.ActionsEnabled {
		return
	}
	arns := after.Actions[after.State]
	if len(arns) == 0 {
		return
	}
	go s.do(func() {
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
		configuration["alarmRule"] = value(after.Rule)
	}
	return json.Marshal(map[string]any{
		"source": "aws.cloudwatch", "alarmArn": s.alarmARN(after.Name), "accountId": account, "region": s.Region, "time": alarm.FormatTime(after.Updated),
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
		e := map[string]any{"id": value(q.Id), "returnData": q.ReturnData == nil || *q.ReturnData}
		if q.Expression != nil {
			e["expression"] = *q.Expression
		}
		if q.Label != nil {
			e["label"] = *q.Label
		}
		if ms := q.MetricStat; ms != nil && ms.Metric != nil {
			dims := map[string]string{}
			for _, d := range ms.Metric.Dimensions {
				dims[value(d.Name)] = value(d.Value)
			}
			e["metricStat"] = stat(value(ms.Metric.Namespace), value(ms.Metric.MetricName), value(ms.Stat), string(ms.Unit), value(ms.Period), dims)
		}
		out = append(out, e)
	}
	return out
}
