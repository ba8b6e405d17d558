// Package wiretest answers: how does a test reach a service of the embedded cloud with a real SDK client?
//
//	cfg := wiretest.Config(t, wiretest.Serve{"dynamodb": svc})
//	client := dynamodb.NewFromConfig(cfg)
//	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{…})
//
// The keys of [Serve] are the names of package model: apigateway, apigatewayv2, application-autoscaling, cloudformation,
// cloudwatch, codedeploy, config, dynamodb, events, iam, lambda, logs, s3, serverlessrepo, sns, sqs, sts. Requests pass through package wire
// in process, without a socket, so that it works inside a testing/synctest bubble. The client does not retry.
package wiretest

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/cloud/call"
	"evo/internal/cloud/wire"
)

// Serve names the services to be served; each serves every region.
type Serve map[string]any

// Handler serves the services.
func Handler(t testing.TB, services Serve) *wire.Handler {
	t.Helper()
	var c wire.Config
	for name, impl := range services {
		c.Services = append(c.Services, wire.Service{Name: name, For: func(string) (any, error) { return impl, nil }})
	}
	h, err := wire.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Config is a client configuration that leads to the services.
func Config(t testing.TB, services Serve) aws.Config {
	t.Helper()
	return For(Handler(t, services))
}

// For is a client configuration that leads to h.
func For(h http.Handler) aws.Config {
	return aws.Config{
		Region:      call.DefaultRegion,
		Credentials: aws.CredentialsProviderFunc(credentials),
		HTTPClient:  &http.Client{Transport: wire.Transport{Handler: h}},
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}
