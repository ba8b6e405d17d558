//go:build unix

package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes the file's lock, which the system gives back when the process ends, however it ends.
func tryLock(f *os.File) bool {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

// replaceFile moves from over to, and lets go of the file that was there.
func replaceFile(old *os.File, from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	if old != nil {
		_ = old.Close() // it has no name any more
	}
	return nil
}

// syncDir makes the names in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
