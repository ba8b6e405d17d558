package report

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"evo/internal/fitness"
	"evo/internal/fitness/exact"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

var digest = strings.Repeat("0123456789abcdef", 4)

// sample is the second release of a small shop: it encrypts, and one score is not known.
func sample(t testing.TB) *Report {
	t.Helper()
	s := fitness.Default()
	s.Functions = nil
	for _, rule := range []string{"s3-bucket-ssl-requests-only", "s3-bucket-versioning-enabled", "dynamodb-pitr-enabled"} {
		e, _ := fitness.Lookup(rule)
		s.Functions = append(s.Functions, e.Function())
	}
	s.Criticality["Orders"] = exact.D(2)
	pair := func(function, resource, kind string, score fitness.Interval) fitness.Pair {
		return fitness.Pair{Function: function, Resource: resource, Type: kind, Score: score, Criticality: s.CriticalityOf(resource, kind), Reason: "as the template says"}
	}
	v1 := &fitness.Release{Name: "v1", Size: fitness.Size{Resources: 3, Cost: 22_500_000}, Pairs: []fitness.Pair{
		pair("s3-bucket-versioning-enabled", "Pictures", "AWS::S3::Bucket", fitness.Known(exact.Zero)),
		pair("s3-bucket-ssl-requests-only", "Pictures", "AWS::S3::Bucket", fitness.Known(exact.Zero)),
		pair("dynamodb-pitr-enabled", "Orders", "AWS::DynamoDB::Table", fitness.Known(exact.One)),
	}}
	v2 := &fitness.Release{Name: "v2", Size: fitness.Size{Resources: 4, Grants: 1, Cost: 22_500_000}, Pairs: []fitness.Pair{
		pair("s3-bucket-versioning-enabled", "Pictures", "AWS::S3::Bucket", fitness.Unknown),
		pair("s3-bucket-ssl-requests-only", "Pictures", "AWS::S3::Bucket", fitness.Known(exact.One)),
		pair("dynamodb-pitr-enabled", "Orders", "AWS::DynamoDB::Table", fitness.Known(exact.One)),
	}}
	first, err := fitness.Decide(nil, v1, s, fitness.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(About{Stack: "shop", Number: 2, Title: "Encryption In Transit", Time: time.Date(2026, 11, 25, 12, 0, 0, 5, time.UTC), Items: digest},
		v1, v2, s, fitness.Options{Basis: &first.Basis, Judged: first.Level})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func encode(t testing.TB, r *Report) []byte {
	t.Helper()
	text, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestReport(t *testing.T) {
	text := encode(t, sample(t))
	if *update {
		if err := os.WriteFile("testdata/v2.json", text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/v2.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("reports have changed: raise Version if old ones cannot be read any more; what came:\n%s", text)
	}
	back, err := Decode(want)
	if err != nil {
		t.Fatal(err)
	}
	if again := encode(t, back); !bytes.Equal(again, want) {
		t.Errorf("read and written again:\n%s", again)
	}
	if got := back.Verdict.Level.Explain().Lost; got == "" || len(back.Verdict.Level.Lost) == 0 {
		t.Error("a report that was read cannot explain its level")
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := string(encode(t, sample(t)))
	for name, c := range map[string]struct{ old, new, want string }{
		"a field of the future":     {`"stack": "shop"`, `"stack": "shop", "mood": 1`, "mood"},
		"a score that was mended":   {`"lo": 0,`, `"lo": 1,`, "does not follow"},
		"a verdict that was mended": {`"decision": "`, `"decision": "un`, "does not follow"},
		"a number with ten digits":  {`"weight": 0.2,`, `"weight": 0.2000000001,`, "more than 9 digits"},
		"no digest":                 {digest, "abc", "no SHA-256"},
		"release zero":              {`"number": 2`, `"number": 0`, "numbered from 1"},
		"local time":                {`12:00:00Z`, `12:00:00+01:00`, "not in UTC"},
		"an unknown function":       {`"function": "dynamodb-pitr-enabled"`, `"function": "x"`, `no function "x"`},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if bad == good {
			t.Errorf("%s: nothing to replace", name)
		}
		if _, err := Decode([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
	if _, err := Decode([]byte(good + "{}")); err == nil {
		t.Error("text after the end was read")
	}
}

func TestNewerVersion(t *testing.T) {
	_, err := Decode([]byte(`{"version": 2, "whatever": true}`))
	var version *VersionError
	if !errors.As(err, &version) || version.Found != 2 || !strings.Contains(version.Hint(), "update") {
		t.Errorf("got %v", err)
	}
}

// TestWordsMayChange reads a report whose verdict another evo has worded.
func TestWordsMayChange(t *testing.T) {
	r := sample(t)
	r.Verdict.Why[0] = "in other words"
	if _, err := Decode(encode(t, r)); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, sample(f)))
	f.Add([]byte(`{"version": 1}`))
	f.Add([]byte(`{"version": 1, "suite": {"complexity": {"budgets": [{"dimension": "x", "weight": 1, "amount": 1}]}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Decode(text)
		if err != nil {
			return
		}
		first := encode(t, r)
		back, err := Decode(first)
		if err != nil {
			t.Fatalf("a report that was read cannot be read again: %v", err)
		}
		if second := encode(t, back); !bytes.Equal(first, second) {
			t.Fatalf("%s\n%s", first, second)
		}
	})
}
