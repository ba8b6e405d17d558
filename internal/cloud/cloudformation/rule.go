package cloudformation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// Events is what rules need of EventBridge.
type Events interface {
	PutRule(context.Context, *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error)
	DeleteRule(context.Context, *eventbridge.DeleteRuleInput) (*eventbridge.DeleteRuleOutput, error)
	PutTargets(context.Context, *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error)
	RemoveTargets(context.Context, *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error)
	ListTargetsByRule(context.Context, *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error)
}

type ruleHandlers struct{ Events }

func (s *Service) ruleHandlers() map[string]Handler {
	if s.cfg.Services.Events == nil {
		return nil
	}
	h := ruleHandlers{s.cfg.Services.Events}
	return map[string]Handler{"AWS::Events::Rule": {Create: h.put, Update: h.put, Delete: h.delete}}
}

// put makes a rule with its targets. One of a bus of the user's own is recorded, as the bus is.
func (h ruleHandlers) put(ctx context.Context, r *Request) (Result, error) {
	if bus := r.Str("EventBusName"); bus != "" && bus != "default" && !strings.HasSuffix(bus, ":event-bus/default") {
		result := record(r, r.Physical)
		result.Reason = fmt.Sprintf("evo records rules of the event bus %s: the default bus is the only one here", bus)
		return result, nil
	}
	in, targets := &eventbridge.PutRuleInput{}, &eventbridge.PutTargetsInput{}
	if err := fill(in, r.Properties, nil); err != nil {
		return Result{Physical: r.Physical}, err
	}
	if err := fill(targets, r.Properties, nil); err != nil {
		return Result{Physical: r.Physical}, err
	}
	result := Result{Physical: r.named("Name", 64), Reason: unheard(targets.Targets)}
	in.Name, in.EventBusName = &result.Physical, nil
	for k, v := range r.Tags() {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	out, err := h.PutRule(ctx, in)
	if err != nil {
		return result, err
	}
	result.Attributes = map[string]any{"Arn": aws.ToString(out.RuleArn)}
	return result, h.aim(ctx, result.Physical, targets.Targets)
}

// aim gives a rule its targets, and takes all others off it first: there may be five.
func (h ruleHandlers) aim(ctx context.Context, rule string, targets []types.Target) error {
	wanted := func(id string) bool {
		return slices.ContainsFunc(targets, func(t types.Target) bool { return aws.ToString(t.Id) == id })
	}
	if err := h.remove(ctx, rule, func(id string) bool { return !wanted(id) }); err != nil || len(targets) == 0 {
		return err
	}
	_, err := h.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: &rule, Targets: targets})
	return err
}

func (h ruleHandlers) remove(ctx context.Context, rule string, which func(id string) bool) error {
	there, err := h.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: &rule})
	if err != nil {
		return err
	}
	in := &eventbridge.RemoveTargetsInput{Rule: &rule}
	for _, t := range there.Targets {
		if which(*t.Id) {
			in.Ids = append(in.Ids, *t.Id)
		}
	}
	if len(in.Ids) == 0 {
		return nil
	}
	_, err = h.RemoveTargets(ctx, in)
	return err
}

func (h ruleHandlers) delete(ctx context.Context, r *Request) error {
	err := h.remove(ctx, r.Physical, func(string) bool { return true })
	if err == nil {
		_, err = h.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: &r.Physical})
	}
	if missing(err) {
		return nil // or it is one that was recorded
	}
	return err
}

// unheard tells of the targets to which nothing is sent.
func unheard(targets []types.Target) string {
	var names []string
	for _, t := range targets {
		if arn := aws.ToString(t.Arn); !strings.HasPrefix(arn, "arn:aws:lambda:") {
			names = append(names, fmt.Sprintf("%s (%s)", aws.ToString(t.Id), arn))
		}
	}
	if names == nil {
		return ""
	}
	return "evo records, without effect here: target " + strings.Join(names, ", ") + ": rules invoke Lambda functions only"
}
