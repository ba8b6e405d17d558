package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/cloud/call"
	"evo/internal/cloud/objecturl"
	"evo/internal/cloud/store"
)

const samTransform = "AWS::Serverless-2016-10-31"

// Templates larger than this cannot come in the call, or from S3.
const (
	maxBody   = 51_200
	maxObject = 1 << 20
)

// template reads the text that a call gives or points at; "" if it does neither.
func (s *Service) template(ctx context.Context, body, location *string) (string, error) {
	switch {
	case body != nil && location != nil:
		return "", invalid("You cannot specify both TemplateURL and TemplateBody")
	case body != nil:
		if len(*body) > maxBody {
			return "", invalid("1 validation error detected: Value '<template-body>' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", maxBody)
		}
		return *body, nil
	case location != nil:
		return s.fetch(ctx, *location)
	}
	return "", nil
}

// fetch reads a template out of S3.
func (s *Service) fetch(ctx context.Context, location string) (string, error) {
	object, ok := objecturl.Parse(location)
	if !ok {
		return "", invalid("TemplateURL must be a supported URL.")
	}
	if s.cfg.Services.Objects == nil {
		return "", invalid("S3 error: templates cannot be read from S3 here")
	}
	out, err := s.cfg.Services.Objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &object.Bucket, Key: &object.Key, VersionId: some(object.Version)})
	if err != nil {
		return "", invalid("S3 error: %s", errorMessage(err))
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, maxObject+1))
	if err != nil {
		return "", fmt.Errorf("read template %s: %w", location, err)
	}
	if len(text) > maxObject {
		return "", invalid("Template may not exceed %d bytes in size.", maxObject)
	}
	return string(text), nil
}

func errorMessage(err error) string {
	var api interface{ ErrorMessage() string }
	if errors.As(err, &api) && api.ErrorMessage() != "" {
		return api.ErrorMessage()
	}
	return err.Error()
}

// parse reads a template's text.
func parse(text string) (*cfn.Node, error) {
	root, err := cfn.Parse("", []byte(text))
	if err == nil {
		return root, nil
	}
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil, invalid("Template format error: JSON not well-formed. (%s)", place(err))
	}
	if place(err) == "" || strings.Contains(wording(err), "must be a map") {
		return nil, invalid("Template format error: unsupported structure.")
	}
	return nil, invalid("Template format error: YAML not well-formed. (%s) %s", place(err), wording(err))
}

// parsedTemplate is a template that was read; it is never changed.
type parsedTemplate struct {
	text string
	t    *cfn.Template
}

// maxParsed templates are kept as they were read: a stack that is followed is described every second.
const maxParsed = 16

// read takes the template of a definition apart, as it is after transforms.
func (s *Service) read(d definition) (*cfn.Template, error) {
	text := d.Template
	if d.Processed != "" {
		text = d.Processed
	}
	s.mu.Lock()
	i := slices.IndexFunc(s.parsed, func(p parsedTemplate) bool { return p.text == text })
	if i >= 0 {
		t := s.parsed[i].t
		s.mu.Unlock()
		return t, nil
	}
	s.mu.Unlock()
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	t, err := cfn.ReadTemplate(root)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parsed = slices.Insert(s.parsed, 0, parsedTemplate{text, t})
	s.parsed = s.parsed[:min(len(s.parsed), maxParsed)]
	return t, nil
}

// transformFailure is a transform's refusal: a change set fails with it.
type transformFailure struct{ text string }

func (e *transformFailure) Error() string { return e.text }

// process fills in what transforms make of a definition, and checks the outcome.
func (s *Service) process(ctx context.Context, d *definition) (*cfn.Template, error) {
	root, err := parse(d.Template)
	if err != nil {
		return nil, err
	}
	given := root
	if root, err = s.include(ctx, root, d.Parameters); err != nil {
		return nil, err
	}
	t, err := cfn.ReadTemplate(root)
	if err != nil {
		return nil, refuse(err)
	}
	if d.Parameters, err = t.ResolveParameters(d.Parameters); err != nil {
		return nil, refuse(err)
	}
	if err := s.refuseStored(t, *d); err != nil {
		return nil, err
	}
	if root, err = s.transform(ctx, root, t.Transforms, *d); err != nil {
		return nil, err
	}
	if root != given {
		text, err := root.JSON()
		if err != nil {
			return nil, fmt.Errorf("write the transformed template: %w", err)
		}
		d.Processed = string(text)
		if t, err = s.read(*d); err != nil {
			return nil, &transformFailure{wording(err)}
		}
		// SAM adds no parameters without a value.
		if d.Parameters, err = t.ResolveParameters(d.Parameters); err != nil {
			return nil, refuse(err)
		}
	}
	return t, s.checkTypes(t, d)
}

