package s3

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/store"
)

// lifecycle is a bucket's lifecycle configuration. It is validated, recorded, and named in the answers' Expiration; objects are not
// expired or moved by it.
type lifecycle struct {
	Rules   []types.LifecycleRule                    `json:"rules"`
	Minimum types.TransitionDefaultMinimumObjectSize `json:"minimum"`
}

// PutBucketLifecycleConfiguration implements the S3 operation.
func (s *Service) PutBucketLifecycleConfiguration(ctx context.Context, in *s3.PutBucketLifecycleConfigurationInput) (*s3.PutBucketLifecycleConfigurationOutput, error) {
	minimum := in.TransitionDefaultMinimumObjectSize
	switch {
	case minimum == "":
		minimum = types.TransitionDefaultMinimumObjectSizeAllStorageClasses128k
	case !slices.Contains(minimum.Values(), minimum):
		return nil, invalidRequest("Invalid TransitionDefaultMinimumObjectSize found: %s", minimum)
	}
	err := s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		c := in.LifecycleConfiguration
		if c == nil || len(c.Rules) == 0 || len(c.Rules) > 1000 {
			return malformedXML()
		}
		seen := map[string]bool{}
		for _, r := range c.Rules {
			id := aws.ToString(r.ID)
			if err := checkLifecycleRule(r); err != nil {
				return err
			}
			if seen[id] {
				return invalidArgument("", "", "Rule ID must be unique. Found same ID for more than one rule")
			}
			seen[id] = id != ""
		}
		b.Lifecycle = &lifecycle{Rules: named(c.Rules), Minimum: minimum}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &s3.PutBucketLifecycleConfigurationOutput{TransitionDefaultMinimumObjectSize: minimum}, nil
}

// named gives rules without an id one.
func named(rules []types.LifecycleRule) []types.LifecycleRule {
	rules = slices.Clone(rules)
	for i := range rules {
		if rules[i].ID == nil {
			id := newID(uint64(i))
			rules[i].ID = &id
		}
	}
	return rules
}

// checkLifecycleRule applies the rules for rules.
func checkLifecycleRule(r types.LifecycleRule) error {
	acts := r.Expiration != nil || r.NoncurrentVersionExpiration != nil || r.AbortIncompleteMultipartUpload != nil ||
		len(r.Transitions) > 0 || len(r.NoncurrentVersionTransitions) > 0
	if !slices.Contains(r.Status.Values(), r.Status) || !acts || (r.Filter == nil) == (r.Prefix == nil) || len(aws.ToString(r.ID)) > 255 {
		return malformedXML()
	}
	if e := r.Expiration; e != nil {
		switch {
		case count(e.Date != nil, e.Days != nil, e.ExpiredObjectDeleteMarker != nil) != 1:
			return malformedXML()
		case e.Days != nil && *e.Days < 1:
			return invalidArgument("Days", fmt.Sprint(*e.Days), "'Days' for Expiration action must be a positive integer")
		case e.Date != nil && !e.Date.Equal(e.Date.Truncate(24*time.Hour)):
			return invalidArgument("Date", e.Date.UTC().Format("2006-01-02T15:04:05.000Z"), "'Date' must be at midnight GMT")
		}
	}
	if e := r.NoncurrentVersionExpiration; e != nil && (e.NoncurrentDays == nil || *e.NoncurrentDays < 1) {
		return malformedXML()
	}
	for _, t := range r.Transitions {
		if (t.Date == nil) == (t.Days == nil) || !slices.Contains(t.StorageClass.Values(), t.StorageClass) {
			return malformedXML()
		}
	}
	return checkLifecycleFilter(r.Filter)
}

