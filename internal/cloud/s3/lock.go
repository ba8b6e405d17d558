package s3

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/store"
)

// objectLock is what keeps a version from being deleted.
type objectLock struct {
	Mode  types.ObjectLockMode            `json:"mode,omitempty"`
	Until time.Time                       `json:"until,omitzero"`
	Hold  types.ObjectLockLegalHoldStatus `json:"hold,omitempty"`
}

// lockHeaders are a request's headers of object lock.
type lockHeaders struct {
	mode  types.ObjectLockMode
	until *time.Time
	hold  types.ObjectLockLegalHoldStatus
}

var protected = failure(403, "AccessDenied", "Access Denied because object protected by object lock.")

// removable reports whether a version may be deleted.
func (l objectLock) removable(now time.Time, bypass bool) error {
	switch {
	case l.Hold == types.ObjectLockLegalHoldStatusOn:
		return protected
	case !l.Until.After(now):
		return nil
	case l.Mode == types.ObjectLockModeGovernance && bypass:
		return nil
	}
	return protected
}

// answer sets a read's members of object lock.
func (l objectLock) answer(mode *types.ObjectLockMode, until **time.Time, hold *types.ObjectLockLegalHoldStatus) {
	if l.Mode != "" {
		*mode, *until = l.Mode, &l.Until
	}
	*hold = l.Hold
}

// resolve returns the lock of an object that is written with these headers: theirs, or else the bucket's default.
func (h lockHeaders) resolve(b *bucket, now time.Time) (objectLock, error) {
	const mode, until = "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"
	const both = until + " and " + mode + " must both be supplied"
	asked := h.mode != "" || h.until != nil || h.hold != ""
	switch {
	case asked && b.Lock == nil:
		return objectLock{}, invalidRequest("Bucket is missing Object Lock Configuration")
	case h.mode == "" && h.until != nil:
		return objectLock{}, invalidArgument(mode, "", both)
	case h.mode != "" && h.until == nil:
		return objectLock{}, invalidArgument(until, "", both)
	case h.mode != "" && !slices.Contains(h.mode.Values(), h.mode):
		return objectLock{}, invalidArgument(mode, string(h.mode), "Unknown wormMode directive.")
	case h.until != nil && !h.until.After(now):
		return objectLock{}, invalidArgument(until, "", "The retain until date must be in the future!")
	}
	l := objectLock{Hold: h.hold, Mode: h.mode, Until: aws.ToTime(h.until)}
	if h.mode == "" && b.Lock != nil && b.Lock.Rule != nil && b.Lock.Rule.DefaultRetention != nil {
		r := b.Lock.Rule.DefaultRetention
		l.Mode = types.ObjectLockMode(r.Mode)
		l.Until = now.AddDate(int(aws.ToInt32(r.Years)), 0, int(aws.ToInt32(r.Days)))
	}
	return l, nil
}

// mayBypass refuses the header that lifts governance where there is none to lift.
func (b *bucket) mayBypass(bypass *bool) error {
	if bypass == nil || b.Lock != nil {
		return nil
	}
	return invalidArgument("x-amz-bypass-governance-retention", "",
		"x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.")
}

// PutObjectLockConfiguration implements the S3 operation.
func (s *Service) PutObjectLockConfiguration(ctx context.Context, in *s3.PutObjectLockConfigurationInput) (*s3.PutObjectLockConfigurationOutput, error) {
	return edit[s3.PutObjectLockConfigurationOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		c := in.ObjectLockConfiguration
		if c == nil || c.ObjectLockEnabled != types.ObjectLockEnabledEnabled || c.Rule != nil && !validRetention(c.Rule.DefaultRetention) {
			return malformedXML()
		}
		if b.Versioning != versioningEnabled {
			return failure(409, "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
		}
		b.Lock = c
		return nil
	})
}

func validRetention(r *types.DefaultRetention) bool {
	return r != nil && slices.Contains(r.Mode.Values(), r.Mode) && (aws.ToInt32(r.Days) > 0) != (aws.ToInt32(r.Years) > 0)
}

