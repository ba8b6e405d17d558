package events

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"evo/internal/cloud/events/input"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
)

func targetsOf(rule string) string { return rule + "\x00" }

const maxTargets = 5 // of a rule

// PutTargets adds targets to a rule, or puts others in their places.
func (s *Service) PutTargets(ctx context.Context, in *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error) {
	if err := s.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	for i, t := range in.Targets {
		if slices.ContainsFunc(in.Targets[:i], func(o types.Target) bool { return *o.Id == *t.Id }) {
			return nil, invalid("Duplicate target id %s.", *t.Id)
		}
		if err := checkTarget(t); err != nil {
			return nil, err
		}
	}
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := s.rule(tx, *in.Rule); err != nil {
			return err
		}
		for _, t := range in.Targets {
			s.targets.Put(tx, targetsOf(*in.Rule)+*t.Id, t)
		}
		n := 0
		for range s.targets.Prefix(tx, targetsOf(*in.Rule)) {
			n++
		}
		if n > maxTargets {
			return &types.LimitExceededException{Message: new("The requested resource exceeds the maximum number allowed.")}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &eventbridge.PutTargetsOutput{FailedEntries: []types.PutTargetsResultEntry{}}, nil
}

var targetARN = regexp.MustCompile(`^arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:\d*:.+$`)

func checkTarget(t types.Target) error {
	if !targetARN.MatchString(*t.Arn) {
		return invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", *t.Arn)
	}
	given := 0
	for _, is := range []bool{aws.ToString(t.Input) != "", aws.ToString(t.InputPath) != "", t.InputTransformer != nil} {
		if is {
			given++
		}
	}
	if given > 1 {
		return invalid("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", *t.Id)
	}
	if err := inputOf(t).Check(); err != nil {
		return invalid("Invalid input for target %s. Reason: %s.", *t.Id, err)
	}
	return nil
}

// inputOf is what a target says of its input.
func inputOf(t types.Target) input.Input {
	in := input.Input{Constant: aws.ToString(t.Input), Path: aws.ToString(t.InputPath)}
	if t.InputTransformer != nil {
		in.Template, in.Paths = aws.ToString(t.InputTransformer.InputTemplate), t.InputTransformer.InputPathsMap
	}
	return in
}

// function reports whether a target is a Lambda function.
func function(t types.Target) bool {
	parts := strings.SplitN(*t.Arn, ":", 4)
	return len(parts) == 4 && parts[2] == "lambda"
}

// RemoveTargets takes targets off a rule. Those that it does not have are failed entries.
func (s *Service) RemoveTargets(ctx context.Context, in *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error) {
	if err := s.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	out := &eventbridge.RemoveTargetsOutput{FailedEntries: []types.RemoveTargetsResultEntry{}}
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := s.rule(tx, *in.Rule); err != nil {
			return err
		}
		for _, id := range in.Ids {
			if !s.targets.Delete(tx, targetsOf(*in.Rule)+id) {
				out.FailedEntries = append(out.FailedEntries, types.RemoveTargetsResultEntry{TargetId: new(id), ErrorCode: new("ResourceNotFoundException"),
					ErrorMessage: new("Rule " + *in.Rule + " does not have target(s) " + id)})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.FailedEntryCount = int32(len(out.FailedEntries))
	return out, nil
}

// ListTargetsByRule lists a rule's targets by id.
func (s *Service) ListTargetsByRule(_ context.Context, in *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error) {
	if err := s.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	p, err := paging.Open(in.NextToken, paging.Limit(in.Limit, 100, 100))
	if err != nil {
		return nil, badToken()
	}
	out := &eventbridge.ListTargetsByRuleOutput{Targets: []types.Target{}}
	s.Store.View(func(tx *store.Tx) {
		if _, err = s.rule(tx, *in.Rule); err != nil {
			return
		}
		for _, t := range paging.Of(p, s.targets.Prefix(tx, targetsOf(*in.Rule)), nil) {
			out.Targets = append(out.Targets, t)
		}
	})
	if err != nil {
		return nil, err
	}
	out.NextToken = p.Next()
	return out, nil
}

// ListRuleNamesByTarget lists the rules that have a target, by name.
func (s *Service) ListRuleNamesByTarget(_ context.Context, in *eventbridge.ListRuleNamesByTargetInput) (*eventbridge.ListRuleNamesByTargetOutput, error) {
	if err := s.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	p, err := paging.Open(in.NextToken, paging.Limit(in.Limit, 100, 100))
	if err != nil {
		return nil, badToken()
	}
	out := &eventbridge.ListRuleNamesByTargetOutput{RuleNames: []string{}}
	s.Store.View(func(tx *store.Tx) {
		has := func(r rule) bool {
			for _, t := range s.targets.Prefix(tx, targetsOf(r.Name)) {
				if *t.Arn == *in.TargetArn {
					return true
				}
			}
			return false
		}
		for name := range paging.Of(p, s.rules.Ascend(tx, p.After), has) {
			out.RuleNames = append(out.RuleNames, name)
		}
	})
	out.NextToken = p.Next()
	return out, nil
}
