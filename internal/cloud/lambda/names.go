package lambda

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/cloud/call"
)

const latest = "$LATEST"

// name is a function, with a version's number, an alias, or nothing.
type name struct{ function, qualifier string }

// parse understands the forms that AWS takes for FunctionName: a name, a partial ARN (account:function:name), or a whole one,
// each with or without a qualifier, which must not contradict the one that is given apart.
func (s *Service) parse(text *string, qualifier *string) (name, error) {
	parts := strings.Split(aws.ToString(text), ":")
	if parts[0] == "arn" {
		if len(parts) < 7 {
			return name{}, invalid("Invalid ARN: %s", aws.ToString(text))
		}
		if region := parts[3]; region != s.cfg.Region {
			return name{}, notFound("Functions from '%s' are not reachable in this region ('%s')", region, s.cfg.Region)
		}
		parts = parts[4:]
	} else if len(parts) > 1 && parts[1] != "function" && len(parts) > 2 && parts[2] == "function" {
		parts = parts[1:] // region:account is not a form of AWS's documentation, but of its pattern
	}
	if len(parts) >= 2 && parts[1] == "function" {
		if parts[0] != call.Account {
			return name{}, &call.Error{Status: 403, Code: "AccessDeniedException",
				Message: "User is not authorized to act on functions of account " + parts[0] + "; this cloud has account " + call.Account}
		}
		parts = parts[2:]
	} else if len(parts) >= 2 && parts[0] == "function" {
		parts = parts[1:]
	}
	if len(parts) == 0 || len(parts) > 2 {
		return name{}, invalid("Invalid function name: %s", aws.ToString(text))
	}
	n := name{function: parts[0]}
	if len(parts) == 2 {
		n.qualifier = parts[1]
	}
	if len(n.function) > 64 {
		return name{}, invalid("1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64", n.function)
	}
	given := aws.ToString(qualifier)
	if given != "" && n.qualifier != "" && given != n.qualifier {
		return name{}, invalid("The derived qualifier from the function name does not match the specified qualifier.")
	}
	if given != "" {
		n.qualifier = given
	}
	return n, nil
}

func (s *Service) arn(n name) string {
	arn := "arn:aws:lambda:" + s.cfg.Region + ":" + call.Account + ":function:" + n.function
	if n.qualifier != "" {
		arn += ":" + n.qualifier
	}
	return arn
}

func (s *Service) functionNotFound(n name) error { return notFound("Function not found: %s", s.arn(n)) }

func (s *Service) aliasNotFound(n name) error { return notFound("Cannot find alias arn: %s", s.arn(n)) }

// isNumber tells a version from an alias, whose name must not be a number.
func isNumber(qualifier string) bool {
	for _, c := range qualifier {
		if c < '0' || c > '9' {
			return false
		}
	}
	return qualifier != ""
}

func isVersion(qualifier string) bool { return qualifier == latest || isNumber(qualifier) }
