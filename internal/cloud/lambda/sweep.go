package lambda

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"evo/internal/cloud/store"
)

// sweep removes code that no function and no layer has any more, and what a killed cloud has left half written. It must not
// run while functions are made.
func (s *Service) sweep() error {
	used := map[string]bool{}
	s.cfg.Store.View(func(tx *store.Tx) {
		for _, v := range s.tables.versions.Ascend(tx, "") {
			used[v.CodeHash] = true
			for _, l := range v.Layers { // also of layers that have been deleted
				used[l.Hash] = true
			}
		}
		for _, l := range s.tables.layers.Ascend(tx, "") {
			used[l.Hash] = true
		}
	})
	var errs []error
	for _, dir := range []string{filepath.Dir(s.zipFile("x")), filepath.Dir(s.unpacked("x"))} {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			errs = append(errs, err)
		}
		for _, e := range entries {
			if !used[strings.TrimSuffix(e.Name(), ".zip")] {
				errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
			}
		}
	}
	return errors.Join(errs...)
}
