package iam

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
)

// accessKey is a user's key, by its id.
type accessKey struct {
	ID, Secret, User string
	Active           bool
	Created          time.Time
}

// maxKeys is how many access keys a user may have.
const maxKeys = 2

func (p principal) user() types.User {
	return types.User{UserName: new(p.Name), Path: new(p.Path), Arn: new(p.arn()), UserId: new(p.ID), CreateDate: new(p.Created)}
}

// CreateUser makes a user.
func (s *Service) CreateUser(ctx context.Context, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	tags, err := withTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	p := principal{Kind: user, Name: aws.ToString(in.UserName), Path: pathOr(in.Path), ID: newID("AIDA"), Created: s.Clock.Now().Truncate(time.Second), Boundary: in.PermissionsBoundary, Tags: tags}
	if err := s.create(ctx, p); err != nil {
		return nil, err
	}
	u := p.user()
	u.Tags, u.PermissionsBoundary = sdkTags(tags), boundary(p.Boundary)
	return &iam.CreateUserOutput{User: &u}, nil
}

// GetUser returns a user; without a name the one that asks, or the account.
func (s *Service) GetUser(ctx context.Context, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
	name := aws.ToString(in.UserName)
	if in.UserName == nil {
		key, ok := s.key(call.From(ctx).AccessKey)
		if !ok {
			return &iam.GetUserOutput{User: &types.User{Arn: new("arn:aws:iam::" + call.Account + ":root"), UserId: new(call.Account), Path: new("/"), UserName: new("root"), CreateDate: new(s.Clock.Now())}}, nil
		}
		name = key.User
	}
	p, err := s.view(user, name)
	if err != nil {
		return nil, err
	}
	u := p.user()
	u.Tags, u.PermissionsBoundary = sdkTags(p.Tags), boundary(p.Boundary)
	return &iam.GetUserOutput{User: &u}, nil
}