// refuseStored refuses what stands in services that the embedded cloud does not have. The place is a
// path: clients write templates anew before they send them, so that lines would not be the author's.
func (s *Service) refuseStored(t *cfn.Template, d definition) error {
	for _, p := range t.Parameters {
		if p.IsStored() {
			return invalid("Parameters/%s: a value of type %s stands in SSM's Parameter Store: the embedded cloud has no SSM yet", p.Name, p.Type)
		}
	}
	e := cfn.NewEvaluator(t, s.env("", "", d))
	for _, section := range []string{"Resources", "Outputs"} {
		for _, p := range t.Root.Get(section).Entries() {
			if on, known, err := e.Active(p.Value.Get("Condition").Str()); err == nil && known && !on {
				continue
			}
			var err error
			p.Value.Walk(func(path []string, n *cfn.Node) bool {
				ref, service := dynamicReference(n.Str())
				if err == nil && service != "" && !(len(path) > 0 && path[0] == "Metadata") {
					err = invalid("%s: the dynamic reference {{%s}} cannot be resolved: the embedded cloud has no %s yet",
						strings.Join(append([]string{section, p.Key}, path...), "/"), ref, service)
				}
				return err == nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// dynamicReference finds a reference to Parameter Store or Secrets Manager in a text, and which of them it means.
func dynamicReference(text string) (ref, service string) {
	_, rest, found := strings.Cut(text, "{{resolve:")
	if !found {
		return "", ""
	}
	rest, _, _ = strings.Cut(rest, "}}")
	kind, _, _ := strings.Cut(rest, ":")
	return "resolve:" + rest, map[string]string{"ssm": "SSM", "ssm-secure": "SSM", "secretsmanager": "Secrets Manager"}[kind]
}

// transform does what the template's transforms do. The language extensions come first, as AWS asks for.
func (s *Service) transform(ctx context.Context, root *cfn.Node, names []string, d definition) (*cfn.Node, error) {
	failed := func(name string, err error) error {
		prefix := "Transform " + name + " failed with: "
		return &transformFailure{prefix + strings.TrimPrefix(wording(err), prefix)}
	}
	for _, name := range names {
		if name != samTransform && name != cfn.Extensions {
			return nil, &transformFailure{fmt.Sprintf("No transform named %s found.", name)}
		}
	}
	root, err := cfn.Extend(root, s.env("", "", d))
	if err != nil {
		return nil, failed(cfn.Extensions, err)
	}
	if !slices.Contains(names, samTransform) {
		return root, nil
	}
	if s.cfg.Transform == nil {
		return nil, &transformFailure{"Transform " + samTransform + " is not supported here"}
	}
	if root, err = s.cfg.Transform(ctx, root.Clone(), d.Parameters); err != nil {
		return nil, failed(samTransform, err)
	}
	return root, nil
}

// checkTypes refuses what can be told without making anything: unknown types, circles, attributes that do not exist.
func (s *Service) checkTypes(t *cfn.Template, d *definition) error {
	var unknown []string
	for _, r := range t.Resources {
		if !s.known(r.Type) && !slices.Contains(unknown, r.Type) {
			unknown = append(unknown, r.Type)
		}
	}
	if len(unknown) > 0 {
		return invalid("Template format error: Unrecognized resource types: [%s]", strings.Join(unknown, ", "))
	}
	e := cfn.NewEvaluator(t, s.env("", "", *d))
	if _, err := e.Graph(); err != nil {
		return refuse(err)
	}
	for _, r := range t.Resources {
		on, _, err := e.Active(r.Condition)
		if err != nil {
			return refuse(err)
		}
		if !on {
			continue
		}
		if _, err := e.Eval(r.Properties); err != nil {
			return refuse(err)
		}
	}
	return s.checkAttributes(t)
}

// checkAttributes refuses Fn::GetAtt of attributes that a type does not have.
func (s *Service) checkAttributes(t *cfn.Template) error {
	var err error
	check := func(n *cfn.Node) {
		cfn.Attributes(n, func(id, attr string) {
			r := t.Resource(id)
			if r == nil || err != nil || isCustom(r.Type) || strings.HasPrefix(r.Type, "AWS::CloudFormation::") {
				return
			}
			facts, ok := spec.Lookup(r.Type)
			if !ok {
				return
			}
			_, isAttribute := facts.Attributes[attr]
			_, isProperty := facts.Properties[attr]
			if !isAttribute && !isProperty {
				err = invalid("Template error: resource %s does not support attribute type %s in Fn::GetAtt", id, attr)
			}
		})
	}
	for _, r := range t.Resources {
		check(r.Properties)
	}
	for _, o := range t.Outputs {
		check(o.Value)
	}
	return err
}

func (s *Service) known(kind string) bool {
	_, has := s.handlers[kind]
	return has || spec.Known(kind) || isCustom(kind) || kind == "AWS::CDK::Metadata"
}

// env is what values depend on besides other resources.
func (s *Service) env(stackID, name string, d definition) cfn.Env {
	notifications := d.Notifications
	if notifications == nil {
		notifications = []string{}
	}
	return cfn.Env{AccountID: call.Account, Partition: "aws", Region: s.cfg.Region, URLSuffix: "amazonaws.com", StackID: stackID,
		StackName: name, NotificationARNs: notifications, Parameters: d.Parameters}
}

// needed are the capabilities that a template asks for: AWS's reasons to think before it is deployed.
func needed(t *cfn.Template) (caps []types.Capability, kinds []string) {
	for _, r := range t.Resources {
		property, isIAM := namedIAM[r.Type]
		if !isIAM {
			continue
		}
		kinds = append(kinds, r.Type)
		c := types.CapabilityCapabilityIam
		if property != "" && r.Properties.Has(property) {
			c = types.CapabilityCapabilityNamedIam
		}
		if !slices.Contains(caps, c) {
			caps = append(caps, c)
		}
	}
	if slices.Contains(caps, types.CapabilityCapabilityNamedIam) {
		caps = []types.Capability{types.CapabilityCapabilityNamedIam}
	}
	return caps, kinds
}

// namedIAM are the types that need a capability, with the property that makes it the stronger one.
var namedIAM = map[string]string{"AWS::IAM::Role": "RoleName", "AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::User": "UserName",
	"AWS::IAM::Group": "GroupName", "AWS::IAM::InstanceProfile": "InstanceProfileName", "AWS::IAM::Policy": "", "AWS::IAM::AccessKey": "",
	"AWS::IAM::UserToGroupAddition": ""}

// acknowledged refuses a template whose capabilities the caller has not named.
func acknowledged(t *cfn.Template, given []types.Capability, direct bool) error {
	var missing []string
	caps, _ := needed(t)
	for _, c := range caps {
		if !slices.Contains(given, c) && !slices.Contains(given, types.CapabilityCapabilityNamedIam) {
			missing = append(missing, string(c))
		}
	}
	if direct && len(missing) == 0 && !slices.Contains(given, types.CapabilityCapabilityAutoExpand) {
		missing = append(missing, string(types.CapabilityCapabilityAutoExpand))
	}
	if len(missing) == 0 {
		return nil
	}
	return &types.InsufficientCapabilitiesException{Message: aws.String("Requires capabilities : [" + strings.Join(missing, ", ") + "]")}
}

// GetTemplate implements the API's operation.
func (s *Service) GetTemplate(_ context.Context, in *cloudformation.GetTemplateInput) (*cloudformation.GetTemplateOutput, error) {
	if in.StackName == nil && in.ChangeSetName == nil {
		return nil, invalid("StackName is required if ChangeSetName is not specified.")
	}
	var d definition
	var err error
	s.cfg.Store.View(func(tx *store.Tx) {
		if in.ChangeSetName != nil {
			var cs changeSet
			if cs, _, err = s.findChangeSet(tx, in.StackName, *in.ChangeSetName); err == nil {
				d = cs.Target
			}
			return
		}
		st, ok := s.find(tx, *in.StackName)
		if !ok {
			err = invalid("Stack with id %s does not exist", *in.StackName)
			return
		}
		d = st.Definition
	})
	if err != nil {
		return nil, err
	}
	body := d.Template
	if in.TemplateStage != types.TemplateStageOriginal && d.Processed != "" {
		body = d.Processed
	}
	return &cloudformation.GetTemplateOutput{TemplateBody: aws.String(body),
		StagesAvailable: []types.TemplateStage{types.TemplateStageOriginal, types.TemplateStageProcessed}}, nil
}

// ValidateTemplate implements the API's operation.
func (s *Service) ValidateTemplate(ctx context.Context, in *cloudformation.ValidateTemplateInput) (*cloudformation.ValidateTemplateOutput, error) {
	t, err := s.inspect(ctx, in.TemplateBody, in.TemplateURL)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.ValidateTemplateOutput{Description: some(t.Description), Parameters: []types.TemplateParameter{}, DeclaredTransforms: t.Transforms}
	for _, p := range t.Parameters {
		out.Parameters = append(out.Parameters, types.TemplateParameter{ParameterKey: aws.String(p.Name), DefaultValue: p.Default,
			Description: some(p.Description), NoEcho: aws.Bool(p.NoEcho)})
	}
	out.Capabilities, out.CapabilitiesReason = capabilities(t)
	return out, nil
}

func capabilities(t *cfn.Template) ([]types.Capability, *string) {
	caps, kinds := needed(t)
	var why *string
	if len(kinds) > 0 {
		why = aws.String("The following resource(s) require capabilities: [" + strings.Join(kinds, ", ") + "]")
	}
	if len(t.Transforms) > 0 {
		caps = append(caps, types.CapabilityCapabilityAutoExpand)
	}
	return caps, why
}

// inspect reads a template that is only looked at.
func (s *Service) inspect(ctx context.Context, body, location *string) (*cfn.Template, error) {
	text, err := s.template(ctx, body, location)
	if err != nil {
		return nil, err
	}
	if body == nil && location == nil {
		return nil, invalid("Either Template URL or Template Body must be specified.")
	}
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	t, err := cfn.ReadTemplate(root)
	if err != nil {
		return nil, refuse(err)
	}
	if t.HasTransform(samTransform) || t.Loops {
		return t, nil
	}
	for _, r := range t.Resources {
		if !s.known(r.Type) {
			return nil, invalid("Template format error: Unrecognized resource types: [%s]", r.Type)
		}
	}
	if _, err := cfn.NewEvaluator(t, cfn.Env{}).Graph(); err != nil {
		return nil, refuse(err)
	}
	return t, nil
}

// GetTemplateSummary implements the API's operation.
func (s *Service) GetTemplateSummary(ctx context.Context, in *cloudformation.GetTemplateSummaryInput) (*cloudformation.GetTemplateSummaryOutput, error) {
	body := in.TemplateBody
	if in.StackName != nil {
		var err error
		s.cfg.Store.View(func(tx *store.Tx) {
			st, ok := s.find(tx, *in.StackName)
			switch {
			case !ok:
				err = invalid("Stack with id %s does not exist", *in.StackName)
			case st.Status == types.StackStatusReviewInProgress:
				err = invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
			default:
				body = aws.String(st.Definition.Template)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	var t *cfn.Template
	var err error
	if in.StackName != nil {
		t, err = s.read(definition{Template: *body})
	} else {
		t, err = s.inspect(ctx, body, in.TemplateURL)
	}
	if err != nil {
		return nil, refuse(err)
	}
	return summary(t), nil
}

func summary(t *cfn.Template) *cloudformation.GetTemplateSummaryOutput {
	out := &cloudformation.GetTemplateSummaryOutput{Description: some(t.Description), Version: some(t.Root.Get("AWSTemplateFormatVersion").Str()),
		DeclaredTransforms: t.Transforms, Parameters: []types.ParameterDeclaration{}}
	if t.Metadata != nil {
		text, _ := t.Metadata.MarshalJSON()
		out.Metadata = aws.String(string(text))
	}
	for _, p := range t.Parameters {
		out.Parameters = append(out.Parameters, types.ParameterDeclaration{ParameterKey: aws.String(p.Name), ParameterType: aws.String(p.Type),
			DefaultValue: p.Default, Description: some(p.Description), NoEcho: aws.Bool(p.NoEcho),
			ParameterConstraints: &types.ParameterConstraints{AllowedValues: p.Allowed}})
	}
	byType := map[string]int{}
	for _, r := range t.Resources {
		i, seen := byType[r.Type]
		if !seen {
			i = len(out.ResourceTypes)
			byType[r.Type] = i
			out.ResourceTypes = append(out.ResourceTypes, r.Type)
			ids := types.ResourceIdentifierSummary{ResourceType: aws.String(r.Type)}
			if facts, ok := spec.Lookup(r.Type); ok {
				ids.ResourceIdentifiers = facts.Ref
			}
			out.ResourceIdentifierSummaries = append(out.ResourceIdentifierSummaries, ids)
		}
		sum := &out.ResourceIdentifierSummaries[i]
		sum.LogicalResourceIds = append(sum.LogicalResourceIds, r.ID)
	}
	out.Capabilities, out.CapabilitiesReason = capabilities(t)
	return out
}
