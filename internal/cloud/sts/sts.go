// Package sts answers: who is calling, and with which temporary credentials may somebody act as a role?
//
// Credentials that the service issued are durable until they have expired; signatures with them can be checked through
// [Service.Secret]. Nothing is enforced: a role is assumed by whoever asks, if the role exists. Federation with SAML and web
// identities is not there.
package sts

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"evo/internal/cloud/call"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
)

// Directory knows roles and users.
type Directory interface {
	// Role tells of the role with an ARN.
	Role(roleARN string) (id string, maxSession time.Duration, ok bool)
	// KeyOwner tells whose a user's access key is.
	KeyOwner(accessKey string) (userARN, userID string, ok bool)
}

// Config of a Service.
type Config struct {
	Store *store.DB
	Clock clock.Clock
	Names Directory
}

// Service is STS; there is one for all regions.
type Service struct {
	Config

	sessions *store.Table[session]
}

// New returns the service with the state that the store holds.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Clock == nil || c.Names == nil {
		return nil, errors.New("sts: store, clock and directory are needed")
	}
	return &Service{Config: c, sessions: store.NewTable[session](c.Store, "sts/sessions")}, nil
}

// Credentials let somebody act as somebody, until they expire; without an expiry, for good.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Expires         time.Time
}

// session is who acts with an access key that was issued here.
type session struct {
	Credentials
	ARN        string
	UserID     string
	Transitive map[string]string `json:",omitempty"` // tags that further sessions inherit, by key
	Chained    bool              `json:",omitempty"` // of a role, from which another role may be assumed
	Function   bool              `json:",omitempty"` // issued by the cloud itself, to one of its functions
}

// kept is how long credentials are known after they have expired, so that what they sign is still told from what nobody
// was given.
const kept = time.Hour

// issue stores new credentials, and forgets those that expired long ago.
func (s *Service) issue(ctx context.Context, who session, lasts time.Duration) (Credentials, error) {
	now := s.Clock.Now()
	who.Credentials = Credentials{AccessKeyID: "AKIA" + rand.Text()[:16], SecretAccessKey: secret(30)}
	if lasts > 0 {
		who.AccessKeyID = "ASIA" + who.AccessKeyID[4:]
		who.SessionToken = secret(180)
		who.Expires = now.Add(lasts).Truncate(time.Second)
	}
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		s.prune(tx, now.Add(-kept))
		s.sessions.Put(tx, who.AccessKeyID, who)
		return nil
	})
	return who.Credentials, err
}

// prune forgets credentials that expired before a moment.
func (s *Service) prune(tx *store.Tx, before time.Time) {
	for key, old := range s.sessions.Ascend(tx, "") {
		if !old.Expires.IsZero() && old.Expires.Before(before) {
			s.sessions.Delete(tx, key)
		}
	}
}

func secret(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}

func (s *Service) session(accessKey string) (who session, ok bool) {
	s.Store.View(func(tx *store.Tx) { who, ok = s.sessions.Get(tx, accessKey) })
	return who, ok
}

// Secret returns what an access key that was issued here signs with.
func (s *Service) Secret(accessKey string) (secret, token string, ok bool) {
	who, ok := s.session(accessKey)
	return who.SecretAccessKey, who.SessionToken, ok
}

// LocalPair returns the lasting credentials of the account's owner on this machine. They are issued once, and are the same
// after a restart.
func (s *Service) LocalPair(ctx context.Context) (Credentials, error) {
	var pair Credentials
	s.Store.View(func(tx *store.Tx) {
		for _, who := range s.sessions.Ascend(tx, "") {
			if who.Expires.IsZero() {
				pair = who.Credentials
			}
		}
	})
	if pair.AccessKeyID != "" {
		return pair, nil
	}
	return s.issue(ctx, session{ARN: rootARN, UserID: call.Account}, 0)
}

const rootARN = "arn:aws:iam::" + call.Account + ":root"

// functionSession is how long the credentials of a function's role last.
const functionSession = 12 * time.Hour

// ForRole issues credentials for a function that acts as a role. It asks neither whether the role exists, nor whether it
// trusts functions: that is for those who create the function.
func (s *Service) ForRole(ctx context.Context, roleARN, sessionName string) (Credentials, error) {
	id, _, ok := s.Names.Role(roleARN)
	if !ok {
		id = "AROAUNKNOWNROLE000000"
	}
	who := assumed(roleARN, id, sessionName)
	who.Function = true
	return s.issue(ctx, who, functionSession)
}

// OfFunction reports whether an access key is one that a function was given by the cloud.
func (s *Service) OfFunction(accessKey string) bool {
	who, ok := s.session(accessKey)
	return ok && who.Function
}

// assumed is who acts in a session of a role.
func assumed(roleARN, roleID, sessionName string) session {
	account, name := call.Account, roleARN[strings.LastIndexByte(roleARN, '/')+1:]
	if parts := strings.SplitN(roleARN, ":", 6); len(parts) == 6 {
		account = parts[4]
	}
	return session{ARN: "arn:aws:sts::" + account + ":assumed-role/" + name + "/" + sessionName, UserID: roleID + ":" + sessionName, Chained: true}
}
