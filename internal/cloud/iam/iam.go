// Package iam answers: which roles, users and policies are there, and which policy belongs to whom?
//
// Everything is recorded and checked as IAM does, and nothing of it is enforced: a function may do what its role would not
// allow. Policies of AWS (arn:aws:iam::aws:policy/…) exist by their name, whatever it is; of a few the document is known.
// Groups, login profiles, MFA, SAML, OpenID Connect and the simulation of policies are not there.
package iam

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/iam/policydoc"
	"evo/internal/cloud/store"
)

// Config of a Service.
type Config struct {
	Store *store.DB
	Clock clock.Clock
}

// Service is IAM; there is one for all regions.
type Service struct {
	Config

	principals *store.Table[principal]
	policies   *store.Table[policy]
	profiles   *store.Table[profile]
	keys       *store.Table[accessKey]
}

// New returns the service with the state that the store holds.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Clock == nil {
		return nil, errors.New("iam: store and clock are needed")
	}
	return &Service{
		Config:     c,
		principals: store.NewTable[principal](c.Store, "iam/principals"),
		policies:   store.NewTable[policy](c.Store, "iam/policies"),
		profiles:   store.NewTable[profile](c.Store, "iam/instance-profiles"),
		keys:       store.NewTable[accessKey](c.Store, "iam/access-keys"),
	}, nil
}

// kind of a principal, as it stands in ARNs and messages.
type kind string

const (
	role kind = "role"
	user kind = "user"
)

// principal is a role or a user, with its policies.
type principal struct {
	Kind        kind
	Name        string
	Path        string
	ID          string
	Created     time.Time
	Description *string           `json:",omitempty"`
	Trust       string            `json:",omitempty"` // who may assume the role
	MaxSession  int32             `json:",omitempty"` // in seconds
	Boundary    *string           `json:",omitempty"`
	Inline      map[string]string `json:",omitempty"` // documents by name
	Attached    []string          `json:",omitempty"` // ARNs, in the order in which they were attached
	Tags        []tag             `json:",omitempty"`
}

type tag struct{ Key, Value string }

func (p principal) arn() string { return arn(string(p.Kind), p.Path, p.Name) }

func arn(kind, path, name string) string {
	return "arn:aws:iam::" + call.Account + ":" + kind + path + name
}

// principalKey tells names apart without regard to case, as IAM does.
func principalKey(k kind, name string) string { return string(k) + "/" + strings.ToLower(name) }

func noSuchEntity(format string, args ...any) error {
	return &types.NoSuchEntityException{Message: new(fmt.Sprintf(format, args...))}
}

func exists(format string, args ...any) error {
	return &types.EntityAlreadyExistsException{Message: new(fmt.Sprintf(format, args...))}
}

func conflict(format string, args ...any) error {
	return &types.DeleteConflictException{Message: new(fmt.Sprintf(format, args...))}
}

func limitExceeded(format string, args ...any) error {
	return &types.LimitExceededException{Message: new(fmt.Sprintf(format, args...))}
}

func checkDocument(kind policydoc.Kind, document string) error {
	if err := policydoc.Check(kind, document); err != nil {
		return &types.MalformedPolicyDocumentException{Message: new(err.Error())}
	}
	return nil
}

// encoded is a document as IAM's answers hold it: percent-encoded.
func encoded(document string) *string {
	return new(strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}

// newID returns an identifier with the prefix that IAM gives the kind of thing, as AROA for roles.
func newID(prefix string) string { return prefix + rand.Text()[:17] }

func pathOr(p *string) string {
	if p == nil {
		return "/"
	}
	return *p
}

// get returns a role or user.
func (s *Service) get(tx *store.Tx, k kind, name string) (principal, error) {
	p, ok := s.principals.Get(tx, principalKey(k, name))
	if !ok {
		return p, noSuchEntity("The %s with name %s cannot be found.", k, name)
	}
	return p, nil
}

// view reads a role or user.
func (s *Service) view(k kind, name string) (p principal, err error) {
	s.Store.View(func(tx *store.Tx) { p, err = s.get(tx, k, name) })
	return p, err
}

// change changes a role or user that exists; what change gets may be changed freely.
func (s *Service) change(ctx context.Context, k kind, name string, change func(tx *store.Tx, p *principal) error) error {
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err := s.get(tx, k, name)
		if err != nil {
			return err
		}
		p = p.clone()
		if err := change(tx, &p); err != nil {
			return err
		}
		s.principals.Put(tx, principalKey(k, name), p)
		return nil
	})
}

func (p principal) clone() principal {
	p.Attached, p.Tags = slices.Clone(p.Attached), slices.Clone(p.Tags)
	inline := map[string]string{}
	for k, v := range p.Inline {
		inline[k] = v
	}
	p.Inline = inline
	return p
}

// create adds a role or user whose name is not taken.
func (s *Service) create(ctx context.Context, p principal) error {
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		key := principalKey(p.Kind, p.Name)
		if _, ok := s.principals.Get(tx, key); ok {
			return exists("%s with name %s already exists.", strings.ToUpper(string(p.Kind[:1]))+string(p.Kind[1:]), p.Name)
		}
		s.principals.Put(tx, key, p)
		return nil
	})
}

// list returns the roles or users under a path, by name.
func (s *Service) list(k kind, prefix *string) (out []principal) {
	s.Store.View(func(tx *store.Tx) {
		for _, p := range s.principals.Prefix(tx, string(k)+"/") {
			if strings.HasPrefix(p.Path, aws.ToString(prefix)) {
				out = append(out, p)
			}
		}
	})
	return out
}

// page cuts a list: from the marker on, at most max items, and the marker of the rest.
func page[T any](items []T, marker *string, max *int32) (out []T, truncated bool, next *string, err error) {
	from, limit := 0, 100
	if marker != nil {
		if from, err = strconv.Atoi(*marker); err != nil || from < 0 || from > len(items) {
			return nil, false, nil, call.Errorf("ValidationError", "Invalid Marker.")
		}
	}
	if max != nil {
		limit = int(*max)
	}
	to := min(len(items), from+limit)
	out = append([]T{}, items[from:to]...)
	if to < len(items) {
		return out, true, new(strconv.Itoa(to)), nil
	}
	return out, false, nil, nil
}

// maxTags is how many tags a thing may have.
const maxTags = 50

func withTags(old []tag, add []types.Tag) ([]tag, error) {
	out := slices.Clone(old)
	for _, t := range add {
		out = slices.DeleteFunc(out, func(o tag) bool { return strings.EqualFold(o.Key, aws.ToString(t.Key)) })
		out = append(out, tag{aws.ToString(t.Key), aws.ToString(t.Value)})
	}
	if len(out) > maxTags {
		return nil, limitExceeded("Cannot exceed quota for TagsPerResource: %d", maxTags)
	}
	return out, nil
}

func withoutTags(old []tag, keys []string) []tag {
	return slices.DeleteFunc(slices.Clone(old), func(t tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, t.Key) })
	})
}

// sdkTags returns tags for an answer.
func sdkTags(in []tag) []types.Tag {
	var out []types.Tag
	for _, t := range in {
		out = append(out, types.Tag{Key: new(t.Key), Value: new(t.Value)})
	}
	return out
}
