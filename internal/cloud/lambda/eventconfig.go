package lambda

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/store"
)

// orLatest is the qualifier under which the settings of asynchronous invocation are kept.
func orLatest(n name) name {
	if n.qualifier == "" {
		n.qualifier = latest
	}
	return n
}

func (s *Service) noEventConfig(n name) error {
	return notFound("The function %s doesn't have an EventInvokeConfig", s.arn(n))
}

func (s *Service) describeEventConfig(n name, c eventConfig) types.FunctionEventInvokeConfig {
	out := types.FunctionEventInvokeConfig{FunctionArn: aws.String(s.arn(n)), LastModified: &c.Modified, MaximumEventAgeInSeconds: c.Age, MaximumRetryAttempts: c.Retries,
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{}, OnSuccess: &types.OnSuccess{}}}
	if c.OnFailure != "" {
		out.DestinationConfig.OnFailure.Destination = &c.OnFailure
	}
	if c.OnSuccess != "" {
		out.DestinationConfig.OnSuccess.Destination = &c.OnSuccess
	}
	return out
}

// eventSettings are the members that put and update share.
type eventSettings struct {
	destinations *types.DestinationConfig
	age, retries *int32
}

// apply changes what is given, after it has been checked.
func (s *Service) apply(tx *store.Tx, n name, c *eventConfig, in eventSettings) error {
	if in.destinations == nil && in.age == nil && in.retries == nil {
		return invalid("You must specify at least one of error handling or destination setting.")
	}
	if in.age != nil {
		c.Age = in.age
	}
	if in.retries != nil {
		c.Retries = in.retries
	}
	if d := in.destinations; d != nil {
		if d.OnSuccess != nil {
			c.OnSuccess = aws.ToString(d.OnSuccess.Destination)
		}
		if d.OnFailure != nil {
			c.OnFailure = aws.ToString(d.OnFailure.Destination)
		}
		for _, arn := range []string{c.OnSuccess, c.OnFailure} {
			if err := s.checkDestination(tx, n, arn); err != nil {
				return err
			}
		}
	}
	c.Modified = s.cfg.Clock.Now()
	return nil
}

func (s *Service) checkDestination(tx *store.Tx, n name, arn string) error {
	switch arnService(arn) {
	case "":
		if arn != "" {
			return invalid("The destination ARN %s is invalid.", arn)
		}
	case "lambda":
		to, err := s.parse(&arn, nil)
		if err != nil {
			return err
		}
		if to.function == n.function {
			return invalid("You can't specify the function as a destination for itself.")
		}
		if _, err := s.resolve(tx, to); err != nil {
			return invalid("The destination ARN %s is invalid.", arn)
		}
	case "sqs", "sns", "events", "s3":
	default:
		return invalid("The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=%s), onFailure=null) is invalid.", arn)
	}
	return nil
}

func (s *Service) changeEventConfig(ctx context.Context, text, qualifier *string, in eventSettings, keep bool) (out types.FunctionEventInvokeConfig, err error) {
	n, err := s.parse(text, qualifier)
	if err != nil {
		return out, err
	}
	n = orLatest(n)
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := s.resolve(tx, n); err != nil {
			return notFound("The function doesn't exist.")
		}
		key := under(n.function) + n.qualifier
		var c eventConfig
		if keep {
			var ok bool
			if c, ok = s.tables.events.Get(tx, key); !ok {
				return s.noEventConfig(n)
			}
		}
		if err := s.apply(tx, n, &c, in); err != nil {
			return err
		}
		s.tables.events.Put(tx, key, c)
		out = s.describeEventConfig(n, c)
		return nil
	})
	return out, err
}

