package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
)

// changeSet is what an operation would do.
type changeSet struct {
	ID, Name, Stack string
	Description     string
	Kind            types.ChangeSetType
	Status          types.ChangeSetStatus
	Reason          string
	Execution       types.ExecutionStatus
	Created         time.Time
	Target          definition
	Changes         []types.Change
	OnStackFailure  types.OnStackFailure
	Token           string
}

const noChanges = "The submitted information didn't contain changes. Submit different information to create a change set."

// CreateChangeSet implements the API's operation. The change set is ready when it returns; a transform that fails makes a
// failed change set, as clients expect.
func (s *Service) CreateChangeSet(ctx context.Context, in *cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
	name := aws.ToString(in.StackName)
	st, exists, err := s.changeSetStack(in, name)
	if err != nil {
		return nil, err
	}
	a := ask{body: in.TemplateBody, url: in.TemplateURL, previous: in.UsePreviousTemplate, parameters: in.Parameters, tags: in.Tags,
		capabilities: in.Capabilities, notifications: in.NotificationARNs, resourceTypes: in.ResourceTypes, role: in.RoleARN, triggers: in.RollbackConfiguration}
	var old *definition
	if exists && st.Status != types.StackStatusReviewInProgress {
		old = &st.Definition
	}
	d, err := s.define(ctx, a, old)
	if err != nil {
		return nil, err
	}
	if !exists {
		st = stack{ID: s.stackID(name), Name: name, Created: s.cfg.Clock.Now()}
	}
	cs := changeSet{Name: aws.ToString(in.ChangeSetName), Stack: st.ID, Description: aws.ToString(in.Description), Kind: kindOf(in, old),
		Created: s.cfg.Clock.Now(), OnStackFailure: in.OnStackFailure, Token: aws.ToString(in.ClientToken),
		Status: types.ChangeSetStatusCreateComplete, Execution: types.ExecutionStatusAvailable}
	cs.ID = fmt.Sprintf("arn:aws:cloudformation:%s:%s:changeSet/%s/%s", s.cfg.Region, call.Account, cs.Name, newUUID())
	if err := s.fill(ctx, &cs, st, a, d); err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if other, taken := s.changeSets.Get(tx, st.ID+"|"+cs.Name); taken {
			if cs.Token != "" && other.Token == cs.Token { // asked again
				cs = other
				return nil
			}
			return &types.AlreadyExistsException{Message: aws.String("ChangeSet " + cs.Name + " already exists")}
		}
		if !exists {
			if _, raced := s.names.Get(tx, name); raced {
				return &types.AlreadyExistsException{Message: aws.String("Stack [" + name + "] already exists")}
			}
			s.names.Put(tx, name, st.ID)
			st.Definition = definition{Tags: d.Tags}
			s.setStatus(tx, &st, types.StackStatusReviewInProgress, "User Initiated")
		}
		s.changeSets.Put(tx, st.ID+"|"+cs.Name, cs)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cloudformation.CreateChangeSetOutput{Id: aws.String(cs.ID), StackId: aws.String(st.ID)}, nil
}

func kindOf(in *cloudformation.CreateChangeSetInput, old *definition) types.ChangeSetType {
	if old == nil {
		return types.ChangeSetTypeCreate
	}
	return types.ChangeSetTypeUpdate
}

// changeSetStack finds the stack that a change set is for, and whether it may have one.
func (s *Service) changeSetStack(in *cloudformation.CreateChangeSetInput, name string) (st stack, exists bool, err error) {
	s.cfg.Store.View(func(tx *store.Tx) { st, exists = s.find(tx, name) })
	review := exists && st.Status == types.StackStatusReviewInProgress
	switch {
	case in.ChangeSetType == types.ChangeSetTypeImport:
		return st, exists, invalid("resources cannot be imported into stacks yet")
	case in.ChangeSetType == types.ChangeSetTypeCreate && exists && !review:
		return st, exists, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", name, aws.ToString(in.ChangeSetName))
	case in.ChangeSetType != types.ChangeSetTypeCreate && !exists:
		return st, exists, invalid("Stack [%s] does not exist", name)
	case in.ChangeSetType != types.ChangeSetTypeCreate && review:
		return st, exists, invalid("Stack [%s] does not exist", st.ID)
	case exists && !review:
		return st, exists, st.mayUpdate()
	}
	return st, exists, nil
}

