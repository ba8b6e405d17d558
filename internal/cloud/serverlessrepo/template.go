package serverlessrepo

import (
	"errors"
	"math/big"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
	"evo/internal/sam"
	"evo/internal/source"
)

// facts are what a version's template says to those who deploy it.
type facts struct {
	Parameters   []types.ParameterDefinition
	Capabilities []types.Capability
	Supported    bool
	Nested       []types.ApplicationDependencySummary
}

// read takes a template apart. It must be one that can be deployed: the transforms are tried on it, with the parameters' defaults.
// That local paths cannot be copied is said later, when they are.
func (s *Service) read(text string) (*cfn.Node, facts, error) {
	failed := func(err error) (*cfn.Node, facts, error) {
		return nil, facts{}, badRequest("Invalid SAM template: %s", wording(err))
	}
	root, err := cfn.Parse("", []byte(text))
	if err != nil {
		return failed(err)
	}
	t, err := cfn.ReadTemplate(root)
	if err != nil {
		return failed(err)
	}
	if err := localApplications(t); err != nil {
		return nil, facts{}, err
	}
	defaults := map[string]string{}
	for _, p := range t.Parameters {
		if p.Default != nil {
			defaults[p.Name] = *p.Default
		}
	}
	made, err := cfn.Extend(root, cfn.Env{AccountID: call.Account, Partition: "aws", Region: s.region, URLSuffix: "amazonaws.com", Parameters: defaults})
	if err != nil {
		return failed(err)
	}
	lookUp := &nestedApplications{repository: s.Repository}
	if sam.IsSAM(root) {
		if made, err = sam.Transform(made, sam.Options{Region: s.region, Parameters: defaults, Now: s.cfg.Clock.Now(), Applications: lookUp, LocalPaths: true}); err != nil {
			return failed(err)
		}
	}
	plain, err := cfn.ReadTemplate(made)
	if err != nil {
		return failed(err)
	}
	return root, facts{Parameters: parameterDefinitions(t), Capabilities: capabilities(plain), Supported: supported(plain), Nested: lookUp.found}, nil
}

// wording is a problem without the place in the template, which the caller may have written anew.
func wording(err error) string {
	var d *source.Diagnostic
	if errors.As(err, &d) {
		return d.Message
	}
	return err.Error()
}

// localApplications refuses nested applications that are not published themselves.
func localApplications(t *cfn.Template) error {
	for _, r := range t.Resources {
		if location := r.Properties.Get("Location"); r.Type == "AWS::Serverless::Application" && location.Is(cfn.String) {
			return badRequest("The nested application %s is located at %s: it must be published, and located by ApplicationId and SemanticVersion", r.ID, location.Str())
		}
	}
	return nil
}

// nestedApplications looks nested applications up while a template is read, and notes them.
type nestedApplications struct {
	repository *Repository
	found      []types.ApplicationDependencySummary
}

func (n *nestedApplications) Template(id, semantic string) (out sam.ApplicationTemplate, err error) {
	n.repository.cfg.Store.View(func(tx *store.Tx) { out.URL, err = n.repository.published(tx, id, semantic) })
	if err == nil {
		n.found = append(n.found, types.ApplicationDependencySummary{ApplicationId: &id, SemanticVersion: &semantic})
	}
	return out, err
}

func parameterDefinitions(t *cfn.Template) []types.ParameterDefinition {
	out := []types.ParameterDefinition{}
	for _, p := range t.Parameters {
		d := types.ParameterDefinition{Name: &p.Name, Type: &p.Type, DefaultValue: p.Default, Description: orNil(p.Description), AllowedValues: p.Allowed,
			AllowedPattern: orNil(p.Pattern), ConstraintDescription: orNil(p.Constraint), ReferencedByResources: referencing(t, p.Name),
			MinLength: integer(p.MinLength), MaxLength: integer(p.MaxLength), MinValue: integer(p.MinValue), MaxValue: integer(p.MaxValue)}
		if p.NoEcho {
			d.NoEcho = aws.Bool(true)
		}
		out = append(out, d)
	}
	return out
}

// referencing returns the resources that use a parameter.
func referencing(t *cfn.Template, parameter string) []string {
	ids := []string{}
	for _, r := range t.Resources {
		cfn.References(r.Body, func(name, _ string) {
			if name == parameter && !slices.Contains(ids, r.ID) {
				ids = append(ids, r.ID)
			}
		})
	}
	return ids
}

func integer(f *big.Float) *int32 {
	if f == nil {
		return nil
	}
	n, _ := f.Int64()
	return aws.Int32(int32(n))
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// namedBy are the IAM resources, with the property that gives one a name of its own: then the stronger capability is needed.
var namedBy = map[string]string{"AWS::IAM::Role": "RoleName", "AWS::IAM::Group": "GroupName", "AWS::IAM::InstanceProfile": "InstanceProfileName",
	"AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::User": "UserName", "AWS::IAM::Policy": "", "AWS::IAM::AccessKey": ""}

// resourcePolicies are the types that let others in.
var resourcePolicies = []string{"AWS::Lambda::Permission", "AWS::IAM::Policy", "AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::S3::BucketPolicy",
	"AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"}

// capabilities are what has to be acknowledged to deploy a template, which has been transformed.
func capabilities(t *cfn.Template) []types.Capability {
	needed := map[types.Capability]bool{}
	for _, r := range t.Resources {
		if property, isIAM := namedBy[r.Type]; isIAM && property != "" && r.Properties.Has(property) {
			needed[types.CapabilityCapabilityNamedIam] = true
		} else if isIAM {
			needed[types.CapabilityCapabilityIam] = true
		}
		if slices.Contains(resourcePolicies, r.Type) {
			needed[types.CapabilityCapabilityResourcePolicy] = true
		}
		if r.Type == "AWS::CloudFormation::Stack" {
			needed[types.CapabilityCapabilityAutoExpand] = true
		}
	}
	if needed[types.CapabilityCapabilityNamedIam] {
		delete(needed, types.CapabilityCapabilityIam)
	}
	out := []types.Capability{}
	for _, c := range types.Capability("").Values() {
		if needed[c] {
			out = append(out, c)
		}
	}
	return out
}

// supported tells whether there is every type of resource that the template asks for.
func supported(t *cfn.Template) bool {
	return !slices.ContainsFunc(t.Resources, func(r *cfn.Resource) bool {
		return !spec.Known(r.Type) && r.Type != "AWS::CloudFormation::CustomResource" && !isCustom(r.Type)
	})
}

func isCustom(kind string) bool { return len(kind) > 8 && kind[:8] == "Custom::" }
