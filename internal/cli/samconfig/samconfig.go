// Package samconfig answers: which values does a project's samconfig.toml give a command?
//
// The file is SAM CLI's: looked for beside the template, as samconfig.toml, .yaml or .yml; a table
// [<environment>.<command>.parameters] for each command, whose words are joined by "_", and one named global for all; keys are
// long option names with "_" for "-". evo reads tables of its own commands in the same way.
package samconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v4"
)

// DefaultEnvironment is the one that counts where none is named.
const DefaultEnvironment = "default"

// names in the order in which they win.
var names = []string{"samconfig.toml", "samconfig.yaml", "samconfig.yml"}

// File is a configuration file that was read. The zero File has no values.
type File struct {
	Path    string // within the file system it came from; empty if there was none
	Ignored string // another configuration file beside it, which does not count
	tables  map[string]any
}

// Find reads the configuration file in dir, if there is one.
func Find(fsys fs.FS, dir string) (*File, error) {
	var found []string
	for _, name := range names {
		p := path.Join(dir, name)
		if _, err := fs.Stat(fsys, p); err == nil {
			found = append(found, p)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("look for the configuration file: %w", err)
		}
	}
	if len(found) == 0 {
		return &File{}, nil
	}
	f, err := Read(fsys, found[0])
	if err == nil && len(found) > 1 {
		f.Ignored = found[1]
	}
	return f, err
}

// Read reads the configuration file p, which must exist.
func Read(fsys fs.FS, p string) (*File, error) {
	data, err := fs.ReadFile(fsys, p)
	if err != nil {
		return nil, fmt.Errorf("read the configuration file: %w", err)
	}
	f := &File{Path: p}
	if path.Ext(p) == ".toml" {
		err = toml.Unmarshal(data, &f.tables)
	} else {
		err = yaml.Unmarshal(data, &f.tables)
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration file %s: %w", p, describe(err))
	}
	if len(f.tables) > 0 && f.tables["version"] == nil {
		return nil, fmt.Errorf("read the configuration file %s: it has no version: write `version = 0.1` at its top", p)
	}
	return f, nil
}

// describe gives a TOML error its place.
func describe(err error) error {
	var d *toml.DecodeError
	if errors.As(err, &d) {
		line, col := d.Position()
		return fmt.Errorf("line %d, column %d: %w", line, col, err)
	}
	return err
}

// Environments returns the names of the file's environments, in order.
func (f *File) Environments() []string {
	var envs []string
	for name, v := range f.tables {
		if _, ok := v.(map[string]any); ok {
			envs = append(envs, name)
		}
	}
	sort.Strings(envs)
	return envs
}

// Values returns what the file says for a command, its words joined by blanks ("local invoke"), in an environment: option
// name, with "-", to values. The command's own table wins over the global one.
func (f *File) Values(env, command string) map[string][]string {
	values := map[string][]string{}
	for _, table := range []string{"global", strings.NewReplacer(" ", "_", "-", "_").Replace(command)} {
		for key, v := range f.parameters(env, table) {
			values[strings.ReplaceAll(key, "_", "-")] = texts(v)
		}
	}
	return values
}

func (f *File) parameters(env, table string) map[string]any {
	e, _ := f.tables[env].(map[string]any)
	t, _ := e[table].(map[string]any)
	p, _ := t["parameters"].(map[string]any)
	return p
}

// texts writes a value as the words that the command line would have: a map as K=V, a list as its elements.
func texts(v any) []string {
	switch v := v.(type) {
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, texts(e)...)
		}
		return out
	case map[string]any:
		out := make([]string, 0, len(v))
		for k, e := range v {
			out = append(out, k+"="+strings.Join(texts(e), ","))
		}
		sort.Strings(out)
		return out
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}
	case nil:
		return []string{""}
	}
	return []string{fmt.Sprint(v)}
}

// Parameter is one value to save.
type Parameter struct {
	Key   string // as an option, with "-"
	Value any    // string, bool, or []string
}

// Save returns the file's text (TOML; may be empty) with the parameters set in a command's table. All else stays as it is,
// comments too. Values of more than one line are refused.
func Save(text []byte, env, command string, params []Parameter) ([]byte, error) {
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	if len(bytes.TrimSpace(text)) == 0 {
		lines = []string{"version = 0.1"}
	}
	header := fmt.Sprintf("[%s.%s.parameters]", env, strings.NewReplacer(" ", "_", "-", "_").Replace(command))
	start, end := table(lines, header)
	for _, p := range params {
		line, err := assignment(p)
		if err != nil {
			return nil, err
		}
		if at := keyLine(lines[start:end], line); at >= 0 {
			lines[start+at] = line
			continue
		}
		if start == 0 { // no such table yet
			lines = append(lines, "", header)
			start, end = len(lines), len(lines)
		}
		lines = append(lines[:end], append([]string{line}, lines[end:]...)...)
		end++
	}
	out := []byte(strings.Join(lines, "\n") + "\n")
	var check map[string]any
	if err := toml.Unmarshal(out, &check); err != nil {
		return nil, fmt.Errorf("save the configuration: the file would not be readable any more: %w", describe(err))
	}
	return out, nil
}

// table returns the lines of a table's body, without blank ones at its end; 0, 0 if it is not there.
func table(lines []string, header string) (start, end int) {
	for i, line := range lines {
		line = strings.ReplaceAll(strings.TrimSpace(line), " ", "")
		switch {
		case start == 0 && strings.HasPrefix(line, header):
			start, end = i+1, i+1
		case start > 0 && strings.HasPrefix(line, "["):
			return start, end
		case start > 0 && line != "":
			end = i + 1
		}
	}
	return start, end
}

func keyLine(lines []string, assignment string) int {
	key, _, _ := strings.Cut(assignment, " ")
	for i, line := range lines {
		if k, _, ok := strings.Cut(line, "="); ok && strings.TrimSpace(k) == key {
			return i
		}
	}
	return -1
}

func assignment(p Parameter) (string, error) {
	value, err := toml.Marshal(map[string]any{strings.ReplaceAll(p.Key, "-", "_"): p.Value})
	if err != nil {
		return "", fmt.Errorf("save %s: %w", p.Key, err)
	}
	line := strings.TrimRight(string(value), "\n")
	if strings.Contains(line, "\n") {
		return "", fmt.Errorf("save %s: a value of several lines", p.Key)
	}
	return line, nil
}
