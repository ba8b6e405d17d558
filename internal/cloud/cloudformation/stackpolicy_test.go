package cloudformation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

const (
	allowAll = `{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}`
	guarded  = `{Resources: {A: {Type: "Test::Thing", Properties: {Name: %s, Value: %s}}, B: {Type: "Test::Thing", Properties: {Name: b, Value: %s}}%s}}`
)

func TestStackPolicyRefuses(t *testing.T) {
	const more = `, C: {Type: "Test::Thing", Properties: {Name: c}}`
	for _, c := range []struct {
		name, statement string
		update          string // a template
		want            string // an event; empty: the update is done
	}{
		{"nothing denied", allowAll, fmt.Sprintf(guarded, "a2", "2", "2", ""), ""},
		{"a new resource needs no permission", `{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}`, fmt.Sprintf(guarded, "a", "1", "1", more+`, D: {Type: "Test::Thing"}`), ""},
		{"modify", allowAll + `, {"Effect": "Deny", "Action": "Update:Modify", "Principal": "*", "Resource": "LogicalResourceId/A"}`, fmt.Sprintf(guarded, "a", "2", "1", more),
			"A UPDATE_FAILED Action denied by stack policy: Statement [#2] does not allow [Update:Modify] for resource [LogicalResourceId/A];"},
		{"what replaces does not modify", allowAll + `, {"Effect": "Deny", "Action": ["Update:Modify"], "Principal": "*", "Resource": "LogicalResourceId/A"}`, fmt.Sprintf(guarded, "a2", "2", "1", more), ""},
		{"replace", `{"Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": {"AWS": "*"}, "Resource": ["LogicalResourceId/A*"]}, ` + allowAll, fmt.Sprintf(guarded, "a2", "1", "1", more),
			"A UPDATE_FAILED Action denied by stack policy: Statement [#1] does not allow [Update:Replace, Update:Delete] for resource [LogicalResourceId/A*];"},
		{"delete", allowAll + `, {"Effect": "Deny", "Action": "Update:Delete", "Principal": "*", "Resource": "*", "Condition": {"StringLike": {"ResourceType": ["AWS::*", "Test::Th?ng"]}}}`, fmt.Sprintf(guarded, "a", "2", "2", ""),
			"C UPDATE_FAILED Action denied by stack policy: Statement [#2] does not allow [Update:Delete] for resource [*];"},
		{"another type", allowAll + `, {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*", "Condition": {"StringEquals": {"ResourceType": "AWS::S3::Bucket"}}}`, fmt.Sprintf(guarded, "a", "2", "2", ""), ""},
		{"what is not allowed", `{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "LogicalResourceId/B"}`, fmt.Sprintf(guarded, "a", "2", "2", more), "A UPDATE_FAILED Action not allowed by stack policy"},
		{"all actions but", `{"Effect": "Allow", "NotAction": "Update:Delete", "Principal": "*", "Resource": "*"}`, fmt.Sprintf(guarded, "a", "1", "1", ""), "C UPDATE_FAILED Action not allowed by stack policy"},
		{"all resources but", `{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "NotResource": "LogicalResourceId/B"}`, fmt.Sprintf(guarded, "a", "2", "2", more), "B UPDATE_FAILED Action not allowed by stack policy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			policy := `{"Statement": [` + c.statement + `]}`
			w.create("s", fmt.Sprintf(guarded, "a", "1", "1", more), func(in *cloudformation.CreateStackInput) { in.StackPolicyBody = &policy })
			before := strings.Join(w.things.names(), " ")
			st := w.update("s", c.update)
			if c.want == "" {
				if st.StackStatus != types.StackStatusUpdateComplete {
					t.Errorf("%s\n%s", st.StackStatus, w.history("s"))
				}
				return
			}
			if st.StackStatus != types.StackStatusUpdateRollbackComplete || !strings.Contains("\n"+w.history("s")+"\n", "\n"+c.want+"\n") ||
				!strings.Contains(w.history("s"), "s UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to update: ["+c.want[:1]+"].") {
				t.Errorf("%s, want %s\n%s", st.StackStatus, c.want, w.history("s"))
			}
			if now := strings.Join(w.things.names(), " "); now != before || w.things.have["a"] != "1" || w.things.have["b"] != "1" {
				t.Errorf("there are %s (%v), want %s as they were", now, w.things.have, before)
			}
		})
	}
}

