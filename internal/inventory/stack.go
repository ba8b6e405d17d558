package inventory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
)

// Stack is what a stack's template asks for.
type Stack struct {
	Name, ID                   string
	Status                     string
	Region, Account, Partition string
	Parameters                 map[string]string // without those that are not to be shown
	Outputs                    map[string]string
	Tags                       map[string]string
	Changed                    time.Time // by the cloud's clock: when a resource was changed last; of a stack under way, nearly now
	Template                   *cfn.Node // processed
	Items                      []*Item   // in the template's order; a nested stack's follow it

	drift string // as it was detected last
}

// maxStackDepth of stacks within stacks that are read.
const maxStackDepth = 10

// Stack reads a stack, given by name or id, and those nested in it. Properties hold the intrinsic functions whose values
// neither the template, the parameters nor the physical ids tell.
func (r *Reader) Stack(ctx context.Context, name string) (*Stack, error) {
	return r.stack(ctx, name, nil, 0)
}

// Asked is what a stack is asked for by a deployment that is under way: until it has ended, the stack's own template may be the old one.
type Asked struct {
	Template   *cfn.Node         // processed
	Parameters map[string]string // all but those that are not to be shown
}

// StackAs reads a stack as Stack does, taking what it is asked for from a deployment.
func (r *Reader) StackAs(ctx context.Context, name string, asked Asked) (*Stack, error) {
	return r.stack(ctx, name, &asked, 0)
}

func (r *Reader) stack(ctx context.Context, name string, asked *Asked, depth int) (*Stack, error) {
	if depth > maxStackDepth {
		return nil, fmt.Errorf("read stack %s: stacks are nested more than %d deep", name, maxStackDepth)
	}
	out, err := r.cloudformation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err == nil && len(out.Stacks) != 1 {
		err = errors.New("there is no such stack")
	}
	if err != nil {
		return nil, fmt.Errorf("describe stack %s: %w", name, err)
	}
	s, err := newStack(out.Stacks[0])
	if err != nil {
		return nil, err
	}
	var t *cfn.Template
	if asked != nil {
		if t, err = cfn.ReadTemplate(asked.Template); err != nil {
			return nil, fmt.Errorf("read the template that stack %s is asked for: %w", name, err)
		}
		s.Parameters = maps.Clone(asked.Parameters)
	} else {
		if t, err = r.template(ctx, s.ID); err != nil {
			return nil, err
		}
		s.parameters(t, out.Stacks[0].Parameters)
	}
	s.Template = t.Root
	physical, err := r.physical(ctx, s)
	if err != nil {
		return nil, err
	}
	nested := map[string]*Stack{}
	for _, res := range t.Resources {
		if id := physical[res.ID]; res.Type == nestedStack && id != "" {
			if nested[res.ID], err = r.stack(ctx, id, nil, depth+1); err != nil {
				return nil, fmt.Errorf("read the nested stack %s of %s: %w", res.ID, s.Name, err)
			}
		}
	}
	return s, r.resolve(ctx, s, t, physical, nested, out.Stacks[0].NotificationARNs)
}

const nestedStack = "AWS::CloudFormation::Stack"

func newStack(d types.Stack) (*Stack, error) {
	s := &Stack{Name: aws.ToString(d.StackName), ID: aws.ToString(d.StackId), Status: string(d.StackStatus),
		Parameters: map[string]string{}, Outputs: map[string]string{}, Tags: map[string]string{}}
	id, err := awsarn.Parse(s.ID)
	if err != nil {
		return nil, fmt.Errorf("read the id %q of stack %s: %w", s.ID, s.Name, err)
	}
	s.Region, s.Account, s.Partition = id.Region, id.AccountID, id.Partition
	if i := d.DriftInformation; i != nil && i.StackDriftStatus != types.StackDriftStatusNotChecked {
		s.drift = string(i.StackDriftStatus)
	}
	for _, o := range d.Outputs {
		s.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	for _, t := range d.Tags {
		s.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return s, nil
}

func (r *Reader) template(ctx context.Context, stack string) (*cfn.Template, error) {
	out, err := r.cloudformation.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &stack, TemplateStage: types.TemplateStageProcessed})
	if err != nil {
		return nil, fmt.Errorf("get the template of stack %s: %w", stack, err)
	}
	root, err := cfn.Parse("", []byte(aws.ToString(out.TemplateBody)))
	if err != nil {
		return nil, fmt.Errorf("parse the template of stack %s: %w", stack, err)
	}
	t, err := cfn.ReadTemplate(root)
	if err != nil {
		return nil, fmt.Errorf("read the template of stack %s: %w", stack, err)
	}
	return t, nil
}

// parameters takes over the values that can be known. One that was looked up in Parameter Store stands in the template as
// the value's own type from here on, as the value is there.
func (s *Stack) parameters(t *cfn.Template, list []types.Parameter) {
	for _, v := range list {
		name, value := aws.ToString(v.ParameterKey), v.ParameterValue
		p := t.Parameter(name)
		if p == nil || p.NoEcho {
			continue
		}
		if p.IsStored() {
			if value = v.ResolvedValue; value == nil {
				continue
			}
			p.Type = strings.TrimSuffix(strings.TrimPrefix(p.Type, "AWS::SSM::Parameter::Value<"), ">")
		}
		s.Parameters[name] = aws.ToString(value)
	}
}