func checkLifecycleFilter(f *types.LifecycleRuleFilter) error {
	if f == nil {
		return nil
	}
	if count(f.And != nil, f.Prefix != nil, f.Tag != nil, f.ObjectSizeGreaterThan != nil, f.ObjectSizeLessThan != nil) > 1 {
		return malformedXML()
	}
	if f.And == nil {
		return nil
	}
	keys := map[string]bool{}
	for _, t := range f.And.Tags {
		if keys[aws.ToString(t.Key)] {
			return invalidRequest("Duplicate Tag Keys are not allowed.")
		}
		keys[aws.ToString(t.Key)] = true
	}
	conditions := count(f.And.Prefix != nil, f.And.ObjectSizeGreaterThan != nil, f.And.ObjectSizeLessThan != nil) + len(f.And.Tags)
	if conditions < 2 {
		return malformedXML()
	}
	return nil
}

func count(conditions ...bool) int {
	n := 0
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// GetBucketLifecycleConfiguration implements the S3 operation.
func (s *Service) GetBucketLifecycleConfiguration(_ context.Context, in *s3.GetBucketLifecycleConfigurationInput) (*s3.GetBucketLifecycleConfigurationOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.Lifecycle == nil {
		return nil, failure(404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", "BucketName", b.Name)
	}
	return &s3.GetBucketLifecycleConfigurationOutput{Rules: b.Lifecycle.Rules, TransitionDefaultMinimumObjectSize: b.Lifecycle.Minimum}, nil
}

// DeleteBucketLifecycle implements the S3 operation.
func (s *Service) DeleteBucketLifecycle(ctx context.Context, in *s3.DeleteBucketLifecycleInput) (*s3.DeleteBucketLifecycleOutput, error) {
	return edit[s3.DeleteBucketLifecycleOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		b.Lifecycle = nil
		return nil
	})
}

// expiration returns what answers say of the rule by which a version expires first; nil: by none.
func (b *bucket) expiration(key string, v *version) *string {
	if b.Lifecycle == nil {
		return nil
	}
	var first time.Time
	var rule string
	for _, r := range b.Lifecycle.Rules {
		at, ok := expires(r, v)
		if ok && applies(r, key, v) && (rule == "" || at.Before(first)) {
			first, rule = at, *r.ID
		}
	}
	if rule == "" {
		return nil
	}
	return aws.String(fmt.Sprintf(`expiry-date="%s", rule-id="%s"`, httpDate(first), url.PathEscape(rule)))
}

// expires returns when a rule ends a version that it applies to: at the midnight after its days.
func expires(r types.LifecycleRule, v *version) (at time.Time, ok bool) {
	e := r.Expiration
	switch {
	case r.Status != types.ExpirationStatusEnabled || e == nil:
		return at, false
	case e.Date != nil:
		return *e.Date, true
	case e.Days == nil:
		return at, false
	}
	const day = 24 * time.Hour
	at = v.Modified.Add(time.Duration(*e.Days) * day)
	if midnight := at.Truncate(day); !midnight.Equal(at) {
		at = midnight.Add(day)
	}
	return at, true
}

// applies reports whether a rule's filter has a version.
func applies(r types.LifecycleRule, key string, v *version) bool {
	f := r.Filter
	if f == nil {
		return strings.HasPrefix(key, aws.ToString(r.Prefix))
	}
	all := types.LifecycleRuleAndOperator{Prefix: f.Prefix, ObjectSizeGreaterThan: f.ObjectSizeGreaterThan, ObjectSizeLessThan: f.ObjectSizeLessThan}
	if f.Tag != nil {
		all.Tags = []types.Tag{*f.Tag}
	}
	if f.And != nil {
		all = *f.And
	}
	if !strings.HasPrefix(key, aws.ToString(all.Prefix)) ||
		all.ObjectSizeGreaterThan != nil && v.Size <= *all.ObjectSizeGreaterThan || all.ObjectSizeLessThan != nil && v.Size >= *all.ObjectSizeLessThan {
		return false
	}
	for _, want := range all.Tags {
		if !slices.ContainsFunc(v.Tags, func(t types.Tag) bool {
			return *t.Key == aws.ToString(want.Key) && *t.Value == aws.ToString(want.Value)
		}) {
			return false
		}
	}
	return true
}
