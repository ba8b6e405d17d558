// Command peer is what the embedded cloud is measured against, and the function that it runs meanwhile:
//
//	peer null        an HTTP server that reads a request and answers at once: what no server can go below
//	peer handler     the function's handler, behind a plain HTTP server
//	peer proxy URL   a bare reverse proxy in front of URL
//
// Where the Lambda Runtime API is there, it is a function with that same handler.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		lambda.Start(func(context.Context, json.RawMessage) (answer, error) { return handle(), nil })
	}
	h, err := handler(os.Args[1:])
	if err == nil {
		err = serve(h)
	}
	log.Fatal(err)
}

// An answer is what API Gateway turns into an HTTP response.
type answer struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
}

func handle() answer {
	return answer{StatusCode: http.StatusOK, Headers: map[string]string{"Content-Type": "application/json"}, Body: `{"hello":"world"}`}
}

func handler(args []string) (http.Handler, error) {
	switch {
	case len(args) == 1 && args[0] == "null":
		return http.HandlerFunc(null), nil
	case len(args) == 1 && args[0] == "handler":
		return http.HandlerFunc(plain), nil
	case len(args) == 2 && args[0] == "proxy":
		to, err := url.Parse(args[1])
		if err != nil {
			return nil, err
		}
		// As many idle connections as there may be requests at once: else the proxy would mostly dial.
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = 64
		return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, Transport: transport}, nil
	}
	return nil, fmt.Errorf("usage: peer null | handler | proxy URL")
}

func null(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if r.Header.Get("X-Amz-Target") == "" {
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_, _ = io.WriteString(w, "{}")
}

func plain(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	a := handle()
	for k, v := range a.Headers {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.StatusCode)
	_, _ = io.WriteString(w, a.Body)
}

// serve says, as `evo cloud --output json` does, where it listens.
func serve(h http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"url": "http://" + l.Addr().String()}); err != nil {
		return err
	}
	return http.Serve(l, h)
}
