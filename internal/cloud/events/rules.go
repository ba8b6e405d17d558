package events

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/events/pattern"
	"evo/internal/cloud/events/schedule"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
	"evo/internal/cloud/tags"
)

// rule is a rule of the default bus, without its targets.
type rule struct {
	Name        string
	Schedule    *string `json:",omitempty"`
	Pattern     *string `json:",omitempty"`
	State       types.RuleState
	Description *string `json:",omitempty"`
	Role        *string `json:",omitempty"`
	Tags        map[string]string
	Since       time.Time // from when on a rate counts
	Due         time.Time // zero: never
}

func (r rule) enabled() bool { return r.State != types.RuleStateDisabled }

// begin has the rule's schedule count from now on.
func (r *rule) begin(now time.Time) {
	r.Since, r.Due = now, time.Time{}
	if r.enabled() {
		r.Due = r.after(now)
	}
}

// after returns the first due time after t; zero: there is none.
func (r *rule) after(t time.Time) time.Time {
	if r.Schedule == nil {
		return time.Time{}
	}
	plan, err := schedule.Parse(*r.Schedule)
	if err != nil {
		return time.Time{} // it was parsed when it was put
	}
	next, _ := plan.Next(r.Since, t)
	return next
}

const maxRules = 300

// PutRule makes a rule, or puts another in its place.
func (s *Service) PutRule(ctx context.Context, in *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error) {
	if err := s.checkRule(in); err != nil {
		return nil, err
	}
	r := rule{Name: *in.Name, Schedule: present(in.ScheduleExpression), Pattern: present(in.EventPattern), State: in.State, Description: in.Description, Role: in.RoleArn, Tags: map[string]string{}}
	if r.State == "" {
		r.State = types.RuleStateEnabled
	}
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		old, exists := s.rules.Get(tx, r.Name)
		if !exists && s.rules.Len(tx) >= maxRules {
			return &types.LimitExceededException{Message: new("The requested resource exceeds the maximum number allowed.")}
		}
		for _, t := range in.Tags {
			r.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		if exists {
			r.Tags = old.Tags // there is TagResource for them
		}
		if exists && aws.ToString(old.Schedule) == aws.ToString(r.Schedule) && old.enabled() == r.enabled() {
			r.Since, r.Due = old.Since, old.Due
		} else {
			r.begin(s.Clock.Now())
		}
		s.rules.Put(tx, r.Name, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.plan()
	return &eventbridge.PutRuleOutput{RuleArn: new(s.arn("rule", r.Name))}, nil
}

// present makes nothing of an empty text.
func present(text *string) *string {
	if aws.ToString(text) == "" {
		return nil
	}
	return text
}

func (s *Service) checkRule(in *eventbridge.PutRuleInput) error {
	if err := s.checkBus(in.EventBusName); err != nil {
		return err
	}
	if present(in.ScheduleExpression) == nil && present(in.EventPattern) == nil {
		return invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	if text := aws.ToString(in.ScheduleExpression); text != "" {
		if _, err := schedule.Parse(text); err != nil {
			return invalid("Parameter ScheduleExpression is not valid.")
		}
	}
	if text := aws.ToString(in.EventPattern); text != "" {
		if _, err := pattern.Parse(text); err != nil {
			return &types.InvalidEventPatternException{Message: new("Event pattern is not valid. Reason: " + err.Error())}
		}
	}
	if len(in.Tags) > tags.Most {
		return invalid("A rule can have %d tags at most.", tags.Most)
	}
	return nil
}

// rule finds a rule.
func (s *Service) rule(tx *store.Tx, name string) (rule, error) {
	r, ok := s.rules.Get(tx, name)
	if !ok {
		return r, ruleNotFound(name)
	}
	return r, nil
}

// DescribeRule describes a rule.
func (s *Service) DescribeRule(_ context.Context, in *eventbridge.DescribeRuleInput) (*eventbridge.DescribeRuleOutput, error) {
	if err := s.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	var r rule
	var err error
	s.Store.View(func(tx *store.Tx) { r, err = s.rule(tx, *in.Name) })
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeRuleOutput{Name: &r.Name, Arn: new(s.arn("rule", r.Name)), EventPattern: r.Pattern, ScheduleExpression: r.Schedule, State: r.State,
		Description: r.Description, RoleArn: r.Role, EventBusName: new(busName), CreatedBy: new(call.Account)}, nil
}

// DeleteRule forgets a rule that has no targets. One that is not there is no error.
func (s *Service) DeleteRule(ctx context.Context, in *eventbridge.DeleteRuleInput) (*eventbridge.DeleteRuleOutput, error) {
	if err := s.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		for range s.targets.Prefix(tx, targetsOf(*in.Name)) {
			return invalid("Rule can't be deleted since it has targets.")
		}
		s.rules.Delete(tx, *in.Name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.plan()
	return &eventbridge.DeleteRuleOutput{}, nil
}

// EnableRule lets a rule be due, and match, again.
func (s *Service) EnableRule(ctx context.Context, in *eventbridge.EnableRuleInput) (*eventbridge.EnableRuleOutput, error) {
	return &eventbridge.EnableRuleOutput{}, s.turn(ctx, in.Name, in.EventBusName, types.RuleStateEnabled)
}

// DisableRule lets a rule be.
func (s *Service) DisableRule(ctx context.Context, in *eventbridge.DisableRuleInput) (*eventbridge.DisableRuleOutput, error) {
	return &eventbridge.DisableRuleOutput{}, s.turn(ctx, in.Name, in.EventBusName, types.RuleStateDisabled)
}

func (s *Service) turn(ctx context.Context, name, bus *string, state types.RuleState) error {
	if err := s.checkBus(bus); err != nil {
		return err
	}
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		r, err := s.rule(tx, *name)
		if err != nil || r.enabled() == (state == types.RuleStateEnabled) {
			return err
		}
		r.State = state
		r.begin(s.Clock.Now())
		s.rules.Put(tx, r.Name, r)
		return nil
	})
	if err != nil {
		return err
	}
	s.plan()
	return nil
}

// ListRules lists rules by name.
func (s *Service) ListRules(_ context.Context, in *eventbridge.ListRulesInput) (*eventbridge.ListRulesOutput, error) {
	if err := s.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	p, err := paging.Open(in.NextToken, paging.Limit(in.Limit, 100, 100))
	if err != nil {
		return nil, badToken()
	}
	out := &eventbridge.ListRulesOutput{Rules: []types.Rule{}}
	s.Store.View(func(tx *store.Tx) {
		for _, r := range paging.Of(p, s.rules.Prefix(tx, aws.ToString(in.NamePrefix)), nil) {
			out.Rules = append(out.Rules, types.Rule{Name: new(r.Name), Arn: new(s.arn("rule", r.Name)), EventPattern: r.Pattern, ScheduleExpression: r.Schedule, State: r.State,
				Description: r.Description, RoleArn: r.Role, EventBusName: new(busName)})
		}
	})
	out.NextToken = p.Next()
	return out, nil
}

func (s *Service) changeTags(ctx context.Context, arn string, change tags.Change) error {
	return s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		r, err := s.tagged(tx, arn)
		if err != nil {
			return err
		}
		if r.Tags = change.To(r.Tags); len(r.Tags) > tags.Most {
			return invalid("A rule can have %d tags at most.", tags.Most)
		}
		s.rules.Put(tx, r.Name, r)
		return nil
	})
}