// fill works out what the change set would do.
func (s *Service) fill(ctx context.Context, cs *changeSet, st stack, a ask, d definition) error {
	t, err := s.accept(ctx, a, &d, false)
	cs.Target = d
	var transform *transformFailure
	var capability *types.InsufficientCapabilitiesException
	switch {
	case errors.As(err, &transform):
		cs.fail(transform.text)
		return nil
	case errors.As(err, &capability) && d.Processed != "":
		cs.fail(aws.ToString(capability.Message))
		return nil
	case err != nil:
		return err
	}
	changes, others, after, err := s.changes(st, d, t)
	if err != nil {
		return refuse(err)
	}
	if len(changes) == 0 && !others {
		cs.fail(noChanges)
		return nil
	}
	oldTemplate, _ := s.read(st.Definition)
	var recs map[string]resource
	s.cfg.Store.View(func(tx *store.Tx) { recs = s.resourcesOf(tx, st.ID) })
	for _, c := range changes {
		cs.Changes = append(cs.Changes, describeChange(c, after[c.ID], t, oldTemplate, recs[c.ID]))
	}
	return nil
}

func (cs *changeSet) fail(why string) {
	cs.Status, cs.Reason, cs.Execution, cs.Changes = types.ChangeSetStatusFailed, why, types.ExecutionStatusUnavailable, nil
}

const afterApply = "{{changeSet:KNOWN_AFTER_APPLY}}"

// shown is a value as a change set shows it.
func shown(n *cfn.Node) *string {
	if n == nil {
		return nil
	}
	if text, ok := n.Scalar(); ok {
		return &text
	}
	n = hideUnknown(n)
	if text, ok := n.Scalar(); ok {
		return &text
	}
	text, err := n.MarshalJSON()
	if err != nil {
		return nil
	}
	return aws.String(string(text))
}

func hideUnknown(n *cfn.Node) *cfn.Node {
	if _, _, unknown := n.Intrinsic(); unknown {
		return cfn.Str(afterApply)
	}
	c := *n
	c.Items, c.Pairs = slices.Clone(n.Items), slices.Clone(n.Pairs)
	for i := range c.Items {
		c.Items[i] = hideUnknown(c.Items[i])
	}
	for i := range c.Pairs {
		c.Pairs[i].Value = hideUnknown(c.Pairs[i].Value)
	}
	return &c
}

func contextOf(n *cfn.Node) *string {
	if n == nil {
		n = cfn.Obj()
	}
	return shown(cfn.Obj(cfn.P("Properties", n)))
}

// describeChange words one change as DescribeChangeSet shows it.
func describeChange(c cfn.Change, after cfn.Resolved, t, old *cfn.Template, rec resource) types.Change {
	rc := &types.ResourceChange{Action: types.ChangeAction(c.Action.String()), LogicalResourceId: aws.String(c.ID), ResourceType: aws.String(c.Type),
		Details: []types.ResourceChangeDetail{}, Scope: []types.ResourceAttribute{}}
	if c.Action != cfn.Add {
		rc.PhysicalResourceId, rc.BeforeContext = some(rec.Physical), contextOf(node(rec.Properties))
	}
	switch c.Action {
	case cfn.Add:
		rc.AfterContext = contextOf(after.Properties)
	case cfn.Remove:
		rc.PolicyAction = types.PolicyActionDelete
		if policy := rec.policy("DeletionPolicy"); policy == "Retain" || policy == "RetainExceptOnCreate" {
			rc.PolicyAction = types.PolicyActionRetain
		}
	case cfn.Modify:
		rc.AfterContext = contextOf(after.Properties)
		describeModify(rc, c, t, old, rec)
	}
	return types.Change{Type: types.ChangeTypeResource, ResourceChange: rc}
}

