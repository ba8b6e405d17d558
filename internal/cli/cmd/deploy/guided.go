package deploy

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"evo/internal/cli/app"
	"evo/internal/cli/params"
	"evo/internal/cli/samconfig"
)

// guide asks the questions of `deploy --guided`.
type guide struct {
	app     *app.App
	options *options
	dir     string // the template's
	given   map[string]string
	secret  map[string]bool
}

func (g *guide) run(path string) error {
	fmt.Fprintln(g.app.Err, "Each question shows its default; Enter takes it.")
	steps := []func() error{
		g.stack, g.region,
		func() error { return g.parameters(path) },
		g.confirmChanges, g.capabilities, g.rollback, g.save,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (g *guide) stack() (err error) {
	def := g.options.stack
	if def == "" {
		def = "sam-app"
	}
	g.options.stack, err = g.app.Ask("Stack Name", def)
	return err
}

func (g *guide) region() (err error) {
	g.app.Region, err = g.app.Ask("AWS Region", cmp.Or(g.app.GivenRegion(), "us-east-1"))
	return err
}

func (g *guide) parameters(path string) error {
	root, _, err := app.ReadTemplate(path)
	if err != nil {
		return err
	}
	if g.given, err = params.Overrides(g.options.overrides); err != nil {
		return &app.UsageError{Err: err}
	}
	g.secret = map[string]bool{}
	for _, p := range root.Get("Parameters").Entries() {
		def, ok := g.given[p.Key]
		if !ok {
			def, _ = p.Value.Get("Default").Scalar()
		}
		ask := g.app.Ask
		if hidden, _ := p.Value.Get("NoEcho").Bool(); hidden {
			g.secret[p.Key], ask = true, g.app.AskSecret
		}
		value, err := ask("Parameter "+p.Key, def)
		if err != nil {
			return err
		}
		g.given[p.Key] = value
		g.options.overrides = append(g.options.overrides, p.Key+"="+value)
	}
	return nil
}

func (g *guide) confirmChanges() (err error) {
	g.options.confirm, err = g.app.Confirm("Confirm changes before deploy", g.options.confirm)
	return err
}

func (g *guide) capabilities() error {
	if len(g.options.capabilities) > 0 {
		return nil
	}
	ok, err := g.app.Confirm("Allow IAM role creation", true)
	if err != nil {
		return err
	}
	answer := "CAPABILITY_IAM"
	if !ok {
		if answer, err = g.app.Ask("Capabilities", ""); err != nil {
			return err
		}
	}
	g.options.capabilities = trimmedFields(answer)
	return nil
}

func (g *guide) rollback() (err error) {
	g.options.disableRollback, err = g.app.Confirm("Disable rollback", g.options.disableRollback)
	return err
}

func (g *guide) save() error {
	ok, err := g.app.Confirm("Save arguments to configuration file", true)
	if err != nil || !ok {
		return err
	}
	name, err := g.app.Ask("Configuration file", "samconfig.toml")
	if err != nil {
		return err
	}
	env, err := g.app.Ask("Configuration environment", "default")
	if err != nil {
		return err
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(g.dir, name)
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("save the configuration: %w", err)
	}
	if text, err = samconfig.Save(text, env, "deploy", g.answers()); err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("save the configuration: %w", err)
	}
	fmt.Fprintf(g.app.Err, "Saved to %s; from now on `evo deploy` is enough.\n", name)
	return nil
}

// answers are what is saved; never the values of parameters that are not to be shown.
func (g *guide) answers() []samconfig.Parameter {
	o := g.options
	answers := []samconfig.Parameter{
		{Key: "stack-name", Value: o.stack},
		{Key: "resolve-s3", Value: o.upload.Bucket == ""},
		{Key: "s3-prefix", Value: o.stack},
		{Key: "region", Value: g.app.Region},
		{Key: "confirm-changeset", Value: o.confirm},
		{Key: "capabilities", Value: o.capabilities},
		{Key: "disable-rollback", Value: o.disableRollback},
	}
	var overrides []string
	for _, w := range o.overrides {
		if values, err := params.Overrides([]string{w}); err == nil {
			for key := range values {
				if !g.secret[key] {
					overrides = append(overrides, w)
				}
			}
		}
	}
	if len(overrides) > 0 {
		answers = append(answers, samconfig.Parameter{Key: "parameter-overrides", Value: overrides})
	}
	return answers
}
