package policy

import (
	"slices"
	"strconv"
	"strings"

	"evo/internal/cfn"
	"evo/internal/rules/value"
)

// Condition is one test of a statement's Condition element; all must hold.
type Condition struct {
	Operator string // without set prefix and IfExists
	Set      string // ForAnyValue, ForAllValues or empty
	IfExists bool
	Key      string
	Values   *cfn.Node
}

// Conditions calls f with each test of the statement until f returns false. Known is false if the element, or a part of it,
// is an intrinsic function.
func (s Statement) Conditions(f func(Condition) bool) (known bool) {
	element := s.Node.Get("Condition")
	if value.Open(element) {
		return false
	}
	known = true
	for _, operator := range element.Entries() {
		if value.Open(operator.Value) {
			known = false
			continue
		}
		c := Condition{Operator: operator.Key}
		if set, rest, ok := strings.Cut(operator.Key, ":"); ok {
			c.Set, c.Operator = set, rest
		}
		c.Operator, c.IfExists = strings.CutSuffix(c.Operator, "IfExists")
		for _, p := range operator.Value.Entries() {
			c.Key, c.Values = p.Key, p.Value
			if !f(c) {
				return known
			}
		}
	}
	return known
}

// fixing are the keys that tell known callers from others, in lower case.
var fixing = map[string]bool{
	"aws:sourcearn": true, "aws:sourcevpc": true, "aws:sourcevpce": true, "aws:sourcevpcarn": true, "aws:sourceowner": true,
	"aws:sourceaccount": true, "aws:sourceorgid": true, "aws:sourceorgpaths": true, "aws:userid": true, "aws:username": true,
	"aws:principalarn": true, "aws:principalaccount": true, "aws:principalorgid": true, "aws:principalorgpaths": true,
	"aws:principalservicename": true, "aws:vpceaccount": true, "aws:vpceorgid": true, "aws:vpceorgpaths": true,
	"s3:dataaccesspointarn": true, "s3:dataaccesspointaccount": true, "s3:x-amz-server-side-encryption-aws-kms-key-id": true,
	"kms:calleraccount": true, "lambda:eventsourcetoken": true, "sns:endpoint": true,
}

// Narrowed tells whether the statement's conditions hold it to fixed values, which only known callers have. Conditions on the keys in
// except, given in lower case, do not count.
func (s Statement) Narrowed(names Names, except ...string) value.Truth {
	best := value.No
	known := s.Conditions(func(c Condition) bool {
		if slices.Contains(except, strings.ToLower(c.Key)) {
			return true
		}
		best = max(best, c.fixes(names))
		return best != value.Yes
	})
	if !known {
		best = max(best, value.Unknown)
	}
	return best
}

// fixes tells whether a request that lacks one of the fixed values fails the test. With ForAllValues or IfExists one that
// lacks the key altogether passes it.
func (c Condition) fixes(names Names) value.Truth {
	if c.IfExists || c.Set == "ForAllValues" || c.Values.IsNull() {
		return value.No
	}
	all := func(f func(*cfn.Node) value.Truth) value.Truth {
		if c.Values.Is(cfn.List) && len(c.Values.Items) == 0 {
			return value.No
		}
		return some(c.Values, func(n *cfn.Node) value.Truth { return f(n).Not() }).Not()
	}
	switch c.Operator {
	case "IpAddress":
		if strings.EqualFold(c.Key, "aws:SourceIp") || strings.EqualFold(c.Key, "aws:VpcSourceIp") {
			return all(narrow)
		}
	case "StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike":
		if fixing[strings.ToLower(c.Key)] {
			return all(func(n *cfn.Node) value.Truth { return fixed(n, "*?", names) })
		}
	}
	return value.No
}

// narrow tells whether a range of addresses is narrow enough to be that of known callers.
func narrow(n *cfn.Node) value.Truth {
	text, ok := value.Of(n)
	if !ok || !text.Literal() {
		return value.Unknown
	}
	address, bits, ranged := strings.Cut(string(text), "/")
	if strings.ContainsAny(address, "*?$") || address == "" {
		return value.No
	}
	if !ranged {
		return value.Yes
	}
	least := 8
	if strings.Contains(address, ":") {
		least = 32
	}
	size, err := strconv.Atoi(bits)
	return value.TruthOf(err == nil && size >= least)
}

// Is tells whether one of the test's values is the text, letter case aside.
func (c Condition) Is(text string) value.Truth { return names(c.Values, text) }

// All calls f with each value until f returns false.
func (c Condition) All(f func(*cfn.Node) bool) { each(c.Values, f) }
