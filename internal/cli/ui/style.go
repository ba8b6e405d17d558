// Package ui answers: how is what happens shown on a terminal, and in plain lines where there is none?
//
// Colour is never the only sign: each line says in words or symbols what its colour means.
package ui

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// Style colours text, or leaves it as it is.
type Style struct {
	green, yellow, red, dim, bold lipgloss.Style
}

// NewStyle returns a Style that uses colours if asked to.
func NewStyle(color bool) *Style {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(termenv.Ascii)
	if color {
		r.SetColorProfile(termenv.ANSI)
	}
	fg := func(c string) lipgloss.Style { return r.NewStyle().Foreground(lipgloss.Color(c)) }
	return &Style{green: fg("2"), yellow: fg("3"), red: fg("1"), dim: r.NewStyle().Faint(true), bold: r.NewStyle().Bold(true)}
}

// Green is for what went well, or is added.
func (s *Style) Green(text string) string { return s.green.Render(text) }

// Yellow is for what is under way, or changes.
func (s *Style) Yellow(text string) string { return s.yellow.Render(text) }

// Red is for what went wrong, or is removed.
func (s *Style) Red(text string) string { return s.red.Render(text) }

// Dim is for what matters less.
func (s *Style) Dim(text string) string { return s.dim.Render(text) }

// Bold is for headings.
func (s *Style) Bold(text string) string { return s.bold.Render(text) }

// Status colours CloudFormation's and CodeDeploy's words by what they mean.
func (s *Style) Status(word string) string {
	switch {
	case strings.Contains(word, "FAILED"), strings.Contains(word, "ROLLBACK"), word == "Failed", word == "Stopped", word == "ALARM":
		return s.Red(word)
	case strings.HasSuffix(word, "COMPLETE"), word == "Succeeded", word == "OK":
		return s.Green(word)
	case strings.HasSuffix(word, "IN_PROGRESS"), word == "InProgress":
		return s.Yellow(word)
	}
	return s.Dim(word)
}

// Table writes rows in columns, with a heading; cells are plain text, and paint, if not nil, colours a padded one. The last
// column is not padded.
func Table(w io.Writer, s *Style, head []string, rows [][]string, paint func(col int, cell string) string) error {
	widths := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	line := func(row []string, paint func(int, string) string) string {
		var b strings.Builder
		for i, cell := range row {
			pad := ""
			if i < len(row)-1 {
				pad = strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
			}
			b.WriteString(paint(i, cell) + pad)
		}
		return b.String()
	}
	if paint == nil {
		paint = func(_ int, cell string) string { return cell }
	}
	if _, err := fmt.Fprintln(w, line(head, func(_ int, cell string) string { return s.Bold(cell) })); err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := fmt.Fprintln(w, line(row, paint)); err != nil {
			return err
		}
	}
	return nil
}

// Bytes writes a size as a person reads it.
func Bytes(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
