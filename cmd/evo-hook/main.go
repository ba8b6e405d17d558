// Command evo-hook is evo's fitness hook by itself: a Lambda function's bootstrap, small enough to be uploaded with every application.
package main

import (
	"context"
	"log"
	"os"

	"evo/internal/hook"
)

func main() {
	log.SetFlags(0)
	log.Fatal(hook.Serve(context.Background(), os.Getenv))
}
