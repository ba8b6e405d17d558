package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"

	"evo/internal/awserr"
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
	return aws.Config{
		Region:       cmp.Or(a.GivenRegion(), localRegion),
		BaseEndpoint: &url,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		Retryer: func() aws.Retryer { // a cloud on this machine that does not answer at once is not there
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = 100 * time.Millisecond })
		},
	}, nil
}

func connectAWS(ctx context.Context, a *app.App) (aws.Config, error) {
	// What the SDK would say on its own, and not as an error, is about its own search for credentials.
	opts := []func(*config.LoadOptions) error{config.WithLogger(logging.Nop{})}
	if a.Region != "" {
		opts = append(opts, config.WithRegion(a.Region))
	}
	if a.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(a.Profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		var profile config.SharedConfigProfileNotExistError
		hint := ""
		if errors.As(err, &profile) {
			hint = "`aws configure list-profiles` lists those that there are"
		}
		return aws.Config{}, &app.ExitError{Code: app.ExitCredentials, Err: &app.HintedError{
			Err: fmt.Errorf("load the AWS configuration: %w", err), HintText: hint}}
	}
	if cfg.Region == "" {
		return aws.Config{}, app.Usagef("no AWS region is set").WithHint("name one with --region or AWS_REGION")
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{}, &app.ExitError{Code: app.ExitCredentials, Err: noCredentials(err)}
	}
	return cfg, nil
}

// noCredentials says why there are none. That this machine is none of AWS's, which the SDK finds out last, is no reason.
func noCredentials(err error) error {
	text := "no AWS credentials were found"
	if why := awserr.Text(err); !strings.Contains(why, "no EC2 IMDS role found") {
		text += ": " + strings.TrimPrefix(why, "failed to refresh cached credentials, ")
	}
	return &app.HintedError{Err: errors.New(text),
		HintText: "log in (`aws sso login`), name a --profile, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or leave out --target aws for the embedded cloud"}
}
