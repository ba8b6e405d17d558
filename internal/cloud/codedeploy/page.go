package codedeploy

import (
	"encoding/base64"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

const pageSize = 100

// page returns the part of names that follows the token, and the token of what follows that. A token names the last
// name that was given; lists may change between calls, so that it is looked for and not counted.
func page(names []string, token *string) ([]string, *string, error) {
	if token != nil {
		last, err := base64.RawURLEncoding.DecodeString(*token)
		i := slices.Index(names, string(last))
		if err != nil || i < 0 {
			return nil, nil, &types.InvalidNextTokenException{Message: aws.String("The next token is invalid.")}
		}
		names = names[i+1:]
	}
	if len(names) <= pageSize {
		return names, nil, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(names[pageSize-1]))
	return names[:pageSize], &next, nil
}
