package lambda

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

var user = aws.String("User") // who is to blame

func notFound(format string, args ...any) error {
	return &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(format, args...)), Type: user}
}

func invalid(format string, args ...any) error {
	return &types.InvalidParameterValueException{Message: aws.String(fmt.Sprintf(format, args...)), Type: user}
}

func conflict(format string, args ...any) error {
	return &types.ResourceConflictException{Message: aws.String(fmt.Sprintf(format, args...)), Type: user}
}

// staleRevision says that a condition on a revision does not hold; call is what tells the latest.
func staleRevision(call string) error {
	return &types.PreconditionFailedException{Type: user, Message: aws.String(
		"The Revision Id provided does not match the latest Revision Id. Call the " + call + " API to retrieve the latest Revision Id")}
}

// checkRevision holds a caller's condition on a revision against the one that is.
func checkRevision(want *string, have, call string) error {
	if want != nil && *want != have {
		return staleRevision(call)
	}
	return nil
}