// ListUsers lists users by name.
func (s *Service) ListUsers(_ context.Context, in *iam.ListUsersInput) (*iam.ListUsersOutput, error) {
	list, truncated, next, err := page(s.list(user, in.PathPrefix), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListUsersOutput{Users: []types.User{}, IsTruncated: truncated, Marker: next}
	for _, p := range list {
		out.Users = append(out.Users, p.user())
	}
	return out, nil
}

// DeleteUser removes a user without policies and keys.
func (s *Service) DeleteUser(ctx context.Context, in *iam.DeleteUserInput) (*iam.DeleteUserOutput, error) {
	name := aws.ToString(in.UserName)
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err := s.get(tx, user, name)
		if err != nil {
			return err
		}
		if err := p.deletable(); err != nil {
			return err
		}
		if len(s.keysOf(tx, p.Name)) > 0 {
			return conflict("Cannot delete entity, must delete access keys first.")
		}
		s.principals.Delete(tx, principalKey(user, name))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.DeleteUserOutput{}, nil
}

// TagUser adds tags.
func (s *Service) TagUser(ctx context.Context, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
	err := s.change(ctx, user, aws.ToString(in.UserName), func(_ *store.Tx, p *principal) (err error) {
		p.Tags, err = withTags(p.Tags, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.TagUserOutput{}, nil
}

// UntagUser removes tags.
func (s *Service) UntagUser(ctx context.Context, in *iam.UntagUserInput) (*iam.UntagUserOutput, error) {
	err := s.change(ctx, user, aws.ToString(in.UserName), func(_ *store.Tx, p *principal) error {
		p.Tags = withoutTags(p.Tags, in.TagKeys)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.UntagUserOutput{}, nil
}

// ListUserTags lists a user's tags.
func (s *Service) ListUserTags(_ context.Context, in *iam.ListUserTagsInput) (*iam.ListUserTagsOutput, error) {
	p, err := s.view(user, aws.ToString(in.UserName))
	if err != nil {
		return nil, err
	}
	tags, truncated, next, err := page(sdkTags(p.Tags), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListUserTagsOutput{Tags: tags, IsTruncated: truncated, Marker: next}, nil
}

// ListGroupsForUser lists none: there are no groups.
func (s *Service) ListGroupsForUser(_ context.Context, in *iam.ListGroupsForUserInput) (*iam.ListGroupsForUserOutput, error) {
	if _, err := s.view(user, aws.ToString(in.UserName)); err != nil {
		return nil, err
	}
	return &iam.ListGroupsForUserOutput{Groups: []types.Group{}}, nil
}

func (s *Service) keysOf(tx *store.Tx, name string) (out []accessKey) {
	for _, k := range s.keys.Ascend(tx, "") {
		if strings.EqualFold(k.User, name) {
			out = append(out, k)
		}
	}
	return out
}

// newSecret returns a random secret access key.
func newSecret() string {
	var b [30]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// CreateAccessKey gives a user another key; its secret is told only here.
func (s *Service) CreateAccessKey(ctx context.Context, in *iam.CreateAccessKeyInput) (*iam.CreateAccessKeyOutput, error) {
	k := accessKey{ID: "AKIA" + rand.Text()[:16], Secret: newSecret(), User: aws.ToString(in.UserName), Active: true, Created: s.Clock.Now().Truncate(time.Second)}
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err := s.get(tx, user, k.User)
		if err != nil {
			return err
		}
		if len(s.keysOf(tx, p.Name)) >= maxKeys {
			return limitExceeded("Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
		}
		s.keys.Put(tx, k.ID, k)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateAccessKeyOutput{AccessKey: &types.AccessKey{AccessKeyId: new(k.ID), SecretAccessKey: new(k.Secret), UserName: new(k.User), Status: types.StatusTypeActive, CreateDate: new(k.Created)}}, nil
}

// ListAccessKeys lists a user's keys.
func (s *Service) ListAccessKeys(_ context.Context, in *iam.ListAccessKeysInput) (*iam.ListAccessKeysOutput, error) {
	out := &iam.ListAccessKeysOutput{AccessKeyMetadata: []types.AccessKeyMetadata{}}
	var err error
	s.Store.View(func(tx *store.Tx) {
		if _, err = s.get(tx, user, aws.ToString(in.UserName)); err != nil {
			return
		}
		for _, k := range s.keysOf(tx, *in.UserName) {
			status := types.StatusTypeActive
			if !k.Active {
				status = types.StatusTypeInactive
			}
			out.AccessKeyMetadata = append(out.AccessKeyMetadata, types.AccessKeyMetadata{AccessKeyId: new(k.ID), UserName: new(k.User), Status: status, CreateDate: new(k.Created)})
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) changeKey(ctx context.Context, name *string, id string, change func(tx *store.Tx, k accessKey)) error {
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		k, ok := s.keys.Get(tx, id)
		if !ok || name != nil && !strings.EqualFold(*name, k.User) {
			return noSuchEntity("The Access Key with id %s cannot be found.", id)
		}
		change(tx, k)
		return nil
	})
}

// UpdateAccessKey makes a key active or inactive.
func (s *Service) UpdateAccessKey(ctx context.Context, in *iam.UpdateAccessKeyInput) (*iam.UpdateAccessKeyOutput, error) {
	err := s.changeKey(ctx, in.UserName, aws.ToString(in.AccessKeyId), func(tx *store.Tx, k accessKey) {
		k.Active = in.Status == types.StatusTypeActive
		s.keys.Put(tx, k.ID, k)
	})
	if err != nil {
		return nil, err
	}
	return &iam.UpdateAccessKeyOutput{}, nil
}

// DeleteAccessKey removes a key.
func (s *Service) DeleteAccessKey(ctx context.Context, in *iam.DeleteAccessKeyInput) (*iam.DeleteAccessKeyOutput, error) {
	err := s.changeKey(ctx, in.UserName, aws.ToString(in.AccessKeyId), func(tx *store.Tx, k accessKey) { s.keys.Delete(tx, k.ID) })
	if err != nil {
		return nil, err
	}
	return &iam.DeleteAccessKeyOutput{}, nil
}

func (s *Service) key(id string) (k accessKey, ok bool) {
	s.Store.View(func(tx *store.Tx) { k, ok = s.keys.Get(tx, id) })
	return k, ok
}

// Secret returns the secret of a user's active access key, for those who check signatures. It has no session token.
func (s *Service) Secret(accessKey string) (secret, token string, ok bool) {
	k, ok := s.key(accessKey)
	return k.Secret, "", ok && k.Active
}

// KeyOwner tells whose a user's access key is.
func (s *Service) KeyOwner(accessKey string) (userARN, userID string, ok bool) {
	k, ok := s.key(accessKey)
	if !ok {
		return "", "", false
	}
	p, err := s.view(user, k.User)
	return p.arn(), p.ID, err == nil
}
