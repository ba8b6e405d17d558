// Package startup answers: when is garbage first collected, and in what pages does the heap lie? While the program starts, the packages of
// the AWS SDK make some 6 MB of tables that are never garbage. Left alone, the collector runs for that in every command: a third of the
// processor's time that a command such as `evo transform` takes. Another tenth is the system's, for each 4 KiB that is first written to.
//
// The package imports hardly anything, so that it is initialised before the SDK's packages. (runtime/debug, which could set the collector
// instead, is initialised after them.)
package startup

import "runtime"

// ballast is memory that is asked for and never touched. It takes no room, but the collector counts it, and waits until as much again has
// been made.
//
//lint:ignore U1000 it is there to be counted
var ballast = make([]byte, 12<<20)

// room is how much of the heap lies in large pages: what `evo check` needs for hundreds of templates. What is never written to takes nothing.
const room = 64 << 20

func init() {
	inLargePages(ballast, make([]byte, room))
	runtime.GC() // takes no time while there is nothing yet; what is made next lies where that was
}

// Over gives the ballast back, and leaves pages to the system, in a program that goes on for longer: large ones would fill up while it idles.
func Over() {
	ballast = nil
	inSmallPages()
}
