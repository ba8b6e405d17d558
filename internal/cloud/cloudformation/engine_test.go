package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cfn"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

// things is a place where resources of the type Test::Thing are: it knows their names and values, survives the service, and
// keeps names unique, so that a step done twice shows.
type things struct {
	mu      sync.Mutex
	have    map[string]string // value by name
	created int
	deleted []string
}

// A Thing has a Name, a Value, and Fail: the action ("Create", "Update" but not back, "Delete") that it refuses; Wait: it is never ready.
func (p *things) handler() Handler {
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) {
			name := r.Name("Name", 64)
			if r.Str("Fail") == "Create" {
				return Result{}, errors.New("it does not want to be")
			}
			if r.Str("Wait") != "" {
				return Result{}, r.Await(ctx, func() (bool, error) { return false, nil })
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if _, there := p.have[name]; there && !r.Retry {
				return Result{}, &handlerError{name + " already exists", "AlreadyExists"}
			} else if !there {
				p.created++
			}
			p.have[name] = r.Str("Value")
			return p.result(name), nil
		},
		Update: func(_ context.Context, r *Request) (Result, error) {
			if r.Str("Fail") == "Update" && !r.Rollback {
				return Result{Physical: r.Physical}, errors.New("it does not want to change")
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if _, there := p.have[r.Physical]; !there {
				return Result{Physical: r.Physical}, fmt.Errorf("%s is not there", r.Physical)
			}
			p.have[r.Physical] = r.Str("Value")
			return p.result(r.Physical), nil
		},
		Delete: func(_ context.Context, r *Request) error {
			if r.Str("Fail") == "Delete" {
				return errors.New("it does not want to go")
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.have, r.Physical)
			p.deleted = append(p.deleted, r.Logical)
			return nil
		},
		Replaces: func(before, after *cfn.Node) bool {
			return !cfn.Same(before.Get("Name"), after.Get("Name")) || !cfn.Same(before.Get("Anew"), after.Get("Anew"))
		},
	}
}

func (p *things) result(name string) Result {
	return Result{Physical: name, Attributes: map[string]any{"Arn": "arn:thing:" + name, "Value": p.have[name]}}
}

func (p *things) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.have))
}

// world is a service with things, reached by the real client.
type world struct {
	t      testing.TB
	s      *Service
	db     *store.DB
	things *things
	*cloudformation.Client
}

func newWorld(t testing.TB, change ...func(*Config)) *world {
	w := &world{t: t, db: store.Memory(), things: &things{have: map[string]string{}}}
	w.open(change...)
	t.Cleanup(func() { w.s.Close() })
	return w
}

