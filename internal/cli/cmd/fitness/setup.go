package fitness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"evo/internal/appraisal"
	"evo/internal/cli/app"
	"evo/internal/fitness"
	"evo/internal/fitness/report"
	"evo/internal/fitness/suitefile"
)

// newInit returns `evo fitness init`.
func newInit(a *app.App) *cobra.Command {
	o := &options{app: a}
	var force bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a fitness.yaml to begin with, for the template at hand",
		Long: `Write a fitness.yaml beside the template: what evo holds its releases to without one, line by line, and commented out what else could be
asked for. It asks for nothing new, so no release is less fit by it.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return o.init(force) },
	}
	o.addTemplate(cmd.Flags())
	cmd.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	return cmd
}

func (o *options) init(force bool) error {
	path, err := o.app.Template(o.template, false)
	if err != nil {
		return err
	}
	t, err := o.read(path)
	if err != nil {
		return err
	}
	var resources []suitefile.Resource
	for _, r := range t.Resources() {
		if !appraisal.Own(r.ID) {
			resources = append(resources, suitefile.Resource{ID: r.ID, Type: r.Type})
		}
	}
	name := filepath.Join(filepath.Dir(path), suitefile.Name)
	if o.suiteFile != "" {
		name = o.app.Path(o.suiteFile)
	}
	if err := create(name, suitefile.Init(resources), force); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return &app.HintedError{Err: fmt.Errorf("%s is there already", o.app.Short(name)), HintText: "--force writes over it; --fitness-file writes another"}
		}
		return fmt.Errorf("write the fitness file: %w", err)
	}
	if o.app.JSON() {
		return o.app.WriteJSON(map[string]string{"file": o.app.Short(name)})
	}
	_, err = fmt.Fprintf(o.app.Out, "wrote %s\n", o.app.Short(name))
	return err
}

// create writes a file that is not there, or with force one that is.
func create(name string, text []byte, force bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(name, flags, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// newSchema returns `evo fitness schema`.
func newSchema(a *app.App) *cobra.Command {
	var reports bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of fitness.yaml, or of release reports",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text := suitefile.Schema()
			if reports {
				text = report.Schema()
			}
			_, err := a.Out.Write(text)
			return err
		},
	}
	cmd.Flags().BoolVar(&reports, "report", false, "of the reports that evo keeps of releases")
	return cmd
}

// newCalibrate returns `evo fitness calibrate`.
func newCalibrate(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:   "calibrate",
		Short: "Print complexity budgets for fitness.yaml, set to what the template has today",
		Long: `Print the complexity part of a fitness.yaml with its budgets set to what the template has today: what is added from then on counts against
the size that the application has now, and not against that of an average one. What the template does not tell (code, cost) keeps its budget.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return o.calibrate() },
	}
	o.addTemplate(cmd.Flags())
	return cmd
}

func (o *options) calibrate() error {
	path, err := o.app.Template(o.template, false)
	if err != nil {
		return err
	}
	t, err := o.read(path)
	if err != nil {
		return err
	}
	_, suite, err := o.app.Suite(o.suiteFile, path)
	if err != nil {
		return err
	}
	c, err := suite.Suite.Complexity.Calibrate(appraisal.Size(t.Architecture))
	if err != nil {
		return err
	}
	if o.app.JSON() {
		return o.app.WriteJSON(c)
	}
	return o.budgets(c)
}

func (o *options) budgets(c fitness.Complexity) error {
	p := o.page()
	p.printf("complexity:\n  lambda: %s\n  budgets:\n", c.Lambda)
	for _, b := range c.Budgets {
		p.printf("    %s: %s\n", b.Dimension, b.Amount)
	}
	return p.err
}
