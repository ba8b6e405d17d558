package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Function says what to run, and how.
type Function struct {
	// Key tells functions apart: invocations with the same key share environments, so it must change whenever anything
	// else here does. Empty, it is made of all that follows but Credentials.
	Key string

	Name    string
	Version string // "$LATEST" or a number
	Runtime string // as AWS names it: nodejs20.x, python3.12, provided.al2023, …
	Handler string

	Code   string   // the folder with the unpacked code
	Layers []string // the folders with the unpacked layers; of two that hold the same file, the later wins

	Env      map[string]string // the function's own variables
	Memory   int               // in MB; 0 is 128
	Timeout  time.Duration     // 0 is three seconds
	Region   string
	LogGroup string // empty is /aws/lambda/ and the name
	JSONLogs bool   // LogFormat JSON
	Tracing  bool   // Mode Active
	AsOnAWS  bool   // logs and errors name AWS's folders for those of this machine: for code that was unpacked, not for somebody's sources

	Endpoint    string                                     // where the AWS clients of the function find the cloud; empty is AWS itself
	Credentials func(context.Context) (Credentials, error) `json:"-"` // asked once for each environment; nil is none
}

// Credentials are what a function acts with.
type Credentials struct {
	AccessKey, Secret, Token string
	Expires                  time.Time // by the sandbox's clock; zero is never
}

// Invocation is one event for a function.
type Invocation struct {
	RequestID     string // empty: one is made
	ARN           string // as it was invoked, with its qualifier
	Payload       []byte
	ClientContext []byte // JSON, or nothing
	TraceID       string // the value of X-Amzn-Trace-Id; empty: one that is not sampled is made
}

// Result is what came of an invocation.
type Result struct {
	Payload       []byte // the bytes that the function answered, or AWS's JSON for an error
	FunctionError string // empty, or "Unhandled"
	ErrorType     string // of an error: Runtime.ExitError, Sandbox.Timedout, or the function's own
	Tail          []byte // the last 4 KB of the log
	Stream        string // the log stream
	Cold          bool   // the environment was made for this invocation
	Init          time.Duration
	Duration      time.Duration
	Billed        time.Duration
	MaxMemory     int // in MB
}

// SetupError says why a function cannot be run on this machine, and what would help.
type SetupError struct {
	Function string
	Problem  string
	Hint     string
	Err      error
}

func (e *SetupError) Error() string {
	msg := "run function " + e.Function + ": " + e.Problem
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		msg += " (" + e.Hint + ")"
	}
	return msg
}

func (e *SetupError) Unwrap() error { return e.Err }

func (f *Function) key() string {
	if f.Key != "" {
		return f.Key
	}
	b, _ := json.Marshal(f) // strings, numbers, lists and maps of strings always marshal
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (f *Function) memory() int {
	if f.Memory == 0 {
		return 128
	}
	return f.Memory
}

func (f *Function) timeout() time.Duration {
	if f.Timeout == 0 {
		return 3 * time.Second
	}
	return f.Timeout
}

func (f *Function) logGroup() string {
	if f.LogGroup == "" {
		return "/aws/lambda/" + f.Name
	}
	return f.LogGroup
}

func (f *Function) version() string {
	if f.Version == "" {
		return "$LATEST"
	}
	return f.Version
}

func (f *Function) region() string {
	if f.Region == "" {
		return "us-east-1"
	}
	return f.Region
}