// open makes a service over the state that is there.
func (w *world) open(change ...func(*Config)) {
	w.t.Helper()
	cfg := Config{Region: "us-east-1", Store: w.db, Clock: clock.Real{}, Handlers: map[string]Handler{"Test::Thing": w.things.handler()}}
	for _, f := range change {
		f(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.s = s
	w.Client = cloudformation.NewFromConfig(wiretest.Config(w.t, wiretest.Serve{"cloudformation": s}))
}

func (w *world) settle(name string) types.Stack {
	w.t.Helper()
	var id string
	w.db.View(func(tx *store.Tx) {
		st, _ := w.s.find(tx, name)
		id = st.ID
	})
	if err := w.s.wait(w.t.Context(), id); err != nil {
		w.t.Fatal(err)
	}
	out, err := w.DescribeStacks(w.t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
	if err != nil {
		out, err = w.DescribeStacks(w.t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(id)})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Stacks[0]
}

func (w *world) create(name, template string, change ...func(*cloudformation.CreateStackInput)) types.Stack {
	w.t.Helper()
	in := &cloudformation.CreateStackInput{StackName: aws.String(name), TemplateBody: aws.String(template)}
	for _, f := range change {
		f(in)
	}
	out, err := w.CreateStack(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.settle(*out.StackId)
}

func (w *world) update(name, template string) types.Stack {
	w.t.Helper()
	if _, err := w.UpdateStack(w.t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String(name), TemplateBody: aws.String(template)}); err != nil {
		w.t.Fatal(err)
	}
	return w.settle(name)
}

// history is a stack's events, the oldest first, in short: logical id, status, reason.
func (w *world) history(name string) string {
	w.t.Helper()
	out, err := w.DescribeStackEvents(w.t.Context(), &cloudformation.DescribeStackEventsInput{StackName: aws.String(name)})
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, e := range slices.Backward(out.StackEvents) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", *e.LogicalResourceId, e.ResourceStatus, aws.ToString(e.ResourceStatusReason))))
	}
	return strings.Join(lines, "\n")
}

func want(t testing.TB, what, got, want string) {
	t.Helper()
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

func code(err error) string {
	if err == nil {
		return "none"
	}
	return errorCode(err) + ": " + errorMessage(err)
}

func TestCreateUpdateDelete(t *testing.T) {
	w := newWorld(t)
	st := w.create("s", `
Parameters: {P: {Type: String, Default: one}, Secret: {Type: String, Default: hush-hush, NoEcho: true}}
Resources:
  A: {Type: "Test::Thing", Properties: {Value: !Ref P, S: !Sub "-${Secret}"}}
  B: {Type: "Test::Thing", Properties: {Value: !Sub "${A.Arn}!"}}
Outputs:
  Arn: {Value: !GetAtt B.Arn, Description: of b, Export: {Name: !Sub "${AWS::StackName}-arn"}}
  Value: {Value: !GetAtt B.Value}
`)
	if st.StackStatus != types.StackStatusCreateComplete || len(st.Outputs) != 2 || aws.ToString(st.Outputs[0].ExportName) != "s-arn" {
		t.Fatalf("%s %s, outputs %v", st.StackStatus, aws.ToString(st.StackStatusReason), st.Outputs)
	}
	if a := aws.ToString(st.Outputs[1].OutputValue); !strings.HasPrefix(a, "arn:thing:s-A-") || !strings.HasSuffix(a, "!") {
		t.Errorf("Value = %s", a)
	}
	events, err := w.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: aws.String("s")})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, e := range events.StackEvents {
		ids[*e.EventId] = true
		if p := aws.ToString(e.ResourceProperties); strings.Contains(p, "hush-hush") || *e.LogicalResourceId == "A" && !strings.Contains(p, `"S":"-****"`) {
			t.Errorf("%s: %s", *e.EventId, p)
		}
	}
	if len(ids) != len(events.StackEvents) {
		t.Errorf("%d events have %d ids", len(events.StackEvents), len(ids))
	}
	if p := st.Parameters[1]; aws.ToString(p.ParameterValue) != "****" {
		t.Errorf("the secret is shown: %s", aws.ToString(p.ParameterValue))
	}
	want(t, "events", w.history("s"), `
s CREATE_IN_PROGRESS User Initiated
A CREATE_IN_PROGRESS
A CREATE_IN_PROGRESS Resource creation Initiated
A CREATE_COMPLETE
B CREATE_IN_PROGRESS
B CREATE_IN_PROGRESS Resource creation Initiated
B CREATE_COMPLETE
s CREATE_COMPLETE`)
	before := len(strings.Split(w.history("s"), "\n"))
	st = w.update("s", `
Parameters: {P: {Type: String, Default: one}}
Resources:
  A: {Type: "Test::Thing", Properties: {Value: !Ref P, S: -hush-hush}}
  B: {Type: "Test::Thing", Properties: {Value: two, Anew: 1}}
  C: {Type: "Test::Thing", Properties: {Value: !Ref B}}
`)
	if st.StackStatus != types.StackStatusUpdateComplete || len(st.Outputs) != 0 {
		t.Fatalf("%s, outputs %v", st.StackStatus, st.Outputs)
	}
	want(t, "events of the update", strings.Join(strings.Split(w.history("s"), "\n")[before:], "\n"), `
s UPDATE_IN_PROGRESS User Initiated
B UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one.
B UPDATE_IN_PROGRESS Resource creation Initiated
B UPDATE_COMPLETE
C CREATE_IN_PROGRESS
C CREATE_IN_PROGRESS Resource creation Initiated
C CREATE_COMPLETE
s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
B DELETE_IN_PROGRESS
B DELETE_COMPLETE
s UPDATE_COMPLETE`)
	if n := len(w.things.names()); n != 3 {
		t.Errorf("%d things are there, want 3", n)
	}
	_, err = w.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("s"), UsePreviousTemplate: aws.Bool(true)})
	want(t, "an update without changes", code(err), "ValidationError: No updates are to be performed.")
	if _, err := w.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: st.StackId}); err != nil {
		t.Fatal(err)
	}
	if st = w.settle(*st.StackId); st.StackStatus != types.StackStatusDeleteComplete {
		t.Errorf("status %s", st.StackStatus)
	}
	if names := w.things.names(); len(names) > 0 {
		t.Errorf("%v are left over", names)
	}
	if d := w.things.deleted[1:]; len(d) != 3 || slices.Index(d, "C") > slices.Index(d, "B") {
		t.Errorf("deleted in the order %v: C needs B", d)
	}
	_, err = w.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("s")})
	want(t, "describe by name", code(err), "ValidationError: Stack with id s does not exist")
	_, err = w.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: aws.String("s")})
	want(t, "events by name", code(err), "ValidationError: Stack [s] does not exist")
}

