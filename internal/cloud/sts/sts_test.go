package sts

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire"
	"evo/internal/cloud/wire/wiretest"
)

const role = "arn:aws:iam::000000000000:role/app/f-role"

// directory knows one role and one user's key.
type directory struct{}

func (directory) Role(arn string) (string, time.Duration, bool) {
	return "AROAEXAMPLE0000000000", 2 * time.Hour, arn == role
}

func (directory) KeyOwner(key string) (string, string, bool) {
	return "arn:aws:iam::000000000000:user/ann", "AIDAEXAMPLE", key == "AKIAANN"
}

func serve(t *testing.T, c clock.Clock, db *store.DB) (*Service, *wire.Handler) {
	t.Helper()
	svc, err := New(Config{Store: db, Clock: c, Names: directory{}})
	if err != nil {
		t.Fatal(err)
	}
	h, err := wire.New(wire.Config{Credentials: svc, Services: []wire.Service{{Name: "sts", For: func(string) (any, error) { return svc, nil }}}})
	if err != nil {
		t.Fatal(err)
	}
	return svc, h
}

// client returns a client that signs with the credentials, or, without them, with the local pair of tests.
func client(h *wire.Handler, c *types.Credentials) *sts.Client {
	cfg := wiretest.For(h)
	if c != nil {
		cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}, nil
		})
	}
	return sts.NewFromConfig(cfg)
}

func fails(t *testing.T, err error, want string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode()+": "+e.ErrorMessage() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func identity(t *testing.T, c *sts.Client) string {
	t.Helper()
	out, err := c.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Arn + " " + *out.UserId + " " + *out.Account
}

func TestAssumeRole(t *testing.T) {
	svc, h := serve(t, clock.Real{}, store.Memory())
	root := client(h, nil)
	if got, want := identity(t, root), "arn:aws:iam::000000000000:root 000000000000 000000000000"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	out, err := root.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: new(role), RoleSessionName: new("session"),
		Tags: []types.Tag{{Key: new("Team"), Value: new("a")}}, TransitiveTagKeys: []string{"team"}})
	if err != nil {
		t.Fatal(err)
	}
	if *out.AssumedRoleUser.Arn != "arn:aws:sts::000000000000:assumed-role/f-role/session" || *out.AssumedRoleUser.AssumedRoleId != "AROAEXAMPLE0000000000:session" {
		t.Errorf("%+v", out.AssumedRoleUser)
	}
	c := out.Credentials
	if !strings.HasPrefix(*c.AccessKeyId, "ASIA") || len(*c.AccessKeyId) != 20 || len(*c.SecretAccessKey) != 40 || time.Until(*c.Expiration) < 59*time.Minute {
		t.Errorf("%+v", c)
	}
	if got, want := identity(t, client(h, c)), "arn:aws:sts::000000000000:assumed-role/f-role/session AROAEXAMPLE0000000000:session 000000000000"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	forged := *c
	forged.SecretAccessKey = new("wrong")
	if _, err := client(h, &forged).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err == nil {
		t.Error("a wrong signature is taken")
	}
	if secret, token, ok := svc.Secret(*c.AccessKeyId); !ok || secret != *c.SecretAccessKey || token != *c.SessionToken {
		t.Error("the secret is not known")
	}
	_, err = client(h, c).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: new(role), RoleSessionName: new("second"), Tags: []types.Tag{{Key: new("TEAM"), Value: new("b")}}})
	fails(t, err, "InvalidParameterValue: One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
	_, err = client(h, c).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: new(role), RoleSessionName: new("second"), DurationSeconds: new(int32(3601))})
	fails(t, err, "ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
}

