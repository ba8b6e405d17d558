package cloudformation

import (
	"errors"
	"sync/atomic"
)

// CrashAt lets the service end, as a killed process does, at its operations' nth write from now. The function that it returns
// reports whether that has happened.
func (s *Service) CrashAt(n int64) (crashed func() bool) {
	var writes atomic.Int64
	s.journal = func() error {
		if writes.Add(1) >= n {
			return errors.New("the process ended here")
		}
		return nil
	}
	return func() bool { return writes.Load() >= n }
}

// Wait returns when no operation of the stack is under way.
var Wait = (*Service).wait
