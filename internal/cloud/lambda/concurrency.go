package lambda

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/store"
)

// The account's limits, as a new account of AWS has them.
const (
	accountConcurrency = 1000
	minUnreserved      = 100 // must be left for functions without a reservation
)

// limiter counts the invocations under way and holds them against the reservations.
type limiter struct {
	mu       sync.Mutex
	reserved map[string]int // by function
	total    int            // of the reservations
	busy     map[string]int // by function
	shared   int            // under way in functions without a reservation
	all      int
}

// load reads the reservations anew.
func (l *limiter) load(t *tables, tx *store.Tx) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reserved, l.total = map[string]int{}, 0
	for _, f := range t.functions.Ascend(tx, "") {
		if f.Reserved != nil {
			l.reserved[f.Name] = int(*f.Reserved)
			l.total += int(*f.Reserved)
		}
	}
	if l.busy == nil {
		l.busy = map[string]int{}
	}
}

// level is how many invocations are under way, as the metrics have it.
type level struct{ function, shared, all int }

// enter counts one more invocation of a function; done counts it off.
func (l *limiter) enter(fn string) (done func(), now level, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit, own := l.reserved[fn]
	switch {
	case own && l.busy[fn] >= limit:
		return nil, now, throttled("Rate Exceeded.", types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded)
	case !own && l.shared >= accountConcurrency-l.total:
		return nil, now, throttled("Rate Exceeded.", types.ThrottleReasonConcurrentInvocationLimitExceeded)
	}
	l.busy[fn]++
	l.all++
	if !own {
		l.shared++
	}
	return func() { l.leave(fn, own) }, level{l.busy[fn], l.shared, l.all}, nil
}

func (l *limiter) leave(fn string, own bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy[fn]--; l.busy[fn] == 0 {
		delete(l.busy, fn)
	}
	l.all--
	if !own {
		l.shared--
	}
}

// zero says that a function may not run at all.
func (l *limiter) zero(fn string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit, own := l.reserved[fn]
	return own && limit == 0
}

func throttled(message string, reason types.ThrottleReason) error {
	return &types.TooManyRequestsException{Message: &message, Reason: reason, Type: user}
}

// PutFunctionConcurrency reserves concurrency for a function.
func (s *Service) PutFunctionConcurrency(ctx context.Context, in *lambda.PutFunctionConcurrencyInput) (*lambda.PutFunctionConcurrencyOutput, error) {
	n, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		f, ok := s.tables.functions.Get(tx, n.function)
		if !ok {
			return s.functionNotFound(name{n.function, latest})
		}
		others := 0
		for _, o := range s.tables.functions.Ascend(tx, "") {
			if o.Name != f.Name {
				others += int(aws.ToInt32(o.Reserved))
			}
		}
		if others+int(*in.ReservedConcurrentExecutions) > accountConcurrency-minUnreserved {
			return invalid("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
		}
		f.Reserved = aws.Int32(*in.ReservedConcurrentExecutions)
		s.tables.functions.Put(tx, f.Name, f)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.cfg.Store.View(func(tx *store.Tx) { s.limits.load(&s.tables, tx) })
	return &lambda.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: in.ReservedConcurrentExecutions}, nil
}

// GetFunctionConcurrency tells a function's reservation.
func (s *Service) GetFunctionConcurrency(_ context.Context, in *lambda.GetFunctionConcurrencyInput) (*lambda.GetFunctionConcurrencyOutput, error) {
	n, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	out := new(lambda.GetFunctionConcurrencyOutput)
	s.cfg.Store.View(func(tx *store.Tx) {
		f, ok := s.tables.functions.Get(tx, n.function)
		if !ok {
			err = s.functionNotFound(n)
		} else if f.Reserved != nil {
			out.ReservedConcurrentExecutions = aws.Int32(*f.Reserved)
		}
	})
	return out, err
}

// DeleteFunctionConcurrency removes a function's reservation.
func (s *Service) DeleteFunctionConcurrency(ctx context.Context, in *lambda.DeleteFunctionConcurrencyInput) (*lambda.DeleteFunctionConcurrencyOutput, error) {
	n, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		f, ok := s.tables.functions.Get(tx, n.function)
		if !ok {
			return s.functionNotFound(n)
		}
		f.Reserved = nil
		s.tables.functions.Put(tx, f.Name, f)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.cfg.Store.View(func(tx *store.Tx) { s.limits.load(&s.tables, tx) })
	return &lambda.DeleteFunctionConcurrencyOutput{}, nil
}

// GetAccountSettings tells the account's limits and what is used of them.
func (s *Service) GetAccountSettings(context.Context, *lambda.GetAccountSettingsInput) (*lambda.GetAccountSettingsOutput, error) {
	out := &lambda.GetAccountSettingsOutput{
		AccountLimit: &types.AccountLimit{CodeSizeUnzipped: 262144000, CodeSizeZipped: maxDirect, ConcurrentExecutions: accountConcurrency, TotalCodeSize: 80 << 30},
		AccountUsage: &types.AccountUsage{},
	}
	s.cfg.Store.View(func(tx *store.Tx) {
		out.AccountUsage.FunctionCount = int64(s.tables.functions.Len(tx))
		for _, v := range s.tables.versions.Ascend(tx, "") {
			out.AccountUsage.TotalCodeSize += v.CodeSize
		}
	})
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	out.AccountLimit.UnreservedConcurrentExecutions = aws.Int32(int32(accountConcurrency - s.limits.total))
	return out, nil
}
