package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/store"
)

// What deployment tools ask of every function, and which has one answer here.

// GetFunctionCodeSigningConfig answers that there is no code signing.
func (s *Service) GetFunctionCodeSigningConfig(_ context.Context, in *lambda.GetFunctionCodeSigningConfigInput) (*lambda.GetFunctionCodeSigningConfigOutput, error) {
	n, err := s.plain(in.FunctionName)
	if err != nil {
		return nil, err
	}
	return &lambda.GetFunctionCodeSigningConfigOutput{FunctionName: aws.String(n.function), CodeSigningConfigArn: aws.String("")}, nil
}

// GetFunctionRecursionConfig answers with AWS's default.
func (s *Service) GetFunctionRecursionConfig(_ context.Context, in *lambda.GetFunctionRecursionConfigInput) (*lambda.GetFunctionRecursionConfigOutput, error) {
	if _, err := s.plain(in.FunctionName); err != nil {
		return nil, err
	}
	return &lambda.GetFunctionRecursionConfigOutput{RecursiveLoop: types.RecursiveLoopTerminate}, nil
}

// GetRuntimeManagementConfig answers with AWS's default.
func (s *Service) GetRuntimeManagementConfig(_ context.Context, in *lambda.GetRuntimeManagementConfigInput) (*lambda.GetRuntimeManagementConfigOutput, error) {
	n, err := s.plain(in.FunctionName)
	if err != nil {
		return nil, err
	}
	n.qualifier = aws.ToString(in.Qualifier)
	return &lambda.GetRuntimeManagementConfigOutput{FunctionArn: aws.String(s.arn(n)), UpdateRuntimeOn: types.UpdateRuntimeOnAuto}, nil
}

// plain is a function that is there, without a qualifier.
func (s *Service) plain(text *string) (n name, err error) {
	if n, err = s.unqualified(text); err != nil {
		return n, err
	}
	s.cfg.Store.View(func(tx *store.Tx) { err = s.exists(tx, n.function) })
	return n, err
}
