package cli

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"evo/internal/cli/app"
	"evo/internal/cli/localcloud"
)

type awsConfig = aws.Config

// localRegion serves local commands that name none.
const localRegion = "us-east-1"

// connect returns the SDK clients' configuration for the target. A local one gets the embedded cloud, started if need be.
func connect(ctx context.Context, a *app.App) (aws.Config, error) {
	if a.Target == app.TargetAWS {
		return connectAWS(ctx, a)
	}
	url := a.Endpoint
	if url == "" {
		url = a.Env("EVO_ENDPOINT_URL")
	}
	if url == "" {
		var err error
		if url, err = localcloud.Ensure(ctx, localcloud.DefaultURL, func(text string) { fmt.Fprintln(a.Err, text) }); err != nil {
			return aws.Config{}, err
		}
	}
	region := a.Region
	if region == "" {
		region = firstOf(a.Env("AWS_REGION"), a.Env("AWS_DEFAULT_REGION"), localRegion)
	}
	return aws.Config{
		Region:       region,
		BaseEndpoint: &url,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	}, nil
}

func connectAWS(ctx context.Context, a *app.App) (aws.Config, error) {
	var opts []func(*config.LoadOptions) error
	if a.Region != "" {
		opts = append(opts, config.WithRegion(a.Region))
	}
	if a.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(a.Profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return aws.Config{}, &app.ExitError{Code: app.ExitCredentials, Err: fmt.Errorf("load the AWS configuration: %w", err)}
	}
	if cfg.Region == "" {
		return aws.Config{}, app.Usagef("no AWS region is set").WithHint("name one with --region or AWS_REGION")
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{}, &app.ExitError{Code: app.ExitCredentials, Err: &app.HintedError{
			Err: fmt.Errorf("no AWS credentials: %w", err), HintText: "log in (`aws sso login`), name a --profile, or leave out --target aws for the embedded cloud"}}
	}
	return cfg, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
