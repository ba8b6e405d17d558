package input

import (
	"encoding/json"
	"strings"
	"testing"
)

const event = `{"version":"0","detail":{"state":"in \"use\"","n":12345678901234567890,"items":[{"id":"a <b>"},{"id":2}],"order id":7,"none":null},"resources":["arn:1"]}`

func TestFor(t *testing.T) {
	paths := map[string]string{"state": "$.detail.state", "item": "$.detail.items[0]", "n": "$.detail.n", "gone": "$.detail.gone.more", "none": "$.detail.none"}
	for _, c := range []struct {
		name string
		in   Input
		want string // "" is an error
	}{
		{"whole", Input{}, event},
		{"constant", Input{Constant: `{"a": 1}`}, `{"a": 1}`},
		{"path", Input{Path: "$.detail.items[0].id"}, `"a <b>"`},
		{"the root", Input{Path: "$"}, `{"detail":{"items":[{"id":"a <b>"},{"id":2}],"n":12345678901234567890,"none":null,"order id":7,"state":"in \"use\""},"resources":["arn:1"],"version":"0"}`},
		{"a large number", Input{Path: "$.detail.n"}, `12345678901234567890`},
		{"quoted name", Input{Path: "$.detail['order id']"}, `7`},
		{"path to nothing", Input{Path: "$.detail.items[2]"}, `null`},
		{"an index of an object", Input{Path: "$.detail[0]"}, `null`},
		{"template of text", Input{Template: `"is <state>, <n>, <gone>."`, Paths: paths}, `"is in \"use\", 12345678901234567890, ."`},
		{"template of an object", Input{Template: `{"s": <state>, "i": <item>, "g": <gone>, "z": <none>, "t": "x <item>"}`, Paths: paths},
			`{"s": "in \"use\"", "i": {"id":"a <b>"}, "g": null, "z": null, "t": "x {\"id\":\"a <b>\"}"}`},
		{"an escaped quote", Input{Template: `{"s": "\"<state>\""}`, Paths: paths}, `{"s": "\"in \"use\"\""}`},
		{"reserved", Input{Template: `{"rule": <aws.events.rule-name>, "v": "<aws.events.rule-name>"}`}, `{"rule": "nightly", "v": "nightly"}`},
		{"no JSON", Input{Template: `<state> is it`, Paths: paths}, ``},
		{"what nobody knows", Input{Template: `"<other>"`, Paths: paths}, ``},
	} {
		got, err := c.in.For([]byte(event), map[string]string{"rule-name": "nightly"})
		if string(got) != c.want && c.want != "" || (err != nil) != (c.want == "") {
			t.Errorf("%s: %s, %v", c.name, got, err)
		}
	}
	got, err := Input{Template: `{"e": <aws.events.event>}`}.For([]byte(event), nil)
	if err != nil || !json.Valid(got) || !strings.Contains(string(got), `"order id":7`) {
		t.Errorf("the whole event in a template: %s, %v", got, err)
	}
}

func TestCheck(t *testing.T) {
	for _, in := range []Input{
		{Constant: "{"}, {Constant: "plain"}, {Path: "detail"}, {Path: "$..x"}, {Path: "$.a[*]"}, {Path: "$.a b"}, {Path: "$[9999999999]"},
		{Template: `"<x>"`}, {Template: `{"a": <x>`, Paths: map[string]string{"x": "$.a"}}, {Template: `"x"`, Paths: map[string]string{"x": "a"}},
	} {
		if in.Check() == nil {
			t.Errorf("%+v is taken", in)
		}
	}
	for _, in := range []Input{{}, {Constant: `"x"`}, {Path: "$"}, {Template: "<x> as a line", Paths: map[string]string{"x": "$.a"}}, {Template: `{"a": <aws.events.event>, "b": "<x>"}`, Paths: map[string]string{"x": "$"}}} {
		if err := in.Check(); err != nil {
			t.Errorf("%+v: %v", in, err)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add(`{"a": <x>, "b": "\"<x>\""}`, "$.detail.items[0]")
	f.Add(`"<x>`, "$['a']")
	f.Fuzz(func(t *testing.T, template, path string) {
		in := Input{Template: template, Paths: map[string]string{"x": path}}
		if in.Check() != nil || template == "" {
			return
		}
		if got, err := in.For([]byte(event), nil); err == nil && !json.Valid(got) {
			t.Errorf("%q makes %q", template, got)
		}
	})
}
