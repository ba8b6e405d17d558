// Command shop is all of the example's functions; the handler's name says which one it is.
package main

import (
	"log"
	"os"

	"evo/examples/shop/functions"
)

func main() {
	if err := functions.Run(os.Getenv("_HANDLER")); err != nil {
		log.Fatal(err)
	}
}
