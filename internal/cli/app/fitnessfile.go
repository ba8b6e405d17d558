package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"evo/internal/appraisal"
	"evo/internal/fitness/suitefile"
)

// FitnessFile reads the fitness.yaml: the one named, else one beside the template or in the working directory. Its path is empty if there
// is none.
func (a *App) FitnessFile(named, template string) (path string, text []byte, err error) {
	candidates := []string{filepath.Join(filepath.Dir(template), suitefile.Name), a.Path(suitefile.Name)}
	if named != "" {
		candidates = []string{a.Path(named)}
	}
	for _, path := range candidates {
		text, err := os.ReadFile(path)
		switch {
		case err == nil:
			return path, text, nil
		case named != "" || !errors.Is(err, fs.ErrNotExist):
			return "", nil, (&UsageError{Err: fmt.Errorf("read the fitness file: %w", err)}).WithHint("`evo fitness init` writes one")
		}
	}
	return "", nil, nil
}

// Suite is what FitnessFile finds, read: the default suite, and an empty name, if there is none.
func (a *App) Suite(named, template string) (name string, file *suitefile.File, err error) {
	name, text, err := a.FitnessFile(named, template)
	switch {
	case err != nil:
		return "", nil, err
	case name == "":
		return "", suitefile.Default(), nil
	}
	if file, err = suitefile.Parse(name, text, a.Now()); err == nil {
		_, err = appraisal.Prepare(file)
	}
	return name, file, err
}
