package objecturl

import "testing"

func TestParse(t *testing.T) {
	for location, want := range map[string]Object{
		"s3://b/k/l":                                  {"b", "k/l", ""},
		"s3://b/k?versionId=v":                        {"b", "k", "v"},
		"https://b.s3.amazonaws.com/k/l":              {"b", "k/l", ""},
		"https://b.s3-eu-west-1.amazonaws.com/k":      {"b", "k", ""},
		"https://s3.us-east-1.amazonaws.com/b/k":      {"b", "k", ""},
		"http://127.0.0.1:4566/b/k%20l?versionId=v":   {"b", "k l", "v"},
		"http://b.s3.localhost:4566/k":                {"b", "k", ""},
		"http://localhost:4566/b/k?X-Amz-Signature=0": {"b", "k", ""},
	} {
		if got, ok := Parse(location); !ok || got != want {
			t.Errorf("%s: %v, %v", location, got, ok)
		}
	}
	for _, location := range []string{"", "b/k", "./LICENSE", "s3://b", "s3://b/", "https://s3.amazonaws.com/b", "https://example.com/b/k", "ftp://s3.amazonaws.com/b/k", "://"} {
		if got, ok := Parse(location); ok {
			t.Errorf("%s: %v", location, got)
		}
	}
}
