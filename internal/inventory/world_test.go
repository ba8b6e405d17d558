package inventory_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/cloudtest"
	"evo/internal/inventory"
)

// world is a cloud in process, and what the reader's calls to it look like.
type world struct {
	*testing.T
	cfg   aws.Config // of the team that deploys
	calls *calls
}

func newWorld(t *testing.T) *world {
	cfg := cloudtest.InProcess(t).Config("us-east-1")
	return &world{T: t, cfg: cfg, calls: &calls{next: cfg.HTTPClient.(doer), faults: map[string]func(*http.Request) error{}}}
}

func (w *world) reader() *inventory.Reader {
	cfg := w.cfg.Copy()
	cfg.HTTPClient = w.calls
	return inventory.New(cfg)
}

// stack deploys a template and reads it.
func (w *world) stack(name, body string, parameters ...string) *inventory.Stack {
	w.Helper()
	w.deploy(name, body, parameters...)
	s, err := w.reader().Stack(w.Context(), name)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// deploy creates or updates a stack; the parameters are names and values in turn.
func (w *world) deploy(name, body string, parameters ...string) {
	w.Helper()
	client := cloudformation.NewFromConfig(w.cfg)
	kind := types.ChangeSetTypeUpdate
	if _, err := client.DescribeStacks(w.Context(), &cloudformation.DescribeStacksInput{StackName: &name}); err != nil {
		kind = types.ChangeSetTypeCreate
	}
	in := &cloudformation.CreateChangeSetInput{StackName: &name, ChangeSetName: aws.String("change"), ChangeSetType: kind, TemplateBody: &body,
		Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam, types.CapabilityCapabilityAutoExpand},
		Tags:         []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}}
	for p := range slices.Chunk(parameters, 2) {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: &p[0], ParameterValue: &p[1]})
	}
	if _, err := client.CreateChangeSet(w.Context(), in); err != nil {
		w.Fatal(err)
	}
	set := &cloudformation.DescribeChangeSetInput{StackName: &name, ChangeSetName: aws.String("change")}
	quick := func(o *cloudformation.ChangeSetCreateCompleteWaiterOptions) { o.MinDelay = 10 * time.Millisecond }
	if err := cloudformation.NewChangeSetCreateCompleteWaiter(client, quick).Wait(w.Context(), set, time.Minute); err != nil {
		w.Fatal(err)
	}
	if _, err := client.ExecuteChangeSet(w.Context(), &cloudformation.ExecuteChangeSetInput{StackName: &name, ChangeSetName: aws.String("change")}); err != nil {
		w.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(20 * time.Millisecond) {
		out, err := client.DescribeStacks(w.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
		if err != nil {
			w.Fatal(err)
		}
		switch status := out.Stacks[0].StackStatus; {
		case status == types.StackStatusCreateComplete, status == types.StackStatusUpdateComplete:
			return
		case !strings.HasSuffix(string(status), "_IN_PROGRESS"):
			w.Fatalf("the stack is %s: %s\n%s", status, aws.ToString(out.Stacks[0].StackStatusReason), w.failures(client, name))
		}
	}
	w.Fatal("the stack is not ready after a minute")
}

func (w *world) failures(client *cloudformation.Client, name string) string {
	out, err := client.DescribeStackEvents(w.Context(), &cloudformation.DescribeStackEventsInput{StackName: &name})
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, e := range out.StackEvents {
		if reason := aws.ToString(e.ResourceStatusReason); reason != "" {
			lines = append(lines, aws.ToString(e.LogicalResourceId)+": "+reason)
		}
	}
	return strings.Join(lines, "\n")
}

type doer interface {
	Do(*http.Request) (*http.Response, error)
}

// calls notes the operations that clients ask for, and makes chosen ones fail.
type calls struct {
	next   doer
	mu     sync.Mutex
	seen   []string // "S3 GetBucketAcl"
	faults map[string]func(*http.Request) error
	gauge  func(int) // of calls under way; nil if nobody asks
}

func (c *calls) Do(r *http.Request) (*http.Response, error) {
	operation := awsmiddleware.GetServiceID(r.Context()) + " " + awsmiddleware.GetOperationName(r.Context())
	c.mu.Lock()
	c.seen = append(c.seen, operation)
	fault := c.faults[operation]
	if c.gauge != nil {
		c.gauge(1)
		defer func() {
			c.mu.Lock()
			c.gauge(-1)
			c.mu.Unlock()
		}()
	}
	c.mu.Unlock()
	if fault != nil {
		if err := fault(r); err != nil {
			var answer *answerError
			if errors.As(err, &answer) {
				return answer.response(r), nil
			}
			return nil, err
		}
	}
	return c.next.Do(r)
}

// hang waits until the caller gives up.
func hang(r *http.Request) error {
	<-r.Context().Done()
	return r.Context().Err()
}

func find(t *testing.T, items []*inventory.Item, id string) *inventory.Item {
	t.Helper()
	for _, it := range items {
		if it.ID == id {
			return it
		}
	}
	t.Fatalf("there is no item %s", id)
	return nil
}
