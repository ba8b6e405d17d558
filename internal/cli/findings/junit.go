package findings

import (
	"encoding/xml"
	"fmt"
	"io"

	"evo/internal/rules"
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
func JUnit(w io.Writer, all []Template) error {
	out := junitSuites{Name: "evo check"}
	for i := range all {
		if suite := suiteOf(&all[i]); suite.Tests > 0 {
			out.Suites = append(out.Suites, suite)
		}
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

func suiteOf(t *Template) junitSuite {
	s := junitSuite{Name: t.File}
	for i := range t.Verdicts {
		v := &t.Verdicts[i]
		c := junitCase{Class: v.Rule, Name: v.Resource, File: t.File, Line: int(v.Span.Start.Line)}
		switch v.Compliance {
		case rules.NotApplicable:
			continue
		case rules.NonCompliant:
			s.Failures++
			c.Failure = &junitFailure{v.Reason, fmt.Sprintf("%s:%d: %s: %s", c.File, c.Line, v.Resource, v.Reason)}
		case rules.InsufficientData:
			s.Skipped++
			c.Skipped = &junitFailure{Message: v.Reason}
		}
		s.Tests++
		s.Cases = append(s.Cases, c)
	}
	return s
}
