// Package policy answers: is a document a bucket policy, and does it let the public in?
//
// "Public" is what S3's Block Public Access means by it: an Allow statement is public unless its principals are named, or a
// condition holds it to fixed values of something that only known callers have.
package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxSize is the most bytes that a bucket policy may have.
const MaxSize = 20 << 10

// Policy is a bucket policy.
type Policy struct {
	Version    string
	ID         string
	Statements []Statement
}

// Statement is one statement of a policy.
type Statement struct {
	Sid          string
	Allow        bool
	Principals   []Principal
	NotPrincipal bool // the principals are those that the statement does not mean
	Actions      []string
	NotAction    bool
	Resources    []string
	NotResource  bool
	Conditions   []Condition
}

// Principal is whom a statement is about: a kind (AWS, Service, Federated, CanonicalUser) and a name, or a star of any kind.
type Principal struct{ Kind, Name string }

// Condition holds a statement to those requests in which a key has one of the values.
type Condition struct {
	Operator, Key string
	Values        []string
}

// Parse reads the policy of the bucket with that ARN. Its errors are what S3 says of a malformed policy.
func Parse(document, bucketARN string) (*Policy, error) {
	if len(document) > MaxSize {
		return nil, fmt.Errorf("Policy exceeds the maximum allowed document size: %d bytes of %d", len(document), MaxSize)
	}
	fields, err := object([]byte(document))
	if err != nil || !strings.HasPrefix(document, "{") {
		return nil, errors.New("Policies must be valid JSON and the first byte must be '{'")
	}
	p := &Policy{}
	for name, raw := range fields {
		switch name {
		case "Version":
			err = json.Unmarshal(raw, &p.Version)
			if err != nil || p.Version != "2012-10-17" && p.Version != "2008-10-17" {
				return nil, errors.New("The policy must contain a valid version string")
			}
		case "Id":
			if json.Unmarshal(raw, &p.ID) != nil {
				return nil, errors.New("Policy has an invalid Id")
			}
		case "Statement":
		default:
			return nil, fmt.Errorf("Unknown field %s", name)
		}
	}
	raw, ok := fields["Statement"]
	if !ok {
		return nil, missing("Statement")
	}
	var statements []json.RawMessage
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		statements = []json.RawMessage{raw}
	} else if json.Unmarshal(raw, &statements) != nil {
		return nil, errors.New("Statement must be an object or a list of objects")
	}
	if len(statements) == 0 {
		return nil, errors.New("Could not parse the policy: Statement is empty!")
	}
	for _, raw := range statements {
		s, err := parseStatement(raw)
		if err == nil {
			err = s.check(bucketARN)
		}
		if err != nil {
			return nil, err
		}
		p.Statements = append(p.Statements, *s)
	}
	return p, nil
}

func missing(field string) error { return fmt.Errorf("Missing required field %s", field) }

func object(raw []byte) (fields map[string]json.RawMessage, err error) {
	err = json.Unmarshal(raw, &fields)
	if err == nil && fields == nil {
		err = errors.New("not an object")
	}
	return fields, err
}

// texts reads a string or a list of strings.
func texts(raw json.RawMessage) ([]string, bool) {
	var one string
	if json.Unmarshal(raw, &one) == nil && !bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return []string{one}, true
	}
	var many []string
	return many, json.Unmarshal(raw, &many) == nil && len(many) > 0
}

func parseStatement(raw json.RawMessage) (*Statement, error) {
	fields, err := object(raw)
	if err != nil {
		return nil, errors.New("Statement must be an object or a list of objects")
	}
	s := &Statement{}
	var effect string
	ok := true
	for name, raw := range fields {
		switch name {
		case "Sid":
			ok = json.Unmarshal(raw, &s.Sid) == nil
		case "Effect":
			ok = json.Unmarshal(raw, &effect) == nil
		case "Principal", "NotPrincipal":
			s.NotPrincipal = name == "NotPrincipal"
			s.Principals, err = parsePrincipals(raw)
		case "Action", "NotAction":
			s.NotAction = name == "NotAction"
			s.Actions, ok = texts(raw)
		case "Resource", "NotResource":
			s.NotResource = name == "NotResource"
			s.Resources, ok = texts(raw)
		case "Condition":
			s.Conditions, err = parseConditions(raw)
		default:
			return nil, fmt.Errorf("Unknown field %s", name)
		}
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("Policy has invalid %s", strings.ToLower(strings.TrimPrefix(name, "Not")))
		}
	}
	if effect == "" {
		return nil, missing("Effect")
	}
	if effect != "Allow" && effect != "Deny" {
		return nil, fmt.Errorf("Invalid effect: %s", effect)
	}
	s.Allow = effect == "Allow"
	return s, nil
}

var errPrincipal = errors.New("Invalid principal in policy")