// tagged finds the rule with an ARN.
func (s *Service) tagged(tx *store.Tx, arn string) (rule, error) {
	name, ok := strings.CutPrefix(arn, s.arn("rule", ""))
	if !ok {
		return rule{}, invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", arn)
	}
	return s.rule(tx, strings.TrimPrefix(name, busName+"/"))
}

// TagResource adds tags to a rule.
func (s *Service) TagResource(ctx context.Context, in *eventbridge.TagResourceInput) (*eventbridge.TagResourceOutput, error) {
	added := map[string]string{}
	for _, t := range in.Tags {
		added[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return &eventbridge.TagResourceOutput{}, s.changeTags(ctx, *in.ResourceARN, tags.Add(added))
}

// UntagResource takes tags off a rule.
func (s *Service) UntagResource(ctx context.Context, in *eventbridge.UntagResourceInput) (*eventbridge.UntagResourceOutput, error) {
	return &eventbridge.UntagResourceOutput{}, s.changeTags(ctx, *in.ResourceARN, tags.Remove(in.TagKeys))
}

// ListTagsForResource lists a rule's tags, by key.
func (s *Service) ListTagsForResource(_ context.Context, in *eventbridge.ListTagsForResourceInput) (*eventbridge.ListTagsForResourceOutput, error) {
	var r rule
	var err error
	s.Store.View(func(tx *store.Tx) { r, err = s.tagged(tx, *in.ResourceARN) })
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: new(key), Value: new(r.Tags[key])})
	}
	return out, nil
}
