package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/store"
)

// Provisioned concurrency is recorded and described; environments start when they are needed all the same.

// PutProvisionedConcurrencyConfig records provisioned concurrency for a version or an alias.
func (s *Service) PutProvisionedConcurrencyConfig(ctx context.Context, in *lambda.PutProvisionedConcurrencyConfigInput) (*lambda.PutProvisionedConcurrencyConfigOutput, error) {
	n, err := s.parse(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if n.qualifier == latest {
		return nil, invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	}
	now := s.cfg.Clock.Now()
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := s.checkProvisioned(tx, n); err != nil {
			return err
		}
		if *in.ProvisionedConcurrentExecutions > accountConcurrency {
			return &types.InvalidParameterValueException{Message: aws.String("Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].")}
		}
		s.tables.provisioned.Put(tx, under(n.function)+n.qualifier, provisioned{*in.ProvisionedConcurrentExecutions, now})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &lambda.PutProvisionedConcurrencyConfigOutput{
		RequestedProvisionedConcurrentExecutions: in.ProvisionedConcurrentExecutions, AllocatedProvisionedConcurrentExecutions: aws.Int32(0),
		AvailableProvisionedConcurrentExecutions: aws.Int32(0), Status: types.ProvisionedConcurrencyStatusEnumInProgress, LastModified: isoTime(now),
	}, nil
}

// provisionable finds the version or alias that a name means.
func (s *Service) provisionable(tx *store.Tx, n name) (version string, a alias, err error) {
	if n.qualifier == latest {
		return "", a, invalid("The function resource provided must be an alias or a published version.")
	}
	if isNumber(n.qualifier) {
		if _, ok := s.tables.versions.Get(tx, versionKey(n.function, n.qualifier)); !ok {
			return "", a, s.functionNotFound(n)
		}
		return n.qualifier, a, nil
	}
	a, ok := s.tables.aliases.Get(tx, under(n.function)+n.qualifier)
	if !ok {
		return "", a, s.aliasNotFound(n)
	}
	return a.Version, a, nil
}

func (s *Service) checkProvisioned(tx *store.Tx, n name) error {
	number, a, err := s.provisionable(tx, n)
	if err != nil {
		return err
	}
	if a.Name != "" {
		if len(a.Weights) > 0 {
			return invalid("Alias with weights can not be used with Provisioned Concurrency")
		}
		if _, ok := s.tables.provisioned.Get(tx, under(n.function)+number); ok {
			return conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
		}
		return nil
	}
	for _, other := range s.tables.aliases.Prefix(tx, under(n.function)) {
		if _, ok := s.tables.provisioned.Get(tx, under(n.function)+other.Name); ok && other.Version == number {
			return conflict("Version is pointed by a Provisioned Concurrency alias")
		}
	}
	return nil
}

// GetProvisionedConcurrencyConfig describes provisioned concurrency.
func (s *Service) GetProvisionedConcurrencyConfig(_ context.Context, in *lambda.GetProvisionedConcurrencyConfigInput) (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
	n, err := s.parse(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	out := new(lambda.GetProvisionedConcurrencyConfigOutput)
	s.cfg.Store.View(func(tx *store.Tx) {
		if _, _, err = s.provisionable(tx, n); err != nil {
			return
		}
		p, ok := s.tables.provisioned.Get(tx, under(n.function)+n.qualifier)
		if !ok {
			err = &types.ProvisionedConcurrencyConfigNotFoundException{Message: aws.String("No Provisioned Concurrency Config found for this function"), Type: user}
			return
		}
		out.RequestedProvisionedConcurrentExecutions, out.AllocatedProvisionedConcurrentExecutions = aws.Int32(p.Executions), aws.Int32(p.Executions)
		out.AvailableProvisionedConcurrentExecutions, out.Status, out.LastModified = aws.Int32(p.Executions), types.ProvisionedConcurrencyStatusEnumReady, isoTime(p.Modified)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteProvisionedConcurrencyConfig removes provisioned concurrency.
func (s *Service) DeleteProvisionedConcurrencyConfig(ctx context.Context, in *lambda.DeleteProvisionedConcurrencyConfigInput) (*lambda.DeleteProvisionedConcurrencyConfigOutput, error) {
	n, err := s.parse(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, _, err := s.provisionable(tx, n); err != nil {
			return err
		}
		s.tables.provisioned.Delete(tx, under(n.function)+n.qualifier)
		return nil
	})
	return &lambda.DeleteProvisionedConcurrencyConfigOutput{}, err
}

// ListProvisionedConcurrencyConfigs lists a function's provisioned concurrency.
func (s *Service) ListProvisionedConcurrencyConfigs(_ context.Context, in *lambda.ListProvisionedConcurrencyConfigsInput) (*lambda.ListProvisionedConcurrencyConfigsOutput, error) {
	n, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListProvisionedConcurrencyConfigsOutput{ProvisionedConcurrencyConfigs: []types.ProvisionedConcurrencyConfigListItem{}}
	out.NextMarker, err = list(s, n.function, s.tables.provisioned, in.Marker, in.MaxItems, nil, func(qualifier string, c provisioned) {
		out.ProvisionedConcurrencyConfigs = append(out.ProvisionedConcurrencyConfigs, types.ProvisionedConcurrencyConfigListItem{
			FunctionArn:                              aws.String(s.arn(name{n.function, qualifier})),
			RequestedProvisionedConcurrentExecutions: aws.Int32(c.Executions), AllocatedProvisionedConcurrentExecutions: aws.Int32(c.Executions),
			AvailableProvisionedConcurrentExecutions: aws.Int32(c.Executions), Status: types.ProvisionedConcurrencyStatusEnumReady, LastModified: isoTime(c.Modified),
		})
	})
	return out, err
}
