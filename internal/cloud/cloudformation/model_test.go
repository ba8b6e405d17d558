package cloudformation

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"pgregory.net/rapid"
)

// drawTemplate makes a template of up to four things, which may be named anew (and so replaced), changed, depend on each
// other, and fail.
func drawTemplate(t *rapid.T) (template string, fails bool) {
	var lines []string
	var ids []string
	failing := rapid.SampledFrom([]string{"", "", "A", "B", "C", "D"}).Draw(t, "failing")
	for _, id := range []string{"A", "B", "C", "D"} {
		if !rapid.Bool().Draw(t, id) {
			continue
		}
		props := fmt.Sprintf("Name: %s%d, Value: %d", strings.ToLower(id), rapid.IntRange(1, 2).Draw(t, "name"), rapid.IntRange(1, 2).Draw(t, "value"))
		if id == failing {
			props += ", Fail: " + rapid.SampledFrom([]string{"Create", "Update"}).Draw(t, "when")
			fails = true
		}
		needs := ""
		if len(ids) > 0 && rapid.Bool().Draw(t, "needs") {
			needs = fmt.Sprintf("DependsOn: %s, ", rapid.SampledFrom(ids).Draw(t, "need"))
		}
		lines = append(lines, fmt.Sprintf(`%s: {Type: "Test::Thing", %sProperties: {%s}}`, id, needs, props))
		ids = append(ids, id)
	}
	lines = append(lines, `Last: {Type: "Test::Thing", Properties: {Name: last}}`)
	return "Resources: {" + strings.Join(lines, ", ") + "}", fails
}

// Whatever a stack goes through, what is there is what the stack has: nothing is left over, and nothing is missing. An
// update that fails leaves it as it was.
func TestStackHasWhatIsThere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		defer w.s.Close()
		ctx := t.Context()
		out, err := w.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(`Resources: {Last: {Type: "Test::Thing", Properties: {Name: last}}}`)})
		if err != nil {
			rt.Fatal(err)
		}
		w.settle(*out.StackId)
		for range rapid.IntRange(1, 4).Draw(rt, "updates") {
			template, fails := drawTemplate(rt)
			before := w.things.snapshot()
			_, err := w.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: out.StackId, TemplateBody: aws.String(template)})
			if err != nil && !strings.Contains(err.Error(), "No updates are to be performed") {
				rt.Fatal(err)
			}
			st := w.settle(*out.StackId)
			list, err := w.ListStackResources(ctx, &cloudformation.ListStackResourcesInput{StackName: out.StackId})
			if err != nil {
				rt.Fatal(err)
			}
			var have []string
			for _, r := range list.StackResourceSummaries {
				have = append(have, aws.ToString(r.PhysicalResourceId))
			}
			slices.Sort(have)
			if !slices.Equal(have, w.things.names()) {
				rt.Fatalf("%s: the stack has %v, there are %v\n%s\n%s", st.StackStatus, have, w.things.names(), template, w.history("s"))
			}
			if st.StackStatus == types.StackStatusUpdateRollbackComplete && w.things.snapshot() != before {
				rt.Fatalf("rolled back to %s, not to %s\n%s\n%s", w.things.snapshot(), before, template, w.history("s"))
			}
			if !fails && strings.Contains(string(st.StackStatus), "ROLLBACK") && err == nil && w.things.snapshot() != before {
				rt.Fatalf("%s without a failure", st.StackStatus)
			}
		}
		if _, err := w.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: out.StackId}); err != nil {
			rt.Fatal(err)
		}
		if st := w.settle(*out.StackId); st.StackStatus != types.StackStatusDeleteComplete || len(w.things.names()) > 0 {
			rt.Fatalf("%s, %v", st.StackStatus, w.things.names())
		}
	})
}

// snapshot is what is there, with its values.
func (p *things) snapshot() string {
	var all []string
	for _, name := range p.names() {
		all = append(all, name+"="+p.have[name])
	}
	return strings.Join(all, " ")
}
