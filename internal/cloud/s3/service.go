// Package s3 answers: what does Amazon S3 do with buckets, objects and the buckets' documents?
//
// One [Service] serves all regions; a bucket remembers its own. The tables of the store hold what S3 knows: buckets with their
// documents, versions of objects in the order in which they are listed (bucket, key, newest version first), multipart uploads and
// their parts. The bytes lie in a [blob.Store]; a version refers to its bytes by name, so that completing a multipart upload and
// copying an object move no bytes. A PUT writes the bytes first and then, in one change of the store, the version: a version that
// is seen is whole, and what was acknowledged is there after a crash.
//
// What is recorded without effect: replication, logging, website hosting, lifecycle rules beyond the Expiration that answers name,
// request payment, acceleration, and the storage classes (GLACIER and DEEP_ARCHIVE refuse reads, as they do). Server-side encryption
// is answered for, not done. Bucket policies and ACLs are validated and judged, not enforced.
package s3

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"evo/internal/cloud/call"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
)

// Config says what a Service works with.
type Config struct {
	Store *store.DB
	Blobs *blob.Store // nil: in memory
	Clock clock.Clock // nil: the machine's
}

// Service is S3. Use [New].
type Service struct {
	db    *store.DB
	blobs *blob.Store
	clock clock.Clock

	buckets *store.Table[*bucket]
	objects *store.Table[*version]
	uploads *store.Table[*upload]
	parts   *store.Table[*part]

	sequence atomic.Uint64 // of the newest version or upload

	compacting sync.Mutex // held while sparse segments are moved
	work       sync.WaitGroup
	stop       context.CancelFunc
	stopped    context.Context
}

// New returns the service over what the store and the blob store hold. Blobs that nothing in the store refers to, as a crash
// leaves them, are removed.
func New(cfg Config) (*Service, error) {
	s := &Service{
		db:      cfg.Store,
		blobs:   cfg.Blobs,
		clock:   cfg.Clock,
		buckets: store.NewTable[*bucket](cfg.Store, "s3/buckets"),
		objects: store.NewTableCodec(cfg.Store, "s3/objects", store.Codec[*version](versionCodec{})),
		uploads: store.NewTable[*upload](cfg.Store, "s3/uploads"),
		parts:   store.NewTable[*part](cfg.Store, "s3/parts"),
	}
	if err := cfg.Store.Err(); err != nil {
		return nil, fmt.Errorf("open s3: %w", err)
	}
	if s.blobs == nil {
		s.blobs = blob.Memory()
	}
	if s.clock == nil {
		s.clock = clock.Real{}
	}
	s.stopped, s.stop = context.WithCancel(context.Background())
	s.db.View(s.recover)
	s.blobs.Sweep()
	return s, nil
}

// recover takes hold of every blob that a version or a part refers to, and finds where the sequence had got to.
func (s *Service) recover(tx *store.Tx) {
	var newest uint64
	for _, v := range s.objects.Ascend(tx, "") {
		for _, p := range v.Parts {
			s.blobs.Retain(p.Ref)
		}
		newest = max(newest, v.Sequence)
	}
	for _, u := range s.uploads.Ascend(tx, "") {
		newest = max(newest, u.Sequence)
	}
	for _, p := range s.parts.Ascend(tx, "") {
		s.blobs.Retain(p.Ref)
	}
	s.sequence.Store(newest)
}

// Start moves what lies in sparse segments together.
func (s *Service) Start(context.Context) error {
	s.tidy()
	return nil
}

// Close stops the service's own work and waits for it. The store and the blob store stay open: they are their owner's.
func (s *Service) Close() error {
	s.stop()
	s.work.Wait()
	return nil
}

// release gives blobs back that no version refers to any more, and tidies up if that has left a segment mostly empty.
func (s *Service) release(refs ...blob.Ref) {
	if len(refs) == 0 {
		return
	}
	s.blobs.Release(refs...)
	s.tidy()
}

// owner is the canonical user id of the one account.
const owner = "5f1dc1c1cab1d0c2d1f2a3b4c5d6e7f80912a3b4c5d6e7f8091a2b3c4d5e6f70"

// regionOf returns the region that the call was sent to.
func regionOf(ctx context.Context) string {
	if r := call.From(ctx).Region; r != "" && r != "aws-global" {
		return r
	}
	return call.DefaultRegion
}
