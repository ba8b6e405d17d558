package cloudformation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cloud/store"
)

// ownHandlers are those of CloudFormation's own types.
func (s *Service) ownHandlers() map[string]Handler {
	return map[string]Handler{
		stackType: {Create: s.createNested, Update: s.updateNested, Delete: s.deleteNested},
		"AWS::CloudFormation::WaitConditionHandle": {Create: s.createHandle},
		"AWS::CloudFormation::WaitCondition":       {Create: s.createWait},
	}
}

var allCapabilities = []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityNamedIam, types.CapabilityCapabilityAutoExpand}

func (s *Service) createNested(ctx context.Context, r *Request) (Result, error) {
	root := r.StackID
	s.cfg.Store.View(func(tx *store.Tx) {
		if st, ok := s.stacks.Get(tx, r.StackID); ok && st.Root != "" {
			root = st.Root
		}
	})
	in := &cloudformation.CreateStackInput{StackName: aws.String(r.generated(128)), TemplateURL: some(r.Str("TemplateURL")), Parameters: r.nestedParameters(),
		Tags: r.nestedTags(), Capabilities: allCapabilities, NotificationARNs: texts(r.Properties.Get("NotificationARNs")),
		OnFailure: types.OnFailureDoNothing, ClientRequestToken: aws.String(r.Token)}
	if minutes, ok := r.Properties.Get("TimeoutInMinutes").Int(); ok {
		in.TimeoutInMinutes = aws.Int32(int32(minutes))
	}
	id, err := s.create(ctx, in, r.StackID, root)
	if err != nil {
		return Result{}, err
	}
	return s.nestedResult(ctx, r, id, types.StackStatusCreateComplete, "created")
}

func (r *Request) nestedParameters() []types.Parameter {
	var out []types.Parameter
	for _, p := range r.Properties.Get("Parameters").Entries() {
		out = append(out, types.Parameter{ParameterKey: aws.String(p.Key), ParameterValue: aws.String(strings.Join(texts(p.Value), ","))})
	}
	return out
}

func (r *Request) nestedTags() []types.Tag {
	out := []types.Tag{}
	for k, v := range r.Tags() {
		if !strings.HasPrefix(k, "aws:") {
			out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(v)})
		}
	}
	return out
}

// nestedResult waits for a nested stack's operation and tells what came of it.
func (s *Service) nestedResult(ctx context.Context, r *Request, id string, want types.StackStatus, verb string) (Result, error) {
	result := Result{Physical: id, Attributes: map[string]any{}}
	if err := s.waitNested(ctx, r, id); err != nil {
		return result, err
	}
	var st stack
	s.cfg.Store.View(func(tx *store.Tx) { st, _ = s.stacks.Get(tx, id) })
	if st.Status != want {
		return result, fmt.Errorf("Embedded stack %s was not successfully %s: %s", id, verb, strings.TrimSpace(st.failure()))
	}
	for _, o := range st.Outputs {
		result.Attributes["Outputs."+o.Key] = o.Value
	}
	return result, nil
}

// failure is why a nested stack is not what it should be.
func (st stack) failure() string {
	if st.Op != nil && st.Op.Failed != "" {
		return st.Op.Failed
	}
	if st.Reason != "" {
		return st.Reason
	}
	return "Currently in " + string(st.Status)
}

// waitNested waits for a nested stack's operation, and gives that up with its own.
func (s *Service) waitNested(ctx context.Context, r *Request, id string) error {
	over := make(chan struct{})
	defer close(over)
	s.wg.Go(func() {
		select {
		case <-r.Cancelled:
			s.halt(id)
		case <-over:
		}
	})
	return s.wait(ctx, id)
}

func (s *Service) updateNested(ctx context.Context, r *Request) (Result, error) {
	_, err := s.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: aws.String(r.Physical), TemplateURL: some(r.Str("TemplateURL")),
		Parameters: r.nestedParameters(), Tags: r.nestedTags(), Capabilities: allCapabilities, ClientRequestToken: aws.String(r.Token)})
	if err != nil && wording(err) != "No updates are to be performed." {
		return Result{Physical: r.Physical, Attributes: r.Attributes}, err
	}
	result, waitErr := s.nestedResult(ctx, r, r.Physical, types.StackStatusUpdateComplete, "updated")
	if err != nil && ctx.Err() == nil {
		return result, nil // nothing to update: it is as it should be, whatever its last operation was
	}
	return result, waitErr
}

func (s *Service) deleteNested(ctx context.Context, r *Request) error {
	if _, err := s.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String(r.Physical)}); err != nil {
		return err
	}
	if err := s.wait(ctx, r.Physical); err != nil {
		return err
	}
	var st stack
	var ok bool
	s.cfg.Store.View(func(tx *store.Tx) { st, ok = s.stacks.Get(tx, r.Physical) })
	if ok && st.Status != types.StackStatusDeleteComplete {
		return fmt.Errorf("Embedded stack %s was not successfully deleted: %s", r.Physical, strings.TrimSpace(st.Reason))
	}
	return nil
}

