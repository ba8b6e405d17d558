// Command evo lets a serverless architecture evolve safely. All of it is in internal/cli; run as a Lambda function's bootstrap,
// the program is the fitness hook, or one of the example's functions.
package main

import (
	"context"
	"fmt"
	"os"

	"evo/examples/shop"
	"evo/internal/cli"
	"evo/internal/cli/startup"
	"evo/internal/gate"
	"evo/internal/hook"
)

func main() {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		fmt.Fprintln(os.Stderr, function(os.Getenv("_HANDLER")))
		os.Exit(1)
	}
	os.Exit(cli.Main())
}

// function serves a Lambda function, by its handler's name, until the process ends.
func function(handler string) error {
	startup.Over()
	if handler == gate.Handler {
		return hook.Serve(context.Background(), os.Getenv)
	}
	return shop.Run(handler)
}
