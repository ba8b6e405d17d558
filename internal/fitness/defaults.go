package fitness

import "evo/internal/fitness/exact"

// The characteristics that evo knows by itself. A suite may have others.
const (
	Functionality = "functionality" // what customers can do
	Security      = "security"
	Reliability   = "reliability"
	Scalability   = "scalability"
	Performance   = "performance"
	Operability   = "operability"
	Deployability = "deployability"
	CostOf        = "cost"
)

// Default is the suite of an application that says nothing of fitness. Only the proportions of the weights matter: they are
// divided by the sum of those that apply, so a characteristic without functions takes nothing from the others.
func Default() *Suite {
	s := &Suite{
		Characteristics: []Characteristic{
			{Name: Functionality, Weight: percent(20)},
			{Name: Security, Weight: percent(22)},
			{Name: Reliability, Weight: percent(18)},
			{Name: Scalability, Weight: percent(12)},
			{Name: Performance, Weight: percent(10)},
			{Name: Operability, Weight: percent(12)},
			{Name: Deployability, Weight: percent(10)},
			{Name: CostOf, Weight: percent(6)},
		},
		Complexity: Complexity{Lambda: percent(10), Budgets: []Budget{
			{Resources, percent(30), exact.D(40)},
			{Edges, percent(20), exact.D(60)},
			{Code, percent(15), exact.D(100)}, // a package is mostly what the code depends on: 10 MB stand for a thousand lines
			{Grants, percent(15), exact.D(60)},
			{Cost, percent(20), exact.D(50)},
		}},
		Ratchet: Ratchet{Policy: Hold, Tolerance: percent(50), Additions: Average, Regressions: Compensate, Reference: LastSucceeded,
			Unknown: AcceptWithWarning, Coverage: percent(80)},
		Criticality: map[string]exact.Decimal{},
	}
	for _, e := range Catalogue {
		if e.OptIn == "" {
			s.Functions = append(s.Functions, e.Function())
		}
	}
	return s
}

func percent(n int) exact.Decimal { return exact.D(n) / 100 }

// helpers are resources that serve another one. What is wrong with them is wrong, but weighs less.
var helpers = map[string]exact.Decimal{
	"AWS::Logs::LogGroup":                         percent(30),
	"AWS::Lambda::Permission":                     percent(30),
	"AWS::S3::BucketPolicy":                       percent(50),
	"AWS::SQS::QueuePolicy":                       percent(50),
	"AWS::SNS::TopicPolicy":                       percent(50),
	"AWS::IAM::Policy":                            percent(50),
	"AWS::IAM::ManagedPolicy":                     percent(50),
	"AWS::IAM::Role":                              percent(50),
	"AWS::CloudWatch::Alarm":                      percent(30),
	"AWS::CloudWatch::Dashboard":                  percent(10),
	"AWS::ApplicationAutoScaling::ScalableTarget": percent(30),
	"AWS::ApplicationAutoScaling::ScalingPolicy":  percent(30),
	"AWS::ApiGateway::Account":                    percent(10),
	"AWS::ApiGateway::Deployment":                 percent(10),
	"AWS::Lambda::Version":                        percent(10),
	"AWS::CodeDeploy::Application":                percent(10),
	"AWS::Serverless::LayerVersion":               percent(30),
	"AWS::Lambda::LayerVersion":                   percent(30),
	"AWS::CloudFormation::CustomResource":         percent(10),
	"AWS::CloudFormation::WaitConditionHandle":    percent(10),
	"AWS::CloudFormation::WaitCondition":          percent(10),
	"AWS::Events::EventBusPolicy":                 percent(50),
	"AWS::SecretsManager::RotationSchedule":       percent(50),
	"AWS::ApiGatewayV2::Deployment":               percent(10),
	"AWS::Lambda::EventInvokeConfig":              percent(30),
	"AWS::SNS::Subscription":                      percent(50),
	"AWS::Lambda::EventSourceMapping":             percent(50),
}

// CriticalityOf is how much a resource counts: what the suite says of its logical id, else less than 1 for a helper, else 1.
func (s *Suite) CriticalityOf(resource, resourceType string) exact.Decimal {
	if c, ok := s.Criticality[resource]; ok {
		return c
	}
	if c, ok := helpers[resourceType]; ok {
		return c
	}
	return exact.One
}
