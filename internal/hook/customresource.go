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

// properties are a custom resource's as they came. They are read when they are needed: an event whose properties are wrong is answered as well.
type properties json.RawMessage

// UnmarshalJSON keeps the text.
func (p *properties) UnmarshalJSON(text []byte) error {
	*p = append((*p)[:0], text...)
	return nil
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

// release reads the release gate's properties, of which CloudFormation hands all values on as strings.
func (p properties) release() (Release, error) {
	var in struct{ Release, Name, Digest, Bucket, Prefix, Suite, Override string }
	if err := json.Unmarshal(p, &in); err != nil {
		return Release{}, fmt.Errorf("read the release gate's properties: %w", err)
	}
	n, err := strconv.Atoi(in.Release)
	if err != nil || n < 1 {
		return Release{}, fmt.Errorf("the release gate's property Release is %q, and should be the release's number", in.Release)
	}
	return Release{Number: n, Name: in.Name, Digest: in.Digest, Bucket: in.Bucket, Prefix: in.Prefix, Suite: in.Suite, Override: in.Override}, nil
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
		answer.Data["Fitness"], answer.Data["Report"], answer.Data[gate.Threshold] = a.Fitness, a.Report, a.Threshold
	}
	if err != nil {
		log.Printf("no: %v", err)
		answer.Status, answer.Reason = "FAILED", reason(err)
	}
	return h.put(ctx, e.ResponseURL, answer)
}

// maxReason is how many bytes a reason may have as it is sent: CloudFormation takes 4096 of the whole answer.
const maxReason = 2048

// reason is an error's text, cut to what there is room for: what JSON escapes takes more room than it has letters.
func reason(err error) string {
	text := strings.ToValidUTF8(err.Error(), "?")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "")
	}
	for cut := false; ; cut = true {
		sent := text
		if cut || len(text) < len(err.Error()) {
			sent += "..."
		}
		if body, marshalErr := encode(sent); marshalErr != nil || len(body) <= maxReason {
			return sent
		}
		text = strings.ToValidUTF8(text[:len(text)*9/10], "")
	}
}

// encode writes JSON in which <, > and & stand for themselves.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// pass returns why the release may not pass the gate, or nil.
func (h *Hook) pass(ctx context.Context, e *customResourceEvent) (*Answer, error) {
	if e.RequestType == "Delete" {
		return nil, nil
	}
	back := e.backwards()
	if back {
		if old, err := e.OldResourceProperties.release(); err == nil {
			h.takenBack(ctx, old)
		}
	}
	r, err := e.ResourceProperties.release()
	if back || h.rollingBack(ctx) {
		log.Print("the stack is being rolled back: nothing stands in the way")
		return h.given(ctx, r), nil
	}
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
	body, err := encode(answer)
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
