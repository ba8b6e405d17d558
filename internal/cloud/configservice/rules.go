package configservice

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
	"evo/internal/rules"
)

// rule is a Config rule and when it was made.
type rule struct {
	Rule    types.ConfigRule
	Created time.Time
	Tags    map[string]string `json:",omitempty"`
	Pack    string            `json:",omitempty"` // the conformance pack that it belongs to
}

func (r *rule) name() string { return *r.Rule.ConfigRuleName }

func (r *rule) custom() bool { return r.Rule.Source.Owner == types.OwnerCustomLambda }

// status is what has become of a rule's evaluations.
type status struct {
	Activated time.Time
	Wanted    uint64    // how often an evaluation of all resources has been asked for
	Done      uint64    // the last of these that was made
	Due       time.Time `json:",omitzero"` // when the rule's period is over

	Invoked, Evaluated, FailedInvocation, FailedEvaluation time.Time `json:",omitzero"`
	ErrorCode, ErrorMessage                                string    `json:",omitempty"`
}

// over is the outcome of a turn that began with an older status than now: what was asked for and answered meanwhile stays.
func (st status) over(now status) status {
	if now.Wanted > st.Wanted {
		st.Wanted, st.Due = now.Wanted, now.Due
	}
	if !now.Activated.IsZero() {
		st.Activated = now.Activated
	}
	if now.Evaluated.After(st.Evaluated) || now.FailedInvocation.After(st.FailedInvocation) {
		st.ErrorCode, st.ErrorMessage = now.ErrorCode, now.ErrorMessage
		st.Evaluated, st.FailedInvocation = now.Evaluated, now.FailedInvocation
	}
	return st
}

// managed returns the check that a managed rule stands for; nil if the rule is none of package rules', or its parameters fail.
func (r *rule) managed() (*rules.Check, error) {
	if r.Rule.Source.Owner != types.OwnerAws {
		return nil, nil
	}
	known := rules.Find(aws.ToString(r.Rule.Source.SourceIdentifier))
	if known == nil || known.Source != rules.Managed {
		return nil, nil
	}
	given, err := parameters(r.Rule)
	if err != nil {
		return nil, err
	}
	return known.Bind(given)
}

// parameters are a rule's, by name.
func parameters(r types.ConfigRule) (map[string]string, error) {
	text := aws.ToString(r.InputParameters)
	if text == "" {
		return nil, nil
	}
	var raw map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &raw) != nil {
		return nil, invalidValue("Invalid json %s passed in the inputParameters field.", text)
	}
	out := map[string]string{}
	for k, v := range raw {
		var s string
		if json.Unmarshal(v, &s) != nil {
			s = string(v) // a number or boolean, as templates have them
		}
		out[k] = s
	}
	return out, nil
}

const day = 24 * time.Hour

var frequencies = map[types.MaximumExecutionFrequency]time.Duration{
	types.MaximumExecutionFrequencyOneHour: time.Hour, types.MaximumExecutionFrequencyThreeHours: 3 * time.Hour,
	types.MaximumExecutionFrequencySixHours: 6 * time.Hour, types.MaximumExecutionFrequencyTwelveHours: 12 * time.Hour,
	types.MaximumExecutionFrequencyTwentyFourHours: day,
}

// period is how often a rule is evaluated whatever happens; 0: never.
func (r *rule) period() time.Duration {
	often := func(f types.MaximumExecutionFrequency) time.Duration {
		if d, ok := frequencies[f]; ok {
			return d
		}
		return day
	}
	if r.custom() {
		for _, d := range r.Rule.Source.SourceDetails {
			if d.MessageType == types.MessageTypeScheduledNotification {
				f := d.MaximumExecutionFrequency
				if f == "" {
					f = r.Rule.MaximumExecutionFrequency
				}
				return often(f)
			}
		}
		return 0
	}
	if c, err := r.managed(); err == nil && c != nil && c.Rule.Trigger != rules.OnChange {
		return often(r.Rule.MaximumExecutionFrequency)
	}
	return 0
}

// onChange reports whether a custom rule's function wants to know of changes.
func (r *rule) onChange() bool {
	return slices.ContainsFunc(r.Rule.Source.SourceDetails, func(d types.SourceDetail) bool {
		return d.MessageType == types.MessageTypeConfigurationItemChangeNotification || d.MessageType == types.MessageTypeOversizedConfigurationItemChangeNotification
	})
}

