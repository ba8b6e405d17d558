// Package report answers: what is kept of how fit a release was, so that it can be told, compared with, and checked later?
//
// A report is JSON with a version. It holds all that the verdict followed from (the suite, both releases' pairs and sizes, the
// basis) beside the verdict itself, and [Decode] computes the verdict again: a report whose numbers do not follow from what
// it says is refused. Numbers are exact: decimals as JSON numbers with up to nine digits, fractions as strings.
package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"evo/internal/fitness"
)

// Version is that of the reports that Encode writes. It rises when a field, or what follows from the fields, changes.
const Version = 1

// MaxSize is how large a report may be that Decode reads, in bytes: far more than 500 resources with all functions have.
const MaxSize = 64 << 20

// Report is what is kept of a release.
type Report struct {
	Version int       `json:"version"`
	Stack   string    `json:"stack"`
	Number  int       `json:"number"` // of the release: 1, 2, …
	Title   string    `json:"title"`  // such as "Encryption At Rest"; may be empty
	Time    time.Time `json:"time"`   // when it was judged: UTC, whole seconds
	Items   string    `json:"items"`  // SHA-256 of the configuration items that were judged, in hexadecimal

	Suite     fitness.Suite       `json:"suite"`
	Release   fitness.Release     `json:"release"`             // its pairs are those that count: without excepted ones
	Reference *fitness.Release    `json:"reference,omitempty"` // as scored under Suite; nil for the first release
	Excepted  fitness.Excepted    `json:"excepted"`
	Basis     *fitness.Basis      `json:"basis,omitempty"` // that came in; the verdict has the one that goes out
	Rebased   bool                `json:"rebased,omitempty"`
	Judged    *fitness.Assessment `json:"judged,omitempty"` // the reference's level as it was judged when it was released

	Verdict fitness.Verdict `json:"verdict"`
}

// About is what a report says of a release beside its fitness.
type About struct {
	Stack    string
	Number   int
	Title    string
	Time     time.Time
	Items    string
	Excepted fitness.Excepted
}

// New judges a release, as fitness.Decide does, and reports it.
func New(about About, reference, release *fitness.Release, s *fitness.Suite, o fitness.Options) (*Report, error) {
	r := &Report{Version: Version, Stack: about.Stack, Number: about.Number, Title: about.Title, Time: about.Time.UTC().Truncate(time.Second), Items: about.Items,
		Suite: *s, Release: ordered(*release), Excepted: about.Excepted, Basis: o.Basis, Rebased: o.Rebase, Judged: o.Judged}
	if reference != nil {
		old := ordered(*reference)
		r.Reference = &old
	}
	r.Verdict.Override, r.Verdict.Rollback = o.Override, o.Rollback
	v, err := r.decide()
	if err != nil {
		return nil, fmt.Errorf("judge release %d of stack %s: %w", about.Number, about.Stack, err)
	}
	r.Verdict = *v
	return r, r.check()
}

func (r *Report) decide() (*fitness.Verdict, error) {
	return fitness.Decide(r.Reference, &r.Release, &r.Suite, fitness.Options{Basis: r.Basis, Rebase: r.Rebased, Judged: r.Judged, Override: r.Verdict.Override, Rollback: r.Verdict.Rollback})
}

// ordered brings pairs into their one order.
func ordered(release fitness.Release) fitness.Release {
	release.Pairs = append([]fitness.Pair{}, release.Pairs...)
	slices.SortStableFunc(release.Pairs, func(a, b fitness.Pair) int {
		if c := strings.Compare(a.Function, b.Function); c != 0 {
			return c
		}
		return strings.Compare(a.Resource, b.Resource)
	})
	return release
}

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// check reports what no report may say.
func (r *Report) check() error {
	switch {
	case r.Stack == "":
		return errors.New("the report names no stack")
	case r.Number < 1:
		return fmt.Errorf("releases are numbered from 1, not %d", r.Number)
	case !hexDigest.MatchString(r.Items):
		return fmt.Errorf("the digest of the configuration items %.70q is no SHA-256", r.Items)
	case r.Time.IsZero() || r.Time.Location() != time.UTC || r.Time.Nanosecond() != 0:
		return fmt.Errorf("the time %s is not in UTC and whole seconds", r.Time)
	}
	return nil
}

// Encode writes the report. The same report gives the same bytes, and ends in a line feed.
func (r *Report) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(r); err != nil {
		return nil, fmt.Errorf("write the report of release %d: %w", r.Number, err)
	}
	return b.Bytes(), nil
}

// VersionError is a report that another evo wrote.
type VersionError struct{ Found int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("the report has version %d, and this evo reads up to %d", e.Found, Version)
}

// Hint says what to do about it.
func (e *VersionError) Hint() string {
	if e.Found > Version {
		return "a newer evo wrote it: update this one"
	}
	return "no evo wrote such a report: is it one at all?"
}

// Decode reads a report, strictly. The error is a *VersionError if another version is asked for.
func Decode(text []byte) (*Report, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("read a fitness report: it has %d bytes, more than %d", len(text), MaxSize)
	}
	var head struct{ Version int }
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("read a fitness report: %w", err)
	}
	if head.Version != Version {
		return nil, fmt.Errorf("read a fitness report: %w", &VersionError{head.Version})
	}
	r := &Report{}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(r); err != nil {
		return nil, fmt.Errorf("read a fitness report: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read a fitness report: there is text after its end")
	}
	if err := r.verify(); err != nil {
		return nil, fmt.Errorf("read a fitness report: %w", err)
	}
	return r, nil
}

// verify computes the verdict again and compares its numbers: its words may be another evo's.
func (r *Report) verify() error {
	if err := r.check(); err != nil {
		return err
	}
	v, err := r.decide()
	if err != nil {
		return err
	}
	if r.Verdict.Level == nil || !sameNumbers(v, &r.Verdict) {
		return errors.New("its verdict does not follow from what it says: it has been changed, or was written by another evo of the same version")
	}
	r.Verdict.Level = v.Level // which knows the pairs' losses too
	return nil
}

// sameNumbers compares all of a verdict that is not words.
func sameNumbers(a, b *fitness.Verdict) bool {
	x, err := json.Marshal(numbers(a))
	y, err2 := json.Marshal(numbers(b))
	return err == nil && err2 == nil && bytes.Equal(x, y)
}

func numbers(v *fitness.Verdict) fitness.Verdict {
	out := *v
	out.Why, out.Warnings, out.Findings = [3]string{}, nil, nil
	for _, f := range v.Findings {
		f.Text = ""
		out.Findings = append(out.Findings, f)
	}
	return out
}
