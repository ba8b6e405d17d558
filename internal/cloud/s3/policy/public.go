package policy

import (
	"slices"
	"strconv"
	"strings"
)

// Public reports whether the policy lets the public in.
func (p *Policy) Public() bool {
	return slices.ContainsFunc(p.Statements, Statement.public)
}

func (s Statement) public() bool {
	if !s.Allow {
		return false
	}
	anyone := s.NotPrincipal || slices.ContainsFunc(s.Principals, func(p Principal) bool { return p.Name == "*" })
	return anyone && !slices.ContainsFunc(s.Conditions, Condition.restricts)
}

// fixing are the keys that tell known callers from others, in lower case.
var fixing = []string{
	"aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths",
	"aws:userid", "aws:username", "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths",
	"aws:principalservicename", "s3:dataaccesspointarn", "s3:dataaccesspointaccount", "s3:x-amz-server-side-encryption-aws-kms-key-id",
}

// restricts reports whether the condition holds a statement to known callers.
func (c Condition) restricts() bool {
	operator := strings.TrimPrefix(c.Operator, "ForAnyValue:")
	if len(c.Values) == 0 {
		return false
	}
	switch operator {
	case "IpAddress":
		return strings.EqualFold(c.Key, "aws:SourceIp") && !slices.ContainsFunc(c.Values, broad)
	case "StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike":
		return slices.Contains(fixing, strings.ToLower(c.Key)) && !slices.ContainsFunc(c.Values, variable)
	}
	return false
}

// variable reports whether a value stands for more than itself.
func variable(value string) bool { return strings.ContainsAny(value, "*?$") }

// broad reports whether a range of addresses is too wide to be that of known callers.
func broad(cidr string) bool {
	_, bits, ok := strings.Cut(cidr, "/")
	if !ok {
		return variable(cidr)
	}
	n, err := strconv.Atoi(bits)
	least := 8
	if strings.Contains(cidr, ":") {
		least = 32
	}
	return err != nil || n < least
}
