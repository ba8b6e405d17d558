package blob

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// kinds opens a store of each kind, empty.
func kinds(t *testing.T, f func(t *testing.T, s *Store)) {
	t.Run("memory", func(t *testing.T) { f(t, Memory()) })
	for name, opts := range map[string]Options{"disk": {}, "synced": {Sync: true}} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.TempDir(), opts)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			f(t, s)
		})
	}
}

func put(t testing.TB, s *Store, p []byte) Ref {
	t.Helper()
	w := s.Create()
	for rest := p; len(rest) > 0; {
		n := min(len(rest), 30_000)
		if _, err := w.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	ref, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	if ref.Size != int64(len(p)) {
		t.Fatalf("committed %d bytes, want %d", ref.Size, len(p))
	}
	return ref
}

func get(t testing.TB, s *Store, ranges ...Range) []byte {
	t.Helper()
	r, err := s.Open(ranges...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func content(seed uint64, n int) []byte {
	p := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

func TestBlobsOfEverySizeComeBackWhole(t *testing.T) {
	kinds(t, func(t *testing.T, s *Store) {
		for i, n := range []int{0, 1, 1024, SmallSize - 1, SmallSize, SmallSize + 1, memoryChunk, 3*memoryChunk + 17} {
			p := content(uint64(i), n)
			ref := put(t, s, p)
			if got := get(t, s, Range{ref, 0, ref.Size}); !bytes.Equal(got, p) {
				t.Errorf("a blob of %d bytes reads back differently", n)
			}
			if n > 10 {
				off, length := int64(n/3), int64(n/2)
				if got := get(t, s, Range{ref, off, length}); !bytes.Equal(got, p[off:off+length]) {
					t.Errorf("the middle of a blob of %d bytes reads back differently", n)
				}
			}
		}
	})
}

func TestRangesAreJoined(t *testing.T) {
	kinds(t, func(t *testing.T, s *Store) {
		small, large := content(1, 1000), content(2, 200_000)
		a, b := put(t, s, small), put(t, s, large)
		ranges := []Range{{a, 10, 500}, {b, 100_000, 50_000}, {Ref{}, 0, 0}, {a, 0, 1000}}
		want := append(append(append([]byte{}, small[10:510]...), large[100_000:150_000]...), small...)
		if got := get(t, s, ranges...); !bytes.Equal(got, want) {
			t.Error("the ranges read back differently")
		}
		r, err := s.Open(ranges...)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var got bytes.Buffer
		if _, err := r.WriteTo(&got); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("the ranges are written differently (%v)", err)
		}
	})
}

func TestReaderOutlivesTheBlob(t *testing.T) {
	kinds(t, func(t *testing.T, s *Store) {
		p := content(3, 300_000)
		ref := put(t, s, p)
		r, err := s.Open(Range{ref, 0, ref.Size})
		if err != nil {
			t.Fatal(err)
		}
		s.Release(ref)
		if _, err := s.Open(Range{ref, 0, ref.Size}); !errors.Is(err, ErrGone) {
			t.Errorf("opening a released blob: %v, want ErrGone", err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, p) {
			t.Errorf("a reader of a released blob reads something else (%v)", err)
		}
		r.Close()
		if u := s.Usage(); u.Files != 0 {
			t.Errorf("after the last reader: %+v, want no file", u)
		}
	})
}

func TestAbortLeavesNothing(t *testing.T) {
	kinds(t, func(t *testing.T, s *Store) {
		for _, n := range []int{10, 200_000} {
			w := s.Create()
			if _, err := w.Write(content(4, n)); err != nil {
				t.Fatal(err)
			}
			w.Abort()
			w.Abort()
		}
		if u := s.Usage(); u != (Usage{}) {
			t.Errorf("usage %+v, want none", u)
		}
		if s.dir != "" {
			if entries, _ := os.ReadDir(s.dir); len(entries) != 0 {
				t.Errorf("%d files are left", len(entries))
			}
		}
	})
}

func TestReferencesAreCounted(t *testing.T) {
	kinds(t, func(t *testing.T, s *Store) {
		ref := put(t, s, content(5, 100_000))
		if !s.Retain(ref) {
			t.Fatal("a blob that is there cannot be retained")
		}
		s.Release(ref)
		get(t, s, Range{ref, 0, ref.Size})
		s.Release(ref)
		if s.Retain(ref) {
			t.Error("a blob without a reference can be retained")
		}
	})
}

func TestReopenKeepsWhatIsRetained(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	small, large := content(6, 100), content(7, 100_000)
	keepSmall, keepLarge := put(t, s, small), put(t, s, large)
	lost := put(t, s, content(8, 100_000))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !s.Retain(keepSmall) || !s.Retain(keepLarge) {
		t.Fatal("a committed blob is gone after a reopen")
	}
	s.Sweep()
	if s.Retain(lost) {
		t.Error("a blob that nobody retained is still there after the sweep")
	}
	more := put(t, s, content(9, 200))
	for _, c := range []struct {
		ref  Ref
		want []byte
	}{{keepSmall, small}, {keepLarge, large}, {more, content(9, 200)}} {
		if got := get(t, s, Range{c.ref, 0, c.ref.Size}); !bytes.Equal(got, c.want) {
			t.Errorf("blob %v reads back differently after a reopen", c.ref)
		}
	}
}

func TestSparseSegmentsAreFoundAndMoved(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := content(10, SmallSize)
	var refs []Ref
	for range segmentSize/SmallSize + 1 {
		refs = append(refs, put(t, s, p))
	}
	first := refs[0].File
	if refs[len(refs)-1].File == first {
		t.Fatal("the first segment never ended")
	}
	if got := s.Sparse(); got != nil {
		t.Fatalf("sparse segments %v, want none", got)
	}
	s.Release(refs[1 : len(refs)-1]...)
	if got := s.Sparse(); len(got) != 1 || got[0] != first {
		t.Fatalf("sparse segments %v, want %d", got, first)
	}
	moved, err := s.Move(refs[0])
	if err != nil {
		t.Fatal(err)
	}
	s.Release(refs[0])
	if got := get(t, s, Range{moved, 0, moved.Size}); !bytes.Equal(got, p) {
		t.Error("a moved blob reads back differently")
	}
	if u := s.Usage(); u.Files != 1 || u.Live != 2*SmallSize {
		t.Errorf("after moving: %+v, want one file with two blobs", u)
	}
}

func TestWritersBesideEachOther(t *testing.T) {
	kinds(t, func(t *testing.T, s *Store) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 20 {
					p := content(uint64(i*100+j), 10+j*5000)
					ref := put(t, s, p)
					if !bytes.Equal(get(t, s, Range{ref, 0, ref.Size}), p) {
						t.Errorf("blob %d/%d reads back differently", i, j)
					}
					if j%2 == 0 {
						s.Release(ref)
					}
				}
			})
		}
		wg.Wait()
	})
}