// GetObjectLockConfiguration implements the S3 operation.
func (s *Service) GetObjectLockConfiguration(_ context.Context, in *s3.GetObjectLockConfigurationInput) (*s3.GetObjectLockConfigurationOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.Lock == nil {
		return nil, failure(404, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", "BucketName", b.Name)
	}
	return &s3.GetObjectLockConfigurationOutput{ObjectLockConfiguration: b.Lock}, nil
}

// lockable refuses to lock objects in a bucket that has no object lock.
func (b *bucket) lockable() error {
	if b.Lock == nil {
		return invalidRequest("Bucket is missing Object Lock Configuration")
	}
	return nil
}

// PutObjectRetention implements the S3 operation.
func (s *Service) PutObjectRetention(ctx context.Context, in *s3.PutObjectRetentionInput) (*s3.PutObjectRetentionOutput, error) {
	_, err := s.amend(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, "PUT", func(b *bucket, v *version) error {
		if err := b.lockable(); err != nil {
			return err
		}
		return v.Lock.retain(in.Retention, s.now(), aws.ToBool(in.BypassGovernanceRetention))
	})
	if err != nil {
		return nil, err
	}
	return &s3.PutObjectRetentionOutput{}, nil
}

// retain sets the retention, which may become shorter only where governance is bypassed.
func (l *objectLock) retain(r *types.ObjectLockRetention, now time.Time, bypass bool) error {
	if r == nil {
		return malformedXML()
	}
	mode := types.ObjectLockMode(r.Mode)
	none := mode == "" && r.RetainUntilDate == nil
	switch {
	case !none && (r.RetainUntilDate == nil || !slices.Contains(r.Mode.Values(), r.Mode)):
		return malformedXML()
	case !none && !r.RetainUntilDate.After(now):
		return invalidArgument("RetainUntilDate", r.RetainUntilDate.UTC().Format("Mon Jan 02 15:04:05 MST 2006"), "The retain until date must be in the future!")
	}
	until := aws.ToTime(r.RetainUntilDate)
	weaker := until.Before(l.Until) || mode != l.Mode && l.Mode == types.ObjectLockModeCompliance
	if weaker && l.Until.After(now) && !(l.Mode == types.ObjectLockModeGovernance && bypass) {
		return protected
	}
	l.Mode, l.Until = mode, until
	return nil
}

// locked returns the version that a caller asks for, in a bucket with object lock.
func (s *Service) locked(bucketName, key, id, expected *string) (v *version, err error) {
	s.db.View(func(tx *store.Tx) {
		var b *bucket
		if b, v, err = s.subject(tx, bucketName, key, id, expected, "GET"); err == nil {
			err = b.lockable()
		}
	})
	return v, err
}

func noLock() error {
	return failure(404, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
}

// GetObjectRetention implements the S3 operation.
func (s *Service) GetObjectRetention(_ context.Context, in *s3.GetObjectRetentionInput) (*s3.GetObjectRetentionOutput, error) {
	v, err := s.locked(in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if v.Lock.Mode == "" {
		return nil, noLock()
	}
	return &s3.GetObjectRetentionOutput{
		Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionMode(v.Lock.Mode), RetainUntilDate: &v.Lock.Until},
	}, nil
}

// PutObjectLegalHold implements the S3 operation.
func (s *Service) PutObjectLegalHold(ctx context.Context, in *s3.PutObjectLegalHoldInput) (*s3.PutObjectLegalHoldOutput, error) {
	_, err := s.amend(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, "PUT", func(b *bucket, v *version) error {
		if err := b.lockable(); err != nil {
			return err
		}
		if in.LegalHold == nil || !slices.Contains(in.LegalHold.Status.Values(), in.LegalHold.Status) {
			return malformedXML()
		}
		v.Lock.Hold = in.LegalHold.Status
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &s3.PutObjectLegalHoldOutput{}, nil
}

// GetObjectLegalHold implements the S3 operation.
func (s *Service) GetObjectLegalHold(_ context.Context, in *s3.GetObjectLegalHoldInput) (*s3.GetObjectLegalHoldOutput, error) {
	v, err := s.locked(in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if v.Lock.Hold == "" {
		return nil, noLock()
	}
	return &s3.GetObjectLegalHoldOutput{LegalHold: &types.ObjectLockLegalHold{Status: v.Lock.Hold}}, nil
}