func describeModify(rc *types.ResourceChange, c cfn.Change, t, old *cfn.Template, rec resource) {
	rc.Replacement = map[spec.Replacement]types.Replacement{spec.Never: types.ReplacementFalse, spec.Conditionally: types.ReplacementConditional, spec.Always: types.ReplacementTrue}[c.Replacement]
	if c.Replacement == spec.Always {
		rc.PolicyAction = types.PolicyActionReplaceAndDelete
		if rec.policy("UpdateReplacePolicy") == "Retain" {
			rc.PolicyAction = types.PolicyActionReplaceAndRetain
		}
	}
	if len(c.Properties) > 0 {
		rc.Scope = append(rc.Scope, types.ResourceAttributeProperties)
	}
	for _, p := range c.Properties {
		rc.Details = append(rc.Details, describeProperty(p, c.ID, t, old)...)
	}
	for _, name := range c.Attributes {
		if name == "Type" {
			continue
		}
		rc.Scope = append(rc.Scope, types.ResourceAttribute(name))
		rc.Details = append(rc.Details, types.ResourceChangeDetail{ChangeSource: types.ChangeSourceDirectModification, Evaluation: types.EvaluationTypeStatic,
			Target: &types.ResourceTargetDefinition{Attribute: types.ResourceAttribute(name), RequiresRecreation: types.RequiresRecreationNever}})
	}
	slices.Sort(rc.Scope)
}

// describeProperty tells what changes a property: the template's own text, or what it refers to.
func describeProperty(p cfn.PropertyChange, id string, t, old *cfn.Template) []types.ResourceChangeDetail {
	target := &types.ResourceTargetDefinition{Attribute: types.ResourceAttributeProperties, Name: aws.String(p.Name), Path: aws.String(p.Path),
		RequiresRecreation: types.RequiresRecreation(p.Replacement.String()), AttributeChangeType: types.AttributeChangeType(p.Action.String()),
		BeforeValue: shown(p.Before), AfterValue: shown(p.After)}
	detail := types.ResourceChangeDetail{ChangeSource: types.ChangeSourceDirectModification, Evaluation: types.EvaluationTypeStatic, Target: target}
	if p.Unknown {
		detail.Evaluation = types.EvaluationTypeDynamic
	}
	var now, before *cfn.Node
	if r := t.Resource(id); r != nil {
		now = r.Properties.Get(p.Name)
	}
	if old != nil && old.Resource(id) != nil {
		before = old.Resource(id).Properties.Get(p.Name)
	}
	if now == nil || !cfn.Same(now, before) {
		return []types.ResourceChangeDetail{detail}
	}
	var details []types.ResourceChangeDetail
	cfn.References(now, func(name, attribute string) {
		d := detail
		d.CausingEntity, d.ChangeSource = aws.String(name), types.ChangeSourceResourceReference
		switch {
		case attribute != "":
			d.CausingEntity, d.ChangeSource = aws.String(name+"."+attribute), types.ChangeSourceResourceAttribute
		case t.Parameter(name) != nil:
			d.ChangeSource = types.ChangeSourceParameterReference
		case t.Resource(name) == nil:
			return
		}
		details = append(details, d)
	})
	if len(details) == 0 {
		details = append(details, detail)
	}
	return details
}

// findChangeSet finds a change set by its ARN, or by its name and stack.
func (s *Service) findChangeSet(tx *store.Tx, stackName *string, name string) (changeSet, stack, error) {
	if strings.HasPrefix(name, "arn:") {
		for _, cs := range s.changeSets.Ascend(tx, "") {
			if cs.ID == name {
				st, _ := s.stacks.Get(tx, cs.Stack)
				return cs, st, nil
			}
		}
		return changeSet{}, stack{}, &types.ChangeSetNotFoundException{Message: aws.String("ChangeSet [" + name + "] does not exist")}
	}
	if stackName == nil {
		return changeSet{}, stack{}, invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
	}
	st, ok := s.find(tx, *stackName)
	if !ok {
		return changeSet{}, stack{}, invalid("Stack [%s] does not exist", *stackName)
	}
	cs, ok := s.changeSets.Get(tx, st.ID+"|"+name)
	if !ok {
		return cs, st, &types.ChangeSetNotFoundException{Message: aws.String("ChangeSet [" + name + "] does not exist")}
	}
	return cs, st, nil
}

