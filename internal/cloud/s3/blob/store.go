// Package blob answers: where do the bytes of S3's objects lie, so that what was acknowledged survives a crash, and nobody
// ever sees half an object?
//
// A blob is written once, never changed, and known by its [Ref], which its owner keeps in a store of its own. Small blobs are
// appended to segment files, large ones get a file each. A blob counts its references: Commit hands out the first, [Store.Retain]
// adds one, [Store.Release] gives one back; a file whose last reference is gone is removed as soon as its last reader has closed.
// So a reader of an object that is deleted or overwritten meanwhile reads it to the end.
//
// Durability is by order, not by a log: Commit returns when the bytes have been given to the operating system (and, with
// Options.Sync, have reached the disk); only then does the owner record the Ref, durably, and acknowledge. A crash in between
// leaves bytes that nobody refers to. After a start the owner retains every Ref that it has recorded and calls [Store.Sweep],
// which removes the rest.
package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// SmallSize is the largest size of a blob that shares a segment file with others.
const SmallSize = 64 << 10

// segmentSize is the size at which a segment is closed and a new one begun.
const segmentSize = 64 << 20

// ErrGone says that a blob has no reference left, or never existed.
var ErrGone = errors.New("blob is gone")

// Ref names a blob. The zero Ref names the empty blob, which needs no place.
type Ref struct {
	File   uint64 `json:"f,omitempty"`
	Offset int64  `json:"o,omitempty"`
	Size   int64  `json:"n,omitempty"`
}

// Options for [Open].
type Options struct {
	Sync bool // fsync before Commit returns, so that a power failure loses nothing either
}

// Store keeps blobs. Use [Open] or [Memory]. Its methods may be called concurrently.
type Store struct {
	dir  string // empty: in memory
	sync bool

	mu     sync.Mutex
	files  map[uint64]*file
	active *file // the segment that small blobs are appended to; nil: none yet
	next   uint64

	sparse atomic.Int32 // closed segments that are mostly dead
}

// file is one file of the store, or one blob in memory. Its fields are guarded by Store.mu, except that handle and chunks do
// not change while the file is pinned.
type file struct {
	number  uint64
	segment bool
	handle  *os.File // of a segment
	chunks  [][]byte // of a blob in memory
	size    int64    // bytes handed out so far
	live    int64    // bytes that references hold; a blob with two references counts twice
	refs    int
	pins    int  // readers and writers under way, and one for being active
	sparse  bool // counted in Store.sparse
}

// Memory returns a store that keeps everything in memory.
func Memory() *Store {
	return &Store{files: make(map[uint64]*file), next: 1}
}

// Open opens the store in dir, making the folder if there is none. Until Sweep, blobs without a reference stay.
func Open(dir string, opts Options) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	s := Memory()
	s.dir, s.sync = dir, opts.Sync
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	for _, e := range entries {
		if err := s.adopt(e); err != nil {
			s.Close()
			return nil, fmt.Errorf("open blob store: %w", err)
		}
	}
	if err := s.resume(); err != nil {
		s.Close()
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	return s, nil
}

// resume makes the newest segment the active one again, if it still has room. What a crash left at its end stays there, dead.
func (s *Store) resume() error {
	var newest *file
	for _, f := range s.files {
		if f.segment && (newest == nil || f.number > newest.number) {
			newest = f
		}
	}
	if newest == nil || newest.size >= segmentSize {
		return nil
	}
	handle, err := os.OpenFile(s.path(newest), os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	newest.handle.Close()
	newest.handle = handle
	newest.pins++
	s.active = newest
	return nil
}

const (
	segmentSuffix = ".segment"
	blobSuffix    = ".blob"
)

// adopt takes a file that an earlier run has left into the table.
func (s *Store) adopt(e fs.DirEntry) error {
	name, segment := strings.CutSuffix(e.Name(), segmentSuffix)
	if !segment {
		var ok bool
		if name, ok = strings.CutSuffix(e.Name(), blobSuffix); !ok {
			return nil // not ours
		}
	}
	number, err := strconv.ParseUint(name, 16, 64)
	if err != nil || number == 0 {
		return nil
	}
	info, err := e.Info()
	if err != nil {
		return err
	}
	f := &file{number: number, segment: segment, size: info.Size()}
	if segment {
		if f.handle, err = os.Open(s.path(f)); err != nil {
			return err
		}
	}
	s.files[number] = f
	s.next = max(s.next, number+1)
	return nil
}

func (s *Store) path(f *file) string {
	suffix := blobSuffix
	if f.segment {
		suffix = segmentSuffix
	}
	return filepath.Join(s.dir, fmt.Sprintf("%016x%s", f.number, suffix))
}

// Close closes the store's files. Readers must have been closed before.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, f := range s.files {
		if f.handle != nil {
			errs = append(errs, f.handle.Close())
			f.handle = nil
		}
	}
	s.files = make(map[uint64]*file)
	s.active = nil
	return errors.Join(errs...)
}

