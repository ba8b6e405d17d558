package cloudformation

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cfn"
	"evo/internal/cloud/store"
)

const stackType = "AWS::CloudFormation::Stack"

// appendEvent puts an event at the end of a stack's. No two have the same time, to the millisecond: a resource event's id is
// made of it.
func (s *Service) appendEvent(tx *store.Tx, stackID string, e event) {
	next := 1
	e.Time = s.cfg.Clock.Now().Truncate(time.Millisecond)
	for k, last := range s.events.Descend(tx, stackID+"|~") {
		if rest, ok := strings.CutPrefix(k, stackID+"|"); ok {
			n, _ := strconv.Atoi(rest)
			next = n + 1
			if soon := last.Time.Add(time.Millisecond); e.Time.Before(soon) {
				e.Time = soon
			}
		}
		break
	}
	if e.ID == "" {
		e.ID = fmt.Sprintf("%s-%s-%s", e.Logical, e.Status, e.Time.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	s.events.Put(tx, fmt.Sprintf("%s|%012d", stackID, next), e)
}

// setStatus moves a stack to a status, with the event that says so.
func (s *Service) setStatus(tx *store.Tx, st *stack, status types.StackStatus, reason string) {
	st.Status, st.Reason = status, reason
	s.stacks.Put(tx, st.ID, *st)
	token := st.Token
	s.appendEvent(tx, st.ID, event{ID: newUUID(), Logical: st.Name, Physical: st.ID, Type: stackType,
		Status: types.ResourceStatus(status), Reason: reason, Token: token})
}

// tell puts an event on a resource.
func (r *run) tell(tx *store.Tx, rec resource, status types.ResourceStatus, reason string) {
	r.s.appendEvent(tx, r.id, event{Logical: rec.Logical, Physical: rec.Physical, Type: rec.Type, Status: status, Reason: reason,
		Properties: r.masked(tx, rec), Token: r.token})
}

// masked are a resource's properties without the values of parameters that are not to be echoed.
func (r *run) masked(tx *store.Tx, rec resource) string {
	st, _ := r.s.stacks.Get(tx, r.id)
	var secrets []string
	if t, err := r.s.read(st.definition()); err == nil {
		for _, p := range t.Parameters {
			if value := st.definition().Parameters[p.Name]; p.NoEcho && value != "" {
				secrets = append(secrets, value)
			}
		}
	}
	if len(secrets) == 0 {
		return string(rec.Properties)
	}
	n := node(rec.Properties)
	n.Walk(func(_ []string, n *cfn.Node) bool { // it was read for this alone
		for _, secret := range secrets {
			if n.Kind == cfn.String && (n.Text == secret || len(secret) >= 4) {
				n.Text = strings.ReplaceAll(n.Text, secret, "****")
			}
		}
		return true
	})
	return string(raw(n))
}

const eventsPage = 100

// DescribeStackEvents implements the API's operation: the newest first.
func (s *Service) DescribeStackEvents(_ context.Context, in *cloudformation.DescribeStackEventsInput) (*cloudformation.DescribeStackEventsOutput, error) {
	out := &cloudformation.DescribeStackEventsOutput{StackEvents: []types.StackEvent{}}
	var err error
	s.cfg.Store.View(func(tx *store.Tx) {
		st, ok := s.find(tx, aws.ToString(in.StackName))
		if !ok {
			err = invalid("Stack [%s] does not exist", aws.ToString(in.StackName))
			return
		}
		from := st.ID + "|~"
		if in.NextToken != nil {
			n, convErr := strconv.Atoi(*in.NextToken)
			if convErr != nil {
				err = invalid("NextToken is invalid")
				return
			}
			from = fmt.Sprintf("%s|%012d", st.ID, n)
		}
		for k, e := range s.events.Descend(tx, from) {
			number, ok := strings.CutPrefix(k, st.ID+"|")
			if !ok {
				return
			}
			if len(out.StackEvents) == eventsPage {
				out.NextToken = aws.String(strings.TrimLeft(number, "0"))
				return
			}
			out.StackEvents = append(out.StackEvents, e.sdk(st))
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (e event) sdk(st stack) types.StackEvent {
	return types.StackEvent{EventId: aws.String(e.ID), StackId: aws.String(st.ID), StackName: aws.String(st.Name), Timestamp: aws.Time(e.Time),
		LogicalResourceId: aws.String(e.Logical), PhysicalResourceId: aws.String(e.Physical), ResourceType: aws.String(e.Type),
		ResourceStatus: e.Status, ResourceStatusReason: some(e.Reason), ResourceProperties: some(e.Properties), ClientRequestToken: some(e.Token)}
}

// some is a string that is left out when empty.
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
