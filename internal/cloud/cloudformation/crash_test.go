package cloudformation

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// scenario is one operation, from a state to its end.
type scenario struct {
	name          string
	first, second string // the stack before, and what it is updated to; no second: it is deleted
	status        types.StackStatus
	things        string
	value         string // of the thing a
}

var scenarios = []scenario{
	{
		name:   "update",
		first:  `{Resources: {A: {Type: "Test::Thing", Properties: {Name: a, Value: 1}}, B: {Type: "Test::Thing", Properties: {Name: b}}, C: {Type: "Test::Thing", Properties: {Name: c}}}}`,
		second: `{Resources: {A: {Type: "Test::Thing", Properties: {Name: a, Value: 2}}, B: {Type: "Test::Thing", Properties: {Name: b2, Value: !Ref A}}, D: {Type: "Test::Thing", Properties: {Name: d, Value: !Ref B}}}}`,
		status: types.StackStatusUpdateComplete, things: "a b2 d", value: "2",
	},
	{
		name:   "update that rolls back",
		first:  `{Resources: {A: {Type: "Test::Thing", Properties: {Name: a, Value: 1}}, B: {Type: "Test::Thing", Properties: {Name: b}}, C: {Type: "Test::Thing", Properties: {Name: c}}}}`,
		second: `{Resources: {A: {Type: "Test::Thing", Properties: {Name: a, Value: 2}}, B: {Type: "Test::Thing", DependsOn: A, Properties: {Name: b2}}, D: {Type: "Test::Thing", DependsOn: B, Properties: {Name: d}}, E: {Type: "Test::Thing", DependsOn: D, Properties: {Fail: Create}}}}`,
		status: types.StackStatusUpdateRollbackComplete, things: "a b c", value: "1",
	},
	{
		name:   "delete",
		first:  `{Resources: {A: {Type: "Test::Thing", Properties: {Name: a, Value: 1}}, B: {Type: "Test::Thing", DependsOn: A, DeletionPolicy: Retain, Properties: {Name: b}}}}`,
		status: types.StackStatusDeleteComplete, things: "b",
	},
}

var errCrash = errors.New("the process ended here")

// crashAt runs an operation with the process ending at its nth write, and then whole. It reports false when there are fewer.
func crashAt(t *testing.T, sc scenario, n int) bool {
	w := newWorld(t)
	st := w.create("s", sc.first)
	id := *st.StackId
	var writes int
	crashed := make(chan struct{})
	w.s.journal = func() error {
		if writes++; writes == n {
			close(crashed)
			return errCrash
		}
		if writes > n {
			return errCrash
		}
		return nil
	}
	w.s.cfg.Parallel = 1
	if sc.second == "" {
		w.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String(id)})
	} else if _, err := w.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String(id), TemplateBody: aws.String(sc.second)}); err != nil {
		t.Fatal(err)
	}
	w.s.wait(t.Context(), id)
	hit := false
	select {
	case <-crashed:
		hit = true
	default:
	}
	w.s.Close()
	w.open()
	if err := w.s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	st = w.settle(id)
	if st.StackStatus != sc.status || strings.Join(w.things.names(), " ") != sc.things || w.things.have["a"] != sc.value {
		t.Errorf("crash at write %d: %s, things %v, a=%s\n%s", n, st.StackStatus, w.things.names(), w.things.have["a"], w.history(id))
	}
	for _, table := range []string{"steps", "leftovers"} {
		if left := w.keys(table); len(left) > 0 {
			t.Errorf("crash at write %d: %s still holds %v", n, table, left)
		}
	}
	return hit
}

// A process that ends at any of an operation's writes leaves a state from which the next one brings it to the same end, with
// nothing made twice and nothing left over.
func TestCrashAtEveryWrite(t *testing.T) {
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			n := 1
			for crashAt(t, sc, n) {
				n++
			}
			if n < 4 {
				t.Errorf("only %d writes were seen", n)
			}
		})
	}
}

// A create call that is interrupted at any write ends in a whole stack, each thing made once.
func TestCrashInCreate(t *testing.T) {
	for n := int64(1); ; n++ {
		w := newWorld(t)
		var writes atomic.Int64
		w.s.journal = func() error {
			if writes.Add(1) >= n {
				return errCrash
			}
			return nil
		}
		out, err := w.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(
			`{Resources: {A: {Type: "Test::Thing"}, B: {Type: "Test::Thing", Properties: {Value: !Ref A}}, C: {Type: "Test::Thing", Properties: {Value: !Ref A}}}}`)})
		if err != nil {
			t.Fatal(err)
		}
		w.s.wait(t.Context(), *out.StackId)
		w.s.Close()
		w.open()
		w.s.Start(t.Context())
		if st := w.settle(*out.StackId); st.StackStatus != types.StackStatusCreateComplete || w.things.created != 3 || len(w.things.names()) != 3 {
			t.Fatalf("crash at write %d: %s, %d made, %v", n, st.StackStatus, w.things.created, fmt.Sprint(w.things.names()))
		}
		if writes.Load() < n {
			return
		}
	}
}
