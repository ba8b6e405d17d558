package cloudformation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cloud/store"
	"evo/internal/cloud/wildcard"
)

// stackPolicy says what an update may do to which resources. A stack without one, or whose policy has no statements, may be
// updated freely; else what no statement allows is refused, and a denial counts more than any permission.
type stackPolicy struct{ Statement statements }

type statements []policyStatement

// policyStatement is one rule; of Action and NotAction, and of Resource and NotResource, it has one.
type policyStatement struct {
	Sid         string
	Effect      string
	Principal   json.RawMessage
	Action      oneOrMore
	NotAction   oneOrMore
	Resource    oneOrMore
	NotResource oneOrMore
	Condition   map[string]map[string]oneOrMore
}

// oneOrMore is a list of strings, or the one string that stands for it.
type oneOrMore []string

func (l *oneOrMore) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

func (l *statements) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]policyStatement)(l))
	}
	var one policyStatement
	err := json.Unmarshal(b, &one)
	*l = statements{one}
	return err
}

// What an update does to a resource, in the policy's words.
const (
	updateModify  = "Update:Modify"
	updateReplace = "Update:Replace"
	updateDelete  = "Update:Delete"
)

var policyActions = map[action]string{doUpdate: updateModify, doReplace: updateReplace, doDelete: updateDelete}

// parsePolicy reads a policy; "" is none.
func parsePolicy(body string) (stackPolicy, error) {
	var p stackPolicy
	if body == "" {
		return p, nil
	}
	d := json.NewDecoder(strings.NewReader(body))
	var top map[string]json.RawMessage
	if err := d.Decode(&top); err != nil || d.More() {
		return p, errPolicy
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		return p, errPolicy
	}
	for _, s := range p.Statement {
		if !s.valid() {
			return p, errPolicy
		}
	}
	return p, nil
}

var errPolicy = invalid("Error validating stack policy: Invalid stack policy")

func (s policyStatement) valid() bool {
	if s.Effect != "Allow" && s.Effect != "Deny" || !anybody(s.Principal) {
		return false
	}
	if (len(s.Action) == 0) == (len(s.NotAction) == 0) || (len(s.Resource) == 0) == (len(s.NotResource) == 0) {
		return false
	}
	for _, a := range slices.Concat(s.Action, s.NotAction) {
		if a != "*" && !strings.HasPrefix(a, "Update:") || !slices.ContainsFunc([]string{updateModify, updateReplace, updateDelete}, func(known string) bool { return wildcard.Like(a, known) }) {
			return false
		}
	}
	for _, r := range slices.Concat(s.Resource, s.NotResource) {
		if r != "*" && !strings.HasPrefix(r, "LogicalResourceId/") {
			return false
		}
	}
	for operator, keys := range s.Condition {
		if _, ok := conditionOperators[operator]; !ok || len(keys) != 1 || keys["ResourceType"] == nil {
			return false
		}
	}
	return true
}

// anybody reports whether a principal is everybody, which is the only one that a stack policy knows.
func anybody(principal json.RawMessage) bool {
	var names oneOrMore
	if json.Unmarshal(principal, &names) == nil {
		return slices.Equal(names, oneOrMore{"*"})
	}
	var byKind map[string]oneOrMore
	return json.Unmarshal(principal, &byKind) == nil && len(byKind) == 1 && slices.Equal(byKind["AWS"], oneOrMore{"*"})
}

// conditionOperators compare a resource's type with one value.
var conditionOperators = map[string]struct {
	match func(pattern, kind string) bool
	not   bool
}{
	"StringEquals": {match: func(value, kind string) bool { return value == kind }}, "StringLike": {match: wildcard.Like},
	"StringNotEquals": {match: func(value, kind string) bool { return value == kind }, not: true}, "StringNotLike": {match: wildcard.Like, not: true},
}

func (l oneOrMore) has(text string) bool {
	return slices.ContainsFunc(l, func(pattern string) bool { return wildcard.Like(pattern, text) })
}

// covers reports whether the statement speaks of an action on a resource.
func (s policyStatement) covers(action, logical, kind string) bool {
	resource := "LogicalResourceId/" + logical
	if len(s.Action) > 0 && !s.Action.has(action) || len(s.NotAction) > 0 && s.NotAction.has(action) {
		return false
	}
	if len(s.Resource) > 0 && !s.Resource.has(resource) || len(s.NotResource) > 0 && s.NotResource.has(resource) {
		return false
	}
	for operator, keys := range s.Condition {
		o := conditionOperators[operator]
		if slices.ContainsFunc(keys["ResourceType"], func(v string) bool { return o.match(v, kind) }) == o.not {
			return false
		}
	}
	return true
}

// refuses says why the policy does not let an update do something to a resource; nil: it does.
func (p stackPolicy) refuses(do action, logical, kind string) error {
	name, limited := policyActions[do]
	if !limited || len(p.Statement) == 0 {
		return nil
	}
	allowed := false
	var denials []string
	for i, s := range p.Statement {
		switch {
		case !s.covers(name, logical, kind):
		case s.Effect == "Deny":
			denials = append(denials, fmt.Sprintf("Statement [#%d] does not allow [%s] for resource [%s];", i+1,
				strings.Join(slices.Concat(s.Action, s.NotAction), ", "), strings.Join(slices.Concat(s.Resource, s.NotResource), ", ")))
		default:
			allowed = true
		}
	}
	switch {
	case len(denials) > 0:
		return errors.New("Action denied by stack policy: " + strings.Join(denials, " "))
	case !allowed:
		return errors.New("Action not allowed by stack policy")
	}
	return nil
}

