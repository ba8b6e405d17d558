package cloud

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// audit asks AWS Config about a world.
type audit struct {
	*world
	config *configservice.Client
	s3     *s3.Client
}

func newAudit(t *testing.T, dir string) *audit {
	a := &audit{world: newWorld(t, dir)}
	a.open()
	return a
}

func (a *audit) open() {
	a.start()
	cfg := a.server.Config("us-east-1")
	a.config = configservice.NewFromConfig(cfg)
	a.s3 = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
}

// verdicts are the words of all rules for a resource, by rule.
func (a *audit) verdicts(kind, id string) map[string]string {
	a.Helper()
	out, err := a.config.GetComplianceDetailsByResource(a.ctx, &configservice.GetComplianceDetailsByResourceInput{ResourceType: &kind, ResourceId: &id})
	if err != nil {
		a.Fatal(err)
	}
	words := map[string]string{}
	for _, r := range out.EvaluationResults {
		words[*r.EvaluationResultIdentifier.EvaluationResultQualifier.ConfigRuleName] = string(r.ComplianceType)
	}
	return words
}

func (a *audit) create(body string) {
	a.Helper()
	in := &cloudformation.CreateStackInput{StackName: aws.String(stack), TemplateBody: &body, Capabilities: []cftypes.Capability{"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}}
	if _, err := a.cfn.CreateStack(a.ctx, in); err != nil {
		a.Fatal(err)
	}
	if s := a.await(10 * time.Minute); s != "CREATE_COMPLETE" {
		a.Fatalf("%s\n%s", s, strings.Join(a.events(), "\n"))
	}
}

func TestX(t *testing.T) {
	a := newAudit(t, "")
	defer a.close()
	a.s3.CreateBucket(a.ctx, &s3.CreateBucketInput{Bucket: aws.String("one")})
	fmt.Println(a.verdicts("AWS::S3::Bucket", "one"))
	out, err := a.config.GetResourceConfigHistory(context.Background(), &configservice.GetResourceConfigHistoryInput{ResourceType: types.ResourceTypeBucket, ResourceId: aws.String("one")})
	fmt.Println(err)
	for _, i := range out.ConfigurationItems {
		fmt.Println(*i.Configuration, i.SupplementaryConfiguration)
	}
}