func TestCreateRollsBack(t *testing.T) {
	w := newWorld(t)
	template := `
Resources:
  A: {Type: "Test::Thing", Properties: {Value: 1}}
  B: {Type: "Test::Thing", DependsOn: A, Properties: {Fail: Create}}
  C: {Type: "Test::Thing", DependsOn: B}
`
	st := w.create("s", template)
	want(t, "events", w.history("s"), `
s CREATE_IN_PROGRESS User Initiated
A CREATE_IN_PROGRESS
A CREATE_IN_PROGRESS Resource creation Initiated
A CREATE_COMPLETE
B CREATE_IN_PROGRESS
B CREATE_FAILED it does not want to be
s ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [B]. Rollback requested by user.
B DELETE_COMPLETE
A DELETE_IN_PROGRESS
A DELETE_COMPLETE
s ROLLBACK_COMPLETE`)
	if n := w.things.names(); len(n) > 0 {
		t.Errorf("%v are left over", n)
	}
	_, err := w.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(template)})
	want(t, "update", code(err), "ValidationError: Stack:"+*st.StackId+" is in ROLLBACK_COMPLETE state and can not be updated.")

	st = w.create("kept", template, func(in *cloudformation.CreateStackInput) { in.DisableRollback = aws.Bool(true) })
	want(t, "without rollback", string(st.StackStatus)+" "+aws.ToString(st.StackStatusReason), "CREATE_FAILED The following resource(s) failed to create: [B].")
	if n := w.things.names(); len(n) != 1 {
		t.Errorf("%v are there, want one", n)
	}
	if _, err := w.RollbackStack(t.Context(), &cloudformation.RollbackStackInput{StackName: aws.String("kept")}); err != nil {
		t.Fatal(err)
	}
	if st = w.settle("kept"); st.StackStatus != types.StackStatusRollbackComplete || len(w.things.names()) > 0 {
		t.Errorf("%s, %v", st.StackStatus, w.things.names())
	}

	st = w.create("gone", template, func(in *cloudformation.CreateStackInput) { in.OnFailure = types.OnFailureDelete })
	if st.StackStatus != types.StackStatusDeleteComplete || len(w.things.names()) > 0 {
		t.Errorf("OnFailure DELETE: %s, %v", st.StackStatus, w.things.names())
	}
}

func TestUpdateRollsBack(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Parallel = 1 })
	w.create("s", `
Resources:
  A: {Type: "Test::Thing", Properties: {Name: a, Value: 1}}
  B: {Type: "Test::Thing", Properties: {Name: b, Value: 1}}
  Old: {Type: "Test::Thing", Properties: {Name: old}}
  Z: {Type: "Test::Thing", DependsOn: [A, B], Properties: {Name: z}}
`)
	before := len(strings.Split(w.history("s"), "\n"))
	st := w.update("s", `
Resources:
  A: {Type: "Test::Thing", Properties: {Name: a, Value: 2}}
  B: {Type: "Test::Thing", DependsOn: A, Properties: {Name: b2, Value: 2}}
  N: {Type: "Test::Thing", DependsOn: B, Properties: {Name: n}}
  K: {Type: "Test::Thing", DependsOn: N, DeletionPolicy: Retain, Properties: {Name: k}}
  Z: {Type: "Test::Thing", DependsOn: K, Properties: {Name: z, Fail: Update}}
`)
	if st.StackStatus != types.StackStatusUpdateRollbackComplete {
		t.Errorf("status %s", st.StackStatus)
	}
	want(t, "events", strings.Join(strings.Split(w.history("s"), "\n")[before:], "\n"), `
s UPDATE_IN_PROGRESS User Initiated
A UPDATE_IN_PROGRESS
A UPDATE_COMPLETE
B UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one.
B UPDATE_IN_PROGRESS Resource creation Initiated
B UPDATE_COMPLETE
N CREATE_IN_PROGRESS
N CREATE_IN_PROGRESS Resource creation Initiated
N CREATE_COMPLETE
K CREATE_IN_PROGRESS
K CREATE_IN_PROGRESS Resource creation Initiated
K CREATE_COMPLETE
Z UPDATE_IN_PROGRESS
Z UPDATE_FAILED it does not want to change
s UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to update: [Z].
A UPDATE_IN_PROGRESS
A UPDATE_COMPLETE
B UPDATE_IN_PROGRESS
B UPDATE_COMPLETE
Z UPDATE_IN_PROGRESS
Z UPDATE_COMPLETE
s UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
K DELETE_SKIPPED
N DELETE_IN_PROGRESS
N DELETE_COMPLETE
B DELETE_IN_PROGRESS
B DELETE_COMPLETE
s UPDATE_ROLLBACK_COMPLETE`)
	want(t, "things", strings.Join(w.things.names(), " "), "a b k old z")
	want(t, "A's value", w.things.have["a"], "1")
}

func TestStackNames(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"1a", "a_b", "a b", "-a", "", strings.Repeat("a", 129)} {
		_, err := w.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String(name),
			TemplateBody: aws.String(`{Resources: {A: {Type: "Test::Thing", Properties: {Name: a}}}}`)})
		if err == nil || !strings.Contains(err.Error(), "at 'stackName' failed to satisfy constraint") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestValidateTemplateFindsCircles(t *testing.T) {
	w := newWorld(t)
	validate := func(template string) error {
		_, err := w.ValidateTemplate(t.Context(), &cloudformation.ValidateTemplateInput{TemplateBody: aws.String(template)})
		return err
	}
	err := validate(`Resources: {A: {Type: "Test::Thing", DependsOn: B}, B: {Type: "Test::Thing", Properties: {V: !Ref A}}}`)
	if err == nil || !strings.Contains(err.Error(), "Circular dependency between resources: [A, B]") {
		t.Errorf("circle: %v", err)
	}
	// Whether B is there depends on a parameter that nobody has given: no reason to refuse.
	if err := validate(`{Parameters: {P: {Type: String}}, Conditions: {C: !Equals [!Ref P, x]}, Resources: {
		A: {Type: "Test::Thing", Properties: {V: !If [C, !Ref B, "none"]}}, B: {Type: "Test::Thing", Condition: C}}, Outputs: {O: {Condition: C, Value: !Ref B}}}`); err != nil {
		t.Errorf("condition: %v", err)
	}
}

