package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"evo/internal/cfn"
	"evo/internal/cfn/localpath"
	"evo/internal/source"
	"evo/internal/view"
)

// Deployment is what to deploy, and how.
type Deployment struct {
	Stack            string
	Template         *cfn.Node
	Parameters       map[string]string
	Capabilities     []string
	Tags             map[string]string
	RoleARN          string
	NotificationARNs []string
	DisableRollback  bool
	OnFailure        string // ROLLBACK, DELETE or DO_NOTHING; empty: ROLLBACK
	Bucket           Bucket // for a template that is too large for the call; without a name: the managed one
	ReleaseName      string
}

// maxInline is the largest template, in bytes, that the API takes in the call itself.
const maxInline = 51_200

// NoStackError says that there is no stack of that name.
type NoStackError struct{ Stack, Region string }

func (e *NoStackError) Error() string {
	return fmt.Sprintf("there is no stack %s in %s", e.Stack, e.Region)
}

// NoChangesError says that the stack is as the template wants it.
type NoChangesError struct{ Stack string }

func (e *NoChangesError) Error() string {
	return fmt.Sprintf("no changes to deploy: stack %s is up to date", e.Stack)
}

// FailedError says that a stack operation did not end well.
type FailedError struct {
	Stack      string
	Status     string           // the stack's
	Cause      *view.StackEvent // the first resource that failed, if one did
	RolledBack []*view.Rollout  // the deployments that were rolled back, newest state
}

func (e *FailedError) Error() string {
	switch {
	case e.Cause != nil:
		return fmt.Sprintf("stack %s: %s (%s): %s", e.Stack, e.Cause.LogicalID, e.Cause.Type, e.Cause.Reason)
	default:
		return fmt.Sprintf("stack %s ended in %s", e.Stack, e.Status)
	}
}

// Hint says what a person can do, where the cause's text is not known for saying so itself.
func (e *FailedError) Hint() string {
	if e.Cause != nil && strings.Contains(e.Cause.Reason, "A version for this Lambda function exists") {
		return "this very code was published before, by a release that was taken back, and Lambda publishes no version twice: change the code or the function's configuration, such as its Description"
	}
	return ""
}

// WasRolledBack reports whether a hook, an alarm or a person stopped a deployment, and it was taken back.
func (e *FailedError) WasRolledBack() bool { return len(e.RolledBack) > 0 }

// Plan makes a change set and waits until CloudFormation has worked it out. A stack that is as it should be gives a
// *NoChangesError.
func (e *Engine) Plan(ctx context.Context, d Deployment) (*ChangeSet, error) {
	stack, err := e.stack(ctx, d.Stack)
	if err != nil {
		return nil, err
	}
	create := stack == nil || stack.StackStatus == cftypes.StackStatusReviewInProgress
	if !create {
		if err := deployable(stack); err != nil {
			return nil, err
		}
	}
	e.warnOfUnknown(d)
	in, err := e.changeSetInput(ctx, d, stack, create)
	if err != nil {
		return nil, err
	}
	out, err := e.CloudFormation.CreateChangeSet(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("create a change set for stack %s: %w", d.Stack, err)
	}
	cs := &ChangeSet{Name: aws.ToString(in.ChangeSetName), ID: aws.ToString(out.Id), Stack: d.Stack, Create: create}
	if err := e.awaitChangeSet(ctx, cs); err != nil {
		return nil, err
	}
	e.Emit(Event{Type: TypeChangeSet, ChangeSet: cs})
	return cs, nil
}

// warnOfUnknown tells of parameters that were given and that the template does not have: they are left out.
func (e *Engine) warnOfUnknown(d Deployment) {
	has := d.Template.Get("Parameters").Keys()
	for _, name := range slices.Sorted(maps.Keys(d.Parameters)) {
		if slices.Contains(has, name) {
			continue
		}
		text := "the template has no parameter " + name + ": its value is not used"
		if near, ok := source.Nearest(name, has); ok {
			text += "; did you mean " + near + "?"
		}
		e.Emit(Event{Type: TypeWarning, Info: text})
	}
}

// deployable says what to do with a stack that takes no update.
func deployable(s *cftypes.Stack) error {
	name := aws.ToString(s.StackName)
	switch s.StackStatus {
	case cftypes.StackStatusRollbackComplete, cftypes.StackStatusRollbackFailed, cftypes.StackStatusCreateFailed, cftypes.StackStatusDeleteFailed:
		return &StackStateError{name, string(s.StackStatus), fmt.Sprintf("its creation has failed, and such a stack can only be deleted: `evo delete --stack-name %s`, then deploy again", name)}
	case cftypes.StackStatusUpdateRollbackFailed:
		return &StackStateError{name, string(s.StackStatus), "continue its rollback (`aws cloudformation continue-update-rollback`) once the cause is gone"}
	}
	if strings.HasSuffix(string(s.StackStatus), "_IN_PROGRESS") {
		return &StackStateError{name, string(s.StackStatus), "wait until the operation under way has ended: `evo rollout watch --stack-name " + name + "`"}
	}
	return nil
}

