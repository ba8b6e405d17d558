package codedeploy

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"evo/internal/cloud/paging"
)

const pageSize = 100

// page returns the part of names that a token stands for, and the token of what follows that.
func page(names []string, token *string) ([]string, *string, error) {
	names, next, err := paging.Cut(names, func(name string) string { return name }, token, pageSize)
	if err != nil {
		return nil, nil, &types.InvalidNextTokenException{Message: aws.String("The next token is invalid.")}
	}
	return names, next, nil
}