func TestHostileTemplates(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ template, want string }{
		{"{", "ValidationError: Template format error: JSON not well-formed. (line 1, column 2)"},
		{"a: [", "Template format error: YAML not well-formed."},
		{"[]", "ValidationError: Template format error: unsupported structure."},
		{`{"Resources": {"A": 1}}`, "ValidationError: Template format error: Any Resources member must be an object."},
		{"Resources: {A: {Type: Nope}}", "ValidationError: Template format error: Unrecognized resource types: [Nope]"},
		{`Resources: {A: {Type: "Test::Thing", Properties: {V: !Ref B}}, B: {Type: "Test::Thing", DependsOn: A}}`,
			"ValidationError: Circular dependency between resources: [A, B]"},
		{`Resources: {A: {Type: "Test::Thing", Properties: {V: !Ref X}}}`,
			"ValidationError: Template format error: Unresolved resource dependencies [X] in the Resources block of the template"},
		{`Resources: {A: {Type: "AWS::SNS::Topic"}, B: {Type: "Test::Thing", Properties: {V: !GetAtt A.Nope}}}`,
			"ValidationError: Template error: resource A does not support attribute type Nope in Fn::GetAtt"},
		{`{Parameters: {P: {Type: String}}, Resources: {A: {Type: "Test::Thing"}}}`, "ValidationError: Parameters: [P] must have values"},
		{`{Resources: {A: {Type: "AWS::IAM::Role", Properties: {RoleName: r}}}}`,
			"InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]"},
		{`{Transform: "AWS::Serverless-2016-10-31", Resources: {A: {Type: "AWS::Serverless::Function"}}}`, "ValidationError: Transform AWS::Serverless-2016-10-31 is not supported here"},
		{`{Resources: {A: {Type: "Test::Thing", Properties: {V: {"Fn::Transform": {Name: M}}}}}}`, "ValidationError: the transform M is not supported yet"},
		{"Resources: " + strings.Repeat("{A: ", 3000) + strings.Repeat("}", 3000), "ValidationError"},
		{"Resources: {A: {Type: " + strings.Repeat("x", 60_000) + "}}", "ValidationError"},
	} {
		_, err := w.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(c.template)})
		if !strings.Contains(code(err), c.want) {
			t.Errorf("%.80s:\n got %s\nwant %s", c.template, code(err), c.want)
		}
	}
	out, err := w.ListStacks(t.Context(), &cloudformation.ListStacksInput{})
	if err != nil || len(out.StackSummaries) != 0 {
		t.Errorf("a refused template left %v (%v)", out.StackSummaries, err)
	}
}

func TestDeletionPolicies(t *testing.T) {
	w := newWorld(t)
	st := w.create("s", `
Resources:
  Kept: {Type: "Test::Thing", DeletionPolicy: Retain, UpdateReplacePolicy: Retain, Properties: {Name: kept}}
  Gone: {Type: "Test::Thing", Properties: {Name: gone}}
`)
	w.update("s", `
Resources:
  Kept: {Type: "Test::Thing", DeletionPolicy: Retain, Properties: {Name: kept2}}
`)
	want(t, "after the update", strings.Join(w.things.names(), " "), "kept kept2")
	if !strings.Contains(w.history("s"), "Kept DELETE_SKIPPED") {
		t.Error("no event says that the replaced resource was kept")
	}
	w.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: st.StackId})
	w.settle(*st.StackId)
	want(t, "after the deletion", strings.Join(w.things.names(), " "), "kept kept2")
}

// What a policy keeps stays also when its creation is rolled back, unless the policy or the call says otherwise.
func TestRetainOfWhatIsNew(t *testing.T) {
	const template = `{Resources: {Old: {Type: "Test::Thing", Properties: {Name: %[1]s-old}}%[2]s}}`
	const more = `, Kept: {Type: "Test::Thing", DeletionPolicy: Retain, Properties: {Name: %[1]s-kept}},
		Gone: {Type: "Test::Thing", DeletionPolicy: RetainExceptOnCreate, Properties: {Name: %[1]s-gone}}, Bad: {Type: "Test::Thing", DependsOn: [Old, Kept, Gone], Properties: {Fail: Create}}`
	w := newWorld(t)
	broken := func(name string) string { return fmt.Sprintf(template, name, fmt.Sprintf(more, name)) }
	w.create("a", broken("a"))
	want(t, "a creation", strings.Join(w.things.names(), " "), "a-kept")
	w.create("b", broken("b"), func(in *cloudformation.CreateStackInput) { in.RetainExceptOnCreate = aws.Bool(true) })
	want(t, "a creation with RetainExceptOnCreate", strings.Join(w.things.names(), " "), "a-kept")
	w.create("c", fmt.Sprintf(template, "c", ""))
	if _, err := w.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("c"), TemplateBody: aws.String(broken("c")), RetainExceptOnCreate: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	w.settle("c")
	want(t, "an update with RetainExceptOnCreate", strings.Join(w.things.names(), " "), "a-kept c-old")
}

