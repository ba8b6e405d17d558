// Package engine answers: how does a template become what runs? It packages local code, asks CloudFormation for a change set,
// executes it, follows the stack's events and the deployments that shift traffic, and says how it ended. It talks to one
// cloud through SDK clients, and cannot tell AWS from the embedded one. What happens is told as [Event] values.
package engine

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/observe"
)

// Engine deploys to one account and region.
type Engine struct {
	CloudFormation *cloudformation.Client
	S3             *s3.Client
	Observer       *observe.Observer
	Region         string
	Emit           func(Event)      // called from one goroutine at a time
	Now            func() time.Time // for names and deadlines
	Poll           time.Duration    // between two looks at what is under way
}

// New returns an Engine whose clients are made of cfg.
func New(cfg aws.Config, emit func(Event)) *Engine {
	return &Engine{
		CloudFormation: cloudformation.NewFromConfig(cfg),
		S3:             s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = cfg.BaseEndpoint != nil }),
		Observer:       observe.New(cfg),
		Region:         cfg.Region,
		Emit:           emit,
		Now:            time.Now,
		Poll:           time.Second,
	}
}

func (e *Engine) info(text string) { e.Emit(Event{Type: TypeInfo, Info: text}) }
