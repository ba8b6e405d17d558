// Package measure answers: what do calls and live metrics say of a release?
package measure

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/fitness"
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
	cfg      aws.Config
	endpoint string // of a cloud other than AWS; empty: AWS
}

// New returns a Measurer. endpoint is where a cloud other than AWS serves APIs; empty: AWS.
func New(cfg aws.Config, endpoint string) *Measurer { return &Measurer{cfg, endpoint} }

// Measured reports whether a function is scored by measuring.
func Measured(m suitefile.Measure) bool {
	switch m.(type) {
	case suitefile.Metric, suitefile.Call, suitefile.ServiceLevel, suitefile.Slope:
		return true
	}
	return false
}

// Measure scores all functions of a suite that are measured. One that cannot be measured is unknown, and says why.
func (m *Measurer) Measure(ctx context.Context, file *suitefile.File, s Subject) []fitness.Pair {
	return nil
}
