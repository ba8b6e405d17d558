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

// Suite is what FitnessFile finds, ready to judge: the default suite, and an empty name, if there is none.
func (a *App) Suite(named, template string) (name string, suite *appraisal.Suite, err error) {
	name, text, err := a.FitnessFile(named, template)
	if err != nil {
		return "", nil, err
	}
	file := suitefile.Default()
	if name != "" {
		if file, err = suitefile.Parse(name, text, a.Now()); err != nil {
			return "", nil, err
		}
	}
	suite, err = appraisal.Prepare(file)
	return name, suite, err
}