func TestAssumeRoleRefuses(t *testing.T) {
	_, h := serve(t, clock.Real{}, store.Memory())
	c := client(h, nil)
	for want, in := range map[string]sts.AssumeRoleInput{
		"ValidationError: nothing-valid-in-here is invalid":                                                                                                {RoleArn: new("nothing-valid-in-here")},
		"ValidationError: arn::b:::something/test-role is invalid":                                                                                         {RoleArn: new("arn::b:::something/test-role")},
		"ValidationError: arn:a::::something/test-role is invalid":                                                                                         {RoleArn: new("arn:a::::something/test-role")},
		"ValidationError: arn:a:::something/test-role is invalid":                                                                                          {RoleArn: new("arn:a:::something/test-role")},
		"ValidationError: arn:a:a::aaaaaaaaaa: is invalid":                                                                                                 {RoleArn: new("arn:a:a::aaaaaaaaaa:")},
		"ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.":                                                 {RoleArn: new(role), DurationSeconds: new(int32(7201))},
		"InvalidParameterValue: The specified transitive tag key must be included in the requested tags.":                                                  {RoleArn: new(role), TransitiveTagKeys: []string{"x"}},
		"InvalidParameterValue: Duplicate tag keys found. Please note that Tag keys are case insensitive.":                                                 {RoleArn: new(role), Tags: []types.Tag{{Key: new("a"), Value: new("")}, {Key: new("A"), Value: new("")}}},
		"AccessDenied: User: arn:aws:iam::000000000000:root is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/none": {RoleArn: new("arn:aws:iam::000000000000:role/none")},
	} {
		in.RoleSessionName = new("session")
		_, err := c.AssumeRole(t.Context(), &in)
		fails(t, err, want)
	}
	if _, err := c.AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{RoleArn: new(role), RoleSessionName: new("session"), WebIdentityToken: new("token")}); err == nil || !strings.Contains(err.Error(), "AssumeRoleWithWebIdentity") {
		t.Errorf("a web identity: %v", err)
	}
}

func TestOtherCredentials(t *testing.T) {
	svc, h := serve(t, clock.Real{}, store.Memory())
	root := client(h, nil)
	session, err := root.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got := identity(t, client(h, session.Credentials)); !strings.HasPrefix(got, "arn:aws:iam::000000000000:root ") {
		t.Errorf("a session of the account is %s", got)
	}
	federated, err := root.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: new("bob")})
	if err != nil || *federated.FederatedUser.Arn != "arn:aws:sts::000000000000:federated-user/bob" {
		t.Errorf("%+v, %v", federated, err)
	}
	fn, err := svc.ForRole(t.Context(), "arn:aws:iam::000000000000:role/unknown", "my-function")
	if err != nil {
		t.Fatal(err)
	}
	if got := identity(t, client(h, fn.sdk())); !strings.HasPrefix(got, "arn:aws:sts::000000000000:assumed-role/unknown/my-function ") {
		t.Errorf("a function is %s", got)
	}
	if out, err := root.GetAccessKeyInfo(t.Context(), &sts.GetAccessKeyInfoInput{AccessKeyId: new("AKIAEXAMPLEEXAMPLE")}); err != nil || *out.Account != "000000000000" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestCredentialsLastAndEnd(t *testing.T) {
	dir := t.TempDir()
	c := clock.NewStepped(time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC))
	db, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	svc, _ := serve(t, c, db)
	pair, err := svc.LocalPair(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fn, err := svc.ForRole(t.Context(), role, "f")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = store.Open(dir, store.Options{}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	svc, _ = serve(t, c, db)
	if again, err := svc.LocalPair(t.Context()); err != nil || again != pair || pair.AccessKeyID[:4] != "AKIA" || pair.SessionToken != "" {
		t.Errorf("after a restart: %+v, %v; want %+v", again, err, pair)
	}
	if _, _, ok := svc.Secret(fn.AccessKeyID); !ok {
		t.Error("a function's credentials are lost")
	}
	c.Advance(14 * time.Hour)
	if _, err := svc.ForRole(t.Context(), role, "g"); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := svc.Secret(fn.AccessKeyID); ok {
		t.Error("credentials that expired long ago are still known")
	}
	if _, _, ok := svc.Secret(pair.AccessKeyID); !ok {
		t.Error("the local pair is forgotten")
	}
}
