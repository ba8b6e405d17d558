package sandbox

import (
	"context"
	"slices"
	"testing"
	"time"
)

// A warm invocation: from Invoke to its result, with one caller and with eight.
func BenchmarkWarmInvoke(b *testing.B) {
	kinds := []struct {
		name string
		fn   func(testing.TB) *Function
	}{
		{"go", func(t testing.TB) *Function { return goFunction(t, "echo") }},
		{"node", func(t testing.TB) *Function {
			return node(t, "nodejs20.x", map[string]string{"index.js": `exports.handler = async (e) => e`})
		}},
		{"python", func(t testing.TB) *Function {
			return python(t, map[string]string{"app.py": "def handler(event, context): return event"})
		}},
	}
	for _, kind := range kinds {
		b.Run(kind.name, func(b *testing.B) {
			s, _ := newSandbox(b)
			fn := kind.fn(b)
			invoke(b, s, fn, `{"a":1}`)
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				began := time.Now()
				if r, err := s.Invoke(context.Background(), fn, Invocation{RequestID: "r", ARN: "a", Payload: []byte(`{"a":1}`)}); err != nil || r.FunctionError != "" {
					b.Fatal(err, r)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
		b.Run(kind.name+"-parallel", func(b *testing.B) {
			s, _ := newSandbox(b)
			fn := kind.fn(b)
			invoke(b, s, fn, `{"a":1}`)
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if r, err := s.Invoke(context.Background(), fn, Invocation{RequestID: "r", ARN: "a", Payload: []byte(`{"a":1}`)}); err != nil || r.FunctionError != "" {
						b.Error(err, r)
						return
					}
				}
			})
			b.ReportMetric(float64(s.Running()), "processes")
		})
	}
}