// physical returns the physical ids of the resources that there are, and notes when the newest of their changes began or ended.
func (r *Reader) physical(ctx context.Context, s *Stack) (map[string]string, error) {
	ids := map[string]string{}
	pages := cloudformation.NewListStackResourcesPaginator(r.cloudformation, &cloudformation.ListStackResourcesInput{StackName: &s.ID})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the resources of stack %s: %w", s.Name, err)
		}
		for _, res := range page.StackResourceSummaries {
			if at := aws.ToTime(res.LastUpdatedTimestamp); at.After(s.Changed) {
				s.Changed = at
			}
			if res.ResourceStatus != types.ResourceStatusDeleteComplete {
				ids[aws.ToString(res.LogicalResourceId)] = aws.ToString(res.PhysicalResourceId)
			}
		}
	}
	return ids, nil
}

// resolve makes the items.
func (r *Reader) resolve(ctx context.Context, s *Stack, t *cfn.Template, physical map[string]string, nested map[string]*Stack, topics []string) error {
	a := attributes{stack: s, t: t, physical: physical, nested: nested}
	unknown := func(string) (*cfn.Node, error) { return nil, nil }
	e := cfn.NewEvaluator(t, cfn.Env{AccountID: s.Account, Partition: s.Partition, Region: s.Region, URLSuffix: urlSuffix(s.Partition),
		StackID: s.ID, StackName: s.Name, NotificationARNs: topics, Parameters: s.Parameters, Ref: a.ref, GetAtt: a.get,
		Import: r.importer(ctx), Dynamic: unknown, Stored: unknown})
	for _, res := range t.Resources {
		active, known, err := e.Active(res.Condition)
		if err != nil {
			return fmt.Errorf("read the condition of %s: %w", res.ID, err)
		}
		if known && !active {
			continue
		}
		it := &Item{ID: res.ID, Type: res.Type, PhysicalID: physical[res.ID], Metadata: res.Metadata, Span: res.Span}
		if !known {
			it.Condition = res.Condition
		}
		properties, err := e.Eval(res.Properties)
		if err != nil {
			return fmt.Errorf("evaluate the properties of %s: %w", res.ID, err)
		}
		if it.Properties = properties.Clone(); it.Properties == nil {
			it.Properties = cfn.Obj()
		}
		if n := nested[res.ID]; n != nil && n.drift != "" {
			it.Supplementary = cfn.Obj(cfn.P("DriftStatus", cfn.Str(n.drift)))
		}
		s.identify(it, a.attribute(res.ID, "Arn"))
		s.tag(it)
		s.Items = append(s.Items, it)
		s.adopt(res.ID, nested[res.ID])
	}
	return nil
}

// adopt takes over the items of a nested stack.
func (s *Stack) adopt(id string, nested *Stack) {
	if nested == nil {
		return
	}
	for _, it := range nested.Items {
		it.ID = id + "/" + it.ID
		s.Items = append(s.Items, it)
	}
}

// identify fills in the name and the ARN, where they follow from the physical id.
func (s *Stack) identify(it *Item, arn *cfn.Node) {
	it.ARN = arn.Str()
	switch {
	case awsarn.IsARN(it.PhysicalID):
		it.ARN = it.PhysicalID
	case !strings.ContainsAny(it.PhysicalID, "|:"):
		it.Name = it.PhysicalID
	}
}

// tag adds the stack's tags to a resource's own, as CloudFormation does.
func (s *Stack) tag(it *Item) {
	facts, ok := spec.Lookup(it.Type)
	if !ok || facts.Tags == "" || len(s.Tags) == 0 {
		return
	}
	now := it.Properties.Get(facts.Tags)
	if now != nil && !cfn.Known(now) {
		return
	}
	it.Properties = it.Properties.Clone()
	now = it.Properties.Get(facts.Tags)
	if facts.Properties[facts.Tags].Type.Kind != spec.List {
		if now == nil {
			now = cfn.Obj()
		}
		for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
			if !now.Has(key) {
				now.Set(key, cfn.Str(s.Tags[key]))
			}
		}
		it.Properties.Set(facts.Tags, now)
		return
	}
	if now == nil {
		now = cfn.Arr()
	}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		if !slices.ContainsFunc(now.Items, func(n *cfn.Node) bool { return n.Get("Key").Str() == key }) {
			now.Items = append(now.Items, cfn.Obj(cfn.P("Key", cfn.Str(key)), cfn.P("Value", cfn.Str(s.Tags[key]))))
		}
	}
	it.Properties.Set(facts.Tags, now)
}

// importer returns what finds exports: all are listed when the first is asked for. If they cannot be listed, none is known.
func (r *Reader) importer(ctx context.Context) func(string) (*cfn.Node, error) {
	var exports map[string]string
	return func(name string) (*cfn.Node, error) {
		if exports == nil {
			exports = map[string]string{}
			pages := cloudformation.NewListExportsPaginator(r.cloudformation, &cloudformation.ListExportsInput{})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					break
				}
				for _, e := range page.Exports {
					exports[aws.ToString(e.Name)] = aws.ToString(e.Value)
				}
			}
		}
		if value, ok := exports[name]; ok {
			return cfn.Str(value), nil
		}
		return nil, nil
	}
}

func urlSuffix(partition string) string {
	if partition == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}
