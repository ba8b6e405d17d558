package restapi

import (
	"fmt"
	"testing"
)

func ids() func() string {
	n := 0
	return func() string { n++; return fmt.Sprint("id", n) }
}

func TestFunctionOf(t *testing.T) {
	const arn = "arn:aws:lambda:us-east-1:000000000000:function:f:live"
	for uri, want := range map[string]string{
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + arn + "/invocations":         arn,
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${stageVariables.f}/invocations": "${stageVariables.f}",
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + arn:                          "",
		"arn:aws:apigateway:us-east-1:sqs:path/x":                                                       "", arn: "", "": "", "a:b:c": "",
	} {
		if got, _ := FunctionOf(uri); got != want {
			t.Errorf("%s: %q, want %q", uri, got, want)
		}
	}
}

func TestExpand(t *testing.T) {
	vars := map[string]string{"a": "1", "b": "2"}
	for text, want := range map[string]string{
		"": "", "x": "x", "f:${stageVariables.a}": "f:1", "${stageVariables.a}${stageVariables.b}x": "12x", "${stageVariables.none}y": "y", "z${stageVariables.a": "z${stageVariables.a",
	} {
		if got := Expand(text, vars); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestBasePath(t *testing.T) {
	swagger := `{"swagger":"2.0","info":{"title":"t"},"basePath":"/base/v1","paths":{"/test":{"get":{}}}}`
	openapi := `{"openapi":"3.0.0","info":{"title":"t"},"servers":[{"url":"https://x.example/{base}","variables":{"base":{"default":"/base/v1"}}}],"paths":{"/test":{"get":{}}}}`
	for mode, want := range map[string]string{"": "/test", "ignore": "/test", "prepend": "/base/v1/test", "split": "/v1/test"} {
		for _, doc := range []string{swagger, openapi} {
			a, _, err := Import(New("a", "", "root"), []byte(doc), Options{BasePath: mode, NewID: ids()})
			if err != nil {
				t.Fatal(err)
			}
			all := a.Sorted()
			if got := all[len(all)-1].Path; got != want {
				t.Errorf("%q: %s, want %s (%.20s)", mode, got, want, doc)
			}
		}
	}
}

func TestMergeKeepsAndOverwriteReplaces(t *testing.T) {
	doc := func(path string) []byte {
		return []byte(`{"swagger":"2.0","info":{"title":"t"},"paths":{"` + path + `":{"get":{}}}}`)
	}
	newID := ids()
	a, _, err := Import(New("a", "", "root"), doc("/a"), Options{NewID: newID})
	if err != nil {
		t.Fatal(err)
	}
	merged, _, err := Import(a, doc("/b"), Options{Merge: true, NewID: newID})
	if err != nil || len(merged.Resources) != 3 {
		t.Errorf("%d resources, %v", len(merged.Resources), err)
	}
	over, _, err := Import(merged, doc("/c"), Options{NewID: newID})
	if err != nil || len(over.Resources) != 2 || len(merged.Resources) != 3 || len(a.Resources) != 2 {
		t.Errorf("%d %d %d resources, %v", len(over.Resources), len(merged.Resources), len(a.Resources), err)
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(`{"swagger":"2.0","info":{"title":"t"},"basePath":"/b","paths":{"/a/{b}/{c+}":{"x-amazon-apigateway-any-method":{"security":[{"k":[]}],"x-amazon-apigateway-integration":{"type":"mock","responses":{"default":{"statusCode":200}}}}}},"securityDefinitions":{"k":{"type":"apiKey","name":"x-api-key"}}}`))
	f.Add([]byte("openapi: 3.0.1\ninfo: {title: t}\npaths:\n  /x:\n    get:\n      parameters: [{$ref: '#/components/parameters/p'}]\n      responses: {'200': {description: ok}}\ncomponents: {schemas: {a: {type: object}}}\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, _, err := Import(New("a", "", "root"), body, Options{BasePath: "prepend", NewID: ids()})
		if err != nil {
			return
		}
		for id, r := range a.Resources {
			if r.ID != id || r.Path == "" || r.Path[0] != '/' {
				t.Errorf("resource %+v under %s", r, id)
			}
			if _, ok := a.Resources[r.Parent]; !ok && id != a.RootID {
				t.Errorf("resource %+v has no parent", r)
			}
		}
	})
}
