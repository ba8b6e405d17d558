// Package gate answers: what does evo add to a template so that each of its releases is judged?
//
// CodeDeploy's hooks alone leave holes: a new stack starts no deployment, a release that changes only a bucket publishes no version, and
// a hook sees a stack that is half updated. So one custom resource, the release gate, depends on every other resource and carries the
// release's number: CloudFormation creates or updates it last, once a release, and rolls all back if it says no. The fitness hook, a
// Lambda function, serves it; the same function is hook of each gradually deployed function that names no hook of its own.
//
// Between releases a schedule has the hook measure once a day, and an alarm compares what it measures with the last accepted release.
//
// All that a release needs to be judged stands in these resources' properties, so that a rollback of the stack takes it back as well.
package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"evo/internal/cfn"
)

// The logical ids of what Install adds, and the release gate's type.
const (
	RoleID       = "EvoFitnessHookRole"
	HookID       = "EvoFitnessHook"
	GateID       = "EvoReleaseGate"
	AlarmID      = "EvoFitnessAlarm"
	ScheduleID   = "EvoFitnessSchedule"
	PermissionID = "EvoFitnessSchedulePermission"
	Type         = "Custom::EvoReleaseGate"
)

// IDs are the logical ids of all that Install adds. They are evo's, and no part of the architecture that is judged.
var IDs = []string{RoleID, HookID, GateID, AlarmID, ScheduleID, PermissionID}

// Handler is the handler's name in the fitness hook's configuration. A program that is more than the hook tells by it what it is to be.
const Handler = "evo.hook"

// The names of the fitness hook's environment variables.
const (
	EnvStack       = "EVO_STACK"
	EnvRelease     = "EVO_RELEASE"
	EnvReleaseName = "EVO_RELEASE_NAME"
	EnvDigest      = "EVO_DIGEST"
	EnvBucket      = "EVO_BUCKET"
	EnvPrefix      = "EVO_PREFIX"
	EnvSuite       = "EVO_SUITE"
	EnvOverride    = "EVO_OVERRIDE"
)

// Namespace and Metric are where the hook publishes a stack's fitness, with the dimension Stack.
const (
	Namespace = "evo"
	Metric    = "Fitness"
)

// Threshold is the gate's attribute that says below which fitness the stack has drifted from its last accepted release.
const Threshold = "Threshold"

// Release is what the hook is told of the release that it judges.
type Release struct {
	Number   int
	Name     string
	Digest   string // of the template and its parameters' values, so that the same again is no new release
	Bucket   string // with reports and suites
	Prefix   string // of all objects about the stack, without a slash at the end
	Suite    string // the key of the fitness.yaml; empty for evo's own suite
	Override string // the reason for which this release passes whatever its fitness is; empty: it does not
}

// Statement is what the hook's role may do.
type Statement struct {
	Actions    []string
	Resources  []*cfn.Node // ARNs, with intrinsics
	Conditions *cfn.Node   // nil if there are none
}

// Options are what Install needs to know.
type Options struct {
	Stack        string
	Release      Release
	CodeBucket   string // where the hook's program is
	CodeKey      string
	Architecture string      // the program's: x86_64 or arm64
	Resources    []Resource  // of the template after all transforms
	Statements   []Statement // to read what the stack contains
}

// Resource is a resource of the transformed template.
type Resource struct{ ID, Type string }

// Install returns the template with fitness hook, release gate and fitness alarm. It fails if the template has resources of these names that are
// something else.
func Install(template *cfn.Node, o Options) (*cfn.Node, error) {
	out := template.Clone()
	resources := out.Get("Resources")
	for _, id := range IDs {
		if resources.Has(id) {
			return nil, fmt.Errorf("add the release gate: the template has a resource %s, a name that is evo's", id)
		}
	}
	hookGradual(out)
	resources.Set(RoleID, o.role())
	resources.Set(HookID, o.hook())
	resources.Set(ScheduleID, schedule())
	resources.Set(PermissionID, permission())
	resources.Set(GateID, o.gate())
	resources.Set(AlarmID, alarm())
	return out, nil
}

// HookName is the fitness hook's function name in a stack. CodeDeploy's managed policies let it call functions whose names begin so.
func HookName(stack string) string {
	const prefix, suffix, limit = "CodeDeployHook_", "_EvoFitness", 64
	if free := limit - len(prefix) - len(suffix); len(stack) > free {
		sum := sha256.Sum256([]byte(stack))
		stack = stack[:free-9] + "-" + hex.EncodeToString(sum[:4])
	}
	return prefix + stack + suffix
}