// StackStateError says that a stack cannot be updated as it stands.
type StackStateError struct{ Stack, Status, hint string }

func (e *StackStateError) Error() string {
	return fmt.Sprintf("stack %s is in %s and cannot be updated", e.Stack, e.Status)
}

// Hint says what a person can do.
func (e *StackStateError) Hint() string { return e.hint }

func (e *Engine) changeSetInput(ctx context.Context, d Deployment, stack *cftypes.Stack, create bool) (*cloudformation.CreateChangeSetInput, error) {
	in := &cloudformation.CreateChangeSetInput{
		StackName: &d.Stack,
		// Two that deploy within a millisecond must not meet in one name.
		ChangeSetName:    aws.String(fmt.Sprintf("evo-deploy%d-%s", e.Now().UnixMilli(), rand.Text()[:8])),
		ChangeSetType:    cftypes.ChangeSetTypeUpdate,
		Description:      aws.String("Created by evo"),
		Capabilities:     capabilities(d.Capabilities),
		Parameters:       parameters(d, stack, create),
		NotificationARNs: d.NotificationARNs,
	}
	if d.ReleaseName != "" {
		in.Description = &d.ReleaseName
	}
	if create {
		in.ChangeSetType = cftypes.ChangeSetTypeCreate
	}
	if d.RoleARN != "" {
		in.RoleARN = &d.RoleARN
	}
	for k, v := range d.Tags {
		in.Tags = append(in.Tags, cftypes.Tag{Key: &k, Value: &v})
	}
	text := d.Template.YAML()
	if len(text) <= maxInline {
		in.TemplateBody = aws.String(string(text))
		return in, nil
	}
	if d.Bucket.Name == "" {
		var err error
		if d.Bucket.Name, err = e.ManagedBucket(ctx); err != nil {
			return nil, err
		}
	}
	key, err := e.uploadText(ctx, newUploader(e, d.Bucket), "", text)
	if err != nil {
		return nil, fmt.Errorf("upload the template: %w", err)
	}
	in.TemplateURL = aws.String(d.Bucket.named(localpath.Form{HTTPS: true}, e.Region, key).Str())
	return in, nil
}

func capabilities(names []string) []cftypes.Capability {
	var out []cftypes.Capability
	for _, n := range names {
		out = append(out, cftypes.Capability(n))
	}
	return out
}

// parameters gives every parameter of the template a value: the one given; else, on an update, the one that the stack has;
// else the template's default, by leaving it out.
func parameters(d Deployment, stack *cftypes.Stack, create bool) []cftypes.Parameter {
	has := map[string]bool{}
	if !create {
		for _, p := range stack.Parameters {
			has[aws.ToString(p.ParameterKey)] = true
		}
	}
	var out []cftypes.Parameter
	for _, name := range d.Template.Get("Parameters").Keys() {
		if v, ok := d.Parameters[name]; ok {
			out = append(out, cftypes.Parameter{ParameterKey: &name, ParameterValue: &v})
		} else if has[name] {
			out = append(out, cftypes.Parameter{ParameterKey: &name, UsePreviousValue: aws.Bool(true)})
		}
	}
	return out
}

// stack returns a stack, or nil if there is none of the name.
func (e *Engine) stack(ctx context.Context, name string) (*cftypes.Stack, error) {
	out, err := e.CloudFormation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		var api smithy.APIError
		if errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist") {
			return nil, nil
		}
		return nil, fmt.Errorf("read stack %s: %w", name, err)
	}
	return &out.Stacks[0], nil
}

// awaitChangeSet waits for a change set and fills in its changes.
func (e *Engine) awaitChangeSet(ctx context.Context, cs *ChangeSet) error {
	for delay := 20 * time.Millisecond; ; delay = min(2*delay, e.Poll) {
		in := &cloudformation.DescribeChangeSetInput{ChangeSetName: &cs.ID, StackName: &cs.Stack, IncludePropertyValues: aws.Bool(true)}
		out, err := e.CloudFormation.DescribeChangeSet(ctx, in)
		if err != nil {
			return fmt.Errorf("read the change set of stack %s: %w", cs.Stack, err)
		}
		switch out.Status {
		case cftypes.ChangeSetStatusCreateComplete:
			return e.changes(ctx, cs, in, out)
		case cftypes.ChangeSetStatusFailed:
			return e.dropChangeSet(ctx, cs, aws.ToString(out.StatusReason))
		}
		if err := sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// changes reads all pages of a change set.
func (e *Engine) changes(ctx context.Context, cs *ChangeSet, in *cloudformation.DescribeChangeSetInput, out *cloudformation.DescribeChangeSetOutput) error {
	for {
		for _, c := range out.Changes {
			if r := c.ResourceChange; r != nil {
				cs.Changes = append(cs.Changes, change(r))
			}
		}
		if out.NextToken == nil {
			return nil
		}
		in.NextToken = out.NextToken
		var err error
		if out, err = e.CloudFormation.DescribeChangeSet(ctx, in); err != nil {
			return fmt.Errorf("read the change set of stack %s: %w", cs.Stack, err)
		}
	}
}

func change(r *cftypes.ResourceChange) view.Change {
	c := view.Change{
		Action:      string(r.Action),
		LogicalID:   aws.ToString(r.LogicalResourceId),
		PhysicalID:  aws.ToString(r.PhysicalResourceId),
		Type:        aws.ToString(r.ResourceType),
		Replacement: string(r.Replacement),
	}
	for _, d := range r.Details {
		if t := d.Target; t != nil {
			name := string(t.Attribute)
			if t.Name != nil {
				name = aws.ToString(t.Name)
			}
			if !slices.Contains(c.Properties, name) {
				c.Properties = append(c.Properties, name)
			}
		}
	}
	return c
}

// noChanges are the ways in which CloudFormation says that there is nothing to do.
var noChanges = []string{"didn't contain changes", "No updates are to be performed"}

// Discard deletes a change set that is not to be carried out, and the empty stack that one for a new stack leaves.
func (e *Engine) Discard(ctx context.Context, cs *ChangeSet) error {
	if err := e.delete(ctx, cs); err != nil {
		return fmt.Errorf("discard the change set of stack %s: %w", cs.Stack, err)
	}
	return nil
}

func (e *Engine) delete(ctx context.Context, cs *ChangeSet) error {
	_, err := e.CloudFormation.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: &cs.ID, StackName: &cs.Stack})
	if err != nil || !cs.Create {
		return err
	}
	s, err := e.stack(ctx, cs.Stack)
	if err != nil || s == nil || s.StackStatus != cftypes.StackStatusReviewInProgress {
		return err // by now somebody else is creating it
	}
	_, err = e.CloudFormation.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: s.StackId})
	return err
}

