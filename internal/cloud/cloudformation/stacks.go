package cloudformation

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cfn"
	"evo/internal/cloud/store"
)

// ask is what create, update and change set calls have in common.
type ask struct {
	body, url     *string
	previous      *bool
	parameters    []types.Parameter
	tags          []types.Tag
	capabilities  []types.Capability
	notifications []string
	resourceTypes []string
	role          *string
	triggers      *types.RollbackConfiguration
}

// define makes the definition that a call asks for; old is the stack's, which values may be taken over from.
func (s *Service) define(ctx context.Context, a ask, old *definition) (definition, error) {
	if a.triggers != nil && len(a.triggers.RollbackTriggers) > 0 {
		return definition{}, invalid("RollbackTriggers are not supported yet: use the alarms of a deployment group")
	}
	d := definition{Capabilities: a.capabilities, Notifications: a.notifications, Parameters: map[string]string{}, Role: aws.ToString(a.role)}
	text, err := s.template(ctx, a.body, a.url)
	switch {
	case err != nil:
		return d, err
	case a.body != nil || a.url != nil:
		d.Template = text
	case old != nil && aws.ToBool(a.previous):
		d.Template = old.Template
	default:
		return d, invalid("Either Template URL or Template Body must be specified.")
	}
	for _, p := range a.parameters {
		name := aws.ToString(p.ParameterKey)
		switch {
		case !aws.ToBool(p.UsePreviousValue):
			d.Parameters[name] = aws.ToString(p.ParameterValue)
		case old == nil:
			return d, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", name)
		default:
			v, ok := old.Parameters[name]
			if !ok {
				return d, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", name)
			}
			d.Parameters[name] = v
		}
	}
	for _, t := range a.tags {
		d.Tags = append(d.Tags, tag{aws.ToString(t.Key), aws.ToString(t.Value)})
	}
	if a.tags == nil && old != nil {
		d.Tags = old.Tags
	}
	return d, nil
}

// accept processes a definition and checks that the caller may have it.
func (s *Service) accept(ctx context.Context, a ask, d *definition, direct bool) (*cfn.Template, error) {
	t, err := s.process(ctx, d)
	if err != nil {
		return nil, err
	}
	if err := acknowledged(t, a.capabilities, direct && d.Processed != ""); err != nil {
		return nil, err
	}
	return t, allowedTypes(t, a.resourceTypes)
}

// allowedTypes holds the template against the caller's ResourceTypes.
func allowedTypes(t *cfn.Template, allowed []string) error {
	if len(allowed) == 0 {
		return nil
	}
	for _, r := range t.Resources {
		if !slices.ContainsFunc(allowed, func(pattern string) bool { return matchesType(pattern, r.Type) }) {
			return invalid("Resource type %s is not allowed by parameter ResourceTypes %v", r.Type, allowed)
		}
	}
	return nil
}

func matchesType(pattern, kind string) bool {
	if service, all := strings.CutSuffix(pattern, "::*"); all {
		return strings.HasPrefix(kind, service+"::")
	}
	return pattern == kind
}

// refusal makes the API's error of what process returns: in a direct call a transform's failure is a ValidationError.
func refusal(err error) error {
	var t *transformFailure
	if errors.As(err, &t) {
		return invalid("%s", t.text)
	}
	return err
}

// CreateStack implements the API's operation.
func (s *Service) CreateStack(ctx context.Context, in *cloudformation.CreateStackInput) (*cloudformation.CreateStackOutput, error) {
	id, err := s.create(ctx, in, "", "")
	if err != nil {
		return nil, err
	}
	return &cloudformation.CreateStackOutput{StackId: aws.String(id)}, nil
}

