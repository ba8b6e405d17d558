package iam

import (
	_ "embed"
	"slices"
	"strings"
)

// awsPolicyList holds the names of AWS's own managed policies in the partition aws, with their paths, sorted; October 2026. Some
// that AWS has withdrawn are among them: a role that has one keeps it.
//
//go:embed awspolicies.txt
var awsPolicyList string

var awsPolicyNames = strings.Split(strings.TrimSpace(awsPolicyList), "\n")

// isAWSPolicy reports whether AWS has a managed policy of that path and name.
func isAWSPolicy(full string) bool {
	_, found := slices.BinarySearch(awsPolicyNames, full)
	return found
}

// serviceRolePath is where the policies are that only roles linked to a service may have.
const serviceRolePath = "aws-service-role/"
