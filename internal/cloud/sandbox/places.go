package sandbox

import (
	"path/filepath"
	"strings"
)

// places writes this machine's folders as those in which AWS has the same, where they leave the sandbox: in logs, and in
// errors. The process itself sees the folders as they are: a mount namespace of its own would need rights that not every
// machine gives, and a path that a function builds from __file__ or LAMBDA_TASK_ROOT must lead to its files.
type places struct {
	here    []string
	replace *strings.Replacer
}

// newPlaces knows a function's code, its layers, and the bootstraps of its runtime.
func newPlaces(fn *Function, runtime string) *places {
	p := &places{}
	var pairs []string
	add := func(here, there string) {
		for _, form := range spellings(here) {
			p.here = append(p.here, form)
			pairs = append(pairs, form, there)
		}
	}
	add(fn.Code, "/var/task")
	for _, l := range fn.Layers {
		add(l, "/opt")
	}
	if runtime != "" {
		for _, family := range []string{"node", "python"} {
			add(filepath.Join(runtime, family), "/var/runtime")
		}
	}
	p.replace = strings.NewReplacer(pairs...)
	return p
}

// spellings are a folder's name as it was given, and as interpreters write it who resolve links.
func spellings(dir string) []string {
	if dir == "" {
		return nil
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil && real != dir {
		return []string{real, dir}
	}
	return []string{dir}
}

// show is a text with AWS's folders in it.
func (p *places) show(text string) string {
	if p == nil {
		return text
	}
	for _, dir := range p.here {
		if strings.Contains(text, dir) {
			return p.replace.Replace(text)
		}
	}
	return text
}
