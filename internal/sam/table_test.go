package sam

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"evo/internal/cfn"
)

func texts(v *value) []string {
	var out []string
	for _, k := range v.keys() {
		out = append(out, k.text)
	}
	return out
}

// The order of a table's keys depends on how it came about: colliding keys swap with every clone.
func TestTableOrder(t *testing.T) {
	const authType, authorizer = "x-amazon-apigateway-authtype", "x-amazon-apigateway-authorizer"
	v := newTable()
	for _, k := range []string{"type", "name", "in", authType, authorizer} {
		v.set(k, null())
	}
	first := []string{authType, "type", "name", authorizer, "in"}
	second := []string{"in", "type", "name", authorizer, authType}
	for i, want := range [][]string{first, second, first} {
		if got := texts(v); !slices.Equal(got, want) {
			t.Errorf("after %d clones: got %v, want %v", i, got, want)
		}
		v = v.clone()
	}
}

func TestTableDelete(t *testing.T) {
	v := newTable()
	for i := range 100 {
		v.set(strconv.Itoa(i), integer(i))
	}
	for i := range 100 {
		if i%3 != 0 {
			v.delete(strconv.Itoa(i))
		}
	}
	if v.len() != 34 || len(v.keys()) != 34 || v.get("33").text != "33" || v.has("34") {
		t.Errorf("after deletions: %d entries, keys %v", v.len(), texts(v))
	}
	for i := range 100 {
		v.set(strconv.Itoa(i), integer(i))
	}
	if v.len() != 100 || len(v.keys()) != 100 {
		t.Errorf("after setting again: %d entries", v.len())
	}
}

// TestVectors compares with what Python 2.7's dictionaries and printing gave.
func TestVectors(t *testing.T) {
	root := os.Getenv("EVO_CONFORMANCE")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "conformance")
	}
	text, err := os.ReadFile(filepath.Join(root, "sam", "py27-vectors.json"))
	if err != nil {
		t.Skipf("no vectors: %v", err)
	}
	var vectors struct {
		Hash  []struct{ S, Hash string }
		Dicts []struct {
			Ops  [][]any
			Keys []string
		}
		Repr []struct {
			String *string
			Marked bool
			Text   string
		}
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, h := range vectors.Hash {
		want, err := strconv.ParseUint(h.Hash, 16, 64)
		if err != nil || hashKey(h.S) != want {
			t.Errorf("hash of %q: got %016x, want %s", h.S, hashKey(h.S), h.Hash)
		}
	}
	for i, d := range vectors.Dicts {
		if got := texts(runOps(d.Ops)); !slices.Equal(got, d.Keys) {
			t.Errorf("table %d, %v: got %v, want %v", i, d.Ops, got, d.Keys)
		}
	}
	for _, r := range vectors.Repr {
		if r.String == nil {
			continue
		}
		v := &value{kind: cfn.String, text: *r.String, marked: r.Marked}
		if got := v.textForm(withMarks); got != r.Text {
			t.Errorf("text of %q: got %s, want %s", *r.String, got, r.Text)
		}
	}
}

func runOps(ops [][]any) *value {
	v := newTable()
	for _, op := range ops {
		switch op[0] {
		case "set":
			v.set(op[1].(string), null())
		case "delete":
			v.delete(op[1].(string))
		case "update":
			other := newMap()
			for _, k := range op[1].([]any) {
				other.set(k.(string), null())
			}
			v.update(other)
		case "copy":
			v = v.copy()
		case "deepcopy":
			v = v.clone()
		}
	}
	return v
}

func TestTextForms(t *testing.T) {
	v := tableOf("a", list(str("it's"), markedStr("ä\n"), null(), boolean(true)), "n", &value{kind: cfn.Float, text: "1e2"})
	if got, want := v.textForm(withMarks), `{'a': ["it's", u'\xe4\n', None, True], 'n': 100.0}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	o := object("b", str("é<&>😀"), "a", list(&value{kind: cfn.Float, text: "1.0"}, integer(2), object()))
	if got, want := dumpJSON(o, compactJSON), `{"a":[1.0,2,{}],"b":"\u00e9<&>\ud83d\ude00"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := dumpJSON(o, jsonStyle{item: ",", key: ": ", sorted: true, indent: " "}), "{\n \"a\": [\n  1.0,\n  2,\n  {}\n ],\n \"b\": \"\\u00e9<&>\\ud83d\\ude00\"\n}"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for literal, want := range map[string]string{"1": "1.0", "0.0001": "0.0001", "0.00001": "1e-05", "1e16": "1e+16", "1.5e15": "1500000000000000.0"} {
		if got := floatText(literal); got != want {
			t.Errorf("%s: got %s, want %s", literal, got, want)
		}
	}
}

func TestIDs(t *testing.T) {
	data := object("MemorySize", 256, "S3Bucket", "b", "S3Key", "k", "Variables", object("A", "1", "B", ref("P")))
	if got := hashedID("V", data); got != "V45875aa822" {
		t.Errorf("got %s", got)
	}
	if got := hashedID("V", object()); got != "V" {
		t.Errorf("without data: got %s", got)
	}
	if suffixedID("P", "Prod") != "PProd" || len(suffixedID("P", "a-b")) != 1+hashLength || suffixedID("P", "") != "P" {
		t.Error("suffixes are wrong")
	}
}

// All embedded data can be read.
func TestData(t *testing.T) {
	if got := managedPolicyPath("aws", "AWSLambdaBasicExecutionRole"); got != "service-role/AWSLambdaBasicExecutionRole" {
		t.Errorf("got %q", got)
	}
	if managedPolicyPath("aws-cn", "NoSuchPolicy") != "" || len(managedPolicies()) < 3000 {
		t.Error("the managed policies are not what they should be")
	}
	if n := policyTemplates().len(); n != 81 {
		t.Errorf("%d policy templates", n)
	}
	if connectorData().get("permissions").len() < 30 {
		t.Error("connectors are missing")
	}
}
