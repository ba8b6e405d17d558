package lambda

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/internal/cloud/call"
	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wildcard"
)

// Permissions are recorded and shown. [Service.Permits] asks for them on behalf of services; who invokes a function by the API needs none.

// policyStatement has its members in AWS's order.
type policyStatement struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition *condition `json:",omitempty"`
}

type condition struct {
	StringEquals *stringEquals     `json:",omitempty"`
	Bool         map[string]string `json:",omitempty"`
	ArnLike      map[string]string `json:",omitempty"`
}

type stringEquals struct {
	Account string `json:"AWS:SourceAccount,omitempty"`
	URLAuth string `json:"lambda:FunctionUrlAuthType,omitempty"`
	Org     string `json:"aws:PrincipalOrgID,omitempty"`
	Token   string `json:"lambda:EventSourceToken,omitempty"`
}

var (
	accountID = regexp.MustCompile(`^\d{12}$`)
	host      = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

// principal says who is meant: everybody, a service, an account, or what an ARN names.
func principal(text string) (any, error) {
	switch {
	case text == "*":
		return text, nil
	case accountID.MatchString(text):
		return map[string]string{"AWS": "arn:aws:iam::" + text + ":root"}, nil
	case strings.HasPrefix(text, "arn:"):
		return map[string]string{"AWS": text}, nil
	case host.MatchString(text):
		return map[string]string{"Service": text}, nil
	}
	return nil, invalid("The provided principal was invalid. Please check the principal and try again.")
}

func conditions(in *lambda.AddPermissionInput) *condition {
	eq := stringEquals{aws.ToString(in.SourceAccount), string(in.FunctionUrlAuthType), aws.ToString(in.PrincipalOrgID), aws.ToString(in.EventSourceToken)}
	var c condition
	if eq != (stringEquals{}) {
		c.StringEquals = &eq
	}
	if in.InvokedViaFunctionUrl != nil {
		c.Bool = map[string]string{"lambda:InvokedViaFunctionUrl": map[bool]string{true: "true", false: "false"}[*in.InvokedViaFunctionUrl]}
	}
	if in.SourceArn != nil {
		c.ArnLike = map[string]string{"AWS:SourceArn": *in.SourceArn}
	}
	if c.StringEquals == nil && c.Bool == nil && c.ArnLike == nil {
		return nil
	}
	return &c
}

// policyKey checks that what a policy is for is there.
func (s *Service) policyKey(tx *store.Tx, n name) (string, error) {
	if err := s.exists(tx, n.function); err != nil {
		return "", err
	}
	switch {
	case n.qualifier == "":
		return n.function, nil
	case n.qualifier == latest:
		return "", invalid("We currently do not support adding policies for $LATEST.")
	case isNumber(n.qualifier) || strings.Contains(n.qualifier, "$"):
		if _, err := s.resolve(tx, n); err != nil {
			return "", err
		}
	default:
		if _, ok := s.tables.aliases.Get(tx, under(n.function)+n.qualifier); !ok {
			return "", s.aliasNotFound(n)
		}
	}
	return n.function + ":" + n.qualifier, nil
}

// AddPermission adds a statement to a function's, version's or alias's policy.
func (s *Service) AddPermission(ctx context.Context, in *lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error) {
	n, err := s.parse(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	who, err := principal(*in.Principal)
	if err != nil {
		return nil, err
	}
	st, err := json.Marshal(policyStatement{Sid: *in.StatementId, Effect: "Allow", Principal: who, Action: *in.Action, Resource: s.arn(n), Condition: conditions(in)})
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		key, err := s.policyKey(tx, n)
		if err != nil {
			return err
		}
		return s.addStatement(tx, key, statement{*in.StatementId, string(st)}, in.RevisionId, "GetPolicy")
	})
	if err != nil {
		return nil, err
	}
	return &lambda.AddPermissionOutput{Statement: aws.String(string(st))}, nil
}

func (s *Service) addStatement(tx *store.Tx, key string, st statement, revision *string, call string) error {
	p, _ := s.tables.policies.Get(tx, key)
	if err := checkRevision(revision, p.Revision, call); err != nil {
		return err
	}
	for _, other := range p.Statements {
		if other.ID == st.ID {
			return conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", st.ID)
		}
	}
	p.Statements = append(p.Statements[:len(p.Statements):len(p.Statements)], st)
	p.Revision = id.UUID()
	s.tables.policies.Put(tx, key, p)
	return nil
}

