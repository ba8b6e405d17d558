package app

import (
	"context"
	"errors"
	"fmt"

	"evo/internal/awserr"
)

// The exit codes.
const (
	ExitOK          = 0
	ExitFailure     = 1
	ExitUsage       = 2
	ExitRolledBack  = 3
	ExitCredentials = 4
	ExitFitness     = 5
	ExitNoChanges   = 6
	ExitInterrupted = 130
)

// UsageError says that the command line, or a setting, is wrong.
type UsageError struct {
	Err      error
	HintText string
}

// Usagef returns a UsageError.
func Usagef(format string, args ...any) *UsageError {
	return &UsageError{Err: fmt.Errorf(format, args...)}
}

// WithHint adds what a person can do.
func (e *UsageError) WithHint(hint string) *UsageError { e.HintText = hint; return e }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// Hint says what a person can do.
func (e *UsageError) Hint() string { return e.HintText }

// HintedError is an error with what a person can do about it.
type HintedError struct {
	Err      error
	HintText string
}

func (e *HintedError) Error() string { return e.Err.Error() }
func (e *HintedError) Unwrap() error { return e.Err }

// Hint says what a person can do.
func (e *HintedError) Hint() string { return e.HintText }

// ExitError chooses an exit code for an error that does not choose one by its kind. Silent ones have been told already.
type ExitError struct {
	Code   int
	Err    error
	Silent bool
}

func (e *ExitError) Error() string { return e.Err.Error() }
func (e *ExitError) Unwrap() error { return e.Err }

// Code returns the exit code that an error stands for.
func Code(err error) int {
	var exit *ExitError
	var usage *UsageError
	var sdk *awserr.Error
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		return exit.Code
	case errors.As(err, &usage):
		return ExitUsage
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	case errors.As(awserr.Explain(err), &sdk) && (sdk.Kind == awserr.Denied || sdk.Kind == awserr.Unidentified):
		return ExitCredentials
	}
	return ExitFailure
}

// Hint returns the first hint in an error's chain.
func Hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// Silent reports whether an error has been told already.
func Silent(err error) bool {
	var exit *ExitError
	return errors.As(err, &exit) && exit.Silent
}
