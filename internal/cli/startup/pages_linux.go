package startup

import (
	"syscall"
	"unsafe"
)

// large is where the memory in large pages lies. It is no pointer: the memory belongs to the heap.
var large uintptr

// inLargePages asks for memory in pages of 2 MiB. Where the system does not give them, all stays as it is.
func inLargePages(b []byte) {
	large = uintptr(unsafe.Pointer(&b[0]))
	_ = syscall.Madvise(b, syscall.MADV_HUGEPAGE)
}

// inSmallPages asks for no more of them.
func inSmallPages() {
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, large, room, syscall.MADV_NOHUGEPAGE)
}
