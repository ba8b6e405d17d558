package sandbox

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
)

// bootstraps are the programs that run Node.js and Python functions.
//
//go:embed bootstrap
var bootstraps embed.FS

// writeBootstraps puts the bootstraps into a folder of dir that is named by their content, unless it is there already.
func writeBootstraps(dir string) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(bootstraps, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := bootstraps.ReadFile(path)
		sum.Write(b)
		return err
	})
	if err != nil {
		return "", err
	}
	dest := filepath.Join(dir, hex.EncodeToString(sum.Sum(nil)[:8]))
	if exists(dest) {
		return dest, nil
	}
	work := dest + newMark()
	defer os.RemoveAll(work)
	tree, err := fs.Sub(bootstraps, "bootstrap")
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(work, tree); err != nil {
		return "", err
	}
	if err := os.Rename(work, dest); err != nil && !exists(dest) {
		return "", err
	}
	return dest, nil
}
