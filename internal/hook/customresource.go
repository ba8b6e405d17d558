package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"time"

	"evo/internal/gate"
)

// Release is what the hook is told of the release that it judges.
type Release = gate.Release

// customResourceEvent is what CloudFormation sends the function of a custom resource.
type customResourceEvent struct {
	RequestType        string // Create, Update or Delete
	ResponseURL        string
	StackID            string `json:"StackId"`
	RequestID          string `json:"RequestId"`
	LogicalResourceID  string `json:"LogicalResourceId"`
	PhysicalResourceID string `json:"PhysicalResourceId"`
	ResourceProperties properties

	// OldResourceProperties are those before an Update.
	OldResourceProperties properties
}

// backwards reports whether an update leads to an earlier release, or to the same: then CloudFormation takes a release back.
func (e *customResourceEvent) backwards() bool {
	old, err := e.OldResourceProperties.release()
	if err != nil || e.RequestType != "Update" {
		return false
	}
	next, err := e.ResourceProperties.release()
	return err == nil && next.Number <= old.Number
}

// properties are the release gate's, as CloudFormation hands them on: all values are strings.
type properties struct {
	Release, Name, Digest, Bucket, Prefix, Suite, Override string
}

func (p properties) release() (Release, error) {
	n, err := strconv.Atoi(p.Release)
	if err != nil || n < 1 {
		return Release{}, fmt.Errorf("the release gate's property Release is %q, and should be the release's number", p.Release)
	}
	return Release{Number: n, Name: p.Name, Digest: p.Digest, Bucket: p.Bucket, Prefix: p.Prefix, Suite: p.Suite, Override: p.Override}, nil
}

// customResourceAnswer is what CloudFormation wants to hear.
type customResourceAnswer struct {
	Status             string // SUCCESS or FAILED
	Reason             string `json:",omitempty"`
	PhysicalResourceID string `json:"PhysicalResourceId"`
	StackID            string `json:"StackId"`
	RequestID          string `json:"RequestId"`
	LogicalResourceID  string `json:"LogicalResourceId"`
	Data               map[string]string
}

// answerCloudFormation judges, and answers at the response URL. The error is that there was no answering.
func (h *Hook) answerCloudFormation(ctx context.Context, e *customResourceEvent) error {
	answer := customResourceAnswer{Status: "SUCCESS", StackID: e.StackID, RequestID: e.RequestID, LogicalResourceID: e.LogicalResourceID,
		PhysicalResourceID: e.PhysicalResourceID, Data: map[string]string{}}
	if answer.PhysicalResourceID == "" {
		answer.PhysicalResourceID = "release-gate" // the same for all releases: a new id would mean a replacement
	}
	a, err := h.pass(ctx, e)
	if a != nil {
		answer.Data["Fitness"], answer.Data["Report"] = a.Fitness, a.Report
	}
	if err != nil {
		log.Printf("no: %v", err)
		answer.Status, answer.Reason = "FAILED", reason(err)
	}
	return h.put(ctx, e.ResponseURL, answer)
}

// maxReason is how much of a reason CloudFormation takes, in bytes: an answer has 4 KiB in all.
const maxReason = 1024

func reason(err error) string {
	text := err.Error()
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason-3], "") + "..."
	}
	return text
}

// pass returns why the release may not pass the gate, or nil.
func (h *Hook) pass(ctx context.Context, e *customResourceEvent) (*Answer, error) {
	if e.RequestType == "Delete" {
		return nil, nil
	}
	if e.backwards() || h.rollingBack(ctx) {
		log.Print("the stack is being rolled back: nothing stands in the way")
		return nil, nil
	}
	r, err := e.ResourceProperties.release()
	if err != nil {
		return nil, err
	}
	a, err := h.judge(ctx, Question{Occasion: Gate, Release: r})
	if err != nil {
		return nil, err
	}
	if !a.Proceed {
		return a, fmt.Errorf("v%d %s is less fit than it must be: %s", r.Number, r.Name, strings.Join(a.Lines, "; "))
	}
	return a, nil
}

// put sends an answer, more than once if need be: without it CloudFormation waits until the resource's time is over.
func (h *Hook) put(ctx context.Context, url string, answer customResourceAnswer) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	for delay := 200 * time.Millisecond; ; delay *= 2 {
		if err = h.putOnce(ctx, url, body); err == nil {
			return nil
		}
		t := time.NewTimer(delay)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("answer CloudFormation: %w", err)
		}
	}
}

func (h *Hook) putOnce(ctx context.Context, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header["Content-Type"] = nil // the URL is signed without one
	resp, err := h.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("PUT the answer: %s", resp.Status)
	}
	return nil
}
