package store

import (
	"os"

	"golang.org/x/sys/windows"
)

// tryLock takes the file's lock, which the system gives back when the process ends, however it ends. The locked byte lies far
// behind the text, so that others can still read it.
func tryLock(f *os.File) bool {
	at := &windows.Overlapped{Offset: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	return err == nil
}

// replaceFile moves from over to; Windows wants the file that was there closed first.
func replaceFile(old *os.File, from, to string) error {
	if old != nil {
		if err := old.Close(); err != nil {
			return err
		}
	}
	return os.Rename(from, to)
}

// syncDir does nothing: Windows has no such thing.
func syncDir(string) error { return nil }
