package measure

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"evo/internal/cfn"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/suitefile"
)

// unmet says what an answer lacks, or nothing. What is not asked for does not matter, but a function must not fail.
func unmet(e *suitefile.Expectation, a *answer) string {
	switch {
	case a.fault != "":
		return "the function failed: " + a.fault
	case e.Status != 0 && a.status == 0:
		return fmt.Sprintf("the answer has no status, and should have %d", e.Status)
	case e.Status != 0 && a.status != e.Status:
		return fmt.Sprintf("the status is %d, and should be %d: %s", a.status, e.Status, short(string(a.body)))
	case e.Contains != "" && !bytes.Contains(a.body, []byte(e.Contains)):
		return fmt.Sprintf("the answer does not contain %q: %s", e.Contains, short(string(a.body)))
	}
	if e.Body != nil {
		if problem := lacks(e.Body, a.body); problem != "" && lacks(e.Body, a.whole) != "" {
			return problem
		}
	}
	if e.Within > 0 && a.took > e.Within {
		return fmt.Sprintf("the answer took %s, and may take %s", a.took.Round(time.Millisecond), e.Within)
	}
	return ""
}

// lacks says which of the wanted values are not in a text of JSON, or nothing. A wanted text may also be the answer itself.
func lacks(want *cfn.Node, text []byte) string {
	got, err := decode(text)
	if err != nil {
		if want.Is(cfn.String) && want.Text == string(text) {
			return ""
		}
		return "the answer is not JSON: " + short(string(text))
	}
	return missing(want, got, "")
}

func decode(text []byte) (any, error) {
	var got any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&got); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("there is text after the value")
	}
	return got, nil
}

// missing says which of the wanted values are not in what was got, or nothing. Every key of a map is wanted, and every entry of a list,
// wherever in the list it stands; there may be more of both.
func missing(want *cfn.Node, got any, path string) string {
	switch {
	case want.Is(cfn.Map):
		fields, ok := got.(map[string]any)
		if !ok {
			return differs(want, got, path)
		}
		for _, p := range want.Pairs {
			value, ok := fields[p.Key]
			if !ok {
				return "the answer has no " + join(path, p.Key)
			}
			if problem := missing(p.Value, value, join(path, p.Key)); problem != "" {
				return problem
			}
		}
		return ""
	case want.Is(cfn.List):
		entries, ok := got.([]any)
		if !ok {
			return differs(want, got, path)
		}
		return unlisted(want.Items, entries, path)
	case !equal(want, got):
		return differs(want, got, path)
	}
	return ""
}

func unlisted(want []*cfn.Node, got []any, path string) string {
	for _, w := range want {
		found := false
		for _, g := range got {
			found = found || missing(w, g, "") == ""
		}
		if !found {
			return fmt.Sprintf("%s has no entry %s", place(path), literal(w))
		}
	}
	return ""
}

// equal compares scalars. Numbers are equal by value: 1 is 1.0.
func equal(want *cfn.Node, got any) bool {
	switch got := got.(type) {
	case nil:
		return want.IsNull()
	case bool:
		b, ok := want.Bool()
		return ok && b == got
	case string:
		return want.Is(cfn.String) && want.Text == got
	case json.Number:
		if !want.Is(cfn.Int) && !want.Is(cfn.Float) {
			return false
		}
		a, errA := exact.ParseRat(want.Text)
		b, errB := exact.ParseRat(got.String())
		return errA == nil && errB == nil && a.Equal(b) || want.Text == got.String()
	}
	return false
}

func differs(want *cfn.Node, got any, path string) string {
	text, err := json.Marshal(got)
	if err != nil {
		text = []byte("something else") // what was decoded can be encoded
	}
	return fmt.Sprintf("%s is %s, and should be %s", place(path), short(string(text)), literal(want))
}

func place(path string) string {
	if path == "" {
		return "the answer"
	}
	return path
}

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

func literal(n *cfn.Node) string {
	text, err := n.MarshalJSON()
	if err != nil {
		return n.Text
	}
	return short(string(text))
}