// PutFunctionEventInvokeConfig says what becomes of asynchronous invocations.
func (s *Service) PutFunctionEventInvokeConfig(ctx context.Context, in *lambda.PutFunctionEventInvokeConfigInput) (*lambda.PutFunctionEventInvokeConfigOutput, error) {
	c, err := s.changeEventConfig(ctx, in.FunctionName, in.Qualifier, eventSettings{in.DestinationConfig, in.MaximumEventAgeInSeconds, in.MaximumRetryAttempts}, false)
	if err != nil {
		return nil, err
	}
	return &lambda.PutFunctionEventInvokeConfigOutput{DestinationConfig: c.DestinationConfig, FunctionArn: c.FunctionArn, LastModified: c.LastModified,
		MaximumEventAgeInSeconds: c.MaximumEventAgeInSeconds, MaximumRetryAttempts: c.MaximumRetryAttempts}, nil
}

// UpdateFunctionEventInvokeConfig changes some of that.
func (s *Service) UpdateFunctionEventInvokeConfig(ctx context.Context, in *lambda.UpdateFunctionEventInvokeConfigInput) (*lambda.UpdateFunctionEventInvokeConfigOutput, error) {
	c, err := s.changeEventConfig(ctx, in.FunctionName, in.Qualifier, eventSettings{in.DestinationConfig, in.MaximumEventAgeInSeconds, in.MaximumRetryAttempts}, true)
	if err != nil {
		return nil, err
	}
	return &lambda.UpdateFunctionEventInvokeConfigOutput{DestinationConfig: c.DestinationConfig, FunctionArn: c.FunctionArn, LastModified: c.LastModified,
		MaximumEventAgeInSeconds: c.MaximumEventAgeInSeconds, MaximumRetryAttempts: c.MaximumRetryAttempts}, nil
}

// GetFunctionEventInvokeConfig shows the settings of one qualifier.
func (s *Service) GetFunctionEventInvokeConfig(_ context.Context, in *lambda.GetFunctionEventInvokeConfigInput) (*lambda.GetFunctionEventInvokeConfigOutput, error) {
	n, err := s.parse(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	n = orLatest(n)
	var found eventConfig
	var ok bool
	s.cfg.Store.View(func(tx *store.Tx) { found, ok = s.tables.events.Get(tx, under(n.function)+n.qualifier) })
	if !ok {
		return nil, s.noEventConfig(n)
	}
	c := s.describeEventConfig(n, found)
	return &lambda.GetFunctionEventInvokeConfigOutput{DestinationConfig: c.DestinationConfig, FunctionArn: c.FunctionArn, LastModified: c.LastModified,
		MaximumEventAgeInSeconds: c.MaximumEventAgeInSeconds, MaximumRetryAttempts: c.MaximumRetryAttempts}, nil
}

// ListFunctionEventInvokeConfigs lists a function's settings.
func (s *Service) ListFunctionEventInvokeConfigs(_ context.Context, in *lambda.ListFunctionEventInvokeConfigsInput) (*lambda.ListFunctionEventInvokeConfigsOutput, error) {
	n, err := s.parse(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListFunctionEventInvokeConfigsOutput{FunctionEventInvokeConfigs: []types.FunctionEventInvokeConfig{}}
	out.NextMarker, err = list(s, n.function, s.tables.events, in.Marker, in.MaxItems, nil, func(qualifier string, c eventConfig) {
		out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, s.describeEventConfig(name{n.function, qualifier}, c))
	})
	if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
		err = notFound("The function doesn't exist.")
	}
	return out, err
}

// DeleteFunctionEventInvokeConfig removes the settings of one qualifier.
func (s *Service) DeleteFunctionEventInvokeConfig(ctx context.Context, in *lambda.DeleteFunctionEventInvokeConfigInput) (*lambda.DeleteFunctionEventInvokeConfigOutput, error) {
	n, err := s.parse(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	n = orLatest(n)
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if !s.tables.events.Delete(tx, under(n.function)+n.qualifier) {
			return s.noEventConfig(n)
		}
		return nil
	})
	return &lambda.DeleteFunctionEventInvokeConfigOutput{}, err
}
