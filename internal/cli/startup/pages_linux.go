package startup

import (
	"syscall"
	"unsafe"
)

const largePage = 2 << 20

// large is where the memory in large pages begins and how long it is. It is no pointer: the memory belongs to the heap.
var large struct{ at, size uintptr }

// inLargePages asks for pages of 2 MiB for all from first to last, and what lies before them on the first such page. Where the system does
// not give them, all stays as it is.
func inLargePages(first, last []byte) {
	large.at = uintptr(unsafe.Pointer(&first[0])) &^ (largePage - 1)
	large.size = uintptr(unsafe.Pointer(&last[0])) + uintptr(len(last)) - large.at
	advise(syscall.MADV_HUGEPAGE)
}

// inSmallPages asks for no more of them.
func inSmallPages() { advise(syscall.MADV_NOHUGEPAGE) }

func advise(how uintptr) { _, _, _ = syscall.Syscall(syscall.SYS_MADVISE, large.at, large.size, how) }
