package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"evo/internal/cloud/paging"
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
	p, err := paging.Open(in.NextToken, paging.Limit(in.MaxRecords, 100, 100))
	if err != nil {
		return nil, invalidToken()
	}
	out := &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: []types.AlarmHistoryItem{}}
	walk := s.history.Ascend
	if p.Backward = in.ScanBy != types.ScanByTimestampAscending; p.Backward {
		walk = s.history.Descend
	}
	s.Store.View(func(tx *store.Tx) {
		for _, h := range paging.Of(p, walk(tx, p.After), func(h historyItem) bool { return h.selected(in) }) {
			out.AlarmHistoryItems = append(out.AlarmHistoryItems, types.AlarmHistoryItem{
				AlarmName: new(h.Alarm), AlarmType: h.Type, HistoryItemType: h.Item, HistorySummary: new(h.Summary), HistoryData: new(h.Data), Timestamp: new(h.At),
			})
		}
	})
	out.NextToken = p.Next()
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
