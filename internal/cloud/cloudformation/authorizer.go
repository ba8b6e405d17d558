package cloudformation

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	v2 "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

// What API Gateway keeps beside an API's paths.
type (
	apiAuthorizers interface {
		CreateAuthorizer(context.Context, *apigateway.CreateAuthorizerInput) (*apigateway.CreateAuthorizerOutput, error)
		DeleteAuthorizer(context.Context, *apigateway.DeleteAuthorizerInput) (*apigateway.DeleteAuthorizerOutput, error)
	}
	apiModels interface {
		CreateModel(context.Context, *apigateway.CreateModelInput) (*apigateway.CreateModelOutput, error)
		DeleteModel(context.Context, *apigateway.DeleteModelInput) (*apigateway.DeleteModelOutput, error)
	}
	apiValidators interface {
		CreateRequestValidator(context.Context, *apigateway.CreateRequestValidatorInput) (*apigateway.CreateRequestValidatorOutput, error)
		DeleteRequestValidator(context.Context, *apigateway.DeleteRequestValidatorInput) (*apigateway.DeleteRequestValidatorOutput, error)
	}
	httpAuthorizers interface {
		CreateAuthorizer(context.Context, *v2.CreateAuthorizerInput) (*v2.CreateAuthorizerOutput, error)
		DeleteAuthorizer(context.Context, *v2.DeleteAuthorizerInput) (*v2.DeleteAuthorizerOutput, error)
	}
)

// remade is a handler of something that changes by being made again: the old one goes with the cleanup.
func remade(create func(context.Context, *Request) (Result, error), remove func(context.Context, *Request) error) Handler {
	return Handler{Create: create, Update: create, Delete: remove}
}

func authorizerHandler(a apiAuthorizers) Handler {
	return remade(func(ctx context.Context, r *Request) (Result, error) {
		in := &apigateway.CreateAuthorizerInput{}
		if err := fill(in, r.Properties, nil); err != nil {
			return Result{Physical: r.Physical}, err
		}
		out, err := a.CreateAuthorizer(ctx, in)
		if err != nil {
			return Result{Physical: r.Physical}, err
		}
		id := aws.ToString(out.Id)
		return Result{Physical: id, Attributes: map[string]any{"AuthorizerId": id}}, nil
	}, func(ctx context.Context, r *Request) error {
		_, err := a.DeleteAuthorizer(ctx, &apigateway.DeleteAuthorizerInput{RestApiId: aws.String(r.Str("RestApiId")), AuthorizerId: aws.String(r.Physical)})
		return err
	})
}

func validatorHandler(v apiValidators) Handler {
	return remade(func(ctx context.Context, r *Request) (Result, error) {
		in := &apigateway.CreateRequestValidatorInput{}
		if err := fill(in, r.Properties, nil); err != nil {
			return Result{Physical: r.Physical}, err
		}
		out, err := v.CreateRequestValidator(ctx, in)
		if err != nil {
			return Result{Physical: r.Physical}, err
		}
		id := aws.ToString(out.Id)
		return Result{Physical: id, Attributes: map[string]any{"RequestValidatorId": id}}, nil
	}, func(ctx context.Context, r *Request) error {
		_, err := v.DeleteRequestValidator(ctx, &apigateway.DeleteRequestValidatorInput{RestApiId: aws.String(r.Str("RestApiId")), RequestValidatorId: aws.String(r.Physical)})
		return err
	})
}

// modelHandler makes models. They are known by their names: a changed one is deleted and made again.
func modelHandler(m apiModels) Handler {
	remove := func(ctx context.Context, r *Request) error {
		_, err := m.DeleteModel(ctx, &apigateway.DeleteModelInput{RestApiId: aws.String(r.Str("RestApiId")), ModelName: aws.String(r.Physical)})
		return err
	}
	put := func(ctx context.Context, r *Request) (Result, error) {
		in := &apigateway.CreateModelInput{}
		if err := fill(in, r.Properties, nil); err != nil {
			return Result{Physical: r.Physical}, err
		}
		if r.Physical != "" {
			if err := remove(ctx, r); err != nil && !missing(err) {
				return Result{Physical: r.Physical}, err
			}
		}
		name := r.Physical
		if name == "" {
			if name = r.Str("Name"); name == "" {
				name = r.Logical + r.suffix() // letters and digits only
			}
		}
		in.Name = aws.String(name)
		if in.ContentType == nil {
			in.ContentType = aws.String("application/json")
		}
		_, err := m.CreateModel(ctx, in)
		if r.Retry && exists(err) {
			err = nil
		}
		return Result{Physical: name}, err
	}
	return Handler{Create: put, Update: put, Delete: remove}
}

func httpAuthorizerHandler(a httpAuthorizers) Handler {
	return remade(func(ctx context.Context, r *Request) (Result, error) {
		in := &v2.CreateAuthorizerInput{}
		if err := fill(in, r.Properties, nil); err != nil {
			return Result{Physical: r.Physical}, err
		}
		out, err := a.CreateAuthorizer(ctx, in)
		if err != nil {
			return Result{Physical: r.Physical}, err
		}
		id := aws.ToString(out.AuthorizerId)
		return Result{Physical: id, Attributes: map[string]any{"AuthorizerId": id}}, nil
	}, func(ctx context.Context, r *Request) error {
		_, err := a.DeleteAuthorizer(ctx, &v2.DeleteAuthorizerInput{ApiId: aws.String(r.Str("ApiId")), AuthorizerId: aws.String(r.Physical)})
		return err
	})
}
