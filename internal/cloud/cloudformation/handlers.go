package cloudformation

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"evo/internal/cfn/spec"
	"evo/internal/cloud/call"
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

// recordedHandler keeps a resource that evo cannot run: it has an identity and attributes, and does nothing.
var recordedHandler = Handler{
	Create: func(_ context.Context, r *Request) (Result, error) { return record(r, ""), nil },
	Update: func(_ context.Context, r *Request) (Result, error) { return record(r, r.Physical), nil },
}

func recordedReason(kind string) string {
	return fmt.Sprintf("evo records %s: its properties are kept, and it does nothing here", kind)
}

// record gives a recorded resource its identity: the name that its properties give, else a generated one.
func record(r *Request, physical string) Result {
	facts, known := spec.Lookup(r.Type)
	if !known {
		facts = &spec.Type{Name: r.Type}
	}
	if physical == "" {
		physical = r.recordedID(facts)
	}
	result := Result{Physical: physical, Attributes: map[string]any{}, Reason: recordedReason(r.Type), Recorded: true}
	name := physical[strings.LastIndexAny(physical, ":/")+1:]
	for attr, p := range facts.Attributes {
		switch {
		case strings.HasSuffix(strings.ToLower(attr), "arn"):
			result.Attributes[attr] = r.recordedARN(facts, name)
		case len(facts.Ref) == 1 && facts.Ref[0] == attr:
			result.Attributes[attr] = physical
		case p.Type.Kind == spec.List:
			result.Attributes[attr] = []any{}
		case p.Type.Kind == spec.String:
			result.Attributes[attr] = name
		}
	}
	return result
}

func (r *Request) recordedID(facts *spec.Type) string {
	if len(facts.Ref) == 1 {
		key := facts.Ref[0]
		if name := r.Str(key); name != "" {
			return name
		}
		switch {
		case strings.HasSuffix(strings.ToLower(key), "arn"):
			return r.recordedARN(facts, r.givenName(facts))
		case key == "QueueUrl":
			return fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s", r.Region, call.Account, r.givenName(facts))
		}
	}
	return r.givenName(facts)
}

// givenName is a name among the properties, or a generated one.
func (r *Request) givenName(facts *spec.Type) string {
	last := facts.Name[strings.LastIndex(facts.Name, ":")+1:]
	for _, key := range []string{last + "Name", "Name"} {
		if name := r.Str(key); name != "" {
			return name
		}
	}
	return r.generated(64)
}

// recordedARN fills in the type's published form of ARNs, or the usual one.
func (r *Request) recordedARN(facts *spec.Type, name string) string {
	parts := strings.Split(facts.Name, "::")
	service, kind := "cloudformation", "resource"
	if len(parts) == 3 {
		service, kind = strings.ToLower(parts[1]), strings.ToLower(parts[2])
	}
	if facts.ARN == "" {
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s/%s", service, r.Region, call.Account, kind, name)
	}
	arn := strings.NewReplacer("${Partition}", "aws", "${Region}", r.Region, "${Account}", call.Account).Replace(facts.ARN)
	for {
		before, rest, ok := strings.Cut(arn, "${")
		_, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return arn
		}
		arn = before + name + after
	}
}
