package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cloud/store"
)

// Nested stacks. One that its parent updates stops short of its cleanup, in UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: what it no longer
// needs goes when the parent cleans up, and so in the end when the root does. Until then the parent may take the update back, and
// the nested stack is what it was, with the same resources.

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
	return s.nestedResult(ctx, r, id, "created", types.StackStatusCreateComplete)
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
func (s *Service) nestedResult(ctx context.Context, r *Request, id, verb string, wanted ...types.StackStatus) (Result, error) {
	result := Result{Physical: id, Attributes: map[string]any{}}
	if err := s.waitNested(ctx, r, id); err != nil {
		return result, err
	}
	var st stack
	s.cfg.Store.View(func(tx *store.Tx) { st, _ = s.stacks.Get(tx, id) })
	if !slices.Contains(wanted, st.Status) {
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

// updateNested brings a nested stack to what the parent says, or back.
func (s *Service) updateNested(ctx context.Context, r *Request) (Result, error) {
	if err := s.wait(ctx, r.Physical); err != nil {
		return Result{Physical: r.Physical, Attributes: r.Attributes}, err
	}
	if r.Rollback {
		if took, err := s.takeBack(ctx, r); took || err != nil {
			return s.takenBack(ctx, r, err)
		}
	} else if _, same := s.repeated(r.Physical, &r.Token); !same {
		if err := s.release(ctx, r.Physical); err != nil { // left over from an update of the parent that failed without rollback
			return Result{Physical: r.Physical, Attributes: r.Attributes}, err
		}
	}
	_, err := s.update(ctx, &cloudformation.UpdateStackInput{StackName: aws.String(r.Physical), TemplateURL: some(r.Str("TemplateURL")),
		Parameters: r.nestedParameters(), Tags: r.nestedTags(), Capabilities: allCapabilities, ClientRequestToken: aws.String(r.Token)}, !r.Rollback)
	if err != nil && wording(err) != "No updates are to be performed." {
		return Result{Physical: r.Physical, Attributes: r.Attributes}, err
	}
	result, waitErr := s.nestedResult(ctx, r, r.Physical, "updated", types.StackStatusUpdateComplete, types.StackStatusUpdateCompleteCleanupInProgress)
	if err != nil && ctx.Err() == nil {
		return result, nil // nothing to update: it is as it should be, whatever its last operation was
	}
	return result, waitErr
}

// takeBack turns around an update of a nested stack that its parent rolls back; took is false where there is none. A rollback that
// has failed is tried again.
func (s *Service) takeBack(ctx context.Context, r *Request) (took bool, err error) {
	var skip []string
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		st, ok := s.stacks.Get(tx, r.Physical)
		if !ok || st.Op == nil || !st.Op.Paused || st.Op.Kind != updateStack {
			return nil
		}
		op := *st.Op
		st.Op, took = &op, true
		nested := &run{s: s, id: st.ID}
		if st.Status == types.StackStatusUpdateRollbackFailed {
			if parent, ok := s.stacks.Get(tx, r.StackID); ok && parent.Op != nil {
				for _, id := range parent.Op.Skip {
					if logical, of := strings.CutPrefix(id, st.Name+"."); of {
						skip = append(skip, logical)
					}
				}
			}
			op.Paused, op.Skip = false, skip
			s.setStatus(tx, &st, types.StackStatusUpdateRollbackInProgress, "")
			return nil
		}
		nested.startUndo(tx, &st, "")
		s.stacks.Put(tx, st.ID, st)
		return nil
	})
	if err == nil && took {
		s.begin(r.Physical)
	}
	return took, err
}

// takenBack waits for an update's rollback, and tells what came of it.
func (s *Service) takenBack(ctx context.Context, r *Request, err error) (Result, error) {
	if err != nil {
		return Result{Physical: r.Physical, Attributes: r.Attributes}, err
	}
	return s.nestedResult(ctx, r, r.Physical, "updated", types.StackStatusUpdateRollbackComplete)
}

// release lets a held nested stack clean up, and waits until it has.
func (s *Service) release(ctx context.Context, id string) error {
	held := false
	err := s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		st, ok := s.stacks.Get(tx, id)
		if held = ok && st.Op != nil && st.Op.Held && st.Op.Phase == cleanup; !held || !st.Op.Paused {
			return nil
		}
		op := *st.Op
		op.Paused, op.Former = false, nil
		st.Op = &op
		s.stacks.Put(tx, id, st)
		return nil
	})
	if err != nil || !held {
		return err
	}
	s.begin(id)
	return s.wait(ctx, id)
}

// releaseNested lets the nested stacks clean up that the operation has updated.
func (r *run) releaseNested() error {
	var ids []string
	r.s.cfg.Store.View(func(tx *store.Tx) {
		for _, rec := range r.s.resourcesOf(tx, r.id) {
			if rec.Type == stackType && rec.Physical != "" {
				ids = append(ids, rec.Physical)
			}
		}
	})
	slices.Sort(ids)
	for _, id := range ids {
		if err := r.s.release(r.s.ctx, id); err != nil {
			return errors.Join(errStopped, err)
		}
	}
	return nil
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