// TestModel holds the store against a map, over random operations and reopens.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "blob")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { s.Close() }()
		want := map[Ref][]byte{}
		var seed uint64
		pick := func(t *rapid.T) Ref {
			refs := make([]Ref, 0, len(want))
			for r := range want {
				refs = append(refs, r)
			}
			if len(refs) == 0 {
				t.Skip()
			}
			return refs[rapid.IntRange(0, len(refs)-1).Draw(t, "ref")]
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				seed++
				p := content(seed, rapid.SampledFrom([]int{1, 50, 5000, SmallSize, SmallSize + 1}).Draw(t, "size"))
				w := s.Create()
				if _, err := w.Write(p); err != nil {
					t.Fatal(err)
				}
				ref, err := w.Commit()
				if err != nil {
					t.Fatal(err)
				}
				want[ref] = p
			},
			"release": func(t *rapid.T) {
				ref := pick(t)
				s.Release(ref)
				delete(want, ref)
			},
			"reopen": func(t *rapid.T) {
				s.Close()
				if s, err = Open(dir, Options{}); err != nil {
					t.Fatal(err)
				}
				for ref := range want {
					if !s.Retain(ref) {
						t.Fatalf("blob %v is gone", ref)
					}
				}
				s.Sweep()
			},
			"": func(t *rapid.T) {
				for ref, p := range want {
					r, err := s.Open(Range{ref, 0, ref.Size})
					if err != nil {
						t.Fatal(err)
					}
					got, err := io.ReadAll(r)
					r.Close()
					if err != nil || !bytes.Equal(got, p) {
						t.Fatalf("blob %v reads back differently (%v)", ref, err)
					}
				}
			},
		})
	})
}

func BenchmarkSmall(b *testing.B) {
	s, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	p := content(1, 1024)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		ref := put(b, s, p)
		s.Release(ref)
	}
}