// DescribeChangeSet implements the API's operation.
func (s *Service) DescribeChangeSet(_ context.Context, in *cloudformation.DescribeChangeSetInput) (*cloudformation.DescribeChangeSetOutput, error) {
	var cs changeSet
	var st stack
	var err error
	s.cfg.Store.View(func(tx *store.Tx) { cs, st, err = s.findChangeSet(tx, in.StackName, aws.ToString(in.ChangeSetName)) })
	if err != nil {
		return nil, err
	}
	changes, next, err := page(cs.Changes, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.DescribeChangeSetOutput{ChangeSetId: aws.String(cs.ID), ChangeSetName: aws.String(cs.Name), StackId: aws.String(st.ID),
		StackName: aws.String(st.Name), Description: some(cs.Description), CreationTime: aws.Time(cs.Created), Status: cs.Status,
		StatusReason: some(cs.Reason), ExecutionStatus: cs.Execution, Capabilities: cs.Target.Capabilities, NotificationARNs: cs.Target.Notifications,
		Parameters: s.shownParameters(cs.Target), RollbackConfiguration: &types.RollbackConfiguration{}, IncludeNestedStacks: aws.Bool(false),
		OnStackFailure: cs.OnStackFailure, Changes: []types.Change{}, NextToken: next}
	if out.Capabilities == nil {
		out.Capabilities = []types.Capability{}
	}
	if out.NotificationARNs == nil {
		out.NotificationARNs = []string{}
	}
	for _, t := range cs.Target.Tags {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	for _, c := range changes {
		if !aws.ToBool(in.IncludePropertyValues) {
			c = withoutValues(c)
		}
		out.Changes = append(out.Changes, c)
	}
	return out, nil
}

// withoutValues leaves out what only IncludePropertyValues shows. Of several values in one property one detail is left.
func withoutValues(c types.Change) types.Change {
	rc := *c.ResourceChange
	rc.BeforeContext, rc.AfterContext, rc.Details = nil, nil, []types.ResourceChangeDetail{}
	for _, d := range c.ResourceChange.Details {
		d.Target = &types.ResourceTargetDefinition{Attribute: d.Target.Attribute, Name: d.Target.Name, RequiresRecreation: d.Target.RequiresRecreation}
		same := func(o types.ResourceChangeDetail) bool {
			return aws.ToString(o.Target.Name) == aws.ToString(d.Target.Name) && o.Target.Attribute == d.Target.Attribute &&
				aws.ToString(o.CausingEntity) == aws.ToString(d.CausingEntity) && o.ChangeSource == d.ChangeSource
		}
		if !slices.ContainsFunc(rc.Details, same) {
			rc.Details = append(rc.Details, d)
		}
	}
	return types.Change{Type: c.Type, ResourceChange: &rc}
}

// ListChangeSets implements the API's operation.
func (s *Service) ListChangeSets(_ context.Context, in *cloudformation.ListChangeSetsInput) (*cloudformation.ListChangeSetsOutput, error) {
	var all []types.ChangeSetSummary
	var ok bool
	s.cfg.Store.View(func(tx *store.Tx) {
		var st stack
		if st, ok = s.find(tx, aws.ToString(in.StackName)); !ok {
			return
		}
		for _, cs := range s.changeSets.Prefix(tx, st.ID+"|") {
			all = append(all, types.ChangeSetSummary{ChangeSetId: aws.String(cs.ID), ChangeSetName: aws.String(cs.Name), StackId: aws.String(st.ID),
				StackName: aws.String(st.Name), CreationTime: aws.Time(cs.Created), Status: cs.Status, StatusReason: some(cs.Reason),
				ExecutionStatus: cs.Execution, Description: some(cs.Description), IncludeNestedStacks: aws.Bool(false)})
		}
	})
	if !ok {
		return nil, invalid("Stack [%s] does not exist", aws.ToString(in.StackName))
	}
	items, next, err := page(all, in.NextToken)
	return &cloudformation.ListChangeSetsOutput{Summaries: items, NextToken: next}, err
}

// DeleteChangeSet implements the API's operation.
func (s *Service) DeleteChangeSet(ctx context.Context, in *cloudformation.DeleteChangeSetInput) (*cloudformation.DeleteChangeSetOutput, error) {
	err := s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		cs, st, err := s.findChangeSet(tx, in.StackName, aws.ToString(in.ChangeSetName))
		var gone *types.ChangeSetNotFoundException
		if errors.As(err, &gone) {
			return nil // deleted already
		}
		if err != nil {
			return err
		}
		if cs.Execution == types.ExecutionStatusExecuteInProgress {
			return &types.InvalidChangeSetStatusException{Message: aws.String(fmt.Sprintf("ChangeSet [%s] cannot be deleted in its current status of [%s]", cs.ID, cs.Execution))}
		}
		s.changeSets.Delete(tx, st.ID+"|"+cs.Name)
		return nil
	})
	return &cloudformation.DeleteChangeSetOutput{}, err
}

