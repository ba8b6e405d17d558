package blob

import (
	"fmt"
	"os"
	"sync"
)

// Writer takes one blob's bytes. It ends with Commit or with Abort; it may not be used concurrently.
type Writer struct {
	s      *Store
	small  *[]byte  // the bytes so far, while they are few
	own    *file    // of a large blob
	handle *os.File // own's
	size   int64
}

// buffers for small blobs under way.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, SmallSize); return &b }}

// memoryChunk bounds the pieces in which a store in memory keeps a large blob.
const memoryChunk = 1 << 20

// Create begins a blob.
func (s *Store) Create() *Writer {
	return &Writer{s: s, small: buffers.Get().(*[]byte)}
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	if w.own == nil {
		if len(*w.small)+len(p) <= SmallSize {
			*w.small = append(*w.small, p...)
			w.size += int64(len(p))
			return len(p), nil
		}
		if err := w.grow(); err != nil {
			return 0, err
		}
	}
	if err := w.append(p); err != nil {
		return 0, err
	}
	w.size += int64(len(p))
	return len(p), nil
}

// grow gives a blob that has become large a file of its own.
func (w *Writer) grow() error {
	s := w.s
	s.mu.Lock()
	w.own = &file{number: s.next, pins: 1}
	s.next++
	s.files[w.own.number] = w.own
	s.mu.Unlock()
	if s.dir != "" {
		var err error
		if w.handle, err = os.OpenFile(s.path(w.own), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
			return fmt.Errorf("create blob: %w", err)
		}
	}
	return w.append(*w.small)
}

// append adds p to a large blob.
func (w *Writer) append(p []byte) error {
	if w.handle != nil {
		if _, err := w.handle.Write(p); err != nil {
			return fmt.Errorf("write blob: %w", err)
		}
		return nil
	}
	// Every chunk but the last is full: readers find a byte's chunk by division.
	for len(p) > 0 {
		last := len(w.own.chunks) - 1
		if last < 0 || len(w.own.chunks[last]) == memoryChunk {
			w.own.chunks = append(w.own.chunks, make([]byte, 0, memoryChunk))
			last++
		}
		n := min(len(p), memoryChunk-len(w.own.chunks[last]))
		w.own.chunks[last] = append(w.own.chunks[last], p[:n]...)
		p = p[n:]
	}
	return nil
}

// Size returns the number of bytes written so far.
func (w *Writer) Size() int64 { return w.size }

// Commit makes the blob durable and returns its name, with one reference that the caller owns.
func (w *Writer) Commit() (Ref, error) {
	defer w.recycle()
	if w.own != nil {
		return w.commitLarge()
	}
	if w.size == 0 {
		return Ref{}, nil
	}
	if w.s.dir == "" {
		return w.s.keep(*w.small), nil
	}
	return w.s.commitSmall(*w.small)
}

// Abort forgets the blob. It does nothing after Commit.
func (w *Writer) Abort() {
	if w.small == nil {
		return
	}
	w.recycle()
	if w.own == nil {
		return
	}
	if w.handle != nil {
		w.handle.Close()
	}
	w.s.unpin(w.own)
}

func (w *Writer) recycle() {
	if w.small != nil {
		*w.small = (*w.small)[:0]
		buffers.Put(w.small)
		w.small = nil
	}
}

func (w *Writer) commitLarge() (Ref, error) {
	if w.handle != nil {
		if err := w.finish(); err != nil {
			w.s.unpin(w.own)
			return Ref{}, fmt.Errorf("commit blob: %w", err)
		}
	}
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	w.own.size, w.own.live, w.own.refs = w.size, w.size, 1
	w.own.pins--
	return Ref{File: w.own.number, Size: w.size}, nil
}

// finish closes the file of a large blob, on disk if the store is to be that careful.
func (w *Writer) finish() error {
	if w.s.sync {
		if err := w.handle.Sync(); err != nil {
			w.handle.Close()
			return err
		}
	}
	if err := w.handle.Close(); err != nil {
		return err
	}
	return w.s.syncDir()
}

// keep holds a small blob in memory.
func (s *Store) keep(p []byte) Ref {
	size := int64(len(p))
	chunk := append(make([]byte, 0, len(p)), p...)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &file{number: s.next, chunks: [][]byte{chunk}, size: size, live: size, refs: 1}
	s.next++
	s.files[f.number] = f
	return Ref{File: f.number, Size: size}
}

// commitSmall appends a small blob to the active segment. Writers reserve their place under the lock and write beside each
// other; a place whose write failed stays a hole.
func (s *Store) commitSmall(p []byte) (Ref, error) {
	size := int64(len(p))
	seg, err := s.reserve(size)
	if err != nil {
		return Ref{}, fmt.Errorf("commit blob: %w", err)
	}
	ref := Ref{File: seg.file.number, Offset: seg.offset, Size: size}
	_, err = seg.file.handle.WriteAt(p, seg.offset)
	if err == nil && s.sync {
		err = seg.file.handle.Sync()
	}
	if err != nil {
		s.unpin(seg.file)
		return Ref{}, fmt.Errorf("commit blob: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.file.refs++
	seg.file.live += size
	seg.file.pins--
	s.weigh(seg.file)
	return ref, nil
}

type place struct {
	file   *file
	offset int64
}

// reserve finds room for size bytes in the active segment, and pins it.
func (s *Store) reserve(size int64) (place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active == nil || s.active.size+size > segmentSize {
		if err := s.rotate(); err != nil {
			return place{}, err
		}
	}
	p := place{s.active, s.active.size}
	s.active.size += size
	s.active.pins++
	return p, nil
}

// rotate begins a new segment. The old one is kept by its references, and by the writers that still have it pinned.
func (s *Store) rotate() error {
	f := &file{number: s.next, segment: true, pins: 1}
	handle, err := os.OpenFile(s.path(f), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := s.syncDir(); err != nil {
		handle.Close()
		return err
	}
	f.handle = handle
	s.next++
	s.files[f.number] = f
	old := s.active
	s.active = f
	if old != nil {
		old.pins--
		s.weigh(old)
		if s.drop(old) {
			old.handle.Close()
			os.Remove(s.path(old))
		}
	}
	return nil
}

// syncDir makes a new file's name as durable as its bytes.
func (s *Store) syncDir() error {
	if !s.sync {
		return nil
	}
	d, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some systems cannot sync a folder, and do not need it.
	_ = d.Sync()
	return nil
}
