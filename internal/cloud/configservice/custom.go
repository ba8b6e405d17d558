package configservice

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
)

// invocation is a call of a custom rule's function that has not been made yet.
type invocation struct {
	ID             string // in the order in which they are made
	Rule, Function string
	Event          json.RawMessage
}

// token says which evaluation a function answers. It holds all that there is to know, so that it is good after a restart.
type token struct {
	Rule    string // its id
	Invoked time.Time
}

func (t token) String() string {
	b, _ := json.Marshal(t) // a text and a time always marshal
	return base64.StdEncoding.EncodeToString(b)
}

func parseToken(text string) (t token, ok bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	return t, err == nil && json.Unmarshal(b, &t) == nil && t.Rule != ""
}

const timeFormat = "2006-01-02T15:04:05.000Z"

// callFor notes the invocations of a custom rule's function: for what has changed in its scope, or all of that, or, if the rule
// is periodic, once.
func (s *Service) callFor(t *turn, r rule, st *status, all, started bool) bool {
	n := len(t.calls)
	if r.onChange() && (started || !all) {
		for _, kind := range s.kinds {
			for _, res := range s.sorted(kind) {
				it, changed := s.newest(t, res.key())
				if (all || changed) && inScope(r.Rule.Scope, res) {
					s.tell(t, r, it, false)
				} else if changed {
					s.leave(t, r, it, t.changes[res.key()].before)
				}
			}
		}
		for _, c := range t.changes {
			if c.item.gone() && c.before != nil && inScope(r.Rule.Scope, c.before) {
				s.tell(t, r, c.item, false)
			}
		}
	}
	if all && r.period() > 0 {
		s.invoke(t, r, map[string]any{"awsAccountId": call.Account, "notificationCreationTime": t.now.UTC().Format(timeFormat),
			"messageType": string(types.MessageTypeScheduledNotification), "recordVersion": "1.0"}, false)
	}
	if len(t.calls) == n {
		return false
	}
	st.Invoked = t.now
	return true
}

// leave tells a rule of a resource that was in its scope, and is not any more.
func (s *Service) leave(t *turn, r rule, it item, before *Resource) {
	if before != nil && inScope(r.Rule.Scope, before) {
		s.tell(t, r, it, true)
	}
}

// newest is a resource's latest item, and whether this turn has made it.
func (s *Service) newest(t *turn, key resourceKey) (it item, changed bool) {
	if c, ok := t.changes[key]; ok {
		return c.item, true
	}
	return s.latest[key], false
}

// mostNotified is how large a notification may be; one of a larger configuration item holds its summary.
const mostNotified = 200_000

// tell notes that a rule's function is to judge a configuration item.
func (s *Service) tell(t *turn, r rule, it item, left bool) {
	at := t.now.UTC().Format(timeFormat)
	event := map[string]any{"configurationItemDiff": nil, "configurationItem": it.notified(), "notificationCreationTime": at,
		"messageType": string(types.MessageTypeConfigurationItemChangeNotification), "recordVersion": itemVersion}
	if len(it.Configuration) > mostNotified {
		summary := it.notified()
		for _, k := range []string{"configuration", "supplementaryConfiguration", "tags", "relationships", "relatedEvents"} {
			delete(summary, k)
		}
		summary["changeType"] = "UPDATE"
		event = map[string]any{"configurationItemSummary": summary, "notificationCreationTime": at,
			"messageType": string(types.MessageTypeOversizedConfigurationItemChangeNotification), "recordVersion": itemVersion}
	}
	s.invoke(t, r, event, left)
}

// notified is a configuration item as notifications have it.
func (it *item) notified() map[string]any {
	relationships := []map[string]string{}
	for _, r := range it.relationships() {
		relationships = append(relationships, map[string]string{"resourceId": *r.ResourceId, "resourceName": *r.ResourceName, "resourceType": string(r.ResourceType), "name": *r.RelationshipName})
	}
	out := map[string]any{"version": itemVersion, "configurationItemCaptureTime": it.Captured.UTC().Format(timeFormat), "configurationStateId": it.State,
		"awsAccountId": call.Account, "configurationItemStatus": string(it.Status), "resourceType": it.Type, "resourceId": it.ID, "resourceName": it.Name,
		"ARN": it.ARN, "awsRegion": it.Region, "availabilityZone": *it.zone(), "configurationStateMd5Hash": "", "relatedEvents": []string{},
		"relationships": relationships, "tags": map[string]string{}, "configuration": nil, "supplementaryConfiguration": map[string]any{}, "resourceCreationTime": nil}
	if it.Tags != nil {
		out["tags"] = it.Tags
	}
	if it.Configuration != nil {
		out["configuration"] = it.Configuration
	}
	if it.Supplementary != nil {
		out["supplementaryConfiguration"] = it.Supplementary
	}
	if !it.Created.IsZero() {
		out["resourceCreationTime"] = it.Created.UTC().Format(timeFormat)
	}
	return out
}

