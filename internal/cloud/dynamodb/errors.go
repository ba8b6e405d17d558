package dynamodb

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/call"
)

// invalid returns a ValidationException, which the SDK's model does not name.
func invalid(format string, args ...any) error {
	return call.Errorf("ValidationException", format, args...)
}

// invalidParameter returns one with AWS's usual beginning.
func invalidParameter(format string, args ...any) error {
	return invalid("One or more parameter values were invalid: %s", fmt.Sprintf(format, args...))
}

// validation makes a ValidationException of what a pure package found wrong.
func validation(err error) error { return invalid("%s", err.Error()) }

func notFound() error {
	return &types.ResourceNotFoundException{Message: ptr("Requested resource not found")}
}

// noTable is what operations on tables, unlike those on items, say of a table that is not there.
func noTable(name string) error {
	return &types.ResourceNotFoundException{Message: ptr("Requested resource not found: Table: " + name + " not found")}
}

func inUse(format string, args ...any) error {
	return &types.ResourceInUseException{Message: ptr(fmt.Sprintf(format, args...))}
}

func conditionFailed(item map[string]types.AttributeValue) error {
	return &types.ConditionalCheckFailedException{Message: ptr("The conditional request failed"), Item: item}
}

func ptr[T any](v T) *T { return &v }

// deref returns what p points to, or the zero value.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