// The policy that an update brings along holds afterwards; one for the update alone holds meanwhile, and is gone afterwards.
func TestStackPolicyOfAnUpdate(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	deny := `{"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}`
	shown := func() string {
		out, err := w.GetStackPolicy(ctx, &cloudformation.GetStackPolicyInput{StackName: aws.String("s")})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.StackPolicyBody)
	}
	update := func(value string, change func(*cloudformation.UpdateStackInput)) types.StackStatus {
		t.Helper()
		in := &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(fmt.Sprintf(guarded, "a", value, "1", ""))}
		change(in)
		if _, err := w.UpdateStack(ctx, in); err != nil {
			t.Fatal(err)
		}
		return w.settle("s").StackStatus
	}
	w.create("s", fmt.Sprintf(guarded, "a", "1", "1", ""))
	want(t, "no policy", shown(), "")
	if got := update("2", func(in *cloudformation.UpdateStackInput) { in.StackPolicyBody = &deny }); got != types.StackStatusUpdateComplete || shown() != deny {
		t.Errorf("the policy that comes along is in its own way: %s, %s", got, shown())
	}
	if got := update("3", func(*cloudformation.UpdateStackInput) {}); got != types.StackStatusUpdateRollbackComplete || w.things.have["a"] != "2" {
		t.Errorf("%s, a=%s", got, w.things.have["a"])
	}
	allow := `{"Statement": ` + allowAll + `}`
	if got := update("3", func(in *cloudformation.UpdateStackInput) { in.StackPolicyDuringUpdateBody = &allow }); got != types.StackStatusUpdateComplete || shown() != deny {
		t.Errorf("with a policy for the update: %s, then %s", got, shown())
	}
	// Change sets are held against the policy as well; an empty one lifts it.
	change := func(name string) types.StackStatus {
		t.Helper()
		if _, err := w.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{StackName: aws.String("s"), ChangeSetName: &name, TemplateBody: aws.String(fmt.Sprintf(guarded, "a", "4", "1", ""))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: aws.String("s"), ChangeSetName: &name}); err != nil {
			t.Fatal(err)
		}
		return w.settle("s").StackStatus
	}
	if got := change("refused"); got != types.StackStatusUpdateRollbackComplete {
		t.Errorf("change set: %s", got)
	}
	if _, err := w.SetStackPolicy(ctx, &cloudformation.SetStackPolicyInput{StackName: aws.String("s"), StackPolicyBody: aws.String("{}")}); err != nil || shown() != "{}" {
		t.Errorf("%v, %s", err, shown())
	}
	if got := change("done"); got != types.StackStatusUpdateComplete {
		t.Errorf("after the policy was lifted: %s", got)
	}
	// What it keeps from being updated goes with its stack.
	if _, err := w.SetStackPolicy(ctx, &cloudformation.SetStackPolicyInput{StackName: aws.String("s"), StackPolicyBody: &deny}); err != nil {
		t.Fatal(err)
	}
	id := *w.settle("s").StackId
	if _, err := w.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &id}); err != nil {
		t.Fatal(err)
	}
	if st := w.settle(id); st.StackStatus != types.StackStatusDeleteComplete {
		t.Errorf("%s", st.StackStatus)
	}
}

func TestStackPolicyMistakes(t *testing.T) {
	w := newWorld(t)
	w.create("s", fmt.Sprintf(guarded, "a", "1", "1", ""))
	const bad = "ValidationError: Error validating stack policy: Invalid stack policy"
	for _, c := range []struct{ policy, want string }{
		{"nonsense", bad}, {`[]`, bad}, {`{"Statement": 1}`, bad}, {`{} {}`, bad}, {`{"Statement": [{}]}`, bad},
		{`{"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "me", "Resource": "*"}]}`, bad},
		{`{"Statement": [{"Effect": "Deny", "Action": "Delete:*", "Principal": "*", "Resource": "*"}]}`, bad},
		{`{"Statement": [{"Effect": "Deny", "Action": "Update:Nothing", "Principal": "*", "Resource": "*"}]}`, bad},
		{`{"Statement": [{"Effect": "Maybe", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}`, bad},
		{`{"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "A"}]}`, bad},
		{`{"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*", "Condition": {"StringEquals": {"Other": "x"}}}]}`, bad},
		{`{"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "LogicalResourceId/X"}]}`,
			"ValidationError: Error validating stack policy: Unknown logical id 'LogicalResourceId/X' in statement {} - stack policies can only be applied to logical ids referenced in the template"},
	} {
		_, err := w.SetStackPolicy(t.Context(), &cloudformation.SetStackPolicyInput{StackName: aws.String("s"), StackPolicyBody: aws.String(c.policy)})
		want(t, c.policy, code(err), c.want)
		_, err = w.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("new"), TemplateBody: aws.String(fmt.Sprintf(guarded, "x", "1", "1", "")), StackPolicyBody: aws.String(c.policy)})
		want(t, "create with "+c.policy, code(err), c.want)
	}
	_, err := w.SetStackPolicy(t.Context(), &cloudformation.SetStackPolicyInput{StackName: aws.String("s"), StackPolicyBody: aws.String("{}"), StackPolicyURL: aws.String("https://b.s3.amazonaws.com/k")})
	want(t, "both", code(err), "ValidationError: You cannot specify both StackPolicyURL and StackPolicyBody")
}
