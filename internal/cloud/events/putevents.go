package events

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"evo/internal/cloud/events/pattern"
	"evo/internal/cloud/store"
)

const maxEvents = 1 << 20 // bytes of all entries of a call

// PutEvents takes events in, and sends those that a rule's pattern matches to the rule's targets.
func (s *Service) PutEvents(ctx context.Context, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	size := 0
	for _, e := range in.Entries {
		size += len(aws.ToString(e.Source)) + len(aws.ToString(e.DetailType)) + len(aws.ToString(e.Detail)) + len(strings.Join(e.Resources, ""))
		if e.Time != nil {
			size += 14
		}
	}
	if size > maxEvents {
		return nil, invalid("Total size of the entries in the request is over the limit.")
	}
	out := &eventbridge.PutEventsOutput{Entries: []types.PutEventsResultEntry{}}
	var all []delivery
	for _, entry := range in.Entries {
		result, sent, err := s.take(entry)
		if err != nil {
			return nil, err
		}
		if result.ErrorCode != nil {
			out.FailedEntryCount++
		}
		all = append(all, sent...)
		out.Entries = append(out.Entries, result)
	}
	err := s.Store.Update(ctx, func(ctx context.Context, _ *store.Tx) error {
		s.send(ctx, all)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.count(all)
	return out, nil
}

// take makes an event of an entry, and what is to be sent of it; or says in the result what is wrong with it.
func (s *Service) take(e types.PutEventsRequestEntry) (result types.PutEventsResultEntry, sent []delivery, err error) {
	refuse := func(code, format string, args ...any) (types.PutEventsResultEntry, []delivery, error) {
		return types.PutEventsResultEntry{ErrorCode: new(code), ErrorMessage: new(fmt.Sprintf(format, args...))}, nil, nil
	}
	for _, f := range []struct{ name, value string }{{"Source", aws.ToString(e.Source)}, {"DetailType", aws.ToString(e.DetailType)}, {"Detail", aws.ToString(e.Detail)}} {
		if f.value == "" {
			return refuse("InvalidArgument", "Parameter %s is not valid. Reason: %[1]s is a required argument.", f.name)
		}
	}
	var detail map[string]any
	switch {
	case strings.HasPrefix(*e.Source, "aws."):
		return refuse("NotAuthorizedForSourceException", "Not authorized for the source.")
	case json.Unmarshal([]byte(*e.Detail), &detail) != nil || detail == nil:
		return refuse("MalformedDetail", "Detail is malformed.")
	case s.checkBus(e.EventBusName) != nil: // AWS drops such an event without a word
		return refuse("EventBusNotFound", "Event bus %s is not there: the embedded cloud has the default bus only.", *e.EventBusName)
	}
	at := s.Clock.Now()
	if e.Time != nil {
		at = *e.Time
	}
	made, err := s.newEvent(envelope{DetailType: *e.DetailType, Source: *e.Source, Resources: e.Resources, Detail: json.RawMessage(*e.Detail)}, at)
	if err != nil {
		return result, nil, fmt.Errorf("write the event: %w", err)
	}
	return types.PutEventsResultEntry{EventId: &made.id}, s.matching(made), nil
}

// matching are the deliveries of all rules that an event matches.
func (s *Service) matching(e event) (all []delivery) {
	var rules []rule
	s.Store.View(func(tx *store.Tx) {
		for _, r := range s.rules.Ascend(tx, "") {
			if r.enabled() && r.Pattern != nil {
				rules = append(rules, r)
			}
		}
	})
	for _, r := range rules {
		if p, err := pattern.Parse(*r.Pattern); err == nil && p.Match(e.text) {
			all = append(all, s.deliveryOf(r, e))
		}
	}
	return all
}

// TestEventPattern tells whether an event matches a pattern.
func (s *Service) TestEventPattern(_ context.Context, in *eventbridge.TestEventPatternInput) (*eventbridge.TestEventPatternOutput, error) {
	p, err := pattern.Parse(*in.EventPattern)
	if err != nil {
		return nil, &types.InvalidEventPatternException{Message: new("Event pattern is not valid. Reason: " + err.Error())}
	}
	var e map[string]json.RawMessage
	if json.Unmarshal([]byte(*in.Event), &e) != nil {
		return nil, invalid("Parameter Event is not valid. Reason: The event is not a JSON object.")
	}
	for _, name := range []string{"id", "account", "source", "time", "region", "resources", "detail-type"} {
		if e[name] == nil {
			return nil, invalid("Parameter Event is not valid. Reason: The event lacks %s.", name)
		}
	}
	return &eventbridge.TestEventPatternOutput{Result: p.Match([]byte(*in.Event))}, nil
}