// What stands in services that are not there is refused by name and place, before anything is made.
func TestStoredValuesAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ template, want string }{
		{"Parameters:\n  P: {Type: \"AWS::SSM::Parameter::Value<String>\", Default: /p}\nResources: {A: {Type: \"Test::Thing\"}}",
			"Parameters/P: a value of type AWS::SSM::Parameter::Value<String> stands in SSM's Parameter Store: the embedded cloud has no SSM yet"},
		{"Parameters: {P: {Type: \"AWS::SSM::Parameter::Value<List<String>>\", Default: /p}}\nResources: {A: {Type: \"Test::Thing\", Properties: {V: !Ref P}}}", "Parameters/P: a value of type AWS::SSM::Parameter::Value<List<String>>"},
		{"Resources:\n  A:\n    Type: Test::Thing\n    Properties:\n      V: [\"{{resolve:ssm:/name:3}}\"]", "Resources/A/Properties/V/0: the dynamic reference {{resolve:ssm:/name:3}} cannot be resolved: the embedded cloud has no SSM yet"},
		{"Resources:\n  A: {Type: Test::Thing, Properties: {V: !Sub \"x{{resolve:ssm-secure:/x/y}}\"}}", "Resources/A/Properties/V/Fn::Sub: the dynamic reference {{resolve:ssm-secure:/x/y}}"},
		{"Resources: {A: {Type: \"Test::Thing\"}}\nOutputs:\n  O: {Value: \"{{resolve:secretsmanager:s:SecretString:k}}\"}", "Outputs/O/Value: the dynamic reference {{resolve:secretsmanager:s:SecretString:k}} cannot be resolved: the embedded cloud has no Secrets Manager yet"},
	} {
		_, err := w.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(c.template)})
		if !strings.Contains(code(err), c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.template, code(err), c.want)
		}
	}
	if st := w.create("off", "Conditions: {Never: !Equals [a, b]}\nResources: {A: {Type: \"Test::Thing\"}, B: {Type: \"Test::Thing\", Condition: Never, Properties: {V: \"{{resolve:ssm:x}}\"}}}"); st.StackStatus != types.StackStatusCreateComplete {
		t.Errorf("what no condition makes: %s", st.StackStatus)
	}
}

func TestLanguageExtensions(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	template := `
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: "one,two"}, Keep: {Type: String, Default: Retain}}
Resources:
  Fn::ForEach::Things:
    - Name
    - !Ref Names
    - Thing${Name}: {Type: "Test::Thing", DeletionPolicy: !Ref Keep, Properties: {Name: !Ref Name, Value: !Length {Ref: Names}}}
  Last: {Type: "Test::Thing", Properties: {Name: last, Value: !ToJsonString {arn: !GetAtt Thingone.Arn}}}
Outputs:
  Fn::ForEach::Arns:
    - Name
    - !Ref Names
    - Arn${Name}: {Value: !GetAtt [!Sub "Thing${Name}", Arn]}
`
	validated, err := w.ValidateTemplate(ctx, &cloudformation.ValidateTemplateInput{TemplateBody: &template})
	if err != nil || !slices.Equal(validated.DeclaredTransforms, []string{cfn.Extensions}) || !slices.Contains(validated.Capabilities, types.CapabilityCapabilityAutoExpand) {
		t.Errorf("%v, %v", validated, err)
	}
	in := &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: &template}
	_, err = w.CreateStack(ctx, in)
	want(t, "without the capability", code(err), "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
	expand := func(in *cloudformation.CreateStackInput) {
		in.Capabilities = []types.Capability{types.CapabilityCapabilityAutoExpand}
	}
	st := w.create("s", template, expand)
	if st.StackStatus != types.StackStatusCreateComplete || len(st.Outputs) != 2 || *st.Outputs[1].OutputValue != "arn:thing:two" || w.things.have["two"] != "2" || w.things.have["last"] != `{"arn":"arn:thing:one"}` {
		t.Errorf("%s %v %v\n%s", st.StackStatus, st.Outputs, w.things.have, w.history("s"))
	}
	got, err := w.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String("s"), TemplateStage: types.TemplateStageOriginal})
	if err != nil || *got.TemplateBody != template {
		t.Errorf("the original: %v", err)
	}
	if got, err = w.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String("s")}); err != nil || strings.Contains(*got.TemplateBody, "ForEach") || !strings.Contains(*got.TemplateBody, `"Thingtwo"`) {
		t.Errorf("processed: %v", got)
	}
	// Another list of names with the same template.
	_, err = w.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: aws.String("s"), UsePreviousTemplate: aws.Bool(true), Capabilities: []types.Capability{types.CapabilityCapabilityAutoExpand},
		Parameters: []types.Parameter{{ParameterKey: aws.String("Names"), ParameterValue: aws.String("one,three")}, {ParameterKey: aws.String("Keep"), ParameterValue: aws.String("Delete")}}})
	if err != nil {
		t.Fatal(err)
	}
	if st = w.settle("s"); st.StackStatus != types.StackStatusUpdateComplete || strings.Join(w.things.names(), " ") != "last one three two" { // two is retained
		t.Errorf("%s %v\n%s", st.StackStatus, w.things.names(), w.history("s"))
	}
	// A mistake fails the change set, and refuses the call.
	broken := "Transform: AWS::LanguageExtensions\nResources: {\"Fn::ForEach::L\": [Name, x, {\"T${Name}\": {Type: \"Test::Thing\"}}]}"
	const says = "Transform AWS::LanguageExtensions failed with: Fn::ForEach layout is incorrect"
	_, err = w.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String("t"), TemplateBody: &broken, Capabilities: []types.Capability{types.CapabilityCapabilityAutoExpand}})
	want(t, "a broken loop", code(err), "ValidationError: "+says)
	for range 2 { // the token makes the second the first
		if _, err = w.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("c"), ClientToken: aws.String("once"), TemplateBody: &broken}); err != nil {
			t.Fatal(err)
		}
	}
	cs, err := w.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("c")})
	if err != nil || cs.Status != types.ChangeSetStatusFailed || aws.ToString(cs.StatusReason) != says {
		t.Errorf("%v %v", cs, err)
	}
}

