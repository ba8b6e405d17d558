//go:build !linux

package startup

// Elsewhere the system chooses its pages itself.

func inLargePages(_, _ []byte) {}

func inSmallPages() {}
