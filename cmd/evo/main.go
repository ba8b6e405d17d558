// Command evo lets a serverless architecture evolve safely. All of it is in internal/cli; run as a Lambda function's bootstrap,
// the program is one of the example's functions.
package main

import (
	"fmt"
	"os"

	"evo/examples/shop"
	"evo/internal/cli"
)

func main() {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		fmt.Fprintln(os.Stderr, shop.Run(os.Getenv("_HANDLER")))
		os.Exit(1)
	}
	os.Exit(cli.Main())
}