func TestExports(t *testing.T) {
	w := newWorld(t)
	exporter := `{Resources: {A: {Type: "Test::Thing", Properties: {Name: %s}}}, Outputs: {O: {Value: !Ref A, Export: {Name: shared}}}}`
	w.create("from", fmt.Sprintf(exporter, "a"))
	w.create("to", `{Resources: {B: {Type: "Test::Thing", Properties: {Name: b, Value: !ImportValue shared}}}}`)
	want(t, "imported", w.things.have["b"], "a")
	if st := w.create("twice", fmt.Sprintf(exporter, "c")); st.StackStatus != types.StackStatusRollbackComplete ||
		!strings.Contains(w.history("twice"), "Export with name shared is already exported by stack from") {
		t.Errorf("%s: %s", st.StackStatus, w.history("twice"))
	}
	if st := w.create("none", `{Resources: {B: {Type: "Test::Thing", Properties: {Value: !ImportValue absent}}}}`); st.StackStatus != types.StackStatusRollbackComplete {
		t.Errorf("%s", st.StackStatus)
	}
	w.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("from")})
	inUse := "Export shared cannot be deleted as it is in use by to"
	if st := w.settle("from"); st.StackStatus != types.StackStatusCreateComplete || aws.ToString(st.StackStatusReason) != inUse || !slices.Contains(w.things.names(), "a") {
		t.Errorf("%s %s", st.StackStatus, aws.ToString(st.StackStatusReason))
	}
	if !strings.HasSuffix(w.history("from"), "from CREATE_COMPLETE\nfrom DELETE_IN_PROGRESS User Initiated\nfrom CREATE_COMPLETE "+inUse) {
		t.Error(w.history("from"))
	}
	w.create("also", `{Resources: {B: {Type: "Test::Thing", Properties: {Name: also, Value: !ImportValue shared}}}}`)
	for _, c := range []struct{ template, want string }{
		{`{Resources: {A: {Type: "Test::Thing", Properties: {Name: a}}}}`, "Export shared cannot be deleted as it is in use by also and to"},
		{fmt.Sprintf(exporter, "changed"), "Export shared cannot be updated as it is in use by also and to"},
	} {
		st := w.update("from", c.template)
		if st.StackStatus != types.StackStatusUpdateRollbackComplete || !strings.Contains(w.history("from"), "from UPDATE_ROLLBACK_IN_PROGRESS "+c.want+"\n") || !slices.Contains(w.things.names(), "a") {
			t.Errorf("%s\n%s", st.StackStatus, w.history("from"))
		}
	}
	imports, err := w.ListImports(t.Context(), &cloudformation.ListImportsInput{ExportName: aws.String("shared")})
	if err != nil || !slices.Equal(imports.Imports, []string{"also", "to"}) {
		t.Errorf("imports %v (%v)", imports, err)
	}
	for _, name := range []string{"to", "also", "from"} { // once nobody imports it, it can go
		id := *w.settle(name).StackId
		w.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: &id})
		if st := w.settle(id); st.StackStatus != types.StackStatusDeleteComplete {
			t.Errorf("%s is %s: %s", name, st.StackStatus, aws.ToString(st.StackStatusReason))
		}
	}
}

