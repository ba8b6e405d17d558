package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"evo/internal/cfn"
	"evo/internal/engine"
)

// deployment makes one of a template's text.
func deployment(t *testing.T, text string) engine.Deployment {
	t.Helper()
	root, err := cfn.Parse("template.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return engine.Deployment{Stack: "shop", Template: root}
}

func (d *deployer) plan(x engine.Deployment) (*engine.ChangeSet, error) {
	d.t.Helper()
	return d.Plan(d.t.Context(), x)
}

func (d *deployer) deploy(x engine.Deployment) error {
	d.t.Helper()
	cs, err := d.plan(x)
	if err != nil {
		return err
	}
	return d.Execute(d.t.Context(), cs, x)
}

const groups = `Parameters:
  Days: {Type: Number, Default: 7}
Resources:
  One: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: !Ref Days}}
  Two: {Type: AWS::Logs::LogGroup, DependsOn: One}
Outputs:
  Days: {Description: How long, Value: !Ref Days, Export: {Name: days}}
`

func TestPlanAndExecute(t *testing.T) {
	d := newDeployer(t, nil)
	x := deployment(t, groups)
	cs, err := d.plan(x)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintln(cs.Create, len(cs.Changes), cs.Changes[0].Action); got != "true 2 Add\n" {
		t.Errorf("the first change set: %s", got)
	}
	if err := d.Execute(t.Context(), cs, x); err != nil {
		t.Fatal(err)
	}
	statuses := map[string]string{}
	for _, e := range d.told {
		if e.Stack != nil {
			statuses[e.Stack.LogicalID] += e.Stack.Status + " "
		}
	}
	for _, id := range []string{"One", "Two"} {
		if !strings.HasSuffix(statuses[id], "CREATE_COMPLETE ") {
			t.Errorf("%s: %s", id, statuses[id])
		}
	}
	if !strings.HasSuffix(statuses["shop"], "CREATE_COMPLETE ") {
		t.Errorf("the stack's last event is missed: %s", statuses["shop"])
	}
	outs, err := d.Outputs(t.Context(), "shop")
	if err != nil || len(outs) != 1 || outs[0].Value != "7" || outs[0].Export != "days" || outs[0].Description != "How long" {
		t.Errorf("outputs %v, %v", outs, err)
	}

	var none *engine.NoChangesError
	if _, err := d.plan(x); !errors.As(err, &none) || none.Stack != "shop" {
		t.Errorf("the same again: %v", err)
	}
	// The next template's default does not count: the stack has a value. A given one does.
	x = deployment(t, strings.Replace(groups, "Default: 7", "Default: 30", 1))
	if _, err := d.plan(x); !errors.As(err, &none) {
		t.Errorf("another default: %v", err)
	}
	x.Parameters = map[string]string{"Days": "30"}
	if cs, err = d.plan(x); err != nil {
		t.Fatal(err)
	}
	if len(cs.Changes) != 1 || cs.Create || cs.Changes[0].LogicalID != "One" || cs.Changes[0].Replacement != "False" || cs.Changes[0].Properties[0] != "RetentionInDays" {
		t.Errorf("the change set of an update: %+v", cs)
	}
	d.told = nil
	if err := d.Execute(t.Context(), cs, x); err != nil {
		t.Fatal(err)
	}
	for _, e := range d.told {
		if e.Stack != nil && strings.HasPrefix(e.Stack.Status, "CREATE") {
			t.Errorf("an event of the last release is told again: %+v", e.Stack)
		}
	}

	if err := d.Delete(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	if there, err := d.Exists(t.Context(), "shop"); there || err != nil {
		t.Errorf("after the deletion: %v, %v", there, err)
	}
	if err := d.Delete(t.Context(), "shop"); err != nil {
		t.Errorf("a stack that is not there: %v", err)
	}
}

// failing makes a group, and then one of the same name.
const failing = `Resources:
  One: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: same}}
  Two: {Type: AWS::Logs::LogGroup, DependsOn: One, Properties: {LogGroupName: same}}
`

func TestFailuresSayWhy(t *testing.T) {
	d := newDeployer(t, nil)
	x := deployment(t, failing)
	err := d.deploy(x)
	var failed *engine.FailedError
	if !errors.As(err, &failed) || failed.Status != "ROLLBACK_COMPLETE" || failed.Cause == nil || failed.Cause.LogicalID != "Two" || failed.WasRolledBack() {
		t.Fatalf("got %v (%+v)", err, failed)
	}
	if !strings.Contains(err.Error(), "stack shop: Two (AWS::Logs::LogGroup): ") || !strings.Contains(err.Error(), "exist") {
		t.Errorf("the error does not say why: %v", err)
	}
	var state *engine.StackStateError
	if _, err := d.plan(deployment(t, groups)); !errors.As(err, &state) || !strings.Contains(state.Hint(), "evo delete --stack-name shop") {
		t.Errorf("a stack that can only be deleted: %v", err)
	}
	if err := d.Delete(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}

	x.OnFailure = "DELETE"
	if err := d.deploy(x); !errors.As(err, &failed) {
		t.Errorf("got %v", err)
	}
	if there, err := d.Exists(t.Context(), "shop"); there || err != nil {
		t.Errorf("--on-failure DELETE leaves the stack: %v", err)
	}

	x.OnFailure = "DO_NOTHING"
	if err := d.deploy(x); !errors.As(err, &failed) || failed.Status != "CREATE_FAILED" {
		t.Errorf("--on-failure DO_NOTHING: %v", err)
	}
}

func TestRefusedTemplatesLeaveNothing(t *testing.T) {
	d := newDeployer(t, nil)
	for _, text := range []string{
		"Resources: {A: {Type: AWS::Logs::LogGroup, DependsOn: B}, B: {Type: AWS::Logs::LogGroup, DependsOn: A}}",
		"Resources: {A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Ref Nothing}}}",
		"Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: AWS::Serverless::Function, Properties: {CodeUri: 's3://b/k'}}}",
	} {
		if _, err := d.plan(deployment(t, text)); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
	stacks, err := d.Stacks(t.Context())
	for _, s := range stacks {
		if !strings.HasPrefix(string(s.StackStatus), "DELETE") {
			t.Errorf("left behind: %s in %s", *s.StackName, s.StackStatus)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

func TestLargeTemplatesGoThroughTheBucket(t *testing.T) {
	d := newDeployer(t, nil)
	text := groups + "Metadata: {Note: " + strings.Repeat("long ", 15_000) + "}\n"
	x := deployment(t, text)
	x.Bucket = d.bucket
	if err := d.deploy(x); err != nil {
		t.Error(err)
	}
	if keys := d.objects(); len(keys) != 1 || !strings.HasSuffix(keys[0], ".template") {
		t.Errorf("objects: %v", keys)
	}
	x.Stack, x.Bucket = "another", engine.Bucket{}
	x.Template.Get("Outputs").Delete("Days") // its export is taken
	if err := d.deploy(x); err != nil {
		t.Errorf("without a bucket: %v", err)
	}
}

func TestManagedBucket(t *testing.T) {
	d := newDeployer(t, nil)
	first, err := d.ManagedBucket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := d.ManagedBucket(t.Context()); again != first || err != nil {
		t.Errorf("got %s and %s, %v", first, again, err)
	}
}

// TestTwoCreateAtOnce: the change set that comes second is not begun, and giving it up leaves the stack to the first.
func TestTwoCreateAtOnce(t *testing.T) {
	d := newDeployer(t, nil)
	x := deployment(t, groups)
	first, err := d.plan(x)
	if err != nil {
		t.Fatal(err)
	}
	second, err := d.plan(x)
	if err != nil {
		t.Fatal(err)
	}
	third, err := d.plan(x)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Execute(t.Context(), first, x); err != nil {
		t.Fatal(err)
	}
	var notBegun *engine.NotBegunError
	if err := d.Execute(t.Context(), second, x); !errors.As(err, &notBegun) {
		t.Errorf("the error is %v", err)
	}
	if err := d.Discard(t.Context(), third); err != nil {
		t.Logf("discard: %v", err) // it may be gone with the execution of the first
	}
	if outputs, err := d.Outputs(t.Context(), "shop"); err != nil || len(outputs) != 1 {
		t.Errorf("the first's stack has the outputs %v, %v", outputs, err)
	}
}
