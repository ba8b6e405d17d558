package measure

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"pgregory.net/rapid"

	"evo/internal/cfn"
	"evo/internal/fitness/suitefile"
)

func node(t testing.TB, text string) *cfn.Node {
	t.Helper()
	n, err := cfn.ParseValue("", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLacks(t *testing.T) {
	for _, c := range []struct{ want, got, problem string }{
		{"{status: ok}", `{"status": "ok", "id": 7}`, ""},
		{"{status: ok}", `{"status": "sold out"}`, `status is "sold out", and should be "ok"`},
		{"{order: {id: 7}}", `{"order": {"id": 7.0}}`, ""},
		{"{order: {id: 7}}", `{"order": {}}`, "the answer has no order.id"},
		{"{order: {id: 7}}", `{"order": [7]}`, `order is [7], and should be {"id":7}`},
		{"{items: [{id: 2}]}", `{"items": [{"id": 1}, {"id": 2, "name": "tea"}]}`, ""},
		{"{items: [3]}", `{"items": [1, 2]}`, "items has no entry 3"},
		{"{n: '7'}", `{"n": 7}`, `n is 7, and should be "7"`},
		{"{gone: null}", `{"gone": null}`, ""},
		{"{open: true}", `{"open": true}`, ""},
		{"{open: true}", `{"open": "true"}`, `open is "true", and should be true`},
		{"{big: 12345678901234567890}", `{"big": 12345678901234567891}`, "big is 12345678901234567891"},
		{"hello", `hello`, ""},
		{"hello", `"hello"`, ""},
		{"{a: 1}", `<html>`, "the answer is not JSON: <html>"},
		{"{a: 1}", `{"a": 1} and more`, "the answer is not JSON"},
		{"7", ``, "the answer is not JSON"},
	} {
		got := lacks(node(t, c.want), []byte(c.got))
		if (got == "") != (c.problem == "") || !strings.Contains(got, c.problem) {
			t.Errorf("%s in %s: got %q, want %q", c.want, c.got, got, c.problem)
		}
	}
}

// values are any values of JSON.
func values(depth int) *rapid.Generator[*cfn.Node] {
	scalars := []*rapid.Generator[*cfn.Node]{
		rapid.Just(&cfn.Node{}), rapid.Map(rapid.Bool(), cfn.Boolean), rapid.Map(rapid.Int64(), cfn.Integer), rapid.Map(rapid.String(), cfn.Str)}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	list := rapid.Map(rapid.SliceOfN(values(depth-1), 0, 4), func(items []*cfn.Node) *cfn.Node { return cfn.Arr(items...) })
	object := rapid.Map(rapid.MapOfN(rapid.StringMatching(`[a-z]{1,3}`), values(depth-1), 0, 4), func(m map[string]*cfn.Node) *cfn.Node {
		n := cfn.Obj()
		for k, v := range m {
			n.Set(k, v)
		}
		return n
	})
	return rapid.OneOf(append(scalars, list, object)...)
}

// TestLacksLaws: every value is in itself, and stays in it whatever is added.
func TestLacksLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := values(3).Draw(t, "value")
		got := want.Clone()
		more(got)
		text, err := got.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if problem := lacks(want, text); problem != "" {
			t.Fatalf("%s: %s", text, problem)
		}
	})
}

// more adds something to every list and map.
func more(n *cfn.Node) {
	for _, item := range n.List() {
		more(item)
	}
	for _, p := range n.Entries() {
		more(p.Value)
	}
	switch n.Kind {
	case cfn.List:
		n.Items = append([]*cfn.Node{cfn.Str("more")}, n.Items...)
	case cfn.Map:
		n.Set("more", cfn.Str("more"))
	}
}

func TestUnmet(t *testing.T) {
	shaped := func(payload string) *answer {
		a := &answer{took: 20 * time.Millisecond}
		a.returned(&lambda.InvokeOutput{Payload: []byte(payload)})
		return a
	}
	failed := &answer{}
	failed.returned(&lambda.InvokeOutput{FunctionError: aws.String("Unhandled"), Payload: []byte(`{"errorType":"Error","errorMessage":"out of\nstock"}`)})
	for name, c := range map[string]struct {
		expect  suitefile.Expectation
		answer  *answer
		problem string
	}{
		"status":             {suitefile.Expectation{Status: 201}, shaped(`{"statusCode": 201}`), ""},
		"other status":       {suitefile.Expectation{Status: 200}, shaped(`{"statusCode": 500, "body": "oh no"}`), "the status is 500, and should be 200: oh no"},
		"no status":          {suitefile.Expectation{Status: 200}, shaped(`{"ok": true}`), "the answer has no status"},
		"body in the answer": {suitefile.Expectation{Body: node(t, "{id: 7}")}, shaped(`{"id": 7}`), ""},
		"body of JSON":       {suitefile.Expectation{Body: node(t, "{id: 7}")}, shaped(`{"statusCode": 200, "body": "{\"id\": 7}"}`), ""},
		"body as a value":    {suitefile.Expectation{Body: node(t, "{id: 7}")}, shaped(`{"statusCode": 200, "body": {"id": 7}}`), ""},
		"body in base64":     {suitefile.Expectation{Body: node(t, "{id: 7}")}, shaped(`{"statusCode": 200, "isBase64Encoded": true, "body": "eyJpZCI6IDd9"}`), ""},
		"the whole":          {suitefile.Expectation{Body: node(t, "{statusCode: 200}")}, shaped(`{"statusCode": 200, "body": ""}`), ""},
		"neither":            {suitefile.Expectation{Body: node(t, "{id: 8}")}, shaped(`{"statusCode": 200, "body": "{\"id\": 7}"}`), "id is 7, and should be 8"},
		"contains":           {suitefile.Expectation{Contains: `"tea"`}, shaped(`{"statusCode": 200, "body": "[\"tea\"]"}`), ""},
		"contains not":       {suitefile.Expectation{Contains: "coffee"}, shaped(`["tea"]`), `the answer does not contain "coffee": ["tea"]`},
		"in time":            {suitefile.Expectation{Within: 20 * time.Millisecond}, shaped(`{}`), ""},
		"too late":           {suitefile.Expectation{Within: 19 * time.Millisecond}, shaped(`{}`), "the answer took 20ms, and may take 19ms"},
		"an error":           {suitefile.Expectation{Within: time.Second}, failed, "the function failed: Error: out of stock"},
	} {
		if got := unmet(&c.expect, c.answer); (got == "") != (c.problem == "") || !strings.Contains(got, c.problem) {
			t.Errorf("%s: got %q, want %q", name, got, c.problem)
		}
	}
}
