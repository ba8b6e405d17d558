package sts

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"evo/internal/cloud/call"
)

func (c Credentials) sdk() *types.Credentials {
	return &types.Credentials{AccessKeyId: new(c.AccessKeyID), SecretAccessKey: new(c.SecretAccessKey), SessionToken: new(c.SessionToken), Expiration: new(c.Expires)}
}

// caller returns who calls: of an access key that nobody was given it is the account itself.
func (s *Service) caller(ctx context.Context) session {
	key := call.From(ctx).AccessKey
	if who, ok := s.session(key); ok {
		return who
	}
	if arn, id, ok := s.Names.KeyOwner(key); ok {
		return session{ARN: arn, UserID: id}
	}
	return session{ARN: rootARN, UserID: call.Account}
}

// GetCallerIdentity tells who calls.
func (s *Service) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	who := s.caller(ctx)
	return &sts.GetCallerIdentityOutput{Account: new(call.Account), Arn: new(who.ARN), UserId: new(who.UserID)}, nil
}

// chainedSession is the longest session of a role that was assumed from a session of another.
const chainedSession = time.Hour

// AssumeRole issues credentials for a role that exists.
func (s *Service) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	arn := aws.ToString(in.RoleArn)
	if parts := strings.SplitN(arn, ":", 6); len(parts) < 6 || parts[0] != "arn" || parts[1] == "" || parts[2] == "" || parts[5] == "" {
		return nil, call.Errorf("ValidationError", "%s is invalid", arn)
	}
	who := s.caller(ctx)
	id, longest, ok := s.Names.Role(arn)
	if !ok {
		return nil, &call.Error{Status: 403, Code: "AccessDenied", Message: fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", who.ARN, arn)}
	}
	lasts := time.Hour
	if in.DurationSeconds != nil {
		lasts = time.Duration(*in.DurationSeconds) * time.Second
	}
	switch {
	case lasts > longest:
		return nil, call.Errorf("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	case who.Chained && lasts > chainedSession:
		return nil, call.Errorf("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	tags, err := transitive(in, who.Transitive)
	if err != nil {
		return nil, err
	}
	next := assumed(arn, id, aws.ToString(in.RoleSessionName))
	next.Transitive = tags
	c, err := s.issue(ctx, next, lasts)
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleOutput{Credentials: c.sdk(), AssumedRoleUser: &types.AssumedRoleUser{Arn: new(next.ARN), AssumedRoleId: new(next.UserID)}, SourceIdentity: in.SourceIdentity}, nil
}

func invalidParameter(message string) error {
	return call.Errorf("InvalidParameterValue", "%s", message)
}

// transitive returns the tags that sessions which follow on the new one inherit. Keys are compared without regard to case.
func transitive(in *sts.AssumeRoleInput, inherited map[string]string) (map[string]string, error) {
	tags := map[string]string{}
	for _, t := range in.Tags {
		key := strings.ToLower(aws.ToString(t.Key))
		if _, ok := tags[key]; ok {
			return nil, invalidParameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		tags[key] = aws.ToString(t.Value)
		if _, ok := inherited[key]; ok {
			return nil, invalidParameter("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
	}
	out := maps.Clone(inherited)
	for _, k := range in.TransitiveTagKeys {
		v, ok := tags[strings.ToLower(k)]
		if !ok {
			return nil, invalidParameter("The specified transitive tag key must be included in the requested tags.")
		}
		if out == nil {
			out = map[string]string{}
		}
		out[strings.ToLower(k)] = v
	}
	return out, nil
}

// GetSessionToken issues temporary credentials for the caller, for twelve hours unless told otherwise.
func (s *Service) GetSessionToken(ctx context.Context, in *sts.GetSessionTokenInput) (*sts.GetSessionTokenOutput, error) {
	who := s.caller(ctx)
	if who.Chained {
		return nil, &call.Error{Status: 403, Code: "AccessDenied", Message: "Cannot call GetSessionToken with session credentials"}
	}
	c, err := s.issue(ctx, session{ARN: who.ARN, UserID: who.UserID}, duration(in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	return &sts.GetSessionTokenOutput{Credentials: c.sdk()}, nil
}

func duration(seconds *int32) time.Duration {
	if seconds == nil {
		return 12 * time.Hour
	}
	return time.Duration(*seconds) * time.Second
}

// GetFederationToken issues temporary credentials for a federated user.
func (s *Service) GetFederationToken(ctx context.Context, in *sts.GetFederationTokenInput) (*sts.GetFederationTokenOutput, error) {
	who := session{ARN: "arn:aws:sts::" + call.Account + ":federated-user/" + aws.ToString(in.Name), UserID: call.Account + ":" + aws.ToString(in.Name)}
	c, err := s.issue(ctx, who, duration(in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	return &sts.GetFederationTokenOutput{Credentials: c.sdk(), FederatedUser: &types.FederatedUser{Arn: new(who.ARN), FederatedUserId: new(who.UserID)}, PackedPolicySize: new(int32(0))}, nil
}

// GetAccessKeyInfo tells to which account an access key belongs; here there is one.
func (s *Service) GetAccessKeyInfo(context.Context, *sts.GetAccessKeyInfoInput) (*sts.GetAccessKeyInfoOutput, error) {
	return &sts.GetAccessKeyInfoOutput{Account: new(call.Account)}, nil
}