// Retain adds a reference to a blob; it reports whether the blob is there, whole.
func (s *Store) Retain(ref Ref) bool {
	if ref.Size == 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[ref.File]
	if f == nil || ref.Offset < 0 || ref.Size < 0 || ref.Offset+ref.Size > f.size {
		return false
	}
	f.refs++
	f.live += ref.Size
	s.weigh(f)
	return true
}

// Release gives references back. Each must have been handed out by Commit, Retain or Move, once.
func (s *Store) Release(refs ...Ref) {
	var dead []*file
	s.mu.Lock()
	for _, ref := range refs {
		f := s.files[ref.File]
		if ref.Size == 0 || f == nil {
			continue
		}
		f.refs--
		f.live -= ref.Size
		s.weigh(f)
		if s.drop(f) {
			dead = append(dead, f)
		}
	}
	s.mu.Unlock()
	s.remove(dead)
}

// Sweep removes what has no reference, after the owner has retained all that it knows of.
func (s *Store) Sweep() {
	var dead []*file
	s.mu.Lock()
	for _, f := range s.files {
		s.weigh(f)
		if s.drop(f) {
			dead = append(dead, f)
		}
	}
	s.mu.Unlock()
	s.remove(dead)
}

// drop takes f out of the table if nothing holds it any more; the caller then removes it, outside of the lock.
func (s *Store) drop(f *file) bool {
	if f.refs > 0 || f.pins > 0 || s.files[f.number] != f {
		return false
	}
	delete(s.files, f.number)
	if f.sparse {
		f.sparse = false
		s.sparse.Add(-1)
	}
	return true
}

// remove deletes dropped files. One that cannot be deleted costs space until the next start's Sweep, nothing else.
func (s *Store) remove(dead []*file) {
	if s.dir == "" {
		return
	}
	for _, f := range dead {
		if f.handle != nil {
			f.handle.Close()
		}
		os.Remove(s.path(f))
	}
}

// unpin ends a reader's or writer's hold on f.
func (s *Store) unpin(files ...*file) {
	var dead []*file
	s.mu.Lock()
	for _, f := range files {
		f.pins--
		if s.drop(f) {
			dead = append(dead, f)
		}
	}
	s.mu.Unlock()
	s.remove(dead)
}

// weigh counts f among the sparse segments, or no longer.
func (s *Store) weigh(f *file) {
	sparse := f.segment && f != s.active && f.live < f.size/2
	if sparse == f.sparse {
		return
	}
	f.sparse = sparse
	if sparse {
		s.sparse.Add(1)
	} else {
		s.sparse.Add(-1)
	}
}

// Sparse returns the numbers of the closed segments of which more than half is dead: the owner should move the blobs that still
// lie there (Ref.File is one of the numbers).
func (s *Store) Sparse() []uint64 {
	if s.sparse.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var numbers []uint64
	for _, f := range s.files {
		if f.sparse && f.refs > 0 {
			numbers = append(numbers, f.number)
		}
	}
	return numbers
}

// Move copies a blob to the active segment and returns the copy's Ref, with a reference of its own. The owner records it in the
// place of the old one, and then releases that.
func (s *Store) Move(ref Ref) (Ref, error) {
	r, err := s.Open(Range{Ref: ref, Length: ref.Size})
	if err != nil {
		return Ref{}, err
	}
	defer r.Close()
	w := s.Create()
	if _, err := r.WriteTo(w); err != nil {
		w.Abort()
		return Ref{}, err
	}
	return w.Commit()
}

// Usage says how much a store holds.
type Usage struct {
	Files int
	Size  int64 // of the files
	Live  int64 // of what is referred to
}

// Usage returns the store's usage now.
func (s *Store) Usage() Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := Usage{Files: len(s.files)}
	for _, f := range s.files {
		u.Size += f.size
		u.Live += f.live
	}
	return u
}
