package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The lines that AWS writes around what a function prints, and the answers that it makes when the function has none.

// newStream names a log stream as Lambda does.
func newStream(now time.Time, version string) string {
	return now.UTC().Format("2006/01/02/") + "[" + version + "]" + newMark()
}

func initStartLine(fn *Function) string {
	name, version, _ := strings.Cut(runtimeLabel(fn.Runtime), ":")
	sum := sha256.Sum256([]byte(fn.Runtime))
	return fmt.Sprintf("INIT_START Runtime Version: %s:%s.v1\tRuntime Version ARN: arn:aws:lambda:%s::runtime:%s",
		name, version, fn.region(), hex.EncodeToString(sum[:]))
}

// runtimeLabel turns nodejs20.x into nodejs:20 and provided.al2023 into provided:al2023.
func runtimeLabel(runtime string) string {
	i := strings.IndexAny(runtime, "0123456789.")
	if i < 0 {
		return runtime + ":1"
	}
	return runtime[:i] + ":" + strings.TrimSuffix(strings.TrimPrefix(runtime[i:], "."), ".x")
}

func initReportLine(took time.Duration, phase string, o *outcome) string {
	line := fmt.Sprintf("INIT_REPORT Init Duration: %s ms\tPhase: %s\tStatus: %s", milliseconds(took), phase, failureStatus(o))
	if o.errorType != "" && o.status != "timeout" {
		line += "\tError Type: " + o.errorType
	}
	return line
}

func failureStatus(o *outcome) string {
	if o.status == "timeout" {
		return "timeout"
	}
	return "error"
}

func startLine(id, version string) string { return "START RequestId: " + id + " Version: " + version }

// endLines are the last lines of an invocation: what the platform has to say of a failure, END, and REPORT.
func endLines(id string, o outcome, fn *Function, r *Result) []string {
	var lines []string
	switch {
	case o.status == "timeout":
		lines = append(lines, fmt.Sprintf("%s %s %s\n", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), id, taskTimedOut(fn.timeout())))
	case o.exit != "":
		lines = append(lines, "RequestId: "+id+" Error: "+o.exit, o.errorType)
	}
	report := fmt.Sprintf("REPORT RequestId: %s\tDuration: %s ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		id, milliseconds(r.Duration), r.Billed.Milliseconds(), fn.memory(), r.MaxMemory)
	if r.Init > 0 {
		report += "Init Duration: " + milliseconds(r.Init) + " ms\t"
	}
	if o.status != "" {
		report += "Status: " + failureStatus(&o) + "\t"
		if o.status != "timeout" {
			report += "Error Type: " + o.errorType + "\t"
		}
	}
	return append(lines, "END RequestId: "+id, report)
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 2, 64)
}

// billed rounds up to a millisecond.
func billed(d time.Duration) time.Duration {
	return time.Duration(math.Ceil(float64(d)/float64(time.Millisecond))) * time.Millisecond
}

func taskTimedOut(limit time.Duration) string {
	return fmt.Sprintf("Task timed out after %.2f seconds", limit.Seconds())
}

func timeoutOutcome(limit time.Duration) *outcome {
	return &outcome{errorType: "Sandbox.Timedout", status: "timeout", payload: errorJSON("Sandbox.Timedout", taskTimedOut(limit))}
}

func memoryOutcome() *outcome {
	const exit = "Runtime exited with error: signal: killed"
	return &outcome{errorType: "Runtime.OutOfMemory", status: "error", exit: exit, payload: errorJSON("Runtime.OutOfMemory", exit)}
}

// exitOutcome is for a process that ended while it had work; how is empty for a good end.
func exitOutcome(how string) *outcome {
	exit := "Runtime exited without providing a reason"
	if how != "" {
		exit = "Runtime exited with error: " + how
	}
	return &outcome{errorType: "Runtime.ExitError", status: "error", exit: exit, payload: errorJSON("Runtime.ExitError", exit)}
}

func tooLargeOutcome() outcome {
	const kind = "Function.ResponseSizeTooLarge"
	b, _ := json.Marshal(errorAnswer{kind, fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxAnswer)})
	return outcome{errorType: kind, status: "error", payload: b}
}

type errorAnswer struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// requestMark stands for the request's id in the answer of an outcome that was made before its request was known.
const requestMark = "\x00"

func errorJSON(kind, message string) []byte {
	b, _ := json.Marshal(errorAnswer{kind, "RequestId: " + requestMark + " Error: " + message})
	return b
}

// withRequest puts the request's id where it belongs.
func withRequest(o outcome, id string) outcome {
	o.payload = []byte(strings.Replace(string(o.payload), `\u0000`, id, 1))
	return o
}
