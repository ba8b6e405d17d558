package serverlessrepo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	api "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"
	"github.com/aws/smithy-go"

	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
)

// madeTemplate is a version's template, made ready for CloudFormation for a while.
type madeTemplate struct {
	ID, Application, Semantic string
	Created                   time.Time
}

// templateLife is how long a template can be used that was asked for.
const templateLife = time.Hour

// Published returns where the template of an application's version is, for a stack that nests it.
func (s *Service) Published(applicationID, semantic string) (url string, err error) {
	s.cfg.Store.View(func(tx *store.Tx) { url, err = s.published(tx, applicationID, semantic) })
	return url, err
}

// published fails with a text alone, which a transform puts into its own.
func (r *Repository) published(tx *store.Tx, applicationID, semantic string) (string, error) {
	a, v, err := r.find(tx, &applicationID, &semantic)
	if err != nil {
		var e smithy.APIError
		if errors.As(err, &e) {
			return "", errors.New(e.ErrorMessage())
		}
		return "", err
	}
	return *r.url(a, v.TemplateKey), nil
}

func (r *Repository) find(tx *store.Tx, arn, semantic *string) (application, *version, error) {
	a, err := r.application(tx, arn)
	if err != nil {
		return a, nil, err
	}
	v, err := r.version(tx, a.ARN, semantic)
	return a, v, err
}

