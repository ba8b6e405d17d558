package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"evo/internal/cli/app"
	"evo/internal/source"
)

// What a person mistypes is a usage error, and is told with what was perhaps meant: commands, flags, and flags' values.

// strict lets every command below cmd refuse words that it does not know.
func strict(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		strict(c)
		check := c.Args
		if c.HasSubCommands() {
			if c.RunE == nil && c.Run == nil {
				c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
			}
			c.Args = func(c *cobra.Command, words []string) error {
				if len(words) == 0 {
					return nil
				}
				return unknownCommand(c, words[0])
			}
			continue
		}
		c.Args = func(c *cobra.Command, words []string) error {
			if check == nil || check(c, words) == nil {
				return nil
			}
			return app.Usagef("%s does not know what to do with %q", c.CommandPath(), words[len(words)-1]).WithHint("see " + c.CommandPath() + " --help")
		}
	}
}

// unknownCommand names the command that was perhaps meant.
func unknownCommand(parent *cobra.Command, word string) error {
	var names []string
	for _, c := range parent.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	called := strings.TrimPrefix(parent.CommandPath()+" "+word, "evo ")
	err := app.Usagef("there is no command %q", called)
	if near, ok := source.Nearest(word, names); ok {
		err = app.Usagef("there is no command %q; did you mean %q?", called, strings.TrimSuffix(called, word)+near)
	}
	return err.WithHint("see " + parent.CommandPath() + " --help")
}

// flagError says what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	see := "see " + cmd.CommandPath() + " --help"
	switch {
	case errors.As(err, &unknown):
		if words := cmd.Flags().Args(); len(words) > 0 && cmd.HasSubCommands() {
			return unknownCommand(cmd, words[0]) // it is that command's flag
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near, ok := source.Nearest(unknown.GetSpecifiedName(), names); ok {
			return app.Usagef("%w; did you mean --%s?", err, near).WithHint(see)
		}
	case errors.As(err, &invalid):
		return app.Usagef("--%s takes %s, not %q", invalid.GetFlag().Name, kinds(invalid.GetFlag().Value.Type()), invalid.GetValue()).WithHint(see)
	}
	return &app.UsageError{Err: err, HintText: see}
}

// kinds names a kind of value as a person does.
func kinds(typ string) string {
	switch typ {
	case "int":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	}
	return fmt.Sprintf("a %s", typ)
}
