package findings

import (
	"errors"
	"fmt"

	"evo/internal/sam"
	"evo/internal/source"
)

// Located gives a template's problems the file that they are in.
func Located(err error, path string) error {
	if e, ok := sam.AsError(err); ok {
		return errors.Join(e, e.Diagnostics(path))
	}
	var many source.Diagnostics
	var one *source.Diagnostic
	if !errors.As(err, &many) && errors.As(err, &one) {
		many = source.Diagnostics{one}
	}
	for _, d := range many {
		if d.File == "" {
			d.File = path
		}
	}
	if many != nil {
		return many
	}
	return fmt.Errorf("%s: %w", path, err)
}
