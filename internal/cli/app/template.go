package app

import (
	"fmt"
	"os"

	"evo/internal/cfn"
)

// ReadTemplate reads the template at path; text is what it was read from. What is wrong with the text is a source.Diagnostics.
func ReadTemplate(path string) (root *cfn.Node, text []byte, err error) {
	if text, err = os.ReadFile(path); err != nil {
		return nil, nil, fmt.Errorf("read the template: %w", err)
	}
	root, err = cfn.Parse(path, text)
	return root, text, err
}

// GivenRegion is the region that the flag or the environment names; empty if neither does.
func (a *App) GivenRegion() string {
	for _, region := range []string{a.Region, a.Env("AWS_REGION"), a.Env("AWS_DEFAULT_REGION")} {
		if region != "" {
			return region
		}
	}
	return ""
}