// create begins a stack; parent and root are those of a nested one. A nested stack's ClientRequestToken is its handler's
// step: asked again for the same, it answers with the stack that is there.
func (s *Service) create(ctx context.Context, in *cloudformation.CreateStackInput, parent, root string) (string, error) {
	name := aws.ToString(in.StackName)
	if err := checkName(name); err != nil {
		return "", err
	}
	if in.DisableRollback != nil && in.OnFailure != "" {
		return "", invalid("Specify either DisableRollback or OnFailure, not both.")
	}
	a := ask{body: in.TemplateBody, url: in.TemplateURL, parameters: in.Parameters, tags: in.Tags, capabilities: in.Capabilities,
		notifications: in.NotificationARNs, resourceTypes: in.ResourceTypes, role: in.RoleARN, triggers: in.RollbackConfiguration}
	if st, same := s.repeated(name, in.ClientRequestToken); same {
		return st.ID, nil
	}
	d, err := s.define(ctx, a, nil)
	if err != nil {
		return "", err
	}
	if _, err := s.accept(ctx, a, &d, true); err != nil {
		return "", refusal(err)
	}
	policy, err := s.policy(ctx, in.StackPolicyBody, in.StackPolicyURL, "StackPolicy", d)
	if err != nil {
		return "", err
	}
	now := s.cfg.Clock.Now()
	st := stack{ID: s.stackID(name), Name: name, Created: now, Definition: d, Protected: aws.ToBool(in.EnableTerminationProtection),
		Policy: aws.ToString(policy), Parent: parent, Root: root, Token: aws.ToString(in.ClientRequestToken),
		NoRollback: aws.ToBool(in.DisableRollback), Timeout: aws.ToInt32(in.TimeoutInMinutes)}
	st.Op = &operation{Kind: createStack, Phase: apply, Token: st.Token, Target: d, NoRollback: st.NoRollback, OnFailure: in.OnFailure, DropNew: aws.ToBool(in.RetainExceptOnCreate)}
	if st.Timeout > 0 {
		st.Op.Deadline = now.Add(time.Duration(st.Timeout) * time.Minute)
	}
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, ok := s.names.Get(tx, name); ok {
			return &types.AlreadyExistsException{Message: aws.String("Stack [" + name + "] already exists")}
		}
		s.names.Put(tx, name, st.ID)
		s.setStatus(tx, &st, types.StackStatusCreateInProgress, "User Initiated")
		return nil
	})
	if err != nil {
		return "", err
	}
	s.begin(st.ID)
	return st.ID, nil
}