// hookGradual names the fitness hook where a function is deployed gradually and names no hook.
func hookGradual(template *cfn.Node) {
	global := template.At("Globals", "Function", "DeploymentPreference")
	for _, r := range template.Get("Resources").Entries() {
		if r.Value.Get("Type").Str() != "AWS::Serverless::Function" || !r.Value.Get("Properties").Is(cfn.Map) {
			continue
		}
		own := r.Value.At("Properties", "DeploymentPreference")
		if !gradual(own, global) || own.Has("Hooks") || global.Has("Hooks") {
			continue
		}
		if own == nil {
			own = cfn.Obj()
			r.Value.Get("Properties").Set("DeploymentPreference", own)
		}
		own.Set("Hooks", cfn.Obj(cfn.P("PreTraffic", cfn.Ref(HookID)), cfn.P("PostTraffic", cfn.Ref(HookID))))
	}
}

// gradual reports whether a function has a deployment preference that is on, and that can be added to: an intrinsic function cannot.
func gradual(own, global *cfn.Node) bool {
	if own == nil && global == nil {
		return false
	}
	for _, n := range []*cfn.Node{own, global} {
		if n == nil {
			continue
		}
		if _, _, ok := n.Intrinsic(); ok || !n.Is(cfn.Map) {
			return false
		}
	}
	enabled := own.Get("Enabled")
	if enabled == nil {
		enabled = global.Get("Enabled")
	}
	on, known := enabled.Bool()
	return enabled == nil || on || !known
}

