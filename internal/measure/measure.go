// Package measure answers: what do calls and live metrics say of a release?
//
// It scores the functions of a suite that neither a template nor a date can: a metric between target and limit, what is left of an error
// budget, a slope, and synthetic transactions. Each is one pair of the whole stack, with the evidence as its reason. What cannot be
// measured (no data, no permission, no time) is unknown, and says why; it is never left out, since a pair that is absent counts as
// nothing lost.
//
// Before traffic shifts, metrics tell of the old version only, and are not asked for: their pairs are unknown, "no traffic yet". Left
// out they would score the same at a gate (a required function without a result is as open as an unknown one), but the difference to the
// last release would gain what they owed. A transaction is made before traffic as well. The new version of a function is called where
// the deployment names it; what else answers is not what is being judged, so that its failure is no evidence: a release that mends a
// function could otherwise never go out.
package measure

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/suitefile"
	"evo/internal/inventory"
)

// Subject is what is measured.
type Subject struct {
	Stack         *inventory.Stack
	Deployment    string // CodeDeploy's, while one runs; empty otherwise
	BeforeTraffic bool   // the new version serves nobody yet: only calls tell something of it
	Now           time.Time
}

// Measurer measures in one account and region.
type Measurer struct {
	endpoint   string // of a cloud other than AWS; empty: AWS
	cloudwatch *cloudwatch.Client
	codedeploy *codedeploy.Client
	lambda     *lambda.Client
	cloud      aws.HTTPClient // leads to the endpoint
	web        *http.Client
}

// New returns a Measurer. endpoint is where a cloud other than AWS serves APIs; empty: AWS.
func New(cfg aws.Config, endpoint string) *Measurer {
	m := &Measurer{endpoint: endpoint, cloudwatch: cloudwatch.NewFromConfig(cfg), codedeploy: codedeploy.NewFromConfig(cfg),
		lambda: lambda.NewFromConfig(cfg, func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} }),
		web:    &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}} // a redirect is an answer
	if m.cloud = cfg.HTTPClient; m.cloud == nil {
		m.cloud = m.web
	}
	return m
}

// outcome is what became of measuring one function.
type outcome struct {
	score  fitness.Interval
	reason string
}

func unknown(reason string) outcome { return outcome{fitness.Unknown, reason} }

// Measure scores all functions of a suite that are measured, in the suite's order. One that cannot be measured is unknown, and says why.
// It returns soon after ctx has ended, whatever hangs.
func (m *Measurer) Measure(ctx context.Context, file *suitefile.File, s Subject) []fitness.Pair {
	var ids []string
	for _, f := range file.Suite.Functions {
		if suitefile.Live(file.Measures[f.ID]) {
			ids = append(ids, f.ID)
		}
	}
	outcomes := make([]outcome, len(ids))
	var wg sync.WaitGroup
	wg.Go(func() { m.live(ctx, file, ids, s, outcomes) })
	wg.Go(func() { m.calls(ctx, file, ids, s, outcomes) })
	wg.Wait()
	pairs := make([]fitness.Pair, len(ids))
	for i, id := range ids {
		pairs[i] = fitness.Pair{Function: id, Resource: fitness.Stack, Score: outcomes[i].score, Criticality: exact.One, Reason: outcomes[i].reason}
	}
	return pairs
}