func TestChangeSets(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	make := func(kind types.ChangeSetType, name, template string) *cloudformation.DescribeChangeSetOutput {
		t.Helper()
		_, err := w.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String(name), ChangeSetType: kind, TemplateBody: aws.String(template)})
		if err != nil {
			t.Fatal(err)
		}
		out, err := w.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String(name), IncludePropertyValues: aws.Bool(true)})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	_, err := w.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("x")})
	want(t, "no stack", code(err), "ValidationError: Stack [s] does not exist")

	template := `{Resources: {A: {Type: "AWS::SNS::Topic", Properties: {TopicName: %s}}, B: {Type: "Test::Thing", Properties: {Value: %s}}, C: {Type: "Test::Thing", Properties: {Value: !GetAtt A.TopicName}}}}`
	cs := make(types.ChangeSetTypeCreate, "one", fmt.Sprintf(template, "t1", "v1"))
	if cs.Status != types.ChangeSetStatusCreateComplete || len(cs.Changes) != 3 || cs.Changes[0].ResourceChange.Action != types.ChangeActionAdd {
		t.Fatalf("%s %v", cs.Status, cs.Changes)
	}
	if _, err := w.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{ChangeSetName: cs.ChangeSetId}); err != nil {
		t.Fatal(err)
	}
	if st := w.settle("s"); st.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s", st.StackStatus)
	}
	if !strings.HasPrefix(w.history("s"), "s REVIEW_IN_PROGRESS User Initiated\ns CREATE_IN_PROGRESS User Initiated\n") {
		t.Errorf("events:\n%s", w.history("s"))
	}
	if !strings.Contains(w.history("s"), "A CREATE_COMPLETE evo records AWS::SNS::Topic") {
		t.Error("the recorded topic's event does not say so")
	}
	cs = make(types.ChangeSetTypeUpdate, "same", fmt.Sprintf(template, "t1", "v1"))
	want(t, "no change", string(cs.Status)+" "+string(cs.ExecutionStatus)+" "+aws.ToString(cs.StatusReason), "FAILED UNAVAILABLE "+noChanges)
	_, err = w.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{ChangeSetName: cs.ChangeSetId})
	want(t, "execute it", code(err), "InvalidChangeSetStatus: ChangeSet ["+*cs.ChangeSetId+"] cannot be executed in its current status of [FAILED]")

	cs = make(types.ChangeSetTypeUpdate, "two", fmt.Sprintf(template, "t2", "v2"))
	var lines []string
	for _, c := range cs.Changes {
		rc := c.ResourceChange
		lines = append(lines, fmt.Sprintf("%s %s %s %s", rc.Action, *rc.LogicalResourceId, rc.Replacement, rc.PolicyAction))
		for _, d := range rc.Details {
			lines = append(lines, fmt.Sprintf("  %s %s %s %s %s %s>%s", *d.Target.Path, d.Target.RequiresRecreation, d.Evaluation, d.ChangeSource,
				aws.ToString(d.CausingEntity), aws.ToString(d.Target.BeforeValue), aws.ToString(d.Target.AfterValue)))
		}
	}
	want(t, "changes", strings.Join(lines, "\n"), `
Modify A True ReplaceAndDelete
  /Properties/TopicName Always Static DirectModification  t1>t2
Modify B False 
  /Properties/Value Never Static DirectModification  v1>v2
Modify C False 
  /Properties/Value Never Dynamic ResourceAttribute A.TopicName t1>{{changeSet:KNOWN_AFTER_APPLY}}`)
	if _, err := w.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: cs.ChangeSetId}); err != nil {
		t.Fatal(err)
	}
	_, err = w.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: cs.ChangeSetId})
	want(t, "deleted", code(err), "ChangeSetNotFound: ChangeSet ["+*cs.ChangeSetId+"] does not exist")
}

func TestCancelUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create("s", `{Resources: {A: {Type: "Test::Thing", Properties: {Name: a, Value: 1}}}}`)
		_, err := w.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(
			`{Resources: {A: {Type: "Test::Thing", Properties: {Name: a, Value: 2}}, B: {Type: "Test::Thing", DependsOn: A, Properties: {Wait: 1}}}}`)})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if _, err := w.Client.CancelUpdateStack(t.Context(), &cloudformation.CancelUpdateStackInput{StackName: aws.String("s")}); err != nil {
			t.Fatal(err)
		}
		st := w.settle("s")
		if st.StackStatus != types.StackStatusUpdateRollbackComplete || w.things.have["a"] != "1" {
			t.Errorf("%s, a=%s\n%s", st.StackStatus, w.things.have["a"], w.history("s"))
		}
		if !strings.Contains(w.history("s"), "B CREATE_FAILED Resource creation cancelled\ns UPDATE_ROLLBACK_IN_PROGRESS User Initiated") {
			t.Error(w.history("s"))
		}
		w.s.Close()
	})
}

// keys are the keys of one of the service's tables.
func (w *world) keys(table string) []string {
	var keys []string
	w.db.View(func(tx *store.Tx) {
		switch table {
		case "steps":
			for k := range w.s.steps.Ascend(tx, "") {
				keys = append(keys, k)
			}
		case "leftovers":
			for k := range w.s.leftovers.Ascend(tx, "") {
				keys = append(keys, k)
			}
		}
	})
	return keys
}

