package source

import (
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	l := NewLines([]byte("ab\ncd\r\nef\rg"))
	for offset, want := range map[int]Pos{0: {0, 1, 1}, 2: {2, 1, 3}, 3: {3, 2, 1}, 7: {7, 3, 1}, 10: {10, 4, 1}, 99: {11, 4, 2}, -1: {0, 1, 1}} {
		if got := l.Pos(offset); got != want {
			t.Errorf("%d: got %+v, want %+v", offset, got, want)
		}
	}
}

func TestDiagnosticText(t *testing.T) {
	src := []byte("Resources:\n\tÄ: x\tFoo\n")
	lines := NewLines(src)
	d := Errorf(lines.Span(17, 20), "no such thing").WithNote(lines.Span(0, 9), "in here").WithHint("try %s", "Bar")
	d.File, d.Path = "t.yaml", "Resources.Ä"
	want := `t.yaml:2:7: error: no such thing
    2 |  Ä: x Foo
      |      ^~~
  at: Resources.Ä
t.yaml:1:1: note: in here
    1 | Resources:
      | ^~~~~~~~~
  hint: try Bar
`
	if got := d.Text(src); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := d.Error(); got != "t.yaml:2:7: no such thing (try Bar)" {
		t.Errorf("got %q", got)
	}
	if (Diagnostics{{Severity: Warning}}).Err() != nil || (Diagnostics{d}).Err() == nil {
		t.Error("only an error is an error")
	}
}

func TestSort(t *testing.T) {
	lines := NewLines([]byte("ab\ncd"))
	ds := Diagnostics{Errorf(lines.Span(3, 4), "c"), Errorf(lines.Span(0, 1), "a"), Errorf(lines.Span(3, 5), "cd"), Errorf(Span{}, "all")}
	ds.Sort()
	if got := ds.Error(); got != "1:1: a\nall\n2:1: c\n2:1: cd" {
		t.Errorf("got %q", got)
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"Runtime", "Timeout", "Handler", "CodeUri"}
	for word, want := range map[string]string{"Runtme": "Runtime", "TimeOut": "Timeout", "Hanlder": "Handler", "codeuri": "CodeUri", "Environment": "", "": ""} {
		if got, _ := Nearest(word, candidates); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\tb\n\xffc", 1, 3)
	f.Fuzz(func(t *testing.T, text string, start, end int) {
		d := Errorf(NewLines([]byte(text)).Span(start, end), "m")
		if !strings.Contains(d.Text([]byte(text)), "m") {
			t.Fatal("no message")
		}
	})
}
