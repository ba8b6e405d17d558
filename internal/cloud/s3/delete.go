package s3

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
)

// DeleteObject implements the S3 operation.
func (s *Service) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	switch {
	case in.IfMatchLastModifiedTime != nil:
		return nil, headerNotImplemented("x-amz-if-match-last-modified-time", "")
	case in.IfMatchSize != nil:
		return nil, headerNotImplemented("x-amz-if-match-size", "")
	}
	var d deleted
	err := s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		b, err := s.lookup(tx, in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		if err := b.mayBypass(in.BypassGovernanceRetention); err != nil {
			return err
		}
		d, err = s.remove(tx, b, aws.ToString(in.Key), in.VersionId, in.IfMatch, aws.ToBool(in.BypassGovernanceRetention))
		return err
	})
	if err != nil {
		return nil, err
	}
	s.release(d.dead...)
	out := &s3.DeleteObjectOutput{}
	if d.id != "" {
		out.VersionId = &d.id
	}
	if d.marker {
		out.DeleteMarker = aws.Bool(true)
	}
	return out, nil
}

// deleted tells what a deletion has done.
type deleted struct {
	id     string // of the version that is gone, or of the new delete marker; empty: versioning was never on
	marker bool   // that version is a delete marker
	dead   []blob.Ref
}

// remove deletes the version of that id; without an id, it puts a delete marker over the object where the bucket is versioned, and
// removes the object where it is not.
func (s *Service) remove(tx *store.Tx, b *bucket, key string, id, ifMatch *string, bypass bool) (deleted, error) {
	if ifMatch != nil {
		now := s.current(tx, b, key)
		if now == nil || now.Marker || !matchesETag(*ifMatch, now.ETag) {
			return deleted{}, preconditionFailed("If-Match")
		}
	}
	s.disturb(tx, b.Name, key)
	if id != nil {
		return s.removeVersion(tx, b, key, *id, bypass)
	}
	if b.Versioning == "" {
		v := s.current(tx, b, key)
		if v == nil {
			return deleted{}, nil
		}
		s.objects.Delete(tx, versionsOf(b.Name, key)+v.ID)
		return deleted{dead: v.refs()}, nil
	}
	marker := &version{Marker: true, Modified: s.now()}
	dead := s.install(tx, b, key, marker)
	return deleted{id: marker.versionID(), marker: true, dead: dead}, nil
}

func (s *Service) removeVersion(tx *store.Tx, b *bucket, key, id string, bypass bool) (deleted, error) {
	v, err := s.find(tx, b, key, &id)
	if e := (*call.Error)(nil); errors.As(err, &e) && e.Code == "NoSuchVersion" {
		return deleted{id: id}, nil // gone is gone
	}
	if err != nil {
		return deleted{}, err
	}
	if err := v.Lock.removable(s.now(), bypass); err != nil {
		return deleted{}, err
	}
	s.objects.Delete(tx, versionsOf(b.Name, key)+v.ID)
	d := deleted{id: id, marker: v.Marker, dead: v.refs()}
	if b.Versioning == "" {
		d.id = ""
	}
	return d, nil
}

// DeleteObjects implements the S3 operation.
func (s *Service) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	const limit = 1000
	if in.Delete == nil || len(in.Delete.Objects) == 0 || len(in.Delete.Objects) > limit {
		return nil, malformedXML()
	}
	out := &s3.DeleteObjectsOutput{}
	var dead []blob.Ref
	err := s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		b, err := s.lookup(tx, in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		if err := b.mayBypass(in.BypassGovernanceRetention); err != nil {
			return err
		}
		for _, o := range in.Delete.Objects {
			d, err := s.removeListed(tx, b, o, aws.ToBool(in.BypassGovernanceRetention))
			if err != nil {
				out.Errors = append(out.Errors, deleteError(o, err))
				continue
			}
			dead = append(dead, d.dead...)
			if !aws.ToBool(in.Delete.Quiet) {
				out.Deleted = append(out.Deleted, d.entry(o))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.release(dead...)
	return out, nil
}

func (s *Service) removeListed(tx *store.Tx, b *bucket, o types.ObjectIdentifier, bypass bool) (deleted, error) {
	if o.VersionId != nil && *o.VersionId != "null" && !validID(*o.VersionId) {
		return deleted{}, noSuchVersion(aws.ToString(o.Key), *o.VersionId)
	}
	return s.remove(tx, b, aws.ToString(o.Key), o.VersionId, o.ETag, bypass)
}

// entry tells of one deletion of many.
func (d deleted) entry(o types.ObjectIdentifier) types.DeletedObject {
	e := types.DeletedObject{Key: o.Key, VersionId: o.VersionId}
	if d.marker {
		e.DeleteMarker = aws.Bool(true)
		e.DeleteMarkerVersionId = optional(d.id)
	}
	return e
}

func deleteError(o types.ObjectIdentifier, err error) types.Error {
	e := types.Error{Key: o.Key, VersionId: o.VersionId, Code: aws.String("InternalError"), Message: aws.String(err.Error())}
	if c := (*call.Error)(nil); errors.As(err, &c) {
		e.Code, e.Message = &c.Code, &c.Message
	}
	return e
}
