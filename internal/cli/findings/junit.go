package findings

import (
	"encoding/xml"
	"fmt"
	"io"
)

// The parts of JUnit's report that build servers read: a suite a template, a case a rule and resource.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitFailure `xml:"failure"`
		Skipped *junitFailure `xml:"skipped"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes the findings as test results. What cannot be told is skipped.
func JUnit(w io.Writer, all []Finding) error {
	out := junitSuites{Name: "evo check"}
	for i := range all {
		f := &all[i]
		if !f.judged() {
			continue
		}
		if n := len(out.Suites); n == 0 || out.Suites[n-1].Name != f.File {
			out.Suites = append(out.Suites, junitSuite{Name: f.File})
		}
		out.Suites[len(out.Suites)-1].add(f)
	}
	for _, s := range out.Suites {
		out.Tests, out.Failures, out.Skipped = out.Tests+s.Tests, out.Failures+s.Failures, out.Skipped+s.Skipped
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(f *Finding) {
	c := junitCase{Class: f.Rule, Name: f.Resource, File: f.File, Line: f.Line}
	s.Tests++
	switch {
	case f.Failed():
		s.Failures++
		c.Failure = &junitFailure{f.Reason, fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Resource, f.Reason)}
	case f.open():
		s.Skipped++
		c.Skipped = &junitFailure{Message: f.Reason}
	}
	s.Cases = append(s.Cases, c)
}
