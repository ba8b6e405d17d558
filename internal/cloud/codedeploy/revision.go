package codedeploy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cloud/store"
)

// revision is what an application knows of one of its revisions.
type revision struct {
	Location    types.RevisionLocation
	Description string
	Registered  time.Time
	FirstUsed   *time.Time `json:",omitempty"`
	LastUsed    *time.Time `json:",omitempty"`
}

func invalidRevision(format string, args ...any) error {
	return &types.InvalidRevisionException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// inline returns the AppSpec text of a revision that carries it, and its digest as the caller gave it.
func inline(r *types.RevisionLocation) (content, digest *string) {
	switch {
	case r.RevisionType == types.RevisionLocationTypeAppSpecContent && r.AppSpecContent != nil:
		return r.AppSpecContent.Content, r.AppSpecContent.Sha256
	case r.RevisionType == types.RevisionLocationTypeString && r.String_ != nil:
		return r.String_.Content, r.String_.Sha256
	}
	return nil, nil
}

// resolve returns the AppSpec that a revision leads to.
func (s *Service) resolve(ctx context.Context, r *types.RevisionLocation) (appSpec, error) {
	if r == nil || r.RevisionType == "" {
		return appSpec{}, &types.RevisionRequiredException{Message: aws.String("The revision ID is required.")}
	}
	content, digest := inline(r)
	if r.RevisionType == types.RevisionLocationTypeS3 && r.S3Location != nil {
		text, err := s.fetch(ctx, r.S3Location)
		if err != nil {
			return appSpec{}, err
		}
		content = &text
	}
	if aws.ToString(content) == "" {
		return appSpec{}, invalidRevision("A revision of type %s needs its AppSpec content; types AppSpecContent, String and S3 are there for Lambda", r.RevisionType)
	}
	sum := sha256.Sum256([]byte(*content))
	if digest != nil && !strings.EqualFold(*digest, hex.EncodeToString(sum[:])) {
		return appSpec{}, invalidRevision("The AppSpec content does not have the SHA-256 that is given with it")
	}
	spec, err := parseAppSpec(*content)
	if err != nil {
		return spec, invalidRevision("%s", err)
	}
	return spec, nil
}

func (s *Service) fetch(ctx context.Context, l *types.S3Location) (string, error) {
	if l.BundleType != types.BundleTypeYaml && l.BundleType != types.BundleTypeJson {
		return "", invalidRevision("An AppSpec for Lambda in S3 has the bundle type YAML or JSON, not %q", l.BundleType)
	}
	if s.cfg.Objects == nil {
		return "", invalidRevision("The revision s3://%s/%s cannot be read: S3 is not there", aws.ToString(l.Bucket), aws.ToString(l.Key))
	}
	out, err := s.cfg.Objects.GetObject(ctx, &s3.GetObjectInput{Bucket: l.Bucket, Key: l.Key, VersionId: l.Version, IfMatch: l.ETag})
	if err != nil {
		return "", invalidRevision("The revision s3://%s/%s cannot be read: %s", aws.ToString(l.Bucket), aws.ToString(l.Key), err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, maxAppSpec+1))
	if err != nil {
		return "", fmt.Errorf("read revision: %w", err)
	}
	return string(text), nil
}

// rollbackRevision is the revision of a deployment that goes back: the same alias with its versions exchanged, and no hooks.
func rollbackRevision(spec appSpec) types.RevisionLocation {
	type properties struct{ Name, Alias, CurrentVersion, TargetVersion string }
	content, _ := json.Marshal(map[string]any{
		"version": 0.0,
		"Resources": []any{map[string]any{spec.Function: map[string]any{
			"Type":       "AWS::Lambda::Function",
			"Properties": properties{spec.Function, spec.Alias, spec.Target, spec.Current},
		}}},
	})
	sum := sha256.Sum256(content)
	return types.RevisionLocation{RevisionType: types.RevisionLocationTypeAppSpecContent, AppSpecContent: &types.AppSpecContent{
		Content: aws.String(string(content)), Sha256: aws.String(hex.EncodeToString(sum[:]))}}
}

// digest identifies a revision among an application's.
func digest(r types.RevisionLocation) string {
	text, _ := json.Marshal(r)
	if content, _ := inline(&r); content != nil {
		text = []byte(*content)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// use notes that a deployment of a group takes the revision, and registers it if it was not.
func (s *Service) use(tx *store.Tx, g group, location types.RevisionLocation, now time.Time) {
	key := g.Application + "/" + digest(location)
	r, ok := s.revisions.Get(tx, key)
	if !ok {
		r = revision{Location: location, Registered: now, Description: "Application revision registered by Deployment"}
	}
	if r.FirstUsed == nil {
		r.FirstUsed = &now
	}
	r.LastUsed = &now
	s.revisions.Put(tx, key, r)
}

// RegisterApplicationRevision records a revision with an application.
func (s *Service) RegisterApplicationRevision(ctx context.Context, in *codedeploy.RegisterApplicationRevisionInput) (*codedeploy.RegisterApplicationRevisionOutput, error) {
	if in.Revision == nil || in.Revision.RevisionType == "" {
		return nil, &types.RevisionRequiredException{Message: aws.String("The revision ID is required.")}
	}
	if len(aws.ToString(in.Description)) > maxDescription {
		return nil, descriptionTooLong()
	}
	if content, _ := inline(in.Revision); content != nil {
		if _, err := parseAppSpec(*content); err != nil {
			return nil, invalidRevision("%s", err)
		}
	}
	err := s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := s.application(tx, in.ApplicationName)
		if err != nil {
			return err
		}
		key := a.Name + "/" + digest(*in.Revision)
		r, ok := s.revisions.Get(tx, key)
		if !ok {
			r = revision{Location: *in.Revision, Registered: s.cfg.Clock.Now()}
		}
		r.Description = aws.ToString(in.Description)
		s.revisions.Put(tx, key, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codedeploy.RegisterApplicationRevisionOutput{}, nil
}

// targets are the names of the groups whose target each of an application's revisions is, by the revision's key.
func (s *Service) targets(tx *store.Tx, a application) map[string][]string {
	names := map[string][]string{}
	for _, g := range s.groups.Prefix(tx, a.Name+"/") {
		if g.Target != nil {
			key := a.Name + "/" + digest(*g.Target)
			names[key] = append(names[key], g.Name)
		}
	}
	return names
}

func (r revision) info(groups []string) *types.GenericRevisionInfo {
	return &types.GenericRevisionInfo{
		DeploymentGroups: groups, Description: &r.Description, RegisterTime: &r.Registered, FirstUsedTime: r.FirstUsed, LastUsedTime: r.LastUsed,
	}
}

// GetApplicationRevision describes a revision.
func (s *Service) GetApplicationRevision(_ context.Context, in *codedeploy.GetApplicationRevisionInput) (_ *codedeploy.GetApplicationRevisionOutput, err error) {
	if in.Revision == nil {
		return nil, &types.RevisionRequiredException{Message: aws.String("The revision ID is required.")}
	}
	var r revision
	var groups []string
	s.cfg.Store.View(func(tx *store.Tx) {
		var a application
		if a, err = s.application(tx, in.ApplicationName); err != nil {
			return
		}
		key, ok := a.Name+"/"+digest(*in.Revision), false
		groups = s.targets(tx, a)[key]
		if r, ok = s.revisions.Get(tx, key); !ok {
			err = &types.RevisionDoesNotExistException{Message: aws.String("The named revision does not exist with the user or AWS account.")}
		}
	})
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetApplicationRevisionOutput{ApplicationName: in.ApplicationName, Revision: &r.Location, RevisionInfo: r.info(groups)}, nil
}

// BatchGetApplicationRevisions describes several revisions; those that do not exist are told of in a message.
func (s *Service) BatchGetApplicationRevisions(ctx context.Context, in *codedeploy.BatchGetApplicationRevisionsInput) (*codedeploy.BatchGetApplicationRevisionsOutput, error) {
	if err := checkBatch(len(in.Revisions), 25); err != nil {
		return nil, err
	}
	out := &codedeploy.BatchGetApplicationRevisionsOutput{ApplicationName: in.ApplicationName}
	for _, location := range in.Revisions {
		r, err := s.GetApplicationRevision(ctx, &codedeploy.GetApplicationRevisionInput{ApplicationName: in.ApplicationName, Revision: &location})
		if gone := (*types.RevisionDoesNotExistException)(nil); err != nil && asError(err, &gone) {
			out.ErrorMessage = gone.Message
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Revisions = append(out.Revisions, types.RevisionInfo{RevisionLocation: r.Revision, GenericRevisionInfo: r.RevisionInfo})
	}
	return out, nil
}

// ListApplicationRevisions lists an application's revisions, by the time that is asked for.
func (s *Service) ListApplicationRevisions(_ context.Context, in *codedeploy.ListApplicationRevisionsInput) (_ *codedeploy.ListApplicationRevisionsOutput, err error) {
	byKey := map[string]revision{}
	var keys []string
	s.cfg.Store.View(func(tx *store.Tx) {
		var a application
		if a, err = s.application(tx, in.ApplicationName); err != nil {
			return
		}
		targets := s.targets(tx, a)
		for key, r := range s.revisions.Prefix(tx, a.Name+"/") {
			if listed(in, r, len(targets[key]) > 0) {
				byKey[key], keys = r, append(keys, key)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(keys, func(a, b string) int {
		c := sortTime(in.SortBy, byKey[a]).Compare(sortTime(in.SortBy, byKey[b]))
		if in.SortOrder == types.SortOrderDescending {
			c = -c
		}
		return cmp.Or(c, strings.Compare(a, b))
	})
	keys, next, err := page(keys, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &codedeploy.ListApplicationRevisionsOutput{NextToken: next}
	for _, key := range keys {
		out.Revisions = append(out.Revisions, byKey[key].Location)
	}
	return out, nil
}

// listed tells whether ListApplicationRevisions names a revision. A revision is deployed if it is some group's target.
func listed(in *codedeploy.ListApplicationRevisionsInput, r revision, deployed bool) bool {
	if in.Deployed == types.ListStateFilterActionInclude && !deployed || in.Deployed == types.ListStateFilterActionExclude && deployed {
		return false
	}
	if in.S3Bucket == nil {
		return true
	}
	l := r.Location.S3Location
	return l != nil && aws.ToString(l.Bucket) == *in.S3Bucket && strings.HasPrefix(aws.ToString(l.Key), aws.ToString(in.S3KeyPrefix))
}

func sortTime(by types.ApplicationRevisionSortBy, r revision) time.Time {
	switch by {
	case types.ApplicationRevisionSortByFirstUsedTime:
		return aws.ToTime(r.FirstUsed)
	case types.ApplicationRevisionSortByLastUsedTime:
		return aws.ToTime(r.LastUsed)
	}
	return r.Registered
}