func parsePrincipals(raw json.RawMessage) ([]Principal, error) {
	var all string
	if json.Unmarshal(raw, &all) == nil {
		if all != "*" {
			return nil, errPrincipal
		}
		return []Principal{{"*", "*"}}, nil
	}
	fields, err := object(raw)
	if err != nil {
		return nil, errPrincipal
	}
	var principals []Principal
	for kind, raw := range fields {
		names, ok := texts(raw)
		if !ok || !slices.Contains([]string{"AWS", "Service", "Federated", "CanonicalUser"}, kind) {
			return nil, errPrincipal
		}
		for _, name := range names {
			if name == "" || strings.Contains(name, "*") && name != "*" {
				return nil, errPrincipal
			}
			principals = append(principals, Principal{kind, name})
		}
	}
	if len(principals) == 0 {
		return nil, errPrincipal
	}
	return principals, nil
}

func parseConditions(raw json.RawMessage) ([]Condition, error) {
	operators, err := object(raw)
	if err != nil {
		return nil, errors.New("Condition must be an object")
	}
	var conditions []Condition
	for operator, raw := range operators {
		if !knownOperator(operator) {
			return nil, fmt.Errorf("Invalid Condition type : %s", operator)
		}
		keys, err := object(raw)
		if err != nil {
			return nil, fmt.Errorf("Condition %s must be an object", operator)
		}
		for key, raw := range keys {
			values, err := conditionValues(raw)
			if err != nil {
				return nil, fmt.Errorf("Conditions do not apply to combination of actions and resources in statement: %s has no value", key)
			}
			conditions = append(conditions, Condition{operator, key, values})
		}
	}
	return conditions, nil
}

// conditionValues reads what a condition compares with: strings, numbers, booleans, or a list of them.
func conditionValues(raw json.RawMessage) ([]string, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var values []string
	for _, e := range list {
		switch e.(type) {
		case string, bool, float64:
			values = append(values, fmt.Sprint(e))
		default:
			return nil, errors.New("not a value")
		}
	}
	return values, nil
}

var operators = []string{
	"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
	"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
	"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
	"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
}

func knownOperator(name string) bool {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "ForAllValues:"), "ForAnyValue:")
	return slices.Contains(operators, strings.TrimSuffix(name, "IfExists"))
}

// check refuses a statement that does not fit the bucket.
func (s *Statement) check(bucketARN string) error {
	switch {
	case len(s.Principals) == 0:
		return missing("Principal")
	case len(s.Actions) == 0:
		return missing("Action")
	case len(s.Resources) == 0:
		return missing("Resource")
	}
	for _, a := range s.Actions {
		service, _, ok := strings.Cut(a, ":")
		if a != "*" && (!ok || !strings.EqualFold(service, "s3")) {
			return errors.New("Policy has invalid action")
		}
	}
	for _, r := range s.Resources {
		if !covers(r, bucketARN) {
			return errors.New("Policy has invalid resource")
		}
	}
	return s.checkReach(bucketARN)
}

// covers reports whether a resource is the bucket, or something in it.
func covers(resource, bucketARN string) bool {
	if resource == "*" || resource == bucketARN || strings.HasPrefix(resource, bucketARN+"/") {
		return true
	}
	// A wildcard may stand for the end of the bucket's name and all that follows.
	before, _, wild := strings.Cut(resource, "*")
	return wild && strings.HasPrefix(before, "arn:aws:s3:::") && strings.HasPrefix(bucketARN, before)
}

// checkReach refuses actions on objects where only the bucket is named, and the other way round.
func (s *Statement) checkReach(bucketARN string) error {
	if s.NotAction || s.NotResource {
		return nil
	}
	objects := slices.ContainsFunc(s.Resources, func(r string) bool { return r != bucketARN })
	bucketItself := slices.ContainsFunc(s.Resources, func(r string) bool { return !strings.HasPrefix(r, bucketARN+"/") })
	for _, a := range s.Actions {
		if onObjects, known := reach(a); known && (onObjects && !objects || !onObjects && !bucketItself) {
			return errors.New("Action does not apply to any resource(s) in statement")
		}
	}
	return nil
}

// reach tells of an action without wildcards whether it is one on objects.
func reach(action string) (objects, known bool) {
	_, name, _ := strings.Cut(action, ":")
	if strings.ContainsAny(name, "*?") || name == "" {
		return false, false
	}
	name = strings.ToLower(name)
	switch {
	case name == "listmultipartuploadparts", name == "abortmultipartupload", name == "restoreobject", name == "bypassgovernanceretention":
		return true, true
	case strings.HasPrefix(name, "object"), strings.HasPrefix(name, "getobject"), strings.HasPrefix(name, "putobject"), strings.HasPrefix(name, "deleteobject"):
		return true, true
	case strings.HasPrefix(name, "list"), strings.Contains(name, "bucket"), strings.HasSuffix(name, "configuration"):
		return false, true
	}
	return false, false
}
