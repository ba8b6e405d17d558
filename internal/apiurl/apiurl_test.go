package apiurl

import "testing"

func TestParse(t *testing.T) {
	for text, want := range map[string][2]string{
		"https://abc123.execute-api.us-east-1.amazonaws.com/Prod/search/{q}": {"abc123", "/Prod/search/{q}"},
		"https://abc123.execute-api.cn-north-1.amazonaws.com.cn":             {"abc123", ""},
		"https://bucket.s3.amazonaws.com/x":                                  {},
		"see https://abc123.execute-api.us-east-1.amazonaws.com/":            {},
	} {
		id, rest, ok := Parse(text)
		if id != want[0] || rest != want[1] || ok != (want[0] != "") {
			t.Errorf("Parse(%q) = %q, %q, %v", text, id, rest, ok)
		}
		if ok && idOf(AWS(id, "eu-west-1", "amazonaws.com")) != id {
			t.Errorf("AWS(%q) does not parse", id)
		}
	}
}

func idOf(text string) string { id, _, _ := Parse(text); return id }

func TestLocal(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:4566": "http://abc.execute-api.localhost:4566",
		"http://evo":            "http://abc.execute-api.localhost",
		"http://%":              "",
	} {
		if got := Local(endpoint, "abc"); got != want {
			t.Errorf("Local(%q) = %q, want %q", endpoint, got, want)
		}
	}
	if !IsLocal("abc.execute-api.localhost") || IsLocal("abc.execute-api.us-east-1.amazonaws.com") {
		t.Error("IsLocal takes one for the other")
	}
}