var managedIdentifier = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// check says what the model cannot.
func (s *Service) check(ctx context.Context, r types.ConfigRule) error {
	switch {
	case r.ConfigRuleName == nil && r.ConfigRuleArn == nil && r.ConfigRuleId == nil:
		return invalidValue("One or more identifiers needs to be provided. Provide Name or Id or Arn")
	case r.Source == nil:
		return invalidValue("The Source parameter of the ConfigRule is required.")
	case r.Scope != nil && (r.Scope.ComplianceResourceId != nil && len(r.Scope.ComplianceResourceTypes) != 1):
		return invalidValue("ComplianceResourceId cannot be provided without exactly one ComplianceResourceType.")
	case r.Scope != nil && r.Scope.TagValue != nil && r.Scope.TagKey == nil:
		return invalidValue("TagKey must be provided with TagValue.")
	}
	if _, err := parameters(r); err != nil {
		return err
	}
	switch r.Source.Owner {
	case types.OwnerCustomLambda:
		return s.checkCustom(ctx, r)
	case types.OwnerCustomPolicy:
		return invalidValue("The embedded cloud does not evaluate Guard policies: rules with the owner CUSTOM_POLICY are not there.")
	}
	switch id := aws.ToString(r.Source.SourceIdentifier); {
	case !managedIdentifier.MatchString(id):
		return invalidValue("The sourceIdentifier %s is invalid. Please refer to the documentation for a list of valid sourceIdentifiers that can be used when AWS is the Owner.", id)
	case r.Source.SourceDetails != nil:
		return invalidValue("SourceDetails should be null/empty if the owner is AWS.")
	}
	if _, err := (&rule{Rule: r}).managed(); err != nil {
		return invalidValue("The inputParameters of the ConfigRule are invalid: %s", err)
	}
	return nil
}

func (s *Service) checkCustom(ctx context.Context, r types.ConfigRule) error {
	arn := aws.ToString(r.Source.SourceIdentifier)
	if !strings.HasPrefix(arn, "arn:") {
		return invalidValue("The sourceIdentifier %s is invalid: it must be the ARN of a function when CUSTOM_LAMBDA is the Owner.", arn)
	}
	if len(r.Source.SourceDetails) == 0 {
		return invalidValue("SourceDetails cannot be null/empty if the owner is CUSTOM_LAMBDA.")
	}
	if s.Lambda == nil {
		return invalidValue("Rules with the owner CUSTOM_LAMBDA are not there: no functions can be invoked here.")
	}
	_, err := s.Lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &arn, InvocationType: lambdatypes.InvocationTypeDryRun})
	if err == nil {
		err = s.permitted(arn, s.arnOf(r))
	}
	if err != nil {
		return &types.InsufficientPermissionsException{Message: new("The AWS Lambda function " + arn +
			" cannot be invoked. Check the specified function ARN, and check the function's permissions. (" + err.Error() + ")")}
	}
	return nil
}

// permitted is an error where a function's policy does not let the service invoke it for a rule.
func (s *Service) permitted(function, rule string) error {
	if s.Lambda.Permits(function, "config.amazonaws.com", rule) {
		return nil
	}
	return errors.New("the policy of " + function + " does not let config.amazonaws.com invoke it for " + rule + ": an AWS::Lambda::Permission is missing")
}

// arnOf is the ARN of a rule, of which one that is not there yet knows only the beginning.
func (s *Service) arnOf(r types.ConfigRule) (arn string) {
	s.Store.View(func(tx *store.Tx) {
		if known, ok := s.find(tx, r); ok {
			arn = *known.Rule.ConfigRuleArn
		} else {
			arn = s.ruleARN("config-rule-")
		}
	})
	return arn
}

// PutConfigRule makes a rule, or changes it, and evaluates it.
func (s *Service) PutConfigRule(ctx context.Context, in *configservice.PutConfigRuleInput) (*configservice.PutConfigRuleOutput, error) {
	if err := s.check(ctx, *in.ConfigRule); err != nil {
		return nil, err
	}
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		return s.putRule(tx, *in.ConfigRule, tagSet(in.Tags), "")
	})
	if err != nil {
		return nil, err
	}
	s.soon()
	return &configservice.PutConfigRuleOutput{}, nil
}

const mostRules = 1000

