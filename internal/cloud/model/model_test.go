package model

import "testing"

func TestEveryTableParses(t *testing.T) {
	for _, info := range Services() {
		s := Load(info.Name)
		if s == nil || len(s.Operations) == 0 {
			t.Errorf("%s: no operations", info.Name)
			continue
		}
		t.Logf("%-24s %4d operations %5d shapes", s.Name, len(s.Operations), len(s.Shapes))
	}
}

// Clients that mind namespaces find nothing in an answer that has none.
func TestWhatWritesXMLHasANamespace(t *testing.T) {
	for _, info := range Services() {
		if (info.Speaks(Query) || info.Speaks(RESTXML)) && info.XMLNamespace == "" {
			t.Errorf("%s: no namespace", info.Name)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, e := range index {
		b.Run(e.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustParse(e.Info, *e.table)
			}
		})
	}
}