// invoke notes an invocation of a rule's function.
func (s *Service) invoke(t *turn, r rule, event map[string]any, left bool) {
	invoking, err := json.Marshal(event)
	if err != nil {
		return // a configuration is JSON, or it were not recorded
	}
	given := aws.ToString(r.Rule.InputParameters)
	if given == "" {
		given = "{}"
	}
	b, err := json.Marshal(map[string]any{"version": "1.0", "invokingEvent": string(invoking), "ruleParameters": given, "eventLeftScope": left,
		"resultToken": token{*r.Rule.ConfigRuleId, t.now}.String(), "configRuleName": r.name(), "configRuleId": *r.Rule.ConfigRuleId,
		"configRuleArn": *r.Rule.ConfigRuleArn, "accountId": call.Account,
		"executionRoleArn": "arn:aws:iam::" + call.Account + ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"})
	if err != nil {
		return
	}
	t.calls = append(t.calls, invocation{ID: t.now.UTC().Format("20060102150405.000000000") + rand.Text(), Rule: r.name(), Function: *r.Rule.Source.SourceIdentifier, Event: b})
}

// call makes the invocations that have been noted, also those that an earlier run has not come to. Lambda takes them into its queue.
func (s *Service) call() {
	var due []invocation
	s.Store.View(func(tx *store.Tx) {
		for _, c := range s.invocations.Ascend(tx, "") {
			due = append(due, c)
		}
	})
	for _, c := range due {
		err := s.permitted(c.Function, s.arnOf(types.ConfigRule{ConfigRuleName: &c.Rule}))
		if err == nil {
			_, err = s.Lambda.Invoke(s.ctx, &lambda.InvokeInput{FunctionName: &c.Function, InvocationType: lambdatypes.InvocationTypeEvent, Payload: c.Event})
		}
		if s.ctx.Err() != nil {
			return
		}
		// A failure to write is the store's, which every other call reports too.
		_ = s.Store.Update(s.ctx, func(_ context.Context, tx *store.Tx) error {
			s.invocations.Delete(tx, c.ID)
			if st, ok := s.status.Get(tx, c.Rule); ok && err != nil {
				st.FailedInvocation, st.ErrorCode, st.ErrorMessage = s.Clock.Now(), "FUNCTION_NOT_INVOKED", err.Error()
				s.status.Put(tx, c.Rule, st)
			}
			return nil
		})
	}
}

// PutEvaluations takes the answer of a custom rule's function.
func (s *Service) PutEvaluations(ctx context.Context, in *configservice.PutEvaluationsInput) (*configservice.PutEvaluationsOutput, error) {
	for _, e := range in.Evaluations {
		if e.ComplianceType == types.ComplianceTypeInsufficientData {
			return nil, invalidValue("INSUFFICIENT_DATA is not a valid compliance type: it is AWS Config's own.")
		}
	}
	if in.TestMode {
		return &configservice.PutEvaluationsOutput{FailedEvaluations: []types.Evaluation{}}, nil
	}
	bad := &types.InvalidResultTokenException{Message: new("The resultToken provided is invalid")}
	t, ok := parseToken(aws.ToString(in.ResultToken))
	if !ok {
		return nil, bad
	}
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		r, ok := s.find(tx, types.ConfigRule{ConfigRuleId: &t.Rule})
		if !ok || !r.custom() {
			return bad
		}
		for _, e := range in.Evaluations {
			s.answered(tx, r, t, e)
		}
		st, _ := s.status.Get(tx, r.name())
		st.Evaluated, st.ErrorCode, st.ErrorMessage = s.Clock.Now(), "", ""
		s.status.Put(tx, r.name(), st)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &configservice.PutEvaluationsOutput{FailedEvaluations: []types.Evaluation{}}, nil
}

// answered keeps one evaluation, unless a later one is there.
func (s *Service) answered(tx *store.Tx, r rule, t token, e types.Evaluation) {
	place := resultPlace(r.name(), resourceKey{*e.ComplianceResourceType, *e.ComplianceResourceId})
	if old, ok := s.results.Get(tx, place); ok && old.Ordering.After(*e.OrderingTimestamp) {
		return
	}
	if e.ComplianceType == types.ComplianceTypeNotApplicable { // such as what is gone
		s.results.Delete(tx, place)
		return
	}
	s.results.Put(tx, place, &result{Rule: r.name(), Type: *e.ComplianceResourceType, ID: *e.ComplianceResourceId, Compliance: e.ComplianceType,
		Annotation: aws.ToString(e.Annotation), Invoked: t.Invoked, Recorded: s.Clock.Now(), Ordering: *e.OrderingTimestamp})
}
