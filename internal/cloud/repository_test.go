package cloud

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	sartypes "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"
)

// publisher is who publishes the tests' application, from a bucket of theirs.
type publisher struct {
	*world
	sar *serverlessapplicationrepository.Client
	arn *string
}

const announcer = `Transform: AWS::Serverless-2016-10-31
Parameters:
  Greeting: {Type: String, Default: hello}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: s3://code/announcer.zip
      Handler: announcer
      Runtime: python3.13
      Environment: {Variables: {GREETING: !Ref Greeting}}
Outputs:
  Name: {Value: !Ref Function}
`

func (w *world) publish() *publisher {
	w.Helper()
	cfg := w.server.Config("us-east-1")
	objects := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	p := &publisher{world: w, sar: serverlessapplicationrepository.NewFromConfig(cfg)}
	if _, err := objects.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: aws.String("code")}); err != nil {
		w.Fatal(err)
	}
	zip := "PK\x05\x06" + strings.Repeat("\x00", 18) // an empty archive
	if _, err := objects.PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("code"), Key: aws.String("announcer.zip"), Body: strings.NewReader(zip)}); err != nil {
		w.Fatal(err)
	}
	out, err := p.sar.CreateApplication(w.ctx, &serverlessapplicationrepository.CreateApplicationInput{Name: aws.String("announcer"), Author: aws.String("ann"),
		Description: aws.String("announces"), SemanticVersion: aws.String("1.0.0"), TemplateBody: aws.String(announcer)})
	if err != nil {
		w.Fatal(err)
	}
	p.arn = out.ApplicationId
	return p
}

// finished waits until a stack's operation is over.
func (p *publisher) finished(name string) cfntypes.Stack {
	p.Helper()
	for range 300 {
		out, err := p.cfn.DescribeStacks(p.ctx, &cloudformation.DescribeStacksInput{StackName: &name})
		if err != nil {
			p.Fatal(err)
		}
		if s := out.Stacks[0]; !strings.HasSuffix(string(s.StackStatus), "_IN_PROGRESS") || s.StackStatus == cfntypes.StackStatusReviewInProgress {
			return s
		}
		time.Sleep(time.Second)
	}
	p.Fatalf("stack %s never finishes", name)
	return cfntypes.Stack{}
}

func (p *publisher) greeting(name string) string {
	p.Helper()
	f, err := p.lambda.GetFunction(p.ctx, &lambda.GetFunctionInput{FunctionName: &name})
	if err != nil {
		p.Fatal(err)
	}
	return f.Configuration.Environment.Variables["GREETING"]
}

// A change set of the repository's is CloudFormation's, and makes the application's stack.
func TestPublishedApplicationIsDeployed(t *testing.T) { synctest.Test(t, deployPublished) }

