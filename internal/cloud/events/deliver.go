package events

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
)

// envelope is an event as targets get it, its members in AWS's order.
type envelope struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// event is an envelope as it is sent.
type event struct {
	id   string
	text []byte
	at   time.Time // when it was taken in
}

func (s *Service) newEvent(e envelope, at time.Time) (event, error) {
	e.Version, e.ID, e.Account, e.Region, e.Time = "0", id.UUID(), call.Account, s.Region, at.UTC().Format(time.RFC3339)
	if e.Resources == nil {
		e.Resources = []string{}
	}
	text, err := json.Marshal(e)
	return event{e.ID, text, s.Clock.Now()}, err
}

// scheduled is the event of a rule that is due.
func (s *Service) scheduled(r rule) (event, error) {
	return s.newEvent(envelope{DetailType: "Scheduled Event", Source: "aws.events", Resources: []string{s.arn("rule", r.Name)}, Detail: json.RawMessage("{}")}, r.Due)
}

// delivery is what one rule sends of one event: to each target that is a function, or why not.
type delivery struct {
	rule string
	to   []invocation
}

type invocation struct {
	function string
	payload  []byte
	err      error
}

// deliveryOf is what a rule sends of an event.
func (s *Service) deliveryOf(r rule, e event) delivery {
	var to []types.Target
	s.Store.View(func(tx *store.Tx) {
		for _, t := range s.targets.Prefix(tx, targetsOf(r.Name)) {
			if function(t) {
				to = append(to, t)
			}
		}
	})
	d := delivery{rule: r.Name}
	about := map[string]string{"rule-name": r.Name, "rule-arn": s.arn("rule", r.Name), "event.ingestion-time": e.at.UTC().Format(time.RFC3339)}
	for _, t := range to {
		in := invocation{function: *t.Arn}
		if in.payload, in.err = inputOf(t).For(e.text, about); in.err == nil && !s.Functions.Permits(*t.Arn, "events.amazonaws.com", s.arn("rule", r.Name)) {
			in.err = fmt.Errorf("the function's policy does not let events.amazonaws.com invoke it for %s", s.arn("rule", r.Name))
		}
		d.to = append(d.to, in)
	}
	return d
}

// send hands what can be sent over to Lambda, within the change that ctx carries.
func (s *Service) send(ctx context.Context, all []delivery) {
	for _, d := range all {
		for i := range d.to {
			if in := &d.to[i]; in.err == nil {
				_, in.err = s.Functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: &in.function, InvocationType: lambdatypes.InvocationTypeEvent, Payload: in.payload})
			}
		}
	}
}

// count counts what was sent, and tells what could not be.
func (s *Service) count(all []delivery) {
	now := s.Clock.Now()
	for _, d := range all {
		failed := 0
		for _, in := range d.to {
			if in.err != nil {
				failed++
				s.Report(fmt.Errorf("rule %s does not invoke %s: %w", d.rule, in.function, in.err))
			}
		}
		for metric, n := range map[string]int{"TriggeredRules": 1, "Invocations": len(d.to), "FailedInvocations": failed} {
			if n > 0 {
				s.Count(metric, d.rule, n, now)
			}
		}
	}
}
