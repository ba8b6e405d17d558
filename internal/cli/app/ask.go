package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Ask asks for a line; an empty one means the default.
func (a *App) Ask(question, def string) (string, error) {
	if def != "" {
		question += " [" + def + "]"
	}
	fmt.Fprint(a.Err, question+": ")
	line, err := a.line()
	if err != nil {
		return "", err
	}
	if line == "" {
		return def, nil
	}
	return line, nil
}

// AskSecret asks for a line that is shown neither as it is typed nor as the default; an empty one means the default.
func (a *App) AskSecret(question, def string) (string, error) {
	if def != "" {
		question += " [*****]"
	}
	fmt.Fprint(a.Err, question+": ")
	line, err := a.hiddenLine()
	if err == nil && line == "" {
		line = def
	}
	return line, err
}

// hiddenLine reads a line without its echo, where there is a terminal that would echo it.
func (a *App) hiddenLine() (string, error) {
	f, ok := a.In.(*os.File)
	if !ok || !a.InTTY {
		return a.line()
	}
	text, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(a.Err)
	if err != nil {
		return "", &ExitError{Code: ExitFailure, Err: fmt.Errorf("no answer: %w", err)}
	}
	return strings.TrimSpace(string(text)), nil
}

// Confirm asks a yes-or-no question until the answer is one.
func (a *App) Confirm(question string, def bool) (bool, error) {
	choice := "y/N"
	if def {
		choice = "Y/n"
	}
	for {
		fmt.Fprintf(a.Err, "%s [%s]: ", question, choice)
		line, err := a.line()
		if err != nil {
			return false, err
		}
		switch strings.ToLower(line) {
		case "":
			return def, nil
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		fmt.Fprintln(a.Err, "Please answer y or n.")
	}
}

// line reads a line of the input, and not a byte more, since what follows is for the next question.
func (a *App) line() (string, error) {
	if a.lines == nil {
		a.lines = bufio.NewReader(a.In)
	}
	line, err := a.lines.ReadString('\n')
	if err != nil && !(errors.Is(err, io.EOF) && line != "") {
		return "", &ExitError{Code: ExitFailure, Err: errors.New("no answer: the input has ended")}
	}
	return strings.TrimSpace(line), nil
}
