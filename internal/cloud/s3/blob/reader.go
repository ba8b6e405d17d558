package blob

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// Range is a stretch of a blob.
type Range struct {
	Ref    Ref
	Offset int64 // within the blob
	Length int64
}

// Reader reads ranges of blobs one after another. It keeps them alive until it is closed.
type Reader struct {
	s      *Store
	pieces []piece
	held   []*file
	handle *os.File // of the first piece, where it is a large blob
}

type piece struct {
	file   *file
	offset int64 // in the file
	length int64
}

// Open returns a reader of the ranges. It fails with ErrGone if one of the blobs is no longer there, and with
// io.ErrUnexpectedEOF if a range reaches beyond its blob. The caller must close the reader.
func (s *Store) Open(ranges ...Range) (*Reader, error) {
	r := &Reader{s: s, pieces: make([]piece, 0, len(ranges)), held: make([]*file, 0, len(ranges))}
	s.mu.Lock()
	var err error
	for _, g := range ranges {
		if g.Length == 0 {
			continue
		}
		f := s.files[g.Ref.File]
		if f == nil || f.refs == 0 {
			err = ErrGone
			break
		}
		if g.Offset < 0 || g.Length < 0 || g.Offset+g.Length > g.Ref.Size || g.Ref.Offset+g.Ref.Size > f.size {
			err = io.ErrUnexpectedEOF
			break
		}
		f.pins++
		r.held = append(r.held, f)
		r.pieces = append(r.pieces, piece{f, g.Ref.Offset + g.Offset, g.Length})
	}
	s.mu.Unlock()
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("open blob: %w", err)
	}
	return r, nil
}

// Close lets go of the blobs.
func (r *Reader) Close() error {
	r.next()
	r.pieces = nil
	held := r.held
	r.held = nil
	r.s.unpin(held...)
	return nil
}

// next closes what the piece that has been read needed.
func (r *Reader) next() {
	if r.handle != nil {
		r.handle.Close()
		r.handle = nil
	}
	if len(r.pieces) > 0 {
		r.pieces = r.pieces[1:]
	}
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	for len(r.pieces) > 0 && r.pieces[0].length == 0 {
		r.next()
	}
	if len(r.pieces) == 0 {
		return 0, io.EOF
	}
	c := &r.pieces[0]
	n, err := r.readAt(p[:min(int64(len(p)), c.length)], c.offset)
	c.offset += int64(n)
	c.length -= int64(n)
	if n > 0 {
		return n, nil
	}
	if err == io.EOF { // the file is shorter than it was: say so, rather than end early
		err = io.ErrUnexpectedEOF
	}
	return 0, err
}

// readAt reads from the first piece's file.
func (r *Reader) readAt(p []byte, off int64) (int, error) {
	f := r.pieces[0].file
	switch {
	case f.chunks != nil:
		return copy(p, f.chunks[off/memoryChunk][off%memoryChunk:]), nil
	case f.handle != nil:
		return f.handle.ReadAt(p, off)
	}
	if err := r.open(f); err != nil {
		return 0, err
	}
	return r.handle.ReadAt(p, off)
}

// open opens the file of a large blob.
func (r *Reader) open(f *file) error {
	if r.handle != nil {
		return nil
	}
	var err error
	r.handle, err = os.Open(r.s.path(f))
	return err
}

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, SmallSize); return &b }}

// WriteTo implements io.WriterTo. Where w can take a file's bytes without their passing through this process, they do not.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	var written int64
	for len(r.pieces) > 0 {
		n, err := r.writePiece(w, *buf)
		written += n
		if err != nil {
			return written, err
		}
		r.next()
	}
	return written, nil
}

func (r *Reader) writePiece(w io.Writer, buf []byte) (int64, error) {
	c := r.pieces[0]
	if to, ok := w.(io.ReaderFrom); ok && c.file.chunks == nil && c.file.handle == nil {
		if err := r.open(c.file); err != nil {
			return 0, err
		}
		if _, err := r.handle.Seek(c.offset, io.SeekStart); err != nil {
			return 0, err
		}
		n, err := to.ReadFrom(io.LimitReader(r.handle, c.length))
		if err == nil && n < c.length {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}
	var written int64
	for c.length > 0 {
		n, err := r.readAt(buf[:min(int64(len(buf)), c.length)], c.offset)
		if n == 0 && (err == nil || err == io.EOF) {
			return written, io.ErrUnexpectedEOF
		}
		if n == 0 {
			return written, err
		}
		if n, err = w.Write(buf[:n]); err != nil {
			return written + int64(n), err
		}
		c.offset += int64(n)
		c.length -= int64(n)
		written += int64(n)
	}
	return written, nil
}
