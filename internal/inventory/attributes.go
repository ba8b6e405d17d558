package inventory

import (
	"fmt"
	"strings"

	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
)

// attributes tells what Ref and Fn::GetAtt return, as far as it follows from physical ids.
type attributes struct {
	stack    *Stack
	t        *cfn.Template
	physical map[string]string
	nested   map[string]*Stack
}

func (a attributes) ref(id string) *cfn.Node {
	if physical := a.physical[id]; physical != "" {
		return cfn.Str(physical)
	}
	return nil
}

func (a attributes) get(id, name string) (*cfn.Node, error) { return a.attribute(id, name), nil }

// attribute is nil where the value does not follow.
func (a attributes) attribute(id, name string) *cfn.Node {
	if n := a.nested[id]; n != nil {
		if value, ok := n.Outputs[strings.TrimPrefix(name, "Outputs.")]; ok && strings.HasPrefix(name, "Outputs.") {
			return cfn.Str(value)
		}
		return nil
	}
	res, physical := a.t.Resource(id), a.physical[id]
	if res == nil || physical == "" {
		return nil
	}
	facts, ok := spec.Lookup(res.Type)
	if !ok {
		return nil
	}
	if _, ok := facts.Attributes[name]; !ok {
		return nil
	}
	if text := a.derived(res, facts, physical, name); text != "" {
		return cfn.Str(text)
	}
	return nil
}

func (a attributes) derived(res *cfn.Resource, facts *spec.Type, physical, name string) string {
	switch {
	case len(facts.Ref) == 1 && facts.Ref[0] == name:
		return physical
	case name == "Arn":
		return a.arn(res, facts, physical)
	case res.Type == "AWS::S3::Bucket":
		return a.bucketHost(physical, name)
	case res.Type == "AWS::Lambda::Version" && name == "Version":
		return physical[strings.LastIndexByte(physical, ':')+1:]
	case res.Type == "AWS::SQS::Queue" && name == "QueueName", res.Type == "AWS::SNS::Topic" && name == "TopicName":
		return physical[strings.LastIndexAny(physical, "/:")+1:]
	}
	return ""
}

// arn fills the physical id into the type's form of ARNs.
func (a attributes) arn(res *cfn.Resource, facts *spec.Type, physical string) string {
	if awsarn.IsARN(physical) {
		return physical
	}
	path := "/"
	switch res.Type {
	case "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group":
		if n := res.Properties.Get("Path"); n != nil {
			if path = n.Str(); path == "" {
				return "" // a function: the ARN has what it returns
			}
		}
	case "AWS::SQS::Queue":
		physical = physical[strings.LastIndexByte(physical, '/')+1:]
	}
	form := strings.NewReplacer("${Partition}", a.stack.Partition, "${Region}", a.stack.Region, "${Account}", a.stack.Account).Replace(facts.ARN)
	before, rest, ok := strings.Cut(form, "${")
	_, after, closed := strings.Cut(rest, "}")
	if !ok || !closed || strings.Contains(after, "${") {
		return ""
	}
	if strings.HasPrefix(before, "arn:"+a.stack.Partition+":iam::") {
		physical = strings.TrimPrefix(path, "/") + physical
	}
	if res.Type == "AWS::Logs::LogGroup" {
		after += ":*" // Fn::GetAtt's form differs from the published one
	}
	return before + physical + after
}

func (a attributes) bucketHost(bucket, name string) string {
	suffix := urlSuffix(a.stack.Partition)
	switch name {
	case "DomainName":
		return bucket + ".s3." + suffix
	case "RegionalDomainName":
		return fmt.Sprintf("%s.s3.%s.%s", bucket, a.stack.Region, suffix)
	case "DualStackDomainName":
		return fmt.Sprintf("%s.s3.dualstack.%s.%s", bucket, a.stack.Region, suffix)
	}
	return "" // the form of a website's URL differs from region to region
}
