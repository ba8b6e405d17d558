package store

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

type thing struct {
	Name string
	N    int
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("STORE_TEST_CHILD"); dir != "" {
		writeForever(dir)
	}
	os.Exit(m.Run())
}

func mustOpen(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func put[V any](t *testing.T, db *DB, table *Table[V], key string, v V) {
	t.Helper()
	err := db.Update(t.Context(), func(_ context.Context, tx *Tx) error {
		table.Put(tx, key, v)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func contents[V any](db *DB, table *Table[V]) map[string]V {
	m := map[string]V{}
	db.View(func(tx *Tx) { maps.Insert(m, table.Ascend(tx, "")) })
	return m
}

func TestSurvivesReopening(t *testing.T) {
	dir := t.TempDir()
	db := mustOpen(t, dir)
	things := NewTable[thing](db, "things")
	put(t, db, things, "a", thing{"first", 1})
	put(t, db, things, "b", thing{"second", 2})
	put(t, db, things, "a", thing{"first again", 3})
	dropped := NewTable[int](db, "dropped")
	put(t, db, dropped, "x", 1)
	err := db.Update(t.Context(), func(_ context.Context, tx *Tx) error {
		things.Delete(tx, "b")
		dropped.Drop(tx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	db = mustOpen(t, dir)
	if got := db.Tables(); len(got) != 1 || got[0] != "things" {
		t.Errorf("tables: %q", got)
	}
	got := contents(db, NewTable[thing](db, "things"))
	if len(got) != 1 || got["a"] != (thing{"first again", 3}) {
		t.Errorf("got %v", got)
	}
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	db := Memory()
	things := NewTable[int](db, "things")
	put(t, db, things, "kept", 1)
	failed := errors.New("no")
	change := func(tx *Tx) {
		things.Put(tx, "kept", 2)
		things.Put(tx, "new", 3)
		things.Drop(tx)
		things.Put(tx, "newer", 4)
	}

	err := db.Update(t.Context(), func(_ context.Context, tx *Tx) error { change(tx); return failed })
	if !errors.Is(err, failed) {
		t.Errorf("error: %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.Update(t.Context(), func(_ context.Context, tx *Tx) error { change(tx); panic("no") })
	}()
	if got := contents(db, things); len(got) != 1 || got["kept"] != 1 {
		t.Errorf("got %v", got)
	}
}

func TestNestedUpdateJoinsAndFailsAlone(t *testing.T) {
	dir := t.TempDir()
	db := mustOpen(t, dir)
	things := NewTable[int](db, "things")
	err := db.Update(t.Context(), func(ctx context.Context, tx *Tx) error {
		things.Put(tx, "outer", 1)
		if err := db.Update(ctx, func(_ context.Context, tx *Tx) error { things.Put(tx, "inner", 2); return nil }); err != nil {
			return err
		}
		_ = db.Update(ctx, func(_ context.Context, tx *Tx) error {
			things.Put(tx, "outer", 9)
			things.Put(tx, "failed", 9)
			return errors.New("no")
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	db = mustOpen(t, dir)
	got := contents(db, NewTable[int](db, "things"))
	if want := map[string]int{"outer": 1, "inner": 2}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestValueThatCannotBeEncodedFailsTheUpdate(t *testing.T) {
	db := Memory()
	things := NewTable[any](db, "things")
	err := db.Update(t.Context(), func(_ context.Context, tx *Tx) error {
		things.Put(tx, "good", 1)
		things.Put(tx, "bad", func() {})
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), `encode things "bad"`) {
		t.Errorf("error: %v", err)
	}
	if got := contents(db, things); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestValueThatCannotBeDecodedStopsUpdatesAndIsKept(t *testing.T) {
	dir := t.TempDir()
	db := mustOpen(t, dir)
	put(t, db, NewTable[string](db, "things"), "a", "text")
	db.Close()

	db = mustOpen(t, dir)
	NewTable[int](db, "things")
	if err := db.Err(); err == nil || !strings.Contains(err.Error(), `things "a"`) {
		t.Errorf("error: %v", err)
	}
	if err := db.Update(t.Context(), func(context.Context, *Tx) error { return nil }); err == nil {
		t.Error("an update was taken")
	}
	db.Close()
	db = mustOpen(t, dir)
	if got := contents(db, NewTable[string](db, "things")); got["a"] != "text" {
		t.Errorf("got %v", got)
	}
}

func TestOrder(t *testing.T) {
	db := Memory()
	things := NewTable[int](db, "things")
	for i, k := range []string{"a/2", "b/1", "a/1", "a", "c"} {
		put(t, db, things, k, i)
	}
	keys := func(seq func(func(string, int) bool)) string {
		var ks []string
		for k := range seq {
			ks = append(ks, k)
		}
		return strings.Join(ks, " ")
	}
	db.View(func(tx *Tx) {
		for _, c := range []struct{ name, got, want string }{
			{"ascend", keys(things.Ascend(tx, "a/2")), "a/2 b/1 c"},
			{"descend", keys(things.Descend(tx, "a/2")), "a/2 a/1 a"},
			{"descend all", keys(things.Descend(tx, "")), "c b/1 a/2 a/1 a"},
			{"prefix", keys(things.Prefix(tx, "a/")), "a/1 a/2"},
		} {
			if c.got != c.want {
				t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
			}
		}
	})
	err := db.Update(t.Context(), func(_ context.Context, tx *Tx) error {
		for k := range things.Ascend(tx, "") {
			things.Delete(tx, k)
		}
		return nil
	})
	if err != nil || len(contents(db, things)) != 0 {
		t.Errorf("after deleting all while walking: %v, error %v", contents(db, things), err)
	}
}

func TestCutShortRecordIsDroppedWhereverItEnds(t *testing.T) {
	dir := t.TempDir()
	db := mustOpen(t, dir)
	things := NewTable[int](db, "things")
	put(t, db, things, "a", 1)
	before := db.log.size.Load()
	put(t, db, things, "b", 2)
	db.Close()
	whole, err := os.ReadFile(filepath.Join(dir, logName))
	if err != nil {
		t.Fatal(err)
	}
	for cut := before; cut < int64(len(whole)); cut++ {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, logName), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		db := mustOpen(t, dir)
		things := NewTable[int](db, "things")
		if got := contents(db, things); !maps.Equal(got, map[string]int{"a": 1}) {
			t.Fatalf("cut at %d: %v", cut, got)
		}
		put(t, db, things, "c", 3)
		db.Close()
		db = mustOpen(t, dir)
		if got := contents(db, NewTable[int](db, "things")); !maps.Equal(got, map[string]int{"a": 1, "c": 3}) {
			t.Fatalf("cut at %d, written again: %v", cut, got)
		}
		db.Close()
	}
}

// writeLog makes a state directory whose log is data.
func writeLog(t *testing.T, data []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, logName), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// twoRecords returns a log of two records, and where each begins.
func twoRecords(t *testing.T) (data []byte, begin [2]int64) {
	t.Helper()
	dir := t.TempDir()
	db := mustOpen(t, dir)
	things := NewTable[int](db, "things")
	for i, k := range []string{"a", "b"} {
		begin[i] = db.log.size.Load()
		put(t, db, things, k, i+1)
	}
	db.Close()
	data, err := os.ReadFile(filepath.Join(dir, logName))
	if err != nil {
		t.Fatal(err)
	}
	return data, begin
}

func TestDamageIsRefusedWhereverItIs(t *testing.T) {
	whole, begin := twoRecords(t)
	for at := begin[0]; at < int64(len(whole)); at++ {
		for bit := range 8 {
			data := bytes.Clone(whole)
			data[at] ^= 1 << bit
			dir := writeLog(t, data)
			want := DamagedError{File: filepath.Join(dir, logName), Offset: begin[0]}
			if at >= begin[1] {
				want.Offset = begin[1]
			}
			var damaged *DamagedError
			if _, err := Open(dir, Options{}); !errors.As(err, &damaged) || damaged.File != want.File || damaged.Offset != want.Offset {
				t.Fatalf("bit %d of byte %d: %v, want %v", bit, at, err, &want)
			}
			if left, _ := os.ReadFile(want.File); !bytes.Equal(left, data) {
				t.Fatalf("bit %d of byte %d: the file was changed", bit, at)
			}
		}
	}
}

// After a power cut a file may be as long as it was to be, or longer, and end in zeros.
func TestRecordThatEndsInZerosIsDropped(t *testing.T) {
	whole, begin := twoRecords(t)
	for cut := begin[1]; cut < int64(len(whole)); cut++ {
		for _, more := range []int{0, 1, 4096} {
			data := append(bytes.Clone(whole[:cut]), make([]byte, len(whole)-int(cut)+more)...)
			db := mustOpen(t, writeLog(t, data))
			if got := contents(db, NewTable[int](db, "things")); !maps.Equal(got, map[string]int{"a": 1}) {
				t.Fatalf("zeros from %d on: %v", cut, got)
			}
			db.Close()
		}
	}
}

// A log as the first schema had it is read, and goes on in the present one.
func TestEarlierSchema(t *testing.T) {
	whole, begin := twoRecords(t)
	old := []byte("evo state 1\n")
	for i, end := range []int64{begin[1], int64(len(whole))} {
		record := whole[begin[i]:end]
		old = append(append(old, record[:8]...), record[headSize:]...)
	}
	for cut := range 3 {
		dir := writeLog(t, old[:len(old)-cut])
		want := map[string]int{"a": 1, "c": 3}
		if cut == 0 {
			want["b"] = 2
		}
		db := mustOpen(t, dir)
		put(t, db, NewTable[int](db, "things"), "c", 3)
		db.Close()
		data, _ := os.ReadFile(filepath.Join(dir, logName))
		if !bytes.HasPrefix(data, fmt.Appendf(nil, header, Schema)) {
			t.Errorf("the log begins with %q", data[:12])
		}
		db = mustOpen(t, dir)
		if got := contents(db, NewTable[int](db, "things")); !maps.Equal(got, want) {
			t.Errorf("%d bytes cut off: %v, want %v", cut, got, want)
		}
		db.Close()
	}
}

func TestInUse(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir)
	_, err := Open(dir, Options{})
	var inUse *InUseError
	if !errors.As(err, &inUse) || inUse.PID != fmt.Sprint(os.Getpid()) {
		t.Errorf("error: %v", err)
	}
}

func TestNewer(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, logName), []byte("evo state 99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir, Options{})
	var newer *NewerError
	if !errors.As(err, &newer) || newer.Schema != 99 {
		t.Errorf("error: %v", err)
	}
}

func TestRewriteKeepsAll(t *testing.T) {
	dir := t.TempDir()
	db := mustOpen(t, dir)
	things := NewTable[string](db, "things")
	value := strings.Repeat("x", 1<<20)
	for i := range 2*minCompact/len(value) + 2 {
		put(t, db, things, fmt.Sprint(i%3), fmt.Sprint(i, value))
	}
	want := contents(db, things)
	if size := db.log.size.Load(); size > minCompact+4<<20 {
		t.Errorf("the log has %d bytes", size)
	}
	db.Close()
	db = mustOpen(t, dir)
	if got := contents(db, NewTable[string](db, "things")); !maps.Equal(got, want) {
		t.Errorf("%d entries, or other values", len(got))
	}
}

// TestModel compares random changes, with reopening in between, with a map.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		var db *DB
		var things *Table[int]
		reopen := func() {
			if db != nil {
				db.Close()
			}
			if db, err = Open(dir, Options{}); err != nil {
				rt.Fatal(err)
			}
			things = NewTable[int](db, "things")
		}
		reopen()
		defer func() { db.Close() }()
		model := map[string]int{}
		keys := rapid.SampledFrom([]string{"", "a", "b", "ab", "\x00"})
		change := func(fail bool) func(*rapid.T) {
			return func(rt *rapid.T) {
				next := maps.Clone(model)
				_ = db.Update(t.Context(), func(_ context.Context, tx *Tx) error {
					for range rapid.IntRange(1, 4).Draw(rt, "changes") {
						key, n := keys.Draw(rt, "key"), rapid.Int().Draw(rt, "value")
						switch {
						case n%11 == 0:
							things.Drop(tx)
							clear(next)
						case n%3 == 0:
							things.Delete(tx, key)
							delete(next, key)
						default:
							things.Put(tx, key, n)
							next[key] = n
						}
					}
					if fail {
						return errors.New("no")
					}
					return nil
				})
				if !fail {
					model = next
				}
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"change": change(false),
			"fail":   change(true),
			"reopen": func(*rapid.T) { reopen() },
			"": func(rt *rapid.T) {
				if got := contents(db, things); !maps.Equal(got, model) {
					rt.Fatalf("got %v, want %v", got, model)
				}
			},
		})
	})
}

func TestConcurrentUpdatesAndViews(t *testing.T) {
	db, err := Open(t.TempDir(), Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	things := NewTable[int](db, "things")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 20 {
				_ = db.Update(t.Context(), func(_ context.Context, tx *Tx) error {
					n, _ := things.Get(tx, "sum")
					things.Put(tx, "sum", n+1)
					things.Put(tx, fmt.Sprint(w, i), i)
					return nil
				})
				db.View(func(tx *Tx) { things.Get(tx, "sum") })
			}
		})
	}
	wg.Wait()
	if got := contents(db, things)["sum"]; got != 80 {
		t.Errorf("sum: %d", got)
	}
}

// TestKill kills a process that writes, at moments that differ from run to run, and looks for what it had acknowledged.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := 0
	for round := range 5 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "STORE_TEST_CHILD="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 50 + 37*round {
			if !lines.Scan() {
				t.Fatal("the child ended")
			}
			fmt.Sscan(lines.Text(), &acknowledged)
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			fmt.Sscan(lines.Text(), &acknowledged)
		}
		_ = child.Wait() // killed
		db := mustOpen(t, dir)
		got := contents(db, NewTable[int](db, "things"))
		for i := 1; i <= acknowledged; i++ {
			if got[fmt.Sprint(i)] != i {
				t.Fatalf("round %d: %d was acknowledged, and %d is lost", round, acknowledged, i)
			}
		}
		db.Close()
	}
}

// writeForever is TestKill's child.
func writeForever(dir string) {
	db, err := Open(dir, Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	things := NewTable[int](db, "things")
	for {
		n := 0
		err := db.Update(context.Background(), func(_ context.Context, tx *Tx) error {
			n = things.Len(tx) + 1
			things.Put(tx, fmt.Sprint(n), n)
			return nil
		})
		if err != nil {
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

func FuzzReplay(f *testing.F) {
	good := append(fmt.Appendf(nil, header, Schema), frame(appendDelete(appendDrop(make([]byte, headSize), "t"), "t", "k"))...)
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add([]byte("evo state 2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := &log{}
		n, err := l.replay("state.log", data, func(op) {})
		if err == nil && n > int64(len(data)) {
			t.Errorf("%d of %d bytes", n, len(data))
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	for _, sync := range []bool{false, true} {
		b.Run(fmt.Sprintf("sync=%t", sync), func(b *testing.B) {
			db, err := Open(b.TempDir(), Options{Sync: sync})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			things := NewTable[thing](db, "things")
			for i := 0; b.Loop(); i++ {
				_ = db.Update(b.Context(), func(_ context.Context, tx *Tx) error {
					things.Put(tx, fmt.Sprint(i%1000), thing{"name", i})
					return nil
				})
			}
		})
	}
}

// A wait for the disk that failed is told to everybody whose bytes it was for, also when the next one succeeds.
func TestLostBytesStayLost(t *testing.T) {
	db, err := Open(t.TempDir(), Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	gone, err := os.Create(filepath.Join(t.TempDir(), "gone"))
	if err == nil {
		err = gone.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	l := db.log
	l.syncMu.Lock() // nobody waits for the disk until the file has gone
	end, err := l.append(make([]byte, headSize))
	kept := l.f
	l.f = gone
	l.syncMu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	failed := l.waitForDisk(end)
	l.syncMu.Lock()
	l.f = kept
	l.syncMu.Unlock()
	if again := l.waitForDisk(end); failed == nil || again == nil {
		t.Errorf("the disk failed: %v, and then: %v", failed, again)
	}
	if err := db.Close(); err == nil {
		t.Error("closed as if nothing were lost")
	}
}

func TestWatch(t *testing.T) {
	db := Memory()
	var seen []string
	db.Watch("a", func(key string) { seen = append(seen, "a:"+key) })
	db.Watch("b", func(key string) { seen = append(seen, "b:"+key) })
	a, c, ctx := NewTable[int](db, "a"), NewTable[int](db, "c"), context.Background()
	change := func(want string, f func(tx *Tx) error) {
		t.Helper()
		seen = nil
		_ = db.Update(ctx, func(_ context.Context, tx *Tx) error { return f(tx) })
		if got := strings.Join(seen, " "); got != want {
			t.Errorf("told of %q, want %q", got, want)
		}
	}
	change("a:x a:y", func(tx *Tx) error { a.Put(tx, "x", 1); a.Put(tx, "y", 2); return nil })
	change("", func(tx *Tx) error { c.Put(tx, "x", 1); return nil })
	change("", func(tx *Tx) error { a.Put(tx, "x", 3); return errors.New("no") })
	change("a:x", func(tx *Tx) error { a.Delete(tx, "x"); return nil })
	change("", func(tx *Tx) error { a.Delete(tx, "x"); return nil })
	change("a:", func(tx *Tx) error { a.Drop(tx); return nil })
	b := NewTable[int](db, "b")
	change("a:x b:x", func(tx *Tx) error { a.Put(tx, "x", 1); b.Put(tx, "x", 1); return nil })
}