// CreateCloudFormationTemplate makes a version's template ready. Here it is at once.
func (s *Service) CreateCloudFormationTemplate(ctx context.Context, in *api.CreateCloudFormationTemplateInput) (*api.CreateCloudFormationTemplateOutput, error) {
	var out *api.GetCloudFormationTemplateOutput
	err := s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		a, v, err := s.find(tx, in.ApplicationId, in.SemanticVersion)
		if err != nil {
			return err
		}
		now := s.cfg.Clock.Now()
		for key, t := range s.templates.Ascend(tx, "") {
			if now.Sub(t.Created) > 2*templateLife { // for as long again they are known to have expired
				s.templates.Delete(tx, key)
			}
		}
		t := madeTemplate{ID: id.UUID(), Application: a.ARN, Semantic: v.Semantic, Created: now}
		s.templates.Put(tx, t.ID, t)
		out = s.describeTemplate(a, *v, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	made := api.CreateCloudFormationTemplateOutput(*out)
	return &made, nil
}

func (s *Service) describeTemplate(a application, v version, t madeTemplate) *api.GetCloudFormationTemplateOutput {
	out := &api.GetCloudFormationTemplateOutput{ApplicationId: &a.ARN, SemanticVersion: &v.Semantic, TemplateId: &t.ID, TemplateUrl: s.url(a, v.TemplateKey),
		CreationTime: moment(t.Created), ExpirationTime: moment(t.Created.Add(templateLife)), Status: types.StatusActive}
	if t.expired(s.cfg.Clock.Now()) {
		out.Status = types.StatusExpired
	}
	return out
}

func (t madeTemplate) expired(now time.Time) bool { return !now.Before(t.Created.Add(templateLife)) }

// template finds a template of an application that was made ready.
func (s *Service) template(tx *store.Tx, applicationID, templateID *string) (a application, v *version, t madeTemplate, err error) {
	t, ok := s.templates.Get(tx, aws.ToString(templateID))
	if a, err = s.application(tx, applicationID); err != nil {
		return a, nil, t, err
	}
	if !ok || t.Application != a.ARN {
		return a, nil, t, notFound("Template with id %s does not exist for application %s", aws.ToString(templateID), a.ARN)
	}
	v, err = s.version(tx, a.ARN, &t.Semantic)
	return a, v, t, err
}

// GetCloudFormationTemplate tells whether a template is ready.
func (s *Service) GetCloudFormationTemplate(_ context.Context, in *api.GetCloudFormationTemplateInput) (out *api.GetCloudFormationTemplateOutput, err error) {
	s.cfg.Store.View(func(tx *store.Tx) {
		a, v, t, failure := s.template(tx, in.ApplicationId, in.TemplateId)
		if err = failure; err == nil {
			out = s.describeTemplate(a, *v, t)
		}
	})
	return out, err
}

// stackPrefix is what the names of the repository's stacks begin with.
const stackPrefix = "serverlessrepo-"

// CreateCloudFormationChangeSet makes a change set that deploys a version: as a new stack, or to the one that there is of the name.
func (s *Service) CreateCloudFormationChangeSet(ctx context.Context, in *api.CreateCloudFormationChangeSetInput) (*api.CreateCloudFormationChangeSetOutput, error) {
	a, v, err := s.toDeploy(in)
	if err != nil {
		return nil, err
	}
	ask, err := changeSet(in, a, *v)
	if err != nil {
		return nil, err
	}
	ask.TemplateURL = s.url(a, v.TemplateKey)
	if ask.ChangeSetType, err = s.changeSetType(ctx, *ask.StackName); err != nil {
		return nil, err
	}
	made, err := s.stacks.CreateChangeSet(ctx, ask)
	if err != nil {
		return nil, refusal(err)
	}
	return &api.CreateCloudFormationChangeSetOutput{ApplicationId: &a.ARN, SemanticVersion: &v.Semantic, ChangeSetId: made.Id, StackId: made.StackId}, nil
}

// toDeploy finds what is to be deployed: a template that was made ready, a version, or the latest.
func (s *Service) toDeploy(in *api.CreateCloudFormationChangeSetInput) (a application, v *version, err error) {
	s.cfg.Store.View(func(tx *store.Tx) {
		if aws.ToString(in.TemplateId) == "" {
			a, v, err = s.find(tx, in.ApplicationId, in.SemanticVersion)
			return
		}
		var t madeTemplate
		if a, v, t, err = s.template(tx, in.ApplicationId, in.TemplateId); err == nil && t.expired(s.cfg.Clock.Now()) {
			err = badRequest("Template with id %s has expired", t.ID)
		}
	})
	if err != nil {
		return a, nil, err
	}
	if missing := notGiven(v.Says.Capabilities, in.Capabilities); len(missing) > 0 {
		return a, nil, badRequest("Required capabilities [%s] were not provided.", strings.Join(missing, ", "))
	}
	return a, v, nil
}

// notGiven returns the capabilities that nobody has acknowledged; the stronger one for IAM stands for the other too.
func notGiven(required []types.Capability, given []string) (missing []string) {
	for _, c := range required {
		named := c == types.CapabilityCapabilityIam && slices.Contains(given, string(types.CapabilityCapabilityNamedIam))
		if !named && !slices.Contains(given, string(c)) {
			missing = append(missing, string(c))
		}
	}
	return missing
}

// changeSet writes for CloudFormation what is asked for.
func changeSet(in *api.CreateCloudFormationChangeSetInput, a application, v version) (*cloudformation.CreateChangeSetInput, error) {
	out := &cloudformation.CreateChangeSetInput{StackName: aws.String(stackPrefix + *in.StackName), ChangeSetName: in.ChangeSetName, ClientToken: in.ClientToken,
		Description: in.Description, NotificationARNs: in.NotificationArns, ResourceTypes: in.ResourceTypes,
		Tags: []cfntypes.Tag{{Key: aws.String("serverlessrepo:applicationId"), Value: &a.ARN}, {Key: aws.String("serverlessrepo:semanticVersion"), Value: &v.Semantic}}}
	if aws.ToString(out.ChangeSetName) == "" {
		out.ChangeSetName = aws.String("a" + id.UUID())
	}
	for _, c := range in.Capabilities {
		if !slices.Contains(types.Capability("").Values(), types.Capability(c)) {
			return nil, badRequest("Invalid capability '%s'", c)
		}
		if c != string(types.CapabilityCapabilityResourcePolicy) { // which is the repository's own
			out.Capabilities = append(out.Capabilities, cfntypes.Capability(c))
		}
	}
	for _, p := range in.ParameterOverrides {
		out.Parameters = append(out.Parameters, cfntypes.Parameter{ParameterKey: p.Name, ParameterValue: p.Value})
	}
	for _, t := range in.Tags {
		out.Tags = append(out.Tags, cfntypes.Tag{Key: t.Key, Value: t.Value})
	}
	if r := in.RollbackConfiguration; r != nil {
		out.RollbackConfiguration = &cfntypes.RollbackConfiguration{MonitoringTimeInMinutes: r.MonitoringTimeInMinutes}
		for _, t := range r.RollbackTriggers {
			out.RollbackConfiguration.RollbackTriggers = append(out.RollbackConfiguration.RollbackTriggers, cfntypes.RollbackTrigger{Arn: t.Arn, Type: t.Type})
		}
	}
	return out, nil
}

// changeSetType tells whether there is a stack to be updated.
func (s *Service) changeSetType(ctx context.Context, name string) (cfntypes.ChangeSetType, error) {
	if s.stacks == nil {
		return "", fmt.Errorf("deploy an application: there is no CloudFormation here")
	}
	out, err := s.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil || len(out.Stacks) == 0 || out.Stacks[0].StackStatus == cfntypes.StackStatusReviewInProgress {
		return cfntypes.ChangeSetTypeCreate, nil
	}
	return cfntypes.ChangeSetTypeUpdate, nil
}

// refusal writes CloudFormation's refusal as the repository's.
func refusal(err error) error {
	var exists *cfntypes.AlreadyExistsException
	var e smithy.APIError
	switch {
	case errors.As(err, &exists):
		return conflict("%s", exists.ErrorMessage())
	case errors.As(err, &e) && e.ErrorFault() != smithy.FaultServer:
		return badRequest("%s", e.ErrorMessage())
	}
	return err
}
