package store

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// The log is one file. It begins with a line "evo state N", N being the schema; then come records. A record is a head and a
// payload, the operations of one Update. The head is three numbers of four bytes, little endian: the payload's length, the
// payload's CRC-32C, and the CRC-32C of these two; schema 1 had only the first two. A log of an earlier schema is written anew
// when it is opened.
//
// A record that was cut short by a crash can only be the last one; it was never acknowledged, and is dropped. It is told from
// damage by what is missing: a file that was not written to the end ends early, or (after a power cut) in zeros.

const (
	logName  = "state.log"
	lockName = "lock"
	header   = "evo state %d\n"

	headSize  = 12
	maxRecord = 1 << 30
	// A log is written anew when it is larger than this and several times what it would be then.
	minCompact    = 16 << 20
	compactFactor = 3
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// InUseError says that another process has the state directory open.
type InUseError struct {
	Dir string
	PID string // as the other process wrote it; may be empty
}

func (e *InUseError) Error() string {
	if e.PID == "" {
		return fmt.Sprintf("state directory %s is in use by another evo", e.Dir)
	}
	return fmt.Sprintf("state directory %s is in use by another evo (process %s)", e.Dir, e.PID)
}

// Hint says what a person can do.
func (e *InUseError) Hint() string {
	return "stop the other one with `evo cloud stop`, or name another directory with --state"
}

// NewerError says that a later version of evo has written the state.
type NewerError struct {
	Dir    string
	Schema int
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("state directory %s was written by a newer evo (schema %d; this one knows up to %d)", e.Dir, e.Schema, Schema)
}

// Hint says what a person can do.
func (e *NewerError) Hint() string {
	return "use the newer evo, or name another directory with --state"
}

// DamagedError says that the state cannot be trusted: something that had been written whole has changed.
type DamagedError struct {
	File   string
	Offset int64
	Reason string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s is damaged at byte %d: %s", e.File, e.Offset, e.Reason)
}

// Hint says what a person can do.
func (e *DamagedError) Hint() string {
	return "put a copy of the state directory in its place, or name another directory with --state"
}

// log is the open file, and the lock on its directory.
type log struct {
	dir  string
	f    *os.File
	lock *os.File

	schema   int          // of what was read
	size     atomic.Int64 // bytes in f
	baseSize int64        // bytes when it was last written anew

	syncMu sync.Mutex // held by the one who waits for the disk
	synced int64      // bytes that the disk has
	lost   error      // why the disk may lack some for good; set once

	stop    chan struct{}
	stopped sync.WaitGroup
}

// syncEvery is how long an acknowledged change may be in the operating system's hands only.
const syncEvery = time.Second

func openLog(dir string, replay func(op)) (*log, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	l := &log{dir: dir, lock: lock, stop: make(chan struct{})}
	if err := l.read(replay); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	l.stopped.Go(l.syncNowAndThen)
	return l, nil
}

// lockDir takes the directory's lock file, and writes the process's number into it.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the state directory: %w", err)
	}
	if !tryLock(f) {
		pid, _ := os.ReadFile(path) // unreadable where locks are mandatory: then without the number
		return nil, errors.Join(&InUseError{Dir: dir, PID: string(bytes.TrimSpace(pid))}, f.Close())
	}
	if err := errors.Join(f.Truncate(0), writeAt0(f, fmt.Sprintln(os.Getpid()))); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the state directory: %w", err), f.Close())
	}
	return f, nil
}

func writeAt0(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

// read opens the file, or makes it, and replays what it holds.
func (l *log) read(replay func(op)) error {
	path := filepath.Join(l.dir, logName)
	_ = os.Remove(path + ".new") // left by a crash while it was written anew; of no use
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist) || err == nil && len(data) == 0:
		return l.rewrite(func(func(string, string, []byte) error) error { return nil })
	case err != nil:
		return fmt.Errorf("read the state: %w", err)
	}
	good, err := l.replay(path, data, replay)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the state: %w", err)
	}
	if good < int64(len(data)) {
		if err := f.Truncate(good); err != nil {
			return errors.Join(fmt.Errorf("drop an unfinished record from the state: %w", err), f.Close())
		}
	}
	l.f = f
	l.size.Store(good)
	l.synced = good
	return nil
}

// replay reads data and returns how much of it is whole records.
func (l *log) replay(path string, data []byte, replay func(op)) (int64, error) {
	line, _, ok := bytes.Cut(data, []byte("\n"))
	if n, err := fmt.Sscanf(string(line)+"\n", header, &l.schema); !ok || n != 1 || err != nil {
		return 0, &DamagedError{File: path, Reason: "it does not begin as evo's state does"}
	}
	if l.schema > Schema {
		return 0, &NewerError{Dir: l.dir, Schema: l.schema}
	}
	written := len(bytes.TrimRight(data, "\x00"))
	at := len(line) + 1
	for at < len(data) {
		payload, end, err := record(data, at, l.schema)
		if err != nil && written < end {
			break // the last one: cut short
		}
		if err == nil {
			err = eachOp(payload, replay)
		}
		if err != nil {
			return 0, &DamagedError{File: path, Offset: int64(at), Reason: err.Error()}
		}
		at = end
	}
	return int64(at), nil
}