// checkIDs refuses a policy that names resources which are in none of the templates.
func (p stackPolicy) checkIDs(has func(logical string) bool) error {
	for _, s := range p.Statement {
		for _, r := range slices.Concat(s.Resource, s.NotResource) {
			id := strings.TrimPrefix(r, "LogicalResourceId/")
			if r != "*" && !strings.ContainsAny(id, "*?") && !has(id) {
				return invalid("Error validating stack policy: Unknown logical id '%s' in statement {} - stack policies can only be applied to logical ids referenced in the template", r)
			}
		}
	}
	return nil
}

// policy reads the stack policy that a call gives or points at, and checks it; nil: it gives none. member is how the call's members
// are named, without Body and URL; the policy may name the resources of the templates.
func (s *Service) policy(ctx context.Context, body, location *string, member string, templates ...definition) (*string, error) {
	switch {
	case body != nil && location != nil:
		return nil, invalid("You cannot specify both %sURL and %sBody", member, member)
	case location != nil:
		text, err := s.fetch(ctx, *location)
		if err != nil {
			return nil, err
		}
		body = &text
	case body == nil:
		return nil, nil
	}
	p, err := parsePolicy(*body)
	if err != nil {
		return nil, err
	}
	return body, p.checkIDs(func(logical string) bool {
		return slices.ContainsFunc(templates, func(d definition) bool {
			t, err := s.read(d)
			return err == nil && t.Resource(logical) != nil
		})
	})
}

// SetStackPolicy implements the API's operation.
func (s *Service) SetStackPolicy(ctx context.Context, in *cloudformation.SetStackPolicyInput) (*cloudformation.SetStackPolicyOutput, error) {
	var st stack
	var ok bool
	s.cfg.Store.View(func(tx *store.Tx) { st, ok = s.find(tx, aws.ToString(in.StackName)) })
	if !ok {
		return nil, invalid("Stack [%s] does not exist", aws.ToString(in.StackName))
	}
	if in.StackPolicyBody == nil && in.StackPolicyURL == nil {
		return nil, errPolicy
	}
	body, err := s.policy(ctx, in.StackPolicyBody, in.StackPolicyURL, "StackPolicy", st.Definition, st.definition())
	if err != nil {
		return nil, err
	}
	_, err = s.amend(ctx, aws.ToString(in.StackName), func(st *stack) { st.Policy = *body })
	return &cloudformation.SetStackPolicyOutput{}, err
}

// GetStackPolicy implements the API's operation. An update's own policy is shown while it is under way.
func (s *Service) GetStackPolicy(_ context.Context, in *cloudformation.GetStackPolicyInput) (*cloudformation.GetStackPolicyOutput, error) {
	var st stack
	var ok bool
	s.cfg.Store.View(func(tx *store.Tx) { st, ok = s.find(tx, aws.ToString(in.StackName)) })
	if !ok {
		return nil, invalid("Stack: %s does not exist", aws.ToString(in.StackName))
	}
	return &cloudformation.GetStackPolicyOutput{StackPolicyBody: some(st.effectivePolicy())}, nil
}

// effectivePolicy is the policy that holds now.
func (st stack) effectivePolicy() string {
	if st.Op != nil && st.Op.Phase == apply && st.Op.During != "" {
		return st.Op.During
	}
	return st.Policy
}

// refusals are the resources that an update would delete and its policy keeps.
func (r *run) refusals(p stackPolicy, gone func(resource) bool) map[string]error {
	failures := map[string]error{}
	r.s.cfg.Store.View(func(tx *store.Tx) {
		for id, rec := range r.s.resourcesOf(tx, r.id) {
			if rec.Physical == "" || isDeleted(rec) || !gone(rec) {
				continue
			}
			if err := p.refuses(doDelete, id, rec.Type); err != nil {
				failures[id] = err
			}
		}
	})
	return failures
}

// policyOfUpdate is the policy that an operation is held against: an update's, and only until it is turned around.
func (st stack) policyOfUpdate() stackPolicy {
	if st.Op == nil || st.Op.Kind != updateStack {
		return stackPolicy{}
	}
	p, err := parsePolicy(st.effectivePolicy())
	if err != nil {
		return stackPolicy{} // written by a version that did not check it
	}
	return p
}

// refused ends an update that would delete what the policy keeps, before it has done anything.
func (r *run) refused(st stack, kept map[string]error) error {
	ids := slices.Sorted(maps.Keys(kept))
	err := r.s.write(func(tx *store.Tx) error {
		for _, id := range ids {
			rec, _ := r.s.resources.Get(tx, key(r.id, id))
			if _, told := r.s.steps.Get(tx, stepKey(r.id, apply, id)); !told {
				r.refuse(tx, id, rec, kept[id])
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.applyFailed(st, ids, kept)
}

// refuse writes that the policy keeps a resource as it is.
func (r *run) refuse(tx *store.Tx, id string, before resource, why error) {
	kept := before
	r.s.steps.Put(tx, stepKey(r.id, apply, id), step{Action: doRefuse, State: failed, Before: &kept})
	r.put(tx, before, types.ResourceStatusUpdateFailed, why.Error())
}