// Forget deletes a change set that another deployment of the stack has overtaken, and nothing else: the stack is the other's.
func (e *Engine) Forget(ctx context.Context, cs *ChangeSet) error {
	_, err := e.CloudFormation.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: &cs.ID, StackName: &cs.Stack})
	if err != nil {
		return fmt.Errorf("delete the change set of stack %s: %w", cs.Stack, err)
	}
	return nil
}

// dropChangeSet deletes a change set that failed, and the empty stack that one for a new stack leaves.
func (e *Engine) dropChangeSet(ctx context.Context, cs *ChangeSet, reason string) error {
	err := e.delete(ctx, cs)
	if err != nil {
		err = fmt.Errorf("clean up after it: %w", err)
	}
	for _, text := range noChanges {
		if strings.Contains(reason, text) {
			return errors.Join(&NoChangesError{cs.Stack}, err)
		}
	}
	return errors.Join(fmt.Errorf("the change set of stack %s failed: %s", cs.Stack, reason), err)
}

// NotBegunError says that CloudFormation would not carry a change set out: nothing was touched.
type NotBegunError struct{ Err error }

func (e *NotBegunError) Error() string { return e.Err.Error() }

func (e *NotBegunError) Unwrap() error { return e.Err }

// Execute carries a change set out, telling the stack's events and its deployments until all has ended. A failure gives a
// *FailedError.
func (e *Engine) Execute(ctx context.Context, cs *ChangeSet, d Deployment) error {
	f := e.follow(ctx, cs.Stack)
	in := &cloudformation.ExecuteChangeSetInput{ChangeSetName: &cs.ID, StackName: &cs.Stack}
	if d.DisableRollback || d.OnFailure == "DO_NOTHING" {
		in.DisableRollback = aws.Bool(true)
	}
	if _, err := e.CloudFormation.ExecuteChangeSet(ctx, in); err != nil {
		err = fmt.Errorf("execute the change set of stack %s: %w", cs.Stack, err)
		var answer *smithyhttp.ResponseError
		if errors.As(err, &answer) && answer.HTTPStatusCode()/100 == 4 {
			return &NotBegunError{err}
		}
		return err
	}
	err := f.run(ctx)
	var failed *FailedError
	if errors.As(err, &failed) && d.OnFailure == "DELETE" && cs.Create {
		e.info("deleting the stack, as --on-failure DELETE says")
		return errors.Join(err, e.Delete(ctx, cs.Stack))
	}
	return err
}

// Delete deletes a stack and follows that to its end. A stack that does not exist is deleted already.
func (e *Engine) Delete(ctx context.Context, stack string) error {
	s, err := e.stack(ctx, stack)
	if err != nil || s == nil {
		return err
	}
	f := e.follow(ctx, aws.ToString(s.StackId)) // by id: the name is gone with the stack
	f.name, f.gone = stack, true
	if _, err := e.CloudFormation.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: s.StackId}); err != nil {
		return fmt.Errorf("delete stack %s: %w", stack, err)
	}
	return f.run(ctx)
}

// Outputs returns a stack's outputs.
func (e *Engine) Outputs(ctx context.Context, stack string) ([]view.Output, error) {
	s, err := e.stack(ctx, stack)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, &NoStackError{stack, e.Region}
	}
	var outs []view.Output
	for _, o := range s.Outputs {
		outs = append(outs, view.Output{Key: aws.ToString(o.OutputKey), Value: aws.ToString(o.OutputValue),
			Description: aws.ToString(o.Description), Export: aws.ToString(o.ExportName)})
	}
	return outs, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
