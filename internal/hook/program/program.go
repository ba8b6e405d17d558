// Package program answers: which program is the fitness hook's code? A release of evo carries the hook for Linux on both processors
// inside itself, made by `go generate`; one that was built without them is the hook itself, for the kind of machine that it runs on.
package program

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
)

//go:generate go run ./gen

// carried are zips as hook-linux-amd64.zip, and a README, since an empty folder cannot be embedded.
//
//go:embed dist
var carried embed.FS

// Machine is the kind of machine that a program runs on, in Go's words.
type Machine struct{ OS, Arch string }

// Here is the machine that this program runs on.
func Here() Machine { return Machine{runtime.GOOS, runtime.GOARCH} }

// Lambda returns Lambda's word for the machine's processor.
func (m Machine) Lambda() string {
	if m.Arch == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// ForAWS returns a machine that Lambda has and that there is a hook for: this processor's kind if possible.
func ForAWS() Machine {
	for _, arch := range []string{runtime.GOARCH, "arm64", "amd64"} {
		if m := (Machine{"linux", arch}); m.has() {
			return m
		}
	}
	return Machine{"linux", runtime.GOARCH}
}

func (m Machine) carriedName() string { return path.Join("dist", "hook-"+m.OS+"-"+m.Arch+".zip") }

func (m Machine) has() bool {
	_, err := fs.Stat(carried, m.carriedName())
	return err == nil || m == Here()
}

// MissingError says that there is no hook for a machine.
type MissingError struct{ Machine Machine }

func (e *MissingError) Error() string {
	return fmt.Sprintf("this build of evo has no fitness hook for %s/%s", e.Machine.OS, e.Machine.Arch)
}

// Hint says what a person can do.
func (e *MissingError) Hint() string {
	return "take a released evo, which carries it; or build evo from source after `go generate ./internal/hook/program`; or deploy with --no-gate"
}

// Code is a Lambda function's code: a zip with the hook as its bootstrap. Close frees it.
type Code struct {
	io.ReadSeeker
	Digest string // of the zip, hexadecimal
	Size   int64
	close  func() error
}

// Close frees what the code holds.
func (c *Code) Close() error { return c.close() }

// For returns the hook's code for a machine. The error is a *MissingError if there is none.
func For(ctx context.Context, m Machine) (*Code, error) {
	zipped, err := carried.ReadFile(m.carriedName())
	if err == nil {
		sum := sha256.Sum256(zipped)
		return &Code{bytes.NewReader(zipped), hex.EncodeToString(sum[:]), int64(len(zipped)), func() error { return nil }}, nil
	}
	if m != Here() {
		return nil, &MissingError{m}
	}
	return self(ctx)
}

// self zips this very program. It is not compressed: builds that do this are a developer's, whose cloud is on the same machine.
func self(ctx context.Context) (*Code, error) {
	name, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	src, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read this program: %w", err)
	}
	defer src.Close()
	dst, err := os.CreateTemp("", "evo-hook-*.zip")
	if err != nil {
		return nil, fmt.Errorf("zip the fitness hook: %w", err)
	}
	remove := func() error { return errors.Join(dst.Close(), os.Remove(dst.Name())) }
	hash := sha256.New()
	if err := zipTo(ctx, io.MultiWriter(dst, hash), src, zip.Store); err != nil {
		return nil, errors.Join(fmt.Errorf("zip the fitness hook: %w", err), remove())
	}
	size, err := dst.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = dst.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	return &Code{dst, hex.EncodeToString(hash.Sum(nil)), size, remove}, nil
}

// zipTo writes a zip with one program, without times, so that the same program is the same zip.
func zipTo(ctx context.Context, dst io.Writer, src io.Reader, method uint16) error {
	w := zip.NewWriter(dst)
	h := &zip.FileHeader{Name: "bootstrap", Method: method}
	h.SetMode(0o755)
	entry, err := w.CreateHeader(h)
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, &reader{ctx, src}); err != nil {
		return err
	}
	return w.Close()
}

// reader reads until its context ends.
type reader struct {
	ctx context.Context
	src io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.src.Read(p)
}