var stackName = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]*$`)

// checkName refuses what cannot name a stack. AWS's model does not say it of CreateStack; the service does.
func checkName(name string) error {
	const broken = "1 validation error detected: Value '%s' at 'stackName' failed to satisfy constraint: Member must "
	switch {
	case !stackName.MatchString(name):
		return invalid(broken+"satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name)
	case len(name) > 128:
		return invalid(broken+"have length less than or equal to 128", name)
	}
	return nil
}

// repeated reports whether a call's token is that of the stack's last operation: the call was made before.
func (s *Service) repeated(name string, token *string) (st stack, same bool) {
	if token == nil {
		return st, false
	}
	s.cfg.Store.View(func(tx *store.Tx) { st, same = s.find(tx, name) })
	return st, same && st.Token == *token
}

var updatable = []types.StackStatus{types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusUpdateRollbackComplete,
	types.StackStatusImportComplete, types.StackStatusImportRollbackComplete, types.StackStatusUpdateFailed, types.StackStatusCreateFailed}

// UpdateStack implements the API's operation.
func (s *Service) UpdateStack(ctx context.Context, in *cloudformation.UpdateStackInput) (*cloudformation.UpdateStackOutput, error) {
	return s.update(ctx, in, false)
}

// update begins an update. One that is held stops short of its cleanup, for a parent that may still take it back.
func (s *Service) update(ctx context.Context, in *cloudformation.UpdateStackInput, held bool) (*cloudformation.UpdateStackOutput, error) {
	name := aws.ToString(in.StackName)
	if st, same := s.repeated(name, in.ClientRequestToken); same {
		return &cloudformation.UpdateStackOutput{StackId: aws.String(st.ID)}, nil
	}
	st, err := s.updatableStack(name)
	if err != nil {
		return nil, err
	}
	a := ask{body: in.TemplateBody, url: in.TemplateURL, previous: in.UsePreviousTemplate, parameters: in.Parameters, tags: in.Tags,
		capabilities: in.Capabilities, notifications: in.NotificationARNs, resourceTypes: in.ResourceTypes, role: in.RoleARN, triggers: in.RollbackConfiguration}
	d, err := s.define(ctx, a, &st.Definition)
	if err != nil {
		return nil, err
	}
	t, err := s.accept(ctx, a, &d, true)
	if err != nil {
		return nil, refusal(err)
	}
	changes, others, _, err := s.changes(st, d, t)
	if err != nil {
		return nil, refuse(err)
	}
	if len(changes) == 0 && !others {
		return nil, invalid("No updates are to be performed.")
	}
	op := &operation{Kind: updateStack, Phase: apply, Token: aws.ToString(in.ClientRequestToken), Target: d, NoRollback: aws.ToBool(in.DisableRollback), Held: held, DropNew: aws.ToBool(in.RetainExceptOnCreate)}
	if op.Policy, err = s.policy(ctx, in.StackPolicyBody, in.StackPolicyURL, "StackPolicy", st.Definition, d); err != nil {
		return nil, err
	}
	during, err := s.policy(ctx, in.StackPolicyDuringUpdateBody, in.StackPolicyDuringUpdateURL, "StackPolicyDuringUpdate", st.Definition, d)
	if err != nil {
		return nil, err
	}
	op.During = aws.ToString(during)
	if err := s.startUpdate(ctx, st.ID, op); err != nil {
		return nil, err
	}
	return &cloudformation.UpdateStackOutput{StackId: aws.String(st.ID)}, nil
}

// updatableStack finds a stack that may be updated now.
func (s *Service) updatableStack(name string) (st stack, err error) {
	s.cfg.Store.View(func(tx *store.Tx) {
		var ok bool
		if st, ok = s.find(tx, name); !ok {
			err = invalid("Stack [%s] does not exist", name)
			return
		}
		err = st.mayUpdate()
	})
	return st, err
}

func (st stack) mayUpdate() error {
	if !slices.Contains(updatable, st.Status) || st.Op != nil && !st.Op.Paused {
		return invalid("Stack:%s is in %s state and can not be updated.", st.ID, st.Status)
	}
	return nil
}

// startUpdate begins an update, if the stack is still at rest.
func (s *Service) startUpdate(ctx context.Context, id string, op *operation) error {
	err := s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		st, _ := s.stacks.Get(tx, id)
		if err := st.mayUpdate(); err != nil {
			return err
		}
		if st.Op != nil {
			(&run{s: s, id: id}).carryOver(tx)
		}
		st.Op, st.Token, st.Updated = op, op.Token, s.cfg.Clock.Now()
		s.setStatus(tx, &st, types.StackStatusUpdateInProgress, "User Initiated")
		return nil
	})
	if err == nil {
		s.begin(id)
	}
	return err
}

// DeleteStack implements the API's operation. A stack that is not there is deleted already.
func (s *Service) DeleteStack(ctx context.Context, in *cloudformation.DeleteStackInput) (*cloudformation.DeleteStackOutput, error) {
	name := aws.ToString(in.StackName)
	var began, halted string
	err := s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		st, ok := s.find(tx, name)
		switch {
		case !ok, st.Status == types.StackStatusDeleteComplete, st.Status == types.StackStatusDeleteInProgress:
			return nil
		case st.Protected:
			return invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", st.Name)
		case len(in.RetainResources) > 0 && st.Status != types.StackStatusDeleteFailed:
			return invalid("Invalid operation on stack [%s]. When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state.", st.ID)
		case st.Status == types.StackStatusCreateInProgress && st.Op != nil:
			op := *st.Op
			op.Cancelled, op.NoRollback, op.OnFailure = true, false, types.OnFailureDelete
			st.Op, halted = &op, st.ID
			s.stacks.Put(tx, st.ID, st)
			return nil
		case st.Op != nil && !st.Op.Paused:
			return invalid("Stack [%s] cannot be deleted while in status %s", st.ID, st.Status)
		}
		st.Token = aws.ToString(in.ClientRequestToken)
		if used := s.exportInUse(tx, st.ID, nil); used != "" { // the stack goes back to what it was, with whatever waits in it
			former := st.Status
			s.setStatus(tx, &st, types.StackStatusDeleteInProgress, "User Initiated")
			s.setStatus(tx, &st, former, used)
			return nil
		}
		(&run{s: s, id: st.ID}).carryOver(tx)
		st.Op = &operation{Kind: deleteStack, Phase: remove, Token: st.Token, Retain: in.RetainResources,
			Force: in.DeletionMode == types.DeletionModeForceDeleteStack, Target: st.Definition}
		began = st.ID
		s.setStatus(tx, &st, types.StackStatusDeleteInProgress, "User Initiated")
		return nil
	})
	if err != nil {
		return nil, err
	}
	if began != "" {
		s.begin(began)
	}
	s.halt(halted)
	return &cloudformation.DeleteStackOutput{}, nil
}

// CancelUpdateStack implements the API's operation.
func (s *Service) CancelUpdateStack(ctx context.Context, in *cloudformation.CancelUpdateStackInput) (*cloudformation.CancelUpdateStackOutput, error) {
	var id string
	err := s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		st, ok := s.find(tx, aws.ToString(in.StackName))
		if !ok {
			return invalid("Stack [%s] does not exist", aws.ToString(in.StackName))
		}
		if st.Status != types.StackStatusUpdateInProgress || st.Op == nil {
			return invalid("CancelUpdateStack cannot be called from current stack status")
		}
		op := *st.Op
		op.Cancelled, st.Op, id = true, &op, st.ID
		s.stacks.Put(tx, st.ID, st)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.halt(id)
	return &cloudformation.CancelUpdateStackOutput{}, nil
}

// halt gives up what a stack's operation waits for.
func (s *Service) halt(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.running[id]; r != nil {
		r.giveUp()
	}
}

// ContinueUpdateRollback implements the API's operation.
func (s *Service) ContinueUpdateRollback(ctx context.Context, in *cloudformation.ContinueUpdateRollbackInput) (*cloudformation.ContinueUpdateRollbackOutput, error) {
	err := s.resume(ctx, aws.ToString(in.StackName), in.ClientRequestToken, func(tx *store.Tx, st *stack) error {
		if st.Status != types.StackStatusUpdateRollbackFailed || st.Op == nil {
			return invalid("Stack:%s is in %s state and can not continue update rollback.", st.ID, st.Status)
		}
		st.Op.Paused, st.Op.Skip = false, in.ResourcesToSkip
		s.setStatus(tx, st, types.StackStatusUpdateRollbackInProgress, "User Initiated")
		return nil
	})
	return &cloudformation.ContinueUpdateRollbackOutput{}, err
}

// RollbackStack implements the API's operation: it undoes an operation that failed without rollback.
func (s *Service) RollbackStack(ctx context.Context, in *cloudformation.RollbackStackInput) (*cloudformation.RollbackStackOutput, error) {
	var id string
	err := s.resume(ctx, aws.ToString(in.StackName), in.ClientRequestToken, func(tx *store.Tx, st *stack) error {
		id = st.ID
		if st.Op == nil || !st.Op.Paused || st.Status != types.StackStatusCreateFailed && st.Status != types.StackStatusUpdateFailed {
			return invalid("Stack:%s is in %s state and can not be rolled back.", st.ID, st.Status)
		}
		r := &run{s: s, id: st.ID}
		if in.RetainExceptOnCreate != nil {
			st.Op.DropNew = *in.RetainExceptOnCreate
		}
		if st.Op.Kind == createStack {
			st.Op.Phase, st.Op.Paused = undoCleanup, false
			s.setStatus(tx, st, types.StackStatusRollbackInProgress, "User Initiated")
			return nil
		}
		r.startUndo(tx, st, "User Initiated")
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cloudformation.RollbackStackOutput{StackId: aws.String(id)}, nil
}

// resume changes a paused operation and goes on with it.
func (s *Service) resume(ctx context.Context, name string, token *string, f func(tx *store.Tx, st *stack) error) error {
	var id string
	err := s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		st, ok := s.find(tx, name)
		if !ok {
			return invalid("Stack [%s] does not exist", name)
		}
		if st.Op != nil {
			op := *st.Op
			st.Op = &op
			if token != nil {
				op.Token = *token
			}
		}
		if err := f(tx, &st); err != nil {
			return err
		}
		id = st.ID
		s.stacks.Put(tx, st.ID, st)
		return nil
	})
	if err == nil {
		s.begin(id)
	}
	return err
}