func TestTimeoutAndDeletionOfWhatIsBeingMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		template := `{Resources: {A: {Type: "Test::Thing"}, B: {Type: "Test::Thing", DependsOn: A, Properties: {Wait: 1}}}}`
		began := time.Now()
		st := w.create("s", template, func(in *cloudformation.CreateStackInput) { in.TimeoutInMinutes = aws.Int32(5) })
		if took := time.Since(began); st.StackStatus != types.StackStatusRollbackComplete || took < 5*time.Minute || took > 6*time.Minute {
			t.Errorf("%s after %s", st.StackStatus, took)
		}
		if !strings.Contains(w.history("s"), "s ROLLBACK_IN_PROGRESS Stack creation time exceeded the specified timeout. Rollback requested by user.") {
			t.Error(w.history("s"))
		}
		out, err := w.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("d"), TemplateBody: aws.String(template)})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if _, err := w.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("d")}); err != nil {
			t.Fatal(err)
		}
		if st := w.settle(*out.StackId); st.StackStatus != types.StackStatusDeleteComplete || len(w.things.names()) > 0 {
			t.Errorf("%s %v", st.StackStatus, w.things.names())
		}
		w.s.Close()
	})
}

func TestWaitCondition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.CallbackURL = func(token string) string { return "http://callback/" + token } })
		template := `{Resources: {H: {Type: "AWS::CloudFormation::WaitConditionHandle"}, W: {Type: "AWS::CloudFormation::WaitCondition", Properties: {Handle: !Ref H, Count: 2, Timeout: 600}}}, Outputs: {D: {Value: !GetAtt W.Data}}}`
		out, err := w.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(template)})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		handle, err := w.DescribeStackResource(t.Context(), &cloudformation.DescribeStackResourceInput{StackName: out.StackId, LogicalResourceId: aws.String("H")})
		if err != nil {
			t.Fatal(err)
		}
		token := strings.TrimPrefix(*handle.StackResourceDetail.PhysicalResourceId, "http://callback/")
		if err := w.s.CustomResourceResponse(token, []byte(`{"Status": "SUCCESS", "UniqueId": "a", "Data": "1"}`)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.SignalResource(t.Context(), &cloudformation.SignalResourceInput{StackName: out.StackId, LogicalResourceId: aws.String("W"), UniqueId: aws.String("b"), Status: types.ResourceSignalStatusSuccess}); err != nil {
			t.Fatal(err)
		}
		if st := w.settle("s"); st.StackStatus != types.StackStatusCreateComplete || *st.Outputs[0].OutputValue != `{"a":"1","b":""}` {
			t.Errorf("%s %v", st.StackStatus, st.Outputs)
		}
		if err := w.s.CustomResourceResponse("nobody", nil); err == nil {
			t.Error("an answer that nobody waits for was taken")
		}
		st := w.create("late", template)
		if st.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(w.history("late"), "W CREATE_FAILED WaitCondition timed out. Received 0 conditions when expecting 2") {
			t.Errorf("%s\n%s", st.StackStatus, w.history("late"))
		}
		w.s.Close()
	})
}

func TestHandlerThatPanics(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Handlers["Test::Bad"] = Handler{Create: func(context.Context, *Request) (Result, error) { panic("oh") }}
	})
	st := w.create("s", `{Resources: {A: {Type: "Test::Bad"}}}`)
	if st.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(w.history("s"), "the handler of Test::Bad failed: oh") {
		t.Errorf("%s\n%s", st.StackStatus, w.history("s"))
	}
}

// What failed without rollback is gone on with by the next update, and nothing of it is left over.
func TestUpdateOverFailure(t *testing.T) {
	w := newWorld(t)
	st := w.create("s", `{Resources: {A: {Type: "Test::Thing", Properties: {Name: a}}, B: {Type: "Test::Thing", DependsOn: A, Properties: {Name: b, Fail: Create}}}}`,
		func(in *cloudformation.CreateStackInput) { in.DisableRollback = aws.Bool(true) })
	if st.StackStatus != types.StackStatusCreateFailed {
		t.Fatalf("%s", st.StackStatus)
	}
	st = w.update("s", `{Resources: {A: {Type: "Test::Thing", Properties: {Name: a}}, B: {Type: "Test::Thing", DependsOn: A, Properties: {Name: b}}}}`)
	if st.StackStatus != types.StackStatusUpdateComplete || strings.Join(w.things.names(), " ") != "a b" {
		t.Fatalf("%s %v\n%s", st.StackStatus, w.things.names(), w.history("s"))
	}
	broken := `{Resources: {A: {Type: "Test::Thing", Properties: {Name: a2}}, B: {Type: "Test::Thing", DependsOn: A, Properties: {Name: b, Fail: Update}}}}`
	if _, err := w.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(broken), DisableRollback: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	if st = w.settle("s"); st.StackStatus != types.StackStatusUpdateFailed || strings.Join(w.things.names(), " ") != "a a2 b" {
		t.Fatalf("%s %v", st.StackStatus, w.things.names())
	}
	// The next one fails as well, and is rolled back to where it began.
	st = w.update("s", `{Resources: {A: {Type: "Test::Thing", Properties: {Name: a3}}, B: {Type: "Test::Thing", Properties: {Name: b}}, C: {Type: "Test::Thing", DependsOn: [A, B], Properties: {Fail: Create}}}}`)
	if st.StackStatus != types.StackStatusUpdateRollbackComplete || strings.Join(w.things.names(), " ") != "a2 b" {
		t.Errorf("%s %v\n%s", st.StackStatus, w.things.names(), w.history("s"))
	}
}
