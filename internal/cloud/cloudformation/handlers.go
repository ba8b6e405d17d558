package cloudformation

import (
	"maps"
	"strings"
)

// Services are what resources are made with. A nil one has its types recorded.
type Services struct {
	Lambda       Lambda
	IAM          IAM
	Buckets      Buckets
	Objects      Objects // templates, and layers' contents are read by Lambda itself
	DynamoDB     DynamoDB
	APIGateway   APIGateway
	APIGatewayV2 APIGatewayV2
	CodeDeploy   CodeDeploy
	CloudWatch   CloudWatch
	Logs         Logs
	AutoScaling  AutoScaling
	AWSConfig    AWSConfig
	Events       Events
}

// allHandlers gathers the handlers of the services that are there.
func (s *Service) allHandlers() map[string]Handler {
	all := map[string]Handler{}
	for _, part := range []map[string]Handler{s.lambdaHandlers(), s.iamHandlers(), s.bucketHandlers(), s.dynamoHandlers(), s.apiHandlers(),
		s.httpAPIHandlers(), s.codedeployHandlers(), s.cloudwatchHandlers(), s.logsHandlers(), s.scalingHandlers(), s.configHandlers(), s.ruleHandlers(), s.ownHandlers(), s.cfg.Handlers} {
		maps.Copy(all, part)
	}
	return all
}

func isCustom(kind string) bool {
	return strings.HasPrefix(kind, "Custom::") || kind == "AWS::CloudFormation::CustomResource"
}

// handler returns what makes resources of a type.
func (s *Service) handler(kind string) Handler {
	if h, ok := s.handlers[kind]; ok {
		return h
	}
	if isCustom(kind) {
		return s.customHandler()
	}
	return recordedHandler
}