func (s *Service) putRule(tx *store.Tx, r types.ConfigRule, tags map[string]string, pack string) error {
	old, exists := s.find(tx, r)
	switch {
	case exists && old.Pack != pack:
		return &types.InsufficientPermissionsException{Message: new("The rule " + old.name() + " belongs to the conformance pack " + old.Pack + ", which alone can change it")}
	case !exists && r.ConfigRuleName == nil:
		return noRule(aws.ToString(r.ConfigRuleArn) + aws.ToString(r.ConfigRuleId))
	case !exists && s.rules.Len(tx) >= mostRules:
		return &types.MaxNumberOfConfigRulesExceededException{Message: new("Failed to put the rule because the account has 1000, the limit")}
	case !exists:
		if s.rules.Len(tx) == 0 { // from now on, only what the account has declared
			for _, d := range s.defaults {
				s.forgetEvaluations(tx, d.name())
			}
		}
		ruleID := "config-rule-" + id.Letters(rand.Reader, id.Lower, 6)
		old = rule{Created: s.Clock.Now(), Tags: tags, Pack: pack}
		old.Rule.ConfigRuleId, old.Rule.ConfigRuleName, old.Rule.ConfigRuleArn = &ruleID, r.ConfigRuleName, new(s.ruleARN(ruleID))
	}
	r.ConfigRuleName, r.ConfigRuleId, r.ConfigRuleArn = old.Rule.ConfigRuleName, old.Rule.ConfigRuleId, old.Rule.ConfigRuleArn
	r.ConfigRuleState = types.ConfigRuleStateActive
	if r.EvaluationModes == nil {
		r.EvaluationModes = []types.EvaluationModeConfiguration{{Mode: types.EvaluationModeDetective}}
	}
	next := rule{r, old.Created, old.Tags, pack}
	s.rules.Put(tx, *r.ConfigRuleName, next)
	st, ok := s.status.Get(tx, *r.ConfigRuleName)
	if !ok {
		st.Activated = s.Clock.Now()
	}
	st.Wanted++
	st.Due = time.Time{}
	s.status.Put(tx, *r.ConfigRuleName, st)
	return nil
}

func (s *Service) ruleARN(id string) string {
	return "arn:aws:config:" + s.Region + ":" + call.Account + ":config-rule/" + id
}

// find returns the declared rule that a name, id or ARN stands for.
func (s *Service) find(tx *store.Tx, r types.ConfigRule) (rule, bool) {
	if r.ConfigRuleName != nil {
		return s.rules.Get(tx, *r.ConfigRuleName)
	}
	for _, known := range s.rules.Ascend(tx, "") {
		if r.ConfigRuleId != nil && *known.Rule.ConfigRuleId == *r.ConfigRuleId || r.ConfigRuleArn != nil && *known.Rule.ConfigRuleArn == *r.ConfigRuleArn {
			return known, true
		}
	}
	return rule{}, false
}

// active lists the rules that run, by name: those that the account has declared, or, if there are none, the defaults.
func (s *Service) active(tx *store.Tx) []rule {
	if s.rules.Len(tx) == 0 {
		return s.defaults
	}
	all := make([]rule, 0, s.rules.Len(tx))
	for _, r := range s.rules.Ascend(tx, "") {
		all = append(all, r)
	}
	return all
}

// named returns the rule of that name that runs.
func (s *Service) named(tx *store.Tx, name string) (rule, bool) {
	if s.rules.Len(tx) > 0 {
		return s.rules.Get(tx, name)
	}
	i := slices.IndexFunc(s.defaults, func(r rule) bool { return r.name() == name })
	if i < 0 {
		return rule{}, false
	}
	return s.defaults[i], true
}

// forgetEvaluations forgets what has become of a rule.
func (s *Service) forgetEvaluations(tx *store.Tx, name string) {
	s.status.Delete(tx, name)
	for key := range s.results.Prefix(tx, resultsOf(name)) {
		s.results.Delete(tx, key)
	}
}

