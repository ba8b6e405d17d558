package cloudformation

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cfn"
	"evo/internal/cloud/store"
)

// callback is an answer that is awaited at a CallbackURL.
type callback struct {
	Stack, Logical string
	URL            string
	Many           bool // a wait condition's handle: every answer counts
	Answers        []string
}

// CustomResourceResponse takes the body that was PUT to the CallbackURL of a token: the answer of a custom resource, or a
// signal to a wait condition. A custom resource's first answer counts.
func (s *Service) CustomResourceResponse(token string, body []byte) error {
	err := s.cfg.Store.Update(s.ctx, func(_ context.Context, tx *store.Tx) error {
		c, ok := s.callbacks.Get(tx, token)
		switch {
		case !ok:
			return fmt.Errorf("nobody waits for an answer to %q", token)
		case !c.Many && len(c.Answers) > 0:
			return fmt.Errorf("%s of stack %s has been answered for already", c.Logical, c.Stack)
		}
		c.Answers = append(c.Answers[:len(c.Answers):len(c.Answers)], string(body))
		s.callbacks.Put(tx, token, c)
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.waiting[token]; c != nil {
		close(c)
		delete(s.waiting, token)
	}
	return nil
}

// answers waits until enough says that what has arrived for a token is, or until the deadline, when it reports false.
func (s *Service) answers(ctx context.Context, r *Request, token string, deadline time.Time, enough func([]string) bool) (got []string, ok bool, err error) {
	late := make(chan struct{})
	stop := s.cfg.Clock.At(deadline, func() { close(late) })
	defer stop()
	for {
		s.mu.Lock()
		arrived := s.waiting[token]
		if arrived == nil {
			arrived = make(chan struct{})
			s.waiting[token] = arrived
		}
		s.mu.Unlock()
		s.cfg.Store.View(func(tx *store.Tx) {
			c, _ := s.callbacks.Get(tx, token)
			got = c.Answers
		})
		if enough(got) {
			return got, true, nil
		}
		select {
		case <-arrived:
		case <-late:
			return got, false, nil
		case <-r.Cancelled:
			return got, false, errCancelled
		case <-ctx.Done():
			return got, false, ctx.Err()
		}
	}
}

// customHandler serves custom resources: a function is told what is wanted, and answers at a URL.
func (s *Service) customHandler() Handler {
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) { return s.custom(ctx, r, "Create") },
		Update: func(ctx context.Context, r *Request) (Result, error) { return s.custom(ctx, r, "Update") },
		Delete: func(ctx context.Context, r *Request) error {
			_, err := s.custom(ctx, r, "Delete")
			return err
		},
	}
}

// customAnswer is what a custom resource's function answers.
type customAnswer struct {
	Status, Reason     string
	PhysicalResourceId string
	Data               map[string]any
}

const customTimeout = time.Hour

// leastPatience is how long the machine waits for an answer, however fast the cloud's clock runs: the function that answers is a process,
// and runs by the machine's.
const leastPatience = 30 * time.Second

// patience makes a time-out last for leastPatience at least.
func (s *Service) patience(timeout time.Duration) time.Duration {
	if wait := s.cfg.Clock.Wait(timeout); wait > 0 && wait < leastPatience && wait < timeout {
		return time.Duration(float64(timeout) * float64(leastPatience) / float64(wait))
	}
	return timeout
}

