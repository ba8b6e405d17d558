// Package samples answers: do the applications of examples/sam, one of each usual kind, pass through the whole tool?
package samples

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"evo/cloudtest"
	"evo/internal/cfn"
	"evo/internal/engine"
	"evo/internal/sam"
)

var update = flag.Bool("update", false, "write the golden files anew")

const examples = "../../examples/sam"

func TestSamples(t *testing.T) {
	templates, err := filepath.Glob(examples + "/*/template.yaml")
	if err != nil || len(templates) < 10 {
		t.Fatal(len(templates), "applications", err)
	}
	config := cloudtest.New(t).Config("us-east-1")
	bucket := engine.Bucket{Name: "artifacts"}
	if _, err := s3.NewFromConfig(config).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket.Name}); err != nil {
		t.Fatal(err)
	}
	for _, path := range templates {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			e := engine.New(config, func(engine.Event) {})
			packaged, err := e.Package(t.Context(), path, bucket, nil)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, resources(transformed(t, packaged)))
			deploy(t, e, engine.Deployment{Stack: name, Template: packaged,
				Capabilities: []string{"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"}})
			templateOfStack(t, cloudformation.NewFromConfig(config), name)
		})
	}
}

// transformed is what SAM makes of a template. All that it refers to is there.
func transformed(t *testing.T, template *cfn.Node) *cfn.Node {
	t.Helper()
	env := cfn.Env{Region: "us-east-1", Partition: "aws"}
	extended, err := cfn.Extend(template, env)
	if err != nil {
		t.Fatal(err)
	}
	out, err := sam.Transform(extended, sam.Options{Region: env.Region})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// resources lists a template's resources by types, and where in the author's file each comes from.
func resources(template *cfn.Node) string {
	var b strings.Builder
	for _, r := range template.Get("Resources").Entries() {
		fmt.Fprintf(&b, "%d\t%s\t%s\n", r.Value.Where().Start.Line, r.Key, r.Value.Get("Type").Str())
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the resources have changed (-want +got):\n%s", diff)
	}
}

func deploy(t *testing.T, e *engine.Engine, d engine.Deployment) {
	t.Helper()
	changes, err := e.Plan(t.Context(), d)
	if err == nil {
		err = e.Execute(t.Context(), changes, d)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// templateOfStack sees that the stack is there, whole.
func templateOfStack(t *testing.T, c *cloudformation.Client, name string) {
	t.Helper()
	out, err := c.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Stacks[0].StackStatus; got != "CREATE_COMPLETE" {
		t.Errorf("the stack is %s: %s", got, aws.ToString(out.Stacks[0].StackStatusReason))
	}
}
