// Package app answers: what does every command share? The streams, the settings that all commands take, the SDK clients'
// configuration made when it is first asked for, and the errors that choose the exit code.
package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/term"
)

// The targets that evo deploys to.
const (
	TargetLocal = "local"
	TargetAWS   = "aws"
)

// App is what commands work with. Tests fill it as they need.
type App struct {
	Streams
	Settings
	Version string
	Env     func(string) string // the environment
	Dir     string              // the working directory
	Now     func() time.Time

	// AWS returns the SDK clients' configuration for the target. For a local one it starts the embedded cloud if none runs.
	AWS func(ctx context.Context) (aws.Config, error)

	lines *bufio.Reader // over In, once something has been asked
}

// Settings are the values of the options that all commands take.
type Settings struct {
	Target     string // TargetLocal or TargetAWS
	Region     string
	Profile    string
	Endpoint   string // the embedded cloud's, if another than the usual one
	Output     string // "text" or "json"
	Debug      bool
	NoColor    bool
	ConfigEnv  string
	ConfigFile string
	SaveParams bool
}

// OutputsAnnotation is where a command names the forms of its output, if there are more than text and json.
const OutputsAnnotation = "outputs"

// JSON reports whether results are wanted as JSON.
func (s *Settings) JSON() bool { return s.Output == "json" }

// Streams are the command's input and output. Results go to Out, and nothing else; what is told meanwhile goes to Err.
type Streams struct {
	In             io.Reader
	Out, Err       io.Writer
	InTTY, OutTTY  bool
	ErrTTY         bool
	Width          int  // columns of the terminal; 80 where there is none
	Interactive    bool // a person can be asked: terminals, and no CI
	ColorSupported bool
}

// System returns the process's own streams.
func System() Streams {
	s := Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTTY: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTTY: term.IsTerminal(int(os.Stderr.Fd())),
		Width:  80,
	}
	if w, _, err := term.GetSize(int(os.Stderr.Fd())); err == nil && w > 20 {
		s.Width = w
	}
	s.Interactive = s.InTTY && s.ErrTTY && os.Getenv("CI") == ""
	s.ColorSupported = colorWanted(os.Getenv, s.ErrTTY)
	return s
}

// colorWanted follows the conventions that terminal programs share; the first that speaks decides.
func colorWanted(env func(string) string, tty bool) bool {
	switch {
	case env("NO_COLOR") != "", env("SAM_CLI_NO_COLOR") != "", env("CLICOLOR") == "0", env("TERM") == "dumb":
		return false
	case env("CLICOLOR_FORCE") != "" && env("CLICOLOR_FORCE") != "0":
		return true
	}
	return tty
}

// Color reports whether what is told may have colours.
func (a *App) Color() bool { return a.ColorSupported && !a.NoColor }

// Path makes a path that a person gave absolute.
func (a *App) Path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(a.Dir, p)
}

// Short writes a path as seen from the working directory, if it is in there.
func (a *App) Short(p string) string {
	if rel, err := filepath.Rel(a.Dir, p); p != "" && err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return p
}

// templateNames in the order in which SAM CLI looks for them.
var templateNames = []string{"template.yaml", "template.yml", "template.json"}

// Template returns the template's path: the one given, or the first of the usual names, after the built one where built is
// true.
func (a *App) Template(given string, built bool) (string, error) {
	if given == "" {
		given = a.Env("SAM_TEMPLATE_FILE")
	}
	if given != "" {
		p := a.Path(given)
		if _, err := os.Stat(p); err != nil {
			return "", Usagef("there is no template %s: %w", a.Short(p), errors.Unwrap(err)).WithHint("name the template with --template-file")
		}
		return p, nil
	}
	names := templateNames
	if built {
		names = append([]string{filepath.Join(".aws-sam", "build", "template.yaml")}, names...)
	}
	for _, name := range names {
		if p := a.Path(name); isFile(p) {
			return p, nil
		}
	}
	return "", Usagef("no template here: none of %s", strings.Join(names, ", ")).WithHint(
		"name one with --template-file, or make a project with `evo init`")
}

func isFile(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.Mode().IsRegular()
}

// WriteJSON writes a command's result as one document: indented, with <, > and & as they are.
func (a *App) WriteJSON(v any) error {
	enc := json.NewEncoder(a.Out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
