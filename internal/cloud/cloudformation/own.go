package cloudformation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
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