func (o *Options) role() *cfn.Node {
	trust := document(allow([]string{"sts:AssumeRole"}, nil, cfn.P("Principal", cfn.Obj(cfn.P("Service", cfn.Str("lambda.amazonaws.com"))))))
	var statements []*cfn.Node
	for _, s := range append(o.own(), o.Statements...) {
		var more []cfn.Pair
		if s.Conditions != nil {
			more = append(more, cfn.P("Condition", s.Conditions))
		}
		statements = append(statements, allow(s.Actions, s.Resources, more...))
	}
	return cfn.Obj(
		cfn.P("Type", cfn.Str("AWS::IAM::Role")),
		cfn.P("Properties", cfn.Obj(
			cfn.P("Description", cfn.Str("What evo's fitness hook may do: read the stack's configuration, publish its fitness")),
			cfn.P("AssumeRolePolicyDocument", trust),
			cfn.P("ManagedPolicyArns", cfn.Arr(sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"))),
			cfn.P("Policies", cfn.Arr(cfn.Obj(
				cfn.P("PolicyName", cfn.Str("fitness")),
				cfn.P("PolicyDocument", document(statements...)),
			))),
		)))
}

// own are the permissions that judging needs in every stack.
func (o *Options) own() []Statement {
	objects := sub("arn:${AWS::Partition}:s3:::" + o.Release.Bucket + "/" + o.Release.Prefix + "/*")
	bucket := sub("arn:${AWS::Partition}:s3:::" + o.Release.Bucket)
	everything := []*cfn.Node{cfn.Str("*")}
	statements := []Statement{
		{[]string{"cloudformation:DescribeStacks", "cloudformation:GetTemplate", "cloudformation:ListStackResources"},
			[]*cfn.Node{cfn.Ref("AWS::StackId")}, nil},
		{[]string{"s3:GetObject", "s3:PutObject"}, []*cfn.Node{objects}, nil},
		{[]string{"s3:ListBucket"}, []*cfn.Node{bucket}, nil},
		{[]string{"cloudwatch:PutMetricData"}, everything, cfn.Obj(cfn.P("StringEquals",
			cfn.Obj(cfn.P("cloudwatch:namespace", cfn.Str(Namespace)))))},
		{[]string{"cloudwatch:GetMetricData"}, everything, nil},
	}
	if o.has("AWS::CloudWatch::Dashboard") {
		statements = append(statements, Statement{[]string{"cloudwatch:GetDashboard", "cloudwatch:PutDashboard"},
			[]*cfn.Node{sub("arn:${AWS::Partition}:cloudwatch::${AWS::AccountId}:dashboard/*")}, nil})
	}
	if o.has("AWS::CodeDeploy::Application") { // a deployment's targets are no resources to IAM
		statements = append(statements, Statement{[]string{"codedeploy:GetDeploymentTarget", "codedeploy:ListDeploymentTargets"}, everything, nil})
	}
	for _, app := range o.Resources {
		if app.Type == "AWS::CodeDeploy::Application" {
			statements = append(statements, Statement{[]string{"codedeploy:PutLifecycleEventHookExecutionStatus"},
				[]*cfn.Node{sub("arn:${AWS::Partition}:codedeploy:${AWS::Region}:${AWS::AccountId}:deploymentgroup:${" + app.ID + "}/*")}, nil})
		}
	}
	return statements
}

func (o *Options) has(typeName string) bool {
	return slices.ContainsFunc(o.Resources, func(r Resource) bool { return r.Type == typeName })
}

// hookTimeout, in seconds, is the function's. The hook answers before; the gate waits longer than any answer can take, since a local cloud's clock may run fast.
const hookTimeout, serviceTimeout = 120, 1200

func (o *Options) hook() *cfn.Node {
	r := o.Release
	env := cfn.Obj(
		cfn.P(EnvStack, cfn.Ref("AWS::StackName")), cfn.P(EnvRelease, cfn.Str(strconv.Itoa(r.Number))),
		cfn.P(EnvReleaseName, cfn.Str(r.Name)), cfn.P(EnvDigest, cfn.Str(r.Digest)),
		cfn.P(EnvBucket, cfn.Str(r.Bucket)), cfn.P(EnvPrefix, cfn.Str(r.Prefix)))
	if r.Suite != "" {
		env.Set(EnvSuite, cfn.Str(r.Suite))
	}
	if r.Override != "" {
		env.Set(EnvOverride, cfn.Str(r.Override))
	}
	return cfn.Obj(
		cfn.P("Type", cfn.Str("AWS::Lambda::Function")),
		cfn.P("Properties", cfn.Obj(
			cfn.P("FunctionName", cfn.Str(HookName(o.Stack))),
			cfn.P("Description", cfn.Str("evo's fitness hook: judges each release of the stack")),
			cfn.P("Runtime", cfn.Str("provided.al2023")),
			cfn.P("Handler", cfn.Str(Handler)),
			cfn.P("Architectures", cfn.Arr(cfn.Str(o.Architecture))),
			cfn.P("Code", cfn.Obj(cfn.P("S3Bucket", cfn.Str(o.CodeBucket)), cfn.P("S3Key", cfn.Str(o.CodeKey)))),
			cfn.P("Role", attribute(RoleID, "Arn")),
			cfn.P("MemorySize", cfn.Integer(512)),
			cfn.P("Timeout", cfn.Integer(hookTimeout)),
			cfn.P("Environment", cfn.Obj(cfn.P("Variables", env))),
		)))
}

func (o *Options) gate() *cfn.Node {
	depends := cfn.Arr()
	for _, r := range o.Resources {
		if !unnamed[r.Type] && !slices.Contains(IDs, r.ID) {
			depends.Items = append(depends.Items, cfn.Str(r.ID))
		}
	}
	// Where these cannot be made, no release is accepted that would then be taken back.
	depends.Items = append(depends.Items, cfn.Str(ScheduleID), cfn.Str(PermissionID))
	r := o.Release
	properties := cfn.Obj(
		cfn.P("ServiceToken", attribute(HookID, "Arn")),
		cfn.P("ServiceTimeout", cfn.Integer(serviceTimeout)),
		cfn.P("Release", cfn.Str(strconv.Itoa(r.Number))), cfn.P("Name", cfn.Str(r.Name)), cfn.P("Digest", cfn.Str(r.Digest)),
		cfn.P("Bucket", cfn.Str(r.Bucket)), cfn.P("Prefix", cfn.Str(r.Prefix)))
	if r.Suite != "" {
		properties.Set("Suite", cfn.Str(r.Suite))
	}
	if r.Override != "" {
		properties.Set("Override", cfn.Str(r.Override))
	}
	return cfn.Obj(cfn.P("Type", cfn.Str(Type)), cfn.P("DependsOn", depends), cfn.P("Properties", properties))
}

// unnamed are types whose logical ids SAM makes of hashes, which AWS's transform might make otherwise than ours. Each of them is
// referred to by a resource that is not of these types, which the gate does depend on.
var unnamed = map[string]bool{"AWS::ApiGateway::Deployment": true, "AWS::Lambda::Version": true, "AWS::Lambda::LayerVersion": true}

// ReleaseOf reads which release a stack's template carries; ok is false if it has no gate.
func ReleaseOf(template *cfn.Node) (r Release, ok bool) {
	gate := template.At("Resources", GateID)
	if gate.Get("Type").Str() != Type {
		return r, false
	}
	p := gate.Get("Properties")
	r = Release{Name: p.Get("Name").Str(), Digest: p.Get("Digest").Str(), Bucket: p.Get("Bucket").Str(), Prefix: p.Get("Prefix").Str(),
		Suite: p.Get("Suite").Str(), Override: p.Get("Override").Str()}
	number, err := strconv.Atoi(p.Get("Release").Str())
	r.Number = number
	return r, err == nil
}

func document(statements ...*cfn.Node) *cfn.Node {
	return cfn.Obj(cfn.P("Version", cfn.Str("2012-10-17")), cfn.P("Statement", cfn.Arr(statements...)))
}

func allow(actions []string, resources []*cfn.Node, more ...cfn.Pair) *cfn.Node {
	s := cfn.Obj(cfn.P("Effect", cfn.Str("Allow")), cfn.P("Action", cfn.From(actions)))
	if resources != nil {
		s.Set("Resource", cfn.Arr(resources...))
	}
	for _, p := range more {
		s.Set(p.Key, p.Value)
	}
	return s
}

func attribute(id, name string) *cfn.Node {
	return cfn.Obj(cfn.P("Fn::GetAtt", cfn.Arr(cfn.Str(id), cfn.Str(name))))
}

func sub(text string) *cfn.Node { return cfn.Obj(cfn.P("Fn::Sub", cfn.Str(text))) }