func (s *Service) removeStatement(tx *store.Tx, key, sid string, revision *string, call string) error {
	p, ok := s.tables.policies.Get(tx, key)
	if !ok {
		return notFound("No policy is associated with the given resource.")
	}
	if err := checkRevision(revision, p.Revision, call); err != nil {
		return err
	}
	var rest []statement
	for _, st := range p.Statements {
		if st.ID != sid {
			rest = append(rest, st)
		}
	}
	switch {
	case len(rest) == len(p.Statements):
		return notFound("Statement %s is not found in resource policy.", sid)
	case len(rest) == 0:
		s.tables.policies.Delete(tx, key)
	default:
		s.tables.policies.Put(tx, key, policy{rest, id.UUID()})
	}
	return nil
}

func (p policy) document() *string {
	var b strings.Builder
	b.WriteString(`{"Version":"2012-10-17","Id":"default","Statement":[`)
	for i, st := range p.Statements {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(st.JSON)
	}
	b.WriteString("]}")
	return aws.String(b.String())
}

// RemovePermission removes a statement.
func (s *Service) RemovePermission(ctx context.Context, in *lambda.RemovePermissionInput) (*lambda.RemovePermissionOutput, error) {
	n, err := s.parse(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if s.exists(tx, n.function) != nil {
			return notFound("No policy found for: %s", s.arn(n))
		}
		key, err := s.policyKey(tx, n)
		if err != nil {
			return err
		}
		return s.removeStatement(tx, key, *in.StatementId, in.RevisionId, "GetPolicy")
	})
	return &lambda.RemovePermissionOutput{}, err
}

// GetPolicy shows a policy.
func (s *Service) GetPolicy(_ context.Context, in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
	n, err := s.parse(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	key := n.function
	if n.qualifier != "" {
		key += ":" + n.qualifier
	}
	p, err := s.policy(key)
	if err != nil {
		return nil, err
	}
	return &lambda.GetPolicyOutput{Policy: p.document(), RevisionId: &p.Revision}, nil
}

func (s *Service) policy(key string) (p policy, err error) {
	s.cfg.Store.View(func(tx *store.Tx) {
		var ok bool
		if p, ok = s.tables.policies.Get(tx, key); !ok {
			err = notFound("The resource you requested does not exist.")
		}
	})
	return p, err
}

// Permits reports whether a function's policy lets a service of AWS invoke it for one of the sources.
func (s *Service) Permits(functionARN, service string, sourceARNs ...string) bool {
	n, err := s.parse(&functionARN, nil)
	if err != nil {
		return false
	}
	key := n.function
	if n.qualifier != "" && n.qualifier != latest {
		key += ":" + n.qualifier
	}
	p, err := s.policy(key)
	return err == nil && slices.ContainsFunc(s.grants.of(key, p), func(g grant) bool { return g.holds(service, sourceARNs) })
}

// grant is what a statement permits: a service, or all, to invoke the function for sources that are like a pattern.
type grant struct{ service, pattern string }

// grantOf reads a statement that AddPermission has made. What it cannot tell of a source permits nothing.
func grantOf(st statement) (g grant, ok bool) {
	var in policyStatement
	if json.Unmarshal([]byte(st.JSON), &in) != nil || in.Action != "*" && in.Action != "lambda:*" && in.Action != "lambda:InvokeFunction" {
		return g, false
	}
	g = grant{"*", "*"}
	if in.Principal != "*" {
		who, _ := in.Principal.(map[string]any)
		if g.service, ok = who["Service"].(string); !ok {
			return g, false
		}
	}
	c := in.Condition
	if c == nil {
		return g, true
	}
	if pattern, bound := c.ArnLike["AWS:SourceArn"]; bound {
		g.pattern = pattern
	}
	return g, c.Bool == nil && (c.StringEquals == nil || *c.StringEquals == stringEquals{Account: call.Account})
}

func (g grant) holds(service string, sources []string) bool {
	return (g.service == "*" || g.service == service) &&
		(g.pattern == "*" || slices.ContainsFunc(sources, func(arn string) bool { return wildcard.Like(g.pattern, arn) }))
}

// grants remembers what policies permit, by the key of what they are of: a gateway asks at each request.
type grants struct {
	mu  sync.Mutex
	all map[string]granted
}

type granted struct {
	revision string
	by       []grant
}

// maxGrants bounds what is remembered: beyond it everything is forgotten, and read again when it is asked for.
const maxGrants = 10_000

func (g *grants) of(key string, p policy) []grant {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.all[key]; ok && known.revision == p.Revision {
		return known.by
	}
	if g.all == nil || len(g.all) >= maxGrants {
		g.all = map[string]granted{}
	}
	var by []grant
	for _, st := range p.Statements {
		if one, ok := grantOf(st); ok {
			by = append(by, one)
		}
	}
	g.all[key] = granted{p.Revision, by}
	return by
}
