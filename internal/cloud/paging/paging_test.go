package paging

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func entries(keys []string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, k := range keys {
			if !yield(k, k) {
				return
			}
		}
	}
}

// What stays in a list is given once, and in order, whatever comes and goes while its pages are read.
func TestPagesGiveWhatStaysOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		backward := rapid.Bool().Draw(t, "backward")
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		alive := map[string]bool{}
		for i := range rapid.IntRange(0, 20).Draw(t, "elements") {
			alive[fmt.Sprintf("%02d", 2*i)] = true
		}
		stays := map[string]bool{}
		for k := range alive {
			stays[k] = true
		}
		var got []string
		for token := (*string)(nil); ; {
			p, err := Open(token, limit)
			if err != nil {
				t.Fatal(err)
			}
			p.Backward = backward
			var now []string
			for k := range alive {
				now = append(now, k)
			}
			slices.Sort(now)
			if backward {
				slices.Reverse(now)
			}
			n := 0
			for k := range Of(p, entries(now), nil) {
				got, n = append(got, k), n+1
			}
			if token = p.Next(); token == nil {
				break
			}
			if n != limit {
				t.Fatalf("a page of %d of %d, with more to come", n, limit)
			}
			gone := fmt.Sprintf("%02d", 2*rapid.IntRange(0, 19).Draw(t, "gone"))
			delete(alive, gone)
			delete(stays, gone)
			alive[fmt.Sprintf("%02d", 2*rapid.IntRange(0, 19).Draw(t, "new")+1)] = true
		}
		inOrder := slices.Sorted(slices.Values(got))
		if backward {
			slices.Reverse(inOrder)
		}
		if !slices.Equal(got, inOrder) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Fatalf("given %v", got)
		}
		for k := range stays {
			if !slices.Contains(got, k) {
				t.Fatalf("%s was never given: %v", k, got)
			}
		}
	})
}

func TestMatch(t *testing.T) {
	p, err := Open(nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for k := range Of(p, entries([]string{"a", "b", "c", "d"}), func(v string) bool { return v != "b" && v != "d" }) {
		got = append(got, k)
	}
	if !slices.Equal(got, []string{"a", "c"}) || p.Next() != nil {
		t.Errorf("given %v, next %v: what does not match is no further page", got, p.Next())
	}
}

func TestCut(t *testing.T) {
	all := []string{"d", "b", "a", "c", "e"}
	self := func(s string) string { return s }
	var got []string
	var token *string
	for range 3 {
		part, next, err := Cut(all, self, token, 2)
		if err != nil {
			t.Fatal(err)
		}
		got, token = append(got, part...), next
	}
	if !slices.Equal(got, all) || token != nil {
		t.Errorf("given %v, then a token %v", got, token)
	}
	_, token, _ = Cut(all, self, nil, 2)
	if _, _, err := Cut([]string{"d", "a"}, self, token, 2); !errors.Is(err, ErrToken) {
		t.Errorf("after the element of the token is gone: error %v", err)
	}
	if _, _, err := Cut(all, self, new("%"), 2); !errors.Is(err, ErrToken) {
		t.Errorf("a foreign token: error %v", err)
	}
}

func TestLimit(t *testing.T) {
	for _, c := range []struct {
		asked *int32
		want  int
	}{{nil, 50}, {new(int32(0)), 50}, {new(int32(-1)), 50}, {new(int32(7)), 7}, {new(int32(1000)), 100}} {
		if got := Limit(c.asked, 50, 100); got != c.want {
			t.Errorf("%v: %d, want %d", c.asked, got, c.want)
		}
	}
}
