// Package functions answers: what does each of the shop's functions do?
//
// They are ordinary Lambda functions, which know AWS and nothing of what deploys them.
package functions

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// handlers are the functions, by the template's Handler.
var handlers = map[string]any{
	"search":      Search,
	"cart":        Cart,
	"checkout":    Checkout,
	"orders":      Orders,
	"picture":     Picture,
	"paint":       Paint,
	"pretraffic":  PreTraffic,
	"posttraffic": PostTraffic,
}

// Run serves a handler until the process ends. It returns only if there is no such handler.
func Run(handler string) error {
	h, ok := handlers[handler]
	if !ok {
		return fmt.Errorf("the shop has no function %q", handler)
	}
	lambda.Start(h)
	return nil
}

type (
	request  = events.APIGatewayProxyRequest
	response = events.APIGatewayProxyResponse
)

// awsConfig is loaded once an environment.
var awsConfig = sync.OnceValues(func() (aws.Config, error) {
	return config.LoadDefaultConfig(context.Background())
})

func reply(status int, body any) (response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return response{}, err
	}
	return response{
		StatusCode: status,
		Headers:    map[string]string{"Content-Type": "application/json", "X-Shop-Version": os.Getenv("AWS_LAMBDA_FUNCTION_VERSION")},
		Body:       string(text),
	}, nil
}

func refuse(status int, format string, args ...any) (response, error) {
	return reply(status, map[string]string{"message": fmt.Sprintf(format, args...)})
}
