// Command function is what the killed cloud runs: a function that answers with its release, and a hook that answers CodeDeploy as
// it is told. It speaks the Lambda Runtime API itself, and starts a child that outlives it unless somebody cleans up.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

func main() {
	if err := exec.Command("sleep", "1000").Start(); err != nil {
		log.Fatal(err)
	}
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		if err := serve(api); err != nil {
			log.Fatal(err)
		}
	}
}

// serve takes one event and answers it.
func serve(api string) error {
	next, err := http.Get(api + "next")
	if err != nil {
		return err
	}
	event, err := io.ReadAll(next.Body)
	next.Body.Close()
	if err != nil {
		return err
	}
	answer, what := []byte(`"`+os.Getenv("RELEASE")+`"`), "response"
	if os.Getenv("_HANDLER") == "hook" {
		if err := hook(event); err != nil {
			answer, _ = json.Marshal(map[string]string{"errorType": "Error", "errorMessage": err.Error()})
			what = "error"
		}
	}
	out, err := http.Post(api+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/"+what, "application/json", bytes.NewReader(answer))
	if err != nil {
		return err
	}
	return out.Body.Close()
}

// hook tells CodeDeploy what ANSWER says.
func hook(event []byte) error {
	var in struct{ DeploymentId, LifecycleEventHookExecutionId string }
	if err := json.Unmarshal(event, &in); err != nil {
		return err
	}
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	_, err = codedeploy.NewFromConfig(cfg).PutLifecycleEventHookExecutionStatus(ctx, &codedeploy.PutLifecycleEventHookExecutionStatusInput{
		DeploymentId: &in.DeploymentId, LifecycleEventHookExecutionId: &in.LifecycleEventHookExecutionId,
		Status: types.LifecycleEventStatus(os.Getenv("ANSWER"))})
	return err
}
