package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"evo/internal/cli/app"
	"evo/internal/cli/argv"
	"evo/internal/cli/samconfig"
)

// configure gives every option that the command line leaves out its value from the environment (EVO_STACK_NAME), else from
// the configuration file.
func configure(cmd *cobra.Command, a *app.App) error {
	values, from, err := configFile(cmd, a)
	if err != nil {
		return err
	}
	given := givenFlags(cmd.Flags())
	var problems []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		env := "EVO_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		switch file, inFile := fileValue(values, f.Name); {
		case f.Name == "parameter-overrides":
			if v := a.Env(env); v != "" {
				problems = append(problems, prepend(f, []string{v}))
			}
			if inFile {
				problems = append(problems, prepend(f, file))
			}
		case f.Changed:
		case a.Env(env) != "" && f.Name != "help":
			problems = append(problems, set(f, []string{a.Env(env)}, env))
		case inFile:
			problems = append(problems, set(f, file, from))
		}
	})
	if err := errors.Join(problems...); err != nil {
		return &app.UsageError{Err: err}
	}
	if err := checkSettings(cmd, a); err != nil {
		return err
	}
	if a.SaveParams {
		return save(cmd, a, given)
	}
	return nil
}

// fileValue finds an option in the file's values; the template has three names.
func fileValue(values map[string][]string, name string) ([]string, bool) {
	names := []string{name}
	if name == "template-file" {
		names = append(names, "template")
	}
	for _, n := range names {
		if v, ok := values[n]; ok {
			return v, true
		}
	}
	return nil, false
}

// configFile reads the configuration file's values for a command.
func configFile(cmd *cobra.Command, a *app.App) (map[string][]string, string, error) {
	f, err := findConfig(cmd, a)
	if err != nil {
		return nil, "", err
	}
	if f.Ignored != "" && a.Debug {
		fmt.Fprintf(a.Err, "evo: %s is used, and %s is not\n", f.Path, f.Ignored)
	}
	env := a.ConfigEnv
	if v := a.Env("EVO_CONFIG_ENV"); v != "" && !cmd.Flags().Changed("config-env") {
		env = v
	}
	if f.Path != "" && cmd.Flags().Changed("config-env") && !slices.Contains(f.Environments(), env) {
		return nil, "", app.Usagef("%s has no environment %q; it has: %s", f.Path, env, strings.Join(f.Environments(), ", "))
	}
	_, command, _ := strings.Cut(cmd.CommandPath(), " ")
	return f.Values(env, command), f.Path, nil
}

func findConfig(cmd *cobra.Command, a *app.App) (*samconfig.File, error) {
	if a.ConfigFile != "" {
		p := a.Path(a.ConfigFile)
		f, err := samconfig.Read(os.DirFS(filepath.Dir(p)), filepath.Base(p))
		if err != nil {
			return nil, &app.UsageError{Err: err}
		}
		return f, nil
	}
	dir := a.Dir
	if f := cmd.Flags().Lookup("template-file"); f != nil && f.Changed {
		dir = filepath.Dir(a.Path(f.Value.String()))
	}
	for _, d := range []string{dir, a.Dir} {
		f, err := samconfig.Find(os.DirFS(d), ".")
		if err != nil {
			return nil, &app.UsageError{Err: err}
		}
		if f.Path != "" {
			return f, nil
		}
	}
	return &samconfig.File{}, nil
}

func set(f *pflag.Flag, values []string, from string) error {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		var words []string
		for _, v := range values {
			words = append(words, argv.Split(v)...)
		}
		f.Changed = true
		return wrapSet(list.Replace(words), f, from)
	}
	f.Changed = true
	return wrapSet(f.Value.Set(strings.Join(values, " ")), f, from)
}

func wrapSet(err error, f *pflag.Flag, from string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("--%s, from %s: %w", f.Name, from, err)
}

// prepend puts values before those that there are, which win key by key.
func prepend(f *pflag.Flag, values []string) error {
	list := f.Value.(pflag.SliceValue)
	var words []string
	for _, v := range values {
		if strings.Contains(v, "=") && strings.Contains(v, " ") && !strings.ContainsAny(v, `"'`) && strings.Count(v, "=") == 1 {
			words = append(words, v) // an entry of a map or list, whose value has blanks
			continue
		}
		words = append(words, argv.Split(v)...)
	}
	f.Changed = true
	return list.Replace(append(words, list.GetSlice()...))
}

func checkSettings(cmd *cobra.Command, a *app.App) error {
	if a.Target != app.TargetLocal && a.Target != app.TargetAWS {
		return app.Usagef("--target is %s or %s, not %q", app.TargetLocal, app.TargetAWS, a.Target)
	}
	outputs := "text json"
	if own := cmd.Annotations[app.OutputsAnnotation]; own != "" {
		outputs = own
	}
	if words := strings.Fields(outputs); !slices.Contains(words, a.Output) && a.Output != "table" {
		return app.Usagef("--output is %s, not %q", strings.Join(words, " or "), a.Output)
	}
	return nil
}

// notSaved are options about this one call.
var notSaved = map[string]bool{"save-params": true, "config-env": true, "config-file": true, "debug": true, "help": true, "guided": true}

func givenFlags(fs *pflag.FlagSet) []*pflag.Flag {
	var given []*pflag.Flag
	fs.Visit(func(f *pflag.Flag) {
		if !notSaved[f.Name] {
			given = append(given, f)
		}
	})
	return given
}

// save writes the options given on the command line to the configuration file.
func save(cmd *cobra.Command, a *app.App, given []*pflag.Flag) error {
	var params []samconfig.Parameter
	for _, f := range given {
		params = append(params, samconfig.Parameter{Key: f.Name, Value: valueOf(f)})
	}
	path := a.ConfigFile
	if path == "" {
		path = "samconfig.toml"
	}
	if ext := filepath.Ext(path); ext != ".toml" {
		return app.Usagef("--save-params writes TOML, not %s", path)
	}
	_, command, _ := strings.Cut(cmd.CommandPath(), " ")
	return SaveParameters(a.Path(path), a.ConfigEnv, command, params)
}

// SaveParameters sets parameters in a configuration file, which is made if it is not there.
func SaveParameters(path, env, command string, params []samconfig.Parameter) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("save the configuration: %w", err)
	}
	if text, err = samconfig.Save(text, env, command, params); err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("save the configuration: %w", err)
	}
	return nil
}

func valueOf(f *pflag.Flag) any {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	if f.Value.Type() == "bool" {
		return f.Value.String() == "true"
	}
	return f.Value.String()
}
