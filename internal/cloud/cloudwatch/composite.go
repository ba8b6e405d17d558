package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"evo/internal/cloud/cloudwatch/alarm"
	"evo/internal/cloud/store"
)

// PutCompositeAlarm creates or changes an alarm on the states of other alarms.
func (s *Service) PutCompositeAlarm(ctx context.Context, in *cloudwatch.PutCompositeAlarmInput) (*cloudwatch.PutCompositeAlarmOutput, error) {
	if in.ActionsSuppressor != nil {
		return nil, validation("ActionsSuppressor is not there in the embedded cloud.")
	}
	rule, err := alarm.ParseComposite(aws.ToString(in.AlarmRule))
	if err != nil {
		return nil, validation("AlarmRule must not contain syntax errors: %v.", err)
	}
	a := alarmState{
		Name: aws.ToString(in.AlarmName), Description: in.AlarmDescription, Rule: in.AlarmRule,
		ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled,
		Actions:        actions(in.OKActions, in.AlarmActions, in.InsufficientDataActions),
	}
	if err := s.checkChildren(a.Name, rule); err != nil {
		return nil, err
	}
	if err := s.putAlarm(ctx, a, in.Tags); err != nil {
		return nil, err
	}
	s.evaluateComposite(ctx, a.Name, nil)
	return &cloudwatch.PutCompositeAlarmOutput{}, nil
}

// checkChildren makes sure that the alarms of a rule exist and that none of them depends on the alarm itself.
func (s *Service) checkChildren(name string, rule *alarm.Composite) (err error) {
	s.Store.View(func(tx *store.Tx) {
		for _, child := range rule.Children() {
			a, ok := s.alarms.Get(tx, alarmName(child))
			if !ok {
				err = validation("Could not save the composite alarm as alarms [%s] in the alarm rule do not exist", child)
				return
			}
			if a.Name == name || s.dependsOn(tx, a, name, 0) {
				err = validation("AlarmRule must not depend on the alarm itself: %s does.", child)
				return
			}
		}
	})
	return err
}

// maxComposites bounds how many composite alarms lie one upon the other.
const maxComposites = 10

func (s *Service) dependsOn(tx *store.Tx, a alarmState, name string, depth int) bool {
	for _, child := range a.children() {
		if child == name || depth > maxComposites {
			return true
		}
		if c, ok := s.alarms.Get(tx, child); ok && s.dependsOn(tx, c, name, depth+1) {
			return true
		}
	}
	return false
}

// children returns the names of the alarms that a composite alarm watches.
func (a alarmState) children() []string {
	if a.Rule == nil {
		return nil
	}
	rule, err := alarm.ParseComposite(*a.Rule)
	if err != nil {
		return nil // it was checked when it was put
	}
	names := make([]string, len(rule.Children()))
	for i, c := range rule.Children() {
		names[i] = alarmName(c)
	}
	return names
}

// parents returns the names of the composite alarms that watch an alarm.
func (s *Service) parents(tx *store.Tx, name string) []string {
	var out []string
	for parent, a := range s.alarms.Ascend(tx, "") {
		if slices.Contains(a.children(), name) {
			out = append(out, parent)
		}
	}
	return out
}

// follow lets the composite alarms that watch a changed alarm change too.
func (s *Service) follow(ctx context.Context, child alarmState) {
	var parents []string
	s.Store.View(func(tx *store.Tx) { parents = s.parents(tx, child.Name) })
	for _, p := range parents {
		s.evaluateComposite(ctx, p, &child)
	}
}

// evaluateComposite judges a composite alarm; because is the alarm whose change is the occasion, if it is one.
func (s *Service) evaluateComposite(ctx context.Context, name string, because *alarmState) {
	var state alarm.State
	var self alarmState
	s.Store.View(func(tx *store.Tx) {
		self, _ = s.alarms.Get(tx, name)
		rule, err := alarm.ParseComposite(aws.ToString(self.Rule))
		if err != nil {
			return
		}
		state = rule.State(func(child string) alarm.State {
			a, _ := s.alarms.Get(tx, alarmName(child))
			return a.State
		})
	})
	if state == alarm.Retained || state == self.State {
		return
	}
	reason, data := compositeReason(s, self, state, because)
	s.transition(ctx, name, self.Configured, state, reason, data)
}

func compositeReason(s *Service, self alarmState, state alarm.State, because *alarmState) (reason, data string) {
	type triggering struct {
		ARN   string `json:"arn"`
		State struct {
			Value     string `json:"value"`
			Timestamp string `json:"timestamp"`
		} `json:"state"`
	}
	if because == nil {
		return fmt.Sprintf("%s was created and its alarm rule evaluates to %s", s.alarmARN(self.Name), state), `{"triggeringAlarms":[]}`
	}
	var t triggering
	t.ARN = s.alarmARN(because.Name)
	t.State.Value, t.State.Timestamp = string(because.State), alarm.FormatTime(because.Transitioned)
	b, err := json.Marshal(map[string][]triggering{"triggeringAlarms": {t}})
	if err != nil {
		return "", ""
	}
	return fmt.Sprintf("%s transitioned to %s at %s", t.ARN, because.State, because.Transitioned.UTC().Format("Monday 02 January, 2006 15:04:05 MST")), string(b)
}
