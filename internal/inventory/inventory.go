// Package inventory answers: which resources does a stack have, and how are they configured?
//
// [Reader.Stack] says what a stack's template asks for, resolved as far as the stack knows; [Reader.Live] reads through the
// services' own APIs what the resources are really like, and gives it in the same shape, CloudFormation's; [Compare] tells the
// two apart. [Actions] lists the permissions that the reading takes. Whether the clients reach AWS or another cloud that
// speaks its APIs makes no difference.
//
// What could not be read is never left out and never guessed: [Unknown] stands in its place, with the reason.
package inventory

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cfn"
	"evo/internal/rules/value"
	"evo/internal/source"
)

// Item is one resource's configuration in CloudFormation's shape.
type Item struct {
	// ID is the logical id; in a nested stack, with the nested stack's before it ("Storage/Orders"). What configures a
	// resource but stands in no template has an ID of its own: the resource's, and what it is ("Orders/Policy").
	ID         string
	Type       string
	PhysicalID string // empty if the resource has not been made
	Name, ARN  string // empty where they are not known
	Properties *cfn.Node
	Metadata   *cfn.Node
	Span       source.Span // of the logical id, in the processed template
	Condition  string      // the resource's condition, if it is not known whether it holds

	// Supplementary holds what CloudFormation's properties cannot express, as rules.Item has it; nil if nobody looked. A bucket has
	// MFADelete, Grants and PolicyIsPublic; a function has Policy, its aliases' among it, and CodeSize, in bytes; a nested stack has DriftStatus. What could not be
	// read is not there.
	Supplementary *cfn.Node

	// Read are the top-level properties that a live resource was asked for, the unknown ones among them; the others are
	// the template's. Nil: all are, as there is no reader for the type.
	Read []string

	// Missing says that the stack has the resource, and its service does not.
	Missing bool
}

// Unknown is the value of a property that could not be read: an intrinsic function that nobody resolves.
func Unknown(reason string) *cfn.Node { return cfn.Obj(cfn.P(value.Unreadable, cfn.Str(reason))) }

// Reason returns why a value is unknown, if it is.
func Reason(n *cfn.Node) (string, bool) {
	name, arg, ok := n.Intrinsic()
	return arg.Str(), ok && name == value.Unreadable
}

// Reader reads one account and region.
type Reader struct {
	Concurrency int           // reads at a time; 0: 8
	Timeout     time.Duration // of one read, retries included; 0: 5 seconds

	cloudformation *cloudformation.Client
	s3             *s3.Client
	dynamodb       *dynamodb.Client
	scaling        *applicationautoscaling.Client
	lambda         *lambda.Client
	rest           *apigateway.Client
	http           *apigatewayv2.Client
	cloudwatch     *cloudwatch.Client
	logs           *cloudwatchlogs.Client
	iam            *iam.Client
	codedeploy     *codedeploy.Client
}

// retryWait is the longest wait before a read is tried again. The client's own waits grow to 20 s; two of them may outlast a read's time,
// and a resource that is throttled would be told as one that does not answer.
const retryWait = time.Second

// New returns a Reader whose clients are made of cfg, with the Reader's own waits between tries if cfg does not choose any.
func New(cfg aws.Config) *Reader {
	if cfg.Retryer == nil {
		cfg.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = retryWait })
		}
	}
	return &Reader{
		cloudformation: cloudformation.NewFromConfig(cfg),
		s3:             s3.NewFromConfig(cfg),
		dynamodb:       dynamodb.NewFromConfig(cfg),
		scaling:        applicationautoscaling.NewFromConfig(cfg),
		lambda:         lambda.NewFromConfig(cfg),
		rest:           apigateway.NewFromConfig(cfg),
		http:           apigatewayv2.NewFromConfig(cfg),
		cloudwatch:     cloudwatch.NewFromConfig(cfg),
		logs:           cloudwatchlogs.NewFromConfig(cfg),
		iam:            iam.NewFromConfig(cfg),
		codedeploy:     codedeploy.NewFromConfig(cfg),
	}
}

// text is a property's value as a string; empty if it is none, or not known.
func (it *Item) text(property string) string {
	s, _ := it.Properties.Get(property).Scalar()
	if strings.Contains(s, "{{resolve:") {
		return ""
	}
	return s
}

// local is the ID without the nested stacks that lead to it.
func (it *Item) local() string { return it.ID[strings.LastIndexByte(it.ID, '/')+1:] }
