package hook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// A judgement has phases, and whatever hangs may take no more than its phase's share of the time that is left: what comes after it still
// has time for its own work. Each is what the time that is left is divided by. With the function's two minutes, less the margin, everything
// may hang at once, and the report is still written.
const (
	readingShare   = 4 // what is asked for: the history, the suite, the stack
	liveShare      = 2 // how the resources are configured
	measuringShare = 2 // calls, and the metrics that are scored
	metricsShare   = 4 // the metrics that only expressions name
	comparingShare = 2 // the release before
	recordingShare = 2 // the report
	publishShare   = 2 // the metrics
	markingShare   = 2 // the dashboards
)

// share is a context that ends when a part of the time that is left for ctx is over. Without a deadline it is ctx.
func share(ctx context.Context, of int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/time.Duration(of))
}

// within does something in its share of the time, and says so if that was too short.
func within(ctx context.Context, of int, do func(context.Context) error) error {
	own, cancel := share(ctx, of)
	defer cancel()
	err := do(own)
	if err != nil && errors.Is(own.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w (there was no more time for it)", err)
	}
	return err
}

// attemptTimeout is how long one request may take until its answer has been read. What was lost on the way is asked for again by the SDK's
// retries, as long as there is time.
const attemptTimeout = 4 * time.Second

// attempts is a client each of whose requests has its own time limit.
type attempts struct{ next aws.HTTPClient }

// limited makes a client whose requests have a time limit each of one that may wait for ever; nil is the SDK's own.
func limited(client aws.HTTPClient) aws.HTTPClient {
	if client == nil {
		client = awshttp.NewBuildableClient()
	}
	return attempts{client}
}

// Do implements aws.HTTPClient.
func (a attempts) Do(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), attemptTimeout)
	resp, err := a.next.Do(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &limitedBody{resp.Body, cancel}
	return resp, nil
}

// limitedBody is an answer's body, whose time limit is given up with it.
type limitedBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close implements io.Closer.
func (b *limitedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