// DeleteConfigRule forgets a rule and its results.
func (s *Service) DeleteConfigRule(ctx context.Context, in *configservice.DeleteConfigRuleInput) (*configservice.DeleteConfigRuleOutput, error) {
	name := aws.ToString(in.ConfigRuleName)
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		r, ok := s.named(tx, name)
		switch {
		case !ok:
			return noRule(name)
		case aws.ToString(r.Rule.CreatedBy) == createdByEvo:
			return &types.ResourceInUseException{Message: new("The rule " + name + " runs because the account has declared no rule: it goes when the account declares one of its own.")}
		case r.Pack != "":
			return &types.InsufficientPermissionsException{Message: new("The rule " + name + " belongs to the conformance pack " + r.Pack + ": delete that")}
		}
		s.rules.Delete(tx, name)
		s.forgetEvaluations(tx, name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.soon()
	return &configservice.DeleteConfigRuleOutput{}, nil
}

const rulesListed = 25

// asked returns the rules of those names, which must exist, or all.
func (s *Service) askedRules(tx *store.Tx, names []string) ([]rule, error) {
	all := s.active(tx)
	if len(names) == 0 {
		return all, nil
	}
	var out []rule
	for _, n := range names {
		if !slices.ContainsFunc(all, func(r rule) bool { return r.name() == n }) {
			return nil, noRule(n)
		}
	}
	for _, r := range all {
		if slices.Contains(names, r.name()) {
			out = append(out, r)
		}
	}
	return out, nil
}

// page returns a page of the rules of those names, or of all, by name.
func (s *Service) page(names []string, token *string, limit int32) (page []rule, next *string, err error) {
	var all []rule
	s.Store.View(func(tx *store.Tx) { all, err = s.askedRules(tx, names) })
	if err != nil {
		return nil, nil, err
	}
	return paged(all, func(r rule) string { return r.name() }, token, limit, rulesListed, 50)
}

// DescribeConfigRules lists rules by name.
func (s *Service) DescribeConfigRules(_ context.Context, in *configservice.DescribeConfigRulesInput) (*configservice.DescribeConfigRulesOutput, error) {
	list, next, err := s.page(in.ConfigRuleNames, in.NextToken, 0)
	if err != nil {
		return nil, err
	}
	out := &configservice.DescribeConfigRulesOutput{ConfigRules: []types.ConfigRule{}, NextToken: next}
	for _, r := range list {
		if f := in.Filters; f == nil || f.EvaluationMode == "" || slices.ContainsFunc(r.Rule.EvaluationModes, func(m types.EvaluationModeConfiguration) bool { return m.Mode == f.EvaluationMode }) {
			out.ConfigRules = append(out.ConfigRules, r.Rule)
		}
	}
	return out, nil
}

// The words with which a rule's status says that it cannot be evaluated here.
const (
	notHereCode    = "NotEvaluatedHere"
	notHereMessage = "The embedded cloud cannot evaluate the managed rule "
)

// DescribeConfigRuleEvaluationStatus tells how a rule's evaluations went.
func (s *Service) DescribeConfigRuleEvaluationStatus(_ context.Context, in *configservice.DescribeConfigRuleEvaluationStatusInput) (*configservice.DescribeConfigRuleEvaluationStatusOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	list, next, err := s.page(in.ConfigRuleNames, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &configservice.DescribeConfigRuleEvaluationStatusOutput{ConfigRulesEvaluationStatus: []types.ConfigRuleEvaluationStatus{}, NextToken: next}
	s.Store.View(func(tx *store.Tx) {
		for _, r := range list {
			st, _ := s.status.Get(tx, r.name())
			out.ConfigRulesEvaluationStatus = append(out.ConfigRulesEvaluationStatus, st.describe(r))
		}
	})
	return out, nil
}

func (st status) describe(r rule) types.ConfigRuleEvaluationStatus {
	at := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	out := types.ConfigRuleEvaluationStatus{ConfigRuleName: r.Rule.ConfigRuleName, ConfigRuleArn: r.Rule.ConfigRuleArn, ConfigRuleId: r.Rule.ConfigRuleId,
		FirstActivatedTime: at(st.Activated), FirstEvaluationStarted: !st.Invoked.IsZero(), LastSuccessfulInvocationTime: at(st.Invoked),
		LastSuccessfulEvaluationTime: at(st.Evaluated), LastFailedInvocationTime: at(st.FailedInvocation), LastFailedEvaluationTime: at(st.FailedEvaluation)}
	if st.ErrorCode != "" {
		out.LastErrorCode, out.LastErrorMessage = &st.ErrorCode, &st.ErrorMessage
	}
	return out
}

// StartConfigRulesEvaluation evaluates rules for all resources in their scope.
func (s *Service) StartConfigRulesEvaluation(ctx context.Context, in *configservice.StartConfigRulesEvaluationInput) (*configservice.StartConfigRulesEvaluationOutput, error) {
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		list, err := s.askedRules(tx, in.ConfigRuleNames)
		for _, r := range list {
			st, ok := s.status.Get(tx, r.name())
			if !ok {
				st.Activated = s.Clock.Now()
			}
			st.Wanted++
			s.status.Put(tx, r.name(), st)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.soon()
	return &configservice.StartConfigRulesEvaluationOutput{}, nil
}

// DeleteEvaluationResults forgets a rule's results. It is evaluated anew when it is started, or resources change.
func (s *Service) DeleteEvaluationResults(ctx context.Context, in *configservice.DeleteEvaluationResultsInput) (*configservice.DeleteEvaluationResultsOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, ok := s.named(tx, aws.ToString(in.ConfigRuleName)); !ok {
			return noRule(aws.ToString(in.ConfigRuleName))
		}
		for key := range s.results.Prefix(tx, resultsOf(*in.ConfigRuleName)) {
			s.results.Delete(tx, key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &configservice.DeleteEvaluationResultsOutput{}, nil
}
