// Gosdk does the work with the AWS SDK for Go: gosdk WORK OUT FOLDER
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// name is as long as the other clients' names: sizes are compared too.
const name = "client-go"

// A step is one call.
type step struct {
	Service    string
	Operation  string
	Input      any
	Keep       map[string]string
	Until      []string
	UntilError string
	Presign    bool
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: gosdk WORK OUT FOLDER")
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func run(work, out, folder string) error {
	b, err := os.ReadFile(work)
	if err != nil {
		return err
	}
	var steps []step
	if err := json.Unmarshal(b, &steps); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	w := worker{clients: clients(cfg), folder: folder, kept: map[string]string{"name": name}}
	answers := make([]any, len(steps))
	for i, s := range steps {
		answers[i] = w.do(ctx, s)
	}
	b, err = json.Marshal(map[string]any{"name": name, "kept": w.kept, "answers": answers})
	if err != nil {
		return err
	}
	return os.WriteFile(out, b, 0o644)
}

func clients(cfg aws.Config) map[string]any {
	return map[string]any{
		"apigateway":     apigateway.NewFromConfig(cfg),
		"cloudformation": cloudformation.NewFromConfig(cfg),
		"cloudwatch":     cloudwatch.NewFromConfig(cfg),
		"codedeploy":     codedeploy.NewFromConfig(cfg),
		"dynamodb":       dynamodb.NewFromConfig(cfg),
		"iam":            iam.NewFromConfig(cfg),
		"lambda":         lambda.NewFromConfig(cfg),
		"logs":           cloudwatchlogs.NewFromConfig(cfg),
		"s3":             s3.NewFromConfig(cfg),
		"sts":            sts.NewFromConfig(cfg),
	}
}

type worker struct {
	clients map[string]any
	folder  string
	kept    map[string]string // what earlier steps kept, by variable
}

// do makes the step's call, again while its answer is not yet the awaited one, and keeps what later steps need.
func (w *worker) do(ctx context.Context, s step) any {
	var answer any
	for range 100 {
		answer = w.call(ctx, s)
		_, failed := at(answer, "error").(map[string]any)
		if (len(s.Until) == 0 || at(answer, s.Until[0]) == s.Until[1]) && (s.UntilError == "" || failed) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	for variable, path := range s.Keep {
		w.kept[variable] = "missing"
		if v, ok := at(answer, path).(string); ok {
			w.kept[variable] = v
		}
	}
	return answer
}

func (w *worker) call(ctx context.Context, s step) any {
	client := reflect.ValueOf(w.clients[s.Service])
	method := client.MethodByName(s.Operation)
	if !method.IsValid() {
		return failure("NoMethod", s.Operation)
	}
	in := reflect.New(method.Type().In(1).Elem())
	if err := w.fill(in.Elem(), s.Input); err != nil {
		return failure("Input", err.Error())
	}
	if s.Presign {
		return presigned(ctx, client.Interface().(*s3.Client), in.Interface().(*s3.GetObjectInput))
	}
	out := method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if err, ok := out[1].Interface().(error); ok {
		var api smithy.APIError
		if errors.As(err, &api) {
			return failure(api.ErrorCode(), api.ErrorMessage())
		}
		return failure("?", err.Error())
	}
	return seen(out[0])
}

func failure(code, message string) any {
	return map[string]any{"error": map[string]any{"code": code, "message": message}}
}

func presigned(ctx context.Context, c *s3.Client, in *s3.GetObjectInput) any {
	r, err := s3.NewPresignClient(c).PresignGetObject(ctx, in, s3.WithPresignExpires(time.Minute))
	if err != nil {
		return failure("?", err.Error())
	}
	answer, err := http.Get(r.URL)
	if err != nil {
		return failure("?", err.Error())
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return failure("?", err.Error())
	}
	return map[string]any{"status": answer.StatusCode, "body": string(b)}
}