// createHandle makes the URL that a wait condition's signals are PUT to.
func (s *Service) createHandle(_ context.Context, r *Request) (Result, error) {
	if s.cfg.CallbackURL == nil {
		return Result{}, errors.New("wait conditions are not supported here: there is nowhere to signal to")
	}
	url := s.cfg.CallbackURL(r.Token)
	err := s.write(func(tx *store.Tx) error {
		if _, ok := s.callbacks.Get(tx, r.Token); !ok {
			s.callbacks.Put(tx, r.Token, callback{Stack: r.StackID, Logical: r.Logical, URL: url, Many: true})
		}
		return nil
	})
	return Result{Physical: url}, err
}

// signal is what is PUT to a wait condition's handle.
type signal struct{ Status, Reason, UniqueId, Data string }

// createWait waits for the signals.
func (s *Service) createWait(ctx context.Context, r *Request) (Result, error) {
	token, err := s.handleToken(r.Str("Handle"))
	if err != nil {
		return Result{}, err
	}
	count := int64(1)
	if n, ok := r.Properties.Get("Count").Int(); ok {
		count = n
	}
	seconds, ok := r.Properties.Get("Timeout").Int()
	if !ok || seconds < 0 || seconds > 43200 {
		return Result{}, errors.New("WaitCondition needs a Timeout between 0 and 43200 seconds")
	}
	physical := r.StackID + "/" + r.Logical
	result := Result{Physical: physical}
	data := map[string]string{}
	var failure error
	_, complete, err := s.answers(ctx, r, token, r.Begun.Add(time.Duration(seconds)*time.Second), func(bodies []string) bool {
		clear(data)
		for i, body := range bodies {
			var sig signal
			if json.Unmarshal([]byte(body), &sig) != nil {
				continue
			}
			if sig.Status == "FAILURE" {
				failure = fmt.Errorf("WaitCondition received failed message: '%s' for uniqueId: %s", sig.Reason, sig.UniqueId)
				return true
			}
			if sig.UniqueId == "" {
				sig.UniqueId = strconv.Itoa(i + 1)
			}
			data[sig.UniqueId] = sig.Data
		}
		return int64(len(data)) >= count
	})
	switch {
	case err != nil:
		return result, err
	case failure != nil:
		return result, failure
	case !complete:
		return result, fmt.Errorf("WaitCondition timed out. Received %d conditions when expecting %d", len(data), count)
	}
	text, err := json.Marshal(data)
	result.Attributes = map[string]any{"Data": string(text)}
	return result, err
}

// handleToken finds the token of a handle's URL.
func (s *Service) handleToken(url string) (token string, err error) {
	s.cfg.Store.View(func(tx *store.Tx) {
		for t, c := range s.callbacks.Ascend(tx, "") {
			if c.URL == url && c.Many {
				token = t
			}
		}
	})
	if token == "" {
		return "", fmt.Errorf("WaitCondition's Handle is not the Ref of a WaitConditionHandle: %q", url)
	}
	return token, nil
}

// SignalResource implements the API's operation for wait conditions; nothing else waits for signals here.
func (s *Service) SignalResource(_ context.Context, in *cloudformation.SignalResourceInput) (*cloudformation.SignalResourceOutput, error) {
	var st stack
	var rec resource
	var found, has bool
	s.cfg.Store.View(func(tx *store.Tx) {
		if st, found = s.find(tx, aws.ToString(in.StackName)); found {
			rec, has = s.resources.Get(tx, key(st.ID, aws.ToString(in.LogicalResourceId)))
		}
	})
	switch {
	case !found:
		return nil, invalid("Stack [%s] does not exist", aws.ToString(in.StackName))
	case !has:
		return nil, invalid("Resource %s does not exist for stack %s", aws.ToString(in.LogicalResourceId), st.Name)
	case rec.Type != "AWS::CloudFormation::WaitCondition" || rec.Status != types.ResourceStatusCreateInProgress:
		return nil, invalid("Resource %s of type %s is in %s and does not wait for signals", rec.Logical, rec.Type, rec.Status)
	}
	token, err := s.handleToken(node(rec.Properties).Get("Handle").Str())
	if err != nil {
		return nil, invalid("%s", err)
	}
	body, err := json.Marshal(signal{Status: string(in.Status), UniqueId: aws.ToString(in.UniqueId), Reason: "signalled"})
	if err != nil {
		return nil, fmt.Errorf("write the signal: %w", err)
	}
	if err := s.CustomResourceResponse(token, body); err != nil {
		return nil, invalid("%s", err)
	}
	return &cloudformation.SignalResourceOutput{}, nil
}
