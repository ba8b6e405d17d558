// Package initcmd is `evo init`: it makes a new project, a small API whose next releases shift traffic gradually, or one of what is
// somewhere else.
package initcmd

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"text/template"

	"github.com/spf13/cobra"

	"evo/internal/cli/app"
	"evo/internal/rules/runtimes"
)

//go:embed all:files
var files embed.FS

// offered are the runtimes that a project can have, the newest of each language first: those that AWS supports. The last is Go's.
func offered() []string {
	names := slices.DeleteFunc(runtimes.Supported(), func(name string) bool {
		return !strings.HasPrefix(name, "python") && !strings.HasPrefix(name, "nodejs")
	})
	return append(names, "provided.al2023")
}

// fullName is the newest runtime of a language, or the name itself if it is none's.
func fullName(name string) string {
	language := map[string]string{"python": "python", "nodejs": "nodejs", "node": "nodejs", "go": "provided", "go1.x": "provided"}[name]
	if i := slices.IndexFunc(offered(), func(runtime string) bool { return strings.HasPrefix(runtime, language) }); language != "" && i >= 0 {
		return offered()[i]
	}
	return name
}

type options struct {
	app          *app.App
	Name         string
	Runtime      string
	Architecture string
	dir          string
	packageType  string
	appTemplate  string
	location     string
	ask          bool
}

// New returns the command.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	noInteractive := false
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a new project",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.ask = a.Interactive && !noInteractive
			return o.run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&o.Name, "name", "n", "", "the project's name, and its folder's")
	fs.StringVarP(&o.Runtime, "runtime", "r", "", "python, nodejs or go, or a runtime such as python3.12")
	fs.StringVarP(&o.Architecture, "architecture", "a", "x86_64", "x86_64 or arm64")
	fs.StringVarP(&o.dir, "output-dir", "o", ".", "where the project's folder goes")
	fs.StringVarP(&o.packageType, "package-type", "p", "Zip", "Zip")
	fs.StringVar(&o.appTemplate, "app-template", "hello-world", "hello-world")
	fs.StringVarP(&o.location, "location", "l", "", "start from a folder, a zip file or its URL, a git repository's URL, or a published application's ARN")
	fs.StringP("dependency-manager", "d", "", "has no effect: each language has one")
	fs.BoolVar(&noInteractive, "no-interactive", false, "do not ask")
	for _, name := range []string{"no-input", "tracing", "application-insights", "structured-logging"} {
		fs.Bool(name, false, "has no effect")
	}
	fs.String("extra-context", "", "has no effect")
	fs.StringP("base-image", "i", "", "not supported: container images")
	return cmd
}

var validName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,127}$`) })

func (o *options) run(ctx context.Context) error {
	fill := o.write
	if o.location != "" {
		fill = func(dir string) error { return o.start(ctx, dir) }
		if err := o.nameAfterLocation(); err != nil {
			return err
		}
	} else if err := o.complete(); err != nil {
		return err
	} else if err := o.check(); err != nil {
		return err
	}
	if err := o.place(fill); err != nil {
		return err
	}
	fmt.Fprintf(o.app.Err, "Made %s.\n\nNext:\n  cd %s\n  evo build\n  evo deploy\n", filepath.Join(o.app.Path(o.dir), o.Name), filepath.Join(o.dir, o.Name))
	return nil
}

// place makes the project's folder: beside it first, so that it is there whole or not at all.
func (o *options) place(fill func(dir string) error) (err error) {
	parent := o.app.Path(o.dir)
	dir := filepath.Join(parent, o.Name)
	if _, err := os.Stat(dir); err == nil {
		return &app.HintedError{Err: fmt.Errorf("%s exists already", dir), HintText: "choose another --name or --output-dir, or remove it first"}
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("make the project: %w", err)
	}
	tmp, err := os.MkdirTemp(parent, ".evo-init-*")
	if err != nil {
		return fmt.Errorf("make the project: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	made := filepath.Join(tmp, o.Name)
	if err := os.Mkdir(made, 0o755); err != nil {
		return fmt.Errorf("make the project: %w", err)
	}
	if err := fill(made); err != nil {
		return fmt.Errorf("make the project: %w", err)
	}
	return os.Rename(made, dir)
}

// complete asks for what was not given, or says that it is needed.
func (o *options) complete() (err error) {
	for _, q := range []struct {
		value         *string
		question, def string
		option        string
	}{{&o.Runtime, "Runtime (python, nodejs, go)", "python", "--runtime"}, {&o.Name, "Project name", "sam-app", "--name"}} {
		if *q.value != "" {
			continue
		}
		if !o.ask {
			return app.Usagef("which one? %s is needed", q.option).WithHint("for example: evo init --name my-function --runtime python")
		}
		if *q.value, err = o.app.Ask(q.question, q.def); err != nil {
			return err
		}
	}
	o.Runtime = fullName(o.Runtime)
	return nil
}

func (o *options) check() error {
	switch {
	case o.packageType != "Zip":
		return app.Usagef("--package-type %s is not supported: evo builds zips", o.packageType)
	case o.appTemplate != "hello-world":
		return app.Usagef("there is no --app-template %q; there is: hello-world", o.appTemplate)
	case !validName().MatchString(o.Name):
		return o.badName()
	case !slices.Contains([]string{"x86_64", "arm64"}, o.Architecture):
		return app.Usagef("--architecture is x86_64 or arm64, not %q", o.Architecture)
	case !slices.Contains(offered(), o.Runtime):
		return app.Usagef("evo init makes no project for runtime %q; it does for %s", o.Runtime, strings.Join(offered(), ", "))
	}
	return nil
}

func (o *options) badName() *app.UsageError {
	return app.Usagef("a project's name is of letters, digits and hyphens, and begins with a letter, not %q", o.Name).WithHint("name it with --name")
}

func (o *options) language() string {
	switch {
	case strings.HasPrefix(o.Runtime, "python"):
		return "python"
	case strings.HasPrefix(o.Runtime, "nodejs"):
		return "nodejs"
	}
	return "go"
}

// Handler is what the template names.
func (o *options) Handler() string {
	return map[string]string{"python": "app.handler", "nodejs": "app.handler", "go": "bootstrap"}[o.language()]
}

// Go reports whether the project is in Go, which needs to be told how to build.
func (o *options) Go() bool { return o.language() == "go" }

// write writes the files that all projects have, and the language's own. A file's name loses its ending .tmpl.
func (o *options) write(dir string) error {
	for _, root := range []string{"files/common", "files/" + o.language()} {
		err := fs.WalkDir(files, root, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return o.writeFile(p, filepath.Join(dir, filepath.FromSlash(strings.TrimSuffix(strings.TrimPrefix(p, root+"/"), ".tmpl"))))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *options) writeFile(from, to string) error {
	text, err := files.ReadFile(from)
	if err != nil {
		return err
	}
	t, err := template.New(path.Base(from)).Delims("<<", ">>").Parse(string(text))
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := t.Execute(&b, o); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, []byte(b.String()), 0o644)
}
