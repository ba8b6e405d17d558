//go:build unix

package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// TestMain makes this binary a Lambda function when it is started as one.
func TestMain(m *testing.M) {
	if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" {
		runFunction(api, os.Getenv("_HANDLER"))
		return
	}
	if dir := os.Getenv("SANDBOX_PARENT_DIR"); dir != "" {
		startParent(dir, os.Getenv("SANDBOX_PARENT_CODE"))
		return
	}
	os.Exit(m.Run())
}

func runFunction(api, handler string) {
	switch handler {
	case "echo":
		lambda.Start(func(_ context.Context, e json.RawMessage) (json.RawMessage, error) { return e, nil })
	case "fail":
		lambda.Start(func(context.Context) error { return errors.New("no luck") })
	case "slow":
		lambda.Start(func(ctx context.Context, e struct{ Millis int }) (string, error) {
			time.Sleep(time.Duration(e.Millis) * time.Millisecond)
			return "slept", nil
		})
	case "meet": // says that it is here, and waits to be let go
		lambda.Start(func(_ context.Context, e struct{ Here, Go string }) (string, error) {
			if err := os.WriteFile(e.Here, nil, 0o644); err != nil {
				return "", err
			}
			for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
				if _, err := os.Stat(e.Go); err == nil {
					return "met", nil
				}
			}
			return "", errors.New("nobody let it go")
		})
	case "print":
		lambda.Start(func(context.Context) error {
			line := strings.Repeat("x", 1000) + "\n"
			for range 100_000 {
				io.WriteString(os.Stdout, line)
			}
			return nil
		})
	case "huge":
		lambda.Start(func(context.Context) (string, error) { return strings.Repeat("x", 7<<20), nil })
	case "eat":
		var kept [][]byte
		lambda.Start(func(context.Context) error {
			for range 1000 {
				kept = append(kept, bytes.Repeat([]byte{1}, 4<<20))
				time.Sleep(time.Millisecond)
			}
			return nil
		})
	case "children":
		lambda.Start(func(context.Context) (int, error) {
			cmd := exec.Command("sleep", "600")
			err := cmd.Start()
			return cmd.Process.Pid, err
		})
	case "never":
		time.Sleep(time.Minute)
	case "twice":
		answerTwice(api)
	case "rude":
		rude(api)
	}
}

// answerTwice answers every event twice, and then says what the second answer was told.
func answerTwice(api string) {
	base := "http://" + api + "/2018-06-01/runtime/invocation/"
	last := `"first"`
	for {
		r, err := http.Get(base + "next")
		if err != nil {
			return
		}
		r.Body.Close()
		id := r.Header.Get("Lambda-Runtime-Aws-Request-Id")
		post(base+id+"/response", last)
		second := post(base+id+"/response", `"again"`)
		last = fmt.Sprint(second.StatusCode)
	}
}

// rude asks for the next event before it has answered, and answers for requests that are not its own.
func rude(api string) {
	base := "http://" + api + "/2018-06-01/runtime/invocation/"
	r, err := http.Get(base + "next")
	if err != nil {
		return
	}
	r.Body.Close()
	early, err := http.Get(base + "next")
	if err != nil {
		return
	}
	early.Body.Close()
	foreign := post(base+"somebody-else/response", `1`)
	unknown := post("http://"+api+"/somewhere", `1`)
	post(base+r.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", fmt.Sprint([]int{early.StatusCode, foreign.StatusCode, unknown.StatusCode}))
	http.Get(base + "next")
}

func post(url, body string) *http.Response {
	r, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		os.Exit(9)
	}
	r.Body.Close()
	return r
}
