//go:build !linux

package startup

// Elsewhere the system chooses its pages itself.

func inLargePages([]byte) {}

func inSmallPages() {}
