// Package startup answers: when is garbage first collected? While the program starts, the packages of the AWS SDK make some 6 MB of tables
// that are never garbage. Left alone, the collector runs for that in every command: a third of the processor's time that a command such
// as `evo transform` takes.
//
// The package imports nothing, so that it is initialised before all others of the program. (runtime/debug, which could set the collector
// instead, is initialised after the SDK's tables.)
package startup

// ballast is memory that is asked for and never touched. It takes no room, but the collector counts it, and waits until as much again has
// been made.
//
//lint:ignore U1000 it is there to be counted
var ballast = make([]byte, 12<<20)

// Over gives the ballast back, in a program that goes on for longer.
func Over() { ballast = nil }
