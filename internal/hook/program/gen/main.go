// Command gen builds the fitness hook for the machines that Lambda has, and zips it. A zip that is too large is an error: each
// deployment to a new bucket uploads it.
package main

import (
	"archive/zip"
	"compress/flate"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
)

// maxZip is how large a zip may be, in bytes.
const maxZip = 15_000_000

func main() {
	log.SetFlags(0)
	for _, arch := range []string{"amd64", "arm64"} {
		if err := build(arch); err != nil {
			log.Fatalf("build the fitness hook for linux/%s: %v", arch, err)
		}
	}
}

func build(arch string) error {
	folder, err := os.MkdirTemp("", "evo-hook-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	program := filepath.Join(folder, "bootstrap")
	compile := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", program, "evo/cmd/evo-hook")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	compile.Stderr = os.Stderr
	if err := compile.Run(); err != nil {
		return err
	}
	name := filepath.Join("dist", "hook-linux-"+arch+".zip")
	if err := pack(name, program); err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.1f MB\n", name, float64(info.Size())/1e6)
	if info.Size() > maxZip {
		return fmt.Errorf("%s has %d bytes, and %d are the most that it may have", name, info.Size(), maxZip)
	}
	return nil
}

func pack(name, program string) (err error) {
	dst, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := dst.Close(); err == nil {
			err = closeErr
		}
	}()
	src, err := os.Open(program)
	if err != nil {
		return err
	}
	defer src.Close()
	w := zip.NewWriter(dst)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	h.SetMode(0o755)
	entry, err := w.CreateHeader(h)
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, src); err != nil {
		return err
	}
	return w.Close()
}