func (s *Service) custom(ctx context.Context, r *Request, kind string) (Result, error) {
	if s.cfg.CallbackURL == nil || s.cfg.Services.Lambda == nil {
		return Result{}, fmt.Errorf("custom resources are not supported here: there is nobody to call, or nowhere to answer")
	}
	if strings.Contains(r.Str("ServiceToken"), ":sns:") {
		return Result{}, fmt.Errorf("custom resources served by an SNS topic are not supported yet: %s", r.Str("ServiceToken"))
	}
	if err := s.ask(ctx, r, kind); err != nil {
		return Result{Physical: r.Physical}, err
	}
	timeout := customTimeout
	if seconds, ok := r.Properties.Get("ServiceTimeout").Int(); ok && seconds > 0 {
		timeout = min(timeout, time.Duration(seconds)*time.Second)
	}
	timeout = s.patience(timeout)
	got, ok, err := s.answers(ctx, r, r.Token, r.Begun.Add(timeout), func(a []string) bool { return len(a) > 0 })
	if err != nil {
		return Result{Physical: r.Physical}, err
	}
	if !ok {
		return Result{Physical: r.Physical}, fmt.Errorf("CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [%s]. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.", r.Token)
	}
	return customResult(r, kind, got[0])
}

// ask tells the function what is wanted; on a further try only if it cannot be known to have been told.
func (s *Service) ask(ctx context.Context, r *Request, kind string) error {
	url := s.cfg.CallbackURL(r.Token)
	err := s.write(func(tx *store.Tx) error {
		if _, ok := s.callbacks.Get(tx, r.Token); !ok {
			s.callbacks.Put(tx, r.Token, callback{Stack: r.StackID, Logical: r.Logical, URL: url})
		}
		return nil
	})
	if err != nil || r.Noted("told") != "" {
		return err
	}
	event := map[string]any{"RequestType": kind, "ServiceToken": r.Str("ServiceToken"), "ResponseURL": url, "StackId": r.StackID,
		"RequestId": r.Token, "LogicalResourceId": r.Logical, "ResourceType": r.Type, "ResourceProperties": stringly(r.Properties)}
	if r.Physical != "" {
		event["PhysicalResourceId"] = r.Physical
	}
	if kind == "Update" {
		event["OldResourceProperties"] = stringly(r.Before)
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("write the custom resource's request: %w", err)
	}
	_, err = s.cfg.Services.Lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(r.Str("ServiceToken")),
		InvocationType: types.InvocationTypeEvent, Payload: payload})
	if err != nil {
		return err
	}
	return r.Note("told", kind)
}

// stringly is a value with every number and boolean as the text that CloudFormation makes of it.
func stringly(n *cfn.Node) any {
	if text, ok := n.Scalar(); ok {
		return text
	}
	if n.Is(cfn.List) {
		out := []any{}
		for _, it := range n.Items {
			out = append(out, stringly(it))
		}
		return out
	}
	out := map[string]any{}
	for _, p := range n.Entries() {
		out[p.Key] = stringly(p.Value)
	}
	return out
}

func customResult(r *Request, kind, body string) (Result, error) {
	var a customAnswer
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Status == "" {
		return Result{Physical: r.Physical}, fmt.Errorf("Invalid response from custom resource: it is not the JSON object with a Status that was expected")
	}
	physical := a.PhysicalResourceId
	if physical == "" && kind != "Create" {
		physical = r.Physical
	}
	result := Result{Physical: physical, Attributes: map[string]any{}}
	for k, v := range a.Data {
		flatten(result.Attributes, k, v)
	}
	switch {
	case a.Status == "FAILED":
		return result, fmt.Errorf("Received response status [FAILED] from custom resource. Message returned: %s (RequestId: %s)", a.Reason, r.Token)
	case a.Status != "SUCCESS":
		return result, fmt.Errorf("Invalid response from custom resource: Status is %q, neither SUCCESS nor FAILED", a.Status)
	case physical == "":
		return result, fmt.Errorf("Invalid PhysicalResourceId")
	case len(body) > 4096:
		return result, fmt.Errorf("Response object is too long.")
	}
	return result, nil
}

// flatten makes an attribute of a value that Fn::GetAtt can read.
func flatten(into map[string]any, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			flatten(into, name+"."+k, inner)
		}
	case nil:
		into[name] = ""
	case string, bool, float64:
		into[name] = cfnText(v)
	default:
		into[name] = v
	}
}

func cfnText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
