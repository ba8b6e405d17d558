package cloudformation

import (
	"errors"
	"fmt"
	"strconv"

	"evo/internal/cloud/call"
	"evo/internal/source"
)

// invalid is CloudFormation's answer to most that it does not like.
func invalid(format string, args ...any) error {
	return call.Errorf("ValidationError", format, args...)
}

// wording is what a template error says, in CloudFormation's words alone: where it stands is for people at a terminal.
func wording(err error) string {
	var d *source.Diagnostic
	if errors.As(err, &d) {
		return d.Message
	}
	var e *call.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// place says where in a template a problem is, as CloudFormation does.
func place(err error) string {
	var d *source.Diagnostic
	if errors.As(err, &d) && d.Span.IsValid() {
		return fmt.Sprintf("line %d, column %d", d.Span.Start.Line, d.Span.Start.Col)
	}
	return ""
}

// refuse makes a ValidationError of a template error.
func refuse(err error) error {
	if err == nil {
		return nil
	}
	return invalid("%s", wording(err))
}

const pageSize = 100

// page returns the items that a token points at, and the token of what follows.
func page[T any](all []T, token *string) ([]T, *string, error) {
	from := 0
	if token != nil {
		n, err := strconv.Atoi(*token)
		if err != nil || n < 0 || n > len(all) {
			return nil, nil, invalid("NextToken is invalid")
		}
		from = n
	}
	all = all[from:]
	if len(all) <= pageSize {
		return all, nil, nil
	}
	next := strconv.Itoa(from + pageSize)
	return all[:pageSize], &next, nil
}
