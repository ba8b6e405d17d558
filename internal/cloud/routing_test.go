package cloud

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	lambdaapi "github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/internal/cloud/lambda"
)

// seeded is a source of random numbers that gives the same ones each time.
func seeded(seed uint64) func() float64 {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(seed, 0))
	return func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return r.Float64()
	}
}

// TestShares sends 100,000 requests at each step of a linear deployment. How many of them the new version gets is within what
// a binomial distribution allows: five standard deviations, of which a right draw is out once in two million steps.
func TestShares(t *testing.T) {
	requests := 100_000
	if testing.Short() {
		requests = 10_000
	}
	bubble(t, func(w *world) {
		w.deploy(shop(1, "Linear10PercentEvery1Minute"), cfntypes.StackStatusCreateComplete)
		w.begin(shop(2, "Linear10PercentEvery1Minute"))
		for w.routing("search") == "1" {
			time.Sleep(time.Second)
		}
		for step := range 10 {
			p := float64(step+1) / 10
			got := w.share(requests)
			if sigma := math.Sqrt(p * (1 - p) / float64(requests)); math.Abs(got-p) > 5*sigma {
				t.Errorf("at %s the new version gets %.4f of the requests; want %.1f ± %.4f", w.routing("search"), got, p, 5*sigma)
			}
			time.Sleep(time.Minute)
		}
		w.want(cfntypes.StackStatusUpdateComplete, time.Minute)
	})
}

// share invokes search:live n times and returns the part of the invocations that version 2 got. It is another Lambda over the
// same state that is asked: one that counts nothing, so that a million requests take a moment.
func (w *world) share(n int) float64 {
	w.Helper()
	r, err := lambda.New(lambda.Config{Region: "us-east-1", Store: w.server.db, Clock: w.server.Clock, Dir: filepath.Join(w.server.codeDir(), "code"),
		Runner: w.functions, Random: w.server.random})
	if err != nil {
		w.Fatal(err)
	}
	in := &lambdaapi.InvokeInput{FunctionName: aws.String("search:live")}
	second := 0
	for range n {
		out, err := r.Invoke(w.ctx, in)
		if err != nil {
			w.Fatal(err)
		}
		if *out.ExecutedVersion == "2" {
			second++
		}
	}
	return float64(second) / float64(n)
}
