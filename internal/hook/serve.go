package hook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/fitness/suitefile"
	"evo/internal/gate"
	"evo/internal/history"
	"evo/internal/inventory"
	"evo/internal/measure"
)

// Serve serves the hook as a Lambda function, until the process ends. env reads the environment.
func Serve(ctx context.Context, env func(string) string) error {
	h, err := New(configuration(env), env, time.Now)
	if err != nil {
		return err
	}
	lambda.StartWithOptions(h.Handle, lambda.WithContext(ctx))
	return errors.New("the fitness hook has ended")
}

// configuration is that of the function's environment, which Lambda fills. The SDK's own loader would look in many other places, and make
// the program a fifth larger.
func configuration(env func(string) string) aws.Config {
	cfg := aws.Config{Region: env("AWS_REGION"), Credentials: credentials.NewStaticCredentialsProvider(
		env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"), env("AWS_SESSION_TOKEN"))}
	if url := env("AWS_ENDPOINT_URL"); url != "" {
		cfg.BaseEndpoint = &url
	}
	return cfg
}

// New makes the hook of a configuration, and of the environment that package gate writes.
func New(cfg aws.Config, env func(string) string, now func() time.Time) (*Hook, error) {
	release, err := released(env)
	if err != nil {
		return nil, err
	}
	stack := env(gate.EnvStack)
	calling := cfg // what is called may take as long as its function says
	cfg.HTTPClient = limited(cfg.HTTPClient)
	s3Client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = cfg.BaseEndpoint != nil })
	s := &Stack{
		Name:           stack,
		CloudFormation: cloudformation.NewFromConfig(cfg),
		Reader:         inventory.New(cfg),
		Measurer:       measure.New(calling, aws.ToString(cfg.BaseEndpoint)),
		History:        &history.Store{S3: s3Client, Bucket: release.Bucket, Prefix: release.Prefix},
		Publisher:      &Publisher{CloudWatch: cloudwatch.NewFromConfig(cfg), Namespace: Namespace, Stack: stack},
		Release:        release,
		Now:            now,
	}
	s.Publisher.Dashboards = s.dashboards
	s.Suite = func(ctx context.Context, key string) (*suitefile.File, error) {
		return readSuite(ctx, s3Client, release.Bucket, key, now())
	}
	return &Hook{Judge: s, CodeDeploy: codedeploy.NewFromConfig(cfg), HTTP: &http.Client{Timeout: 4 * time.Second}, Release: release, Margin: 15 * time.Second}, nil
}

// released reads which release the hook was deployed with.
func released(env func(string) string) (Release, error) {
	n, err := strconv.Atoi(env(gate.EnvRelease))
	if err != nil || env(gate.EnvStack) == "" {
		return Release{}, fmt.Errorf("the fitness hook's environment lacks %s or %s: `evo deploy` sets them", gate.EnvStack, gate.EnvRelease)
	}
	return Release{Number: n, Name: env(gate.EnvReleaseName), Digest: env(gate.EnvDigest), Bucket: env(gate.EnvBucket),
		Prefix: env(gate.EnvPrefix), Suite: env(gate.EnvSuite), Override: env(gate.EnvOverride)}, nil
}

// readSuite reads the fitness.yaml that the deployer uploaded; without a key evo's own suite holds.
func readSuite(ctx context.Context, client *s3.Client, bucket, key string, now time.Time) (*suitefile.File, error) {
	if key == "" {
		return suitefile.Default(), nil
	}
	out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	var missing *types.NoSuchKey
	if errors.As(err, &missing) {
		return nil, fmt.Errorf("read s3://%s/%s: %w", bucket, key, ErrNoSuite)
	}
	if err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", bucket, key, err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", bucket, key, err)
	}
	return suitefile.Parse(suitefile.Name, text, now)
}

// dashboards are the stack's CloudWatch dashboards.
func (s *Stack) dashboards(ctx context.Context) ([]string, error) {
	var names []string
	pages := cloudformation.NewListStackResourcesPaginator(s.CloudFormation, &cloudformation.ListStackResourcesInput{StackName: &s.Name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the resources of stack %s: %w", s.Name, err)
		}
		for _, r := range page.StackResourceSummaries {
			if aws.ToString(r.ResourceType) == "AWS::CloudWatch::Dashboard" && r.PhysicalResourceId != nil {
				names = append(names, *r.PhysicalResourceId)
			}
		}
	}
	return names, nil
}