// ExecuteChangeSet implements the API's operation.
func (s *Service) ExecuteChangeSet(ctx context.Context, in *cloudformation.ExecuteChangeSetInput) (*cloudformation.ExecuteChangeSetOutput, error) {
	if in.DisableRollback != nil && *in.DisableRollback {
		if cs, ok := s.peek(in); ok && cs.OnStackFailure != "" {
			return nil, invalid("Cannot specify DisableRollback with a change set that has OnStackFailure.")
		}
	}
	var id string
	err := s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		cs, st, err := s.findChangeSet(tx, in.StackName, aws.ToString(in.ChangeSetName))
		if err != nil {
			return err
		}
		token := aws.ToString(in.ClientRequestToken)
		if token != "" && st.Token == token && cs.Execution != types.ExecutionStatusAvailable {
			return nil // asked again
		}
		if cs.Execution != types.ExecutionStatusAvailable || cs.Status != types.ChangeSetStatusCreateComplete {
			return &types.InvalidChangeSetStatusException{Message: aws.String(fmt.Sprintf("ChangeSet [%s] cannot be executed in its current status of [%s]", cs.ID, cs.Status))}
		}
		id = st.ID
		return s.execute(tx, cs, st, operation{Token: token, NoRollback: aws.ToBool(in.DisableRollback), DropNew: aws.ToBool(in.RetainExceptOnCreate)})
	})
	if err != nil {
		return nil, err
	}
	if id != "" {
		s.begin(id)
	}
	return &cloudformation.ExecuteChangeSetOutput{}, nil
}

func (s *Service) peek(in *cloudformation.ExecuteChangeSetInput) (cs changeSet, ok bool) {
	s.cfg.Store.View(func(tx *store.Tx) {
		var err error
		cs, _, err = s.findChangeSet(tx, in.StackName, aws.ToString(in.ChangeSetName))
		ok = err == nil
	})
	return cs, ok
}

// execute begins the operation that a change set stands for. The stack's other change sets are out of date with it.
func (s *Service) execute(tx *store.Tx, cs changeSet, st stack, asked operation) error {
	op := &asked
	op.Phase, op.Target, op.ChangeSet = apply, cs.Target, cs.ID
	op.NoRollback = op.NoRollback || cs.OnStackFailure == types.OnStackFailureDoNothing
	status := types.StackStatusUpdateInProgress
	op.Kind = updateStack
	if st.Status == types.StackStatusReviewInProgress {
		op.Kind, status = createStack, types.StackStatusCreateInProgress
		st.Definition, st.NoRollback = cs.Target, op.NoRollback
		if cs.OnStackFailure == types.OnStackFailureDelete {
			op.OnFailure = types.OnFailureDelete
		}
	} else if err := st.mayUpdate(); err != nil {
		return err
	} else if st.Op != nil {
		(&run{s: s, id: st.ID}).carryOver(tx)
	}
	for k, other := range s.changeSets.Prefix(tx, st.ID+"|") {
		if other.ID != cs.ID && other.Execution != types.ExecutionStatusExecuteComplete {
			s.changeSets.Delete(tx, k)
		}
	}
	cs.Execution = types.ExecutionStatusExecuteInProgress
	s.changeSets.Put(tx, st.ID+"|"+cs.Name, cs)
	st.Op, st.Token, st.Updated, st.ChangeSet = op, op.Token, s.cfg.Clock.Now(), cs.ID
	s.setStatus(tx, &st, status, "User Initiated")
	return nil
}

// executed notes how a change set's execution ended.
func (s *Service) executed(tx *store.Tx, id string, status types.ExecutionStatus) {
	if id == "" {
		return
	}
	cs, st, err := s.findChangeSet(tx, nil, id)
	if err != nil {
		return
	}
	cs.Execution = status
	s.changeSets.Put(tx, st.ID+"|"+cs.Name, cs)
}
