package corpus

import (
	"io"
	"testing"
	"time"

	"evo/bench/command"
	"evo/internal/appraisal/desired"
	"evo/internal/cfn"
	"evo/internal/cli/findings"
	"evo/internal/rules"
)

// BenchmarkCheck takes 200 templates through what `evo check --all` does with each, and through its first steps alone. The processor's time
// is told beside the clock's, since the former hardly depends on what else the machine does.
func BenchmarkCheck(b *testing.B) {
	templates := Templates(1, 200)
	suite := rules.NewSuite(rules.Defaults(rules.Managed, rules.Registry)...)
	var text []byte // of the template at hand
	around := desired.Surroundings{Region: "us-east-1", Now: time.Unix(0, 0)}
	write := func(form string) func(*cfn.Node) error {
		out := findings.NewWriter(form, io.Discard, "")
		return func(root *cfn.Node) error {
			t, err := desired.Read(root, around)
			if err != nil {
				return err
			}
			found := findings.Template{File: "t.yaml", Text: text, Verdicts: suite.Judge(t.Desired)}
			return out.Template(found)
		}
	}
	for _, step := range []struct {
		name string
		do   func(root *cfn.Node) error
	}{
		{"parse", func(*cfn.Node) error { return nil }},
		{"evaluate", func(root *cfn.Node) error {
			_, err := desired.Read(root, around)
			return err
		}},
		{"judge", func(root *cfn.Node) error {
			t, err := desired.Read(root, around)
			if err == nil {
				suite.Judge(t.Desired)
			}
			return err
		}},
		{"text", write("text")},
		{"json", write("json")},
	} {
		b.Run(step.name, func(b *testing.B) {
			b.ReportAllocs()
			begin := command.Processor()
			for b.Loop() {
				for _, t := range templates {
					text = t.Text
					root, err := cfn.Parse(t.Name, text)
					if err == nil {
						err = step.do(root)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			each := float64(b.N * len(templates))
			b.ReportMetric(float64(b.Elapsed().Microseconds())/each, "µs/template")
			b.ReportMetric(float64((command.Processor()-begin).Microseconds())/each, "cpu-µs/template")
		})
	}
}
