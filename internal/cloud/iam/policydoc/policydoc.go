// Package policydoc answers: is this text a policy document that IAM takes, and if not, what does IAM say?
package policydoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind of a policy, by what it is attached to.
type Kind int

const (
	Identity Kind = iota // says what a role or user may do
	Trust                // says who may assume a role
)

// list is a JSON string, or an array of strings.
type list []string

func (l *list) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = list{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

type statement struct {
	Sid          *string
	Effect       *string
	Principal    json.RawMessage
	NotPrincipal json.RawMessage
	Action       *list
	NotAction    *list
	Resource     *list
	NotResource  *list
	Condition    map[string]map[string]any
}

var (
	errJSON   = errors.New("This policy contains invalid Json")
	errSyntax = errors.New("Syntax errors in policy.")
)

// elements are the names of a document's and of a statement's members.
var (
	documentElements  = []string{"Version", "Id", "Statement"}
	statementElements = []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)

// Check returns nil for a policy document of the kind, else an error with IAM's message.
func Check(kind Kind, document string) error {
	if !json.Valid([]byte(document)) {
		return errJSON
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(document), &members) != nil || !known(members, documentElements) {
		return errSyntax
	}
	if v, ok := members["Version"]; ok && string(v) != `"2012-10-17"` && string(v) != `"2008-10-17"` {
		return errors.New("The policy must contain a valid version string.")
	}
	statements, err := statementsOf(members["Statement"])
	if err != nil {
		return err
	}
	sids := map[string]bool{}
	for _, s := range statements {
		if s.Sid != nil && *s.Sid != "" {
			if sids[*s.Sid] {
				return errors.New("Statement IDs (SID) in a single policy must be unique.")
			}
			sids[*s.Sid] = true
		}
		check := s.checkIdentity
		if kind == Trust {
			check = s.checkTrust
		}
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func known(members map[string]json.RawMessage, names []string) bool {
	for m := range members {
		if !slices.Contains(names, m) {
			return false
		}
	}
	return true
}

// statementsOf reads one statement or an array of them.
func statementsOf(raw json.RawMessage) ([]statement, error) {
	var each []json.RawMessage
	if len(raw) == 0 {
		return nil, errSyntax
	}
	if raw[0] == '{' {
		each = []json.RawMessage{raw}
	} else if json.Unmarshal(raw, &each) != nil || len(each) == 0 {
		return nil, errSyntax
	}
	out := make([]statement, len(each))
	for i, r := range each {
		var members map[string]json.RawMessage
		if json.Unmarshal(r, &members) != nil || !known(members, statementElements) || json.Unmarshal(r, &out[i]) != nil {
			return nil, errSyntax
		}
	}
	return out, nil
}

// checkCommon checks what statements of both kinds need: an effect, and actions of the form service:action.
func (s statement) checkCommon() error {
	switch {
	case s.Effect == nil:
		return errors.New("Missing required field Effect")
	case *s.Effect != "Allow" && *s.Effect != "Deny":
		return fmt.Errorf("Invalid effect: %s", *s.Effect)
	case s.Action != nil && s.NotAction != nil || s.Resource != nil && s.NotResource != nil:
		return errSyntax
	case s.Action == nil && s.NotAction == nil:
		return errors.New("Policy statement must contain actions.")
	}
	for _, l := range []*list{s.Action, s.NotAction} {
		if l == nil {
			continue
		}
		if len(*l) == 0 {
			return errors.New("Policy statement must contain actions.")
		}
		for _, a := range *l {
			if err := checkAction(a); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkAction(a string) error {
	vendor, action, ok := strings.Cut(a, ":")
	switch {
	case a == "*":
		return nil
	case !ok:
		return errors.New("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	case vendor == "" || strings.ContainsAny(vendor, " */"):
		return fmt.Errorf("Vendor %s is not valid", vendor)
	case action == "" || strings.Contains(action, ":"):
		return errors.New("Actions/Condition can contain only one colon.")
	}
	return nil
}

func (s statement) checkIdentity() error {
	if s.Principal != nil || s.NotPrincipal != nil {
		return errors.New("Policy document should not specify a principal.")
	}
	if err := s.checkCommon(); err != nil {
		return err
	}
	resources := s.Resource
	if resources == nil {
		resources = s.NotResource
	}
	if resources == nil || len(*resources) == 0 {
		return errors.New("Policy statement must contain resources.")
	}
	for _, r := range *resources {
		if r != "*" && (!strings.HasPrefix(r, "arn:") || len(strings.SplitN(r, ":", 6)) < 6) && !strings.HasPrefix(r, "${") {
			return fmt.Errorf("Resource %s must be in ARN format or \"*\".", r)
		}
	}
	return nil
}

func (s statement) checkTrust() error {
	switch {
	case s.Resource != nil:
		return errors.New("Has prohibited field Resource")
	case s.NotResource != nil:
		return errors.New("Has prohibited field NotResource")
	case s.Principal == nil && s.NotPrincipal == nil:
		return errors.New("Missing required field Principal")
	}
	if err := s.checkCommon(); err != nil {
		return err
	}
	if s.Action != nil {
		for _, a := range *s.Action {
			if a != "*" && !strings.HasPrefix(strings.ToLower(a), "sts:") {
				return errors.New("AssumeRole policy may only specify STS AssumeRole actions.")
			}
		}
	}
	return checkPrincipal(s.Principal)
}

// checkPrincipal takes "*", or a map from AWS, Service, Federated or CanonicalUser to one or more names.
func checkPrincipal(raw json.RawMessage) error {
	if raw == nil || string(raw) == `"*"` {
		return nil
	}
	var byKind map[string]list
	if json.Unmarshal(raw, &byKind) != nil || len(byKind) == 0 {
		return fmt.Errorf("Invalid principal in policy: %s", raw)
	}
	for kind, names := range byKind {
		if !slices.Contains([]string{"AWS", "Service", "Federated", "CanonicalUser"}, kind) || len(names) == 0 {
			return fmt.Errorf("Invalid principal in policy: %s", raw)
		}
	}
	return nil
}

// Trusts tells whether a trust policy lets a service assume the role. Conditions are not looked at.
func Trusts(document, service string) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(document), &members) != nil {
		return false
	}
	statements, err := statementsOf(members["Statement"])
	if err != nil {
		return false
	}
	trusted := false
	for _, s := range statements {
		if !s.mayAssume() || !s.names(service) {
			continue
		}
		if s.Effect != nil && *s.Effect == "Deny" {
			return false
		}
		trusted = true
	}
	return trusted
}

// mayAssume tells whether the statement is about assuming the role.
func (s statement) mayAssume() bool {
	return s.Action != nil && slices.ContainsFunc(*s.Action, func(a string) bool {
		return a == "*" || strings.EqualFold(a, "sts:*") || strings.EqualFold(a, "sts:AssumeRole")
	})
}

func (s statement) names(service string) bool {
	if string(s.Principal) == `"*"` {
		return true
	}
	var byKind map[string]list
	return json.Unmarshal(s.Principal, &byKind) == nil && (slices.Contains(byKind["Service"], service) || slices.Contains(byKind["AWS"], "*"))
}

// Size is a document's length as IAM counts it: without white space.
func Size(document string) int {
	n := 0
	for _, r := range document {
		if r != ' ' && r != '\t' && r != '\n' && r != '\r' {
			n++
		}
	}
	return n
}
