package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/id"
	"evo/internal/cloud/sandbox"
	"evo/internal/cloud/store"
)

// Limits of an event, by how it is invoked.
const (
	maxSyncPayload  = 6 << 20
	maxAsyncPayload = 1 << 20
)

// request is one event for a function.
type request struct {
	id      string
	payload []byte
	context []byte
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Invoke runs a function and answers with its result, accepts an event for later, or only checks that it could.
func (s *Service) Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	n, err := s.parse(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	kind := in.InvocationType
	if kind == "" {
		kind = types.InvocationTypeRequestResponse
	}
	if err := checkPayload(in.Payload, kind); err != nil {
		return nil, err
	}
	req := request{id: call.From(ctx).RequestID, payload: in.Payload}
	if !uuid.MatchString(req.id) {
		req.id = id.UUID()
	}
	if req.context, err = clientContext(in.ClientContext); err != nil {
		return nil, err
	}
	switch kind {
	case types.InvocationTypeDryRun:
		_, err := s.route(n)
		return &lambda.InvokeOutput{StatusCode: 204}, err
	case types.InvocationTypeEvent:
		return &lambda.InvokeOutput{StatusCode: 202}, s.async.accept(ctx, n, req)
	}
	res, number, err := s.run(ctx, n, req)
	if err != nil {
		return nil, err
	}
	out := &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: &number, Payload: res.Payload}
	if res.FunctionError != "" {
		out.FunctionError = &res.FunctionError
	}
	if in.LogType == types.LogTypeTail {
		out.LogResult = aws.String(base64.StdEncoding.EncodeToString(res.Tail))
	}
	return out, nil
}

func checkPayload(payload []byte, kind types.InvocationType) error {
	limit := maxSyncPayload
	if kind == types.InvocationTypeEvent {
		limit = maxAsyncPayload
	}
	if len(payload) > limit {
		return &types.RequestTooLargeException{Type: user, Message: aws.String(fmt.Sprintf("%d byte payload is too large for the %s invocation type (limit %d bytes)", len(payload), kind, limit))}
	}
	if len(payload) > 0 && !json.Valid(payload) {
		var v any
		err := json.Unmarshal(payload, &v)
		return &types.InvalidRequestContentException{Type: user, Message: aws.String(fmt.Sprintf("Could not parse request body into json: %v", err))}
	}
	return nil
}

func clientContext(text *string) ([]byte, error) {
	if aws.ToString(text) == "" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(*text)
	if err != nil || !json.Valid(b) {
		return nil, &types.InvalidRequestContentException{Type: user, Message: aws.String("Client context must be a valid Base64-encoded JSON object.")}
	}
	return b, nil
}

// route finds the version that one invocation gets. An alias with weights draws anew each time.
func (s *Service) route(n name) (v version, err error) {
	s.cfg.Store.View(func(tx *store.Tx) {
		if n.qualifier == "" || isVersion(n.qualifier) {
			v, err = s.resolve(tx, n)
			return
		}
		a, ok := s.tables.aliases.Get(tx, under(n.function)+n.qualifier)
		if !ok {
			err = s.functionNotFound(n)
			return
		}
		number := a.Version
		if len(a.Weights) > 0 {
			number = a.draw(s.cfg.Random())
		}
		v, err = s.resolve(tx, name{n.function, number})
	})
	return v, err
}

// run gives a function one event, within the limits of concurrency, and counts what happens. A function does not notice that
// its caller has left, nor do the limits and the metrics: a client that is less patient than the function must not hide how
// long it takes, or that it fails.
func (s *Service) run(ctx context.Context, n name, req request) (*sandbox.Result, string, error) {
	v, err := s.route(n)
	if err != nil {
		return nil, "", err
	}
	at := s.cfg.Clock.Now()
	done, now, err := s.limits.enter(n.function)
	if err != nil {
		s.record.throttled(n, at)
		return nil, "", err
	}
	fn, err := s.runnable(v)
	if err != nil {
		done()
		return nil, "", fmt.Errorf("prepare function %s: %w", n.function, err)
	}
	type ending struct {
		res *sandbox.Result
		err error
	}
	ended := make(chan ending, 1)
	begun := s.invocations.begin(ctx, func(ctx context.Context) {
		res, err := s.cfg.Runner.Invoke(ctx, fn, sandbox.Invocation{RequestID: req.id, ARN: s.arn(n), Payload: req.payload, ClientContext: req.context})
		var setup *sandbox.SetupError
		if errors.As(err, &setup) {
			res, err = nil, &types.InvalidRuntimeException{Message: aws.String(setup.Error()), Type: user}
		}
		if err == nil || setup != nil {
			s.record.invoked(n, v.Number, at, now, res)
		}
		done() // before the answer: whoever gets it may call again at once
		ended <- ending{res, err}
	})
	if !begun {
		done()
		return nil, "", errors.New("the cloud is closing")
	}
	select {
	case e := <-ended:
		return e.res, v.Number, e.err
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
}

// invocations are those under way, each in a goroutine that outlives its caller, and not the service.
type invocations struct {
	mu      sync.Mutex
	closed  bool
	ctx     context.Context // ended by close
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newInvocations() *invocations {
	i := new(invocations)
	i.ctx, i.cancel = context.WithCancel(context.Background())
	return i
}

// begin runs f with what ctx carries, but not its end; false, once closed.
func (i *invocations) begin(ctx context.Context, f func(context.Context)) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return false
	}
	i.running.Go(func() {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(i.ctx, cancel)()
		f(ctx)
	})
	return true
}

func (i *invocations) close() {
	i.mu.Lock()
	i.closed = true
	i.mu.Unlock()
	i.cancel()
	i.running.Wait()
}