func deployPublished(t *testing.T) {
	w := newWorld(t, "")
	w.start()
	defer w.close()
	p := w.publish()
	made, err := p.sar.CreateCloudFormationChangeSet(w.ctx, &serverlessapplicationrepository.CreateCloudFormationChangeSetInput{ApplicationId: p.arn, StackName: aws.String("mine"),
		Capabilities: []string{"CAPABILITY_IAM"}, ParameterOverrides: []sartypes.ParameterValue{{Name: aws.String("Greeting"), Value: aws.String("hi")}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.cfn.ExecuteChangeSet(w.ctx, &cloudformation.ExecuteChangeSetInput{ChangeSetName: made.ChangeSetId}); err != nil {
		t.Fatal(err)
	}
	stack := p.finished("serverlessrepo-mine")
	if stack.StackStatus != cfntypes.StackStatusCreateComplete || len(stack.Tags) != 2 {
		t.Fatalf("%s: %s, tags %v", stack.StackStatus, aws.ToString(stack.StackStatusReason), stack.Tags)
	}
	if got := p.greeting(*stack.Outputs[0].OutputValue); got != "hi" {
		t.Errorf("the function's greeting is %q", got)
	}
}

const nesting = `Transform: AWS::Serverless-2016-10-31
Parameters:
  Version: {Type: String}
Resources:
  Announcer:
    Type: AWS::Serverless::Application
    Properties:
      Location: {ApplicationId: %ARN%, SemanticVersion: !Ref Version}
      Parameters: {Greeting: hi}
      NotificationARNs: ["arn:aws:sns:us-east-1:000000000000:told"]
      TimeoutInMinutes: 5
      Tags: {team: a}
Outputs:
  Name: {Value: !GetAtt Announcer.Outputs.Name}
`

func (p *publisher) nest(version string, update bool) error {
	body := strings.Replace(nesting, "%ARN%", *p.arn, 1)
	capabilities := []cfntypes.Capability{cfntypes.CapabilityCapabilityIam, cfntypes.CapabilityCapabilityAutoExpand}
	parameters := []cfntypes.Parameter{{ParameterKey: aws.String("Version"), ParameterValue: &version}}
	var err error
	if update {
		_, err = p.cfn.UpdateStack(p.ctx, &cloudformation.UpdateStackInput{StackName: aws.String("outer"), TemplateBody: &body, Capabilities: capabilities, Parameters: parameters})
	} else {
		_, err = p.cfn.CreateStack(p.ctx, &cloudformation.CreateStackInput{StackName: aws.String("outer"), TemplateBody: &body, Capabilities: capabilities, Parameters: parameters})
	}
	return err
}

// AWS::Serverless::Application is a nested stack of what was published, in any region.
func TestPublishedApplicationIsNested(t *testing.T) { synctest.Test(t, nestPublished) }

func nestPublished(t *testing.T) {
	w := newWorld(t, "")
	w.start()
	defer w.close()
	p := w.publish()
	if err := p.nest("1.0.0", false); err != nil {
		t.Fatal(err)
	}
	outer := p.finished("outer")
	if outer.StackStatus != cfntypes.StackStatusCreateComplete {
		t.Fatalf("%s: %s", outer.StackStatus, aws.ToString(outer.StackStatusReason))
	}
	if got := p.greeting(*outer.Outputs[0].OutputValue); got != "hi" {
		t.Errorf("the function's greeting is %q", got)
	}
	r, err := w.cfn.DescribeStackResource(w.ctx, &cloudformation.DescribeStackResourceInput{StackName: aws.String("outer"), LogicalResourceId: aws.String("Announcer")})
	if err != nil {
		t.Fatal(err)
	}
	inner := p.finished(*r.StackResourceDetail.PhysicalResourceId)
	tags := map[string]string{}
	for _, t := range inner.Tags {
		tags[*t.Key] = *t.Value
	}
	if tags["serverlessrepo:applicationId"] != *p.arn || tags["serverlessrepo:semanticVersion"] != "1.0.0" || tags["team"] != "a" || len(inner.NotificationARNs) != 1 || aws.ToInt32(inner.TimeoutInMinutes) != 5 {
		t.Errorf("the nested stack: %+v", inner)
	}

	if err := p.nest("1.0.0", true); err == nil || !strings.Contains(err.Error(), "No updates are to be performed") {
		t.Errorf("the same version again: %v", err)
	}
	if err := p.nest("1.1.0", true); err == nil || !strings.Contains(err.Error(), "Resource with id [Announcer] is invalid. Application "+*p.arn+" does not have a version 1.1.0") {
		t.Errorf("a version that is not there: %v", err)
	}
	body := strings.Replace(announcer, "Ref Greeting", "Sub '${Greeting} again'", 1)
	_, err = p.sar.CreateApplicationVersion(w.ctx, &serverlessapplicationrepository.CreateApplicationVersionInput{ApplicationId: p.arn, SemanticVersion: aws.String("1.1.0"), TemplateBody: &body})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.nest("1.1.0", true); err != nil {
		t.Fatal(err)
	}
	outer = p.finished("outer")
	if got := p.greeting(*outer.Outputs[0].OutputValue); outer.StackStatus != cfntypes.StackStatusUpdateComplete || got != "hi again" {
		t.Errorf("%s: %s, the function's greeting is %q", outer.StackStatus, aws.ToString(outer.StackStatusReason), got)
	}

	p.cfn = cloudformation.NewFromConfig(w.server.Config("eu-west-1"))
	p.lambda = lambda.NewFromConfig(w.server.Config("eu-west-1"))
	if err := p.nest("1.1.0", false); err != nil {
		t.Fatal(err)
	}
	outer = p.finished("outer")
	if got := p.greeting(*outer.Outputs[0].OutputValue); got != "hi again" {
		t.Errorf("in another region: %s, the function's greeting is %q", outer.StackStatus, got)
	}
}
