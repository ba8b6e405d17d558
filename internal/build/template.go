package build

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"evo/internal/cfn"
	"evo/internal/cfn/localpath"
)

// write writes the template that names what was built.
func (b *builder) write(units []*unit) error {
	for _, place := range localpath.Places(b.root) {
		if v := place.Value(); v.Is(cfn.String) {
			place.Set(cfn.Str(b.fromBuild(v.Str())))
		}
	}
	if global := b.root.At("Globals", "Function"); global.Get("CodeUri").Is(cfn.String) {
		global.Set("CodeUri", cfn.Str(b.fromBuild(global.Get("CodeUri").Str())))
	}
	for _, u := range units {
		dir, ok := b.result.Built[u.id]
		if !ok {
			continue
		}
		rel, err := filepath.Rel(b.BuildDir, dir)
		if err != nil {
			return err
		}
		props := u.node.Get("Properties")
		if props == nil {
			props = cfn.Obj()
			u.node.Set("Properties", props)
		}
		props.Set(u.property, cfn.Str(filepath.ToSlash(rel)))
	}
	b.result.Template = filepath.Join(b.BuildDir, "template.yaml")
	if err := os.WriteFile(b.result.Template, b.root.YAML(), 0o644); err != nil {
		return fmt.Errorf("write the built template: %w", err)
	}
	return nil
}

// fromBuild makes a path that was relative to the base folder relative to the build folder.
func (b *builder) fromBuild(path string) string {
	if path == "" || localpath.IsRemote(path) || filepath.IsAbs(path) {
		return path
	}
	abs := filepath.Join(b.BaseDir, filepath.FromSlash(path))
	if _, err := os.Stat(abs); errors.Is(err, os.ErrNotExist) {
		return path // whatever it is, it is no local file
	}
	rel, err := filepath.Rel(b.BuildDir, abs)
	if err != nil {
		return abs
	}
	return filepath.ToSlash(rel)
}
