package main

import (
	"path/filepath"
	"testing"

	"evo/bench/command"
)

// BenchmarkTransform takes every case through what `evo transform` does with it, and through its first steps alone.
func BenchmarkTransform(b *testing.B) {
	templates, err := cases(conformance(filepath.Join("..", "..")))
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range steps {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			begin := command.Processor()
			for b.Loop() {
				for _, t := range templates {
					if err := s.do(t); err != nil {
						b.Fatalf("%s: %v", t.Name, err)
					}
				}
			}
			each := float64(b.N * len(templates))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/each, "ns/template")
			b.ReportMetric(float64((command.Processor()-begin).Nanoseconds())/each, "cpu-ns/template")
		})
	}
}
