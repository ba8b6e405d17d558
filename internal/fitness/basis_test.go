package fitness

import (
	"fmt"
	"slices"
	"testing"

	"evo/internal/fitness/exact"
)

// tables is a release with so many tables, each with two pairs.
func tables(name string, n int) *Release {
	r := &Release{Name: name}
	for i := range n {
		for _, f := range []string{"dynamodb-pitr-enabled", "dynamodb-autoscaling-enabled"} {
			r.Pairs = append(r.Pairs, Pair{Function: f, Resource: fmt.Sprint("Table", i), Criticality: exact.One})
		}
	}
	return r
}

func TestBasis(t *testing.T) {
	s := Default()
	first := NextBasis(s, nil, nil, tables("v1", 4), false)
	harder := Default()
	harder.Function("dynamodb-pitr-enabled").Severity = Critical
	redefined := Default()
	redefined.Function("dynamodb-pitr-enabled").Definition += ", parameters {}"
	retitled := Default()
	retitled.Function("dynamodb-pitr-enabled").Title, retitled.Complexity.Lambda = "another", 0
	bucket := tables("v3", 4)
	bucket.Pairs = append(bucket.Pairs, Pair{Function: "s3-bucket-logging-enabled", Resource: "Logs", Criticality: exact.One})
	for name, c := range map[string]struct {
		suite   *Suite
		before  *Basis
		old     *Release
		new     *Release
		request bool
		release string
		links   int
		reason  LinkReason
	}{
		"the first":                     {s, nil, tables("v1", 4), tables("v2", 1), false, "v1", 0, FirstRelease},
		"kept":                          {s, &first, tables("v2", 7), tables("v3", 20), false, "v1", 0, FirstRelease},
		"doubled":                       {s, &first, tables("v2", 8), tables("v3", 1), false, "v2", 1, SizeChanged},
		"halved":                        {s, &first, tables("v2", 2), tables("v3", 9), false, "v2", 1, SizeChanged},
		"asked for":                     {s, &first, tables("v2", 4), tables("v3", 4), true, "v2", 1, Requested},
		"another severity":              {harder, &first, tables("v2", 4), tables("v3", 4), false, "v2", 1, RequirementsChanged},
		"another definition":            {redefined, &first, tables("v2", 4), tables("v3", 4), false, "v2", 1, RequirementsChanged},
		"another title or λ":            {retitled, &first, tables("v2", 4), tables("v3", 4), false, "v1", 0, FirstRelease},
		"a new characteristic":          {s, &first, tables("v2", 4), bucket, false, "v1", 1, NewCharacteristic},
		"a new characteristic at first": {s, nil, tables("v1", 4), bucket, false, "v1", 0, NewCharacteristic},
	} {
		got := NextBasis(c.suite, c.before, c.old, c.new, c.request)
		if got.Release != c.release || got.Links != c.links || got.Reason != c.reason {
			t.Errorf("%s: got %s of %s after %d", name, got.Reason, got.Release, got.Links)
		}
	}
	if got := NextBasis(s, &first, bucket, bucket, false).Totals[Reliability]; !got.Equal(exact.Whole(30)) || len(first.Totals) != 2 {
		t.Errorf("extending a basis keeps its totals (%s), and does not touch the one before", got)
	}
}

// TestCriticalityIsNoImprovement lowers it for what is bad: the requirement changed, not the release.
func TestCriticalityIsNoImprovement(t *testing.T) {
	s := Default()
	at := func(c exact.Decimal, score string) *Release {
		return &Release{Name: "v", Pairs: []Pair{{Function: "dynamodb-pitr-enabled", Resource: "Orders", Score: Known(dec(score)), Criticality: c},
			{Function: "s3-bucket-versioning-enabled", Resource: "Pictures", Score: Known(exact.One), Criticality: exact.One}}}
	}
	b := NextBasis(s, nil, nil, at(exact.One, "0"), false)
	got, err := Compare(s, &b, at(exact.One, "0"), at(dec("0.1"), "0.5"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := Compare(s, &b, at(dec("0.1"), "0"), at(dec("0.1"), "0.5"))
	if err != nil {
		t.Fatal(err)
	}
	if !got.Decided.Lo.Equal(want.Decided.Lo) || got.Decided.Lo.Text(2) != "3.00" {
		t.Errorf("gained %s, of which the criticality should give nothing: %s", got.Decided.Lo.Text(2), want.Decided.Lo.Text(2))
	}
}

// TestOnlyGrowthIsForgiven replaces a table by a worse one: nothing has grown.
func TestOnlyGrowthIsForgiven(t *testing.T) {
	s := Default()
	v1 := tables("v1", 4)
	v1.Pairs[0].Score = Known(exact.One)
	worse := tables("v2", 4)
	worse.Pairs[0].Resource = "Replacement"
	more := tables("v2", 5)
	more.Pairs[0].Score = Known(exact.One)
	b := NextBasis(s, nil, nil, v1, false)
	for name, c := range map[string]struct {
		to   *Release
		want string
	}{"replaced": {worse, "0.00"}, "added": {more, "21.25"}} {
		got, err := Compare(s, &b, v1, c.to)
		if err != nil {
			t.Fatal(err)
		}
		if got.Allowance.Lo.Text(2) != c.want {
			t.Errorf("%s: %s forgiven of %s", name, got.Allowance.Lo.Text(2), got.Added.Lo.Text(2))
		}
	}
}

// TestForgivenessKnowsWhatItDoesNotKnow forgives growth by what the rest owes, which is unknown.
func TestForgivenessKnowsWhatItDoesNotKnow(t *testing.T) {
	s := Default()
	v1 := tables("v1", 1)
	v1.Pairs[0].Score = Unknown
	v2 := tables("v2", 2)
	v2.Pairs[0].Score = Unknown
	b := NextBasis(s, nil, nil, v1, false)
	got, err := Compare(s, &b, v1, v2)
	if err != nil {
		t.Fatal(err)
	}
	if lo, hi := got.Allowance.Lo.Text(2), got.Allowance.Hi.Text(2); lo != "40.00" || hi != "100.00" {
		t.Errorf("forgiven %s to %s: the table that scales not is forgiven in full, the other by what the first owes", lo, hi)
	}
	known := slices.Clone(v1.Pairs)
	known[0].Score = Known(exact.One)
	closed, err := Compare(s, &b, &Release{Name: "v1", Pairs: known}, v2)
	if err != nil {
		t.Fatal(err)
	}
	if closed.Decided.Lo.Less(got.Decided.Lo) {
		t.Errorf("%s is below the interval's end %s", closed.Decided.Lo, got.Decided.Lo)
	}
}