// record returns the payload of the record at a place in data, and where it ends. If it is not whole, there is an error, and the
// end is the least that it would have.
func record(data []byte, at, schema int) (payload []byte, end int, err error) {
	rest, size := data[at:], headSize
	if schema == 1 {
		size -= 4
	}
	least := at + size + 1 // no payload is empty
	if len(rest) < size {
		return nil, least, errors.New("a record's head is not whole")
	}
	n := binary.LittleEndian.Uint32(rest)
	if n > maxRecord || schema > 1 && crc32.Checksum(rest[:8], crcTable) != binary.LittleEndian.Uint32(rest[8:]) {
		return nil, least, errors.New("the checksum of a record's head is wrong")
	}
	end = at + size + int(n)
	if end > len(data) {
		return nil, end, errors.New("a record is not whole")
	}
	payload = rest[size : size+int(n)]
	if n == 0 || crc32.Checksum(payload, crcTable) != binary.LittleEndian.Uint32(rest[4:]) {
		return nil, max(end, least), errors.New("a record's checksum is wrong")
	}
	return payload, end, nil
}

// frame fills in the head of a record.
func frame(record []byte) []byte {
	head, ops := record[:headSize], record[headSize:]
	binary.LittleEndian.PutUint32(head, uint32(len(ops)))
	binary.LittleEndian.PutUint32(head[4:], crc32.Checksum(ops, crcTable))
	binary.LittleEndian.PutUint32(head[8:], crc32.Checksum(head[:8], crcTable))
	return record
}

// append writes one record, which has room for its head, and returns where it ends. If that fails, the file is as it was before, or
// append fails for good.
func (l *log) append(record []byte) (int64, error) {
	if len(record) > headSize+maxRecord {
		return 0, fmt.Errorf("a change of %d bytes is too large", len(record))
	}
	size := l.size.Load()
	n, err := l.f.Write(frame(record))
	if err != nil {
		return 0, errors.Join(err, l.f.Truncate(size))
	}
	return l.size.Add(int64(n)), nil
}

// waitForDisk returns once the disk has the first end bytes. Whoever comes while another waits is likely to find that the
// other's wait was for both.
func (l *log) waitForDisk(end int64) error {
	l.syncMu.Lock()
	defer l.syncMu.Unlock()
	if l.synced >= end {
		return nil
	}
	if l.lost != nil {
		return l.lost
	}
	size := l.size.Load()
	// After one wait that failed, a later one may succeed though the bytes are lost: systems tell of an error once.
	if l.lost = l.f.Sync(); l.lost != nil {
		return l.lost
	}
	l.synced = size
	return nil
}

func (l *log) syncNowAndThen() {
	t := time.NewTicker(syncEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			_ = l.waitForDisk(l.size.Load()) // whoever needs to know waits for it himself
		case <-l.stop:
			return
		}
	}
}

func (l *log) compactionDue() bool {
	size := l.size.Load()
	return size > minCompact && size > compactFactor*l.baseSize
}

// rewrite replaces the file by one that holds what dump puts. The caller lets nobody append meanwhile.
func (l *log) rewrite(dump func(put func(table, key string, value []byte) error) error) error {
	l.syncMu.Lock()
	defer l.syncMu.Unlock()
	path := filepath.Join(l.dir, logName)
	f, err := os.OpenFile(path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	size, err := writeAll(f, dump)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = replaceFile(l.f, path+".new", path)
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(path+".new"))
	}
	l.f, l.schema = f, Schema
	l.baseSize, l.synced, l.lost = size, size, nil
	l.size.Store(size)
	return syncDir(l.dir)
}

// writeAll writes a whole log, one record a value, and returns its size.
func writeAll(f *os.File, dump func(put func(table, key string, value []byte) error) error) (int64, error) {
	w := bufio.NewWriterSize(f, 1<<20)
	n, err := fmt.Fprintf(w, header, Schema)
	if err != nil {
		return 0, err
	}
	size := int64(n)
	record := make([]byte, headSize)
	err = dump(func(table, key string, value []byte) error {
		record, _ = appendPut(record[:headSize], table, key, func(b []byte) ([]byte, error) { return append(b, value...), nil })
		n, err := w.Write(frame(record))
		size += int64(n)
		return err
	})
	return size, errors.Join(err, w.Flush())
}

// close forces the file to the disk, and lets go of it and of the directory.
func (l *log) close() error {
	close(l.stop)
	l.stopped.Wait()
	return errors.Join(l.lost, l.f.Sync(), l.f.Close(), l.lock.Close())
}
